"""A Telegram bot around a live avatar: it answers a group, sells, and tells you who earned what.

    export LIVEPITCH_TELEGRAM_TOKEN=…            # from BotFather
    python examples/seller_bot.py --persona face.png --catalogue products.csv --seller CHAT_ID

It asks Telegram for news (getUpdates), so it needs no public address. The shop answers the group;
this program carries messages to it, writes to you when something was sold, and answers ``/sales``.
"""

import argparse
import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException, Request

import sdk
from sdk.errors import ForgedWebhookError

SECRET = secrets.token_urlsafe(32)  # between the parts of this program; made anew at each start


class Telegram:
    """The Bot API, as far as it is needed here."""

    def __init__(self, api: str, token: str) -> None:
        self.http = httpx.AsyncClient(base_url=f"{api}/bot{token}/", timeout=60)

    async def call(self, method: str, **facts: object) -> object:
        """Call a method; what it answers."""
        answer = await self.http.post(method, json=facts)
        return answer.raise_for_status().json()["result"]

    async def updates(self) -> AsyncIterator[dict]:
        """Everything new, for ever."""
        await self.call("deleteWebhook")  # Telegram tells one or the other
        after = 0
        while True:
            try:
                for update in await self.call("getUpdates", offset=after, timeout=30):
                    after = update["update_id"] + 1
                    yield update
            except httpx.HTTPError:
                await asyncio.sleep(2)


def make_app(shop: sdk.Service, telegram: Telegram, seller: int) -> FastAPI:
    """Your own application, with the shop below ``/shop`` and two things of yours beside it."""
    seen: set[str] = set()

    async def sales() -> str:
        report = await shop.shop.ledger.report("recommender")
        rows = "".join(f"\n{row.key[:24]}: {row.goods.display()}" for row in report.rows)
        return f"{report.orders} orders{rows}"

    async def carry() -> None:
        """Hand each update to the shop, as Telegram itself would; keep what is for us."""
        inside, shown = httpx.ASGITransport(shop), {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        async with httpx.AsyncClient(transport=inside, base_url="http://127.0.0.1") as http:
            async for update in telegram.updates():
                message = update.get("message", {})
                if message.get("text") == "/sales" and message["chat"]["id"] == seller:
                    await telegram.call("sendMessage", chat_id=seller, text=await sales())
                else:
                    await http.post("/hooks/telegram", json=update, headers=shown)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with telegram.http, shop.lifespan(app):
            carrying = asyncio.create_task(carry())
            yield
            carrying.cancel()

    app = FastAPI(lifespan=lifespan)
    app.mount("/shop", shop)

    @app.post("/sold")
    async def sold(request: Request) -> None:
        """The shop's signed webhook: an order was paid, and credited to whoever recommended it."""
        try:
            news = sdk.verify_webhook(await request.body(), request.headers, SECRET)
        except ForgedWebhookError as error:
            raise HTTPException(401, str(error)) from error
        if news.id in seen:
            return
        seen.add(news.id)
        document = await shop.shop.ledger.statement(news.data["order"])
        statement = shop.shop.ledger.verify_statement(document)
        text = "TEST Sold " if statement["is_test"] else "Sold "
        text += ", ".join(f"{one['quantity']} × {one['sku']}" for one in statement["lines"])
        earned = sum(credit["commission"] for credit in statement["credits"])
        text += f". Commission: {earned} {statement['currency']} minor units."
        await telegram.call("sendMessage", chat_id=seller, text=text)

    return app


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A Telegram seller bot with a live avatar.")
    for needed in ("--persona", "--catalogue"):
        parser.add_argument(needed, required=True)
    parser.add_argument("--seller", type=int, required=True, help="your own chat with the bot")
    parser.add_argument("--port", type=int, default=8020)
    options, os.environ["LIVEPITCH_TELEGRAM_SECRET"] = parser.parse_args(), SECRET
    home = f"http://127.0.0.1:{options.port}"
    told = sdk.WebhookEndpoint(f"{home}/sold", SECRET, ("order.attributed",), allows_loopback=True)
    files = (options.persona, options.catalogue)
    shop = sdk.create_app(*files, address=f"{home}/shop", script=False, webhooks=[told])
    api = os.environ.get("LIVEPITCH_TELEGRAM_API", "https://api.telegram.org")
    telegram = Telegram(api, os.environ["LIVEPITCH_TELEGRAM_TOKEN"])
    uvicorn.run(make_app(shop, telegram, options.seller), port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
