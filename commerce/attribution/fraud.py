"""Signals that make a person look twice. They hold and explain; they never deny by themselves.

One weak signal alone does nothing; a strong one, or two weak ones, hold an order's commission until
somebody releases or denies it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from commerce.attribution.trust import wilson_lower_bound
from commerce.models.earnings import Signal

IMPOSSIBLE_S = 3
_BURST_CLICKS = 30
BURST_S = 600
_LEAK_ORDERS = 10
_LEAK_ORDERS_PER_CLICK = 5
_RING_ORDERS = 5
_RING_TIMES_USUAL = 2


@dataclass(frozen=True, slots=True)
class BuyerFacts:
    """What the order's own touches and identities say.

    Attributes:
        is_same_person: Whether firm evidence makes buyer and recommender one person.
        hints: Weak evidence that they are: ``same_card``, ``same_device``, ….
        seconds_since_click: From the buyer's last click on the recommender's link to the payment.
    """

    is_same_person: bool = False
    hints: frozenset[str] = frozenset()
    seconds_since_click: float | None = None


@dataclass(frozen=True, slots=True)
class CrowdFacts:
    """What everybody else's touches and orders say about the recommender.

    Attributes:
        lacks_impression: Whether the click came from a group where nothing had been shown before.
        clicks_before: Clicks on the recommender's links in the ten minutes before the credited one.
        coupon: The coupon the order used, if one.
        coupon_orders: Orders of the week before that used it and were credited to the recommender.
        coupon_clicks: Clicks on the recommender's links in that week.
        orders: Orders ever credited to the recommender.
        refunded: Those of them that were refunded.
        usual_rate: Refunded orders of everybody else, as a share in [0, 1].
    """

    lacks_impression: bool = False
    clicks_before: int = 0
    coupon: str | None = None
    coupon_orders: int = 0
    coupon_clicks: int = 0
    orders: int = 0
    refunded: int = 0
    usual_rate: float = 0.0


def buyer_signals(facts: BuyerFacts) -> list[Signal]:
    """What the order itself shows."""
    found = []
    if facts.is_same_person:
        found.append(
            Signal("self_referral", True, "the buyer and the recommender are the same person")
        )
    elif facts.hints:
        words = " and ".join(hint.replace("_", " ") for hint in sorted(facts.hints))
        found.append(
            Signal(
                "self_referral",
                "same_card" in facts.hints,
                f"the buyer and the recommender have the {words}",
            )
        )
    since = facts.seconds_since_click
    if since is not None and since < IMPOSSIBLE_S:
        found.append(
            Signal(
                "impossible_time", True,
                f"paid {since:.1f} s after the click; nobody fills in a checkout in"
                f" {IMPOSSIBLE_S} s",
            )
        )  # fmt: skip
    return found


def crowd_signals(facts: CrowdFacts) -> list[Signal]:
    """What the order shows next to all others."""
    found = []
    if facts.lacks_impression:
        found.append(
            Signal(
                "no_impression", False,
                "the click says it came from a group in which nothing had been shown before",
            )
        )  # fmt: skip
    if facts.clicks_before >= _BURST_CLICKS:
        found.append(
            Signal(
                "burst", False,
                f"{facts.clicks_before} clicks on the recommender's links within"
                f" {BURST_S // 60} minutes",
            )
        )  # fmt: skip
    is_leaking = facts.coupon_orders >= _LEAK_ORDERS and (
        facts.coupon_orders > _LEAK_ORDERS_PER_CLICK * facts.coupon_clicks
    )
    if is_leaking:
        found.append(
            Signal(
                "code_leak", True,
                f"coupon {facts.coupon} was used in {facts.coupon_orders} orders of a week with"
                f" {facts.coupon_clicks} clicks; it may stand on a coupon site",
            )
        )  # fmt: skip
    lowest_rate = wilson_lower_bound(facts.refunded, facts.orders)
    is_ring = facts.orders >= _RING_ORDERS and (
        lowest_rate > _RING_TIMES_USUAL * facts.usual_rate and 2 * facts.refunded >= facts.orders
    )
    if is_ring:
        found.append(
            Signal(
                "refund_ring", True,
                f"{facts.refunded} of the recommender's {facts.orders} orders were refunded;"
                f" usual are {facts.usual_rate:.0%}",
            )
        )  # fmt: skip
    return found


def holds(signals: Sequence[Signal]) -> bool:
    """Whether these signals hold the commission until a person has looked."""
    return any(signal.is_strong for signal in signals) or len({s.code for s in signals}) >= 2
