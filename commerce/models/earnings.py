"""What the ledger answers: credits, reports, balances, payouts, holds and trust."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

from commerce.money import Money

GroupBy = Literal["recommender", "group", "product", "channel", "session"]
ModelName = Literal[
    "paid",  # what the declared rule credited; the others are analysis
    "first",
    "last",
    "last_non_direct",
    "linear",
    "time_decay",
    "position",
    "markov",
    "shapley",
]
PayoutState = Literal["started", "paid", "failed"]


@dataclass(frozen=True, slots=True)
class Signal:
    """A reason to look twice at an order.

    Attributes:
        code: For programs: ``self_referral``, ``impossible_time``, ``no_impression``, ``burst``,
            ``code_leak`` or ``refund_ring``.
        is_strong: Whether it holds the commission alone; weak ones hold together.
        explanation: For the person who decides, with the figures.
    """

    code: str
    is_strong: bool
    explanation: str


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """An order whose commission waits for a person.

    Attributes:
        order: The order's public id.
        commission: What is held.
        recommenders: Who would earn it.
        signals: Why it is held.
    """

    order: str
    commission: Money
    recommenders: tuple[str, ...]
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of a report, in one currency.

    Attributes:
        key: Node, SKU, channel or session; ``(none)`` for what no touch led to.
        orders: Credited orders, in fractions where several share one.
        goods: Credited share of what was paid for goods.
        returned: Credited share of goods that went back.
        commission: What the declared rule gives for it, after reversals; None where the model is
            not the one that is paid.
    """

    key: str
    orders: float
    goods: Money
    returned: Money
    commission: Money | None


@dataclass(frozen=True, slots=True)
class Report:
    """Who brought the sales.

    Attributes:
        rows: Highest goods first.
        orders: All paid orders of the time asked for, credited or not.
        is_test: Whether they are test orders; shown only while there are no real ones.
    """

    group_by: GroupBy
    model: ModelName
    since: datetime | None
    until: datetime | None
    rows: tuple[ReportRow, ...]
    orders: int
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class DaySales:
    """What was sold in one day of UTC, in one currency."""

    day: date
    orders: int
    goods: Money
    returned: Money


@dataclass(frozen=True, slots=True)
class Balance:
    """What a recommender has with the shop, in one currency.

    Attributes:
        held: Earned, but still inside the return window, disputed or being looked at.
        payable: To be paid out next; below zero it is carried against what is earned later.
        paying: Handed over, arrival not yet confirmed.
        paid: Arrived, over all time, less what was taken back.
        is_test: Whether it comes from test orders; no real money is ever paid for those.
    """

    recommender: str
    held: Money
    payable: Money
    paying: Money
    paid: Money
    is_test: bool = False

    @property
    def carried(self) -> Money:
        """What was paid too much and is taken from later earnings."""
        return Money(max(0, -self.payable.minor), self.payable.currency)


@dataclass(frozen=True, slots=True)
class Payout:
    """Money for one recommender.

    Attributes:
        key: Unique and stable; use it as the provider's idempotency key.
        recommender: Node of who gets it.
        rail: How: ``csv`` means by the seller, outside this software.
        reference: The provider's id, once paid.
        problem: Why it failed.
        is_test: Whether only test orders are behind it.
    """

    key: str
    recommender: str
    amount: Money
    state: PayoutState
    rail: str
    reference: str | None = None
    problem: str | None = None
    is_test: bool = False


class PayoutRail(Protocol):
    """Something that can move money to recommenders, such as Stripe Connect transfers."""

    @property
    def name(self) -> str:
        """Short, such as ``stripe``; kept with each payout."""
        ...

    @property
    def is_test(self) -> bool:
        """Whether it moves no real money; then it serves test orders, else only real ones."""
        ...

    async def pay(self, payout: Payout) -> str:
        """Move the money and return the provider's id.

        Called again with the same ``payout.key`` after a crash, so it must be idempotent on it.

        Raises:
            PayoutError: The provider refuses for good; the amount becomes payable again.
        """
        ...

    async def take_back(self, payout: Payout, amount: Money, key: str) -> Money:
        """Take back up to ``amount`` of a paid payout, idempotent on ``key``; what it got."""
        ...


@dataclass(frozen=True, slots=True)
class Settled:
    """What settling did: orders whose commission became payable, and those held back."""

    matured: int
    held: int


@dataclass(frozen=True, slots=True)
class TrustEvidence:
    """What is known about a recommender's advice, from orders alone.

    Attributes:
        category: The shelf; None for all of them.
        orders: Verified purchases that ran their course (delivered, refunded or disputed).
        kept: Those delivered and neither returned nor lost in a dispute.
        refunded: Those of which goods went back.
        disputed: Those lost in a dispute.
        lower_bound: Wilson's lower bound, 95 %, of the rate of kept orders, in [0, 1].
    """

    recommender: str
    category: str | None
    orders: int
    kept: int
    refunded: int
    disputed: int
    lower_bound: float


@dataclass(frozen=True, slots=True)
class Relation:
    """A recommender and a buyer, over all channels they met on.

    Attributes:
        orders: Orders credited to the recommender.
        groups: Groups they met in.
        since: First credited order; None when there is only a cut.
        last: Latest credited order.
        is_cut: Whether either side ended it; nothing is credited from then on.
    """

    recommender: str
    buyer: str
    orders: int
    groups: tuple[str, ...]
    since: datetime | None
    last: datetime | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Purchase:
    """A paid order as its buyer may know it.

    Attributes:
        skus: What was bought, each once.
        delivered_at: When it arrived; None while it is on its way.
    """

    order: str
    skus: tuple[str, ...]
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erased:
    """What forgetting did: names removed, and what stays without a name."""

    nodes: int
    keys: int
    kept: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Retained:
    """What left because it was old, or would leave.

    Attributes:
        before: Touches older than this.
        removed: Touches that left.
        kept: Old touches that stayed, because a credit rests on them.
        is_dry_run: Whether nothing was written.
    """

    before: datetime
    removed: int
    kept: int
    is_dry_run: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """The books recomputed from their rows.

    Attributes:
        touches: Links checked in the chain of touches.
        entries: Links checked in the chain of the journal.
        problems: One line each; empty when everything adds up.
    """

    touches: int
    entries: int
    problems: tuple[str, ...]


Document = dict[str, Any]
"""JSON-ready: a signed statement or a person's export."""
