"""The handshake: WHEP for viewers, WHIP for a driving camera, peers and ICE."""

from sdk.signalling.config import WhepConfig
from sdk.signalling.ice import IceServer, host_addresses_for
from sdk.signalling.whep import whep_router
from sdk.signalling.whip import whip_router

__all__ = ["IceServer", "WhepConfig", "host_addresses_for", "whep_router", "whip_router"]
