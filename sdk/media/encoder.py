"""Encode once: H.264 and VP8 pictures, Opus sound; every packet carries its codec's tag."""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from sdk.errors import OutputError
from sdk.media.config import MediaConfig
from sdk.types.media import AUDIO_HZ, VIDEO_HZ, EncodedPacket, VideoCodec

OPUS_BLOCK = 960  # samples, 20 ms


class VideoEncoder:
    """One rendition of a session's pictures. Not thread-safe: it lives in the worker thread.

    Args:
        codec: ``h264`` is constrained baseline without lookahead; ``vp8`` is libvpx, realtime.
        width: Pixels, even.
        height: Pixels, even.
        fps: Frames per second.
        config: Bit rate and keyframe distance.
    """

    def __init__(
        self, codec: VideoCodec, width: int, height: int, fps: float, config: MediaConfig
    ) -> None:
        self.codec: VideoCodec = codec
        self._context = (_h264 if codec == "h264" else _vp8)(config)
        self._context.width = width
        self._context.height = height
        self._context.pix_fmt = "yuv420p"
        self._context.bit_rate = config.video_bitrate
        self._context.gop_size = max(1, round(config.gop_s * fps))
        self._context.framerate = Fraction(fps).limit_denominator(1001)
        self._context.time_base = Fraction(1, VIDEO_HZ)
        # Slices or frame threads would add a thread switch to a millisecond of work.
        self._context.thread_count = 1

    def encode(self, picture: av.VideoFrame, pts: int, *, keyframe: bool) -> EncodedPacket:
        """Compress one picture.

        Args:
            picture: From ``studio_picture``; shared by the renditions.
            pts: Ticks of 1/90,000 s.
            keyframe: Make it one.

        Raises:
            OutputError: The encoder failed.
        """
        picture.pts = pts
        picture.time_base = self._context.time_base
        picture.pict_type = PictureType.I if keyframe else PictureType.NONE
        try:
            packets = self._context.encode(picture)
        except av.FFmpegError as error:
            raise OutputError(f"{self.codec} encoder failed at pts {pts}: {error}") from error
        if len(packets) != 1:
            raise OutputError(f"{self.codec} encoder gave {len(packets)} packets for one picture")
        packet = packets[0]
        return EncodedPacket(self.codec, bytes(packet), pts, VIDEO_HZ, packet.is_keyframe)


class AudioEncoder:
    """Opus in blocks of 20 ms, mono, with in-band error correction; frames may be any length."""

    def __init__(self, config: MediaConfig) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = AUDIO_HZ
        context.format = "s16"
        context.layout = "mono"
        context.bit_rate = config.audio_bitrate
        context.time_base = Fraction(1, AUDIO_HZ)
        context.options = {
            "application": "voip",
            "frame_duration": "20",
            "fec": "1",
            "packet_loss": str(config.expected_loss_percent),
        }
        self._context = context
        self._waiting = np.zeros(0, np.int16)
        self._position = 0

    def encode(self, pcm: NDArray[np.int16], position: int) -> tuple[EncodedPacket, ...]:
        """Compress the next samples.

        Args:
            pcm: int16 mono [S].
            position: Of the first sample, in samples since frame 0; after a gap, what was
                waiting for a full block is forgotten.

        Raises:
            OutputError: The encoder failed.
        """
        if position != self._position + len(self._waiting):
            self._waiting = self._waiting[:0]
            self._position = position
        samples = np.concatenate([self._waiting, pcm]) if len(self._waiting) else pcm
        whole = len(samples) - len(samples) % OPUS_BLOCK
        self._waiting = samples[whole:].copy()
        return tuple(self._blocks(samples[:whole]))

    def _blocks(self, samples: NDArray[np.int16]) -> Iterator[EncodedPacket]:
        for start in range(0, len(samples), OPUS_BLOCK):
            block = np.ascontiguousarray(samples[None, start : start + OPUS_BLOCK])
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate = AUDIO_HZ
            frame.pts = self._position
            try:
                packets = self._context.encode(frame)
            except av.FFmpegError as error:
                raise OutputError(f"opus encoder failed: {error}") from error
            for packet in packets:
                # The encoder counts its own blocks; its lookahead is what pts is ahead of ours.
                pts = self._position - self._lookahead
                yield EncodedPacket("opus", bytes(packet), pts, AUDIO_HZ, is_keyframe=True)
            self._position += OPUS_BLOCK

    @property
    def _lookahead(self) -> int:
        return 312  # libopus at 48 kHz outside restricted-lowdelay: 6.5 ms


def studio_picture(picture: NDArray[np.uint8], width: int, height: int) -> av.VideoFrame:
    """A picture in the range every decoder assumes.

    The renderers draw full-range I420. H.264 can say so, VP8 cannot, and not every browser
    listens, so both renditions get the 16-235 of television; it costs 0.07 ms at 512 x 512.

    Args:
        picture: uint8. I420: flat [H * W * 3 / 2], full-range BT.601; RGB: [H, W, 3]; RGBA
            [H, W, 4], whose alpha is ignored.
        width: W, even.
        height: H, even.

    Raises:
        OutputError: The array is neither.
    """
    pixels = width * height
    if picture.shape == (pixels * 3 // 2,):
        studio = np.empty(picture.shape, np.uint8)
        _squeeze(picture[:pixels], 220, studio[:pixels])
        _squeeze(picture[pixels:], 225, studio[pixels:])
        frame = av.VideoFrame.from_ndarray(studio.reshape(-1, width), format="yuv420p")
    elif picture.shape in ((height, width, 3), (height, width, 4)):
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[..., :3]), format="rgb24")
        frame = rgb.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG
        )
    else:
        raise OutputError(
            f"a picture of shape {picture.shape} is neither I420, RGB nor RGBA"
            f" of {width} x {height}"
        )
    frame.colorspace = Colorspace.ITU601
    frame.color_range = ColorRange.MPEG
    return frame


def _squeeze(full: NDArray[np.uint8], gain: int, out: NDArray[np.uint8]) -> None:
    # Gain in 1/256: 220 takes 0..255 to 16..235, 225 takes it to 16..240 and leaves 128 alone.
    wide = full * np.uint16(gain)
    wide += 16 * 256
    wide >>= 8
    out[:] = wide


def _h264(config: MediaConfig) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",
        # Half a second of buffer: a keyframe must not hold up the frames behind it.
        "maxrate": str(config.video_bitrate),
        "bufsize": str(config.video_bitrate // 2),
        # A viewer joins at any keyframe, so each brings its parameter sets.
        "x264-params": "repeat-headers=1:"
        "colormatrix=smpte170m:colorprim=bt709:transfer=iec61966-2-1",
    }
    return context


def _vp8(config: MediaConfig) -> VideoCodecContext:
    context = av.CodecContext.create("libvpx", "w")
    assert isinstance(context, VideoCodecContext)
    rate = str(config.video_bitrate)
    context.options = {
        "deadline": "realtime",
        "cpu-used": "-6",
        "lag-in-frames": "0",
        "error-resilient": "default",
        "static-thresh": "1",
        "minrate": rate,
        "maxrate": rate,
        "bufsize": rate,
        "undershoot-pct": "100",
        "overshoot-pct": "15",
    }
    context.qmin, context.qmax = 2, 56
    return context
