"""A driver's failure, told in one line that names the database and the next step."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from commerce.errors import DatabaseError, DatabaseReason

Mark = tuple[str, DatabaseReason, str]
"""Part of a driver's message, what it means for programs, and what a person should do."""


@contextmanager
def failures_of(name: str, marks: Iterable[Mark]) -> Iterator[None]:
    """Turn what drivers raise into ``DatabaseError``; broken constraints pass as they are.

    Args:
        name: Of the database, without a password.
        marks: What messages mean, the most telling first.
    """
    try:
        yield
    except exc.IntegrityError:
        raise
    except (exc.DBAPIError, exc.TimeoutError) as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
        raise _told(name, cause, marks) from error
    except DatabaseError:
        raise
    except Exception as error:
        # What fails before SQLAlchemy has a connection comes from the driver as it is.
        if not _is_of_driver(error):
            raise
        raise _told(name, error, marks) from error


def _told(name: str, cause: BaseException, marks: Iterable[Mark]) -> DatabaseError:
    # SQLAlchemy wraps asyncpg's errors in its own, whose names say less.
    driver = type(cause.__cause__ or cause).__name__
    message = f"{driver}: {cause}".lower()
    for mark, reason, advice in marks:
        if mark in message:
            return DatabaseError(reason, f"database {name} {advice}")
    first = str(cause).strip().partition("\n")[0]
    return DatabaseError("failed", f"database {name} failed: {first or driver}")


def _is_of_driver(error: Exception) -> bool:
    module = type(error).__module__.partition(".")[0]
    return module in {"sqlite3", "asyncpg"}
