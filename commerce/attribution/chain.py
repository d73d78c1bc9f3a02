"""Canonical bytes and hash chains: whoever changes an old row must change every later one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> bytes:
    """The one way a JSON value is written: sorted keys, no spaces, UTF-8, no floats."""
    _refuse_floats(value)
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def link(previous: str, content: Mapping[str, Any]) -> str:
    """The hash of a row that follows the row of hash ``previous``; the first follows ``""``."""
    return hashlib.sha256(previous.encode() + b"\n" + canonical(dict(content))).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical form; use integers or text")
    if isinstance(value, Mapping):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_floats(part)
