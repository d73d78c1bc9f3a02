"""The transmitter: encodes each frame once and hands its packets to viewers and outputs."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av

from avatar_engine.types import AvatarFrame
from sdk.errors import SessionError
from sdk.media.config import MediaConfig
from sdk.media.direct import Packetiser
from sdk.media.feed import LivePacket, ViewerFeed
from sdk.media.keyframes import KeyframeGate
from sdk.media.live_clock import LiveClock
from sdk.media.studio import Studio
from sdk.types.media import BroadcastStats, EncodedPacket, MediaUnit, Output, VideoCodec

_FPS_WINDOW_S = 2.0
_NTP_TO_UNIX_S = 2_208_988_800  # from 1900 to 1970


@dataclass(frozen=True, slots=True)
class _Batch:
    """A unit on its way to the event loop; ``shift`` frames lie between its index and now."""

    unit: MediaUnit
    shift: int
    is_after_gap: bool


class Broadcaster:
    """One session's transmitter.

    ``publish`` and ``drop_before`` belong to the session's worker thread (any one thread at a
    time); everything else to the event loop. Nothing is encoded while nobody watches.

    Args:
        width: Pixels, even.
        height: Pixels, even.
        fps: Frames per second.
        config: Bit rates and queue lengths.
        loop: The event loop of the viewers' connections; the running one by default.
        now: Seconds, monotonic; tests pass their own.

    Raises:
        SettingsError: The size or rate cannot be encoded.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: float = 25.0,
        config: MediaConfig | None = None,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.width, self.height, self.fps = width, height, fps
        self.config = config or MediaConfig()
        self._loop = loop or asyncio.get_running_loop()
        self._now = now
        self.packetiser = Packetiser()
        self._gate = KeyframeGate(self.config.keyframe_gap_s, now)
        self._studio = Studio(width, height, fps, self.config, self._gate)
        self._clock = LiveClock(
            fps, stall_s=self.config.stall_s, burst_s=self.config.burst_s, now=now
        )
        self._feeds: tuple[ViewerFeed, ...] = ()
        self._outputs: tuple[Output, ...] = ()
        self._watched: frozenset[VideoCodec] = frozenset()
        self._has_listeners = False
        self._handoff: deque[_Batch] = deque()
        self._has_gap = False
        self._pending_audio: deque[LivePacket] = deque()
        self._audio_timer: asyncio.TimerHandle | None = None
        self._ntp_epoch_s = 0.0
        self._generation = 0
        self._is_closed = False
        self._frames = self._early = self._stale = self._handoff_drops = self._gone_drops = 0
        self._moments: deque[float] = deque(maxlen=max(2, int(_FPS_WINDOW_S * fps) + 1))

    # The worker thread

    def publish(self, frame: AvatarFrame) -> None:
        """Encode a frame and send it; call it at the frame's moment, never ahead of it.

        A frame that an interruption has overtaken is ignored, as is everything after ``aclose``.

        Raises:
            OutputError: An encoder failed, or the picture has the wrong shape.
        """
        if self._is_closed:
            return
        if frame.generation < self._generation:
            self._stale += 1
            return
        self._frames += 1
        self._moments.append(self._now())
        number = self._clock.number(frame.index)
        outputs = [output for output in self._outputs if output.error is None]
        has_listeners = self._has_listeners
        if not has_listeners and not outputs:
            self._studio.rest()
            return
        unit = self._studio.encode(
            frame,
            renditions=self._watched.union(output.video_codec for output in outputs),
            has_listeners=has_listeners,
            interval_s=min((output.keyframe_interval_s for output in outputs), default=None),
        )
        for output in outputs:
            output.feed(unit)
        if not has_listeners:
            return
        if number is None:
            self._early += 1
            self._note_gap()
        else:
            self._hand_over(unit, number - frame.index)

    def drop_before(self, generation: int) -> None:
        """Forget everything older than a generation that has not left yet; any thread."""
        self._generation = max(self._generation, generation)
        # A closed loop has nobody left to hear it.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._drop_before, generation)

    def _hand_over(self, unit: MediaUnit, shift: int) -> None:
        if len(self._handoff) >= self.config.handoff_s * self.fps:
            self._handoff_drops += 1
            self._note_gap()
            return
        self._handoff.append(_Batch(unit, shift, self._has_gap))
        self._has_gap = False
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._fan_out)

    def _note_gap(self) -> None:
        self._has_gap = True
        for codec in self._watched:
            self._gate.request(codec)

    # The event loop

    def join(self, video: VideoCodec | None, *, has_audio: bool = True) -> ViewerFeed:
        """A feed for a new viewer; ``start`` it when its connection stands.

        Args:
            video: The negotiated rendition, or None for sound alone.
            has_audio: Whether sound was negotiated.

        Raises:
            SessionError: The broadcast has ended.
        """
        if self._is_closed:
            raise SessionError("the broadcast has ended; nobody can join it")
        feed = ViewerFeed(
            video=video,
            has_audio=has_audio,
            depth=max(2, round(self.config.viewer_queue_s * self.fps)),
            need_keyframe=self._gate.request,
            on_start=self._count_watched,
        )
        self._feeds = (*self._feeds, feed)
        return feed

    def leave(self, feed: ViewerFeed) -> None:
        """The viewer is gone; its feed ends."""
        if feed in self._feeds:
            self._feeds = tuple(f for f in self._feeds if f is not feed)
            self._gone_drops += feed.drops
            self._count_watched()
            feed.end()

    def add_output(self, output: Output) -> None:
        """Send every unit from now on to a file or server too; it begins with a keyframe.

        Raises:
            SessionError: The broadcast has ended.
        """
        if self._is_closed:
            raise SessionError("the broadcast has ended; it takes no output")
        self._outputs = (*self._outputs, output)
        self._gate.request(output.video_codec)

    async def remove_output(self, output: Output) -> None:
        """Let an output finish what it took, and detach it."""
        self._outputs = tuple(o for o in self._outputs if o is not output)
        await output.aclose()

    def stats(self) -> BroadcastStats:
        """The counters at this moment."""
        since = self._now() - _FPS_WINDOW_S
        recent = [moment for moment in tuple(self._moments) if moment >= since]
        span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
        return BroadcastStats(
            viewers=len(self._feeds),
            outputs=len(self._outputs),
            outputs_failed=sum(o.error is not None for o in self._outputs),
            fps=(len(recent) - 1) / span if span > 0 else 0.0,
            frames=self._frames,
            frames_early=self._early,
            frames_stale=self._stale,
            rebases=self._clock.rebases,
            keyframes=self._studio.keyframes,
            video_bytes=self._studio.video_bytes,
            audio_bytes=self._studio.audio_bytes,
            viewer_drops=self._gone_drops + sum(feed.drops for feed in self._feeds),
            handoff_drops=self._handoff_drops,
            queue_depth=max((feed.depth for feed in self._feeds), default=0),
        )

    async def aclose(self) -> None:
        """Take no more frames, end every viewer's feed, and let the outputs finish."""
        self._is_closed = True
        self._stop_audio_timer()
        self._pending_audio.clear()
        self._handoff.clear()
        for feed in self._feeds:
            self.leave(feed)
        for output in self._outputs:
            await self.remove_output(output)

    def _count_watched(self) -> None:
        # A viewer that is still connecting counts for nothing: an encoder that began now would
        # spend its keyframe on nobody, and the viewer would wait half a second for the next.
        live = [feed for feed in self._feeds if feed.is_live]
        self._watched = frozenset(feed.codec for feed in live if feed.codec is not None)
        self._has_listeners = bool(live)

    def _fan_out(self) -> None:
        if not self._handoff or self._is_closed:
            return
        batch = self._handoff.popleft()
        unit = batch.unit
        if not self._ntp_epoch_s:
            self._ntp_epoch_s = time.time() + _NTP_TO_UNIX_S - (unit.index + batch.shift) / self.fps
        if unit.generation < self._generation:
            for feed in self._feeds:
                feed.lose_video()
            return
        self._flush_audio()
        for codec, packet in unit.video.items():
            live = self._live(packet, batch)
            for feed in self._feeds:
                if feed.codec == codec:
                    if batch.is_after_gap:
                        feed.lose_video()
                    feed.feed_video(live)
        self._pending_audio.extend(self._live(packet, batch) for packet in unit.audio)
        self._send_audio()

    def _live(self, packet: EncodedPacket, batch: _Batch) -> LivePacket:
        wire = av.Packet(packet.data)
        wire.pts = packet.pts + round(batch.shift * packet.clock_hz / self.fps)
        wire.time_base = Fraction(1, packet.clock_hz)
        wire.is_keyframe = packet.is_keyframe
        ntp = int((self._ntp_epoch_s + wire.pts / packet.clock_hz) * 2**32)
        return LivePacket(packet, wire, batch.unit.generation, ntp)

    def _send_audio(self) -> None:
        # The first block leaves with the picture of the same pts, the next ones 20 ms apart:
        # sender reports pair the moment of sending with the pts, so sending both blocks at once
        # would put the sound 20 ms beside the picture.
        self._audio_timer = None
        if self._pending_audio:
            live = self._pending_audio.popleft()
            for feed in self._feeds:
                feed.feed_audio(live)
        if self._pending_audio:
            self._audio_timer = self._loop.call_later(0.02, self._send_audio)

    def _flush_audio(self) -> None:
        self._stop_audio_timer()
        while self._pending_audio:
            live = self._pending_audio.popleft()
            for feed in self._feeds:
                feed.feed_audio(live)

    def _stop_audio_timer(self) -> None:
        if self._audio_timer is not None:
            self._audio_timer.cancel()
            self._audio_timer = None

    def _drop_before(self, generation: int) -> None:
        kept = [live for live in self._pending_audio if live.generation >= generation]
        self._pending_audio = deque(kept)
        for feed in self._feeds:
            feed.drop_before(generation)
