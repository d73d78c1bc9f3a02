"""``/api/console``: where recommenders' commissions go at the payment provider."""

from typing import Any

from fastapi import APIRouter, HTTPException

from sdk.console.desk import Desk, refusing
from sdk.console.wire import Account, Node
from sdk.types import sales_answers as answers
from sdk.types.answers import problems


def account_routes(desk: Desk) -> APIRouter:
    """The accounts on the tab "Sales"."""
    router = APIRouter(prefix="/api/console", tags=["console"])

    @router.get("/accounts", response_model=answers.Accounts, responses=problems(503))
    async def accounts() -> dict[str, Any]:
        """Recommenders whose account at the provider is known; the rest is paid by hand."""
        rail = desk.shop.till.rail
        if rail is None:
            return {"provider": None, "items": []}
        with refusing():
            found = await rail.accounts()
        items = [{"recommender": node, "account": account} for node, account in found.items()]
        return {"provider": rail.name, "items": items}

    @router.put(
        "/accounts/{node:path}",
        response_model=answers.AccountView,
        responses=problems(409, 422, 503),
    )
    async def name_account(node: Node, body: Account) -> dict[str, Any]:
        """Pay a recommender's commission to an account of theirs from now on."""
        rail = desk.shop.till.rail
        if rail is None:
            raise HTTPException(409, "this till pays nobody out; connect Stripe, or pay by hand")
        with refusing():
            await rail.name_account(node, body.account)
        return {"recommender": node, "account": body.account}

    return router
