"""Rows about orders: the till's news, what they add up to, and who was credited."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.models.ledger import (
    AttributionCredit,
    AttributionRun,
    CommissionRuleRow,
    HoldDecision,
    LedgerNews,
    RecommendationEdge,
    ReferralToken,
    Sale,
    SaleLine,
    Touch,
)
from commerce.models.tables import Product

_MOST_HOPS = 8


async def is_known(session: AsyncSession, key: str) -> bool:
    """Whether this piece of news was booked already."""
    found = await session.scalar(select(LedgerNews.id).where(LedgerNews.key == key))
    return found is not None


async def add_news(session: AsyncSession, row: dict[str, Any]) -> None:
    """Keep a piece of news."""
    await session.execute(insert(LedgerNews), row)


async def news_of(session: AsyncSession, order: str) -> Sequence[LedgerNews]:
    """Everything told about an order."""
    found = await session.scalars(
        select(LedgerNews).where(LedgerNews.order == order).order_by(LedgerNews.id)
    )
    return found.all()


async def categories_of(session: AsyncSession, products: Sequence[str]) -> dict[str, str | None]:
    """The shelf of each product, by the catalogue's name for it."""
    rows = await session.execute(
        select(Product.handle, Product.category).where(Product.handle.in_(sorted(set(products))))
    )
    return {row[0]: row[1] for row in rows}


async def sale_of(session: AsyncSession, order: str) -> Sale | None:
    """A paid order as the news add up to it."""
    return await session.get(Sale, order, populate_existing=True)


async def keep_sale(session: AsyncSession, values: dict[str, Any], *, is_new: bool) -> None:
    """Write what the news add up to."""
    if is_new:
        number = (await session.scalar(select(func.max(Sale.number)))) or 0
        await session.execute(insert(Sale), {**values, "number": number + 1})
    else:
        order = values["order"]
        rest = {name: value for name, value in values.items() if name != "order"}
        await session.execute(update(Sale).where(Sale.order == order).values(**rest))


async def keep_lines(session: AsyncSession, order: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write the lines of an order."""
    await session.execute(delete(SaleLine).where(SaleLine.order == order))
    if rows:
        await session.execute(insert(SaleLine), list(rows))


async def lines_of(session: AsyncSession, order: str) -> Sequence[SaleLine]:
    """The lines of an order, as sold."""
    found = await session.scalars(
        select(SaleLine)
        .where(SaleLine.order == order)
        .order_by(SaleLine.position)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def orders_of_buyers(
    session: AsyncSession, buyers: Sequence[int], since_us: int = 0
) -> list[str]:
    """Orders that these nodes paid at or after a moment."""
    rows = await session.scalars(
        select(Sale.order)
        .where(Sale.buyer_id.in_(buyers), Sale.paid_us >= since_us)
        .order_by(Sale.order)
    )
    return list(rows)


async def orders_with_token(session: AsyncSession, token_id: int) -> list[str]:
    """Orders whose checkout carried a link."""
    rows = await session.scalars(select(LedgerNews.order).where(LedgerNews.token_id == token_id))
    return sorted(set(rows))


async def due_orders(session: AsyncSession, delivered_until_us: int) -> list[Sale]:
    """Delivered orders whose commission is not payable yet."""
    rows = await session.scalars(
        select(Sale)
        .where(Sale.matured_us.is_(None), Sale.delivered_us <= delivered_until_us)
        .order_by(Sale.paid_us, Sale.order)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def touches_of(
    session: AsyncSession, actors: Sequence[int], until_us: int, recorded_until_us: int
) -> Sequence[Touch]:
    """What a person did before a moment, as known at another."""
    rows = await session.scalars(
        select(Touch)
        .where(
            Touch.actor_id.in_(actors),
            Touch.occurred_us <= until_us,
            Touch.recorded_us <= recorded_until_us,
        )
        .order_by(Touch.occurred_us, Touch.id)
    )
    return rows.all()


async def lineage_of(session: AsyncSession, token_id: int | None) -> tuple[int, ...]:
    """Who had recommended the recommender of a link, nearest first, each once."""
    above: list[int] = []
    own: int | None = None
    for _ in range(_MOST_HOPS):
        if token_id is None:
            break
        row = (
            await session.execute(
                select(ReferralToken.recommender_id, ReferralToken.parent_id).where(
                    ReferralToken.id == token_id
                )
            )
        ).one()
        if own is None:
            own = row.recommender_id
        elif row.recommender_id is not None and row.recommender_id not in {own, *above}:
            above.append(row.recommender_id)
        token_id = row.parent_id
    return tuple(above)


async def rule_row(session: AsyncSession, at_us: int) -> CommissionRuleRow | None:
    """The rule in force at a moment."""
    found = await session.scalars(
        select(CommissionRuleRow)
        .where(CommissionRuleRow.declared_us <= at_us)
        .order_by(CommissionRuleRow.declared_us.desc(), CommissionRuleRow.id.desc())
        .limit(1)
    )
    return found.first()


async def add_rule(session: AsyncSession, rule: dict[str, Any], declared_us: int) -> None:
    """Declare a rule."""
    await session.execute(insert(CommissionRuleRow), {"rule": rule, "declared_us": declared_us})


async def run_of(session: AsyncSession, run_id: int | None) -> AttributionRun | None:
    """One attribution run."""
    return None if run_id is None else await session.get(AttributionRun, run_id)


async def add_run(
    session: AsyncSession, row: dict[str, Any], shares: Sequence[dict[str, Any]]
) -> int:
    """Keep a run with its credits."""
    made = await session.execute(insert(AttributionRun).values(**row).returning(AttributionRun.id))
    run_id: int = made.scalar_one()
    if shares:
        await session.execute(
            insert(AttributionCredit), [{**credit, "run_id": run_id} for credit in shares]
        )
    return run_id


async def credits_of(session: AsyncSession, run_id: int | None) -> Sequence[AttributionCredit]:
    """The credits of one run, in their order."""
    rows = await session.scalars(
        select(AttributionCredit)
        .where(AttributionCredit.run_id == run_id)
        .order_by(AttributionCredit.position)
    )
    return rows.all()


async def verdict_of(session: AsyncSession, order: str) -> HoldDecision | None:
    """What a person decided last about a held order."""
    found = await session.scalars(
        select(HoldDecision)
        .where(HoldDecision.order == order)
        .order_by(HoldDecision.id.desc())
        .limit(1)
    )
    return found.first()


async def add_verdict(session: AsyncSession, row: dict[str, Any]) -> None:
    """Keep what a person decided."""
    await session.execute(insert(HoldDecision), row)


async def add_relations(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Keep relations that are new."""
    for row in rows:
        known = await session.scalar(
            select(RecommendationEdge.id).where(
                RecommendationEdge.recommender_id == row["recommender_id"],
                RecommendationEdge.buyer_id == row["buyer_id"],
                RecommendationEdge.order == row["order"],
                RecommendationEdge.event == row["event"],
            )
        )
        if known is None:
            await session.execute(insert(RecommendationEdge), row)


async def relation_rows(
    session: AsyncSession, people: Sequence[int], event: str | None = None
) -> Sequence[RecommendationEdge]:
    """Relations in which any of these takes part, on either side."""
    wanted = select(RecommendationEdge).where(
        or_(RecommendationEdge.buyer_id.in_(people), RecommendationEdge.recommender_id.in_(people))
    )
    if event is not None:
        wanted = wanted.where(RecommendationEdge.event == event)
    return (await session.scalars(wanted.order_by(RecommendationEdge.id))).all()


async def token_row(session: AsyncSession, digest: str) -> ReferralToken | None:
    """The link whose secret has this digest."""
    found = await session.scalars(select(ReferralToken).where(ReferralToken.digest == digest))
    return found.first()


async def groups_of_tokens(session: AsyncSession, digests: Sequence[str]) -> set[int]:
    """The groups in which links with these digests stand."""
    wanted = select(ReferralToken.group_id).where(
        ReferralToken.digest.in_(digests), ReferralToken.group_id.is_not(None)
    )
    return {group for group in await session.scalars(wanted) if group is not None}


async def add_token(session: AsyncSession, row: dict[str, Any]) -> int:
    """Keep a link."""
    made = await session.execute(insert(ReferralToken).values(**row).returning(ReferralToken.id))
    number: int = made.scalar_one()
    return number


async def last_token_followed(session: AsyncSession, people: Sequence[int]) -> int | None:
    """The link that somebody opened last: who recommended to them."""
    found: int | None = await session.scalar(
        select(Touch.token_id)
        .where(Touch.actor_id.in_(people), Touch.kind == "click", Touch.token_id.is_not(None))
        .order_by(Touch.occurred_us.desc(), Touch.id.desc())
        .limit(1)
    )
    return found
