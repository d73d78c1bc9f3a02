"""Reading what a viewer offers: refuse early and clearly, keep only what we can use."""

from dataclasses import dataclass

from aiortc.codecs import CODECS
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.sdp import MediaDescription, SessionDescription

from sdk.errors import SignallingError
from sdk.signalling.ice import is_reachable_candidate
from sdk.types.media import MIME, VideoCodec

_VIDEO: tuple[VideoCodec, ...] = ("h264", "vp8")  # the better one first
_MAX_CANDIDATES = 32


@dataclass(frozen=True, slots=True)
class Offer:
    """An acceptable offer.

    Attributes:
        sdp: Cleaned: without candidates we cannot reach.
        kinds: ``audio`` and ``video`` in the offer's order.
        video: The rendition to send, H.264 where the viewer can, or None for sound alone.
        mids: Of the media, in order.
        ufrag: ICE user name fragment of the first medium.
    """

    sdp: str
    kinds: tuple[str, ...]
    video: VideoCodec | None
    mids: tuple[str, ...]
    ufrag: str


def read_offer(text: str) -> Offer:
    """Check a WHEP offer.

    Raises:
        SignallingError: 400 it is not SDP of a WebRTC peer; 406 no common codec; 422 it does not
            want to receive, or wants what this endpoint does not send.
    """
    cleaned = "".join(f"{line}\r\n" for line in _kept_lines(text))
    description = _parsed(cleaned)
    kinds = tuple(media.kind for media in description.media)
    if not kinds:
        raise SignallingError(400, "the offer has no media; add recvonly audio and video")
    if any(kind not in ("audio", "video") for kind in kinds) or len(set(kinds)) != len(kinds):
        raise SignallingError(422, f"offer at most one audio and one video, not {', '.join(kinds)}")
    mids = tuple(media.rtp.muxId for media in description.media)
    _check_bundle(description, mids)
    for media, section in zip(description.media, cleaned.split("\r\nm=")[1:], strict=True):
        _check_media(media, is_bundle_only="\r\na=bundle-only" in section)
    return Offer(
        sdp=cleaned,
        kinds=kinds,
        video=_chosen_video(description.media),
        mids=mids,
        ufrag=ice.usernameFragment or "" if (ice := description.media[0].ice) else "",
    )


def _kept_lines(text: str) -> list[str]:
    kept, candidates = [], 0
    for line in text.splitlines():
        if line.startswith("a=candidate:"):
            candidates += 1
            if candidates > _MAX_CANDIDATES or not is_reachable_candidate(line):
                continue
        # Without end-of-candidates ICE goes on waiting for the viewer's own checks, which is how
        # a viewer with hidden addresses is found.
        if line and line != "a=end-of-candidates":
            kept.append(line)
    return kept


def _parsed(text: str) -> SessionDescription:
    if not text.startswith("v=0"):
        raise SignallingError(400, "the body is not SDP; it must begin with v=0")
    try:
        return SessionDescription.parse(text)
    # aiortc's parser asserts, splits and indexes; whatever it trips over is the offer's fault.
    except (ValueError, LookupError, AssertionError, TypeError, AttributeError) as error:
        raise SignallingError(400, "the SDP cannot be read; send a browser's offer") from error
    except StopIteration as error:
        raise SignallingError(400, "the SDP names a payload type it does not define") from error


def _check_bundle(description: SessionDescription, mids: tuple[str, ...]) -> None:
    if "" in mids or None in mids or len(set(mids)) != len(mids):
        raise SignallingError(400, "every medium of the offer needs its own a=mid")
    bundles = [group.items for group in description.group if group.semantic == "BUNDLE"]
    if len(mids) > 1 and not bundles:
        raise SignallingError(400, "audio and video must be bundled (a=group:BUNDLE)")
    if any(sorted(bundle) != sorted(mids) for bundle in bundles):
        raise SignallingError(400, "a=group:BUNDLE must name every medium of the offer once")


def _check_media(media: MediaDescription, *, is_bundle_only: bool) -> None:
    # Firefox offers all but the first medium at port 0, bundle-only, with max-bundle.
    if media.port == 0 and not is_bundle_only:
        raise SignallingError(422, f"the offer rejects its own {media.kind} (port 0)")
    if media.direction not in ("recvonly", "sendrecv", None):
        raise SignallingError(
            422, f"{media.kind} is {media.direction}; a viewer must offer recvonly"
        )
    if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
        raise SignallingError(400, f"{media.kind} has no ice-ufrag and ice-pwd")
    if media.dtls is None or not media.dtls.fingerprints:
        raise SignallingError(400, f"{media.kind} has no DTLS setup and fingerprint")
    if media.dtls.role not in ("auto", "client", "server"):
        raise SignallingError(400, f"{media.kind} has no usable a=setup")
    if not media.rtcp_mux:
        raise SignallingError(400, f"{media.kind} has no a=rtcp-mux")


def _chosen_video(media: list[MediaDescription]) -> VideoCodec | None:
    chosen: VideoCodec | None = None
    for medium in media:
        offered = {
            codec.mimeType.lower()
            for codec in find_common_codecs(CODECS[medium.kind], medium.rtp.codecs)
        }
        if medium.kind == "audio":
            if MIME["opus"] not in offered:
                raise SignallingError(406, "no common audio codec; offer Opus")
        else:
            usable = [codec for codec in _VIDEO if MIME[codec] in offered]
            if not usable:
                raise SignallingError(
                    406, "no common video codec; offer H.264 constrained baseline or VP8"
                )
            chosen = usable[0]
    return chosen
