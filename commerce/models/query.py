"""A message understood: what a viewer asked for, in words the index knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from commerce.models.values import ProductId
from commerce.money import Money

Intent = Literal[
    "find",  # looks for a product
    "price",  # what something costs
    "stock",  # whether something can be bought now
    "options",  # colours, sizes
    "about",  # a property of a product
    "recommend",  # wants a suggestion
    "policy",  # shipping, returns, payment: nothing the catalogue knows
    "identity",  # whether the presenter is a person
    "greeting",
    "chatter",
]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for.

    Attributes:
        word: As the viewer wrote it, folded.
        alternatives: Stems and synonyms, any of which satisfies the term.
        weight: How much the term matters; the head noun most.
    """

    word: str
    alternatives: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Query:
    """A message understood.

    Attributes:
        text: The message.
        intent: What the viewer wants.
        terms: What the product should be; empty when only a pinned one can be meant.
        minimum: Lowest price, inclusive.
        maximum: Highest price, inclusive.
        wants_in_stock: Whether only what can be bought now is wanted.
        order: Whether the cheapest or the dearest was asked for.
        refers_back: Whether "it" or "this" points at the pinned product.
        asks_plainly: Whether the wording itself shows a wish ("do you have", "looking for").
        topic: For ``options`` and ``policy``, which: "colour", "size", "shipping", "returns", ….
    """

    text: str
    intent: Intent
    terms: tuple[Term, ...] = ()
    minimum: Money | None = None
    maximum: Money | None = None
    wants_in_stock: bool = False
    order: Literal["cheapest", "dearest"] | None = None
    refers_back: bool = False
    asks_plainly: bool = False
    topic: str = ""

    @property
    def has_price_limit(self) -> bool:
        """Whether the viewer named a price to stay under or over."""
        return self.minimum is not None or self.maximum is not None


@dataclass(frozen=True, slots=True)
class IndexedProduct:
    """The words of one product, by where they stand, in their order."""

    product_id: ProductId
    title: Sequence[str]
    labels: Sequence[str]
    description: Sequence[str]
    details: Sequence[str] = ()
