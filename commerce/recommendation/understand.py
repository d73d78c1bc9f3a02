"""From a chat message to what it asks for; chatter is told apart from questions here."""

import re
from collections.abc import Iterator
from typing import Literal

from commerce.models.query import Intent, Query, Term
from commerce.models.words import fold, is_cjk, pairs, split, stem
from commerce.recommendation import lexicon
from commerce.recommendation import lexicon_asia as asia
from commerce.recommendation.limits import price_limits
from commerce.recommendation.synonyms import alternatives_of, group_of, phrases
from commerce.recommendation.wishes import without_size

_LONGEST_MESSAGE = 500
# What stands behind these describes the use, not the thing: a mat *for yoga*.
_SIDE_WORDS = re.compile(
    r"\b(?:for|with|that|which|who|to|in|on|from|para|con|que|com|pra|de|without|sin|sem)\b"
)
_MARK = "\x00"
_SAID_AROUND = lexicon.FUNCTION_WORDS | lexicon.CHATTER_WORDS | asia.FUNCTION_WORDS
# "u r k" are words in a chat; in "d battery" and "size m" a letter names the kind.
_LETTERS_OF_CHAT = frozenset("aeghijknopqrtuvwyz")
_HEAD_FIRST = re.compile(
    r"\b(?:hay|tienen|tienes|busco|quiero|necesito|cuanto|cuesta|para|algun|una?s?|tem|voces|quero"
    r"|procuro|preciso|quanto|custa|uma?s?|esta|el|los|las|um|uma|pra)\b"
)


def understand(text: str, currency: str = "USD") -> Query:
    """Find out what a message asks for.

    Args:
        text: A message of a chat, in any mix of English, Spanish, Portuguese and Chinese.
        currency: Of amounts that name none.
    """
    message = text[:_LONGEST_MESSAGE].replace("’", "'")
    limits = price_limits(message, currency)
    folded = fold(message)
    has_limit = limits.minimum is not None or limits.maximum is not None
    terms = tuple(_terms(_without_cues(without_size(limits.rest))))
    order = _order(folded)
    asks_plainly = bool(lexicon.STRONG_WISH.search(folded)) and not _is_personal(terms)
    has_limit = (has_limit and (limits.is_plain or bool(terms))) or order is not None
    intent, topic = _intent(folded, terms, has_limit=has_limit)
    return Query(
        text=message,
        intent=intent,
        terms=terms,
        minimum=limits.minimum,
        maximum=limits.maximum,
        wants_in_stock=bool(lexicon.STOCK.search(folded)),
        order=order,
        refers_back=bool(lexicon.REFERS_BACK.search(folded)),
        asks_plainly=asks_plainly,
        topic=topic,
    )


def is_product_question(text: str) -> bool:
    """Whether a message asks the shop anything; greetings and chatter do not."""
    return understand(text).intent not in {"greeting", "chatter"}


def _intent(folded: str, terms: tuple[Term, ...], *, has_limit: bool) -> tuple[Intent, str]:
    asks = bool(lexicon.QUESTION.search(folded))
    wishes = bool(lexicon.WISH.search(folded) or lexicon.STRONG_WISH.search(folded))
    if lexicon.IDENTITY.search(folded):
        return "identity", ""
    if asks or wishes:
        for topic, pattern in lexicon.POLICY.items():
            if pattern.search(folded):
                return "policy", topic
    is_talk = _is_talk(folded)
    is_of_people = bool(lexicon.OF_PEOPLE.search(folded)) and not lexicon.OF_SHOPS.search(folded)
    if lexicon.COMPLAINT.search(folded) or is_of_people:
        return "chatter", ""
    if not (asks or wishes or has_limit) and lexicon.STATEMENT.search(folded):
        return ("greeting", "") if lexicon.GREETINGS.search(folded) else ("chatter", "")
    if not (asks or wishes) and lexicon.PRAISE & set(split(folded)):
        return "chatter", ""
    if lexicon.RECOMMEND.search(folded) and (asks or wishes or not is_talk):
        return "recommend", ""
    if asks or not is_talk:
        if lexicon.PRICE.search(folded) and not has_limit:
            return "price", ""
        if lexicon.SIZE.search(folded) and asks:
            return "options", "size"
        if lexicon.COLOUR.search(folded) and asks:
            return "options", "colour"
        if lexicon.STOCK.search(folded):
            return "stock", ""
    if has_limit and (asks or wishes or not is_talk):
        return "find", ""
    if wishes:
        return ("chatter", "") if _is_personal(terms) or not terms else ("find", "")
    has_subject = bool(terms) or (bool(lexicon.REFERS_BACK.search(folded)) and not is_talk)
    if asks and has_subject and lexicon.ABOUT.search(folded) and not _is_personal(terms):
        return "about", ""
    if terms and not is_talk and (asks or len(terms) <= 4):
        return "find", ""
    return ("greeting", "") if lexicon.GREETINGS.search(folded) else ("chatter", "")


def _without_cues(folded: str) -> str:
    """The text without the words that told its purpose: they do not describe a product."""
    for pattern in (*lexicon.POLICY.values(), lexicon.PRICE, lexicon.SIZE):
        folded = pattern.sub(" ", folded)
    return folded


def _is_talk(folded: str) -> bool:
    """Whether the message holds words of talk: "lol", "my", "love"."""
    return (
        any(word in lexicon.CHATTER_WORDS for word in split(folded))
        or bool(lexicon.CHINESE_TALK.search(folded))
        or any(word in folded for word in asia.TALK)
    )


def _is_personal(terms: tuple[Term, ...]) -> bool:
    """Whether the talk is of somebody; a lamp for the kids is still a lamp."""
    heaviest = max((term.weight for term in terms), default=0.0)
    return any(term.word in lexicon.PERSONAL and term.weight == heaviest for term in terms)


def _order(folded: str) -> Literal["cheapest", "dearest"] | None:
    if lexicon.CHEAPEST.search(folded):
        return "cheapest"
    return "dearest" if lexicon.DEAREST.search(folded) else None


def _terms(folded: str) -> Iterator[Term]:
    """What the product should be, each word weighed by its place in the sentence."""
    parts = [list(_content_words(part)) for part in _SIDE_WORDS.split(folded)]
    main_words, *sides = [part for part in parts if part] or [[]]
    side_words = [word for side in sides for word in side]
    is_late = not any(map(_is_known_thing, main_words)) and any(map(_is_known_thing, side_words))
    if is_late and not lexicon.RECOMMEND.search(folded):
        # "Something to listen to music, headphones maybe": the thing is named late.
        main_words, side_words = side_words, main_words
    head = _head(main_words, is_first=bool(_HEAD_FIRST.search(folded)))
    seen: set[str] = set()
    for index, word in enumerate(main_words + side_words):
        if word in seen:
            continue
        seen.add(word)
        weight = 0.4 if index >= len(main_words) else 2.0 if index == head else 1.0
        yield Term(word, alternatives(word), weight)


def _head(words: list[str], *, is_first: bool) -> int:
    """Which word names the thing: the last in English and Chinese, the first in Spanish."""
    places = [index for index, word in enumerate(words) if word not in lexicon.COLOURS]
    # A word that shops are known to sell by says more than its place does.
    known = [place for place in places if _is_known_thing(words[place])]
    places = known or places
    if not places:
        return len(words) - 1
    return places[0] if is_first else places[-1]


def _is_known_thing(word: str) -> bool:
    return group_of(alternatives(word)) is not None


def alternatives(word: str) -> tuple[str, ...]:
    """What in the index satisfies a word: itself, its stem, its synonyms."""
    key = word if is_cjk(word) else " ".join(stem(part) for part in word.split())
    # Spanish and Portuguese add -es where English adds -s: auriculares, luces.
    for form in (key, word.removesuffix("es"), word.removesuffix("s")):
        if form in alternatives_of():
            equal = alternatives_of()[form]
            return equal if key in equal else (*equal, key)
    return (key,)


def _content_words(folded: str) -> Iterator[str]:
    for part in _with_phrases_apart(folded):
        if part in alternatives_of() and (" " in part or is_cjk(part)):
            yield part
            continue
        for word in split(part):
            if asia.is_korean(word):
                yield from asia.korean_words(word)
            elif is_cjk(word) and asia.is_japanese(word):
                yield from asia.japanese_words(word)
            elif is_cjk(word):
                yield from _chinese_words(word)
            elif word not in _SAID_AROUND:
                bare = stem(word)
                if bare and (len(bare) > 1 or bare not in _LETTERS_OF_CHAT):
                    yield word


def _with_phrases_apart(folded: str) -> Iterator[str]:
    """The text cut at phrases that mean one thing, so that "power bank" stays one word."""
    text = " ".join(" ".join(map(_stem_unless_cjk, split(folded))).split())
    original = " ".join(split(folded))
    found: list[str] = []
    for phrase in phrases():
        pattern = re.escape(phrase) if is_cjk(phrase) else rf"(?<!\S){re.escape(phrase)}(?!\S)"
        if re.search(pattern, text):
            text = re.sub(pattern, f" {_MARK}{len(found)} ", text)
            found.append(phrase)
    if not found:
        yield original
        return
    for part in text.split():
        yield found[int(part[1:])] if part.startswith(_MARK) else part


def _stem_unless_cjk(word: str) -> str:
    return word if is_cjk(word) else stem(word)


def _chinese_words(run: str) -> Iterator[str]:
    for filler in lexicon.CHINESE_FILLER:
        run = run.replace(filler, " ")
    for rest in run.split():
        # One left-over character says too little to search by.
        if len(rest) > 1:
            yield rest


def index_terms(term: Term) -> tuple[str, ...]:
    """The index words that make a product a candidate for a term."""
    words: list[str] = []
    for alternative in term.alternatives:
        for word in alternative.split():
            words += pairs(word) if is_cjk(word) else [word]
    return tuple(dict.fromkeys(words))
