"""One acceptance test for each row of docs/social-commerce.md, named after it.

Where a row rests on one room alone, that room's own test runs here under the row's name; the others
go through a chat group, the live session and the till together.
"""

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import websockets
from hypothesis.stateful import run_state_machine_as_test

from commerce.models.buying import FlashPrice
from commerce.models.happenings import OrderDelivered, OrderPaid, SoldLine
from commerce.money import Money
from commerce.recommendation.policy_words import changed
from commerce.settings import CommerceSettings
from commerce.shop.connecting import connected
from commerce.shop.letterbox import GroupPolicy, GroupProfile
from commerce.shop.news import News
from sdk.messaging import ConversationConfig
from sdk.messaging.bulletin import Bulletin
from sdk.messaging.capabilities import CAPABILITIES
from sdk.messaging.messages import AI_LABEL, Outgoing
from sdk.testing import fake_session
from tests.commerce import test_checkout_prices as prices
from tests.commerce import test_checkout_together as together
from tests.commerce import test_group_policy as policy
from tests.commerce import test_ledger_rows as ledger_rows
from tests.commerce import test_messages as labelled
from tests.commerce import test_till_mechanisms as mechanisms
from tests.sdk import test_messaging_conversation as conversation
from tests.sdk.test_messaging_conversation import ADMIN, ANA, ASK, BO, CY, DI, chat  # noqa: F401
from tests.support.bot_api import bot_api
from tests.support.chats import GROUP, TELEGRAM_TOKEN, dumped, telegram_headers, telegram_update
from tests.support.shops import EXAMPLES
from tests.support.tills import Bench, Diary, bench

pytestmark = pytest.mark.asyncio
CATALOGUE = EXAMPLES / "catalogue.csv"
HERE = ConversationConfig("https://live.example.com")
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140", "sec-fetch-dest": "document"}
LINK = re.compile(r"http://[\w.:]+/r/[\w-]{22}")


@pytest.fixture
def telegram_on(monkeypatch):
    """Switches the Telegram channel on, towards a Bot API of the test's."""

    def switch(api):
        monkeypatch.setenv("LIVEPITCH_TELEGRAM_TOKEN", TELEGRAM_TOKEN)
        monkeypatch.setenv("LIVEPITCH_TELEGRAM_API", api.url)
        monkeypatch.setenv("LIVEPITCH_TELEGRAM_NAME", "shop")

    return switch


async def ask(fake, text=ASK, *, update=1, member=ANA):
    body = dumped(telegram_update(text, update=update, message=10 + update, member=member))
    async with httpx.AsyncClient(timeout=30) as http:
        hook = f"{fake.url}/hooks/telegram"
        assert (await http.post(hook, content=body, headers=telegram_headers())).status_code == 200


async def test_row_01_reachable(telegram_on):
    assert {"telegram", "whatsapp", "wecom", "line", "slack", "discord"} <= set(CAPABILITIES)
    async with bot_api(TELEGRAM_TOKEN) as api:
        telegram_on(api)
        async with fake_session(CATALOGUE) as fake:
            loop, took = asyncio.get_running_loop(), []
            questions = [ASK, "@shop do you have a thermos?", "@shop a desk lamp?"]
            for number, question in enumerate(questions, 1):
                began = loop.time()
                await ask(fake, question, update=number, member=ANA + number)
                while sum("/r/" in text for text in api.sent(GROUP)) < number:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
                took.append(loop.time() - began)
            assert sorted(took)[1] < 1.0
            link = LINK.search("\n".join(api.sent(GROUP)))
            # From the link to a paid order: no app and no account.
            async with httpx.AsyncClient(
                headers=PERSON, follow_redirects=True, timeout=30
            ) as buyer:
                page = await buyer.get(link[0])
                assert page.url.params["product"] == "moisturiser-dew"
                assert "text/html" in page.headers["content-type"]
                wish = {"lines": [{"sku": "moisturiser-dew"}], "session": "main"}
                started = (await buyer.post(f"{fake.url}/checkout", json=wish)).json()
                paid = await buyer.post(started["url"], json={"card": "success"})
                assert paid.json()["outcome"] == "paid"


async def test_row_02_cost_reducing_money(tmp_path):
    prices.test_the_final_price_is_the_least_of_what_is_allowed_and_never_under_the_floor()
    prices.test_nothing_stacks_unless_it_was_declared()
    async with bench(tmp_path) as b:
        end = b.clock() + timedelta(hours=1)
        await b.shop.till.add_flash(FlashPrice("mug", Money(900, "USD"), b.clock(), end, quota=1))
        (line,) = (await b.shop.till.order(await b.bought("mug"))).lines
        assert line.reason == "flash price until 13:00 UTC: $9 instead of $12"


@pytest.mark.parametrize("half", ["seen", "unseen"])
async def test_row_03_cost_reducing_search(chat, half):  # noqa: F811
    await labelled.test_asks_get_their_product_and_the_rest_silence(half)
    (answer,) = await chat.say(ASK)
    titles = [card.title for card in await chat.shop.products()]
    assert 1 <= sum(title in answer for title in titles) <= 3
    assert await chat.say("what a match last night, unbelievable goal", BO) == []


async def test_row_04_immersive(telegram_on):
    async with bot_api(TELEGRAM_TOKEN) as api:
        telegram_on(api)
        async with fake_session(CATALOGUE) as fake:
            end = fake.shop.till.clock() + timedelta(minutes=5)
            flash = FlashPrice(
                "moisturiser-dew", Money(990, "USD"), fake.shop.till.clock(), end, quota=3
            )
            await fake.shop.till.add_flash(flash)
            await ask(fake, "/consent@shop on", update=1)
            async with websockets.connect(fake.url.replace("http", "ws") + "/ws/main") as viewer:
                await ask(fake, update=2)
                pinned = await _told(viewer, "product.pinned")
                assert pinned["product"]["sku"] == "moisturiser-dew"
                assert fake.said[0] == "Ana asks from our chat group."
                changed_stock = await fake.shop.set_stock("moisturiser-dew", 2)
                seen = (await _told(viewer, "product.changed"))["product"]
                assert (seen["stock"], seen["stock_version"]) == (2, changed_stock.stock_version)
            (countdown,) = (await fake.client.till()).flash
            assert (countdown.left, countdown.ends_at) == (3, end)


async def _told(viewer, wanted):
    async with asyncio.timeout(8):
        while True:
            event = json.loads(await viewer.recv())
            if event["type"] == wanted:
                return event["data"]


async def test_row_05_lasting_relation(tmp_path):
    await ledger_rows.test_row_5_the_relation_survives_channels_and_a_cut_stops_credit(
        str(tmp_path / "shop.db")
    )


async def test_row_05_a_lasting_relation_decides_between_equals(chat):  # noqa: F811
    await chat.say("/recommend wool scarf", BO)
    token = _last_link(chat)
    ana = await chat.shop.ledger.node("chat", "telegram", str(ANA))
    question = "@shop what do you recommend?"
    leaning = [await _liked(chat, ana)]
    for number in range(2):
        await chat.shop.ledger.follow(token, visitor=ana)
        chat.clock += timedelta(days=1)
        await _news(chat).book(_paid(chat, f"o{number}", "scarf-fjord", ana, token))
        chat.clock += timedelta(days=1)
        leaning.append(await _liked(chat, ana))
    chat.clock += timedelta(days=60)
    leaning.append(await _liked(chat, ana))
    # Nothing, then little, more with the second purchase, and more still as it grows old.
    assert leaning[0] == 0
    assert leaning == sorted(set(leaning))
    (to_a_stranger,) = await chat.say(question, CY, chat=CY)
    assert "Fjord Wool Scarf" not in to_a_stranger
    (answer,) = await chat.say(question, ANA, chat=ANA)
    assert "Fjord Wool Scarf" in answer
    # Either side may end it, and then it decides nothing.
    bo = await chat.shop.ledger.node("chat", "telegram", str(BO))
    await chat.shop.ledger.cut(bo, ana)
    assert await _liked(chat, ana) == 0


async def _liked(chat, node):  # noqa: F811
    return (await chat.shop.leaning(asker=node)).liked.get("scarf-fjord", 0)


def _last_link(chat):  # noqa: F811
    sent = [one.json for one in chat.telegram.told if "reply_markup" in one.json]
    return sent[-1]["reply_markup"]["inline_keyboard"][0][0]["url"].rpartition("/")[2]


def _paid(chat, order, sku, buyer, referral, **more):  # noqa: F811
    price, nothing = Money(2200, "USD"), Money(0, "USD")
    line = SoldLine(sku, sku, sku, 1, price, "list")
    facts = (nothing, nothing, price, nothing, buyer)
    return OrderPaid(order, chat.clock, (line,), *facts, referral=referral, **more)


async def test_row_06_trust_is_evidence(tmp_path):
    await ledger_rows.test_row_6_trust_is_verified_purchases_and_a_refund_lowers_it(
        str(tmp_path / "shop.db")
    )


async def test_row_07_disclosure_always(chat, tmp_path):  # noqa: F811
    with pytest.raises(Exception, match="AI label"):
        Outgoing("Buy the Dew!")
    (answer,) = await chat.say("/recommend thermos flask", BO)
    assert answer.startswith(AI_LABEL["en"])
    assert "earns" in answer
    await ledger_rows.test_row_7_every_link_says_who_earns_and_that_an_ai_presents(
        str(tmp_path / "shop.db")
    )
    page = Path("sdk/web/viewer/index.html")
    assert "ai-label" in (EXAMPLES.parent / page).read_text()
    assert "AI" in await chat.shop.opening()


async def test_row_08_shared_identity(chat):  # noqa: F811
    await conversation.test_a_groups_profile_filters_products_and_nothing_else(chat)
    # Everything a profile holds; nothing about any member, and nothing inferred.
    assert set(GroupProfile.__dataclass_fields__) == {"audience", "tone", "only", "language"}
    _, profile = changed(GroupPolicy(), GroupProfile(), "about hikers")
    assert profile.audience == "hikers"


async def test_row_09_community_norms(chat):  # noqa: F811
    run_state_machine_as_test(policy.Referee, settings=_brief(policy.TestReferee.settings))
    await conversation.test_only_admins_change_the_rules_and_rules_hold(chat)


async def test_row_10_no_overload(chat):  # noqa: F811
    policy.test_pitches_per_100_messages_never_exceed_the_cap(20)
    for question in (ASK, "@shop do you have a thermos?"):
        assert len(await chat.say(question)) == 1
        chat.clock += timedelta(hours=1)
    assert await chat.say("@shop a desk lamp?") == [], "ignored twice"
    chat.clock += timedelta(hours=23)
    assert await chat.say("@shop a desk lamp?", BO) == []
    chat.clock += timedelta(hours=2)
    assert len(await chat.say("@shop a desk lamp?", CY)) == 1


async def test_row_10_news_come_as_one_message_and_only_where_they_are_wanted(chat):  # noqa: F811
    shop, now = chat.shop, lambda: chat.clock
    bulletin = Bulletin(shop, shop.ledger, [chat.channel], HERE, now=now)

    async def told():
        before = len(chat.telegram.calls("/sendMessage"))
        await bulletin.tell()
        return [one.json["text"] for one in chat.telegram.calls("/sendMessage")[before:]]

    async def flash(sku, price):
        end = chat.clock + timedelta(hours=20)
        await shop.till.add_flash(FlashPrice(sku, Money(price, "USD"), chat.clock, end, quota=5))

    await flash("mug-morning", 990)
    assert await told() == [], "nobody wanted news"
    await chat.say("/policy alerts on", ADMIN)
    await chat.say("/policy quiet 00:00-23:59 UTC", ADMIN)
    assert await told() == [], "not at night"
    await flash("scarf-fjord", 3000)
    await chat.say("/policy quiet off", ADMIN)
    (digest,) = await told()
    assert digest.startswith(AI_LABEL["en"])
    assert "Morning Stoneware Mug: $9.90 instead of $16.50" in digest
    assert "Fjord Wool Scarf: $30" in digest
    assert "5 left" in digest
    chat.clock += timedelta(minutes=10)
    assert await told() == [], "each piece once"
    # Votes and caps hold for news as for every pitch.
    await flash("lamp-arc", 4000)
    for member in (ANA, BO, CY):
        await chat.react(9000 + len(chat.telegram.told), member)
    assert await told() == [], "three against the last one: not at once"
    chat.clock += timedelta(hours=2)
    assert "Arc Desk Lamp" in (await told())[0]
    await chat.say("/policy alerts off", ADMIN)
    await flash("thermos-trail", 2000)
    assert await told() == []


async def test_row_10_a_group_order_is_told_where_its_buyers_came_from(chat):  # noqa: F811
    shop, now = chat.shop, lambda: chat.clock
    bulletin = Bulletin(shop, shop.ledger, [chat.channel], HERE, now=now)
    await chat.say("/policy alerts on", ADMIN)
    await chat.say("/recommend face moisturiser", BO)
    token = _last_link(chat)
    async with connected(shop.till, CommerceSettings(stripe_api_key=None)) as connection:
        till = Bench(shop, connection.sandbox, now, Diary())
        deadline = chat.clock + timedelta(hours=5)
        ladder = [(2, Money(2000, "USD")), (3, Money(1800, "USD"))]
        order = await shop.till.open_group(
            "moisturiser-dew", target=2, ladder=ladder, deadline=deadline, leader="visitor:l"
        )
        before = len(chat.telegram.calls("/sendMessage"))
        await bulletin.tell()
        assert chat.telegram.calls("/sendMessage")[before:] == [], "nobody has paid"
        for number, expected in enumerate(("1 of 2 have paid", "2 have paid, so it comes about")):
            chat.clock += timedelta(minutes=20)
            buyer = {"buyer": f"visitor:{number}", "referral": token, "group": order.group}
            await till.bought("moisturiser-dew", **buyer)
            for _ in range(2):
                await bulletin.tell()
            sent = chat.telegram.calls("/sendMessage")[before + number :]
            assert len(sent) == 1, "told once"
            assert expected in sent[0].json["text"]


async def test_row_11_group_orders(tmp_path):
    run_state_machine_as_test(
        together.GroupTrace, settings=_brief(together.TestGroupTrace.settings)
    )
    for number, one in enumerate(
        (
            mechanisms.test_a_group_pays_the_dearest_step_and_gets_the_difference_back,
            mechanisms.test_a_group_that_does_not_come_together_gets_everything_back,
            mechanisms.test_the_leader_leaves_and_the_next_one_leads,
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        await one(folder)


async def test_row_12_group_price_and_commission(tmp_path):
    await ledger_rows.test_row_12_group_price_and_commission_together(str(tmp_path / "shop.db"))


async def test_row_13_bargains_are_honest(tmp_path):
    await mechanisms.test_a_bargain_is_honest_from_its_first_moment_to_its_last(tmp_path)
    together.test_cuts_end_exactly_at_the_floor_and_can_be_checked()


async def test_row_14_new_ties_by_consent(chat):  # noqa: F811
    # Of two members who asked for the same, the group is told of the one who agreed to it.
    await chat.say("/consent on", BO, name="Borislav")
    for member in (BO, CY):
        await chat.say(ASK, member, name="Borislav")
        chat.clock += timedelta(minutes=20)
    ours = {"message_id": chat.last_sent, "from": {"id": 4242}}
    await chat.say("looks nice", DI, reply_to=ours)
    (answer,) = await chat.say(ASK, ANA)
    assert "1 more of this group asked for it lately." in answer
    assert "Borislav" not in answer
    group = await chat.shop.ledger.node("group", "telegram", str(GROUP))
    assert await chat.shop.ledger.friends_who_bought(group, "moisturiser-dew") == []


async def test_row_14_the_recommender_is_thanked_after_delivery_once_and_by_consent(chat):  # noqa: F811
    for member, agrees in ((BO, True), (CY, False)):
        if agrees:
            await chat.say("/consent on", member)
        await chat.say("/recommend face moisturiser", member)
        chat.clock += timedelta(minutes=20)
        ours = {"message_id": chat.last_sent, "from": {"id": 4242}}
        await chat.say("looks nice", DI, reply_to=ours)
        token = _last_link(chat)
        buyer = await chat.shop.ledger.node("visitor", f"{member:032x}")
        await chat.shop.ledger.follow(token, visitor=buyer)
        price, nothing = Money(2200, "USD"), Money(0, "USD")
        line = SoldLine("moisturiser-dew", "moisturiser-dew", "Dew", 1, price, "list")
        facts = (nothing, nothing, price, nothing, buyer)
        paid = OrderPaid(f"o{member}", chat.clock, (line,), *facts, referral=token)
        await _news(chat).book(paid)
        before = len(chat.telegram.calls("/sendMessage"))
        for _ in range(2):
            await _news(chat).book(OrderDelivered(f"o{member}", chat.clock))
            await chat.shop.announcer.outbox.dispatch()
        sent = chat.telegram.calls("/sendMessage")[before:]
        assert [one.json["chat_id"] for one in sent] == [str(member)] * agrees
        if agrees:
            assert "Dew Face Moisturiser, which you recommended" in sent[0].json["text"]


async def test_row_15_hidden_by_default(tmp_path):
    await ledger_rows.test_row_15_a_purchase_is_hidden_unless_its_buyer_shows_it(
        str(tmp_path / "shop.db")
    )


async def test_row_15_offers_in_a_thread_of_their_own(chat):  # noqa: F811
    def sent():
        posted = ("/sendMessage", "/sendPhoto")
        return [one.json for one in chat.telegram.told if one.path.endswith(posted)][-1]

    await chat.say("/thread on", ADMIN)
    assert "inside the thread" in sent()["text"]
    await _in_topic(chat, "/thread on", BO)
    assert "Only this group's admins" in sent()["text"]
    await _in_topic(chat, "/thread on", ADMIN)
    assert sent()["message_thread_id"] == TOPIC
    await chat.say(ASK)
    assert "Dew Face Moisturiser" in sent()["caption"]
    assert sent()["message_thread_id"] == TOPIC
    assert "reply_parameters" not in sent(), "an answer would stand in the talk"
    assert str(TOPIC).encode() not in chat.dump()
    chat.clock += timedelta(hours=1)
    await chat.say("/thread off", ADMIN)
    await chat.say("@shop do you have a thermos?", BO)
    assert "Trail Thermos" in sent()["caption"]
    assert "message_thread_id" not in sent()


TOPIC = 7654321


async def _in_topic(chat, text, member):  # noqa: F811
    chat.number += 1
    update = telegram_update(
        text, update=chat.number, message=chat.number, member=member, date=chat.clock.timestamp()
    )
    update["message"] |= {"message_thread_id": TOPIC, "is_topic_message": True}
    return await chat.update(update)


async def test_row_16_a_visitor_who_shows_their_order_is_asked_in_the_chat(chat):  # noqa: F811
    visitor = await chat.shop.ledger.node("visitor", "ab" * 16)
    order = "order_" + "7" * 32
    await _news(chat).book(_paid(chat, order, "moisturiser-dew", visitor, None))
    await _news(chat).book(OrderDelivered(order, chat.clock))
    (refused,) = await chat.say(f"/order {order}", DI)
    assert "in private" in refused
    (unknown,) = await chat.say("/order order_none", DI, chat=DI)
    assert "no paid order" in unknown
    number = order.removeprefix("order_")  # as the order's page shows it
    (known,) = await chat.say(f"/order {number}", DI, chat=DI)
    assert "ask once" in known
    await chat.clerk.ask_buyers()
    assert await chat.shop.letterbox.aftercare.due_questions() == []
    chat.clock += timedelta(days=4)
    before = len(chat.telegram.calls("/sendMessage"))
    for _ in range(2):
        await chat.clerk.ask_buyers()
    (asked,) = chat.telegram.calls("/sendMessage")[before:]
    assert asked.json["chat_id"] == str(DI)
    await chat.say("keep lovely", DI, chat=DI)
    (review,) = await chat.shop.letterbox.aftercare.reviews("moisturiser-dew")
    assert (review.verdict, review.words) == ("kept", "lovely")
    # To the ledger, the visitor and the member are one person from now on.
    member = await chat.shop.ledger.node("chat", "telegram", str(DI))
    assert (await chat.shop.ledger.export(member))["orders"]


async def test_row_16_asked_once_and_shown_as_written(chat):  # noqa: F811
    await conversation.test_buyers_are_asked_once_three_days_later_and_shown_as_they_wrote(chat)
    # All that is stored is shown, good or bad.
    await chat.say("/consent on", DI)
    member = await chat.shop.ledger.node("chat", "telegram", str(DI))
    price, nothing = Money(2200, "USD"), Money(0, "USD")
    line = SoldLine("moisturiser-dew", "moisturiser-dew", "Dew", 1, price, "list")
    paid = OrderPaid("o2", chat.clock, (line,), nothing, nothing, price, nothing, member)
    await chat.shop.letterbox.book(paid)
    await chat.shop.letterbox.book(OrderDelivered("o2", chat.clock))
    chat.clock += timedelta(days=4)
    await chat.clerk.ask_buyers()
    await chat.say("keep soft as new", DI, chat=DI)
    reviews = await chat.shop.letterbox.aftercare.reviews("moisturiser-dew")
    assert [(one.verdict, one.words) for one in reviews] == [
        ("kept", "soft as new"),
        ("returned", "it made my skin red"),
    ]


async def test_row_17_trends_and_range(chat):  # noqa: F811
    await conversation.test_what_was_asked_in_vain_is_shown_once_two_members_asked(chat)
    chat.clock += timedelta(hours=1)
    await chat.say(ASK, CY)
    shown = await chat.shop.letterbox.groups.pitched_skus()
    assert shown == {"moisturiser-dew"}
    assert len(shown) / len(await chat.shop.products()) == pytest.approx(1 / 12)


async def test_row_17_suggestions_broaden_the_range(chat):  # noqa: F811
    question, shown = "@shop what do you recommend?", []
    for number in range(8):
        (answer,) = await chat.say(question, ANA + number)
        shown += [card for card in await chat.shop.products() if card.title in answer]
        await _heed(chat)
        chat.clock += timedelta(hours=3)
    assert len({card.sku for card in shown}) == 8, "the same product twice, others never"
    assert len({card.category for card in shown[:4]}) == 4, "one shelf after the other"
    # What suits clearly better is not overtaken, however often it was shown.
    for number in range(2):
        (answer,) = await chat.say(ASK, DI + number)
        assert "Dew Face Moisturiser" in answer
        await _heed(chat)
        chat.clock += timedelta(hours=3)


async def _heed(chat):  # noqa: F811
    ours = {"message_id": chat.last_sent, "from": {"id": 4242}}
    await chat.say("looks nice", DI, reply_to=ours)


async def test_row_18_one_hop_is_paid(tmp_path):
    await ledger_rows.test_row_18_lineage_is_kept_but_only_one_hop_is_paid(
        str(tmp_path / "shop.db")
    )


async def test_row_19_privacy(chat, tmp_path):  # noqa: F811
    await ledger_rows.test_row_19_no_raw_id_and_no_text_reaches_the_database(
        str(tmp_path / "shop.db")
    )
    await conversation.test_the_file_holds_no_text_and_no_id_unless_the_admin_allows_texts(chat)
    (said,) = await chat.say("/privacy", ADMIN)
    assert "/forget" in said


async def test_row_20_signed_statement(tmp_path):
    await ledger_rows.test_row_20_a_statement_verifies_offline_and_no_figure_can_be_changed(
        str(tmp_path / "shop.db")
    )


def _brief(settings):
    """The room's own suite runs the whole number; here a few prove that it is there."""
    return type(settings)(settings, max_examples=20)


def _news(group):
    return News(group.shop.ledger, group.shop.letterbox, group.shop.announcer)
