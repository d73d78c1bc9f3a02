"""Rows about money: accounts, entries, what stands where, payouts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.books import Postings
from commerce.attribution.repository.chains import Head, append_journal
from commerce.models.ledger import Account, Journal, PayoutRow, Posting


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry about to be written.

    Attributes:
        kind: ``sale``, ``refund``, ``dispute``, ``commission`` or ``payout``.
        key: The same entry is never written twice.
        order: The order it belongs to, if one.
        source: What caused it.
        currency: Of every posting.
        reverses: The entry it takes back, if one.
    """

    kind: str
    key: str
    order: str | None
    source: str
    currency: str
    occurred_at: datetime
    recorded_at: datetime
    reverses: int | None = None


async def post(session: AsyncSession, head: Head, entry: Entry, postings: Postings) -> int:
    """Write an entry with its postings."""
    rows = []
    for (kind, owner), amount in postings.items():
        account, code = await _account(session, kind, owner, entry.currency)
        rows.append((account, code, entry.currency, amount))
    row = {
        "kind": entry.kind,
        "idempotency_key": entry.key,
        "order": entry.order,
        "source": entry.source,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "reverses_id": entry.reverses,
    }
    return await append_journal(session, head, row, rows)


async def booked(session: AsyncSession, order: str) -> dict[str, Postings]:
    """What the books say about an order, by the kind of entry."""
    rows = await session.execute(
        select(Journal.kind, Account.kind, Account.owner_id, func.sum(Posting.amount_minor))
        .join(Posting, Posting.journal_id == Journal.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Journal.order == order)
        .group_by(Journal.kind, Account.kind, Account.owner_id)
    )
    found: dict[str, Postings] = {}
    for aspect, kind, owner, amount in rows:
        found.setdefault(aspect, {})[kind, owner] = int(amount)
    return found


async def entries_of(session: AsyncSession, order: str, kind: str | None = None) -> list[Journal]:
    """The entries of an order, oldest first."""
    wanted = select(Journal).where(Journal.order == order).order_by(Journal.id)
    if kind is not None:
        wanted = wanted.where(Journal.kind == kind)
    return list(await session.scalars(wanted))


async def postings_of(session: AsyncSession, journal_id: int) -> list[tuple[str, int | None, int]]:
    """Account kind, owner and minor units of each posting."""
    rows = await session.execute(
        select(Account.kind, Account.owner_id, Posting.amount_minor)
        .join(Account, Account.id == Posting.account_id)
        .where(Posting.journal_id == journal_id)
        .order_by(Posting.id)
    )
    return [(kind, owner, amount) for kind, owner, amount in rows]


async def balances(
    session: AsyncSession, owners: Sequence[int] | None = None
) -> dict[tuple[str, int | None, str], int]:
    """Minor units by account kind, owner and currency, empty accounts left out."""
    wanted = (
        select(Account.kind, Account.owner_id, Account.currency, func.sum(Posting.amount_minor))
        .join(Posting, Posting.account_id == Account.id)
        .group_by(Account.kind, Account.owner_id, Account.currency)
    )
    if owners is not None:
        wanted = wanted.where(Account.owner_id.in_(owners))
    rows = await session.execute(wanted)
    return {(kind, owner, currency): int(total) for kind, owner, currency, total in rows if total}


async def unbalanced(session: AsyncSession) -> list[int]:
    """Entries whose postings do not sum to zero; there are none unless a trigger was dropped."""
    rows = await session.scalars(
        select(Posting.journal_id)
        .group_by(Posting.journal_id, Posting.currency)
        .having(func.sum(Posting.amount_minor) != 0)
    )
    return sorted(set(rows))


async def add_payout(session: AsyncSession, row: dict[str, Any]) -> None:
    """Keep a payout that begins."""
    await session.execute(insert(PayoutRow), row)


async def payouts(session: AsyncSession, state: str | None = None) -> list[PayoutRow]:
    """Payouts, oldest first."""
    wanted = select(PayoutRow).order_by(PayoutRow.id)
    if state is not None:
        wanted = wanted.where(PayoutRow.state == state)
    return list(await session.scalars(wanted))


async def payout_named(session: AsyncSession, key: str) -> PayoutRow | None:
    """One payout."""
    return (await session.scalars(select(PayoutRow).where(PayoutRow.key == key))).first()


async def change_payout(session: AsyncSession, key: str, **values: Any) -> None:
    """Write how a payout stands."""
    await session.execute(update(PayoutRow).where(PayoutRow.key == key).values(**values))


async def payout_count(session: AsyncSession, owner: int, currency: str) -> int:
    """How many payouts somebody had, for numbering the next."""
    found = await session.scalar(
        select(func.count())
        .select_from(PayoutRow)
        .where(PayoutRow.recommender_id == owner, PayoutRow.currency == currency)
    )
    return found or 0


async def _account(
    session: AsyncSession, kind: str, owner: int | None, currency: str
) -> tuple[int, str]:
    code = f"{kind}:{'' if owner is None else owner}:{currency}"
    found: int | None = await session.scalar(select(Account.id).where(Account.code == code))
    if found is None:
        row = {"code": code, "kind": kind, "owner_id": owner, "currency": currency}
        made = await session.execute(insert(Account).values(**row).returning(Account.id))
        found = made.scalar_one()
    return found, code
