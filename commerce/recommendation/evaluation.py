"""How good an order is, against people's ratings: nDCG, reciprocal rank and precision."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commerce.errors import RatingsFileError

_DEPTH = 10
_GOOD = 2
_COLUMNS = ("query", "docid", "rating")


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the queries; what nobody rated counts as rated 0.

    Attributes:
        queries: How many.
        ndcg_at_10: Gains ``2**rating - 1``, discounted by place, by the best order's.
        mrr_at_10: One over the place of the first good product.
        p_at_1: Share of queries whose first product is good.
        p_at_3: Share of good products among the first three.
    """

    queries: int
    ndcg_at_10: float
    mrr_at_10: float
    p_at_1: float
    p_at_3: float


Ratings = Mapping[str, Mapping[str, int]]
"""By query and SKU."""


def read_ratings(path: Path) -> dict[str, dict[str, int]]:
    """Read a table with the columns ``query``, ``docid`` (a SKU) and ``rating`` (0 to 3).

    Raises:
        RatingsFileError: Not such a table.
    """
    found: dict[str, dict[str, int]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
            if missing:
                raise RatingsFileError(f"{path.name} has no column {missing[0]!r}")
            for row in table:
                rating = (row["rating"] or "").strip()
                if not rating.isdecimal() or int(rating) > 10:
                    raise RatingsFileError(
                        f"{path.name}, line {table.line_num}: {rating!r} is not a rating; write 0"
                        " to 3"
                    )
                found.setdefault(row["query"], {})[row["docid"]] = int(rating)
    except OSError as error:
        raise RatingsFileError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise RatingsFileError(f"{path.name} is not a CSV file in UTF-8") from None
    if not found:
        raise RatingsFileError(f"{path.name} holds no ratings")
    return found


def quality(orders: Mapping[str, Sequence[str]], ratings: Ratings) -> Quality:
    """Judge one order of SKUs per query."""
    each = [(orders.get(query, ()), rated) for query, rated in ratings.items()]
    number = max(1, len(each))
    return Quality(
        queries=len(each),
        ndcg_at_10=sum(ndcg(order, rated) for order, rated in each) / number,
        mrr_at_10=sum(_reciprocal_rank(order, rated) for order, rated in each) / number,
        p_at_1=sum(_precision(order, rated, 1) for order, rated in each) / number,
        p_at_3=sum(_precision(order, rated, 3) for order, rated in each) / number,
    )


def ndcg(order: Sequence[str], rated: Mapping[str, int], depth: int = _DEPTH) -> float:
    """Normalised discounted cumulative gain; 0 when nothing good exists."""
    gain = sum(
        (2 ** rated.get(sku, 0) - 1) / math.log2(place + 2)
        for place, sku in enumerate(order[:depth])
    )
    ideal = sorted(rated.values(), reverse=True)[:depth]
    best = sum((2**rating - 1) / math.log2(place + 2) for place, rating in enumerate(ideal))
    return gain / best if best else 0.0


def _reciprocal_rank(order: Sequence[str], rated: Mapping[str, int]) -> float:
    for place, sku in enumerate(order[:_DEPTH], 1):
        if rated.get(sku, 0) >= _GOOD:
            return 1 / place
    return 0.0


def _precision(order: Sequence[str], rated: Mapping[str, int], depth: int) -> float:
    return sum(rated.get(sku, 0) >= _GOOD for sku in order[:depth]) / depth
