"""A session as a file: the viewers' own H.264 packets with AAC sound, in MP4."""

import asyncio
import contextlib
import logging
import queue
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from sdk.errors import OutputError
from sdk.types.media import AUDIO_HZ, VIDEO_HZ, EncodedPacket, MediaUnit, VideoCodec

log = logging.getLogger(__name__)

_QUEUE_S = 10.0
_LONGEST_GAP_S = 10.0
_AAC_BITRATE = 96_000
# The file is written in fragments, so that what a killed process leaves behind plays up to its
# last two seconds; closing turns it into an ordinary MP4 with an index, which seeks faster. The
# index waits for the first fragment because only packets bring H.264's parameter sets.
_FORMAT = {"movflags": "hybrid_fragmented+delay_moov+frag_keyframe", "flush_packets": "1"}


class Recorder:
    """Writes units to an MP4 file, in a thread of its own.

    The disk may be slow or full: then the recording has a gap or ends, and nobody else notices.
    pts follow the frames' index; a gap in the index is a held picture and silence, so sound and
    picture stay together.

    Args:
        path: Of the file; an older one is replaced.
        width: Pixels.
        height: Pixels.
        fps: Frames per second.

    Raises:
        OutputError: The file cannot be opened.
    """

    video_codec: VideoCodec = "h264"
    keyframe_interval_s = 2.0

    def __init__(self, path: Path, *, width: int, height: int, fps: float) -> None:
        self.path = path
        self.error: OutputError | None = None
        self.dropped = 0
        self._writer = _Mp4Writer(path, width, height, fps)
        self._units: queue.Queue[MediaUnit | None] = queue.Queue(max(2, int(_QUEUE_S * fps)))
        self._awaits_keyframe = True
        self._thread = threading.Thread(target=self._run, name=f"recorder {path.name}", daemon=True)
        self._thread.start()

    def feed(self, unit: MediaUnit) -> None:
        """Take a unit; when the disk is seconds behind, drop everything up to a keyframe."""
        packet = unit.video.get("h264")
        if self.error is not None or packet is None:
            return
        if self._awaits_keyframe and not packet.is_keyframe:
            self.dropped += 1
            return
        try:
            self._units.put_nowait(unit)
            self._awaits_keyframe = False
        except queue.Full:
            self.dropped += 1
            self._awaits_keyframe = True

    async def aclose(self) -> None:
        """Write what was taken and finish the file."""
        await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        if self._thread.is_alive():
            # An ended writer thread takes nothing from a full queue.
            while self._thread.is_alive():
                with contextlib.suppress(queue.Full):
                    self._units.put(None, timeout=0.2)
                    break
            self._thread.join()

    def _run(self) -> None:
        try:
            while (unit := self._units.get()) is not None:
                self._writer.write(unit)
        except (av.FFmpegError, OSError) as error:
            self._fail(error)
        finally:
            try:
                self._writer.close()
            except (av.FFmpegError, OSError) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self.error is None:
            self.error = _explained(self.path, error)
            log.error("recording ended", extra={"file": self.path.name, "reason": str(error)})


class _Mp4Writer:
    """The container; every method belongs to the recorder's thread."""

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        try:
            self._container: OutputContainer = av.open(
                str(path), "w", format="mp4", options=_FORMAT
            )
            rate = Fraction(fps).limit_denominator(1001)
            video = self._container.add_mux_stream("h264", rate=rate, width=width, height=height)
            assert isinstance(video, VideoStream)
            self._video: VideoStream = video
            self._video.time_base = Fraction(1, VIDEO_HZ)
            self._audio: AudioStream = self._container.add_stream("aac", rate=AUDIO_HZ)
            self._audio.codec_context.layout = "mono"
            self._audio.codec_context.bit_rate = _AAC_BITRATE
            self._container.start_encoding()
        except (av.FFmpegError, OSError) as error:
            raise _explained(path, error) from error
        self._fps = fps
        self._frame_ticks = round(VIDEO_HZ / fps)
        self._origin: int | None = None
        self._next = 0
        self._samples = 0

    def write(self, unit: MediaUnit) -> None:
        """Append one frame's picture and sound."""
        number = self._number(unit.index)
        silence = round(number * AUDIO_HZ / self._fps) - self._samples
        if silence > 0:
            self._write_audio(np.zeros(silence, np.int16))
        self._write_video(unit.video["h264"], round(number * VIDEO_HZ / self._fps))
        self._write_audio(unit.pcm)
        self._next = number + 1

    def close(self) -> None:
        """Flush the sound and turn the fragments into an ordinary file."""
        try:
            if self._samples:
                for packet in self._audio.encode(None):
                    self._container.mux(packet)
        finally:
            self._container.close()

    def _number(self, index: int) -> int:
        if self._origin is None:
            self._origin = index
        number = index - self._origin
        if not self._next <= number <= self._next + _LONGEST_GAP_S * self._fps:
            # The producer counts anew, or paused for long: go on where the file stands.
            number = self._next
            self._origin = index - number
        return number

    def _write_video(self, encoded: EncodedPacket, pts: int) -> None:
        packet = av.Packet(encoded.data)
        packet.stream = self._video
        packet.time_base = Fraction(1, VIDEO_HZ)
        packet.pts = packet.dts = pts
        packet.duration = self._frame_ticks
        packet.is_keyframe = encoded.is_keyframe
        self._container.mux(packet)

    def _write_audio(self, pcm: NDArray[np.int16]) -> None:
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = AUDIO_HZ
        frame.pts = self._samples
        self._samples += len(pcm)
        for packet in self._audio.encode(frame):
            self._container.mux(packet)


def _explained(path: Path, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(f"{path} cannot be recorded: {reason}; choose another place or free space")
