"""How peers reach each other: our addresses, helpers in between, and the viewers' candidates."""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aioice import Candidate
from aiortc import RTCIceServer, RTCPeerConnection

_Gather = Callable[..., Awaitable[list[Candidate]]]


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server, for our side or, by a ``Link`` header, for the viewers.

    Attributes:
        url: ``stun:host:port`` or ``turn:host:port?transport=udp``.
        username, credential: TURN's password.
    """

    url: str
    username: str = ""
    credential: str = ""

    def for_us(self) -> RTCIceServer:
        """As aiortc takes it."""
        return RTCIceServer(
            urls=self.url, username=self.username or None, credential=self.credential or None
        )

    def link(self) -> str:
        """As RFC 9725 section 4.6 writes it into a ``Link`` header."""
        parts = [f"<{self.url}>", 'rel="ice-server"']
        if self.username:
            parts += [f'username="{_quoted(self.username)}"']
            parts += [f'credential="{_quoted(self.credential)}"', 'credential-type="password"']
        return "; ".join(parts)


def host_addresses_for(bind_host: str) -> tuple[str, ...]:
    """The addresses media may use when HTTP listens on ``bind_host``.

    Returns:
        The loopback address for a loopback server, the one address of a server bound to one,
        and nothing, which means every address of the machine, for ``0.0.0.0``, ``::`` and names.
    """
    if bind_host == "localhost":
        return ("127.0.0.1",)
    try:
        address = ipaddress.ip_address(bind_host.strip("[]"))
    except ValueError:
        return ()
    return () if address.is_unspecified else (str(address),)


def use_host_addresses(peer_connection: RTCPeerConnection, addresses: Iterable[str]) -> None:
    """Gather this connection's host candidates at these addresses only.

    aiortc offers every address except 127.0.0.1 and takes no option about it, so a viewer on the
    same machine could not connect without a network. Only the given connection is changed.

    Args:
        peer_connection: Its transceivers must exist, its candidates must not.
        addresses: IP addresses; none means those of the machine, or loopback when it has none.
    """
    chosen = list(addresses)
    # Bundled transceivers share one transport.
    transports = {t.sender.transport.transport for t in peer_connection.getTransceivers()}
    for transport in transports:
        connection = transport._connection
        # An attribute of the instance hides the class's method; nobody else's connection changes.
        setattr(  # noqa: B010
            connection,
            "get_component_candidates",
            _gathering_at(chosen, connection.get_component_candidates),
        )


def is_reachable_candidate(line: str) -> bool:
    """Whether an ``a=candidate:`` line names a UDP address we could send to.

    Browsers hide their addresses behind ``.local`` names. Resolving those would need multicast
    and is useless: the viewer controls ICE, reaches our candidates itself, and is learnt as a
    peer-reflexive one.
    """
    fields = line.partition(":")[2].split()
    if len(fields) < 8 or fields[2].lower() != "udp" or fields[6] != "typ":
        return False
    try:
        ipaddress.ip_address(fields[4])
    except ValueError:
        return False
    return all(fields[i].isdecimal() for i in (1, 3, 5)) and 0 < int(fields[5]) < 65536


def _gathering_at(chosen: list[str], gather: _Gather) -> _Gather:
    async def gather_at(
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's signature
    ) -> list[Candidate]:
        return await gather(component, chosen or addresses or ["127.0.0.1"], timeout)

    return gather_at


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
