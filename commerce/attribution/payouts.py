"""Payouts: from payable, over being paid, to paid; each step is one balanced entry."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.bookkeeping import Turn
from commerce.attribution.books import TEST, Postings, marked
from commerce.attribution.repository import accounts, people
from commerce.attribution.repository.accounts import Entry
from commerce.errors import LedgerError
from commerce.models.earnings import Balance, Payout
from commerce.models.ledger import PayoutRow
from commerce.money import Money

BY_HAND = "csv"
"""The rail of payouts that the seller makes outside this software."""

_KINDS = ("held", "payable", "paying")


async def balances(session: AsyncSession, owners: Sequence[int] | None = None) -> list[Balance]:
    """What recommenders have, by name, currency and whether it is a test."""
    rows: dict[tuple[int, str, bool], dict[str, int]] = defaultdict(dict)
    for (kind, owner, currency), total in (await accounts.balances(session, owners)).items():
        plain = kind.removeprefix(TEST)
        if owner is not None and plain in _KINDS:
            rows[owner, currency, kind != plain][plain] = -total
    for payout in await accounts.payouts(session, "paid"):
        key = (payout.recommender_id, payout.currency, payout.is_test)
        if owners is None or payout.recommender_id in owners:
            arrived = payout.amount_minor - payout.taken_back_minor
            rows[key]["paid"] = rows[key].get("paid", 0) + arrived
    names = await people.names_of(session, [owner for owner, _, _ in rows])
    found = []
    for (owner, currency, is_test), kinds in rows.items():
        held, payable, paying, paid = (
            Money(kinds.get(kind, 0), currency) for kind in (*_KINDS, "paid")
        )
        found.append(Balance(names[owner], held, payable, paying, paid, is_test))
    return sorted(found, key=lambda one: (one.recommender, one.held.currency, one.is_test))


async def begin(
    turn: Turn,
    rail: str,
    *,
    is_test: bool,
    minimum: Money | None,
    only: Collection[str] | None = None,
    but_not: Collection[str] = (),
) -> None:
    """Set aside everything payable.

    Args:
        turn: The transaction.
        rail: Who pays.
        is_test: Whether of test orders.
        minimum: Smaller balances of its currency wait.
        only: Recommenders by node; all of them when None.
        but_not: Recommenders whom somebody else pays.
    """
    named = {*(only or ()), *but_not}
    known = await people.ids_of(turn.session, list(named))
    wanted = None if only is None else {known[node] for node in only if node in known}
    unwanted = {known[node] for node in but_not if node in known}
    where = TEST + "payable" if is_test else "payable"
    standing = await accounts.balances(turn.session)
    for (kind, owner, currency), total in sorted(standing.items(), key=str):
        least = minimum.minor if minimum is not None and minimum.currency == currency else 1
        if kind != where or owner is None or -total < max(1, least):
            continue
        if owner in unwanted or (wanted is not None and owner not in wanted):
            continue
        number = await accounts.payout_count(turn.session, owner, currency) + 1
        key = f"payout-{owner}-{currency}-{number}"
        row = {
            "key": key,
            "recommender_id": owner,
            "currency": currency,
            "amount_minor": -total,
            "taken_back_minor": 0,
            "is_test": is_test,
            "state": "started",
            "rail": rail,
            "created_at": turn.now,
        }
        await accounts.add_payout(turn.session, row)
        moved: Postings = {("payable", owner): -total, ("paying", owner): total}
        await _post(turn, f"{key}:start", key, currency, moved, is_test=is_test)


async def finish(turn: Turn, key: str, reference: str) -> Payout:
    """The money arrived; saying so twice changes nothing."""
    row = await _row(turn, key)
    if row.state == "failed":
        raise LedgerError(f"payout {key} failed; its amount is payable again")
    if row.state == "started":
        moved: Postings = {
            ("paying", row.recommender_id): row.amount_minor,
            ("clearing", None): -row.amount_minor,
        }
        await _post(turn, f"{key}:paid", key, row.currency, moved, is_test=row.is_test)
        await accounts.change_payout(
            turn.session, key, state="paid", reference=reference[:120], settled_at=turn.now
        )
    return await _read(turn, key)


async def fail(turn: Turn, key: str, problem: str) -> Payout:
    """The money did not go out: payable again."""
    row = await _row(turn, key)
    if row.state == "paid":
        raise LedgerError(f"payout {key} arrived; take it back instead")
    if row.state == "started":
        moved: Postings = {
            ("paying", row.recommender_id): row.amount_minor,
            ("payable", row.recommender_id): -row.amount_minor,
        }
        await _post(turn, f"{key}:failed", key, row.currency, moved, is_test=row.is_test)
        await accounts.change_payout(
            turn.session, key, state="failed", problem=problem, settled_at=turn.now
        )
    return await _read(turn, key)


async def recoverable(
    session: AsyncSession, rail: str, *, is_test: bool
) -> list[tuple[Payout, Money, str]]:
    """What was paid too much: payout, the most to take back of it, and a key for asking."""
    owing = {
        (owner, currency): total
        for (kind, owner, currency), total in (await accounts.balances(session)).items()
        if kind == (TEST + "payable" if is_test else "payable") and owner and total > 0
    }
    found = []
    # The latest first: the oldest money is spent.
    for row in reversed(await accounts.payouts(session, "paid")):
        left = row.amount_minor - row.taken_back_minor
        debt = owing.get((row.recommender_id, row.currency), 0)
        amount = min(left, debt)
        if row.rail != rail or row.is_test != is_test or amount <= 0:
            continue
        owing[row.recommender_id, row.currency] -= amount
        names = await people.names_of(session, [row.recommender_id])
        key = f"{row.key}:back:{row.taken_back_minor}"
        found.append((_payout(row, names), Money(amount, row.currency), key))
    return found


async def took_back(turn: Turn, key: str, got: Money, entry_key: str) -> None:
    """So much of a payout came back."""
    row = await _row(turn, key)
    if entry_key != f"{key}:back:{row.taken_back_minor}":
        return  # another program booked the same answer first
    moved: Postings = {
        ("clearing", None): got.minor,
        ("payable", row.recommender_id): -got.minor,
    }
    await _post(turn, entry_key, key, row.currency, moved, is_test=row.is_test)
    await accounts.change_payout(
        turn.session, key, taken_back_minor=row.taken_back_minor + got.minor
    )


async def donate(turn: Turn, owner: int, group: int, amount: Money) -> None:
    """From what is payable to somebody to what a group may spend."""
    standing = await accounts.balances(turn.session, [owner])
    payable = -standing.get(("payable", owner, amount.currency), 0)
    if not 0 < amount.minor <= payable:
        have = Money(payable, amount.currency)
        raise LedgerError(f"{amount} cannot be donated: {have} is payable; give that much or less")
    key = f"donation-{owner}-{turn.heads['journal'].length + 1}"
    moved: Postings = {("payable", owner): amount.minor, ("donated", group): -amount.minor}
    await _post(turn, key, key, amount.currency, moved, is_test=False)


async def listed(
    session: AsyncSession, *, state: str | None = None, rail: str | None = None
) -> list[Payout]:
    """Payouts, oldest first."""
    rows = [r for r in await accounts.payouts(session, state) if rail is None or r.rail == rail]
    names = await people.names_of(session, [row.recommender_id for row in rows])
    return [_payout(row, names) for row in rows]


async def _post(
    turn: Turn, key: str, source: str, currency: str, postings: Postings, *, is_test: bool
) -> None:
    entry = Entry("payout", key, None, source, currency, turn.now, turn.now)
    moved = marked(postings, is_test=is_test)
    await accounts.post(turn.session, turn.heads["journal"], entry, moved)


async def _row(turn: Turn, key: str) -> PayoutRow:
    row = await accounts.payout_named(turn.session, key)
    if row is None:
        raise LedgerError(f"there is no payout {key!r}; list them with ledger.payouts()")
    return row


async def _read(turn: Turn, key: str) -> Payout:
    row = await _row(turn, key)
    return _payout(row, await people.names_of(turn.session, [row.recommender_id]))


def _payout(row: PayoutRow, names: dict[int, str]) -> Payout:
    return Payout(
        key=row.key,
        recommender=names[row.recommender_id],
        amount=Money(row.amount_minor, row.currency),
        state=row.state,  # type: ignore[arg-type]
        rail=row.rail,
        reference=row.reference,
        problem=row.problem,
        is_test=row.is_test,
    )
