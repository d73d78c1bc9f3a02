"""The handle of something said: wait until it was heard, ask how far it came."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sdk.session.sentences import Sentence, split_sentences
from sdk.types.session import Asker, Utterance


@dataclass(slots=True)
class Progress:
    """How far a speech was heard; the director's bookkeeping.

    Attributes:
        cursor: Index of the next sentence to hand to the voice.
        heard_s: Seconds of finished or cut sentences.
        started_at: Clock when the sentence being heard began; None between sentences.
        heard_to: Characters of the text up to the end of the last word that sounded.
    """

    cursor: int = 0
    heard_s: float = 0.0
    started_at: float | None = None
    heard_to: int = 0


@dataclass(eq=False, slots=True)
class Speech:
    """An utterance on its way to being heard. ``say`` returns it; the event loop owns it.

    Attributes:
        speech_id: Unique within the session.
        utterance: What was asked for.
        sentences: The places where it may be cut and resumed.
        askers: The viewers it answers; more than one after duplicate questions merged.
        interrupted: It ended before its last word was heard.
    """

    speech_id: int
    utterance: Utterance
    clock_now: Callable[[], float]
    sentences: tuple[Sentence, ...] = field(init=False)
    askers: list[Asker] = field(init=False)
    interrupted: bool = False
    progress: Progress = field(default_factory=Progress)
    _is_over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.sentences = split_sentences(self.utterance.text)
        self.askers = [self.utterance.asker] if self.utterance.asker else []

    @property
    def position(self) -> float:
        """Seconds of it that were heard."""
        running = self.progress.started_at
        return self.progress.heard_s + (self.clock_now() - running if running is not None else 0.0)

    @property
    def heard(self) -> str:
        """The part of the text that was heard, up to the last word that began."""
        return self.utterance.text[: self.progress.heard_to]

    @property
    def is_over(self) -> bool:
        """It was heard to its end, or will not be heard any more."""
        return self._is_over.is_set()

    @property
    def has_started(self) -> bool:
        """Something of it was heard."""
        return self.progress.started_at is not None or self.progress.heard_s > 0

    async def wait_for_playout(self) -> None:
        """Return when its last word was heard, or when it was interrupted."""
        await self._is_over.wait()

    def finish(self, *, interrupted: bool) -> None:
        """The director's verdict; only the first one counts."""
        if not self._is_over.is_set():
            self.interrupted = interrupted
            self._is_over.set()
