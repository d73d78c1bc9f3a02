"""Texts as vectors, by a model of the seller's choice; off unless one is named.

Words find what is written; vectors find what is meant ("something against the cold"). They join the
search as a second opinion on the order (``fused``), never as the only one.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol

import httpx
import numpy as np
from numpy.typing import NDArray

from commerce.errors import EmbeddingError

Vectors = NDArray[np.float32]

_AT_ONCE = 64
_LONGEST_TEXT = 2000
_MOST_DIMENSIONS = 8192
_LARGEST_ANSWER = 64 * 1024 * 1024
# From the paper on reciprocal rank fusion (Cormack, Clarke and Büttcher 2009).
_DAMPING = 60


class Embedder(Protocol):
    """Turns texts into vectors whose angle says how alike they are."""

    @property
    def name(self) -> str:
        """Of the model; vectors of two models are never compared."""
        ...

    @property
    def least_similarity(self) -> float:
        """From which cosine on a product is shown though it shares no word; 1 shows none."""
        ...

    async def embed(self, texts: Sequence[str], *, timeout_s: float | None = None) -> Vectors:
        """One vector of unit length for each text, [N, D].

        Args:
            texts: At least one.
            timeout_s: For each call; its own unless given.

        Raises:
            EmbeddingError: There are none.
        """
        ...


class OpenAiEmbedder:
    """Any endpoint that speaks OpenAI's embeddings, on this machine or elsewhere.

    Args:
        base_url: Up to the version, such as ``http://127.0.0.1:11434/v1``.
        model: Its name there.
        key: Sent as a bearer token; never logged.
        timeout_s: For a question's vector.
        least_similarity: See ``Embedder``.
        transport: For tests.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key: str | None = None,
        timeout_s: float = 1.5,
        least_similarity: float = 1.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = base_url.rstrip("/") + "/embeddings"
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout_s = timeout_s
        self._least_similarity = least_similarity
        self._transport = transport

    @property
    def name(self) -> str:
        """Of the model."""
        return self._model

    @property
    def least_similarity(self) -> float:
        """From which cosine on a product is shown though it shares no word."""
        return self._least_similarity

    async def embed(self, texts: Sequence[str], *, timeout_s: float | None = None) -> Vectors:
        """One vector of unit length for each text, [N, D].

        Raises:
            EmbeddingError: Refused, too slow, or not understood.
        """
        timeout = httpx.Timeout(timeout_s or self._timeout_s)
        try:
            async with httpx.AsyncClient(
                timeout=timeout, transport=self._transport, follow_redirects=False
            ) as client:
                parts = [
                    await self._some(client, texts[start : start + _AT_ONCE])
                    for start in range(0, len(texts), _AT_ONCE)
                ]
        except httpx.HTTPError as error:
            raise EmbeddingError(f"the embeddings fail: {type(error).__name__}") from None
        if len({part.shape[1] for part in parts}) != 1:
            raise EmbeddingError(f"{self._model} gives vectors of different lengths")
        return np.concatenate(parts)

    async def _some(self, client: httpx.AsyncClient, texts: Sequence[str]) -> Vectors:
        body = {"model": self._model, "input": [text[:_LONGEST_TEXT] or " " for text in texts]}
        async with client.stream("POST", self._url, json=body, headers=self._headers) as response:
            if response.status_code != 200:
                raise EmbeddingError(f"the embeddings answer {response.status_code}")
            content = bytearray()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > _LARGEST_ANSWER:
                    raise EmbeddingError("the embeddings answer without end")
        return _vectors(bytes(content), len(texts))


def text_digest(text: str) -> str:
    """What a text's vector is kept under."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fused(*orders: Sequence[int]) -> list[tuple[int, float]]:
    """Several orders of the same things as one, by reciprocal rank; the best first.

    Args:
        orders: Each best first; what one does not name gets nothing from it.

    Returns:
        Things and their worth, in (0, len(orders) / 61].
    """
    worth: dict[int, float] = {}
    for order in orders:
        for place, thing in enumerate(order, 1):
            worth[thing] = worth.get(thing, 0.0) + 1 / (_DAMPING + place)
    return sorted(worth.items(), key=lambda entry: -entry[1])


def _vectors(content: bytes, number: int) -> Vectors:
    try:
        entries: list[dict[str, Any]] = json.loads(content)["data"]
        entries = sorted(entries, key=lambda entry: int(entry["index"]))
        if [entry["index"] for entry in entries] != list(range(number)):
            raise EmbeddingError(f"the embeddings hold {len(entries)} of {number} vectors")
        found = np.asarray([entry["embedding"] for entry in entries], np.float32)
    except (ValueError, TypeError, KeyError):
        raise EmbeddingError("the embeddings answer with something else") from None
    if found.ndim != 2 or not 1 <= found.shape[1] <= _MOST_DIMENSIONS:
        raise EmbeddingError("the embeddings answer with something else")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    if not np.isfinite(found).all() or not (lengths > 0).all():
        raise EmbeddingError("the embeddings hold a vector without a direction")
    unit: Vectors = found / lengths
    return unit
