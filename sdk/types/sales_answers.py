"""What the console is answered about money: reports, commissions, orders and stock."""

from typing import Literal

from sdk.types.answers import Answered, Moment, Price
from sdk.types.till_answers import Line


class SalesRow(Answered):
    """One line of a report; ``(none)`` is what no recommendation led to."""

    key: str
    orders: float
    goods: Price
    returned: Price
    commission: Price | None


class Total(Answered):
    """The sum of a report in one currency."""

    goods: Price
    returned: Price
    commission: Price | None


class Sales(Answered):
    """Who brought the sales.

    Attributes:
        rows: A part of them, most goods first, what nobody brought last.
        row_count: All of them.
        orders: All paid orders of the time.
        totals: Of all rows, for each currency.
        is_test: Whether they are test orders; shown only while there are no real ones.
    """

    group_by: str
    model: str
    since: Moment | None
    until: Moment | None
    rows: tuple[SalesRow, ...]
    row_count: int
    orders: int
    totals: tuple[Total, ...]
    is_test: bool
    next_offset: int | None


class Day(Answered):
    """What was sold in one day of UTC, in one currency."""

    day: str
    orders: int
    goods: Price
    returned: Price


class Days(Answered):
    """The days on which something was sold, oldest first."""

    items: tuple[Day, ...]
    is_test: bool


class BalanceView(Answered):
    """What a recommender has with the shop; ``carried`` is taken from later earnings."""

    recommender: str
    held: Price
    payable: Price
    paying: Price
    paid: Price
    carried: Price
    is_test: bool


class Balances(Answered):
    """A part of the balances."""

    items: tuple[BalanceView, ...]
    next_offset: int | None


class SignalView(Answered):
    """A reason to look twice, with its figures."""

    code: str
    is_strong: bool
    explanation: str


class Hold(Answered):
    """An order whose commission waits for a person."""

    order: str
    commission: Price
    recommenders: tuple[str, ...]
    signals: tuple[SignalView, ...]


class Holds(Answered):
    """A part of them, oldest first."""

    items: tuple[Hold, ...]
    next_offset: int | None


class Decided(Answered):
    """What a person decided about an order's commission."""

    order: str
    verdict: Literal["release", "deny"]


class PayoutView(Answered):
    """Money for a recommender; the rail ``csv`` means that the seller pays it."""

    key: str
    recommender: str
    amount: Price
    state: str
    rail: str
    reference: str | None
    problem: str | None
    is_test: bool


class Payouts(Answered):
    """A part of the payouts, newest first."""

    items: tuple[PayoutView, ...]
    next_offset: int | None


class SettledView(Answered):
    """Orders whose commission became payable now, and those held back."""

    matured: int
    held: int


class Receipt(Answered):
    """An order as the seller sees it; nothing in it names the buyer.

    Attributes:
        left: What can still be given back.
    """

    order: str
    status: str
    provider: str
    is_test: bool
    lines: tuple[Line, ...]
    goods: Price
    shipping: Price
    tax: Price
    total: Price
    refunded: Price
    left: Price
    created_at: Moment
    paid_at: Moment | None
    expires_at: Moment
    group: str | None
    note: str


class Orders(Answered):
    """A part of the orders, newest first."""

    items: tuple[Receipt, ...]
    next_offset: int | None


class StockView(Answered):
    """Units of a product; None where the seller does not count them."""

    sku: str
    title: str
    variant: str
    price: Price
    stock: int | None
    stock_version: int


class StockList(Answered):
    """A part of the shelf, in the catalogue's order."""

    items: tuple[StockView, ...]
    count: int
    next_offset: int | None


class StockSet(Answered):
    """The stock as it became."""

    sku: str
    stock: int
    stock_version: int


class AccountView(Answered):
    """Where a recommender's commission goes at the payment provider."""

    recommender: str
    account: str


class Accounts(Answered):
    """The accounts that are known.

    Attributes:
        provider: Who pays them out; None where the till pays nobody.
    """

    provider: str | None
    items: tuple[AccountView, ...]
