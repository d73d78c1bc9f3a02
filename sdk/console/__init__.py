"""The seller's desk: the API behind the console page, and the page itself."""

from sdk.console.desk import ChannelFacts, Desk
from sdk.console.routes import console_routes

__all__ = ["ChannelFacts", "Desk", "console_routes"]
