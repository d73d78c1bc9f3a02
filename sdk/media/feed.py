"""One viewer's share: two tracks with short queues that never grow and never mix codecs."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import av
import av.stream
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from sdk.errors import WrongCodecError
from sdk.types.media import Codec, EncodedPacket, VideoCodec


@dataclass(frozen=True, slots=True)
class LivePacket:
    """An encoded packet with its place on the live clock.

    Attributes:
        packet: As encoded.
        wire: The same bytes for aiortc, with the live pts; shared by all viewers.
        generation: Of its frame.
    """

    packet: EncodedPacket
    wire: "av.Packet[av.stream.Stream]"
    generation: int


class PacketTrack(MediaStreamTrack):
    """A track of packets that are already encoded; aiortc only packetises them.

    Args:
        kind: ``audio`` or ``video``.
        codec: The only codec it lets pass.
        depth: Packets it holds; ``push`` says when it is full.
    """

    def __init__(self, kind: str, codec: Codec, depth: int) -> None:
        super().__init__()
        self.kind = kind
        self.codec = codec
        self._depth = depth
        self._packets: deque[LivePacket] = deque()
        self._waiter: asyncio.Future[None] | None = None

    # No __len__: aiortc asks "if track", and an empty queue must not look like no track.
    @property
    def waiting(self) -> int:
        """Packets in the queue."""
        return len(self._packets)

    def push(self, live: LivePacket) -> bool:
        """Queue a packet; False, and nothing happens, when the queue is full.

        Raises:
            WrongCodecError: The packet is of another codec.
        """
        if live.packet.codec != self.codec:
            raise WrongCodecError(f"a {live.packet.codec} packet on a track of {self.codec}")
        if len(self._packets) >= self._depth:
            return False
        self._packets.append(live)
        self._wake()
        return True

    def clear(self) -> int:
        """Forget what waits; how many packets that were."""
        count = len(self._packets)
        self._packets.clear()
        return count

    def drop_before(self, generation: int) -> int:
        """Forget packets of older generations; how many they were."""
        before = len(self._packets)
        self._packets = deque(p for p in self._packets if p.generation >= generation)
        return before - len(self._packets)

    def drop_oldest(self) -> None:
        """Make room for one."""
        self._packets.popleft()

    async def recv(self) -> "av.Packet[av.stream.Stream]":
        """The next packet, for aiortc.

        Raises:
            MediaStreamError: The track has ended.
        """
        while not self._packets:
            if self.readyState != "live":
                raise MediaStreamError
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._packets.popleft().wire

    def stop(self) -> None:
        """End the track; a waiting ``recv`` raises."""
        self._packets.clear()
        super().stop()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class ViewerFeed:
    """What a broadcaster gives to one viewer. Lives on the event loop.

    Nothing flows before ``start``; video begins with a keyframe, and after anything was lost it
    waits for the next one. A viewer that does not keep up loses its own frames only.

    Args:
        video: The negotiated rendition, or None for sound alone.
        has_audio: Whether sound was negotiated.
        depth: Video packets it may be behind.
        need_keyframe: Called whenever it waits for one.
    """

    def __init__(
        self,
        *,
        video: VideoCodec | None,
        has_audio: bool,
        depth: int,
        need_keyframe: Callable[[VideoCodec], None],
    ) -> None:
        self.codec = video
        self.video_track = PacketTrack("video", video, depth) if video else None
        # Sound comes in two blocks per picture.
        self.audio_track = PacketTrack("audio", "opus", 2 * depth) if has_audio else None
        self.drops = 0
        self.on_end: Callable[[], None] = _nothing
        self._need_keyframe = need_keyframe
        self._is_live = False
        self._awaits_keyframe = True

    @property
    def depth(self) -> int:
        """Packets waiting in its fuller queue."""
        tracks = (self.video_track, self.audio_track)
        return max((track.waiting for track in tracks if track is not None), default=0)

    def start(self) -> None:
        """The connection stands: begin with the next keyframe."""
        if not self._is_live:
            self._is_live = True
            self.request_keyframe()

    def end(self) -> None:
        """Stop both tracks and tell whoever holds the connection."""
        self._is_live = False
        for track in (self.video_track, self.audio_track):
            if track is not None:
                track.stop()
        on_end, self.on_end = self.on_end, _nothing
        on_end()

    def request_keyframe(self) -> None:
        """The viewer lost a picture (PLI, FIR) or has none yet."""
        if self.codec is not None:
            self._need_keyframe(self.codec)

    def lose_video(self) -> None:
        """Packets are missing from here on: nothing more until a keyframe."""
        if not self._awaits_keyframe:
            self._awaits_keyframe = True
            self.request_keyframe()

    def feed_video(self, live: LivePacket) -> None:
        """Queue a picture of this viewer's rendition.

        Raises:
            WrongCodecError: It is of another codec.
        """
        if not self._is_live or self.video_track is None:
            return
        if self._awaits_keyframe and not live.packet.is_keyframe:
            return
        if self.video_track.push(live):
            self._awaits_keyframe = False
            return
        self.drops += self.video_track.clear() + 1
        self._awaits_keyframe = True
        if live.packet.is_keyframe and self.video_track.push(live):
            self.drops -= 1
            self._awaits_keyframe = False
        else:
            self.request_keyframe()

    def feed_audio(self, live: LivePacket) -> None:
        """Queue a block of sound; the oldest one goes when there is no room.

        Raises:
            WrongCodecError: It is not Opus.
        """
        if not self._is_live or self.audio_track is None:
            return
        if not self.audio_track.push(live):
            self.audio_track.drop_oldest()
            self.drops += 1
            self.audio_track.push(live)

    def drop_before(self, generation: int) -> None:
        """Forget what an interruption has overtaken."""
        if self.audio_track is not None:
            self.audio_track.drop_before(generation)
        if self.video_track is not None and self.video_track.drop_before(generation):
            self.lose_video()


def _nothing() -> None:
    return None
