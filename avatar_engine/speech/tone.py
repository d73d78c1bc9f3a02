"""A gentle sound engineer: rumble out, a little warmth in, less rasp, and nothing ever clips."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_TAPS = 257
# Frequency in Hz, gain in dB; espeak's buzz sits at 2.5-5 kHz, its hum under the voice's pitch.
_CURVE = (
    (0, -60.0),
    (40, -30.0),
    (80, -3.0),
    (160, 1.0),
    (300, 1.5),
    (700, 0.0),
    (1800, 0.0),
    (3000, -3.5),
    (4500, -3.5),
    (6500, -1.0),
    (20000, -2.0),
)
_KNEE = 0.5
_CEILING = 0.94  # -0.5 dBFS: room for the lossy codec behind


class Tone:
    """A linear-phase equaliser and a soft limiter over a stream; adds no delay.

    Output sample n belongs to input sample n: the half filter of look-ahead is held back until
    more input, or ``flush``, provides it.
    """

    def __init__(self, rate_hz: int, *, gain_db: float = 0.0) -> None:
        self._filter = _equaliser(rate_hz) * np.float32(10 ** (gain_db / 20))
        self._pending = np.zeros(_TAPS // 2, np.float32)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """All output that the input so far determines."""
        self._pending = np.concatenate([self._pending, samples])
        if len(self._pending) < _TAPS:
            return np.zeros(0, np.float32)
        output = np.convolve(self._pending, self._filter, mode="valid")
        self._pending = self._pending[len(output) :].copy()
        return limited(output)

    def flush(self) -> NDArray[np.float32]:
        """The rest; afterwards as many samples came out as went in."""
        return self.push(np.zeros(_TAPS // 2, np.float32))


def limited(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples unchanged up to half scale, bent smoothly below -0.5 dBFS above it."""
    size = np.abs(samples)
    room = _CEILING - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    result = np.where(size > _KNEE, np.copysign(bent, samples), samples)
    return result.astype(np.float32, copy=False)


@lru_cache(maxsize=8)
def _equaliser(rate_hz: int) -> NDArray[np.float32]:
    """A symmetric FIR of the curve by frequency sampling and a Hann window [taps]."""
    bins = np.fft.rfftfreq(4096, 1 / rate_hz)
    frequencies, gains = zip(*_CURVE, strict=True)
    response = 10 ** (np.interp(bins, frequencies, gains) / 20)
    impulse = np.roll(np.fft.irfft(response), _TAPS // 2)[:_TAPS]
    return (impulse * np.hanning(_TAPS + 2)[1:-1]).astype(np.float32)
