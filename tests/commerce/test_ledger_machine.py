"""Any trace of events, told in any order, twice, or with crashes between, leads to the same books.

The machine does what buyers, chats, banks and broken networks do. After every step the invariants
of the ledger must hold; at the end the same news, shuffled and doubled, are told to an empty
ledger, which must say the same, byte for byte.
"""

import asyncio
import json
import random
import shutil
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, text

from commerce.attribution.rule import CommissionRule
from commerce.errors import LedgerError, UnknownOrderError
from tests.support.ledgers import (
    Clock,
    SqliteTemplate,
    delivered,
    disputed,
    ledger_house,
    paid,
    refunded,
)

RECOMMENDERS = ["chat:telegram:ann", "chat:telegram:amy", "chat:line:cho"]
BUYERS = ["visitor:v1", "visitor:v2", "viewer:w3", "chat:telegram:amy"]
KEYS = ["email_hash:e1", "email_hash:e2", "card:k1", "address:x1"]
GROUPS = ["group:telegram:g1", None]


class CrashError(Exception):
    """The power went out."""


def make_machine(fresh, steps_of_crash):
    class Trace(RuleBasedStateMachine):
        orders = Bundle("orders")

        def __init__(self):
            super().__init__()
            self.loop = asyncio.new_event_loop()
            self.clock = Clock()
            self.house_context = ledger_house(fresh(), self.clock)
            self.house = self.run(self.house_context.__aenter__())
            self.news = []  # what is told: (moment, method, arguments)
            self.count = 0
            self.facts = {}
            self.is_forgetful = self.may_forget = False

        def run(self, work):
            return self.loop.run_until_complete(work)

        def tell(self, method, **arguments):
            """Tell the ledger, and remember what was told."""
            self.news.append((self.clock.now, method, arguments))
            self.run(say(self.house.ledger, method, arguments))

        @initialize(
            model=st.sampled_from(["last_recommender", "linear", "time_decay", "position"]),
            may_forget=st.sampled_from([False, False, True]),
        )
        def declare(self, model, may_forget):
            self.may_forget = may_forget
            self.clock.pass_(days=-1)
            self.tell("declare", rule=CommissionRule(model=model, bps=1250))
            self.clock.pass_(days=1)

        @rule(
            kind=st.sampled_from(["click", "click", "view", "live", "message", "preview"]),
            actor=st.sampled_from(BUYERS),
            recommender=st.sampled_from([*RECOMMENDERS, None]),
            group=st.sampled_from(GROUPS),
            late_s=st.sampled_from([0, 0, 1, 3_600, 40_000]),
        )
        def touch(self, kind, actor, recommender, group, late_s):
            self.clock.pass_(seconds=7)
            at = self.clock.now - timedelta(seconds=late_s)
            self.tell("touch", kind=kind, actor=actor, recommender=recommender, group=group,
                      channel="telegram", occurred_at=at)  # fmt: skip

        @rule(
            a=st.sampled_from(BUYERS),
            b=st.sampled_from([*KEYS[:2], *BUYERS[:2]]),
            evidence=st.sampled_from(["login", "token", "same_device"]),
        )
        def link(self, a, b, evidence):
            self.tell("link", a=a, b=b, evidence=evidence)

        @rule(
            target=orders,
            buyer=st.sampled_from(BUYERS),
            keys=st.lists(st.sampled_from(KEYS), unique=True, max_size=2).map(tuple),
            goods=st.lists(st.integers(1, 99_999), min_size=1, max_size=3).map(tuple),
            shipping=st.sampled_from([0, 499]),
            tax=st.sampled_from([0, 133]),
            is_test=st.sampled_from([False, False, False, True]),
        )
        def pay(self, buyer, keys, goods, shipping, tax, is_test):
            self.clock.pass_(seconds=61)
            self.count += 1
            order = f"o{self.count}"
            happening = paid(order, self.clock.now, buyer=buyer, keys=keys, goods=goods,
                             shipping=shipping, tax=tax, fee=30, is_test=is_test)  # fmt: skip
            self.facts[order] = {"goods": sum(goods), "total": sum(goods) + shipping + tax,
                                 "refunded": 0, "goods_back": 0}  # fmt: skip
            self.tell("book", happening=happening)
            return order

        @rule(order=orders, part=st.fractions(min_value=0, max_value=1))
        def refund(self, order, part):
            facts = self.facts[order]
            left = facts["total"] - facts["refunded"]
            facts["refunded"] += int(left * part)
            # Goods first, as the till does.
            facts["goods_back"] = min(facts["refunded"], facts["goods"])
            self.clock.pass_(hours=1)
            self.tell(
                "book",
                happening=refunded(order, self.clock.now, facts["refunded"], facts["goods_back"]),
            )

        @rule(
            order=orders,
            states=st.lists(
                st.sampled_from(["warning", "withdrawn", "won", "lost"]), min_size=1, max_size=3
            ),
            dispute=st.sampled_from(["d1", "d2"]),
        )
        def dispute(self, order, states, dispute):
            for state in states:
                self.clock.pass_(hours=1)
                amount = self.facts[order]["total"] // 2
                name = f"{order}-{dispute}"
                self.tell("book", happening=disputed(order, self.clock.now, state, amount, name))

        @rule(order=orders)
        def deliver(self, order):
            self.clock.pass_(hours=6)
            self.tell("book", happening=delivered(order, self.clock.now))

        @rule()
        def async_payment_fails(self):
            """The till tells nothing about an order that was never paid."""
            self.clock.pass_(minutes=1)
            with pytest.raises(UnknownOrderError):
                self.run(self.house.ledger.statement("never-paid"))

        @rule(data=st.data())
        def duplicate(self, data):
            booked = [entry for entry in self.news if entry[1] == "book"]
            if booked:
                _, method, arguments = data.draw(st.sampled_from(booked))
                self.run(say(self.house.ledger, method, arguments))

        @rule(order=orders, at_statement=st.integers(1, steps_of_crash))
        def crash_and_replay(self, order, at_statement):
            """The power goes out at some statement; the outbox tells it again later."""
            self.clock.pass_(minutes=5)
            facts = self.facts[order]
            happening = refunded(order, self.clock.now, facts["refunded"], facts["goods_back"])
            before = self.run(self.house.projection())
            engine = self.house.database._engine.sync_engine
            left = [at_statement]

            def pull_the_plug(*_):
                left[0] -= 1
                if left[0] == 0:
                    raise CrashError

            event.listen(engine, "before_cursor_execute", pull_the_plug)
            try:
                self.run(self.house.ledger.book(happening))
                is_told = True
            except CrashError:
                is_told = False
            finally:
                event.remove(engine, "before_cursor_execute", pull_the_plug)
            if not is_told:
                assert self.run(self.house.projection()) == before
            self.tell("book", happening=happening)

        @precondition(lambda self: self.may_forget)
        @rule(node=st.sampled_from([*BUYERS[:2], *KEYS[:1]]))
        def erase(self, node):
            before = self.run(self.totals())
            try:
                self.run(self.house.ledger.forget(node))
            except LedgerError:  # nobody is known by that node
                return
            self.is_forgetful = True
            assert self.run(self.totals()) == before

        @rule(is_released=st.booleans())
        def decide(self, is_released):
            for held in self.run(self.house.ledger.holds())[:1]:
                method = "release" if is_released else "deny"
                self.tell(method, order=held.order, by="Dana", note="looked at it")

        async def totals(self):
            async with self.house.database.reading() as session:
                rows = await session.execute(
                    text(
                        "SELECT a.kind, a.currency, sum(p.amount_minor) FROM posting p"
                        " JOIN account a ON a.id = p.account_id GROUP BY 1, 2 ORDER BY 1, 2"
                    )
                )
                return [tuple(map(str, row)) for row in rows]

        @invariant()
        def everything_adds_up(self):
            self.run(self.check())

        async def check(self):
            async with self.house.database.reading() as session:
                # A second implementation of the sums, in SQL.
                off = await session.execute(
                    text(
                        "SELECT journal_id FROM posting GROUP BY journal_id, currency"
                        " HAVING sum(amount_minor) <> 0"
                    )
                )
                assert off.all() == []
                rows = (
                    await session.execute(
                        text(
                            "SELECT s.order_public_id, s.goods_minor, s.goods_back_minor,"
                            " coalesce((SELECT sum(c.commission_minor) FROM attribution_credit c"
                            "  WHERE c.run_id = s.run_id), 0),"
                            " coalesce((SELECT sum(l.net_minor * l.commission_bps) FROM sale_line l"
                            "  WHERE l.order_public_id = s.order_public_id), 0),"
                            " coalesce((SELECT sum(p.amount_minor) FROM posting p"
                            "  JOIN journal j ON j.id = p.journal_id"
                            "  JOIN account a ON a.id = p.account_id"
                            "  WHERE j.order_public_id = s.order_public_id"
                            "  AND j.kind = 'commission'"
                            "  AND a.owner_id IS NOT NULL), 0) FROM sale s"
                        )
                    )
                ).all()
            for order, goods, back, credit, line_bps, owed in rows:
                assert 0 <= credit * 10_000 <= line_bps + 5_000, order  # credit within the pool
                assert 0 <= -owed <= credit, order
                if back == goods:
                    assert owed == 0, order  # a full refund leaves nothing
            for balance in await self.house.ledger.balances():
                assert balance.held.minor >= 0
                assert balance.payable.minor >= 0 or balance.carried.minor > 0

        def teardown(self):
            try:
                audit = self.run(self.house.ledger.audit())
                assert audit.problems == ()
                if not self.is_forgetful:
                    self.run(self.same_in_any_order())
                self.clock.pass_(days=45)
                self.run(self.house.ledger.settle())
                assert self.run(self.house.ledger.audit()).problems == ()
            finally:
                self.run(self.house_context.__aexit__(None, None, None))
                self.loop.close()

        async def same_in_any_order(self):
            first = json.dumps(await self.house.projection(), sort_keys=True)
            chance = random.Random(len(self.news))
            head, news = self.news[:1], self.news[1:]
            again = [entry for entry in news if entry[1] == "book"]
            news = news + chance.sample(again, len(again) // 2)
            chance.shuffle(news)
            # What a person decided is decided last, and is nothing that networks shuffle.
            news.sort(key=lambda entry: entry[1] in {"release", "deny"})
            latest = self.clock.now
            clock = Clock()
            async with ledger_house(fresh(), clock) as other:
                for at, method, arguments in [*head, *news]:
                    clock.now = at if method == "declare" else latest
                    await say(other.ledger, method, arguments)
                second = json.dumps(await other.projection(), sort_keys=True)
            assert first == second

    return Trace


async def say(ledger, method, arguments):
    if method == "declare":
        await ledger.declare(arguments["rule"])
    elif method == "book":
        await ledger.book(arguments["happening"])
    elif method in {"release", "deny"}:
        await getattr(ledger, method)(
            arguments["order"], by=arguments["by"], note=arguments["note"]
        )
    else:
        await getattr(ledger, method)(**arguments)


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def test_any_trace_keeps_the_books_on_sqlite(tmp_path):
    template = SqliteTemplate(tmp_path)
    run_state_machine_as_test(
        make_machine(template.fresh, steps_of_crash=60),
        settings=settings(max_examples=10, stateful_step_count=25, deadline=None,
                          suppress_health_check=QUIET),
    )  # fmt: skip
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_any_trace_keeps_the_books_on_postgresql(postgres):
    run_state_machine_as_test(
        make_machine(postgres.fresh_url, steps_of_crash=60),
        settings=settings(max_examples=2, stateful_step_count=15, deadline=None,
                          suppress_health_check=QUIET),
    )  # fmt: skip
