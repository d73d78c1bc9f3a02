"""From an avatar frame to packets: every rendition somebody wants, each encoded once."""

from avatar_engine.types import AvatarFrame
from sdk.errors import SettingsError
from sdk.media.config import MediaConfig
from sdk.media.encoder import AudioEncoder, VideoEncoder, studio_picture
from sdk.media.keyframes import KeyframeGate
from sdk.types.media import AUDIO_HZ, VIDEO_HZ, EncodedPacket, MediaUnit, VideoCodec


class Studio:
    """The encoders of one session. Used by one thread at a time.

    Args:
        width: Pixels, even.
        height: Pixels, even.
        fps: Frames per second.
        config: Bit rates and distances.
        gate: Knows who waits for a keyframe.

    Raises:
        SettingsError: The size or rate cannot be encoded.
    """

    def __init__(
        self, width: int, height: int, fps: float, config: MediaConfig, gate: KeyframeGate
    ) -> None:
        if width < 16 or height < 16 or width % 2 or height % 2:
            raise SettingsError(f"a stream of {width} x {height} cannot be sent; use even numbers")
        if not 1 <= fps <= 120:
            raise SettingsError(f"{fps} frames per second cannot be sent; use 1 to 120")
        self.width, self.height, self.fps = width, height, fps
        self._config = config
        self._gate = gate
        self._videos: dict[VideoCodec, VideoEncoder] = {}
        self._audio: AudioEncoder | None = None
        self.keyframes = 0
        self.video_bytes = 0
        self.audio_bytes = 0

    def encode(
        self,
        frame: AvatarFrame,
        *,
        renditions: frozenset[VideoCodec],
        has_listeners: bool,
        interval_s: float | None,
    ) -> MediaUnit:
        """Encode what is wanted of a frame, and close the encoders of what is not.

        Args:
            frame: Its picture and its sound.
            renditions: The codecs somebody watches.
            has_listeners: Whether anybody takes Opus.
            interval_s: Regular keyframe distance of H.264 that some output needs, or None.

        Raises:
            OutputError: An encoder failed, or the picture has the wrong shape.
        """
        self._close_all_but(renditions)
        video = self._pictures(frame, renditions, interval_s) if renditions else {}
        audio: tuple[EncodedPacket, ...] = ()
        if has_listeners:
            self._audio = self._audio or AudioEncoder(self._config)
            audio = self._audio.encode(frame.audio, round(frame.index * AUDIO_HZ / self.fps))
        else:
            self._audio = None
        self.audio_bytes += sum(len(packet.data) for packet in audio)
        return MediaUnit(frame.index, frame.generation, video, audio, frame.audio)

    def rest(self) -> None:
        """Nobody watches: close every encoder, so that the next viewer begins with a keyframe."""
        self._close_all_but(frozenset())
        self._audio = None

    def _close_all_but(self, renditions: frozenset[VideoCodec]) -> None:
        for gone in self._videos.keys() - renditions:
            del self._videos[gone]
            self._gate.forget(gone)

    def _pictures(
        self, frame: AvatarFrame, renditions: frozenset[VideoCodec], interval_s: float | None
    ) -> dict[VideoCodec, EncodedPacket]:
        picture = studio_picture(frame.video, self.width, self.height)
        pts = round(frame.index * VIDEO_HZ / self.fps)
        video: dict[VideoCodec, EncodedPacket] = {}
        for codec in renditions:
            encoder = self._videos.get(codec)
            if encoder is None:
                encoder = VideoEncoder(codec, self.width, self.height, self.fps, self._config)
                self._videos[codec] = encoder
            due = self._gate.is_due(codec, interval_s if codec == "h264" else None)
            packet = encoder.encode(picture, pts, keyframe=due)
            if packet.is_keyframe:
                self._gate.made(codec)
                self.keyframes += 1
            self.video_bytes += len(packet.data)
            video[codec] = packet
        return video
