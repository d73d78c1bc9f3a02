"""The HTTP server: its port is taken before anything slow begins, and it ends when told."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from sdk.errors import PortTakenError, SettingsError
from sdk.live.protocol import PatientProtocol

_LARGEST_SOCKET_MESSAGE = 16 * 1024
_GRACE_S = 3


def listen(host: str, port: int) -> socket.socket:
    """Take the port.

    Raises:
        PortTakenError: Somebody else listens there.
        SettingsError: The address is not one of this machine, or the port is not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"--host {host}: no such address ({_reason(error)})") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"port {port} is taken by another program; choose another with --port, "
                "or --port 0 for any free one"
            ) from error
        raise SettingsError(f"cannot listen on {host}:{port}: {_reason(error)}") from error
    return listener


class LiveServer:
    """Serves one application on a port that was taken by ``listen``."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        config = uvicorn.Config(
            app,
            lifespan="on",
            http=PatientProtocol,
            ws="websockets-sansio",
            ws_max_size=_LARGEST_SOCKET_MESSAGE,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = QuietServer(config)

    async def serve(self) -> None:
        """Answer requests until ``stop``."""
        await self._server.serve(sockets=[self._listener])

    async def started(self) -> None:
        """Return when the first request can be answered."""
        await self._server.is_ready.wait()

    def stop(self) -> None:
        """Answer what was asked, then end."""
        self._server.should_exit = True


class QuietServer(uvicorn.Server):
    """Tells when it is ready, and leaves the signals to the program."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, and tell."""
        await super().startup(sockets)
        self.is_ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C belongs to the whole program: it ends the session first, then this server."""
        yield


def address_of(listener: socket.socket, host: str) -> str:
    """``http://host:port`` as a person would type it, perhaps on another machine."""
    port = listener.getsockname()[1]
    shown = _own_address() if host in ("0.0.0.0", "::", "") else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def loopback_address(listener: socket.socket, host: str) -> str:
    """``http://host:port`` for this machine to call itself; loopback where it listens there."""
    port = listener.getsockname()[1]
    if host in ("0.0.0.0", "", "localhost"):
        return f"http://127.0.0.1:{port}"
    shown = "::1" if host == "::" else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _own_address() -> str:
    """This machine's address in its network; nothing is sent to find it."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # an address that never exists (RFC 5737)
            return str(probe.getsockname()[0])
    except OSError:
        return "localhost"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
