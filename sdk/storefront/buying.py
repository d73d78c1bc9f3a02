"""Checkout, orders and prices for buyers' pages and programs."""

import secrets
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from commerce.errors import (
    CheckoutError,
    CommerceError,
    DatabaseError,
    GatewayError,
    PriceRefusedError,
    SoldOutError,
    UnknownOrderError,
    UnknownProductError,
)
from commerce.models.buying import CheckoutRequest, Wish
from commerce.shop import Shop
from sdk.storefront import wire
from sdk.storefront.files import page, wants_page
from sdk.storefront.links import absolute, referral_of, remember_visitor, visitor_of
from sdk.types.answers import problems
from sdk.types.till_answers import (
    BargainView,
    Checkout,
    GroupOrderView,
    HelpedView,
    OrderStatusView,
    QuoteView,
    TillView,
)

_STATUS: tuple[tuple[type[CommerceError], int], ...] = (
    (UnknownProductError, 404),
    (UnknownOrderError, 404),
    (SoldOutError, 409),
    (PriceRefusedError, 422),
    (GatewayError, 503),
    (CheckoutError, 422),
    (DatabaseError, 503),
)
_UNCACHED = {"Cache-Control": "no-store"}
_SHARED = {**_UNCACHED, "Vary": "Accept, Cookie"}
_OR_A_PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}


def buying_routes(shop: Shop) -> APIRouter:
    """The routes of buyers.

    Args:
        shop: Open, with a till that is connected.
    """
    router = APIRouter(tags=["storefront"])
    till = shop.till

    async def request_of(buy: wire.Buy, request: Request, visitor: str) -> CheckoutRequest:
        return CheckoutRequest(
            lines=tuple(Wish(line.sku, line.quantity) for line in buy.lines),
            buyer=await shop.ledger.node("visitor", visitor),
            return_url=str(request.base_url) + "order/{order}",
            coupon=buy.coupon or None,
            group=buy.group,
            bargain=buy.bargain,
            referral=referral_of(request.cookies),
            session=buy.session,
        )

    @router.get("/checkout", response_model=TillView, responses=problems(503))
    async def about(response: Response) -> dict[str, Any]:
        """Whether the till is open, whether it is a trial, and which flash prices run."""
        response.headers.update(_UNCACHED)
        return {
            "now": till.clock().isoformat(),
            "is_open": till.gateway is not None,
            "is_test": till.is_test,
            "flash": [wire.flash(one) for one in await till.flash_prices()],
        }

    @router.post(
        "/checkout",
        status_code=201,
        response_model=Checkout,
        responses=problems(404, 409, 422, 503),
    )
    async def checkout(buy: wire.Buy, request: Request, response: Response) -> dict[str, Any]:
        """Hold the goods and open a payment page; send the buyer to ``url``."""
        visitor = visitor_of(request.cookies) or secrets.token_hex(16)
        try:
            started = await till.checkout(await request_of(buy, request, visitor))
        except CommerceError as error:
            raise refused(error) from error
        remember_visitor(response, request, visitor)
        return {
            "order": started.order,
            "url": absolute(request, started.url),
            "expires_at": started.expires_at.isoformat(),
            "is_test": started.is_test,
        }

    @router.post(
        "/checkout/quote", response_model=QuoteView, responses=problems(404, 409, 422, 503)
    )
    async def quote(buy: wire.Buy, request: Request) -> dict[str, Any]:
        """What it would cost now, and why; nothing is held."""
        visitor = visitor_of(request.cookies) or "nobody"
        try:
            return wire.quote(await till.quote(await request_of(buy, request, visitor)))
        except CommerceError as error:
            raise refused(error) from error

    @router.get(
        "/order/{order}/status", response_model=OrderStatusView, responses=problems(404, 503)
    )
    async def status(order: str, request: Request, response: Response) -> dict[str, Any]:
        """An order as it stands; whoever knows its id may see it."""
        response.headers.update(_UNCACHED)
        try:
            found = await till.order(order)
        except CommerceError as error:
            raise refused(error) from error
        page_url = absolute(request, found.page_url) if found.page_url else None
        from_chat = referral_of(request.cookies) is not None
        return wire.order(found) | {"page_url": page_url, "from_chat": from_chat}

    async def shared(sku: str) -> dict[str, Any]:
        """What a shared page shows beside its price."""
        return {
            "now": till.clock().isoformat(),
            "product": wire.shared_product(await shop.product(sku)),
            "is_test": till.is_test,
        }

    async def bargain_view(bargain: str, visitor: str | None) -> dict[str, Any]:
        found = await till.bargain(bargain)
        node = await shop.ledger.node("visitor", visitor) if visitor else None
        return {**wire.bargain(found, node), **await shared(found.sku)}

    @router.get(
        "/group/{group}",
        response_model=GroupOrderView,
        responses=problems(404, 503) | _OR_A_PAGE,
    )
    async def group(group: str, request: Request, response: Response) -> Any:
        """A group order as it stands, or its page for a browser; only buyers who paid count."""
        if wants_page(request):
            return page("together.html", vary=True)
        response.headers.update(_SHARED)
        try:
            found = await till.group(group)
            return {**wire.group(found), **await shared(found.sku)}
        except CommerceError as error:
            raise refused(error, missing=PriceRefusedError) from error

    @router.get(
        "/bargain/{bargain}", response_model=BargainView, responses=problems(404, 503) | _OR_A_PAGE
    )
    async def bargain(bargain: str, request: Request, response: Response) -> Any:
        """A bargain with what is needed to check every cut, or its page for a browser."""
        if wants_page(request):
            return page("together.html", vary=True)
        response.headers.update(_SHARED)
        try:
            return await bargain_view(bargain, visitor_of(request.cookies))
        except CommerceError as error:
            raise refused(error, missing=PriceRefusedError) from error

    @router.post(
        "/bargain/{bargain}/help", response_model=HelpedView, responses=problems(404, 422, 503)
    )
    async def help_bargain(bargain: str, request: Request, response: Response) -> dict[str, Any]:
        """Bring a friend's price down, once."""
        visitor = visitor_of(request.cookies) or secrets.token_hex(16)
        node = await shop.ledger.node("visitor", visitor)
        try:
            cut = await till.help_bargain(bargain, helper=node)
            state = await bargain_view(bargain, visitor)
        except CommerceError as error:
            raise refused(error) from error
        remember_visitor(response, request, visitor)
        return {"cut": wire.money(cut), **state}

    return router


def refused(error: CommerceError, *, missing: type[CommerceError] | None = None) -> HTTPException:
    """What the shop raised, as HTTP says it."""
    if missing is not None and isinstance(error, missing):
        return HTTPException(404, str(error))
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    if status == 503:
        # The provider's own words are for the seller's log, not for a stranger.
        return HTTPException(503, "the till does not answer; nothing was charged, try again")
    return HTTPException(status, str(error))
