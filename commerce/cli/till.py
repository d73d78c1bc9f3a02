"""The till on the command line: orders, refunds, and what could not be done."""

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commerce.cli.console import AsJson, Database, app, fail, opened_shop, print_json, run

if TYPE_CHECKING:
    from commerce.models.buying import DeadLetter, OrderView
    from commerce.money import Money


@app.command()
def orders(
    order: Annotated[str | None, typer.Argument(help="One order; all the newest without.")] = None,
    *,
    status: Annotated[
        str | None, typer.Option(help="Only: open, processing, paid, released, returned.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most orders.")] = 50,
    delivered: Annotated[
        bool, typer.Option("--delivered", help="The buyer has the goods; needs an ORDER.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first, with what every price rests on."""
    if delivered and order is None:
        fail("--delivered needs the order: python -m commerce orders ORDER --delivered")
    found = run(_orders(order, status, limit, database, delivered=delivered))
    if as_json:
        print_json([_facts(one) for one in found])
        return
    if not found:
        typer.echo("No orders yet.", err=True)
    for one in found:
        _print_order(one, is_whole=order is not None)


@app.command()
def refund(
    order: Annotated[str, typer.Argument(help="The order's id.")],
    amount: Annotated[
        str | None, typer.Argument(help="Such as 4.90; everything that is left without.")
    ] = None,
    *,
    line: Annotated[
        list[str] | None,
        typer.Option(help="Instead of an amount: units of one SKU, as SKU=2; repeat."),
    ] = None,
    reason: Annotated[str, typer.Option(help="For the books.")] = "refunded by the seller",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give money back; commissions follow by themselves."""
    found = run(_refund(order, amount, _units(line), reason, database))
    if as_json:
        print_json(_facts(found))
    else:
        back = f"{found.refunded.display()} of {found.total.display()} given back"
        typer.echo(f"{_mode(found)}{found.order}: {back}")


@app.command("dead-letters")
def dead_letters(
    *,
    retry: Annotated[int | None, typer.Option(help="Give this one another life.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """What failed too often to be tried again by itself."""
    found = run(_dead_letters(retry, database))
    if as_json:
        print_json(
            [{**dataclasses.asdict(one), "created_at": one.created_at.isoformat()} for one in found]
        )
        return
    if not found:
        typer.echo("No dead letters.", err=True)
    for one in found:
        told = f"{one.created_at:%Y-%m-%d %H:%M}  {one.kind}  {one.aggregate}"
        typer.echo(f"{one.id:>6}  {told}  after {one.attempts}: {one.error}")


async def _orders(
    order: str | None, status: str | None, limit: int, database: str | None, *, delivered: bool
) -> "list[OrderView]":
    async with opened_shop(database, may_create=False) as (shop, _):
        if order is None:
            return await shop.till.orders(limit, status)
        if delivered:
            await shop.till.deliver(order)
            await shop.till.outbox.dispatch()
        return [await shop.till.order(order)]


async def _refund(
    order: str,
    amount: str | None,
    lines: dict[str, int] | None,
    reason: str,
    database: str | None,
) -> "OrderView":
    from commerce.money import Money
    from commerce.settings import read_settings
    from commerce.shop.connecting import connected

    async with opened_shop(database, may_create=False) as (shop, _):
        found = await shop.till.order(order)
        wanted = None if amount is None else Money.parse(amount, found.total.currency)
        async with connected(shop.till, read_settings()) as connection:
            _require_same_provider(found, connection.provider)
            before = found.refunded.minor
            found = await shop.till.refund(order, wanted, lines=lines, reason=reason)
    if found.refunded.minor == before:
        fail(f"the refund of {order} was not taken; see: python -m commerce dead-letters")
    return found


async def _dead_letters(retry: int | None, database: str | None) -> "list[DeadLetter]":
    async with opened_shop(database, may_create=False) as (shop, _):
        if retry is not None and not await shop.till.outbox.retry(retry):
            fail(f"{retry} is no dead letter")
        return await shop.till.outbox.dead_letters()


def _units(words: list[str] | None) -> dict[str, int] | None:
    if not words:
        return None
    found: dict[str, int] = {}
    for word in words:
        sku, _, number = word.rpartition("=")
        if not sku or not number.isdecimal():
            raise typer.BadParameter(f"{word!r} is not SKU=UNITS, such as mug=1")
        found[sku] = found.get(sku, 0) + int(number)
    return found


def _require_same_provider(order: "OrderView", provider: str) -> None:
    """An order is refunded where it was paid."""
    if order.provider != provider:
        fail(f"{order.order} was paid through {order.provider}, but this shop uses {provider} now")


def _print_order(order: "OrderView", *, is_whole: bool) -> None:
    back = f", {order.refunded.display()} back" if order.refunded.minor else ""
    typer.echo(
        f"{order.created_at:%Y-%m-%d %H:%M}  {_mode(order)}{order.order}  {order.status:<10} "
        f"{order.total.display():>10}{back}"
    )
    if not is_whole:
        return
    for line in order.lines:
        typer.echo(f"  {line.quantity} × {line.title}  {line.net.display()}  ({line.reason})")
    for name, amount in (("shipping", order.shipping), ("tax", order.tax)):
        if amount.minor:
            typer.echo(f"  {name}  {amount.display()}")
    if order.note:
        typer.echo(f"  {order.note}")


def _mode(order: "OrderView") -> str:
    return "TEST " if order.is_test else ""


def _facts(value: Any) -> Any:
    """Plain data for JSON: money as minor units with currency and text, time as ISO 8601."""
    from commerce.money import Money

    if isinstance(value, Money):
        return _money(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_facts(part) for part in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        facts = {one.name: _facts(getattr(value, one.name)) for one in dataclasses.fields(value)}
        if (net := getattr(value, "net", None)) is not None:
            facts["net"] = _facts(net)
        return facts
    return value


def _money(amount: "Money") -> dict[str, Any]:
    return {"minor": amount.minor, "currency": amount.currency, "text": amount.display()}
