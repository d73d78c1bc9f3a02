"""Coupons, flash prices and floors in the database; counts are taken under contention."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout.prices import Offer
from commerce.errors import PriceRefusedError
from commerce.models.buying import Coupon, FlashPrice, FlashState
from commerce.models.orders import PriceRule, PriceUse
from commerce.money import Money


def coupon_key(code: str) -> str:
    """The name of a coupon, however its code was typed."""
    return f"coupon:{code.strip().upper()[:60]}"


async def save_coupon(session: AsyncSession, coupon: Coupon) -> None:
    """Make a coupon, or change the one with its code; what was used stays used.

    Raises:
        PriceRefusedError: It reduces nothing, or by more than everything.
    """
    code = coupon.code.strip()
    if not code or not code.isprintable():
        raise PriceRefusedError("a coupon needs a code")
    if (coupon.percent is None) == (coupon.amount is None):
        raise PriceRefusedError(f"coupon {code}: give either percent or amount")
    if coupon.percent is not None and not 0 < coupon.percent <= 10_000:
        raise PriceRefusedError(f"coupon {code}: percent is above 0 and at most 100")
    amount = coupon.amount
    terms = {
        "code": code.upper(),
        "percent": coupon.percent or 0,
        "amount": amount.minor if amount else 0,
        "currency": amount.currency if amount else None,
        "stacks_with": list(coupon.stacks_with),
    }
    await _save(
        session,
        coupon_key(code),
        "coupon",
        coupon.sku,
        terms,
        quota=coupon.quota,
        per_buyer=coupon.per_buyer,
        starts_at=coupon.starts_at,
        ends_at=coupon.ends_at,
    )


async def save_flash(session: AsyncSession, flash: FlashPrice, key: str) -> None:
    """Plan a flash price.

    Raises:
        PriceRefusedError: Its times or limits make no sense.
    """
    if flash.ends_at <= flash.starts_at or flash.quota < 1 or flash.per_buyer < 1:
        raise PriceRefusedError(f"flash price of {flash.sku}: it must last, and for 1 unit or more")
    if flash.price.minor < 0:
        raise PriceRefusedError(f"flash price of {flash.sku}: {flash.price} is below 0")
    terms = {
        "price": flash.price.minor,
        "currency": flash.price.currency,
        "hold_s": flash.hold.total_seconds(),
    }
    await _save(
        session,
        key,
        "flash",
        flash.sku,
        terms,
        quota=flash.quota,
        per_buyer=flash.per_buyer,
        starts_at=flash.starts_at,
        ends_at=flash.ends_at,
    )


async def save_floor(session: AsyncSession, sku: str, floor: Money) -> None:
    """No mechanism may take a unit below this."""
    terms = {"price": floor.minor, "currency": floor.currency}
    await _save(session, f"floor:{sku}", "floor", sku, terms)


async def floor_of(session: AsyncSession, sku: str, currency: str) -> int:
    """The lowest a unit may cost, in minor units; 0 where nobody said."""
    rule = await session.scalar(select(PriceRule).where(PriceRule.key == f"floor:{sku}"))
    if rule is None or rule.terms["currency"] != currency:
        return 0
    return int(rule.terms["price"])


async def running_flash(session: AsyncSession, sku: str, now: datetime) -> PriceRule | None:
    """The cheapest flash price of a variant that runs now and is not used up."""
    rows = await session.scalars(
        select(PriceRule).where(
            PriceRule.kind == "flash",
            PriceRule.sku == sku,
            PriceRule.starts_at <= now,
            PriceRule.ends_at > now,
            PriceRule.used < PriceRule.quota,
        )
    )
    return min(rows, key=lambda rule: (rule.terms["price"], rule.key), default=None)


async def flash_states(session: AsyncSession, now: datetime) -> list[FlashState]:
    """Flash prices that run or are still to come, soonest first."""
    rows = await session.scalars(
        select(PriceRule)
        .where(PriceRule.kind == "flash", PriceRule.ends_at > now)
        .order_by(PriceRule.starts_at)
    )
    found = []
    for rule in rows:
        assert rule.starts_at is not None
        assert rule.ends_at is not None
        left = (rule.quota or 0) - rule.used
        found.append(
            FlashState(
                sku=rule.sku or "",
                price=Money(rule.terms["price"], rule.terms["currency"]),
                left=left,
                starts_at=rule.starts_at,
                ends_at=rule.ends_at,
                is_running=rule.starts_at <= now and left > 0,
            )
        )
    return found


async def flash_offer(
    session: AsyncSession, sku: str, currency: str, *, buyer: str, quantity: int, now: datetime
) -> tuple[Offer, timedelta] | None:
    """The flash price this buyer may have now, and how long it holds; None when there is none."""
    rule = await running_flash(session, sku, now)
    if rule is None or rule.terms["currency"] != currency:
        return None
    free = (rule.quota or 0) - rule.used
    had = await _used_by(session, rule.key, buyer)
    if quantity > free or (rule.per_buyer is not None and had + quantity > rule.per_buyer):
        return None
    assert rule.ends_at is not None
    told = f"flash price until {rule.ends_at:%H:%M} UTC"
    offer = Offer(rule.key, "flash", told, price=int(rule.terms["price"]))
    return offer, timedelta(seconds=rule.terms["hold_s"])


async def coupon_offer(
    session: AsyncSession, code: str, *, buyer: str, now: datetime
) -> tuple[Offer, PriceRule]:
    """The coupon a buyer typed.

    Raises:
        PriceRefusedError: Unknown, not yet or no longer valid, or used up.
    """
    rule = await session.scalar(select(PriceRule).where(PriceRule.key == coupon_key(code)))
    shown = code.strip().upper()[:40]
    if rule is None or (rule.starts_at is not None and now < rule.starts_at):
        raise PriceRefusedError(f"there is no coupon {shown!r}")
    if rule.ends_at is not None and now >= rule.ends_at:
        raise PriceRefusedError(f"coupon {shown} has ended")
    if rule.quota is not None and rule.used >= rule.quota:
        raise PriceRefusedError(f"coupon {shown} is used up")
    if rule.per_buyer is not None and await _used_by(session, rule.key, buyer) >= rule.per_buyer:
        raise PriceRefusedError(f"coupon {shown} was used before")
    terms = rule.terms
    offer = Offer(
        rule.key,
        "coupon",
        f"coupon {terms['code']}",
        percent=int(terms["percent"]),
        amount=int(terms["amount"]),
        stacks_with=tuple(terms["stacks_with"]),
    )
    return offer, rule


async def take(
    session: AsyncSession, key: str, *, buyer: str, order_id: int, quantity: int
) -> None:
    """Use a mechanism for an order.

    Raises:
        PriceRefusedError: Somebody else took the last one meanwhile.
    """
    taken = await session.execute(
        update(PriceRule)
        .where(
            PriceRule.key == key,
            PriceRule.quota.is_(None) | (PriceRule.used + quantity <= PriceRule.quota),
        )
        .values(used=PriceRule.used + quantity)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise PriceRefusedError(f"{key.replace(':', ' ')} is used up; ask for the price again")
    session.add(
        PriceUse(rule_key=key, buyer=buyer, order_id=order_id, quantity=quantity, state="held")
    )
    await session.flush()
    # The row above is locked until the end, so this count cannot change behind our back.
    rule = await session.scalar(select(PriceRule).where(PriceRule.key == key))
    limit = None if rule is None else rule.per_buyer
    if limit is not None and await _used_by(session, key, buyer) > limit:
        raise PriceRefusedError(f"{key.replace(':', ' ')} was used before by this buyer")


async def keep(session: AsyncSession, order_id: int) -> None:
    """The order is paid: what it used stays used."""
    await session.execute(
        update(PriceUse)
        .where(PriceUse.order_id == order_id, PriceUse.state == "held")
        .values(state="kept")
    )


async def give_back(session: AsyncSession, order_id: int) -> None:
    """The order fell through: others may use what it held."""
    rows = await session.scalars(
        select(PriceUse)
        .where(PriceUse.order_id == order_id, PriceUse.state == "held")
        .order_by(PriceUse.rule_key)
    )
    for use in rows:
        use.state = "released"
        await session.execute(
            update(PriceRule)
            .where(PriceRule.key == use.rule_key)
            .values(used=PriceRule.used - use.quantity)
            .execution_options(synchronize_session=False)
        )


async def _used_by(session: AsyncSession, key: str, buyer: str) -> int:
    found = await session.scalar(
        select(func.sum(PriceUse.quantity)).where(
            PriceUse.rule_key == key, PriceUse.buyer == buyer, PriceUse.state != "released"
        )
    )
    return int(found or 0)


async def _save(
    session: AsyncSession,
    key: str,
    kind: str,
    sku: str | None,
    terms: dict[str, Any],
    *,
    quota: int | None = None,
    per_buyer: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> None:
    rule = await session.scalar(select(PriceRule).where(PriceRule.key == key))
    if rule is None:
        rule = PriceRule(key=key, kind=kind, used=0)
        session.add(rule)
    rule.sku, rule.terms = sku, terms
    rule.quota, rule.per_buyer = quota, per_buyer
    rule.starts_at, rule.ends_at = starts_at, ends_at
    await session.flush()
