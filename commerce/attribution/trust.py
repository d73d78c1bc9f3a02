"""Trust as evidence: what became of the orders that somebody's advice led to."""

import math

from commerce.models.earnings import TrustEvidence

_Z = 1.959963984540054  # 95 %, two-sided


def wilson_lower_bound(successes: int, trials: int) -> float:
    """The lowest rate, in [0, 1], that so many successes still make believable.

    Few trials give a low bound: three of three is less than ninety-five of a hundred.
    """
    if trials == 0:
        return 0.0
    rate = successes / trials
    spread = _Z * math.sqrt(rate * (1 - rate) / trials + _Z * _Z / (4 * trials * trials))
    bound = (rate + _Z * _Z / (2 * trials) - spread) / (1 + _Z * _Z / trials)
    return min(1.0, max(0.0, bound))


def endorsement(evidence: TrustEvidence, language: str = "en") -> str | None:
    """A sentence about a recommender's record; None without a single purchase behind it.

    Args:
        evidence: From the ledger.
        language: ISO 639-1 code; English where we have no words.
    """
    if evidence.orders == 0:
        return None
    words = _ENDORSEMENT.get(language[:2], _ENDORSEMENT["en"])
    return words.format(kept=evidence.kept, orders=evidence.orders)


_ENDORSEMENT = {
    "en": "Of {orders} completed orders on this person's advice, {kept} were kept.",
    "zh": "按此人推荐完成的 {orders} 笔订单中，{kept} 笔未退货。",
    "es": "De {orders} pedidos completados por consejo de esta persona, {kept} se conservaron.",
    "pt": "De {orders} pedidos concluídos por indicação desta pessoa, {kept} foram mantidos.",
    "id": "Dari {orders} pesanan selesai atas saran orang ini, {kept} tidak dikembalikan.",
    "ja": "この人のすすめで完了した注文{orders}件のうち、{kept}件は返品されていません。",
    "ko": "이 사람의 추천으로 완료된 주문 {orders}건 중 {kept}건이 반품되지 않았습니다.",
}
