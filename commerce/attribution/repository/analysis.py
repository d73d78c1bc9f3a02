"""Reads a million rows for a report without making a million objects of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.bulk import Ints, Touches
from commerce.models.earnings import GroupBy

_PAGE = 50_000
_LABEL: Mapping[GroupBy, str] = {
    "recommender": "recommender_id",
    "product": "recommender_id",
    "group": "group_id",
    "channel": "channel",
    "session": "session",
}
_WORDS = frozenset({"channel", "session"})


@dataclass(frozen=True, slots=True)
class Orders:
    """Paid orders as columns.

    Attributes:
        number: Of each order.
        person: Its buyer.
        paid_us: When.
        currency: Index into ``currencies``.
        goods: Minor units paid for goods.
        returned: Minor units of goods that went back.
    """

    number: Ints
    person: Ints
    paid_us: Ints
    currency: Ints
    goods: Ints
    returned: Ints
    currencies: tuple[str, ...]


async def orders(session: AsyncSession, since_us: int, until_us: int, *, is_test: bool) -> Orders:
    """Orders paid in a time, by number."""
    found = await session.execute(text("SELECT DISTINCT currency FROM sale ORDER BY currency"))
    currencies = tuple(row[0] for row in found)
    cases = " ".join(
        f"WHEN '{code}' THEN {i}" for i, code in enumerate(currencies) if code.isalpha()
    )
    test = "1" if is_test else "0"
    rows = await _numbers(
        session,
        f"SELECT number, buyer_id, paid_us, CASE currency {cases or 'WHEN NULL THEN 0'} END,"
        f" goods_minor, goods_back_minor FROM sale WHERE paid_us >= {since_us} AND"
        f" paid_us < {until_us} AND CAST(is_test AS INTEGER) = {test} ORDER BY number",
        6,
    )
    person = (await _roots(session, rows[:, 1]))[0]
    return Orders(rows[:, 0], person, rows[:, 2], rows[:, 3], rows[:, 4], rows[:, 5], currencies)


async def touches(
    session: AsyncSession,
    group_by: GroupBy,
    windows_s: Mapping[str, int | None],
    since_us: int,
    until_us: int,
) -> tuple[list[Touches], list[str | int]]:
    """Touches that may count, by kind, and what each label above 0 stands for.

    Args:
        session: Reading.
        group_by: What their label is.
        windows_s: Kinds that count, and for how long.
        since_us: Of the earliest order.
        until_us: Of the latest order.
    """
    column = _LABEL[group_by]
    kinds = sorted(windows_s)
    earliest = {
        kind: 0 if window_s is None else since_us - window_s * 1_000_000
        for kind, window_s in windows_s.items()
    }
    which = " ".join(f"WHEN '{kind}' THEN {place}" for place, kind in enumerate(kinds))
    names = ", ".join(f"'{kind}'" for kind in kinds)
    where = (
        f"FROM touch WHERE kind IN ({names})"
        f" AND occurred_us BETWEEN {min(earliest.values())} AND {until_us}"
    )
    keys: dict[str | int, int] = {}
    label = "0" if column in _WORDS else f"coalesce({column}, 0)"
    rows = await _numbers(
        session, f"SELECT CASE kind {which} END, actor_id, occurred_us, {label} {where}"
        f" {'ORDER BY id' if column in _WORDS else ''}", 4,
    )  # fmt: skip
    if column in _WORDS:
        rows[:, 3] = await _words(session, column, where, keys)
    found = []
    for place, kind in enumerate(kinds):
        mine = rows[(rows[:, 0] == place) & (rows[:, 2] >= earliest[kind])]
        window_s = windows_s[kind]
        window_us = None if window_s is None else window_s * 1_000_000
        found.append(Touches(mine[:, 1], mine[:, 3], mine[:, 2], window_us))
    return await _joined(session, found, keys if column in _WORDS else None)


async def _joined(
    session: AsyncSession, found: Sequence[Touches], keys: dict[str | int, int] | None
) -> tuple[list[Touches], list[str | int]]:
    """The same with people instead of nodes, and labels counted from 1."""
    people = await _roots(session, *(one.person for one in found))
    if keys is not None:
        return (
            [Touches(p, t.label, t.at_us, t.window_us) for p, t in zip(people, found, strict=True)],
            list(keys),
        )
    # Several nodes of one recommender or group are one label.
    labels = await _roots(session, *(one.label for one in found))
    names = np.unique(np.concatenate([np.zeros(1, np.int64), *labels]))
    joined = [
        Touches(person, np.searchsorted(names, label), one.at_us, one.window_us)
        for person, label, one in zip(people, labels, found, strict=True)
    ]
    return joined, [int(name) for name in names[1:]]


async def _roots(session: AsyncSession, *nodes: Ints) -> list[Ints]:
    """For each node the one that stands for the whole person."""
    rows = await _numbers(session, "SELECT node_id, root_id FROM identity_member", 2)
    highest = max([0, *(int(one.max()) for one in nodes if len(one)), *rows.max(axis=0, initial=0)])
    root = np.arange(highest + 1)
    root[rows[:, 0]] = rows[:, 1]
    return [root[one] for one in nodes]


async def _words(
    session: AsyncSession, column: str, where: str, keys: dict[str | int, int]
) -> Ints:
    parts = []
    rows = await session.stream(text(f"SELECT {column} {where} ORDER BY id"))
    async for page in rows.partitions(_PAGE):
        codes = [0 if row[0] is None else keys.setdefault(row[0], len(keys) + 1) for row in page]
        parts.append(np.array(codes, np.int64))
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


async def _numbers(session: AsyncSession, sql: str, width: int) -> Ints:
    """Whole numbers, ``[rows, width]``."""
    parts = []
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        # Straight from the driver: a million result rows cost more than the query.
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        async with raw.execute(sql) as cursor:
            while page := await cursor.fetchmany(_PAGE):
                parts.append(_array(page, width))
    else:
        rows = await session.stream(text(sql))
        parts = [_array(chunk, width) async for chunk in rows.partitions(_PAGE)]
    return np.concatenate(parts) if parts else np.zeros((0, width), np.int64)


def _array(page: Sequence[Sequence[int]], width: int) -> Ints:
    flat = np.fromiter(chain.from_iterable(page), np.int64, count=len(page) * width)
    return flat.reshape(-1, width)
