"""Who earned an order: the declared rule applied to the touches of its buyer."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from commerce.attribution.heuristics import HEURISTICS
from commerce.attribution.journeys import Step
from commerce.attribution.rule import CommissionRule
from commerce.attribution.split import rounded, split

_BPS = 10_000


@dataclass(frozen=True, slots=True)
class CreditableTouch:
    """A touch that may earn a share.

    Attributes:
        touch_id: Its row.
        kind: What it was.
        recommender: Who would earn; None for a direct visit.
        occurred_us: When.
        lineage: Who had recommended the recommender, nearest first.
        digest: Of its content, the same on whatever day it was recorded.
    """

    touch_id: int
    kind: str
    recommender: int | None
    occurred_us: int
    lineage: tuple[int, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class RatedLine:
    """What a line of the order was sold for, and the rate it earns."""

    net_minor: int
    bps: int


@dataclass(frozen=True, slots=True)
class EarnedShare:
    """What one touch earned of one order.

    Attributes:
        hop: 0 for the recommender, 1 for who had recommended them, and so on.
        share: Of the commission of that hop.
        commission_minor: Before anything was returned.
        reason: In a few plain words.
    """

    recommender: int
    touch_id: int
    hop: int
    share: Fraction
    commission_minor: int
    reason: str


def pool_minor(lines: Sequence[RatedLine]) -> int:
    """The whole direct commission of an order, rounded once, a half up."""
    return rounded(sum((Fraction(line.net_minor * line.bps, _BPS) for line in lines), Fraction(0)))


def in_window(
    touches: Sequence[CreditableTouch], paid_us: int, rule: CommissionRule
) -> list[CreditableTouch]:
    """The touches that count, in the order of time whatever the order they were told in."""
    counting = []
    for touch in touches:
        if touch.kind not in rule.windows_s or touch.occurred_us > paid_us:
            continue
        window_s = rule.windows_s[touch.kind]
        if window_s is None or paid_us - touch.occurred_us <= window_s * 1_000_000:
            counting.append(touch)
    return sorted(counting, key=lambda touch: (touch.occurred_us, touch.digest))


def earned(
    touches: Sequence[CreditableTouch],
    paid_us: int,
    lines: Sequence[RatedLine],
    rule: CommissionRule,
) -> list[EarnedShare]:
    """Share an order's commission among the recommenders of its journey.

    Args:
        touches: All touches of the buyer, in any order.
        paid_us: When it was paid.
        lines: What it is taken from.
        rule: In force when it was paid.

    Returns:
        Nothing when no recommendation counts: such an order is unattributed.
    """
    counting = in_window(touches, paid_us, rule)
    shares = _shares(counting, paid_us, rule)
    if not shares:
        return []
    amounts = split(pool_minor(lines), [share for _, share in shares])
    found = [
        EarnedShare(
            _known(touch.recommender),
            touch.touch_id,
            0,
            share,
            amount,
            _reason(touch, paid_us, rule),
        )
        for (touch, share), amount in zip(shares, amounts, strict=True)
    ]
    goods = sum(line.net_minor for line in lines)
    for hop, bps in enumerate(rule.hop_bps, start=1):
        above = [(touch, share) for touch, share in shares if len(touch.lineage) >= hop]
        # Who has nobody above leaves that part of the hop with the shop.
        pool = rounded(Fraction(goods * bps, _BPS) * sum((s for _, s in above), Fraction(0)))
        parts = split(pool, [share for _, share in above])
        found += [
            EarnedShare(
                touch.lineage[hop - 1], touch.touch_id, hop, share, part,
                f"recommended the recommender, level {hop}",
            )
            for (touch, share), part in zip(above, parts, strict=True)
        ]  # fmt: skip
    return found


def _shares(
    counting: Sequence[CreditableTouch], paid_us: int, rule: CommissionRule
) -> list[tuple[CreditableTouch, Fraction]]:
    recommending = [touch for touch in counting if touch.recommender is not None]
    if not recommending:
        return []
    if rule.model == "last_recommender":
        return [(_last_recommender(recommending), Fraction(1))]
    # Money goes to people only, so direct visits are left out before sharing.
    steps = [Step(str(touch.recommender), touch.occurred_us) for touch in recommending]
    weights = HEURISTICS[rule.model](steps, paid_us)
    return [pair for pair in zip(recommending, weights, strict=True) if pair[1]]


def _last_recommender(recommending: Sequence[CreditableTouch]) -> CreditableTouch:
    latest = max(touch.occurred_us for touch in recommending)
    tied = [touch for touch in recommending if touch.occurred_us == latest]

    def came_first(touch: CreditableTouch) -> tuple[int, str]:
        first = min(t.occurred_us for t in recommending if t.recommender == touch.recommender)
        return first, touch.digest

    return min(tied, key=came_first)


def _reason(touch: CreditableTouch, paid_us: int, rule: CommissionRule) -> str:
    words = {
        "click": "opened the recommender's link",
        "view": "saw the recommendation",
        "live": "watched the recommender's live session",
        "code": "the checkout carried the recommender's link",
    }
    age_s = (paid_us - touch.occurred_us) // 1_000_000
    when = "at checkout" if age_s == 0 else f"{_span(age_s)} before paying"
    return f"{words[touch.kind]}, {when}; {rule.model.replace('_', ' ')} touch earns"


def _span(seconds: int) -> str:
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' if count > 1 else ''}"
    return f"{seconds} s"


def _known(recommender: int | None) -> int:
    assert recommender is not None
    return recommender
