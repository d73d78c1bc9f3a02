"""Units that are kept for a buyer, and never twice.

One conditional UPDATE takes them, so that no two buyers can both read "one left"; a check
constraint of the table stands behind it.
"""

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.errors import SoldOutError
from commerce.models.orders import Reservation
from commerce.models.tables import Variant
from commerce.models.values import StockChange

_FREE = Variant.on_hand - Variant.reserved


async def hold(
    session: AsyncSession, order_id: int, wants: Iterable[tuple[int, int]], *, key: str
) -> list[StockChange]:
    """Keep units for an order, all or none.

    Args:
        session: Open for writing; rolled back by the caller when this raises.
        order_id: Whose.
        wants: Variant and quantity; uncounted variants are always there.
        key: Makes the reservations unique; the same key cannot hold twice.

    Returns:
        What is left, to be announced after the commit.

    Raises:
        SoldOutError: Fewer units are free than wanted.
    """
    changes = []
    # In the order of ids, so that two buyers of the same things never wait for each other.
    for variant_id, quantity in sorted(wants):
        taken = await session.execute(
            update(Variant)
            .where(
                Variant.id == variant_id,
                Variant.deleted_at.is_(None),
                Variant.tracks_stock,
                quantity <= _FREE,
            )
            .values(reserved=Variant.reserved + quantity, stock_version=Variant.stock_version + 1)
            .returning(Variant.sku, _FREE, Variant.stock_version)
            .execution_options(synchronize_session=False)
        )
        row = taken.first()
        if row is None:
            await _require_uncounted(session, variant_id, quantity)
            continue
        changes.append(StockChange(*row))
        session.add(
            Reservation(
                key=f"{key}:{variant_id}",
                variant_id=variant_id,
                order_id=order_id,
                quantity=quantity,
                state="held",
            )
        )
    await session.flush()
    return changes


async def require_free(session: AsyncSession, sku: str, quantity: int) -> None:
    """Turn a buyer away before anything is locked, where too few are free; no promise otherwise.

    Raises:
        SoldOutError: Fewer units are free than wanted.
    """
    row = (
        await session.execute(
            select(_FREE).where(
                Variant.sku == sku, Variant.deleted_at.is_(None), Variant.tracks_stock
            )
        )
    ).first()
    if row is not None and row[0] < quantity:
        raise _sold_out(sku, row[0], quantity)


async def commit(session: AsyncSession, order_id: int) -> None:
    """The held units of an order are sold; what is left does not change by it."""
    for held in await _held(session, order_id):
        await session.execute(
            update(Variant)
            .where(Variant.id == held.variant_id)
            .values(
                on_hand=Variant.on_hand - held.quantity, reserved=Variant.reserved - held.quantity
            )
            .execution_options(synchronize_session=False)
        )
        held.state = "committed"


async def release(session: AsyncSession, order_id: int) -> list[StockChange]:
    """The held units of an order go back on the shelf.

    Returns:
        What is left, to be announced after the commit.
    """
    changes = []
    for held in await _held(session, order_id):
        row = (
            await session.execute(
                update(Variant)
                .where(Variant.id == held.variant_id)
                .values(
                    reserved=Variant.reserved - held.quantity,
                    stock_version=Variant.stock_version + 1,
                )
                .returning(Variant.sku, _FREE, Variant.stock_version, Variant.tracks_stock)
                .execution_options(synchronize_session=False)
            )
        ).one()
        held.state = "released"
        if row.tracks_stock:
            changes.append(StockChange(*row[:3]))
    return changes


async def _held(session: AsyncSession, order_id: int) -> list[Reservation]:
    rows = await session.scalars(
        select(Reservation)
        .where(Reservation.order_id == order_id, Reservation.state == "held")
        .order_by(Reservation.variant_id)
    )
    return list(rows)


async def _require_uncounted(session: AsyncSession, variant_id: int, quantity: int) -> None:
    variant = await session.get(Variant, variant_id, populate_existing=True)
    if variant is None or variant.deleted_at is not None:
        raise SoldOutError("this product is no longer sold")
    if variant.tracks_stock:
        raise _sold_out(variant.sku, variant.on_hand - variant.reserved, quantity)


def _sold_out(sku: str, left: int, quantity: int) -> SoldOutError:
    said = "sold out" if left <= 0 else f"down to {left}; {quantity} were wanted"
    return SoldOutError(f"{sku} is {said}")
