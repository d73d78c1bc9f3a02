"""Emotions: how a feeling shades the whole face, its bearing and its tempo, without a word.

A shading stays out of the way of speech: it holds no weight that parts the lips, and its corners of
the mouth give way while lips meet or round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import radians

import numpy as np
from numpy.typing import NDArray

from avatar_engine.motion.noise import eased
from avatar_engine.types.arkit import weights_of
from avatar_engine.types.marks import EMOTIONS, Emotion

CHANGE_S = 0.7
"""How long one feeling takes to become another."""


@dataclass(frozen=True, slots=True)
class Shading:
    """What a feeling does to a face.

    Attributes:
        upper: [52] brows, lids and cheeks, at full strength.
        lower: [52] corners of the mouth; they give way to lips that meet or round.
        smile: Factor on the presenter's own smile.
        brows: Added to the lift of the brows, in their unit; negative frowns.
        bearing: [3] yaw, pitch and roll added to the head's rest, radians.
        liveliness: Factor on posture, sway, nods and accents.
        tempo: Factor on how often eyes shift and lids blink.
        contact: How much more the eyes stay with the viewer, -1 to 1.
    """

    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    smile: float
    brows: float
    bearing: NDArray[np.float64]
    liveliness: float
    tempo: float
    contact: float


def _shading(
    upper: dict[str, float],
    lower: dict[str, float],
    *,
    smile: float,
    brows: float = 0.0,
    bearing_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0),
    liveliness: float = 1.0,
    tempo: float = 1.0,
    contact: float = 0.0,
) -> Shading:
    return Shading(
        weights_of(**upper),
        weights_of(**lower),
        smile,
        brows,
        np.array([radians(a) for a in bearing_degrees]),
        liveliness,
        tempo,
        contact,
    )


SHADINGS: Mapping[Emotion, Shading] = {
    "neutral": _shading({}, {}, smile=1.0),
    "happy": _shading(
        {"cheekSquint": 0.4, "eyeSquint": 0.18, "browOuterUp": 0.08, "browInnerUp": 0.06},
        {"mouthSmile": 0.36, "mouthDimple": 0.12},
        smile=1.35,
        brows=0.08,
        bearing_degrees=(0.0, -0.6, 0.9),
        liveliness=1.15,
        tempo=1.05,
        contact=0.2,
    ),
    "excited": _shading(
        {"browInnerUp": 0.42, "browOuterUp": 0.55, "eyeWide": 0.5, "cheekSquint": 0.1},
        {"mouthSmile": 0.34, "mouthDimple": 0.06},
        smile=1.4,
        brows=0.2,
        bearing_degrees=(0.0, -1.4, 0.0),
        liveliness=1.55,
        tempo=1.35,
        contact=0.4,
    ),
    "concerned": _shading(
        {"browInnerUp": 0.72, "browDown": 0.26, "eyeSquint": 0.14},
        {"mouthFrown": 0.42, "mouthShrugLower": 0.2, "mouthPress": 0.1},
        smile=0.12,
        bearing_degrees=(0.0, 1.0, -2.2),
        liveliness=0.75,
        tempo=1.1,
        contact=0.1,
    ),
    "serious": _shading(
        {"browDown": 0.58, "eyeSquint": 0.24},
        {"mouthPress": 0.2, "mouthFrown": 0.2},
        smile=0.05,
        brows=-0.15,
        bearing_degrees=(0.0, 0.5, 0.0),
        liveliness=0.6,
        tempo=0.75,
        contact=0.6,
    ),
}


class Feeling:
    """Which emotions the face shows how much, over time."""

    def __init__(self, emotion: Emotion = "neutral") -> None:
        self._from = _one(emotion)
        self._to = self._from
        self._began_s = -10.0
        self.emotion: Emotion = emotion

    def turn(self, emotion: Emotion, *, now_s: float) -> None:
        """Begin to feel something else; eased over :data:`CHANGE_S`."""
        if emotion != self.emotion:
            self._from, self._to = self._mix(now_s), _one(emotion)
            self._began_s = now_s
            self.emotion = emotion

    def at(self, now_s: float) -> Shading:
        """The shading now."""
        mix = self._mix(now_s)
        parts = [(share, SHADINGS[e]) for share, e in zip(mix, EMOTIONS, strict=True) if share > 0]
        if len(parts) == 1:
            return parts[0][1]

        def mixed(name: str) -> float:
            return float(sum(share * getattr(shading, name) for share, shading in parts))

        return Shading(
            np.asarray(sum(share * s.upper for share, s in parts), np.float32),
            np.asarray(sum(share * s.lower for share, s in parts), np.float32),
            mixed("smile"),
            mixed("brows"),
            np.asarray(sum(share * s.bearing for share, s in parts)),
            mixed("liveliness"),
            mixed("tempo"),
            mixed("contact"),
        )

    def _mix(self, now_s: float) -> NDArray[np.float64]:
        share = eased((now_s - self._began_s) / CHANGE_S)
        return (1.0 - share) * self._from + share * self._to


def _one(emotion: Emotion) -> NDArray[np.float64]:
    mix = np.zeros(len(EMOTIONS))
    mix[EMOTIONS.index(emotion)] = 1.0
    return mix
