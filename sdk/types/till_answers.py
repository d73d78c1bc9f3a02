"""What the counter answers over HTTP: prices with their reasons, orders, group orders, bargains."""

from typing import Literal

from sdk.types.answers import Answered, Moment, Price


class Line(Answered):
    """One line with its price explained.

    Attributes:
        list_price: Of one unit, before any mechanism.
        unit_price: Of one unit, after the best one allowed.
        net: What the line costs.
        mechanism: ``list``, ``coupon:CODE``, ``flash:ID``, ``group:ID``, ``bargain:ID``.
        reason: What applied and why, for the receipt.
    """

    sku: str
    title: str
    quantity: int
    list_price: Price
    unit_price: Price
    net: Price
    mechanism: str
    reason: str


class QuoteView(Answered):
    """What a wish would cost now; nothing is held."""

    lines: tuple[Line, ...]
    goods: Price
    saved: Price


class FlashView(Answered):
    """A flash price, with what a countdown needs."""

    sku: str
    price: Price
    left: int
    starts_at: Moment
    ends_at: Moment
    is_running: bool


class TillView(Answered):
    """Whether the till is open, whether it is a trial, and which flash prices run."""

    now: Moment
    is_open: bool
    is_test: bool
    flash: tuple[FlashView, ...]


class Checkout(Answered):
    """The goods are held; the buyer pays at ``url`` before ``expires_at``."""

    order: str
    url: str
    expires_at: Moment
    is_test: bool


class OrderStatusView(Answered):
    """An order as whoever knows its id may see it; nothing in it names the buyer.

    Attributes:
        status: ``paid`` means that the money has arrived.
        total: Known once paid; before, the goods alone.
        refunded: So far.
        note: One line for the buyer, such as why the money went back.
        page_url: Where to pay, while it is open.
        from_chat: Whether who asks came by a link from a chat.
    """

    order: str
    status: Literal["pending", "open", "processing", "paid", "released", "returned"]
    is_test: bool
    lines: tuple[Line, ...]
    goods: Price
    shipping: Price
    tax: Price
    total: Price
    refunded: Price
    expires_at: Moment
    paid_at: Moment | None
    group: str | None
    note: str
    page_url: str | None
    from_chat: bool = False


class LadderStep(Answered):
    """From so many people on, this unit price."""

    people: int
    price: Price


class SharedProduct(Answered):
    """What a shared page is about.

    Attributes:
        image: A path of this service; None without a picture.
        list_price: What one unit costs alone.
    """

    title: str
    variant: str
    description: str
    image: str | None
    list_price: Price


class GroupOrderView(Answered):
    """A group order; only buyers who paid are counted, and nobody's name is in it.

    Attributes:
        now: The till's own clock, for an honest countdown.
        product: None when it left the shelves meanwhile.
        is_test: Whether no real money moves.
    """

    group: str
    sku: str
    now: Moment
    product: SharedProduct | None
    is_test: bool
    state: Literal["open", "formed", "failed", "settled"]
    joined: int
    target: int
    ladder: tuple[LadderStep, ...]
    price: Price
    deadline: Moment
    final_price: Price | None


class BargainView(Answered):
    """A bargain, with what is needed to check every cut once it is over.

    Attributes:
        now: The till's own clock, for an honest countdown.
        product: None when it left the shelves meanwhile.
        is_test: Whether no real money moves.
        is_yours: Whether the visitor who asks began it, and may buy at its price.
        commitment: SHA-256 of the seed that fixes every cut, published before the first.
        seed: Revealed at the end; empty before.
    """

    bargain: str
    sku: str
    now: Moment
    product: SharedProduct | None
    is_test: bool
    is_yours: bool
    price: Price
    start: Price
    floor: Price
    helps: int
    helps_needed: int
    deadline: Moment
    commitment: str
    seed: str
    cuts: tuple[Price, ...]


class HelpedView(BargainView):
    """A bargain after a friend's help, and what that took off."""

    cut: Price


class Received(Answered):
    """A webhook was kept, or had been before."""

    received: Literal[True]
