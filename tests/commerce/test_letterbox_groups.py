"""Groups, news, reviews and wishes in the database: on SQLite and PostgreSQL alike."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from commerce.errors import LetterboxError, UnknownOrderError
from commerce.models.buying import FlashPrice
from commerce.models.groups import Judged, MakePitch, Novelties, Novelty, TakeBack, TellNews, Voted
from commerce.models.happenings import OrderDelivered, OrderPaid, SoldLine
from commerce.money import Money
from commerce.shop import Shop
from commerce.shop.letterbox import AskAdmin, GroupPolicy, GroupProfile, Heeded, Wanted
from commerce.shop.news import News
from tests.support.shops import NOON, shop_url, written

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("both_databases")]
GOODS = "sku,title,price,stock,category\nmug,Mug,12.00,9,Home\nhat,Hat,20.00,4,Wear\n"


@pytest.fixture
def now(monkeypatch):
    monkeypatch.setenv("LIVEPITCH_LETTERBOX_KEY", "a key of some length")
    return [NOON]


@asynccontextmanager
async def opened(folder, now):
    async with Shop.open(shop_url(str(folder / "shop.db")), clock=lambda: now[0]) as shop:
        await shop.import_file(written(folder, GOODS))
        node = await shop.ledger.node("group", "telegram", "g")
        await shop.letterbox.groups.open(node, "telegram")
        yield shop, shop.letterbox.groups, node


def wish(member, sku="mug", cause="ask"):
    return Wanted(member, sku, frozenset({"home"}), cause)


async def test_a_group_is_opened_once_and_keeps_what_its_admin_says(tmp_path, now):
    async with opened(tmp_path, now) as (_shop, groups, node):
        again = await groups.open(node, "telegram")
        assert not again.is_new
        await groups.set_policy(node, GroupPolicy(veto=7, banned=frozenset({"knives"})))
        await groups.set_profile(node, GroupProfile(audience="hikers", only=frozenset({"home"})))
        await groups.set_host(node, "chat:telegram:host")
        (found,) = await groups.all()
        assert (found.policy.veto, found.policy.banned) == (7, {"knives"})
        assert (found.profile.audience, found.host) == ("hikers", "chat:telegram:host")
        await groups.move(node, "group:telegram:new")
        assert [one.node for one in await groups.all()] == ["group:telegram:new"]
        with pytest.raises(LetterboxError, match="has written yet"):
            await groups.tell(node, Heeded(1))


async def test_pitches_votes_and_counts(tmp_path, now):
    async with opened(tmp_path, now) as (_shop, groups, node):
        verdict = await groups.tell(node, wish("chat:a"), message="m1")
        assert isinstance(verdict, MakePitch)
        await groups.posted(node, verdict.number, token="t" * 22, reference="r1")
        for found in (
            await groups.pitch(node, verdict.number),
            await groups.pitch_with_reference(node, "r1"),
            await groups.pitch_caused_by(node, "m1"),
            await groups.pitch_with_token("t" * 22),
        ):
            assert (found.sku, found.asker, found.reference) == ("mug", "chat:a", "r1")
        assert await groups.shown(node) == {"mug": 1}
        assert await groups.pitched_skus() == {"mug"}
        await groups.consent(node, "chat:a", is_given=True)
        assert await groups.others_who_asked(node, "mug", "chat:b") == 1
        for voter in ("chat:b", "chat:c"):
            assert await groups.tell(node, Voted(voter, verdict.number, True)) is None
        taken = await groups.tell(node, Voted("chat:d", verdict.number, True))
        assert isinstance(taken, TakeBack)
        assert (await groups.pitch(node, verdict.number)).state == "withdrawn"
        await groups.forget("chat:a")
        assert (await groups.pitch(node, verdict.number)).asker is None


async def test_what_waits_for_an_admin(tmp_path, now):
    async with opened(tmp_path, now) as (_shop, groups, node):
        await groups.set_policy(node, GroupPolicy(needs_approval=True))
        asked = await groups.tell(node, wish("chat:a"))
        assert isinstance(asked, AskAdmin)
        assert (await groups.pitch(node, asked.number)).state == "waiting"
        await groups.tell(node, Judged(asked.number, False, True))
        assert (await groups.pitch(node, asked.number)).state == "refused"


async def test_news_are_told_once_and_where_the_admin_wants_them(tmp_path, now):
    async with opened(tmp_path, now) as (shop, groups, node):
        end = now[0] + timedelta(hours=1)
        await shop.till.add_flash(FlashPrice("mug", Money(900, "USD"), now[0], end, quota=3))
        (news,) = await shop.newsworthy()
        assert (news.card.sku, news.flash.left) == ("mug", 3)
        item = Novelty(news.key, "mug", frozenset({"home"}))
        await groups.set_policy(node, GroupPolicy(takes_alerts=True))
        await groups.set_place(node, "the address", is_apart=True)
        (group,) = await groups.all()
        assert (group.has_place, group.is_apart) == (True, True)
        assert await groups.place(node) == "the address"
        told = await groups.tell(node, Novelties((item,)))
        assert isinstance(told, TellNews)
        assert await groups.tell(node, Novelties((item,))) is None
        assert (await groups.pitch(node, told.number)).asker is None
        await groups.set_place(node, None)
        assert await groups.place(node) is None


async def test_wishes_of_two_members(tmp_path, now):
    async with opened(tmp_path, now) as (shop, _groups, node):
        for member in ("chat:a", "chat:a", "chat:b"):
            await shop.letterbox.wish(node, member, "do you have a tent?")
        (tent,) = await shop.letterbox.aftercare.wished()
        assert (tent.word, tent.members, tent.groups, tent.lately) == ("tent", 2, 1, 2)
        await shop.letterbox.forget("chat:b")
        assert await shop.letterbox.aftercare.wished() == []


async def test_a_buyer_who_shows_an_order_is_asked_once(tmp_path, now):
    async with opened(tmp_path, now) as (shop, groups, _node):
        visitor = await shop.ledger.node("visitor", "v")
        member = await shop.ledger.node("chat", "telegram", "7")
        price, nothing = Money(1200, "USD"), Money(0, "USD")
        line = SoldLine("mug", "mug", "Mug", 1, price, "list")
        paid = OrderPaid("order_1", now[0], (line,), nothing, nothing, price, nothing, visitor)
        news = News(shop.ledger, shop.letterbox, shop.announcer)
        await news.book(paid)
        with pytest.raises(UnknownOrderError):
            await shop.recognise("order_2", member, "private")
        for _ in range(2):
            await shop.recognise("order_1", member, "private")
        await news.book(OrderDelivered("order_1", now[0]))
        care = shop.letterbox.aftercare
        assert await care.due_questions() == []
        now[0] += timedelta(days=4)
        (question,) = await care.due_questions()
        assert (question.order, question.sku, question.address) == ("order_1", "mug", "private")
        assert await care.asked(question.key)
        assert not await care.asked(question.key)
        assert await care.answer(member, "returned", "too   small") == "mug"
        (review,) = await care.reviews("mug")
        assert (review.verdict, review.words) == ("returned", "too small")
        await shop.letterbox.forget(member)
        assert await groups.contact(member) is None
        assert len(await care.reviews("mug")) == 1
