"""What a statement, an export and an audit say, read from the rows."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.bookkeeping import owed_for, rule_at
from commerce.attribution.books import Standing, after_returns, marked, targets
from commerce.attribution.news import Known, Told, known, moment
from commerce.attribution.repository import (
    accounts,
    chains,
    people,
    retention,
    sales,
    standing,
)
from commerce.attribution.statement import FORMAT, NOT_PAID_HERE
from commerce.errors import UnknownOrderError
from commerce.models.earnings import Document
from commerce.models.ledger import Sale, Touch


async def statement(session: AsyncSession, order: str, issued_at: str) -> Document:
    """Everything the figures of one order come from, without a signature.

    Raises:
        UnknownOrderError: Nothing was paid under that id.
    """
    sale = await sales.sale_of(session, order)
    state = await _state(session, order)
    if sale is None or state is None:
        raise UnknownOrderError(f"no order {order!r} was paid here; check the id")
    run = await sales.run_of(session, sale.run_id)
    assert run is not None
    shares = await sales.credits_of(session, sale.run_id)
    rule = await rule_at(session, sale.paid_us)
    considered = run.inputs["touches"]
    rows = {
        row.id: row
        for row in await session.scalars(
            select(Touch).where(Touch.id.in_([touch["id"] for touch in considered]))
        )
    }
    entries = await accounts.entries_of(session, order)
    postings = {entry.id: await accounts.postings_of(session, entry.id) for entry in entries}
    ids = {sale.buyer_id, *(share.recommender_id for share in shares)}
    ids |= {owner for moved in postings.values() for _, owner, _ in moved if owner is not None}
    for touch in considered:
        row = rows.get(touch["id"])
        group = row.group_id if row is not None else None
        ids |= {number for number in (touch["recommender"], group) if number is not None}
        ids |= set(touch["lineage"])
    names = await _named(session, ids)
    decision = await sales.verdict_of(session, order)
    money = state.standing
    return {
        "format": FORMAT,
        "order": order,
        "currency": sale.currency,
        "is_test": sale.is_test,
        "source": sale.source,
        "paid_at": moment(sale.paid_us).isoformat(),
        "paid_at_us": sale.paid_us,
        "issued_at": issued_at,
        "buyer": names[sale.buyer_id],
        "lines": [
            {
                "sku": line.sku,
                "product": line.product,
                "category": line.category,
                "quantity": line.quantity,
                "net_minor": line.net_minor,
                "mechanism": line.mechanism,
                "commission_bps": line.commission_bps,
                "returned_minor": line.returned_minor,
            }
            for line in await sales.lines_of(session, order)
        ],
        "paid": {
            "goods": money.paid.goods,
            "shipping": money.paid.shipping,
            "tax": money.paid.tax,
            "total": money.paid.total,
            "fee": money.paid.fee,
        },
        "returned": {
            "refunded": money.refunded,
            "goods_refunded": money.goods_refunded,
            "disputes": [
                {"state": one.state, "amount": one.amount}
                for _, one in sorted(money.disputes.items())
            ],
        },
        "rule": rule.to_json(),
        "touches": [
            {
                "id": touch["id"],
                "kind": touch["kind"],
                "at_us": touch["at"],
                "recommender": names[touch["recommender"]],
                "lineage": [names[number] for number in touch["lineage"]],
                "digest": touch["digest"],
                **_whole(rows.get(touch["id"]), names),
            }
            for touch in considered
        ],
        "credits": [
            {
                "recommender": names[share.recommender_id],
                "hop": share.hop,
                "touch": share.touch_id,
                "share": f"{share.share_num}/{share.share_den}",
                "commission": share.commission_minor,
                "reason": share.reason,
            }
            for share in shares
        ],
        "earnings": await _earnings(session, sale, state.standing, names),
        "state": _payment_state(sale),
        "signals": list(sale.signals),
        "decision": None
        if decision is None
        else {
            "verdict": decision.verdict,
            "by": decision.by,
            "note": decision.note,
            "at": decision.decided_at.isoformat(),
        },
        "entries": [
            {
                "id": entry.id,
                "kind": entry.kind,
                "reverses": entry.reverses_id,
                "recorded_at": entry.recorded_at.isoformat(),
                "hash": entry.hash,
                "postings": [
                    {"account": kind, "owner": names[owner], "amount": amount}
                    for kind, owner, amount in postings[entry.id]
                ],
            }
            for entry in entries
        ],
        "attribution": {"run": run.id, "model": run.model, "inputs_hash": run.inputs_hash},
        "notice": NOT_PAID_HERE,
    }


def _whole(row: Touch | None, names: dict[int | None, str | None]) -> dict[str, Any]:
    """The rest of a touch; nothing once it was old enough to go."""
    return {
        "group": names[row.group_id] if row is not None else None,
        "channel": row.channel if row is not None else None,
        "session": row.session if row is not None else None,
        "sku": row.sku if row is not None else None,
        "hash": row.hash if row is not None else None,
    }


async def problems(session: AsyncSession) -> tuple[int, int, list[str]]:
    """Check both chains, every entry, and every order's books against what happened."""
    seal = await retention.anchor(session)
    if seal is None:
        touches, found = await chains.broken_touches(session)
    else:
        touches, found = await chains.broken_touches(session, seal.last_id, seal.hash)
        touches -= await retention.removed_in_all(session)
        if await retention.hash_of_kept(session, seal.last_id) != seal.kept_hash:
            found.append(f"touches up to {seal.last_id} were changed after they were sealed")
    entries, more = await chains.broken_journals(session)
    found += more
    found += [f"entry {number} is not balanced" for number in await accounts.unbalanced(session)]
    for sale in (await session.scalars(select(Sale).order_by(Sale.number))).all():
        state = await _state(session, sale.order)
        if state is None:
            found.append(f"order {sale.order} is in the books, but was never paid")
            continue
        wanted = targets(
            state.standing,
            await owed_for(session, sale.run_id),
            is_payable=_payment_state(sale) == "payable",
            is_denied=sale.verdict == "deny",
        )
        have = await accounts.booked(session, sale.order)
        for aspect, postings in wanted.items():
            booked = {key: amount for key, amount in have.get(aspect, {}).items() if amount}
            if marked(postings, is_test=sale.is_test) != booked:
                found.append(f"order {sale.order}: the books of its {aspect} are not what happened")
    return touches, entries, found


async def export(session: AsyncSession, node: str) -> Document:
    """Everything kept about one person, JSON-ready."""
    found = await people.ids_of(session, [node])
    ids = await people.members(session, found[node]) if node in found else []
    touches = (
        await session.scalars(select(Touch).where(Touch.actor_id.in_(ids)).order_by(Touch.id))
    ).all()
    others = {n for t in touches for n in (t.group_id, t.recommender_id) if n is not None}
    names = await _named(session, {*ids, *others})
    bought = (
        await session.scalars(select(Sale).where(Sale.buyer_id.in_(ids)).order_by(Sale.number))
    ).all()
    earned = await standing.credited_sales(session, ids, None)
    return {
        "node": node,
        "nodes": sorted(str(names[number]) for number in ids),
        "touches": [
            {
                "kind": touch.kind,
                "at": moment(touch.occurred_us).isoformat(),
                "as": names[touch.actor_id],
                "group": names[touch.group_id],
                "recommender": names[touch.recommender_id],
                "sku": touch.sku,
                "session": touch.session,
                "channel": touch.channel,
            }
            for touch in touches
        ],
        "orders": [_sale_facts(sale) for sale in bought],
        "recommended_orders": [_sale_facts(sale) for sale in earned],
        "accounts": [
            {"account": kind, "as": names[owner], "currency": currency, "minor": total}
            for (kind, owner, currency), total in sorted(
                (await accounts.balances(session, ids)).items(), key=str
            )
        ]
        if ids
        else [],
    }


async def _named(session: AsyncSession, ids: Iterable[int]) -> dict[int | None, str | None]:
    """Names by row; nobody for none."""
    named = await people.names_of(session, ids)
    # A dict of narrower keys is not one of wider keys to the type checker.
    return dict([(None, None), *named.items()])


async def _state(session: AsyncSession, order: str) -> Known | None:
    state = known(
        Told(row.kind, row.key, row.payload, row.buyer_id, row.token_id)
        for row in await sales.news_of(session, order)
    )
    if state is None or not state.standing.lines:
        return state
    rates = [line.commission_bps for line in await sales.lines_of(session, order)]
    return replace(state, standing=state.standing.rated(rates))


async def _earnings(
    session: AsyncSession, sale: Sale, standing: Standing, names: dict[int | None, str | None]
) -> list[dict[str, Any]]:
    full: dict[int, int] = {}
    for owed in await owed_for(session, sale.run_id):
        full[owed.recommender] = full.get(owed.recommender, 0) + owed.full
    is_denied = sale.verdict == "deny"
    return [
        {
            "recommender": names[recommender],
            "earned": amount,
            "left": 0 if is_denied else after_returns(amount, standing),
        }
        for recommender, amount in full.items()
    ]


def _payment_state(sale: Sale) -> str:
    if sale.verdict == "deny":
        return "denied"
    is_free = sale.matured_us is not None and not sale.is_held
    return "payable" if is_free else "held"


def _sale_facts(sale: Sale) -> dict[str, Any]:
    return {
        "order": sale.order,
        "paid_at": moment(sale.paid_us).isoformat(),
        "currency": sale.currency,
        "goods_minor": sale.goods_minor,
        "returned_minor": sale.goods_back_minor,
        "total_minor": sale.total_minor,
        "is_test": sale.is_test,
    }
