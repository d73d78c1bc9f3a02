"""Gestures: nods, shakes and the small things a face does, each a sum of eased pulses over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from avatar_engine.motion.noise import pulse
from avatar_engine.types.arkit import weights_of
from avatar_engine.types.marks import Act

_YAW, _PITCH, _ROLL = range(3)


@dataclass(frozen=True, slots=True)
class Beat:
    """One eased movement of a gesture, from ``begin_s`` after its start.

    Attributes:
        begin_s, rise_s, hold_s, fall_s: Its course.
        head: [3] yaw, pitch, roll in radians at its height.
        face: [52] weights at its height.
    """

    begin_s: float
    rise_s: float
    hold_s: float
    fall_s: float
    head: NDArray[np.float64]
    face: NDArray[np.float32]

    def at(self, since_s: float) -> float:
        """How far it is done, 0 to 1."""
        return pulse(
            since_s - self.begin_s, rise_s=self.rise_s, hold_s=self.hold_s, fall_s=self.fall_s
        )

    @property
    def end_s(self) -> float:
        """When nothing is left of it."""
        return self.begin_s + self.rise_s + self.hold_s + self.fall_s


def _beat(
    begin_s: float, rise_s: float, hold_s: float, fall_s: float, degrees: tuple[float, ...] = (),
    **face: float,
) -> Beat:  # fmt: skip
    head = np.zeros(3)
    head[: len(degrees)] = np.radians(degrees)
    return Beat(begin_s, rise_s, hold_s, fall_s, head, weights_of(**face))


_NOD = (
    _beat(0.0, 0.2, 0.02, 0.24, (0, 4.6)),
    _beat(0.34, 0.18, 0.02, 0.34, (0, 3.2)),
)
ACT_BEATS: Mapping[Act, tuple[Beat, ...]] = {
    "nod": _NOD,
    "shake": (
        _beat(0.0, 0.2, 0.0, 0.22, (4.8,), browDown=0.08),
        _beat(0.2, 0.22, 0.0, 0.24, (-5.2,)),
        _beat(0.44, 0.22, 0.0, 0.3, (3.6,)),
    ),
    "tilt": (_beat(0.0, 0.4, 0.7, 0.6, (1.0, 0.5, 4.4), browInnerUp=0.16),),
    "wave": (  # a greeting: brows flash, the head comes up and dips, a broad smile stays a moment
        _beat(0.0, 0.16, 0.24, 0.4, (0, -3.0), browInnerUp=0.5, browOuterUp=0.5, eyeWide=0.2),
        _beat(0.3, 0.26, 0.05, 0.5, (0, 4.2, 2.0)),
        _beat(0.05, 0.35, 1.0, 0.8, (), mouthSmile=0.3, cheekSquint=0.24),
    ),
    "wink": (
        _beat(0.0, 0.11, 0.1, 0.2, (-1.0, 1.0, -2.2), eyeBlinkLeft=1.0, cheekSquintLeft=0.5),
        _beat(0.0, 0.2, 0.4, 0.5, (), mouthSmileLeft=0.28, mouthSmileRight=0.08),
    ),
    "brows": (_beat(0.0, 0.16, 0.3, 0.4, (0, -1.0), browInnerUp=0.55, browOuterUp=0.5),),
    "smile": (_beat(0.0, 0.4, 1.4, 0.9, (0, -0.6, 0.8), mouthSmile=0.36, cheekSquint=0.3),),
    "think": (
        _beat(0.0, 0.35, 0.9, 0.5, (2.2, -1.6, 1.8), browDownLeft=0.22, browOuterUpRight=0.3),
        _beat(0.1, 0.3, 0.8, 0.4, (), mouthPress=0.18, mouthLeft=0.12),
    ),
}  # fmt: skip
"""What each act does; glances belong to the eyes and are not among them."""

_IDLE: tuple[tuple[float, tuple[Beat, ...]], ...] = (
    (3.0, (_beat(0.0, 0.5, 0.8, 0.9, (0.5, 0.2, 2.4)),)),  # a tilt
    (2.5, (_beat(0.0, 0.3, 0.25, 0.5, (), mouthPress=0.3, mouthRollLower=0.16),)),  # lips pressed
    (2.5, (_beat(0.0, 0.7, 1.6, 1.2, (0, -0.4, 0.3), mouthSmile=0.09, cheekSquint=0.08),)),
    (2.0, (_beat(0.0, 0.22, 0.3, 0.6, (0, -0.5), browInnerUp=0.2, browOuterUp=0.16),)),
    (2.0, (_beat(0.0, 0.28, 0.05, 0.5, (0, 1.6)),)),  # as if agreeing with somebody
    (1.5, (_beat(0.0, 0.8, 1.2, 1.4, (2.6, 0.3, -0.6)),)),  # turning to somebody else
    (1.0, (_beat(0.0, 0.35, 0.1, 0.4, (0, 0.5), mouthPucker=0.14, mouthShrugLower=0.1),)),
)  # fmt: skip
"""How often, relative to each other, and what an idle face does now and then."""


@dataclass(frozen=True, slots=True)
class _Running:
    begin_s: float
    beats: Sequence[Beat]
    size: float
    side: float


class Gestures:
    """The gestures that run, and while nobody speaks, small ones begun by chance."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._running: list[_Running] = []
        self._next_idle_s = float(rng.uniform(2.0, 7.0))
        self._chances = np.array([chance for chance, _ in _IDLE])
        self._chances /= self._chances.sum()

    def begin(self, act: Act, *, now_s: float, size: float = 1.0) -> None:
        """Start an act."""
        self._running.append(_Running(now_s, ACT_BEATS[act], size, 1.0))

    def at(
        self, now_s: float, *, speaking: float, tempo: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Head [3] in radians and face [52] that the gestures add now; times never go back."""
        if now_s >= self._next_idle_s:
            # Drawn whether it is used or not, so that speech shifts no later gesture.
            kind, size, side, wait_s = self._draw()
            if speaking < 0.2:
                self._running.append(_Running(now_s, _IDLE[kind][1], size, side))
            self._next_idle_s = now_s + wait_s / tempo
        self._running = [
            g for g in self._running if now_s - g.begin_s < max(b.end_s for b in g.beats)
        ]
        head, face = np.zeros(3), np.zeros(52, np.float32)
        for gesture in self._running:
            for beat in gesture.beats:
                share = gesture.size * beat.at(now_s - gesture.begin_s)
                if share > 0.0:
                    head += share * beat.head * (gesture.side, 1.0, gesture.side)
                    face += np.float32(share) * beat.face
        return head, face

    def _draw(self) -> tuple[int, float, float, float]:
        rng = self._rng
        kind = int(rng.choice(len(_IDLE), p=self._chances))
        size = float(rng.uniform(0.5, 1.2))
        side = float(rng.choice((-1.0, 1.0)))
        return kind, size, side, float(np.clip(rng.lognormal(1.55, 0.55), 1.8, 14.0))


def is_turn(act: str) -> bool:
    """Whether an act is the eyes' (``glance``, ``glance-left``) instead of the head's."""
    return act.split("-")[0] == "glance"
