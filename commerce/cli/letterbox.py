"""The letterbox on the command line: inbox and dead letters, groups, wishes and reviews."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from commerce.cli.console import AsJson, Database, app, fail, opened_shop, print_json, run

if TYPE_CHECKING:
    from commerce.shop.letterbox import Group, InboxLine, Review, Wished

inbox = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What chat services pushed: waiting, done, and dead letters.",
)
groups = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The chat groups the shop is in, and their rules.",
)
app.add_typer(inbox, name="inbox")
app.add_typer(groups, name="groups")

State = Annotated[str | None, typer.Option(help="Only new, done or dead ones.")]
Keys = Annotated[list[int] | None, typer.Argument(help="Numbers, as the list shows them.")]
_STATES = ("new", "done", "dead")


@inbox.command("list")
def list_inbox(
    state: State = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List events, newest first; never what was written."""
    if state is not None and state not in _STATES:
        fail(f"--state {state}: choose {', '.join(_STATES)}")
    counts, lines = run(_lines(database, state, limit))
    if as_json:
        print_json({"counts": counts, "events": [_facts(one) for one in lines]})
        return
    for one in lines:
        when = f"{one.received_at:%Y-%m-%d %H:%M:%S}"
        tries = f"{one.attempts} tries" if one.attempts != 1 else "1 try"
        typer.echo(f"{one.key:>6}  {when}  {one.source:10}  {one.state:4}  {tries}  {one.problem}")
    typer.echo(", ".join(f"{number} {state}" for state, number in counts.items()))


@inbox.command()
def retry(keys: Keys = None, *, database: Database = None, as_json: AsJson = False) -> None:
    """Let dead letters be tried again: all of them, or those with these numbers."""
    revived = run(_retry(database, keys))
    if as_json:
        print_json({"retried": revived})
    else:
        typer.echo(f"{revived} will be tried again")


@inbox.command()
def drop(
    keys: Annotated[list[int], typer.Argument(help="Numbers, as the list shows them.")],
    *,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give dead letters up; what they held is deleted."""
    dropped = run(_drop(database, keys))
    if as_json:
        print_json({"dropped": dropped})
    else:
        typer.echo(f"{dropped} given up")


@inbox.command()
def sweep(*, database: Database = None, as_json: AsJson = False) -> None:
    """Delete what has been kept long enough: bodies after 30 days, rows after 35."""
    bodies, rows = run(_sweep(database))
    if as_json:
        print_json({"bodies": bodies, "rows": rows})
    else:
        typer.echo(f"{bodies} bodies and {rows} rows deleted")


@groups.command("list")
def list_groups(*, database: Database = None, as_json: AsJson = False) -> None:
    """List the groups with their rules."""
    found = run(_groups(database))
    if as_json:
        print_json(
            [{"node": one.node, "channel": one.channel, "rules": _rules(one)} for one in found]
        )
        return
    for one in found:
        typer.echo(f"{one.node}  {'; '.join(_rules(one))}")
    if not found:
        typer.echo("No group has written yet; they appear when they do.", err=True)


@groups.command()
def policy(
    node: Annotated[str, typer.Argument(help="The group, as the list shows it.")],
    words: Annotated[list[str], typer.Argument(help="Such as: quiet 22:00-08:00 Asia/Shanghai")],
    *,
    database: Database = None,
) -> None:
    """Change a group's rules, in the words of /policy."""
    rules = run(_set_policy(database, node, " ".join(words)))
    typer.echo("; ".join(rules))


@app.command()
def wishes(*, database: Database = None, as_json: AsJson = False) -> None:
    """What groups asked for in vain, and how much of the catalogue they were shown."""
    found, shown, on_sale = run(_wishes(database))
    if as_json:
        print_json(
            {
                "wishes": [
                    {"word": one.word, "members": one.members, "groups": one.groups,
                     "lately": one.lately}
                    for one in found
                ],
                "coverage": {"pitched": shown, "on_sale": on_sale},
            }
        )  # fmt: skip
        return
    for one in found:
        typer.echo(
            f"{one.word:24}  {one.members} members in {one.groups} groups, {one.lately} this week"
        )
    share = f"{shown / on_sale:.0%}" if on_sale else "nothing"
    typer.echo(f"{shown} of {on_sale} products were pitched in chats ({share})")


@app.command()
def reviews(
    sku: Annotated[str, typer.Argument(help="Of the product.")],
    *,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """What buyers said of a product: all of it, the latest first."""
    found = run(_reviews(database, sku))
    if as_json:
        print_json(
            [
                {"verdict": one.verdict, "words": one.words, "at": one.at.isoformat()}
                for one in found
            ]
        )
        return
    for one in found:
        typer.echo(f"{one.at:%Y-%m-%d}  {one.verdict:8}  {one.words}")


async def _lines(
    database: str | None, state: Any, limit: int
) -> "tuple[dict[str, int], list[InboxLine]]":
    async with opened_shop(database, may_create=False) as (shop, _):
        box = shop.letterbox.inbox
        return await box.counts(), await box.lines(state, limit)


async def _retry(database: str | None, keys: list[int] | None) -> int:
    async with opened_shop(database, may_create=False) as (shop, _):
        return await shop.letterbox.inbox.retry(keys or None)


async def _drop(database: str | None, keys: list[int]) -> int:
    async with opened_shop(database, may_create=False) as (shop, _):
        return await shop.letterbox.inbox.drop(keys)


async def _sweep(database: str | None) -> tuple[int, int]:
    async with opened_shop(database, may_create=False) as (shop, _):
        return await shop.letterbox.sweep()


async def _groups(database: str | None) -> "list[Group]":
    async with opened_shop(database, may_create=False) as (shop, _):
        return await shop.letterbox.groups.all()


async def _set_policy(database: str | None, node: str, words: str) -> list[str]:
    from commerce.errors import LetterboxError
    from commerce.shop.letterbox import changed_policy, described_policy

    async with opened_shop(database, may_create=False) as (shop, _):
        store = shop.letterbox.groups
        group = next((one for one in await store.all() if one.node == node), None)
        if group is None:
            raise LetterboxError(f"no group is called {node[:80]!r}; see: groups list")
        rules, profile = changed_policy(group.policy, group.profile, words)
        await store.set_policy(node, rules)
        await store.set_profile(node, profile)
        return described_policy(rules, profile)


async def _wishes(database: str | None) -> "tuple[list[Wished], int, int]":
    async with opened_shop(database, may_create=False) as (shop, _):
        on_sale = {card.sku for card in await shop.products()}
        shown = await shop.letterbox.groups.pitched_skus()
        return await shop.letterbox.aftercare.wished(), len(on_sale & shown), len(on_sale)


async def _reviews(database: str | None, sku: str) -> "list[Review]":
    async with opened_shop(database, may_create=False) as (shop, _):
        return await shop.letterbox.aftercare.reviews(sku)


def _rules(group: "Group") -> list[str]:
    from commerce.shop.letterbox import described_policy

    return described_policy(group.policy, group.profile)


def _facts(one: "InboxLine") -> dict[str, Any]:
    return {
        "key": one.key,
        "source": one.source,
        "state": one.state,
        "received_at": one.received_at.isoformat(),
        "attempts": one.attempts,
        "problem": one.problem,
    }
