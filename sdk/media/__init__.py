"""The transmitter: encode once, fan the packets out to viewers and outputs."""

from sdk.media.broadcaster import Broadcaster
from sdk.media.config import MediaConfig
from sdk.media.feed import ViewerFeed

__all__ = ["Broadcaster", "MediaConfig", "ViewerFeed"]
