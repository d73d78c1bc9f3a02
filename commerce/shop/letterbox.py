"""Chat messages in, group policies, pitches out."""

import hashlib

from commerce.errors import LetterboxError
from commerce.models.groups import (
    AskAdmin,
    Cause,
    Consented,
    Forgotten,
    GroupEvent,
    GroupPolicy,
    GroupProfile,
    Heeded,
    Judged,
    KeepSilent,
    MakePitch,
    Novelties,
    Novelty,
    Spoke,
    TakeBack,
    TellNews,
    Verdict,
    Voted,
    Wanted,
)
from commerce.models.happenings import Happening
from commerce.recommendation.policy import is_quiet
from commerce.recommendation.policy_words import changed as changed_policy
from commerce.recommendation.policy_words import described as described_policy
from commerce.recommendation.understand import understand
from commerce.shop.aftercare import Aftercare, DueQuestion, Review, Wished
from commerce.shop.context import Context
from commerce.shop.groups import Group, Groups, PostedPitch
from commerce.shop.inbox import ClaimedEvent, ExternalEvent, Inbox, InboxLine
from commerce.shop.outbox import post
from commerce.shop.vault import Vault, vault_for

__all__ = [
    "THANKS",
    "Aftercare",
    "AskAdmin",
    "Cause",
    "ClaimedEvent",
    "Consented",
    "DueQuestion",
    "ExternalEvent",
    "Forgotten",
    "Group",
    "GroupEvent",
    "GroupPolicy",
    "GroupProfile",
    "Groups",
    "Heeded",
    "Inbox",
    "InboxLine",
    "Judged",
    "KeepSilent",
    "Letterbox",
    "MakePitch",
    "Novelties",
    "Novelty",
    "PostedPitch",
    "Review",
    "Spoke",
    "TakeBack",
    "TellNews",
    "Verdict",
    "Voted",
    "Wanted",
    "Wished",
    "changed_policy",
    "described_policy",
    "is_quiet",
]

THANKS = "thanks"
"""The errand of thanking a recommender; the clerk of the chats does it."""


class Letterbox:
    """Chat messages in, group policies, pitches out.

    Part of a shop: ``shop.letterbox``. The key that encrypts what it keeps is
    ``LIVEPITCH_LETTERBOX_KEY``, else a key file beside the SQLite file; it is looked for when it is
    first needed, and ``LetterboxError`` says when there is none.

    Attributes:
        inbox: Events of the chat services, durable before their 200.
        groups: Rules, profiles, pitches and consent.
        aftercare: Wishes, questions after a purchase, reviews.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._vault: Vault | None = None
        parts = (context.database, context.clock, self._opened_vault)
        self.inbox = Inbox(*parts)
        self.groups = Groups(*parts)
        self.aftercare = Aftercare(*parts)

    async def wish(self, group: str, member: str, text: str) -> bool:
        """A member asked for something that the catalogue does not have.

        Args:
            group: Its node.
            member: Their node.
            text: What they wrote; only the words for what they look for are kept, encrypted.

        Returns:
            Whether it was a wish at all.
        """
        query = understand(text, self._context.currency)
        if query.intent in ("greeting", "chatter", "policy", "identity") or not query.terms:
            return False
        await self.aftercare.wish(group, member, [term.word for term in query.terms])
        return True

    async def book(self, happening: Happening) -> None:
        """Something happened to an order; a consumer of the outbox. May be told twice."""
        await self.aftercare.book(happening)

    async def thank(self, order: str, sku: str, recommender: str) -> None:
        """What a member recommended has arrived: have them told, once, if they agreed to it.

        Args:
            order: That was delivered.
            sku: What was in it.
            recommender: Their node.
        """
        try:
            self.require_key()
        except LetterboxError:
            return  # without a key nobody ever agreed
        if await self.groups.contact(recommender) is None:
            return
        who = hashlib.sha256(recommender.encode()).hexdigest()[:24]
        async with self._context.database.writing() as session:
            await post(
                session,
                key=f"{THANKS}:{order}:{who}",
                aggregate=f"{THANKS}:{who}",
                kind=THANKS,
                payload={"member": recommender, "sku": sku},
                now=self._context.clock(),
            )

    async def heed(self, token: str) -> None:
        """Somebody opened the link of a pitch: it was not ignored."""
        try:
            self.require_key()
        except LetterboxError:
            return  # without a key there never was a pitch
        pitch = await self.groups.pitch_with_token(token)
        if pitch is not None:
            await self.groups.tell(pitch.group, Heeded(pitch.number))

    async def forget(self, member: str) -> None:
        """Let go of everything that names a member."""
        await self.groups.forget(member)
        await self.aftercare.forget(member)

    async def sweep(self) -> tuple[int, int]:
        """Let go of what has been kept long enough: bodies and rows of the inbox."""
        return await self.inbox.sweep()

    def require_key(self) -> None:
        """Find out now whether messages can be kept.

        Raises:
            LetterboxError: There is no key and no place for one.
        """
        self._opened_vault()

    def _opened_vault(self) -> Vault:
        if self._vault is None:
            self._vault = vault_for(self._context.database)
        return self._vault
