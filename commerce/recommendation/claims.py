"""What a presenter may not claim: cures, miracles, absolutes; by language, and extended by sellers.

Advertising law differs, so the lists are only a start: a seller adds words in a JSON file such as
``{"en": ["waterproof forever"], "zh": ["史上最低价"]}``. They are no legal advice.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from commerce.errors import SettingsError
from commerce.models.words import fold

_LARGEST_BYTES = 256 * 1024
# Folded: lower case, no accents. A word stands for itself, ".." for a few words between.
_BANNED: Mapping[str, str] = {
    "en": "cure|cures|cured|heals|miracle|miraculous|guaranteed results|results guaranteed|risk-free"
    "|risk free|clinically proven|scientifically proven|fda approved|doctor recommended"
    "|dermatologist recommended|no side effects|100% safe|100% natural|anti-cancer|prevents cancer"
    "|lose .. kg|lose .. pounds|lose weight fast|best in the world|world's best|number one|no. 1|#1"
    "|lowest price ever|get rich|never breaks|lasts forever|everyone is buying|selling out fast"
    "|last chance|only today|today only",
    "es": "cura|curan|milagro|milagroso|resultados garantizados|clinicamente probado|sin efectos"
    " secundarios|100% seguro|el mejor del mundo|numero uno|sin riesgo|ultima oportunidad|solo hoy"
    "|adelgaza|bajar de peso rapido",
    "pt": "cura|curam|milagre|milagroso|resultados garantidos|clinicamente comprovado|sem efeitos"
    " colaterais|100% seguro|o melhor do mundo|numero um|sem risco|ultima chance|so hoje|emagrece",
    "zh": "治愈|根治|特效|奇迹|包治|无副作用|国家级|世界级|最高级|最佳|全网最低|史上最低|全国第一|销量第一"
    "|第一品牌|绝对|百分之百|100%有效|100%安全|永久|万能|祖传秘方|抗癌|防癌|减肥神器|最后机会|仅限今天|假一赔十",
    "id": "menyembuhkan|obat ajaib|mujarab|dijamin berhasil|tanpa efek samping|100% aman"
    "|terbaik di dunia|nomor satu|hanya hari ini|kesempatan terakhir",
    "ja": "治る|完治|奇跡|副作用なし|絶対|世界一|日本一|永久|万能|必ず痩せる|医師推奨|本日限り|最安値保証",
    "ko": "완치|치료됩니다|기적|부작용 없|절대|세계 최고|국내 최고|영구|만병통치|의사 추천|오늘만|마지막 기회",
}


class ClaimsFilter:
    """Finds banned claims in a text of any language.

    Args:
        further: More banned phrases by language; ``*`` is every language.
    """

    def __init__(self, further: Mapping[str, Iterable[str]] | None = None) -> None:
        phrases = [phrase for listed in _BANNED.values() for phrase in listed.split("|")]
        phrases += [phrase for listed in (further or {}).values() for phrase in listed]
        self._pattern = re.compile("|".join(map(_pattern, dict.fromkeys(map(fold, phrases)))))

    def breaches(self, text: str) -> tuple[str, ...]:
        """Every banned claim of a text, as it was found."""
        return tuple(match.group() for match in self._pattern.finditer(fold(text)))

    def without(self, sentences: Sequence[str]) -> list[str]:
        """The sentences that claim nothing banned; half a claim would still be one."""
        return [sentence for sentence in sentences if not self.breaches(sentence)]


def read_claims(path: Path) -> dict[str, list[str]]:
    """Further banned claims from a JSON file of lists by language.

    Raises:
        SettingsError: Not such a file.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SettingsError(f"banned claims {path.name}: too large to be a list of phrases")
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"banned claims {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise SettingsError(f"banned claims {path.name} is not JSON") from None
    is_lists = isinstance(data, dict) and all(
        isinstance(listed, list) and all(isinstance(phrase, str) and phrase for phrase in listed)
        for listed in data.values()
    )
    if not is_lists:
        raise SettingsError(
            f'banned claims {path.name}: write lists of phrases by language, such as {{"en": [""]}}'
        )
    return data  # type: ignore[no-any-return]


def _pattern(phrase: str) -> str:
    body = r"(?:\W+\w+){1,3}?\W+".join(
        r"\s+".join(map(re.escape, part.split())) for part in phrase.split("..")
    )
    start = r"(?<![^\W_])" if phrase[:1].isascii() and phrase[:1].isalnum() else ""
    end = r"(?![^\W_])" if phrase[-1:].isascii() and phrase[-1:].isalnum() else ""
    return f"{start}{body}{end}"
