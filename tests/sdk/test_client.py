"""``sdk.Client`` and ``fake_session`` against the real server on loopback."""

import asyncio
import socket

import pytest

import sdk
from sdk.errors import (
    ApiError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    ServiceBusyError,
    SettingsError,
    UnreachableError,
)
from sdk.testing import fake_session
from tests.support.chat_service import chat_service
from tests.support.shops import EXAMPLES

pytestmark = pytest.mark.asyncio
CATALOGUE = EXAMPLES / "catalogue.csv"
TOKEN = "a-long-secret"


async def test_a_bot_makes_the_avatar_speak_and_its_test_sees_what_was_said_and_pinned():
    async with fake_session(CATALOGUE) as fake:
        client = fake.client
        accepted = await client.say("Look at this lamp. It is new!", product="lamp-arc")
        assert (accepted.speech_id, accepted.sentences) == (1, 2)
        await fake.settled()
        assert fake.said == ["Look at this lamp. It is new!"]
        assert fake.pinned == "lamp-arc"
        assert fake.heard == ["lamp-arc"]
        assert fake.engine.sentences == ["Look at this lamp.", "It is new!"]
        assert await client.pin("mug-morning") == "mug-morning"
        assert await client.pin(None) is None
        assert fake.pins == ["lamp-arc", "mug-morning", None]
        view = await client.session()
        assert (view.session, view.state, view.presenter) == ("main", "connected", "Mara")
        assert view.pinned is None
        assert view.product_count == len(view.products) == 12
        assert await client.interrupt() == view.generation + 1
        assert (await client.health()).status == "ok"
        assert await client.is_ready()


async def test_products_come_whole_and_their_pictures_too():
    async with fake_session(CATALOGUE) as fake:
        products = await fake.client.products()
        assert [one.sku for one in products] == [str(p["sku"]) for p in fake.shelf.products]
        lamp = next(one for one in products if one.sku == "lamp-arc")
        assert lamp.price.currency == "USD"
        assert lamp.image is not None
        assert (await fake.client.picture(lamp.image))[8:12] == b"WEBP"
        with pytest.raises(SettingsError, match="another server"):
            await fake.client.picture("https://elsewhere.example/x.png")


async def test_a_large_shelf_is_read_page_by_page(tmp_path):
    rows = "".join(f"s{number},Thing {number},1.00,5\n" for number in range(451))
    (tmp_path / "many.csv").write_text("sku,title,price,stock\n" + rows)
    async with fake_session(tmp_path / "many.csv") as fake:
        assert len((await fake.client.session()).products) == 200
        products = await fake.client.products()
        assert len({one.sku for one in products}) == 451


async def test_events_arrive_typed_and_in_order_and_the_chat_is_answered():
    async with fake_session(CATALOGUE) as fake, fake.client.events() as following:
        assert following.state is not None
        assert following.state.presenter == "Mara"
        await following.write("how much is the arc lamp?", name="Ana")
        seen = []
        async with asyncio.timeout(5):
            async for event in following:
                seen.append(event)
                if event.type == "chat.answered":
                    break
        types = [event.type for event in seen]
        assert types.index("chat.message") < types.index("avatar.speak_started")
        ids = [event.event_id for event in seen]
        assert ids == sorted(ids)
        assert seen[-1].data["viewer"] == following.viewer
        assert seen[-1].data["product"] == "lamp-arc"
        assert {event.turn_id for event in seen if event.type.startswith("chat.")} == {"m1"}


async def test_the_following_ends_with_the_session():
    async with fake_session() as fake:
        following = fake.client.events()
        await following.__aenter__()
        ending = asyncio.create_task(_all(following))
        await asyncio.sleep(0)
        await fake.aclose()
        events = await asyncio.wait_for(ending, 5)
        assert events[-1].type == "session.state_changed"
        assert events[-1].data["state"] == "disconnected"


async def _all(following):
    return [event async for event in following]


async def test_a_purchase_from_quote_to_order():
    async with fake_session(CATALOGUE) as fake:
        client = fake.client
        till = await client.till()
        assert (till.is_open, till.is_test, till.flash) == (True, True, ())
        quote = await client.quote({"mug-morning": 2})
        assert quote.goods.minor == 2 * quote.lines[0].unit_price.minor
        started = await client.checkout({"mug-morning": 2})
        assert started.is_test
        assert started.url.startswith(f"{fake.url}/sandbox/pay/")
        order = await client.order(started.order)
        assert (order.status, order.goods) == ("open", quote.goods)
        assert order.page_url == started.url
        assert order.expires_at == started.expires_at
        with pytest.raises(RefusedError) as many:
            await client.checkout({"mug-morning": 100})
        assert many.value.status == 409
        with pytest.raises(NotFoundError):
            await client.checkout(["no-such-thing"])
        with pytest.raises(RefusedError):
            await client.checkout(["mug-morning"], coupon="NONE")
        for missing in (client.group_order, client.bargain, client.help_bargain, client.order):
            with pytest.raises(ApiError) as error:
                await missing("group_000000000000000000000000000000")
            assert error.value.status in (404, 422)


async def test_refusals_are_errors_that_say_why():
    async with fake_session(CATALOGUE) as fake:
        client = fake.client
        with pytest.raises(NotFoundError, match="no session is called 'other'"):
            await client.session("other")
        with pytest.raises(NotFoundError, match="no product has the SKU"):
            await client.pin("nothing")
        with pytest.raises(RefusedError, match="nothing to say"):
            await client.say("…")
        with pytest.raises(NotFoundError, match="no such session"):
            await client.events(session="other").__aenter__()
        with pytest.raises(NotFoundError):
            await client.watch("v=0")  # a fake session has no picture to show
        with pytest.raises(RefusedError, match="no camera drives"):
            await client.calibrate()
        with pytest.raises(ServiceBusyError) as busy:
            await asyncio.gather(*[client.say(f"Line {number}. " * 100) for number in range(60)])
        assert busy.value.retry_after_s == 5


async def test_a_token_is_asked_for_and_sent():
    async with fake_session(CATALOGUE, token=TOKEN) as fake:
        assert (await fake.client.session()).state == "connected"
        async with fake.client.events() as following:
            assert following.viewer
        async with sdk.Client(fake.url, "wrong-token") as stranger:
            with pytest.raises(NotAllowedError, match="ticket"):
                await stranger.session()
            with pytest.raises(NotAllowedError, match="Bearer"):
                await stranger.say("hello")
            with pytest.raises(NotAllowedError, match="ticket"):
                await stranger.events().__aenter__()


async def test_nobody_there_and_somebody_else_there():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with sdk.Client(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(UnreachableError, match="does not answer"):
            await client.session()
        following = client.events()
        following._tries = 1
        with pytest.raises(UnreachableError):
            await following.__aenter__()
    async with chat_service() as other, sdk.Client(other.url) as client:
        with pytest.raises(ApiError, match="not an answer of this service"):
            await client.session()
    with pytest.raises(SettingsError, match="http"):
        sdk.Client("127.0.0.1:8010")


async def test_a_fake_session_can_be_waited_for_and_forgets_nothing_when_closed():
    async with fake_session(CATALOGUE) as fake:
        waiting = asyncio.create_task(fake.wait_for("product.heard"))
        await fake.client.say("This one.", product="mug-morning")
        assert (await waiting).data["product"] == "mug-morning"
        with pytest.raises(TimeoutError):
            await fake.wait_for(lambda event: event.type == "drive.started", timeout_s=0.05)
    assert fake.happened[-1].data == {"state": "disconnected"}
