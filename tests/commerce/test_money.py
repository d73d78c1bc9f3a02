"""Money: exact in both directions, and honest about what it cannot read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.errors import MoneyError
from commerce.money import Money, currency_of, exponent_of


@pytest.mark.parametrize(
    ("text", "expected", "minor", "currency"),
    [
        ("49.90", "USD", 4990, "USD"),
        ("49,90", "EUR", 4990, "EUR"),
        ("1.299,00 €", None, 129900, "EUR"),
        ("1,299.00", "USD", 129900, "USD"),
        ("1 299,00", "EUR", 129900, "EUR"),
        ("1'299.00 CHF", None, 129900, "CHF"),
        ("1,29,900.00", "INR", 12990000, "INR"),
        ("1.299", "EUR", 129900, "EUR"),
        ("1.299.000", "IDR", 129900000, "IDR"),
        ("¥199", "JPY", 199, "JPY"),
        ("￥199", "CNY", 19900, "CNY"),
        ("199元", None, 19900, "CNY"),
        ("1,980円", None, 1980, "JPY"),
        ("199.00", "JPY", 199, "JPY"),
        ("R$ 59,90", None, 5990, "BRL"),
        ("$5", None, 500, "USD"),
        ("$5", "CAD", 500, "CAD"),
        ("USD 15.5", "EUR", 1550, "USD"),
        ("15.00 USD", None, 1500, "USD"),
        ("usd 3", None, 300, "USD"),
        ("1.250 KWD", None, 1250, "KWD"),
        ("1,250 KWD", None, 1250000, "KWD"),
        ("0.99", "USD", 99, "USD"),
        ("5,-", "EUR", 500, "EUR"),
        ("0", "USD", 0, "USD"),
    ],
)
def test_prices_as_people_write_them(text, expected, minor, currency):
    assert Money.parse(text, expected) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    ["", "free", "-5", "−5.00", "(5.00)", "1.2.3", "12,34,5", "4.999,99 USD EUR", "5 dogs", "1e3",
     "NaN", "٣٫٥٠", "49.9051", "$", "5 6 7 8", "0x10", "1.29,00.0"],
)  # fmt: skip
def test_what_is_no_price_is_refused(text):
    with pytest.raises(MoneyError):
        Money.parse(text, "USD")


def test_the_yen_or_yuan_sign_alone_is_ambiguous():
    with pytest.raises(MoneyError, match="JPY or CNY"):
        Money.parse("¥199", "USD")


def test_a_bare_number_needs_a_currency():
    with pytest.raises(MoneyError, match="names no currency"):
        Money.parse("49.90")


def test_the_column_decides_what_a_lone_separator_means():
    assert Money.parse("1.299", "EUR", decimal=",").minor == 129900
    with pytest.raises(MoneyError, match="more than 2 decimals"):
        Money.parse("1.299", "USD", decimal=".")


CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KRW", "KWD", "BRL", "CNY", "MGA", "HUF"])
AMOUNTS = st.builds(Money, st.integers(0, 10**12), CURRENCIES)


@given(AMOUNTS)
def test_the_plain_number_comes_back_exactly(money):
    assert Money.parse(money.major, money.currency, decimal=".") == money


@given(AMOUNTS, st.sampled_from(["en", "es", "pt", "zh", "de", "fr", "id", "xx"]))
def test_what_is_displayed_reads_back_exactly(money, language):
    decimal = "," if language in {"es", "pt", "de", "fr", "id"} else "."
    assert Money.parse(money.display(language), money.currency, decimal=decimal) == money


@given(st.text(max_size=24))
def test_any_text_is_a_price_or_a_money_error(text):
    try:
        money = Money.parse(text, "USD")
    except MoneyError:
        return
    assert money.minor >= 0


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), CURRENCIES)
def test_arithmetic_is_that_of_integers(first, second, currency):
    a, b = Money(first, currency), Money(second, currency)
    assert (a + b).minor == first + second
    assert (a - b) + b == a
    assert (a < b) == (first < second)
    assert (a * 3).minor == first * 3


def test_two_currencies_never_meet():
    with pytest.raises(MoneyError, match="different currencies"):
        _ = Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(MoneyError, match="different currencies"):
        _ = Money(1, "USD") < Money(1, "EUR")


@pytest.mark.parametrize(
    ("money", "language", "shown"),
    [
        (Money(4990, "USD"), "en", "$49.90"),
        (Money(5400, "USD"), "en", "$54"),
        (Money(129900, "EUR"), "es", "1.299 €"),
        (Money(129950, "EUR"), "en-GB", "€1,299.50"),
        (Money(5990, "BRL"), "pt-BR", "R$ 59,90"),
        (Money(19900, "CNY"), "zh", "¥199"),
        (Money(1980, "JPY"), "en", "¥1,980"),
        (Money(1250, "KWD"), "en", "1.250 KWD"),
        (Money(-500, "USD"), "en", "-$5"),
    ],
)
def test_display(money, language, shown):
    assert money.display(language) == shown


def test_exponents_follow_the_payment_provider():
    assert [exponent_of(code) for code in ("JPY", "MGA", "UGX", "ISK", "USD", "KWD")] == [
        0, 0, 0, 2, 2, 3,
    ]  # fmt: skip
    with pytest.raises(MoneyError, match="'XXX'"):
        Money(1, "XXX")


def test_signs_and_codes():
    assert currency_of("€") == "EUR"
    assert currency_of("$", "AUD") == "AUD"
    with pytest.raises(MoneyError):
        currency_of("doubloons")
