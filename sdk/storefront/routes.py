"""Everything the counter answers, as one router."""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response

from commerce.checkout.sandbox import Sandbox
from commerce.shop import Shop
from sdk.storefront.buying import buying_routes
from sdk.storefront.files import page, picture_file
from sdk.storefront.hooks import hook_routes
from sdk.storefront.links import PageLink, link_routes
from sdk.storefront.photos import Photos
from sdk.storefront.sandbox import sandbox_routes


def storefront_routes(shop: Shop, *, page_link: PageLink, sandbox: Sandbox | None) -> APIRouter:
    """Referral links, checkout, orders, webhooks and, without a payment key, the sandbox till.

    Args:
        shop: Open, with a till that is connected.
        page_link: Where the live page is for a session and a product.
        sandbox: What the till was connected to; None with a real provider.
    """
    router = APIRouter()
    router.include_router(link_routes(shop, page_link))
    router.include_router(buying_routes(shop))
    router.include_router(hook_routes(shop))
    router.include_router(_pages(shop, has_sandbox=sandbox is not None))
    if sandbox is not None:
        router.include_router(sandbox_routes(sandbox))
    return router


def _pages(shop: Shop, *, has_sandbox: bool) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/order/{order}")
    async def order(order: str) -> FileResponse:
        return page("order.html")

    @router.get("/store/{name}")
    async def static(name: str) -> FileResponse:
        return page(name)

    @router.get("/picture/{sku:path}")
    async def picture(sku: str) -> Response:
        found = await shop.picture(_kept(sku))
        if isinstance(found, Path):
            return picture_file(found)
        if found is None:
            raise HTTPException(404, "no picture")
        return Response(found, media_type="image/webp", headers={"Cache-Control": "max-age=300"})

    photos = Photos(shop)

    @router.get("/photo/{sku:path}")
    async def photo(sku: str) -> Response:
        """For chat services, which fetch the pictures of the messages they show."""
        painted = await photos.photo(_kept(sku))
        if painted is None:
            raise HTTPException(404, "no picture")
        headers = {"Cache-Control": "max-age=300"}
        return Response(painted, media_type="image/jpeg", headers=headers)

    if has_sandbox:

        @router.get("/sandbox/pay/{ref}")
        async def pay(ref: str) -> FileResponse:
            return page("pay.html")

    return router


def _kept(sku: str) -> str:
    """A SKU that a database can hold: PostgreSQL keeps no zero bytes."""
    if "\x00" in sku:
        raise HTTPException(404, "no picture")
    return sku
