"""A private PostgreSQL server for tests, and a fresh database of either kind for each.

    async def test_both(database_url):          # runs twice: SQLite and PostgreSQL
        async with Shop.open(database_url) as shop: ...

    pytestmark = pytest.mark.usefixtures("both_databases")   # so do shops of tests.support.shops

The server listens on a socket in a temporary folder only, belongs to an unprivileged user, is
started when the first test needs it and stopped with the tests. Without PostgreSQL's programs those
tests skip; in CI that is a failure.
"""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from commerce.database import Database
from tests.support import shops

KINDS = ("sqlite", "postgresql")
_TEMPLATE = "shop_template"
_START_TIMEOUT_S = 60


class PostgresServer:
    """A running server; databases on it are copies of one with an up-to-date schema.

    Attributes:
        user: Who owns everything on it.
    """

    def __init__(self, programs: Path, folder: Path, user: str) -> None:
        self._programs = programs
        self._folder = folder
        self.user = user
        self._numbers = count(1)

    def url(self, database: str) -> str:
        """Address of a database of that name."""
        return f"postgresql://{self.user}@/{database}?host={self._folder}"

    def fresh_url(self, *, is_empty: bool = False) -> str:
        """Address of a new database, with our schema unless it is to be empty."""
        name = f"shop_{next(self._numbers)}"
        template = "template0" if is_empty else _TEMPLATE
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def make_template(self) -> None:
        """Create the database that the others copy."""
        self._sql(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
        in_a_thread(lambda: _migrated(self.url(_TEMPLATE)))

    def _sql(self, statement: str) -> None:
        command = [self._programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", self._folder, "-U", self.user, "-d", "postgres", "-c", statement]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this test process."""
    programs = _programs()
    if programs is None:
        reason = "no PostgreSQL server here (Debian: apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with _running(programs) as server:
        yield server


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """``sqlite``, then ``postgresql``."""
    kind: str = request.param
    return kind


@pytest.fixture
def fresh_database(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], str]:
    """Each call gives the address of another fresh database."""
    numbers = count(1)
    if database_kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.fresh_url
    return lambda: f"sqlite:///{shops.up_to_date(tmp_path / f'fresh-{next(numbers)}.db')}"


@pytest.fixture
def database_url(fresh_database: Callable[[], str]) -> str:
    """Address of a fresh database: one run of the test on SQLite, one on PostgreSQL."""
    return fresh_database()


@pytest.fixture
def both_databases(fresh_database: Callable[[], str]) -> Iterator[None]:
    """Shops of ``tests.support.shops`` open in fresh databases of either kind."""
    shops.where.append(fresh_database)
    yield
    shops.where.pop()


@contextmanager
def _running(programs: Path) -> Iterator[PostgresServer]:
    user = _unprivileged_user()
    # Not under pytest's folders: a socket's path must be short, and the user must reach it.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data = folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        _run(user, [programs / "initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8",
                    "--locale=C", "--no-sync"])  # fmt: skip
        settings = {
            "listen_addresses": "", "unix_socket_directories": folder, "max_connections": 100,
            "fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB",
            "autovacuum": "off", "dynamic_shared_memory_type": "mmap",
        }  # fmt: skip
        command = [str(programs / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **_as(user)
            )
        try:
            server = PostgresServer(programs, folder, user)
            _wait_until_ready(process, programs, folder)
            server.make_template()
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once, nothing is kept
            process.wait(timeout=_START_TIMEOUT_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(process: subprocess.Popen[bytes], programs: Path, folder: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    ask = [programs / "pg_isready", "-q", "-h", folder]
    while subprocess.run(ask, timeout=10, check=False).returncode != 0:
        log = (folder / "log").read_text(errors="replace")
        assert process.poll() is None, f"PostgreSQL did not start: {log}"
        assert time.monotonic() < deadline, f"PostgreSQL does not answer: {log}"
        time.sleep(0.05)


def _run(user: str, command: list[object]) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True, text=True, cwd="/", timeout=_START_TIMEOUT_S, check=False, **_as(user),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _as(user: str) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _programs() -> Path | None:
    """Where PostgreSQL's programs are; Debian keeps the server's out of PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    return versions[-1].parent if versions else None


def _unprivileged_user() -> str:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise AssertionError("no unprivileged user to run PostgreSQL as")


async def _migrated(url: str) -> None:
    await (await Database.open(url)).aclose()


def in_a_thread(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function to its end, whatever loop the caller has."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(work())).result()
