"""A broadcaster and real WebRTC viewers in one process."""

import asyncio
import itertools
from dataclasses import replace

import av
import numpy as np
import pytest

from sdk.errors import WrongCodecError
from sdk.media import MediaConfig, direct
from sdk.media.feed import LivePacket
from sdk.types.media import EncodedPacket
from tests.support.media_source import MARKER_EVERY, PacedSource, read_index
from tests.support.webrtc_viewer import WebRtcViewer
from tests.support.whep_house import whep_house

pytestmark = [pytest.mark.asyncio, pytest.mark.loopback]


# Whole and in order is about packets: a busy machine must not look like a stalled producer.
PATIENT = MediaConfig(stall_s=30.0, handoff_s=30.0, viewer_queue_s=30.0)
BOTH_WAYS = pytest.mark.parametrize(
    "media", [PATIENT, replace(PATIENT, is_direct=False)], ids=["direct", "tracks"]
)


def numbers(viewer):
    return [read_index(picture.luma) for picture in viewer.pictures]


@BOTH_WAYS
async def test_pictures_and_sound_arrive_whole_and_in_order(media):
    async with whep_house(media=media) as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=40, sounds=80)
                assert house.caster._feeds[0].is_direct is media.is_direct
    shown = numbers(viewer)
    assert shown == list(range(shown[0], shown[0] + len(shown)))
    assert viewer.pictures[0].luma.shape == (128, 128)
    assert {b.pts - a.pts for a, b in itertools.pairwise(viewer.pictures)} == {3600}
    assert {b.pts - a.pts for a, b in itertools.pairwise(viewer.sounds)} == {960}
    loudness = [float(np.abs(sound.samples).mean()) for sound in list(viewer.sounds)[10:]]
    assert min(loudness) > 3000, "1 kHz at 8000, without a hole"
    assert "rtcp-mux-only" in viewer.answer
    assert viewer.answer.count("m=video") == 1


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
async def test_a_viewer_gets_the_rendition_it_can_decode(codec):
    async with whep_house(media=PATIENT) as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main", video_codecs=(codec,)) as viewer:
                await viewer.wait_for(pictures=15, sounds=10)
    assert codec.removeprefix("video/") in viewer.answer
    shown = numbers(viewer)
    assert shown == list(range(shown[0], shown[0] + len(shown)))


async def test_both_renditions_at_once_and_a_listener():
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            async with (
                WebRtcViewer(house.http, "/whep/main", video_codecs=("video/H264",)) as one,
                WebRtcViewer(house.http, "/whep/main", video_codecs=("video/VP8",)) as two,
                WebRtcViewer(house.http, "/whep/main", video_codecs=()) as listener,
            ):
                await asyncio.gather(
                    one.wait_for(pictures=10),
                    two.wait_for(pictures=10),
                    listener.wait_for(sounds=20),
                )
                assert house.caster.stats().viewers == 3
    assert not listener.pictures


@pytest.mark.parametrize(
    ("codec", "media"),
    [
        ("video/H264", MediaConfig()),
        ("video/H264", MediaConfig(is_direct=False)),
        ("video/VP8", MediaConfig()),
    ],
    ids=["H264-direct", "H264-tracks", "VP8-direct"],
)
async def test_a_lossy_link_still_plays(codec, media):
    # Every 17th packet, and a burst of four in every 150.
    def lose(number):
        return number > 30 and (number % 17 == 0 or number % 150 < 4)

    async with whep_house(media=media) as house:
        with PacedSource(house.caster.publish):
            viewer = WebRtcViewer(house.http, "/whep/main", video_codecs=(codec,), lose=lose)
            async with viewer:
                await viewer.wait_for(pictures=50)
            published = house.caster.stats().frames
    shown = numbers(viewer)
    assert shown == sorted(set(shown))
    assert len(shown) >= 0.9 * (shown[-1] - shown[0] + 1), "lost packets were sent again"
    assert shown[-1] >= published - 25, "and it did not fall behind"


@BOTH_WAYS
async def test_a_viewer_that_asks_gets_a_keyframe(media):
    async with whep_house(media=media) as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=20)
                before = house.caster.stats().keyframes
                for _ in range(5):
                    await viewer.request_keyframe()
                await viewer.wait_for(pictures=20)
                after = house.caster.stats().keyframes
    assert after == before + 1, "five requests, one keyframe"


async def test_an_interruption_is_silence_soon():
    async with whep_house() as house:
        source = PacedSource(house.caster.publish, is_loud=lambda i: source.generation == 0)
        with source:
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(sounds=40)
                source.generation = 1
                house.caster.drop_before(1)
                interrupted = viewer.sounds[-1].pts
                await viewer.wait_for(sounds=30)
    loud = [s.pts for s in viewer.sounds if np.abs(s.samples).mean() > 200]
    # aiortc's viewer itself holds four blocks of sound.
    assert (max(loud) - interrupted) / 48_000 < 0.4


@BOTH_WAYS
async def test_marker_and_picture_carry_the_same_time(media):
    async with whep_house(media=media) as house:
        with PacedSource(house.caster.publish, is_loud=lambda i: i % MARKER_EVERY == 0):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=45, sounds=90)
    shown = {read_index(p.luma): viewer.moment_s("video", p.pts) for p in viewer.pictures}
    heard = np.concatenate([s.samples for s in viewer.sounds]).astype(float)
    level = np.convolve(np.abs(heard), np.ones(48) / 48, "same") > 2000
    onsets = np.flatnonzero(level[1:] & ~level[:-1])
    first = viewer.sounds[0].pts
    marked = [shown[i] for i in sorted(shown) if i % MARKER_EVERY == 0]
    moments = [viewer.moment_s("audio", first + int(onset)) for onset in onsets]
    offsets_ms = [1000 * min((t - m for m in marked), key=abs) for t in moments]
    assert len(offsets_ms) >= 3
    # Direct packets report the broadcast's own clock; aiortc reports when it sent.
    assert np.abs(np.median(offsets_ms)) < (5 if media.is_direct else 25)


async def test_a_reader_that_stops_costs_only_itself():
    short = replace(PATIENT, viewer_queue_s=0.5, is_direct=False)
    async with whep_house(media=short) as house:
        with PacedSource(house.caster.publish):
            async with (
                WebRtcViewer(house.http, "/whep/main") as quick,
                WebRtcViewer(house.http, "/whep/main") as slow,
            ):
                await asyncio.gather(quick.wait_for(pictures=5), slow.wait_for(pictures=5))
                feed = house.caster._feeds[1]
                # Its sender stops reading, as behind a blocked TURN connection.
                held = feed.video_track.recv
                release = asyncio.Event()

                async def stuck():
                    await release.wait()
                    return await held()

                feed.video_track.recv = stuck
                await quick.wait_for(pictures=40)
                assert house.caster.stats().viewer_drops > 5
                assert house.caster.stats().queue_depth <= 24
                feed.video_track.recv = held
                release.set()
                await slow.wait_for(pictures=10)
    shown = numbers(quick)
    assert shown == list(range(shown[0], shown[0] + len(shown)))
    assert numbers(slow)[-1] - numbers(slow)[0] + 1 > len(numbers(slow)), "it missed some"


async def test_a_congested_socket_costs_only_its_viewer(monkeypatch):
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=5)
                monkeypatch.setattr("sdk.media.direct._BACKLOG_BYTES", -1)
                async with asyncio.timeout(30):
                    while house.caster.stats().viewer_drops <= 5:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                monkeypatch.undo()
                await viewer.wait_for(pictures=10)
    shown = numbers(viewer)
    assert shown == sorted(shown)
    assert shown[-1] - shown[0] + 1 > len(shown), "some are missing, and the rest decodes"


@pytest.mark.parametrize("missing", ["_retransmit", "_RTCRtpSender__ntp_timestamp"])
async def test_another_aiortc_falls_back_to_tracks(monkeypatch, missing):
    # A name that changes in another release must cost speed, not the picture.
    check = direct._private_parts

    def without(sender):
        class Renamed:
            def __getattr__(self, name):
                if name == missing:
                    raise AttributeError(name)
                return getattr(sender, name)

        return check(Renamed())

    monkeypatch.setattr(direct, "_private_parts", without)
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=5, sounds=5)
                assert not house.caster._feeds[0].is_direct


async def test_a_direct_lane_refuses_another_codec():
    async with whep_house() as house:
        with PacedSource(house.caster.publish):
            async with WebRtcViewer(house.http, "/whep/main") as viewer:
                await viewer.wait_for(pictures=2)
                feed = house.caster._feeds[0]
                assert feed.is_direct
                foreign = EncodedPacket("vp8", b"x", 0, 90_000, is_keyframe=True)
                with pytest.raises(WrongCodecError, match="vp8 packet on a track of h264"):
                    feed.feed_video(LivePacket(foreign, av.Packet(b"x"), 0, 0))
