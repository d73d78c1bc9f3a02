"""Sound that somebody else makes, as a voice's chunks: levelled, heard, its words laid along it.

The embedded voice reads the same text silently. Its words, stretched to the length of the sound,
say when each word is heard to within about a tenth of a second; the lips do not depend on it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.speech.alignment import AlignedText
from avatar_engine.speech.assembly import CHUNK_SAMPLES
from avatar_engine.speech.ear import Ear
from avatar_engine.speech.resample import OUTPUT_RATE_HZ, Resampler
from avatar_engine.speech.tone import limited
from avatar_engine.speech.voice import Voice
from avatar_engine.types.speech import Heard, Phoneme, SpeechChunk, Word

_LEVEL_RMS = 10 ** (-16.0 / 20)  # of active speech: about -19 LUFS, as the embedded voice has it
_ACTIVE = 0.003
_LOUDEST_GAIN = 20.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the embedded voice would say: its words and its length."""

    words: tuple[Word, ...]
    phonemes: tuple[Phoneme, ...]
    length_s: float


def read_silently(reader: Voice, text: str) -> Reading:
    """Let a voice read a text and keep only when it says what."""
    words: list[Word] = []
    phonemes: list[Phoneme] = []
    length_s = 0.0
    for chunk in reader.speak(text):
        words += chunk.words
        phonemes += chunk.phonemes
        length_s = chunk.start_s + len(chunk.pcm) / chunk.sample_rate_hz
    return Reading(tuple(words), tuple(phonemes), length_s)


def in_original(words: tuple[Word, ...], text: AlignedText) -> tuple[Word, ...]:
    """Words of a rewritten text as spans of the original; several for one span are one."""
    found: list[Word] = []
    for word in words:
        start, end = text.span(word.start, word.end)
        if not found or (start, end) != (found[-1].start, found[-1].end):
            found.append(Word(start, end, word.start_s))
    return tuple(found)


class Dubbing:
    """Makes chunks of one utterance out of sound that arrives in pieces.

    Args:
        rate_in_hz: Of the sound.
        reading: Of the text it says.
        pace: Seconds of this voice for each second of the reading, as far as is known.
    """

    def __init__(self, rate_in_hz: int, reading: Reading, *, pace: float = 1.0) -> None:
        self._resampler: Resampler[NDArray[np.float32]] = Resampler(rate_in_hz)
        self._ear = Ear(OUTPUT_RATE_HZ)
        self._words = deque(reading.words)
        self._reading_s = reading.length_s
        self._pace = pace
        self._ready = np.zeros(0, np.float32)
        self._received = 0
        self._emitted = 0
        self._gain = 1.0
        self._level = 0.0
        self._loud_s = 0.0

    @property
    def received_s(self) -> float:
        """Sound so far."""
        return self._received / OUTPUT_RATE_HZ

    @property
    def emitted_s(self) -> float:
        """Sound given out so far."""
        return self._emitted / OUTPUT_RATE_HZ

    def add_sound(self, samples: NDArray[np.float32]) -> Iterator[SpeechChunk]:
        """Samples [S] in [-1, 1] that follow those before; the chunks they complete."""
        self._keep(self._resampler.push(samples))
        # The last piece waits for the end, so that whoever comes last can say so.
        while len(self._ready) > CHUNK_SAMPLES:
            yield self._cut(CHUNK_SAMPLES, is_last=False)

    def finish(self) -> Iterator[SpeechChunk]:
        """The rest; the last chunk says so. Nothing where no sound came."""
        self._keep(self._resampler.flush())
        if self._received == 0:
            return
        if self._reading_s > 0:
            self._pace = self.received_s / self._reading_s
        while len(self._ready) > CHUNK_SAMPLES:
            yield self._cut(CHUNK_SAMPLES, is_last=False)
        yield self._cut(len(self._ready), is_last=True)

    def pace(self) -> float:
        """Seconds of sound for each second of the reading; useful once it is finished."""
        return self._pace

    def _keep(self, samples: NDArray[np.float32]) -> None:
        self._received += len(samples)
        self._ready = np.concatenate([self._ready, self._levelled(samples)])

    def _levelled(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """At the loudness of the embedded voice, slowly followed, never clipped."""
        active = samples[np.abs(samples) > _ACTIVE]
        if len(active) > 480:
            rms = float(np.sqrt((active**2).mean()))
            weight = min(len(active) / OUTPUT_RATE_HZ, 0.5)
            self._loud_s += weight
            self._level += (rms - self._level) * weight / min(self._loud_s, 3.0)
            self._gain = float(np.clip(_LEVEL_RMS / self._level, 0.1, _LOUDEST_GAIN))
        return limited(samples * np.float32(self._gain))

    def _cut(self, count: int, *, is_last: bool) -> SpeechChunk:
        start_s = self.emitted_s
        pcm = np.round(np.clip(self._ready[:count], -1.0, 1.0) * 32767.0).astype(np.int16)
        self._ready = self._ready[count:]
        self._emitted += count
        heard = self._ear.push(pcm)
        if is_last:
            rest = self._ear.flush()
            heard = Heard(heard.start_s, np.concatenate([heard.shares, rest.shares]))
        words = []
        while self._words and (is_last or self._words[0].start_s * self._pace < self.emitted_s):
            word = self._words.popleft()
            words.append(Word(word.start, word.end, max(start_s, word.start_s * self._pace)))
        return SpeechChunk(
            pcm, OUTPUT_RATE_HZ, start_s, words=tuple(words), is_last=is_last, heard=heard
        )
