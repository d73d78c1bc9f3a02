"""Whether a text says only what a product's row says: numbers, promises, and the words themselves.

Made for text that somebody else wrote, a language model above all. It cannot prove a text true; it
refuses what the row does not support, and the template is spoken instead.
"""

import re
import unicodedata
from collections.abc import Sequence

from commerce.models.values import ProductCard
from commerce.models.words import fold, index_words, is_cjk

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NUMBER_WORDS = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15", "twenty": "20",
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100",
    "thousand": "1000", "half": "half", "double": "double", "twice": "twice", "triple": "triple",
    "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7", "ocho": "8",
    "nueve": "9", "diez": "10", "veinte": "20", "treinta": "30", "cien": "100", "doble": "double",
    "dois": "2", "duas": "2", "quatro": "4", "sete": "7", "oito": "8", "nove": "9", "dez": "10",
    "vinte": "20", "trinta": "30", "cem": "100", "dobro": "double", "metade": "half",
}  # fmt: skip
_CHINESE_COUNT = re.compile(
    "[零一二两三四五六七八九十百千万亿]+(?:折|元|块|天|年|个月|小时|分钟|倍|成|升|毫升|克|公斤|斤|厘米|米|度)"
)
# Promises the row must make itself.
_PROMISES = re.compile(
    r"\b(?:free (?:shipping|delivery|returns?|gift)|warrant\w*|guarante\w*|refund\w*|money.back"
    r"|discount\w*|% off|on sale|organic|vegan|certified|approved|award\w*|handmade|hypoallergenic"
    r"|waterproof|eco.?friendly|recycled|non.?toxic|made in \w+|limited edition|bestsell\w*"
    r"|best.sell\w*|customers? (?:love|say)|reviews?|stars?|envio gratis|garantia|frete gratis"
    r"|descuento|desconto|oferta)\b"
    r"|包邮|保修|质保|正品|有机|纯天然|打折|优惠|赠品|退换|销量|好评|进口|手工|环保|防水|获奖|认证"
)
_LEAST_GROUNDED = 0.5
_COMMON = frozenset(
    index_word
    for index_word in index_words("""
    this that these those with from your you for and the our its one will can make makes made
    keep keeps bring brings give gives take takes have has look looks feel feels every each when
    while where what which who here there into over more most just also even ever day days home
    time life great nice good lovely simple easy easily perfect ideal ready enjoy meet design
    designed style stylish comfortable favourite favorite piece want need like love little bit
    morning evening para con sin una uno los las del que como esta este muy mas todo cada para
    com sem uma seu sua voce voces muito mais cada tudo
    """)
)


def numbers_in(text: str) -> set[str]:
    """Every number of a text, written one way: no thousands marks, no zeros at the end."""
    plain = unicodedata.normalize("NFKC", text)
    found = {_bare(match.group()) for match in _NUMBER.finditer(plain)}
    folded = fold(plain)
    found |= {
        _NUMBER_WORDS[word] for word in re.findall(r"[a-z]+", folded) if word in _NUMBER_WORDS
    }
    return found | set(_CHINESE_COUNT.findall(plain))


def row_text(card: ProductCard, facts: Sequence[str] = ()) -> str:
    """Everything a product's row says, prices and stock as they are shown."""
    parts = [card.title, card.description, card.brand or "", card.category or "", card.variant]
    parts += [*card.tags, *card.options, *facts]
    parts += [value for values in card.options.values() for value in values]
    parts.append(card.sku)
    for money in (card.price, card.compare_at):
        if money is not None:
            parts += [money.display(language) for language in ("en", "es", "pt", "zh")]
    if card.tracks_stock:
        parts.append(str(card.stock))
    return " \n".join(parts)


def unsupported(text: str, row: str) -> str:
    """Why a text may not be said of a row; empty when nothing speaks against it.

    Args:
        text: What somebody wrote.
        row: What ``row_text`` gave.
    """
    invented = numbers_in(text) - numbers_in(row)
    if invented:
        return f"a number the row does not hold: {min(invented)}"
    folded = fold(row)
    for promise in _PROMISES.finditer(fold(text)):
        if promise.group() not in folded:
            return f"a promise the row does not make: {promise.group()}"
    words = [word for word in index_words(text) if _says_something(word)]
    if words:
        known = set(index_words(row))
        grounded = sum(word in known for word in words) / len(words)
        if grounded < _LEAST_GROUNDED:
            return "words that have little to do with the row"
    return ""


def _says_something(word: str) -> bool:
    if is_cjk(word):
        return len(word) > 1
    return len(word) > 3 and word not in _COMMON and not word.isdigit()


def _bare(number: str) -> str:
    """1,299.00 and 1.299,00 are 1299; 49.90 is 49.9."""
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        return number.lstrip("0") or "0"
    whole, decimals = re.sub("[.,]", "", number[:last]), number[last + 1 :]
    if len(decimals) == 3:
        return (whole + decimals).lstrip("0") or "0"
    decimals = decimals.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{decimals}" if decimals else whole
