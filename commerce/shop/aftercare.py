"""What groups asked that the catalogue lacks, and what buyers say once they have the goods."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import case, delete, distinct, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.database import Database
from commerce.models.happenings import Happening, OrderDelivered, OrderPaid
from commerce.models.letterbox import ChatContact, ChatGroup, Question, Wish
from commerce.shop.vault import Vault

Verdict = Literal["kept", "returned"]

_ASKED_AFTER = timedelta(days=3)
_RISING_WITHIN = timedelta(days=7)
_FEWEST_MEMBERS = 2
_LONGEST_WORDS = 280


@dataclass(frozen=True, slots=True)
class Wished:
    """Something groups asked for in vain.

    Attributes:
        word: What was asked for.
        members: By how many different members; never fewer than two, so that it tells of nobody.
        groups: In how many groups.
        lately: By how many of the members in the last 7 days.
    """

    word: str
    members: int
    groups: int
    lately: int


@dataclass(frozen=True, slots=True)
class DueQuestion:
    """A buyer who is to be asked now how a purchase was.

    Attributes:
        address: Where, as ``remember_contact`` was told it.
    """

    key: int
    order: str
    sku: str
    member: str
    address: str


@dataclass(frozen=True, slots=True)
class Review:
    """What a buyer said of a product."""

    verdict: Verdict
    words: str
    at: datetime


class Aftercare:
    """Wishes, questions and reviews. One event loop.

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

    async def wish(self, group: str, member: str, words: Sequence[str]) -> None:
        """A member asked for something that the catalogue does not have.

        Args:
            group: Its node.
            member: Their node.
            words: What was asked for, one word each; kept encrypted.
        """
        vault, now = self._vault(), self._clock()
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        async with self._database.writing() as session:
            group_id = await session.scalar(select(ChatGroup.id).where(ChatGroup.node == group))
            if group_id is None or not words:
                return
            rows = [
                {
                    "group_id": group_id,
                    "word_key": vault.digest("wish", word),
                    "word": vault.seal(word.encode(), "a wish"),
                    "member": member,
                    "at": now,
                }
                for word in dict.fromkeys(words)
            ]
            await session.execute(
                insert(Wish)
                .values(rows)
                .on_conflict_do_nothing(index_elements=["group_id", "word_key", "member"])
            )

    async def wished(self, limit: int = 20) -> list[Wished]:
        """What several members asked for in vain, the most wanted first."""
        lately = self._clock() - _RISING_WITHIN
        members = func.count(distinct(Wish.member))
        recent = func.count(distinct(case((Wish.at >= lately, Wish.member))))
        chosen = (
            select(func.min(Wish.id), members, func.count(distinct(Wish.group_id)), recent)
            .group_by(Wish.word_key)
            .having(members >= _FEWEST_MEMBERS)
            .order_by(recent.desc(), members.desc())
            .limit(limit)
        )
        async with self._database.reading() as session:
            found = (await session.execute(chosen)).all()
            ids = [row[0] for row in found]
            words = {
                row.id: row.word
                for row in await session.scalars(select(Wish).where(Wish.id.in_(ids)))
            }
        vault = self._vault()
        return [
            Wished(vault.open(words[key], "a wish").decode(), people, groups, new)
            for key, people, groups, new in found
        ]

    async def book(self, happening: Happening) -> None:
        """An order was paid or delivered: whom to ask, and when. May be told twice."""
        if isinstance(happening, OrderPaid):
            await self._paid(happening)
        elif isinstance(happening, OrderDelivered):
            due_at = happening.occurred_at + _ASKED_AFTER
            async with self._database.writing() as session:
                await session.execute(
                    update(Question)
                    .where(Question.order_id == happening.order, Question.due_at.is_(None))
                    .values(due_at=due_at)
                )

    async def due_questions(self, limit: int = 10) -> list[DueQuestion]:
        """Who is to be asked now, and was not asked yet."""
        chosen = (
            select(Question)
            .where(
                Question.due_at <= self._clock(),
                Question.asked_at.is_(None),
                Question.address.is_not(None),
            )
            .order_by(Question.id)
            .limit(limit)
        )
        async with self._database.reading() as session:
            rows = list(await session.scalars(chosen))
        vault = self._vault()
        due: list[DueQuestion] = []
        for row in rows:
            if row.address is not None:
                address = vault.open(row.address, "a question").decode()
                due.append(DueQuestion(row.id, row.order_id, row.sku, row.member, address))
        return due

    async def asked(self, key: int) -> bool:
        """Note that a question is being asked, before it is: it is asked once, or never.

        Returns:
            Whether it is ours to ask; False when somebody else was faster.
        """
        change = (
            update(Question)
            .where(Question.id == key, Question.asked_at.is_(None))
            .values(asked_at=self._clock())
            .returning(Question.id)
        )
        async with self._database.writing() as session:
            return await session.scalar(change) is not None

    async def answer(self, member: str, verdict: Verdict, words: str = "") -> str | None:
        """A buyer answered the latest question.

        Args:
            member: Their node.
            verdict: Whether they keep it.
            words: One line that may be shown; shortened.

        Returns:
            The SKU it was about; None when they were not asked, or have answered.
        """
        chosen = (
            select(Question)
            .where(
                Question.member == member,
                Question.asked_at.is_not(None),
                Question.answered_at.is_(None),
            )
            .order_by(Question.asked_at.desc())
            .limit(1)
            .with_for_update()
        )
        async with self._database.writing() as session:
            row = await session.scalar(chosen)
            if row is None:
                return None
            row.verdict, row.words = verdict, " ".join(words.split())[:_LONGEST_WORDS]
            row.answered_at = self._clock()
            # They will not be asked about it again.
            row.address = None
            return row.sku

    async def reviews(self, sku: str, limit: int = 50) -> list[Review]:
        """All that was said of a product, the latest first, whatever it says."""
        chosen = (
            select(Question)
            .where(Question.sku == sku, Question.verdict != "")
            .order_by(Question.answered_at.desc(), Question.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as session:
            rows = list(await session.scalars(chosen))
        return [
            Review("kept" if row.verdict == "kept" else "returned", row.words, row.answered_at)
            for row in rows
            if row.answered_at is not None
        ]

    async def expect(
        self, order: str, member: str, skus: Sequence[str], *, delivered_at: datetime | None
    ) -> None:
        """A buyer who agreed to be written to is to be asked about an order, once.

        Args:
            order: Its public id.
            member: Their node, whose contact is known.
            skus: What they bought.
            delivered_at: When it arrived, if it has.
        """
        due_at = None if delivered_at is None else delivered_at + _ASKED_AFTER
        async with self._database.writing() as session:
            await self._plan(session, order, [member], skus, due_at)

    async def forget(self, member: str) -> None:
        """Let go of a member's wishes and questions; a review loses its author."""
        async with self._database.writing() as session:
            await session.execute(delete(Wish).where(Wish.member == member))
            await session.execute(
                delete(Question).where(Question.member == member, Question.verdict == "")
            )
            await session.execute(
                update(Question)
                .where(Question.member == member)
                .values(member="forgotten", address=None)
            )

    async def _paid(self, order: OrderPaid) -> None:
        """Only a buyer who is known from a chat, and agreed to be written to, is ever asked."""
        nodes = [node for node in (order.buyer, *order.buyer_keys) if node.startswith("chat:")]
        if not nodes:
            return
        async with self._database.writing() as session:
            await self._plan(session, order.order, nodes, [line.sku for line in order.lines], None)

    async def _plan(
        self,
        session: AsyncSession,
        order: str,
        nodes: Sequence[str],
        skus: Sequence[str],
        due_at: datetime | None,
    ) -> None:
        contact = await session.scalar(
            select(ChatContact).where(ChatContact.member.in_(nodes)).limit(1)
        )
        if contact is None or not skus:
            return
        vault = self._vault()
        address = vault.seal(vault.open(contact.address, "a contact"), "a question")
        rows = [
            {
                "order_id": order,
                "sku": sku,
                "member": contact.member,
                "address": address,
                "verdict": "",
                "words": "",
                "due_at": due_at,
            }
            for sku in dict.fromkeys(skus)
        ]
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        await session.execute(
            insert(Question).values(rows).on_conflict_do_nothing(index_elements=["order_id", "sku"])
        )
