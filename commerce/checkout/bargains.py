"""Bargains in the database; the cuts are fixed in ``bargaining``."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout.bargaining import cuts_of
from commerce.checkout.once import insert_once
from commerce.checkout.prices import Offer
from commerce.errors import PriceRefusedError
from commerce.models.buying import BargainState
from commerce.models.orders import Bargain, BargainHelp
from commerce.money import Money


async def bargain_with_id(session: AsyncSession, public_id: str, *, lock: bool = False) -> Bargain:
    """A bargain by its public id.

    Raises:
        PriceRefusedError: There is none.
    """
    query = select(Bargain).where(Bargain.public_id == public_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: Bargain | None = await session.scalar(query)
    if found is None:
        raise PriceRefusedError(f"no bargain is called {public_id[:60]!r}")
    return found


async def helps_of(session: AsyncSession, bargain: Bargain) -> list[BargainHelp]:
    """The friends so far, in their order."""
    rows = await session.scalars(
        select(BargainHelp).where(BargainHelp.bargain_id == bargain.id).order_by(BargainHelp.place)
    )
    return list(rows)


async def help_with(session: AsyncSession, public_id: str, helper: str, now: datetime) -> Money:
    """One friend's cut.

    Raises:
        PriceRefusedError: It is over, it is one's own, or this friend has helped before.
    """
    bargain = await bargain_with_id(session, public_id, lock=True)
    if helper == bargain.buyer:
        raise PriceRefusedError("your friends bring the price down; share the link with them")
    if now >= bargain.deadline:
        raise PriceRefusedError("this bargain is over")
    done = await helps_of(session, bargain)
    if len(done) >= bargain.helps:
        raise PriceRefusedError("the price is as low as it gets")
    cut = all_cuts(bargain)[len(done)]
    is_first = await insert_once(
        session,
        BargainHelp,
        {
            "bargain_id": bargain.id,
            "helper": helper,
            "place": len(done),
            "cut_minor": cut,
            "helped_at": now,
        },
    )
    if not is_first:
        raise PriceRefusedError("each friend helps once")
    return Money(cut, bargain.currency)


async def offer(
    session: AsyncSession, public_id: str, sku: str, quantity: int, buyer: str, now: datetime
) -> Offer:
    """What the bargain has brought its buyer so far; one unit only.

    Raises:
        PriceRefusedError: It is over, somebody else's, or for another product.
    """
    bargain = await bargain_with_id(session, public_id)
    if bargain.buyer != buyer:
        raise PriceRefusedError("this bargain belongs to somebody else")
    if bargain.sku != sku or quantity != 1:
        raise PriceRefusedError(f"this bargain is for one {bargain.sku}")
    if now >= bargain.deadline:
        raise PriceRefusedError("this bargain is over")
    done = await helps_of(session, bargain)
    friends = "1 friend" if len(done) == 1 else f"{len(done)} friends"
    price = bargain.start_minor - sum(help_.cut_minor for help_ in done)
    return Offer(
        f"bargain:{public_id}", "bargain", f"bargained with {friends}",
        price=max(price, bargain.floor_minor),
    )  # fmt: skip


async def state_of(session: AsyncSession, bargain: Bargain, now: datetime) -> BargainState:
    """A bargain as anybody may see it; the seed only once nothing can change any more."""
    done = await helps_of(session, bargain)
    cuts = tuple(Money(help_.cut_minor, bargain.currency) for help_ in done)
    is_over = now >= bargain.deadline or len(done) >= bargain.helps
    return BargainState(
        bargain=bargain.public_id,
        sku=bargain.sku,
        price=Money(bargain.start_minor - sum(cut.minor for cut in cuts), bargain.currency),
        start=Money(bargain.start_minor, bargain.currency),
        floor=Money(bargain.floor_minor, bargain.currency),
        helps=len(done),
        helps_needed=bargain.helps,
        deadline=bargain.deadline,
        commitment=bargain.commitment,
        seed=bargain.seed if is_over else "",
        cuts=cuts,
        buyer=bargain.buyer,
    )


def all_cuts(bargain: Bargain) -> tuple[int, ...]:
    """Every cut the seed fixes."""
    return cuts_of(
        bytes.fromhex(bargain.seed),
        start=bargain.start_minor,
        floor=bargain.floor_minor,
        helps=bargain.helps,
    )
