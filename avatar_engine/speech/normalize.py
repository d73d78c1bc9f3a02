"""From what a seller wrote to what can be read aloud, without losing where each word stood."""

import html
import re
from collections.abc import Callable
from functools import lru_cache

from avatar_engine.speech.alignment import AlignedText
from avatar_engine.speech.kanji import in_kana
from avatar_engine.speech.language import Language
from avatar_engine.speech.languages import HOME_CURRENCY, language_of
from avatar_engine.speech.numbers import NUMBER, Quantity, parse_number

# What is no text: markup, addresses, pictures.
_BREAKS = re.compile(r"<\s*(?:br|/p|/li|/h\d|/div|/tr)\b[^<>]*>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"</?[a-zA-Z!][^<>]*>")
_ENTITIES = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});")
_ADDRESSES = re.compile(
    r"(?:https?://|www\.)[^\s<>\u3000-\u303f\uff00-\uffef]+|[\w.+-]+@[\w-]+\.[\w.-]+\w"
    r"|\b[\w-]+\.(?:com|net|org|io|shop|store|co)(?:/[^\s<>]*)?\b",
    re.IGNORECASE | re.ASCII,
)
_BLOBS = re.compile(r"[!-~]{120,}")  # no word, and slow to search for quantities
_PICTURES = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufe0e\ufe0f\u20e3\u200d™®©]+"
)
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\ufeff\ufff9-\uffff\ud800-\udfff]+"
)
_FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ％＄＋－＆＃／．（）]")
_MARKDOWN = re.compile(
    r"[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}|^\s*(?:[-•·*]|#{1,6})\s+", re.MULTILINE
)
_HANDLES = re.compile(r"[@#](?=\w)")
_REPEATED = re.compile(r"([!?！？,，])[!?！？,，]+")
_LEFTOVERS = re.compile(r"[<>{}\[\]|\\^=_~•·]+")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u3000]+")
_LINE_BREAKS = re.compile(r"\s*\n\s*")
_HAS_SOUND = re.compile(r"\w")

# Quantities. A letter or digit before or after makes it something else.
_SYMBOLS = {
    "US$": "USD", "USD": "USD", "HK$": "HKD", "NT$": "TWD", "S$": "SGD", "SGD": "SGD",
    "A$": "AUD", "AUD": "AUD", "C$": "CAD", "CAD": "CAD", "R$": "BRL", "BRL": "BRL",
    "MX$": "MXN", "MXN": "MXN", "€": "EUR", "EUR": "EUR", "£": "GBP", "GBP": "GBP",
    "RMB": "CNY", "CNY": "CNY", "元": "CNY", "块": "CNY", "¥": "", "￥": "", "円": "JPY",
    "JPY": "JPY", "₩": "KRW", "원": "KRW", "KRW": "KRW", "₹": "INR", "INR": "INR", "Rs.": "INR",
    "Rs": "INR", "Rp.": "IDR", "Rp": "IDR", "IDR": "IDR", "RM": "MYR", "MYR": "MYR",
    "฿": "THB", "THB": "THB", "₺": "TRY", "₽": "RUB", "₫": "VND", "₱": "PHP", "PHP": "PHP",
    "zł": "PLN", "PLN": "PLN", "₴": "UAH", "CHF": "CHF", "AED": "AED", "SAR": "SAR", "₪": "ILS",
    "Kč": "CZK", "$": "USD",
}  # fmt: skip
_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True))
_SCALES = r"k|K|M|m|mil|mi|mln|bn|rb|ribu|jt|juta|w|万|亿|億|천|만|억|Mio\.|Tsd\."
_SCALE = rf"(?:\s?(?P<scale>{_SCALES})(?!\w))?"
_PRICE_BEFORE = re.compile(
    rf"(?<![A-Za-z\d])(?P<symbol>{_SYMBOL})\s?(?P<number>{NUMBER})(?:[.,][-–—]+)?{_SCALE}(?![\d])"
)
_PRICE_AFTER = re.compile(
    rf"(?<![A-Za-z\d.,])(?P<number>{NUMBER})(?:,[-–—]+)?{_SCALE}\s?(?P<symbol>{_SYMBOL})(?![a-zA-Z\d])"
)
_BEFORE_NUMBER = rf"(?<![A-Za-z\d.,])(?P<number>{NUMBER})"
_PERCENT = re.compile(rf"{_BEFORE_NUMBER}\s?%")
_TIMES = re.compile(r"(?<![A-Za-z\d.,])(?P<number>\d+(?:[.,]\d+)?)\s?[xX×](?![\w])(?!\s*\d)")
_BY = re.compile(r"(?<=[\dm])\s?[x×]\s?(?=\d)")
_RANGE = re.compile(r"(?<=[\d%])[-–—~](?=[$€£¥₹]?\d)(?!\d+[-–—])")
_DATE = re.compile(r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2})(?![\d:])")
_SLASH = re.compile(r"(?<=\w)/(?=[^\W\d])")
_SLASHED_NUMBERS = re.compile(r"(?<=\d)/(?=\d)")
_OTHER_SLASH = re.compile(r"\s/\s|/")
_PLAIN = re.compile(rf"{_BEFORE_NUMBER}(?![\w])")
_PLAIN_CJK = re.compile(rf"(?P<number>{NUMBER})(?![A-Za-z])")
_MINUS = re.compile(r"(?<![\w\d])[-−](?=\d)")
_PLUS = re.compile(r"\+")
_AMPERSAND = re.compile(r"\s?&\s?")
_CODE = re.compile(
    r"(?<![\w-])(?=[A-Z\d-]*[A-Z])(?=[A-Z\d-]*\d)[A-Z\d]+(?:-[A-Z\d]+)*(?![\w])(?<=[A-Z\d-]{4})"
)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々]+")


def normalized(text: str, language: str) -> AlignedText:
    """Speakable text for a BCP 47 tag; empty when nothing is left to say."""
    words = language_of(language)
    spoken = _without_markup(AlignedText.of(text))
    spoken = _quantities(spoken, words, language)
    spoken = spoken.sub(_LEFTOVERS, " ")
    spoken = _foreign_script(spoken, language)
    spoken = spoken.sub(_REPEATED, _first).sub(_SPACES, " ").sub(_LINE_BREAKS, "\n").strip()
    return spoken if _HAS_SOUND.search(spoken.text) else spoken[:0]


def plain(text: str) -> AlignedText:
    """The text without markup, addresses and pictures, numbers as written: for voices that read
    them themselves.
    """
    spoken = _without_markup(AlignedText.of(text)).sub(_LEFTOVERS, " ")
    spoken = spoken.sub(_REPEATED, _first).sub(_SPACES, " ").sub(_LINE_BREAKS, "\n").strip()
    return spoken if _HAS_SOUND.search(spoken.text) else spoken[:0]


def _without_markup(spoken: AlignedText) -> AlignedText:
    spoken = spoken.sub(_HIDDEN, " ").sub(_BREAKS, "\n").sub(_TAGS, " ")
    spoken = spoken.sub(_ENTITIES, lambda match: html.unescape(match.group()))
    spoken = spoken.sub(_INVISIBLE, "").sub(_BLOBS, " ").sub(_ADDRESSES, " ").sub(_PICTURES, " ")
    spoken = spoken.sub(_FULL_WIDTH, lambda match: chr(ord(match.group()) - 0xFEE0))
    return spoken.sub(_MARKDOWN, " ").sub(_HANDLES, "").sub(_SPACES, " ")


def _quantities(spoken: AlignedText, words: Language, language: str) -> AlignedText:
    base = language.lower().split("-")[0]

    def read(match: re.Match[str], *, is_price: bool = False) -> Quantity:
        return parse_number(match["number"], words.decimal, is_price=is_price)

    def price(match: re.Match[str]) -> str:
        symbol, scale = match["symbol"], match["scale"]
        currency = _SYMBOLS[symbol] or HOME_CURRENCY.get(base, "CNY")
        quantity = read(match, is_price=not scale)
        if not words.currencies:
            return f"{words.number(quantity)}{scale or ''} {symbol}"  # espeak knows its own signs
        if scale and scale in words.scales:
            plural = words.price(Quantity("7"), currency).removeprefix(words.cardinal(7))
            return f"{words.number(quantity)} {words.scales[scale]}{_spaced(plural)}"
        return _padded(words.price(quantity, currency) + (f" {scale}" if scale else ""), base)

    def unit(match: re.Match[str]) -> str | None:
        quantity = read(match)
        if match["unit"] == '"' and match.string.count('"', 0, match.start()) % 2:
            return None  # the end of a quotation, no inches
        one, many = words.units[match["unit"]]
        name = one if quantity == Quantity("1") else many
        return _padded(f"{words.number(quantity)} {name}", base)

    def per_unit(match: re.Match[str]) -> str:
        return words.per + words.units[match["unit"]][0]

    def plain(match: re.Match[str]) -> str:
        # Two of something is 两 before its measure word.
        is_two = (
            base in _CHINESE and match["number"] == "2" and _HAN.match(match.string, match.end())
        )
        return "两" if is_two else words.number(read(match))

    spoken = spoken.sub(_DATE, lambda match: " ".join(match.groups()))
    spoken = spoken.sub(_CLOCK, _clock).sub(_SLASHED_NUMBERS, " ")
    spoken = spoken.sub(_RANGE, words.to).sub(_MINUS, words.minus)

    def forms_of(forms: dict[str, str]) -> Callable[[re.Match[str]], str]:
        return lambda match: forms[match.group()]

    spoken = spoken.sub(_PRICE_BEFORE, price).sub(_PRICE_AFTER, price)
    spoken = spoken.sub(_PERCENT, lambda m: words.percent.format(n=words.number(read(m))))
    for pattern, forms in _short_forms(base):
        spoken = spoken.sub(pattern, forms_of(forms))
    spoken = spoken.sub(_BY, words.by)
    if words.units:
        spoken = spoken.sub(_units(base), unit).sub(_per_unit(base), per_unit)
    spoken = spoken.sub(_TIMES, lambda m: words.times.format(n=words.number(read(m))))
    spoken = spoken.sub(_CODE, lambda match: _spelt(match.group(), words))
    spoken = spoken.sub(_PLAIN_CJK if base in _CJK else _PLAIN, plain)
    spoken = spoken.sub(_SLASH, words.per).sub(_OTHER_SLASH, " ").sub(_PLUS, words.plus)
    return spoken.sub(_AMPERSAND, words.ampersand)


_CHINESE = frozenset(("zh", "cmn", "yue", "hak"))
_CJK = _CHINESE | {"ja"}


def _spaced(words: str) -> str:
    return " " + words.strip()


def _padded(words: str, base: str) -> str:
    """Spaces keep a unit apart from the next word, where a script uses them."""
    return words.replace(" ", "") if base in _CHINESE else words


def _clock(match: re.Match[str]) -> str:
    hours, minutes = match.groups()
    return hours if minutes == "00" else f"{hours} {minutes}"


def _spelt(code: str, words: Language) -> str:
    """A product code: letters one by one, numbers up to two digits or round ones as numbers."""
    parts = []
    for run in re.findall(r"[A-Z]+|\d+", code):
        is_number = len(run) <= 2 or (len(run) <= 4 and run.endswith("00"))
        if run.isdigit() and is_number and not run.startswith("0"):
            parts.append(words.cardinal(int(run)))
        else:
            parts += [words.cardinal(int(c)) if c.isdigit() else c for c in run]
    return " ".join(parts)


@lru_cache(maxsize=32)
def _units(base: str) -> re.Pattern[str]:
    units = language_of(base).units
    names = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
    return re.compile(rf"{_BEFORE_NUMBER}\s?(?P<unit>{names})(?![A-Za-z\d])")


@lru_cache(maxsize=32)
def _per_unit(base: str) -> re.Pattern[str]:
    names = "|".join(re.escape(unit) for unit in language_of(base).units if unit.isalpha())
    return re.compile(rf"(?<=\w)\s?/\s?(?P<unit>{names})(?![A-Za-z\d])")


@lru_cache(maxsize=32)
def _short_forms(base: str) -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    forms = dict(language_of(base).short_forms)
    if not forms:
        return ()
    names = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return ((re.compile(rf"(?<![\w.])(?:{names})(?!\w)"), forms),)


def _foreign_script(spoken: AlignedText, language: str) -> AlignedText:
    """Han characters for voices that cannot read them: kana where we know the word, else nothing.

    espeak would say "Chinese letter" for each of them.
    """
    base = language.lower().split("-")[0]
    if base in _CHINESE:
        return spoken
    if base == "ja":
        spoken = in_kana(spoken)
    return spoken.sub(_HAN, " ")


def _first(match: re.Match[str]) -> str:
    """The first sign of a row of them."""
    return match.group(1)
