"""Which price a buyer pays (row 2 of docs/social-commerce.md)."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from commerce.checkout.prices import Offer, price
from commerce.money import Money

LIST = Money(1200, "USD")
FLASH = Offer("flash:f", "flash", "flash price", price=900)
COUPON = Offer("coupon:TEN", "coupon", "coupon TEN", percent=1000)
STACKING = Offer("coupon:MORE", "coupon", "coupon MORE", percent=1000, stacks_with=("flash",))


def test_the_best_mechanism_wins_and_says_why():
    found = price(LIST, [COUPON, FLASH])
    assert (found.unit, found.mechanism) == (900, "flash:f")
    assert found.reason == (
        "flash price: $9 instead of $12; coupon TEN not added: the best one counts"
    )


def test_nothing_stacks_unless_it_was_declared():
    assert price(LIST, [COUPON, FLASH]).unit == 900
    found = price(LIST, [STACKING, FLASH])
    assert (found.unit, found.mechanism) == (810, "flash:f+coupon:MORE")
    assert "flash price with coupon MORE" in found.reason


def test_two_reductions_that_declare_each_other_stop_at_the_floor():
    found = price(LIST, [STACKING, FLASH], floor=850)
    assert found.unit == 850
    assert "the lowest the seller allows" in found.reason


def test_a_dearer_offer_changes_nothing_and_is_told():
    found = price(LIST, [Offer("group:g", "group", "group price", price=1500)])
    assert (found.unit, found.mechanism) == (1200, "list")
    assert found.reason == "list price; group price would not make it cheaper"


def test_a_price_can_always_be_charged():
    dinar = Money(9990, "KWD")
    assert price(dinar, [Offer("coupon:X", "coupon", "X", percent=333)], step=10).unit % 10 == 0


offers = st.builds(
    Offer,
    key=st.text("abcdef", min_size=1, max_size=3),
    kind=st.sampled_from(["flash", "group", "bargain", "coupon"]),
    told=st.just("it"),
    price=st.none() | st.integers(0, 3000),
    percent=st.integers(0, 10_000),
    amount=st.integers(0, 500),
    stacks_with=st.lists(st.sampled_from(["flash", "group"]), max_size=2).map(tuple),
)


@given(
    st.integers(1, 2000),
    st.lists(offers, max_size=4, unique_by=lambda offer: offer.key),
    st.integers(0, 2500),
)
def test_the_final_price_is_the_least_of_what_is_allowed_and_never_under_the_floor(
    unit, given_offers, floor
):
    found = price(Money(unit, "USD"), given_offers, floor=floor)
    lowest = min(floor, unit)
    # The slow twin: every way of using one mechanism, or a declared second one on top.
    ways = [unit, *(offer.of(unit) for offer in given_offers)]
    ways += [
        second.of(first.of(unit))
        for first, second in permutations(given_offers, 2)
        if second.price is None and first.kind in second.stacks_with
    ]
    assert found.unit == min(unit, max(lowest, min(ways)))
    assert lowest <= found.unit <= unit
    assert len(found.used) <= 2
    if len(found.used) == 2:
        by_key = {offer.key: offer for offer in given_offers}
        first, second = (by_key[key] for key in found.used)
        assert first.kind in second.stacks_with


@given(
    st.lists(offers, min_size=2, max_size=4, unique_by=lambda offer: offer.key),
    st.randoms(use_true_random=False),
)
def test_the_order_of_offers_means_nothing(given_offers, random):
    shuffled = list(given_offers)
    random.shuffle(shuffled)
    assert price(LIST, given_offers).unit == price(LIST, shuffled).unit
    assert price(LIST, given_offers).mechanism == price(LIST, shuffled).mechanism
