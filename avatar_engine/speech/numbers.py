"""Numbers as people write them, and as the voices can read them."""

import re
from dataclasses import dataclass
from typing import Literal

NUMBER = r"(?:\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,]\d+)?)"
"""A number with any separators, as a regular expression without groups."""

Separator = Literal[".", ","]

_GROUPING = re.compile(r"['’\u00a0\u202f ]")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A written number: ``whole`` without separators, ``fraction`` its decimals as written."""

    whole: str
    fraction: str = ""


def parse_number(written: str, decimal: Separator, *, is_price: bool = False) -> Quantity:
    """Read a number whose separators may be those of another country.

    Args:
        written: Matches :data:`NUMBER`.
        decimal: The language's own decimal separator; settles what the number itself leaves open.
        is_price: No price has three decimals, so a lone ``1.299`` is one thousand and more.
    """
    plain = _GROUPING.sub("", written)
    marks = [c for c in plain if c in ".,"]
    if not marks:
        return Quantity(plain)
    last = marks[-1]
    whole, _, fraction = plain.rpartition(last)
    is_grouping = len(set(marks)) == 1 and (
        len(marks) > 1 or (len(fraction) == 3 and whole != "0" and (is_price or last != decimal))
    )
    if is_grouping:
        return Quantity(plain.replace(last, ""))
    return Quantity(whole.replace(".", "").replace(",", ""), fraction)


_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))


def english_cardinal(number: int) -> str:
    """Words for 0 <= number < 10^15: ``forty-nine``, ``two hundred and five``."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_ONES[hundreds]} hundred" + (f" and {english_cardinal(rest)}" if rest else "")
    for scale, name in _SCALES:
        if number >= scale:
            count, rest = divmod(number, scale)
            joint = " and " if 0 < rest < 100 else " "
            words = f"{english_cardinal(count)} {name}"
            return words + (joint + english_cardinal(rest) if rest else "")
    raise AssertionError(number)


_HANZI = "零一二三四五六七八九"


def chinese_cardinal(number: int) -> str:
    """Hanzi for 0 <= number < 10^16; espeak's own reading goes wrong from ten thousand on."""
    if number == 0:
        return _HANZI[0]
    parts: list[str] = []
    has_gap = False
    for power, unit in ((12, "万亿"), (8, "亿"), (4, "万"), (0, "")):
        group = number // 10**power % 10_000
        if group == 0:
            has_gap = bool(parts)
            continue
        if parts and (has_gap or group < 1000):
            parts.append(_HANZI[0])
        parts.append(_chinese_group(group) + unit)
        has_gap = False
    spoken = "".join(parts)
    return spoken[1:] if spoken.startswith("一十") else spoken


def _chinese_group(group: int) -> str:
    spoken = ""
    for power, unit in ((3, "千"), (2, "百"), (1, "十"), (0, "")):
        digit = group // 10**power % 10
        if digit:
            # 两千 and 两百 in speech, but 二十 and 二.
            spoken += ("两" if digit == 2 and power >= 2 else _HANZI[digit]) + unit
        elif spoken and group % 10**power:
            spoken = spoken.rstrip("零") + "零"
    return spoken


_KANA = ("ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう")
_HUNDREDS = {1: "ひゃく", 3: "さんびゃく", 6: "ろっぴゃく", 8: "はっぴゃく"}
_THOUSANDS = {1: "せん", 3: "さんぜん", 8: "はっせん"}


def japanese_cardinal(number: int) -> str:
    """Kana for 0 <= number < 10^16; espeak reads neither kanji nor numbers over ten thousand."""
    if number == 0:
        return _KANA[0]
    parts = []
    for power, unit in ((12, "ちょう"), (8, "おく"), (4, "まん"), (0, "")):
        group = number // 10**power % 10_000
        if group:
            spoken = _japanese_group(group)
            parts.append(("いっせん" if unit and group == 1000 else spoken) + unit)
    return " ".join(parts)


def _japanese_group(group: int) -> str:
    thousands, hundreds, tens, ones = (group // 10**power % 10 for power in (3, 2, 1, 0))
    spoken = ""
    if thousands:
        spoken += _THOUSANDS.get(thousands, f"{_KANA[thousands]}せん")
    if hundreds:
        spoken += _HUNDREDS.get(hundreds, f"{_KANA[hundreds]}ひゃく")
    if tens:
        spoken += ("" if tens == 1 else _KANA[tens]) + "じゅう"
    return spoken + (_KANA[ones] if ones else "")
