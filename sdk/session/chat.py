"""The chat: what viewers write, and the answers of the avatar."""

import asyncio
import itertools
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from avatar_engine.types import Mark
from sdk.errors import SessionError
from sdk.session.director import Director
from sdk.session.events import EventHub
from sdk.session.protocols import Counter
from sdk.session.speech import Speech
from sdk.types.session import Asker, Event, Priority, Utterance, ViewerId

MESSAGE_LENGTH = 300
NAME_LENGTH = 24
PRESENTER = ViewerId("presenter")
"""Who an answer among the messages is from; no viewer's id looks like it."""

_ACKNOWLEDGED = (Mark(0, "act", "nod"),)  # whoever asked sees that they were understood
_KEPT_MESSAGES = 50
_SPACES = re.compile(r"\s+")


class Chat:
    """One room of viewers: shows every message to all, and answers the questions.

    Args:
        counter: Knows the products.
        director: Speaks the answers.
        hub: Where ``chat.*`` events go.
        pinned: The product on the page now; "how much is it?" means that one.
        presenter: The avatar's name, beside its answers.
    """

    def __init__(
        self,
        counter: Counter,
        director: Director,
        hub: EventHub,
        *,
        pinned: Callable[[], str | None],
        presenter: str = "",
    ) -> None:
        self._counter = counter
        self._director = director
        self._hub = hub
        self._pinned = pinned
        self._presenter = presenter
        self._ids = itertools.count(1)
        self._recent: deque[Mapping[str, Any]] = deque(maxlen=_KEPT_MESSAGES)
        self._following: set[asyncio.Task[None]] = set()

    @property
    def recent(self) -> list[Mapping[str, Any]]:
        """The last fifty messages and answers, oldest first, for who joins late."""
        return list(self._recent)

    async def receive(self, text: str, *, viewer: ViewerId, name: str = "") -> Event | None:
        """A viewer wrote something: show it, and answer it when it asks for something.

        Returns:
            The ``chat.message`` event; None when nothing was left of the text.
        """
        text = clean_text(text, MESSAGE_LENGTH)
        name = clean_name(name)
        if not text:
            return None
        message_id = f"m{next(self._ids)}"
        data = {"message_id": message_id, "viewer": viewer, "name": name, "text": text}
        self._recent.append(data)
        message = self._hub.emit("chat.message", data, turn_id=message_id)
        await self._answer(text, Asker(viewer, name, message_id), message)
        return message

    async def aclose(self) -> None:
        """Stop following answers."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    async def _answer(self, text: str, asker: Asker, message: Event) -> None:
        try:
            answer = await self._counter.answer(
                text, context_sku=self._pinned(), viewer_name=asker.name
            )
        except SessionError:
            asked = {"message_id": asker.message_id, "viewer": asker.viewer, "product": None}
            self._hub.emit("chat.question", asked | {"state": "busy"}, source=message)
            return
        if answer is None:
            return
        about = {"message_id": asker.message_id, "viewer": asker.viewer, "product": answer.sku}
        utterance = Utterance(
            answer.text,
            priority=Priority.ANSWER,
            product=answer.sku,
            asker=asker,
            merge_key=f"answer:{answer.key}",
            turn_id=asker.message_id,
            marks=_ACKNOWLEDGED,
        )
        try:
            speech = self._director.submit(utterance)
        except SessionError:  # too much waits, or the show is closing
            self._hub.emit("chat.question", about | {"state": "busy"}, source=message)
            return
        question = self._hub.emit(
            "chat.question",
            about
            | {
                "state": "speaking" if speech.has_started else "queued",
                "speech_id": speech.speech_id,
            },
            source=message,
        )

        async def follow() -> None:
            await speech.wait_for_playout()
            if not speech.interrupted:
                self._remember_answer(speech)
            told = {
                "speech_id": speech.speech_id,
                "interrupted": speech.interrupted,
                "text": speech.utterance.text,
            }
            self._hub.emit("chat.answered", about | told, source=question)

        task = asyncio.create_task(follow(), name=f"answer to {asker.message_id}")
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    def _remember_answer(self, speech: Speech) -> None:
        message_id = f"s{speech.speech_id}"  # one answer, though several viewers may have asked
        if all(message["message_id"] != message_id for message in self._recent):
            self._recent.append(
                {
                    "message_id": message_id,
                    "speech_id": speech.speech_id,
                    "viewer": PRESENTER,
                    "name": self._presenter,
                    "text": speech.utterance.text,
                }
            )


def clean_text(text: str, length: int) -> str:
    """One line without control or direction-changing characters, at most ``length`` long."""
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return _SPACES.sub(" ", visible).strip()[:length].rstrip()


def clean_name(name: str) -> str:
    """A name that may be shown and spoken: letters, digits, space, hyphen, apostrophe, dot."""
    kept = "".join(c for c in clean_text(name, 200) if c.isalnum() or c in " -'’." or _is_mark(c))
    kept = kept.strip(" -'’.")
    return kept[:NAME_LENGTH].rstrip() if any(c.isalpha() for c in kept) else ""


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
