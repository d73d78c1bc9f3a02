"""A Telegram group with the shop in it: what is answered, what is not, and what is kept of it."""

import contextlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from commerce.models.happenings import OrderDelivered, OrderPaid, SoldLine
from commerce.money import Money
from commerce.shop import Shop
from sdk.messaging import Clerk, Conversation, ConversationConfig
from sdk.messaging.channels.telegram import Telegram
from sdk.messaging.messages import AI_LABEL, Call
from sdk.messaging.routes import accept
from tests.support.chat_service import chat_service
from tests.support.chats import GROUP, TELEGRAM_TOKEN, dumped, telegram_headers, telegram_update
from tests.support.shops import EXAMPLES

pytestmark = pytest.mark.asyncio

ASK = "@shop any moisturizer for dry skin?"
ADMIN, ANA, BO, CY, DI = 1, 77, 88, 99, 111


class Stage:
    """Remembers what it was told to say."""

    session_id = "main"
    pinned = None

    def __init__(self):
        self.said = []

    def pitch(self, lead, text, sku, *, turn):
        self.said.append((lead, text, sku))
        return True


class Chat:
    """A group as its members see it."""

    def __init__(self, shop, channel, telegram, clerk, stage, path):
        self.shop, self.channel, self.telegram = shop, channel, telegram
        self.clerk, self.stage, self.path = clerk, stage, path
        self.clock = datetime.now(UTC)
        self.number = 100

    def now(self):
        return self.clock

    async def update(self, update):
        call = Call("POST", telegram_headers(), {}, dumped(update), self.clock)
        pushed = self.channel.receive(call).pushed
        await accept(self.shop.letterbox.inbox, "telegram", pushed)
        before = len(self.telegram.told)
        await self.clerk.settle()
        told = [
            one for one in self.telegram.told[before:] if not one.path.endswith("/getChatMember")
        ]
        return [
            one.json.get("text") or one.json.get("caption") or one.path.rpartition("/")[2]
            for one in told
        ]

    async def say(self, text, member=ANA, *, chat=GROUP, name="Ana", reply_to=None):
        self.number += 1
        return await self.update(
            telegram_update(
                text, update=self.number, message=self.number, chat=chat, member=member, name=name,
                reply_to=reply_to, date=self.clock.timestamp(),
            )
        )  # fmt: skip

    async def react(self, message, member, emoji="👎"):
        self.number += 1
        reaction = {
            "chat": {"id": GROUP, "type": "supergroup"}, "message_id": message,
            "user": {"id": member}, "date": int(self.clock.timestamp()),
            "new_reaction": [{"type": "emoji", "emoji": emoji}],
        }  # fmt: skip
        return await self.update({"update_id": self.number, "message_reaction": reaction})

    @property
    def last_sent(self):
        return len(self.telegram.told) + 9000

    def dump(self):
        return b"".join(one.read_bytes() for one in self.path.iterdir() if one.suffix != ".key")


@pytest_asyncio.fixture
async def chat(tmp_path):
    async with contextlib.AsyncExitStack() as exits:
        telegram = await exits.enter_async_context(chat_service())
        telegram.answers["/getChatMember"] = [
            (200, {}, {"ok": True, "result": {"status": "member"}})
        ]
        out = await exits.enter_async_context(httpx.AsyncClient())
        box = []
        folder = tmp_path / "kept"
        folder.mkdir()
        shop = await exits.enter_async_context(
            Shop.open(str(folder / "shop.db"), clock=lambda: box[0].now())
        )
        channel = Telegram(TELEGRAM_TOKEN, out, username="shop", api=telegram.url)
        stage = Stage()
        config = ConversationConfig(
            "https://live.example.com", admins=frozenset({f"telegram:{ADMIN}"})
        )
        conversation = Conversation(shop, shop.ledger, stage, config, now=lambda: box[0].now())
        clerk = Clerk(shop, [channel], conversation)
        box.append(Chat(shop, channel, telegram, clerk, stage, folder))
        await shop.import_file(EXAMPLES / "catalogue.csv")
        # The group's first message is greeted with the norms; out of the way of the tests.
        (norms,) = await box[0].say("hello everybody", DI)
        assert "/privacy" in norms
        assert "👎" in norms
        yield box[0]


async def test_an_ask_is_spoken_pinned_and_answered_with_label_disclosure_and_link(chat):
    (answer,) = await chat.say(ASK)
    (said,) = chat.stage.said
    assert said[0] == "A question from our chat group."
    assert said[2] == "moisturiser-dew"
    told = chat.telegram.told[-1].json
    assert answer.startswith(AI_LABEL["en"])
    assert "commission" in answer
    assert "Dew Face Moisturiser" in answer
    button = told["reply_markup"]["inline_keyboard"][0][0]
    assert button["url"].startswith("https://live.example.com/r/")
    assert told["reply_parameters"]["message_id"] == chat.number
    token = button["url"].rpartition("/")[2]
    found = await chat.shop.ledger.follow(token, visitor="visitor:x")
    assert (found.sku, found.session, found.recommender) == ("moisturiser-dew", "main", None)


@pytest.mark.parametrize(
    "words", ["good morning all", "any moisturizer for dry skin?", "haha @bob no"]
)
async def test_what_is_not_addressed_to_the_shop_is_left_alone(chat, words):
    assert await chat.say(words) == []
    assert chat.stage.said == []


async def test_mentions_after_emoji_and_chinese_are_found(chat):
    (answer,) = await chat.say("👩‍👩‍👧 大家好 @shop any moisturizer for dry skin?")
    assert "Dew Face Moisturiser" in answer


async def test_nobody_is_named_without_consent(chat):
    await chat.say(ASK, BO, name="Borislav")
    assert "Borislav" not in str(chat.stage.said)
    (thanks,) = await chat.say("/consent on", BO, name="Borislav")
    assert "/consent off" in thanks
    chat.clock += timedelta(hours=1)
    await chat.say("@shop do you have a thermos?", BO, name="Borislav")
    assert chat.stage.said[-1][0] == "Borislav asks from our chat group."
    await chat.say("/consent off", BO)
    await chat.say("@shop a desk lamp?", BO, name="Borislav")
    assert len(chat.stage.said) == 3
    assert "Borislav" not in str(chat.stage.said[-1])


async def test_the_caps_keep_the_shop_from_flooding_a_group(chat):
    answers = [await chat.say(ASK, member) for member in (ANA, BO, CY, DI, ANA, BO)]
    assert [len(one) for one in answers] == [1, 1, 1, 0, 0, 0]
    assert len(chat.stage.said) == 3


async def test_three_thumbs_down_delete_the_pitch_and_one_member_counts_once(chat):
    await chat.say(ASK)
    message = chat.last_sent
    assert await chat.react(message, BO) == []
    assert await chat.react(message, BO) == []
    assert await chat.react(message, CY) == []
    assert await chat.react(message, DI) == ["deleteMessage"]
    assert chat.telegram.told[-1].json["message_id"] == message
    chat.clock += timedelta(hours=1)
    assert await chat.say(ASK, BO) == [], "what the group took back is not pitched again"


async def test_a_thumb_down_as_an_answer_is_a_vote_too(chat):
    await chat.say("/policy veto 1", ADMIN)
    await chat.say(ASK)
    ours = {"message_id": chat.last_sent, "from": {"id": 4242}}
    assert await chat.say("👎", BO, reply_to=ours) == ["deleteMessage"]


async def test_only_admins_change_the_rules_and_rules_hold(chat):
    (refused,) = await chat.say("/policy off", ANA)
    assert "admins" in refused
    chat.telegram.answers["/getChatMember"] = [
        (200, {}, {"ok": True, "result": {"status": "administrator"}})
    ]
    (changed,) = await chat.say("/policy@shop ban beauty", CY)
    assert "banned: beauty" in changed
    assert await chat.say(ASK) == []
    await chat.say("/policy unban beauty", CY)
    await chat.say("/policy quiet 00:00-23:59 UTC", CY)
    chat.clock = chat.clock.replace(hour=12)
    assert await chat.say(ASK) == []
    (wrong,) = await chat.say("/policy quiet whenever", CY)
    assert "22:00-08:00" in wrong


async def test_with_approval_an_admin_decides(chat):
    await chat.say("/policy approval on", ADMIN)
    (question,) = await chat.say(ASK)
    assert "/approve 1" in question
    assert chat.stage.said == []
    (refused,) = await chat.say("/approve 1", BO)
    assert "admins" in refused
    (answer,) = await chat.say("/approve 1", ADMIN)
    assert "Dew Face Moisturiser" in answer
    assert len(chat.stage.said) == 1
    (nothing,) = await chat.say("/approve 1", ADMIN)
    assert "nothing" in nothing


async def test_a_recommendation_earns_its_member_and_says_so(chat):
    (answer,) = await chat.say("/recommend thermos flask", BO)
    assert "Trail Thermos" in answer
    token = chat.telegram.told[-1].json["reply_markup"]["inline_keyboard"][0][0]["url"]
    found = await chat.shop.ledger.follow(token.rpartition("/")[2], visitor="visitor:x")
    assert found.recommender == await chat.shop.ledger.node("chat", "telegram", str(BO))
    assert "Nobody earns" not in answer


async def test_a_groups_profile_filters_products_and_nothing_else(chat):
    await chat.say("/policy only kitchen", ADMIN)
    await chat.say("/policy about campers", ADMIN)
    assert await chat.say(ASK) == []
    (answer,) = await chat.say("@shop do you have a thermos?", BO)
    assert "Trail Thermos" in answer
    (refused,) = await chat.say("/policy about catholic mothers", ADMIN)
    assert "must not" in refused


async def test_the_file_holds_no_text_and_no_id_unless_the_admin_allows_texts(chat):
    secret = "my skin is dry since the divorce"
    await chat.say(f"@shop any moisturizer? {secret}", 778_899_001)
    await chat.say(secret, 778_899_002)
    await chat.say("@shop do you sell zeppelins?", 778_899_001)
    raw = chat.dump()
    for hidden in (secret, "divorce", "zeppelin", "778899001", "778899002", str(GROUP), "Ana"):
        assert hidden.encode() not in raw, hidden
    (kept,) = await chat.say("/keep-text on", ADMIN)
    assert "admin allowed" in kept
    await chat.say(secret, 778_899_002)
    assert secret.encode() in chat.dump()
    await chat.say("/keep-text off", ADMIN)
    async with chat.shop.letterbox.inbox._database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM chat_text")) == 0


async def test_forget_lets_go_of_a_member_everywhere(chat):
    await chat.say("/consent on", BO)
    await chat.say(ASK, BO)
    member = await chat.shop.ledger.node("chat", "telegram", str(BO))
    assert member.encode() in chat.dump()
    (done,) = await chat.say("/forget", BO)
    assert "deleted" in done
    groups = chat.shop.letterbox.groups
    assert await groups.contact(member) is None
    assert await chat.shop.ledger.node("chat", "telegram", str(BO)) != member
    async with groups._database.reading() as session:
        for column in (
            "state FROM chat_group",
            "asker FROM chat_pitch",
            "member FROM chat_contact",
        ):
            found = await session.scalars(text(f"SELECT {column}"))
            assert member not in str(list(found))


async def test_privacy_says_what_is_kept(chat):
    (said,) = await chat.say("/privacy")
    assert "/forget" in said
    assert "hashed" in said


async def test_what_was_asked_in_vain_is_shown_once_two_members_asked(chat):
    care = chat.shop.letterbox.aftercare
    (sorry,) = await chat.say("@shop do you have a ladder?", ANA)
    assert "not have" in sorry
    await chat.say("@shop do you have a ladder?", ANA)
    assert await care.wished() == [], "one member's wish would tell of them"
    await chat.say("@shop looking for a ladder", BO)
    (wish,) = [one for one in await care.wished() if "ladder" in one.word]
    assert (wish.members, wish.groups, wish.lately) == (2, 1, 2)


async def test_buyers_are_asked_once_three_days_later_and_shown_as_they_wrote(chat):
    await chat.say("/consent on", BO)
    member = await chat.shop.ledger.node("chat", "telegram", str(BO))
    price = Money(2200, "USD")
    nothing = Money(0, "USD")
    line = SoldLine("moisturiser-dew", "moisturiser-dew", "Dew", 1, price, "list")
    paid = OrderPaid("o1", chat.clock, (line,), nothing, nothing, price, nothing, member)
    for _ in range(2):
        await chat.shop.letterbox.book(paid)
        await chat.shop.letterbox.book(OrderDelivered("o1", chat.clock))
    before = len(chat.telegram.calls("/sendMessage"))
    await chat.clerk.ask_buyers()
    assert len(chat.telegram.calls("/sendMessage")) == before, "not before three days"
    chat.clock += timedelta(days=3, minutes=1)
    await chat.clerk.ask_buyers()
    await chat.clerk.ask_buyers()
    asked = chat.telegram.calls("/sendMessage")[before:]
    assert [one.json["chat_id"] for one in asked] == [str(BO)]
    assert "Dew Face Moisturiser" in asked[0].json["text"]
    (thanks,) = await chat.say("return it made my skin red", BO, chat=BO)
    assert "as you wrote it" in thanks
    assert await chat.say("return and again", BO, chat=BO) != [thanks]
    chat.clock += timedelta(hours=2)
    (answer,) = await chat.say(ASK, CY)
    assert "A buyer who returned it: “it made my skin red”" in answer
    (review,) = await chat.shop.letterbox.aftercare.reviews("moisturiser-dew")
    assert (review.verdict, review.words) == ("returned", "it made my skin red")


async def test_a_group_that_grows_keeps_its_rules(chat):
    await chat.say("/policy veto 9", ADMIN)
    new = -100999
    moved = telegram_update("x", update=5000, chat=new, date=chat.clock.timestamp())
    moved["message"].pop("text")
    moved["message"]["migrate_from_chat_id"] = GROUP
    await chat.update(moved)
    (rules,) = await chat.say("/policy", chat=new)
    assert "veto 9" in rules


async def test_a_service_that_is_down_gets_the_answer_later_and_once(chat):
    ok = {"ok": True, "result": {"message_id": 55}}
    down = (500, {}, {"ok": False})
    chat.telegram.answers["/sendPhoto"] = [down] * 4 + [(200, {}, ok)]
    sleeps = []

    async def sleep(seconds):
        sleeps.append(seconds)

    chat.channel._post._sleep = sleep
    await chat.say(ASK)
    assert (await chat.shop.letterbox.inbox.counts())["new"] == 1
    chat.clock += timedelta(minutes=2)
    before = len(chat.telegram.calls("/sendPhoto"))
    await chat.clerk.settle()
    assert len(chat.telegram.calls("/sendPhoto")) == before + 1
    assert len(chat.stage.said) == 1, "the voice does not say it twice"
    assert await chat.shop.letterbox.inbox.counts() == {"new": 0, "done": 2, "dead": 0}


async def test_a_blocked_bot_is_a_dead_letter_that_tells_no_secret(chat):
    blocked = (403, {}, {"ok": False, "description": "blocked"})
    chat.telegram.answers |= {"/sendMessage": [blocked], "/sendPhoto": [blocked]}
    await chat.say(ASK)
    (line,) = await chat.shop.letterbox.inbox.lines("dead")
    assert "403" in line.problem
    assert TELEGRAM_TOKEN.partition(":")[2] not in line.problem


async def test_a_pitch_shows_the_picture_and_keeps_its_words_where_that_cannot_be_fetched(chat):
    await chat.say(ASK)
    (shown,) = chat.telegram.calls("/sendPhoto")
    assert shown.json["photo"] == "https://live.example.com/photo/moisturiser-dew"
    assert "Dew Face Moisturiser" in shown.json["caption"]
    chat.clock += timedelta(hours=1)
    chat.telegram.answers["/sendPhoto"] = [(400, {}, {"ok": False, "description": "wrong URL"})]
    (answer,) = (await chat.say("@shop do you have a thermos?", BO))[1:]
    assert "Trail Thermos" in answer
    assert chat.telegram.told[-1].json["reply_markup"]
