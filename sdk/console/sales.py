"""``/api/console``: who brought the sales, who earns what, and why."""

import csv
import io
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response

from commerce.models.earnings import Document, GroupBy, ModelName, Payout, Report
from commerce.money import Money
from commerce.shop.paying_out import pay_out
from sdk.console.desk import Desk, refusing
from sdk.console.money import price, price_or_none
from sdk.console.paging import Limit, Offset, part
from sdk.console.wire import Decision, OrderName, PayoutKey, Reference
from sdk.types import sales_answers as answers
from sdk.types.answers import problems

When = Annotated[datetime | None, Query(description="With its offset from UTC, or a day.")]
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}


def sales_routes(desk: Desk) -> APIRouter:
    """The routes of the tab "Sales"."""
    router = APIRouter(prefix="/api/console", tags=["console"])
    ledger = desk.shop.ledger

    async def report(
        group_by: GroupBy, model: ModelName, since: datetime | None, until: datetime | None
    ) -> Report:
        _require_moments(since, until)
        with refusing():
            return await ledger.report(group_by, model=model, since=since, until=until)

    @router.get("/sales", response_model=answers.Sales, responses=problems(422, 503))
    async def sales(
        group_by: GroupBy = "recommender",
        model: ModelName = "paid",
        since: When = None,
        until: When = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        """Orders, goods, returns and commission; ``paid`` is what is paid, the rest analysis."""
        found = await report(group_by, model, since, until)
        rows, following = part(found.rows, limit, offset)
        return {
            "group_by": found.group_by,
            "model": found.model,
            "since": since,
            "until": until,
            "rows": [
                {
                    "key": row.key,
                    "orders": row.orders,
                    "goods": price(row.goods),
                    "returned": price(row.returned),
                    "commission": price_or_none(row.commission),
                }
                for row in rows
            ],
            "row_count": len(found.rows),
            "orders": found.orders,
            "totals": _totals(found),
            "is_test": found.is_test,
            "next_offset": following,
        }

    @router.get("/sales.csv", response_class=Response, responses=problems(422, 503) | _CSV)
    async def sales_csv(
        group_by: GroupBy = "recommender",
        model: ModelName = "paid",
        since: When = None,
        until: When = None,
    ) -> Response:
        """The same for a spreadsheet, whole; amounts as decimals."""
        found = await report(group_by, model, since, until)
        return _file(report_csv(found), f"sales-by-{group_by}-{model}.csv")

    @router.get("/sales/days", response_model=answers.Days, responses=problems(422, 503))
    async def days(since: When = None, until: When = None) -> dict[str, Any]:
        """Orders and goods for each day of UTC on which something was sold."""
        _require_moments(since, until)
        with refusing():
            found, is_test = await ledger.days(since=since, until=until)
        return {
            "items": [
                {
                    "day": one.day.isoformat(),
                    "orders": one.orders,
                    "goods": price(one.goods),
                    "returned": price(one.returned),
                }
                for one in found
            ],
            "is_test": is_test,
        }

    @router.get("/balances", response_model=answers.Balances, responses=problems(503))
    async def balances(limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
        """What recommenders have with the shop."""
        with refusing():
            rows, following = part(await ledger.balances(), limit, offset)
        items = [
            {
                "recommender": one.recommender,
                "held": price(one.held),
                "payable": price(one.payable),
                "paying": price(one.paying),
                "paid": price(one.paid),
                "carried": price(one.carried),
                "is_test": one.is_test,
            }
            for one in rows
        ]
        return {"items": items, "next_offset": following}

    @router.get("/holds", response_model=answers.Holds, responses=problems(503))
    async def holds(limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
        """Orders whose commission waits for a person, and why."""
        with refusing():
            rows, following = part(await ledger.holds(), limit, offset)
        items = [
            {
                "order": one.order,
                "commission": price(one.commission),
                "recommenders": one.recommenders,
                "signals": [
                    {"code": s.code, "is_strong": s.is_strong, "explanation": s.explanation}
                    for s in one.signals
                ],
            }
            for one in rows
        ]
        return {"items": items, "next_offset": following}

    @router.post(
        "/holds/{order}/release", response_model=answers.Decided, responses=problems(404, 422, 503)
    )
    async def release(order: OrderName, body: Decision) -> dict[str, Any]:
        """You looked, and the commission of a held order is earned."""
        with refusing():
            await ledger.release(order, by=body.by, note=body.note)
        return {"order": order, "verdict": "release"}

    @router.post(
        "/holds/{order}/deny", response_model=answers.Decided, responses=problems(404, 422, 503)
    )
    async def deny(order: OrderName, body: Decision) -> dict[str, Any]:
        """You looked, and the order earns nobody a commission."""
        with refusing():
            await ledger.deny(order, by=body.by, note=body.note)
        return {"order": order, "verdict": "deny"}

    @router.get("/statements/{order}", responses=problems(404, 422, 503))
    async def statement(order: OrderName) -> Document:
        """Who earned what of an order, with everything it follows from, signed."""
        with refusing():
            return await ledger.statement(order)

    @router.get("/payouts", response_model=answers.Payouts, responses=problems(503))
    async def payouts(limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
        """Payouts, newest first."""
        with refusing():
            rows, following = part((await ledger.payouts())[::-1], limit, offset)
        return {"items": [_payout(one) for one in rows], "next_offset": following}

    @router.get("/payouts.csv", response_class=Response, responses=problems(503) | _CSV)
    async def payouts_csv() -> Response:
        """What the seller has to pay by hand, for the bank."""
        with refusing():
            found = await ledger.payouts()
        rows = [
            [one.key, one.recommender, one.amount.major, one.amount.currency]
            for one in found
            if one.state == "started" and one.rail == "csv" and not one.is_test
        ]
        return _file(_csv([["key", "recommender", "amount", "currency"], *rows]), "payouts.csv")

    @router.post("/payouts/settle", response_model=answers.SettledView, responses=problems(503))
    async def settle() -> dict[str, Any]:
        """Make commission payable whose return window is over; what looks wrong is held."""
        with refusing():
            done = await ledger.settle()
        return {"matured": done.matured, "held": done.held}

    @router.post("/payouts/begin", response_model=answers.Payouts, responses=problems(503))
    async def begin() -> dict[str, Any]:
        """Pay whose account at the provider is known; list the rest for the seller to pay."""
        with refusing():
            rows = await pay_out(ledger, desk.shop.till.rail)
        return {"items": [_payout(one) for one in rows], "next_offset": None}

    @router.post(
        "/payouts/{key}/confirm", response_model=answers.PayoutView, responses=problems(422, 503)
    )
    async def confirm(key: PayoutKey, body: Reference) -> dict[str, Any]:
        """The money of a payout arrived; the text is the bank's reference."""
        with refusing():
            return _payout(await ledger.confirm_payout(key, body.text))

    @router.post(
        "/payouts/{key}/fail", response_model=answers.PayoutView, responses=problems(422, 503)
    )
    async def fail(key: PayoutKey, body: Reference) -> dict[str, Any]:
        """The money of a payout did not go out; the text says why. It becomes payable again."""
        with refusing():
            return _payout(await ledger.fail_payout(key, body.text))

    return router


def report_csv(found: Report) -> str:
    """A report for a spreadsheet, one line for each key and currency."""
    head = ["model", "orders", "currency", "goods", "returned", "commission", "is_test"]
    rows = [
        [
            row.key,
            found.model,
            f"{row.orders:.4f}".rstrip("0").rstrip("."),
            row.goods.currency,
            row.goods.major,
            row.returned.major,
            "" if row.commission is None else row.commission.major,
            str(int(found.is_test)),
        ]
        for row in found.rows
    ]
    return _csv([[found.group_by, *head], *rows])


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    # A spreadsheet must not take somebody's session name for a formula; amounts may be negative.
    csv.writer(text, lineterminator="\r\n").writerows(
        [("'" + cell if place == 0 and cell[:1] in _FORMULA else cell) for place, cell in pairs]
        for pairs in map(enumerate, rows)
    )
    return text.getvalue()


_FORMULA = frozenset("=+-@\t\r")


def _file(text: str, name: str) -> Response:
    # Spreadsheets know UTF-8 by its byte order mark only.
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


def _require_moments(*moments: datetime | None) -> None:
    for moment in moments:
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise HTTPException(422, "since and until need their offset, as in …T00:00:00Z")
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise HTTPException(422, f"since and until are in {_FIRST_YEAR} to {_LAST_YEAR}")


def _totals(found: Report) -> list[dict[str, Any]]:
    totals = []
    for currency in dict.fromkeys(row.goods.currency for row in found.rows):
        rows = [row for row in found.rows if row.goods.currency == currency]
        paid = [row.commission.minor for row in rows if row.commission is not None]
        totals.append(
            {
                "goods": price(Money(sum(row.goods.minor for row in rows), currency)),
                "returned": price(Money(sum(row.returned.minor for row in rows), currency)),
                "commission": price(Money(sum(paid), currency)) if paid else None,
            }
        )
    return totals


def _payout(one: Payout) -> dict[str, Any]:
    return {
        "key": one.key,
        "recommender": one.recommender,
        "amount": price(one.amount),
        "state": one.state,
        "rail": one.rail,
        "reference": one.reference,
        "problem": one.problem,
        "is_test": one.is_test,
    }
