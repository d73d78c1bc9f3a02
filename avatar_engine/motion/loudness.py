"""How loud speech is, moment by moment, independent of how its samples were delivered."""

import numpy as np
from numpy.typing import NDArray

_BLOCK_S = 0.01
_FLOOR_DB = -60.0


class LoudnessTrack:
    """Level in decibels of full scale, one value for each 10 ms of an utterance."""

    def __init__(self) -> None:
        self._levels: list[float] = []
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)

    def feed(self, pcm: NDArray[np.int16], sample_rate_hz: int) -> None:
        """Samples that follow those before."""
        block = round(_BLOCK_S * sample_rate_hz)
        samples = np.concatenate([self._rest, pcm.astype(np.float32) / 32768.0])
        count = len(samples) // block
        if count:
            blocks = samples[: count * block].reshape(count, block)
            power = np.maximum((blocks**2).mean(axis=1), 10 ** (_FLOOR_DB / 10))
            self._levels.extend((10.0 * np.log10(power)).tolist())
        self._rest = samples[count * block :]

    def relative(self, time_s: float) -> float:
        """Level around a time (50 ms either side) against the 2 s before it, in dB; 0 unknown."""
        middle = round(time_s / _BLOCK_S)
        near = self._levels[max(0, middle - 5) : max(0, middle + 6)]
        past = [v for v in self._levels[max(0, middle - 200) : max(0, middle)] if v > -45.0]
        if len(near) < 3 or len(past) < 30:
            return 0.0
        return float(np.mean(near) - np.mean(past))
