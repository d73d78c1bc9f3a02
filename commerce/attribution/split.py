"""Money divided without losing or inventing a minor unit."""

from collections.abc import Sequence
from fractions import Fraction


def split(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Divide a count of minor units in proportion, by largest remainder; earlier ones win ties.

    Args:
        total: Minor units, of any sign.
        shares: Not negative; what they sum to is the whole.
    """
    whole = sum(shares, Fraction(0))
    if not shares or whole == 0:
        return [0] * len(shares)
    sign = -1 if total < 0 else 1
    exact = [abs(total) * share / whole for share in shares]
    parts = [value.numerator // value.denominator for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: abs(total) - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


def rounded(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
