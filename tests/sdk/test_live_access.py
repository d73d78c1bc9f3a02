"""Who may do what, over the real application and the fake engine."""

import contextlib

import httpx
import pytest
from httpx import ASGITransport

from sdk.errors import SettingsError
from sdk.live.access import Access, is_loopback
from sdk.live.app import create_app
from sdk.live.limits import TokenBucket
from sdk.session import Parts, Session
from sdk.signalling import whep_router
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import FakeCounter, Sink

TOKEN = "a-long-secret"


@contextlib.asynccontextmanager
async def client_of(access: Access, host: str = "127.0.0.1:8010", pictures=None):
    @contextlib.asynccontextmanager
    async def parts():
        yield Parts(FakeEngine(), Sink(), FakeCounter(), presenter="Mara")

    async def image_file(sku: str):
        return (pictures or {}).get(sku)

    async with Session(parts) as session:
        whep = whep_router(lambda name: None)
        app = create_app(session, access=access, image_file=image_file, whep=whep)
        transport = ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            yield client, session


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_token(host: str):
    assert is_loopback(host)
    assert not Access(host).is_guarded


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "shop.example"])
def test_every_other_address_does(host: str):
    with pytest.raises(SettingsError, match="--token"):
        Access(host)
    assert Access(host, TOKEN).is_guarded


def test_a_short_token_is_refused():
    with pytest.raises(SettingsError, match="shorter"):
        Access("0.0.0.0", "1234")


def test_tickets_end_and_cannot_be_stretched():
    now = [1000.0]
    access = Access("0.0.0.0", TOKEN, now=lambda: now[0])
    ticket = access.ticket(life_s=60)
    assert access.admits_viewer(ticket)
    assert not access.admits_seller(ticket)
    expiry, signature = ticket.split(".")
    assert not access.admits_viewer(f"{int(expiry) + 999}.{signature}")
    assert not access.admits_viewer(expiry)
    assert not access.admits_viewer("")
    assert not access.admits_viewer("٣." + signature)
    assert not access.admits_viewer(f"{'9' * 5000}.{signature}")  # no number that int() takes
    now[0] += 61
    assert not access.admits_viewer(ticket)
    assert access.admits_viewer(TOKEN)
    assert not Access("0.0.0.0", "another-secret").admits_viewer(access.ticket())


@pytest.mark.asyncio
async def test_the_page_is_whole_and_allows_nothing_foreign():
    async with client_of(Access("127.0.0.1")) as (client, _):
        page = await client.get("/")
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        names = [part.split('"')[0] for part in page.text.split('"static/')[1:]]
        assert {"viewer.js", "viewer.css", "icon.svg"} <= set(names)
        for name in [
            *names,
            "whep.js",
            "socket.js",
            "chat.js",
            "products.js",
            "captions.js",
            "playout.js",
        ]:
            assert (await client.get(f"/static/{name}")).status_code == 200, name
        assert "http://" not in page.text.replace("http://www.w3.org", "")
        assert "https://" not in page.text
        docs = await client.get("/docs")
        assert docs.status_code == 200
        assert "cdn" not in docs.text
        calls = (await client.get("/openapi.json")).json()["paths"]
        assert {"/api/sessions/{session_id}/say", "/whep/{session}"} <= set(calls)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["..%2f__init__.py", "%2e%2e/app.py", "nothing.js", ".", "%00"])
async def test_only_the_pages_own_files_are_served(name: str):
    async with client_of(Access("127.0.0.1")) as (client, _):
        assert (await client.get(f"/static/{name}")).status_code == 404


@pytest.mark.asyncio
async def test_a_rebound_name_and_a_foreign_page_are_turned_away():
    async with client_of(Access("127.0.0.1")) as (client, _):
        rebound = await client.get("/api/sessions/main", headers={"Host": "evil.example:8010"})
        assert rebound.status_code == 421
        body = {"text": "Buy from us instead."}
        url = "/api/sessions/main/say"
        foreign = await client.post(url, json=body, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        sandboxed = await client.post(url, json=body, headers={"Origin": "null"})
        assert sandboxed.status_code == 403
        damaged = await client.post(url, json=body, headers={"Origin": "http://[::1"})
        assert damaged.status_code == 403
        assert (await client.get("/", headers={"Host": "[::1"})).status_code == 421
        own = await client.post(url, json=body, headers={"Origin": "http://127.0.0.1:8010"})
        assert own.status_code == 202
        for name in ("localhost:8010", "127.0.0.1", "[::1]:8010", "LOCALHOST"):
            assert (await client.get("/", headers={"Host": name})).status_code == 200, name


@pytest.mark.asyncio
async def test_a_guarded_server_asks_viewers_for_a_ticket_and_sellers_for_the_token():
    access = Access("0.0.0.0", TOKEN)
    ticket = access.ticket()
    async with client_of(access, "shop.example") as (client, _):

        async def status(method: str, url: str, credential: str | None) -> int:
            headers = {"Authorization": f"Bearer {credential}"} if credential else {}
            reply = await client.request(method, url, headers=headers, json={"text": "Hello."})
            return reply.status_code

        assert await status("GET", "/", None) == 200
        assert await status("GET", "/healthz", None) == 200
        assert await status("GET", "/api/sessions/main", None) == 401
        assert await status("GET", "/api/sessions/main", ticket) == 200
        assert await status("POST", "/api/sessions/main/say", None) == 401
        assert await status("POST", "/api/sessions/main/say", ticket) == 401
        assert await status("POST", "/api/sessions/main/say", TOKEN) == 202
        assert await status("POST", "/whep/main", None) == 401
        assert await status("POST", "/whep/main", ticket) == 404  # let in; no such broadcast here
        assert (await client.get(f"/media/main/mug?ticket={ticket}")).status_code == 404
        assert (await client.get("/media/main/mug")).status_code == 401
        assert (await client.post(f"/api/sessions/main/say?ticket={TOKEN}")).status_code == 401


@pytest.mark.asyncio
async def test_the_sellers_verbs():
    async with client_of(Access("127.0.0.1")) as (client, session):
        base = "/api/sessions/main"
        said = await client.post(f"{base}/say", json={"text": "Hello. Again.", "product": "mug"})
        assert said.status_code == 202
        assert said.json()["sentences"] == 2
        assert (await client.post(f"{base}/pin", json={"sku": "lamp"})).status_code == 200
        assert (await client.get(base)).json()["pinned"]["sku"] == "lamp"
        assert (await client.post(f"{base}/pin", json={"sku": "spoon"})).status_code == 404
        assert (await client.post(f"{base}/pin", json={"sku": None})).status_code == 200
        cut = await client.post(f"{base}/interrupt")
        assert cut.json() == {"generation": 1}
        for bad in ({"text": ""}, {"text": "x" * 5000}, {"text": "Hi.", "sudo": True}, {}, []):
            assert (await client.post(f"{base}/say", json=bad)).status_code == 422, bad
        for odd in (
            b'{"text": "\\ud800"}',
            b'{"text": "Hi.", "\\ud800": 1}',
            b'{"text": [',
            b"\xff",
        ):
            headers = {"Content-Type": "application/json"}
            refused = await client.post(f"{base}/say", content=odd * 200, headers=headers)
            assert refused.status_code in (400, 422), odd
            assert len(refused.content) < 500
            assert isinstance(refused.json()["detail"], str)
            alone = await client.post(f"{base}/say", content=odd, headers=headers)
            assert alone.status_code in (400, 422), odd
        assert (await client.post(f"{base}/say", json={"text": "…"})).status_code == 422
        assert (
            await client.post("/api/sessions/other/say", json={"text": "Hi."})
        ).status_code == 404
        codes = [
            (await client.post(f"{base}/say", json={"text": "More."})).status_code
            for _ in range(40)
        ]
        assert codes[-1] == 429
        assert session.director.current is not None


@pytest.mark.asyncio
async def test_pictures_are_pictures_only(tmp_path):
    drawing, secret = tmp_path / "mug.svg", tmp_path / "secret.txt"
    drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    secret.write_text("token")
    pictures = {"mug": drawing, "a/1": drawing, "lamp": secret, "scarf": tmp_path / "gone.png"}
    pictures["web"] = b"RIFFwebp"
    async with client_of(Access("127.0.0.1"), pictures=pictures) as (client, _):
        web = await client.get("/media/main/web")
        assert (web.content, web.headers["content-type"]) == (b"RIFFwebp", "image/webp")
        assert "img-src 'self' data:;" in web.headers["content-security-policy"]
        good = await client.get("/media/main/mug")
        assert good.status_code == 200
        assert good.headers["content-type"] == "image/svg+xml"
        assert "sandbox" in good.headers["content-security-policy"]
        assert (await client.get("/media/main/a%2F1")).status_code == 200
        for sku in ("lamp", "scarf", "unknown", "..%2f..%2fsecret.txt"):
            assert (await client.get(f"/media/main/{sku}")).status_code == 404, sku


@pytest.mark.asyncio
async def test_health():
    async with client_of(Access("127.0.0.1")) as (client, _):
        assert (await client.get("/healthz")).json()["status"] == "ok"
        assert (await client.get("/readyz")).json() == {"ready": True}


def test_the_bucket_lets_a_burst_through_then_a_trickle():
    now = [0.0]
    bucket = TokenBucket(burst=3, every_s=2.0, now=lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] = 2.1
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
