"""``GET /console`` and everything behind it, as one router."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse

from sdk.console.accounts import account_routes
from sdk.console.chats import chat_routes
from sdk.console.desk import Desk
from sdk.console.orders import order_routes
from sdk.console.sales import sales_routes
from sdk.console.show import show_routes

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
# The seller's own camera may drive the avatar, from this page and no other.
_PERMISSIONS = "camera=(self), microphone=(), geolocation=()"


def console_routes(desk: Desk) -> APIRouter:
    """The seller's page and its API under ``/api/console``.

    Args:
        desk: What it may ask and change.
    """
    router = APIRouter()
    for part in (show_routes, sales_routes, account_routes, order_routes, chat_routes):
        router.include_router(part(desk))
    router.include_router(_pages(desk))
    return router


def _pages(desk: Desk) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    folder = Path(str(files("sdk.web"))) / "console"
    # Only what is in the folder now can be asked for: a name is looked up, never joined to a path.
    pages = {path.name: path for path in folder.iterdir() if path.suffix in _KINDS}

    @router.get("/console")
    async def console(request: Request) -> FileResponse:
        # A browser sends no token with an address. It gets the same empty page with a 401, which
        # asks for the token; every figure comes from the API, which lets nobody in without.
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        credential = value.strip() if scheme.lower() == "bearer" else ""
        status = 200 if desk.admits(credential) else 401
        return _page(pages["index.html"], status)

    @router.get("/console/{name}")
    async def static(name: str) -> FileResponse:
        if name not in pages or name == "index.html":
            raise HTTPException(404, "not found")
        return _page(pages[name])

    return router


def _page(path: Path, status: int = 200) -> FileResponse:
    headers = {"Cache-Control": "no-cache", "Permissions-Policy": _PERMISSIONS}
    return FileResponse(path, status, media_type=_KINDS[path.suffix], headers=headers)
