"""For the shop's tests."""

from collections.abc import Iterator

import pytest

from commerce.database import sqlite


@pytest.fixture(autouse=True, scope="session")
def hurried_disk() -> Iterator[None]:
    """Tests kill processes, never machines: waiting for the disk would prove nothing."""
    prepare = sqlite._prepare_connection

    def prepare_in_a_hurry(connection, record) -> None:
        prepare(connection, record)
        connection.cursor().execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "_prepare_connection", prepare_in_a_hurry)
        yield
