"""Group orders and bargains as pure rules (rows 11 and 13 of docs/social-commerce.md)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from commerce.checkout.bargaining import commitment_of, cuts_of, verify
from commerce.checkout.grouping import Seat, checked_ladder, leader_of, people, settle
from commerce.errors import PriceRefusedError
from tests.support.shops import NOON

LADDER = ((2, 900), (3, 800), (5, 700))
END = NOON + timedelta(hours=1)


def seat(number, *, minutes=0, left=False, quantity=1, buyer=None, paid=True):
    paid_at = NOON + timedelta(minutes=minutes) if paid else None
    return Seat(f"order_{number}", buyer or f"b{number}", quantity, 900, paid_at, left)


def test_everybody_pays_the_dearest_step_and_gets_the_difference():
    found = settle([seat(n, quantity=n) for n in (1, 2, 3)], ladder=LADDER, target=2, deadline=END)
    assert (found.state, found.unit) == ("formed", 800)
    assert dict(found.refunds) == {"order_1": 100, "order_2": 200, "order_3": 300}


def test_too_few_and_everything_goes_back():
    found = settle([seat(1, quantity=2)], ladder=LADDER, target=2, deadline=END)
    assert (found.state, found.unit, found.refunds) == ("failed", None, (("order_1", 1800),))


def test_one_buyer_with_two_orders_is_one_person():
    twice = [seat(1, buyer="ann"), seat(2, buyer="ann")]
    assert settle(twice, ladder=LADDER, target=2, deadline=END).state == "failed"


def test_who_pays_late_or_left_does_not_count():
    seats = [seat(1), seat(2, minutes=61), seat(3, left=True), seat(4, paid=False)]
    found = settle(seats, ladder=LADDER, target=2, deadline=END)
    assert found.state == "failed"
    assert dict(found.refunds) == {"order_1": 900, "order_2": 900}


def test_the_next_one_leads_when_the_leader_leaves_and_nobody_when_all_have():
    seats = [seat(1, left=True), seat(3, minutes=2), seat(2, minutes=1)]
    assert leader_of(seats, END, "b1") == "b2"
    assert leader_of(seats, END, "b3") == "b3"
    assert leader_of([seat(1, left=True)], END, "b1") is None


@pytest.mark.parametrize(
    "ladder", [[(3, 900)], [(2, 900), (3, 900)], [(2, 1300)], [(2, 0)], [], [(2, 900), (3, 950)]]
)
def test_ladders_that_make_no_sense(ladder):
    with pytest.raises(PriceRefusedError):
        checked_ladder(2, ladder, 1200)


seats = st.lists(
    st.builds(
        Seat,
        order=st.uuids().map(str),
        buyer=st.sampled_from(["a", "b", "c", "d", "e", "f"]),
        quantity=st.integers(1, 3),
        paid_unit=st.sampled_from([900, 850]),
        paid_at=st.none() | st.integers(-60, 90).map(lambda m: NOON + timedelta(minutes=m)),
        has_left=st.booleans(),
    ),
    max_size=9,
)


@given(seats)
def test_success_means_enough_paid_in_time_and_refunds_are_exact(seats):
    found = settle(seats, ladder=LADDER, target=2, deadline=END)
    counting = {
        one.buyer for one in seats if one.paid_at and one.paid_at <= END and not one.has_left
    }
    assert people(seats, END) == len(counting)
    assert (found.state == "formed") == (len(counting) >= 2)
    back = dict(found.refunds)
    for one in seats:
        paid = one.paid_unit * one.quantity if one.paid_at and not one.has_left else 0
        in_time = one.paid_at is not None and one.paid_at <= END
        keeps = found.unit if found.unit is not None and in_time else 0
        assert back.get(one.order, 0) == max(0, paid - min(paid, keeps * one.quantity))
    if found.state == "failed":
        paid = [one for one in seats if one.paid_at and not one.has_left]
        assert sum(back.values()) == sum(one.paid_unit * one.quantity for one in paid)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 100), st.integers(0, 5000), st.data())
def test_cuts_end_exactly_at_the_floor_and_can_be_checked(seed, helps, floor, data):
    start = floor + data.draw(st.integers(helps, 100_000))
    cuts = cuts_of(seed, start=start, floor=floor, helps=helps)
    assert sum(cuts) == start - floor
    assert min(cuts) >= 1
    some = data.draw(st.integers(0, helps))
    facts = {"start": start, "floor": floor, "helps": helps, "commitment": commitment_of(seed)}
    assert verify(seed=seed, cuts=cuts[:some], **facts)
    assert not verify(seed=seed[::-1] + b"x", cuts=cuts, **facts)
    if cuts:
        assert not verify(seed=seed, cuts=(cuts[0] + 1, *cuts[1:]), **facts)


def test_no_friend_is_worth_nothing():
    with pytest.raises(PriceRefusedError):
        cuts_of(b"s", start=10, floor=8, helps=3)


class GroupTrace(RuleBasedStateMachine):
    """Any trace of joining, paying, leaving and waiting, told to a plain count beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.seats: dict[str, Seat] = {}
        self.leader = "b1"
        self.paid_in_time: dict[str, str] = {}

    @rule(buyer=st.integers(1, 6), quantity=st.integers(1, 3))
    def join(self, buyer, quantity):
        order = f"order_{len(self.seats)}"
        self.seats[order] = Seat(order, f"b{buyer}", quantity, 900, None)

    @rule(data=st.data())
    @precondition(lambda self: self.seats)
    def pay(self, data):
        order = data.draw(st.sampled_from(sorted(self.seats)))
        seat = self.seats[order]
        if seat.paid_at is None and not seat.has_left:
            self.seats[order] = replace(seat, paid_at=self.now)
            if self.now <= END:
                self.paid_in_time[order] = seat.buyer

    @rule(data=st.data())
    @precondition(lambda self: self.seats)
    def leave(self, data):
        order = data.draw(st.sampled_from(sorted(self.seats)))
        if self.now <= END:
            self.seats[order] = replace(self.seats[order], has_left=True)
            self.paid_in_time.pop(order, None)
            self.leader = leader_of(list(self.seats.values()), END, self.leader) or self.leader

    @rule(minutes=st.integers(1, 25))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @invariant()
    def the_leader_is_somebody_who_paid(self):
        inside = set(self.paid_in_time.values())
        found = leader_of(list(self.seats.values()), END, self.leader)
        assert (found in inside) if inside else (found is None)

    @invariant()
    def it_succeeds_exactly_when_enough_real_buyers_paid_in_time(self):
        seats = list(self.seats.values())
        found = settle(seats, ladder=LADDER, target=2, deadline=END)
        buyers = len(set(self.paid_in_time.values()))
        assert (found.state == "formed") == (buyers >= 2)
        inside = [one for one in seats if one.paid_at is not None and not one.has_left]
        taken = sum(one.paid_unit * one.quantity for one in inside)
        kept = taken - sum(amount for _, amount in found.refunds)
        units = sum(self.seats[order].quantity for order in self.paid_in_time)
        assert kept == (found.unit or 0) * units
        assert all(amount > 0 for _, amount in found.refunds)


TestGroupTrace = GroupTrace.TestCase
