"""``/api/console``: orders, money back, deliveries and stock."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from commerce.models.buying import OrderStatus
from commerce.money import Money
from sdk.console.desk import Desk, refusing
from sdk.console.money import price, receipt
from sdk.console.paging import Limit, Offset
from sdk.console.wire import OrderName, Refund, Sku, Stock, Words
from sdk.types import sales_answers as answers
from sdk.types.answers import problems


def order_routes(desk: Desk) -> APIRouter:
    """The routes of the tab "Orders"."""
    router = APIRouter(prefix="/api/console", tags=["console"])
    shop, till = desk.shop, desk.shop.till

    @router.get("/orders", response_model=answers.Orders, responses=problems(422, 503))
    async def orders(
        status: OrderStatus | None = None, limit: Limit = 25, offset: Offset = 0
    ) -> dict[str, Any]:
        """Orders, newest first, with what every price rests on."""
        with refusing():
            found = await till.orders(limit + 1, status, offset=offset)
        return {
            "items": [receipt(one) for one in found[:limit]],
            "next_offset": offset + limit if len(found) > limit else None,
        }

    @router.get(
        "/orders/{order}", response_model=answers.Receipt, responses=problems(404, 422, 503)
    )
    async def order(order: OrderName) -> dict[str, Any]:
        """One order as it stands."""
        with refusing():
            return receipt(await till.order(order))

    @router.post(
        "/orders/{order}/refund",
        response_model=answers.Receipt,
        responses=problems(404, 409, 422, 503),
    )
    async def refund(order: OrderName, body: Refund) -> dict[str, Any]:
        """Give money back; commissions follow by themselves."""
        with refusing():
            found = await till.order(order)
            amount = None
            if body.amount is not None:
                amount = Money.parse(body.amount, found.total.currency)
            return receipt(await till.refund(order, amount, reason=body.reason))

    @router.post(
        "/orders/{order}/deliver",
        response_model=answers.Receipt,
        responses=problems(404, 409, 422, 503),
    )
    async def deliver(order: OrderName) -> dict[str, Any]:
        """The buyer has the goods; return windows count from now."""
        with refusing():
            await till.deliver(order)
            return receipt(await till.order(order))

    @router.get("/stock", response_model=answers.StockList, responses=problems(422, 503))
    async def stock(
        text: Annotated[Words, Query(description="In title or SKU.")] = "",
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        """Units of every variant on sale, in the catalogue's order."""
        with refusing():
            cards, count = await shop.variants(text, limit=limit, offset=offset)
        items = [
            {
                "sku": one.sku,
                "title": one.title,
                "variant": one.variant,
                "price": price(one.price),
                "stock": one.stock if one.tracks_stock else None,
                "stock_version": one.stock_version,
            }
            for one in cards
        ]
        end = offset + limit
        return {"items": items, "count": count, "next_offset": end if end < count else None}

    @router.put(
        "/stock/{sku:path}", response_model=answers.StockSet, responses=problems(404, 422, 503)
    )
    async def set_stock(sku: Sku, body: Stock) -> dict[str, Any]:
        """Set the units that can be bought; the live page shows them at once."""
        with refusing():
            change = await shop.set_stock(sku, body.stock)
        return {"sku": change.sku, "stock": change.stock, "stock_version": change.stock_version}

    return router
