import av
import numpy as np
import pytest

from sdk.errors import OutputError, SettingsError
from sdk.media.config import MediaConfig
from sdk.media.encoder import AudioEncoder, VideoEncoder, studio_picture
from sdk.media.keyframes import KeyframeGate
from sdk.media.studio import Studio
from tests.support.media_source import avatar_frame, read_index

SIZE = 128


def decode(codec: str, packets: list[bytes]) -> list[np.ndarray]:
    context = av.CodecContext.create(codec, "r")
    pictures = []
    for data in packets:
        pictures += context.decode(av.Packet(data))
    pictures += context.decode(None)
    return [picture.to_ndarray(format="yuv420p")[:SIZE] for picture in pictures]


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_pictures_come_back_in_order_with_their_numbers(codec):
    encoder = VideoEncoder(codec, SIZE, SIZE, 25, MediaConfig())
    packets = [
        encoder.encode(studio_picture(avatar_frame(i).video, SIZE, SIZE), 3600 * i, keyframe=i == 0)
        for i in range(12)
    ]
    assert [p.codec for p in packets] == [codec] * 12
    assert [p.pts for p in packets] == [3600 * i for i in range(12)]
    assert [p.is_keyframe for p in packets] == [True] + [False] * 11
    assert [read_index(y) for y in decode(codec, [p.data for p in packets])] == list(range(12))


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_keyframe_on_request_decodes_alone(codec):
    encoder = VideoEncoder(codec, SIZE, SIZE, 25, MediaConfig())
    packets = [
        encoder.encode(studio_picture(avatar_frame(i).video, SIZE, SIZE), 3600 * i, keyframe=i == 5)
        for i in range(8)
    ]
    assert packets[5].is_keyframe
    assert read_index(decode(codec, [p.data for p in packets[5:]])[0]) == 5


def test_h264_is_constrained_baseline_and_says_its_range():
    encoder = VideoEncoder("h264", SIZE, SIZE, 25, MediaConfig())
    data = encoder.encode(studio_picture(avatar_frame(0).video, SIZE, SIZE), 0, keyframe=True).data
    sps = data[data.index(b"\x00\x00\x01\x67") + 3 :]
    assert sps[1] == 66, "baseline"
    assert sps[2] & 0x40, "constrained"
    context = av.CodecContext.create("h264", "r")
    picture = (context.decode(av.Packet(data)) + context.decode(None))[0]
    assert picture.color_range == 1, "television range"
    assert picture.colorspace == 6, "BT.601"


def test_one_keyframe_does_not_blow_the_rate():
    # bufsize is half a second: no frame may be larger than that.
    config = MediaConfig(video_bitrate=300_000)
    encoder = VideoEncoder("h264", 256, 256, 25, config)
    noise = np.random.default_rng(1).integers(0, 255, 256 * 256 * 3 // 2, dtype=np.uint8)
    picture = studio_picture(noise, 256, 256)
    sizes = [len(encoder.encode(picture, 3600 * i, keyframe=i == 10).data) for i in range(50)]
    assert sum(sizes) * 8 / 2 < 1.35 * config.video_bitrate


def test_the_studio_range_keeps_black_white_and_grey():
    full = np.repeat(np.array([0, 128, 255], np.uint8), [100, 56, 100])
    luma = np.tile(full, (256, 1))
    chroma = np.full(256 * 128, 128, np.uint8)
    planes = studio_picture(np.concatenate([luma.ravel(), chroma]), 256, 256).to_ndarray()
    assert planes[0, 0] == 16
    assert planes[0, 255] == 235
    assert abs(int(planes[0, 128]) - 126) <= 1
    assert (planes[256:] == 128).all()


def test_rgb_and_i420_agree():
    rng = np.random.default_rng(2)
    grey = np.kron(rng.integers(0, 255, (16, 16), dtype=np.uint8), np.ones((8, 8), np.uint8))
    i420 = np.concatenate([grey.ravel(), np.full(SIZE * SIZE // 2, 128, np.uint8)])
    rgba = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    ours = studio_picture(i420, SIZE, SIZE).to_ndarray().astype(int)
    theirs = studio_picture(rgba, SIZE, SIZE).to_ndarray().astype(int)
    assert np.abs(ours - theirs).max() <= 2


def test_a_foreign_picture_is_named():
    with pytest.raises(OutputError, match=r"\(5, 5\).*128 x 128"):
        studio_picture(np.zeros((5, 5), np.uint8), SIZE, SIZE)


@pytest.mark.parametrize("samples", [1920, 1600, 960, 700])
def test_opus_blocks_cover_the_sound_without_holes(samples):
    encoder = AudioEncoder(MediaConfig())
    total = 48_000
    time_s = np.arange(total) / 48_000
    pcm = (9000 * np.sin(2 * np.pi * (200 * time_s + 600 * time_s**2))).astype(np.int16)
    packets = []
    for start in range(0, total, samples):
        packets += encoder.encode(pcm[start : start + samples], start)
    pts = [p.pts for p in packets]
    assert set(np.diff(pts)) == {960}
    context = av.CodecContext.create("libopus", "r")
    context.sample_rate, context.format, context.layout = 48_000, "s16", "mono"
    heard = np.concatenate(
        [f.to_ndarray().ravel() for p in packets for f in context.decode(av.Packet(p.data))]
    )
    assert len(heard) == 960 * len(packets)
    # Where a decoder's sample belongs is the packet's pts: the sweep must be found right there.
    wanted = pcm[4800:38400].astype(float)
    fits = {
        lag: np.corrcoef(wanted, heard[4800 + lag : 38400 + lag])[0, 1] for lag in range(250, 380)
    }
    best = max(fits, key=fits.__getitem__)
    assert abs(best + pts[0]) <= 8
    assert fits[best] > 0.98


def test_opus_starts_anew_after_a_gap():
    encoder = AudioEncoder(MediaConfig())
    encoder.encode(np.zeros(1000, np.int16), 0)
    packets = encoder.encode(np.zeros(960, np.int16), 96_000)
    assert [p.pts for p in packets] == [96_000 - 312]


def test_the_studio_opens_and_closes_renditions():
    gate = KeyframeGate(0.5, lambda: 0.0)
    studio = Studio(SIZE, SIZE, 25, MediaConfig(), gate)

    def unit(index, *renditions):
        return studio.encode(
            avatar_frame(index),
            renditions=frozenset(renditions),
            has_listeners=bool(renditions),
            interval_s=None,
        )

    assert set(unit(0, "h264").video) == {"h264"}
    both = unit(1, "h264", "vp8").video
    assert {codec: packet.codec for codec, packet in both.items()} == {"h264": "h264", "vp8": "vp8"}
    assert both["vp8"].is_keyframe
    assert not both["h264"].is_keyframe
    assert not unit(2).video
    assert unit(3, "h264").video["h264"].is_keyframe, "a new encoder begins with a keyframe"


@pytest.mark.parametrize(("width", "height", "fps"), [(127, 128, 25), (0, 0, 25), (128, 128, 0)])
def test_impossible_streams_are_refused(width, height, fps):
    with pytest.raises(SettingsError):
        Studio(width, height, fps, MediaConfig(), KeyframeGate(0.5, lambda: 0.0))


def test_one_keyframe_serves_all_requests_and_the_next_waits():
    now = [100.0]
    gate = KeyframeGate(0.5, lambda: now[0])
    gate.request("h264")
    gate.request("h264")
    assert gate.is_due("h264", None)
    gate.made("h264")
    assert not gate.is_due("h264", None)
    gate.request("h264")
    now[0] += 0.4
    assert not gate.is_due("h264", None), "half a second must pass"
    now[0] += 0.2
    assert gate.is_due("h264", None)
    assert not gate.is_due("vp8", None)
    gate.made("h264")
    now[0] += 2.0
    assert gate.is_due("h264", 2.0), "an output's regular keyframe"
