"""Reads what strangers sent: JSON that may be anything, one field after another."""

import json
import re
from collections.abc import Sequence
from typing import Any

from sdk.errors import CallRefusedError
from sdk.messaging.messages import Sign


def json_of(body: bytes) -> Any:
    """The JSON value of a verified body.

    Raises:
        CallRefusedError: 400; not UTF-8, not JSON, or nested beyond reason.
    """
    try:
        return json.loads(body.decode())
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise CallRefusedError(400, "the body is not JSON in UTF-8") from None


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object of a verified body.

    Raises:
        CallRefusedError: 400; anything else.
    """
    value = json_of(body)
    if not isinstance(value, dict):
        raise CallRefusedError(400, "the body is not a JSON object")
    return value


def part(value: object, *path: str) -> dict[str, Any]:
    """The object at a path; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def parts(value: object, *path: str) -> list[dict[str, Any]]:
    """The objects of an array at a path; anything else in it is left out."""
    found = _at(value, path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(value: object, *path: str) -> str:
    """The text or number at a path, as text; empty where there is none."""
    found = _at(value, path)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def _at(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """A text without some spans of UTF-16 units, in one line of single blanks."""
    units = text.encode("utf-16-le", "surrogatepass")
    for start, length in sorted(set(spans), reverse=True):
        if start >= 0 and length > 0 and (start + length) * 2 <= len(units):
            units = units[: start * 2] + units[(start + length) * 2 :]
    return single_line(units.decode("utf-16-le", "replace"))


def span(text: str, start: int, length: int) -> str:
    """The part of a text that a service names in UTF-16 units."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[start * 2 : (start + length) * 2].decode("utf-16-le", "replace")


def single_line(text: str) -> str:
    """Blanks, tabs and line ends as single blanks."""
    return re.sub(r"\s+", " ", text).strip()


def sign_of(emoji: str) -> Sign:
    """``for``, ``against`` or ``none``: what a reaction says of a pitch."""
    if any(sign in emoji for sign in ("👎", "😡", "🤮", "💩")) or emoji in ("-1", "thumbsdown"):
        return "against"
    return "for" if emoji else "none"
