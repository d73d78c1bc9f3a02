"""``python -m avatar_engine.training.synthetic --count N --work DIR [--sheet sheet.png]``."""

from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from avatar_engine.errors import ShapeError
from avatar_engine.training.synthetic.caching import fill_cache, stranger_of
from avatar_engine.training.synthetic.heads import SyntheticHead
from avatar_engine.training.synthetic.sheet import sheet_of


def main(
    work: Annotated[Path, typer.Option(help="The cache's folder; portraits are there already.")],
    count: Annotated[int, typer.Option(min=1, help="Heads in all.")] = 300,
    seed: Annotated[int, typer.Option(help="Another seed, other people.")] = 0,
    sheet: Annotated[Path | None, typer.Option(help="Picture of heads to write.")] = None,
    sheet_rows: Annotated[int, typer.Option(min=1)] = 6,
    minutes: Annotated[float, typer.Option(help="Begin none after this long.")] = float("inf"),
) -> None:
    """Sample synthetic heads into the cache; call again to go on where it was interrupted."""
    until = monotonic() + 60 * minutes
    console = Console(stderr=True)
    try:
        stranger = stranger_of(work)
    except ShapeError as error:
        raise typer.BadParameter(str(error)) from error
    if sheet is not None:
        Image.fromarray(sheet_of(stranger, seed=seed, rows=sheet_rows)).save(sheet)
        console.print(f"wrote {sheet.name}")
    columns = TextColumn("sampling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=count)

        def told(_head: SyntheticHead | None) -> None:
            progress.advance(task)

        missing = fill_cache(stranger, work, count=count, seed=seed, until=until, told=told)
    if missing:
        console.print(f"{missing} are missing; call again to go on")


if __name__ == "__main__":
    typer.run(main)
