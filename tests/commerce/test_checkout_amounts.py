"""Amounts as Stripe writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.checkout.amounts import from_stripe, smallest_step, stripe_exponent, to_stripe
from commerce.errors import MoneyError
from commerce.money import Money

ZERO = [
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
]
THREE = ["BHD", "JOD", "KWD", "OMR", "TND"]


@pytest.mark.parametrize("currency", ZERO)
def test_zero_decimal_currencies_count_whole_units(currency):
    assert to_stripe(Money(500, currency)) == 500
    assert from_stripe(500, currency.lower()) == Money(500, currency)


@pytest.mark.parametrize("currency", THREE)
def test_three_decimal_currencies_end_in_a_zero(currency):
    assert to_stripe(Money(5120, currency)) == 5120
    assert smallest_step(currency) == 10
    with pytest.raises(MoneyError, match="last digits"):
        to_stripe(Money(5124, currency))


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(500, "ISK"), 500),  # five krónur, as 5.00
        (Money(5, "UGX"), 500),  # five shillings, as 5.00
        (Money(1099, "USD"), 1099),
        (Money(1050, "HUF"), 1050),  # only payouts of forints are whole
        (Money(1050, "TWD"), 1050),
    ],
)
def test_special_cases(money, written):
    assert to_stripe(money) == written
    assert from_stripe(written, money.currency) == money


def test_a_fraction_of_a_whole_currency_is_refused():
    with pytest.raises(MoneyError):
        to_stripe(Money(550, "ISK"))
    with pytest.raises(MoneyError):
        from_stripe(550, "UGX")


@pytest.mark.parametrize("minor", [-1, 100_000_000])
def test_amounts_stripe_does_not_take(minor):
    with pytest.raises(MoneyError, match="8 digits"):
        to_stripe(Money(minor, "USD"))


@given(st.sampled_from([*ZERO, *THREE, "USD", "EUR", "ISK", "UGX"]), st.integers(0, 9_000))
def test_every_chargeable_amount_comes_back_as_it_went(currency, steps):
    money = Money(steps * smallest_step(currency), currency)
    assert from_stripe(to_stripe(money), currency) == money
    assert stripe_exponent(currency) in (0, 2, 3)
