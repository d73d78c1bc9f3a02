"""A console for tests: the real application before a real shop, over the fake engine."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from commerce.models.referrals import Referral
from sdk.live.access import Access
from sdk.live.app import create_app
from sdk.live.console import console_router
from sdk.live.server import LiveServer, address_of, listen
from sdk.session import Parts, ScriptConfig, Session, SessionConfig
from sdk.signalling import whep_router
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import FakeCounter, Sink
from tests.support.tills import GOODS, Bench, bench

TOKEN = "a-long-secret"
API = "/api/console"


@dataclass
class Console:
    """Everything a test of the console needs."""

    client: httpx.AsyncClient
    session: Session
    engine: FakeEngine
    till: Bench
    app: ASGIApp

    async def sold(self, sku: str = "mug", *, friend: str = "4711", wait_s: float = 3600) -> str:
        """An order that came by a friend's link, so long after the click; paid and booked."""
        ledger = self.till.shop.ledger
        node = await ledger.node("chat", "telegram", friend)
        token = await ledger.issue(Referral(recommender=node, channel="telegram", sku=sku))
        visitor = await ledger.node("visitor", f"buyer of {friend}")
        await ledger.follow(token, visitor=visitor)
        self.till.clock.turn(seconds=wait_s)
        return await self.bought(sku, buyer=visitor, referral=token, email=f"{friend}@b.example")

    async def bought(self, sku: str, *, email: str, **extra: object) -> str:
        """A paid and booked order of somebody with that address."""
        started = await self.till.buy(sku, **extra)
        assert await self.till.pay(started, email=email) == "paid"
        await self.till.settle()
        return started.order

    async def get(self, path: str, **query: object) -> dict:
        answer = await self.client.get(API + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: object = None, status: int = 200) -> dict:
        answer = await self.client.post(API + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@asynccontextmanager
async def console(
    folder: Path,
    *,
    access: Access | None = None,
    goods: str = GOODS,
    script: bool = False,
    host: str = "127.0.0.1:8010",
) -> AsyncIterator[Console]:
    access, engine = access or Access("127.0.0.1"), FakeEngine()

    @asynccontextmanager
    async def parts() -> AsyncIterator[Parts]:
        yield Parts(engine, Sink(), FakeCounter(), presenter="Mara")

    async def no_picture(sku: str) -> None:
        return None

    config = SessionConfig(script=ScriptConfig() if script else None)
    async with bench(folder, goods) as till, Session(parts, config=config) as session:
        till.shop.till.keep_books(till.shop.ledger)
        app = create_app(
            session,
            access=access,
            image_file=no_picture,
            whep=whep_router(lambda name: None),
            more=[console_router(session, till.shop, access)],
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            yield Console(client, session, engine, till, app)


@contextmanager
def served_console(folder: Path, access: Access) -> Iterator[str]:
    """The address of a console on a port of this machine, served by a thread of its own."""
    told: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        listener = listen("127.0.0.1", 0)
        async with console(folder, access=access) as c:
            server = LiveServer(c.app, listener)
            serving = asyncio.create_task(server.serve())
            await server.started()
            told.set_result((address_of(listener, "127.0.0.1"), asyncio.get_running_loop(), stop))
            await stop.wait()
            server.stop()
            await serving
        listener.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    address, loop, stop = told.result(timeout=30)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
