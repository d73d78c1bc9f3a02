"""WHIP: a seller's camera POSTs an offer and drives the avatar (RFC 9725, the receiving side)."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from sdk.errors import SignallingError
from sdk.signalling.body import read_body, require_type, takes
from sdk.signalling.config import WhepConfig
from sdk.signalling.ice import use_host_addresses
from sdk.types.answers import problems

SDP = "application/sdp"

Leave = Callable[[], Awaitable[None]]
OnTrack = Callable[[str, MediaStreamTrack], Awaitable[Leave]]
"""Told the session's name and its camera's track; gives back what to call when the camera left."""


class Camera:
    """One camera's connection, from its offer to its end.

    Attributes:
        name: Unguessable; whoever knows it may end the connection.
        answer: SDP for the camera.
    """

    def __init__(self, config: WhepConfig, on_gone: Callable[["Camera"], None]) -> None:
        self.name = secrets.token_urlsafe(18)
        self.answer = ""
        self._config = config
        self._on_gone = on_gone
        self._connection = RTCPeerConnection(
            RTCConfiguration(
                iceServers=[server.for_us() for server in config.own_ice_servers],
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            )
        )
        self._connection.on("connectionstatechange", self._on_state)
        self._watchdog: asyncio.TimerHandle | None = None
        # A track of aiortc waits for ever when its connection is closed on this side.
        self.on_leave: Leave | None = None

    async def negotiate(self, offer: str) -> MediaStreamTrack:
        """Answer an offer.

        Returns:
            The camera's track; sound is refused in the answer.

        Raises:
            SignallingError: 400 not a WebRTC offer; 406 no common codec; 422 no camera in it.
        """
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
                tracks = []
                for transceiver in self._connection.getTransceivers():
                    # aiortc notes the offer's direction as seen from here.
                    if transceiver.kind == "video" and transceiver._offerDirection in (
                        "recvonly",
                        "sendrecv",
                    ):
                        tracks.append(transceiver.receiver.track)
                        transceiver.direction = "recvonly"
                    else:
                        transceiver.direction = "inactive"
                if len(tracks) != 1:
                    raise SignallingError(422, "offer exactly one camera (sendonly video)")
                use_host_addresses(self._connection, self._config.host_addresses)
                await self._connection.setLocalDescription(await self._connection.createAnswer())
        except OperationError as error:
            raise SignallingError(406, f"no common codec: {error}") from error
        except (
            ValueError,
            AssertionError,
            IndexError,
            InternalError,
            InvalidAccessError,
            InvalidStateError,
        ) as error:
            raise SignallingError(400, f"the offer cannot be answered: {error}") from error
        except TimeoutError as error:
            raise SignallingError(504, "gathering our own candidates took too long") from error
        loop = asyncio.get_running_loop()
        self._watchdog = loop.call_later(self._config.connect_timeout_s, self._check_connected)
        self.answer = self._connection.localDescription.sdp
        return tracks[0]

    async def aclose(self) -> None:
        """Close the connection; the track ends with it."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        leave, self.on_leave = self.on_leave, None
        if leave is not None:
            await leave()
        await self._connection.close()

    def _check_connected(self) -> None:
        if self._connection.connectionState != "connected":
            self._on_gone(self)

    def _on_state(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._on_gone(self)


def whip_router(
    has_session: Callable[[str], bool], on_track: OnTrack, *, config: WhepConfig | None = None
) -> APIRouter:
    """Routes under ``/whip``: one camera per session; a new one takes the place of the one before.

    Args:
        has_session: Whether a session of that name is live.
        on_track: Takes the camera's track.
        config: Addresses, limits and manners, as for WHEP.
    """
    options = config or WhepConfig()
    cameras: dict[str, Camera] = {}
    leaving: set[asyncio.Task[None]] = set()

    async def close(session: str) -> None:
        camera = cameras.pop(session, None)
        if camera is not None:
            await camera.aclose()

    def gone(session: str, camera: Camera) -> None:
        if cameras.get(session) is camera:
            task = asyncio.ensure_future(close(session))
            leaving.add(task)
            task.add_done_callback(leaving.discard)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.gather(*(close(session) for session in tuple(cameras)))
            while leaving:
                await asyncio.gather(*leaving, return_exceptions=True)

    router = APIRouter(prefix="/whip", tags=["whip"], lifespan=lifespan)

    @router.post(
        "/{session}",
        status_code=201,
        response_class=Response,
        responses=problems(400, 404, 406, 409, 413, 415, 422, 503, 504)
        | {201: {"description": "The answer", "content": {SDP: {"schema": {"type": "string"}}}}},
        openapi_extra=takes(SDP),
    )
    async def offer(session: str, request: Request) -> Response:
        """Drive a session's avatar with a camera: an SDP offer in, an answer out."""
        try:
            if not has_session(session):
                raise SignallingError(404, f"no session is called {session[:60]!r}")
            require_type(request, SDP)
            sdp = await read_body(request, options.max_body_bytes)
            await close(session)
            camera = Camera(options, lambda one: gone(session, one))
            cameras[session] = camera
            try:
                camera.on_leave = await on_track(session, await camera.negotiate(sdp))
            except BaseException:
                await close(session)
                raise
        except SignallingError as error:
            return JSONResponse({"detail": str(error)}, error.status)
        response = Response(camera.answer, 201)
        response.headers["Content-Type"] = SDP
        response.headers["Location"] = f"{request.url.path.rstrip('/')}/{camera.name}"
        return response

    @router.delete("/{session}/{name}", response_class=Response, responses=problems(404))
    async def leave(session: str, name: str) -> Response:
        """Give the avatar its own face back."""
        camera = cameras.get(session)
        if camera is None or not secrets.compare_digest(camera.name.encode(), name.encode()):
            return JSONResponse({"detail": "no such camera; it may have left"}, 404)
        await close(session)
        return Response(status_code=200)

    return router
