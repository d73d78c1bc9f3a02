"""How excited speech sounds: its loudness and pitch against what the same voice did lately."""

import numpy as np
from numpy.typing import NDArray

_RATE_HZ = 8_000
_FRAME_S = 0.02
_WINDOW = 400  # 50 ms: two periods of the deepest voice
_LOWEST_HZ, _HIGHEST_HZ = 70.0, 420.0
_VOICED = 0.5
_QUIET_DB = -46.0
_MEMORY_S = 6.0
_SMOOTH_S = 0.35


class ProsodyTrack:
    """Arousal of an utterance, -1 (flat and soft) to 1 (loud and high), one value per 20 ms.

    Whatever way the sound was cut gives the same values.
    """

    def __init__(self) -> None:
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)
        self._window: NDArray[np.float32] = np.zeros(_WINDOW, np.float32)
        self._arousal: list[float] = []
        self._pitch_mean, self._pitch_weight = 0.0, 0.0
        self._level_mean, self._level_weight = 0.0, 0.0
        self._value = 0.0

    def feed(self, pcm: NDArray[np.int16], sample_rate_hz: int) -> None:
        """Samples that follow those before."""
        step = max(1, round(sample_rate_hz / _RATE_HZ))
        rate = sample_rate_hz / step
        block = round(_FRAME_S * rate) * step
        samples = np.concatenate([self._rest, pcm.astype(np.float32) / 32768.0])
        count = len(samples) // block
        for i in range(count):
            piece = samples[i * block : (i + 1) * block].reshape(-1, step).mean(axis=1)
            self._window = np.concatenate([self._window[len(piece) :], piece])
            self._arousal.append(self._next(piece, rate))
        self._rest = samples[count * block :]

    def arousal(self, time_s: float) -> float:
        """The value at a time; the last one known after what was fed, 0 before anything."""
        if not self._arousal or time_s < 0.0:
            return 0.0
        return self._arousal[min(int(time_s / _FRAME_S), len(self._arousal) - 1)]

    def _next(self, piece: NDArray[np.float32], rate: float) -> float:
        level = 10.0 * np.log10(float((piece**2).mean()) + 1e-9)
        wanted = 0.0
        if level > _QUIET_DB:
            keep = 1.0 - _FRAME_S / _MEMORY_S
            self._level_weight = self._level_weight * keep + 1.0
            self._level_mean += (level - self._level_mean) / self._level_weight
            wanted = 0.09 * (level - self._level_mean)
            pitch = _pitch(self._window, rate)
            if pitch > 0.0:
                height = 12.0 * np.log2(pitch / 100.0)  # semitones
                self._pitch_weight = self._pitch_weight * keep + 1.0
                self._pitch_mean += (height - self._pitch_mean) / self._pitch_weight
                wanted += 0.16 * (height - self._pitch_mean)
            # With little to compare with, nothing is known yet.
            wanted *= min(1.0, self._level_weight / 25.0)
        self._value += (float(np.clip(wanted, -1.5, 1.5)) - self._value) * _FRAME_S / _SMOOTH_S
        return float(np.clip(self._value, -1.0, 1.0))


def _pitch(window: NDArray[np.float32], rate: float) -> float:
    """Hz by autocorrelation; 0 where there is none."""
    centred = window - window.mean()
    power = np.fft.rfft(centred, 1024)
    correlation = np.fft.irfft(power.real**2 + power.imag**2)
    low, high = int(rate / _HIGHEST_HZ), int(rate / _LOWEST_HZ) + 1
    shrink = 1.0 - np.arange(low, high) / len(window)
    curve = correlation[low:high] / (correlation[0] + 1e-9) / shrink
    best = int(curve.argmax())
    return rate / (low + best) if curve[best] > _VOICED else 0.0
