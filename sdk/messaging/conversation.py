"""What becomes of one message: a command, a vote, an answer, a pitch, or silence."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from urllib.parse import quote

from commerce.models.referrals import Referral, TouchKind
from commerce.shop import ProductCard, Shop
from commerce.shop.letterbox import (
    AskAdmin,
    Cause,
    Group,
    Heeded,
    MakePitch,
    PostedPitch,
    Spoke,
    TakeBack,
    Voted,
    Wanted,
)
from sdk.messaging.channel import Channel
from sdk.messaging.commands import Commands, Spoken
from sdk.messaging.messages import (
    Address,
    ChatMessage,
    Incoming,
    Joined,
    Moved,
    Outgoing,
    Reaction,
)
from sdk.messaging.post import Pace
from sdk.messaging.reading import sign_of
from sdk.messaging.stage import Stage
from sdk.messaging.suiting import MOST_SHOWN, labels_of, suiting
from sdk.messaging.words import Moment, labelled, line

_LONGEST_ASK = 300
_KEPT_PACES = 2000


class Books(Protocol):
    """The part of the ledger that a chat needs: ``shop.ledger`` is one."""

    async def node(self, kind: str, *parts: str) -> str:
        """The identity node of something; raw ids go in, and no further."""
        ...

    async def issue(self, referral: Referral) -> str:
        """The token of a new tracked link."""
        ...

    async def touch(
        self,
        *,
        kind: TouchKind,
        actor: str,
        group: str | None = None,
        sku: str | None = None,
        session: str | None = None,
        channel: str | None = None,
    ) -> int:
        """Write a contact down."""
        ...

    async def disclosure(self, recommender: str | None, language: str = "en") -> str:
        """Who earns, and that an AI presents."""
        ...

    async def forget(self, node: str) -> object:
        """Let go of whom a node means."""
        ...


@dataclass(frozen=True, slots=True)
class ConversationConfig:
    """How the shop talks in chats.

    Attributes:
        public_url: Where people open links, without a slash at the end.
        language: Of the voice, and of chats that chose none.
        link_life: How long a link counts.
        admins: Members who are admins where the service does not tell: ``channel:member``.
    """

    public_url: str
    language: str = "en"
    link_life: timedelta = timedelta(days=30)
    admins: frozenset[str] = frozenset()


class Conversation:
    """Answers in chats. One event loop.

    Args:
        shop: Open.
        books: Whom ids stand for, and tracked links; ``shop.ledger``.
        stage: The live show; None while there is none.
        config: Languages and addresses.
        now: The time.
    """

    def __init__(
        self,
        shop: Shop,
        books: Books,
        stage: Stage | None,
        config: ConversationConfig,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._shop = shop
        self._groups = shop.letterbox.groups
        self._books = books
        self._stage = stage
        self._config = config
        self._now = now
        self._paces: dict[str, Pace] = {}
        self._commands = Commands(shop, books, config.language)

    async def handle(self, channel: Channel, incoming: Incoming, *, is_again: bool = False) -> None:
        """Do what is to be done.

        Args:
            channel: That it came by.
            incoming: What came.
            is_again: Somebody began to work on it before.

        Raises:
            DeliveryError: An answer could not be sent.
            CommerceError: The shop failed.
        """
        match incoming:
            case ChatMessage():
                await self._message(channel, incoming, is_again=is_again)
            case Reaction():
                await self._reaction(channel, incoming)
            case Joined():
                await self._open(channel, incoming.address)
            case Moved():
                former = await self._node(replace(incoming.address, chat=incoming.former))
                await self._groups.move(former, await self._node(incoming.address))

    # Messages ---------------------------------------------------------------------------------

    async def _message(self, channel: Channel, message: ChatMessage, *, is_again: bool) -> None:
        node = await self._node(message.address)
        member = await self._books.node("chat", channel.name, message.member)
        group = await self._groups.open(node, channel.name, is_private=not message.address.is_group)
        if group.policy.takes_alerts and not group.has_place and message.address.is_group:
            await self._groups.set_place(node, replace(message.address, reply_to="").to_json())
        spoken = Spoken(channel, message, group, member)
        await self._answer(spoken, is_again=is_again)
        if group.is_new and message.address.is_group:
            await self._greet(channel, message.address, group)

    async def _answer(self, spoken: Spoken, *, is_again: bool) -> None:
        message, group = spoken.message, spoken.group
        if group.keeps_text and not is_again:
            await self._groups.keep_text(group.node, spoken.member, message.text)
        answered = None
        if message.reply_to:
            answered = await self._groups.pitch_with_reference(group.node, message.reply_to)
        if answered is not None and (sign := _bare_sign(message.text)) is not None:
            await self._groups.tell(group.node, Spoke(spoken.member))
            await self._vote(spoken.channel, message.address, spoken.member, answered, sign)
            return
        events = [Heeded(answered.number)] if answered is not None else []
        if not message.is_to_us:
            await self._groups.tell(group.node, *events, Spoke(spoken.member))
            return
        if is_again and await self._went_out(spoken):
            return
        is_admin = partial(self._is_admin, spoken)
        if message.text.startswith("/recommend"):
            await self._recommend(spoken)
        elif message.text.startswith("/approve") or message.text.startswith("/deny"):
            await self._groups.tell(group.node, Spoke(spoken.member))
            await self._judge(spoken)
        elif (text := await self._commands.reply(spoken, is_admin)) is not None:
            await self._groups.tell(group.node, Spoke(spoken.member))
            await self._say(spoken, text)
        else:
            if events:
                await self._groups.tell(group.node, *events)
            await self._ask(spoken, answered)

    async def _ask(self, spoken: Spoken, answered: PostedPitch | None) -> None:
        """Somebody asks: answer with a product, with words, or not at all."""
        group, text = spoken.group, spoken.message.text[:_LONGEST_ASK]
        pinned = self._stage.pinned if self._stage is not None else None
        context = answered.sku if answered is not None else pinned
        leaning = await self._shop.leaning(asker=spoken.member, group=group.node)
        answer = await self._shop.answer(
            text, context_sku=context, language=self._language(group), leaning=leaning
        )
        if answer is None:
            await self._groups.tell(group.node, Spoke(spoken.member))
            return
        if answer.card is None:
            await self._groups.tell(group.node, Spoke(spoken.member))
            if not await self._shop.search(text, 1):
                await self._shop.letterbox.wish(group.node, spoken.member, text)
            await self._say(spoken, answer.text)
            return
        found = await self._shop.search(text, MOST_SHOWN + 2, leaning=leaning)
        card, others = suiting(group, answer.card, found)
        if card is None:
            await self._groups.tell(group.node, Spoke(spoken.member))
            return
        said = answer.text
        if card.sku != answer.card.sku:
            said = await self._pitch_text(group, card, self._language(group))
        await self._want(spoken, card, said, others, text)

    async def _recommend(self, spoken: Spoken) -> None:
        """A member recommends: the link is theirs, and so is the answer for it."""
        group = spoken.group
        words = spoken.message.text.partition(" ")[2]
        found = await self._shop.search(words, MOST_SHOWN) if words else []
        card, _ = suiting(group, found[0].card if found else None, found)
        if card is None:
            await self._groups.tell(group.node, Spoke(spoken.member))
            await self._say(spoken, line(self._language(group), "recommend_what"))
            return
        said = await self._pitch_text(group, card, self._language(group))
        await self._want(spoken, card, said, [], None, is_recommended=True)

    async def _want(
        self,
        spoken: Spoken,
        card: ProductCard,
        said: str,
        others: list[ProductCard],
        ask: str | None,
        *,
        is_recommended: bool = False,
    ) -> None:
        group, message = spoken.group, spoken.message
        cause: Cause = "recommendation" if is_recommended else "ask"
        is_admin = await self._is_admin(spoken) if _needs_admin(group) else False
        wish = Wanted(spoken.member, card.sku, labels_of(card), cause, is_admin)
        verdict = await self._groups.tell(
            group.node, Spoke(spoken.member), wish, message=message.message
        )
        match verdict:
            case MakePitch():
                await self._make(spoken, verdict, card, said, others, ask)
            case AskAdmin():
                text = line(
                    self._language(group),
                    "approval_asked",
                    title=card.title,
                    number=verdict.number,
                )
                await self._send(spoken.channel, message.address, group, text)
            case _:
                pass

    async def _judge(self, spoken: Spoken) -> None:
        """An admin says yes or no to what waits."""
        reply, verdict = await self._commands.judge(spoken, await self._is_admin(spoken))
        if not isinstance(verdict, MakePitch):
            if reply:
                await self._say(spoken, reply)
            return
        card = await self._shop.product(verdict.sku)
        if card is not None:
            said = await self._pitch_text(spoken.group, card, self._language(spoken.group))
            await self._make(spoken, verdict, card, said, [], None)

    # Pitches ----------------------------------------------------------------------------------

    async def _make(
        self,
        spoken: Spoken,
        verdict: MakePitch,
        card: ProductCard,
        said: str,
        others: list[ProductCard],
        ask: str | None,
    ) -> None:
        """First the voice, which a person waits for; then the link in the chat."""
        await self._speak(spoken, verdict, card, said, ask)
        await self._post(spoken, verdict.number, card, said, others)

    async def _speak(
        self, spoken: Spoken, verdict: MakePitch, card: ProductCard, said: str, ask: str | None
    ) -> None:
        if self._stage is None:
            return
        voice = self._config.language
        if self._language(spoken.group) != voice:
            answer = await self._shop.answer(ask, language=voice) if ask else None
            said = answer.text if answer else await self._pitch_text(spoken.group, card, voice)
        is_named = verdict.names_asker and spoken.message.name
        lead = line(voice, "live_lead_named" if is_named else "live_lead", name=spoken.message.name)
        turn = f"chat:{verdict.number}"
        self._stage.pitch(lead, said, card.sku, turn=turn)

    async def _post(
        self,
        spoken: Spoken,
        number: int,
        card: ProductCard,
        said: str,
        others: list[ProductCard],
    ) -> None:
        group, message = spoken.group, spoken.message
        pitch = await self._groups.pitch(group.node, number)
        recommender = pitch.recommender if pitch is not None else None
        session = self._stage.session_id if self._stage is not None else None
        token = await self._books.issue(
            Referral(
                recommender=recommender,
                group=group.node,
                channel=spoken.channel.name,
                message_ref=message.message,
                sku=card.sku,
                session=session,
                expires_at=self._now() + self._config.link_life,
            )
        )
        if spoken.message.is_to_us:
            await self._books.touch(
                kind="message",
                actor=spoken.member,
                group=group.node,
                sku=card.sku,
                session=session,
                channel=spoken.channel.name,
            )
        asked = await self._groups.others_who_asked(group.node, card.sku, spoken.member)
        too = line(self._language(group), "asked_too", count=asked) if asked else ""
        outgoing = await self._composed(group, card, said, others, token, recommender, too)
        sent = await spoken.channel.send(await self._place(spoken), outgoing)
        await self._groups.posted(group.node, number, token=token, reference=sent.reference)

    async def _place(self, spoken: Spoken) -> Address:
        """Where an offer goes: to the group's thread for offers, else where it was asked for."""
        here = spoken.message.address
        kept = await self._groups.place(spoken.group.node) if spoken.group.is_apart else None
        if kept is None:
            return here
        apart = Address.from_json(kept)
        return here if here.extra.get("thread") == apart.extra.get("thread") else apart

    async def _composed(
        self,
        group: Group,
        card: ProductCard,
        said: str,
        others: list[ProductCard],
        token: str,
        recommender: str | None,
        too: str,
    ) -> Outgoing:
        language = self._language(group)
        titles = ", ".join(f"{one.title} ({one.price.display(language)})" for one in others)
        also = line(language, "also", titles=titles) if others else ""
        earns = await self._books.disclosure(recommender, language)
        review = ""
        # The latest word of a buyer, whatever it says.
        for one in await self._shop.letterbox.aftercare.reviews(card.sku, limit=1):
            if one.words:
                moment: Moment = "review_kept" if one.verdict == "kept" else "review_returned"
                review = line(language, moment, words=one.words)
        return Outgoing(
            labelled(language, said, too, review, also, earns),
            link=f"{self._config.public_url}/r/{token}",
            link_label=line(language, "open"),
            title=card.title,
            picture=self._picture(card),
            language=language,
        )

    async def _went_out(self, spoken: Spoken) -> bool:
        """Whether an earlier try has done the work; what it left half done is finished."""
        group, message = spoken.group, spoken.message
        pitch = await self._groups.pitch_caused_by(group.node, message.message)
        if pitch is None:
            return False
        card = await self._shop.product(pitch.sku)
        if pitch.state == "sent" and not pitch.has_link and card is not None:
            said = await self._pitch_text(group, card, self._language(group))
            await self._post(spoken, pitch.number, card, said, [])
        return True

    # Votes ------------------------------------------------------------------------------------

    async def _reaction(self, channel: Channel, reaction: Reaction) -> None:
        node = await self._node(reaction.address)
        pitch = await self._groups.pitch_with_reference(node, reaction.message)
        if pitch is not None and reaction.sign != "none":
            member = await self._books.node("chat", channel.name, reaction.member)
            await self._vote(channel, reaction.address, member, pitch, reaction.sign)

    async def _vote(
        self, channel: Channel, address: Address, member: str, pitch: PostedPitch, sign: str
    ) -> None:
        vote = Voted(member, pitch.number, sign == "against")
        verdict = await self._groups.tell(pitch.group, vote)
        if not isinstance(verdict, TakeBack):
            return
        is_gone = pitch.reference is not None and await channel.withdraw(address, pitch.reference)
        if not is_gone:
            group = await self._groups.open(pitch.group, channel.name)
            text = line(self._language(group), "taken_back")
            await self._send(channel, address, group, text)

    # Small things -----------------------------------------------------------------------------

    async def _open(self, channel: Channel, address: Address) -> None:
        group = await self._groups.open(await self._node(address), channel.name)
        if group.is_new:
            await self._greet(channel, address, group)

    async def _greet(self, channel: Channel, address: Address, group: Group) -> None:
        text = self._commands.norms(group, self._language(group))
        await self._send(channel, replace(address, reply_to=""), group, text)

    async def _say(self, spoken: Spoken, text: str) -> None:
        """Answer in words; not at night, and not to somebody who plays with us."""
        if spoken.message.text.startswith("/") or self._commands.may_speak(
            spoken.group, self._now()
        ):
            pace = self._pace_of(spoken.member)
            if pace.reserve() == 0:
                await self._send(spoken.channel, spoken.message.address, spoken.group, text)

    async def _send(self, channel: Channel, address: Address, group: Group, text: str) -> None:
        language = self._language(group)
        await channel.send(address, Outgoing(labelled(language, text), language=language))

    async def _pitch_text(self, group: Group, card: ProductCard, language: str) -> str:
        pitch = await self._shop.pitch(
            card.sku, seconds=10, language=language, tone=group.profile.tone
        )
        return pitch.text

    async def _is_admin(self, spoken: Spoken) -> bool:
        message = spoken.message
        if message.is_admin is not None:
            return message.is_admin
        if f"{spoken.channel.name}:{message.member}" in self._config.admins:
            return True
        return await spoken.channel.is_admin(message.address, message.member)

    async def _node(self, address: Address) -> str:
        return await self._books.node("group", address.channel, address.chat)

    def _language(self, group: Group) -> str:
        return group.profile.language or self._config.language

    def _picture(self, card: ProductCard) -> str | None:
        """Where a chat service can fetch a product's picture: here, where it can reach us."""
        image = card.image or ""
        if image and self._config.public_url.startswith("https://"):
            return f"{self._config.public_url}/photo/{quote(card.sku, safe='')}"
        return image if image.startswith(("https://", "http://")) else None

    def _pace_of(self, member: str) -> Pace:
        if member not in self._paces:
            if len(self._paces) >= _KEPT_PACES:
                self._paces.pop(next(iter(self._paces)))
            self._paces[member] = Pace(4, 1 / 20, time.monotonic)
        return self._paces[member]


def _needs_admin(group: Group) -> bool:
    return group.policy.who != "anyone" or group.policy.needs_approval


def _bare_sign(text: str) -> str | None:
    """Whether an answer to a pitch is nothing but a sign."""
    return sign_of(text) if text in ("👎", "👍", "❤️", "❤", "-1", "+1", "🔥", "🙏") else None
