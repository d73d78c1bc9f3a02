"""Chat messages in, group policies, pitches out."""

from commerce.shop.context import Context


class Letterbox:
    """Chat messages in, group policies, pitches out.

    Part of a shop: ``shop.letterbox``.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
