"""A camera drives the avatar: real WebRTC, real tracking; only the engine is a stand-in."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from fastapi import FastAPI

from avatar_engine.portrait import read_photo
from avatar_engine.tracking import Driver
from sdk.errors import SessionError
from sdk.session import Parts, Session
from sdk.signalling import WhepConfig, whip_router
from sdk.signalling.ice import use_host_addresses
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import FakeCounter, Sink
from tests.support.synthetic_head import synthetic_head

pytestmark = [pytest.mark.asyncio, pytest.mark.loopback]

FACE = read_photo(Path(__file__).resolve().parents[2] / "examples" / "face.png")
SDP = {"Content-Type": "application/sdp"}


class Camera(VideoStreamTrack):
    """The example face, rocked from side to side; then, on request, an empty wall."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.shows_face = True

    async def recv(self) -> av.VideoFrame:
        pts, base = await self.next_timestamp()
        self.count += 1
        picture = np.full((240, 240, 3), 120, np.uint8)
        if self.shows_face:
            small = FACE[:: FACE.shape[0] // 200][:200, :: FACE.shape[1] // 200][:, :200]
            x = 20 + round(15 * np.sin(self.count / 8))
            picture[20:220, x : x + 200] = small
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, base
        return frame


@asynccontextmanager
async def live_session():
    engine = FakeEngine()

    @asynccontextmanager
    async def parts():
        maps = synthetic_head()[0]
        yield Parts(engine, Sink(), FakeCounter(), open_driver=lambda: Driver(maps))

    async with Session(parts) as session:
        yield session, engine


async def until(condition, timeout_s=20.0):
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the worker thread tells nobody
            await asyncio.sleep(0.02)


async def test_a_track_drives_the_face_and_gives_it_back_when_it_ends():
    async with live_session() as (session, engine):
        camera = Camera()
        driving = await session.drive(camera)
        await until(lambda: driving.is_following and driving.frames > 12)
        assert session.driving is driving
        shifts = [state.head_shift[0] for state in engine.followed]
        assert np.ptp(shifts) > 0.3  # the face goes from side to side
        camera.shows_face = False
        await until(lambda: not driving.is_following)
        await driving.stop()
        assert engine.followed[-1] is None
        assert session.driving is None


async def test_a_new_camera_takes_the_place_of_the_one_before():
    async with live_session() as (session, engine):
        first = await session.drive(Camera())
        second = await session.drive(Camera())
        assert not first.is_active
        assert second.is_active
        await until(lambda: second.frames > 2)
    assert engine.followed[-1] is None  # closing the session ends it


async def test_a_session_without_a_tracker_says_so():
    @asynccontextmanager
    async def parts():
        yield Parts(FakeEngine(), Sink(), FakeCounter())

    async with Session(parts) as session:
        with pytest.raises(SessionError, match="no face tracker"):
            await session.drive(Camera())


async def test_a_camera_drives_over_whip_and_leaves_politely_or_not():
    async with AsyncExitStack() as stack:
        session, engine = await stack.enter_async_context(live_session())

        async def drive(name, track):
            return (await session.drive(track)).stop

        app = FastAPI()
        config = WhepConfig(host_addresses=("127.0.0.1",))
        app.include_router(whip_router(lambda name: name == "main", drive, config=config))
        await stack.enter_async_context(app.router.lifespan_context(app))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://house")
        )

        for says_goodbye in (True, False):
            connection = RTCPeerConnection()
            connection.addTransceiver(Camera(), direction="sendonly")
            use_host_addresses(connection, ("127.0.0.1",))
            await connection.setLocalDescription(await connection.createOffer())
            offer = connection.localDescription.sdp
            answer = await http.post("/whip/main", content=offer, headers=SDP)
            assert answer.status_code == 201
            await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            seen = len(engine.followed)
            await until(lambda seen=seen: len(engine.followed) > seen + 5)
            assert session.driving is not None
            if says_goodbye:
                location = answer.headers["Location"]
                assert (await http.delete(location[:-4] + "nope")).status_code == 404
                assert (await http.delete(location)).status_code == 200
            await connection.close()
            await until(lambda: session.driving is None)
            assert engine.followed[-1] is None


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/whip/other", "v=0", SDP, 404),
        ("/whip/main", "v=0", {"Content-Type": "text/plain"}, 415),
        ("/whip/main", "this is no offer", SDP, 422),
        ("/whip/main", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", SDP, 422),
        ("/whip/main", "x" * 100_000, SDP, 413),
    ],
)
async def test_bad_offers_are_told_what_is_wrong(path, body, headers, status):
    async def drive(name, track):
        raise AssertionError("nothing may get here")

    app = FastAPI()
    app.include_router(whip_router(lambda name: name == "main", drive))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://house") as http,
    ):
        answer = await http.post(path, content=body, headers=headers)
        assert answer.status_code == status
        assert answer.json()["detail"]
