"""What every command of the shop shares: the Typer application, one-line errors, the open shop."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from commerce.shop import Shop

# Everything heavy is imported inside the commands, so that --help answers at once.

# The root of every usage error, whether Typer brings its own click or shares the system's.
_UsageError: Any = typer.BadParameter.__base__


class OneLineErrors(TyperGroup):
    """Wrong usage is told in one line, as every other failure is."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and end the process with its status."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # an old terminal cannot show every title
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except _UsageError as error:
            message = error.format_message()
            if "\n" in message:  # a command without arguments asks for its help
                typer.echo(message, err=True)
            else:
                typer.echo(f"Error: {message}", err=True)
            sys.exit(error.exit_code)
        sys.exit(status or 0)


app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The shop behind the presenter: catalogue, search and answers.",
)

Result = TypeVar("Result")

Database = Annotated[
    str | None,
    typer.Option(help="URL or SQLite file [default: $LIVEPITCH_DATABASE_URL, else livepitch.db]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.callback()
def main() -> None:
    """The shop behind the presenter: catalogue, search and answers."""


@asynccontextmanager
async def opened_shop(
    database: str | None, *, may_create: bool
) -> "AsyncIterator[tuple[Shop, bool]]":
    """The shop, and whether its file is new; who may not create one gets empty shelves."""
    from commerce.settings import read_settings
    from commerce.shop import Shop
    from commerce.shop.announcer import endpoints_of
    from commerce.shop.speech import speech_of

    settings = read_settings()
    where = database or settings.database_url
    is_new = _is_absent(where)
    if is_new and not may_create:
        where = ":memory:"
    async with Shop.open(where, currency=settings.currency, speech=speech_of(settings)) as shop:
        shop.announcer.tell(endpoints_of(settings))
        yield shop, is_new


def _is_absent(database: str) -> bool:
    """Whether it is a SQLite file that does not exist, in a folder that does."""
    path = Path(database.partition(":///")[2] if "://" in database else database)
    return path.name != ":memory:" and not path.exists() and path.absolute().parent.is_dir()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; what the shop raises becomes one line and status 1."""
    from commerce.errors import CommerceError

    try:
        return asyncio.run(work)
    except CommerceError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; nothing was written")


def fail(message: str) -> NoReturn:
    """One line on stderr, status 1."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(1)


def print_json(value: object) -> None:
    """Print for programs."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
