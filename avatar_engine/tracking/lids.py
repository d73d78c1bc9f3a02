"""Blinks from the gap between the lids, against how wide this driver's eyes stand open."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

_MEMORY = 250  # pictures: ten seconds
_USUAL_GAP = 0.36  # over the eye's width, before the driver is known
_NARROWEST_GAP = 0.15  # whoever begins with shut eyes has not shown an open one
_OPEN_SHARE, _CLOSED_SHARE = 0.88, 0.34  # of the usual gap; the network sees a slit in a shut eye


class LidGauge:
    """How far each eye is closed, in [0, 1].

    The driver's open eye is the upper part of what was seen lately, so that narrow eyes are no
    blink and a long look down is forgiven.
    """

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_MEMORY)
        self._usual = _USUAL_GAP
        self._count = 0

    def closed(self, openness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share [2] by which the subject's left and right eye are closed.

        Args:
            openness: [2] lid gap over eye width.
        """
        self._gaps.append(float(openness.mean()))
        self._count += 1
        if self._count <= 25 or self._count % 10 == 0:
            seen = float(np.percentile(self._gaps, 75))
            trust = min(1.0, len(self._gaps) / 5)
            self._usual = max(_USUAL_GAP + trust * (seen - _USUAL_GAP), _NARROWEST_GAP)
        share = openness / self._usual
        return np.clip((_OPEN_SHARE - share) / (_OPEN_SHARE - _CLOSED_SHARE), 0.0, 1.0)

    def reset(self) -> None:
        """Forget the driver."""
        self._gaps.clear()
        self._usual, self._count = _USUAL_GAP, 0
