"""Encoded media on its way from one encoder to many receivers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sdk.errors import OutputError

VideoCodec = Literal["h264", "vp8"]
AudioCodec = Literal["opus"]
Codec = Literal["h264", "vp8", "opus"]

MIME: Mapping[Codec, str] = {"h264": "video/h264", "vp8": "video/vp8", "opus": "audio/opus"}
"""What SDP calls each codec, in lower case."""
AUDIO_HZ = 48_000
VIDEO_HZ = 90_000


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """What an encoder made of one picture or of 20 ms of sound.

    Attributes:
        codec: Nothing else in the packet says what it is, so whoever sends it compares this tag.
        data: H.264 is Annex B, with its parameter sets in front of every keyframe.
        pts: Ticks of ``clock_hz`` since frame 0. Opus counts from where the decoder's first
            sample belongs, a few milliseconds before the block (its lookahead).
        clock_hz: 90,000 for pictures, 48,000 for sound.
        is_keyframe: Decodes without any packet before it; always true of sound.
    """

    codec: Codec
    data: bytes
    pts: int
    clock_hz: int
    is_keyframe: bool


@dataclass(frozen=True, slots=True)
class MediaUnit:
    """One frame of a session after encoding.

    Attributes:
        index: Of the avatar frame.
        generation: Raised by each interruption.
        video: The picture in every rendition somebody wants now.
        audio: Opus blocks that were filled by this frame, in order; empty while nobody listens.
        pcm: The frame's own sound, int16 mono at 48 kHz, for outputs with another audio codec.
    """

    index: int
    generation: int
    video: Mapping[VideoCodec, EncodedPacket]
    audio: tuple[EncodedPacket, ...]
    pcm: NDArray[np.int16]


class Output(Protocol):
    """A receiver that is not a viewer: a file, an RTMP or a WHIP server."""

    @property
    def video_codec(self) -> VideoCodec:
        """The rendition it takes."""
        ...

    @property
    def keyframe_interval_s(self) -> float:
        """How often it needs a keyframe."""
        ...

    @property
    def error(self) -> OutputError | None:
        """Why it stopped taking units, or None."""
        ...

    def feed(self, unit: MediaUnit) -> None:
        """Take one unit, from the worker thread; never blocks and never raises."""
        ...

    async def aclose(self) -> None:
        """Finish what was taken, then close. The reason of an earlier end stays in ``error``."""
        ...


@dataclass(frozen=True, slots=True)
class BroadcastStats:
    """A broadcaster's counters at one moment.

    Attributes:
        viewers: Joined and not gone.
        outputs, outputs_failed: Attached now; of these, ended by an error.
        fps: Frames published per second over the last two seconds.
        frames: Published since the start.
        frames_early: Not sent to viewers because they came ahead of the clock in a burst.
        frames_stale: Not encoded because an interruption had overtaken them.
        rebases: Stalls after which the live clock was moved on.
        keyframes: Encoded, all renditions.
        video_bytes, audio_bytes: Encoded (once, whatever the number of viewers).
        viewer_drops: Packets dropped at slow viewers' queues.
        handoff_drops: Units dropped because the event loop did not keep up.
        queue_depth: Packets waiting in the fullest viewer queue.
    """

    viewers: int
    outputs: int
    outputs_failed: int
    fps: float
    frames: int
    frames_early: int
    frames_stale: int
    rebases: int
    keyframes: int
    video_bytes: int
    audio_bytes: int
    viewer_drops: int
    handoff_drops: int
    queue_depth: int
