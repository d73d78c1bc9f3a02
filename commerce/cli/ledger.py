"""The ledger on the command line: reports, statements, payouts, holds, and forgetting."""

import dataclasses
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from commerce.cli.console import AsJson, Database, app, fail, opened_shop, print_json, run
from commerce.cli.ledger_tables import (
    money_json,
    print_balances,
    print_holds,
    print_payouts,
    print_report,
    print_statement,
    report_csv,
)

if TYPE_CHECKING:
    from commerce.shop import Shop
    from commerce.shop.ledger import Ledger

Result = TypeVar("Result")


class Group(StrEnum):
    """What a line of a report stands for."""

    recommender = "recommender"
    group = "group"
    product = "product"
    channel = "channel"
    session = "session"


class Model(StrEnum):
    """Who is credited in a report."""

    paid = "paid"
    first = "first"
    last = "last"
    last_non_direct = "last_non_direct"
    linear = "linear"
    time_decay = "time_decay"
    position = "position"
    markov = "markov"
    shapley = "shapley"


class Shape(StrEnum):
    """How a report is printed."""

    table = "table"
    json = "json"
    csv = "csv"


Day = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Of orders paid then, UTC."),
]
By = Annotated[str, typer.Option(help="Who decides.")]
Note = Annotated[str, typer.Option(help="Why.")]


@app.command()
def report(
    *,
    group_by: Annotated[Group, typer.Option(help="What a line stands for.")] = Group.recommender,
    model: Annotated[
        Model, typer.Option(help="'paid' is what is paid; the others analyse.")
    ] = Model.paid,
    since: Day = None,
    until: Day = None,
    shape: Annotated[Shape, typer.Option("--format", help="How to print.")] = Shape.table,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Who brought the sales: orders, goods, returns and commission."""
    found = _with_ledger(
        database,
        lambda ledger: ledger.report(
            group_by.value, model=model.value, since=_utc(since), until=_utc(until)
        ),
    )
    if as_json or shape is Shape.json:
        print_json(
            {
                **dataclasses.asdict(found),
                "since": None if found.since is None else found.since.isoformat(),
                "until": None if found.until is None else found.until.isoformat(),
            }
        )
    elif shape is Shape.csv:
        typer.echo(report_csv(found), nl=False)
    else:
        print_report(found)


@app.command()
def statement(
    order: Annotated[str | None, typer.Argument(help="The order's id.")] = None,
    *,
    verify: Annotated[
        Path | None, typer.Option("--verify", help="Check a statement; needs no database.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The shop's public key, to check it is theirs.")
    ] = None,
    public_key: Annotated[
        bool, typer.Option("--public-key", help="Print the key statements verify with.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Who earned what of an order, signed; or check such a statement."""
    if [order is not None, verify is not None, public_key].count(True) != 1:
        raise typer.BadParameter("give an order, or --verify FILE, or --public-key")
    if verify is not None:
        body = run(_verified(verify, key))
        if as_json:
            print_json({"is_valid": True, "order": body["order"], "is_signer_known": bool(key)})
        else:
            print_statement(body)
            whose = "signed by the key you gave" if key else "whole; give --key to check the signer"
            typer.echo(f"Verified: the statement is {whose}.")
        return
    if order is None:
        typer.echo(_with_ledger(database, lambda ledger: ledger.public_key()))
        return
    wanted = order
    document = _with_ledger(database, lambda ledger: ledger.statement(wanted))
    if as_json:
        print_json(document)
    else:
        print_statement(document["statement"])


@app.command()
def payouts(
    *,
    settle: Annotated[
        bool, typer.Option("--settle", help="First make payable what is past its return window.")
    ] = False,
    pay: Annotated[
        bool,
        typer.Option("--pay", help="Pay through Stripe whose account is known; list the rest."),
    ] = False,
    minimum: Annotated[
        str | None, typer.Option(help="Smaller balances wait, e.g. '25 USD'.")
    ] = None,
    confirm: Annotated[
        str | None, typer.Option(help="A payout that arrived; needs --reference.")
    ] = None,
    failed: Annotated[str | None, typer.Option(help="A payout that did not go out.")] = None,
    reference: Annotated[str, typer.Option(help="The bank's id, or what went wrong.")] = "",
    export: Annotated[
        Path | None, typer.Option("--export", help="Write open payouts as CSV for your bank.")
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """What recommenders have, and paying it out.

    With a Stripe key, recommenders whose account is known are paid by Connect transfers, and what
    is no longer earned is taken back. Everybody else is listed; such payouts are not paid by this
    SDK. Without a key the sandbox till pays the commission of test orders: no money moves.
    """
    if (confirm or failed) and not reference.strip():
        raise typer.BadParameter("--confirm and --failed need --reference")

    async def work(shop: "Shop") -> tuple[Any, Any, Any]:
        from commerce.money import Money
        from commerce.settings import read_settings
        from commerce.shop.connecting import connected
        from commerce.shop.paying_out import pay_out

        ledger = shop.ledger
        settled = await ledger.settle() if settle else None
        if pay:
            async with connected(shop.till, read_settings()):
                least = Money.parse(minimum) if minimum else None
                await pay_out(ledger, shop.till.rail, minimum=least)
        if confirm:
            await ledger.confirm_payout(confirm, reference)
        if failed:
            await ledger.fail_payout(failed, reference)
        return settled, await ledger.payouts(), await ledger.balances()

    settled, rows, balances = _with_shop(database, work)
    if export is not None:
        _write_payouts(export, rows)
    if as_json:
        print_json(
            {
                "settled": settled and dataclasses.asdict(settled),
                "payouts": [dataclasses.asdict(row) for row in rows],
                "balances": [
                    {**dataclasses.asdict(one), "carried": money_json(one.carried)}
                    for one in balances
                ],
            }
        )
        return
    if settled is not None:
        typer.echo(f"Settled: {settled.matured} orders became payable, {settled.held} are held.")
    print_balances(balances)
    print_payouts(rows)


@app.command()
def recommender(
    node: Annotated[
        str | None, typer.Argument(help="Such as chat:telegram:3f…; all accounts without.")
    ] = None,
    *,
    account: Annotated[
        str | None, typer.Option(help="Their account at the payment provider, acct_….")
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Where a recommender's commission goes, and what they have."""
    if account is not None and node is None:
        raise typer.BadParameter("--account needs the recommender's node")

    async def work(shop: "Shop") -> tuple[str, dict[str, str], Any]:
        from commerce.errors import LedgerError, PayoutError
        from commerce.settings import read_settings
        from commerce.shop.connecting import connected

        async with connected(shop.till, read_settings()):
            rail = shop.till.rail
            if rail is None:
                raise PayoutError("your own shop's checkout pays nobody out; pay by hand, as CSV")
            if node is not None and not (await shop.ledger.export(node))["nodes"]:
                raise LedgerError(f"nobody is known by {node[:60]!r}; see: commerce report")
            if node is not None and account is not None:
                await rail.name_account(node, account.strip())
            known = await rail.accounts()
            return rail.name, known, await shop.ledger.balances(node)

    rail, known, balances = _with_shop(database, work)
    shown = {who: where for who, where in known.items() if node in (None, who)}
    if as_json:
        found = [dataclasses.asdict(one) for one in balances]
        print_json({"rail": rail, "accounts": shown, "balances": found})
        return
    for who, where in shown.items():
        typer.echo(f"{who}  {where}  ({rail})")
    if not shown:
        typer.echo("No account is known: payouts are listed for you to pay by hand.", err=True)
    if node is not None:
        print_balances(balances)


@app.command()
def holds(*, database: Database = None, as_json: AsJson = False) -> None:
    """Orders whose commission waits for a person, and why."""
    rows = _with_ledger(database, lambda ledger: ledger.holds())
    if as_json:
        print_json([dataclasses.asdict(row) for row in rows])
    else:
        print_holds(rows)


@app.command()
def release(order: str, *, by: By, note: Note, database: Database = None) -> None:
    """You looked, and the commission of a held order is earned."""
    _with_ledger(database, lambda ledger: ledger.release(order, by=by, note=note))
    typer.echo(f"Released {order}.")


@app.command()
def deny(order: str, *, by: By, note: Note, database: Database = None) -> None:
    """You looked, and the order earns nobody a commission."""
    _with_ledger(database, lambda ledger: ledger.deny(order, by=by, note=note))
    typer.echo(f"Denied the commission of {order}.")


@app.command()
def rule(
    *,
    bps: Annotated[int | None, typer.Option(help="Rate in hundredths of a percent.")] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Rate of one product, as NAME=BPS; repeat.")
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="Rate of one shelf, as NAME=BPS; repeat.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Who earns, such as last_recommender.")] = None,
    hold_days: Annotated[int | None, typer.Option(help="From delivery until payable.")] = None,
    database: Database = None,
) -> None:
    """The commission rule in force, as JSON; with options, declare a new one from now on."""
    changes: dict[str, Any] = {
        name: value
        for name, value in (("bps", bps), ("model", model), ("hold_days", hold_days))
        if value is not None
    }
    if product:
        changes["product_bps"] = dict(_rate(word) for word in product)
    if category:
        changes["category_bps"] = dict(_rate(word) for word in category)

    async def work(ledger: "Ledger") -> dict[str, Any]:
        from commerce.attribution.rule import CommissionRule

        now = await ledger.rule()
        if changes:
            now = CommissionRule.from_json({**now.to_json(), **changes})
            await ledger.declare(now)
        return now.to_json()

    print_json(_with_ledger(database, work))


@app.command()
def forget(node: str, *, database: Database = None, as_json: AsJson = False) -> None:
    """Forget a person: keys and names go, amounts stay."""
    done = _with_ledger(database, lambda ledger: ledger.forget(node))
    if as_json:
        print_json(dataclasses.asdict(done))
    else:
        kept = ", ".join(f"{count} {what}" for what, count in done.kept.items())
        typer.echo(f"Forgot {done.nodes} names and {done.keys} keys. Without a name stay: {kept}.")


@app.command("export")
def export_person(node: str, *, database: Database = None) -> None:
    """Everything kept about one person, as JSON."""
    print_json(_with_ledger(database, lambda ledger: ledger.export(node)))


@app.command()
def retain(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; write nothing.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Remove touches older than thirteen months; those that earned a commission stay."""
    done = _with_ledger(database, lambda ledger: ledger.retain(is_dry_run=dry_run))
    if as_json:
        print_json({**dataclasses.asdict(done), "before": done.before.isoformat()})
        return
    verb = "would go" if dry_run else "are gone"
    typer.echo(
        f"{done.removed} touches from before {done.before:%Y-%m-%d} {verb};"
        f" {done.kept} stay, because a commission rests on them."
    )


@app.command()
def audit(*, database: Database = None, as_json: AsJson = False) -> None:
    """Check both hash chains, and every order's books against what happened."""
    found = _with_ledger(database, lambda ledger: ledger.audit())
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        for problem in found.problems:
            typer.echo(problem)
        typer.echo(f"Checked {found.touches} touches and {found.entries} entries.")
    if found.problems:
        fail(f"the ledger has {len(found.problems)} problems; they are listed above")


def _with_ledger(
    database: str | None, work: "Callable[[Ledger], Coroutine[Any, Any, Result]]"
) -> Result:
    async def opened() -> Result:
        async with opened_shop(database, may_create=False) as (shop, _):
            return await work(shop.ledger)

    return run(opened())


def _with_shop(
    database: str | None, work: "Callable[[Shop], Coroutine[Any, Any, Result]]"
) -> Result:
    async def opened() -> Result:
        async with opened_shop(database, may_create=False) as (shop, _):
            return await work(shop)

    return run(opened())


async def _verified(path: Path, key: str | None) -> dict[str, Any]:
    from commerce.attribution.statement import verify
    from commerce.errors import LedgerError

    try:
        document = json.loads(path.read_text(encoding="utf-8"))  # noqa: ASYNC240
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}; check the path") from None
    except ValueError:
        raise LedgerError(f"{path} is not JSON; save it from: statement ORDER --json") from None
    return verify(document, key)


def _write_payouts(path: Path, rows: Any) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "recommender", "amount", "currency", "note"])
        for row in rows:
            if row.state == "started" and row.rail == "csv" and not row.is_test:
                writer.writerow(
                    [row.key, row.recommender, row.amount.major, row.amount.currency,
                     "not paid by this SDK"]
                )  # fmt: skip


def _rate(word: str) -> tuple[str, int]:
    name, _, bps = word.rpartition("=")
    if not name or not bps.isdigit():
        raise typer.BadParameter(f"{word!r} is not NAME=BPS, such as mug=800")
    return name, int(bps)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
