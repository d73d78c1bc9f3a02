"""Stand-ins around a session: a transmitter that remembers, a shop of three products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from avatar_engine.types import AvatarFrame

PRODUCTS: tuple[dict[str, Any], ...] = tuple(
    {
        "sku": sku,
        "title": title,
        "description": f"{title}, much loved.",
        "price": {"minor": price, "currency": "USD", "text": f"${price / 100:.2f}"},
        "compare_at": None,
        "stock": stock,
        "image": None,
        "url": None,
        "brand": "Oak",
        "tags": [],
    }
    for sku, title, price, stock in (
        ("mug", "Stone Mug", 1800, 12),
        ("lamp", "Desk Lamp", 4900, 3),
        ("scarf", "Wool Scarf", 3500, 0),
    )
)


@dataclass(frozen=True)
class FakeAnswer:
    text: str
    sku: str | None

    @property
    def key(self) -> str:
        return f"{self.sku}"


class FakeCounter:
    """Answers any message that names a SKU; its wording alternates."""

    def __init__(self, products: Sequence[Mapping[str, Any]] = PRODUCTS) -> None:
        self.asked = 0
        self.shelf = {str(p["sku"]): dict(p) for p in products}

    async def products(self) -> list[Mapping[str, Any]]:
        return [dict(p) for p in self.shelf.values()]

    async def product(self, sku: str) -> Mapping[str, Any] | None:
        return dict(self.shelf[sku]) if sku in self.shelf else None

    async def answer(
        self, text: str, *, context_sku: str | None, viewer_name: str
    ) -> FakeAnswer | None:
        for sku, product in self.shelf.items():
            if sku in text.lower():
                self.asked += 1
                opener = "Yes, we have" if self.asked % 2 else "We do have"
                opener = f"Hi {viewer_name}. {opener}" if viewer_name else opener
                return FakeAnswer(f"{opener} the {product['title']}.", sku)
        return None

    async def pitch(self, sku: str, *, seed: int) -> str:
        title = self.shelf[sku]["title"]
        return f"Look at the {title}. It is number {seed}. You will love it. Take one home."

    async def opening(self, *, seed: int) -> str:
        return "Hello and welcome. I am an AI presenter."

    async def closing(self, *, seed: int) -> str:
        return "That was our round."


@dataclass
class Sink:
    """A transmitter that remembers what it was given."""

    frames: list[AvatarFrame] = field(default_factory=list)
    dropped_before: int = 0
    is_closed: bool = False

    def publish(self, frame: AvatarFrame) -> None:
        self.frames.append(frame)

    def drop_before(self, generation: int) -> None:
        self.dropped_before = generation

    async def aclose(self) -> None:
        self.is_closed = True
