"""Old touches leave under a seal, and what is kept of them stays checked."""

from dataclasses import dataclass

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution.chain import link
from commerce.attribution.repository.chains import TOUCH_FIELDS
from commerce.models.extras import TouchAnchor
from commerce.models.ledger import AttributionCredit, Touch

_IS_CREDITED = exists().where(AttributionCredit.touch_id == Touch.id)


@dataclass(frozen=True, slots=True)
class Removable:
    """What may go.

    Attributes:
        last_id: The newest touch of a run in which every one is old.
        hash: Its hash.
        removed: Touches that go.
        kept: Touches up to it that stay, because a credit rests on them.
    """

    last_id: int
    hash: str
    removed: int
    kept: int


async def anchor(session: AsyncSession) -> TouchAnchor | None:
    """The newest seal."""
    found: TouchAnchor | None = await session.scalar(
        select(TouchAnchor).order_by(TouchAnchor.last_id.desc()).limit(1)
    )
    return found


async def removed_in_all(session: AsyncSession) -> int:
    """Touches that left under any seal."""
    return await session.scalar(select(func.sum(TouchAnchor.removed))) or 0


async def removable(session: AsyncSession, before_us: int) -> Removable | None:
    """The touches that are all older than a moment and earned nobody a credit; None for none."""
    first_young = await session.scalar(
        select(func.min(Touch.id)).where(
            or_(Touch.recorded_us >= before_us, Touch.occurred_us >= before_us)
        )
    )
    old = select(Touch.id, Touch.hash).order_by(Touch.id.desc()).limit(1)
    if first_young is not None:
        old = old.where(Touch.id < first_young)
    last = (await session.execute(old)).first()
    former = await anchor(session)
    if last is None or (former is not None and last.id <= former.last_id):
        return None
    inside = select(func.count()).select_from(Touch).where(Touch.id <= last.id)
    kept = await session.scalar(inside.where(_IS_CREDITED)) or 0
    removed = await session.scalar(inside.where(~_IS_CREDITED)) or 0
    return Removable(last.id, last.hash, removed, kept) if removed else None


async def remove(session: AsyncSession, what: Removable, before_us: int, now_us: int) -> None:
    """Seal, then remove; the database refuses either if the seal does not fit."""
    kept_hash = await hash_of_kept(session, what.last_id, only_credited=True)
    session.add(
        TouchAnchor(
            last_id=what.last_id,
            hash=what.hash,
            before_us=before_us,
            removed=what.removed,
            kept=what.kept,
            kept_hash=kept_hash,
            sealed_us=now_us,
        )
    )
    await session.flush()
    await session.execute(
        delete(Touch)
        .where(Touch.id <= what.last_id, ~_IS_CREDITED)
        .execution_options(synchronize_session=False)
    )


async def hash_of_kept(session: AsyncSession, last_id: int, *, only_credited: bool = False) -> str:
    """A chain of its own over what stays up to a seal, with the hashes of the great chain."""
    columns = [getattr(Touch, name) for name in (*TOUCH_FIELDS, "hash")]
    rows = select(*columns).where(Touch.id <= last_id).order_by(Touch.id)
    found = ""
    for row in await session.execute(rows.where(_IS_CREDITED) if only_credited else rows):
        found = link(found, dict(zip((*TOUCH_FIELDS, "hash"), row, strict=True)))
    return found
