"""Chat messages made up by hand: asks get their product, talk and complaints get silence.

The messages stand in ``data/messages.tsv``. Every second one of a kind and language was looked at
while the words of ``commerce/recommendation`` were written; the others were not.
"""

import csv
import os
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from commerce.shop import Shop
from tests.support.shops import NOON, example_shop

pytestmark = pytest.mark.asyncio

MOST_FALSE_PITCHES, LEAST_RECALL = 0.02, 0.8
DATA = Path(__file__).parent / "data" / "messages.tsv"
SHARED = os.environ.get("LIVEPITCH_SHARED")


@dataclass(frozen=True)
class Message:
    kind: str
    language: str
    shop: str
    wanted: str
    text: str
    is_seen: bool


def messages() -> list[Message]:
    lines = [line for line in DATA.read_text().splitlines() if not line.startswith("#")]
    counts: dict[tuple[str, str], int] = defaultdict(int)
    found = []
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        key = (row["kind"], row["language"])
        counts[key] += 1
        found.append(Message(**row, is_seen=counts[key] % 2 == 1))
    return found


@asynccontextmanager
async def shopify_shop():
    async with Shop.open(":memory:", clock=lambda: NOON) as shop:
        for name in ("apparel", "home-and-garden", "jewelery"):
            await shop.import_file(
                Path(SHARED or "") / "data" / "commerce" / "shopify" / f"{name}.csv"
            )
        yield shop


async def judged(shop, name, half):
    """Recall of asks, share of the rest that got a product, and the messages that went wrong."""
    asks = right = others = pitched = 0
    wrong = []
    for message in messages():
        if message.shop not in {name, "any"} or message.is_seen != (half == "seen"):
            continue
        answer = await shop.answer(message.text)
        card = answer.card if answer else None
        if message.kind == "ask":
            asks += 1
            names = message.wanted.split("|")
            is_right = card is not None and (
                message.wanted == "*" or any(word in card.title.lower() for word in names)
            )
            right += is_right
            if not is_right:
                wrong.append((message.text, card.title if card else None))
        else:
            others += 1
            if card is not None:
                pitched += 1
                wrong.append((message.text, card.title))
    return right / asks, pitched / others, wrong


async def test_there_are_enough_messages_of_every_kind():
    every = messages()
    assert len(every) >= 300
    assert len({message.text for message in every}) == len(every)
    for language in ("en", "zh"):
        for kind, least in (("ask", 40), ("complaint", 25), ("chatter", 40)):
            own = [one for one in every if (one.language, one.kind) == (language, kind)]
            assert len(own) >= least, (language, kind)


@pytest.mark.parametrize("half", ["seen", "unseen"])
async def test_asks_get_their_product_and_the_rest_silence(half):
    async with example_shop() as shop:
        recall, false_pitches, wrong = await judged(shop, "examples", half)
    assert recall >= LEAST_RECALL, wrong
    assert false_pitches <= MOST_FALSE_PITCHES, wrong


@pytest.mark.shared
@pytest.mark.skipif(not SHARED, reason="LIVEPITCH_SHARED names no development data")
@pytest.mark.parametrize("half", ["seen", "unseen"])
async def test_so_they_do_in_a_shop_from_shopify(half):
    async with shopify_shop() as shop:
        recall, false_pitches, wrong = await judged(shop, "shopify", half)
    assert recall >= LEAST_RECALL, wrong
    assert false_pitches <= MOST_FALSE_PITCHES, wrong
