"""Signed webhooks to a receiver on loopback: in order, once it is up, and never to strangers."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import time

import pytest

import sdk
from commerce.errors import NoticeError, SettingsError
from commerce.models.referrals import Referral
from commerce.models.webhooks import Endpoint
from commerce.money import Money
from commerce.settings import CommerceSettings
from commerce.shop.announcer import endpoints_of
from commerce.shop.delivering import Delivering
from sdk.errors import ForgedWebhookError
from sdk.testing import fake_session
from tests.support.chat_service import chat_service
from tests.support.shops import EXAMPLES
from tests.support.tills import bench

pytestmark = pytest.mark.asyncio
SECRET = "whsec_" + base64.b64encode(b"twenty-four-secret-bytes").decode()
both = pytest.mark.usefixtures("both_databases")


def to(service, path="/mine", **extra):
    return Endpoint(service.url + path, SECRET, allows_loopback=True, **extra)


def read(told):
    return sdk.verify_webhook(told.body, told.headers, SECRET, now=lambda: float(stamp(told)))


def stamp(told):
    return told.headers["webhook-timestamp"]


async def bought(b, **extra):
    """A paid order whose news has been booked by the real ledger."""
    b.shop.till.keep_books(_news(b.shop))
    order = await b.bought(**extra)
    await b.shop.announcer.outbox.dispatch()
    return order


def _news(shop):
    from commerce.shop.news import News

    return News(shop.ledger, shop.letterbox, shop.announcer)


@both
async def test_orders_are_announced_in_order_signed_and_once(tmp_path):
    async with chat_service() as receiver, bench(tmp_path) as b:
        b.shop.announcer.tell([to(receiver)])
        friend = await b.shop.ledger.node("chat", "telegram", "4711")
        visitor = await b.shop.ledger.node("visitor", "a" * 32)
        token = await b.shop.ledger.issue(Referral(recommender=friend, sku="mug"))
        await b.shop.ledger.follow(token, visitor=visitor)
        order = await bought(b, buyer=visitor, referral=token)
        paid, attributed = [read(told) for told in receiver.calls("/mine")]
        assert (paid.type, paid.data["order"], paid.data["total"]["minor"]) == (
            "order.paid",
            order,
            1200,
        )
        assert attributed.type == "order.attributed"
        (credit,) = attributed.data["credits"]
        statement = (await b.shop.ledger.statement(order))["statement"]
        assert credit["recommender"] == friend
        assert credit["commission"] == statement["credits"][0]["commission"] > 0
        everything = b"".join(told.body for told in receiver.told)
        assert b"visitor" not in everything
        await b.shop.till.refund(order, Money(400, "USD"))
        await b.settle()
        await b.shop.till.deliver(order)
        await b.settle()
        await b.shop.announcer.outbox.dispatch()
        types = [read(told).type for told in receiver.calls("/mine")]
        assert types[2] == "order.refunded"
        assert "order.delivered" in types
        assert types.count("order.paid") == 1
        assert len({read(told).id for told in receiver.calls("/mine")}) == len(types)


async def test_the_signature_is_the_published_one(tmp_path):
    async with chat_service() as receiver, bench(tmp_path) as b:
        b.shop.announcer.tell([to(receiver)])
        await b.shop.announcer.announce("x.y", {"é": 1}, subject="s", identity="1")
        await b.shop.announcer.outbox.dispatch()
        (told,) = receiver.told
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        message = f"{told.headers['webhook-id']}.{stamp(told)}.".encode() + told.body
        expected = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
        assert told.headers["webhook-signature"] == f"v1,{expected}"
        assert stamp(told) == str(int(b.clock().timestamp()))
        assert told.json["type"] == "x.y"
        assert told.headers["content-type"] == "application/json"


@both
async def test_a_receiver_that_is_down_gets_everything_later_in_order(tmp_path):
    async with chat_service() as receiver, bench(tmp_path) as b:
        receiver.answers["/mine"] = [
            (500, {}, {}),
            (302, {"location": "/other"}, {}),
            (200, {}, {}),
        ]
        announcer = b.shop.announcer
        announcer.tell([to(receiver)])
        for number in range(3):
            await announcer.announce("a.b", {"n": number}, subject="one", identity=str(number))
        await announcer.outbox.dispatch()
        assert [told.json["data"]["n"] for told in receiver.told] == [0]
        assert (await announcer.figures(to(receiver)))["waiting"] == 3
        assert "answers 500" in (await announcer.figures(to(receiver)))["problem"]
        await announcer.outbox.dispatch()
        assert len(receiver.told) == 1, "it is given time"
        for seconds in (1, 2, 4):
            b.clock.turn(seconds=seconds)
            await announcer.outbox.dispatch()
        assert [told.json["data"]["n"] for told in receiver.told] == [0, 0, 0, 1, 2]
        assert receiver.calls("/other") == [], "redirects are not followed"
        stamps = [int(stamp(told)) for told in receiver.told[:3]]
        assert stamps == sorted(set(stamps)), "each try is signed anew"
        assert (await announcer.figures(to(receiver)))["sent"] == 3


async def test_what_nobody_takes_for_a_day_is_a_dead_letter_and_can_be_revived(tmp_path):
    async with chat_service() as receiver, bench(tmp_path) as b:
        receiver.answers["/mine"] = [(503, {}, {})]
        announcer = b.shop.announcer
        announcer.tell([to(receiver)])
        await announcer.announce("a.b", {}, subject="one", identity="1")
        for _ in range(40):
            b.clock.turn(hours=1)
            await announcer.outbox.dispatch()
        (letter,) = await b.shop.till.outbox.dead_letters()
        assert (letter.kind, letter.payload["type"]) == ("webhook", "a.b")
        assert "answers 503" in letter.error
        assert SECRET not in str(letter)
        assert 15 < letter.attempts < 40
        receiver.answers["/mine"] = [(204, {}, None)]
        assert await b.shop.till.outbox.retry(letter.id)
        await announcer.outbox.dispatch()
        assert await b.shop.till.outbox.dead_letters() == []


async def test_gone_and_forgotten_endpoints_are_not_tried_again(tmp_path):
    async with chat_service() as receiver, bench(tmp_path) as b:
        receiver.answers["/mine"] = [(410, {}, {})]
        announcer = b.shop.announcer
        announcer.tell([to(receiver)])
        await announcer.announce("a.b", {}, subject="one", identity="1")
        await announcer.outbox.dispatch()
        await announcer.announce("a.b", {}, subject="one", identity="2")
        announcer.tell([])
        await announcer.outbox.dispatch()
        problems = [letter.error for letter in await b.shop.till.outbox.dead_letters()]
        assert [("410" in one, "no longer told" in one) for one in problems] == [
            (True, False),
            (False, True),
        ]


async def test_a_slow_receiver_holds_up_no_other(tmp_path):
    async with chat_service() as slow, chat_service() as quick, bench(tmp_path) as b:
        slow.delay_s = 1.0
        b.shop.announcer.tell([to(slow), to(quick)])
        for number in range(4):
            await b.shop.announcer.announce("a.b", {}, subject=f"s{number}", identity="1")
        async with b.shop.announcer.running():
            await quick.wait_for("/mine", 4, timeout_s=0.9)


async def test_only_what_was_asked_for_is_sent(tmp_path):
    async with chat_service() as receiver, bench(tmp_path) as b:
        b.shop.announcer.tell([to(receiver, events=("order.*",))])
        assert await b.shop.announcer.announce("a.b", {}, subject="s", identity="1") is None
        assert await b.shop.announcer.announce("order.x", {}, subject="s", identity="1")
        await b.shop.announcer.outbox.dispatch()
        assert [told.json["type"] for told in receiver.told] == ["order.x"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
    ],
)
async def test_private_places_are_never_called(address):
    async def resolve(host, port):
        # A public address beside it does not help.
        return [ipaddress.ip_address("93.184.215.14"), ipaddress.ip_address(address)]

    endpoint = Endpoint("https://innocent.example/hook", SECRET)
    with pytest.raises(NoticeError, match="private network") as error:
        await Delivering(resolve).post(endpoint, b"{}", {})
    assert not error.value.is_passing


async def test_a_name_is_resolved_once_and_kept_to_that_address():
    asked = []

    async def resolve(host, port):
        asked.append((host, port))
        return [ipaddress.ip_address("127.0.0.1")]

    async with chat_service() as receiver:
        port = receiver.url.rpartition(":")[2]
        endpoint = Endpoint(f"http://shop.example:{port}/x?y=1", SECRET, allows_loopback=True)
        await Delivering(resolve).post(endpoint, b"{}", {"a": "b"})
        (told,) = receiver.told
        assert told.headers["host"] == f"shop.example:{port}"
        assert asked == [("shop.example", int(port))]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://shop.example/x", "https"),
        ("ftp://shop.example/x", "https"),
        ("https://user:pass@shop.example/x", "password"),
        ("https://", "https"),
        ("https://[::1/x", "not a web address"),
    ],
)
async def test_addresses_are_checked_when_they_are_named(tmp_path, url, reason):
    async with bench(tmp_path) as b:
        with pytest.raises(SettingsError, match=reason):
            b.shop.announcer.tell([Endpoint(url, SECRET)])
        with pytest.raises(SettingsError, match="16"):
            b.shop.announcer.tell([Endpoint("https://shop.example", "short")])


async def test_settings_name_endpoints():
    settings = CommerceSettings(
        webhook_urls="https://a.example/x, https://b.example",
        webhook_secret="a-secret-of-some-length",
        webhook_events="order.*",
    )
    assert [(one.url, one.events) for one in endpoints_of(settings)] == [
        ("https://a.example/x", ("order.*",)),
        ("https://b.example", ("order.*",)),
    ]
    with pytest.raises(SettingsError, match="LIVEPITCH_WEBHOOK_SECRET"):
        endpoints_of(CommerceSettings(webhook_urls="https://a.example", webhook_secret=None))


async def test_receivers_refuse_what_is_not_ours():
    body = b'{"id":"n1","type":"a.b","timestamp":"2026-05-01T12:00:00+00:00","data":{"x":1}}'
    now = int(time.time())

    def headers(raw=body, *, at=now, notice="n1", secret=SECRET):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{notice}.{at}.".encode() + raw, hashlib.sha256).digest()
        signed = "v1," + base64.b64encode(digest).decode()
        return {
            "Webhook-Id": notice,
            "Webhook-Timestamp": str(at),
            "Webhook-Signature": f"v1,other {signed}",
        }

    webhook = sdk.verify_webhook(body, headers(), SECRET)
    assert (webhook.id, webhook.type, webhook.data) == ("n1", "a.b", {"x": 1})
    other = "whsec_" + base64.b64encode(b"another-secret-of-length").decode()
    refused = [
        (body + b" ", headers(), SECRET),
        (body, headers(), other),
        (body, headers(at=now - 360), SECRET),
        (body, headers(at=now + 360), SECRET),
        (body, headers() | {"Webhook-Id": "n2"}, SECRET),
        (body, headers(notice="n2"), SECRET),
        (body, headers() | {"Webhook-Timestamp": f"{now}.5"}, SECRET),
        (body, {}, SECRET),
        (b"[]", headers(b"[]"), SECRET),
        (b"\xff", headers(b"\xff"), SECRET),
        (body, headers(), "short"),
    ]
    for raw, shown, secret in refused:
        with pytest.raises(ForgedWebhookError):
            sdk.verify_webhook(raw, shown, secret)


async def test_the_show_is_announced_from_its_opening_to_its_close():
    async with chat_service() as receiver:
        async with fake_session(
            EXAMPLES / "catalogue.csv", webhooks=[to(receiver, events=("session.*", "product.*"))]
        ) as fake:
            await fake.client.say("Look at this.", product="lamp-arc")
            await fake.wait_for("product.heard")
            await receiver.wait_for("/mine", 3)
        notices = [sdk.verify_webhook(t.body, t.headers, SECRET) for t in receiver.told]
    types = [notice.type for notice in notices]
    assert types == ["session.opened", "product.pinned", "product.heard", "session.closed"]
    heard = notices[2].data
    assert (heard["session"], heard["product"]) == ("main", "lamp-arc")
    assert "viewers" not in heard
    assert len({notice.id for notice in notices}) == 4


async def test_on_the_command_line(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from commerce.cli import app

    where = ["--database", str(tmp_path / "shop.db")]

    async def run(*options):
        return await asyncio.to_thread(CliRunner().invoke, app, ["webhooks", *options, *where])

    nobody = await run("--test")
    assert nobody.exit_code == 1
    assert "LIVEPITCH_WEBHOOK_URLS" in nobody.output
    async with chat_service() as receiver:
        monkeypatch.setenv("LIVEPITCH_WEBHOOK_URLS", f"{receiver.url}/mine")
        monkeypatch.setenv("LIVEPITCH_WEBHOOK_SECRET", SECRET)
        refused = await run("--test")
        assert refused.exit_code == 1
        assert "https" in refused.output
        monkeypatch.setenv("LIVEPITCH_WEBHOOK_LOOPBACK", "1")
        taken = await run("--test", "--json")
        assert taken.exit_code == 0, taken.output
        (told,) = json.loads(taken.output)
        assert (told["sent"], told["waiting"], told["problem"]) == (1, 0, "")
        assert read(receiver.told[0]).type == "ping"
        receiver.answers["/mine"] = [(500, {}, {})]
        failed = await run("--test")
        assert failed.exit_code == 1
        assert "answers 500" in failed.output
        assert "1 sent, 1 waiting, 0 dead" in failed.output
        assert SECRET not in failed.output
