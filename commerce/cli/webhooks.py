"""Outgoing webhooks on the command line: who is told, what waits, and a trial."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from commerce.cli.console import AsJson, Database, app, fail, opened_shop, print_json, run

if TYPE_CHECKING:
    from commerce.shop import Shop


@app.command()
def webhooks(
    *,
    test: Annotated[
        bool, typer.Option("--test", help="Send everybody a signed `ping` now.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Who is told what happens (LIVEPITCH_WEBHOOK_URLS), and what has not been taken yet."""
    told = run(_webhooks(database, is_test=test))
    if as_json:
        print_json(told)
    else:
        if not told:
            typer.echo("Nobody is told; set LIVEPITCH_WEBHOOK_URLS.", err=True)
        for one in told:
            counts = f"{one['sent']} sent, {one['waiting']} waiting, {one['dead']} dead"
            typer.echo(f"{one['url']}  {one['events']}  {counts}")
            if one["problem"]:
                typer.echo(f"  {one['problem']}")
    if test and any(one["problem"] for one in told):
        raise typer.Exit(1)


async def _webhooks(database: str | None, *, is_test: bool) -> list[dict[str, Any]]:
    async with opened_shop(database, may_create=is_test) as (shop, _):
        if is_test:
            if not shop.announcer.endpoints:
                fail("nobody is told; set LIVEPITCH_WEBHOOK_URLS and LIVEPITCH_WEBHOOK_SECRET")
            await _ping(shop)
        return [
            {
                "url": endpoint.url,
                "events": " ".join(endpoint.events),
                **await shop.announcer.figures(endpoint),
            }
            for endpoint in shop.announcer.endpoints
        ]


async def _ping(shop: "Shop") -> None:
    now = shop.till.clock().isoformat()
    await shop.announcer.announce("ping", {"at": now}, subject="ping", identity=now)
    await shop.announcer.outbox.dispatch()
