"""What the service answers over HTTP: the server promises these shapes, the client reads them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

Moment = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time with its offset from UTC, ISO 8601 on the wire."""


class Answered(BaseModel):
    """Root of all answers; frozen, and fields of a newer server are passed over."""

    model_config = ConfigDict(frozen=True)


class Problem(Answered):
    """Why something was refused, in one line that names the thing and the next step."""

    detail: str


class Price(Answered):
    """Money: an exact integer of minor units, and the words a person reads."""

    minor: int
    currency: str
    text: str


class Product(Answered):
    """One variant of a product as pages show it.

    Attributes:
        sku: Its identifier.
        variant: Such as ``Red / L``; empty where there is one only.
        compare_at: What it used to cost, if that is more.
        stock: Units free now; None where the seller does not count them.
        stock_version: Rises with each change, so that an old number never replaces a new one.
        image: A path of this service, such as ``/media/main/mug``; never an address elsewhere.
        url: The seller's own page for it.
    """

    sku: str
    title: str
    description: str = ""
    brand: str | None = None
    variant: str = ""
    category: str | None = None
    tags: tuple[str, ...] = ()
    price: Price
    compare_at: Price | None = None
    stock: int | None = None
    stock_version: int = 0
    image: str | None = None
    url: str | None = None


class ProductList(Answered):
    """Some of the shelf, in the catalogue's order; ``count`` is of all."""

    products: tuple[Product, ...]
    count: int


class ChatLine(Answered):
    """A message in the room, or an answer (then it has a ``speech_id``)."""

    message_id: str
    viewer: str
    name: str
    text: str
    speech_id: int | None = None


class Caption(Answered):
    """The sentence that is being heard."""

    sentence_id: int
    text: str


class SessionView(Answered):
    """A session as it is now.

    Attributes:
        session: Its name in addresses.
        state: Where in its life it is; ``connected`` is live.
        presenter: The avatar's name.
        consent: Who agreed to be shown, and to what.
        portrait: Path of a small picture, if there is one.
        avatar_state: ``speaking``, ``idle``, ….
        generation: Counts interruptions.
        pinned: The product on every page.
        products: The first of the shelf.
        product_count: All of it.
        caption: The sentence that is being heard, if any.
        messages: The last of the chat, oldest first.
    """

    session: str
    state: str
    presenter: str
    consent: str
    portrait: str | None
    avatar_state: str
    generation: int
    pinned: Product | None
    products: tuple[Product, ...]
    product_count: int
    caption: Caption | None
    messages: tuple[ChatLine, ...]


class SpeechAccepted(Answered):
    """A speech is queued; events speak of it by its id."""

    speech_id: int
    sentences: int


class Interrupted(Answered):
    """Silence; events of what was said before carry a lower generation."""

    generation: int


class Pinned(Answered):
    """The SKU that was asked to be shown; the page shows it now."""

    pinned: str | None


class Calibrating(Answered):
    """The next picture of the camera that drives the avatar is its driver at rest.

    Attributes:
        is_following: Whether the last picture showed a face.
    """

    calibrating: Literal[True]
    is_following: bool


class Health(Answered):
    """The process is alive; how the playout clock fares.

    Attributes:
        status: Always ``ok``.
        session: The session's state.
        frames: Given out so far.
        repeated: Frames that repeat a picture because there was no time to draw.
        stalls: How often the clock had to be moved.
        stalled_s: By how much, together.
        step_ms: What a step with a picture costs.
    """

    status: Literal["ok"]
    session: str
    frames: int
    repeated: int
    stalls: int
    stalled_s: float
    step_ms: float


class Ready(Answered):
    """Whether viewers can be sent here."""

    ready: bool


# What can go wrong, as the interface's description tells it.
_REASONS = {
    400: "The body cannot be read",
    401: "A token, ticket or signature is missing or wrong",
    403: "A page of another origin may not do this",
    404: "There is no such thing",
    406: "No codec in common",
    408: "The body took too long",
    409: "Fewer units are free than wanted",
    412: "The ETag is another one's",
    413: "The body is too large",
    415: "Another Content-Type is needed",
    421: "The server is not called so",
    422: "The body makes no sense",
    428: "If-Match is missing",
    429: "Too much waits already; see Retry-After",
    503: "It cannot be done now; try again later",
    504: "It took too long",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its description; those of the gate are added to each."""
    wanted = sorted({*statuses, 401, 403, 421})
    return {status: {"model": Problem, "description": _REASONS[status]} for status in wanted}
