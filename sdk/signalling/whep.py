"""WHEP: a viewer POSTs an offer and watches (draft-ietf-wish-whep, RFC 9725's manners)."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from sdk.errors import SignallingError
from sdk.media import Broadcaster
from sdk.signalling.body import read_body, require_type, takes
from sdk.signalling.config import WhepConfig
from sdk.signalling.fragment import read_fragment
from sdk.signalling.offer import read_offer
from sdk.signalling.registry import PeerRegistry
from sdk.types.answers import problems

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

Rooms = Callable[[str], Broadcaster | None]
Authorise = Callable[[Request], Awaitable[None] | None]


def whep_router(
    rooms: Rooms, *, config: WhepConfig | None = None, authorise: Authorise | None = None
) -> APIRouter:
    """Routes under ``/whep``.

    Args:
        rooms: The broadcaster of a session's name, or None.
        config: Addresses, limits and manners.
        authorise: Called before every request but the preflight; raises ``HTTPException`` or
            ``SignallingError`` to refuse. The resource's own name is unguessable, so it may
            trust PATCH and DELETE to whoever knows it.

    Returns:
        A router that closes every connection when the application shuts down.
    """
    options = config or WhepConfig()
    registry = PeerRegistry(options)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await registry.aclose()

    router = APIRouter(
        prefix="/whep", tags=["whep"], lifespan=lifespan, route_class=_route(options, authorise)
    )

    def room(session: str) -> Broadcaster:
        broadcaster = rooms(session)
        if broadcaster is None:
            raise SignallingError(404, f"no session is called {session[:60]!r}")
        return broadcaster

    @router.post(
        "/{session}",
        status_code=201,
        response_class=Response,
        responses=problems(400, 404, 406, 413, 415, 422, 503, 504)
        | {201: {"description": "The answer", "content": {SDP: {"schema": {"type": "string"}}}}},
        openapi_extra=takes(SDP),
    )
    async def offer(session: str, request: Request) -> Response:
        """Watch a session: an SDP offer in, an answer and the viewer's address out."""
        broadcaster = room(session)
        require_type(request, SDP)
        parsed = read_offer(await read_body(request, options.max_body_bytes))
        peer = await registry.open(session, parsed, broadcaster)
        response = Response(peer.answer, 201, media_type=SDP)
        # Starlette would add a charset, and strict players compare the whole type.
        response.headers["Content-Type"] = SDP
        response.headers["Location"] = f"{request.url.path.rstrip('/')}/{peer.viewer_id}"
        response.headers["ETag"] = peer.etag
        response.headers["Accept-Patch"] = FRAGMENT
        for server in options.ice_servers:
            response.headers.append("Link", server.link())
        return response

    @router.patch(
        "/{session}/{viewer}",
        status_code=204,
        response_class=Response,
        responses=problems(400, 404, 412, 413, 415, 422, 428),
        openapi_extra=takes(FRAGMENT),
    )
    async def trickle(session: str, viewer: str, request: Request) -> Response:
        """Add a viewer's ICE candidates."""
        peer = registry.find(session, viewer)
        require_type(request, FRAGMENT)
        match = request.headers.get("If-Match")
        if match is None:
            raise SignallingError(428, "send If-Match with the ETag of the 201")
        if match == "*":
            raise SignallingError(422, "ICE restarts are not supported; POST a new offer")
        if match != peer.etag:
            raise SignallingError(412, "If-Match names another ICE session")
        await peer.add_candidates(read_fragment(await read_body(request, options.max_body_bytes)))
        return Response(status_code=204)

    @router.delete("/{session}/{viewer}", response_class=Response, responses=problems(404))
    async def leave(session: str, viewer: str) -> Response:
        """Stop watching."""
        registry.find(session, viewer)
        await registry.close(session, viewer)
        return Response(status_code=200)

    @router.get("/{session}", status_code=204, response_class=Response, responses=problems(404))
    async def describe(session: str) -> Response:
        """Nothing to read here, but the session exists."""
        room(session)
        return Response(status_code=204)

    @router.head("/{session}", response_class=Response, responses=problems(404))
    async def discover(session: str) -> Response:
        """Tells a player that this is a WHEP endpoint."""
        room(session)
        return Response(headers={"Content-Type": SDP, "Accept-Post": SDP})

    @router.get(
        "/{session}/{viewer}", status_code=204, response_class=Response, responses=problems(404)
    )
    async def probe(session: str, viewer: str) -> Response:
        """Nothing to read here, but the viewer is connected."""
        registry.find(session, viewer)
        return Response(status_code=204)

    @router.options("/{session}", status_code=204, response_class=Response)
    async def preflight() -> Response:
        """What a page of another origin may send."""
        return _allow("POST, GET, HEAD, OPTIONS", {"Accept-Post": SDP})

    @router.options("/{session}/{viewer}", status_code=204, response_class=Response)
    async def preflight_viewer() -> Response:
        """What a page of another origin may send to a viewer's address."""
        return _allow("PATCH, DELETE, GET, OPTIONS", {"Accept-Patch": FRAGMENT})

    return router


def _route(options: WhepConfig, authorise: Authorise | None) -> type[APIRoute]:
    class WhepRoute(APIRoute):
        """Asks for permission first; answers every error in one form, readable across origins."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    if authorise is not None and request.method != "OPTIONS":
                        verdict = authorise(request)
                        if inspect.isawaitable(verdict):
                            await verdict
                    response = await handle(request)
                except SignallingError as error:
                    response = JSONResponse({"detail": str(error)}, error.status)
                    if error.status == 503:
                        response.headers["Retry-After"] = "5"
                except HTTPException as error:
                    response = JSONResponse(
                        {"detail": error.detail}, error.status_code, headers=error.headers
                    )
                if options.allow_origin:
                    response.headers["Access-Control-Allow-Origin"] = options.allow_origin
                    exposed = "Location, ETag, Link, Accept-Patch, Retry-After"
                    response.headers["Access-Control-Expose-Headers"] = exposed
                return response

            return answer

    return WhepRoute


def _allow(methods: str, headers: dict[str, str]) -> Response:
    return Response(
        status_code=204,
        headers={
            **headers,
            "Allow": methods,
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
            "Access-Control-Max-Age": "86400",
        },
    )
