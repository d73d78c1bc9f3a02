"""Money back: asked in a transaction, sent by the outbox, counted as the provider counts it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout import groups, orders, stock
from commerce.checkout.once import insert_once
from commerce.errors import CheckoutError, GatewayError
from commerce.models.happenings import OrderRefunded, ReturnedGoods
from commerce.models.orders import GroupOrder, Order, Refund
from commerce.models.values import StockChange
from commerce.money import Money
from commerce.shop.desk import Desk
from commerce.shop.outbox import post


class Refunding:
    """Gives money back."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def ask(
        self,
        session: AsyncSession,
        order: Order,
        amount: int,
        reason: str,
        *,
        key: str | None = None,
        goods: int | None = None,
        lines: Mapping[int, int] | None = None,
    ) -> None:
        """Leave a refund to be sent, in the caller's transaction.

        Args:
            session: Open for writing, with the order locked.
            order: Whose.
            amount: Minor units.
            reason: For the seller's books and the buyer's page.
            key: The same key is one refund, ever.
            goods: How much of it is for goods; by their share of what was paid when None.
            lines: Which lines the goods are of, in minor units by their place, where it is known.

        Raises:
            CheckoutError: More than is left, or nothing.
        """
        left = await self.left(session, order)
        if not 0 < amount <= left.minor:
            asked = Money(amount, order.currency)
            raise CheckoutError(f"{asked} cannot be refunded; {left} of the order is left")
        if goods is None:
            goods = await self._goods_of(session, order, amount, left.minor)
        number = await orders.refunds_in_all(session, order.id)
        key = f"refund:{key or f'{order.public_id}:{number}'}"
        is_new = await insert_once(
            session,
            Refund,
            {
                "order_id": order.id,
                "key": key,
                "amount_minor": amount,
                "goods_minor": goods,
                "lines": {str(place): minor for place, minor in lines.items()} if lines else None,
                "reason": reason,
                "state": "asked",
                "created_at": self._desk.now,
            },
        )
        if is_new:
            await post(
                session,
                key=key,
                aggregate=f"refund:{order.public_id}",
                kind="refund",
                payload={"refund": key},
                now=self._desk.now,
            )

    async def ask_all(self, session: AsyncSession, order: Order, reason: str, *, key: str) -> None:
        """Leave everything that is left to be sent back; nothing left is no error."""
        left = await self.left(session, order)
        if left.minor:
            await self.ask(session, order, left.minor, reason, key=key)

    async def of_lines(
        self, session: AsyncSession, order: Order, units: Mapping[str, int]
    ) -> tuple[int, dict[int, int]]:
        """What goes back for units of single lines: the whole with its tax, and goods by line.

        Args:
            session: Open, with the order locked.
            order: Whose.
            units: How many of which SKU.

        Raises:
            CheckoutError: No such line, or fewer units of it are left.
        """
        gone = orders.lines_share(await orders.refunds_of(session, order.id), order.total_minor)
        wanted = dict(units)
        found: dict[int, int] = {}
        for place, line in enumerate(await orders.lines_of(session, order.id)):
            left = line.quantity - -(-gone.get(place, 0) // max(1, line.unit_minor))
            taken = min(left, wanted.get(line.sku, 0))
            if taken > 0:
                wanted[line.sku] -= taken
                found[place] = taken * line.unit_minor
        short = [sku for sku, number in wanted.items() if number != 0]
        if short or not sum(found.values()):
            named = "".join(short[:1])[:60]
            raise CheckoutError(
                f"order {order.public_id} has no such units of {named!r} left to give back"
            )
        goods = sum(found.values())
        taxed = order.goods_minor + order.shipping_minor
        tax = (order.tax_minor * goods + taxed // 2) // taxed if taxed else 0
        # An earlier refund without lines may have taken a part of them: no more than is left goes.
        left_minor = (await self.left(session, order)).minor
        return min(goods + tax, left_minor), found

    async def left(self, session: AsyncSession, order: Order) -> Money:
        """What can still be given back: neither refunded nor asked for."""
        asked = sum(row.amount_minor for row in await orders.refunds_of(session, order.id))
        return Money(order.total_minor - max(asked, order.refunded_minor), order.currency)

    async def send(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        """The errand: have the provider send it, then count what it says is back."""
        key, gateway = str(payload["refund"]), self._desk.require_gateway()
        async with self._desk.context.database.reading() as session:
            row = await session.scalar(select(Refund).where(Refund.key == key))
            if row is None or row.state == "done":
                return
            order = await session.get(Order, row.order_id)
        assert order is not None
        if order.payment_ref is None:
            raise GatewayError(f"order {order.public_id} has no payment yet", is_passing=True)
        amount = Money(row.amount_minor, order.currency)
        try:
            ref = await gateway.refund(order.payment_ref, amount, key=key)
        except GatewayError as error:
            if not error.is_passing:
                await self._mark(key, "failed", None)
            raise
        self._desk.step("sent refund")
        state = await gateway.payment(order.payment_ref)
        await self._mark(key, "done", ref)
        async with self._desk.context.database.writing() as session:
            order = await orders.order_with_id(session, order.public_id, lock=True)
            changes = await self.apply(session, order, state.refunded)
        self._desk.context.announce(changes)

    async def apply(
        self, session: AsyncSession, order: Order, refunded: Money
    ) -> list[StockChange]:
        """Count what is back; less than was counted before is old news."""
        refunds = await orders.refunds_of(session, order.id)
        goods = orders.goods_share(order, refunds, refunded.minor)
        lines = orders.lines_share(refunds, refunded.minor)
        if sum(lines.values()) > goods:
            lines = {}  # what was given back elsewhere contradicts them; all goods share it then
        is_news = refunded.minor > order.refunded_minor or (
            refunded.minor == order.refunded_minor and goods > order.goods_refunded_minor
        )
        if not is_news or refunded.minor > order.total_minor:
            return []
        order.refunded_minor, order.goods_refunded_minor = refunded.minor, goods
        order.version += 1
        if order.status == "paid":
            # An order that was never sold is not in the books, and so cannot leave them.
            await self._desk.tell(
                session,
                OrderRefunded(
                    order.public_id,
                    self._desk.now,
                    refunded,
                    Money(goods, order.currency),
                    tuple(
                        ReturnedGoods(place, Money(minor, order.currency))
                        for place, minor in sorted(lines.items())
                    ),
                ),
                f"refunded:{order.public_id}:{refunded.minor}:{goods}",
            )
        if order.refunded_minor < order.total_minor or order.group_id is None:
            return []
        group = await session.get(GroupOrder, order.group_id)
        if group is None or group.state != "open":
            return []
        await groups.leave(session, order.id)
        return await stock.release(session, order.id)

    async def _goods_of(self, session: AsyncSession, order: Order, amount: int, left: int) -> int:
        """The goods' part of a refund; what is left of them goes with what is left of all."""
        rows = await orders.refunds_of(session, order.id)
        gone = max(sum(row.goods_minor for row in rows), order.goods_refunded_minor)
        return (amount * (order.goods_minor - gone) + left // 2) // left

    async def _mark(self, key: str, state: str, ref: str | None) -> None:
        async with self._desk.context.database.writing() as session:
            row = await session.scalar(select(Refund).where(Refund.key == key))
            if row is not None:
                row.state, row.refund_ref = state, ref
