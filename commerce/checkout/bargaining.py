"""Bargaining that can be checked: every cut is fixed by a seed whose hash is told first.

The difference between the first price and the floor is divided among a stated number of friends.
The division follows from the seed alone, so nobody can make a late friend's cut smaller; once the
bargain is over the seed is told, and anybody can do the division again. Pure.
"""

import hashlib
import hmac

from commerce.errors import PriceRefusedError

MOST_HELPS = 100


def commitment_of(seed: bytes) -> str:
    """What is published before the first cut."""
    return hashlib.sha256(b"livepitch bargain\n" + seed).hexdigest()


def cuts_of(seed: bytes, *, start: int, floor: int, helps: int) -> tuple[int, ...]:
    """What each friend takes off, in the order in which they come.

    Args:
        seed: The secret; any bytes.
        start: First price in minor units.
        floor: Lowest price in minor units, below ``start``.
        helps: Friends until the floor.

    Returns:
        ``helps`` positive numbers whose sum is exactly ``start - floor``.

    Raises:
        PriceRefusedError: There is not one minor unit for every friend.
    """
    total = start - floor
    if floor < 0 or not 1 <= helps <= MOST_HELPS or total < helps:
        raise PriceRefusedError(
            f"a bargain from {start} to {floor} cannot be divided among {helps} friends"
        )
    # Everybody gets one unit for sure; the rest by weights between one and three.
    weights = [10_000 + _number(seed, place) % 20_001 for place in range(helps)]
    rest, whole = total - helps, sum(weights)
    shares = [rest * weight // whole for weight in weights]
    remainders = sorted(range(helps), key=lambda place: (-(rest * weights[place] % whole), place))
    for place in remainders[: rest - sum(shares)]:
        shares[place] += 1
    return tuple(share + 1 for share in shares)


def verify(
    *, seed: bytes, commitment: str, start: int, floor: int, helps: int, cuts: tuple[int, ...]
) -> bool:
    """Whether the cuts that were given follow from what was promised."""
    if not hmac.compare_digest(commitment_of(seed), commitment):
        return False
    return cuts_of(seed, start=start, floor=floor, helps=helps)[: len(cuts)] == cuts


def _number(seed: bytes, place: int) -> int:
    return int.from_bytes(hmac.digest(seed, b"cut %d" % place, "sha256")[:8], "big")
