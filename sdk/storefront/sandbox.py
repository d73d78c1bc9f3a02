"""The sandbox till's HTTP door: its API for the gateway, its payment page for a person."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from commerce.checkout.sandbox import CARDS, Sandbox
from sdk.storefront import wire
from sdk.storefront.hooks import LARGEST_BODY


def sandbox_routes(sandbox: Sandbox) -> APIRouter:
    """The API under ``/sandbox/v1``, and what the payment page asks.

    Args:
        sandbox: Holds the state.
    """
    router = APIRouter(include_in_schema=False)

    @router.api_route("/sandbox/v1/{path:path}", methods=["GET", "POST"])
    async def api(path: str, request: Request) -> Response:
        raw = await request.body()
        if len(raw) > LARGEST_BODY:
            raise HTTPException(413, f"at most {LARGEST_BODY} bytes")
        reply = await sandbox.handle(
            request.method, f"/v1/{path}", dict(request.headers), raw, request.url.query
        )
        return Response(reply.body, reply.status, dict(reply.headers), "application/json")

    @router.get("/sandbox/pay/{ref}/state")
    async def state(ref: str, response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        page = await sandbox.page(ref)
        if page is None:
            raise HTTPException(404, "no such payment page")
        return {
            "state": page.state,
            "lines": [
                {"title": title, "detail": detail, "quantity": quantity, "sum": wire.money(total)}
                for title, detail, quantity, total in page.lines
            ],
            "goods": wire.money(page.goods),
            "rates": [{"name": name, "price": wire.money(price)} for name, price in page.rates],
            "totals": [wire.money(total) for total in page.totals],
            "countries": list(page.countries),
            "has_tax": page.has_tax,
            "expires_at": page.expires_at,
            "success_url": page.success_url,
            "cancel_url": page.cancel_url,
            "cards": [
                {"card": card, "number": number, "does": does}
                for card, (number, does) in CARDS.items()
            ],
        }

    @router.post("/sandbox/pay/{ref}")
    async def pay(ref: str, payment: wire.TestPayment) -> dict[str, Any]:
        paid = await sandbox.pay(
            ref,
            card=payment.card,
            email=payment.email or "buyer@example.com",
            rate=payment.rate,
            country=payment.country,
            is_authenticated=payment.is_authenticated,
        )
        return {"outcome": paid.outcome, "message": paid.message, "next_url": paid.next_url}

    return router
