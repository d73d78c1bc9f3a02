"""The gap between the lips, carried over exactly: what a viewer reads first on a driven face.

Two mouths with the same weights do not open equally far. The gap of a persona is linear in the
amounts of its modes, so the driver's gap in cm is met by the jaw, and a shut mouth is met by shut
lips.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import ARKIT_INDEX, HeadMaps
from avatar_engine.types.maps import PLAIN_MODES

INNER_LIPS = (13, 14)
"""Middles of the upper and lower inner lip among the landmarks."""

_SHUT_CM = 0.12  # the network sees so much of a gap between shut lips
_JAW, _CLOSE = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthClose"]
_LARGEST_STEP = 0.5  # of the jaw: a wrong landmark must not tear the mouth open


class LipGap:
    """How far one persona's lips are apart, and what to change to have them so far apart.

    Args:
        maps: The persona's head.
    """

    def __init__(self, maps: HeadMaps) -> None:
        pairs = len(maps.lip_upper)
        middle = slice(pairs // 3, max(pairs - pairs // 3, pairs // 3 + 1))
        upper, lower = maps.lip_upper[middle], maps.lip_lower[middle]
        still = maps.positions[upper, 1] - maps.positions[lower, 1]
        moved = maps.modes[:, upper, 1].astype(np.float64) - maps.modes[:, lower, 1]
        by_mode = moved.mean(1) * maps.mode_scales
        self._still = float(still.mean())
        self._moved, self._corrected = by_mode[:52], by_mode[PLAIN_MODES:]
        self._drivers = maps.drivers
        self._rest = np.asarray(maps.rest, np.float64)

    def of(
        self, blendshapes: NDArray[np.floating], corrections: NDArray[np.floating] | None = None
    ) -> float:
        """Mean gap of the lips' middle third, cm; below zero they overlap."""
        weights = self._weights(blendshapes)
        amounts = self._drivers.amounts(weights)
        if corrections is not None:
            amounts = amounts + corrections
        return self._still + float(self._moved @ weights + self._corrected @ amounts)

    def matched(
        self,
        blendshapes: NDArray[np.floating],
        wanted_cm: float,
        corrections: NDArray[np.floating] | None = None,
    ) -> NDArray[np.float64]:
        """Blendshapes [52] whose gap is the wanted one, the jaw moved as little as that takes."""
        weights = self._weights(blendshapes)
        if wanted_cm < _SHUT_CM:
            wanted_cm = min(0.0, self.of(np.zeros(52)))
        missing = wanted_cm - self.of(blendshapes, corrections)
        opening, closing = self._moved[_JAW], self._moved[_CLOSE]
        if missing > 0 and weights[_CLOSE] > 0 and closing < 0:
            # Lips that press are let go before the jaw drops farther.
            let_go = min(weights[_CLOSE], missing / -closing)
            weights[_CLOSE] -= let_go
            missing += let_go * closing
        step = float(np.clip(missing / max(opening, 1e-6), -_LARGEST_STEP, _LARGEST_STEP))
        before = weights[_JAW]
        weights[_JAW] = np.clip(before + step, 0.0, 1.0)
        missing -= (weights[_JAW] - before) * opening
        if missing < 0 and closing < 0:
            weights[_CLOSE] = min(1.0, weights[_CLOSE] + missing / closing)
        return weights - self._rest

    def _weights(self, blendshapes: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.clip(self._rest + np.asarray(blendshapes, np.float64), 0.0, 1.0)
