"""Nodes, the evidence between them, and who is one person by it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.identity import joined
from commerce.errors import LedgerError
from commerce.models.ledger import (
    Erasure,
    IdentityEdge,
    IdentityMember,
    IdentityNode,
    LedgerSecret,
    ReferralToken,
    SubjectKey,
)
from commerce.models.referrals import DETERMINISTIC, NODE_KINDS

_BATCH = 500
# These name things, not people; forgetting somebody leaves them.
_IMPERSONAL = frozenset({"order", "group"})


async def secret(session: AsyncSession, name: str) -> bytes | None:
    """A secret of the shop, if it is kept in the database."""
    found: bytes | None = await session.scalar(
        select(LedgerSecret.value).where(LedgerSecret.name == name)
    )
    return found


async def keep_secret(session: AsyncSession, name: str, value: bytes) -> None:
    """Keep a secret of the shop."""
    await session.execute(insert(LedgerSecret), {"name": name, "value": value})


async def node_of_tag(session: AsyncSession, tag: str) -> str | None:
    """The pseudonym under a person's tag, while their key lives."""
    found: str | None = await session.scalar(select(SubjectKey.node).where(SubjectKey.tag == tag))
    return found


async def keep_subject(
    session: AsyncSession, tag: str, key: bytes, node: str, now: datetime
) -> None:
    """Keep the key that makes a pseudonym."""
    await session.execute(
        insert(SubjectKey), {"tag": tag, "key": key, "node": node, "created_at": now}
    )


async def ids_of(session: AsyncSession, nodes: Iterable[str]) -> dict[str, int]:
    """The rows of those nodes that are known."""
    wanted = sorted(set(nodes))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        rows = await session.execute(
            select(IdentityNode.node, IdentityNode.id).where(IdentityNode.node.in_(batch))
        )
        found.update({node: number for node, number in rows if node is not None})
        missing = {subject_hash(node): node for node in batch if node not in found}
        gone = await session.execute(
            select(Erasure.subject_hash, Erasure.node_id).where(
                Erasure.subject_hash.in_(list(missing))
            )
        )
        # News that were on their way when somebody was forgotten: without a name they still count.
        found.update({missing[digest]: number for digest, number in gone})
    return found


async def intern(session: AsyncSession, nodes: Iterable[str]) -> dict[str, int]:
    """The rows of nodes, made where they are new.

    Raises:
        LedgerError: A text is no node.
    """
    wanted = sorted(set(nodes))
    found = await ids_of(session, wanted)
    for node in wanted:
        if node not in found:
            kind = node_kind(node)
            made = await session.execute(
                insert(IdentityNode).values(node=node, kind=kind).returning(IdentityNode.id)
            )
            found[node] = made.scalar_one()
    return found


async def names_of(session: AsyncSession, ids: Iterable[int]) -> dict[int, str]:
    """What to call those rows; the forgotten have a number only."""
    wanted = sorted(set(ids))
    names: dict[int, str] = {}
    for start in range(0, len(wanted), _BATCH):
        rows = await session.execute(
            select(IdentityNode.id, IdentityNode.node).where(
                IdentityNode.id.in_(wanted[start : start + _BATCH])
            )
        )
        names.update({number: node or f"forgotten:{number}" for number, node in rows})
    return names


def node_kind(node: str) -> str:
    """The part before the first colon.

    Raises:
        LedgerError: Not of the form ``kind:value``, or a kind nobody knows.
    """
    kind, _, value = node.partition(":")
    if kind not in NODE_KINDS or not value or len(node) > 120:
        raise LedgerError(f"{node[:60]!r} is no node; make one with ledger.node(kind, value)")
    return kind


async def members(session: AsyncSession, node_id: int) -> list[int]:
    """Every row that is the same person, itself included, smallest first."""
    root = await session.scalar(
        select(IdentityMember.root_id).where(IdentityMember.node_id == node_id)
    )
    if root is None:
        return [node_id]
    rows = await session.scalars(
        select(IdentityMember.node_id)
        .where(IdentityMember.root_id == root)
        .order_by(IdentityMember.node_id)
    )
    return list(rows)


async def add_edge(
    session: AsyncSession, a: int, b: int, evidence: str, now: datetime, *, is_withdrawal: bool
) -> bool:
    """Add evidence, or withdraw all there is; whether that changed anything."""
    low, high = sorted((a, b))
    standing = (await _active(session, [low, high])).get((low, high), set())
    if low == high or (is_withdrawal and not standing):
        return False
    if not is_withdrawal and evidence in standing:
        return False
    await session.execute(
        insert(IdentityEdge),
        {"a_id": low, "b_id": high, "evidence": evidence, "is_withdrawal": is_withdrawal,
         "recorded_at": now},
    )  # fmt: skip
    return True


async def rejoin(session: AsyncSession, nodes: Iterable[int]) -> None:
    """Work out anew who is one person, for everybody these nodes were or are joined with."""
    affected: set[int] = set()
    for node in nodes:
        affected.update(await members(session, node))
    edges = await _active(session, sorted(affected))
    firm = [pair for pair, evidence in edges.items() if evidence & DETERMINISTIC]
    ids = sorted(affected)
    await session.execute(delete(IdentityMember).where(IdentityMember.node_id.in_(ids)))
    roots = joined(ids, firm)
    sizes: dict[int, int] = defaultdict(int)
    for root in roots.values():
        sizes[root] += 1
    rows = [{"node_id": node, "root_id": root} for node, root in roots.items() if sizes[root] > 1]
    if rows:
        await session.execute(insert(IdentityMember), rows)


async def hints(session: AsyncSession, ones: Sequence[int], others: Sequence[int]) -> set[str]:
    """Weak evidence between two people, directly or through one node they share."""
    direct = await _touching(session, ones)
    other = await _touching(session, others)
    found: set[str] = set()
    for near, evidence in direct.items():
        if near in set(others):
            found |= evidence
        if near in other:
            found |= evidence | other[near]
    return found - DETERMINISTIC


async def forget(session: AsyncSession, node_id: int, now: datetime) -> tuple[int, int]:
    """Take the names off somebody's nodes and delete their keys; how many of each."""
    ids = await members(session, node_id)
    rows = await session.execute(
        select(IdentityNode.id, IdentityNode.node, IdentityNode.kind).where(
            IdentityNode.id.in_(ids)
        )
    )
    gone = [
        (number, node)
        for number, node, kind in rows
        if node is not None and (kind not in _IMPERSONAL or number == node_id)
    ]
    keys = 0
    for number, node in gone:
        dead = await session.execute(delete(SubjectKey).where(SubjectKey.node == node))
        keys += dead.rowcount  # type: ignore[attr-defined]
        await session.execute(
            insert(Erasure),
            {"subject_hash": subject_hash(node), "node_id": number, "scope": "person",
             "completed_at": now},
        )  # fmt: skip
        await session.execute(
            update(IdentityNode).where(IdentityNode.id == number).values(node=None)
        )
    await session.execute(
        update(ReferralToken)
        .where(ReferralToken.recommender_id.in_([number for number, _ in gone]))
        .values(message_digest=None)
    )
    return len(gone), keys


def subject_hash(node: str) -> str:
    """What stays of a forgotten node: enough to recognise it, useless to find it."""
    return hashlib.sha256(b"forgotten\n" + node.encode()).hexdigest()


async def _active(session: AsyncSession, ids: Sequence[int]) -> dict[tuple[int, int], set[str]]:
    """Standing evidence by pair, both of whose ends are among the nodes."""
    rows = await session.execute(
        select(
            IdentityEdge.a_id, IdentityEdge.b_id, IdentityEdge.evidence, IdentityEdge.is_withdrawal
        )
        .where(IdentityEdge.a_id.in_(ids), IdentityEdge.b_id.in_(ids))
        .order_by(IdentityEdge.id)
    )
    return _folded(rows.all())


async def _touching(session: AsyncSession, ids: Sequence[int]) -> dict[int, set[str]]:
    """Standing evidence from these nodes, by the node at the other end."""
    rows = await session.execute(
        select(
            IdentityEdge.a_id, IdentityEdge.b_id, IdentityEdge.evidence, IdentityEdge.is_withdrawal
        )
        .where(or_(IdentityEdge.a_id.in_(ids), IdentityEdge.b_id.in_(ids)))
        .order_by(IdentityEdge.id)
    )
    own = set(ids)
    near: dict[int, set[str]] = defaultdict(set)
    for (a, b), evidence in _folded(rows.all()).items():
        near[b if a in own else a] |= evidence
    return near


def _folded(
    rows: Iterable[Any],
) -> dict[tuple[int, int], set[str]]:
    standing: dict[tuple[int, int], set[str]] = defaultdict(set)
    for a, b, evidence, is_withdrawal in rows:
        if is_withdrawal:
            standing[a, b].clear()
        else:
            standing[a, b].add(evidence)
    return {pair: evidence for pair, evidence in standing.items() if evidence}
