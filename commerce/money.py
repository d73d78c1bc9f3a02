"""Money: an exact count of minor units in one currency. No float ever touches a price."""

import re
from dataclasses import dataclass
from typing import Literal, Self

from commerce.errors import MoneyError

Separator = Literal[".", ","]

# Stripe's minor units per currency; libraries disagree on some (MGA, UGX), so the table is ours.
_DECIMALS = {
    0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF",
    2: """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD
        CAD CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD
        HKD HNL HTG HUF IDR ILS INR ISK JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD
        MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
        RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH
        USD UYU UZS WST XCD YER ZAR ZMW""",
    3: "BHD JOD KWD OMR TND",
}
_EXPONENT = {code: decimals for decimals, codes in _DECIMALS.items() for code in codes.split()}

# A sign that several currencies share means the expected one of them, else the first. Bare ¥ has no
# first: yen and yuan differ twentyfold, so it is refused unless the caller expects one of them.
_SIGNS: dict[str, tuple[str, ...]] = {
    "US$": ("USD",),
    "R$": ("BRL",),
    "A$": ("AUD",),
    "C$": ("CAD",),
    "HK$": ("HKD",),
    "S$": ("SGD",),
    "NT$": ("TWD",),
    "MX$": ("MXN",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU"),
    "€": ("EUR",),
    "£": ("GBP",),
    "CN¥": ("CNY",),
    "RMB": ("CNY",),
    "元": ("CNY",),
    "块": ("CNY",),
    "JP¥": ("JPY",),
    "円": ("JPY",),
    "日元": ("JPY",),
    "¥": ("CNY", "JPY"),
    "₩": ("KRW",),
    "원": ("KRW",),
    "₹": ("INR",),
    "RS": ("INR",),
    "₽": ("RUB",),
    "₫": ("VND",),
    "₱": ("PHP",),
    "฿": ("THB",),
    "RP": ("IDR",),
    "RM": ("MYR",),
    "ZŁ": ("PLN",),
    "KČ": ("CZK",),
    "FT": ("HUF",),
    "₪": ("ILS",),
    "₺": ("TRY",),
    "₴": ("UAH",),
    "KR": ("SEK", "NOK", "DKK"),
    "FR": ("CHF",),
}

_LANGUAGE_STYLE: dict[str, tuple[str, str, bool]] = {
    # thousands, decimal, whether the sign follows the number
    "en": (",", ".", False),
    "zh": (",", ".", False),
    "ja": (",", ".", False),
    "ko": (",", ".", False),
    "es": (".", ",", True),
    "de": (".", ",", True),
    "fr": ("\u202f", ",", True),
    "it": (".", ",", True),
    "pt": (".", ",", False),
    "id": (".", ",", False),
}
_DISPLAY_SIGN = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "CNY": "¥",
    "KRW": "₩",
    "INR": "₹",
    "BRL": "R$",
    "CAD": "C$",
    "AUD": "A$",
    "HKD": "HK$",
    "SGD": "S$",
    "TWD": "NT$",
    "MXN": "MX$",
    "VND": "₫",
    "PHP": "₱",
    "THB": "฿",
    "ILS": "₪",
    "TRY": "₺",
    "UAH": "₴",
    "RUB": "₽",
}

_NUMBER = re.compile(r"^(?P<before>[^\d]*?)(?P<number>\d[\d.,'’\s]*?)(?P<after>[^\d]*)$")
_BIGGEST_MINOR = 10**15


def exponent_of(currency: str) -> int:
    """How many decimals a currency has.

    Raises:
        MoneyError: The code is not one that can be charged.
    """
    if currency not in _EXPONENT:
        raise MoneyError(f"{currency!r} is not a currency we know; use a code such as USD or EUR")
    return _EXPONENT[currency]


def currency_of(text: str, expected: str | None = None) -> str:
    """The ISO code a code or sign stands for: ``usd``, ``€``, ``R$``.

    Args:
        text: The code or sign.
        expected: The meaning of a sign that several currencies share.

    Raises:
        MoneyError: Unknown, or ambiguous without an expectation.
    """
    return _currency_of_mark(text.strip(" .").replace("￥", "¥").upper(), expected, text)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, yen, fils) of one ISO 4217 currency.

    Amounts of two currencies neither add nor compare.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        if abs(self.minor) > _BIGGEST_MINOR:
            raise MoneyError(f"{self.minor} minor units of {self.currency} is no believable amount")

    @classmethod
    def parse(
        cls, text: str, expected: str | None = None, *, decimal: Separator | None = None
    ) -> Self:
        """Read a price as people write it: ``49.90``, ``1.299,00 €``, ``R$ 59,90``, ``USD 5``.

        Args:
            text: The price.
            expected: Currency of a bare number, and the meaning of a shared sign such as ``$``.
            decimal: What the surrounding numbers use before the decimals; guessed when None: a
                lone separator before exactly three digits then groups thousands.

        Raises:
            MoneyError: No number, a negative or too precise one, an unknown or ambiguous currency.
        """
        cleaned = " ".join(text.replace("￥", "¥").replace("\u202f", " ").split())
        match = _NUMBER.match(cleaned)
        if match is None:
            raise MoneyError(f"{text!r} is not a price; write one such as 49.90")
        before, after = match["before"].strip(), match["after"].strip()
        if before.startswith(("-", "−", "(")) or before.endswith(("-", "−")):
            raise MoneyError(f"{text!r} is negative; a price starts at 0")
        currency = _currency_of(before, after, expected, text)
        return cls(_minor_units(match["number"], exponent_of(currency), decimal, text), currency)

    @property
    def major(self) -> str:
        """The plain decimal number, such as ``"49.90"``; exact, without sign or grouping."""
        exponent = exponent_of(self.currency)
        digits = str(abs(self.minor)).rjust(exponent + 1, "0")
        sign = "-" if self.minor < 0 else ""
        if exponent == 0:
            return sign + digits
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"

    def display(self, language: str = "en") -> str:
        """The price as a page or caption shows it; whole amounts lose their empty decimals.

        Args:
            language: ISO 639-1 code; an unknown one is written as English is.
        """
        thousands, point, is_after = _LANGUAGE_STYLE.get(language[:2], _LANGUAGE_STYLE["en"])
        whole, _, decimals = self.major.lstrip("-").partition(".")
        number = f"{int(whole):,}".replace(",", thousands)
        if decimals.strip("0"):
            number += point + decimals
        sign = _DISPLAY_SIGN.get(self.currency)
        minus = "-" if self.minor < 0 else ""
        if sign is None:
            return f"{minus}{number} {self.currency}"
        if is_after:
            return f"{minus}{number} {sign}"
        return f"{minus}{sign}{' ' if language.startswith('pt') else ''}{number}"

    def __str__(self) -> str:
        return f"{self.major} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other).minor

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other).minor

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other).minor

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise MoneyError(f"{self} and {other} are different currencies; convert one first")
        return other


def _currency_of(before: str, after: str, expected: str | None, text: str) -> str:
    marks = [mark for mark in (before, after) if mark not in {"", ".", "+", ",-", "-"}]
    found: set[str] = set()
    for mark in marks:
        found.add(_currency_of_mark(mark.strip(" .").upper(), expected, text))
    if len(found) > 1:
        raise MoneyError(f"{text!r} names two currencies; keep one")
    if found:
        return found.pop()
    if expected is None:
        raise MoneyError(f"{text!r} names no currency; write one such as 49.90 USD")
    return expected


def _currency_of_mark(mark: str, expected: str | None, text: str) -> str:
    if mark in _EXPONENT:
        return mark
    if mark not in _SIGNS:
        raise MoneyError(f"{text!r} is not a price; {mark!r} is no currency we know")
    meanings = _SIGNS[mark]
    if expected in meanings:
        return str(expected)
    if mark == "¥":
        raise MoneyError(f"{text!r} may be yen or yuan; name the currency, JPY or CNY")
    return meanings[0]


def _minor_units(number: str, exponent: int, decimal: Separator | None, text: str) -> int:
    # A space or an apostrophe can only group thousands.
    compact = re.sub(r"(?<=\d)[\s'’](?=\d{3}(?!\d))", "", number).rstrip(".,").strip()
    point = decimal or _decimal_separator(compact, exponent)
    whole, _, decimals = compact.partition(point) if point else (compact, "", "")
    groups = re.split(r"[.,]", whole)
    is_grouped_well = len(groups) == 1 or (
        len(groups[-1]) == 3
        and 1 <= len(groups[0]) <= 3
        and all(len(group) in {2, 3} for group in groups[1:])
    )
    is_plain = compact.isascii() and re.fullmatch(r"[\d.,]+", compact) is not None
    if not is_grouped_well or not is_plain or not (decimals.isdigit() or not decimals):
        raise MoneyError(f"{text!r} is not a price; its dots and commas do not add up")
    if decimals[exponent:].strip("0"):
        raise MoneyError(f"{text!r} has more than {exponent} decimals")
    return int("".join(groups) + decimals[:exponent].ljust(exponent, "0"))


def _decimal_separator(compact: str, exponent: int) -> str:
    """Which separator starts the decimals; empty when there are none."""
    last = max(compact.rfind("."), compact.rfind(","))
    if last < 0:
        return ""
    point = compact[last]
    other = "," if point == "." else "."
    if compact.count(point) > 1:
        return ""
    if other in compact:
        return point
    is_thousands = len(compact) - last - 1 == 3 and not compact.startswith("0")
    # A dinar has three decimals: there a dot is one, and a comma groups.
    if is_thousands and not (exponent == 3 and point == "."):
        return ""
    return point
