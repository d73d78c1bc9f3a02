"""From a wish to a payment page: the price is set, the goods are held, the page is opened."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout import bargains, groups, orders, rules, stock
from commerce.checkout.amounts import smallest_step
from commerce.checkout.gateway import PageLine, PageRequest
from commerce.checkout.prices import Offer, Priced, price
from commerce.errors import CheckoutError, GatewayError, PriceRefusedError, UnknownProductError
from commerce.models.buying import CheckoutRequest, CheckoutStarted, Quote, QuotedLine, Wish
from commerce.models.orders import GroupOrder, GroupSeat, Order, OrderLine
from commerce.models.tables import Product, Variant
from commerce.models.values import StockChange
from commerce.money import Money
from commerce.shop.desk import Desk, new_id
from commerce.shop.outbox import post
from commerce.shop.own_shop import own_id

CATALOGUE = "default"
OWN_SHOPS = ("shopify", "woocommerce")
_MOST_LINES, _MOST_UNITS = 20, 100
_LISTS = re.compile(r"[|;,、，]")
_CART_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Line:
    variant: Variant
    product: Product
    quantity: int
    priced: Priced
    hold: timedelta | None

    @property
    def title(self) -> str:
        # A cell such as "Sand|Slate" lists what there is; it names no version.
        named = [value for value in self.variant.options.values() if not _LISTS.search(value)]
        options = " / ".join(named)
        return f"{self.product.title} – {options}" if options else self.product.title

    def quoted(self) -> QuotedLine:
        currency = self.variant.currency
        return QuotedLine(
            sku=self.variant.sku,
            title=self.title,
            quantity=self.quantity,
            list_price=Money(self.variant.price_minor, currency),
            unit_price=Money(self.priced.unit, currency),
            mechanism=self.priced.mechanism,
            reason=self.priced.reason,
        )


class Selling:
    """Quotes and starts orders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def quote(self, request: CheckoutRequest) -> Quote:
        """What it would cost now, and why; nothing is held.

        Raises:
            UnknownProductError, PriceRefusedError, CheckoutError: See ``start``.
        """
        async with self._desk.context.database.reading() as session:
            lines = await self._lines(session, request)
        return _quote([line.quoted() for line in lines])

    async def start(self, request: CheckoutRequest) -> CheckoutStarted:
        """Hold the goods and open a payment page.

        Raises:
            UnknownProductError: A SKU is not on sale.
            SoldOutError: Fewer units are free than wanted.
            PriceRefusedError: The coupon, group or bargain does not apply.
            GatewayError: The provider refused or cannot be reached; the goods are free again.
            CheckoutError: An empty or absurd wish, or no provider is connected.
        """
        gateway = self._desk.require_gateway()
        if gateway.provider not in OWN_SHOPS:
            async with self._desk.context.database.reading() as session:
                for wish in request.lines:
                    if wish.quantity <= _MOST_UNITS:
                        await stock.require_free(session, wish.sku, wish.quantity)
        async with self._desk.context.database.writing() as session:
            order, changes = await self._hold(session, request)
            await post(
                session,
                key=f"open:{order.public_id}",
                aggregate=f"page:{order.public_id}",
                kind="open_page",
                payload={},
                now=self._desk.now,
                # The buyer waits for it here; the dispatcher only takes over after a crash.
                due_at=self._desk.now + timedelta(seconds=60),
            )
        self._desk.step("held")
        self._desk.context.announce(changes)
        try:
            await self._desk.outbox.do(f"open:{order.public_id}")
        except GatewayError:
            await self.give_up(order.public_id, "the payment page could not be opened")
            raise
        async with self._desk.context.database.reading() as session:
            order = await orders.order_with_id(session, order.public_id)
        if order.page_url is None:
            raise CheckoutError(f"order {order.public_id} has no payment page; try again")
        return CheckoutStarted(order.public_id, order.page_url, order.expires_at, gateway.is_test)

    async def open_page(self, public_id: str) -> None:
        """Open an order's payment page; the same page again when it was opened before.

        Raises:
            GatewayError: The provider refused or cannot be reached.
        """
        async with self._desk.context.database.reading() as session:
            order = await orders.order_with_id(session, public_id)
            lines = await orders.lines_of(session, order.id)
            own_ids = await self._own_ids(session, order, lines)
        if order.status != "pending":
            return
        page = await self._desk.require_gateway().open_page(
            self._page_request(order, lines, own_ids), key=f"cs:{public_id}:1"
        )
        self._desk.step("opened page")
        async with self._desk.context.database.writing() as session:
            order = await orders.order_with_id(session, public_id, lock=True)
            order.page_ref, order.page_url = page.ref, page.url
            if order.status == "pending":
                order.status = "open"
                order.version += 1

    async def give_up(self, public_id: str, note: str) -> None:
        """An order that has no page: its goods go back at once."""
        async with self._desk.context.database.writing() as session:
            order = await orders.order_with_id(session, public_id, lock=True)
            changes = await free(session, order, note) if order.status == "pending" else []
        self._desk.context.announce(changes)

    # Private -----------------------------------------------------------------------------------

    async def _hold(
        self, session: AsyncSession, request: CheckoutRequest
    ) -> tuple[Order, list[StockChange]]:
        now, gateway = self._desk.now, self._desk.require_gateway()
        lines = await self._lines(session, request)
        quote = _quote([line.quoted() for line in lines])
        group = await self._group(session, request, now) if request.group else None
        hold = min(
            [line.hold for line in lines if line.hold] + [request.hold or self._desk.config.hold]
        )
        if gateway.provider in OWN_SHOPS:
            hold = _CART_LIFE
        order = Order(
            public_id=new_id("order"),
            status="pending",
            provider=gateway.provider,
            is_test=gateway.is_test,
            currency=quote.goods.currency,
            list_minor=quote.goods.minor + quote.saved.minor,
            goods_minor=quote.goods.minor,
            total_minor=quote.goods.minor,
            buyer=request.buyer,
            buyer_keys=[],
            referral=request.referral,
            session=request.session,
            group_id=group.id if group else None,
            expires_at=now + hold,
            created_at=now,
            refunded_minor=0,
            version=1,
        )
        session.add(order)
        await session.flush()
        order.return_url = request.return_url.replace("{order}", order.public_id)
        wants = [(line.variant.id, line.quantity) for line in lines]
        # The seller's own shop counts its own units.
        changes = (
            await stock.hold(session, order.id, wants, key=order.public_id)
            if gateway.provider not in OWN_SHOPS
            else []
        )
        await self._keep_lines(session, order, lines)
        if group is not None:
            session.add(
                GroupSeat(
                    group_id=group.id,
                    order_id=order.id,
                    buyer=request.buyer,
                    quantity=lines[0].quantity,
                    state="held",
                )
            )
        await session.flush()
        return order, changes

    async def _keep_lines(
        self, session: AsyncSession, order: Order, lines: Sequence[_Line]
    ) -> None:
        uses: dict[str, int] = {}
        for line in lines:
            for key in line.priced.used:
                kind = key.partition(":")[0]
                if kind == "flash":
                    uses[key] = uses.get(key, 0) + line.quantity
                elif kind == "coupon":
                    uses[key] = 1
            session.add(
                OrderLine(
                    order_id=order.id,
                    variant_id=line.variant.id,
                    sku=line.variant.sku,
                    product=line.product.handle,
                    title=line.title[:300],
                    quantity=line.quantity,
                    list_minor=line.variant.price_minor,
                    unit_minor=line.priced.unit,
                    mechanism=line.priced.mechanism[:120],
                    reason=line.priced.reason,
                )
            )
        for key in sorted(uses):
            await rules.take(session, key, buyer=order.buyer, order_id=order.id, quantity=uses[key])

    async def _lines(self, session: AsyncSession, request: CheckoutRequest) -> list[_Line]:
        wishes = request.lines
        if not wishes or len(wishes) > _MOST_LINES:
            raise CheckoutError(f"an order has 1 to {_MOST_LINES} products")
        if len({wish.sku for wish in wishes}) < len(wishes):
            raise CheckoutError("an order names each product once; raise its quantity instead")
        coupon, rule_sku, rule_currency = await self._coupon(session, request)
        lines = [await self._line(session, request, wish, coupon, rule_sku) for wish in wishes]
        currencies = {line.variant.currency for line in lines}
        if len(currencies) > 1:
            raise CheckoutError("products in different currencies cannot share an order")
        if rule_currency is not None and rule_currency not in currencies:
            raise PriceRefusedError(f"this coupon is in {rule_currency}")
        if coupon is not None and rule_sku and rule_sku not in {wish.sku for wish in wishes}:
            raise PriceRefusedError(f"{coupon.told} is for another product")
        return lines

    async def _line(
        self,
        session: AsyncSession,
        request: CheckoutRequest,
        wish: Wish,
        coupon: Offer | None,
        coupon_sku: str | None,
    ) -> _Line:
        if not 1 <= wish.quantity <= _MOST_UNITS:
            raise CheckoutError(f"the quantity of {wish.sku} is 1 to {_MOST_UNITS}")
        found = await orders.sold_variant(session, CATALOGUE, wish.sku)
        if found is None:
            raise UnknownProductError(f"no product on sale has the SKU {wish.sku[:60]!r}")
        variant, product = found
        offers: list[Offer] = []
        hold = None
        flash = await rules.flash_offer(
            session,
            wish.sku,
            variant.currency,
            buyer=request.buyer,
            quantity=wish.quantity,
            now=self._desk.now,
        )
        if flash is not None:
            offers.append(flash[0])
        if coupon is not None and coupon_sku in (None, wish.sku):
            offers.append(coupon)
        if request.group:
            offers.append(
                await groups.offer(session, request.group, wish.sku, wish.quantity, self._desk.now)
            )
        if request.bargain:
            offers.append(
                await bargains.offer(
                    session, request.bargain, wish.sku, wish.quantity, request.buyer, self._desk.now
                )
            )
        priced = price(
            Money(variant.price_minor, variant.currency),
            offers,
            floor=await rules.floor_of(session, wish.sku, variant.currency),
            step=smallest_step(variant.currency),
        )
        if flash is not None and flash[0].key in priced.used:
            hold = flash[1]
        return _Line(variant, product, wish.quantity, priced, hold)

    async def _coupon(
        self, session: AsyncSession, request: CheckoutRequest
    ) -> tuple[Offer | None, str | None, str | None]:
        if not request.coupon:
            return None, None, None
        offer, rule = await rules.coupon_offer(
            session, request.coupon, buyer=request.buyer, now=self._desk.now
        )
        return offer, rule.sku, rule.terms["currency"]

    async def _group(
        self, session: AsyncSession, request: CheckoutRequest, now: datetime
    ) -> GroupOrder:
        if len(request.lines) != 1:
            raise PriceRefusedError("a group order is for one product")
        assert request.group is not None
        return await groups.joinable(
            session, request.group, request.buyer, request.lines[0].quantity, now
        )

    async def _own_ids(
        self, session: AsyncSession, order: Order, lines: Sequence[OrderLine]
    ) -> dict[str, str | None]:
        if order.provider not in OWN_SHOPS:
            return {}
        found = {}
        for line in lines:
            sold = await orders.sold_variant(session, CATALOGUE, line.sku)
            url = sold[1].url if sold else None
            found[line.sku] = await own_id(session, order.provider, line.sku, url)
        return found

    def _page_request(
        self, order: Order, lines: Sequence[OrderLine], own_ids: dict[str, str | None]
    ) -> PageRequest:
        config = self._desk.config
        rates = tuple(
            rate for rate in config.shipping_rates if rate.price.currency == order.currency
        )
        return PageRequest(
            order=order.public_id,
            lines=tuple(
                PageLine(
                    line.title,
                    "" if line.mechanism == "list" else line.reason,
                    Money(line.unit_minor, order.currency),
                    line.quantity,
                    own_ids.get(line.sku),
                )
                for line in lines
            ),
            opened_at=order.created_at,
            expires_at=order.expires_at,
            success_url=order.return_url,
            cancel_url=order.return_url,
            shipping_countries=config.shipping_countries,
            shipping_rates=rates,
            has_tax=config.has_tax,
            session=order.session,
        )


async def free(session: AsyncSession, order: Order, note: str) -> list[StockChange]:
    """Give back everything an unpaid order holds; the caller announces what this returns."""
    order.status, order.note = "released", note
    order.version += 1
    changes = await stock.release(session, order.id)
    await rules.give_back(session, order.id)
    await groups.leave(session, order.id)
    return changes


def _quote(lines: Sequence[QuotedLine]) -> Quote:
    currency = lines[0].unit_price.currency
    goods = Money(sum(line.net.minor for line in lines), currency)
    before = Money(sum((line.list_price * line.quantity).minor for line in lines), currency)
    return Quote(tuple(lines), goods, before - goods)
