"""From a voice's raw sound and events to SpeechChunks at 48 kHz with finished phonemes."""

from collections import deque
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from avatar_engine.speech.resample import OUTPUT_RATE_HZ, Resampler
from avatar_engine.speech.tone import Tone
from avatar_engine.types.speech import Phoneme, SpeechChunk, Word

CHUNK_SAMPLES = 1_920
"""40 ms at 48 kHz, one video frame at 25 fps."""


_Timed = TypeVar("_Timed", Phoneme, Word)


class ChunkAssembler:
    """Collects sound and timed events of one utterance and gives out chunks as they are complete.

    A chunk is complete when its samples are there and every phoneme that begins in it has an end,
    which is the beginning of the next one. Times given to ``add_*`` are seconds into the utterance.
    """

    def __init__(self, rate_in_hz: int, *, tone: Tone) -> None:
        self._rate_in_hz = rate_in_hz
        self._received = 0
        self._tone = tone
        self._resampler: Resampler[NDArray[np.float32]] = Resampler(rate_in_hz)
        self._ready = np.zeros(0, np.float32)
        self._emitted = 0
        self._open: tuple[str, float] | None = None
        self._phonemes: deque[Phoneme] = deque()
        self._words: deque[Word] = deque()
        self._last_span = (-1, -1)

    @property
    def received_s(self) -> float:
        """How much sound has been added."""
        return self._received / self._rate_in_hz

    def add_sound(self, samples: NDArray[np.float32]) -> None:
        """Samples [S] in [-1, 1] that follow those before."""
        self._received += len(samples)
        self._keep(self._resampler.push(self._tone.push(samples)))

    def add_phoneme(self, symbol: str, start_s: float) -> None:
        """A phoneme (or, empty, a silence) begins; the one before ends."""
        self.end_phoneme(start_s)
        self._open = (symbol, start_s)

    def end_phoneme(self, end_s: float) -> None:
        """The last phoneme ends with nothing known to follow."""
        if self._open is not None:
            symbol, start_s = self._open
            if end_s > start_s:
                self._phonemes.append(Phoneme(symbol, start_s, end_s))
            self._open = None

    def add_word(self, start: int, end: int, start_s: float) -> None:
        """A word of the original text begins; further words for the same span are one with it."""
        if (start, end) != self._last_span and end > start:
            self._words.append(Word(start, end, start_s))
            self._last_span = (start, end)

    def complete(self) -> Iterator[SpeechChunk]:
        """Chunks that are complete by now."""
        while len(self._ready) >= CHUNK_SAMPLES:
            end_s = (self._emitted + CHUNK_SAMPLES) / OUTPUT_RATE_HZ
            known_s = self._open[1] if self._open else self.received_s
            if known_s < end_s:
                return
            yield self._cut(CHUNK_SAMPLES, is_last=False)

    def finish(self) -> Iterator[SpeechChunk]:
        """The rest; the last chunk says so."""
        self._keep(self._resampler.push(self._tone.flush()))
        self._keep(self._resampler.flush())
        if self._received == 0:
            return
        self.end_phoneme(self.received_s)
        while len(self._ready) > CHUNK_SAMPLES:
            yield self._cut(CHUNK_SAMPLES, is_last=False)
        yield self._cut(len(self._ready), is_last=True)

    def _keep(self, samples: NDArray[np.float32]) -> None:
        self._ready = np.concatenate([self._ready, samples])

    def _cut(self, count: int, *, is_last: bool) -> SpeechChunk:
        start_s = self._emitted / OUTPUT_RATE_HZ
        self._emitted += count
        end_s = np.inf if is_last else self._emitted / OUTPUT_RATE_HZ
        pcm = np.round(np.clip(self._ready[:count], -1.0, 1.0) * 32767.0).astype(np.int16)
        self._ready = self._ready[count:]
        return SpeechChunk(
            pcm,
            OUTPUT_RATE_HZ,
            start_s,
            phonemes=_taken(self._phonemes, end_s),
            words=_taken(self._words, end_s),
            is_last=is_last,
        )


def _taken(waiting: deque[_Timed], end_s: float) -> tuple[_Timed, ...]:
    taken = []
    while waiting and waiting[0].start_s < end_s:
        taken.append(waiting.popleft())
    return tuple(taken)
