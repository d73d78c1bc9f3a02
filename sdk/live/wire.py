"""What arrives over HTTP and sockets: versioned, bounded, validated."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from sdk.session.chat import MESSAGE_LENGTH

_LONGEST_NAME = 80  # as sent; what is shown of it is shorter
_LONGEST_SPEECH = 4000

Text = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_SPEECH)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatMessage(_Strict):
    """A viewer writes."""

    v: Literal[1]
    type: Literal["chat"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=MESSAGE_LENGTH)]
    name: Annotated[str, StringConstraints(max_length=_LONGEST_NAME)] = ""


class Ping(_Strict):
    """A viewer's page asks whether we are there."""

    v: Literal[1]
    type: Literal["ping"]


ViewerMessage = TypeAdapter[ChatMessage | Ping](
    Annotated[ChatMessage | Ping, Field(discriminator="type")]
)


class Say(_Strict):
    """The seller has the avatar say something."""

    text: Text
    product: Sku | None = None
    interrupt: bool = False


class Pin(_Strict):
    """The seller shows a product, or with null takes it away."""

    sku: Sku | None
