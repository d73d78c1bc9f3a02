"""The rows of the study that the ledger makes true, each by its name, on both databases."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from commerce.attribution.disclosure import disclosure
from commerce.attribution.rule import CommissionRule
from commerce.errors import LedgerError, SettingsError, UnknownOrderError
from commerce.models.ledger import APPEND_ONLY
from commerce.models.referrals import Referral
from tests.support.ledgers import (
    delivered,
    disputed,
    ledger_house,
    paid,
    refunded,
    usd,
)

pytestmark = pytest.mark.asyncio
ANN, AMY, BOB = "chat:telegram:ann", "chat:line:amy", "visitor:bob"
GROUP = "group:telegram:hikers"


async def click(house, buyer=BOB, recommender=ANN, **more):
    house.clock.pass_(minutes=1)
    await house.ledger.touch(kind="click", actor=buyer, recommender=recommender, **more)
    house.clock.pass_(minutes=5)


async def test_row_5_the_relation_survives_channels_and_a_cut_stops_credit(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await click(house, group=GROUP)
        await ledger.book(paid("o1", clock.now))
        # The same two people, met again on other channels.
        await ledger.link(BOB, "chat:line:bob", "login")
        await ledger.link(ANN, "chat:line:ann", "login")
        await click(house, buyer="chat:line:bob", recommender="chat:line:ann")
        await ledger.book(paid("o2", clock.now, buyer="chat:line:bob"))
        (relation,) = await ledger.relations(ANN)
        assert (relation.orders, relation.groups, relation.is_cut) == (2, (GROUP,), False)
        assert relation.since < relation.last
        assert await ledger.relations("chat:line:bob") == [relation]
        await ledger.cut("chat:line:ann", BOB)
        await click(house)
        await ledger.book(paid("o3", clock.now))
        assert (await ledger.statement("o3"))["statement"]["credits"] == []
        (relation,) = await ledger.relations(BOB)
        assert (relation.orders, relation.is_cut) == (2, True)
        # Who was parted from one recommender may still follow another.
        await click(house, recommender=AMY)
        await ledger.book(paid("o4", clock.now))
        assert (await ledger.statement("o4"))["statement"]["credits"][0]["recommender"] == AMY


async def test_row_6_trust_is_verified_purchases_and_a_refund_lowers_it(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        assert await ledger.endorsement(ANN) is None
        for number in range(4):
            await click(house)
            await ledger.book(paid(f"o{number}", clock.now, is_test=number == 3))
        assert (await ledger.trust(ANN)).orders == 0  # paid, but not delivered yet
        for number in range(4):
            await ledger.book(delivered(f"o{number}", clock.pass_(hours=1)))
        before = await ledger.trust(ANN)
        assert (before.orders, before.kept) == (3, 3)  # the test order proves nothing
        await ledger.book(refunded("o0", clock.now, 1_000))
        await ledger.book(disputed("o1", clock.now, "lost", 10_000))
        after = await ledger.trust(ANN)
        assert (after.orders, after.kept, after.refunded, after.disputed) == (3, 1, 1, 1)
        assert after.lower_bound < before.lower_bound
        assert await ledger.endorsement(ANN) == (
            "Of 3 completed orders on this person's advice, 1 were kept."
        )
        assert "3" in (await ledger.endorsement(ANN, language="zh-CN"))
        assert (await ledger.trust(ANN, "Kitchen")).orders == 0


async def test_row_7_every_link_says_who_earns_and_that_an_ai_presents(database_url):
    async with ledger_house(database_url) as house:
        ledger = house.ledger
        await ledger.declare(CommissionRule(bps=500, product_bps={"mug": 1250}))
        token = await ledger.issue(Referral(ANN, GROUP, "telegram", "m1", "mug-0"))
        there = await ledger.follow(token, visitor=BOB)
        assert there.disclosure == (
            "Ad: whoever recommended this earns up to 12.5% of the price if you buy."
            " The presenter is an AI."
        )
        own = await ledger.issue(Referral(group=GROUP))
        assert "Nobody earns" in (await ledger.follow(own, visitor=BOB)).disclosure
        for language, word in (("zh", "AI"), ("es", "IA"), ("ja", "AI"), ("xx", "AI")):
            assert word in await ledger.disclosure(ANN, language)
        assert "12,5%" in disclosure(1250, "pt")


async def test_row_12_group_price_and_commission_together(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await click(house)
        # 60.00 is the final price of what is listed at 100.00: commission is of what was paid.
        await ledger.book(paid("o1", clock.now, goods=(6_000,), mechanism="group:g7"))
        assert await house.total("held") == -300
        clock.pass_(hours=1)
        await ledger.declare(CommissionRule(on_group_prices=False))
        await click(house)
        await ledger.book(paid("o2", clock.now, goods=(6_000,), mechanism="list+group:g7"))
        assert await house.total("held") == -300


async def test_row_15_a_purchase_is_hidden_unless_its_buyer_shows_it(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await click(house, group=GROUP)
        await ledger.book(paid("o1", clock.now))
        assert await ledger.friends_who_bought(GROUP, "mug") == []
        await ledger.show_purchase("o1", GROUP)
        assert await ledger.friends_who_bought(GROUP, "mug") == [BOB]
        assert await ledger.friends_who_bought("group:telegram:other", "mug") == []
        await ledger.hide_purchase("o1")
        assert await ledger.friends_who_bought(GROUP, "mug") == []
        with pytest.raises(UnknownOrderError):
            await ledger.show_purchase("nothing", GROUP)
        # A recommender may leave the commission to the group.
        await ledger.book(delivered("o1", clock.now))
        clock.pass_(days=31)
        await ledger.settle()
        with pytest.raises(LedgerError, match="give that much or less"):
            await ledger.donate(ANN, GROUP, usd(501))
        await ledger.donate(ANN, GROUP, usd(500))
        assert (await house.total("donated"), await house.total("payable")) == (-500, 0)


async def test_row_18_lineage_is_kept_but_only_one_hop_is_paid(database_url):
    with pytest.raises(SettingsError, match="pyramid selling"):
        CommissionRule(hop_bps=(100,))
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock

        async def chain(order):
            top = await ledger.issue(Referral(AMY, GROUP))
            await ledger.follow(top, visitor=ANN)
            clock.pass_(hours=1)
            below = await ledger.issue(Referral(ANN, GROUP))
            await ledger.follow(below, visitor=BOB)
            clock.pass_(hours=1)
            await ledger.book(paid(order, clock.now))
            return (await ledger.statement(order))["statement"]["credits"]

        (only,) = await chain("o1")
        assert (only["recommender"], only["hop"]) == (ANN, 0)
        await ledger.declare(
            CommissionRule(hop_bps=(100,), multi_level_opinion="Counsel X, 3 May 2026")
        )
        assert [(c["recommender"], c["hop"], c["commission"]) for c in await chain("o2")] == [
            (ANN, 0, 500), (AMY, 1, 100),
        ]  # fmt: skip
        ledger.verify_statement(await ledger.statement("o2"))


async def test_row_19_no_raw_id_and_no_text_reaches_the_database(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        secrets = ["4915112345678", "bob@example.org", "wamid.HBgLNDkxNTExMjM0NTY3OA", "cookie-77"]
        chat = await ledger.node("chat", "whatsapp", secrets[0])
        mail = await ledger.node("email_hash", secrets[1])
        visitor = await ledger.node("visitor", secrets[3])
        token = await ledger.issue(Referral(chat, GROUP, "whatsapp", secrets[2], "mug-0"))
        await ledger.follow(token, visitor=visitor)
        clock.pass_(hours=1)
        await ledger.book(paid("o1", clock.now, buyer=visitor, keys=(mail,), referral=token))
        dump = await everything(house)
        for word in [*secrets, token]:
            assert word not in dump
        assert await ledger.node("email_hash", " Bob@Example.ORG ") == mail
        assert (await ledger.export(visitor))["orders"][0]["order"] == "o1"
        before = await house.projection()
        done = await ledger.forget(visitor)
        assert (done.nodes, done.keys, done.kept["orders"]) == (2, 2, 1)
        dump = await everything(house)
        assert visitor not in dump
        assert mail not in dump
        assert chat in dump  # the recommender was not asked
        after = await house.projection()
        assert [row[2:] for row in after["balances"]] == [row[2:] for row in before["balances"]]
        # A forgotten person is a new one, and news still on their way revive nobody.
        assert await ledger.node("visitor", secrets[3]) != visitor
        await ledger.book(refunded("o1", clock.now, 5_000))
        await ledger.book(paid("o2", clock.now, buyer=visitor))
        assert visitor not in await everything(house)
        assert (await ledger.audit()).problems == ()
        ledger.verify_statement(await ledger.statement("o1"))
        with pytest.raises(LedgerError, match="nothing was forgotten"):
            await ledger.forget("visitor:stranger")


async def test_row_20_a_statement_verifies_offline_and_no_figure_can_be_changed(database_url):
    async with ledger_house(database_url) as house:
        ledger, clock = house.ledger, house.clock
        await ledger.declare(CommissionRule(model="linear", bps=777))
        await click(house)
        await click(house, recommender=AMY)
        await click(house, recommender=ANN)
        await ledger.book(paid("o1", clock.now, goods=(9_999, 1), shipping=400, tax=77, fee=55))
        await ledger.book(refunded("o1", clock.now, 1_234))
        await ledger.book(disputed("o1", clock.now, "withdrawn", 500))
        document = await ledger.statement("o1")
        key = await ledger.public_key()
    body = type(ledger).verify_statement(document, key)
    assert [credit["share"] for credit in body["credits"]] == ["1/3"] * 3
    assert sum(credit["commission"] for credit in body["credits"]) == 777
    with pytest.raises(LedgerError, match="another shop"):
        ledger.verify_statement(document, "A" * 43 + "=")
    with pytest.raises(LedgerError, match="signature is false"):
        ledger.verify_statement({**document, "statement": {**body, "order": "o2"}})
    for bad in (None, [], {}, {"statement": {}}, {**document, "signature": "?"}):
        with pytest.raises(LedgerError):
            ledger.verify_statement(bad)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b["credits"][0].update(commission=9), "credits do not follow"),
        (lambda b: b["touches"].pop(), "credits do not follow"),
        (lambda b: b["lines"][0].update(commission_bps=900), "not what the rule says"),
        (lambda b: b["lines"][0].update(net_minor=1), "do not sum"),
        (lambda b: b["entries"][0]["postings"][0].update(amount=1), "sum to zero"),
        (lambda b: b["entries"].pop(), "do not follow from what happened"),
        (lambda b: b["returned"].update(goods_refunded=9), "do not follow from what happened"),
    ],
)
async def test_even_the_shop_cannot_sign_figures_that_do_not_follow(change, message):
    from commerce.attribution.statement import signed, verify

    async with ledger_house(":memory:") as house:
        await click(house)
        await house.ledger.book(paid("o1", house.clock.now))
        await house.ledger.book(refunded("o1", house.clock.now, 4_000))
        body = (await house.ledger.statement("o1"))["statement"]
    change(body)
    with pytest.raises(LedgerError, match=message):
        verify(signed(body, b"s" * 32))


async def test_rows_are_only_ever_added(database_url):
    async with ledger_house(database_url) as house:
        await click(house, group=GROUP)
        await house.ledger.book(paid("o1", house.clock.now))
        await house.ledger.cut(ANN, BOB)
        await house.ledger.link(ANN, "chat:line:x", "login")
        await house.ledger.declare(CommissionRule())
        await house.ledger.deny("o1", by="Dana", note="looked")
        columns = (
            ("touch", "kind"), ("identity_edge", "evidence"), ("ledger_news", "kind"),
            ("attribution_run", "model"), ("attribution_credit", "reason"), ("journal", "kind"),
            ("posting", "amount_minor"), ("hold_decision", "note"),
            ("commission_rule", "declared_us"), ("recommendation_edge", "event"),
        )  # fmt: skip
        assert {table for table, _ in columns} == set(APPEND_ONLY)
        for table, column in columns:
            for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
                with pytest.raises(IntegrityError, match="append-only"):
                    await written(house, statement)


@pytest.mark.parametrize("postings", [[(1, 5)], [(1, 5), (2, -4)], [(1, 5), (2, -5), (1, 1)]])
async def test_the_database_itself_refuses_an_entry_that_does_not_sum_to_zero(
    postings, database_url
):
    async with ledger_house(database_url) as house:
        await click(house)
        await house.ledger.book(paid("o1", house.clock.now))
        add = "INSERT INTO posting (journal_id, account_id, currency, amount_minor) VALUES "
        journal = (
            "INSERT INTO journal (id, kind, idempotency_key, source, occurred_at, recorded_at,"
            " hash) VALUES (99, 'x', 'x', 'x', '2026-01-01', '2026-01-01', '')"
        )
        rows = [f"{add} (99, {account}, 'USD', {amount})" for account, amount in postings]
        with pytest.raises(IntegrityError, match="sum to zero"):
            await written(house, *rows, journal)
        # A sealed entry takes no more, another currency is refused, and so is a lost posting.
        for values, message in (
            ("(1, 1, 'USD', 5)", "sealed"), ("(99, 1, 'EUR', 5)", "another currency"),
            ("(99, 1, 'USD', 5)", "(?i)foreign key"),
        ):  # fmt: skip
            with pytest.raises(IntegrityError, match=message):
                await written(house, add + values)


async def test_a_changed_row_is_found_even_if_the_triggers_were_taken_away(tmp_path):
    async with ledger_house(str(tmp_path / "l.db")) as house:
        for _ in range(3):
            await click(house)
        await house.ledger.book(paid("o1", house.clock.now))
        assert (await house.ledger.audit()).problems == ()
        async with house.database.writing() as session:
            for name in ("touch_no_update", "journal_no_update", "posting_no_update"):
                await session.execute(text(f"DROP TRIGGER {name}"))
            await session.execute(text("UPDATE touch SET channel = 'x' WHERE id = 2"))
            await session.execute(text("UPDATE posting SET amount_minor = amount_minor * 2"))
        problems = (await house.ledger.audit()).problems
    assert any("touch 2 was changed" in problem for problem in problems)
    assert any("entry 1 was changed" in problem for problem in problems)
    assert any("books of its sale are not what happened" in problem for problem in problems)


async def written(house, *statements):
    """Change the database behind the ledger's back, in one transaction."""
    async with house.database.writing() as session:
        for statement in statements:
            await session.execute(text(statement))


async def everything(house):
    """Every cell of every table, as one text."""
    found = []
    async with house.database.reading() as session:
        if house.database.dialect == "sqlite":
            names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        for (table,) in (await session.execute(text(names))).all():
            rows = await session.execute(text(f'SELECT * FROM "{table}"'))
            found += [str(tuple(row)) for row in rows]
    return "\n".join(found)
