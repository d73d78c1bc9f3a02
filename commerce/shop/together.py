"""Prices that people reach together: group orders and bargains."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout import bargains, groups, orders, rules, stock
from commerce.checkout.bargaining import commitment_of, cuts_of
from commerce.checkout.grouping import checked_ladder, settle
from commerce.errors import CheckoutError, PriceRefusedError, UnknownProductError
from commerce.models.buying import BargainState, GroupState
from commerce.models.orders import Bargain, GroupOrder, Order
from commerce.models.tables import Variant
from commerce.models.values import StockChange
from commerce.money import Money
from commerce.shop.desk import Desk, new_id
from commerce.shop.paying import Paying
from commerce.shop.refunding import Refunding
from commerce.shop.selling import CATALOGUE

_MOST_PEOPLE = 1000
_LATELY = timedelta(days=1)


class Together:
    """Opens, joins and settles them."""

    def __init__(self, desk: Desk, paying: Paying, refunding: Refunding) -> None:
        self._desk = desk
        self._paying = paying
        self._refunding = refunding

    async def open_group(
        self,
        sku: str,
        *,
        target: int,
        ladder: Sequence[tuple[int, Money]],
        deadline: datetime,
        leader: str,
        per_buyer: int = 1,
    ) -> GroupState:
        """Begin a group order; its leader counts once the leader has paid, as everybody does.

        Raises:
            UnknownProductError: The SKU is not on sale.
            PriceRefusedError: The ladder, target or deadline makes no sense.
        """
        if deadline <= self._desk.now or not 1 <= per_buyer <= 100 or target > _MOST_PEOPLE:
            raise PriceRefusedError("a group order ends in the future and has 1 unit or more each")
        async with self._desk.context.database.writing() as session:
            variant = await self._variant(session, sku)
            if any(price.currency != variant.currency for _, price in ladder):
                raise PriceRefusedError(f"{sku} is sold in {variant.currency}")
            steps = checked_ladder(
                target, [(number, price.minor) for number, price in ladder], variant.price_minor
            )
            floor = await rules.floor_of(session, sku, variant.currency)
            if steps[-1][1] < floor:
                raise PriceRefusedError("the cheapest step is under the seller's floor")
            group = GroupOrder(
                public_id=new_id("group"),
                variant_id=variant.id,
                sku=sku,
                currency=variant.currency,
                target=target,
                ladder=[list(step) for step in steps],
                per_buyer=per_buyer,
                leader=leader,
                state="open",
                deadline=deadline,
                created_at=self._desk.now,
            )
            session.add(group)
            await session.flush()
            return await groups.state_of(session, group)

    async def group(self, public_id: str) -> GroupState:
        """A group order as it stands.

        Raises:
            PriceRefusedError: There is none.
        """
        async with self._desk.context.database.reading() as session:
            return await groups.state_of(session, await groups.group_with_id(session, public_id))

    async def groups_lately(self) -> list[tuple[GroupState, list[str]]]:
        """Group orders of now and of the last day, and the links their buyers came by."""
        async with self._desk.context.database.reading() as session:
            rows = await groups.rows_since(session, self._desk.now - _LATELY)
            return [
                (await groups.state_of(session, row), await groups.links_of(session, row.id))
                for row in rows
            ]

    async def leave_group(self, order: str) -> None:
        """A buyer leaves before the deadline: everything goes back, another one may lead.

        Raises:
            CheckoutError: The order is in no open group, or not paid.
        """
        async with self._desk.context.database.writing() as session:
            row = await orders.order_with_id(session, order, lock=True)
            group = await session.get(GroupOrder, row.group_id) if row.group_id else None
            if group is None or group.state != "open" or row.status != "paid":
                raise CheckoutError(f"order {order} is in no open group order")
            await groups.leave(session, row.id)
            changes = await stock.release(session, row.id)
            await self._refunding.ask_all(
                session, row, "You left the group order.", key=f"left:{order}"
            )
        self._desk.context.announce(changes)
        self._desk.outbox.wake()

    async def due_groups(self) -> list[str]:
        """Group orders whose deadline has passed."""
        async with self._desk.context.database.reading() as session:
            return await groups.due_groups(session, self._desk.now)

    async def settle(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        """The errand at the deadline: who had paid counts, the rest is given back."""
        public_id = str(payload["group"])
        for waiting in await self._unpaid(public_id):
            # Who pays at this very moment is either in, or finds the page closed.
            await self._paying.close_page("", {"order": waiting})
        async with self._desk.context.database.writing() as session:
            group = await groups.group_with_id(session, public_id, lock=True)
            changes = await self._settle(session, group) if group.state == "open" else []
        self._desk.step("settled group")
        self._desk.context.announce(changes)

    async def _settle(self, session: AsyncSession, group: GroupOrder) -> list[StockChange]:
        seats = await groups.seats_of(session, group.id)
        ladder = [(number, unit) for number, unit in group.ladder]
        result = settle(seats, ladder=ladder, target=group.target, deadline=group.deadline)
        group.state = "settled" if result.state == "formed" else "failed"
        group.final_minor = result.unit
        back, changes = dict(result.refunds), []
        for seat in seats:
            if seat.paid_at is None or seat.has_left:
                continue
            order = await orders.order_with_id(session, seat.order, lock=True)
            difference = back.get(seat.order, 0)
            if result.unit is None or seat.paid_at > group.deadline:
                reason = "The group order did not come together." if result.unit is None else (
                    "You paid after the group order's deadline."
                )  # fmt: skip
                order.note = f"{reason} Everything goes back to you."
                await self._refunding.ask_all(
                    session, order, reason, key=f"group:{group.public_id}:{seat.order}"
                )
                changes += await stock.release(session, order.id)
                continue
            await stock.commit(session, order.id)
            if difference:
                await self._give_difference(session, group, order, difference)
        return changes

    async def _give_difference(
        self, session: AsyncSession, group: GroupOrder, order: Order, difference: int
    ) -> None:
        """The dearest step less the reached one, and the tax that was taken on it."""
        taxed = order.goods_minor + order.shipping_minor
        tax = (order.tax_minor * difference + taxed // 2) // taxed
        shown = Money(group.final_minor or 0, group.currency).display()
        reason = f"The group reached {shown} each; the difference goes back."
        left = (await self._refunding.left(session, order)).minor
        amount = min(left, difference + tax)
        if amount:
            await self._refunding.ask(
                session,
                order,
                amount,
                reason,
                key=f"group:{group.public_id}:{order.public_id}",
                goods=min(amount, difference),
            )
        order.note = reason

    async def _unpaid(self, public_id: str) -> list[str]:
        async with self._desk.context.database.reading() as session:
            group = await groups.group_with_id(session, public_id)
            seats = await groups.seats_of(session, group.id)
            waiting = [seat.order for seat in seats if seat.paid_at is None and not seat.has_left]
            rows = [await orders.order_with_id(session, order) for order in waiting]
        return [row.public_id for row in rows if row.status in ("pending", "open")]

    # Bargains ------------------------------------------------------------------------------------

    async def open_bargain(
        self, sku: str, *, buyer: str, floor: Money, helps: int, deadline: datetime
    ) -> BargainState:
        """Begin a bargain: how many friends and which lowest price are told from the start.

        Raises:
            UnknownProductError: The SKU is not on sale.
            PriceRefusedError: The floor, number or deadline makes no sense.
        """
        if deadline <= self._desk.now:
            raise PriceRefusedError("a bargain ends in the future")
        seed = secrets.token_bytes(32)
        async with self._desk.context.database.writing() as session:
            variant = await self._variant(session, sku)
            lowest = await rules.floor_of(session, sku, variant.currency)
            if floor.currency != variant.currency or floor.minor < lowest:
                raise PriceRefusedError(f"{floor} is under what the seller allows for {sku}")
            cuts_of(seed, start=variant.price_minor, floor=floor.minor, helps=helps)
            bargain = Bargain(
                public_id=new_id("bargain"),
                sku=sku,
                buyer=buyer,
                currency=variant.currency,
                start_minor=variant.price_minor,
                floor_minor=floor.minor,
                helps=helps,
                seed=seed.hex(),
                commitment=commitment_of(seed),
                deadline=deadline,
                created_at=self._desk.now,
            )
            session.add(bargain)
            await session.flush()
            return await bargains.state_of(session, bargain, self._desk.now)

    async def bargain(self, public_id: str) -> BargainState:
        """A bargain as it stands.

        Raises:
            PriceRefusedError: There is none.
        """
        async with self._desk.context.database.reading() as session:
            found = await bargains.bargain_with_id(session, public_id)
            return await bargains.state_of(session, found, self._desk.now)

    async def help_bargain(self, public_id: str, *, helper: str) -> Money:
        """One friend's cut.

        Raises:
            PriceRefusedError: It is over, one's own, or this friend has helped before.
        """
        async with self._desk.context.database.writing() as session:
            return await bargains.help_with(session, public_id, helper, self._desk.now)

    async def _variant(self, session: AsyncSession, sku: str) -> Variant:
        found = await orders.sold_variant(session, CATALOGUE, sku)
        if found is None:
            raise UnknownProductError(f"no product on sale has the SKU {sku[:60]!r}")
        return found[0]
