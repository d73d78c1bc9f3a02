"""The shelves on the command line: import a catalogue, look what is on them, try a question."""

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commerce.cli.console import AsJson, Database, app, fail, opened_shop, print_json, run

if TYPE_CHECKING:
    from commerce.models.values import Answer, Candidate, ImportReport, ProductCard

FileKind = StrEnum(
    "FileKind", ["csv", "shopify", "woocommerce", "google", "meta", "json", "jsonld"]
)
_SHOWN_ISSUES = 50
_EMPTY = "The shelves are empty; import a file: python -m commerce import FILE"


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="Table, feed or JSON of products; pictures lie beside it.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report only, write nothing.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take off sale what the file does not name.")
    ] = False,
    format: Annotated[  # noqa: A002
        FileKind | None, typer.Option(help="Kind of file, when its content does not tell.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON file that says what the columns mean.")
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Put the products of a file on the shelves.

    Bad rows are listed with row, column and reason; the good ones are imported. Exit status 3 says
    that rows were left out, 1 that nothing could be imported.
    """
    options: dict[str, Any] = {
        "replace": replace, "format": format.value if format else None, "mapping": mapping,
    }  # fmt: skip
    report = run(_import(file, options, dry_run=dry_run, database=database, quiet=as_json))
    if as_json:
        print_json(
            {**dataclasses.asdict(report), "path": str(report.path), "imported": report.imported}
        )
    else:
        _print_report(report)
    if report.imported == 0:
        fail(f"{file}: no row could be imported; the reasons are listed above")
    if report.rejected:
        raise typer.Exit(3)


@app.command()
def products(
    *,
    in_stock: Annotated[bool, typer.Option("--in-stock", help="Only what can be bought.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List what is on the shelves."""
    cards = run(_products(database, in_stock=in_stock))
    if as_json:
        print_json([_card_facts(card) for card in cards])
        return
    if not cards:
        typer.echo(_EMPTY, err=True)
    _print_cards([(card, "") for card in cards])


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="A question or a few words.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most products.")] = 5,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Find products for a question, as a viewer would ask it; nothing when none fits."""
    found, answer, is_empty = run(_search(text, limit, database))
    if as_json:
        print_json(
            {
                "candidates": [
                    {**_card_facts(one.card), "score": round(one.score, 4), "reason": one.reason}
                    for one in found
                ],
                "answer": None if answer is None else _answer_facts(answer),
            }
        )
        return
    if is_empty:
        typer.echo(_EMPTY, err=True)
    _print_cards([(one.card, f"{one.score:.2f}  {one.reason}") for one in found])
    typer.echo(f"Answer: {answer.text}" if answer else "No answer: the presenter keeps silent.")


async def _import(
    file: Path, options: dict[str, Any], *, dry_run: bool, database: str | None, quiet: bool
) -> "ImportReport":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from commerce.errors import CatalogueFileError

    console = Console(stderr=True)
    is_plain = quiet or not console.is_terminal
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    if not file.exists():  # noqa: ASYNC240
        # Said before the database is opened, which would create one.
        raise CatalogueFileError(f"{file} is not there; check the path")
    with Progress(*columns, console=console, transient=True, disable=is_plain) as bar:
        task = bar.add_task(f"Reading {file.name}", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, description="Importing", completed=done, total=total)

        async with opened_shop(database, may_create=False) as (shop, is_new):
            if dry_run or is_new:
                trial = await shop.import_file(file, dry_run=True, progress=progress, **options)
                if dry_run or trial.imported == 0:
                    return dataclasses.replace(trial, is_dry_run=dry_run)
        async with opened_shop(database, may_create=True) as (shop, _):
            return await shop.import_file(file, progress=progress, **options)


async def _products(database: str | None, *, in_stock: bool) -> "list[ProductCard]":
    async with opened_shop(database, may_create=False) as (shop, _):
        return await shop.products(in_stock=True if in_stock else None)


async def _search(
    text: str, limit: int, database: str | None
) -> "tuple[list[Candidate], Answer | None, bool]":
    async with opened_shop(database, may_create=False) as (shop, _):
        found, answer = await shop.search(text, limit), await shop.answer(text)
        return found, answer, not await shop.products()


def _print_report(report: "ImportReport") -> None:
    for issue in report.issues[:_SHOWN_ISSUES]:
        place = f"row {issue.row}" + (f", column {issue.column}" if issue.column else "")
        shown = f" {issue.value!r}" if issue.value else ""
        effect = "row left out" if issue.is_rejected else "cell left out"
        typer.echo(f"{place}:{shown} {issue.reason} ({effect})")
    if len(report.issues) > _SHOWN_ISSUES:
        typer.echo(f"… and {len(report.issues) - _SHOWN_ISSUES} more; --json lists them all")
    if report.ignored_columns:
        typer.echo("Columns not used: " + ", ".join(report.ignored_columns))
    verb = "Would import" if report.is_dry_run else "Imported"
    counts = f"{report.created} new, {report.updated} changed, {report.unchanged} as before"
    if report.withdrawn:
        counts += f", {report.withdrawn} taken off sale"
    counts += f"; {report.rejected} left out"
    typer.echo(f"{verb} {report.imported} of {report.rows} rows: {counts}")


def _print_cards(rows: "list[tuple[ProductCard, str]]") -> None:
    width = min(40, max((len(card.title) for card, _ in rows), default=0))
    for card, note in rows:
        stock = str(card.stock) if card.tracks_stock else "-"
        title, price = f"{card.title[:width]:{width}}", f"{card.price.display():>10}"
        typer.echo(f"{title}  {price}  {stock:>5} left  {card.sku}  {note}".rstrip())


def _card_facts(card: "ProductCard") -> dict[str, Any]:
    return {
        **dataclasses.asdict(card),
        "price": {"minor": card.price.minor, "currency": card.price.currency},
        "compare_at": card.compare_at
        and {"minor": card.compare_at.minor, "currency": card.compare_at.currency},
        "is_available": card.is_available,
    }


def _answer_facts(answer: "Answer") -> dict[str, Any]:
    sku = answer.card.sku if answer.card else None
    return {"text": answer.text, "sku": sku, "reason": answer.reason}
