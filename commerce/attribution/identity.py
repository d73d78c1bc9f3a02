"""Pseudonyms that can be forgotten, and the people that evidence joins together.

A person's pseudonym is an HMAC under a random key of their own. The key is found by a tag, an HMAC
under the shop's pepper. While the key lives the same person always has the same pseudonym; once it
is deleted nothing leads from the person to the pseudonym any more.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Sequence

from commerce.errors import LedgerError
from commerce.models.referrals import NODE_KINDS

KEY_BYTES = 32
_SHOWN_DIGITS = 32
_FOLDED = frozenset({"email_hash"})


def tag(pepper: bytes, kind: str, parts: Sequence[str]) -> str:
    """Where the key of somebody is kept.

    Raises:
        LedgerError: An unknown kind, or nothing to make a node from.
    """
    if kind not in NODE_KINDS:
        known = ", ".join(sorted(NODE_KINDS))
        raise LedgerError(f"{kind!r} is no kind of node; use one of {known}")
    if not parts or not all(part.strip() for part in parts):
        raise LedgerError(f"a {kind} node needs an id that is not empty")
    return hmac.new(pepper, _spelt(kind, parts), hashlib.sha256).hexdigest()


def pseudonym(key: bytes, kind: str, parts: Sequence[str]) -> str:
    """The node: ``chat:telegram:3f…``, ``viewer:9a…``. A channel name stays readable."""
    digits = hmac.new(key, _spelt(kind, parts), hashlib.sha256).hexdigest()[:_SHOWN_DIGITS]
    words = [kind, *(parts[:-1] if kind in {"chat", "group"} else ()), digits]
    return ":".join(words)


def joined(nodes: Iterable[int], edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Union-find: the smallest node of each node's component."""
    parent = {node: node for node in nodes}

    def find(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in edges:
        low, high = sorted((find(a), find(b)))
        parent[high] = low
    return {node: find(node) for node in parent}


def _spelt(kind: str, parts: Sequence[str]) -> bytes:
    """Each word with its borders, written one way: composed, trimmed, e-mail in lower case."""
    words = [unicodedata.normalize("NFKC", part).strip() for part in (kind, *parts)]
    if kind in _FOLDED:
        words = [word.casefold() for word in words]
    if kind == "phone_hash":
        # E.164: digits with their plus.
        words = ["".join(c for c in word if c.isalnum() or c in "+_") for word in words]
    return b"".join(len(raw).to_bytes(4, "big") + raw for raw in (w.encode() for w in words))
