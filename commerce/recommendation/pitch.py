"""A pitch: a product presented in about so many seconds, from nothing but its own row."""

import re
from collections.abc import Sequence
from functools import cache

from commerce.models.values import Pitch, ProductCard
from commerce.recommendation.claims import ClaimsFilter
from commerce.recommendation.speakable import sentences_of
from commerce.recommendation.wording import Tone, Wording

_FEW = 5
# Measured on the embedded voice at its default speed, pauses between sentences apart.
_WORDS_PER_S = 2.6
_CHARACTERS_PER_S = 4.3
_PAUSE_S = 0.3
_MOST_SENTENCES = 12


def write_pitch(
    card: ProductCard,
    *,
    seconds: float = 20.0,
    seed: int = 0,
    language: str = "en",
    tone: Tone = "plain",
    claims: ClaimsFilter | None = None,
    described: Sequence[str] = (),
) -> Pitch:
    """Present a product.

    Name, price and an honest word on stock are always said, however short the time; sentences of
    the description, the versions and a closing line follow while they fit.

    Args:
        card: The product.
        seconds: Wished length, above 0; a guide, since voices differ.
        seed: Chooses among equal wordings.
        language: Of the presenter's own lines; the description is quoted as it is.
        tone: Manner of the presenter's own lines.
        claims: What may not be claimed; sentences that do are left out.
        described: Sentences to say of the product instead of its description.
    """
    wording = Wording(language, seed, tone)
    start = _sentences(wording.say("hook", card))
    price = "price_cut" if card.compare_at else "price" if card.is_available else "price_only"
    end = _sentences(wording.say(price, card))
    end += _sentences(scarcity(card, wording))
    left = seconds - spoken_seconds(start + end)
    middle: list[str] = []
    told = list(described) or sentences_of(card.description)
    extras = [[one] for one in (claims or _usual_claims()).without(told)[:_MOST_SENTENCES]]
    call = _sentences(wording.say("call", card)) if card.is_available else []
    # The closing line is worth more than a third sentence of description.
    for position, extra in enumerate(extras):
        reserve = spoken_seconds(call) if position >= 2 else 0.0
        if spoken_seconds(extra) > left - reserve:
            break
        middle += extra
        left -= spoken_seconds(extra)
    for name, values in card.options.items():
        versions = _sentences(wording.say("comes_in", card, values=wording.listed(values)))
        if len(values) > 1 and name and spoken_seconds(versions) <= left - spoken_seconds(call):
            middle += versions
            left -= spoken_seconds(versions)
    if call and spoken_seconds(call) <= left:
        end += call
    sentences = tuple(start + middle + end)
    return Pitch(_joined(sentences), sentences, card.sku)


@cache
def _usual_claims() -> ClaimsFilter:
    return ClaimsFilter()


def scarcity(card: ProductCard, wording: Wording) -> str:
    """How few are left, from the row that a purchase would draw on; empty when there are plenty."""
    if not card.is_available:
        return wording.say("sold_out", card)
    if card.tracks_stock and card.stock == 1:
        return wording.say("last_one", card)
    if card.tracks_stock and card.stock <= _FEW:
        return wording.say("few", card)
    return ""


def spoken_seconds(sentences: list[str]) -> float:
    """About how long sentences take to say."""
    seconds = 0.0
    for sentence in sentences:
        characters = len(re.findall("[\u3040-\u9fff\uac00-\ud7a3]", sentence))
        words = len(re.sub("[\u3040-\u9fff\uac00-\ud7a3]", " ", sentence).split())
        seconds += characters / _CHARACTERS_PER_S + words / _WORDS_PER_S + _PAUSE_S
    return seconds


def _sentences(text: str) -> list[str]:
    # Our own lines hold prices ("$1.50. Now") but no abbreviations.
    return [part for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])", text) if part]


def _joined(sentences: tuple[str, ...]) -> str:
    return re.sub("(?<=[。！？]) (?=[\u3040-\u9fff])", "", " ".join(sentences))
