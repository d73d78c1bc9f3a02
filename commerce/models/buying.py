"""What a buyer asks of the till, and what the till tells: plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from commerce.money import Money

OrderStatus = Literal["pending", "open", "processing", "paid", "released", "returned"]
Provider = Literal["stripe", "sandbox", "shopify", "woocommerce"]


@dataclass(frozen=True, slots=True)
class Wish:
    """So many of a variant."""

    sku: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A buyer wants to pay.

    Attributes:
        lines: What for; a SKU at most once.
        buyer: Identity node of the buyer, such as ``visitor:ab12``.
        return_url: Address of the order's page; ``{order}`` in it becomes the public id.
        coupon: A code the buyer typed.
        group: Public id of the group order to join.
        bargain: Public id of the buyer's bargain.
        referral: The token of the chat link that led here.
        session: The live session it is bought from.
        hold: How long the goods are kept; flash prices may shorten it.
    """

    lines: tuple[Wish, ...]
    buyer: str
    return_url: str = ""
    coupon: str | None = None
    group: str | None = None
    bargain: str | None = None
    referral: str | None = None
    session: str | None = None
    hold: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CheckoutStarted:
    """The goods are held; the buyer pays at ``url`` before ``expires_at``."""

    order: str
    url: str
    expires_at: datetime
    is_test: bool


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """One line with its price explained.

    Attributes:
        sku: The variant.
        title: As the buyer sees it.
        quantity: Units.
        list_price: Of one unit, before any mechanism.
        unit_price: Of one unit, after the best allowed mechanism.
        mechanism: Which one: ``list``, ``coupon:CODE``, ``flash:KEY``, ``group:ID``, …; joined by
            ``+`` where two were declared to stack.
        reason: What applied and why, for the receipt.
    """

    sku: str
    title: str
    quantity: int
    list_price: Money
    unit_price: Money
    mechanism: str
    reason: str

    @property
    def net(self) -> Money:
        """What the line costs."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Quote:
    """What a wish would cost now; shipping and tax are added on the payment page."""

    lines: tuple[QuotedLine, ...]
    goods: Money
    saved: Money


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as the buyer and the seller may see it.

    Attributes:
        order: Public id; whoever knows it may see the order.
        status: See ``OrderStatus``: ``paid`` means that the money has arrived.
        provider: Who takes the money.
        is_test: Whether no real money moves.
        lines: What was bought and why at that price.
        goods: After every reduction.
        shipping: Known once paid.
        tax: Known once paid.
        total: Known once paid; before, the goods alone.
        refunded: So far.
        expires_at: Until when the goods are held, while the order is open.
        created_at: When.
        paid_at: When, if ever.
        group: Public id of its group order, if any.
        note: One line for the buyer, such as why the money went back.
        page_url: Where to pay, while it is open.
    """

    order: str
    status: OrderStatus
    provider: Provider
    is_test: bool
    lines: tuple[QuotedLine, ...]
    goods: Money
    shipping: Money
    tax: Money
    total: Money
    refunded: Money
    expires_at: datetime
    created_at: datetime
    paid_at: datetime | None
    group: str | None
    note: str
    page_url: str | None


@dataclass(frozen=True, slots=True)
class Coupon:
    """A reduction for whoever knows its code.

    Attributes:
        code: As typed; upper and lower case are one.
        percent: Reduction in hundredths of a percent, or None for ``amount``.
        amount: Reduction of one unit, or None for ``percent``.
        sku: The only variant it is for; None for all.
        quota: Orders in all; None without limit.
        per_buyer: Orders per buyer; None without limit.
        starts_at: From when; None at once.
        ends_at: Until when; None for ever.
        stacks_with: Kinds of mechanism on which it may be taken on top, such as ``flash``.
    """

    code: str
    percent: int | None = None
    amount: Money | None = None
    sku: str | None = None
    quota: int | None = None
    per_buyer: int | None = 1
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    stacks_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlashPrice:
    """A price for a short time.

    Attributes:
        sku: The variant.
        price: Of one unit.
        starts_at: From when.
        ends_at: Until when.
        quota: Units in all at this price.
        per_buyer: Units per buyer at this price.
        hold: How long an order at this price is kept.
    """

    sku: str
    price: Money
    starts_at: datetime
    ends_at: datetime
    quota: int
    per_buyer: int = 1
    hold: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class FlashState:
    """A flash price as it stands, for a page's countdown."""

    sku: str
    price: Money
    left: int
    starts_at: datetime
    ends_at: datetime
    is_running: bool


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group order as it stands; only paid joiners count, and every one of them is a real buyer.

    Attributes:
        group: Public id, part of the link to join.
        sku: What is bought together.
        state: ``open``, ``formed`` once enough have paid; in the end ``settled`` or ``failed``.
        joined: Buyers who paid.
        target: Buyers needed.
        ladder: From how many people which unit price, dearest first.
        price: What a buyer pays now (the dearest step; the difference comes back).
        deadline: Until when.
        leader: Identity node of the leader.
        final_price: What one unit cost in the end.
    """

    group: str
    sku: str
    state: Literal["open", "formed", "failed", "settled"]
    joined: int
    target: int
    ladder: tuple[tuple[int, Money], ...]
    price: Money
    deadline: datetime
    leader: str
    final_price: Money | None


@dataclass(frozen=True, slots=True)
class BargainState:
    """A bargain as it stands.

    Attributes:
        bargain: Public id, part of the link for friends.
        sku: What it is about.
        price: What the buyer may pay now.
        start: What it began at.
        floor: The lowest it can get, told from the first moment.
        helps: Friends so far.
        helps_needed: Friends until the floor, told from the first moment.
        deadline: Until when.
        commitment: SHA-256 of the seed that fixes every cut, published before the first.
        seed: Revealed once the bargain is over; empty before.
        cuts: What each friend took off, in order.
        buyer: Identity node of whoever began it, and alone may buy at its price.
    """

    bargain: str
    sku: str
    price: Money
    start: Money
    floor: Money
    helps: int
    helps_needed: int
    deadline: datetime
    commitment: str
    seed: str
    cuts: tuple[Money, ...]
    buyer: str


@dataclass(frozen=True, slots=True)
class ShippingRate:
    """A way to ship and what it costs."""

    name: str
    price: Money


@dataclass(frozen=True, slots=True)
class TillConfig:
    """What the seller decided about paying.

    Attributes:
        hold: How long goods are kept for a buyer who is paying.
        patience: How long a payment that is on its way (bank debits) keeps its goods.
        shipping_countries: ISO codes the seller ships to; empty for goods that need no address.
        shipping_rates: What the buyer chooses from.
        has_tax: Whether the provider works out tax.
        own_shop: Address of the seller's own shop when buyers pay there.
    """

    hold: timedelta = timedelta(minutes=30)
    patience: timedelta = timedelta(days=14)
    shipping_countries: tuple[str, ...] = ()
    shipping_rates: tuple[ShippingRate, ...] = ()
    has_tax: bool = False
    own_shop: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An errand that failed too often, for a person to look at."""

    id: int
    kind: str
    aggregate: str
    attempts: int
    error: str
    created_at: datetime
    payload: Mapping[str, object] = field(default_factory=dict, hash=False)
