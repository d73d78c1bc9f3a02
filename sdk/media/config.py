"""The transmitter's options."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaConfig:
    """How a session is encoded and how patient its queues are.

    Attributes:
        video_bitrate: Bits per second of each rendition.
        audio_bitrate: Bits per second of Opus.
        gop_s: Longest distance between two keyframes when nobody asks for one.
        keyframe_gap_s: Shortest distance between two keyframes on request; one serves everybody.
        expected_loss_percent: Tells Opus how much in-band error correction to add.
        stall_s: A frame later than this moves the live clock on.
        burst_s: Frames further ahead of the live clock than this are not sent to viewers.
        viewer_queue_s: Media a viewer may be behind before it waits for the next keyframe.
        handoff_s: Media that may wait for the event loop.
        is_direct: Send RTP without aiortc's tracks where that works (see ``direct``).
    """

    video_bitrate: int = 1_000_000
    audio_bitrate: int = 48_000
    gop_s: float = 10.0
    keyframe_gap_s: float = 0.5
    expected_loss_percent: int = 5
    stall_s: float = 0.12
    burst_s: float = 0.4
    viewer_queue_s: float = 0.6
    handoff_s: float = 1.0
    is_direct: bool = True
