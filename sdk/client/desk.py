"""The seller's desk over HTTP: what the console shows and does, for programs of the seller."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from sdk.client.calls import Calls
from sdk.types import desk_answers as desk
from sdk.types import sales_answers as money

_ROOT = "api/console"

GroupBy = Literal["recommender", "group", "product", "channel", "session"]


class Desk:
    """``client.desk``: needs the seller's token wherever one is asked for.

    Lists come in parts: ask again with ``offset=part.next_offset`` until that is None.

    Args:
        calls: Speaks with the service.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    # The show ----------------------------------------------------------------------------------

    async def about(self) -> desk.Welcome:
        """Names, rights, what the face can do, and whether money is real."""
        return await self._calls.get(_ROOT, desk.Welcome)

    async def show(self) -> desk.ShowView:
        """What is being said, what waits, who watches, what is pinned."""
        return await self._calls.get(f"{_ROOT}/show", desk.ShowView)

    async def script(self, *, is_on: bool) -> desk.ScriptState:
        """Have the script wait after its sentence, or go on."""
        return await self._calls.post(f"{_ROOT}/show/script", desk.ScriptState, {"is_on": is_on})

    async def perform(self, kind: Literal["act", "emotion"], name: str) -> desk.Performed:
        """Have the face do something, without a word."""
        body = {"kind": kind, "name": name}
        return await self._calls.post(f"{_ROOT}/show/perform", desk.Performed, body)

    # Sales -------------------------------------------------------------------------------------

    async def sales(
        self,
        group_by: GroupBy = "recommender",
        *,
        model: str = "paid",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> money.Sales:
        """Orders, goods, returns and commission; every model but ``paid`` is analysis."""
        query = {"group_by": group_by, "model": model, "limit": limit, "offset": offset}
        return await self._calls.get(f"{_ROOT}/sales", money.Sales, query | _span(since, until))

    async def sales_csv(
        self,
        group_by: GroupBy = "recommender",
        *,
        model: str = "paid",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> bytes:
        """All rows of ``sales`` as a CSV file for spreadsheets, UTF-8 with a mark."""
        query = {"group_by": group_by, "model": model, **_span(since, until)}
        return (await self._calls.send("GET", f"{_ROOT}/sales.csv", query=query)).content

    async def days(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> money.Days:
        """Orders and goods for each day of UTC on which something was sold."""
        return await self._calls.get(f"{_ROOT}/sales/days", money.Days, _span(since, until))

    async def balances(self, *, offset: int = 0) -> money.Balances:
        """What recommenders have with the shop."""
        return await self._calls.get(f"{_ROOT}/balances", money.Balances, {"offset": offset})

    async def holds(self, *, offset: int = 0) -> money.Holds:
        """Orders whose commission waits for a person, and why."""
        return await self._calls.get(f"{_ROOT}/holds", money.Holds, {"offset": offset})

    async def decide(
        self, order: str, verdict: Literal["release", "deny"], *, by: str, note: str
    ) -> money.Decided:
        """A person looked at a held order, and says why it earns a commission or none."""
        path = f"{_ROOT}/holds/{_part(order)}/{verdict}"
        return await self._calls.post(path, money.Decided, {"by": by, "note": note})

    async def statement(self, order: str) -> dict[str, Any]:
        """Who earned what of an order, signed; ``Ledger.verify_statement`` checks it offline."""
        response = await self._calls.send("GET", f"{_ROOT}/statements/{_part(order)}")
        document: dict[str, Any] = response.json()
        return document

    # Payouts -----------------------------------------------------------------------------------

    async def payouts(self, *, offset: int = 0) -> money.Payouts:
        """Payouts, newest first."""
        return await self._calls.get(f"{_ROOT}/payouts", money.Payouts, {"offset": offset})

    async def payouts_csv(self) -> bytes:
        """What the seller is to pay by hand, as a CSV file for spreadsheets."""
        return (await self._calls.send("GET", f"{_ROOT}/payouts.csv")).content

    async def settle(self) -> money.SettledView:
        """Make commission payable whose return window is over."""
        return await self._calls.post(f"{_ROOT}/payouts/settle", money.SettledView)

    async def pay_out(self) -> money.Payouts:
        """Pay whose account at the provider is known; list the rest for the seller to pay."""
        return await self._calls.post(f"{_ROOT}/payouts/begin", money.Payouts)

    async def confirm(self, key: str, reference: str) -> money.PayoutView:
        """The money of a payout arrived; the bank's reference proves it."""
        path = f"{_ROOT}/payouts/{_part(key)}/confirm"
        return await self._calls.post(path, money.PayoutView, {"text": reference})

    async def fail(self, key: str, problem: str) -> money.PayoutView:
        """The money of a payout did not go out; it becomes payable again."""
        path = f"{_ROOT}/payouts/{_part(key)}/fail"
        return await self._calls.post(path, money.PayoutView, {"text": problem})

    async def accounts(self) -> money.Accounts:
        """Recommenders whose account at the payment provider is known."""
        return await self._calls.get(f"{_ROOT}/accounts", money.Accounts)

    async def name_account(self, recommender: str, account: str) -> money.AccountView:
        """Pay a recommender's commission to an account of theirs, such as ``acct_…``."""
        path = f"{_ROOT}/accounts/{_part(recommender)}"
        return await self._calls.put(path, money.AccountView, {"account": account})

    # Orders and stock --------------------------------------------------------------------------

    async def orders(
        self, status: str | None = None, *, limit: int = 25, offset: int = 0
    ) -> money.Orders:
        """Orders, newest first, with what every price rests on."""
        query = {"limit": limit, "offset": offset} | ({"status": status} if status else {})
        return await self._calls.get(f"{_ROOT}/orders", money.Orders, query)

    async def order(self, order: str) -> money.Receipt:
        """One order as it stands."""
        return await self._calls.get(f"{_ROOT}/orders/{_part(order)}", money.Receipt)

    async def refund(
        self, order: str, amount: str | None = None, *, reason: str = "refunded by the seller"
    ) -> money.Receipt:
        """Give money back: an amount as people write it, or all that is left."""
        body = {"amount": amount, "reason": reason}
        return await self._calls.post(f"{_ROOT}/orders/{_part(order)}/refund", money.Receipt, body)

    async def deliver(self, order: str) -> money.Receipt:
        """The buyer has the goods; return windows count from now."""
        return await self._calls.post(f"{_ROOT}/orders/{_part(order)}/deliver", money.Receipt)

    async def stock(self, text: str = "", *, limit: int = 50, offset: int = 0) -> money.StockList:
        """Units of every variant on sale, or of those with a text in title or SKU."""
        query = {"text": text, "limit": limit, "offset": offset}
        return await self._calls.get(f"{_ROOT}/stock", money.StockList, query)

    async def set_stock(self, sku: str, stock: int) -> money.StockSet:
        """Set the units that can be bought; the live page shows them at once."""
        path = f"{_ROOT}/stock/{_part(sku)}"
        return await self._calls.put(path, money.StockSet, {"stock": stock})

    # Chats -------------------------------------------------------------------------------------

    async def chats(self) -> desk.Chats:
        """Which chat services are switched on, and how many of their events wait."""
        return await self._calls.get(f"{_ROOT}/chats", desk.Chats)

    async def groups(self, *, offset: int = 0) -> desk.Groups:
        """The groups the shop is in, with their rules."""
        return await self._calls.get(f"{_ROOT}/groups", desk.Groups, {"offset": offset})

    async def change_group(self, node: str, rules: Mapping[str, object]) -> desk.GroupView:
        """Change a group's rules; the names are those of ``RulesView``, others stay as they are."""
        path = f"{_ROOT}/groups/{_part(node)}"
        return await self._calls.patch(path, desk.GroupView, dict(rules))

    async def letters(self, state: str | None = None, *, offset: int = 0) -> desk.Letters:
        """Events of chat services, newest first; never what was written."""
        query = {"offset": offset} | ({"state": state} if state else {})
        return await self._calls.get(f"{_ROOT}/inbox", desk.Letters, query)

    async def retry_letters(self, keys: list[int] | None = None) -> int:
        """Let dead letters be tried again, all unless numbers are given; returns how many."""
        body = {"keys": keys}
        return (await self._calls.post(f"{_ROOT}/inbox/retry", desk.Done, body)).changed

    async def drop_letters(self, keys: list[int]) -> int:
        """Give dead letters up; what they held is deleted."""
        return (await self._calls.post(f"{_ROOT}/inbox/drop", desk.Done, {"keys": keys})).changed

    async def errands(self) -> desk.Errands:
        """Work of the till that failed too often to be tried again by itself."""
        return await self._calls.get(f"{_ROOT}/dead-letters", desk.Errands)

    async def retry_errand(self, number: int) -> None:
        """Give one of them another life."""
        await self._calls.post(f"{_ROOT}/dead-letters/{number}/retry", desk.Done)

    async def wishes(self) -> desk.Wishes:
        """What groups asked for in vain, and how much of the catalogue they were shown."""
        return await self._calls.get(f"{_ROOT}/wishes", desk.Wishes)


def _part(name: str) -> str:
    return quote(name, safe="")


def _span(since: datetime | None, until: datetime | None) -> dict[str, str]:
    named = {"since": since, "until": until}
    return {name: moment.isoformat() for name, moment in named.items() if moment is not None}
