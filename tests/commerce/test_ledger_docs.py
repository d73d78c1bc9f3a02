"""The worked example of docs/attribution.md, computed: the page shows these very lines."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from commerce.attribution.repository import accounts
from commerce.attribution.rule import CommissionRule
from commerce.cli.ledger_tables import print_statement
from tests.support.ledgers import Clock, delivered, ledger_house, paid, refunded

PAGE = Path(__file__).resolve().parents[2] / "docs/attribution.md"
ANN, AMY, BOB = "chat:telegram:ann", "chat:line:amy", "visitor:bob"
ACCOUNTS = ("clearing", "sales", "shipping", "tax", "fees", "commission", "held", "payable")


async def _example(say):
    async with ledger_house(":memory:", Clock(datetime(2026, 5, 1, tzinfo=UTC))) as house:
        ledger, clock = house.ledger, house.clock

        async def line(what):
            async with house.database.reading() as session:
                standing = await accounts.balances(session)
            found = dict.fromkeys(ACCOUNTS, 0)
            for (kind, _, _), total in standing.items():
                found[kind] = found.get(kind, 0) + total
            assert sum(found.values()) == 0
            cells = " | ".join(f"{found[kind] / 100:.2f}" for kind in ACCOUNTS)
            say(f"| {what} | {cells} |")

        await ledger.declare(CommissionRule(bps=800))
        clock.now = datetime(2026, 5, 4, 10, tzinfo=UTC)
        await ledger.touch(kind="click", actor=BOB, recommender=ANN, channel="telegram")
        clock.now = datetime(2026, 5, 6, 9, tzinfo=UTC)
        await ledger.touch(kind="click", actor=BOB, recommender=AMY, channel="line")
        clock.now = datetime(2026, 5, 7, 20, tzinfo=UTC)
        await ledger.book(paid("ord_7", clock.now, goods=(10_000,), shipping=500, tax=800, fee=360))
        await line("Bob pays 113.00")
        clock.now = datetime(2026, 5, 9, 12, tzinfo=UTC)
        await ledger.book(refunded("ord_7", clock.now, 2_500))
        await line("25.00 of the goods go back")
        await ledger.book(delivered("ord_7", clock.now))
        for text in _printed(await ledger.statement("ord_7")):
            say(text)
        clock.now = datetime(2026, 6, 9, tzinfo=UTC)
        await ledger.settle()
        await line("30 days after delivery")
        (payout,) = await ledger.pay()
        await ledger.confirm_payout(payout.key, "IBAN 7")
        await line("Amy is paid 6.00")
        await ledger.book(refunded("ord_7", clock.now, 11_300, 10_000))
        await line("everything else goes back")
        for model in ("first", "last", "linear", "position", "time_decay", "shapley", "markov"):
            report = await ledger.report("recommender", model=model)
            shares = {row.key: row.orders for row in report.rows}
            say(f"| {model} | {shares.get(ANN, 0):.4f} | {shares.get(AMY, 0):.4f} |")


def _printed(document):
    import typer

    lines = []
    echo = typer.echo
    typer.echo = lambda text="", **_: lines.append(text)
    try:
        print_statement(document["statement"])
    finally:
        typer.echo = echo
    return lines


def test_the_page_shows_what_the_ledger_says():
    said = []
    asyncio.run(_example(said.append))
    page = PAGE.read_text(encoding="utf-8").splitlines()
    missing = [line for line in said if line not in page]
    assert missing == []
    assert len(said) > 12
