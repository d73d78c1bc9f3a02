"""One POST to a stranger's address: to public places only, and with no patience to exploit.

The name is resolved once, every address it gives must be allowed, and the connection goes to
exactly that address, so that a name which points elsewhere a moment later leads nowhere. Redirects
are not followed, and of the answer only the status is read.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx

from commerce.catalogue.pictures import Address, is_public
from commerce.errors import NoticeError
from commerce.models.webhooks import Endpoint

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

_TIMEOUT_S = 10.0
_GONE = 410
_PORTS = {"http": 80, "https": 443}


class Delivering:
    """Delivers signed bodies.

    Args:
        resolve: Gives the addresses of a host.
    """

    def __init__(self, resolve: Resolve | None = None) -> None:
        self._resolve = resolve or _resolved
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections while the block runs."""
        async with _new_client() as client:
            self._client = client
            try:
                yield
            finally:
                self._client = None

    async def post(self, endpoint: Endpoint, raw: bytes, headers: Mapping[str, str]) -> None:
        """Deliver a body.

        Raises:
            NoticeError: It was not taken; ``is_passing`` says whether it may be later.
        """
        if self._client is not None:
            await self._post(self._client, endpoint, raw, headers)
            return
        async with _new_client() as client:
            await self._post(client, endpoint, raw, headers)

    async def _post(
        self,
        client: httpx.AsyncClient,
        endpoint: Endpoint,
        raw: bytes,
        headers: Mapping[str, str],
    ) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                target, host, name = await self._pinned(endpoint)
                request = client.build_request(
                    "POST",
                    target,
                    content=raw,
                    headers={**headers, "Host": host},
                    extensions={"sni_hostname": name},
                )
                response = await client.send(request, stream=True)
                await response.aclose()
        except TimeoutError:
            raise NoticeError(f"{_shown(endpoint)} does not answer in time") from None
        except httpx.HTTPError as error:
            reason = type(error).__name__
            raise NoticeError(f"{_shown(endpoint)} cannot be reached: {reason}") from None
        status = response.status_code
        if status == _GONE:
            raise NoticeError(f"{_shown(endpoint)} wants no more (410)", is_passing=False)
        if not response.is_success:
            raise NoticeError(f"{_shown(endpoint)} answers {status}")

    async def _pinned(self, endpoint: Endpoint) -> tuple[str, str, str]:
        """The address with a number in place of its name, the Host header, and the name."""
        parts = urlsplit(endpoint.url)
        host = parts.hostname or ""
        addresses = await self._resolve(host, parts.port or _PORTS[parts.scheme])
        if not addresses:
            raise NoticeError(f"{_shown(endpoint)}: there is no such host")
        if not all(_may_connect(endpoint, address, parts.scheme) for address in addresses):
            raise NoticeError(f"{_shown(endpoint)} leads into a private network", is_passing=False)
        first = addresses[0]
        literal = f"[{first}]" if first.version == 6 else str(first)
        where = literal if parts.port is None else f"{literal}:{parts.port}"
        target = urlunsplit((parts.scheme, where, parts.path or "/", parts.query, ""))
        return target, parts.netloc, host


def _may_connect(endpoint: Endpoint, address: Address, scheme: str) -> bool:
    if address.is_loopback:
        return endpoint.allows_loopback
    return scheme == "https" and is_public(address)


def _new_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False)


async def _resolved(host: str, port: int) -> Sequence[Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _shown(endpoint: Endpoint) -> str:
    """The address without what may be secret in it."""
    parts = urlsplit(endpoint.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:120]
