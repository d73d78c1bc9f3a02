"""Markov removal effects, exactly: what share of the orders would be lost without a label.

Journeys are walks from a start to an order or to nothing, one state for each label. Removing a
label sends everyone who reaches it to nothing, so the loss is (chance ever to reach it) x (chance
to order from there): two figures of the one walk, instead of one solve for each removal.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction

from commerce.attribution.journeys import CountedPath

Matrix = list[list[Fraction]]
_START, _ORDER, _NOTHING = "(start)", "(order)", "(nothing)"


def removal_effects(paths: Iterable[CountedPath]) -> dict[str, Fraction]:
    """The share of all orders lost when a label is taken away, each in [0, 1].

    They do not sum to 1; ``markov_credit`` shares the orders in their proportion.
    """
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for path in paths:
        walkers = path.conversions + path.nulls
        # A label after itself only delays the walk: it changes no chance, and is left out.
        labels = [
            label
            for place, label in enumerate(path.labels)
            if place == 0 or label != path.labels[place - 1]
        ]
        for here, there in zip([_START, *labels], labels, strict=False):
            counts[here, there] += walkers
        counts[labels[-1], _ORDER] += path.conversions
        counts[labels[-1], _NOTHING] += path.nulls
    return _effects({pair: count for pair, count in counts.items() if count})


def markov_credit(paths: Sequence[CountedPath]) -> dict[str, Fraction]:
    """All orders, shared in proportion to the removal effects; sums to them exactly."""
    effects = removal_effects(paths)
    orders = sum(path.conversions for path in paths)
    total = sum(effects.values())
    if total == 0:
        return dict.fromkeys(effects, Fraction(0))
    return {label: effect * orders / total for label, effect in effects.items()}


def _effects(counts: dict[tuple[str, str], int]) -> dict[str, Fraction]:
    labels = sorted({label for pair in counts for label in pair} - {_START, _ORDER, _NOTHING})
    leaving: dict[str, int] = defaultdict(int)
    for (here, _), count in counts.items():
        leaving[here] += count

    def chance(here: str, there: str) -> Fraction:
        count = counts.get((here, there), 0)
        return Fraction(count, leaving[here]) if count else Fraction(0)

    size = len(labels)
    stay = [
        [Fraction(int(i == j)) - chance(labels[i], labels[j]) for j in range(size)]
        for i in range(size)
    ]
    visits = _inverse(stay)
    start = [chance(_START, label) for label in labels]
    ends = [chance(label, _ORDER) for label in labels]
    # From here to an order; and how often a walk comes by.
    orders = [sum((visits[i][j] * ends[j] for j in range(size)), Fraction(0)) for i in range(size)]
    coming = [sum((start[i] * visits[i][j] for i in range(size)), Fraction(0)) for j in range(size)]
    base = sum((start[i] * orders[i] for i in range(size)), Fraction(0))
    if base == 0:
        return dict.fromkeys(labels, Fraction(0))
    return {label: coming[i] / visits[i][i] * orders[i] / base for i, label in enumerate(labels)}


def _inverse(matrix: Matrix) -> Matrix:
    """Gauss and Jordan, with fractions; every walk ends, so the matrix is regular."""
    size = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(i for i in range(column, size) if rows[i][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = 1 / rows[column][column]
        rows[column] = [value * scale for value in rows[column]]
        for i in range(size):
            factor = rows[i][column]
            if i != column and factor:
                rows[i] = [
                    value - factor * top for value, top in zip(rows[i], rows[column], strict=True)
                ]
    return [row[size:] for row in rows]
