"""What the till needs of whoever takes the money; Stripe and its sandbox are one implementation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from commerce.models.buying import Provider, ShippingRate
from commerce.money import Money


@dataclass(frozen=True, slots=True)
class PageLine:
    """One line of a payment page; ``own_shop_id`` is what the seller's own shop calls it."""

    title: str
    detail: str
    unit: Money
    quantity: int
    own_shop_id: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A payment page to open.

    Attributes:
        order: Our public id; comes back with everything the provider tells of it.
        lines: What is paid for.
        opened_at: When the order was made. The page's end counts from here, so that the same
            request is the same words when it is sent again.
        expires_at: Wished end; the provider's own limits may make it later.
        success_url: Where the buyer goes after paying.
        cancel_url: Where the buyer goes otherwise.
        shipping_countries: Where goods are shipped to; empty asks for no address.
        shipping_rates: What the buyer chooses from.
        has_tax: Whether the provider works out tax.
        session: The live session it is bought from, if any.
    """

    order: str
    lines: tuple[PageLine, ...]
    opened_at: datetime
    expires_at: datetime
    success_url: str
    cancel_url: str
    shipping_countries: tuple[str, ...] = ()
    shipping_rates: tuple[ShippingRate, ...] = ()
    has_tax: bool = False
    session: str | None = None


@dataclass(frozen=True, slots=True)
class PageState:
    """A payment page as the provider has it now.

    Attributes:
        ref: The provider's name for it.
        order: Our public id.
        url: Where the buyer pays; None once it is over.
        state: ``open``; ``processing`` when the buyer confirmed and the money is on its way;
            ``paid``; ``failed`` when it will not come; ``expired``.
        payment: The provider's name for the payment.
        charge: The provider's name for the charge, which transfers refer to.
        goods: What the lines cost.
        shipping: What shipping costs.
        tax: Tax on top of both.
        total: What the buyer pays.
        fee: What the provider keeps; 0 while unknown.
        email: What the buyer typed; never stored as it is.
        paid_at: When the money was taken, by the provider's clock.
    """

    ref: str
    order: str
    url: str | None
    state: Literal["open", "processing", "paid", "failed", "expired"]
    payment: str | None
    charge: str | None
    goods: Money
    shipping: Money
    tax: Money
    total: Money
    fee: Money
    email: str | None
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentState:
    """A payment as the provider has it now; ``refunded`` is everything so far."""

    order: str | None
    refunded: Money
    charge: str | None


@dataclass(frozen=True, slots=True)
class DisputeState:
    """A dispute as the provider has it now; ``warning`` moves no money."""

    ref: str
    payment: str
    state: Literal["warning", "withdrawn", "won", "lost"]
    amount: Money


@dataclass(frozen=True, slots=True)
class Transfer:
    """Commission to send to a recommender's account.

    Attributes:
        account: The provider's name for the recommender's account.
        amount: How much.
        charge: The charge whose money it is, if it belongs to one.
        group: Joins the transfers of one order in the provider's books.
        about: Opaque facts to keep with it.
    """

    account: str
    amount: Money
    charge: str | None = None
    group: str | None = None
    about: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A verified webhook, reduced to what it is about.

    Attributes:
        event: The provider's id of the event.
        kind: Such as ``checkout.session.completed``.
        about: The id of the object.
        page: The payment page it is about, if it is one.
        payment: The payment it is about, if any.
        order: Our public id, where the object carries it.
    """

    event: str
    kind: str
    about: str
    page: str | None
    payment: str | None
    order: str | None


class Gateway(Protocol):
    """Takes money, gives it back, sends commissions. Every call may raise ``GatewayError``.

    ``key`` makes a call safe to repeat: the same key has the same effect once.
    """

    @property
    def provider(self) -> Provider:
        """Who it is."""
        ...

    @property
    def is_test(self) -> bool:
        """Whether no real money moves."""
        ...

    async def open_page(self, request: PageRequest, *, key: str) -> PageState:
        """Open a payment page."""
        ...

    async def page(self, ref: str) -> PageState:
        """Look at a payment page."""
        ...

    async def close_page(self, ref: str) -> PageState:
        """End a page before its time; one that is over stays as it is, and is returned so."""
        ...

    async def refund(self, payment: str, amount: Money, *, key: str) -> str:
        """Give money back; returns the provider's name for it."""
        ...

    async def payment(self, ref: str) -> PaymentState:
        """Look at a payment."""
        ...

    async def dispute(self, ref: str) -> DisputeState:
        """Look at a dispute."""
        ...

    async def transfer(self, transfer: Transfer, *, key: str) -> str:
        """Send commission; returns the provider's name for it."""
        ...

    async def reverse_transfer(self, ref: str, amount: Money, *, key: str) -> str:
        """Take commission back, as far as the account has it."""
        ...

    def news(self, raw: bytes, signature: str) -> News:
        """Verify a webhook.

        Raises:
            WebhookError: Forged, stale, from the future, or unreadable.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...
