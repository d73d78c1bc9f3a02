"""What the parts of the till share."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout.gateway import Gateway
from commerce.errors import CheckoutError
from commerce.models.buying import TillConfig
from commerce.models.happenings import Happening, to_json
from commerce.shop.context import Context
from commerce.shop.outbox import Outbox, post


class Books(Protocol):
    """What the till needs of the ledger."""

    async def node(self, kind: str, *parts: str) -> str:
        """The identity node of somebody, without their raw id."""
        ...

    async def book(self, happening: Happening) -> None:
        """Write down what happened to an order; safe to be told twice."""
        ...

    async def forget(self, node: str) -> object:
        """Erase who somebody is."""
        ...


@dataclass(slots=True)
class Desk:
    """Handed to every part of the till.

    Attributes:
        context: Of the shop.
        outbox: Does what transactions leave to be done.
        step: Told the name of every step; tests end the process there.
        config: What the seller decided.
        gateway: Takes the money; None until one is connected.
        books: The ledger; None in a shop without one.
    """

    context: Context
    outbox: Outbox
    step: Callable[[str], None]
    config: TillConfig
    gateway: Gateway | None = None
    books: Books | None = None

    @property
    def now(self) -> datetime:
        """The time."""
        return self.context.clock()

    def require_gateway(self) -> Gateway:
        """Whoever takes the money.

        Raises:
            CheckoutError: Nobody does yet.
        """
        if self.gateway is None:
            raise CheckoutError("no payment provider is connected; the checkout is not open")
        return self.gateway

    async def tell(self, session: AsyncSession, happening: Happening, key: str) -> None:
        """Leave news of an order for the ledger, in the caller's transaction."""
        await post(
            session,
            key=key,
            aggregate=f"news:{happening.order}",
            kind="news",
            payload=to_json(happening),
            now=self.now,
        )


def new_id(prefix: str) -> str:
    """An id that nobody can guess: 120 random bits."""
    return f"{prefix}_{secrets.token_hex(15)}"
