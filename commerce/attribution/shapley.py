"""Shapley values of labels, where a set of labels is worth the orders it suffices for.

With that worth the fair division has a closed form: each order is shared equally by the distinct
labels of its journey. The tests compare it with the definition over all subsets.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from commerce.attribution.journeys import CountedPath


def shapley_credit(paths: Iterable[CountedPath]) -> dict[str, Fraction]:
    """Orders credited to each label; sums to all orders exactly."""
    credit: dict[str, Fraction] = defaultdict(Fraction)
    for path in paths:
        distinct = set(path.labels)
        for label in distinct:
            credit[label] += Fraction(path.conversions, len(distinct))
    return dict(credit)
