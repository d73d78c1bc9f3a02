"""The gate in front of every request: host, origin, ticket, token, and the headers of safety."""

from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sdk.live.access import Access, right_for

REFUSED = 4403  # WebSocket close code: do not come back with the same ticket

# Everything comes from here: what a catalogue names elsewhere is fetched and painted by the shop.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob: mediastream:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_SAFETY = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Gate:
    """ASGI middleware that turns away who may not come in."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    @property
    def app(self) -> ASGIApp:
        """What is behind the gate."""
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request or socket in, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # Mounted in another application, we are a site of our own: what we call our address ends
        # with the mount's prefix, not with the outer application's.
        scope = {**scope, "app_root_path": scope.get("root_path", "")}
        refusal = self._refusal(scope, _path_of(scope))
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await _refuse_socket(receive, send, refusal[1])
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SAFETY.items():
                    headers.setdefault(name, value)
            await send(message)

        if refusal is None:
            await self._app(scope, receive, send_safely)
        else:
            status, reason = refusal
            response = JSONResponse({"detail": reason}, status_code=status)
            await response(scope, receive, send_safely)

    def _refusal(self, scope: Scope, path: str) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        method = scope.get("method", "GET")
        if scope["type"] == "http" and path.startswith("/hooks/"):
            # Services call by whatever name they were given, and sign what they say.
            return None
        if not self._access.knows_host(host):
            return 421, f"this server is not called {host[:80]!r}; open it by its own address"
        changes = scope["type"] == "websocket" or method not in ("GET", "HEAD", "OPTIONS")
        if changes and not self._access.knows_origin(headers.get("origin", ""), host):
            return 403, "a page of another origin may not do this"
        if not self._access.is_guarded:
            return None
        right = right_for(method, path)
        shown = tuple(_credentials(headers, scope, path))
        if right == "watch" and not any(map(self._access.admits_viewer, shown)):
            return 401, "the ticket is missing or has ended; ask the seller for a new link"
        if right == "control" and not any(map(self._access.admits_seller, shown)):
            return 401, "send the seller's token as Authorization: Bearer"
        return None


def _credentials(headers: Headers, scope: Scope, path: str) -> Iterable[str]:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield value.strip()
    # Pictures and sockets cannot carry headers in a browser.
    if scope["type"] == "websocket" or path.startswith("/media/"):
        yield from parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [])


def _path_of(scope: Scope) -> str:
    """The path below the place we are mounted at."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] or "/" if root and f"{path}/".startswith(f"{root}/") else path


async def _refuse_socket(receive: Receive, send: Send, reason: str) -> None:
    # Accepted first: only an open socket can tell a browser why it is closed.
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": REFUSED, "reason": reason[:120]})
