"""The same scenario against Stripe's test mode and against the sandbox, and what differs.

Needs ``LIVEPITCH_STRIPE_API_KEY=sk_test_…``; nothing in it moves money.
"""

import os
from datetime import UTC, datetime

import pytest

from commerce.checkout.stripe_gateway import StripeGateway
from commerce.errors import GatewayError
from commerce.shop.door import utc_now
from tests.support.tills import bench

pytestmark = [pytest.mark.asyncio, pytest.mark.stripe_test_mode]
KEY = os.environ.get("LIVEPITCH_STRIPE_API_KEY", "")


def facts(state):
    """What must be equal on both sides: not ids, not addresses, not the time."""
    return (
        state.order, state.state, state.goods, state.shipping, state.tax, state.total, state.fee,
        state.email, state.payment is None, state.charge is None,
    )  # fmt: skip


async def scenario(gateway, key):
    """Open a page, open it again, close it, close it again, and ask for impossible things."""
    from commerce.checkout.gateway import PageLine, PageRequest
    from commerce.models.buying import ShippingRate
    from commerce.money import Money

    now = datetime.now(UTC).replace(microsecond=0)
    request = PageRequest(
        order=f"order_{key}",
        lines=(PageLine("马克杯 mug", "flash price", Money(1200, "USD"), 2),),
        opened_at=now,
        expires_at=now,
        success_url="https://shop.example/ok",
        cancel_url="https://shop.example/back",
        shipping_countries=("US", "DE"),
        shipping_rates=(ShippingRate("Standard", Money(490, "USD")),),
    )
    first = await gateway.open_page(request, key=f"a{key}")
    again = await gateway.open_page(request, key=f"a{key}")
    seen = [facts(first), first.ref == again.ref, facts(await gateway.page(first.ref))]
    seen += [facts(await gateway.close_page(first.ref)) for _ in range(2)]
    for wrong in (
        gateway.refund("pi_none", Money(100, "USD"), key=f"b{key}"),
        gateway.page("cs_test_none"),
        gateway.dispute("du_none"),
        gateway.payment("pi_none"),
    ):
        try:
            seen.append(await wrong)
        except GatewayError as error:
            seen.append((error.is_passing, error.code))
    return seen


@pytest.mark.skipif(not KEY.startswith("sk_test_"), reason="no test key of Stripe's is set")
async def test_stripe_and_the_sandbox_answer_alike(tmp_path):
    key = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")
    real = StripeGateway(KEY, "whsec_unused", clock=utc_now)
    try:
        there = await scenario(real, key)
    finally:
        await real.aclose()
    async with bench(tmp_path) as b:
        b.clock.now = utc_now()
        here = await scenario(b.shop.till.gateway, key)
    assert here == there


async def test_the_scenario_itself_on_the_sandbox(tmp_path):
    async with bench(tmp_path) as b:
        b.clock.now = utc_now()
        seen = await scenario(b.shop.till.gateway, "0")
    assert [one[1] for one in (seen[0], seen[2], seen[3], seen[4])] == [
        "open", "open", "expired", "expired",
    ]  # fmt: skip
    assert seen[1] is True
    assert seen[5:] == [(False, "resource_missing")] * 4
