"""A WHEP server in this process: real signalling over ASGI, real media over loopback."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI, Request

from sdk.media import Broadcaster, MediaConfig
from sdk.signalling import WhepConfig, whep_router


@dataclass
class WhepHouse:
    """One session called ``main``."""

    caster: Broadcaster
    http: httpx.AsyncClient
    app: FastAPI


@asynccontextmanager
async def whep_house(
    *,
    media: MediaConfig | None = None,
    authorise: Callable[[Request], None] | None = None,
    size: int = 128,
    **options: object,
) -> AsyncIterator[WhepHouse]:
    """Open the house; ``options`` are those of ``WhepConfig``."""
    caster = Broadcaster(size, size, 25, media)
    config = WhepConfig(host_addresses=("127.0.0.1",), **options)
    app = FastAPI()
    rooms = {"main": caster}
    app.include_router(whep_router(rooms.get, config=config, authorise=authorise))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://house") as http,
    ):
        try:
            yield WhepHouse(caster, http, app)
        finally:
            await caster.aclose()
