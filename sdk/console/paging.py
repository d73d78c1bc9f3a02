"""A part of a list at a time."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query

Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=200, description="Most entries.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Entries to pass over.")]


def part(rows: Sequence[Row], limit: int, offset: int) -> tuple[Sequence[Row], int | None]:
    """Some of the rows, and where the next ones begin; None when these are the last."""
    end = offset + limit
    return rows[offset:end], end if end < len(rows) else None
