"""What a channel is: it verifies and splits calls, reads items, writes messages."""

from typing import Protocol

from sdk.messaging.capabilities import Capabilities
from sdk.messaging.messages import Address, Call, Delivery, Incoming, Outgoing, Sent


class Channel(Protocol):
    """One chat service. Nothing of a call is believed before ``receive`` has verified it."""

    @property
    def name(self) -> str:
        """Its name in addresses, in ``CAPABILITIES`` and in identity nodes."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it allows."""
        ...

    def receive(self, call: Call) -> Delivery:
        """Verify a call and take it apart; quick, since the service waits.

        Raises:
            CallRefusedError: Forged, stale or unreadable.
        """
        ...

    def read(self, body: bytes) -> Incoming | None:
        """What a pushed item says; None when it is nothing that concerns us."""
        ...

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """Write, in the richest form that the place allows.

        Raises:
            DeliveryError: It could not be delivered.
        """
        ...

    async def withdraw(self, address: Address, reference: str) -> bool:
        """Take a message of ours back; False where the service does not let us."""
        ...

    async def is_admin(self, message: Address, member: str) -> bool:
        """Whether a member administers the chat, as far as the service tells."""
        ...

    async def start(self, hook_url: str | None) -> str:
        """Get ready: learn our own name, tell the service where to call.

        Args:
            hook_url: Where it can reach us; None where it cannot.

        Returns:
            One line for the person at the terminal.

        Raises:
            DeliveryError: The service refuses our key.
        """
        ...
