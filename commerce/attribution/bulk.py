"""The models over millions of touches at once, in arrays; twins of the exact functions.

Journeys are rows of (order, label), ordered by order and time. Label 0 is a direct visit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commerce.attribution.heuristics import HALF_LIFE_S
from commerce.errors import LedgerError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_MARKOV_LABELS = 2_000


@dataclass(frozen=True, slots=True)
class Touches:
    """Touches of one kind.

    Attributes:
        person: Who, one number each.
        label: Who or what would earn; 0 for a direct visit.
        at_us: When.
        window_us: For how long before an order they count; None for ever.
    """

    person: Ints
    label: Ints
    at_us: Ints
    window_us: int | None


@dataclass(frozen=True, slots=True)
class Journeys:
    """What led to each order, and what led nowhere.

    Attributes:
        order: Index of the order of each step, ascending.
        label: Label of each step, in the order of time.
        at_us: When, for each step.
        paid_us: When each order was paid.
        lost_person: Person of each step that belongs to no order, ascending.
        lost_label: Its label, in the order of time.
    """

    order: Ints
    label: Ints
    at_us: Ints
    paid_us: Ints
    lost_person: Ints
    lost_label: Ints


@dataclass(frozen=True, slots=True)
class Credit:
    """Shares of orders: each row gives ``weight`` of ``order`` to ``label``."""

    order: Ints
    label: Ints
    weight: Floats


def journeys(
    buyer: Ints, paid_us: Ints, touches: list[Touches], *, has_lost: bool = True
) -> Journeys:
    """Join orders with the touches of their buyers inside each kind's window.

    Args:
        buyer: Person of each order.
        paid_us: When each order was paid.
        touches: One entry for each kind.
        has_lost: Whether walks that led nowhere are wanted too; only Markov reads them.
    """
    pieces = []
    lost = []
    for every in touches:
        kind = every if has_lost else _of(buyer, every)
        by_person = np.lexsort((kind.at_us, kind.person))
        person, at_us = kind.person[by_person], kind.at_us[by_person]
        low = np.searchsorted(person, buyer, side="left")
        high = np.searchsorted(person, buyer, side="right")
        end = _bisect(at_us, low, high, paid_us, is_right=True)
        start = low
        if kind.window_us is not None:
            start = _bisect(at_us, low, high, paid_us - kind.window_us, is_right=False)
        count = np.maximum(end - start, 0)
        order = np.repeat(np.arange(len(buyer)), count)
        offset = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
        step = np.repeat(start, count) + offset
        label = kind.label[by_person]
        pieces.append((order, label[step], at_us[step]))
        is_lost = np.ones(len(person), bool)
        is_lost[step] = False
        lost.append((person[is_lost], label[is_lost], at_us[is_lost]))
    order, label, at_us = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    steps = np.lexsort((at_us, order))
    person, lost_label, lost_at = (np.concatenate(parts) for parts in zip(*lost, strict=True))
    walk = np.lexsort((lost_at, person))
    return Journeys(
        order[steps], label[steps], at_us[steps], paid_us, person[walk], lost_label[walk]
    )


def credit(model: str, of: Journeys) -> Credit:
    """The shares of a rule-based model, or Shapley's.

    Raises:
        LedgerError: No such model.
    """
    if len(of.order) == 0:
        return Credit(of.order, of.label, np.zeros(0))
    if model == "shapley":
        return _shapley(of)
    if model not in _WEIGHTS:
        raise LedgerError(f"{model!r} is no attribution model; use one of {', '.join(_WEIGHTS)}")
    starts = np.flatnonzero(np.diff(of.order, prepend=-1))
    count = np.diff(np.append(starts, len(of.order)))
    weight = _WEIGHTS[model](of, starts, count)
    is_paid = weight > 0
    return Credit(of.order[is_paid], of.label[is_paid], weight[is_paid])


def markov_shares(of: Journeys, labels: int) -> Floats:
    """Each label's share of the orders, in proportion to what would be lost without it.

    Args:
        of: The journeys.
        labels: One more than the highest label.

    Returns:
        ``[labels]``, summing to 1, or zeros when no journey led to an order.

    Raises:
        LedgerError: Too many labels to solve for.
    """
    present = np.unique(np.concatenate([of.label, of.lost_label]))
    if len(present) > MOST_MARKOV_LABELS:
        raise LedgerError(
            f"Markov shares of {len(present)} different keys would take too long; group by channel"
            f" or group, or take a shorter time (at most {MOST_MARKOV_LABELS})"
        )
    index = np.full(labels, -1)
    index[present] = np.arange(len(present))
    size = len(present)
    start, order, nothing = size, size + 1, size + 2
    flow = _flow(of.order, index[of.label], start, order, size + 3)
    flow += _flow(of.lost_person, index[of.lost_label], start, nothing, size + 3)
    leaving = flow.sum(axis=1)
    leaving[leaving == 0] = 1
    chance = flow / leaving[:, None]
    visits = np.linalg.inv(np.eye(size) - chance[:size, :size])
    to_order = visits @ chance[:size, order]
    coming = chance[start, :size] @ visits
    loss = coming / np.diagonal(visits) * to_order
    shares = np.zeros(labels)
    if loss.sum() > 0:
        shares[present] = loss / loss.sum()
    return shares


def _of(people: Ints, touches: Touches) -> Touches:
    """Those of some people only."""
    highest = max(people.max(initial=0), touches.person.max(initial=0))
    is_one = np.zeros(highest + 1, bool)
    is_one[people] = True
    mine = is_one[touches.person]
    return Touches(
        touches.person[mine], touches.label[mine], touches.at_us[mine], touches.window_us
    )


def _flow(walk: Ints, label: Ints, start: int, end: int, size: int) -> Floats:
    """How often walks went from one state to the next, ``[size, size]``, without self-loops."""
    if len(walk) == 0:
        return np.zeros((size, size))
    is_first = np.diff(walk, prepend=walk[0] - 1) != 0
    is_same = ~is_first & (np.diff(label, prepend=-1) == 0)
    walk, label, is_first = walk[~is_same], label[~is_same], is_first[~is_same]
    before = np.where(is_first, start, np.concatenate([[start], label[:-1]]))
    last = label[np.append(is_first[1:], True)]
    pairs = np.concatenate([before * size + label, last * size + end])
    return np.bincount(pairs, minlength=size * size).reshape(size, size).astype(np.float64)


def _bisect(values: Ints, low: Ints, high: Ints, target: Ints, *, is_right: bool) -> Ints:
    """``searchsorted`` inside a section of its own for each target."""
    low, high = low.copy(), high.copy()
    while True:
        is_open = low < high
        if not is_open.any():
            return low
        middle = (low + high) // 2
        probe = values[np.minimum(middle, len(values) - 1)]
        goes_right = is_open & ((probe <= target) if is_right else (probe < target))
        low = np.where(goes_right, middle + 1, low)
        high = np.where(is_open & ~goes_right, middle, high)


def _first(of: Journeys, starts: Ints, count: Ints) -> Floats:
    return _marks(len(of.order), starts)


def _last(of: Journeys, starts: Ints, count: Ints) -> Floats:
    return _marks(len(of.order), starts + count - 1)


def _last_non_direct(of: Journeys, starts: Ints, count: Ints) -> Floats:
    labelled = np.where(of.label > 0, np.arange(len(of.label)), -1)
    latest = np.maximum.reduceat(labelled, starts)
    return _marks(len(of.order), np.where(latest >= 0, latest, starts + count - 1))


def _linear(of: Journeys, starts: Ints, count: Ints) -> Floats:
    return np.repeat(1 / count, count)


def _position(of: Journeys, starts: Ints, count: Ints) -> Floats:
    weight = np.repeat(np.where(count > 2, 0.2 / np.maximum(count - 2, 1), 1 / count), count)
    for end in (starts, starts + count - 1):
        weight[end[count > 2]] = 0.4
    return weight


def _time_decay(of: Journeys, starts: Ints, count: Ints) -> Floats:
    # Only differences matter, so each journey counts back from its own last step.
    age_us = np.repeat(of.at_us[starts + count - 1], count) - of.at_us
    weight = np.exp2(-age_us / (HALF_LIFE_S * 1e6))
    shares: Floats = weight / np.repeat(np.add.reduceat(weight, starts), count)
    return shares


_WEIGHTS = {
    "first": _first,
    "last": _last,
    "last_non_direct": _last_non_direct,
    "linear": _linear,
    "time_decay": _time_decay,
    "position": _position,
}


def _marks(size: int, where: Ints) -> Floats:
    weight = np.zeros(size)
    weight[where] = 1
    return weight


def _shapley(of: Journeys) -> Credit:
    labels = int(of.label.max()) + 1
    pairs = np.unique(of.order * labels + of.label)
    order, label = pairs // labels, pairs % labels
    return Credit(order, label, 1 / np.bincount(order)[order])
