"""The service from another program: a typed HTTP client, events, and signed webhooks checked."""

from sdk.client.client import Client
from sdk.client.following import Following

__all__ = ["Client", "Following"]
