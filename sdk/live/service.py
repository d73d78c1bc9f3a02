"""The whole service as one ASGI application, to be mounted in a developer's own."""

import ipaddress
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from avatar_engine.persona import Persona
from commerce.models.webhooks import Endpoint
from commerce.shop import Shop
from sdk.errors import SessionError, SettingsError
from sdk.live.access import Access
from sdk.live.gate import Gate
from sdk.live.options import NO_CONSENT
from sdk.live.wiring import Catalogue, LiveSession

LOOPBACK = "127.0.0.1"


class Service:
    """Page, picture and sound, REST, socket, hooks and storefront, below any prefix.

    Starlette does not start what is mounted, so the outer application does: give it ``lifespan``,
    or enter that in a lifespan of your own. Served by itself it needs nothing.

    Example:
        shop = sdk.create_app("face.png", "products.csv", address="http://127.0.0.1:8000/shop")
        app = FastAPI(lifespan=shop.lifespan)
        app.mount("/shop", shop)

    Args:
        make_session: Makes the session anew each time the service starts.
        access: Who may do what.
        address: Where people open it, with the prefix; for links that are written in chats.
    """

    def __init__(
        self,
        make_session: Callable[[], LiveSession],
        *,
        access: Access,
        address: str,
    ) -> None:
        self._make_session = make_session
        self._access = access
        self._address = address.rstrip("/")
        self._session: LiveSession | None = None
        self._gate: Gate | None = None
        self._lone = Router(lifespan=self.lifespan)

    @property
    def session(self) -> LiveSession:
        """The running session.

        Raises:
            SessionError: The service is not running.
        """
        if self._session is None:
            raise SessionError(_NOT_RUNNING)
        return self._session

    @property
    def shop(self) -> Shop:
        """The shop behind the session; see ``session``."""
        return self.session.shop

    @property
    def address(self) -> str:
        """Where people open it, without a slash at the end."""
        return self._address

    def ticket(self) -> str:
        """A viewer's ticket for the page's address; empty where none is needed."""
        return self._access.ticket()

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[Mapping[str, Any]]:
        """The service runs while the block does: ``FastAPI(lifespan=service.lifespan)``.

        Args:
            app: The outer application; not needed.

        Raises:
            SessionError: It runs already.
            SettingsError: An option is wrong, or strangers would see a face nobody consented to.
            AvatarEngineError: The photo, persona file or voice cannot be used.
            CommerceError: The catalogue or database cannot be used.
        """
        if self._session is not None:
            raise SessionError("the service runs already; start it once, in the outermost lifespan")
        async with self._make_session() as session:
            if self._access.is_guarded and not session.parts.consent:
                raise SettingsError(NO_CONSENT)
            gate = session.web_app(self._access, address=self._address)
            inner = gate.app
            assert isinstance(inner, FastAPI)
            async with inner.router.lifespan_context(inner):
                self._session, self._gate = session, gate
                try:
                    yield {}
                finally:
                    self._session, self._gate = None, None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or socket; start and end when served by itself."""
        if scope["type"] == "lifespan":
            await self._lone.lifespan(scope, receive, send)
        elif self._gate is None:
            await _refuse(scope, receive, send, 503, _NOT_RUNNING)
        elif not self._access.is_guarded and _is_stranger(scope):
            await _refuse(scope, receive, send, 403, "other machines need a token; see create_app")
        else:
            await self._gate(scope, receive, send)


_NOT_RUNNING = "the service is not running; pass its lifespan: FastAPI(lifespan=service.lifespan)"


def create_service(
    persona: str | Path | Persona,
    catalogue: str | Path | Catalogue | None = None,
    *,
    address: str = "http://127.0.0.1:8000",
    token: str | None = None,
    voice: str = "espeak:en-us",
    size: str = "512",
    fps: float = 25.0,
    renderer: str = "auto",
    outputs: Sequence[str] = (),
    consent: str | None = None,
    name: str | None = None,
    script: bool = True,
    seed: int = 0,
    webhooks: Sequence[Endpoint] = (),
) -> Service:
    """The whole service for your own ASGI application: ``app.mount("/shop", create_app(…))``.

    Nothing is opened before its lifespan begins.

    Args:
        persona: A photo, a ``.persona`` file, or a persona.
        catalogue: A file to import, or a ``Catalogue`` with a database that is kept.
        address: Where people open it, with the prefix it is mounted at; for links in chats.
        token: The seller's secret. Without one only this machine is let in.
        voice: ``espeak:en-us``, ``piper:FILE.onnx`` or ``openai:URL#MODEL/VOICE``.
        size: ``512`` or ``720x1280``.
        fps: Frames per second.
        renderer: ``auto``, ``reference``, ``cpu`` or ``cuda``.
        outputs: Files that record the session.
        consent: Who agreed to be shown, and to what; needed with a token.
        name: The presenter's, for the page.
        script: Walk through the catalogue without being told.
        seed: Same seed, same words and motion.
        webhooks: Programs that are told what happens; see docs/webhooks.md.

    Raises:
        SettingsError: The token is too short, or the address is none.
    """
    if not address.startswith(("http://", "https://")):
        raise SettingsError(f"address {address!r}: begin it with http:// or https://")

    def make_session() -> LiveSession:
        return LiveSession(
            persona,
            catalogue,
            voice=voice,
            size=size,
            fps=fps,
            renderer=renderer,
            outputs=outputs,
            consent=consent,
            name=name,
            script=script,
            seed=seed,
            webhooks=webhooks,
        )

    return Service(make_session, access=Access(LOOPBACK, token), address=address)


def _is_stranger(scope: Scope) -> bool:
    """Whether another machine asks. A socket file has no address, nor has a test's client."""
    client = scope.get("client")
    try:
        return client is not None and not ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1013, "reason": reason[:120]})
    else:
        await JSONResponse({"detail": reason}, status)(scope, receive, send)
