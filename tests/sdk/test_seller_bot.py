"""examples/seller_bot.py against a stand-in of the Bot API, from a question to the statement."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import httpx
import pytest

import sdk
import sdk.errors
from sdk.testing import fake_app
from tests.support.bot_api import bot_api
from tests.support.chat_service import served
from tests.support.chats import GROUP, TELEGRAM_TOKEN, telegram_update
from tests.support.live_process import ROOT, free_port

pytestmark = pytest.mark.asyncio
CATALOGUE = ROOT / "examples/catalogue.csv"
EXAMPLE = ROOT / "examples/seller_bot.py"
SELLER, ANA, BEN = 4711, 77, 88
ASK = "@shop any moisturizer for dry skin?"
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140", "sec-fetch-dest": "document"}


def loaded():
    spec = spec_from_file_location("seller_bot", EXAMPLE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_it_is_short_enough_to_be_read():
    assert len(EXAMPLE.read_text().splitlines()) <= 120


async def test_a_question_becomes_a_pitch_a_purchase_and_a_statement(monkeypatch):
    bot = loaded()
    home = f"http://127.0.0.1:{free_port()}"
    async with bot_api(TELEGRAM_TOKEN) as telegram:
        for name, value in (
            ("TOKEN", TELEGRAM_TOKEN),
            ("API", telegram.url),
            ("SECRET", bot.SECRET),
        ):
            monkeypatch.setenv(f"LIVEPITCH_TELEGRAM_{name}", value)
        endpoint = sdk.WebhookEndpoint(
            f"{home}/sold", bot.SECRET, ("order.attributed",), allows_loopback=True
        )
        shop = fake_app(CATALOGUE, address=f"{home}/shop", webhooks=[endpoint])
        app = bot.make_app(shop, bot.Telegram(telegram.url, TELEGRAM_TOKEN), SELLER)
        async with served(app, port=int(home.rpartition(":")[2])):
            order = await _sold(home, telegram)
            fake = shop.session
            await fake.settled()
            assert "Dew Face Moisturiser" in fake.said[1]
            assert fake.pins == ["moisturiser-dew"]
            document = await shop.shop.ledger.statement(order)
            statement = shop.shop.ledger.verify_statement(document)
            ben = await shop.shop.ledger.node("chat", "telegram", str(BEN))
            (credit,) = statement["credits"]
            assert credit["recommender"] == ben
            assert telegram.sent(SELLER)[0].endswith(
                f"Commission: {credit['commission']} USD minor units."
            )
            async with httpx.AsyncClient() as http:
                forged = await http.post(f"{home}/sold", content=b"{}")
                assert forged.status_code == 401


async def _sold(home, telegram):
    """A group that asks, a member who recommends, a buyer who pays; the order's id."""
    telegram.write(telegram_update(ASK, update=1, message=10, member=ANA))
    (reply, *_) = await telegram.read(GROUP, 2)
    assert "Dew Face Moisturiser" in reply
    assert "AI" in reply
    telegram.write(
        telegram_update("/recommend face moisturiser", update=2, message=11, member=BEN, name="Ben")
    )
    recommended = (await telegram.read(GROUP, 3))[-1]
    link = re.search(rf"{re.escape(home)}/shop/r/[\w-]{{22}}", recommended)
    assert link is not None, recommended
    async with httpx.AsyncClient(headers=PERSON) as buyer:
        page = await buyer.get(link[0])
        assert page.headers["location"].startswith("/shop/?session=main&product=moisturiser-dew")
        wish = {"lines": [{"sku": "moisturiser-dew"}], "session": "main"}
        started = (await buyer.post(f"{home}/shop/checkout", json=wish)).json()
        paid = await buyer.post(started["url"], json={"card": "success"})
        assert paid.json()["outcome"] == "paid"
    (sold,) = await telegram.read(SELLER, 1)
    assert sold.startswith("TEST Sold 1 × moisturiser-dew. Commission: ")
    telegram.write(telegram_update("/sales", update=3, chat=SELLER, member=SELLER))
    report = (await telegram.read(SELLER, 2))[-1]
    assert report.startswith("1 orders\nchat:telegram:")
    assert telegram.webhook == ""
    return started["order"]


@pytest.mark.slow
async def test_the_whole_program_with_a_face_and_a_voice(tmp_path):
    port = free_port()
    home = f"http://127.0.0.1:{port}"
    async with bot_api(TELEGRAM_TOKEN) as telegram:
        env = {
            **os.environ,
            "LIVEPITCH_CACHE_DIR": str(tmp_path / "cache"),
            "LIVEPITCH_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "LIVEPITCH_TELEGRAM_API": telegram.url,
        }
        command = [sys.executable, str(EXAMPLE), "--persona", str(ROOT / "examples/face.png")]
        command += ["--catalogue", str(CATALOGUE), "--port", str(port), "--seller", str(SELLER)]
        log = tmp_path / "bot.log"
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: ASYNC220  (it returns at once)
                command, env=env, cwd=tmp_path, stdout=out, stderr=out
            )
        try:
            async with sdk.Client(f"{home}/shop") as client:
                await _up(client, process, log)
                async with client.events() as following:
                    hearing = asyncio.create_task(_heard(following))
                    order = await _sold(home, telegram)
                    pinned, said = await asyncio.wait_for(hearing, 30)
                assert pinned == "moisturiser-dew"
                assert "Dew Face Moisturiser" in said
                assert (await client.order(order)).status == "paid"
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 20)
        assert "Traceback" not in log.read_text()


async def _up(client, process, log):
    async with asyncio.timeout(180):
        while True:
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(sdk.errors.SdkError):
                if await client.is_ready():
                    return
            await asyncio.sleep(0.2)


async def _heard(following):
    pinned, said = None, ""
    async for event in following:
        if event.type == "product.pinned":
            pinned = event.data["product"]["sku"]
        if event.type == "avatar.speak_started":
            said = event.data["text"]
        if event.type == "product.heard" and "Dew" in said:
            return pinned, said
    return pinned, said
