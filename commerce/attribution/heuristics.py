"""The rule-based models: each gives every step of one journey an exact share.

A journey's result depends on that journey alone, so these may be paid by; Markov and Shapley
change when other people's journeys change, and may not.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isqrt

from commerce.attribution.journeys import Step, Weigh

HALF_LIFE_S = 7 * 24 * 3600
_FIRST_AND_LAST = Fraction(2, 5)
_BITS = 40
_FRACTION_BITS = 24
_ZERO, _ONE = Fraction(0), Fraction(1)


def first(steps: Sequence[Step], at_us: int) -> tuple[Fraction, ...]:
    """Everything to the first touch."""
    return _all_to(0, len(steps))


def last(steps: Sequence[Step], at_us: int) -> tuple[Fraction, ...]:
    """Everything to the last touch."""
    return _all_to(len(steps) - 1, len(steps))


def last_non_direct(steps: Sequence[Step], at_us: int) -> tuple[Fraction, ...]:
    """Everything to the last touch that has a label; to the last one when none has."""
    labelled = [index for index, step in enumerate(steps) if step.label is not None]
    return _all_to(labelled[-1] if labelled else len(steps) - 1, len(steps))


def linear(steps: Sequence[Step], at_us: int) -> tuple[Fraction, ...]:
    """The same to each touch."""
    return tuple(Fraction(1, len(steps)) for _ in steps)


def position(steps: Sequence[Step], at_us: int) -> tuple[Fraction, ...]:
    """40 % to the first, 40 % to the last, 20 % between; two touches share, one takes all."""
    count = len(steps)
    if count <= 2:
        return linear(steps, at_us)
    middle = (1 - 2 * _FIRST_AND_LAST) / (count - 2)
    return (_FIRST_AND_LAST, *([middle] * (count - 2)), _FIRST_AND_LAST)


def time_decay(
    steps: Sequence[Step], at_us: int, half_life_s: int = HALF_LIFE_S
) -> tuple[Fraction, ...]:
    """In proportion to 2 to the power of minus age over half-life."""
    ages = [max(0, at_us - step.occurred_us) for step in steps]
    if not ages:
        return ()
    # Only differences matter, so the youngest weighs 1 and nothing can vanish altogether.
    youngest = min(ages)
    weights = [_decayed(age - youngest, half_life_s * 1_000_000) for age in ages]
    total = sum(weights)
    return tuple(Fraction(weight, total) for weight in weights)


HEURISTICS: Mapping[str, Weigh] = {
    "first": first,
    "last": last,
    "last_non_direct": last_non_direct,
    "linear": linear,
    "time_decay": time_decay,
    "position": position,
}
"""Every rule-based model by its name."""


def _all_to(index: int, count: int) -> tuple[Fraction, ...]:
    return tuple(_ONE if place == index else _ZERO for place in range(count))


def _roots_of_a_half() -> tuple[int, ...]:
    """2 to the power of -1/2, -1/4, -1/8, … in units of 2 to the power of -80."""
    roots = []
    value = 1 << (2 * _BITS - 1)
    for _ in range(_FRACTION_BITS):
        value = isqrt(value << (2 * _BITS))
        roots.append(value)
    return tuple(roots)


_ROOTS = _roots_of_a_half()


def _decayed(age_us: int, half_life_us: int) -> int:
    """2 to the power of -age/half-life in units of 2 to the power of -40.

    Integers only: a statement is recomputed on other machines, whose ``exp`` may differ in the
    last digit.
    """
    halvings, rest = divmod(age_us, half_life_us)
    if halvings >= _BITS:
        return 0
    value = 1 << (2 * _BITS)
    fraction = (rest << _FRACTION_BITS) // half_life_us
    for place, root in enumerate(_ROOTS, start=1):
        if fraction >> (_FRACTION_BITS - place) & 1:
            value = value * root >> (2 * _BITS)
    return value >> (_BITS + halvings)
