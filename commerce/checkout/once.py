"""Rows that are written once, whoever comes first."""

from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.models.tables import Base


async def insert_once(session: AsyncSession, table: type[Base], values: dict[str, Any]) -> bool:
    """Insert a row unless one with the same unique key is there; returns whether it was new."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if is_postgresql else sqlite.insert
    # The table itself, not the mapped class: its defaults apply, and nothing is read back.
    done = await session.execute(
        insert(cast(Table, table.__table__)).values(**values).on_conflict_do_nothing()
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
