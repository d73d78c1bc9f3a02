"""A voice from elsewhere, and the embedded one behind it: the show goes on, whoever fails."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from avatar_engine.errors import VoiceError
from avatar_engine.speech import Voice
from avatar_engine.types import SpeechChunk, Word
from sdk.live.voices.fetching import RemoteError

log = logging.getLogger(__name__)

RETRY_S = 20.0
"""After a failure the embedded voice speaks alone this long, unless the server asks for longer."""


class FallbackVoice:
    """Speaks with the first voice while it works; a line it drops is finished by the second.

    One warning is logged when the first voice fails, and the next only after it worked again.

    Args:
        first: The wanted voice; closed by this one.
        second: The embedded voice; likewise.
        now: A clock.
    """

    def __init__(
        self, first: Voice, second: Voice, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = first.name
        self.language = first.language
        self._first = first
        self._second = second
        self._now = now
        self._silent_until = float("-inf")
        self._was_told = False

    @property
    def is_fallen_back(self) -> bool:
        """The second voice would speak the next line."""
        return self._now() < self._silent_until

    def prepare(self, text: str) -> None:
        """See :meth:`RemoteVoice.prepare`."""
        prepare = getattr(self._first, "prepare", None)
        if prepare is not None and not self.is_fallen_back:
            prepare(text)

    def speak(self, text: str) -> Iterator[SpeechChunk]:
        """See :meth:`avatar_engine.speech.Voice.speak`."""
        if self.is_fallen_back:
            yield from self._second.speak(text)
            return
        sounded_s, said_to = 0.0, 0
        try:
            for chunk in self._first.speak(text):
                yield chunk
                sounded_s = max(sounded_s, chunk.start_s + len(chunk.pcm) / chunk.sample_rate_hz)
                said_to = chunk.words[-1].end if chunk.words else said_to
            self._was_told = False
            return
        except VoiceError as error:
            self._note(error)
        # From the word after the last one that began, without the comma before it.
        said_to += next((i for i, c in enumerate(text[said_to:]) if c.isalnum()), 0)
        for chunk in self._second.speak(text[said_to:]):
            yield _moved(chunk, sounded_s, said_to)

    def close(self) -> None:
        """Close both."""
        self._first.close()
        self._second.close()

    def _note(self, error: VoiceError) -> None:
        wait_s = RETRY_S
        if isinstance(error, RemoteError):
            wait_s = float("inf") if error.is_final else max(RETRY_S, error.retry_after_s)
        self._silent_until = self._now() + wait_s
        if not self._was_told:
            self._was_told = True
            log.warning(
                "the embedded voice speaks instead",
                extra={"voice": self.name, "reason": str(error)},
            )


def _moved(chunk: SpeechChunk, by_s: float, by: int) -> SpeechChunk:
    """A chunk of the rest of a line, at its place in the whole line."""
    phonemes = tuple(
        replace(p, start_s=p.start_s + by_s, end_s=p.end_s + by_s) for p in chunk.phonemes
    )
    words = tuple(Word(w.start + by, w.end + by, w.start_s + by_s) for w in chunk.words)
    return replace(chunk, start_s=chunk.start_s + by_s, phonemes=phonemes, words=words)
