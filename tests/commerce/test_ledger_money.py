"""Holds, payouts and late news, on both databases."""

import asyncio
import dataclasses
import itertools
import json
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from commerce.attribution.books import Dispute, Owed, Paid, Standing, after_returns, targets
from commerce.attribution.news import known, told
from commerce.attribution.rule import CommissionRule
from commerce.cli import app
from commerce.errors import LedgerError, PayoutError, SettingsError
from commerce.models.referrals import Referral
from tests.support.ledgers import (
    Clock,
    delivered,
    disputed,
    ledger_house,
    paid,
    refunded,
    usd,
)
from tests.support.shops import NOON, shop_with

ANN, AMY, BOB = "chat:telegram:ann", "chat:line:amy", "visitor:bob"
GROUP = "group:telegram:hikers"


class Bank:
    """A rail in memory, idempotent as a real one."""

    def __init__(self, *, is_test=False, refuses=False, spent=0):
        self.name, self.is_test, self.refuses = "bank", is_test, refuses
        self.paid, self.taken, self.spent = {}, {}, spent

    async def pay(self, payout):
        if self.refuses:
            raise PayoutError(f"{payout.key}: the account is closed")
        self.paid[payout.key] = payout.amount
        return f"tr_{payout.key}"

    async def take_back(self, payout, amount, key):
        have = max(0, self.paid[payout.key].minor - self.spent)
        return self.taken.setdefault(key, usd(min(have, amount.minor)))


async def sold(house, order, *, recommender=ANN, matured=True, **more):
    """A click, an order, a delivery; and the return window over."""
    ledger, clock = house.ledger, house.clock
    clock.pass_(minutes=1)
    await ledger.touch(kind="click", actor=BOB, recommender=recommender)
    await ledger.book(paid(order, clock.pass_(minutes=9), **more))
    await ledger.book(delivered(order, clock.pass_(days=2)))
    if matured:
        clock.pass_(days=30)
        await ledger.settle()


async def balance(house, who=ANN):
    rows = [one for one in await house.ledger.balances(who) if not one.is_test]
    if not rows:  # accounts at zero are not listed
        return 0, 0, 0, 0
    (found,) = rows
    return tuple(m.minor for m in (found.held, found.payable, found.paying, found.paid))


@pytest.mark.asyncio
async def test_a_commission_is_held_then_payable_then_paid_and_carried_when_returned(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await sold(house, "o1", matured=False)
        assert await balance(house) == (500, 0, 0, 0)
        clock.pass_(days=29)
        assert (await ledger.settle()).matured == 0
        clock.pass_(days=1)
        assert (await ledger.settle()).matured == 1
        assert (await ledger.settle()).matured == 0
        assert await balance(house) == (0, 500, 0, 0)
        assert await ledger.pay(minimum=usd(501)) == []
        (payout,) = await ledger.pay()
        assert (payout.state, payout.rail, await balance(house)) == (
            "started", "csv", (0, 0, 500, 0),
        )  # fmt: skip
        await ledger.confirm_payout(payout.key, "IBAN 7")
        await ledger.confirm_payout(payout.key, "again")
        assert (await ledger.payouts())[0].reference == "IBAN 7"
        assert await balance(house) == (0, 0, 0, 500)
        # Half comes back after it was paid out: below zero, and taken from the next order.
        await ledger.book(refunded("o1", clock.now, 5_000))
        (standing,) = await ledger.balances(ANN)
        assert (standing.payable.minor, standing.carried) == (-250, usd(250))
        assert await ledger.pay() == []
        await sold(house, "o2")
        assert [one.amount for one in await ledger.pay()] == [usd(250)]
        assert (await ledger.audit()).problems == ()


@pytest.mark.asyncio
async def test_a_rail_pays_takes_back_what_it_can_and_refusals_become_payable_again(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await sold(house, "o1")
        (failed,) = await ledger.pay(Bank(refuses=True))
        assert (failed.state, failed.problem) == (
            "failed", "payout-1-USD-1: the account is closed",
        )  # fmt: skip
        assert await balance(house) == (0, 500, 0, 0)
        bank = Bank(spent=350)
        (done,) = await ledger.pay(bank)
        assert (done.state, done.reference) == ("paid", "tr_payout-1-USD-2")
        assert await ledger.recover(bank) == []
        await ledger.book(refunded("o1", clock.now, 10_000))
        (back,) = await ledger.recover(bank)
        assert back.amount == usd(150)
        assert await balance(house) == (0, -350, 0, 350)
        with pytest.raises(LedgerError, match="failed"):
            await ledger.confirm_payout(failed.key, "x")
        with pytest.raises(LedgerError, match="arrived"):
            await ledger.fail_payout(done.key, "x")
        with pytest.raises(LedgerError, match="there is no payout"):
            await ledger.confirm_payout("payout-9-USD-9", "x")
        assert (await ledger.audit()).problems == ()


@pytest.mark.asyncio
async def test_test_orders_are_never_paid_with_real_money(database_url):
    async with ledger_house(database_url) as house:
        await sold(house, "o1", is_test=True)
        (standing,) = await house.ledger.balances(ANN)
        assert (standing.is_test, standing.payable) == (True, usd(500))
        assert await house.ledger.pay() == []
        assert await house.ledger.pay(Bank()) == []
        assert [one.is_test for one in await house.ledger.pay(Bank(is_test=True))] == [True]
        report = await house.ledger.report("recommender")
        assert report.is_test
        await sold(house, "o2")
        report = await house.ledger.report("recommender")
        assert (report.is_test, report.orders) == (False, 1)


@pytest.mark.asyncio
async def test_a_dispute_holds_what_is_payable_and_gives_it_back_or_takes_it(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await sold(house, "o1")
        for state, expected in (
            ("warning", (0, 500)), ("withdrawn", (500, 0)), ("won", (0, 500)),
            ("withdrawn", (0, 500)), ("lost", (0, 0)),
        ):  # fmt: skip
            if state == "lost":
                await ledger.book(disputed("o1", clock.pass_(hours=1), state, 10_000, "dp_2"))
            else:
                await ledger.book(disputed("o1", clock.pass_(hours=1), state, 10_000))
            assert (await balance(house))[:2] == expected, state
        # What a dispute took cannot be refunded a second time.
        await ledger.book(refunded("o1", clock.now, 10_000))
        assert (await balance(house))[:2] == (0, 0)
        assert await house.total("clearing") == 0


@pytest.mark.asyncio
async def test_late_touches_change_the_credit_until_the_lock_and_leave_every_run(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await sold(house, "o1", matured=False)
        late = clock.now - timedelta(days=2, minutes=1)
        await ledger.touch(kind="click", actor=BOB, recommender=AMY, occurred_at=late)
        body = (await ledger.statement("o1"))["statement"]
        assert [credit["recommender"] for credit in body["credits"]] == [AMY]
        assert body["attribution"]["run"] == 2
        assert (await balance(house), await balance(house, AMY)) == ((0, 0, 0, 0), (500, 0, 0, 0))
        clock.pass_(days=31)
        await ledger.touch(kind="click", actor=BOB, recommender=ANN,
                           occurred_at=late + timedelta(seconds=1))  # fmt: skip
        assert (await ledger.statement("o1"))["statement"]["attribution"]["run"] == 2
        assert (await ledger.audit()).problems == ()


@pytest.mark.asyncio
async def test_mistaken_evidence_can_be_withdrawn_and_hints_join_nobody(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await ledger.touch(kind="click", actor="chat:line:bob", recommender=ANN)
        await ledger.book(paid("o1", clock.pass_(minutes=5)))
        await ledger.link(BOB, "chat:line:bob", "same_device")
        assert await house.total("held") == 0
        await ledger.link(BOB, "chat:line:bob", "login")
        assert await house.total("held") == -500
        await ledger.withdraw("chat:line:bob", BOB)
        assert await house.total("held") == 0
        with pytest.raises(LedgerError, match="is no evidence"):
            await ledger.link(BOB, ANN, "astrology")
        with pytest.raises(LedgerError, match="is no node"):
            await ledger.link(BOB, "+49 151 1234", "login")


@pytest.mark.asyncio
async def test_links_expire_preview_robots_earn_nothing_and_tokens_cannot_be_guessed(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        token = await ledger.issue(
            Referral(ANN, GROUP, "telegram", sku="mug-0", expires_at=clock.now + timedelta(days=1))
        )
        other = await ledger.issue(Referral(ANN, GROUP))
        assert len(token) == 22
        assert token != other
        assert await ledger.follow("A" * 22, visitor=BOB) is None
        await ledger.follow(token, visitor=BOB, is_preview=True)
        await ledger.book(paid("o1", clock.pass_(minutes=5)))
        assert (await ledger.statement("o1"))["statement"]["credits"] == []
        # The checkout itself carried the link, though its buyer was never seen to open it.
        await ledger.book(paid("o2", clock.pass_(minutes=5), buyer="visitor:x", referral=token))
        (one,) = (await ledger.statement("o2"))["statement"]["credits"]
        assert (one["recommender"], "checkout carried" in one["reason"]) == (ANN, True)
        clock.pass_(days=2)
        there = await ledger.follow(token, visitor=BOB)
        assert (there.sku, there.recommender, there.is_expired) == ("mug-0", None, True)
        await ledger.book(paid("o3", clock.pass_(minutes=5), referral=token))
        assert (await ledger.statement("o3"))["statement"]["credits"] == []
        with pytest.raises(LedgerError, match="no link has that token"):
            await ledger.touch(kind="click", actor=BOB, token="nonsense")
        with pytest.raises(LedgerError, match="future"):
            await ledger.touch(kind="click", actor=BOB, occurred_at=clock.now + timedelta(days=1))


@pytest.mark.asyncio
@pytest.mark.parametrize("code", ["self_referral", "impossible_time", "same_card"])
async def test_a_strong_signal_holds_and_explains_until_a_person_decides(code, database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        keys = ("card:k",) if code == "same_card" else ()
        if code == "self_referral":
            await ledger.link(BOB, ANN, "login")
        if code == "same_card":
            await ledger.book(paid("earlier", clock.now, buyer=ANN, keys=keys))
        await ledger.touch(kind="click", actor=BOB, recommender=ANN)
        clock.pass_(seconds=1 if code == "impossible_time" else 600)
        await ledger.book(paid("o1", clock.now, keys=keys))
        await ledger.book(delivered("o1", clock.now))
        clock.pass_(days=31)
        assert (await ledger.settle()).held == 1
        (held,) = await ledger.holds()
        assert (held.order, held.commission, held.recommenders) == ("o1", usd(500), (ANN,))
        assert held.signals[0].is_strong
        assert len(held.signals[0].explanation) > 20
        assert (await balance(house))[:2] == (500, 0)
        with pytest.raises(LedgerError, match="who decides and why"):
            await ledger.release("o1", by="", note="fine")
        await ledger.release("o1", by="Dana", note="spouses, both told us")
        assert (await balance(house))[:2] == (0, 500)
        await ledger.deny("o1", by="Dana", note="they were not")
        assert (await balance(house))[:2] == (0, 0)
        assert await ledger.holds() == []
        body = ledger.verify_statement(await ledger.statement("o1"))
        assert (body["state"], body["decision"]["by"]) == ("denied", "Dana")


@pytest.mark.asyncio
async def test_one_weak_signal_holds_nothing_and_two_do(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        # A click from a group in which nothing was ever shown.
        await ledger.touch(kind="click", actor=BOB, recommender=ANN, group=GROUP)
        await ledger.book(paid("o1", clock.pass_(minutes=5), keys=("address:home",)))
        await ledger.book(delivered("o1", clock.now))
        clock.pass_(days=31)
        assert (await ledger.settle()).held == 0
        for number in range(40):
            await ledger.touch(kind="click", actor=f"visitor:{number}", recommender=ANN)
        await ledger.touch(kind="click", actor=BOB, recommender=ANN, group=GROUP)
        await ledger.book(paid("o2", clock.pass_(minutes=5)))
        await ledger.book(delivered("o2", clock.now))
        clock.pass_(days=31)
        assert (await ledger.settle()).held == 1
        (held,) = await ledger.holds()
        assert sorted(signal.code for signal in held.signals) == ["burst", "no_impression"]


@pytest.mark.asyncio
async def test_leaking_codes_and_refund_rings_are_seen_over_many_orders(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        for number in range(12):  # one click each for the honest, who sell on their own
            await ledger.touch(kind="click", actor=f"visitor:h{number}", recommender=AMY)
            clock.pass_(minutes=5)
            await ledger.book(paid(f"h{number}", clock.now, buyer=f"visitor:h{number}"))
        token = await ledger.issue(Referral(ANN, GROUP))
        for number in range(12):
            buyer = f"visitor:r{number}"
            clock.pass_(minutes=5)
            await ledger.book(paid(f"r{number}", clock.now, buyer=buyer, referral=token,
                                   mechanism="coupon:ANN10"))  # fmt: skip
            if number < 8:
                await ledger.book(refunded(f"r{number}", clock.now, 10_000))
        for number in range(12):
            for kind in "hr":
                await ledger.book(delivered(f"{kind}{number}", clock.now))
        clock.pass_(days=31)
        await ledger.settle()
        held = {one.order: {s.code for s in one.signals} for one in await ledger.holds()}
        assert "refund_ring" in held["r11"]
        assert "code_leak" in held["r11"]
        assert not any(order.startswith("h") for order in held)


@pytest.mark.asyncio
async def test_reports_agree_with_the_books_and_with_each_other(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await ledger.declare(CommissionRule(model="linear", bps=1_000))
        clock.pass_(hours=1)
        for number, who in enumerate([ANN, AMY, ANN, None, ANN]):
            for recommender in {who, AMY if who == ANN else who} - {None}:
                await ledger.touch(kind="click", actor=f"visitor:{number}", recommender=recommender,
                                   group=GROUP, channel="telegram", session="s1")  # fmt: skip
                clock.pass_(minutes=3)
            await ledger.touch(kind="view", actor="visitor:nobody", recommender=ANN)
            await ledger.book(paid(f"o{number}", clock.now, buyer=f"visitor:{number}",
                                   goods=(3_333 + number, 1_000)))  # fmt: skip
        await ledger.book(refunded("o0", clock.now, 1_111))
        goods = sum(4_333 + number for number in range(5))
        for group_by, model in itertools.product(
            ("recommender", "group", "product", "channel", "session"),
            ("paid", "first", "last", "linear", "position", "time_decay", "last_non_direct",
             "markov", "shapley"),
        ):  # fmt: skip
            report = await ledger.report(group_by, model=model)
            rows = report.rows
            assert sum(row.goods.minor for row in rows) == goods, (group_by, model)
            assert sum(row.returned.minor for row in rows) == 1_111, (group_by, model)
            assert report.orders == 5
            if group_by != "product":
                assert sum(row.orders for row in rows) == pytest.approx(5)
            if model == "paid":
                owed = -await house.total("held")
                assert sum(row.commission.minor for row in rows) == owed
        by_person = {row.key: row for row in (await ledger.report("recommender")).rows}
        for who in (ANN, AMY):
            assert by_person[who].commission.minor == (await balance(house, who))[0]
        assert by_person["(none)"].orders == 1
        assert (await ledger.report("group", since=clock.now + timedelta(days=1))).rows == ()


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_rates_and_trust_follow_the_shelf_a_product_stood_on(tmp_path):
    text = "sku,title,price,category\nmug,Mug,5,Kitchen\nlamp,Lamp,9,Light\n"
    async with shop_with(text, tmp_path) as shop:
        ledger = shop.ledger
        handles = {card.sku: card.category for card in await shop.products()}
        assert handles == {"mug": "Kitchen", "lamp": "Light"}
        await ledger.declare(CommissionRule(bps=100, category_bps={"Kitchen": 1_000}))
        await ledger.touch(kind="click", actor=BOB, recommender=ANN,
                           occurred_at=NOON - timedelta(hours=1))  # fmt: skip
        for product in ("mug", "lamp", "unknown"):
            await ledger.book(paid(product, NOON, product=product))
            await ledger.book(delivered(product, NOON))
        rates = {}
        for product in ("mug", "lamp", "unknown"):
            (line,) = (await ledger.statement(product))["statement"]["lines"]
            rates[product] = (line["category"], line["commission_bps"])
        assert rates == {"mug": ("Kitchen", 1_000), "lamp": ("Light", 100), "unknown": (None, 100)}
        assert (await ledger.trust(ANN, "Kitchen")).orders == 1
        assert (await ledger.trust(ANN)).orders == 3


money = st.integers(0, 10**7)


hours = st.integers(1, 50).map(lambda h: NOON + timedelta(hours=h))
news_of_one_order = st.lists(
    st.one_of(
        st.builds(lambda at, fee: paid("o1", at, fee=fee), hours, st.integers(0, 90)),
        st.builds(lambda at, part: refunded("o1", at, part), hours, st.integers(0, 10_000)),
        st.builds(
            lambda at, state, name, part: disputed("o1", at, state, part, name),
            hours, st.sampled_from(["warning", "withdrawn", "won", "lost"]),
            st.sampled_from(["d1", "d2"]), st.integers(1, 10_000),
        ),
        st.builds(lambda at: delivered("o1", at), hours),
    ),
    max_size=10,
)  # fmt: skip


@given(news=news_of_one_order, data=st.data())
def test_news_of_an_order_are_one_state_in_whatever_order_and_however_often(news, data):
    told_news = [dataclasses.replace(told(one), buyer_id=1) for one in [paid("o1", NOON), *news]]
    again = data.draw(st.lists(st.sampled_from(told_news), max_size=5))
    shuffled = data.draw(st.permutations([*told_news, *again]))
    assert known(shuffled) == known(told_news)
    assert known(one for one in shuffled if one.kind != "paid") is None


@settings(max_examples=300)
@given(goods=st.integers(1, 10**7), bps=st.integers(0, 10_000), parts=st.lists(money, max_size=8))
def test_cumulative_reversal_ends_at_exactly_nothing(goods, bps, parts):
    full = round(Fraction(goods * bps, 10_000))
    order = Paid(goods, 0, 0, goods, 0)
    left, back = full, 0
    for part in [*parts, goods]:
        back = min(goods, back + part)
        now = after_returns(full, Standing(order, back, back))
        assert 0 <= now <= left
        left = now
    assert left == 0


@given(
    goods=money, shipping=st.integers(0, 999), tax=st.integers(0, 999), refund=money,
    disputes=st.lists(st.tuples(st.sampled_from(["warning", "withdrawn", "won", "lost"]), money),
                      max_size=3),
    fulls=st.lists(st.integers(0, 10**6), max_size=3),
    is_payable=st.booleans(),
)  # fmt: skip
def test_every_target_sums_to_zero_and_nobody_earns_more_than_is_left(
    goods, shipping, tax, refund, disputes, fulls, is_payable
):
    order = Paid(goods, shipping, tax, goods + shipping + tax, 0)
    kept = {str(i): Dispute(state, amount, i) for i, (state, amount) in enumerate(disputes)}
    standing = Standing(order, refund, refund, kept)
    owed = [Owed(i, full) for i, full in enumerate(fulls)]
    for postings in targets(standing, owed, is_payable=is_payable, is_denied=False).values():
        assert sum(postings.values()) == 0
        assert ("adjustments", None) not in postings
    assert 0 <= standing.goods_back <= goods
    assert standing.lost + standing.returned <= order.total


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "markov"}, {"bps": -1}, {"bps": 10_001}, {"windows_s": {"smell": 5}},
        {"windows_s": {"click": 0}}, {"hold_days": -1}, {"hop_bps": (1,)},
        {"product_bps": {"mug": 10_001}}, {"nonsense": 1},
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(wrong):
    with pytest.raises(SettingsError):
        CommissionRule.from_json({**CommissionRule().to_json(), **wrong})


def test_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / "shop.db")

    async def fill():
        async with ledger_house(path, Clock()) as house:
            await sold(house, "o1", matured=False)
            await house.ledger.link(BOB, ANN, "login")

    asyncio.run(fill())

    def call(*words, status=0):
        done = CliRunner().invoke(app, [*words, "--database", path], catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done

    report = json.loads(call("report", "--json").stdout)
    assert report["rows"][0]["commission"] == {"minor": 500, "currency": "USD"}
    assert call("report", "--group-by", "channel").stdout.startswith("channel")
    lines = call("report", "--model", "markov", "--format", "csv").stdout.splitlines()
    assert lines[0] == "recommender,model,orders,currency,goods,returned,commission,is_test"
    assert lines[1].endswith("markov,1,USD,100.00,0.00,,0")
    (tmp_path / "s.json").write_text(call("statement", "o1", "--json").stdout)
    key = call("statement", "--public-key").stdout.strip()
    checked = call("statement", "--verify", "s.json", "--key", key)
    assert "signed by the key you gave" in checked.stdout
    (tmp_path / "s.json").write_text((tmp_path / "s.json").read_text().replace("o1", "o2"))
    assert "signature is false" in call("statement", "--verify", "s.json", status=1).stderr
    assert "no order 'nope'" in call("statement", "nope", status=1).stderr
    assert "self_referral" in call("holds").stdout
    call("release", "o1", "--by", "Dana", "--note", "known to us")
    done = call("payouts", "--settle", "--pay", "--export", "pay.csv")
    assert "not paid by this SDK" in done.stdout
    assert (tmp_path / "pay.csv").read_text().splitlines()[1].startswith("payout-")
    key = json.loads(call("payouts", "--json").stdout)["payouts"][0]["key"]
    call("payouts", "--confirm", key, status=2)
    done = json.loads(call("payouts", "--confirm", key, "--reference", "IBAN 7", "--json").stdout)
    assert done["payouts"][0]["state"] == "paid"
    assert json.loads(call("rule", "--product", "mug=900").stdout)["product_bps"] == {"mug": 900}
    assert json.loads(call("export", BOB).stdout)["orders"][0]["order"] == "o1"
    assert "Forgot" in call("forget", BOB).stdout
    assert "Checked" in call("audit").stdout
