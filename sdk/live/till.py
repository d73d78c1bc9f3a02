"""The till beside a live session: connected to whoever takes the money, and kept at work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from commerce.settings import read_settings
from commerce.shop import Shop
from commerce.shop.connecting import Connection, connected
from sdk.live.access import Access
from sdk.storefront import PageLink

# Relative: a buyer may have opened this server by any of its names.
_PAGE_ADDRESS = "/sandbox/pay"


@asynccontextmanager
async def open_till(shop: Shop) -> AsyncIterator[Connection]:
    """Stripe where the settings hold a key, the sandbox till otherwise.

    Args:
        shop: Open.

    Raises:
        CommerceError: A setting is wrong.
    """
    async with (
        connected(shop.till, read_settings(), page_address=_PAGE_ADDRESS) as connection,
        connection.running(),
    ):
        yield connection


def page_link(access: Access) -> PageLink:
    """Where tracked links lead: the live page, with a ticket where one is needed."""

    def link(session: str | None, sku: str | None) -> str:
        facts = {"session": session, "product": sku, "ticket": access.ticket()}
        query = urlencode({name: value for name, value in facts.items() if value})
        return f"/?{query}" if query else "/"

    return link
