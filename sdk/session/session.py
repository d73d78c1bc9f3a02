"""The session: one avatar, live, with its shop, its chat and its viewers.

``Session`` joins the parts it is given and knows none of them; ``sdk.LiveSession`` is this class
with the parts chosen for you.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from avatar_engine.errors import MarkError
from avatar_engine.types import ACTS, EMOTIONS, AvatarFrame, take_marks
from sdk.errors import SessionError
from sdk.session.chat import Chat
from sdk.session.clock import Clock, MachineClock
from sdk.session.director import Director, DirectorConfig
from sdk.session.driving import Driving, FaceDriver, VideoTrack
from sdk.session.events import EventHub, Subscription
from sdk.session.playout import Playout, PlayoutConfig
from sdk.session.protocols import Counter, Engine, Transmitter
from sdk.session.script import Script, ScriptConfig
from sdk.session.shelf import PINNED_WATCH_S, Shelf
from sdk.session.speech import Speech
from sdk.types.session import Priority, SessionId, SessionState, Utterance

_MOST_SHOWN = 200  # products in a page's shelf; a shop may have thousands


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session is made of.

    Attributes:
        engine: The avatar; the session closes it.
        transmitter: Where frames go; the session closes it.
        counter: The shop as the session sees it.
        presenter: The persona's name, for the page.
        consent: The persona's consent statement.
        portrait: A small PNG of the persona, or nothing.
        open_driver: Makes what turns a camera's pictures into the persona's faces.
    """

    engine: Engine
    transmitter: Transmitter
    counter: Counter
    presenter: str = ""
    consent: str = ""
    portrait: bytes = b""
    open_driver: Callable[[], FaceDriver] | None = None


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """How a session behaves.

    Attributes:
        script: The walk through the catalogue; None speaks only what it is told.
        director: Limits of the queue.
        playout: Limits of the clock.
        stock_watch_s: How often the stock of the pinned product is read.
        card: Where the page shows a pinned product, seen from the face; the eyes go there.
    """

    script: ScriptConfig | None = None
    director: DirectorConfig = field(default_factory=DirectorConfig)
    playout: PlayoutConfig = field(default_factory=PlayoutConfig)
    stock_watch_s: float = PINNED_WATCH_S
    card: str = "down"


class Session:
    """A live avatar that can be told what to say. An async context manager; event loop only.

    Args:
        open_parts: Builds the parts when the session is entered, and frees what the session does
            not close itself.
        session_id: The name in addresses.
        config: Behaviour.
        clock: Time.
    """

    def __init__(
        self,
        open_parts: Callable[[], AbstractAsyncContextManager[Parts]],
        *,
        session_id: str = "main",
        config: SessionConfig | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.session_id = SessionId(session_id)
        self._open_parts = open_parts
        self._config = config or SessionConfig()
        self._clock = clock or MachineClock()
        self._hub = EventHub()
        self._state: SessionState = "inactive"
        self._exits = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] | None = None
        self._parts: Parts | None = None
        self._driving: Driving | None = None

    # -- life --------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Fall silent, send what is on its way, free everything. May be called twice."""
        if self._state in ("disconnecting", "disconnected"):
            return
        self._set_state("disconnecting")
        if self._driving is not None:
            await self._driving.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._exits.aclose()
        finally:
            self._set_state("disconnected")
            self._hub.close()

    async def wait_failed(self) -> None:
        """Return never, or raise what broke the engine or the transmitter while live."""
        if self._failure is None:
            raise SessionError("the session is not open; use it as `async with session:`")
        await asyncio.shield(self._failure)

    @property
    def state(self) -> SessionState:
        """Where in its life the session is."""
        return self._state

    # -- verbs -------------------------------------------------------------------------------

    def say(self, text: str, product: str | None = None, *, interrupt: bool = False) -> Speech:
        """Say something; it comes before the script and after answers to viewers.

        Args:
            text: One or several sentences, with marks such as ``<act name="nod"/>`` and
                ``<emotion name="happy"/>`` that are not spoken but done when their place sounds.
            product: SKU that is pinned when the first sentence is heard.
            interrupt: Cut what is being said.

        Returns:
            A handle: ``await speech.wait_for_playout()``, ``speech.interrupted``,
            ``speech.position``.

        Raises:
            SessionError: The session is not open, the text has no words or an unknown mark, or no
                product has that SKU.
            QueueFullError: Too much waits already.
        """
        if product is not None:
            self.shelf.known(product)
        priority = Priority.INTERRUPTION if interrupt else Priority.SELLER
        try:
            plain, marks = take_marks(text)
        except MarkError as error:
            raise SessionError(str(error)) from error
        line = Utterance(plain, priority=priority, product=product, marks=marks)
        return self.director.submit(line)

    async def interrupt(self) -> None:
        """Silence, now; everything said and queued is dropped, the script pauses a moment."""
        self.director.interrupt()

    def pin(self, sku: str | None) -> None:
        """Show a product on every page; None takes it away.

        Raises:
            SessionError: The session is not open, or no product has that SKU.
        """
        self._show(self.shelf.known(sku) if sku is not None else None)

    def act(self, name: str) -> None:
        """Nod, wink, smile…, now and without a word: one of ``ACTS``.

        Raises:
            SessionError: The session is not open, or there is no such act.
        """
        act = next((one for one in ACTS if one == name), None)
        if act is None:
            raise SessionError(f"unknown act {name[:40]!r}; there are {', '.join(ACTS)}")
        self.parts.engine.act(act)

    def feel(self, name: str) -> None:
        """Show an emotion from now on: one of ``EMOTIONS``; a mark in a line may change it.

        Raises:
            SessionError: The session is not open, or there is no such emotion.
        """
        emotion = next((one for one in EMOTIONS if one == name), None)
        if emotion is None:
            raise SessionError(f"unknown emotion {name[:40]!r}; there are {', '.join(EMOTIONS)}")
        self.parts.engine.feel(emotion)

    @property
    def has_script(self) -> bool:
        """Whether the session walks through the catalogue by itself, or would if it were let."""
        return self._config.script is not None

    def switch_script(self, *, is_on: bool) -> None:
        """Have the script wait after its sentence, or go on with the very next one.

        Raises:
            SessionError: The session is not open, or has no script.
        """
        if not self.has_script:
            raise SessionError("this session has no script; start it without --no-script")
        self.director.hold_script(is_held=not is_on)

    async def drive(self, track: VideoTrack) -> Driving:
        """Let a camera move the avatar's face until the track ends; lines keep their own mouth.

        Args:
            track: Has ``recv()`` that gives ``av.VideoFrame``; aiortc's tracks do. One at a time:
                a new one takes the place of the one before.

        Returns:
            A handle: ``calibrate()``, ``is_following``, ``await stop()``.

        Raises:
            SessionError: The session is not open, or its parts cannot track faces.
        """
        open_driver = self.parts.open_driver
        if open_driver is None:
            raise SessionError("this session cannot be driven: its parts have no face tracker")
        if self._driving is not None:
            await self._driving.stop()
        driver = await asyncio.to_thread(open_driver)
        self._driving = Driving(track, driver, self.parts.engine.follow, self._hub)
        return self._driving

    @property
    def driving(self) -> Driving | None:
        """What moves the face now, if a camera does."""
        return self._driving if self._driving and self._driving.is_active else None

    def events(self) -> Subscription:
        """Everything that happens from now on: ``async for event in session.events()``."""
        return self._hub.subscribe()

    # -- parts -------------------------------------------------------------------------------

    @property
    def parts(self) -> Parts:
        """What the session is made of.

        Raises:
            SessionError: The session is not open.
        """
        if self._parts is None:
            raise SessionError("the session is not open; use it as `async with session:`")
        return self._parts

    @property
    def director(self) -> Director:
        """Who speaks next; ``director.submit(utterance)`` takes every detail."""
        _ = self.parts
        return self._director

    @property
    def chat(self) -> Chat:
        """The viewers' room."""
        _ = self.parts
        return self._chat

    @property
    def playout(self) -> Playout:
        """The clock, and what it saw."""
        _ = self.parts
        return self._playout

    @property
    def shelf(self) -> Shelf:
        """The products as the pages know them, and the pinned one."""
        _ = self.parts
        return self._shelf

    def snapshot(self) -> dict[str, Any]:
        """Everything a page needs that joins now."""
        return {
            "session": self.session_id,
            "state": self._state,
            "presenter": self.parts.presenter,
            "consent": self.parts.consent,
            "portrait": f"/media/{self.session_id}" if self.parts.portrait else None,
            "avatar_state": self.director.state,
            "generation": self.director.generation,
            "pinned": self.shelf.pinned_product,
            "products": self.shelf.products[:_MOST_SHOWN],
            "product_count": len(self.shelf.products),
            "caption": self.director.caption,
            "messages": self.chat.recent,
        }

    # -- inside ------------------------------------------------------------------------------

    async def _open(self) -> None:
        if self._state != "inactive":
            raise SessionError("a session opens once; make a new one")
        self._set_state("connecting")
        loop = asyncio.get_running_loop()
        self._failure = loop.create_future()
        parts = await self._exits.enter_async_context(self._open_parts())
        self._exits.callback(parts.engine.close)
        self._exits.push_async_callback(parts.transmitter.aclose)
        self._shelf = Shelf(parts.counter, self._hub, watch_s=self._config.stock_watch_s)
        await self._shelf.load()
        self._director = Director(
            parts.engine,
            self._hub,
            now=self._clock.now,
            on_product=lambda sku, speech: self._show(sku),
            name_of=lambda sku: self._shelf.name_of(sku),
            on_interruption=parts.transmitter.drop_before,
            config=self._config.director,
        )
        self._chat = Chat(
            parts.counter,
            self._director,
            self._hub,
            pinned=lambda: self._shelf.pinned,
            presenter=parts.presenter,
        )
        self._playout = Playout(
            parts.engine,
            parts.transmitter,
            self._clock,
            on_frame=lambda frame: _soon(loop, self._heard, frame),
            on_pulse=lambda: _soon(loop, self._director.feed),
            on_voice_error=lambda error: _soon(loop, self._voice_failed, error),
            feed_ahead_s=self._config.director.feed_ahead_s,
            config=self._config.playout,
        )
        self._exits.push_async_callback(self._chat.aclose)
        self._exits.callback(self._director.close)
        self._parts = parts
        self._start_playout(loop)
        self._set_state("connected")
        self._hub.emit("session.stream_ready", {})
        self._keep(self._shelf.watch(), "stock watch")
        if self._config.script is not None:
            script = Script(parts.counter, self._director, self._config.script)
            self._keep(script.run(), "script")

    def _start_playout(self, loop: asyncio.AbstractEventLoop) -> None:
        worker = ThreadPoolExecutor(1, thread_name_prefix=f"playout-{self.session_id}")
        running = loop.run_in_executor(worker, self._playout.run)
        running.add_done_callback(self._playout_ended)

        async def stop() -> None:
            self._playout.stop()
            with contextlib.suppress(Exception):  # was told by wait_failed already
                await running
            worker.shutdown(wait=False)

        self._exits.push_async_callback(stop)

    def _playout_ended(self, running: asyncio.Future[None]) -> None:
        assert self._failure is not None
        error = running.exception() if not running.cancelled() else None
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()  # somebody may never ask; that is no warning
            self._hub.emit("session.disconnected", {"reason": str(error)})

    def _show(self, sku: str | None) -> None:
        """Pin a product, and look at its card if it is another one than before."""
        before = self._shelf.pinned
        self._shelf.pin(sku)
        if self._shelf.pinned not in (None, before):
            self.parts.engine.glance(self._config.card)

    def _heard(self, frame: AvatarFrame) -> None:
        for cue in frame.cues:
            self._director.heard(cue, generation=frame.generation)

    def _voice_failed(self, error: Exception) -> None:
        self._hub.emit("avatar.voice_failed", {"reason": str(error)})
        self._director.voice_failed()

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            assert self._failure is not None
            if not self._failure.done():
                self._failure.set_exception(error)
                self._failure.exception()
            self._hub.emit("session.disconnected", {"reason": f"{task.get_name()}: {error}"})

    def _set_state(self, state: SessionState) -> None:
        self._state = state
        self._hub.emit("session.state_changed", {"state": state})


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop closed while the thread was ending
        loop.call_soon_threadsafe(call, *args)
