"""Products by what they mean: vectors fetched once, kept in the database, compared in memory."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from commerce.catalogue import meanings, repository
from commerce.database import Database
from commerce.errors import EmbeddingError
from commerce.models.values import ProductId, Progress
from commerce.recommendation.embedding import Embedder, Vectors, text_digest

_MOST_NEAR = 50
_AT_ONCE = 64
# Of a batch; nobody waits for it.
_BATCH_TIMEOUT_S = 60.0
# An endpoint that does not answer is not asked with every message of a busy chat.
_REST_S = 30.0
_KEPT_AS = np.dtype("<f2")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Near:
    """A product near a question.

    Attributes:
        similarity: Cosine of the angle between the two, in [-1, 1].
    """

    product_id: ProductId
    similarity: float


@dataclass(frozen=True, slots=True)
class _Space:
    key: tuple[int, int]
    ids: Sequence[ProductId]
    vectors: Vectors  # [N, D]


class Meaning:
    """Products near a question, where an embedder is configured.

    Args:
        database: Keeps the vectors.
        embedder: Makes them.
    """

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self.embedder = embedder
        self._space: _Space | None = None
        self._turn = asyncio.Lock()
        self._rests_until = 0.0

    async def prepare(self, catalogue_name: str, progress: Progress | None = None) -> int:
        """Fetch the vectors that are not kept yet and load all; returns how many were fetched.

        Raises:
            EmbeddingError: The endpoint fails; what was fetched until then is kept.
        """
        async with self._turn:
            async with self._database.reading() as session:
                catalogue = await repository.find_catalogue(session, catalogue_name)
                if catalogue is None:
                    return 0
                key = (catalogue.id, catalogue.revision)
                if self._space is not None and self._space.key == key:
                    return 0
                products = await meanings.described_products(session, catalogue.id)
                digests = [text_digest(product.text) for product in products]
                kept = await meanings.kept_vectors(session, self.embedder.name, digests)
            texts = {digest: one.text for digest, one in zip(digests, products, strict=True)}
            missing = [digest for digest in texts if digest not in kept]
            for start in range(0, len(missing), _AT_ONCE):
                part = missing[start : start + _AT_ONCE]
                new = await self._fetched([texts[digest] for digest in part])
                rows = {
                    digest: vector.tobytes()
                    for digest, vector in zip(part, new.astype(_KEPT_AS), strict=True)
                }
                async with self._database.writing() as session:
                    await meanings.keep_vectors(session, self.embedder.name, rows)
                kept.update(rows)
                if progress is not None:
                    progress(start + len(part), len(missing))
            if products:
                rows_of = [np.frombuffer(kept[digest], _KEPT_AS) for digest in digests]
                if len({len(row) for row in rows_of}) != 1:
                    raise EmbeddingError(
                        f"{self.embedder.name} changed the length of its vectors;"
                        " give the model another name"
                    )
                vectors = np.stack(rows_of).astype(np.float32)
                ids = [product.product_id for product in products]
                self._space = _Space(key, ids, vectors)
            return len(missing)

    async def near(self, text: str) -> list[Near]:
        """Products near a question, the nearest first; none while the endpoint does not answer."""
        space = self._space
        if space is None or time.monotonic() < self._rests_until:
            return []
        try:
            (asked,) = await self.embedder.embed([text])
        except EmbeddingError as error:
            self._rests_until = time.monotonic() + _REST_S
            _log.warning("searching by words only", extra={"reason": str(error)})
            return []
        if len(asked) != space.vectors.shape[1]:
            return []
        similarities = space.vectors @ asked  # [N]
        most = min(_MOST_NEAR, len(similarities))
        best = np.argpartition(-similarities, most - 1)[:most]
        best = best[np.argsort(-similarities[best], kind="stable")]
        return [Near(space.ids[row], float(similarities[row])) for row in best]

    async def _fetched(self, texts: Sequence[str]) -> Vectors:
        vectors = await self.embedder.embed(texts, timeout_s=_BATCH_TIMEOUT_S)
        if len(vectors) != len(texts):
            raise EmbeddingError(f"{self.embedder.name} gave {len(vectors)} of {len(texts)}")
        return vectors
