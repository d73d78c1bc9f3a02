"""Every query on orders; the caller commits."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.errors import UnknownOrderError
from commerce.models.buying import OrderStatus, OrderView, Provider, QuotedLine
from commerce.models.orders import GroupOrder, Order, OrderLine, Refund
from commerce.models.tables import Catalogue, Product, Variant
from commerce.money import Money


async def order_with_id(session: AsyncSession, public_id: str, *, lock: bool = False) -> Order:
    """An order by its public id; ``lock`` keeps others from changing it meanwhile.

    Raises:
        UnknownOrderError: There is none.
    """
    query = select(Order).where(Order.public_id == public_id)
    found: Order | None = await session.scalar(_locked(query) if lock else query)
    if found is None:
        raise UnknownOrderError(f"no order is called {public_id[:60]!r}")
    return found


async def order_of_page(session: AsyncSession, ref: str) -> Order | None:
    """The order that a payment page belongs to, locked."""
    found: Order | None = await session.scalar(_locked(select(Order).where(Order.page_ref == ref)))
    return found


async def order_of_payment(session: AsyncSession, ref: str, *, lock: bool = False) -> Order | None:
    """The order that a payment belongs to."""
    query = select(Order).where(Order.payment_ref == ref)
    found: Order | None = await session.scalar(_locked(query) if lock else query)
    return found


async def lines_of(session: AsyncSession, order_id: int) -> list[OrderLine]:
    """What an order holds, in its order."""
    rows = await session.scalars(
        select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)
    )
    return list(rows)


async def refunds_of(session: AsyncSession, order_id: int) -> list[Refund]:
    """Refunds that were asked for or done, oldest first; failed ones do not count."""
    rows = await session.scalars(
        select(Refund)
        .where(Refund.order_id == order_id, Refund.state != "failed")
        .order_by(Refund.id)
    )
    return list(rows)


async def expired_orders(
    session: AsyncSession, now: datetime, most: int
) -> list[tuple[str, datetime]]:
    """Public ids of orders whose hold is over, and when it ended."""
    rows = await session.execute(
        select(Order.public_id, Order.expires_at)
        .where(Order.status.in_(("pending", "open", "processing")), Order.expires_at <= now)
        .order_by(Order.expires_at)
        .limit(most)
    )
    return [(order, ends) for order, ends in rows]


async def newest_orders(
    session: AsyncSession, most: int, status: str | None = None, offset: int = 0
) -> Sequence[Order]:
    """Orders, newest first."""
    query = select(Order).order_by(Order.id.desc()).limit(most).offset(offset)
    if status is not None:
        query = query.where(Order.status == status)
    return (await session.scalars(query)).all()


async def sold_variant(
    session: AsyncSession, catalogue: str, sku: str
) -> tuple[Variant, Product] | None:
    """A variant on sale with its product."""
    row = (
        await session.execute(
            select(Variant, Product)
            .join(Product, Product.id == Variant.product_id)
            .join(Catalogue, Catalogue.id == Variant.catalogue_id)
            .where(
                Catalogue.name == catalogue,
                Variant.sku == sku,
                Variant.deleted_at.is_(None),
                Product.deleted_at.is_(None),
            )
        )
    ).first()
    return None if row is None else (row[0], row[1])


async def view(session: AsyncSession, order: Order) -> OrderView:
    """An order as the buyer may see it."""
    group = None
    if order.group_id is not None:
        group = await session.scalar(
            select(GroupOrder.public_id).where(GroupOrder.id == order.group_id)
        )
    currency = order.currency
    return OrderView(
        order=order.public_id,
        status=cast(OrderStatus, order.status),
        provider=cast(Provider, order.provider),
        is_test=order.is_test,
        lines=tuple(quoted(line, currency) for line in await lines_of(session, order.id)),
        goods=Money(order.goods_minor, currency),
        shipping=Money(order.shipping_minor, currency),
        tax=Money(order.tax_minor, currency),
        total=Money(order.total_minor, currency),
        refunded=Money(order.refunded_minor, currency),
        expires_at=order.expires_at,
        created_at=order.created_at,
        paid_at=order.paid_at,
        group=group,
        note=order.note,
        page_url=order.page_url if order.status == "open" else None,
    )


def quoted(line: OrderLine, currency: str) -> QuotedLine:
    """A line as its receipt shows it."""
    return QuotedLine(
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        list_price=Money(line.list_minor, currency),
        unit_price=Money(line.unit_minor, currency),
        mechanism=line.mechanism,
        reason=line.reason,
    )


async def refunds_in_all(session: AsyncSession, order_id: int) -> int:
    """How many refunds an order ever had, failed ones too."""
    found = await session.scalar(
        select(func.count()).select_from(Refund).where(Refund.order_id == order_id)
    )
    return int(found or 0)


def goods_share(order: Order, refunds: Iterable[Refund], refunded: int) -> int:
    """How much of what went back was for goods, in minor units.

    Refunds that we asked for say it themselves; of those made elsewhere (in the provider's own
    pages) goods have the share that they have of what is left. Cumulative, so that it is exact
    when everything is back.
    """
    known = goods = 0
    for refund in refunds:
        if known + refund.amount_minor <= refunded:
            known += refund.amount_minor
            goods += refund.goods_minor
    rest, left = refunded - known, order.total_minor - known
    if rest and left:
        goods += (rest * (order.goods_minor - goods) + left // 2) // left
    return min(goods, order.goods_minor)


def lines_share(refunds: Iterable[Refund], refunded: int) -> dict[int, int]:
    """What went back for single lines, by their place, as far as refunds named them."""
    known = 0
    found: dict[int, int] = {}
    for refund in refunds:
        if known + refund.amount_minor > refunded:
            continue
        known += refund.amount_minor
        for position, minor in (refund.lines or {}).items():
            found[int(position)] = found.get(int(position), 0) + minor
    return found


def _locked(query: Select[Order]) -> Select[Order]:
    # PostgreSQL runs writers side by side; SQLite has no such clause and needs none. The state may
    # have been read before the lock was had.
    return query.with_for_update().execution_options(populate_existing=True)
