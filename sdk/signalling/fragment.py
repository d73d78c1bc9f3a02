"""Trickled candidates: ``application/trickle-ice-sdpfrag`` (RFC 8840)."""

from dataclasses import dataclass

from sdk.errors import SignallingError
from sdk.signalling.ice import is_reachable_candidate

_MAX_CANDIDATES = 32


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a viewer adds to its offer.

    Attributes:
        ufrag: The ICE session it belongs to; another one than the offer's asks for a restart.
        candidates: (mid or None, candidate line after ``candidate:``), only those that name an
            address we could reach.
    """

    ufrag: str | None
    candidates: tuple[tuple[str | None, str], ...]


def read_fragment(text: str) -> Fragment:
    """Read a fragment.

    Raises:
        SignallingError: 400 it is not one, or it is absurdly long.
    """
    ufrag: str | None = None
    mid: str | None = None
    candidates: list[tuple[str | None, str]] = []
    for line in filter(None, text.splitlines()):
        if line[1:2] != "=":
            raise SignallingError(400, f"{line[:40]!r} is no line of an SDP fragment")
        name, _, value = line[2:].partition(":")
        if name == "ice-ufrag" and line[0] == "a":
            ufrag = value
        elif name == "mid" and line[0] == "a":
            mid = value
        elif line.startswith("a=candidate:") and is_reachable_candidate(line):
            candidates.append((mid, value))
    if len(candidates) > _MAX_CANDIDATES:
        raise SignallingError(400, f"more than {_MAX_CANDIDATES} candidates in one fragment")
    return Fragment(ufrag, tuple(candidates))
