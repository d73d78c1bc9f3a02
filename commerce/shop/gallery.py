"""Pictures that a catalogue names by address: fetched when first looked at, kept, painted anew.

A viewer's browser never meets the stranger's server: it would tell it who watches. What fails is
not tried again with every viewer.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from commerce.catalogue.pictures import PictureFetcher
from commerce.database import Database
from commerce.errors import PictureError
from commerce.models.extras import FetchedPicture

_FRESH, _PATIENCE = timedelta(days=30), timedelta(minutes=10)
_MOST_KEPT = 2000
_AT_ONCE = 4
_log = logging.getLogger(__name__)


class Gallery:
    """Keeps fetched pictures in the database.

    Args:
        database: Where they lie.
        clock: Says the time; timezone-aware.
        fetcher: Fetches them; refuses private networks unless told otherwise.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        fetcher: PictureFetcher | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self.fetcher = fetcher or PictureFetcher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._under_way: dict[str, asyncio.Task[bytes | None]] = {}

    async def picture(self, url: str) -> bytes | None:
        """A picture as WebP; None when it cannot be had now."""
        digest = hashlib.sha256(url.encode(errors="replace")).hexdigest()
        async with self._database.reading() as session:
            kept = await session.get(FetchedPicture, digest)
        if kept is not None:
            age = self._clock() - kept.fetched_at
            if age < (_PATIENCE if kept.problem else _FRESH):
                return kept.content
        task = self._under_way.get(digest)
        if task is None:
            former = kept.content if kept is not None else None
            task = asyncio.create_task(self._fetch(url, digest, former))
            self._under_way[digest] = task
            task.add_done_callback(lambda done: self._under_way.pop(digest, None))
        # A viewer who leaves does not take the picture from those who wait for it too.
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Leave what is under way."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _fetch(self, url: str, digest: str, former: bytes | None) -> bytes | None:
        problem = ""
        try:
            async with self._turns:
                content: bytes | None = await self.fetcher.fetch(url)
        except PictureError as error:
            # An old picture is better than none.
            content, problem = former, str(error)[:300]
            _log.info("picture not fetched", extra={"reason": problem})
        async with self._database.writing() as session:
            await session.merge(
                FetchedPicture(
                    digest=digest, content=content, problem=problem, fetched_at=self._clock()
                )
            )
            await session.flush()
            count = await session.scalar(select(func.count()).select_from(FetchedPicture)) or 0
            if count > _MOST_KEPT:
                oldest = (
                    select(FetchedPicture.digest)
                    .order_by(FetchedPicture.fetched_at)
                    .limit(count - _MOST_KEPT)
                )
                await session.execute(
                    delete(FetchedPicture)
                    .where(FetchedPicture.digest.in_(oldest))
                    .execution_options(synchronize_session=False)
                )
        return content
