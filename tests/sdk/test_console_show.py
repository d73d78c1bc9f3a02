"""Who gets into the console, and the show as the seller steers it."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sdk.live.access import Access
from tests.support.consoles import API, TOKEN, console

pytestmark = pytest.mark.asyncio


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - the playout's thread tells nobody
        await asyncio.sleep(0.02)


async def test_on_loopback_the_page_opens_and_is_whole(tmp_path):
    async with console(tmp_path) as c:
        page = await c.client.get("/console")
        assert page.status_code == 200
        assert "camera=(self)" in page.headers["permissions-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "https://" not in page.text
        names = [part.split('"')[0] for part in page.text.split('"console/')[1:]]
        assert {"console.css", "console.js"} <= set(names)
        for name in names:
            script = await c.client.get(f"/console/{name}")
            assert script.status_code == 200, name
        for name in ("..%2f__init__.py", "nothing.js", "index.html", "%00"):
            assert (await c.client.get(f"/console/{name}")).status_code == 404, name
        # Nowhere else may a page use the camera.
        assert "camera=()" in (await c.client.get("/")).headers["permissions-policy"]
        hello = await c.get("")
        assert hello["presenter"] == "Mara"
        assert (hello["is_guarded"], hello["ticket"], hello["is_test"]) == (False, "", True)
        assert hello["till"] == "sandbox"
        assert "nod" in hello["acts"]


async def test_a_guarded_console_opens_to_the_token_and_to_no_ticket(tmp_path):
    access = Access("0.0.0.0", TOKEN)
    async with console(tmp_path, access=access, host="shop.example") as c:
        reads = ("", "/show", "/sales", "/sales.csv", "/orders", "/stock", "/holds", "/balances",
                 "/payouts", "/chats", "/groups", "/inbox", "/wishes", "/dead-letters")  # fmt: skip
        for credential in ("", access.ticket(), "another-secret"):
            headers = {"Authorization": f"Bearer {credential}"}
            assert (await c.client.get("/console", headers=headers)).status_code == 401
            for path in reads:
                shown = await c.client.get(API + path, headers=headers)
                assert shown.status_code == 401, path
                # A token in an address would be kept in histories and logs.
                asked = await c.client.get(f"{API}{path}?ticket={TOKEN}")
                assert asked.status_code == 401, path
            done = await c.client.post(
                f"{API}/orders/order_0/refund", headers=headers, json={"amount": None}
            )
            assert done.status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert (await c.client.get("/console", headers=headers)).status_code == 200
        for path in reads:
            assert (await c.client.get(API + path, headers=headers)).status_code == 200, path
        hello = (await c.client.get(API, headers=headers)).json()
        assert hello["is_guarded"] is True
        assert TOKEN not in str(hello)
        # What the page puts into addresses lets watch and no more.
        assert access.admits_viewer(hello["ticket"])
        assert not access.admits_seller(hello["ticket"])


async def test_another_sites_page_may_change_nothing(tmp_path):
    async with console(tmp_path) as c:
        foreign = {"Origin": "https://evil.example"}
        for path, body in (("/show/script", {"is_on": False}), ("/payouts/begin", None)):
            answer = await c.client.post(API + path, json=body, headers=foreign)
            assert answer.status_code == 403
        stock = await c.client.put(f"{API}/stock/mug", json={"stock": 0}, headers=foreign)
        assert stock.status_code == 403
        assert await c.till.stock("mug") == 5


async def test_what_is_said_and_what_waits(tmp_path):
    async with console(tmp_path) as c:
        say = "/api/sessions/main/say"
        await c.client.post(say, json={"text": "Here we are, good evening."})
        await c.client.post(say, json={"text": "Now the mug.", "product": "mug"})
        async with asyncio.timeout(10):
            while not (now := await c.get("/show"))["caption"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert now["avatar_state"] == "speaking"
        assert now["caption"]["text"] == "Here we are, good evening."
        assert now["queue"][0]["text"] == "Now the mug."
        assert now["queue"][0] | {"speech_id": 0} == {
            "speech_id": 0, "text": "Now the mug.", "priority": "seller", "product": "mug"
        }  # fmt: skip
        assert now["script"] == "none"
        assert now["driver"]["is_active"] is False


async def test_the_face_acts_and_feels_without_a_word(tmp_path):
    async with console(tmp_path) as c:
        await c.post("/show/perform", {"kind": "act", "name": "wink"})
        await c.post("/show/perform", {"kind": "emotion", "name": "happy"})
        assert (c.engine.acts, c.engine.feelings) == (["wink"], ["happy"])
        assert c.engine.said == []
        wrong = await c.post("/show/perform", {"kind": "act", "name": "fly"}, 409)
        assert "nod" in wrong["detail"]
        await c.post("/show/perform", {"kind": "sing", "name": "la"}, 422)


async def test_the_script_waits_after_its_sentence_and_goes_on_with_the_next(tmp_path):
    async with console(tmp_path, script=True) as c:
        async with asyncio.timeout(20):
            await until(lambda: len(c.engine.said) >= 4)
            assert (await c.post("/show/script", {"is_on": False}))["script"] == "off"
            await until(lambda: c.session.director.state == "idle")
            stopped = list(c.engine.said)
            await asyncio.sleep(0.6)
            assert c.engine.said == stopped
            # The seller's own line is said nevertheless.
            await c.client.post("/api/sessions/main/say", json={"text": "One moment."})
            await until(lambda: "One moment." in c.engine.said)
            assert (await c.post("/show/script", {"is_on": True}))["script"] == "on"
            await until(lambda: len(c.engine.said) >= len(stopped) + 3)
    pitch = [line for line in c.engine.said if line != "One moment."]
    assert len(set(pitch[: len(stopped) + 1])) == len(stopped) + 1  # nothing twice
    async with console(tmp_path / "..", script=False) as c:
        no = await c.post("/show/script", {"is_on": True}, 409)
        assert "--no-script" in no["detail"]


async def test_calibrating_needs_a_camera(tmp_path):
    async with console(tmp_path) as c:
        url = "/api/sessions/main/drive/calibrate"
        answer = await c.client.post(url)
        assert answer.status_code == 409
        assert "no camera" in answer.json()["detail"]
        assert (await c.client.post(url.replace("main", "other"))).status_code == 404


async def test_every_answer_of_the_console_is_described(tmp_path):
    async with console(tmp_path) as c:
        calls = (await c.client.get("/openapi.json")).json()["paths"]
        own = {path: call for path, call in calls.items() if path.startswith(API)}
        assert len(own) > 25
        for path, methods in own.items():
            for call in methods.values():
                good = next(iter(call["responses"].values()))
                assert good.get("content"), path
                assert "401" in call["responses"], path
                assert call["description"], path
        assert "/api/sessions/{session_id}/drive/calibrate" in calls


async def test_below_a_prefix_page_and_api_are_guarded_alike(tmp_path):
    access = Access("0.0.0.0", TOKEN)
    async with console(tmp_path, access=access, host="shop.example") as c:
        outer = Starlette(routes=[Mount("/live", c.app)])
        transport = httpx.ASGITransport(outer)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            token = {"Authorization": f"Bearer {TOKEN}"}
            ticket = {"Authorization": f"Bearer {access.ticket()}"}
            for path in ("/live/console", "/live/api/console", "/live/api/console/sales"):
                assert (await client.get(path, headers=token)).status_code == 200, path
                assert (await client.get(path, headers=ticket)).status_code == 401, path
            assert (await client.get("/live/console/console.js")).status_code == 200
