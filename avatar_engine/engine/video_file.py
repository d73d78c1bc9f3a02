"""Write frames and their audio to a video file, nothing half-written left behind."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorRange

from avatar_engine.engine.beside import beside_alpha
from avatar_engine.errors import AvatarEngineError
from avatar_engine.types import AvatarFrame

SAMPLE_RATE_HZ = 48_000
_H264 = {"preset": "veryfast"}
# VP9 keeps its alpha in a second stream, which alternate reference frames would break.
_VP9 = {"deadline": "realtime", "cpu-used": "6", "b": "0", "auto-alt-ref": "0"}


class VideoFile:
    """A video with sound; written beside its name and renamed when complete.

    ``.webm`` holds VP9 and Opus, and alpha where frames are RGBA; others hold H.264 and AAC, and
    RGBA frames as pictures of twice the width (``beside_alpha``).

    Args:
        path: Ends in a container FFmpeg knows (``.mp4``, ``.mov``, ``.mkv``, ``.webm``).
        width, height, fps: Of the frames.
        crf: Quality; 18 is visually lossless.

    Raises:
        AvatarEngineError: The file cannot be created.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float, crf: int = 18) -> None:
        self.path = path
        self._part = path.with_name(f".{path.stem}.part{path.suffix}")
        self._size = (width, height)
        self._is_webm = path.suffix.lower() == ".webm"
        options: dict[str, str] = {} if self._is_webm else {"movflags": "+faststart"}
        try:
            self._container: Any = av.open(str(self._part), "w", options=options)
        except (FFmpegError, ValueError, OSError) as error:
            raise AvatarEngineError(f"cannot write {path}: {_reason(error)}") from error
        rate = Fraction(fps).limit_denominator(1001)
        picture_codec = "libvpx-vp9" if self._is_webm else "libx264"
        self._video: Any = cast("Any", self._container.add_stream(picture_codec, rate=rate))
        self._video.width, self._video.height = width, height
        self._video.pix_fmt = "yuva420p" if self._is_webm else "yuv420p"
        self._video.options = {"crf": str(crf), **(_VP9 if self._is_webm else _H264)}
        self._video.codec_context.color_range = ColorRange.MPEG
        sound_codec = "libopus" if self._is_webm else "aac"
        self._audio: Any = cast("Any", self._container.add_stream(sound_codec, rate=SAMPLE_RATE_HZ))
        self._audio.layout = "mono"
        self._audio.bit_rate = 128_000
        self._time_base = 1 / rate
        self._samples = 0

    def write(self, frame: AvatarFrame) -> None:
        """Append one I420 or RGBA frame and its audio; all frames are of one kind.

        Raises:
            AvatarEngineError: The disk is full or went away.
        """
        width, height = self._size
        if frame.video.ndim == 3 and not self._is_webm:
            if self._video.width == width:
                self._video.width = 2 * width
            picture = av.VideoFrame.from_ndarray(beside_alpha(frame.video), format="rgb24")
        elif frame.video.ndim == 3:
            picture = av.VideoFrame.from_ndarray(frame.video, format="rgba")
        else:
            planes = frame.video.reshape(height * 3 // 2, width)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            # The renderer's I420 is full range; players assume the 16-235 of television.
            picture.color_range = ColorRange.JPEG
        picture = picture.reformat(format=self._video.pix_fmt, dst_color_range=ColorRange.MPEG)
        picture.pts = frame.index
        picture.time_base = self._time_base
        sound = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(frame.audio[None]), format="s16", layout="mono"
        )
        sound.sample_rate = SAMPLE_RATE_HZ
        sound.pts = self._samples
        sound.time_base = Fraction(1, SAMPLE_RATE_HZ)
        self._samples += len(frame.audio)
        try:
            self._container.mux(self._video.encode(picture))
            self._container.mux(self._audio.encode(sound))
        except (FFmpegError, OSError) as error:
            raise AvatarEngineError(f"cannot write {self.path}: {_reason(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._video.encode(None))
                self._container.mux(self._audio.encode(None))
            self._container.close()
        except (FFmpegError, OSError) as error:
            self._part.unlink(missing_ok=True)
            raise AvatarEngineError(f"cannot write {self.path}: {_reason(error)}") from error
        if kind is None:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)
