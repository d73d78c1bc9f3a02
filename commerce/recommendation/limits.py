"""Price limits in a sentence: "under 50", "entre 20 y 40", "不超过200元"."""

import re
from dataclasses import dataclass

from commerce.errors import MoneyError
from commerce.models.words import fold
from commerce.money import Money, currency_of

_SIGN_OF_WORD = {
    "dollar": "$", "dollars": "$", "buck": "$", "bucks": "$", "dolares": "$", "美元": "US$",
    "euro": "€", "euros": "€", "欧元": "€", "pound": "£", "pounds": "£", "quid": "£", "英镑": "£",
    "yuan": "元", "rmb": "元", "块钱": "元", "块": "元", "元": "元", "人民币": "元",
    "yen": "円", "日元": "円", "円": "円", "reais": "R$", "real": "R$",
    "won": "₩", "pesos": "$", "peso": "$",
}  # fmt: skip
_SIGNS = r"(?:us\$|r\$|a\$|c\$|[$€£¥₹₩]|\b(?:usd|eur|gbp|cny|jpy|brl|cad|aud|inr)\b)"
_NAMES = "|".join(sorted(map(re.escape, _SIGN_OF_WORD), key=len, reverse=True))
# 500 ml, 20 hours and 5 kg limit something else than the price.
_NOT_UNIT = (
    r"(?!\s*(?:ml|cl|l|cm|mm|m|km|kg|g|mg|oz|lb|lbs|inch|inches|in|ft|hours?|hrs?|h|mins?|minutes?"
    r"|mah|w|watts?|v|gb|tb|years?|months?|weeks?|days?|people|persons?|litros?|litres?|liters?"
    r"|horas?|anos|pieces|pcs|x)\b)(?!\s*(?:%|升|毫升|小时|克|公斤|斤|岁|个|件|厘米|天|年|人|毫安))"
)
_NUMBER = (
    rf"(?P<sign{{0}}>{_SIGNS})?\s*(?P<number{{0}}>\d+(?:[.,]\d{{{{3}}}})*(?:[.,]\d{{{{1,2}}}})?)(?!\d|[.,]\d)"
    rf"\s*(?P<name{{0}}>{_SIGNS}|(?:{_NAMES})(?![a-z]))?{_NOT_UNIT}"
)
_ONE, _FIRST, _SECOND = _NUMBER.format("a"), _NUMBER.format("a"), _NUMBER.format("b")

_BELOW_BEFORE = (
    r"(?:not? more than|no mas de|nao mais (?:de|do) que|not over|not above|under|below|less than"
    r"|cheaper than|lower than|up to|at most|max(?:imum)?(?: of)?|within|budget (?:is|of|around)?"
    r"|menos de|menos que|por debajo de|mas barato que|mas baratos que|mais barato que|hasta"
    r"|como maximo|maximo|bajo|ate|abaixo de|no maximo|presupuesto(?: de)?|orcamento(?: de)?"
    r"|不超过|不高于|低于|少于|小于|便宜过|最多|预算(?:是|在)?|<=?|≤)"
)
_BELOW_AFTER = (
    r"(?:or less|or under|or below|or cheaper|max(?:imum)?\b|o menos|ou menos|maximo"
    r"|以下|以内|之内|内)"
)
_ABOVE_BEFORE = (
    r"(?:over|above|more than|at least|starting (?:at|from)|mas de|mais de|acima de"
    r"|por encima de|a partir de|al menos|pelo menos|desde|超过|高于|不低于|至少|多于|>=?|≥)"
)
_ABOVE_AFTER = r"(?:or more|or above|and up|o mas|ou mais|以上)"
_ABOUT_BEFORE = r"(?:around|about|roughly|circa|unos|cerca de|por volta de|alrededor de|大概|大约)"
_ABOUT_AFTER = r"(?:左右|上下|or so)"

_BETWEEN = re.compile(
    rf"(?:between|from|entre|de|在|从)?\s*{_FIRST}\s*(?:and|to|y|e|a|-|–|~|到|至)\s*{_SECOND}(?:之间)?"
)
_SINGLE = (
    ("below", re.compile(rf"{_BELOW_BEFORE}\s*{_ONE}")),
    ("below", re.compile(rf"{_ONE}\s*(?:的)?{_BELOW_AFTER}")),
    ("above", re.compile(rf"{_ABOVE_BEFORE}\s*{_ONE}")),
    ("above", re.compile(rf"{_ONE}\s*{_ABOVE_AFTER}")),
    ("about", re.compile(rf"{_ABOUT_BEFORE}\s*{_ONE}")),
    ("about", re.compile(rf"{_ONE}\s*{_ABOUT_AFTER}")),
)
_BETWEEN_CUE = re.compile(r"between|entre|之间|到|至|[$€£¥]|" + _NAMES)


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """What a sentence says of prices.

    Attributes:
        minimum: Inclusive.
        maximum: Inclusive.
        rest: The folded sentence without that part.
        is_plain: Whether it is a price for sure; "about 5" may be anything.
    """

    minimum: Money | None
    maximum: Money | None
    rest: str
    is_plain: bool = False


def price_limits(text: str, currency: str) -> PriceLimits:
    """Find the limits a viewer sets.

    Args:
        text: The message.
        currency: Of numbers that name none: the catalogue's.
    """
    folded = fold(text)
    match = _BETWEEN.search(folded)
    if match is not None and _BETWEEN_CUE.search(match.group()):
        low, high = _amounts(match, currency)
        if low is not None and high is not None and low.currency == high.currency:
            low, high = min(low, high), max(low, high)
            return PriceLimits(low, high, _without(folded, match), is_plain=True)
    for kind, pattern in _SINGLE:
        match = pattern.search(folded)
        if match is None:
            continue
        amount = _amount(match, "a", currency)
        if amount is None:
            continue
        rest = _without(folded, match)
        is_plain = kind == "below" or bool(match["signa"] or match["namea"])
        if kind == "below":
            return PriceLimits(None, amount, rest, is_plain)
        if kind == "above":
            return PriceLimits(amount, None, rest, is_plain)
        # "Around 50" leaves room on both sides.
        low = Money(amount.minor * 7 // 10, amount.currency)
        high = Money(amount.minor * 13 // 10, amount.currency)
        return PriceLimits(low, high, rest, is_plain)
    return PriceLimits(None, None, folded)


def _amounts(match: re.Match[str], currency: str) -> tuple[Money | None, Money | None]:
    # In "20 to 40 euros" the second names the currency of both.
    named = match["signb"] or match["nameb"] or match["signa"] or match["namea"]
    if named:
        currency = _currency(named, currency)
    return _amount(match, "a", currency), _amount(match, "b", currency)


def _amount(match: re.Match[str], which: str, currency: str) -> Money | None:
    named = match[f"sign{which}"] or match[f"name{which}"]
    try:
        return Money.parse(match[f"number{which}"], _currency(named, currency))
    except MoneyError:
        return None


def _currency(named: str | None, expected: str) -> str:
    if not named:
        return expected
    try:
        return currency_of(_SIGN_OF_WORD.get(named, named), expected)
    except MoneyError:
        # A bare yen-or-yuan sign in a shop that sells in neither.
        return expected


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"
