"""Who brought the sales: orders, goods and commission by recommender, group, channel, …."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.bulk import Floats, Ints, credit, journeys, markov_shares
from commerce.attribution.repository import analysis, booked, people
from commerce.attribution.repository.analysis import Orders
from commerce.attribution.repository.booked import NONE, Sums
from commerce.attribution.rule import CommissionRule
from commerce.models.earnings import GroupBy, ModelName, ReportRow
from commerce.money import Money


async def analysed(
    session: AsyncSession,
    group_by: GroupBy,
    model: ModelName,
    rule: CommissionRule,
    since_us: int,
    until_us: int,
    *,
    is_test: bool,
) -> tuple[list[ReportRow], int]:
    """What a model makes of all journeys; analysis, not what is paid."""
    sold = await analysis.orders(session, since_us, until_us, is_test=is_test)
    if len(sold.number) == 0:
        return [], 0
    span = int(sold.paid_us.min()), int(sold.paid_us.max())
    touches, keys = await analysis.touches(session, group_by, rule.windows_s, *span)
    walked = journeys(sold.person, sold.paid_us, touches, has_lost=model == "markov")
    if group_by == "product":
        has_credit = np.zeros(len(sold.number), bool)
        has_credit[walked.order[walked.label > 0]] = True
        numbers = set(sold.number[has_credit].tolist())
        rows = await booked.products(session, since_us, until_us, numbers, is_test=is_test)
        return rows_of(rows, has_commission=False), len(sold.number)
    names = await _names(session, keys)
    sums: Sums = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    if model == "markov":
        shares = markov_shares(walked, len(names))
        touched = np.zeros(len(sold.number), bool)
        touched[walked.order] = True
        _spread(sums, sold, touched, shares, names)
        _add(sums, sold, np.flatnonzero(~touched), None, None, names)
    else:
        given = credit(model, walked)
        _add(sums, sold, given.order, given.label, given.weight, names)
        missing = np.setdiff1d(np.arange(len(sold.number)), given.order)
        _add(sums, sold, missing, None, None, names)
    return rows_of(sums, has_commission=False), len(sold.number)


def rows_of(
    sums: Mapping[tuple[str, str], Sequence[float]], *, has_commission: bool
) -> list[ReportRow]:
    """Sums as lines, most goods first, what nobody brought last.

    Shares of minor units are rounded so that each currency still adds up.
    """
    whole = {cell: list(row) for cell, row in sums.items()}
    for currency in {currency for _, currency in sums}:
        cells = [cell for cell in sums if cell[1] == currency]
        for place in (1, 2, 3):
            exact = [sums[cell][place] for cell in cells]
            parts = _rounded(exact, round(sum(exact)))
            for cell, part in zip(cells, parts, strict=True):
                whole[cell][place] = part
    rows = [
        ReportRow(
            key=key,
            orders=round(orders, 6),
            goods=Money(int(goods), currency),
            returned=Money(int(returned), currency),
            commission=Money(int(commission), currency) if has_commission else None,
        )
        for (key, currency), (orders, goods, returned, commission) in whole.items()
    ]
    return sorted(rows, key=lambda r: (r.key == NONE, r.goods.currency, -r.goods.minor, r.key))


def _add(
    sums: Sums,
    sold: Orders,
    order: Ints,
    label: Ints | None,
    weight: Floats | None,
    names: Sequence[str],
) -> None:
    if len(order) == 0:
        return
    label = np.zeros(len(order), np.int64) if label is None else label
    weight = np.ones(len(order)) if weight is None else weight
    width = len(names)
    cell = sold.currency[order] * width + label
    columns = [
        np.bincount(cell, weight * values, minlength=1)
        for values in (np.ones(len(order)), sold.goods[order], sold.returned[order])
    ]
    for number in np.unique(cell).tolist():
        total = sums[names[number % width], sold.currencies[number // width]]
        for place, column in enumerate(columns):
            total[place] += float(column[number])


def _spread(
    sums: Sums, sold: Orders, touched: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    shares: Floats, names: Sequence[str],
) -> None:  # fmt: skip
    for number, currency in enumerate(sold.currencies):
        mine = touched & (sold.currency == number)
        totals = [mine.sum(), sold.goods[mine].sum(), sold.returned[mine].sum()]
        for label in np.flatnonzero(shares).tolist():
            row = sums[names[label], currency]
            for place, total in enumerate(totals):
                row[place] += float(total * shares[label])


def _rounded(exact: Sequence[float], total: int) -> list[int]:
    """Largest remainder over floats that sum to the total but for rounding."""
    parts = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


async def _names(session: AsyncSession, keys: Sequence[str | int]) -> list[str]:
    """What each label is called; 0 is nobody."""
    ids = [key for key in keys if isinstance(key, int)]
    named = await people.names_of(session, ids)
    return [NONE, *(named[key] if isinstance(key, int) else key for key in keys)]
