"""Sums of what the declared rule really credited, for reports."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.split import rounded, split
from commerce.models.earnings import DaySales, GroupBy
from commerce.models.ledger import (
    AttributionCredit,
    IdentityMember,
    IdentityNode,
    Sale,
    SaleLine,
    Touch,
)
from commerce.money import Money

NONE = "(none)"
"""The key of what no touch led to: such orders are shown, never dropped."""

_DAY_US = 86_400_000_000
_FIRST_DAY = date(1970, 1, 1)

Sums = dict[tuple[str, str], list[float]]
"""By key and currency: orders, goods, returned, commission."""


async def has_real_sales(session: AsyncSession) -> bool:
    """Whether anything was ever sold for real money."""
    found = await session.scalar(select(Sale.order).where(Sale.is_test.is_(False)).limit(1))
    return found is not None


async def order_count(session: AsyncSession, since_us: int, until_us: int, *, is_test: bool) -> int:
    """Paid orders of a time."""
    found = await session.scalar(
        select(func.count())
        .select_from(Sale)
        .where(Sale.paid_us >= since_us, Sale.paid_us < until_us, Sale.is_test.is_(is_test))
    )
    return found or 0


async def days(
    session: AsyncSession, since_us: int, until_us: int, *, is_test: bool
) -> list[DaySales]:
    """Orders and goods by the day of UTC they were paid on, oldest first."""
    day = Sale.paid_us // _DAY_US
    rows = await session.execute(
        select(
            day,
            Sale.currency,
            func.count(),
            func.sum(Sale.goods_minor),
            func.sum(Sale.goods_back_minor),
        )
        .where(Sale.paid_us >= since_us, Sale.paid_us < until_us, Sale.is_test.is_(is_test))
        .group_by(day, Sale.currency)
        .order_by(day, Sale.currency)
    )
    return [
        DaySales(
            _FIRST_DAY + timedelta(days=int(number)),
            int(count),
            Money(int(goods), currency),
            Money(int(back), currency),
        )
        for number, currency, count, goods, back in rows
    ]


async def credited(
    session: AsyncSession, group_by: GroupBy, since_us: int, until_us: int, *, is_test: bool
) -> tuple[Sums, int]:
    """Orders, goods, returned goods and commission by key and currency, and all orders."""
    keys: dict[GroupBy, Callable[[tuple[int, int | None, str | None, str | None]], object]] = {
        "recommender": lambda row: row[0],
        "group": lambda row: row[1],
        "channel": lambda row: row[2],
        "session": lambda row: row[3],
    }
    key_of = keys[group_by]
    rows = await session.execute(
        select(
            Sale.order,
            Sale.currency,
            Sale.goods_minor,
            Sale.goods_back_minor,
            Sale.verdict,
            AttributionCredit.recommender_id,
            AttributionCredit.hop,
            AttributionCredit.share_num,
            AttributionCredit.share_den,
            AttributionCredit.commission_minor,
            Touch.group_id,
            Touch.channel,
            func.coalesce(Touch.session, Sale.session),
            Sale.commission_gone,
        )
        .outerjoin(AttributionCredit, AttributionCredit.run_id == Sale.run_id)
        .outerjoin(Touch, Touch.id == AttributionCredit.touch_id)
        .where(Sale.paid_us >= since_us, Sale.paid_us < until_us, Sale.is_test.is_(is_test))
        .order_by(Sale.number, AttributionCredit.position)
    )
    sums: dict[tuple[object, str], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 4)
    orders = 0
    for _, group in groupby(rows, key=lambda row: row[0]):
        lines = list(group)
        orders += 1
        currency, goods, back, verdict = lines[0][1:5]
        if not _has_credit(lines[0]):
            # Nobody recommended it, but it may well have been bought from a live session.
            session_key = lines[0][12] if group_by == "session" else None
            _add(sums, (session_key, currency), Fraction(1), goods, back, 0)
            continue
        gone = _gone(lines[0][13], goods, back)
        left = _left(lines, gone) if verdict != "deny" else [0] * len(lines)
        for line, commission in zip(lines, left, strict=True):
            share = Fraction(int(line[7]), int(line[8])) if line[6] == 0 else Fraction(0)
            key = key_of((line[5], line[10], line[11], line[12]))
            _add(sums, (key, currency), share, goods, back, commission)
    return await _named(session, sums, is_node=group_by in {"recommender", "group"}), orders


async def products(
    session: AsyncSession,
    since_us: int,
    until_us: int,
    credited_numbers: set[int] | None,
    *,
    is_test: bool,
) -> Sums:
    """What was sold by product, where a recommendation led to it; the rest under ``(none)``.

    Args:
        session: Reading.
        since_us: From when.
        until_us: Before when.
        credited_numbers: Orders that count as recommended; None for those the rule credited.
        is_test: Whether of test orders.
    """
    direct = (
        select(AttributionCredit.run_id, func.sum(AttributionCredit.commission_minor).label("full"))
        .where(AttributionCredit.hop == 0)
        .group_by(AttributionCredit.run_id)
        .subquery()
    )
    rows = await session.execute(
        select(
            Sale.number,
            Sale.currency,
            Sale.goods_minor,
            Sale.goods_back_minor,
            Sale.verdict,
            SaleLine.product,
            SaleLine.net_minor,
            SaleLine.commission_bps,
            direct.c.full,
            SaleLine.returned_minor,
            Sale.commission_gone,
        )
        .join(SaleLine, SaleLine.order == Sale.order)
        .outerjoin(direct, direct.c.run_id == Sale.run_id)
        .where(Sale.paid_us >= since_us, Sale.paid_us < until_us, Sale.is_test.is_(is_test))
        .order_by(Sale.number, SaleLine.position)
    )
    sums: dict[tuple[object, str], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 4)
    for number, group in groupby(rows, key=lambda row: row[0]):
        lines = list(group)
        _, currency, goods, back, verdict, _, _, _, full, _, gone = lines[0]
        is_credited = full is not None if credited_numbers is None else number in credited_numbers
        returned = _returned(lines, back)
        is_earned = full is not None and verdict != "deny"
        whole = _after(int(full), _gone(gone, goods, back)) if is_earned else 0
        # Of what is left of each line; rounding alone may leave a cent of an order in full return.
        weights = [
            Fraction((line[6] - part) * line[7]) for line, part in zip(lines, returned, strict=True)
        ]
        if not any(weights):
            weights = [Fraction(line[6] * line[7]) for line in lines]
        commission = split(whole, weights)
        for line, back_part, part in zip(lines, returned, commission, strict=True):
            key = line[5] if is_credited else None
            row = sums[key, currency]
            row[0] += Fraction(1, len(lines)) if key is None else 1
            row[1] += line[6]
            row[2] += back_part
            row[3] += part if credited_numbers is None else 0
    return await _named(session, sums, is_node=False)


def _has_credit(row: tuple[object, ...]) -> bool:
    return row[5] is not None


def _add(
    sums: dict[tuple[object, str], list[Fraction]],
    cell: tuple[object, str],
    share: Fraction,
    goods: int,
    back: int,
    commission: int,
) -> None:
    row = sums[cell]
    for place, value in enumerate((share, share * goods, share * back, Fraction(commission))):
        row[place] += value


def _returned(lines: Sequence[Any], back: int) -> list[int]:
    """What went back by line: named ones first, the rest over what is left of all."""
    named = [line[9] for line in lines]
    if not 0 < sum(named) <= back:
        return split(back, [Fraction(line[6]) for line in lines])
    left = [Fraction(line[6] - part) for line, part in zip(lines, named, strict=True)]
    rest = split(back - sum(named), left) if any(left) else [0] * len(lines)
    return [part + more for part, more in zip(named, rest, strict=True)]


def _gone(kept: str | None, goods: int, back: int) -> Fraction:
    """Share of the commission that returned goods took with them."""
    if kept is not None:
        return Fraction(kept)
    return Fraction(back, goods) if goods else Fraction(0)


def _left(lines: Iterable[tuple[object, ...]], gone: Fraction) -> list[int]:
    """Each credit's commission after returns; a recommender's are rounded together, as booked."""
    rows = list(lines)
    left = [0] * len(rows)
    for recommender in {row[5] for row in rows}:
        places = [i for i, row in enumerate(rows) if row[5] == recommender]
        full = [int(str(rows[i][9])) for i in places]
        parts = split(_after(sum(full), gone), [Fraction(value) for value in full])
        for place, part in zip(places, parts, strict=True):
            left[place] = part
    return left


def _after(full: int, gone: Fraction) -> int:
    return full - rounded(full * gone)


async def _named(
    session: AsyncSession, sums: dict[tuple[object, str], list[Fraction]], *, is_node: bool
) -> Sums:
    if not is_node:
        return {
            (NONE if key is None else str(key), currency): [float(value) for value in row]
            for (key, currency), row in sums.items()
        }
    members = await session.execute(select(IdentityMember.node_id, IdentityMember.root_id))
    roots = {row[0]: row[1] for row in members}
    nodes = await session.execute(select(IdentityNode.id, IdentityNode.node))
    names = {row[0]: row[1] for row in nodes}
    # Which of a person's nodes came first is chance; their first chat name is not.
    spoken: dict[int, str] = {}
    for number, node in names.items():
        first = roots.get(number, number)
        if node and (first not in spoken or _rank(node) < _rank(spoken[first])):
            spoken[first] = node
    joined: Sums = defaultdict(lambda: [0.0] * 4)
    for (key, currency), row in sums.items():
        # Several nodes of one person are one line.
        root = roots.get(key, key) if isinstance(key, int) else None
        name = NONE if root is None else spoken.get(root) or f"forgotten:{root}"
        for place, value in enumerate(row):
            joined[name, currency][place] += float(value)
    return dict(joined)


def _rank(name: str) -> tuple[bool, str]:
    return (not name.startswith(("chat:", "group:")), name)
