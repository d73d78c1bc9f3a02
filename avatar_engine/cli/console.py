"""What every command shares: the app, its options, its errors in one line, its progress."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from avatar_engine.errors import AvatarEngineError

_LEAST_PX = 64

# The root of every usage error, whether Typer brings its own click or shares the system's.
UsageError: Any = typer.BadParameter.__base__


class OneLineErrors(TyperGroup):
    """Wrong usage is told in one line, as every other failure is."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and end the process with its status."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # an old terminal cannot show every title
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except UsageError as error:
            message = error.format_message()
            if "\n" in message:  # a command without arguments asks for its help
                typer.echo(message, err=True)
            else:
                self.complain(message)
            sys.exit(error.exit_code)
        sys.exit(status or 0)

    def complain(self, message: str) -> None:
        """Tell it on standard error."""
        typer.secho(f"error: {message}", err=True, fg=typer.colors.RED)


app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Build a persona from one photo, draw it, make it speak, measure it.",
)

Size = Annotated[str, typer.Option(help="Picture size: 512, or WIDTHxHEIGHT such as 720x1280.")]
RendererOption = Annotated[str, typer.Option("--renderer", help="auto, reference, cpu or cuda.")]


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class Quality(StrEnum):
    """What is asked of every picture."""

    NORMAL = "normal"
    HIGH = "high"


CompensationOption = Annotated[
    Switch,
    typer.Option("--compensation", help="Let the codebooks add what one photo does not show."),
]
Seed = Annotated[int, typer.Option(help="Same seed, same motion.", min=0)]
VoiceName = Annotated[str, typer.Option("--voice", help="Such as espeak:en-us or piper:FILE.onnx.")]


def parse_size(text: str) -> tuple[int, int]:
    """``512`` or ``720x1280`` as (width, height).

    Raises:
        typer.BadParameter: Neither form, or outside 64 to 2048, or not a multiple of 8 by 2.
    """
    from avatar_engine.types.size import size_of

    try:
        return size_of(text, _LEAST_PX)
    except ValueError as error:
        refuse("--size", text, str(error))


def write_file(path: Path, content: bytes) -> None:
    """Write a file, or leave none behind."""
    try:
        path.write_bytes(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise AvatarEngineError(f"cannot write {path}: {error.strerror}") from error


def refuse(option: str, value: str, reason: str) -> NoReturn:
    """End with wrong usage of an option, or of an argument by its name."""
    raise typer.BadParameter(f"{value!r}: {reason}", param_hint=option)


def check_output(option: str, path: Path, endings: tuple[str, ...]) -> None:
    """Refuse a place that cannot be written before the slow work, not after it."""
    folder = path.absolute().parent
    if path.is_dir():
        refuse(option, str(path), "it is a folder; name a file in it")
    if endings and path.suffix.lower() not in endings:
        refuse(option, str(path), f"the name must end in {' or '.join(endings)}")
    if not folder.is_dir():
        refuse(option, str(path), "its folder does not exist")
    if not os.access(folder, os.W_OK):
        refuse(option, str(path), "its folder may not be written")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """An expected failure is one line and status 2, never a traceback; a signal ends cleanly."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    except AvatarEngineError as error:
        typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@contextmanager
def bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error; yields ``step(what, share)``."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    is_plain = not console.is_terminal  # a log would get the empty line the bar leaves behind
    with Progress(*columns, console=console, transient=True, disable=is_plain) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda what, share: progress.update(task, description=what, completed=share)
