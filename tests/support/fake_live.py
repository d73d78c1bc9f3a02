"""The live page over the fake engine: real HTTP, real sockets, real WebRTC, no face.

``python -m tests.support.fake_live PORT`` serves it; the browser tests fall back to nothing, they
use it only for what the engine does not matter for.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from sdk.live.access import Access
from sdk.live.app import create_app
from sdk.live.server import LiveServer, address_of, listen
from sdk.media import Broadcaster
from sdk.session import Parts, ScriptConfig, Session, SessionConfig
from sdk.signalling import WhepConfig, whep_router
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import FakeCounter


@contextlib.asynccontextmanager
async def fake_parts(width: int = 360, height: int = 640) -> AsyncIterator[Parts]:
    engine = FakeEngine(width=width, height=height)
    yield Parts(engine, Broadcaster(width, height, 25.0), FakeCounter(), presenter="Mara")


async def no_picture(sku: str) -> Path | None:
    return None


@contextlib.asynccontextmanager
async def fake_live(
    port: int = 0, *, script: bool = True, access: Access | None = None
) -> AsyncIterator[tuple[str, Session]]:
    """The page's address, and the session behind it."""
    config = SessionConfig(script=ScriptConfig() if script else None)
    listener = listen("127.0.0.1", port)
    async with Session(fake_parts, config=config) as session:
        broadcaster = session.parts.transmitter
        assert isinstance(broadcaster, Broadcaster)
        whep = whep_router(
            lambda name: broadcaster if name == session.session_id else None,
            config=WhepConfig(host_addresses=("127.0.0.1",), allow_origin=""),
        )
        app = create_app(
            session, access=access or Access("127.0.0.1"), image_file=no_picture, whep=whep
        )
        server = LiveServer(app, listener)
        serving = asyncio.create_task(server.serve())
        await server.started()
        try:
            yield address_of(listener, "127.0.0.1"), session
        finally:
            server.stop()
            await serving


async def main(port: int) -> None:
    async with fake_live(port) as (address, _):
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
