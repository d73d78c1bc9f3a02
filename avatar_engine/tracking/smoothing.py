"""Fitted parameters in motion: calm when the face is still, prompt when it moves.

Not the landmarks are filtered but what they were explained by: lids and lips may then stay as
quick as they are while the head's pose, whose noise everybody sees, is held steady.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import ARKIT

_SPEED_CUTOFF_HZ = 2.0

# Least cutoff (Hz) by the beginning of the weight's name: lids and lips must not lag.
_CUTOFFS_HZ = {"eye": 9.0, "jaw": 6.0, "mouth": 5.0, "tongue": 6.0, "brow": 2.5, "": 3.0}
EXPRESSION_CUTOFF_HZ = np.array(
    [next(hz for start, hz in _CUTOFFS_HZ.items() if name.startswith(start)) for name in ARKIT]
)
EXPRESSION_GAIN = 14.0
"""Hz of cutoff per unit of weight per second."""

POSE_CUTOFF_HZ, POSE_GAIN = 1.6, 26.0
"""Of turns in rad (and shifts in tenths of a face)."""

GAZE_CUTOFF_HZ, GAZE_GAIN = 3.0, 30.0

CORRECTION_CUTOFF_HZ, CORRECTION_GAIN = 4.0, 8.0
"""Of corrective modes, which follow lips but take up every landmark's noise."""


class OneEuro:
    """The one-euro filter (Casiez, Roussel, Vogel 2012) over a vector of parameters.

    Args:
        cutoff_hz: Of parameters that are still, [P] or one for all.
        gain: Hz of cutoff per unit of a parameter per second.
    """

    def __init__(self, cutoff_hz: NDArray[np.float64] | float, gain: float) -> None:
        self._cutoff_hz = cutoff_hz
        self._gain = gain
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | float = 0.0
        self._time_s = 0.0

    def smooth(self, value: NDArray[np.float64], time_s: float) -> NDArray[np.float64]:
        """The parameters [P] as they should be used; time that does not rise starts anew."""
        step_s = time_s - self._time_s
        self._time_s = time_s
        if self._value is None or step_s <= 0:
            self._value, self._speed = value.astype(np.float64), 0.0
            return self._value.copy()
        speed = (value - self._value) / step_s
        self._speed = self._speed + _share(_SPEED_CUTOFF_HZ, step_s) * (speed - self._speed)
        cutoff_hz = self._cutoff_hz + self._gain * np.abs(self._speed)
        self._value = self._value + _share(cutoff_hz, step_s) * (value - self._value)
        return self._value.copy()

    def reset(self) -> None:
        """Forget: what comes next is not a continuation."""
        self._value = None


def _share(cutoff_hz: NDArray[np.float64] | float, step_s: float) -> NDArray[np.float64]:
    turn = 2 * np.pi * np.asarray(cutoff_hz) * step_s
    return turn / (turn + 1)
