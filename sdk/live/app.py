"""The web application of a live session: page, news, pictures, control, health."""

import secrets
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRouter

from sdk.live.access import Access
from sdk.live.control import ImageFile, control_routes
from sdk.live.gate import Gate
from sdk.live.viewer_socket import viewer_socket
from sdk.session import Session
from sdk.types.answers import Health, Ready

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def create_app(
    session: Session,
    *,
    access: Access,
    image_file: ImageFile,
    whep: APIRouter,
    more: Sequence[APIRouter] = (),
) -> Gate:
    """Everything that listens on the port.

    Args:
        session: Open; the one session of this server.
        access: Who may do what.
        image_file: Where a product's picture lies, by SKU.
        whep: The routes that hand out picture and sound.
        more: Further routes, such as those of chats, of the till and of a driving camera.
    """
    sessions = {str(session.session_id): session}
    app = FastAPI(title="Livepitch", docs_url=None, redoc_url=None)
    app.include_router(whep)
    for router in more:
        app.include_router(router)
    app.include_router(control_routes(sessions, image_file))
    app.include_router(viewer_socket(sessions, boot=secrets.token_hex(8)))
    app.include_router(_pages())
    app.include_router(_health(session))

    @app.exception_handler(404)
    async def missing(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": getattr(error, "detail", "not found")}, status_code=404)

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, error: RequestValidationError) -> JSONResponse:
        # What was sent is not repeated: it may be huge, or hold what UTF-8 cannot carry.
        first = error.errors()[0]
        detail = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:300]
        return JSONResponse({"detail": detail.encode(errors="replace").decode()}, status_code=422)

    return Gate(app, access)


def _pages() -> APIRouter:
    router = APIRouter(include_in_schema=False)
    folder = Path(str(files("sdk.web"))) / "viewer"
    # Only what is in the folder now can be asked for: a name is looked up, never joined to a path.
    pages = {path.name: path for path in folder.iterdir() if path.suffix in _KINDS}

    @router.get("/")
    async def viewer() -> FileResponse:
        return _page(pages["index.html"])

    @router.get("/docs")
    async def docs() -> FileResponse:
        return _page(pages["api.html"])

    @router.get("/static/{name}", response_model=None)
    async def static(name: str) -> FileResponse | JSONResponse:
        if name not in pages:
            return JSONResponse({"detail": "not found"}, status_code=404)
        return _page(pages[name])

    @router.get("/favicon.ico")
    async def favicon() -> RedirectResponse:
        return RedirectResponse("static/icon.svg")

    return router


def _page(path: Path) -> FileResponse:
    headers = {"Cache-Control": "no-cache"}
    return FileResponse(path, media_type=_KINDS[path.suffix], headers=headers)


def _health(session: Session) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health)
    async def health() -> dict[str, Any]:
        """The process is alive; how the playout clock fares."""
        figures = session.playout.figures
        return {
            "status": "ok",
            "session": session.state,
            "frames": figures.frames,
            "repeated": figures.repeated,
            "stalls": figures.rebases,
            "stalled_s": round(figures.lost_s, 3),
            "step_ms": round(figures.step_s * 1000, 2),
        }

    @router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
    async def ready() -> JSONResponse:
        """Whether viewers can be sent here."""
        is_ready = session.state == "connected"
        return JSONResponse({"ready": is_ready}, status_code=200 if is_ready else 503)

    return router
