"""Paths that led, or did not lead, to an order: what the attribution models read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Step:
    """One touch of a journey.

    Attributes:
        label: Who or what would earn credit; None for a direct visit.
        occurred_us: When, microseconds since 1970.
    """

    label: str | None
    occurred_us: int


@dataclass(frozen=True, slots=True)
class CountedPath:
    """The same sequence of labels, walked many times.

    Attributes:
        labels: In the order of time, at least one.
        conversions: How often it ended in an order.
        nulls: How often it ended in nothing.
    """

    labels: tuple[str, ...]
    conversions: int
    nulls: int


Weigh = Callable[[Sequence[Step], int], tuple[Fraction, ...]]
"""A heuristic: the share of each step, summing to exactly 1; of no steps, none.

The steps are in the order of time; the number is the moment of the order in microseconds.
"""
