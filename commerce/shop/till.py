"""Orders, reservations, prices and payments: the till's own door."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout import orders, rules
from commerce.checkout.gateway import Gateway, News
from commerce.checkout.once import insert_once
from commerce.checkout.own_shop import Platform
from commerce.database import Database
from commerce.errors import CheckoutError, CommerceError
from commerce.models.buying import (
    BargainState,
    CheckoutRequest,
    CheckoutStarted,
    Coupon,
    FlashPrice,
    FlashState,
    GroupState,
    OrderView,
    Quote,
    TillConfig,
)
from commerce.models.happenings import OrderDelivered, from_json
from commerce.models.orders import ProviderEvent
from commerce.money import Money
from commerce.shop.connect_rail import ConnectRail
from commerce.shop.context import Context
from commerce.shop.desk import Books, Desk, new_id
from commerce.shop.outbox import Outbox, post
from commerce.shop.own_shop import OwnShop
from commerce.shop.paying import Paying
from commerce.shop.refunding import Refunding
from commerce.shop.selling import Selling
from commerce.shop.together import Together

_SWEEP_S = 1.0
_ABOUT_MONEY = ("checkout.session.", "charge.refunded", "charge.dispute.", "refund.")
# Buyers wait here for their turn instead of at the database, which would make them all poll it.
_AT_ONCE = 4


def _no_step(name: str) -> None:
    return None


class Till:
    """Orders, reservations, prices and payments.

    Part of a shop: ``shop.till``. ``connect`` it to whoever takes the money, and have it ``run``.

    Attributes:
        outbox: What transactions left to be done.
    """

    def __init__(self, context: Context, *, step: Callable[[str], None] = _no_step) -> None:
        self.outbox = Outbox(context, step)
        self._desk = desk = Desk(context, self.outbox, step, TillConfig())
        self._refunding = Refunding(desk)
        self._selling = Selling(desk)
        self._paying = Paying(desk, self._refunding)
        self._together = Together(desk, self._paying, self._refunding)
        self._own_shop = OwnShop(desk, self._refunding)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._daily: list[Callable[[], Awaitable[object]]] = []
        self.outbox.on("news", self._news)
        self.outbox.on("forget", self._forget)

    # Connections -------------------------------------------------------------------------------

    def connect(self, gateway: Gateway, config: TillConfig | None = None) -> None:
        """Have somebody take the money."""
        self._desk.gateway = gateway
        self._desk.config = config or self._desk.config
        self.outbox.on("open_page", self._open_page)
        self.outbox.on("close_page", self._paying.close_page)
        self.outbox.on("provider_event", self._paying.provider_event)
        self.outbox.on("refund", self._refunding.send)
        self.outbox.on("settle_group", self._together.settle)
        self.outbox.on("own_order", self._own_shop.order)
        self.outbox.on("own_refund", self._own_shop.refund)

    def keep_books(self, books: Books) -> None:
        """Tell the ledger what happens to orders."""
        self._desk.books = books

    @property
    def database(self) -> Database:
        """Where the orders lie."""
        return self._desk.context.database

    @property
    def clock(self) -> Callable[[], datetime]:
        """Says the time; timezone-aware."""
        return self._desk.context.clock

    @property
    def gateway(self) -> Gateway | None:
        """Whoever takes the money; None while nobody does."""
        return self._desk.gateway

    @property
    def is_test(self) -> bool:
        """Whether no real money moves, which must be shown wherever a person looks."""
        return self._desk.gateway is not None and self._desk.gateway.is_test

    @property
    def rail(self) -> ConnectRail | None:
        """What commissions are paid out with; None where the provider sends no money on."""
        gateway = self._desk.gateway
        if gateway is None or gateway.provider not in ("stripe", "sandbox"):
            return None
        return ConnectRail(gateway, self.database)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do errands and end old holds in the background while the block runs."""
        tasks = [
            asyncio.create_task(self.outbox.run(), name="outbox"),
            asyncio.create_task(self._sweep_for_ever(), name="sweeper"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    # Buying ------------------------------------------------------------------------------------

    async def quote(self, request: CheckoutRequest) -> Quote:
        """What it would cost now, and why; nothing is held.

        Raises:
            UnknownProductError: A SKU is not on sale.
            PriceRefusedError: The coupon, group or bargain does not apply.
            CheckoutError: An empty or absurd wish.
        """
        return await self._selling.quote(request)

    async def checkout(self, request: CheckoutRequest) -> CheckoutStarted:
        """Hold the goods and open a payment page.

        Raises:
            UnknownProductError: A SKU is not on sale.
            SoldOutError: Fewer units are free than wanted.
            PriceRefusedError: The coupon, group or bargain does not apply.
            GatewayError: The provider refused or cannot be reached; the goods are free again.
            CheckoutError: An empty or absurd wish, or no provider is connected.
        """
        async with self._turns:
            return await self._selling.start(request)

    async def order(self, public_id: str) -> OrderView:
        """The order as it stands.

        Raises:
            UnknownOrderError: There is none.
        """
        async with self._desk.context.database.reading() as session:
            return await orders.view(session, await orders.order_with_id(session, public_id))

    async def orders(
        self, most: int = 50, status: str | None = None, *, offset: int = 0
    ) -> list[OrderView]:
        """The newest orders first, from the one after ``offset`` newer ones."""
        async with self._desk.context.database.reading() as session:
            rows = await orders.newest_orders(session, most, status, offset)
            return [await orders.view(session, row) for row in rows]

    async def refund(
        self,
        order: str,
        amount: Money | None = None,
        *,
        lines: Mapping[str, int] | None = None,
        reason: str = "refunded by the seller",
    ) -> OrderView:
        """Give money back; None for all that is left. Sent at once, or later if nobody answers.

        Args:
            order: Its public id.
            amount: So much, for nothing in particular: commissions shrink in proportion.
            lines: Units by SKU instead of an amount: their price with its tax goes back, and only
                their commission with it.
            reason: For the books and the buyer's page.

        Raises:
            UnknownOrderError: There is no such order.
            CheckoutError: It is not paid, another currency, more than is left, or an amount beside
                lines.
        """
        if lines is not None and (amount is not None or any(n < 1 for n in lines.values())):
            raise CheckoutError("give back either an amount, or 1 unit or more of single lines")
        async with self._desk.context.database.writing() as session:
            row = await orders.order_with_id(session, order, lock=True)
            if row.status != "paid":
                raise CheckoutError(f"order {order} is {row.status}, not paid")
            if amount is not None and amount.currency != row.currency:
                raise CheckoutError(f"order {order} was paid in {row.currency}")
            if lines is not None:
                whole, goods = await self._refunding.of_lines(session, row, lines)
                share = min(whole, sum(goods.values()))
                await self._refunding.ask(session, row, whole, reason, goods=share, lines=goods)
            else:
                wanted = amount or await self._refunding.left(session, row)
                await self._refunding.ask(session, row, wanted.minor, reason)
        self._desk.step("asked refund")
        await self.outbox.dispatch()
        return await self.order(order)

    async def deliver(self, order: str) -> None:
        """The buyer has the goods; return windows count from now. Telling it twice changes nothing.

        Raises:
            UnknownOrderError: There is no such order.
            CheckoutError: It is not paid.
        """
        async with self._desk.context.database.writing() as session:
            row = await orders.order_with_id(session, order, lock=True)
            if row.status != "paid":
                raise CheckoutError(f"order {order} is {row.status}, not paid")
            if row.delivered_at is None:
                row.delivered_at = self._desk.now
                await self._desk.tell(
                    session, OrderDelivered(order, row.delivered_at), f"delivered:{order}"
                )
        self.outbox.wake()

    # News --------------------------------------------------------------------------------------

    async def receive(self, raw: bytes, signature: str) -> None:
        """Take a webhook of the payment provider; it is durable when this returns.

        Raises:
            WebhookError: Forged, stale, from the future, or unreadable.
            CheckoutError: No provider is connected.
        """
        gateway = self._desk.require_gateway()
        news = gateway.news(raw, signature)
        async with self._desk.context.database.writing() as session:
            await self._keep_news(session, gateway.provider, news, raw)
        self._desk.step("received event")
        self.outbox.wake()

    async def receive_own_shop(
        self, platform: Platform, headers: Mapping[str, str], raw: bytes
    ) -> None:
        """Take a webhook of the seller's own shop; it is durable when this returns.

        Args:
            platform: ``shopify`` or ``woocommerce``.
            headers: With lower-case names.
            raw: The body as it arrived.

        Raises:
            WebhookError: Forged, unreadable, or of a shop that is not connected.
        """
        await self._own_shop.receive(platform, headers, raw)

    async def name_in_own_shop(self, platform: Platform, ids: Mapping[str, str]) -> None:
        """What the seller's own shop calls our variants, by SKU."""
        await self._own_shop.name(platform, ids)

    async def _keep_news(self, session: AsyncSession, source: str, news: News, raw: bytes) -> None:
        is_new = await insert_once(
            session,
            ProviderEvent,
            {
                "source": source,
                "event_id": news.event[:255],
                "kind": news.kind[:100],
                "received_at": self._desk.now,
                "body_sha256": hashlib.sha256(raw).hexdigest(),
            },
        )
        if is_new and news.kind.startswith(_ABOUT_MONEY):
            await post(
                session,
                key=f"event:{source}:{news.event}"[:160],
                aggregate=f"event:{news.page or news.payment or news.about}"[:80],
                kind="provider_event",
                payload={
                    "kind": news.kind,
                    "about": news.about,
                    "page": news.page,
                    "payment": news.payment,
                },
                now=self._desk.now,
            )

    # Prices ------------------------------------------------------------------------------------

    async def set_floor(self, sku: str, floor: Money) -> None:
        """No mechanism may take a unit of it below this."""
        async with self._desk.context.database.writing() as session:
            await rules.save_floor(session, sku, floor)

    async def add_coupon(self, coupon: Coupon) -> None:
        """Make a coupon, or change the one with its code.

        Raises:
            PriceRefusedError: It reduces nothing, or by more than everything.
        """
        async with self._desk.context.database.writing() as session:
            await rules.save_coupon(session, coupon)

    async def add_flash(self, flash: FlashPrice) -> str:
        """Plan a flash price; returns its key.

        Raises:
            PriceRefusedError: Its times or limits make no sense.
        """
        key = new_id("flash").replace("_", ":", 1)
        async with self._desk.context.database.writing() as session:
            await rules.save_flash(session, flash, key)
        return key

    async def flash_prices(self) -> list[FlashState]:
        """Flash prices that run or are still to come."""
        async with self._desk.context.database.reading() as session:
            return await rules.flash_states(session, self._desk.now)

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
        """Begin a group order; ``ladder`` says from how many people which unit price.

        Raises:
            UnknownProductError: The SKU is not on sale.
            PriceRefusedError: The ladder, target or deadline makes no sense.
        """
        return await self._together.open_group(
            sku, target=target, ladder=ladder, deadline=deadline, leader=leader, per_buyer=per_buyer
        )

    async def group(self, public_id: str) -> GroupState:
        """A group order as it stands; only buyers who paid count."""
        return await self._together.group(public_id)

    async def groups_lately(self) -> list[tuple[GroupState, list[str]]]:
        """Group orders of now and of the last day, each with the tokens its buyers came by."""
        return await self._together.groups_lately()

    async def leave_group(self, order: str) -> None:
        """A buyer leaves a group order before its deadline; everything goes back."""
        await self._together.leave_group(order)

    async def open_bargain(
        self, sku: str, *, buyer: str, floor: Money, helps: int, deadline: datetime
    ) -> BargainState:
        """Begin a bargain: ``helps`` friends bring the price to ``floor``.

        Raises:
            UnknownProductError: The SKU is not on sale.
            PriceRefusedError: The floor, number or deadline makes no sense.
        """
        return await self._together.open_bargain(
            sku, buyer=buyer, floor=floor, helps=helps, deadline=deadline
        )

    async def bargain(self, public_id: str) -> BargainState:
        """A bargain as it stands."""
        return await self._together.bargain(public_id)

    async def help_bargain(self, public_id: str, *, helper: str) -> Money:
        """One friend's cut; each friend once."""
        return await self._together.help_bargain(public_id, helper=helper)

    # Time --------------------------------------------------------------------------------------

    async def sweep(self) -> int:
        """End holds whose time is over and settle group orders; returns how many were due."""
        due = await self._paying.sweep()
        settled = await self._together.due_groups()
        if self._desk.gateway is None:
            return 0
        if not due and not settled:
            return 0
        now = self._desk.now
        async with self._desk.context.database.writing() as session:
            for order, key in due:
                await post(
                    session,
                    key=key,
                    aggregate=f"page:{order}",
                    kind="close_page",
                    payload={"order": order},
                    now=now,
                )
            for group in settled:
                await post(
                    session,
                    key=f"settle:{group}",
                    aggregate=f"group:{group}",
                    kind="settle_group",
                    payload={"group": group},
                    now=now,
                )
        self.outbox.wake()
        return len(due) + len(settled)

    def every_day(self, job: Callable[[], Awaitable[object]]) -> None:
        """Have something done once a day by whoever runs the till, beginning soon."""
        self._daily.append(job)

    async def _sweep_for_ever(self) -> None:
        day = None
        while True:
            with contextlib.suppress(CommerceError):
                await self.sweep()
            if day != self._desk.now.date():
                day = self._desk.now.date()
                for job in self._daily:
                    with contextlib.suppress(CommerceError):
                        await job()
            await asyncio.sleep(_SWEEP_S)

    # Errands -----------------------------------------------------------------------------------

    async def _open_page(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        await self._selling.open_page(aggregate.partition(":")[2])

    async def _news(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        if self._desk.books is not None:
            await self._desk.books.book(from_json(payload))
            self._desk.step("booked")

    async def _forget(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        if self._desk.books is None:
            raise CheckoutError("this shop has no ledger; erase the buyer by hand")
        await self._desk.books.forget(str(payload["node"]))
