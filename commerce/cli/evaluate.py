"""How good the search is on the command line: orders judged by people's ratings, and its speed."""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commerce.cli.console import AsJson, Database, app, opened_shop, print_json, run

if TYPE_CHECKING:
    from commerce.shop import Shop

_DEPTH = 10


@app.command()
def evaluate(
    ratings: Annotated[Path, typer.Argument(help="CSV with the columns query, docid, rating.")],
    *,
    catalogue: Annotated[
        Path | None, typer.Option(help="Catalogue to search instead of the shelves.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON file that says what the catalogue's columns mean.")
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Judge the order of search results by ratings: nDCG@10, MRR@10, P@1, P@3 and latency.

    The order is judged without abstention; "shown" is what is left when products below the
    threshold are not shown. Rated 2 or more is good; what nobody rated counts as 0. Where an
    endpoint for embeddings is configured, the same figures follow with it.
    """
    result = run(_evaluate(ratings, catalogue, mapping, database, quiet=as_json))
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        typer.echo(f"{name:34} {value}")


async def _evaluate(
    ratings: Path,
    catalogue: Path | None,
    mapping: Path | None,
    database: str | None,
    *,
    quiet: bool,
) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    from commerce.recommendation.evaluation import read_ratings

    rated = read_ratings(ratings)
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="livepitch-") as folder,
        Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar,
    ):
        where = database if catalogue is None else str(Path(folder) / "evaluate.db")
        async with opened_shop(where, may_create=catalogue is not None) as (shop, _):
            if catalogue is not None:
                reading = bar.add_task("Importing", total=None)
                await shop.import_file(
                    catalogue,
                    mapping=mapping,
                    progress=lambda done, total: bar.update(reading, completed=done, total=total),
                )
            fetching = bar.add_task("Preparing", total=None)
            started = time.process_time()
            ready = await shop.warm_up(
                lambda done, total: bar.update(fetching, completed=done, total=total)
            )
            index_s = time.process_time() - started
            ways = [False, True] if shop.has_embedder else [False]
            asking = bar.add_task("Searching", total=len(ways) * len(rated))
            result: dict[str, Any] = {}
            for by_meaning in ways:
                figures = await _measured(
                    shop, rated, lambda: bar.advance(asking), by_meaning=by_meaning
                )
                suffix = "_with_embeddings" if by_meaning else ""
                result |= {name + suffix: value for name, value in figures.items()}
            result["variants"] = len(await shop.versions())
            if shop.has_embedder:
                result["vectors_fetched"] = ready.vectors
            else:
                result["index_cpu_s"] = round(index_s, 3)
            return result


async def _measured(
    shop: "Shop",
    rated: dict[str, dict[str, int]],
    advance: Callable[[], None],
    *,
    by_meaning: bool,
) -> dict[str, Any]:
    from commerce.recommendation.evaluation import quality
    from commerce.recommendation.ranking import ACCEPT

    orders: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    spent_ms: list[float] = []
    for query in rated:
        started = time.process_time()
        found = await shop.search(query, _DEPTH, least_score=0, by_meaning=by_meaning)
        spent_ms.append(1000 * (time.process_time() - started))
        orders[query] = [one.card.sku for one in found]
        shown[query] = [one.card.sku for one in found if one.score >= ACCEPT]
        advance()
    spent_ms.sort()
    judged = quality(orders, rated)
    return {
        **{
            name: value if isinstance(value, int) else round(value, 4)
            for name, value in dataclasses.asdict(judged).items()
        },
        "ndcg_at_10_shown": round(quality(shown, rated).ndcg_at_10, 4),
        "queries_shown": sum(map(bool, shown.values())),
        "search_cpu_ms_p50": round(spent_ms[len(spent_ms) // 2], 2),
        "search_cpu_ms_p95": round(spent_ms[int(len(spent_ms) * 0.95)], 2),
    }
