"""A WHEP viewer in Python: connects, decodes, and keeps what arrived and when."""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import av
import httpx
import numpy as np
from aiortc import (
    RTCConfiguration,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtcpSrPacket
from numpy.typing import NDArray

from sdk.signalling.ice import use_host_addresses


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded video frame; ``luma`` is [H, W] in 16..235, ``pts`` counts 1/90,000 s."""

    arrived: float
    pts: int
    luma: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded block of 20 ms; ``samples`` is int16 mono at 48 kHz, ``pts`` counts samples."""

    arrived: float
    pts: int
    samples: NDArray[np.int16]


class WebRtcViewer:
    """Watches one session over loopback; an async context manager.

    Args:
        http: A client whose base URL is the server (``httpx.ASGITransport`` works too).
        path: Of the WHEP endpoint, ``/whep/main``.
        video_codecs: Offered, as MIME types; empty for sound alone.
        has_audio: Offer sound.
        keep: Pictures and blocks remembered.
        lose: Which RTP packets never arrive, by their number.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        path: str,
        *,
        video_codecs: tuple[str, ...] = ("video/H264", "video/VP8"),
        has_audio: bool = True,
        keep: int = 2000,
        lose: Callable[[int], bool] | None = None,
    ) -> None:
        self.http = http
        self.path = path
        self.location = ""
        self.etag = ""
        self.answer = ""
        self.pictures: deque[Picture] = deque(maxlen=keep)
        self.sounds: deque[Sound] = deque(maxlen=keep)
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._reports: dict[str, tuple[int, int]] = {}
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        if video_codecs:
            self._offer_video(video_codecs)
        if has_audio:
            self.connection.addTransceiver("audio", direction="recvonly")
        self.connection.on("track", self._on_track)
        use_host_addresses(self.connection, ["127.0.0.1"])
        if lose is not None:
            self._lose_packets(lose)

    async def __aenter__(self) -> "WebRtcViewer":
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def offer(self) -> str:
        """Our offer, all candidates in it."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def connect(self) -> None:
        """POST the offer, take the answer. Media follows; see ``wait_for``."""
        response = await self.http.post(
            self.path, content=await self.offer(), headers={"Content-Type": "application/sdp"}
        )
        assert response.status_code == 201, f"{response.status_code}: {response.text}"
        self.location = response.headers["Location"]
        self.etag = response.headers["ETag"]
        self.answer = response.text
        await self.connection.setRemoteDescription(RTCSessionDescription(response.text, "answer"))

    async def wait_for(
        self, *, pictures: int = 0, sounds: int = 0, timeout_s: float = 40.0
    ) -> None:
        """Return once so many more of each have arrived.

        Raises:
            TimeoutError: They did not come in time.
        """
        want_pictures, want_sounds = self._count[0] + pictures, self._count[1] + sounds
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(
                lambda: self._count[0] >= want_pictures and self._count[1] >= want_sounds
            )

    async def leave(self) -> None:
        """DELETE the resource, then close."""
        response = await self.http.delete(self.location)
        assert response.status_code == 200, response.text
        await self.aclose()

    async def aclose(self) -> None:
        """Close without telling anybody."""
        await self.connection.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def moment_s(self, kind: str, pts: int) -> float:
        """When the sender says a picture or sample belongs, in seconds of its own clock.

        Sender reports pair the sender's clock with RTP timestamps; this is the transport's lip
        sync, before any player adds its own delays.
        """
        hz = 90_000 if kind == "video" else 48_000
        receiver = next(r for r in self.connection.getReceivers() if r.track.kind == kind)
        origin = receiver._RTCRtpReceiver__timestamp_mapper._origin
        ntp, timestamp = self._reports[kind]
        ticks = (pts + origin - timestamp + 2**31) % 2**32 - 2**31
        return float(ntp / 2**32 + ticks / hz)

    async def request_keyframe(self) -> None:
        """Send one PLI for the video."""
        receiver = self.connection.getReceivers()[0]
        ssrc = next(iter(receiver._RTCRtpReceiver__remote_streams))
        await receiver._send_rtcp_pli(ssrc)

    def vanish(self) -> None:
        """Lose the network: no goodbye, no more packets in or out."""
        for protocol in self._transport._connection._protocols:
            protocol.transport.abort()

    @property
    def _transport(self) -> RTCIceTransport:
        return self.connection.getReceivers()[0].transport.transport

    def _lose_packets(self, lose: Callable[[int], bool]) -> None:
        # Offered with separate transports, used bundled: the first one carries everything.
        transport = self._transport
        receive, counter = transport._recv, itertools.count()

        async def receive_some() -> bytes:
            while True:
                data = await receive()
                is_rtp = 127 < data[0] < 192 and not 192 <= data[1] <= 223
                if not (is_rtp and lose(next(counter))):
                    return data

        transport._recv = receive_some

    _count = (0, 0)

    def _offer_video(self, mime_types: tuple[str, ...]) -> None:
        transceiver = self.connection.addTransceiver("video", direction="recvonly")
        wanted = {mime.lower() for mime in (*mime_types, "video/rtx")}
        capabilities = RTCRtpReceiver.getCapabilities("video").codecs
        transceiver.setCodecPreferences(
            [codec for codec in capabilities if codec.mimeType.lower() in wanted]
        )

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._note_reports(track.kind)
        task = asyncio.ensure_future(self._watch(track))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note_reports(self, kind: str) -> None:
        receiver = next(r for r in self.connection.getReceivers() if r.track.kind == kind)
        handle = receiver._handle_rtcp_packet

        async def note(packet: object) -> None:
            # The first report of all may be older than the first packet and say nothing.
            if isinstance(packet, RtcpSrPacket) and packet.sender_info.packet_count:
                info = packet.sender_info
                self._reports[kind] = (info.ntp_timestamp, info.rtp_timestamp)
            await handle(packet)

        receiver._handle_rtcp_packet = note

    async def _watch(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now = time.monotonic()
            pictures, sounds = self._count
            if isinstance(frame, av.VideoFrame):
                planes = frame.to_ndarray(format="yuv420p")
                self.pictures.append(Picture(now, frame.pts or 0, planes[: frame.height]))
                self._count = (pictures + 1, sounds)
            elif isinstance(frame, av.AudioFrame):
                # Interleaved stereo, both channels alike.
                samples = frame.to_ndarray().reshape(-1)[::2]
                self.sounds.append(Sound(now, frame.pts or 0, samples))
                self._count = (pictures, sounds + 1)
            async with self._changed:
                self._changed.notify_all()
