"""A headless Chromium buys: chat link → page → buy → sandbox pay → webhook → order → statement."""

import json
import sqlite3
from pathlib import Path

import pytest

from commerce.attribution.statement import verify
from tests.support.live_process import (
    ARTIFACTS,
    CATALOGUE,
    DESK,
    FACE,
    PHONE,
    live_process,
    wait_for,
)
from tests.support.purchases import chat_link, commerce

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("purchase")


@pytest.fixture(scope="module")
def server(folder, browser):
    options = ("--persona", str(FACE), "--catalogue", str(CATALOGUE), "--name", "Mara")
    database = ("--database", str(folder / "shop.db"))
    with live_process(folder, *options, *database, "--port", "0") as running:
        yield running


def picture(page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTIFACTS / f"{name}.png"))


@pytest.mark.parametrize(("name", "viewport"), [("phone", PHONE), ("desktop", DESK)])
def test_from_a_chat_link_to_the_statement(server, folder, browser, name, viewport):
    context = browser.new_context(viewport=viewport, has_touch=name == "phone")
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(server.url.rstrip("/") + chat_link(folder))
    assert "product=lamp-arc" in page.url
    cookies = {one["name"]: one for one in context.cookies()}
    assert cookies["lp_visitor"]["httpOnly"]
    page.wait_for_selector("#test-mode", state="visible")
    live = "document.querySelector('.show').dataset.connection === 'live'"
    wait_for(lambda: page.evaluate(live), "live")
    wait_for(lambda: page.locator("#card-buy").is_enabled(), "a product to buy", timeout_s=60)
    # Whatever is being shown, the card holds what the link was about.
    assert page.locator("#card").get_attribute("data-sku") == "lamp-arc"
    picture(page, f"buy-{name}")
    shown = page.locator("#card-price").text_content()
    with page.expect_navigation(url="**/sandbox/pay/**"):
        page.click("#card-buy")
    page.wait_for_selector("#form", state="visible")
    assert "TEST MODE" in page.locator(".test").text_content()
    assert shown in page.locator("#pay").text_content()
    picture(page, f"pay-{name}")
    page.check("input[value=declined]")
    page.click("#pay")
    page.wait_for_selector("#wrong", state="visible")
    page.check("input[value=authenticate]")
    page.click("#pay")
    with page.expect_navigation(url="**/order/**"):
        page.click("#yes")
    wait_for(lambda: "it is paid" in page.locator("#title").text_content(), "the paid order")
    picture(page, f"order-{name}")
    assert shown in page.locator("#sums .total").text_content()
    assert page.locator("#test").is_visible()
    order = page.url.rpartition("/")[2]
    assert page.locator("#chat-words").text_content() == f"/order {order.removeprefix('order_')}"
    assert page.locator("#chat").is_visible()
    assert problems == []
    context.close()
    # The same number at every stage: the page, the till, the ledger's signed statement.
    (found,) = [one for one in commerce(folder, "orders") if one["order"] == order]
    assert found["status"] == "paid"
    assert found["total"]["text"] == shown
    paid = found["total"]["minor"]
    wait_for(lambda: booked(folder, order) == paid, "the order in the books")
    said = verify(commerce(folder, "statement", order))
    assert (said["order"], said["is_test"]) == (order, True)
    assert (said["paid"]["goods"], said["paid"]["total"]) == (paid, paid)
    assert [line["net_minor"] for line in said["lines"]] == [paid]
    # The link in the chat earned it, at the declared rate, and the books hold exactly that.
    (credit,) = said["credits"]
    assert credit["recommender"].startswith("chat:telegram:")
    assert credit["commission"] == round(paid * said["lines"][0]["commission_bps"] / 10_000)
    sums = {one["account"]: one["amount"] for entry in said["entries"] for one in entry["postings"]}
    assert sums["test_sales"] == -paid
    assert sums["test_held"] == -credit["commission"] == -said["earnings"][0]["left"]


def booked(folder: Path, order: str) -> int | None:
    """What the outbox told the ledger was paid for an order, in minor units."""
    database = sqlite3.connect(f"file:{folder / 'shop.db'}?mode=ro", uri=True)
    try:
        rows = database.execute(
            "SELECT payload FROM outbox WHERE key = ? AND state = 'done'", (f"paid:{order}",)
        ).fetchall()
    finally:
        database.close()
    if not rows:
        return None
    return json.loads(rows[0][0])["total"]["minor"]
