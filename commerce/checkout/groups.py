"""Group orders in the database; what they come to is decided in ``grouping``."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout.grouping import Seat, leader_of, people
from commerce.checkout.prices import Offer
from commerce.errors import PriceRefusedError
from commerce.models.buying import GroupState
from commerce.models.orders import GroupOrder, GroupSeat, Order, OrderLine
from commerce.money import Money


async def group_with_id(session: AsyncSession, public_id: str, *, lock: bool = False) -> GroupOrder:
    """A group order by its public id.

    Raises:
        PriceRefusedError: There is none.
    """
    query = select(GroupOrder).where(GroupOrder.public_id == public_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: GroupOrder | None = await session.scalar(query)
    if found is None:
        raise PriceRefusedError(f"no group order is called {public_id[:60]!r}")
    return found


async def rows_since(session: AsyncSession, since: datetime) -> list[GroupOrder]:
    """Group orders whose deadline is later, the soonest first."""
    rows = await session.scalars(
        select(GroupOrder).where(GroupOrder.deadline > since).order_by(GroupOrder.deadline)
    )
    return list(rows)


async def links_of(session: AsyncSession, group_id: int) -> list[str]:
    """The tokens of the links by which buyers who paid came to a group order."""
    rows = await session.scalars(
        select(Order.referral)
        .join(GroupSeat, GroupSeat.order_id == Order.id)
        .where(
            GroupSeat.group_id == group_id, GroupSeat.state == "paid", Order.referral.is_not(None)
        )
        .distinct()
    )
    return [token for token in rows if token is not None]


async def joinable(
    session: AsyncSession, public_id: str, buyer: str, quantity: int, now: datetime
) -> GroupOrder:
    """A group order that the buyer may join, locked.

    Raises:
        PriceRefusedError: It is over, or the buyer has as much of it as allowed.
    """
    group = await group_with_id(session, public_id, lock=True)
    if group.state != "open" or now >= group.deadline:
        raise PriceRefusedError("this group order is over")
    had = await session.scalar(
        select(func.sum(GroupSeat.quantity)).where(
            GroupSeat.group_id == group.id, GroupSeat.buyer == buyer, GroupSeat.state != "left"
        )
    )
    if int(had or 0) + quantity > group.per_buyer:
        raise PriceRefusedError(f"each buyer may have {group.per_buyer} in this group order")
    return group


async def offer(
    session: AsyncSession, public_id: str, sku: str, quantity: int, now: datetime
) -> Offer:
    """What a unit costs who joins now: the dearest step; the difference comes back.

    Raises:
        PriceRefusedError: It is over, or for another product.
    """
    group = await group_with_id(session, public_id)
    if group.sku != sku:
        raise PriceRefusedError(f"this group order is for {group.sku}")
    if group.state != "open" or now >= group.deadline:
        raise PriceRefusedError("this group order is over")
    if quantity > group.per_buyer:
        raise PriceRefusedError(f"each buyer may have {group.per_buyer} in this group order")
    return Offer(
        f"group:{public_id}", "group", f"group price from {group.target} people",
        price=group.ladder[0][1],
    )  # fmt: skip


async def seats_of(session: AsyncSession, group_id: int) -> list[Seat]:
    """Every place in a group order, as ``grouping`` wants it."""
    rows = await session.execute(
        select(GroupSeat, Order.public_id, OrderLine.unit_minor)
        .join(Order, Order.id == GroupSeat.order_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(GroupSeat.group_id == group_id)
        .order_by(GroupSeat.id)
    )
    return [
        Seat(order, seat.buyer, seat.quantity, unit, seat.paid_at, seat.state == "left")
        for seat, order, unit in rows
    ]


async def sit(session: AsyncSession, order: Order, paid_at: datetime) -> None:
    """An order of a group was paid: its buyer counts from now on."""
    await session.execute(
        update(GroupSeat)
        .where(GroupSeat.order_id == order.id)
        .values(state="paid", paid_at=paid_at)
        .execution_options(synchronize_session=False)
    )
    if order.group_id is not None:
        await succeed(session, order.group_id)


async def leave(session: AsyncSession, order_id: int) -> None:
    """A buyer does not pay, or takes everything back; another one may lead from now on."""
    group_id = await session.scalar(
        select(GroupSeat.group_id).where(GroupSeat.order_id == order_id)
    )
    if group_id is None:
        return
    await session.execute(
        update(GroupSeat)
        .where(GroupSeat.order_id == order_id)
        .values(state="left")
        .execution_options(synchronize_session=False)
    )
    await succeed(session, group_id)


async def succeed(session: AsyncSession, group_id: int) -> None:
    """Let the earliest buyer lead where the leader has left."""
    group = await session.get(GroupOrder, group_id)
    if group is None or group.state != "open":
        return
    leader = leader_of(await seats_of(session, group_id), group.deadline, group.leader)
    if leader is not None and leader != group.leader:
        group.leader = leader


async def due_groups(session: AsyncSession, now: datetime) -> list[str]:
    """Public ids of open groups whose deadline has passed."""
    rows = await session.scalars(
        select(GroupOrder.public_id).where(GroupOrder.state == "open", GroupOrder.deadline <= now)
    )
    return list(rows)


async def state_of(session: AsyncSession, group: GroupOrder) -> GroupState:
    """A group order as anybody may see it."""
    seats = await seats_of(session, group.id)
    final = group.final_minor
    return GroupState(
        group=group.public_id,
        sku=group.sku,
        state=_state(group, seats),  # type: ignore[arg-type]
        joined=people(seats, group.deadline),
        target=group.target,
        ladder=tuple((number, Money(unit, group.currency)) for number, unit in group.ladder),
        price=Money(group.ladder[0][1], group.currency),
        deadline=group.deadline,
        leader=group.leader,
        final_price=None if final is None else Money(final, group.currency),
    )


def _state(group: GroupOrder, seats: Sequence[Seat]) -> str:
    if group.state == "open" and people(seats, group.deadline) >= group.target:
        return "formed"
    return group.state
