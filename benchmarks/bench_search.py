"""What the shop costs: importing a large catalogue, and one viewer's question to it.

    python benchmarks/bench_search.py [--rows 10000] [--icecat FOLDER]

Writes a seeded catalogue of so many rows, imports it twice into a fresh SQLite file, and asks it
200 questions. With LIVEPITCH_SHARED set (or --icecat) it does the same with the 19,406 Icecat
products, whose human ratings give nDCG@10 of the order. Writes benchmarks/results/search.json.
"""

import argparse
import asyncio
import csv
import gzip
import json
import math
import os
import random
import resource
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import write_result  # noqa: E402
from commerce.shop import Shop  # noqa: E402

KINDS = ("mug", "lamp", "backpack", "scarf", "kettle", "blanket", "speaker", "notebook", "vase",
         "jacket", "candle", "pillow", "towel", "watch", "wallet", "umbrella")  # fmt: skip
MANNERS = ("wool", "steel", "oak", "linen", "ceramic", "canvas", "glass", "bamboo", "copper")
COLOURS = ("red", "navy", "cream", "sage", "black", "rust", "lilac", "sand")
NAMES = ("Fjord", "Harbor", "Arc", "Morning", "Trail", "Dew", "Pebble", "Cloud", "Ember", "Tide")


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    shared = os.environ.get("LIVEPITCH_SHARED")
    default = Path(shared) / "data" / "commerce" / "icecat" if shared else None
    parser.add_argument("--icecat", type=Path, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "catalogue.csv"
        questions = write_catalogue(file, options.rows)
        result: dict[str, Any] = {"seeded": asyncio.run(measured(file, questions))}
        if options.icecat is not None and options.icecat.exists():
            ratings = read_ratings(options.icecat / "ratings_dev.csv")
            write_icecat(options.icecat / "icecat_products.jsonl.gz", file)
            result["icecat"] = asyncio.run(measured(file, list(ratings), ratings))
    method = "process time of one process; search is the whole call, from text to cards"
    write_result("search", result, method=method)


async def measured(
    file: Path, questions: list[str], ratings: dict[str, dict[str, int]] | None = None
) -> dict[str, Any]:
    """Import a file twice and ask it every question."""
    database = file.with_suffix(".db")
    database.unlink(missing_ok=True)
    async with Shop.open(str(database)) as shop:
        first, first_s = await timed(shop.import_file(file))
        again, again_s = await timed(shop.import_file(file))
        await shop.search("warm up")
        spent, gains = [], []
        for question in questions:
            found, cpu_s = await timed(shop.search(question, limit=10))
            spent.append(cpu_s * 1000)
            if ratings is not None:
                gains.append(ndcg([one.card.sku for one in found], ratings[question]))
    spent.sort()
    result: dict[str, Any] = {
        "rows": first.rows,
        "imported": first.created,
        "rejected": first.rejected,
        "import_cpu_s": round(first_s, 2),
        "import_again_cpu_s": round(again_s, 2),
        "unchanged_on_second_import": again.unchanged,
        "questions": len(questions),
        "search_cpu_ms_p50": round(spent[len(spent) // 2], 2),
        "search_cpu_ms_p95": round(spent[int(len(spent) * 0.95)], 2),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    if gains:
        result["ndcg_at_10"] = round(sum(gains) / len(gains), 4)
    return result


async def timed(work: Any) -> tuple[Any, float]:
    """A result and the CPU seconds, of all threads, that it took."""
    started = time.process_time()
    return await work, time.process_time() - started


def ndcg(ranking: list[str], rated: dict[str, int]) -> float:
    """nDCG@10 with exponential gains; what nobody rated counts as 0."""
    gain = sum(
        (2 ** rated.get(sku, 0) - 1) / math.log2(place + 2)
        for place, sku in enumerate(ranking[:10])
    )
    ideal = sorted(rated.values(), reverse=True)[:10]
    best = sum((2**rating - 1) / math.log2(place + 2) for place, rating in enumerate(ideal))
    return gain / best if best else 0.0


def write_catalogue(path: Path, rows: int) -> list[str]:
    """A seeded catalogue, and questions to it."""
    chance = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("sku", "title", "price", "stock", "brand", "colour", "tags", "description"))
        for number in range(rows):
            kind, manner = chance.choice(KINDS), chance.choice(MANNERS)
            colour, name = chance.choice(COLOURS), chance.choice(NAMES)
            text = (
                f"A {colour} {kind} of {manner}. " + " ".join(chance.choices(MANNERS, k=30)) + "."
            )
            price = f"{chance.randint(500, 20000) / 100:.2f}"
            title, stock = f"{name} {manner} {kind} {number}", chance.randint(0, 50)
            tags = f"{kind}, {manner}"
            table.writerow((f"p{number}", title, price, stock, name, colour, tags, text))
    forms = ("do you have a {c} {k} under {n}?", "{m} {k}", "any {k} between {n} and 90?",
             "looking for a {m} {k} in {c}", "{k}s in stock?")  # fmt: skip
    return [
        chance.choice(forms).format(
            c=chance.choice(COLOURS), k=chance.choice(KINDS), m=chance.choice(MANNERS),
            n=chance.randint(10, 80),
        )
        for _ in range(200)
    ]  # fmt: skip


def write_icecat(source: Path, path: Path) -> None:
    """The Icecat products as a plain table; prices are in minor units of an unnamed currency."""
    with (
        gzip.open(source, "rt", encoding="utf-8") as lines,
        path.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow(("sku", "title", "price", "brand", "tags", "description", "image"))
        for line in lines:
            row = json.loads(line)
            words = [str(value) for key, value in row.items() if key.startswith("attr_t_")]
            price = f"{row.get('price', 0) / 100:.2f}"
            title = row.get("title") or row.get("name") or ""
            description = f"{row.get('short_description') or ''}. {' '.join(words)}"
            table.writerow((row["id"], title, price, row.get("supplier", ""),
                            row.get("attr_t_product_type", ""), description,
                            row.get("img_500x500", "")))  # fmt: skip


def read_ratings(path: Path) -> dict[str, dict[str, int]]:
    """Human ratings by query and product."""
    ratings: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ratings[row["query"]][row["docid"]] = int(row["rating"])
    return dict(ratings)


if __name__ == "__main__":
    main()
