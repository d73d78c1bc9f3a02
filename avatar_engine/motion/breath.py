"""Breathing: each breath with its own length and depth."""

import numpy as np
from numpy.random import Generator

from avatar_engine.motion.noise import eased


class Breath:
    """The state of a chest, about -1 (empty) to 1 (full)."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._begin_s = 0.0
        self._length_s = 4.2
        self._depth = 1.0

    def at(self, now_s: float) -> float:
        """The state of the chest at a time not before the last one asked for."""
        while now_s >= self._begin_s + self._length_s:
            self._begin_s += self._length_s
            self._length_s = float(np.clip(self._rng.normal(4.2, 0.5), 3.0, 5.6))
            self._depth = float(np.clip(self._rng.normal(1.0, 0.18), 0.5, 1.4))
        share = (now_s - self._begin_s) / self._length_s
        # In within two fifths, out in the rest, a breath always begins and ends empty.
        lift = eased(share / 0.4) if share < 0.4 else 1.0 - eased((share - 0.4) / 0.55)
        return 2.0 * self._depth * lift - 1.0
