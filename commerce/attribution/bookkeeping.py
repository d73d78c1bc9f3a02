"""Bringing the books of one order to what its news, touches and decisions say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.books import Aspect, Owed, Postings, difference, marked, targets
from commerce.attribution.chain import digest
from commerce.attribution.earning import (
    CreditableTouch,
    EarnedShare,
    RatedLine,
    earned,
    in_window,
)
from commerce.attribution.fraud import BuyerFacts, buyer_signals, holds
from commerce.attribution.news import Known, Told, known, micros, moment
from commerce.attribution.repository import accounts, people, sales
from commerce.attribution.repository.accounts import Entry
from commerce.attribution.repository.chains import Head
from commerce.attribution.rule import CommissionRule
from commerce.models.earnings import Signal
from commerce.models.ledger import Sale, SaleLine, Touch

_DAY_US = 86_400_000_000
_REST_OF_SECOND_US = 999_999  # payment providers tell whole seconds, and round down
_ASPECTS: tuple[Aspect, ...] = ("sale", "refund", "dispute", "commission")


@dataclass(frozen=True, slots=True)
class Turn:
    """One transaction's turn on the ledger.

    Attributes:
        session: Of the transaction.
        heads: Where the chains end.
        now: The one moment everything of this turn happens at.
    """

    session: AsyncSession
    heads: Mapping[str, Head]
    now: datetime


async def restate(
    turn: Turn,
    order: str,
    source: str,
    *,
    matured_us: int | None = None,
    crowd: Sequence[Signal] | None = None,
) -> Sale | None:
    """Post whatever the books of an order still lack.

    Args:
        turn: The transaction.
        order: Its public id.
        source: What made it necessary; kept with the entries.
        matured_us: Set when its return window is over.
        crowd: Signals from other orders, when they were just looked at.

    Returns:
        The order as it now stands; None while nothing was paid.
    """
    state = known(
        Told(row.kind, row.key, row.payload, row.buyer_id, row.token_id)
        for row in await sales.news_of(turn.session, order)
    )
    if state is None:
        return None
    sale = await sales.sale_of(turn.session, order)
    rule = await rule_at(turn.session, state.paid_us)
    if sale is None:
        # A first row, so that lines and run have something to belong to.
        await _keep_sale(turn, order, state, None, None, [], None, is_new=True)
    lines = await _keep_lines(turn, order, state, rule)
    rated = state.standing.rated([line.commission_bps for line in lines])
    state = replace(state, standing=rated)
    run_id = await attribute(turn, order, state, lines, rule, sale.run_id if sale else None)
    signals = await _signals(turn, state, run_id)
    if crowd is None and sale is not None:
        local = {signal.code for signal in signals}
        crowd = [s for s in map(_signal, sale.signals) if _is_crowd(s) and s.code not in local]
    signals += list(crowd or ())
    decision = await sales.verdict_of(turn.session, order)
    verdict = decision.verdict if decision is not None else None
    matured = matured_us or (sale.matured_us if sale else None)
    await _post(turn, order, source, state, run_id, signals, verdict, matured)
    await _keep_sale(turn, order, state, run_id, matured, signals, verdict, is_new=False)
    return await sales.sale_of(turn.session, order)


async def rule_at(session: AsyncSession, at_us: int) -> CommissionRule:
    """The rule in force at a moment; the standard one before any was declared."""
    row = await sales.rule_row(session, at_us)
    return CommissionRule() if row is None else CommissionRule.from_json(row.rule)


async def attribute(
    turn: Turn,
    order: str,
    state: Known,
    lines: Sequence[SaleLine],
    rule: CommissionRule,
    last_run: int | None,
) -> int:
    """Work out who earned an order; a new run only when its inputs changed before the lock."""
    lock_us = state.paid_us + rule.lock_days * _DAY_US
    if last_run is not None and micros(turn.now) > lock_us:
        return last_run
    buyers = await people.members(turn.session, state.buyer_id)
    rows = await sales.touches_of(turn.session, buyers, state.paid_us, lock_us)
    ended = await _cut_recommenders(turn.session, buyers, state.paid_us)
    touches = in_window(
        [await _creditable(turn.session, row, ended, rule) for row in rows], state.paid_us, rule
    )
    rated = [RatedLine(line.net_minor, line.commission_bps) for line in lines]
    inputs: dict[str, Any] = {
        "order": order,
        "paid_us": state.paid_us,
        "lines": [[line.net_minor, line.bps] for line in rated],
        "rule": rule.to_json(),
        "touches": [
            {"id": t.touch_id, "kind": t.kind, "recommender": t.recommender, "at": t.occurred_us,
             "lineage": list(t.lineage), "digest": t.digest}
            for t in touches
        ],
    }  # fmt: skip
    inputs_hash = digest(inputs)
    former = await sales.run_of(turn.session, last_run)
    if former is not None and former.inputs_hash == inputs_hash:
        return former.id
    shares = earned(touches, state.paid_us, rated, rule)
    row = {
        "order": order,
        "model": rule.model,
        "inputs": inputs,
        "inputs_hash": inputs_hash,
        "computed_at": turn.now,
    }
    run_id = await sales.add_run(
        turn.session, row, [_credit_row(i, s) for i, s in enumerate(shares)]
    )
    await _relate(turn.session, order, state, shares, rows)
    return run_id


async def owed_for(session: AsyncSession, run_id: int | None) -> list[Owed]:
    """The commissions of a run, in full."""
    return [
        Owed(credit.recommender_id, credit.commission_minor)
        for credit in await sales.credits_of(session, run_id)
    ]


def is_on_hold(signals: Sequence[Signal], verdict: str | None) -> bool:
    """Whether a person must look first."""
    return verdict is None and holds(signals)


async def _post(
    turn: Turn,
    order: str,
    source: str,
    state: Known,
    run_id: int,
    signals: Sequence[Signal],
    verdict: str | None,
    matured_us: int | None,
) -> None:
    wanted = targets(
        state.standing,
        await owed_for(turn.session, run_id),
        is_payable=matured_us is not None and not is_on_hold(signals, verdict),
        is_denied=verdict == "deny",
    )
    standing = await accounts.booked(turn.session, order)
    for aspect in _ASPECTS:
        target = marked(wanted[aspect], is_test=state.payload["is_test"])
        postings = difference(target, standing.get(aspect, {}))
        if not postings:
            continue
        earlier = await accounts.entries_of(turn.session, order, aspect)
        entry = Entry(
            kind=aspect,
            key=f"{order}:{aspect}:{len(earlier) + 1}",
            order=order,
            source=source,
            currency=state.currency,
            occurred_at=moment(state.paid_us) if aspect == "sale" else turn.now,
            recorded_at=turn.now,
            # Commission taken back points at the entry that granted it.
            reverses=earlier[0].id
            if aspect == "commission" and earlier and _grants_less(postings)
            else None,
        )
        await accounts.post(turn.session, turn.heads["journal"], entry, postings)


def _grants_less(postings: Postings) -> bool:
    return any(kind.endswith("commission") and amount < 0 for (kind, _), amount in postings.items())


async def _keep_lines(
    turn: Turn, order: str, state: Known, rule: CommissionRule
) -> Sequence[SaleLine]:
    backs = [line.back for line in state.standing.lines]
    rows = [
        {
            "order": order,
            "position": position,
            "sku": line["sku"],
            "product": line["product"],
            "category": line.get("category"),
            "quantity": line["quantity"],
            "net_minor": line["net"],
            "mechanism": line["mechanism"],
            "commission_bps": rule.rate(line["product"], line.get("category"), line["mechanism"]),
            "returned_minor": backs[position] if backs else 0,
        }
        for position, line in enumerate(state.payload["lines"])
    ]
    kept = await sales.lines_of(turn.session, order)
    if [_plain(line) for line in kept] != rows:
        await sales.keep_lines(turn.session, order, rows)
        kept = await sales.lines_of(turn.session, order)
    return kept


def _plain(line: SaleLine) -> dict[str, Any]:
    names = ("order", "position", "sku", "product", "category", "quantity", "net_minor",
             "mechanism", "commission_bps", "returned_minor")  # fmt: skip
    return {name: getattr(line, name) for name in names}


async def _keep_sale(
    turn: Turn,
    order: str,
    state: Known,
    run_id: int | None,
    matured_us: int | None,
    signals: Sequence[Signal],
    verdict: str | None,
    *,
    is_new: bool,
) -> None:
    standing = state.standing
    values = {
        "order": order,
        "buyer_id": state.buyer_id,
        "currency": state.currency,
        "paid_us": state.paid_us,
        "goods_minor": standing.paid.goods,
        "goods_back_minor": standing.goods_back,
        "commission_gone": _text(standing.commission_gone),
        "total_minor": standing.paid.total,
        "refunded_minor": standing.returned,
        "is_disputed": standing.is_disputed,
        "is_lost": standing.lost > 0,
        "is_test": state.payload["is_test"],
        "source": state.payload["source"],
        "session": state.payload["session"],
        "delivered_us": state.delivered_us,
        "matured_us": matured_us,
        "run_id": run_id,
        "signals": [asdict(signal) for signal in signals],
        "is_held": is_on_hold(signals, verdict),
        "verdict": verdict,
    }
    await sales.keep_sale(turn.session, values, is_new=is_new)


async def _signals(turn: Turn, state: Known, run_id: int) -> list[Signal]:
    found: dict[str, Signal] = {}
    buyers = await people.members(turn.session, state.buyer_id)
    paid_us = state.paid_us + _REST_OF_SECOND_US
    for credit in await sales.credits_of(turn.session, run_id):
        recommenders = await people.members(turn.session, credit.recommender_id)
        clicks = [
            row.occurred_us
            for row in await sales.touches_of(turn.session, buyers, paid_us, micros(turn.now))
            if row.kind == "click" and row.recommender_id in set(recommenders)
        ]
        facts = BuyerFacts(
            is_same_person=bool(set(buyers) & set(recommenders)),
            hints=frozenset(await people.hints(turn.session, buyers, recommenders)),
            seconds_since_click=max(state.paid_us - max(clicks), 0) / 1e6 if clicks else None,
        )
        for signal in buyer_signals(facts):
            found.setdefault(signal.code, signal)
    return list(found.values())


def _text(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"


def _signal(kept: Mapping[str, Any]) -> Signal:
    return Signal(kept["code"], kept["is_strong"], kept["explanation"])


def _is_crowd(signal: Signal) -> bool:
    return signal.code not in {"self_referral", "impossible_time"}


async def _creditable(
    session: AsyncSession, row: Touch, ended: frozenset[int], rule: CommissionRule
) -> CreditableTouch:
    is_ended = row.recommender_id in ended
    names = await people.names_of(session, [row.recommender_id] if row.recommender_id else [])
    # Of the content alone: the same touch, told on another day, ties in the same way.
    content = [row.kind, names.get(row.recommender_id or 0), row.sku, row.session, row.channel]
    return CreditableTouch(
        touch_id=row.id,
        kind=row.kind,
        recommender=None if is_ended else row.recommender_id,
        occurred_us=row.occurred_us,
        lineage=await sales.lineage_of(session, row.token_id) if rule.hop_bps else (),
        digest=digest(content),
    )


async def _cut_recommenders(
    session: AsyncSession, buyers: Sequence[int], paid_us: int
) -> frozenset[int]:
    """Recommenders from whom these buyers had parted before they paid, on whatever channel."""
    ended: set[int] = set()
    for row in await sales.relation_rows(session, buyers, "cut"):
        if row.occurred_us < paid_us and row.buyer_id in set(buyers):
            ended.update(await people.members(session, row.recommender_id))
    return frozenset(ended)


async def _relate(
    session: AsyncSession,
    order: str,
    state: Known,
    shares: Sequence[EarnedShare],
    rows: Sequence[Touch],
) -> None:
    groups = {row.id: row.group_id for row in rows}
    made = {
        share.recommender: {
            "recommender_id": share.recommender,
            "buyer_id": state.buyer_id,
            "group_id": groups.get(share.touch_id),
            "event": "credited",
            "order": order,
            "occurred_us": state.paid_us,
        }
        for share in reversed(shares)
        if share.hop == 0
    }
    await sales.add_relations(session, list(made.values()))


def _credit_row(position: int, share: EarnedShare) -> dict[str, Any]:
    return {
        "position": position,
        "recommender_id": share.recommender,
        "touch_id": share.touch_id,
        "hop": share.hop,
        "share_num": str(share.share.numerator),
        "share_den": str(share.share.denominator),
        "commission_minor": share.commission_minor,
        "reason": share.reason,
    }
