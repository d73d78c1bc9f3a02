"""Who speaks next: the one way anything gets to speak.

Speeches wait in order of priority and are handed to the voice one sentence at a time, just before
the previous one ends. So something more urgent waits for at most one sentence, and what it
displaced goes on with the very next one. An interruption waits for nothing: it raises the
generation, everything older falls silent, and a resumable speech later repeats the sentence that
was cut.
"""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from avatar_engine.types import Cue
from sdk.errors import QueueFullError, SessionError
from sdk.session.events import EventHub
from sdk.session.performing import marks_of
from sdk.session.protocols import Speaker
from sdk.session.sentences import Sentence
from sdk.session.speech import Speech
from sdk.types.session import AvatarState, EventType, Priority, Utterance

_MARK = re.compile(r"<[^<>]*/>")


@dataclass(frozen=True, slots=True)
class DirectorConfig:
    """How the director behaves.

    Attributes:
        queue_length: Speeches that may wait; more are refused.
        feed_ahead_s: The next sentence is handed over when less than this of the current one is
            left to render.
        hold_s: After an interruption with nothing to say, the script stays silent this long.
    """

    queue_length: int = 24
    feed_ahead_s: float = 0.12
    hold_s: float = 4.0


@dataclass(slots=True)
class _InFlight:
    """A sentence that the voice has."""

    speech: Speech
    index: int
    sentence: Sentence
    started_at: float | None = None


class Director:
    """Decides who speaks next. Every method belongs to the event loop.

    Args:
        voice: The engine's speaking part.
        hub: Where ``avatar.*`` events go.
        now: The playout clock, seconds.
        on_product: Called with a SKU when the first sentence of a speech about it is heard.
        on_interruption: Called with the new generation when everything older is to fall silent.
        name_of: A product's name by SKU, which is emphasised where it is said.
        config: Limits.
    """

    def __init__(
        self,
        voice: Speaker,
        hub: EventHub,
        *,
        now: Callable[[], float],
        on_product: Callable[[str, Speech], None] = lambda sku, speech: None,
        on_interruption: Callable[[int], None] = lambda generation: None,
        name_of: Callable[[str], str] = lambda sku: "",
        config: DirectorConfig = DirectorConfig(),  # frozen
    ) -> None:
        self._voice = voice
        self._hub = hub
        self._now = now
        self._on_product = on_product
        self._on_interruption = on_interruption
        self._name_of = name_of
        self._config = config
        self._waiting: list[Speech] = []
        self._in_flight: dict[int, _InFlight] = {}
        self._speech_ids = itertools.count(1)
        self._sentence_ids = itertools.count(1)
        self._held_until = float("-inf")
        self._is_script_held = False
        self._generation = 0
        self._state: AvatarState = "idle"
        self._is_closed = False

    @property
    def state(self) -> AvatarState:
        """Whether it speaks."""
        return self._state

    @property
    def generation(self) -> int:
        """How often speech was interrupted."""
        return self._generation

    @property
    def waiting(self) -> Sequence[Speech]:
        """What is going to be said, next first; a speech that was displaced is among it."""
        return tuple(sorted(self._waiting, key=lambda speech: -speech.utterance.priority))

    @property
    def current(self) -> Speech | None:
        """What is being heard, or is about to be."""
        flying = next(iter(self._in_flight.values()), None)
        return flying.speech if flying else None

    @property
    def caption(self) -> Mapping[str, Any] | None:
        """The sentence that is being heard, as ``avatar.transcription`` told it."""
        for sentence_id, flying in self._in_flight.items():
            if flying.started_at is not None:
                return self._caption_of(sentence_id, flying)
        return None

    def submit(self, utterance: Utterance) -> Speech:
        """Queue something to be said.

        Returns:
            Its handle; for a duplicate question, the handle of the speech it joined.

        Raises:
            SessionError: Nothing in the text can be said, or the session is closed.
            QueueFullError: Too much waits already.
        """
        if self._is_closed:
            raise SessionError("the session is closed; open a new one to speak")
        if (twin := self._twin_of(utterance)) is not None:
            if utterance.asker is not None:
                twin.askers.append(utterance.asker)
            return twin
        speech = Speech(next(self._speech_ids), utterance, self._now)
        if not speech.sentences:
            raise SessionError(f"nothing to say in {utterance.text[:40]!r}; give a text with words")
        if utterance.priority is Priority.INTERRUPTION:
            self._cut(drop_waiting=False)
        elif len(self._waiting) >= self._config.queue_length:
            raise QueueFullError(
                f"{len(self._waiting)} utterances are waiting already; "
                "try again when some were said, or interrupt"
            )
        self._waiting.append(speech)
        self.feed()
        return speech

    def interrupt(self) -> int:
        """Silence, now: what is being said and what waits is dropped; the script pauses.

        Returns:
            The new generation.
        """
        self._held_until = self._now() + self._config.hold_s
        self._cut(drop_waiting=True)
        return self._generation

    @property
    def is_script_held(self) -> bool:
        """Whether the script is told to wait."""
        return self._is_script_held

    def hold_script(self, *, is_held: bool) -> None:
        """Have the script wait after the sentence being said, or go on with the very next one."""
        self._is_script_held = is_held
        self.feed()

    def feed(self) -> None:
        """Hand the next sentence over if the voice is about to run dry; cheap to call often."""
        while not self._is_closed and self._is_running_dry() and (speech := self._next()):
            index = speech.progress.cursor
            speech.progress.cursor += 1
            if speech.progress.cursor == len(speech.sentences):
                self._waiting.remove(speech)
            sentence_id = next(self._sentence_ids)
            sentence = speech.sentences[index]
            self._in_flight[sentence_id] = _InFlight(speech, index, sentence)
            marks = marks_of(speech.utterance, speech.sentences, index, self._name_of)
            self._voice.say(sentence.text, utterance_id=sentence_id, marks=marks)

    def heard(self, cue: Cue, *, generation: int) -> None:
        """A cue reached the moment at which viewers notice it."""
        flying = self._in_flight.get(cue.utterance_id)
        if flying is None or generation < self._generation:
            return
        if cue.kind == "started":
            self._begin(flying, cue.utterance_id)
        elif cue.kind == "word":
            self._pass_word(flying, cue)
        elif cue.kind == "mark":
            self._tell("avatar.mark", flying.speech, {"name": cue.name})
        else:
            self._end(flying, cue.utterance_id)

    def voice_failed(self) -> None:
        """The voice lost the sentence it was saying: drop that speech, go on with the next."""
        self._cut(drop_waiting=False, even_resumable=True)

    def close(self) -> None:
        """Nothing speaks any more; whoever waits for a playout is released."""
        if not self._is_closed:
            self._cut(drop_waiting=True, even_resumable=True)
            self._is_closed = True

    def _twin_of(self, utterance: Utterance) -> Speech | None:
        if utterance.merge_key is None:
            return None
        flying = [sentence.speech for sentence in self._in_flight.values()]
        return next(
            (s for s in flying + self._waiting if s.utterance.merge_key == utterance.merge_key),
            None,
        )

    def _is_running_dry(self) -> bool:
        if not self._in_flight:
            return True
        if len(self._in_flight) > 1:
            return False
        (flying,) = self._in_flight.values()
        has_begun = flying.started_at is not None
        return has_begun and self._voice.backlog_s <= self._config.feed_ahead_s

    def _next(self) -> Speech | None:
        is_held = self._is_script_held or self._now() < self._held_until
        ready = [
            speech
            for speech in self._waiting
            if not (is_held and speech.utterance.priority <= Priority.SCRIPT)
        ]
        # max() keeps the first of equals, and a displaced speech kept its place in the list.
        return max(ready, key=lambda speech: speech.utterance.priority, default=None)

    def _cut(self, *, drop_waiting: bool, even_resumable: bool = False) -> None:
        cut = list(self._in_flight.values())
        self._in_flight.clear()
        self._generation = self._voice.interrupt()
        self._on_interruption(self._generation)
        for flying in reversed(cut):
            self._pause(flying)
            speech = flying.speech
            if speech.utterance.is_resumable and not even_resumable:
                speech.progress.cursor = flying.index
                if speech not in self._waiting:
                    self._waiting.insert(0, speech)
            else:
                self._drop(speech)
        if drop_waiting:
            for speech in tuple(self._waiting):
                if even_resumable or not speech.utterance.is_resumable:
                    self._drop(speech)
        self._turn("idle")

    def _drop(self, speech: Speech) -> None:
        if speech in self._waiting:
            self._waiting.remove(speech)
        if not speech.is_over:
            speech.finish(interrupted=True)
            self._tell_end(speech)

    def _pause(self, flying: _InFlight) -> None:
        progress = flying.speech.progress
        if progress.started_at is not None:
            progress.heard_s += self._now() - progress.started_at
            progress.started_at = None
            position_ms = round(progress.heard_s * 1000)
            self._tell("avatar.interrupted", flying.speech, {"position_ms": position_ms})

    def _begin(self, flying: _InFlight, sentence_id: int) -> None:
        speech = flying.speech
        is_first = not speech.has_started
        self._turn("speaking")
        flying.started_at = speech.progress.started_at = self._now()
        if is_first:
            self._tell("avatar.speak_started", speech, {"text": speech.utterance.text})
        self._tell("avatar.transcription", speech, self._caption_of(sentence_id, flying))
        # After the caption: the card that arrives belongs to the sentence that is read.
        if is_first and speech.utterance.product is not None:
            self._on_product(speech.utterance.product, speech)
        self.feed()

    def _caption_of(self, sentence_id: int, flying: _InFlight) -> dict[str, Any]:
        # Marks keep their place as blanks, so that the words' spans stay right.
        text = _MARK.sub(lambda mark: " " * len(mark[0]), flying.sentence.text)
        return {"sentence_id": sentence_id, "text": text}

    def _pass_word(self, flying: _InFlight, cue: Cue) -> None:
        speech = flying.speech
        speech.progress.heard_to = flying.sentence.start + cue.end
        span = {"sentence_id": cue.utterance_id, "start": cue.start, "end": cue.end}
        self._tell("avatar.word", speech, span)

    def _end(self, flying: _InFlight, sentence_id: int) -> None:
        del self._in_flight[sentence_id]
        speech = flying.speech
        progress = speech.progress
        if progress.started_at is not None:
            progress.heard_s += self._now() - progress.started_at
            progress.started_at = None
        progress.heard_to = flying.sentence.end
        if flying.index == len(speech.sentences) - 1:
            speech.finish(interrupted=False)
            self._tell_end(speech)
            if speech.utterance.product is not None:
                self._tell("product.heard", speech, {})
        self.feed()
        self._turn("speaking" if self._in_flight else "idle")

    def _turn(self, state: AvatarState) -> None:
        if state != self._state:
            self._state = state
            self._hub.emit("avatar.state_changed", {"state": state}, generation=self._generation)

    def _tell_end(self, speech: Speech) -> None:
        position_ms = round(speech.position * 1000)
        self._tell(
            "avatar.speak_ended",
            speech,
            {"interrupted": speech.interrupted, "position_ms": position_ms},
        )

    def _tell(self, event_type: EventType, speech: Speech, data: Mapping[str, Any]) -> None:
        about = {
            "speech_id": speech.speech_id,
            "priority": speech.utterance.priority.name.lower(),
            "product": speech.utterance.product,
            "viewers": [asker.viewer for asker in speech.askers],
            "message_ids": [asker.message_id for asker in speech.askers],
        }
        self._hub.emit(
            event_type,
            {**about, **data},
            turn_id=speech.utterance.turn_id,
            generation=self._generation,
        )
