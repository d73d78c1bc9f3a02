"""How the ledger's answers look in a terminal."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from commerce.models.earnings import Balance, HeldOrder, Payout, Report
    from commerce.money import Money

_SHOWN_KEY = 44
NOT_PAID = "Payouts on the rail csv are not paid by this SDK: pay them, then --confirm each."


def print_report(report: "Report") -> None:
    """A table with one line for each key."""
    if report.is_test and report.rows:
        typer.echo("TEST MODE: these are test orders; no real money moved.")
    head = [report.group_by, "orders", "goods", "returned", "commission"]
    rows = [
        [
            _short(row.key),
            _count(row.orders),
            str(row.goods),
            str(row.returned),
            "" if row.commission is None else str(row.commission),
        ]
        for row in report.rows
    ]
    _table(head, rows)
    what = "as paid by the declared rule" if report.model == "paid" else f"model {report.model}"
    typer.echo(f"{report.orders} paid orders, {what}.")


def report_csv(report: "Report") -> str:
    """The same for a spreadsheet; amounts as decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [report.group_by, "model", "orders", "currency", "goods", "returned", "commission",
         "is_test"]
    )  # fmt: skip
    for row in report.rows:
        commission = "" if row.commission is None else row.commission.major
        writer.writerow(
            [_harmless(row.key), report.model, _count(row.orders), row.goods.currency,
             row.goods.major, row.returned.major, commission, int(report.is_test)]
        )  # fmt: skip
    return text.getvalue()


def print_statement(body: dict[str, Any]) -> None:
    """A statement for people."""
    from commerce.money import Money

    def money(minor: int) -> str:
        return str(Money(minor, body["currency"]))

    test = "  TEST MODE" if body["is_test"] else ""
    typer.echo(f"Order {body['order']}, paid {body['paid_at']} by {body['buyer']}{test}")
    for line in body["lines"]:
        rate = f"{line['commission_bps'] / 100:g} %"
        typer.echo(
            f"  {line['quantity']} x {line['sku']}: {money(line['net_minor'])}"
            f" ({line['mechanism']}), commission {rate}"
        )
    back = body["returned"]
    if back["refunded"]:
        typer.echo(f"  refunded {money(back['refunded'])}, goods {money(back['goods_refunded'])}")
    if not body["credits"]:
        typer.echo("  unattributed: no recommendation counts")
    for credit in body["credits"]:
        typer.echo(
            f"  {credit['recommender']} earned {money(credit['commission'])}"
            f" (share {credit['share']}): {credit['reason']}"
        )
    for earning in body["earnings"]:
        typer.echo(f"  left to {earning['recommender']}: {money(earning['left'])}, {body['state']}")
    for signal in body["signals"]:
        typer.echo(f"  looked at because: {signal['explanation']}")
    typer.echo(f"  {body['notice']}")


def print_balances(balances: "Sequence[Balance]") -> None:
    """What everybody has."""
    rows = [
        [_short(one.recommender) + (" (test)" if one.is_test else ""), str(one.held),
         str(one.payable), str(one.paying), str(one.paid), str(one.carried)]
        for one in balances
    ]  # fmt: skip
    _table(["recommender", "held", "payable", "paying", "paid", "carried"], rows)


def print_payouts(payouts: "Sequence[Payout]") -> None:
    """Every payout."""
    rows = [
        [one.key, _short(one.recommender), str(one.amount), one.state, one.rail,
         one.reference or one.problem or ""]
        for one in payouts
    ]  # fmt: skip
    if rows:
        _table(["payout", "recommender", "amount", "state", "rail", "reference"], rows)
    if any(one.state == "started" and one.rail == "csv" for one in payouts):
        typer.echo(NOT_PAID)


def print_holds(holds: "Sequence[HeldOrder]") -> None:
    """Every held order with its reasons."""
    for one in holds:
        typer.echo(f"{one.order}  {one.commission}  {', '.join(one.recommenders)}")
        for signal in one.signals:
            typer.echo(f"  {signal.code}: {signal.explanation}")
    typer.echo(f"{len(holds)} orders are held." if holds else "Nothing is held.")


def money_json(money: "Money") -> dict[str, Any]:
    """Money for programs."""
    return {"minor": money.minor, "currency": money.currency}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())


def _count(orders: float) -> str:
    return f"{orders:.4f}".rstrip("0").rstrip(".")


def _short(key: str) -> str:
    return key if len(key) <= _SHOWN_KEY else key[: _SHOWN_KEY - 1] + "…"


def _harmless(cell: str) -> str:
    """A spreadsheet must not take somebody's session name for a formula."""
    return "'" + cell if cell[:1] in {"=", "+", "-", "@", "\t"} else cell
