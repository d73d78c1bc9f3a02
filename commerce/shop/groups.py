"""The groups the shop is in: their rules, what happened in them, the pitches they were shown."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.database import Database
from commerce.errors import LetterboxError
from commerce.models.groups import (
    PRIVATE,
    AskAdmin,
    Consented,
    Forgotten,
    GroupEvent,
    GroupPolicy,
    GroupProfile,
    GroupState,
    Judged,
    KeepSilent,
    MakePitch,
    Novelties,
    TakeBack,
    TellNews,
    Verdict,
    Wanted,
)
from commerce.models.letterbox import ChatContact, ChatGroup, ChatPitch, ChatText
from commerce.recommendation.policy import step
from commerce.shop.vault import Vault

_LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Group:
    """A chat the shop is in.

    Attributes:
        node: Identity node, such as ``group:telegram:3fa9…``.
        host: Node of the member who brought the shop here and earns when nobody recommended.
        keeps_text: Whether the admin allowed messages to be kept.
        has_place: Whether it is known where its news go.
        is_apart: Whether offers stand in a thread of their own, its place.
        is_new: Whether nothing was heard from it before.
    """

    node: str
    channel: str
    policy: GroupPolicy
    profile: GroupProfile
    host: str | None
    keeps_text: bool
    has_place: bool = False
    is_apart: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class PostedPitch:
    """A pitch as it stands in the chat.

    Attributes:
        has_link: Whether it went out with its tracked link.
        reference: The channel's own id of our message; None while there is none.
    """

    group: str
    number: int
    sku: str
    state: str
    asker: str | None
    recommender: str | None
    has_link: bool
    reference: str | None


class Groups:
    """Reads and writes groups; every event passes through the rules. One event loop.

    Args:
        database: Open.
        clock: Says the time.
        vault: Makes the vault when it is first needed.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], vault: Callable[[], Vault]
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    async def open(self, node: str, channel: str, *, is_private: bool = False) -> Group:
        """The group of a node; a new one begins with the default rules."""
        async with self._database.reading() as session:
            row = await _find(session, node)
        if row is not None:
            return _group(row)
        now = self._clock()
        policy = PRIVATE if is_private else GroupPolicy()
        fresh = {
            "node": node,
            "channel": channel,
            "policy": _policies().dump_python(policy, mode="json"),
            "profile": _profiles().dump_python(GroupProfile(), mode="json"),
            "state": _states().dump_python(GroupState(), mode="json"),
            "keeps_text": False,
            "created_at": now,
            "updated_at": now,
        }
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        statement = (
            insert(ChatGroup)
            .values(fresh)
            .on_conflict_do_nothing(index_elements=["node"])
            .returning(ChatGroup.id)
        )
        async with self._database.writing() as session:
            is_new = await session.scalar(statement) is not None
            row = await _known(session, node)
            return _group(row, is_new=is_new)

    async def tell(self, node: str, *events: GroupEvent, message: str | None = None) -> Verdict:
        """Something happened in a group; returns what the rules say to the last of the events.

        Args:
            node: The group.
            events: What happened, in order.
            message: The channel's id of the message that did it.

        Raises:
            LetterboxError: Nothing was heard from the group yet.
        """
        verdict: Verdict = None
        now = self._clock()
        async with self._changing(node) as (session, row):
            policy = _policies().validate_python(row.policy)
            state = _states().validate_python(row.state)
            for event in events:
                state, verdict = step(policy, state, event, now)
                await self._record(session, row, event, verdict, now, message)
            row.state = _states().dump_python(state, mode="json")
            if not all(isinstance(event, Novelties) for event in events):
                row.updated_at = now
        return verdict

    async def all(self) -> list[Group]:
        """Every group, the latest active first."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(ChatGroup).order_by(ChatGroup.updated_at.desc()))
            return [_group(row) for row in rows]

    async def set_policy(self, node: str, policy: GroupPolicy) -> None:
        """Give a group other rules."""
        async with self._changing(node) as (_, row):
            row.policy = _policies().dump_python(policy, mode="json")

    async def set_profile(self, node: str, profile: GroupProfile) -> None:
        """Say what a group is about."""
        async with self._changing(node) as (_, row):
            row.profile = _profiles().dump_python(profile, mode="json")

    async def set_host(self, node: str, host: str | None) -> None:
        """Say who brought the shop to a group."""
        async with self._changing(node) as (_, row):
            row.host = host

    async def set_place(self, node: str, address: str | None, *, is_apart: bool = False) -> None:
        """Say where a group's news go, and whether all offers go there; None for nowhere."""
        sealed = None if address is None else self._vault().seal(address.encode(), "a place")
        async with self._changing(node) as (_, row):
            row.place, row.is_apart = sealed, is_apart and sealed is not None

    async def place(self, node: str) -> str | None:
        """Where a group's news go, as ``set_place`` was told it."""
        async with self._database.reading() as session:
            row = await _find(session, node)
        if row is None or row.place is None:
            return None
        return self._vault().open(row.place, "a place").decode()

    async def move(self, former: str, node: str) -> None:
        """A group got another id; what is known of it goes along."""
        async with self._database.writing() as session:
            is_taken = await _find(session, node) is not None
            if not is_taken:
                await session.execute(
                    update(ChatGroup).where(ChatGroup.node == former).values(node=node)
                )

    async def set_keeps_text(self, node: str, *, keeps_text: bool) -> None:
        """Allow messages to be kept, or forbid it and let the kept ones go."""
        async with self._changing(node) as (session, row):
            row.keeps_text = keeps_text
            if not keeps_text:
                await session.execute(delete(ChatText).where(ChatText.group_id == row.id))

    async def keep_text(self, node: str, member: str, text: str) -> bool:
        """Keep a message, if the group's admin allowed it.

        Returns:
            Whether it was kept.
        """
        async with self._changing(node) as (session, row):
            if row.keeps_text:
                session.add(ChatText(group_id=row.id, member=member, text=text, at=self._clock()))
            return row.keeps_text

    # Pitches ------------------------------------------------------------------------------------

    async def posted(
        self, node: str, number: int, *, token: str | None, reference: str | None
    ) -> None:
        """A pitch stands in the chat now.

        Args:
            node: The group.
            number: Of the pitch.
            token: Of its tracked link.
            reference: The channel's id of our message, if it tells one.
        """
        vault = self._vault()
        values: dict[str, Any] = {"state": "sent"}
        if token is not None:
            values["token_key"] = vault.digest("token", token)
        if reference is not None:
            values["reference_key"] = vault.digest(node, reference)
            values["reference"] = vault.seal(reference.encode(), "a pitch")
        async with self._changing(node) as (session, row):
            await session.execute(_numbered(row.id, number).values(values))

    async def pitch(self, node: str, number: int) -> PostedPitch | None:
        """One pitch of a group."""
        return await self._pitch(ChatGroup.node == node, ChatPitch.number == number)

    async def pitch_with_reference(self, node: str, reference: str) -> PostedPitch | None:
        """The pitch that our message with this id is."""
        key = self._vault().digest(node, reference)
        return await self._pitch(ChatGroup.node == node, ChatPitch.reference_key == key)

    async def pitch_caused_by(self, node: str, message: str) -> PostedPitch | None:
        """The pitch that a member's message with this id has caused."""
        key = self._vault().digest(node, message)
        return await self._pitch(ChatGroup.node == node, ChatPitch.cause_key == key)

    async def pitch_with_token(self, token: str) -> PostedPitch | None:
        """The pitch whose link carries a token."""
        return await self._pitch(ChatPitch.token_key == self._vault().digest("token", token))

    async def pitched_skus(self) -> set[str]:
        """Every product that was ever pitched in a chat."""
        shown = ChatPitch.state.in_(("sent", "withdrawn"))
        chosen = select(ChatPitch.sku).where(shown).distinct()
        async with self._database.reading() as session:
            return set(await session.scalars(chosen))

    async def shown(self, node: str) -> dict[str, int]:
        """How often a group was shown each product in the last 30 days."""
        chosen = (
            select(ChatPitch.sku, func.count())
            .join(ChatGroup, ChatGroup.id == ChatPitch.group_id)
            .where(
                ChatGroup.node == node,
                ChatPitch.state.in_(("sent", "withdrawn")),
                ChatPitch.at >= self._clock() - _LATELY,
            )
            .group_by(ChatPitch.sku)
        )
        async with self._database.reading() as session:
            rows = (await session.execute(chosen)).all()
        return {str(sku): int(count) for sku, count in rows}

    async def pitches(self, node: str) -> int:
        """How many pitches a group was shown."""
        counted = (
            select(func.count())
            .select_from(ChatPitch)
            .join(ChatGroup, ChatGroup.id == ChatPitch.group_id)
            .where(ChatGroup.node == node, ChatPitch.state.in_(("sent", "withdrawn")))
        )
        async with self._database.reading() as session:
            return await session.scalar(counted) or 0

    async def others_who_asked(self, node: str, sku: str, member: str) -> int:
        """How many other members, of those who agreed to be named, asked for a product lately."""
        since = self._clock() - _LATELY
        chosen = (
            select(ChatPitch.asker)
            .join(ChatGroup, ChatGroup.id == ChatPitch.group_id)
            .where(
                ChatGroup.node == node,
                ChatPitch.sku == sku,
                ChatPitch.state.in_(("sent", "withdrawn")),
                ChatPitch.at >= since,
                ChatPitch.asker.is_not(None),
                ChatPitch.asker != member,
            )
            .distinct()
        )
        async with self._database.reading() as session:
            askers = set(await session.scalars(chosen))
            row = await _find(session, node)
        state = GroupState() if row is None else _states().validate_python(row.state)
        return len(askers & state.consented)

    # Members ------------------------------------------------------------------------------------

    async def remember_contact(self, member: str, address: str) -> None:
        """Where a member who agreed to it can be written to."""
        now = self._clock()
        sealed = self._vault().seal(address.encode(), "a contact")
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        statement = insert(ChatContact).values(member=member, address=sealed, updated_at=now)
        statement = statement.on_conflict_do_update(
            index_elements=["member"], set_={"address": sealed, "updated_at": now}
        )
        async with self._database.writing() as session:
            await session.execute(statement)

    async def contact(self, member: str) -> str | None:
        """Where a member can be written to; None without their consent."""
        async with self._database.reading() as session:
            row = await session.scalar(select(ChatContact).where(ChatContact.member == member))
        return None if row is None else self._vault().open(row.address, "a contact").decode()

    async def withdraw_contact(self, member: str) -> None:
        """A member does not want to be written to any more."""
        async with self._database.writing() as session:
            await session.execute(delete(ChatContact).where(ChatContact.member == member))

    async def forget(self, member: str) -> None:
        """Let go of everything that names a member, in every group."""
        async with self._database.reading() as session:
            nodes = list(await session.scalars(select(ChatGroup.node)))
        for node in nodes:
            await self.tell(node, Forgotten(member))
        async with self._database.writing() as session:
            await session.execute(delete(ChatText).where(ChatText.member == member))
            await session.execute(delete(ChatContact).where(ChatContact.member == member))
            for column in (ChatPitch.asker, ChatPitch.recommender):
                await session.execute(
                    update(ChatPitch).where(column == member).values({column.key: None})
                )
            await session.execute(
                update(ChatGroup).where(ChatGroup.host == member).values(host=None)
            )

    async def consent(self, node: str, member: str, *, is_given: bool) -> None:
        """A member allows being named in a group, or takes that back."""
        await self.tell(node, Consented(member, is_given))

    # Private ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _changing(self, node: str) -> AsyncIterator[tuple[AsyncSession, ChatGroup]]:
        """One group, which nobody else changes meanwhile."""
        async with self._database.writing() as session:
            yield session, await _known(session, node)

    async def _record(
        self,
        session: AsyncSession,
        row: ChatGroup,
        event: GroupEvent,
        verdict: Verdict,
        now: datetime,
        message: str | None,
    ) -> None:
        match verdict:
            case MakePitch() if isinstance(event, Judged):
                await session.execute(
                    _numbered(row.id, verdict.number).values(state="sent", at=now)
                )
            case MakePitch() | AskAdmin() if isinstance(event, Wanted):
                is_recommended = event.cause == "recommendation"
                session.add(
                    ChatPitch(
                        group_id=row.id,
                        number=verdict.number,
                        sku=event.sku,
                        asker=event.member,
                        recommender=event.member if is_recommended else row.host,
                        state="sent" if isinstance(verdict, MakePitch) else "waiting",
                        cause_key=message and self._vault().digest(row.node, message),
                        at=now,
                    )
                )
                await session.flush()
            case TellNews():
                session.add(
                    ChatPitch(
                        group_id=row.id,
                        number=verdict.number,
                        sku=verdict.sku,
                        recommender=row.host,
                        state="sent",
                        at=now,
                    )
                )
                await session.flush()
            case TakeBack():
                await session.execute(_numbered(row.id, verdict.number).values(state="withdrawn"))
            case None | KeepSilent() if isinstance(event, Judged) and event.is_admin:
                await session.execute(
                    _numbered(row.id, event.number)
                    .where(ChatPitch.state == "waiting")
                    .values(state="refused")
                )
            case _:
                pass

    async def _pitch(self, *conditions: Any) -> PostedPitch | None:
        chosen = (
            select(ChatPitch, ChatGroup.node)
            .join(ChatGroup, ChatGroup.id == ChatPitch.group_id)
            .where(*conditions)
            .order_by(ChatPitch.id.desc())
            .limit(1)
        )
        async with self._database.reading() as session:
            found = (await session.execute(chosen)).first()
        if found is None:
            return None
        row, node = found
        reference = row.reference
        return PostedPitch(
            node,
            row.number,
            row.sku,
            row.state,
            row.asker,
            row.recommender,
            row.token_key is not None,
            None if reference is None else self._vault().open(reference, "a pitch").decode(),
        )


async def _find(session: AsyncSession, node: str) -> ChatGroup | None:
    found: ChatGroup | None = await session.scalar(select(ChatGroup).where(ChatGroup.node == node))
    return found


async def _known(session: AsyncSession, node: str) -> ChatGroup:
    chosen = select(ChatGroup).where(ChatGroup.node == node).with_for_update()
    row: ChatGroup | None = await session.scalar(chosen)
    if row is None:
        raise LetterboxError(f"no group {node[:60]!r} has written yet; it appears when it does")
    return row


def _numbered(group_id: int, number: int) -> Any:
    return update(ChatPitch).where(ChatPitch.group_id == group_id, ChatPitch.number == number)


def _group(row: ChatGroup, *, is_new: bool = False) -> Group:
    return Group(
        row.node,
        row.channel,
        _policies().validate_python(row.policy),
        _profiles().validate_python(row.profile),
        row.host,
        row.keeps_text,
        row.place is not None,
        row.is_apart,
        is_new,
    )


@cache
def _policies() -> TypeAdapter[GroupPolicy]:
    return TypeAdapter(GroupPolicy)


@cache
def _profiles() -> TypeAdapter[GroupProfile]:
    return TypeAdapter(GroupProfile)


@cache
def _states() -> TypeAdapter[GroupState]:
    return TypeAdapter(GroupState)
