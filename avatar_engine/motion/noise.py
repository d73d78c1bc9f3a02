"""Smooth aperiodic wandering, drawn lazily from a seed: the stuff of a head that is never still."""

import numpy as np
from numpy.random import Generator


class Wander:
    """A smooth random curve with no period.

    Knots at irregular intervals are joined by cubic Hermite pieces with zero slope, which is how a
    neck moves: from one comfortable place to the next, easing in and out. Values before scaling
    are normally distributed with unit deviation, cut at two.

    Args:
        rng: Its own generator; the curve depends on nothing else.
        interval_s: Shortest and longest time between knots.
    """

    def __init__(self, rng: Generator, interval_s: tuple[float, float]) -> None:
        self._rng = rng
        self._interval_s = interval_s
        self._from, self._to = 0.0, self._draw()
        self._begin, self._end = 0.0, rng.uniform(*interval_s)

    def at(self, time_s: float) -> float:
        """The value at a time not before the last one asked for."""
        while time_s >= self._end:
            self._from, self._to = self._to, self._draw()
            self._begin, self._end = self._end, self._end + self._rng.uniform(*self._interval_s)
        share = (time_s - self._begin) / (self._end - self._begin)
        return self._from + (self._to - self._from) * eased(share)

    def _draw(self) -> float:
        return float(np.clip(self._rng.standard_normal(), -2.0, 2.0))


def eased(share: float) -> float:
    """Minimum-jerk easing of [0, 1] onto [0, 1]; constant outside."""
    x = min(max(share, 0.0), 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def pulse(time_s: float, *, rise_s: float, hold_s: float, fall_s: float) -> float:
    """0, up to 1 within ``rise_s`` of time 0, held, and back down: the shape of every gesture."""
    if time_s <= 0.0 or time_s >= rise_s + hold_s + fall_s:
        return 0.0
    if time_s < rise_s:
        return eased(time_s / rise_s)
    return 1.0 - eased((time_s - rise_s - hold_s) / fall_s)
