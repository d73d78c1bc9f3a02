"""The whole service below a prefix of somebody else's application, on a real server."""

import asyncio
import contextlib
import re
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

import sdk
from commerce.errors import UnknownOrderError
from commerce.models.referrals import Referral
from sdk.errors import SessionError, SettingsError
from sdk.testing import fake_app
from tests.support.chat_service import served
from tests.support.live_process import chromium, wait_for
from tests.support.shops import EXAMPLES

pytestmark = pytest.mark.asyncio
CATALOGUE = EXAMPLES / "catalogue.csv"
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140", "sec-fetch-dest": "document"}
LINKED = re.compile(r'(?:href|src)="([^"#]+)"')


@contextlib.asynccontextmanager
async def mounted(prefix="/shop", **options):
    """The service's address, and the service, inside an application with a route of its own."""
    service = fake_app(CATALOGUE, address=f"http://127.0.0.1:8000{prefix}", **options)
    outer = FastAPI(lifespan=service.lifespan)

    @outer.get("/")
    async def own():
        return {"mine": True}

    outer.mount(prefix, service)
    async with served(outer) as url:
        yield f"{url}{prefix}", service


async def test_pages_and_everything_they_link_to_are_below_the_prefix():
    async with mounted() as (url, service), httpx.AsyncClient(follow_redirects=True) as http:
        assert (await http.get(url.removesuffix("/shop") + "/")).json() == {"mine": True}
        assert (await http.get(url)).url == f"{url}/"
        order = await _order(http, url)
        for page in (f"{url}/", f"{url}/docs", f"{url}/order/{order['order']}", order["url"]):
            answer = await http.get(page)
            assert answer.status_code == 200
            links = [str(answer.url.join(link)) for link in LINKED.findall(answer.text)]
            assert len(links) >= 3
            for link in links:
                assert link.startswith(f"{url}/"), link
                assert (await http.get(link)).status_code == 200, link
        assert (await http.get(f"{url}/openapi.json")).json()["servers"] == [{"url": "/shop"}]
        assert (await http.get(f"{url}/favicon.ico")).headers["content-type"] == "image/svg+xml"
        lamp = next(p for p in service.session.shelf.products if p["sku"] == "lamp-arc")
        assert (await http.get(url + lamp["image"])).status_code == 200


async def _order(http, url):
    wish = {"lines": [{"sku": "lamp-arc"}], "session": "main"}
    started = await http.post(f"{url}/checkout", json=wish)
    assert started.status_code == 201
    return started.json()


async def test_links_cookies_and_the_till_stay_below_the_prefix():
    async with mounted() as (url, service), httpx.AsyncClient(headers=PERSON) as http:
        friend = await service.shop.ledger.node("chat", "telegram", "4711")
        token = await service.shop.ledger.issue(Referral(recommender=friend, sku="lamp-arc"))
        followed = await http.get(f"{url}/r/{token}")
        assert followed.headers["location"] == "/shop/?product=lamp-arc"
        cookies = followed.headers.get_list("set-cookie")
        assert len(cookies) == 2
        assert all("Path=/shop;" in cookie for cookie in cookies)
        started = await _order(http, url)
        assert started["url"].startswith(f"{url}/sandbox/pay/")
        paid = await http.post(started["url"], json={"card": "success"})
        assert paid.json()["next_url"] == f"{url}/order/{started['order']}"
        statement = await _statement(service.shop, started["order"])
        assert friend in str(statement)
        async with sdk.Client(url) as client:
            assert (await client.order(started["order"])).status == "paid"


async def _statement(shop, order):
    """Once the order is in the books; the service's own dispatcher may be about to write it."""
    async with asyncio.timeout(30):
        while True:
            await shop.till.outbox.dispatch()
            with contextlib.suppress(UnknownOrderError):
                return await shop.ledger.statement(order)
            await asyncio.sleep(0.05)


async def test_rights_and_sockets_know_the_prefix():
    async with mounted(token="a-long-secret") as (url, service):
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{url}/api/sessions/main")).status_code == 401
            assert (await http.post(f"{url}/api/sessions/main/say", json={})).status_code == 401
            shown = {"Authorization": f"Bearer {service.ticket()}"}
            assert (await http.get(f"{url}/api/sessions/main", headers=shown)).status_code == 200
            assert (await http.get(f"{url}/media/main/lamp-arc")).status_code == 401
            asked = await http.get(f"{url}/media/main/lamp-arc?ticket={service.ticket()}")
            assert asked.status_code == 200
            assert (await http.post(f"{url}/hooks/telegram", content=b"{}")).status_code == 404
        socket = f"{url.replace('http', 'ws')}/ws/main"
        async with websockets.connect(f"{socket}?ticket={service.ticket()}") as allowed:
            assert '"welcome"' in await allowed.recv()
        async with websockets.connect(socket) as refused:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await refused.recv()
            assert closed.value.rcvd.code == 4403
        async with sdk.Client(url, "a-long-secret") as client:
            await client.say("Good evening.")
            await service.session.settled()
            assert service.session.said == ["Good evening."]


async def test_without_its_lifespan_it_says_what_is_missing():
    service = fake_app()
    app = Starlette(routes=[Mount("/shop", service)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        answer = await http.get("/shop/healthz")
        assert answer.status_code == 503
        assert "lifespan=service.lifespan" in answer.json()["detail"]
        with pytest.raises(SessionError, match="lifespan"):
            _ = service.session
        async with service.lifespan():
            assert (await http.get("/shop/healthz")).json()["status"] == "ok"
            with pytest.raises(SessionError, match="runs already"):
                await service.lifespan().__aenter__()
        assert (await http.get("/shop/healthz")).status_code == 503
        async with service.lifespan():  # again, as a reloading server does
            assert (await http.get("/shop/healthz")).status_code == 200


async def test_served_by_itself_it_starts_itself():
    async with served(fake_app(CATALOGUE)) as url, sdk.Client(url) as client:
        assert len(await client.products()) == 12


async def test_other_machines_need_a_token():
    service = fake_app()
    async with service.lifespan():
        for stranger, expected in (("192.0.2.7", 403), ("127.0.0.1", 200), ("::1", 200)):
            transport = httpx.ASGITransport(service, client=(stranger, 5000))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
                assert (await http.get("/healthz")).status_code == expected


async def test_options_are_checked_before_anything_is_opened():
    with pytest.raises(SettingsError, match="http"):
        sdk.create_app("face.png", address="shop.example")
    with pytest.raises(SettingsError, match="shorter"):
        sdk.create_app("face.png", token="short")
    with pytest.raises(SettingsError, match="size"):
        async with sdk.create_app("face.png", size="large").lifespan():
            pass


@pytest.mark.browser
@pytest.mark.slow
async def test_a_person_buys_below_the_prefix():
    import asyncio

    async with mounted() as (url, service):

        def shop():
            with chromium() as browser:
                page = browser.new_page()
                asked, wrong = [], []
                page.on("request", lambda request: asked.append(request.url))
                page.on("pageerror", lambda error: wrong.append(str(error)))
                page.goto(f"{url}/?session=main&product=lamp-arc")
                page.wait_for_selector('[data-sku="lamp-arc"] .buy')
                wait_for(lambda: page.locator(".row-picture img").count() > 5, "pictures")
                page.locator('[data-sku="lamp-arc"] .buy').first.click()
                page.wait_for_selector("#pay")
                page.locator("#pay").click()
                page.wait_for_selector('main[data-state="paid"]')
                page.locator("#back").click()
                page.wait_for_selector('[data-sku="lamp-arc"]')
                strange = [one for one in asked if not one.startswith((f"{url}/", "data:"))]
                return strange, wrong, urlsplit(page.url).path

        strange, wrong, path = await asyncio.to_thread(shop)
        assert (strange, wrong, path) == ([], [], "/shop/")
        assert len(await service.shop.till.orders(status="paid")) == 1
