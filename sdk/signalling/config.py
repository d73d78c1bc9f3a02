"""The WHEP endpoint's options."""

from dataclasses import dataclass

from sdk.signalling.ice import IceServer


@dataclass(frozen=True, slots=True, kw_only=True)
class WhepConfig:
    """What the endpoint offers and how much it bears.

    Attributes:
        host_addresses: Addresses for media; none means all of the machine's. See
            ``ice.host_addresses_for``.
        ice_servers: STUN and TURN for viewers, named in ``Link`` headers; none by default: no
            foreign server learns of a viewer.
        own_ice_servers: For our side, when it sits behind address translation itself. One that
            does not answer delays every join by seconds.
        max_viewers: In all sessions of the router; more get 503 and ``Retry-After``.
        max_body_bytes: Of an offer or fragment.
        connect_timeout_s: A viewer that has not connected by then is forgotten.
        silence_timeout_s: A viewer that has not been heard for so long is gone.
        allow_origin: Pages that may use the endpoint: ``*``, one origin, or empty for our own.
    """

    host_addresses: tuple[str, ...] = ()
    ice_servers: tuple[IceServer, ...] = ()
    own_ice_servers: tuple[IceServer, ...] = ()
    max_viewers: int = 100
    max_body_bytes: int = 64 * 1024
    connect_timeout_s: float = 15.0
    silence_timeout_s: float = 10.0
    allow_origin: str = "*"
