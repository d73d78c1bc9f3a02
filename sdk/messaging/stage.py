"""The live show as the letterbox sees it: something to be said now, and a product to be pinned."""

from typing import Protocol

from sdk.errors import QueueFullError, SessionError
from sdk.session import Session
from sdk.types.session import Priority, Utterance


class Stage(Protocol):
    """Where a pitch is spoken."""

    @property
    def session_id(self) -> str:
        """The show's name, for tracked links."""
        ...

    @property
    def pinned(self) -> str | None:
        """The product on the page now."""
        ...

    def pitch(self, lead: str, text: str, sku: str | None, *, turn: str) -> bool:
        """Speak, and pin the product with the first word.

        Args:
            lead: A short sentence that says why.
            text: What is said of the product.
            sku: The product.
            turn: Ties the events of one question together.

        Returns:
            Whether it will be heard; False when too much waits already.
        """
        ...


class LiveStage:
    """A running session.

    A person who asked waits for an answer, so the script breaks off at once: the lead interrupts
    it, and it later repeats the sentence that was cut. Anybody else who is being answered is not
    interrupted: then the pitch waits its turn.

    Args:
        session: Open.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def session_id(self) -> str:
        """The show's name."""
        return str(self._session.session_id)

    @property
    def pinned(self) -> str | None:
        """The product on the page now."""
        return self._session.shelf.pinned

    def pitch(self, lead: str, text: str, sku: str | None, *, turn: str) -> bool:
        """Speak, and pin the product with the first word."""
        director = self._session.director
        current = director.current
        is_script = current is not None and current.utterance.priority <= Priority.SCRIPT
        merge_key = f"pitch:{sku}:{text}"
        first = Utterance(
            lead,
            priority=Priority.INTERRUPTION if is_script else Priority.PITCH,
            product=sku,
            # Asked twice in a row, it is said once.
            merge_key=f"lead:{merge_key}",
            turn_id=turn,
        )
        rest = Utterance(
            text,
            priority=Priority.PITCH,
            product=sku,
            merge_key=merge_key,
            turn_id=turn,
        )
        try:
            director.submit(first)
            director.submit(rest)
        except (QueueFullError, SessionError):
            return False
        return True
