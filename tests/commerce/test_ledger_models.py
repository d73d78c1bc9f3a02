"""The attribution models: exact, compared with their definitions, with oracles and with twins."""

import csv
import gzip
import math
import os
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.attribution.bulk import Touches, credit, journeys, markov_shares
from commerce.attribution.heuristics import HALF_LIFE_S, HEURISTICS, time_decay
from commerce.attribution.journeys import CountedPath, Step
from commerce.attribution.markov import markov_credit, removal_effects
from commerce.attribution.shapley import shapley_credit
from commerce.attribution.split import rounded, split
from commerce.attribution.trust import wilson_lower_bound
from commerce.errors import LedgerError

LABELS = "abcdef"
S = 1_000_000

# A small set whose results were worked out by hand and stay fixed.
SMALL = [
    CountedPath(("a", "b"), 3, 1),
    CountedPath(("a",), 1, 4),
    CountedPath(("b", "c", "b"), 2, 0),
    CountedPath(("c",), 0, 5),
]

paths_of = st.lists(
    st.builds(
        CountedPath,
        st.lists(st.sampled_from(LABELS), min_size=1, max_size=6).map(tuple),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=12,
)
steps_of = st.lists(
    st.builds(Step, st.sampled_from([None, "a", "b", "c"]), st.integers(0, 60 * 86_400 * S)),
    max_size=12,
).map(lambda steps: sorted(steps, key=lambda step: step.occurred_us))


@given(steps_of)
def test_every_heuristic_shares_exactly_one(steps):
    at_us = 61 * 86_400 * S
    for name, weigh in HEURISTICS.items():
        shares = weigh(steps, at_us)
        assert len(shares) == len(steps), name
        assert all(0 <= share <= 1 for share in shares), name
        assert sum(shares) == (1 if steps else 0), name


def test_what_each_heuristic_means():
    steps = [Step("a", 0), Step(None, 1), Step("b", 2), Step(None, 3)]

    def shares(name, of=steps):
        return [str(share) for share in HEURISTICS[name](of, 10)]

    assert shares("first") == ["1", "0", "0", "0"]
    assert shares("last") == ["0", "0", "0", "1"]
    assert shares("last_non_direct") == ["0", "0", "1", "0"]
    assert shares("last_non_direct", steps[1:2]) == ["1"]
    assert shares("linear") == ["1/4"] * 4
    assert shares("position") == ["2/5", "1/10", "1/10", "2/5"]
    assert shares("position", steps[:2]) == ["1/2", "1/2"]
    assert shares("position", steps[:1]) == ["1"]


def test_time_decay_halves_with_each_half_life_and_needs_no_floats():
    week = HALF_LIFE_S * S
    one, two = time_decay([Step("a", 0), Step("b", week)], week)
    assert (one, two) == (Fraction(1, 3), Fraction(2, 3))
    ages = [0.1, 0.37, 1.0, 2.9, 11.0]
    steps = [Step("x", round((12 - age) * week)) for age in reversed(ages)]
    exact = [2.0**-age for age in reversed(ages)]
    for share, weight in zip(time_decay(steps, 12 * week), exact, strict=True):
        assert float(share) == pytest.approx(weight / sum(exact), rel=1e-6)


@given(paths_of)
def test_removal_effects_are_those_of_walks_that_end_where_the_label_was(paths):
    effects = removal_effects(paths)
    full = _order_chance(paths, None)
    for label, effect in effects.items():
        if full == 0:
            assert effect == 0
        else:
            assert effect == 1 - _order_chance(paths, label) / full
    assert sum(markov_credit(paths).values()) in {0, sum(path.conversions for path in paths)}


@given(paths_of)
def test_staying_at_a_label_changes_no_removal_effect(paths):
    stretched = [
        CountedPath(tuple(x for label in path.labels for x in (label,) * 3), path.conversions,
                    path.nulls)
        for path in paths
    ]  # fmt: skip
    assert removal_effects(stretched) == removal_effects(paths)


@settings(max_examples=20)
@given(paths_of)
def test_shapley_is_the_average_over_every_order_of_joining(paths):
    labels = sorted({label for path in paths for label in path.labels})

    def worth(coalition):
        return sum(path.conversions for path in paths if set(path.labels) <= coalition)

    expected = defaultdict(Fraction)
    for order in permutations(labels):
        joined: set[str] = set()
        for label in order:
            expected[label] += worth(joined | {label}) - worth(joined)
            joined.add(label)
    found = shapley_credit(paths)
    for label in labels:
        assert found[label] == expected[label] / math.factorial(len(labels))


def test_a_small_set_stays_as_worked_out_by_hand():
    # Of 16 walks 6 end in an order. Without a only 60/416 of the 156/416 are left, and so on.
    effects = {label: str(effect) for label, effect in removal_effects(SMALL).items()}
    assert effects == {"a": "8/13", "b": "5/6", "c": "5/24"}
    assert {k: str(v) for k, v in shapley_credit(SMALL).items()} == {
        "a": "5/2", "b": "5/2", "c": "1",
    }  # fmt: skip


@pytest.mark.shared
def test_the_public_journeys_give_the_published_figures():
    folder = os.environ.get("LIVEPITCH_SHARED")
    if not folder:
        pytest.skip("LIVEPITCH_SHARED names no folder with data/attribution/paths.csv.gz")
    with gzip.open(Path(folder) / "data/attribution/paths.csv.gz", "rt") as file:
        paths = [
            CountedPath(
                tuple(word.strip() for word in row["path"].split(">")),
                int(row["total_conversions"]),
                int(row["total_null"]),
            )
            for row in csv.DictReader(file)
        ]
    assert (len(paths), sum(path.conversions for path in paths)) == (10_000, 19_785)
    # ChannelAttribution 2.2.5's own figures for its own data set.
    for model, figure in (("first", 6308), ("last", 8447), ("linear", 7574.72)):
        total = Fraction(0)
        for path in paths:
            steps = [Step(label, place) for place, label in enumerate(path.labels)]
            shares = HEURISTICS[model](steps, len(steps))
            total += path.conversions * sum(
                share for step, share in zip(steps, shares, strict=True) if step.label == "alpha"
            )
        assert float(total) == pytest.approx(figure, abs=0.005)
    effects = removal_effects(paths)
    # It draws random walks: .5702, .4091, .3591, .2705, .2061, .1373. Ours is the exact limit.
    expected = {"alpha": 0.5584, "iota": 0.4058, "eta": 0.3490, "beta": 0.2640, "theta": 0.2060,
                "lambda": 0.1340}  # fmt: skip
    for label, figure in expected.items():
        assert float(effects[label]) == pytest.approx(figure, abs=0.00005)
    walked = _journeys_of(paths)
    shares = markov_shares(walked[0], len(walked[1]) + 1)
    total_effect = sum(effects.values())
    for label, effect in effects.items():
        assert shares[walked[1][label]] == pytest.approx(float(effect / total_effect), abs=1e-9)


@given(paths_of)
def test_markov_in_arrays_is_the_exact_one(paths):
    if sum(path.conversions for path in paths) == 0:
        return
    walked, number = _journeys_of(paths)
    shares = markov_shares(walked, len(number) + 1)
    exact = markov_credit(paths)
    orders = sum(exact.values())
    for label in number:
        expected = float(exact.get(label, Fraction(0)) / orders) if orders else 0
        assert shares[number[label]] == pytest.approx(expected, abs=1e-9)


touches_of = st.lists(
    st.tuples(
        st.sampled_from(["click", "view", "code"]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 30),
    ),
    max_size=40,
)


@given(touches_of, st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), max_size=8))
def test_the_fast_path_is_the_obvious_one(touches, orders):
    windows = {"click": 7, "view": 1, "code": None}
    day = 86_400 * S
    kinds = []
    for kind, window in windows.items():
        rows = [(p, label, t) for k, p, label, t in touches if k == kind]
        columns = np.array(rows, np.int64).reshape(-1, 3)
        kinds.append(
            Touches(columns[:, 0], columns[:, 1], columns[:, 2] * day,
                    None if window is None else window * day)
        )  # fmt: skip
    buyers = np.array([buyer for buyer, _ in orders], np.int64)
    paid = np.array([at for _, at in orders], np.int64) * day
    fast = journeys(buyers, paid, kinds)
    fewer = journeys(buyers, paid, kinds, has_lost=False)
    assert [list(x) for x in (fast.order, fast.label, fast.at_us)] == [
        list(x) for x in (fewer.order, fewer.label, fewer.at_us)
    ]
    for model in (*HEURISTICS, "shapley"):
        given_ = credit(model, fast)
        for index, (buyer, at) in enumerate(orders):
            steps = []
            for number, (kind, window) in enumerate(windows.items()):
                for k, person, label, day_at in touches:
                    is_inside = window is None or at - day_at <= window
                    if k == kind and person == buyer and day_at <= at and is_inside:
                        steps.append((day_at, number, label))
            steps.sort(key=lambda step: step[0])
            exact = defaultdict(Fraction)
            if model == "shapley":
                for label in {label for _, _, label in steps}:
                    exact[label] += Fraction(1, len({label for _, _, label in steps}))
            else:
                as_steps = [Step(str(label) if label else None, d * day) for d, _, label in steps]
                shares = HEURISTICS[model](as_steps, at * day)
                for (_, _, label), share in zip(steps, shares, strict=True):
                    exact[label] += share
            found = defaultdict(float)
            mine = given_.order == index
            for label, weight in zip(given_.label[mine], given_.weight[mine], strict=True):
                found[int(label)] += weight
            if len({d for d, _, _ in steps}) == len(steps):  # ties may fall either way
                for label in {*exact, *found}:
                    assert found[label] == pytest.approx(float(exact[label]), abs=1e-6)
            assert sum(found.values()) == pytest.approx(1 if steps else 0)


def test_too_many_labels_for_markov_are_refused():
    many = 2_500
    touches = Touches(np.arange(many), np.arange(1, many + 1), np.zeros(many, np.int64), None)
    walked = journeys(np.array([0]), np.array([1]), [touches])
    with pytest.raises(LedgerError, match="group by channel"):
        markov_shares(walked, many + 1)
    with pytest.raises(LedgerError, match="no attribution model"):
        credit("vibes", walked)


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.fractions(min_value=0, max_value=1000, max_denominator=10**6), max_size=12),
)
def test_splits_lose_nothing_and_are_off_by_less_than_one(total, shares):
    parts = split(total, shares)
    whole = sum(shares)
    assert sum(parts) == (total if whole else 0)
    for part, share in zip(parts, shares, strict=True):
        if whole:
            assert abs(part - total * share / whole) < 1


@given(st.fractions(max_denominator=1000, min_value=-1000, max_value=1000))
def test_rounding_is_to_the_nearest_and_a_half_goes_up(value):
    assert rounded(value) - value <= Fraction(1, 2)
    assert value - rounded(value) < Fraction(1, 2)


def test_wilson_needs_evidence_not_luck():
    assert wilson_lower_bound(0, 0) == 0
    assert wilson_lower_bound(3, 3) == pytest.approx(0.4385, abs=1e-4)
    assert wilson_lower_bound(95, 100) > wilson_lower_bound(3, 3)


def _order_chance(paths, removed):
    """The chance of an order, by following the walk with exact equations solved by substitution."""
    counts = defaultdict(lambda: defaultdict(int))
    for path in paths:
        walk = ["(start)", *path.labels]
        for here, there in pairwise(walk):
            counts[here][there] += path.conversions + path.nulls
        counts[walk[-1]]["(order)"] += path.conversions
        counts[walk[-1]]["(nothing)"] += path.nulls
    states = ["(start)", *sorted({label for path in paths for label in path.labels})]
    chance = {"(order)": {None: Fraction(1)}, "(nothing)": {}}
    equations = {}
    for state in states:
        total = sum(counts[state].values())
        equations[state] = {
            there: Fraction(count, total)
            for there, count in counts[state].items()
            if count and there != removed
        }
    # Eliminate one state after the other: x = sum(p y) with its own loop divided out.
    for state in reversed(states[1:]):
        row = equations.pop(state)
        loop = 1 - row.pop(state, Fraction(0))
        if state == removed:
            row, loop = {}, Fraction(1)
        for other in equations.values():
            share = other.pop(state, None)
            if share and loop:
                for there, weight in row.items():
                    other[there] = other.get(there, Fraction(0)) + share * weight / loop
    del chance
    return equations["(start)"].get("(order)", Fraction(0))


def _journeys_of(paths):
    """The same paths as touches of people, one journey each."""
    number = {
        label: place
        for place, label in enumerate(
            sorted({label for path in paths for label in path.labels}), start=1
        )
    }
    person, label, at = [], [], []
    buyer, paid = [], []
    who = 0
    for path in paths:
        for is_order in [True] * path.conversions + [False] * path.nulls:
            for place, word in enumerate(path.labels):
                person.append(who)
                label.append(number[word])
                at.append(place)
            if is_order:
                buyer.append(who)
                paid.append(len(path.labels))
            who += 1
    columns = [np.array(column, np.int64) for column in (person, label, at, buyer, paid)]
    touches = Touches(columns[0], columns[1], columns[2], None)
    return journeys(columns[3], columns[4], [touches]), number
