"""What the books must say about an order, as a function of everything known about it.

Nothing here adds one step to the last: the target is computed from the set of news, and what is
posted is the difference to what the books say already. So news that comes twice, late or in
another order leads to the same books, and a commission reversed in many parts ends at exactly
nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from commerce.attribution.split import rounded

Aspect = Literal["sale", "refund", "dispute", "commission"]
DisputeState = Literal["warning", "withdrawn", "won", "lost"]

Postings = dict[tuple[str, int | None], int]
"""Minor units by account kind and owner: debit above zero, credit below; they sum to zero."""

TEST = "test_"
"""Accounts of test orders begin so."""

_RANK: Mapping[str, int] = {"warning": 0, "withdrawn": 1, "lost": 2, "won": 3}


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid for, in minor units of one currency."""

    goods: int
    shipping: int
    tax: int
    total: int
    fee: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """The latest known about one dispute."""

    state: DisputeState
    amount: int
    occurred_us: int

    def or_later(self, other: "Dispute") -> "Dispute":
        """The one that settles it; a settled dispute does not open again."""
        return max(
            self,
            other,
            key=lambda d: (d.state in {"won", "lost"}, d.occurred_us, _RANK[d.state], d.amount),
        )


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """One line's goods.

    Attributes:
        net: Paid for them, minor units.
        rate: Commission in hundredths of a percent; 0 while it does not matter.
        back: Given back for this very line so far, minor units, at most ``net``.
    """

    net: int
    rate: int = 0
    back: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything known about one paid order.

    Attributes:
        lines: Where refunds named what they were for; empty where none did.
    """

    paid: Paid
    refunded: int = 0
    goods_refunded: int = 0
    disputes: Mapping[str, Dispute] = field(default_factory=dict, hash=False)
    lines: tuple[GoodsLine, ...] = ()

    def rated(self, rates: Sequence[int]) -> "Standing":
        """The same with the lines' rates, in their order."""
        if not self.lines:
            return self
        lines = tuple(
            GoodsLine(line.net, rate, line.back)
            for line, rate in zip(self.lines, rates, strict=True)
        )
        return replace(self, lines=lines)

    @property
    def returned(self) -> int:
        """What went back by refunds, never more than was paid."""
        return min(self.refunded, self.paid.total)

    @property
    def goods_returned(self) -> int:
        """How much of it was for goods."""
        return min(self.goods_refunded, self.paid.goods, self.returned)

    @property
    def is_disputed(self) -> bool:
        """Whether the bank has taken money and not decided yet."""
        return any(dispute.state == "withdrawn" for dispute in self.disputes.values())

    @property
    def lost(self) -> int:
        """What disputes took for good; a refund and a dispute cannot both take the same money."""
        taken = sum(d.amount for d in self.disputes.values() if d.state == "lost")
        return min(taken, self.paid.total - self.returned)

    @property
    def goods_back(self) -> int:
        """What of the goods' price the shop no longer has."""
        rest, goods_rest = self.paid.total - self.returned, self.paid.goods - self.goods_returned
        lost = rounded(Fraction(self.lost * goods_rest, rest)) if rest else 0
        return self.goods_returned + min(lost, goods_rest)

    @property
    def commission_gone(self) -> Fraction:
        """Share of the commission that the returned goods take with them, in [0, 1].

        A line's own refund takes that line's commission. What went back without a line (or was lost
        to a bank) is spread over what is left of all lines, so a return in full takes exactly all.
        """
        goods, back = self.paid.goods, self.goods_back
        if goods == 0:
            return Fraction(0)
        named = sum(line.back for line in self.lines)
        pool = sum(line.net * line.rate for line in self.lines)
        if not 0 < named <= back or pool == 0:
            return Fraction(back, goods)
        rest = Fraction(back - named, goods - named) if goods > named else Fraction(0)
        gone = sum(
            (line.rate * (line.back + (line.net - line.back) * rest) for line in self.lines),
            Fraction(0),
        )
        return gone / pool


@dataclass(frozen=True, slots=True)
class Owed:
    """A recommender's commission of one order, before anything was returned."""

    recommender: int
    full: int


def after_returns(full: int, standing: Standing) -> int:
    """What of a commission is left: reversed by all goods returned so far."""
    return full - rounded(full * standing.commission_gone)


def targets(
    standing: Standing, owed: Iterable[Owed], *, is_payable: bool, is_denied: bool
) -> dict[Aspect, Postings]:
    """What the books must hold for the order, by aspect; each sums to zero.

    Args:
        standing: What is known.
        owed: Commissions in full.
        is_payable: Whether its return window is over and nothing holds it.
        is_denied: Whether a person decided that it earns nothing.
    """
    return {
        "sale": _sale(standing.paid),
        "refund": _refund(standing),
        "dispute": _disputes(standing),
        "commission": {} if is_denied else _commission(standing, owed, is_payable=is_payable),
    }


def difference(target: Mapping[tuple[str, int | None], int], booked: Postings) -> Postings:
    """What to post so that the books say the target."""
    moved = {
        account: target.get(account, 0) - booked.get(account, 0)
        for account in sorted({*target, *booked}, key=lambda key: (key[0], key[1] or 0))
    }
    return {account: amount for account, amount in moved.items() if amount}


def marked(postings: Postings, *, is_test: bool) -> Postings:
    """The same on accounts of their own when no real money moved, so that the two never mix."""
    if not is_test:
        return postings
    return {(TEST + kind, owner): amount for (kind, owner), amount in postings.items()}


def _sale(paid: Paid) -> Postings:
    return _balanced(
        [
            (("clearing", None), paid.total - paid.fee),
            (("fees", None), paid.fee),
            (("sales", None), -paid.goods),
            (("shipping", None), -paid.shipping),
            (("tax", None), -paid.tax),
        ]
    )


def _refund(standing: Standing) -> Postings:
    paid, rest = standing.paid, standing.returned - standing.goods_returned
    beside = paid.shipping + paid.tax
    tax = rounded(Fraction(min(rest, beside) * paid.tax, beside)) if beside else 0
    return _balanced(
        [
            (("clearing", None), -standing.returned),
            (("sales", None), standing.goods_returned),
            (("tax", None), tax),
            (("shipping", None), min(rest, beside) - tax),
        ]
    )


def _disputes(standing: Standing) -> Postings:
    left = standing.paid.total - standing.returned - standing.lost
    open_amount = min(
        left, sum(d.amount for d in standing.disputes.values() if d.state == "withdrawn")
    )
    return _balanced(
        [
            (("clearing", None), -open_amount - standing.lost),
            (("disputes", None), open_amount),
            (("dispute_losses", None), standing.lost),
        ]
    )


def _commission(standing: Standing, owed: Iterable[Owed], *, is_payable: bool) -> Postings:
    where = "payable" if is_payable and not standing.is_disputed else "held"
    full: dict[int, int] = defaultdict(int)
    for one in owed:
        full[one.recommender] += one.full
    left = {who: after_returns(amount, standing) for who, amount in full.items()}
    credit: Sequence[tuple[tuple[str, int | None], int]] = [
        ((where, who), -amount) for who, amount in sorted(left.items())
    ]
    return _balanced([(("commission", None), sum(left.values())), *credit])


def _balanced(entries: Iterable[tuple[tuple[str, int | None], int]]) -> Postings:
    """Without empty accounts; what the sums of a till leave over is named, never swallowed."""
    postings: Postings = defaultdict(int)
    for account, amount in entries:
        postings[account] += amount
    postings["adjustments", None] -= sum(postings.values())
    return {account: amount for account, amount in postings.items() if amount}
