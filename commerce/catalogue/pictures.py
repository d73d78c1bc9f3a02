"""Pictures named by address: fetched without letting a catalogue point into private networks.

A seller's file may name ``http://169.254.169.254/…`` or a host whose address changes between check
and use. So the name is resolved once, every address it gives must be public, the connection goes to
exactly that address, and each redirect is judged anew. What arrives is capped in bytes and pixels
and painted again, so that no byte of the original reaches a viewer.
"""

import asyncio
import io
import ipaddress
import socket
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
from PIL import Image

from commerce.errors import PictureError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

_MOST_REDIRECTS = 3
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a picture may cost.

    Attributes:
        most_bytes: Of the file as it comes.
        most_pixels: Of the picture in it.
        longest_side_px: Larger ones are scaled down.
        timeout_s: For everything together.
    """

    most_bytes: int = 8 * 1024 * 1024
    most_pixels: int = 40_000_000
    longest_side_px: int = 1024
    timeout_s: float = 15.0


class PictureFetcher:
    """Fetches pictures of strangers.

    Args:
        limits: What one may cost.
        resolve: Gives the addresses of a host.
        may_connect: Whether an address is one to connect to; public ones unless given.
    """

    def __init__(
        self,
        limits: PictureLimits | None = None,
        *,
        resolve: Resolve | None = None,
        may_connect: Callable[[Address], bool] | None = None,
    ) -> None:
        self._limits = limits or PictureLimits()
        self._resolve = resolve or _resolved
        self._may_connect = may_connect or is_public

    async def fetch(self, url: str) -> bytes:
        """A picture as WebP, at most so large, without anything else its file held.

        Raises:
            PictureError: It must not be fetched, cannot be, or is no picture.
        """
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                data = await self._download(url)
        except TimeoutError:
            raise PictureError(f"{_shown(url)} does not answer in time") from None
        return await asyncio.to_thread(repainted, data, self._limits)

    async def _download(self, url: str) -> bytes:
        async with httpx.AsyncClient(
            timeout=self._limits.timeout_s, follow_redirects=False, trust_env=False
        ) as client:
            for _ in range(_MOST_REDIRECTS + 1):
                target, headers, extensions = await self._pinned(url)
                try:
                    async with client.stream(
                        "GET", target, headers=headers, extensions=extensions
                    ) as response:
                        if response.is_redirect:
                            url = urljoin(url, response.headers.get("location", ""))
                            continue
                        if response.status_code != 200:
                            raise PictureError(f"{_shown(url)} answers {response.status_code}")
                        return await self._read(response, url)
                except httpx.HTTPError as error:
                    raise PictureError(
                        f"{_shown(url)} cannot be fetched: {type(error).__name__}"
                    ) from None
        raise PictureError(f"{_shown(url)} redirects without end")

    async def _pinned(self, url: str) -> tuple[str, dict[str, str], dict[str, str]]:
        """The same address with the host's number in place of its name, judged."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise PictureError(f"{_shown(url)} is not a web address") from None
        if parts.scheme not in _PORTS or not host or parts.username is not None:
            raise PictureError(f"{_shown(url)} is not a plain http(s) address")
        number = port or _PORTS[parts.scheme]
        addresses = await self._resolve(host, number)
        if not addresses:
            raise PictureError(f"{_shown(url)}: there is no such host")
        # One private address among public ones is enough to be suspicious.
        if not all(self._may_connect(address) for address in addresses):
            raise PictureError(f"{_shown(url)} leads into a private network")
        first = addresses[0]
        literal = f"[{first}]" if first.version == 6 else str(first)
        where = literal if port is None else f"{literal}:{port}"
        target = urlunsplit((parts.scheme, where, parts.path or "/", parts.query, ""))
        name = host if port is None else f"{host}:{port}"
        headers = {"Host": name, "Accept": "image/*", "User-Agent": "livepitch"}
        return target, headers, {"sni_hostname": host}

    async def _read(self, response: httpx.Response, url: str) -> bytes:
        parts, length = [], 0
        async for part in response.aiter_bytes():
            length += len(part)
            if length > self._limits.most_bytes:
                raise PictureError(f"{_shown(url)} is larger than a picture may be")
            parts.append(part)
        return b"".join(parts)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, however it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address.teredo is not None:
            return False
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def repainted(data: bytes, limits: PictureLimits) -> bytes:
    """A picture painted anew as WebP, without metadata.

    Raises:
        PictureError: No picture, damaged, or with too many pixels.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if image.width * image.height > limits.most_pixels:
                raise PictureError("the picture has more pixels than a picture may have")
            image.thumbnail((limits.longest_side_px, limits.longest_side_px))
            kept = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    except PictureError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise PictureError("the file is no picture, or a damaged one") from None
    clean = Image.new(kept.mode, kept.size)
    clean.paste(kept)
    painted = io.BytesIO()
    clean.save(painted, "WEBP", quality=85, method=4)
    return painted.getvalue()


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


def _shown(url: str) -> str:
    return "".join(character for character in url[:120] if character.isprintable())
