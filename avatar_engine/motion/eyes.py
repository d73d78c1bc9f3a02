"""Where the eyes look and when the lids close: fixations, saccades, micro-saccades, blinks."""

from dataclasses import dataclass
from math import hypot, radians

import numpy as np
from numpy.random import Generator

from avatar_engine.motion.noise import eased, pulse

_MICRO_EVERY_S = (0.45, 1.3)
_MICRO_SIZE = radians(0.35)
_BLINK_AFTER_SHIFT = radians(9.0)
_CLOSING_S, _CLOSED_S, _OPENING_S = 0.085, 0.05, 0.2


@dataclass(frozen=True, slots=True)
class _Shift:
    """One saccade: from where to where, between when and when."""

    origin: tuple[float, float]
    target: tuple[float, float]
    begin_s: float
    end_s: float


class Gaze:
    """The point looked at, as yaw and pitch in radians from straight into the camera.

    While speaking, the eyes rest on the viewer; while idle they stray more. Pure function of the
    seed and of the ``advance`` calls.
    """

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._shift = _Shift((0.0, 0.0), (0.0, 0.0), -1.0, -0.9)
        self._is_away = False
        self._next_s = float(rng.uniform(0.8, 2.0))
        self._next_micro_s = float(rng.uniform(*_MICRO_EVERY_S))

    def look(self, yaw: float, pitch: float, *, now_s: float, hold_s: float) -> None:
        """Look somewhere for a while, then back at the viewer."""
        self._move((yaw, pitch), now_s)
        self._is_away = True
        self._next_s = now_s + hold_s

    def advance(self, now_s: float, *, speaking: float, tempo: float = 1.0) -> float:
        """Step to a time; returns the size of a shift that begins now, in radians (or 0).

        Args:
            now_s: Not before the last one.
            speaking: How much the eyes stay with the viewer, 0 to 1.
            tempo: Factor on how often they move.
        """
        size = 0.0
        if now_s >= self._next_s:
            size = self._refixate(now_s, speaking, tempo)
            self._next_micro_s = now_s + float(self._rng.uniform(*_MICRO_EVERY_S))
        elif now_s >= self._next_micro_s:
            yaw, pitch = self._shift.target
            back = 0.0 if self._is_away else 0.6  # micro-saccades re-centre the gaze
            step = self._rng.standard_normal(2) * _MICRO_SIZE
            self._move((yaw * (1 - back) + step[0], pitch * (1 - back) + 0.6 * step[1]), now_s)
            self._next_micro_s = now_s + float(self._rng.uniform(*_MICRO_EVERY_S))
        return size

    def at(self, now_s: float) -> tuple[float, float]:
        """Yaw and pitch now."""
        shift = self._shift
        share = eased((now_s - shift.begin_s) / (shift.end_s - shift.begin_s))
        yaw = shift.origin[0] + share * (shift.target[0] - shift.origin[0])
        return yaw, shift.origin[1] + share * (shift.target[1] - shift.origin[1])

    def _refixate(self, now_s: float, speaking: float, tempo: float) -> float:
        rng = self._rng
        away_share = 0.30 - 0.14 * speaking
        if not self._is_away and rng.random() < away_share:
            self._is_away = True
            angle = rng.uniform(radians(3.0), radians(9.0))
            side = rng.choice((-1.0, 1.0))
            target = (side * angle, float(rng.normal(radians(0.8), radians(1.6))))
            hold_s = rng.uniform(0.35, 1.1)
        else:
            self._is_away = False
            # Between the eyes and the mouth of whoever is behind the camera.
            target = tuple(rng.normal(0.0, (radians(0.9), radians(0.6))))
            hold_s = float(np.clip(rng.lognormal(0.45, 0.5), 0.6, 5.0)) * (1.0 + 0.4 * speaking)
        self._next_s = now_s + float(hold_s) / tempo
        return self._move((float(target[0]), float(target[1])), now_s)

    def _move(self, target: tuple[float, float], now_s: float) -> float:
        origin = self.at(now_s)
        size = hypot(target[0] - origin[0], target[1] - origin[1])
        # The main sequence: 21 ms and 2.2 ms for each degree.
        duration_s = 0.021 + 0.0022 * np.degrees(size)
        self._shift = _Shift(origin, target, now_s, now_s + float(duration_s))
        return size


class Blinks:
    """The lids: quick down, closed for two to three frames, slower up."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._begin_s = -10.0
        self._next_s = float(rng.uniform(0.8, 3.0))

    def advance(
        self,
        now_s: float,
        *,
        speaking: float,
        shift: float,
        is_pause: bool,
        tempo: float = 1.0,
    ) -> None:
        """Step to a time; ``shift`` is the size of a gaze shift, ``is_pause`` a sentence's end."""
        rng = self._rng
        since_s = now_s - self._begin_s
        invited = (shift > _BLINK_AFTER_SHIFT and rng.random() < 0.4) or (
            is_pause and rng.random() < 0.6
        )
        if now_s >= self._next_s or (invited and since_s > 0.9):
            self._begin_s = now_s
            interval = float(np.clip(rng.lognormal(1.22, 0.5), 0.9, 9.0))
            if rng.random() < 0.07:
                interval = _CLOSING_S + _CLOSED_S + _OPENING_S + 0.08  # a double blink
            self._next_s = now_s + interval * (1.0 - 0.2 * speaking) / tempo

    def at(self, now_s: float) -> float:
        """How far the lids are closed, 0 to 1."""
        return pulse(now_s - self._begin_s, rise_s=_CLOSING_S, hold_s=_CLOSED_S, fall_s=_OPENING_S)


def lids_follow(yaw: float, pitch: float) -> dict[str, float]:
    """``eyeLook`` weights for a gaze relative to the head; yaw grows to the subject's left."""
    side, down = yaw / radians(30.0), pitch / radians(25.0)
    left, right = min(max(side, 0.0), 1.0), min(max(-side, 0.0), 1.0)
    return {
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
        "eyeLookInLeft": right,
        "eyeLookOutRight": right,
        "eyeLookDown": min(max(down, 0.0), 1.0),
        "eyeLookUp": min(max(-down, 0.0), 1.0),
    }
