"""A driving video: its pictures at a constant rate, and its sound."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from avatar_engine.errors import VideoError

_LONGEST_SIDE = 1280  # nothing is tracked better in a larger picture


class DrivingVideo:
    """Pictures of a video file.

    Args:
        path: Anything FFmpeg reads that has a picture.

    Attributes:
        fps: The file's own pictures per second.
        duration_s: As the file says; 0 when it does not.
        has_sound: Whether it has an audio track.

    Raises:
        VideoError: It cannot be read, or has no picture.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._container: Any = av.open(str(path))
        except (FFmpegError, ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise VideoError(f"{path} cannot be read as a video: {reason}") from error
        if not self._container.streams.video:
            self._container.close()
            raise VideoError(f"{path} has no picture; give a video of one face")
        stream = self._container.streams.video[0]
        self.fps = float(stream.average_rate or 25)
        if stream.duration and stream.time_base:
            self.duration_s = float(stream.duration * stream.time_base)
        else:
            self.duration_s = (self._container.duration or 0) / 1_000_000
        self.has_sound = bool(self._container.streams.audio)

    def pictures(self, fps: float | None = None) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Times in seconds and pictures [H, W, 3] uint8, evenly spaced.

        Args:
            fps: Wanted rate; pictures are repeated or left out. None takes every picture.

        Raises:
            VideoError: The file is damaged before the first picture; later damage ends it.
        """
        count = 0
        last: tuple[float, Any] | None = None
        begin_s: float | None = None
        try:
            for frame in self._container.decode(video=0):
                moment = float(frame.time or 0.0)
                begin_s = moment if begin_s is None else begin_s
                moment -= begin_s
                if fps is None:
                    yield moment, _rgb(frame)
                    count += 1
                    continue
                # Each due moment shows the newest picture that is not after it.
                while last is not None and count / fps < moment - 1e-6:
                    yield count / fps, _rgb(last[1])
                    count += 1
                last = (moment, frame)
        except FFmpegError as error:
            if last is None and count == 0:
                raise VideoError(f"{self.path} is damaged: no picture can be read") from error
        if fps is not None and last is not None:
            yield count / fps, _rgb(last[1])

    def close(self) -> None:
        """Give the file back."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _rgb(frame: Any) -> NDArray[np.uint8]:
    longest = max(frame.width, frame.height)
    if longest > _LONGEST_SIDE:
        scale = _LONGEST_SIDE / longest
        width, height = round(frame.width * scale), round(frame.height * scale)
        frame = frame.reformat(width=width, height=height)
    picture: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    turns = round(float(getattr(frame, "rotation", 0) or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture
