"""The chat services beside a live session: the routes that take their calls."""

import httpx
from fastapi import APIRouter

from commerce.errors import CommerceError
from commerce.shop import Shop
from sdk.errors import SettingsError
from sdk.messaging import (
    ConversationConfig,
    LetterboxConfig,
    LiveStage,
    letterbox_routes,
    open_channels,
)
from sdk.session import Session
from sdk.settings import read_messaging_settings

_POOL = httpx.Limits(max_connections=50, max_keepalive_connections=20)


def hook_routes(session: Session, shop: Shop, *, address: str, language: str) -> list[APIRouter]:
    """The routes of the letterbox; none when no chat service is switched on.

    Args:
        session: Open; speaks the pitches.
        shop: Open as long as the application runs.
        address: Of this server, for links, where no public one is set.
        language: Of the voice.

    Raises:
        SettingsError: A service is half switched on, or messages could not be kept.
    """
    settings = read_messaging_settings()
    if not settings.switched_on():
        return []
    try:
        shop.letterbox.require_key()
    except CommerceError as error:
        raise SettingsError(str(error)) from error
    client = httpx.AsyncClient(limits=_POOL, follow_redirects=False)
    public_url = (settings.public_url or address).rstrip("/")
    conversation = ConversationConfig(
        public_url=public_url,
        language=language,
        admins=frozenset(one.strip() for one in settings.admins.split(",") if one.strip()),
    )
    hooks_url = settings.public_url.rstrip("/") or None
    config = LetterboxConfig(conversation, hooks_url)
    channels = open_channels(settings, client)
    return [letterbox_routes(shop, channels, client, LiveStage(session), config)]
