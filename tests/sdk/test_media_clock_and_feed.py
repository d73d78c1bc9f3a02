import asyncio

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from sdk.errors import WrongCodecError
from sdk.media.feed import LivePacket, PacketTrack, ViewerFeed
from sdk.media.live_clock import LiveClock
from sdk.types.media import EncodedPacket


class Time:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


def live(index, codec="h264", *, key=False, generation=0):
    packet = EncodedPacket(codec, b"x%d" % index, index * 3600, 90_000, key)
    wire = av.Packet(packet.data)
    wire.pts = packet.pts
    return LivePacket(packet, wire, generation, 0)


def paced(clock, time, indices, step_s=0.04):
    numbers = []
    for index in indices:
        numbers.append(clock.number(index))
        time.now += step_s
    return numbers


def clock_at(time):
    return LiveClock(25, stall_s=0.12, burst_s=0.4, now=time)


def test_on_time_frames_keep_their_distance():
    time = Time()
    assert paced(clock_at(time), time, range(7, 17)) == list(range(10))


def test_small_jitter_changes_nothing():
    time = Time()
    clock = clock_at(time)
    numbers = []
    for index, jitter in enumerate([0, 0.03, -0.02, 0.05, 0.01, -0.03, 0.08, 0]):
        time.now = 50 + index / 25 + jitter
        numbers.append(clock.number(index))
    assert numbers == list(range(8))
    assert clock.rebases == 0


def test_a_stall_moves_the_clock_on_once():
    time = Time()
    clock = clock_at(time)
    assert paced(clock, time, range(5)) == [0, 1, 2, 3, 4]
    time.now += 1.0
    assert paced(clock, time, range(5, 9)) == [30, 31, 32, 33]
    assert clock.rebases == 1


def test_a_burst_after_a_stall_is_cut_short():
    time = Time()
    clock = clock_at(time)
    paced(clock, time, range(5))
    time.now += 2.0
    numbers = paced(clock, time, range(5, 55), step_s=0.0)
    sent = [n for n in numbers if n is not None]
    assert sent[0] == 55
    assert len(sent) <= 11, "no more than 0.4 s ahead"
    later = paced(clock, time, range(55, 80))
    kept = [n for n in later if n is not None]
    assert kept == list(range(kept[0], kept[0] + len(kept)))
    assert len(kept) >= 24


def test_a_producer_that_starts_again_goes_on_where_the_clock_is():
    time = Time()
    clock = clock_at(time)
    paced(clock, time, range(100, 110))
    assert paced(clock, time, range(5)) == [10, 11, 12, 13, 14]


def test_an_index_that_jumps_ahead_without_time_does_not():
    time = Time()
    clock = clock_at(time)
    paced(clock, time, range(5))
    assert paced(clock, time, range(500, 505)) == [5, 6, 7, 8, 9]


def test_frames_the_producer_left_out_leave_a_hole():
    time = Time()
    clock = clock_at(time)
    assert paced(clock, time, [0, 1]) == [0, 1]
    time.now += 0.08
    assert paced(clock, time, [4, 5]) == [4, 5]
    assert clock.rebases == 0


def feed(depth=4, video="h264"):
    requests = []
    made = ViewerFeed(
        video=video,
        has_audio=True,
        depth=depth,
        need_keyframe=requests.append,
        on_start=lambda: None,
    )
    return made, requests


async def drained(track):
    got = []
    while track.waiting:
        got.append((await track.recv()).pts // 3600)
    return got


def test_a_packet_of_another_codec_is_never_queued():
    track = PacketTrack("video", "vp8", 4)
    with pytest.raises(WrongCodecError, match="h264 packet on a track of vp8"):
        track.push(live(0, "h264", key=True))
    assert track.waiting == 0
    viewer, _ = feed(video="vp8")
    viewer.start()
    with pytest.raises(WrongCodecError):
        viewer.feed_video(live(0, "h264", key=True))
    with pytest.raises(WrongCodecError):
        viewer.feed_audio(live(0, "h264"))


def test_nothing_before_the_start_and_video_from_a_keyframe():
    async def story():
        viewer, requests = feed()
        viewer.feed_video(live(0, key=True))
        viewer.feed_audio(live(0, "opus"))
        assert (viewer.depth, requests) == (0, [])
        viewer.start()
        assert requests == ["h264"]
        viewer.feed_video(live(1))
        viewer.feed_video(live(2, key=True))
        viewer.feed_video(live(3))
        viewer.feed_audio(live(1, "opus"))
        assert await drained(viewer.video_track) == [2, 3]
        assert viewer.audio_track.waiting == 1

    asyncio.run(story())


def test_a_slow_viewer_loses_pictures_until_the_next_keyframe():
    async def story():
        viewer, requests = feed(depth=4)
        viewer.start()
        for index in range(7):
            viewer.feed_video(live(index, key=index == 0))
        assert viewer.video_track.waiting == 0, "what waited was useless too"
        assert viewer.drops == 5
        assert len(requests) == 2
        viewer.feed_video(live(7))
        viewer.feed_video(live(8, key=True))
        viewer.feed_video(live(9))
        assert await drained(viewer.video_track) == [8, 9]

    asyncio.run(story())


def test_a_slow_viewer_hears_the_newest_sound():
    async def story():
        viewer, _ = feed(depth=2)
        viewer.start()
        for index in range(10):
            viewer.feed_audio(live(index, "opus"))
        assert await drained(viewer.audio_track) == [6, 7, 8, 9]

    asyncio.run(story())


def test_an_interruption_empties_older_generations_only():
    async def story():
        viewer, requests = feed(depth=8)
        viewer.start()
        for index in range(4):
            viewer.feed_video(live(index, key=index == 0, generation=index // 2))
            viewer.feed_audio(live(index, "opus", generation=index // 2))
        viewer.drop_before(1)
        assert await drained(viewer.audio_track) == [2, 3]
        assert requests == ["h264", "h264"], "the pictures that are left refer to lost ones"
        viewer.drop_before(1)
        assert requests == ["h264", "h264"]

    asyncio.run(story())


def test_a_reader_waits_and_an_ended_track_says_so():
    async def story():
        track = PacketTrack("video", "h264", 4)
        reader = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        track.push(live(3, key=True))
        assert (await reader).pts == 3 * 3600
        reader = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        track.stop()
        with pytest.raises(MediaStreamError):
            await reader
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(story())
