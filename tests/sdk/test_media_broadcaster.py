import asyncio
import itertools
import threading

import pytest

from sdk.errors import OutputError, SessionError
from sdk.media import Broadcaster, MediaConfig
from sdk.types.media import MediaUnit
from tests.support.media_source import avatar_frame

pytestmark = pytest.mark.asyncio


class Time:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


class Sink:
    """An output that remembers; with ``error`` set it has ended."""

    video_codec = "h264"
    keyframe_interval_s = 2.0

    def __init__(self):
        self.units: list[MediaUnit] = []
        self.error: OutputError | None = None
        self.closed = False

    def feed(self, unit):
        self.units.append(unit)

    async def aclose(self):
        self.closed = True


def broadcaster(time=None, **options):
    return Broadcaster(128, 128, 25, MediaConfig(**options), now=time or Time())


async def publish(caster, indices, *, time=None, step_s=0.04, generation=0):
    """From another thread, as a session does; then let the loop deliver."""
    clock = time or caster._now

    def work():
        for index in indices:
            caster.publish(avatar_frame(index, generation=generation))
            clock.now += step_s

    await asyncio.to_thread(work)
    for _ in range(3):
        await asyncio.sleep(0)


async def taken(track):
    packets = []
    while track.waiting:
        packets.append(await track.recv())
    return packets


async def test_nothing_is_encoded_while_nobody_watches():
    caster = broadcaster()
    await publish(caster, range(10))
    stats = caster.stats()
    assert (stats.frames, stats.video_bytes, stats.audio_bytes) == (10, 0, 0)
    assert stats.fps == pytest.approx(25, abs=0.1)
    await caster.aclose()


async def test_the_first_keyframe_is_kept_for_the_first_viewer():
    caster = broadcaster()
    viewer = caster.join("h264")
    await publish(caster, range(5))
    assert caster.stats().video_bytes == 0, "it is still connecting"
    viewer.start()
    await publish(caster, range(5, 7))
    packets = await taken(viewer.video_track)
    assert [(p.pts // 3600, p.is_keyframe) for p in packets] == [(5, True), (6, False)]
    caster.leave(viewer)
    await publish(caster, [7])
    returned = caster.join("h264")
    returned.start()
    await publish(caster, [8])
    assert [p.is_keyframe for p in await taken(returned.video_track)] == [True], "at once"
    await caster.aclose()


async def test_viewers_share_one_encode_and_the_very_same_packets():
    caster = broadcaster()
    first, second = caster.join("h264"), caster.join("h264")
    first.start()
    second.start()
    await publish(caster, range(5))
    ours, theirs = await taken(first.video_track), await taken(second.video_track)
    assert [p.pts for p in ours] == [0, 3600, 7200, 10800, 14400]
    assert all(a is b for a, b in zip(ours, theirs, strict=True))
    assert caster.stats().keyframes == 1, "one keyframe served both"
    await caster.aclose()


async def test_sound_and_picture_of_one_moment_leave_together():
    caster = broadcaster()
    viewer = caster.join("h264")
    viewer.start()
    await publish(caster, [0])
    assert viewer.video_track.waiting == 1
    assert viewer.audio_track.waiting == 1, "the second block belongs 20 ms later"
    await asyncio.sleep(0.05)
    assert viewer.audio_track.waiting == 2
    video = (await taken(viewer.video_track))[0]
    first, second = await taken(viewer.audio_track)
    assert (video.pts, first.pts, second.pts) == (0, -312, 648)
    await caster.aclose()


async def test_a_late_joiner_gets_a_keyframe_of_its_own_rendition():
    caster = broadcaster(viewer_queue_s=2.0)  # nobody reads while the twenty are published
    early = caster.join("h264")
    early.start()
    await publish(caster, range(20))
    assert {p.is_keyframe for p in (await taken(early.video_track))[1:]} == {False}
    late = caster.join("vp8")
    late.start()
    await publish(caster, range(20, 24))
    packets = await taken(late.video_track)
    assert [p.pts // 3600 for p in packets] == [20, 21, 22, 23]
    assert bytes(packets[0])[3:6] == b"\x9d\x01\x2a", "VP8's keyframe start code"
    assert late.video_track.codec == "vp8"
    caster.leave(late)
    bytes_before = caster.stats().video_bytes
    await publish(caster, [24])
    sizes = [p.size for p in await taken(early.video_track)]
    assert caster.stats().video_bytes - bytes_before == sizes[-1], "the VP8 encode has ended"
    await caster.aclose()


async def test_a_slow_viewer_disturbs_nobody():
    caster = broadcaster(viewer_queue_s=0.4)
    quick, slow = caster.join("h264"), caster.join("h264")
    quick.start()
    slow.start()
    seen = []
    for index in range(60):
        await publish(caster, [index])
        seen += await taken(quick.video_track)
        await taken(quick.audio_track)
    assert [p.pts // 3600 for p in seen] == list(range(60))
    assert slow.video_track.waiting <= 10
    assert slow.audio_track.waiting <= 20
    assert slow.drops > 0
    assert quick.drops == 0
    assert caster.stats().viewer_drops == slow.drops
    late = await taken(slow.video_track)
    assert late[0].is_keyframe, "what it gets next decodes"
    assert [b.pts - a.pts for a, b in itertools.pairwise(late)] == [3600] * (len(late) - 1)
    await caster.aclose()


async def test_an_interruption_drops_what_is_older_everywhere():
    caster = broadcaster()
    viewer = caster.join("h264")
    viewer.start()
    await publish(caster, range(4), generation=0)
    caster.drop_before(1)
    await publish(caster, range(4, 8), generation=0)
    assert viewer.audio_track.waiting == 0
    assert viewer.video_track.waiting == 0
    assert caster.stats().frames_stale == 4
    caster._now.now += 0.5
    await publish(caster, range(8, 12), generation=1)
    packets = await taken(viewer.video_track)
    assert packets[0].is_keyframe
    assert len(packets) == 4
    await caster.aclose()


async def test_a_stalled_producer_does_not_fall_behind_for_ever():
    time = Time()
    caster = broadcaster(time)
    viewer = caster.join("h264")
    viewer.start()
    await publish(caster, range(3))
    time.now += 1.0
    await publish(caster, range(3, 5))
    await asyncio.sleep(0.05)
    video = [p.pts // 3600 for p in await taken(viewer.video_track)]
    audio = [p.pts for p in await taken(viewer.audio_track)]
    assert video == [0, 1, 2, 28, 29]
    assert audio[6:] == [28 * 1920 - 312, 28 * 1920 + 648, 29 * 1920 - 312, 29 * 1920 + 648]
    assert caster.stats().rebases == 1
    await caster.aclose()


async def test_a_busy_loop_loses_frames_instead_of_piling_them_up():
    time = Time()
    caster = broadcaster(time, handoff_s=0.2)
    viewer = caster.join("h264")
    viewer.start()

    def work():
        for index in range(30):
            caster.publish(avatar_frame(index))
            time.now += 0.04

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()  # the loop is blocked meanwhile
    await asyncio.sleep(0.05)
    assert caster.stats().handoff_drops == 25
    await taken(viewer.video_track)
    for index in range(30, 44):  # half a second: keyframes are rationed
        await publish(caster, [index])
    packets = await taken(viewer.video_track)
    assert packets[0].is_keyframe, "after the hole nothing but a keyframe helps"
    await caster.aclose()


async def test_outputs_get_every_unit_and_a_dead_one_stops_the_encode():
    caster = broadcaster()
    sink = Sink()
    caster.add_output(sink)
    await publish(caster, range(75))
    assert [u.index for u in sink.units] == list(range(75))
    keys = [u.index for u in sink.units if u.video["h264"].is_keyframe]
    assert keys == [0, 50]
    assert not any(u.audio for u in sink.units), "it makes its own sound"
    sink.error = OutputError("the disk is full")
    before = caster.stats()
    await publish(caster, range(75, 80))
    after = caster.stats()
    assert len(sink.units) == 75
    assert after.video_bytes == before.video_bytes
    assert (after.outputs, after.outputs_failed) == (1, 1)
    await caster.aclose()
    assert sink.closed


async def test_after_the_end_nothing_happens():
    caster = broadcaster()
    viewer = caster.join("h264")
    ends = []
    viewer.on_end = lambda: ends.append(1)
    await caster.aclose()
    assert ends == [1]
    assert viewer.video_track.readyState == "ended"
    caster.publish(avatar_frame(0))
    with pytest.raises(SessionError):
        caster.join("h264")
    with pytest.raises(SessionError):
        caster.add_output(Sink())
    await caster.aclose()
