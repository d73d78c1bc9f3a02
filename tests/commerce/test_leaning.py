"""What decides between products that suit about equally well."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.models.earnings import Relation
from commerce.models.values import ProductCard
from commerce.money import Money
from commerce.recommendation.leaning import Leaning, arranged, leant, weight_of
from commerce.recommendation.ranking import Match
from commerce.recommendation.reply import Found

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def relation(orders=1, days=0.0, *, is_cut=False):
    since = NOON - timedelta(days=days)
    return Relation("chat:a", "chat:b", orders, (), since, NOON, is_cut)


def card(sku, shelf="Home"):
    words = {"description": "", "compare_at": None, "image": None, "url": None, "brand": None}
    stock = {"stock": 9, "stock_version": 1, "tags": ()}
    price = Money(900, "USD")
    return ProductCard(sku=sku, title=sku, price=price, category=shelf, **words, **stock)


def found(sku, strength, shelf="Home"):
    return Found(card(sku, shelf), Match(1, 1.0, strength, ("x",), (), ()), True)


def test_a_relation_weighs_by_its_age_and_its_repeat_rate():
    assert weight_of(relation(), NOON) == 0
    assert weight_of(relation(days=90), NOON) == pytest.approx(0.25)
    assert weight_of(relation(orders=4), NOON) == pytest.approx(0.375)
    assert weight_of(relation(orders=4, days=90, is_cut=True), NOON) == 0
    assert weight_of(Relation("chat:a", "chat:b", 0, (), None, None, False), NOON) == 0


@given(st.integers(1, 500), st.floats(0, 5000), st.integers(0, 50), st.floats(0, 500))
def test_more_orders_and_more_days_never_weigh_less(orders, days, more, later):
    lighter = weight_of(relation(orders, days), NOON)
    assert 0 <= lighter <= weight_of(relation(orders + more, days + later), NOON) < 1


def test_one_shelf_after_the_other_and_what_was_shown_last():
    cards = [card("mug"), card("pot"), card("lamp"), card("scarf", "Wear"), card("tent", "Sport")]
    order = [one.sku for one in arranged(cards, Leaning(), 5)]
    assert order == ["mug", "scarf", "tent", "pot", "lamp"]
    after = Leaning(shown={"mug": 1, "scarf": 2})
    assert [one.sku for one in arranged(cards, after, 2)] == ["pot", "tent"]
    assert arranged(cards, Leaning(liked={"lamp": 0.3}), 1) == [cards[2]]


def test_only_equals_change_places():
    ranked = [found("mug", 10.0), found("cup", 9.5), found("pot", 4.0)]
    assert leant(ranked, Leaning()) == ranked
    leaning = Leaning(liked={"cup": 0.2, "pot": 1.0})
    assert [one.card.sku for one in leant(ranked, leaning)] == ["cup", "mug", "pot"]
