"""Everything the counter answers, as one router."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from commerce.checkout.sandbox import Sandbox
from commerce.shop import Shop
from sdk.storefront.buying import buying_routes
from sdk.storefront.hooks import hook_routes
from sdk.storefront.links import PageLink, link_routes
from sdk.storefront.sandbox import sandbox_routes

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


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
    router.include_router(_pages(has_sandbox=sandbox is not None))
    if sandbox is not None:
        router.include_router(sandbox_routes(sandbox))
    return router


def _pages(*, has_sandbox: bool) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    folder = Path(str(files("sdk.web"))) / "store"
    # Only what is in the folder now can be asked for: a name is looked up, never joined to a path.
    pages = {path.name: path for path in folder.iterdir() if path.suffix in _KINDS}

    @router.get("/order/{order}")
    async def order(order: str) -> FileResponse:
        return _page(pages["order.html"])

    @router.get("/store/{name}")
    async def static(name: str) -> FileResponse:
        if name not in pages:
            raise HTTPException(404, "not found")
        return _page(pages[name])

    if has_sandbox:

        @router.get("/sandbox/pay/{ref}")
        async def pay(ref: str) -> FileResponse:
            return _page(pages["pay.html"])

    return router


def _page(path: Path) -> FileResponse:
    headers = {"Cache-Control": "no-cache"}
    return FileResponse(path, media_type=_KINDS[path.suffix], headers=headers)
