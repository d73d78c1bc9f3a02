"""Empties SQLite's log beside the writers, so that no commit waits for it.

Left to itself, SQLite copies the whole log into the file within whichever commit makes it too long,
and everybody who writes waits for that one. Here a thread copies while others go on writing; only
the little that came meanwhile is copied while writers wait, after which the log begins anew.
"""

import asyncio
import contextlib
import logging
import sqlite3
from contextlib import AbstractAsyncContextManager

_EVERY_S = 1.0
# In a log this long (16 MiB) reading slows down, and the next one should begin.
_LONG_PAGES = 4000
_log = logging.getLogger(__name__)


class Checkpoints:
    """Looks after one file's log. One event loop.

    Args:
        path: Of the database.
        write_turn: Held by whoever writes.
        busy_timeout_s: How long to wait for another program's checkpoint.
    """

    def __init__(
        self, path: str, write_turn: AbstractAsyncContextManager[None], busy_timeout_s: float
    ) -> None:
        self._path = path
        self._write_turn = write_turn
        self._busy_timeout_s = busy_timeout_s
        self._is_written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def committed(self) -> None:
        """Something was written."""
        self._is_written.set()
        if self._task is None:
            self._task = asyncio.create_task(self._keep_short(), name="checkpoints")

    async def aclose(self) -> None:
        """End; what is in the log stays there, as durable as before."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _keep_short(self) -> None:
        while True:
            await self._is_written.wait()
            await asyncio.sleep(_EVERY_S)
            self._is_written.clear()
            try:
                if await asyncio.to_thread(self._copy) > _LONG_PAGES:
                    async with self._write_turn:
                        await asyncio.to_thread(self._copy)
            except sqlite3.Error as error:
                # The log grows on, and is tried again with the next commit.
                _log.warning("log not emptied", extra={"reason": str(error)})

    def _copy(self) -> int:
        """Copy what no reader needs in the log; returns the log's length in pages."""
        with contextlib.closing(
            sqlite3.connect(self._path, timeout=self._busy_timeout_s, isolation_level=None)
        ) as connection:
            _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(pages)
