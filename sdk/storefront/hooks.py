"""Webhooks of payment providers and of sellers' own shops: kept before they are answered."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from commerce.errors import CheckoutError, DatabaseError, WebhookError
from commerce.shop import Shop
from sdk.types.answers import problems
from sdk.types.till_answers import Received

log = logging.getLogger(__name__)

LARGEST_BODY = 1 << 20
BODY_TIME_S = 10.0
# The body is read as bytes, because the signature is over them; so the description says by itself
# what a body is.
_DESCRIBED: dict[str, Any] = {
    "response_model": Received,
    "responses": problems(400, 404, 408, 413, 503),
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
}


def hook_routes(shop: Shop, *, body_time_s: float = BODY_TIME_S) -> APIRouter:
    """The routes that take webhooks.

    Args:
        shop: Open, with a till that is connected.
        body_time_s: How long a body may take to arrive.
    """
    router = APIRouter(tags=["hooks"])
    till = shop.till

    @router.post("/hooks/stripe", **_DESCRIBED)
    async def stripe(request: Request) -> JSONResponse:
        """Stripe's webhook, or the sandbox till's."""
        raw = await _body(request, body_time_s)
        if isinstance(raw, JSONResponse):
            return raw
        signature = request.headers.get("stripe-signature", "")
        return await _kept(till.receive(raw, signature), "stripe")

    @router.post("/hooks/shopify", **_DESCRIBED)
    async def shopify(request: Request) -> JSONResponse:
        """The seller's own Shopify shop."""
        raw = await _body(request, body_time_s)
        if isinstance(raw, JSONResponse):
            return raw
        headers = dict(request.headers)
        return await _kept(till.receive_own_shop("shopify", headers, raw), "shopify")

    @router.post("/hooks/woocommerce", **_DESCRIBED)
    async def woocommerce(request: Request) -> JSONResponse:
        """The seller's own WooCommerce shop."""
        raw = await _body(request, body_time_s)
        if isinstance(raw, JSONResponse):
            return raw
        headers = dict(request.headers)
        return await _kept(till.receive_own_shop("woocommerce", headers, raw), "woocommerce")

    return router


async def _kept(receiving: Awaitable[None], source: str) -> JSONResponse:
    try:
        await receiving
    except WebhookError as error:
        log.info("webhook refused", extra={"source": source, "status": error.status})
        return JSONResponse({"detail": str(error)}, status_code=error.status)
    except CheckoutError as error:
        return JSONResponse({"detail": str(error)}, status_code=404)
    except DatabaseError as error:
        log.warning("webhook not kept", extra={"source": source, "reason": error.reason})
        return JSONResponse({"detail": "cannot be kept now; send it again"}, status_code=503)
    return JSONResponse({"received": True})


async def _body(request: Request, body_time_s: float) -> bytes | JSONResponse:
    """The bytes as they arrived; nothing is unpacked, because the signature is over them."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > LARGEST_BODY:
        return JSONResponse({"detail": f"at most {LARGEST_BODY} bytes"}, status_code=413)
    body = bytearray()
    try:
        async with asyncio.timeout(body_time_s):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    return JSONResponse({"detail": f"at most {LARGEST_BODY} bytes"}, 413)
    except TimeoutError:
        return JSONResponse({"detail": "the body took too long"}, status_code=408)
    except ClientDisconnect:
        return JSONResponse({"detail": "the body broke off"}, status_code=400)
    return bytes(body)
