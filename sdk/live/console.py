"""The seller's console beside a live session."""

from fastapi import APIRouter

from commerce.shop import Shop
from sdk.console import ChannelFacts, Desk, console_routes
from sdk.live.access import Access
from sdk.media import Broadcaster
from sdk.messaging.capabilities import CAPABILITIES
from sdk.session import Session
from sdk.settings import read_messaging_settings


def console_router(session: Session, shop: Shop, access: Access) -> APIRouter:
    """``/console`` and its API.

    Args:
        session: Open.
        shop: Open as long as the application runs.
        access: Who may do what.

    Raises:
        SettingsError: A chat service is half switched on.
    """
    # The WeCom bot is one channel, however it is reached.
    on = {name.partition(" ")[0] for name in read_messaging_settings().switched_on()}
    channels = [
        ChannelFacts(name, name in on, facts.reads, facts.richest)
        for name, facts in CAPABILITIES.items()
    ]

    def viewers() -> int:
        transmitter = session.parts.transmitter
        return transmitter.stats().viewers if isinstance(transmitter, Broadcaster) else 0

    return console_routes(
        Desk(
            session,
            shop,
            channels,
            viewers=viewers,
            admits=access.admits_seller,
            ticket=access.ticket,
            is_guarded=access.is_guarded,
        )
    )
