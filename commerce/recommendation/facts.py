"""Finds the sentence of a description that answers a question, or finds that none does."""

import re
from collections.abc import Mapping

from commerce.models.query import Query
from commerce.models.values import ProductCard
from commerce.models.words import fold, index_words, is_cjk
from commerce.recommendation.speakable import sentences_of
from commerce.recommendation.understand import index_terms

# What people ask about is rarely the word the description uses.
_PROPERTIES = (
    (
        r"\bmade (?:of|from)\b|\bmaterial|\bde que\b|材质|什么做",
        "steel stainless cotton wool ceramic glass bamboo leather rubber plastic wood wooden silk"
        " linen cork aluminium aluminum metal canvas stoneware porcelain terracotta nylon polyester"
        " silicone acero algodon lana ceramica cuero madera couro algodao la vidro metal brass"
        " recycled natural made 不锈钢 棉 陶瓷 皮 木 玻璃 羊毛",
    ),
    (
        r"\bbattery\b|\bhow long does\b|\bhow many hours\b|\bbateria\b|续航|多久",
        "battery hour charge recharge mah rechargeable bateria hora carga 小时 电池 续航",
    ),
    (
        r"\bhow (?:big|large|tall|wide|long|thick)\b|\bdimension|\bcapacity\b|容量|多大|尺寸",
        "cm mm inch litre liter ml centimetre capacity wide tall long thick diameter litro 毫升"
        " 厘米",
    ),
    (r"\bhow heavy\b|\bweigh", "gram g kg kilo weigh weight light lightweight 克 公斤"),
    (
        r"\bwaterproof\b|\bwater.?resist|\brain\b|\bimpermeable\b|防水",
        "waterproof water resistant rain splash repellent weatherproof shower 防水",
    ),
    (
        r"\bwash|\bdishwasher\b|\bclean\b|\bcare\b",
        "wash washable dishwasher machine clean wipe hand rinse",
    ),
    (r"\bcharg|\busb\b|\bplug\b|充电", "usb charge charger charging plug cable watt mah 充电"),
    (r"\bcaffeine\b|\bdecaf", "caffeine decaf caffeinated"),
    (r"\bsmell|\bscent|\bfragran|\bperfume", "scent scented fragrance perfume smell unscented"),
    (r"\bwarm\b|\bhot\b|\bcold\b|\btemperature\b|保温", "hot cold warm hour temperature keep 保温"),
)


def sentence_about(query: Query, card: ProductCard) -> str:
    """The sentence of a description that speaks of what was asked; empty when none does."""
    asked, told_by = _asked_words(query, card)
    best, best_count = "", 0
    for sentence in sentences_of(card.description):
        words = set(index_words(sentence))
        # The viewer's own words count for more than words we think of.
        count = 3 * len(asked & words) + len(told_by & words)
        if count > best_count:
            best, best_count = sentence, count
    return best


def attribute_about(
    query: Query, card: ProductCard, attributes: Mapping[str, str]
) -> tuple[str, str] | None:
    """The fact of the row that answers a question, by name and value; None when none does."""
    asked, told_by = _asked_words(query, card)
    best, best_count = None, 0
    for name, value in attributes.items():
        own, said = set(index_words(name)), set(index_words(value))
        # A name that is asked for says more than a value that happens to hold the word.
        count = 4 * len(asked & own) + 2 * len(told_by & own) + len((asked | told_by) & said)
        if count > best_count:
            best, best_count = (name, value), count
    return best


def names_property(query: Query, card: ProductCard) -> bool:
    """Whether a question asks for more than the product itself ("tell me about the lamp")."""
    return any(_asked_words(query, card))


def values_of(card: ProductCard, topic: str) -> tuple[str, ...]:
    """The versions of a product by colour or by size; empty when the row names none."""
    names = {
        "colour": ("colour", "color", "cor", "颜色", "shade", "farbe"),
        "size": ("size", "talla", "tamanho", "尺寸", "尺码", "tamano", "grosse"),
    }
    for name, values in card.options.items():
        if any(fold(name).startswith(alias) for alias in names.get(topic, ())):
            return values
    return ()


def _asked_words(query: Query, card: ProductCard) -> tuple[set[str], set[str]]:
    """Words of the property asked for, without the product's name, and words that tell of it."""
    title = set(index_words(card.title))
    asked: set[str] = set()
    for term in query.terms:
        words = set(index_terms(term))
        if not words & title:
            asked |= words
    told: set[str] = set()
    question = fold(query.text)
    for pattern, told_by in _PROPERTIES:
        if re.search(pattern, question):
            for word in told_by.split():
                told |= set(index_words(word)) if not is_cjk(word) else {word[:2]}
    return asked, told
