"""A whole service for tests: real shop, till and sockets on a loopback port; no face, no voice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from commerce.models.webhooks import Endpoint
from commerce.shop import Shop
from sdk.client import Client
from sdk.errors import SdkError
from sdk.live.access import Access
from sdk.live.server import LiveServer, address_of, listen
from sdk.live.service import Service
from sdk.live.shelf import ShopCounter
from sdk.live.wiring import Catalogue, LiveSession
from sdk.session import Parts
from sdk.testing.engine import QuietEngine
from sdk.testing.nowhere import Nowhere
from sdk.types.session import Event

_HOST = "127.0.0.1"


class FakeSession(LiveSession):
    """A ``LiveSession`` whose avatar says each sentence at once, and that remembers everything.

    The shop lies in a temporary database and its till is the sandbox. Nothing is drawn or sent, so
    WHEP finds nobody to watch. Everything else is the real thing: limits, tokens, refusals, events
    in their order. Best made by ``fake_session``, which also serves it.

    Args:
        catalogue: A file to import; without one the shop is empty.
        name: The presenter's.
        script: Walk through the catalogue by itself.
        session_id: The name in addresses.
        webhooks: Programs that are told what happens.
    """

    def __init__(
        self,
        catalogue: str | Path | Catalogue | None = None,
        *,
        name: str = "Mara",
        script: bool = False,
        session_id: str = "main",
        webhooks: Sequence[Endpoint] = (),
    ) -> None:
        super().__init__(
            "nobody",
            catalogue,
            name=name,
            script=script,
            session_id=session_id,
            webhooks=webhooks,
        )
        self.engine = QuietEngine()
        self.url = ""
        """Where it is served, once it is."""
        self.happened: list[Event] = []
        """Every event so far."""
        self._client: Client | None = None
        self._remembering: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    @property
    def client(self) -> Client:
        """A client with the seller's token.

        Raises:
            SdkError: The session is not served; use ``fake_session``.
        """
        if self._client is None:
            raise SdkError("nobody serves this session; use `async with fake_session() as fake:`")
        return self._client

    @property
    def said(self) -> list[str]:
        """The text of every speech that was begun, in order."""
        return [event.data["text"] for event in self.happened if event.type == _BEGAN]

    @property
    def pinned(self) -> str | None:
        """The SKU on the page now."""
        return self.shelf.pinned

    @property
    def pins(self) -> list[str | None]:
        """Every SKU that was put on the page, None where it was cleared, in order."""
        shown = [event.data["product"] for event in self.happened if event.type == _PINNED]
        return [product["sku"] if product else None for product in shown]

    @property
    def heard(self) -> list[str]:
        """The products whose speech was heard to its end, in order."""
        return [event.data["product"] for event in self.happened if event.type == _HEARD]

    async def settled(self, timeout_s: float = 5.0) -> None:
        """Return when nothing is being said and nothing waits, and all of it is remembered.

        Raises:
            TimeoutError: It goes on for longer, as a session with a script does.
        """
        async with asyncio.timeout(timeout_s):
            while self.director.current is not None or self.director.waiting:
                await self._next()
            # The last event may be on its way to our own list.
            for _ in range(3):
                await asyncio.sleep(0)

    async def wait_for(
        self, wanted: str | Callable[[Event], bool], timeout_s: float = 5.0
    ) -> Event:
        """The first event of a type, or of which something is true; also one of the past.

        Raises:
            TimeoutError: There is none.
        """
        async with asyncio.timeout(timeout_s):
            seen = 0
            while True:
                for event in self.happened[seen:]:
                    if event.type == wanted if isinstance(wanted, str) else wanted(event):
                        return event
                seen = len(self.happened)
                await self._next()

    async def __aenter__(self) -> "FakeSession":
        news = self.events()
        self._remembering = asyncio.create_task(self._remember(news), name="memory")
        try:
            await super().__aenter__()
        except BaseException:
            self._remembering.cancel()
            raise
        return self

    async def aclose(self) -> None:
        """End the session; what happened stays to be read."""
        await super().aclose()
        if self._remembering is not None:
            await self._remembering

    async def _assemble(self, shop: Shop) -> Parts:
        counter = ShopCounter(shop, session_id=self.session_id, language="en")
        return Parts(
            self.engine,
            Nowhere(),
            counter,
            presenter=self._name or "",
            consent="Nobody is shown.",
        )

    async def _remember(self, news: AsyncIterator[Event]) -> None:
        async for event in news:
            self.happened.append(event)
            self._news.set()

    async def _next(self) -> None:
        self._news.clear()
        await self._news.wait()


_BEGAN, _PINNED, _HEARD = "avatar.speak_started", "product.pinned", "product.heard"


def fake_app(
    catalogue: str | Path | Catalogue | None = None,
    *,
    address: str = "http://127.0.0.1:8000",
    token: str | None = None,
    script: bool = False,
    webhooks: Sequence[Endpoint] = (),
) -> Service:
    """What ``sdk.create_app`` gives, over a ``FakeSession``; its ``session`` is one.

    Args:
        catalogue: A file to import; without one the shop is empty.
        address: Where people open it, with the prefix it is mounted at.
        token: As for ``create_app``.
        script: Walk through the catalogue by itself.
        webhooks: Programs that are told what happens.
    """
    return Service(
        lambda: FakeSession(catalogue, script=script, webhooks=webhooks),
        access=Access(_HOST, token),
        address=address,
    )


@asynccontextmanager
async def fake_session(
    catalogue: str | Path | Catalogue | None = None,
    *,
    token: str | None = None,
    name: str = "Mara",
    script: bool = False,
    session_id: str = "main",
    webhooks: Sequence[Endpoint] = (),
) -> AsyncIterator[FakeSession]:
    """A ``FakeSession``, served on a free loopback port while the block runs.

    Args:
        catalogue: A file to import; without one the shop is empty.
        token: As ``--token``; without one loopback needs none.
        name: The presenter's.
        script: Walk through the catalogue by itself.
        session_id: The name in addresses.
        webhooks: Programs that are told what happens.

    Raises:
        CommerceError: The catalogue cannot be used.
    """
    fake = FakeSession(
        catalogue, name=name, script=script, session_id=session_id, webhooks=webhooks
    )
    listener = listen(_HOST, 0)
    try:
        async with fake:
            fake.url = address_of(listener, _HOST)
            server = LiveServer(fake.web_app(Access(_HOST, token), address=fake.url), listener)
            serving = asyncio.create_task(server.serve(), name="http")
            await server.started()
            try:
                async with Client(fake.url, token, session=session_id) as client:
                    fake._client = client
                    yield fake
            finally:
                server.stop()
                await serving
    finally:
        listener.close()
