"""What a session needs from its neighbours: a voice with a face, a transmitter, a shop."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from avatar_engine.types import Act, AvatarFrame, Emotion, FaceState, Mark


class Speaker(Protocol):
    """The part of the engine that the director talks to; any thread may call it."""

    @property
    def backlog_s(self) -> float:
        """Seconds of speech that were asked for and are not in a frame yet."""
        ...

    def say(self, text: str, *, utterance_id: int, marks: Sequence[Mark] = ()) -> None:
        """Queue one sentence and what the face does in it; returns at once."""
        ...

    def interrupt(self) -> int:
        """Forget everything queued; frames made from now on carry the returned generation."""
        ...


class Engine(Speaker, Protocol):
    """The synchronous engine; ``step`` is called from one worker thread only."""

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...

    @property
    def generation(self) -> int:
        """How often it was interrupted."""
        ...

    def glance(self, direction: str) -> None:
        """Look briefly beside the camera; any thread."""
        ...

    def act(self, act: Act) -> None:
        """Nod, wink, greet…, with the next frame; any thread."""
        ...

    def feel(self, emotion: Emotion) -> None:
        """Show an emotion from the next frame on; any thread."""
        ...

    def follow(self, state: FaceState | None) -> None:
        """Take on a driver's face from the next frame on; None ends it; any thread."""
        ...

    def step(self, *, is_drawn: bool = True) -> AvatarFrame:
        """The next frame and exactly its share of audio; undrawn, it repeats the last picture."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class Transmitter(Protocol):
    """Takes frames at their moment, from the worker thread, and never blocks it."""

    def publish(self, frame: AvatarFrame) -> None:
        """Encode and send one frame."""
        ...

    def drop_before(self, generation: int) -> None:
        """Whatever is older than the generation and not yet sent shall not be sent."""
        ...

    async def aclose(self) -> None:
        """Send what must be sent (a file's last second), then close."""
        ...


class Answer(Protocol):
    """What the shop replies to a message."""

    @property
    def text(self) -> str:
        """To be said."""
        ...

    @property
    def sku(self) -> str | None:
        """The product it is about."""
        ...

    @property
    def key(self) -> str:
        """The same for two questions that one answer serves, whatever its wording."""
        ...


class Counter(Protocol):
    """The session's view of the shop. Products are JSON-ready mappings (see ``docs/live.md``).

    Every method raises ``SessionError`` when the shop cannot be asked now; the show goes on.
    """

    async def products(self) -> Sequence[Mapping[str, Any]]:
        """Everything that may be shown, in the catalogue's order."""
        ...

    async def product(self, sku: str) -> Mapping[str, Any] | None:
        """One product as it is now, or None."""
        ...

    async def answer(
        self, text: str, *, context_sku: str | None, viewer_name: str
    ) -> Answer | None:
        """What to say to a viewer's message, by name if given; None to stay silent."""
        ...

    async def pitch(self, sku: str, *, seed: int) -> str:
        """A spoken presentation of one product; another seed, other words."""
        ...

    async def opening(self, *, seed: int) -> str:
        """What the show begins with; says that the presenter is an AI."""
        ...

    async def closing(self, *, seed: int) -> str:
        """What ends one round through the catalogue."""
        ...
