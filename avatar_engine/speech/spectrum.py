"""Sound as the ear sees it: loudness in 40 bands, a hundred times a second, made comparable.

Bands are relative to what the same voice, room and microphone sounded like lately, so that neither
a loud microphone nor a dull one changes what is heard. Causal, and independent of how the sound was
cut into pieces.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
HOP = 160
"""Samples between two frames: 10 ms."""

BANDS = 40
LEAD_S = 0.0075
"""A frame's window ends this long after the 10 ms it stands for."""

_WINDOW = 400  # 25 ms
_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
_FLOOR = 1e-7
_MEMORY_FRAMES = 300.0  # of the running mean, counted in frames with speech
_PRIOR_FRAMES = 30.0
_ACTIVE_BELOW_PEAK = 3.5  # natural log units under the lately loudest: a pause
_PEAK_DECAY = 0.0015  # log units in 10 ms
_SCALE = 2.5  # log units of a typical deviation
# The mean of active frames over many voices at full level, as a smooth curve; the running mean
# starts from it at the level of the first sounds.
_PRIOR_TILT = np.linspace(1.2, -2.2, BANDS).astype(np.float32)


class Spectrum:
    """Turns 16 kHz sound into frames of [41]: 40 normalised bands and the level."""

    def __init__(self) -> None:
        half = (_WINDOW - HOP) // 2
        self._pending = np.zeros(half, np.float32)
        self._mean = _PRIOR_TILT.copy()
        self._count = 0.0
        self._peak = -np.inf

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Frames [T, 41] that the samples [S] so far complete."""
        self._pending = np.concatenate([self._pending, samples])
        count = (len(self._pending) - _WINDOW) // HOP + 1
        if count <= 0:
            return np.zeros((0, BANDS + 1), np.float32)
        logs = log_bands(self._pending, count)
        self._pending = self._pending[count * HOP :]
        return self._normalised(logs)

    def flush(self) -> NDArray[np.float32]:
        """The rest, as if silence followed; then there is a frame for every 10 ms begun."""
        half = (_WINDOW - HOP) // 2
        left = len(self._pending) - half  # samples that no frame stands for yet
        frames = -(-max(left, 0) // HOP)
        padding = max(0, (frames - 1) * HOP + _WINDOW - len(self._pending))
        return (
            self.push(np.zeros(padding, np.float32))
            if frames
            else np.zeros((0, BANDS + 1), np.float32)
        )

    def _normalised(self, logs: NDArray[np.float32]) -> NDArray[np.float32]:
        levels = logs.max(axis=1)
        frames = np.empty((len(logs), BANDS + 1), np.float32)
        for t, (row, level) in enumerate(zip(logs, levels, strict=True)):
            self._peak = max(float(level), self._peak - _PEAK_DECAY)
            if level > self._peak - _ACTIVE_BELOW_PEAK and level > -8.0:
                if self._count == 0.0:
                    self._mean = _PRIOR_TILT + float(row.mean())
                    self._count = _PRIOR_FRAMES
                self._count = min(self._count + 1.0, _MEMORY_FRAMES)
                self._mean += (row - self._mean) / np.float32(self._count)
            frames[t, :BANDS] = row - self._mean
            frames[t, BANDS] = level - self._peak
        frames[:, BANDS] *= 0.5
        return np.clip(frames / _SCALE, -4.0, 3.0, out=frames)


def log_bands(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Natural log of the power in each band of ``count`` windows [count, 40]."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::HOP][:count]
    spectrum = np.fft.rfft(windows * _hann(), _FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.log(power @ _mel() + np.float32(_FLOOR)).astype(np.float32)


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float32]:
    return np.hanning(_WINDOW).astype(np.float32)


@lru_cache(maxsize=1)
def _mel() -> NDArray[np.float32]:
    """Triangles evenly spaced on the mel scale [257, 40], each with unit sum."""

    def mel(hz: float) -> float:
        return float(2595.0 * np.log10(1.0 + hz / 700.0))

    edges_mel = np.linspace(mel(_LOWEST_HZ), mel(_HIGHEST_HZ), BANDS + 2)
    edges = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    hz = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)[:, None]
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(rising, falling), 0.0, None)
    return (triangles / np.maximum(triangles.sum(axis=0), 1e-9)).astype(np.float32)
