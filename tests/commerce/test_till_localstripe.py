"""A second opinion: the gateway against localstripe, an independent stand-in by other people.

It runs in a process of its own on loopback; it has no Checkout, so only payments, refunds and
webhook signatures are compared.
"""

import asyncio
import importlib.util
import subprocess
import sys
import time

import httpx
import pytest

from commerce.checkout.signature import verify
from commerce.checkout.stripe_gateway import StripeGateway
from commerce.errors import WebhookError
from commerce.money import Money
from commerce.shop.door import utc_now
from tests.support.live_process import free_port

pytestmark = pytest.mark.asyncio
SECRET = "whsec_second_opinion"
# Its own command listens on every interface and keeps a file; this does neither.
SERVE = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@pytest.fixture
def address():
    if importlib.util.find_spec("localstripe") is None:
        pytest.skip("localstripe is not installed")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/v1/customers", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "localstripe ended"
        try:
            httpx.get(url, auth=("sk_test_x", ""), trust_env=False)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("localstripe does not answer")


async def test_payments_refunds_and_webhook_signatures(address):
    heard: list[tuple[bytes, str]] = []
    has_heard = asyncio.Event()

    async def hook(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        fields = {name.lower(): value for name, value in fields.items()}
        body = await reader.readexactly(int(fields["content-length"]))
        heard.append((body, fields["stripe-signature"]))
        has_heard.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    listener = await asyncio.start_server(hook, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    gateway = StripeGateway("sk_test_x", SECRET, clock=utc_now, address=address)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            facts = {"url": f"http://127.0.0.1:{port}/", "secret": SECRET}
            (await client.post(f"{address}/_config/webhooks/one", data=facts)).raise_for_status()
        made = await gateway._client.v1.payment_intents.create_async(
            {
                "amount": 2400,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
                "metadata": {"livepitch_order": "order_1"},
            }
        )
        state = await gateway.payment(made.id)
        assert (state.order, state.refunded) == ("order_1", Money(0, "USD"))
        await gateway.refund(made.id, Money(900, "USD"), key="r1")
        assert (await gateway.payment(made.id)).refunded == Money(900, "USD")
        async with asyncio.timeout(15):
            await has_heard.wait()
        raw, signature = heard[0]
        news = gateway.news(raw, signature)
        assert news.kind == "payment_intent.succeeded"
        assert news.payment == made.id
        with pytest.raises(WebhookError):
            verify(raw + b" ", signature, SECRET, now=time.time())
    finally:
        await gateway.aclose()
        listener.close()
        await listener.wait_closed()
