"""What everybody else's touches and orders say about the recommender of one order."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.fraud import BURST_S, CrowdFacts
from commerce.models.ledger import AttributionCredit, Sale, SaleLine, Touch

_WEEK_US = 7 * 86_400_000_000


async def crowd_facts(
    session: AsyncSession, sale: Sale, recommenders: Sequence[int], touch_id: int | None
) -> CrowdFacts:
    """Gather the figures for ``fraud.crowd_signals``.

    Args:
        session: Any.
        sale: The order.
        recommenders: Every node of the credited recommender.
        touch_id: The touch that earned the credit.
    """
    touch = None if touch_id is None else await session.get(Touch, touch_id)
    coupon = await _coupon(session, sale.order)
    orders, refunded = await _refunds(session, AttributionCredit.recommender_id.in_(recommenders))
    all_orders, all_refunded = await _refunds(session, None)
    since = sale.paid_us - _WEEK_US
    return CrowdFacts(
        lacks_impression=touch is not None and await _lacks_impression(session, touch),
        clicks_before=0
        if touch is None
        else await _clicks(
            session, recommenders, touch.occurred_us - BURST_S * 1_000_000, touch.occurred_us
        ),
        coupon=coupon,
        coupon_orders=0
        if coupon is None
        else await _coupon_orders(session, coupon, recommenders, since, sale.paid_us),
        coupon_clicks=0
        if coupon is None
        else await _clicks(session, recommenders, since, sale.paid_us),
        orders=orders,
        refunded=refunded,
        # Of everybody else: a ring must not be measured against itself.
        usual_rate=(all_refunded - refunded) / max(1, all_orders - orders),
    )


async def _lacks_impression(session: AsyncSession, touch: Touch) -> bool:
    if touch.kind != "click" or touch.group_id is None:
        return False
    shown = await session.scalar(
        select(Touch.id)
        .where(
            Touch.kind == "impression",
            Touch.group_id == touch.group_id,
            Touch.occurred_us <= touch.occurred_us,
        )
        .limit(1)
    )
    return shown is None


async def _clicks(
    session: AsyncSession, recommenders: Sequence[int], since_us: int, until_us: int
) -> int:
    found = await session.scalar(
        select(func.count())
        .select_from(Touch)
        .where(
            Touch.recommender_id.in_(recommenders),
            Touch.kind == "click",
            Touch.occurred_us > since_us,
            Touch.occurred_us <= until_us,
        )
    )
    return found or 0


async def _coupon(session: AsyncSession, order: str) -> str | None:
    mechanisms = await session.scalars(
        select(SaleLine.mechanism).where(SaleLine.order == order).order_by(SaleLine.position)
    )
    for mechanism in mechanisms:
        for part in mechanism.split("+"):
            if part.startswith("coupon:"):
                return part.removeprefix("coupon:")
    return None


async def _coupon_orders(
    session: AsyncSession, coupon: str, recommenders: Sequence[int], since_us: int, until_us: int
) -> int:
    name = f"coupon:{coupon}"
    found = await session.scalar(
        select(func.count(Sale.order.distinct()))
        .join(SaleLine, SaleLine.order == Sale.order)
        .join(AttributionCredit, AttributionCredit.run_id == Sale.run_id)
        .where(
            or_(
                SaleLine.mechanism == name,
                SaleLine.mechanism.startswith(name + "+", autoescape=True),
                SaleLine.mechanism.endswith("+" + name, autoescape=True),
            ),
            AttributionCredit.recommender_id.in_(recommenders),
            Sale.paid_us > since_us,
            Sale.paid_us <= until_us,
        )
    )
    return found or 0


async def _refunds(session: AsyncSession, whose: ColumnElement[bool] | None) -> tuple[int, int]:
    orders = func.count(Sale.order.distinct())
    wanted = select(orders)
    if whose is not None:
        wanted = wanted.join(AttributionCredit, AttributionCredit.run_id == Sale.run_id).where(
            whose
        )
    total = await session.scalar(wanted)
    back = await session.scalar(wanted.where(Sale.goods_back_minor > 0))
    return total or 0, back or 0
