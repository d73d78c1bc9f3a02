"""What happens in the show, told to the seller's own programs."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from commerce.errors import CommerceError
from commerce.shop import Shop
from sdk.session import Session, Subscription
from sdk.types.session import Event

TOLD = (
    "session.disconnected",
    "product.pinned",
    "product.heard",
    "product.changed",
    "avatar.speak_started",
    "avatar.speak_ended",
    "avatar.interrupted",
)
"""Events that become webhooks. Words and chat messages do not: they are many, and people's."""

_KEPT_BACK = ("viewers", "message_ids")
_LAST_WORD_S = 2.0


def announcing_routes(session: Session, shop: Shop) -> APIRouter:
    """No routes, but a lifespan: while the application runs, the show's events are announced.

    Args:
        session: Open.
        shop: Its announcer knows whom to tell.
    """
    boot = secrets.token_hex(6)  # numbers of events begin anew with each start

    async def tell(event: str, data: dict[str, Any], identity: str) -> None:
        with contextlib.suppress(CommerceError):  # the show goes on; orders' news is not lost
            told = {"session": session.session_id, **data}
            await shop.announcer.announce(
                event,
                told,
                subject=f"session:{session.session_id}",
                identity=f"{boot}:{identity}",
            )

    async def follow(news: Subscription) -> None:
        async for event in news:
            if event.type in TOLD:
                await tell(event.type, _data(event), str(event.event_id))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if not shop.announcer.endpoints:
            yield
            return
        news = session.events()
        following = asyncio.create_task(follow(news), name="announcing")
        await tell("session.opened", {}, "opened")
        try:
            yield
        finally:
            news.close()
            await following
            await tell("session.closed", {}, "closed")
            # What is not taken in this moment is sent at the next start.
            with contextlib.suppress(TimeoutError, CommerceError):
                async with asyncio.timeout(_LAST_WORD_S):
                    await shop.announcer.outbox.dispatch()

    return APIRouter(lifespan=lifespan)


def _data(event: Event) -> dict[str, Any]:
    data = {name: value for name, value in event.data.items() if name not in _KEPT_BACK}
    return data | {"turn_id": event.turn_id} if event.turn_id else data
