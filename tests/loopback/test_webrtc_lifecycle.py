"""Viewers come and go, politely or not; nothing of them stays."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from tests.support.media_source import PacedSource
from tests.support.webrtc_viewer import WebRtcViewer
from tests.support.whep_house import whep_house

pytestmark = [pytest.mark.asyncio, pytest.mark.loopback]

SDP = {"Content-Type": "application/sdp"}


def open_files():
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


async def settled(condition, timeout_s=30.0):
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - tasks, sockets and sweepers tell nobody
            await asyncio.sleep(0.05)


async def test_fifty_visits_leave_nothing_behind():
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=1)
                text = viewer.connection.localDescription.sdp
                await viewer.leave()
            await settled(lambda: house.caster.stats().viewers == 0)
            gc.collect()
            tasks, threads, files = len(asyncio.all_tasks()), threading.active_count(), open_files()
            for visit in range(50):
                if visit % 10 == 0:
                    async with WebRtcViewer(house.http, "/whep/main") as viewer:
                        await viewer.wait_for(pictures=1)
                        await viewer.leave()
                else:
                    made = await house.http.post("/whep/main", content=text, headers=SDP)
                    await house.http.delete(made.headers["Location"])
            await settled(lambda: len(asyncio.all_tasks()) <= tasks)
            assert house.caster.stats().viewers == 0
            assert threading.active_count() <= threads
            gc.collect()
            assert open_files() <= files


async def test_a_viewer_that_says_goodbye_by_dtls_is_gone_at_once():
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            viewer = WebRtcViewer(house.http, "/whep/main")
            await viewer.connect()
            await viewer.wait_for(pictures=2)
            await viewer.aclose()
            await settled(lambda: house.caster.stats().viewers == 0, 8.0)  # a silent one stays 10 s
            assert (await house.http.get(viewer.location)).status_code == 404


async def test_a_viewer_that_vanishes_is_swept_out():
    async with whep_house(silence_timeout_s=5.0) as house:
        with PacedSource(house.caster.publish):
            stays = WebRtcViewer(house.http, "/whep/main")
            gone = WebRtcViewer(house.http, "/whep/main")
            async with stays, gone:
                await asyncio.gather(stays.wait_for(pictures=2), gone.wait_for(pictures=2))
                gone.vanish()
                await settled(lambda: house.caster.stats().viewers == 1)
                await stays.wait_for(pictures=5)


async def test_a_viewer_that_never_connects_is_forgotten():
    async with whep_house(connect_timeout_s=2.0) as house:
        viewer = WebRtcViewer(house.http, "/whep/main")
        made = await house.http.post("/whep/main", content=await viewer.offer(), headers=SDP)
        assert made.status_code == 201
        assert house.caster.stats().viewers == 1
        await settled(lambda: house.caster.stats().viewers == 0)
        await viewer.aclose()


async def test_hidden_addresses_are_learnt_from_the_viewers_checks():
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            viewer = WebRtcViewer(house.http, "/whep/main")
            send = viewer.http.post

            async def post(path, *, content, headers):
                hidden = "".join(
                    line.replace("127.0.0.1", "3a1f.local") + "\r\n"
                    for line in content.splitlines()
                )
                assert ".local" in hidden
                return await send(path, content=hidden, headers=headers)

            viewer.http.post = post
            async with viewer:
                await viewer.wait_for(pictures=3)
            viewer.http.post = send


async def test_the_end_of_the_broadcast_ends_the_connection():
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=2)
                await house.caster.aclose()
                await settled(lambda: viewer.connection.connectionState == "closed")


async def test_the_servers_end_closes_everybody():
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            viewer = WebRtcViewer(house.http, "/whep/main")
            await viewer.connect()
            await viewer.wait_for(pictures=2)
    await settled(lambda: viewer.connection.connectionState == "closed")
    await viewer.aclose()
    await settled(lambda: len(asyncio.all_tasks()) == 1)
