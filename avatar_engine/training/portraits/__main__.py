"""``python -m avatar_engine.training.portraits --photos DIR [--photos DIR] --work DIR``."""

from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from avatar_engine.errors import ShapeError
from avatar_engine.training.labels.gathering import photos_in
from avatar_engine.training.portraits.gathering import gather
from avatar_engine.training.portraits.index import entries_of


def main(
    photos: Annotated[list[Path], typer.Option(help="Folder of .jpg or .png; repeatable.")],
    work: Annotated[Path, typer.Option(help="The cache's folder.")],
    csv: Annotated[
        Path | None, typer.Option(help="Table with the columns file, gender and ethnicity.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Begin no photo after this long.")] = float("inf"),
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Unwrap portraits for the codebooks; call again to go on where it was interrupted."""
    until = monotonic() + 60 * minutes
    for folder in photos:
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is no folder")
    found = photos_in(photos)
    if not found:
        raise typer.BadParameter("the folders hold no .jpg or .png")
    try:
        entries = entries_of(csv, found)
    except (OSError, ShapeError) as error:
        raise typer.BadParameter(str(error)) from error
    console = Console(stderr=True)
    columns = TextColumn("unwrapping"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    refused = 0
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(found))

        def told(name: str, reason: str | None) -> None:
            nonlocal refused
            progress.advance(task)
            if reason is not None:
                refused += 1
                console.print(f"left out {name}: {reason}", highlight=False, soft_wrap=True)

        missing = gather(found, entries, work, workers=workers, until=until, told=told)
    console.print(f"{len(found) - missing} of {len(found)} looked at, {refused} newly left out")
    if missing:
        console.print("call again to go on")


if __name__ == "__main__":
    typer.run(main)
