"""Speech: sound with timed phonemes and words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One sound. ``symbol`` is IPA as the voice emits it (may carry length or stress marks);
    the empty string is silence. Times are seconds from the start of the utterance's audio.
    """

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word at playout: ``text[start:end]`` of the text as given, and when it sounds."""

    start: int
    end: int
    start_s: float


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of a voice's output, in order; a voice streams these.

    Attributes:
        pcm: int16 mono samples [S].
        sample_rate_hz: Of ``pcm``; constant within an utterance.
        start_s: Where ``pcm`` begins in the utterance.
        phonemes: Those that begin in this chunk, times relative to the utterance.
        words: Those that begin in this chunk.
        is_last: Nothing follows.
    """

    pcm: NDArray[np.int16]
    sample_rate_hz: int
    start_s: float
    phonemes: tuple[Phoneme, ...] = ()
    words: tuple[Word, ...] = ()
    is_last: bool = False
