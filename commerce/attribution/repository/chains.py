"""Hash chains: taking turns, adding links, checking every link."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.chain import link
from commerce.models.ledger import Account, Chain, Journal, Posting, Touch

TOUCH_FIELDS = ("id", "kind", "actor_id", "group_id", "recommender_id", "sku", "session",
                 "token_id", "channel", "occurred_us", "recorded_us")  # fmt: skip
_PAGE = 5_000


@dataclass(slots=True)
class Head:
    """The end of a chain, while its row is locked."""

    length: int
    hash: str


async def turn(session: AsyncSession) -> dict[str, Head]:
    """Wait for this transaction's turn to write, and see where the chains end.

    Everything the ledger writes happens in turn, so that what was read is still so when it is
    written, on PostgreSQL as on SQLite.
    """
    rows = await session.execute(
        select(Chain.name, Chain.length, Chain.hash).order_by(Chain.name).with_for_update()
    )
    return {name: Head(length, last) for name, length, last in rows}


async def append_touches(
    session: AsyncSession, head: Head, rows: Sequence[dict[str, Any]]
) -> list[int]:
    """Add touches in this order; each dict has the table's fields but id and hash."""
    added = []
    for row in rows:
        head.length += 1
        full = {**row, "id": head.length}
        head.hash = full["hash"] = link(head.hash, full)
        added.append(full)
    if added:
        await session.execute(insert(Touch), added)
        await _keep(session, "touch", head)
    return [row["id"] for row in added]


async def append_journal(
    session: AsyncSession,
    head: Head,
    row: dict[str, Any],
    postings: Sequence[tuple[int, str, str, int]],
) -> int:
    """Add an entry.

    Args:
        session: In its turn.
        head: Of the journal's chain.
        row: The journal's fields but id and hash.
        postings: Account id, account code, currency and minor units of each.
    """
    head.length += 1
    full = {**row, "id": head.length}
    head.hash = link(head.hash, _entry(full, [(code, amount) for _, code, _, amount in postings]))
    # Postings first: the journal's arrival checks and seals them.
    await session.execute(
        insert(Posting),
        [
            {"journal_id": head.length, "account_id": account, "currency": currency,
             "amount_minor": amount}
            for account, _, currency, amount in postings
        ],
    )  # fmt: skip
    await session.execute(insert(Journal), {**full, "hash": head.hash})
    await _keep(session, "journal", head)
    return head.length


async def broken_touches(
    session: AsyncSession, after: int = 0, hash_before: str = ""
) -> tuple[int, list[str]]:
    """Check the chain of touches: links checked, and one line for each that is broken.

    Args:
        session: Reading.
        after: The touch of the newest seal, from which on the chain is whole.
        hash_before: Its hash.
    """
    columns = [getattr(Touch, name) for name in (*TOUCH_FIELDS, "hash")]
    problems: list[str] = []
    previous, count = hash_before, after
    async for row in _pages(session, Touch.id, columns, after):
        content = dict(zip(TOUCH_FIELDS, row, strict=False))
        count += 1
        if content["id"] != count or link(previous, content) != row[-1]:
            problems.append(f"touch {content['id']} was changed, added or removed afterwards")
            count = content["id"]
        previous = row[-1]
    return count, problems + await _loose_end(session, "touch", count, previous)


async def broken_journals(session: AsyncSession) -> tuple[int, list[str]]:
    """Check the chain of the journal: links checked, and one line for each that is broken."""
    names = ("id", "kind", "idempotency_key", "order", "source", "occurred_at", "recorded_at",
             "reverses_id", "hash")  # fmt: skip
    problems: list[str] = []
    previous, count = "", 0
    async for row in _pages(session, Journal.id, [getattr(Journal, name) for name in names]):
        content = dict(zip(names, row, strict=True))
        count += 1
        postings = await session.execute(
            select(Account.code, Posting.amount_minor)
            .join(Account, Account.id == Posting.account_id)
            .where(Posting.journal_id == content["id"])
            .order_by(Posting.id)
        )
        entry = _entry(content, [(code, amount) for code, amount in postings])
        if content["id"] != count or link(previous, entry) != content["hash"]:
            problems.append(f"entry {content['id']} was changed, added or removed afterwards")
            count = content["id"]
        previous = content["hash"]
    return count, problems + await _loose_end(session, "journal", count, previous)


def _entry(row: Mapping[str, Any], postings: Sequence[tuple[str, int]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": row["kind"],
        "key": row["idempotency_key"],
        "order": row["order"],
        "source": row["source"],
        "occurred_at": row["occurred_at"].astimezone(UTC).isoformat(),
        "recorded_at": row["recorded_at"].astimezone(UTC).isoformat(),
        "reverses": row["reverses_id"],
        "postings": [list(posting) for posting in postings],
    }


async def _keep(session: AsyncSession, name: str, head: Head) -> None:
    await session.execute(
        update(Chain).where(Chain.name == name).values(length=head.length, hash=head.hash)
    )


async def _loose_end(session: AsyncSession, name: str, count: int, last: str) -> list[str]:
    head = (await session.execute(select(Chain.length, Chain.hash).where(Chain.name == name))).one()
    if (head.length, head.hash) == (count, last):
        return []
    return [f"the chain {name} ends at {count}, but {head.length} were written"]


async def _pages(
    session: AsyncSession, key: Any, columns: Sequence[Any], after: int = 0
) -> AsyncIterator[Sequence[Any]]:
    while True:
        rows = (
            await session.execute(select(*columns).where(key > after).order_by(key).limit(_PAGE))
        ).all()
        for row in rows:
            yield tuple(row)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]
