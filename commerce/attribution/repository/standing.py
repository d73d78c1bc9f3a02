"""How orders stand: held ones, and what became of those a recommender brought."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.models.ledger import AttributionCredit, PurchaseShown, Sale, SaleLine, Touch


async def held_sales(session: AsyncSession) -> list[Sale]:
    """Orders whose commission waits for a person, oldest first."""
    rows = await session.scalars(
        select(Sale).where(Sale.is_held.is_(True)).order_by(Sale.paid_us, Sale.order)
    )
    return list(rows)


async def credited_sales(
    session: AsyncSession, recommenders: Sequence[int], category: str | None
) -> list[Sale]:
    """Paid orders now credited to a person, optionally only with goods of one shelf."""
    wanted = (
        select(Sale)
        .join(AttributionCredit, AttributionCredit.run_id == Sale.run_id)
        .where(AttributionCredit.recommender_id.in_(recommenders), AttributionCredit.hop == 0)
    )
    if category is not None:
        wanted = wanted.join(SaleLine, SaleLine.order == Sale.order).where(
            SaleLine.category == category
        )
    rows = await session.scalars(wanted)
    return sorted({sale.order: sale for sale in rows}.values(), key=lambda s: (s.paid_us, s.order))


async def kept_skus(session: AsyncSession, recommenders: Sequence[int]) -> list[str]:
    """What a person's advice sold and nobody gave back, each once."""
    rows = await session.scalars(
        select(SaleLine.sku)
        .join(Sale, Sale.order == SaleLine.order)
        .join(AttributionCredit, AttributionCredit.run_id == Sale.run_id)
        .where(
            AttributionCredit.recommender_id.in_(recommenders),
            AttributionCredit.hop == 0,
            Sale.goods_back_minor == 0,
            Sale.is_lost.is_(False),
        )
        .distinct()
    )
    return sorted(rows)


async def credited_pairs(
    session: AsyncSession, people: Sequence[int]
) -> list[tuple[int, int, int | None, int, str]]:
    """Recommender, buyer, group, moment and order of each credit in which somebody takes part."""
    rows = await session.execute(
        select(
            AttributionCredit.recommender_id,
            Sale.buyer_id,
            Touch.group_id,
            Sale.paid_us,
            Sale.order,
        )
        .join(Sale, Sale.run_id == AttributionCredit.run_id)
        .outerjoin(Touch, Touch.id == AttributionCredit.touch_id)
        .where(
            AttributionCredit.hop == 0,
            AttributionCredit.recommender_id.in_(people) | Sale.buyer_id.in_(people),
        )
        .order_by(Sale.paid_us, Sale.order)
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


async def touch_count(session: AsyncSession, people: Sequence[int]) -> int:
    """How many touches somebody left."""
    found = await session.scalar(
        select(func.count()).select_from(Touch).where(Touch.actor_id.in_(people))
    )
    return found or 0


async def show(session: AsyncSession, order: str, group_id: int, now: datetime) -> None:
    """Let a group see a purchase."""
    if await session.get(PurchaseShown, (order, group_id)) is None:
        await session.execute(
            insert(PurchaseShown), {"order": order, "group_id": group_id, "shown_at": now}
        )


async def hide(session: AsyncSession, order: str) -> None:
    """Let nobody see a purchase any more."""
    await session.execute(delete(PurchaseShown).where(PurchaseShown.order == order))


async def shown_buyers(session: AsyncSession, group_id: int, product: str) -> list[int]:
    """Buyers of a product who let the group see it and kept it."""
    rows = await session.scalars(
        select(Sale.buyer_id)
        .join(PurchaseShown, PurchaseShown.order == Sale.order)
        .join(SaleLine, SaleLine.order == Sale.order)
        .where(
            PurchaseShown.group_id == group_id,
            SaleLine.product == product,
            Sale.goods_back_minor == 0,
        )
        .order_by(Sale.paid_us)
    )
    return list(dict.fromkeys(rows))
