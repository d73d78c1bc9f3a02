"""Streaming change of sample rate by a polyphase filter that carries its state over chunks."""

from functools import lru_cache
from math import gcd
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

OUTPUT_RATE_HZ = 48_000
"""What every voice gives out."""

_TAPS_PER_PHASE = 32
_KAISER_BETA = 8.6  # about 86 dB of stop band
_PASS_BAND = 0.92  # of the lower Nyquist frequency


Samples = TypeVar("Samples", NDArray[np.int16], NDArray[np.float32])
"""Mono sound [S]: int16, or float32 in [-1, 1]."""


class Resampler(Generic[Samples]):
    """Mono samples at one rate in, the same sound at another rate out, int16 or float32 as given.

    Output sample n sounds at n / rate_out_hz seconds of the input, exactly: the filter's delay is
    taken out, so events timed on the input stay in time. Chunk borders leave no trace: any way of
    cutting the input gives the same output.
    """

    def __init__(self, rate_in_hz: int, rate_out_hz: int = OUTPUT_RATE_HZ) -> None:
        if rate_in_hz <= 0 or rate_out_hz <= 0:
            raise ValueError(f"sample rates must be positive: {rate_in_hz}, {rate_out_hz}")
        common = gcd(rate_in_hz, rate_out_hz)
        self._up: int = rate_out_hz // common
        self._down: int = rate_in_hz // common
        self._filter = _phases(self._up, self._down)  # [up, taps]
        taps = self._filter.shape[1]
        # Half a filter of silence before the start makes output 0 the sound at time 0.
        self._pending = np.zeros(taps // 2 - 1, np.float32)
        self._next_output = 0
        self._first_input = -(taps // 2 - 1)  # index of pending[0]
        self._received = 0
        self._dtype: np.dtype = np.dtype(np.float32)

    def push(self, samples: Samples) -> Samples:
        """All output [S_out] that the input so far determines."""
        self._dtype = samples.dtype
        if self._up == self._down:
            return samples
        self._received += len(samples)
        self._pending = np.concatenate([self._pending, samples.astype(np.float32, copy=False)])
        return self._produce(limit=None)

    def flush(self) -> Samples:
        """The rest, as if silence followed; the output then lasts exactly as long as the input."""
        total = -(-self._received * self._up // self._down)
        taps = self._filter.shape[1]
        self._pending = np.concatenate([self._pending, np.zeros(taps, np.float32)])
        return self._produce(limit=total)

    def _produce(self, limit: int | None) -> Samples:
        taps = self._filter.shape[1]
        # Output n needs inputs base-taps/2+1 .. base+taps/2 with base = n * down // up.
        last_base = self._first_input + len(self._pending) - 1 - taps // 2
        end = max(self._next_output, -(-(last_base + 1) * self._up // self._down))
        if limit is not None:
            end = min(end, limit)
        n = np.arange(self._next_output, end, dtype=np.int64)
        if len(n) == 0:
            return self._as_given(np.zeros(0, np.float32))
        base, phase = np.divmod(n * self._down, self._up)
        first = (base - taps // 2 + 1) - self._first_input
        windows = np.lib.stride_tricks.sliding_window_view(self._pending, taps)
        output = np.einsum("nt,nt->n", windows[first], self._filter[phase])
        self._next_output = int(end)
        keep = (int(end) * self._down) // self._up - taps // 2 + 1 - self._first_input
        keep = min(max(keep, 0), len(self._pending))
        self._pending = self._pending[keep:].copy()
        self._first_input += keep
        return self._as_given(output)

    def _as_given(self, output: NDArray[np.float32]) -> Samples:
        if self._dtype == np.int16:
            output = np.clip(np.round(output), -32768, 32767)
        result: Samples = output.astype(self._dtype, copy=False)
        return result


def resample(samples: Samples, rate_in_hz: int, rate_out_hz: int = OUTPUT_RATE_HZ) -> Samples:
    """A whole signal [S] at once."""
    resampler: Resampler[Samples] = Resampler(rate_in_hz, rate_out_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


@lru_cache(maxsize=4)
def _phases(up: int, down: int) -> NDArray[np.float32]:
    """The prototype low-pass, cut into its phases [up, taps]; each has gain 1 at frequency 0."""
    # When the rate falls, the filter is longer, so that its edge stays as steep.
    taps = 2 * int(np.ceil(_TAPS_PER_PHASE / 2 * max(1.0, down / up)))
    cutoff = _PASS_BAND * min(1.0, up / down)  # of the input's Nyquist frequency
    offsets = np.arange(taps) - (taps // 2 - 1)
    distance = np.arange(up)[:, None] / up - offsets[None, :]  # in input samples
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / (taps / 2)) ** 2, 0, 1)))
    phases = np.sinc(cutoff * distance) * window
    phases /= phases.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(phases, np.float32)
