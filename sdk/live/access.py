"""Who may do what: loopback needs no token, every other address does.

The token belongs to the seller and controls the session. Viewers get a *ticket*: it is signed
with the token, ends by itself, and only lets its bearer watch and write in the chat.
"""

import base64
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from sdk.errors import SettingsError

TICKET_LIFE_S = 24 * 3600
_SHORTEST_TOKEN = 8

Right = Literal["open", "watch", "control"]


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server.

    Args:
        host: The address it is bound to.
        token: The seller's secret; None on loopback.
        now: Wall clock, seconds.

    Raises:
        SettingsError: Another machine could connect and there is no token, or it is too short.
    """

    host: str
    token: str | None = None
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if self.token is None and not is_loopback(self.host):
            raise SettingsError(
                f"--host {self.host} lets other machines connect; add --token SECRET "
                "or keep to 127.0.0.1"
            )
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise SettingsError(f"--token is shorter than {_SHORTEST_TOKEN} characters; use more")

    @property
    def is_guarded(self) -> bool:
        """Whether tokens and tickets are asked for."""
        return self.token is not None

    def ticket(self, life_s: float = TICKET_LIFE_S) -> str:
        """A viewer's ticket; empty where none is needed."""
        if self.token is None:
            return ""
        expiry = str(int(self.now() + life_s))
        return f"{expiry}.{self._signature(expiry)}"

    def admits_viewer(self, credential: str) -> bool:
        """Whether the bearer of a ticket, or of the token itself, may watch."""
        if self.admits_seller(credential):
            return True
        expiry, _, signature = credential.partition(".")
        # The signature first: only what we wrote ourselves is worth reading as a number.
        if not hmac.compare_digest(self._signature(expiry).encode(), signature.encode()):
            return False
        return int(expiry) >= self.now()

    def admits_seller(self, credential: str) -> bool:
        """Whether the bearer may control the session."""
        if self.token is None:
            return True
        return hmac.compare_digest(self.token.encode(), credential.encode())

    def knows_host(self, host_header: str) -> bool:
        """Whether a ``Host`` header is one of ours.

        On loopback a foreign name means that a page elsewhere had its name point here (DNS
        rebinding). Guarded servers stand behind names we do not know, and ask for a ticket.
        """
        return self.is_guarded or _name_of(host_header) in ("localhost", "127.0.0.1", "::1")

    def knows_origin(self, origin: str, host_header: str) -> bool:
        """Whether a browser's page of that origin may call us; other programs send none."""
        if self.is_guarded or not origin:
            return True
        return origin.lower().partition("://")[2] == host_header.lower()

    def _signature(self, expiry: str) -> str:
        assert self.token is not None
        digest = hmac.digest(self.token.encode(), b"viewer:" + expiry.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:18]).decode()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def right_for(method: str, path: str) -> Right:
    """What a request needs."""
    if path == "/api/console" or path.startswith("/api/console/"):
        # The console shows what the shop earned: a viewer's ticket does not open it.
        return "open" if method == "OPTIONS" else "control"
    if path.startswith("/api/"):
        return "watch" if method in ("GET", "HEAD", "OPTIONS") else "control"
    if path.startswith("/whip/"):
        return "open" if method == "OPTIONS" else "control"
    if path.startswith(("/ws/", "/whep/", "/media/")):
        return "open" if method == "OPTIONS" else "watch"
    return "open"


def _name_of(host_header: str) -> str:
    try:
        return (urlsplit(f"//{host_header}").hostname or "").lower()
    except ValueError:  # such as an open bracket
        return ""
