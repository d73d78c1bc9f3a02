"""``/api/sessions/{id}``: what sellers' programs may ask of a session, what anybody may read."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import FileResponse

from sdk.errors import QueueFullError, SessionError
from sdk.live.wire import Pin, Say
from sdk.session import Session
from sdk.storefront.files import PICTURE_KINDS, picture_file
from sdk.types.answers import (
    Calibrating,
    Interrupted,
    Pinned,
    ProductList,
    SessionView,
    SpeechAccepted,
    problems,
)

_MOST_AT_ONCE = 500

ImageFile = Callable[[str], Awaitable[Path | bytes | None]]


def control_routes(sessions: dict[str, Session], image_file: ImageFile) -> APIRouter:
    """The REST routes, and the products' pictures.

    Args:
        sessions: By name.
        image_file: Where a product's picture lies, by SKU, or a WebP that was fetched; only what
            the catalogue names.
    """
    router = APIRouter(tags=["session"])

    def find(session_id: str) -> Session:
        session = sessions.get(session_id)
        if session is None:
            raise HTTPException(404, f"no session is called {session_id[:60]!r}")
        return session

    @router.get("/api/sessions/{session_id}", response_model=SessionView, responses=problems(404))
    async def read(session_id: str) -> dict[str, Any]:
        """The session as it is now."""
        return find(session_id).snapshot()

    @router.get(
        "/api/sessions/{session_id}/products",
        response_model=ProductList,
        responses=problems(404, 422),
    )
    async def products(
        session_id: str,
        limit: Annotated[int, Query(ge=1, le=_MOST_AT_ONCE)] = 100,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        sku: Annotated[str | None, Query(max_length=200)] = None,
    ) -> dict[str, Any]:
        """The shelf, a part at a time, in the catalogue's order; or the one with a SKU."""
        shelf = find(session_id).shelf.products
        if sku is not None:
            shelf = [product for product in shelf if product["sku"] == sku]
        return {"products": shelf[offset : offset + limit], "count": len(shelf)}

    @router.post(
        "/api/sessions/{session_id}/say",
        status_code=202,
        response_model=SpeechAccepted,
        responses=problems(404, 422, 429),
    )
    async def say(session_id: str, body: Say) -> dict[str, Any]:
        """Have the avatar say something; 202 names the speech that events will speak of."""
        session = find(session_id)
        try:
            speech = session.say(body.text, body.product, interrupt=body.interrupt)
        except QueueFullError as error:
            raise HTTPException(429, str(error), headers={"Retry-After": "5"}) from error
        except SessionError as error:
            raise HTTPException(422, str(error)) from error
        return {"speech_id": speech.speech_id, "sentences": len(speech.sentences)}

    @router.post(
        "/api/sessions/{session_id}/interrupt", response_model=Interrupted, responses=problems(404)
    )
    async def interrupt(session_id: str) -> dict[str, Any]:
        """Silence, now."""
        session = find(session_id)
        await session.interrupt()
        return {"generation": session.director.generation}

    @router.post(
        "/api/sessions/{session_id}/pin", response_model=Pinned, responses=problems(404, 422)
    )
    async def pin(session_id: str, body: Pin) -> dict[str, Any]:
        """Show a product on every page; null takes it away."""
        try:
            find(session_id).pin(body.sku)
        except SessionError as error:
            raise HTTPException(404, str(error)) from error
        return {"pinned": body.sku}

    @router.post(
        "/api/sessions/{session_id}/drive/calibrate",
        response_model=Calibrating,
        responses=problems(404, 409),
    )
    async def calibrate(session_id: str) -> dict[str, Any]:
        """Take the driving camera's next picture as the driver's face at rest."""
        driving = find(session_id).driving
        if driving is None:
            raise HTTPException(409, "no camera drives this session now; start one first")
        driving.calibrate()
        return {"calibrating": True, "is_following": driving.is_following}

    @router.get(
        "/media/{session_id}",
        response_class=Response,
        responses=problems(404) | {200: {"content": {"image/png": {}}}},
    )
    async def portrait(session_id: str) -> Response:
        """The presenter's small picture."""
        png = find(session_id).parts.portrait
        if not png:
            raise HTTPException(404, "no picture")
        return Response(png, media_type="image/png", headers={"Cache-Control": "max-age=300"})

    @router.get(
        "/media/{session_id}/{sku:path}",
        response_class=FileResponse,
        responses=problems(404) | {200: {"content": {kind: {} for kind in PICTURE_KINDS.values()}}},
    )
    async def picture(session_id: str, sku: str) -> Response:
        """A product's picture."""
        find(session_id)
        path = await image_file(sku)
        if isinstance(path, bytes):
            headers = {"Cache-Control": "max-age=300"}
            return Response(path, media_type="image/webp", headers=headers)
        if path is None or not path.is_file():
            raise HTTPException(404, "no picture")
        return picture_file(path)

    return router
