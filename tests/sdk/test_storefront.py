"""The counter over HTTP: links, checkout, webhooks, the sandbox's page, an order's page."""

import asyncio
import base64
import gzip
import hmac
import io
import json
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from commerce.checkout.own_shop_gateway import OwnShopGateway
from commerce.checkout.signature import sign
from commerce.models.buying import FlashPrice
from commerce.models.referrals import Referral
from commerce.money import Money
from sdk.live.access import Access
from sdk.live.gate import Gate
from sdk.live.till import page_link
from sdk.storefront import is_preview, photos, storefront_routes
from tests.support.shops import NOON, written
from tests.support.tills import bench

pytestmark = pytest.mark.asyncio
PERSON = {
    "user-agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile",
    "sec-fetch-dest": "document",
}


@asynccontextmanager
async def counter(tmp_path, *, gateway=None):
    async with bench(tmp_path) as b:
        b.shop.till.keep_books(b.shop.ledger)
        if gateway is not None:
            b.shop.till.connect(gateway)
        access = Access("127.0.0.1")
        app = FastAPI()
        app.include_router(
            storefront_routes(b.shop, page_link=page_link(access), sandbox=b.sandbox)
        )
        transport = httpx.ASGITransport(Gate(app, access))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8010", headers=PERSON
        ) as client:
            yield b, client


async def link(b) -> str:
    friend = await b.shop.ledger.node("chat", "telegram", "4711")
    return await b.shop.ledger.issue(
        Referral(recommender=friend, channel="telegram", sku="mug", session="main")
    )


async def test_a_link_leads_to_the_page_and_knows_the_visitor_again(tmp_path):
    async with counter(tmp_path) as (b, client):
        token = await link(b)
        first = await client.get(f"/r/{token}")
        assert first.status_code == 302
        assert first.headers["location"] == "/?session=main&product=mug"
        assert first.headers["referrer-policy"] == "no-referrer"
        cookie = first.headers.get_list("set-cookie")[0]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        visitor = client.cookies["lp_visitor"]
        await client.get(f"/r/{token}")
        assert client.cookies["lp_visitor"] == visitor
        for odd in ("nothing-like-it-exists", "x", "%00"):
            answer = await client.get(f"/r/{odd}")
            assert (answer.status_code, answer.headers["location"]) == (302, "/")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("WhatsApp/2.23.20.0", True),
        ("TelegramBot (like TwitterBot)", True),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", True),
        ("facebookexternalhit/1.1;line-poker/1.0", True),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", True),
        ("curl/8.5.0", True),
        ("", True),
        (PERSON["user-agent"], False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari Line/14.1.0", False),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/120 MicroMessenger/8.0.44", False),
    ],
)
async def test_machines_that_show_previews_are_not_people(agent, expected):
    assert is_preview({"user-agent": agent}) is expected
    assert is_preview({"user-agent": PERSON["user-agent"], "sec-fetch-dest": "image"})


async def test_a_preview_gets_no_cookie(tmp_path):
    async with counter(tmp_path) as (b, client):
        answer = await client.get(
            f"/r/{await link(b)}", headers={"user-agent": "TelegramBot (like TwitterBot)"}
        )
        assert answer.status_code == 302
        assert "set-cookie" not in answer.headers


async def test_from_the_button_to_the_paid_order(tmp_path):
    async with counter(tmp_path) as (b, client):
        await client.get(f"/r/{await link(b)}")
        about = (await client.get("/checkout")).json()
        assert (about["is_open"], about["is_test"]) == (True, True)
        wish = {"lines": [{"sku": "mug", "quantity": 2}], "session": "main"}
        quote = (await client.post("/checkout/quote", json=wish)).json()
        assert quote["goods"]["text"] == "$24"
        started = await client.post("/checkout", json=wish)
        assert started.status_code == 201
        page = httpx.URL(started.json()["url"]).path
        assert (await client.get(page)).headers["content-type"].startswith("text/html")
        state = (await client.get(f"{page}/state")).json()
        assert state["totals"][0]["text"] == "$24"
        paid = (await client.post(page, json={"card": "success", "email": "a@b.example"})).json()
        assert paid["outcome"] == "paid"
        await b.settle()
        order = started.json()["order"]
        assert paid["next_url"] == f"http://127.0.0.1:8010/order/{order}"
        status = (await client.get(f"/order/{order}/status")).json()
        assert (status["status"], status["total"]["text"]) == ("paid", "$24")
        assert (await client.get(f"/order/{order}")).status_code == 200
        assert await b.shop.till.outbox.dead_letters() == []


async def test_refusals_say_what_is_wrong(tmp_path):
    async with counter(tmp_path) as (_, client):

        async def buy(**wish):
            return await client.post("/checkout", json=wish)

        many = await buy(lines=[{"sku": "mug", "quantity": 6}])
        assert (many.status_code, many.json()["detail"]) == (409, "mug is down to 5; 6 were wanted")
        assert (await buy(lines=[{"sku": "cup"}])).status_code == 404
        assert (await buy(lines=[{"sku": "mug"}], coupon="NONE")).status_code == 422
        assert (await buy(lines=[])).status_code == 422
        assert (await buy(lines=[{"sku": "mug"}], price=1)).status_code == 422
        assert (await client.get("/order/order_0/status")).status_code == 404
        assert (await client.get("/group/group_0")).status_code == 404
        assert (await client.get("/bargain/bargain_0")).status_code == 404
        assert (await client.get("/sandbox/pay/cs_0/state")).status_code == 404
        other = {"origin": "https://elsewhere.example"}
        wish = {"lines": [{"sku": "mug"}]}
        assert (await client.post("/checkout", json=wish, headers=other)).status_code == 403


async def test_a_flash_price_is_told_with_its_end(tmp_path):
    async with counter(tmp_path) as (b, client):
        end = NOON.replace(minute=10)
        await b.shop.till.add_flash(FlashPrice("mug", Money(900, "USD"), NOON, end, quota=3))
        (flash,) = (await client.get("/checkout")).json()["flash"]
        assert (flash["sku"], flash["left"], flash["is_running"]) == ("mug", 3, True)
        assert flash["ends_at"] == end.isoformat()


async def test_a_bargain_among_friends(tmp_path):
    async with counter(tmp_path) as (b, client):
        await client.post("/checkout", json={"lines": [{"sku": "tea"}]})
        me = await b.shop.ledger.node("visitor", client.cookies["lp_visitor"])
        bargain = await b.shop.till.open_bargain(
            "mug", buyer=me, floor=Money(900, "USD"), helps=2, deadline=NOON.replace(hour=20)
        )
        own = await client.post(f"/bargain/{bargain.bargain}/help")
        assert own.status_code == 422
        client.cookies.clear()
        helped = (await client.post(f"/bargain/{bargain.bargain}/help")).json()
        assert helped["helps"] == 1
        assert helped["seed"] == ""
        assert helped["price"]["minor"] == 1200 - helped["cut"]["minor"]
        assert (await client.post(f"/bargain/{bargain.bargain}/help")).status_code == 422


async def hook(client, body, header, name="stripe", **extra):
    return await client.post(
        f"/hooks/{name}", content=body, headers={"stripe-signature": header, **extra}
    )


async def test_webhooks_are_taken_only_as_they_were_signed(tmp_path):
    async with counter(tmp_path) as (b, client):
        gateway = b.shop.till.gateway
        secret, now = gateway._secret, int(b.clock().timestamp())
        body = b'{"id":"evt_1","type":"x","data":{"object":{"id":"o"}}}'
        good = sign(body, secret, at=now)
        assert (await hook(client, body, good)).status_code == 200
        assert (await hook(client, body, good)).status_code == 200  # twice is once
        assert (await hook(client, body + b" ", good)).status_code == 401
        assert (await hook(client, body[:-1], good)).status_code == 401
        assert (await hook(client, gzip.compress(body), good)).status_code == 401
        assert (await hook(client, body, "")).status_code == 401
        for skew in (-601, 601):
            old = sign(body, secret, at=now + skew)
            assert (await hook(client, body, old)).status_code == 401
        for odd in (b"nonsense", b"[]", b'{"id":1}', b"\xff\xfe", b'{"data":{"object":[]}}'):
            assert (await hook(client, odd, sign(odd, secret, at=now))).status_code == 400
        huge = b"x" * (2 << 20)
        assert (await hook(client, huge, sign(huge, secret, at=now))).status_code == 413


async def test_a_webhook_that_never_ends_is_cut_off(tmp_path):
    from sdk.storefront.hooks import hook_routes

    async with bench(tmp_path) as b:
        app = FastAPI()
        app.include_router(hook_routes(b.shop, body_time_s=0.1))

        async def slowly():
            yield b"{"
            await asyncio.sleep(30)

        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
        ) as client:
            answer = await client.post("/hooks/stripe", content=slowly())
        assert answer.status_code == 408


async def test_the_sandbox_api_answers_only_its_own_key(tmp_path):
    async with counter(tmp_path) as (_, client):
        stranger = {"authorization": "Bearer sk_test_x"}
        answer = await client.post("/sandbox/v1/refunds", headers=stranger)
        assert answer.status_code == 401


async def test_shopify_needs_its_signature(tmp_path):
    shop = OwnShopGateway("shopify", "https://shop.example", "app-secret")
    async with counter(tmp_path, gateway=shop) as (_, client):
        body = json.dumps({"customer": {"email": "a@b.example"}}).encode()
        digest = base64.b64encode(hmac.digest(b"app-secret", body, "sha256")).decode()
        for prefix in ("x-shopify", "shopify"):
            headers = {f"{prefix}-hmac-sha256": digest, f"{prefix}-topic": "shop/redact"}
            assert (await hook(client, body, "", "shopify", **headers)).status_code == 200
        wrong = {"x-shopify-hmac-sha256": digest[::-1]}
        assert (await hook(client, body, "", "shopify", **wrong)).status_code == 401
        assert (await hook(client, body, "", "woocommerce", **wrong)).status_code == 404


async def test_pictures_for_chats_are_jpeg_and_painted_once(tmp_path, monkeypatch):
    async with counter(tmp_path) as (b, client):
        Image.new("RGBA", (2000, 400), (200, 30, 30, 0)).save(tmp_path / "mug.webp")
        (tmp_path / "hat.png").write_bytes(b"no picture at all")
        goods = "sku,title,price,stock,image\nmug,Mug,12,9,mug.webp\nhat,Hat,9,1,hat.png\n"
        await b.shop.import_file(written(tmp_path, goods, "pictures.csv"))
        photo = await client.get("/photo/mug")
        assert photo.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(photo.content)) as image:
            assert (image.format, image.size) == ("JPEG", (1280, 256))
            assert image.getpixel((5, 5)) == (255, 255, 255)  # what was transparent is paper
        monkeypatch.setattr(photos, "_painted", lambda picture: None)
        assert (await client.get("/photo/mug")).content == photo.content
        for nothing in ("hat", "none", "../shop.db"):
            assert (await client.get(f"/photo/{nothing}")).status_code == 404


async def test_a_buyer_from_a_chat_is_told_how_the_chat_can_know_them(tmp_path):
    async with counter(tmp_path) as (b, client):
        wish = {"lines": [{"sku": "mug"}]}
        for comes_by_link in (False, True):
            if comes_by_link:
                await client.get(f"/r/{await link(b)}")
            order = (await client.post("/checkout", json=wish)).json()["order"]
            status = (await client.get(f"/order/{order}/status")).json()
            assert status["from_chat"] is comes_by_link
