"""The mouth shape of every sound, as ARKit weights, and how firmly each part of it is held."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avatar_engine.motion.ipa import VOWELS, Family, Sound, UnknownSound, read_phoneme
from avatar_engine.types.arkit import ARKIT_INDEX, weights_of

# Articulators that move on their own clocks: rows of every dominance and time constant.
JAW, LIPS, ROUNDING, TONGUE = range(4)
_ROUNDING_PARTS = ("mouthFunnel", "mouthPucker", "mouthSmile", "mouthStretch", "mouthDimple")
GROUP_OF_WEIGHT: NDArray[np.intp] = np.full(52, LIPS)
for _name, _index in ARKIT_INDEX.items():
    if _name.startswith("jaw"):
        GROUP_OF_WEIGHT[_index] = JAW
    elif _name.startswith("tongue"):
        GROUP_OF_WEIGHT[_index] = TONGUE
    elif _name.startswith(_ROUNDING_PARTS):
        GROUP_OF_WEIGHT[_index] = ROUNDING


@dataclass(frozen=True, slots=True)
class Viseme:
    """A mouth shape.

    Attributes:
        weights: [52] ARKit weights at full articulation.
        dominance: [4] of jaw, lips, rounding, tongue: how much the sound insists, against its
            neighbours, on its own shape. A vowel is about 1; a /h/ follows whatever is around.
        closure: 1 when the lips must meet, less for a narrowing.
        bite: 1 when the lower lip must touch the upper teeth.
    """

    weights: NDArray[np.float32]
    dominance: NDArray[np.float32]
    closure: float = 0.0
    bite: float = 0.0


NEUTRAL = Viseme(np.zeros(52, np.float32), np.array([1.0, 0.9, 0.8, 1.0], np.float32))
"""Silence: the lips at rest."""

BARE_MARK = Viseme(np.zeros(52, np.float32), np.full(4, 0.02, np.float32))
"""A phoneme that is only a mark (length, palatalisation): its neighbours go on."""

_CONSONANT_WEIGHTS: dict[Family, tuple[dict[str, float], tuple[float, float, float, float]]] = {
    "bilabial": ({"jawOpen": 0.05}, (1.2, 1.0, 0.1, 0.6)),
    "bilabial_fricative": ({"jawOpen": 0.06, "mouthFunnel": 0.1}, (1.0, 1.0, 0.3, 0.6)),
    "labiodental": ({"jawOpen": 0.07}, (1.2, 1.0, 0.2, 0.6)),
    "labiodental_approximant": ({"jawOpen": 0.08}, (1.0, 0.9, 0.2, 0.6)),
    "dental": (
        {"jawOpen": 0.12, "mouthLowerDown": 0.22, "mouthUpperUp": 0.06, "tongueOut": 0.37},
        (1.0, 0.7, 0.25, 1.5),
    ),
    "alveolar": (
        {
            "jawOpen": 0.09,
            "mouthLowerDown": 0.13,
            "mouthUpperUp": 0.05,
            "mouthStretch": 0.05,
            "tongueOut": 0.2,
        },
        (0.9, 0.5, 0.15, 0.8),
    ),
    # Held and loud, unlike its stops: the mouth is open enough to show the tongue behind the teeth.
    "alveolar_nasal": (
        {"jawOpen": 0.11, "mouthLowerDown": 0.17, "mouthUpperUp": 0.05, "tongueOut": 0.22},
        (0.8, 0.5, 0.15, 0.9),
    ),
    "lateral": (
        {"jawOpen": 0.2, "mouthLowerDown": 0.24, "mouthUpperUp": 0.06, "tongueOut": 0.3},
        (0.8, 0.5, 0.15, 1.0),
    ),
    "trill": ({"jawOpen": 0.12, "mouthLowerDown": 0.12}, (0.7, 0.4, 0.15, 0.8)),
    "sibilant": (
        {
            "jawOpen": 0.045,
            "mouthLowerDown": 0.2,
            "mouthUpperUp": 0.09,
            "mouthStretch": 0.16,
            "mouthSmile": 0.07,
        },
        (1.6, 0.9, 0.5, 0.8),
    ),
    "postalveolar": (
        {
            "jawOpen": 0.045,
            "mouthFunnel": 0.3,
            "mouthPucker": 0.22,
            "mouthLowerDown": 0.13,
            "mouthUpperUp": 0.09,
        },
        (1.5, 0.9, 1.1, 0.8),
    ),
    "alveolopalatal": (
        {"jawOpen": 0.055, "mouthFunnel": 0.16, "mouthLowerDown": 0.17, "mouthUpperUp": 0.08},
        (1.5, 0.9, 0.6, 0.8),
    ),
    "rhotic": (
        {"jawOpen": 0.1, "mouthFunnel": 0.2, "mouthPucker": 0.26, "mouthLowerDown": 0.05},
        (0.7, 0.6, 0.7, 0.8),
    ),
    "palatal": (
        {"jawOpen": 0.09, "mouthLowerDown": 0.12, "mouthStretch": 0.1, "mouthSmile": 0.06},
        (0.8, 0.4, 0.3, 0.8),
    ),
    "labial_glide": (
        {"jawOpen": 0.03, "mouthPucker": 0.76, "mouthFunnel": 0.14},
        (0.9, 1.0, 1.6, 0.8),
    ),
    "palatal_glide": (
        {"jawOpen": 0.07, "mouthLowerDown": 0.1, "mouthStretch": 0.16, "mouthSmile": 0.14},
        (0.7, 0.5, 0.6, 0.8),
    ),
    "velar": ({"jawOpen": 0.12, "mouthLowerDown": 0.1}, (0.5, 0.25, 0.08, 0.6)),
    "throat": ({"jawOpen": 0.16, "mouthLowerDown": 0.1}, (0.2, 0.12, 0.05, 0.4)),
    "linguolabial_click": ({"jawOpen": 0.06, "mouthPucker": 0.4}, (1.0, 1.0, 0.8, 0.6)),
}
_CLOSURE: dict[Family, float] = {
    "bilabial": 1.0,
    "linguolabial_click": 1.0,
    "bilabial_fricative": 0.7,
}
_BITE: dict[Family, float] = {"labiodental": 1.0, "labiodental_approximant": 0.7}

BITE_WEIGHTS: NDArray[np.float32] = weights_of(
    jawOpen=0.06, mouthRollLower=0.36, mouthUpperUp=0.3, mouthShrugLower=0.02
)
"""Lower lip under the upper teeth: what /f/ and /v/ always reach."""

PRESSED_WEIGHTS: NDArray[np.float32] = weights_of(
    mouthPress=0.22, mouthRollLower=0.1, mouthRollUpper=0.08
)
"""Lips that meet, beyond closing the gap: what /p/, /b/ and /m/ always reach."""


def visemes_of(symbol: str) -> tuple[Viseme, ...]:
    """The shapes a phoneme passes through, one for most, two for a diphthong or an affricate.

    Args:
        symbol: IPA as a voice emits it; the empty string is silence.

    Raises:
        UnknownSound: A base symbol is in no table.
    """
    sounds = read_phoneme(symbol)
    if sounds:
        return tuple(_viseme(sound) for sound in sounds)
    is_silence = not symbol or symbol.startswith("(") or symbol.isspace()
    return (NEUTRAL,) if is_silence else (BARE_MARK,)


def tolerant_visemes_of(symbol: str) -> tuple[Viseme, ...]:
    """Like :func:`visemes_of`, but an unknown sound is a schwa: a live show must go on."""
    try:
        return visemes_of(symbol)
    except UnknownSound:
        return visemes_of("ə")


@lru_cache(maxsize=2048)
def _viseme(sound: Sound) -> Viseme:
    if sound.family == "vowel":
        weights, dominance = _vowel(sound)
    else:
        named, firmness = _CONSONANT_WEIGHTS[sound.family]
        weights, dominance = weights_of(**named), np.array(firmness, np.float32)
    if sound.is_rounded:
        weights = np.maximum(weights, weights_of(mouthPucker=0.45, mouthFunnel=0.15))
        dominance[ROUNDING] = max(float(dominance[ROUNDING]), 0.9)
    if sound.is_palatalised:
        weights = np.maximum(weights, weights_of(mouthStretch=0.12, mouthSmile=0.08))
        dominance[ROUNDING] = max(float(dominance[ROUNDING]), 0.35)
    weights.flags.writeable = dominance.flags.writeable = False
    return Viseme(weights, dominance, _CLOSURE.get(sound.family, 0.0), _BITE.get(sound.family, 0.0))


def _vowel(sound: Sound) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    openness, frontness, rounding = VOWELS[sound.symbol]
    # Stressed vowels open further; speech hardly ever passes 0.45.
    effort = 0.92 + 0.18 * sound.stress
    spread = max(frontness, 0.0) * (1 - rounding) * (1 - 0.7 * openness)
    weights = weights_of(
        jawOpen=effort * (0.065 + 0.3 * openness - 0.035 * rounding),
        mouthLowerDown=effort * (0.06 + 0.17 * openness) * (1 - 0.7 * rounding) + 0.08 * spread,
        mouthUpperUp=effort * (0.03 + 0.1 * openness) * (1 - 0.5 * rounding) + 0.03 * spread,
        mouthPucker=effort * rounding * (0.7 - 0.42 * openness),
        mouthFunnel=effort * rounding * (0.16 + 0.3 * openness),
        mouthStretch=effort * 0.22 * spread,
        mouthSmile=effort * 0.2 * spread,
    )
    insistence = 0.75 + 0.4 * sound.stress
    if sound.symbol in "əɐɨ":
        insistence *= 0.55  # reduced vowels take the colour of their neighbours
    lips = insistence * (0.8 + 0.3 * rounding)
    rounds = insistence * (0.5 + 0.9 * max(rounding, 0.6 * spread))
    return weights, np.array([insistence, lips, rounds, 0.6], np.float32)
