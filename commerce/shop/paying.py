"""What the payment provider says becomes what an order is; in whatever order it says it.

Nothing is read off a webhook but what it is about: the object is fetched again, so that late,
doubled and reordered news all lead to the provider's present state. Every change is monotone.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout import groups, orders, rules, stock
from commerce.checkout.gateway import DisputeState, PageState
from commerce.errors import GatewayError, SoldOutError, UnknownOrderError
from commerce.models.happenings import OrderDisputed, OrderPaid, SoldLine
from commerce.models.orders import Dispute, Errand, GroupOrder, Order
from commerce.models.values import StockChange
from commerce.money import Money
from commerce.shop.desk import Desk
from commerce.shop.refunding import Refunding
from commerce.shop.selling import free

APOLOGY = (
    "Your payment arrived after the hold had ended and the last one was sold meanwhile. "
    "We are sorry: the whole amount goes back to you."
)
TOO_LATE = "Your payment arrived after the group order had closed; the whole amount goes back."
_PATIENT_ATTEMPTS = 5  # half a minute
_RANK = {"warning": 0, "withdrawn": 1, "won": 2, "lost": 2}


class Paying:
    """Applies the provider's state to orders."""

    def __init__(self, desk: Desk, refunding: Refunding) -> None:
        self._desk = desk
        self._refunding = refunding

    # Errands -----------------------------------------------------------------------------------

    async def provider_event(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        """The provider has news: look at what it is about."""
        kind, gateway = str(payload["kind"]), self._desk.require_gateway()
        if payload["page"]:
            await self.apply_page(await gateway.page(str(payload["page"])))
        elif kind.startswith("charge.dispute."):
            await self._dispute(str(payload["about"]))
        elif payload["payment"]:
            await self._refunded(str(payload["payment"]))

    async def close_page(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        """The hold is over: end the payment page, and see whether it was paid after all."""
        public_id = str(payload["order"])
        async with self._desk.context.database.reading() as session:
            order = await orders.order_with_id(session, public_id)
        if order.page_ref is None:
            await self.release(public_id, "the hold ended")
            return
        page = await self._desk.require_gateway().close_page(order.page_ref)
        self._desk.step("closed page")
        await self.apply_page(page)
        if page.state == "processing" and order.status == "processing":
            await self.release(public_id, "the payment did not arrive in time")

    async def sweep(self) -> list[tuple[str, str]]:
        """Orders whose hold is over, each with the key of the errand that closes its page.

        Those whose page could not be closed for a while are freed here: a payment that still comes
        finds the goods if they are there, or is given back.
        """
        async with self._desk.context.database.reading() as session:
            rows = await orders.expired_orders(session, self._desk.now, 200)
            expired = [(order, f"close:{order}:{int(ends.timestamp())}") for order, ends in rows]
            stuck = await session.scalars(
                select(Errand.key).where(
                    Errand.key.in_([key for _, key in expired]),
                    (Errand.attempts >= _PATIENT_ATTEMPTS) | (Errand.state == "dead"),
                )
            )
            hopeless = set(stuck)
        for order, key in expired:
            if key in hopeless:
                await self.release(order, "the hold ended")
        return [entry for entry in expired if entry[1] not in hopeless]

    async def release(self, public_id: str, note: str) -> None:
        """Give an unpaid order's goods back."""
        async with self._desk.context.database.writing() as session:
            order = await orders.order_with_id(session, public_id, lock=True)
            is_waiting = order.status in ("pending", "open", "processing")
            changes = await free(session, order, note) if is_waiting else []
        self._desk.context.announce(changes)

    # Pages -------------------------------------------------------------------------------------

    async def apply_page(self, page: PageState) -> None:
        """Make an order what its payment page says."""
        keys = await self._keys(page)
        changes: list[StockChange] = []
        async with self._desk.context.database.writing() as session:
            order = await orders.order_of_page(session, page.ref)
            if order is None:
                try:
                    order = await orders.order_with_id(session, page.order, lock=True)
                except UnknownOrderError:
                    return  # another program shares the provider's account
                if order.page_ref is None:
                    order.page_ref, order.page_url = page.ref, page.url
            order.payment_ref = page.payment or order.payment_ref
            order.charge_ref = page.charge or order.charge_ref
            is_waiting = order.status in ("pending", "open", "processing")
            if page.state == "paid" and (is_waiting or order.status == "released"):
                changes = await self._paid(session, order, page, keys)
            elif page.state == "processing" and order.status in ("pending", "open"):
                order.status = "processing"
                order.expires_at = self._desk.now + self._desk.config.patience
                order.version += 1
            elif page.state in ("expired", "failed") and is_waiting:
                note = "the payment failed" if page.state == "failed" else "the hold ended"
                changes = await free(session, order, note)
        self._desk.step("applied page")
        self._desk.context.announce(changes)

    async def _paid(
        self, session: AsyncSession, order: Order, page: PageState, keys: tuple[str, ...]
    ) -> list[StockChange]:
        changes: list[StockChange] = []
        order.shipping_minor, order.tax_minor = page.shipping.minor, page.tax.minor
        order.total_minor, order.fee_minor = page.total.minor, page.fee.minor
        order.paid_at = page.paid_at or self._desk.now
        order.version += 1
        if order.status == "released":
            try:
                async with session.begin_nested():
                    changes = await self._hold_again(session, order)
            except SoldOutError:
                order.status, order.note = "returned", APOLOGY
                await self._refunding.ask_all(
                    session, order, APOLOGY, key=f"late:{order.public_id}"
                )
                return []
        order.status, order.note = "paid", ""
        order.buyer_keys = sorted({*order.buyer_keys, *keys})
        await rules.keep(session, order.id)
        await self._desk.tell(
            session, await self._happening(session, order), f"paid:{order.public_id}"
        )
        if order.group_id is None:
            await stock.commit(session, order.id)
        else:
            changes += await self._joined(session, order)
        return changes

    async def _joined(self, session: AsyncSession, order: Order) -> list[StockChange]:
        """A group's goods stay held until its deadline says whether they are sold."""
        group = await session.get(GroupOrder, order.group_id)
        assert group is not None
        assert order.paid_at is not None
        await groups.sit(session, order, order.paid_at)
        if group.state == "open":
            return []
        order.note = TOO_LATE
        await self._refunding.ask_all(session, order, TOO_LATE, key=f"late:{order.public_id}")
        return await stock.release(session, order.id)

    async def _hold_again(self, session: AsyncSession, order: Order) -> list[StockChange]:
        wants = [
            (line.variant_id, line.quantity)
            for line in await orders.lines_of(session, order.id)
            if line.variant_id is not None
        ]
        return await stock.hold(session, order.id, wants, key=f"{order.public_id}:late")

    async def _happening(self, session: AsyncSession, order: Order) -> OrderPaid:
        currency = order.currency
        lines = await orders.lines_of(session, order.id)
        assert order.paid_at is not None
        return OrderPaid(
            order=order.public_id,
            occurred_at=order.paid_at,
            lines=tuple(
                SoldLine(
                    line.sku,
                    line.product,
                    line.title,
                    line.quantity,
                    Money(line.unit_minor * line.quantity, currency),
                    line.mechanism,
                )
                for line in lines
            ),
            shipping=Money(order.shipping_minor, currency),
            tax=Money(order.tax_minor, currency),
            total=Money(order.total_minor, currency),
            fee=Money(order.fee_minor, currency),
            buyer=order.buyer,
            buyer_keys=tuple(order.buyer_keys),
            referral=order.referral,
            session=order.session,
            source=order.provider,
            is_test=order.is_test,
        )

    async def _keys(self, page: PageState) -> tuple[str, ...]:
        """Identity nodes the payment proves; the address itself is kept by the provider alone."""
        if self._desk.books is None or not page.email or page.state != "paid":
            return ()
        return (await self._desk.books.node("email_hash", page.email.strip().lower()),)

    # Refunds and disputes ------------------------------------------------------------------------

    async def _refunded(self, payment: str) -> None:
        state = await self._desk.require_gateway().payment(payment)
        public_id = await self._order_of(payment, state.order)
        if public_id is None:
            return
        async with self._desk.context.database.writing() as session:
            order = await orders.order_with_id(session, public_id, lock=True)
            changes = await self._refunding.apply(session, order, state.refunded)
        self._desk.step("applied refund")
        self._desk.context.announce(changes)

    async def _dispute(self, ref: str) -> None:
        gateway = self._desk.require_gateway()
        found = await gateway.dispute(ref)
        payment = await gateway.payment(found.payment)
        public_id = await self._order_of(found.payment, payment.order)
        if public_id is None:
            return
        async with self._desk.context.database.writing() as session:
            order = await orders.order_with_id(session, public_id, lock=True)
            await self._note_dispute(session, order, found)
        self._desk.step("applied dispute")

    async def _note_dispute(self, session: AsyncSession, order: Order, found: DisputeState) -> None:
        row = await session.scalar(select(Dispute).where(Dispute.dispute_ref == found.ref))
        if row is None:
            row = Dispute(
                dispute_ref=found.ref,
                order_id=order.id,
                amount_minor=found.amount.minor,
                state=found.state,
            )
            session.add(row)
        elif _RANK[found.state] <= _RANK[row.state]:
            return
        row.state = found.state
        happening = OrderDisputed(
            order.public_id, self._desk.now, found.ref, found.state, found.amount
        )
        await self._desk.tell(session, happening, f"disputed:{found.ref}:{found.state}")

    async def _order_of(self, payment: str, told: str | None) -> str | None:
        """The order a payment belongs to, paid by now even when that news is still on its way."""
        async with self._desk.context.database.reading() as session:
            found = await orders.order_of_payment(session, payment)
            if found is None and told is not None:
                try:
                    found = await orders.order_with_id(session, told)
                except UnknownOrderError:
                    return None
        if found is None:
            return None
        if found.paid_at is None:
            if found.page_ref is None:
                raise GatewayError(
                    f"order {found.public_id} has no payment page yet", is_passing=True
                )
            await self.apply_page(await self._desk.require_gateway().page(found.page_ref))
        return found.public_id
