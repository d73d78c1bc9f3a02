"""The counter alone, served on loopback from a thread: a shop, its till, its pages."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from commerce.settings import CommerceSettings
from commerce.shop import Shop
from commerce.shop.connecting import connected
from sdk.live.access import Access
from sdk.live.gate import Gate
from sdk.live.till import page_link
from sdk.storefront import storefront_routes


class CounterServer:
    """A running counter.

    Attributes:
        url: Without a slash at the end.
        shop: Belongs to the server's own loop; reach it through ``run``.
    """

    def __init__(self) -> None:
        self.url = ""
        self.shop: Shop
        self.loop: asyncio.AbstractEventLoop
        self.is_ready = threading.Event()
        self.server: uvicorn.Server | None = None

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something on the shop's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)

    async def serve(self, folder: Path, catalogue: Path) -> None:
        """Serve until told to stop."""
        self.loop = asyncio.get_running_loop()
        access = Access("127.0.0.1")
        async with Shop.open(str(folder / "counter.db")) as shop:
            await shop.import_file(catalogue)
            settings = CommerceSettings(stripe_api_key=None)
            async with (
                connected(shop.till, settings, page_address="/sandbox/pay") as connection,
                connection.running(),
            ):
                self.shop = shop
                app = FastAPI()
                app.include_router(
                    storefront_routes(shop, page_link=page_link(access), sandbox=connection.sandbox)
                )
                config = uvicorn.Config(
                    Gate(app, access), port=0, log_level="error", lifespan="off"
                )
                self.server = uvicorn.Server(config)
                task = asyncio.create_task(self.server.serve())
                while not self.server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.01)
                port = self.server.servers[0].sockets[0].getsockname()[1]
                self.url = f"http://127.0.0.1:{port}"
                self.is_ready.set()
                await task


@contextmanager
def counter_server(folder: Path, catalogue: Path) -> Iterator[CounterServer]:
    """Serve while the block runs."""
    running = CounterServer()
    thread = threading.Thread(target=lambda: asyncio.run(running.serve(folder, catalogue)))
    thread.start()
    try:
        assert running.is_ready.wait(timeout=60)
        yield running
    finally:
        if running.server is not None:
            running.server.should_exit = True
        thread.join(timeout=30)
