"""The whole letterbox beside a live session: routes, and a clerk who works while they are open."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from commerce.shop import Shop
from sdk.errors import MessagingError
from sdk.messaging.bulletin import Bulletin
from sdk.messaging.channel import Channel
from sdk.messaging.channels.wecom_socket import WecomSocket
from sdk.messaging.clerk import Clerk
from sdk.messaging.conversation import Conversation, ConversationConfig
from sdk.messaging.messages import Pushed
from sdk.messaging.routes import accept, messaging_routes
from sdk.messaging.stage import Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LetterboxConfig:
    """How the letterbox is opened.

    Attributes:
        conversation: Languages and addresses.
        hooks_url: Where chat services reach us, such as ``https://live.example.com``; None where
            they cannot, and webhooks have to be set by hand.
    """

    conversation: ConversationConfig
    hooks_url: str | None = None


def letterbox_routes(
    shop: Shop,
    channels: Sequence[Channel],
    client: httpx.AsyncClient,
    stage: Stage | None,
    config: LetterboxConfig,
) -> APIRouter:
    """``/hooks/{channel}``; while the application runs, what comes in is worked on.

    Args:
        shop: Open as long as the application runs.
        channels: That are switched on.
        client: That the channels write with; closed when the application ends.
        stage: The live show, if there is one.
        config: Languages and addresses.

    Returns:
        A router whose lifespan starts and ends the work.
    """
    conversation = Conversation(shop, shop.ledger, stage, config.conversation)
    bulletin = Bulletin(shop, shop.ledger, channels, config.conversation)
    clerk = Clerk(
        shop, channels, conversation, bulletin=bulletin, language=config.conversation.language
    )
    inbox = shop.letterbox.inbox

    async def keep(channel: str, pushed: tuple[Pushed, ...]) -> None:
        await accept(inbox, channel, pushed)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as exits:
            await exits.enter_async_context(client)
            work: list[asyncio.Task[Any]] = [
                asyncio.create_task(_work(channels, clerk, config.hooks_url), name="clerk")
            ]
            work += [
                asyncio.create_task(channel.run(keep), name="wecom socket")
                for channel in channels
                if isinstance(channel, WecomSocket)
            ]
            for task in work:
                task.add_done_callback(_tell_end)
            try:
                yield
            finally:
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)

    router = APIRouter(lifespan=lifespan)
    router.include_router(messaging_routes(channels, inbox))
    return router


async def _work(channels: Sequence[Channel], clerk: Clerk, hooks_url: str | None) -> None:
    """Get every channel ready, then work."""
    await asyncio.gather(*[_started(channel, hooks_url) for channel in channels])
    await clerk.run()


async def _started(channel: Channel, hooks_url: str | None) -> None:
    where = f"{hooks_url}/hooks/{channel.name}" if hooks_url else None
    try:
        said = await channel.start(where)
    except MessagingError as error:
        log.warning("channel not ready", extra={"channel": channel.name, "reason": str(error)})
    else:
        log.info("channel ready", extra={"channel": channel.name, "said": said})


def _tell_end(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("letterbox ended", extra={"task": task.get_name(), "reason": repr(error)})
