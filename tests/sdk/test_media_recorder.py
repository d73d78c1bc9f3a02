import asyncio
import contextlib
import resource
import subprocess
import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from sdk.errors import OutputError, SettingsError
from sdk.media import Broadcaster
from sdk.media.outputs import Recorder, open_output
from tests.support.media_source import MARKER_EVERY, avatar_frame, read_index

ROOT = Path(__file__).parents[2]


def record(path, indices, *, loud=lambda index: True):
    """Through a real broadcaster; its clock stands still, a recording needs none."""

    async def story():
        caster = Broadcaster(128, 128)
        recorder = Recorder(path, width=128, height=128, fps=25)
        caster.add_output(recorder)
        await asyncio.to_thread(
            lambda: [caster.publish(avatar_frame(i, loud=loud(i))) for i in indices]
        )
        await caster.aclose()
        return recorder

    return asyncio.run(story())


def pictures(path):
    with av.open(str(path)) as container:
        return [
            (round(frame.pts * frame.time_base, 6), read_index(frame.to_ndarray()[:128]))
            for frame in container.decode(video=0)
        ]


def sound(path):
    """The samples where the file says they belong, from second 0, at int16's scale."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    start = round(frames[0].pts * frames[0].time_base * 48_000)
    samples = 32768 * np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    return np.concatenate([np.zeros(max(0, start)), samples[max(0, -start) :]])


def test_a_recording_has_the_right_length_and_every_picture(tmp_path):
    path = tmp_path / "show.mp4"
    recorder = record(path, range(100))
    assert recorder.error is None
    assert recorder.dropped == 0
    assert [(float(t), n) for t, n in pictures(path)] == [
        (pytest.approx(i / 25), i) for i in range(100)
    ]
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert float(video.duration * video.time_base) == pytest.approx(4.0, abs=1e-3)
        assert float(audio.duration * audio.time_base) == pytest.approx(4.0, abs=1e-3)
        assert (video.width, video.height, float(video.average_rate)) == (128, 128, 25)
        assert audio.codec_context.name == "aac"
    head = path.read_bytes()
    assert head.index(b"ftyp") < head.index(b"mdat")
    assert b"moof" not in head[: head.index(b"mdat")], "an ordinary file after closing"


def test_sound_and_picture_stay_together(tmp_path):
    path = tmp_path / "show.mp4"
    record(path, range(80), loud=lambda i: i % MARKER_EVERY == 5)
    heard = np.abs(sound(path))
    block = heard[: len(heard) // 480 * 480].reshape(-1, 480).mean(axis=1)  # 10 ms each
    onsets = [i for i in range(1, len(block)) if block[i] > 1500 >= block[i - 1]]
    assert [round(i / 4) for i in onsets] == list(range(5, 80, MARKER_EVERY))


def test_left_out_frames_are_a_held_picture_and_silence(tmp_path):
    path = tmp_path / "show.mp4"
    record(path, [*range(50), *range(75, 100)])
    times = [float(t) for t, _ in pictures(path)]
    assert times[49:51] == [pytest.approx(1.96), pytest.approx(3.0)]
    heard = np.abs(sound(path))
    assert heard[round(2.1 * 48_000) : round(2.9 * 48_000)].max() < 300
    assert heard[round(3.1 * 48_000) : round(3.9 * 48_000)].mean() > 2000


def test_a_producer_that_counts_anew_continues_the_file(tmp_path):
    path = tmp_path / "show.mp4"
    record(path, [*range(1000, 1030), *range(30)])
    assert [float(t) for t, _ in pictures(path)] == [pytest.approx(i / 25) for i in range(60)]


def test_a_killed_process_leaves_a_file_that_plays(tmp_path):
    path = tmp_path / "killed.mp4"
    program = f"""
import asyncio, os, time
from pathlib import Path
from sdk.media import Broadcaster
from sdk.media.outputs import Recorder
from tests.support.media_source import avatar_frame
async def main():
    caster = Broadcaster(128, 128, now=iter([x / 25 for x in range(99999)]).__next__)
    recorder = Recorder(Path({str(path)!r}), width=128, height=128, fps=25)
    caster.add_output(recorder)
    for i in range(250):
        caster.publish(avatar_frame(i))
    while recorder._units.qsize():
        time.sleep(0.01)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=120, check=False)
    assert done.returncode == -9
    shown = pictures(path)
    assert len(shown) >= 100
    assert [n for _, n in shown] == list(range(len(shown)))
    assert len(sound(path)) / 48_000 == pytest.approx(len(shown) / 25, abs=0.1)


def test_a_disk_that_fills_up_ends_the_recording_and_nothing_else(tmp_path):
    path = tmp_path / "show.mp4"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        recorder = record(path, range(200))  # publishing goes on after the end
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(recorder.error, OutputError)
    assert "show.mp4 cannot be recorded" in str(recorder.error)
    assert len(pictures(path)) > 0, "what was written before still plays"


def test_a_disk_that_is_full_from_the_start_is_refused():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OutputError, match="No space left"):
        Recorder(Path("/dev/full"), width=128, height=128, fps=25)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"missing/show\.mp4"):
        Recorder(tmp_path / "missing" / "show.mp4", width=128, height=128, fps=25)


def test_a_slow_disk_makes_a_hole_that_begins_again_at_a_keyframe(tmp_path, monkeypatch):
    monkeypatch.setattr("sdk.media.outputs.recorder._QUEUE_S", 0.4)
    path = tmp_path / "show.mp4"
    recorder = Recorder(path, width=128, height=128, fps=25)
    writer_may_go = threading.Event()
    write = recorder._writer.write

    def slow_write(unit):
        writer_may_go.wait(60)
        write(unit)

    monkeypatch.setattr(recorder._writer, "write", slow_write)

    async def story():
        caster = Broadcaster(128, 128, now=iter([x / 75 for x in range(99999)]).__next__)
        caster.add_output(recorder)
        for index in range(50):
            caster.publish(avatar_frame(index))
        writer_may_go.set()
        # The writer is a thread: there is no event to wait for.
        while recorder._units.qsize():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for index in range(50, 130):
            caster.publish(avatar_frame(index))
            while recorder._units.qsize() > 2:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        await caster.aclose()

    asyncio.run(story())
    assert recorder.error is None
    assert recorder.dropped > 0
    shown = pictures(path)
    assert [round(float(t) * 25) for t, _ in shown] == [n for _, n in shown]
    numbers = [n for _, n in shown]
    assert numbers[:10] == list(range(10))
    assert numbers[-1] == 129


def test_output_names(tmp_path):
    output = open_output(str(tmp_path / "a.MP4"), width=64, height=64, fps=25)
    assert isinstance(output, Recorder)
    with contextlib.suppress(OutputError):
        asyncio.run(output.aclose())
    with pytest.raises(SettingsError, match=r"only FILE\.mp4"):
        open_output("rtmp://example/live", width=64, height=64, fps=25)
