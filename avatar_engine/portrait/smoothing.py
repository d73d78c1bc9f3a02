"""Landmarks in motion: still when the face is still, prompt when it moves."""

import numpy as np
from numpy.typing import NDArray


class LandmarkSmoother:
    """The one-euro filter (Casiez, Roussel, Vogel 2012) over all landmarks of one face.

    A low-pass filter whose cutoff rises with speed. Speed is measured in face sizes, so that a
    near face and a far one are treated alike.

    Args:
        least_cutoff_hz: Of a face that is still; lower is calmer.
        speed_gain: Hz of cutoff per face size per second; higher lags less.
        speed_cutoff_hz: Of the speed's own low-pass.
    """

    def __init__(
        self,
        *,
        least_cutoff_hz: float = 1.5,
        speed_gain: float = 20.0,
        speed_cutoff_hz: float = 1.0,
    ) -> None:
        self._least_cutoff_hz = least_cutoff_hz
        self._speed_gain = speed_gain
        self._speed_cutoff_hz = speed_cutoff_hz
        self._points: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None
        self._time_s = 0.0

    def smooth(self, points: NDArray[np.floating], time_s: float) -> NDArray[np.float64]:
        """The landmarks as they should be shown.

        Args:
            points: [P, D] as found, pixels.
            time_s: When; must rise from call to call, else the filter starts anew.

        Returns:
            [P, D] smoothed.
        """
        step_s = time_s - self._time_s
        self._time_s = time_s
        if self._points is None or self._speed is None or step_s <= 0:
            self._points = np.array(points, np.float64)
            self._speed = np.zeros_like(self._points)
            return self._points.copy()
        size = max(float(np.ptp(points[:, :2], axis=0).max()), 1e-6)
        speed = (points - self._points) / (step_s * size)
        self._speed += _gain(self._speed_cutoff_hz, step_s) * (speed - self._speed)
        cutoff_hz = self._least_cutoff_hz + self._speed_gain * np.abs(self._speed)
        self._points += _gain(cutoff_hz, step_s) * (points - self._points)
        return self._points.copy()

    def reset(self) -> None:
        """Forget the face: another one, or a cut."""
        self._points = self._speed = None


def _gain(cutoff_hz: float | NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    """Share of the new value in a first-order low-pass."""
    turn = 2 * np.pi * np.asarray(cutoff_hz) * step_s
    return turn / (turn + 1)
