"""One viewer's share: two tracks with short queues that never grow and never mix codecs."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

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
        ntp: The moment of its pts on the broadcast's clock, NTP format (32.32).
    """

    packet: EncodedPacket
    wire: "av.Packet[av.stream.Stream]"
    generation: int
    ntp: int


class Lane(Protocol):
    """The way of one medium to one viewer: a queue that aiortc reads, or straight out."""

    @property
    def waiting(self) -> int:
        """Packets that have not left."""
        ...

    def push(self, live: LivePacket) -> bool:
        """Take a packet; False, and nothing happens, when there is no room.

        Raises:
            WrongCodecError: The packet is of another codec.
        """
        ...

    def clear(self) -> int:
        """Forget what waits; how many packets that were."""
        ...

    def drop_before(self, generation: int) -> int:
        """Forget packets of older generations; how many they were."""
        ...

    def drop_oldest(self) -> None:
        """Make room for one, where there is a queue."""
        ...


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
        if self._packets:
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
        on_start: Called once when it begins to take packets.

    Attributes:
        taken: Packets sent or queued.
        drops: Packets it lost by being slow.
        on_end: Called once when the broadcast ends.
    """

    def __init__(
        self,
        *,
        video: VideoCodec | None,
        has_audio: bool,
        depth: int,
        need_keyframe: Callable[[VideoCodec], None],
        on_start: Callable[[], None],
    ) -> None:
        self.codec = video
        self.video_track = PacketTrack("video", video, depth) if video else None
        # Sound comes in two blocks per picture.
        self.audio_track = PacketTrack("audio", "opus", 2 * depth) if has_audio else None
        self._video: Lane | None = self.video_track
        self._audio: Lane | None = self.audio_track
        self.taken = 0
        self.drops = 0
        self.on_end: Callable[[], None] = _nothing
        self._need_keyframe = need_keyframe
        self._on_start = on_start
        self._is_live = False
        self._awaits_keyframe = True

    @property
    def depth(self) -> int:
        """Packets waiting in its fuller queue."""
        lanes = (self._video, self._audio)
        return max((lane.waiting for lane in lanes if lane is not None), default=0)

    @property
    def is_live(self) -> bool:
        """Started and not ended."""
        return self._is_live

    @property
    def is_direct(self) -> bool:
        """Whether its packets bypass aiortc's tracks."""
        return self._video is not self.video_track or self._audio is not self.audio_track

    def go_direct(self, *, video: Lane | None, audio: Lane | None) -> None:
        """Use other lanes than the tracks; before ``start``."""
        self._video, self._audio = video, audio

    def start(self) -> None:
        """The connection stands: begin with the next keyframe."""
        if not self._is_live:
            self._is_live = True
            self.request_keyframe()
            self._on_start()

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
        if not self._is_live or self._video is None:
            return
        if self._awaits_keyframe and not live.packet.is_keyframe:
            return
        if self._video.push(live):
            self.taken += 1
            self._awaits_keyframe = False
            return
        self.drops += self._video.clear() + 1
        self._awaits_keyframe = True
        if live.packet.is_keyframe and self._video.push(live):
            self.drops -= 1
            self._awaits_keyframe = False
        else:
            self.request_keyframe()

    def feed_audio(self, live: LivePacket) -> None:
        """Queue a block of sound; the oldest one goes when there is no room.

        Raises:
            WrongCodecError: It is not Opus.
        """
        if not self._is_live or self._audio is None:
            return
        if not self._audio.push(live):
            self._audio.drop_oldest()
            self.drops += 1
            self._audio.push(live)
        self.taken += 1

    def drop_before(self, generation: int) -> None:
        """Forget what an interruption has overtaken."""
        if self._audio is not None:
            self._audio.drop_before(generation)
        if self._video is not None and self._video.drop_before(generation):
            self.lose_video()


def _nothing() -> None:
    return None
