"""The shop's database: SQLite by default, PostgreSQL by URL; failures are told in one line."""

from commerce.database.connection import Database

__all__ = ["Database"]
