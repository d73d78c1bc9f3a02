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


HEARD_SOUNDS: tuple[str, ...] = (
    *("", "m", "f", "θ", "t", "l", "ɾ", "s", "ʃ", "ɹ", "k", "w", "j"),
    *("i", "e", "ɛ", "a", "ɑ", "ɔ", "o", "u", "y", "ə"),
)
"""The sounds an ear tells apart, each named by the IPA symbol whose mouth looks like it; the first
is silence. All languages share them: they are what lips and jaw show."""

HEARD_RATE_HZ = 100
"""Frames of :class:`Heard` in a second."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an ear made of a stretch of sound.

    Attributes:
        start_s: When its first frame begins in the utterance.
        shares: [T, 23] how sure the ear is of each of ``HEARD_SOUNDS``, rows sum to one; frame t
            stands for 10 ms.
    """

    start_s: float
    shares: NDArray[np.float32]


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
        heard: For sound whose phonemes nobody knows, what an ear heard; follows what the chunks
            before held, and reaches beyond ``pcm`` or behind it as the ear's delay has it.
    """

    pcm: NDArray[np.int16]
    sample_rate_hz: int
    start_s: float
    phonemes: tuple[Phoneme, ...] = ()
    words: tuple[Word, ...] = ()
    is_last: bool = False
    heard: Heard | None = None
