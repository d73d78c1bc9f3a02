"""How a language says numbers, prices and measures: the pattern its words are filled into."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from avatar_engine.speech.numbers import Quantity, Separator

Currency = str
"""ISO 4217 code."""

MINOR_DIGITS: Mapping[Currency, int] = {"JPY": 0, "KRW": 0, "VND": 0, "IDR": 0}
"""Decimals of the currencies that do not have two; the rupiah's are never spoken."""

AS_WRITTEN = ","
"""A ``point`` that keeps the decimals as they are written."""


def _digits(number: int) -> str:
    return str(number)


@dataclass(frozen=True)
class Language:
    """The words of one language.

    Attributes:
        decimal: Its decimal separator.
        cardinal: Reads a whole number; plain digits where espeak does it well.
        point: Between whole and decimals, with its spaces; a comma keeps the decimals as written.
        joint: Between the major and the minor part of a price.
        says_minor: The minor unit is named ("ninety cents") or not ("con 90").
        percent: ``{n}`` is the number.
        times: For "2x".
        by: For "10 x 15".
        to: For ranges, "5-10".
        per: For "€5/kg".
        minus, plus, ampersand: Signs.
        currencies: Code to (one, many, one minor, many minor).
        units: Written unit to (one, many).
        scales: Letters behind a price's number to words ("k" to "thousand").
        short_forms: Abbreviations, without their full stop where it is optional.
    """

    decimal: Separator = "."
    cardinal: Callable[[int], str] = _digits
    point: str = " "
    joint: str = " "
    says_minor: bool = False
    percent: str = "{n} %"
    times: str = "{n} x"
    by: str = " x "
    to: str = " - "
    per: str = " / "
    minus: str = "- "
    plus: str = " + "
    ampersand: str = " & "
    currencies: Mapping[Currency, tuple[str, str, str, str]] = field(default_factory=dict)
    units: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    scales: Mapping[str, str] = field(default_factory=dict)
    short_forms: Mapping[str, str] = field(default_factory=dict)

    def number(self, quantity: Quantity) -> str:
        """A number in words or digits the voice reads; leading zeros are read one by one."""
        whole = quantity.whole
        if len(whole) > 15 or (len(whole) > 1 and whole.startswith("0")):
            spoken = " ".join(self.cardinal(int(digit)) for digit in whole)
        else:
            spoken = self.cardinal(int(whole or "0"))
        if self.point == AS_WRITTEN and quantity.fraction:
            spoken += self.decimal + quantity.fraction
        elif quantity.fraction.strip("0"):
            spoken += self.point + " ".join(self.cardinal(int(d)) for d in quantity.fraction)
        return spoken

    def price(self, quantity: Quantity, currency: Currency) -> str:
        """A price in words."""
        one, many, minor_one, minor_many = self.currencies.get(currency) or (
            *(_COMMON_NAMES.get(currency, currency),) * 2,
            "",
            "",
        )
        digits = MINOR_DIGITS.get(currency, 2)
        minor = int((quantity.fraction + "00")[:digits] or "0") if digits else 0
        if len(quantity.fraction) > digits and quantity.fraction.strip("0"):
            return f"{self.number(quantity)} {many}"  # "$0.125": not a shop price
        whole = int(quantity.whole or "0")
        cents = f"{self.cardinal(minor)} {minor_one if minor == 1 else minor_many}"
        if whole == 0 and minor and minor_many:
            return cents
        major = f"{self.cardinal(whole)} {one if whole == 1 else many}"
        if not minor:
            return major
        return major + self.joint + (cents if self.says_minor else self.cardinal(minor))

    def _name(self, currency: Currency) -> str:
        return self.currencies.get(currency, (_COMMON_NAMES.get(currency, currency),))[0]


_COMMON_NAMES = {
    "USD": "dollar", "EUR": "euro", "GBP": "pound", "JPY": "yen", "CNY": "yuan", "KRW": "won",
    "INR": "rupee", "IDR": "rupiah", "BRL": "real", "MXN": "peso", "CHF": "franc", "RUB": "rubl",
    "THB": "baht", "TRY": "lira", "VND": "dong", "PHP": "peso", "MYR": "ringgit", "PLN": "zloty",
    "SEK": "krona", "CZK": "koruna", "AED": "dirham", "SAR": "riyal", "ILS": "shekel",
}  # fmt: skip


class Chinese(Language):
    """Prices without a minor unit, and a two of its own before measures."""

    def price(self, quantity: Quantity, currency: Currency) -> str:
        """A price in words."""
        name = self._name(currency)
        quantity = Quantity(quantity.whole, quantity.fraction.rstrip("0"))
        return ("两" if quantity == Quantity("2") else self.number(quantity)) + name


class WrittenPrices(Language):
    """Prices as they are written, and the currency's name."""

    def price(self, quantity: Quantity, currency: Currency) -> str:
        """A price in words."""
        name = self._name(currency)
        whole = Quantity(quantity.whole, quantity.fraction if quantity.fraction.strip("0") else "")
        return f"{self.number(whole)} {name}"
