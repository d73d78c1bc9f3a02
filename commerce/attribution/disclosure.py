"""What must be said next to every recommendation: that it is paid for, and who is speaking."""

DISCLOSURE_VERSION = 1
"""Rises with every change of the words; kept with what was sent."""

_PAID = {
    "en": "Ad: whoever recommended this earns up to {rate} of the price if you buy.",
    "zh": "广告：若您购买，推荐人最多可获得价格 {rate} 的佣金。",
    "es": "Publicidad: quien lo recomienda gana hasta {rate} del precio si compras.",
    "pt": "Publicidade: quem recomendou ganha até {rate} do preço se você comprar.",
    "id": "Iklan: pemberi rekomendasi mendapat hingga {rate} dari harga jika Anda membeli.",
    "ja": "広告：購入されると、紹介者は価格の最大{rate}を受け取ります。",
    "ko": "광고: 구매하시면 추천인이 가격의 최대 {rate}를 받습니다.",
}
_UNPAID = {
    "en": "Ad by the shop. Nobody earns a commission on this link.",
    "zh": "店铺广告。此链接没有任何人获得佣金。",
    "es": "Publicidad de la tienda. Nadie cobra comisión por este enlace.",
    "pt": "Publicidade da loja. Ninguém recebe comissão por este link.",
    "id": "Iklan dari toko. Tidak ada yang mendapat komisi dari tautan ini.",
    "ja": "ショップの広告です。このリンクで報酬を得る人はいません。",
    "ko": "상점 광고입니다. 이 링크로 수수료를 받는 사람은 없습니다.",
}
_PRESENTER = {
    "en": "The presenter is an AI.",
    "zh": "主播为人工智能（AI）生成。",
    "es": "La presentadora es una IA.",
    "pt": "A apresentadora é uma IA.",
    "id": "Pembawa acara adalah AI.",
    "ja": "出演者はAIです。",
    "ko": "진행자는 AI입니다.",
}
_SPACELESS = frozenset({"zh", "ja"})


def disclosure(bps: int | None, language: str = "en") -> str:
    """The label of a recommendation.

    Args:
        bps: The most the recommender earns, in basis points; None when nobody does.
        language: ISO 639-1 code; English where we have no words.
    """
    code = language[:2] if language[:2] in _PAID else "en"
    paid = _UNPAID[code] if not bps else _PAID[code].format(rate=_percent(bps, code))
    return paid + ("" if code in _SPACELESS else " ") + _PRESENTER[code]


def _percent(bps: int, language: str) -> str:
    number = f"{bps / 100:.2f}".rstrip("0").rstrip(".")
    return (number.replace(".", ",") if language in {"es", "pt", "id"} else number) + "%"
