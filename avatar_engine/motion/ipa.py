"""Reading IPA: base sounds, what decorates them, and the family each belongs to."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "silence",
    "vowel",
    "bilabial",
    "bilabial_fricative",
    "labiodental",
    "labiodental_approximant",
    "dental",
    "alveolar",
    "alveolar_nasal",
    "lateral",
    "trill",
    "sibilant",
    "postalveolar",
    "alveolopalatal",
    "rhotic",
    "palatal",
    "labial_glide",
    "palatal_glide",
    "velar",
    "throat",
    "linguolabial_click",
]

_CONSONANTS: dict[Family, str] = {
    "bilabial": "pbmɓʙ",
    "bilabial_fricative": "ɸβ",
    "labiodental": "fvɱⱱ",
    "labiodental_approximant": "ʋ",
    "dental": "θðǀ",
    "alveolar": "tdɗʈɖᶑ",
    "alveolar_nasal": "nɳ",
    "lateral": "lɫɬɮɭʟǁɺʎ",
    "trill": "rɾɽ",
    "sibilant": "sz",
    "postalveolar": "ʃʒʂʐǃ",
    "alveolopalatal": "ɕʑ",
    "rhotic": "ɹɻ",
    "palatal": "cɟɲçʝʄǂ",
    "labial_glide": "wʍɥ",
    "palatal_glide": "jɰ",
    "velar": "kgɡŋxɣɠɧ",
    "throat": "qɢʛɴχʁʀħʕʜʢhɦʔʡ",
    "linguolabial_click": "ʘ",
}
# Openness (0 close to 1 open), frontness (-1 back to 1 front), rounding (0 to 1).
VOWELS: dict[str, tuple[float, float, float]] = {
    "i": (0.0, 1.0, 0.0),
    "y": (0.0, 0.9, 0.9),
    "ɨ": (0.05, 0.2, 0.0),
    "ʉ": (0.05, 0.2, 0.85),
    "ɯ": (0.05, -0.6, 0.0),
    "u": (0.0, -1.0, 1.0),
    "ɪ": (0.18, 0.8, 0.0),
    "ʏ": (0.18, 0.7, 0.75),
    "ʊ": (0.18, -0.6, 0.7),
    "e": (0.35, 0.9, 0.0),
    "ø": (0.35, 0.8, 0.8),
    "ɘ": (0.35, 0.2, 0.0),
    "ɵ": (0.35, 0.2, 0.7),
    "ɤ": (0.4, -0.6, 0.0),
    "o": (0.38, -0.9, 0.85),
    "ə": (0.35, 0.0, 0.0),
    "ɚ": (0.32, 0.0, 0.25),
    "ɛ": (0.58, 0.7, 0.0),
    "œ": (0.58, 0.6, 0.65),
    "ɜ": (0.5, 0.1, 0.0),
    "ɝ": (0.4, 0.1, 0.3),
    "ɞ": (0.55, 0.1, 0.6),
    "ʌ": (0.62, -0.3, 0.0),
    "ɔ": (0.62, -0.8, 0.6),
    "æ": (0.8, 0.6, 0.0),
    "ɐ": (0.75, 0.0, 0.0),
    "a": (0.95, 0.2, 0.0),
    "ɶ": (0.9, 0.5, 0.4),
    "ɑ": (1.0, -0.5, 0.0),
    "ɒ": (0.9, -0.8, 0.4),
}
FAMILY: dict[str, Family] = {
    symbol: family for family, symbols in _CONSONANTS.items() for symbol in symbols
} | dict.fromkeys(VOWELS, "vowel")

# Symbols from outside the IPA that espeak's phoneme tables use, as what they sound like.
_RESPELT = {
    "ɩ": "ɪ",
    "ɷ": "ʊ",
    "ᵻ": "ɨ",
    "ᵿ": "ʊ",
    "ɿ": "ɨ",
    "ʅ": "ɨ",
    "ˀ": "",
    "ᵝ": "β",
    "ʦ": "ts",
    "ʣ": "dz",
    "ʧ": "tʃ",
    "ʤ": "dʒ",
    "ʨ": "tɕ",
    "ʥ": "dʑ",
    "ɼ": "r",
    "ß": "β",
    "ε": "ɛ",
    "α": "ɑ",
    # Marks that are short sounds of their own.
    "ᵐ": "m",
    "ⁿ": "n",
    "ᵑ": "ŋ",
    # ASCII names that a few of espeak's tables leave untranslated.
    "A": "ɑ",
    "E": "ɛ",
    "I": "ɪ",
    "O": "ɔ",
    "U": "ʊ",
    "N": "ŋ",
    "R": "ʀ",
    "S": "ʃ",
    "T": "θ",
    "D": "ð",
    "X": "χ",
    "Z": "ʒ",
    "?": "ʔ",
}
_ROUNDING_MARKS = "ʷᵂ\u032b\u0339"
_PALATAL_MARKS = "ʲ"
_STRESS = "ˈ"
_HALF_STRESS = "ˌ"


@dataclass(frozen=True, slots=True)
class Sound:
    """One base sound of a phoneme.

    Attributes:
        symbol: The base, in IPA.
        family: How it is made with lips, jaw and tongue.
        is_rounded, is_palatalised: By a mark (``kʷ``, ``nʲ``).
        stress: 1 stressed, 0.5 secondary, 0 none; of the phoneme.
    """

    symbol: str
    family: Family
    is_rounded: bool = False
    is_palatalised: bool = False
    stress: float = 0.0


class UnknownSound(ValueError):  # noqa: N818 - reads as what it is: a sound nobody taught us
    """A base symbol that no table knows."""


def read_phoneme(symbol: str) -> tuple[Sound, ...]:
    """The base sounds of a phoneme as a voice writes it; empty for silence and for a bare mark.

    Length, tone, stress, nasality and other diacritics follow rules; only base symbols are looked
    up.

    Raises:
        UnknownSound: A base symbol is in no table.
    """
    stress = 1.0 if _STRESS in symbol else 0.5 if _HALF_STRESS in symbol else 0.0
    bases: list[str] = []
    rounded: list[bool] = []
    palatal: list[bool] = []
    for character in _spelt(symbol):
        if character in FAMILY:
            bases.append(character)
            rounded.append(False)
            palatal.append(False)
        elif character in _ROUNDING_MARKS:
            if rounded:
                rounded[-1] = True
        elif character in _PALATAL_MARKS:
            if palatal:
                palatal[-1] = True
        elif not _is_decoration(character):
            raise UnknownSound(f"{character!r} (U+{ord(character):04X}) in phoneme {symbol!r}")
    return tuple(
        Sound(base, FAMILY[base], r, p, stress)
        for base, r, p in zip(bases, rounded, palatal, strict=True)
    )


def _spelt(symbol: str) -> str:
    if symbol.startswith("("):
        return ""  # "(en)": a switch of language, not a sound
    symbol = unicodedata.normalize("NFD", symbol)
    symbol = symbol.replace("c\u0327", "ç")
    return "".join(_RESPELT.get(c, c) for c in symbol)


def _is_decoration(character: str) -> bool:
    """Length, tone, stress, aspiration, nasality...: letters, combining marks and signs alike."""
    return unicodedata.category(character) in {
        "Mn", "Lm", "Sk", "Nd", "No", "Po", "Pd", "Ps", "Pe", "Sm", "Zs", "So", "Cf", "Pc", "Cc",
    }  # fmt: skip
