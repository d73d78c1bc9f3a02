"""Reading the body of a signalling request: the right type, not too long, text."""

from typing import Any

from fastapi import Request

from sdk.errors import SignallingError


def require_type(request: Request, wanted: str) -> None:
    """Refuse any other Content-Type.

    Raises:
        SignallingError: 415.
    """
    given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if given != wanted:
        raise SignallingError(415, f"Content-Type is {given[:60]!r}; send {wanted}")


async def read_body(request: Request, limit: int) -> str:
    """The body as text.

    Raises:
        SignallingError: 413 longer than ``limit`` bytes; 400 not UTF-8.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise SignallingError(413, f"the body is larger than {limit} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise SignallingError(400, "the body is not UTF-8") from error


def takes(kind: str) -> dict[str, Any]:
    """What a route whose body is read here says of it in the interface's description."""
    content = {kind: {"schema": {"type": "string", "minLength": 1}}}
    return {"requestBody": {"required": True, "content": content}}
