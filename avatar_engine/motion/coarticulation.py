"""From timed phonemes to a mouth that moves as one: dominance functions, after Cohen and Massaro.

Each sound pulls each articulator toward its own shape, with a strength that rises before the sound
and falls after it. Jaw, lips, rounding and tongue have their own clocks. What a listener sees
immediately when it is missing, lips that meet on /p b m/ and touch the teeth on /f v/, is laid over
the blend as a constraint. Every strength has finite reach, at most :data:`LOOKAHEAD_S` back, so the
value at a time depends on a bounded window and not on how the phonemes were delivered.
"""

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from avatar_engine.motion.hearing import HeardShapes
from avatar_engine.motion.visemes import (
    BITE_WEIGHTS,
    GROUP_OF_WEIGHT,
    JAW,
    LIPS,
    NEUTRAL,
    PRESSED_WEIGHTS,
    ROUNDING,
    TONGUE,
    Viseme,
    tolerant_visemes_of,
)
from avatar_engine.types.arkit import ARKIT_INDEX
from avatar_engine.types.speech import Heard, Phoneme

LOOKAHEAD_S = 0.12
"""A phoneme must be known this long before it begins."""

_CARRY_S = 0.16  # longest reach after a sound's end
# Seconds of anticipation before, and of carry-over after, for jaw, lips, rounding and tongue.
_RISE_S = np.zeros(4, np.float64)
_FALL_S = np.zeros(4, np.float64)
_RISE_S[[JAW, LIPS, ROUNDING, TONGUE]] = 0.08, 0.06, 0.12, 0.03
_FALL_S[[JAW, LIPS, ROUNDING, TONGUE]] = 0.07, 0.05, 0.1, 0.03
# How far a ramp reaches into the sound itself: the mouth is open when the sound is loudest, early
# in a vowel, and begins to leave for the next before the end.
_INNER_RISE_S, _INNER_FALL_S = 0.025, 0.075
_CONTACT_S = 0.044  # a contact lasts longer than a frame at 25 fps, so one always shows it
_CONTACT_RISE_S, _CONTACT_FALL_S = 0.05, 0.055
_BASE = 0.03  # of the resting face
_LEAD_IN_S = 0.3
_JAW_OPEN = ARKIT_INDEX["jawOpen"]
_MOUTH_CLOSE = ARKIT_INDEX["mouthClose"]
_PUCKER = ARKIT_INDEX["mouthPucker"]
_OPENERS = [
    ARKIT_INDEX[name + side]
    for name in ("mouthLowerDown", "mouthUpperUp", "mouthStretch")
    for side in ("Left", "Right")
] + [ARKIT_INDEX["mouthFunnel"], ARKIT_INDEX["tongueOut"]]


class MouthTrack:
    """The mouth of one utterance over time; times are seconds, zero is the utterance's start."""

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._shapes: list[Viseme] = []
        self._heard: HeardShapes | None = None
        self._has_rest = False
        self._append(NEUTRAL, -_LEAD_IN_S, 0.0)

    def feed(self, phonemes: Iterable[Phoneme]) -> None:
        """Phonemes that follow those fed before, in order of time."""
        for phoneme in phonemes:
            shapes = tolerant_visemes_of(phoneme.symbol)
            self._bridge(phoneme.start_s)
            edges = _shares(len(shapes)) * (phoneme.end_s - phoneme.start_s) + phoneme.start_s
            for shape, begin, end in zip(shapes, edges[:-1], edges[1:], strict=True):
                self._append(shape, float(begin), float(end))

    def hear(self, heard: Heard) -> list[float]:
        """What an ear heard, after what it heard before; for sound without phonemes.

        Returns:
            When pauses began that this made known.
        """
        if self._heard is None:
            self._heard = HeardShapes()
        if self._has_rest:
            for kept in (self._starts, self._ends, self._shapes):
                kept.pop()
        for shape in self._heard.push(heard):
            self._append_after(*shape)
        rest = self._heard.rest()
        self._has_rest = rest is not None
        if rest is not None:
            self._append_after(*rest)
        pauses, self._heard.pauses = self._heard.pauses, []
        return pauses

    def weights(self, time_s: float) -> NDArray[np.float32]:
        """The mouth's ARKit weights [52] at a time, on top of rest.

        After the last phoneme fed there is silence, so the mouth relaxes.
        """
        first = bisect_left(self._ends, time_s - _CARRY_S)
        last = bisect_left(self._starts, time_s + LOOKAHEAD_S)
        # The neighbourhood in arrays: n sounds.
        near = slice(first, last)
        starts = np.array([*self._starts[near], self._ends[-1]])
        ends = np.array([*self._ends[near], np.inf])
        shapes = [*self._shapes[near], NEUTRAL]
        strength = _strength(time_s, starts, ends)  # [n, 4]
        strength *= np.array([shape.dominance for shape in shapes])
        targets = np.array([shape.weights for shape in shapes])  # [n, 52]
        pull = strength[:, GROUP_OF_WEIGHT]  # [n, 52]
        blend = (pull * targets).sum(axis=0) / (pull.sum(axis=0) + _BASE)
        closure = _contact(time_s, starts, ends, np.array([shape.closure for shape in shapes]))
        bite = _contact(time_s, starts, ends, np.array([shape.bite for shape in shapes]))
        return _constrained(blend, closure, bite).astype(np.float32)

    def _append_after(self, shape: Viseme, start_s: float, end_s: float) -> None:
        self._bridge(start_s)
        self._append(shape, start_s, end_s)

    def _bridge(self, start_s: float) -> None:
        """Time that no sound claims is silence."""
        if start_s > self._ends[-1]:
            self._append(NEUTRAL, self._ends[-1], start_s)

    def _append(self, shape: Viseme, start_s: float, end_s: float) -> None:
        self._starts.append(start_s)
        self._ends.append(end_s)
        self._shapes.append(shape)


def _shares(parts: int) -> NDArray[np.float64]:
    """Where the parts of a phoneme begin and end, as shares of it; the glide is the longer one."""
    if parts == 2:
        return np.array([0.0, 0.45, 1.0])
    return np.linspace(0.0, 1.0, parts + 1)


def _strength(
    time_s: float, starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How strongly each sound acts on each articulator now, before its dominance [n, 4]."""
    length = (ends - starts)[:, None]
    rise = np.minimum(0.3 * length, _INNER_RISE_S)
    fall = np.minimum(0.6 * length, _INNER_FALL_S)
    before = (starts[:, None] + rise - time_s) / (rise + _RISE_S)
    after = (time_s - ends[:, None] + fall) / (fall + _FALL_S)
    away = np.clip(np.maximum(before, after), 0.0, 1.0)
    return np.cos(0.5 * np.pi * away) ** 2


def _contact(
    time_s: float,
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    degree: NDArray[np.float64],
) -> float:
    """How far the lips are in contact now: the firmest of the sounds that demand it."""
    if not degree.any():
        return 0.0
    starts, ends, degree = starts[degree > 0], ends[degree > 0], degree[degree > 0]
    middle = 0.5 * (starts + ends)
    half = np.maximum(0.5 * _CONTACT_S, 0.3 * (ends - starts))
    away = np.abs(time_s - middle) - half
    ramp = np.where(time_s < middle, _CONTACT_RISE_S, _CONTACT_FALL_S)
    return float((degree * np.cos(0.5 * np.pi * np.clip(away / ramp, 0.0, 1.0)) ** 2).max())


def _constrained(blend: NDArray[np.float64], closure: float, bite: float) -> NDArray[np.float64]:
    """The blend with lip contact laid over it."""
    if closure <= 0.0 and bite <= 0.0:
        return blend
    # Odds, so that of two contacts in a row the one that is complete wins.
    odds_closed, odds_bitten = (c / (1.002 - c) for c in (closure, bite))
    total = 1.0 + odds_closed + odds_bitten
    closed, bitten = odds_closed / total, odds_bitten / total
    weights = blend * (1.0 - bitten)
    weights[_PUCKER] = blend[_PUCKER] * (1.0 - 0.6 * bitten)
    weights[_OPENERS] *= 1.0 - closed
    weights += bitten * BITE_WEIGHTS
    weights[_JAW_OPEN] *= 1.0 - 0.55 * closed
    weights += closed * PRESSED_WEIGHTS
    weights[_MOUTH_CLOSE] = closed * weights[_JAW_OPEN]
    return weights
