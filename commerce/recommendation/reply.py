"""What the presenter says to a viewer, and when it keeps silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from commerce.models.query import Query
from commerce.models.values import Answer, ProductCard
from commerce.recommendation import facts
from commerce.recommendation.pitch import scarcity
from commerce.recommendation.ranking import ACCEPT, ACCEPT_BARE, ACCEPT_NAMED, Match
from commerce.recommendation.speakable import sentences_of
from commerce.recommendation.wording import Wording

_FEW = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A product that matches the words, at the variant that fits the limits best.

    Attributes:
        fits: Whether it also keeps the price limit and the wish for stock.
    """

    card: ProductCard
    match: Match
    fits: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """All that an answer may draw on.

    Attributes:
        found: Matching products, best first.
        context: The pinned product.
        suggestions: What to recommend when the words lead nowhere, best first.
        attributes: Facts of the rows by SKU, by name; of products the answer may be about.
    """

    query: Query
    found: Sequence[Found]
    context: ProductCard | None
    suggestions: Sequence[ProductCard]
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def reply(findings: Findings, wording: Wording, name: str = "") -> Answer | None:
    """Answer a message; None to stay silent.

    Args:
        findings: The message and what was found for it.
        wording: The presenter's language.
        name: Cleaned name of the viewer, or empty.
    """
    answer = _Reply(findings, wording).answer()
    if answer is None or not name:
        return answer
    greeting = wording.say("address", name=name)
    return Answer(f"{greeting} {answer.text}", answer.card, answer.reason)


class _Reply:
    def __init__(self, findings: Findings, wording: Wording) -> None:
        self._query = findings.query
        self._found = findings.found
        self._context = findings.context
        self._suggestions = findings.suggestions
        self._attributes = findings.attributes
        self._wording = wording

    def answer(self) -> Answer | None:
        match self._query.intent:
            case "greeting" | "chatter":
                return None
            case "identity":
                return Answer(self._wording.say("identity"), None, "asked who is speaking")
            case "policy":
                return self._on_policy()
            case "recommend":
                return self._recommendation()
            case "price" | "stock" | "options" | "about":
                return self._on_one_product()
            case _:
                return self._what_was_found()

    # A product named or pinned ----------------------------------------------------------------

    def _on_one_product(self) -> Answer | None:
        query = self._query
        card = self._meant()
        if card is None:
            if query.has_price_limit or (query.terms and self._accepted()):
                return self._what_was_found()
            if query.intent == "about" and not query.asks_plainly:
                return None
            if query.terms:
                return self._nothing() if query.asks_plainly or query.intent != "options" else None
            return Answer(self._wording.say("which"), None, "no product was named or pinned")
        if query.intent == "price" and not self._asks_for_price_of(card):
            return self._about(card)
        if query.intent == "price":
            moment = "answer_price_cut" if card.compare_at else "answer_price"
            text = self._with_scarcity(self._wording.say(moment, card), card)
            return Answer(text, card, "asked for the price")
        if query.intent == "stock":
            return Answer(self._stock_line(card), card, "asked whether it is in stock")
        if query.intent == "options":
            return Answer(self._options_line(card), card, f"asked for the {query.topic}")
        return self._about(card)

    def _meant(self) -> ProductCard | None:
        """The product a question is about: the one it names, else the pinned one."""
        named = next((found for found in self._found if _is_named(found, self._query)), None)
        if named is not None:
            return named.card
        if self._context is not None and (self._query.refers_back or not self._query.terms):
            return self._context
        if self._query.intent in {"about", "price"} and self._context is not None:
            has_fact = facts.attribute_about(self._query, self._context, self._facts(self._context))
            if has_fact or _speaks_of(self._context, self._query):
                return self._context
        if self._query.intent == "about":
            return None
        accepted = self._accepted() if self._query.terms else []
        return accepted[0].card if accepted else None

    def _asks_for_price_of(self, card: ProductCard) -> bool:
        """Whether "how much" asks for the price, and not for the caffeine in it."""
        if not self._query.terms or self._query.refers_back or self._context is not card:
            return True
        return not facts.sentence_about(self._query, card)

    def _about(self, card: ProductCard) -> Answer:
        sentence = facts.sentence_about(self._query, card)
        if sentence:
            return Answer(sentence, card, "the description speaks of it")
        fact = facts.attribute_about(self._query, card, self._facts(card))
        if fact is not None:
            text = self._wording.say("answer_fact", card, fact=self._wording.fact(*fact))
            return Answer(text, card, f"the row says it under {fact[0]}")
        if facts.names_property(self._query, card):
            text = self._wording.say("unknown_about", card)
            return Answer(text, card, "the description does not say")
        first = sentences_of(card.description)[:2]
        price = self._wording.say("price", card)
        text = " ".join([self._wording.say("about", card), *first, price])
        return Answer(text, card, "asked about the product")

    def _facts(self, card: ProductCard) -> Mapping[str, str]:
        return self._attributes.get(card.sku, {})

    def _stock_line(self, card: ProductCard) -> str:
        if not card.is_available:
            return self._wording.say("answer_sold_out", card)
        if not card.tracks_stock:
            return self._wording.say("answer_uncounted", card)
        if card.stock == 1:
            return self._wording.say("answer_last_one", card)
        return self._wording.say("answer_stock_few" if card.stock <= _FEW else "answer_stock", card)

    def _options_line(self, card: ProductCard) -> str:
        values = facts.values_of(card, self._query.topic)
        if not values:
            sentence = facts.sentence_about(self._query, card) if self._query.terms else ""
            return sentence or self._wording.say(f"unknown_{self._query.topic}", card)
        return self._wording.say("answer_values", card, values=self._wording.listed(values))

    def _on_policy(self) -> Answer:
        topic = self._query.topic
        named = next((found for found in self._found if found.match.named), None)
        card = named.card if named else self._context
        if topic != "discount":
            text = self._wording.say(f"unknown_{topic}")
            return Answer(text, None, f"{topic} is not in the catalogue")
        if card is None:
            text = self._wording.say("unknown_discount")
            return Answer(text, None, "asked for a discount in general")
        moment = "discount" if card.compare_at else "no_discount"
        return Answer(self._wording.say(moment, card), card, "asked for a discount")

    # Products looked for ----------------------------------------------------------------------

    def _what_was_found(self) -> Answer | None:
        query = self._query
        if query.refers_back and self._context is not None and not self._accepted():
            values = facts.values_of(self._context, "colour") + facts.values_of(
                self._context, "size"
            )
            if values and query.terms:
                text = self._wording.say(
                    "answer_values", self._context, values=self._wording.listed(values)
                )
                return Answer(text, self._context, "asked for another version of the pinned one")
        if not query.terms and not query.has_price_limit and query.order is None:
            return None
        accepted = self._accepted()
        fitting = [found for found in accepted if found.fits]
        if fitting:
            return self._offer(fitting)
        if accepted:
            return self._near_miss(accepted[0])
        if query.has_price_limit and not query.terms:
            return Answer(self._wording.say("none_at_price"), None, "nothing at that price")
        return self._nothing() if query.asks_plainly else None

    def _accepted(self) -> list[Found]:
        """Matches good enough to speak of; a bare phrase must fit better than a question."""
        query = self._query
        is_question = query.asks_plainly or query.has_price_limit or query.intent != "find"
        is_question = is_question or query.text.rstrip().endswith(("?", "？"))
        if not query.terms:
            return list(self._found)
        return [
            found
            for found in self._found
            if found.match.score >= (ACCEPT if is_question else ACCEPT_BARE)
            or (found.match.score >= ACCEPT_NAMED and _is_named(found, query))
        ]

    def _offer(self, fitting: Sequence[Found]) -> Answer:
        best = next((found for found in fitting if found.card.is_available), fitting[0])
        card = best.card
        if not card.is_available:
            return Answer(self._wording.say("found_sold_out", card), card, "found, but sold out")
        if self._query.order is not None and not self._query.terms:
            text = self._wording.say(self._query.order, card)
            return Answer(text, card, f"the {self._query.order} in the catalogue")
        is_exact = not best.match.missing
        lines = [self._wording.say("found" if is_exact else "found_roughly", card)]
        few = scarcity(card, self._wording)
        if few:
            lines.append(few)
        else:
            lines += sentences_of(card.description)[:1]
        others = [
            found
            for found in fitting
            if found is not best
            and found.card.is_available
            and found.match.score >= 0.8 * best.match.score
        ]
        if others:
            lines.append(self._wording.say("also", others[0].card))
        return Answer(" ".join(lines), card, _reason(best))

    def _near_miss(self, found: Found) -> Answer:
        """A match that breaks the price limit or is sold out: say so, then name it."""
        if not found.card.is_available:
            text = self._wording.say("found_sold_out", found.card)
            return Answer(text, found.card, "found, but sold out")
        if not self._query.has_price_limit:
            text = self._wording.say("found_roughly", found.card)
            return Answer(text, found.card, "found, but not in that version")
        text = f"{self._wording.say('none_at_price')} {self._wording.say('nearest', found.card)}"
        return Answer(text, found.card, "found, but not at that price")

    def _recommendation(self) -> Answer | None:
        fitting = [found.card for found in self._found if found.fits and found.match.score >= 0.2]
        choices = [card for card in [*fitting, *self._suggestions] if card.is_available]
        if not choices:
            return Answer(self._wording.say("none"), None, "nothing in stock to recommend")
        card = choices[0]
        lines = [self._wording.say("recommend", card), *sentences_of(card.description)[:1]]
        lines.append(self._wording.say("price_cut" if card.compare_at else "price", card))
        reason = "fits the words of the question" if fitting else "a suggestion from the shelves"
        return Answer(" ".join(lines), card, reason)

    def _nothing(self) -> Answer:
        return Answer(self._wording.say("none"), None, "nothing in the catalogue fits")

    def _with_scarcity(self, line: str, card: ProductCard) -> str:
        return " ".join(filter(None, [line, scarcity(card, self._wording)]))


def _is_named(found: Found, query: Query) -> bool:
    """Whether the question names the product, rather than share a word with it."""
    if not found.match.named:
        return False
    heavy = max((term.weight for term in query.terms), default=0.0)
    heads = {term.word for term in query.terms if term.weight == heavy}
    # "Does the lamp have a USB port": the head of the sentence is the property.
    return query.intent == "about" or bool(heads & set(found.match.named))


def _speaks_of(card: ProductCard | None, query: Query) -> bool:
    return card is not None and bool(facts.sentence_about(query, card))


def _reason(found: Found) -> str:
    if not found.match.matched:
        return "keeps the price limit"
    return "fits " + ", ".join(found.match.matched)
