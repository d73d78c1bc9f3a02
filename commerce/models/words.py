"""How text becomes search words: one rule for what is indexed and for what is asked.

Chinese and Japanese write no spaces, so their runs become overlapping pairs of characters (and
single ones in the index); other words are folded to lower case without accents and lose a plural.
"""

import re
import unicodedata
from functools import lru_cache

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_CJK_RUN = re.compile(f"[{_CJK}]+")
# A number keeps its decimals and lets its unit go: 750ml is 750 and ml, z62 stays one word.
_WORD = re.compile(rf"[{_CJK}]+|\d+(?:[.,]\d+)*|[^\W_]+(?:['’][^\W\d_]+)?")
_ACCENTS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """Lower case, full-width forms and ligatures resolved, Latin accents removed."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    without = _ACCENTS.sub("", unicodedata.normalize("NFD", plain))
    return unicodedata.normalize("NFC", without)


def is_cjk(word: str) -> bool:
    """Whether a word is written without spaces (Chinese, Japanese, Korean)."""
    return bool(_CJK_RUN.fullmatch(word))


def split(text: str) -> list[str]:
    """Words of folded text in order; a run of Chinese stays whole, plurals stay."""
    return [match.group() for match in _WORD.finditer(fold(text))]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Take a plural off (mugs, batteries, boxes, luces); wrong guesses do no harm, being shared."""
    bare = word.removesuffix("'s").removesuffix("’s").replace("'", "").replace("’", "")
    if len(bare) < 4 or not bare.isascii() or not bare.isalpha() or bare.endswith(("ss", "us")):
        return bare
    if bare.endswith("ies") and len(bare) > 4:
        return bare[:-3] + "y"
    if bare.endswith(("xes", "ches", "shes", "sses", "zes", "res", "les", "nes", "ces")):
        # Spanish and Portuguese plurals on -es meet their singular; English ones on -e do too.
        return bare[:-2] if not bare.endswith(("res", "les", "nes", "ces")) else bare[:-1]
    return bare.removesuffix("s")


def pairs(run: str) -> list[str]:
    """Overlapping pairs of a run of characters; a single character is itself."""
    return [run[i : i + 2] for i in range(max(1, len(run) - 1))]


def index_words(text: str) -> list[str]:
    """What the full-text index stores for a text."""
    found: list[str] = []
    for word in split(text):
        if word.isascii() or not is_cjk(word):
            found.append(stem(word))
        else:
            found += pairs(word)
            if len(word) > 1:
                found += word
    return found
