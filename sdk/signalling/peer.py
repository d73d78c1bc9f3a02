"""One viewer's connection: a peer connection fed by a broadcaster's packets."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.sdp import SessionDescription, candidate_from_sdp

from sdk.errors import SignallingError, WrongCodecError
from sdk.media import Broadcaster
from sdk.media.direct import DirectLane, DirectUnavailableError, Negotiated
from sdk.signalling.config import WhepConfig
from sdk.signalling.fragment import Fragment
from sdk.signalling.ice import use_host_addresses
from sdk.signalling.offer import Offer
from sdk.types.media import MIME, Codec

log = logging.getLogger(__name__)


class Peer:
    """A viewer from its offer to its end.

    Attributes:
        viewer_id: Unguessable; whoever knows it may change or end the connection.
        etag: Names the one ICE session this connection has.
        answer: SDP for the viewer, with all our candidates in it.
    """

    def __init__(
        self,
        offer: Offer,
        broadcaster: Broadcaster,
        config: WhepConfig,
        on_gone: Callable[["Peer"], None],
    ) -> None:
        self.viewer_id = secrets.token_urlsafe(18)
        self.etag = f'"{secrets.token_hex(8)}"'
        self.answer = ""
        self._offer = offer
        self._broadcaster = broadcaster
        self._config = config
        self._on_gone = on_gone
        self._born = self._heard_at = time.monotonic()
        self._heard_packets = self._taken = 0
        self._negotiated: dict[str, Negotiated] = {}
        self._connection = RTCPeerConnection(
            RTCConfiguration(
                iceServers=[server.for_us() for server in config.own_ice_servers],
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            )
        )
        self._feed = broadcaster.join(offer.video, has_audio="audio" in offer.kinds)
        self._feed.on_end = self._report_gone

    @property
    def is_connected(self) -> bool:
        """Media flows."""
        return self._connection.connectionState == "connected"

    async def negotiate(self) -> None:
        """Answer the offer and begin to listen for the viewer's connectivity checks.

        Raises:
            SignallingError: 400 the offer passed our reading but not aiortc's; 406 no codec.
        """
        self._add_tracks()
        self._connection.on("connectionstatechange", self._on_state)
        use_host_addresses(self._connection, self._config.host_addresses)
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                await self._connection.setRemoteDescription(
                    RTCSessionDescription(self._offer.sdp, "offer")
                )
                await self._connection.setLocalDescription(await self._connection.createAnswer())
        except OperationError as error:
            raise SignallingError(406, f"no common codec: {error}") from error
        except (ValueError, InternalError, InvalidAccessError, InvalidStateError) as error:
            raise SignallingError(400, f"the offer cannot be answered: {error}") from error
        except TimeoutError as error:
            raise SignallingError(504, "gathering our own candidates took too long") from error
        self._check_codecs()
        # RFC 9725 section 4.4.4: the attribute is a must, and aiortc does not write it.
        self.answer = self._connection.localDescription.sdp.replace(
            "a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-mux-only\r\n"
        )

    async def add_candidates(self, fragment: Fragment) -> None:
        """Take trickled candidates.

        Raises:
            SignallingError: 422 the fragment asks for an ICE restart, which we do not offer;
                400 a candidate cannot be read.
        """
        if fragment.ufrag not in (None, self._offer.ufrag):
            raise SignallingError(422, "ICE restarts are not supported; POST a new offer")
        for mid, line in fragment.candidates:
            try:
                candidate = candidate_from_sdp(line)
            except (ValueError, AssertionError) as error:
                raise SignallingError(400, f"candidate {line[:60]!r} cannot be read") from error
            # Everything is bundled: whatever medium it names, it is the first one's transport.
            candidate.sdpMid = mid if mid == self._offer.mids[0] else self._offer.mids[0]
            await self._connection.addIceCandidate(candidate)

    async def is_lost(self) -> bool:
        """Whether the viewer never connected, or has not been heard for too long."""
        now = time.monotonic()
        if not self.is_connected:
            return now - self._born > self._config.connect_timeout_s
        # Viewers report what they receive every second or so; consent checks of ICE alone would
        # need half a minute.
        packets = 0
        for sender in self._connection.getSenders():
            for entry in (await sender.getStats()).values():
                packets += getattr(entry, "packetsReceived", 0) if entry.type == "transport" else 0
        # Nothing was sent: then there is nothing to report either.
        taken = self._feed.taken
        if packets != self._heard_packets or taken == self._taken:
            self._heard_packets, self._heard_at = packets, now
        self._taken = taken
        return now - self._heard_at > self._config.silence_timeout_s

    async def aclose(self) -> None:
        """Leave the broadcast and close the connection; more than once does no harm."""
        self._feed.on_end = _nothing
        self._broadcaster.leave(self._feed)
        await self._connection.close()

    def _add_tracks(self) -> None:
        feed = self._feed
        for kind in self._offer.kinds:
            track = feed.video_track if kind == "video" else feed.audio_track
            assert track is not None
            transceiver = self._connection.addTransceiver(track, direction="sendonly")
            transceiver.setCodecPreferences(_preferences(kind, track.codec))
            sender = transceiver.sender
            if kind == "video":
                # aiortc answers PLI and FIR by a flag that only its own encoders read.
                if not callable(getattr(sender, "_send_keyframe", None)):
                    raise WrongCodecError("this aiortc has no keyframe hook; see pyproject.toml")
                setattr(sender, "_send_keyframe", feed.request_keyframe)  # noqa: B010

    def _check_codecs(self) -> None:
        answer = SessionDescription.parse(self._connection.localDescription.sdp)
        for media in answer.media:
            track = self._feed.video_track if media.kind == "video" else self._feed.audio_track
            negotiated = media.rtp.codecs[0].mimeType.lower()
            if track is None or negotiated != MIME[track.codec]:
                raise WrongCodecError(f"{negotiated} was negotiated for another track's packets")
            self._negotiated[media.kind] = Negotiated(
                codec=media.rtp.codecs[0],
                mid=media.rtp.muxId,
                extensions={e.uri: e.id for e in media.rtp.headerExtensions},
            )

    def _on_state(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._heard_at = time.monotonic()
            if self._broadcaster.config.is_direct:
                self._go_direct()
            self._feed.start()
        elif state in ("failed", "closed"):
            self._report_gone()

    def _go_direct(self) -> None:
        lanes: dict[str, DirectLane] = {}
        try:
            for transceiver in self._connection.getTransceivers():
                kind = transceiver.kind
                track = self._feed.video_track if kind == "video" else self._feed.audio_track
                assert track is not None
                lanes[kind] = DirectLane(
                    transceiver.sender,
                    track.codec,
                    self._negotiated[kind],
                    self._broadcaster.packetiser,
                )
        except DirectUnavailableError as error:
            log.info("aiortc's own path", extra={"reason": str(error)})
        else:
            self._feed.go_direct(video=lanes.get("video"), audio=lanes.get("audio"))

    def _report_gone(self) -> None:
        self._on_gone(self)


def _preferences(kind: str, codec: Codec) -> list[RTCRtpCodecCapability]:
    wanted = (MIME[codec], "video/rtx")
    capabilities = RTCRtpSender.getCapabilities(kind).codecs
    usable = [c for c in capabilities if c.mimeType.lower() in wanted]
    # What x264 makes is constrained baseline (42e0); plain baseline (4200) will do.
    return sorted(usable, key=lambda c: c.parameters.get("profile-level-id") == "42001f")


def _nothing() -> None:
    return None
