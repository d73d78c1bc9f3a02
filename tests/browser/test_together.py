"""A headless Chromium buys together: share page, join, pay, the next one sees it; and a bargain."""

from datetime import timedelta

import pytest

from commerce.money import Money
from tests.support.counter_server import counter_server
from tests.support.live_process import ARTIFACTS, CATALOGUE, DESK, PHONE, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

MINE = "a" * 32


@pytest.fixture(scope="module")
def counter(tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("together")
    with counter_server(folder, CATALOGUE) as running:
        yield running


def usd(minor):
    return Money(minor, "USD")


def opened(browser, viewport, visitor=None, url=""):
    context = browser.new_context(viewport=viewport, has_touch=viewport is PHONE)
    if visitor:
        context.add_cookies([{"name": "lp_visitor", "value": visitor, "url": url}])
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    return page, problems


def picture(page, name):
    ARTIFACTS.mkdir(exist_ok=True)
    whole = "[...document.images].every((one) => one.complete)"
    wait_for(lambda: page.evaluate(whole), "the pictures")
    page.screenshot(path=str(ARTIFACTS / f"{name}.png"), full_page=True)


def pay(page):
    page.wait_for_selector("#form", state="visible")
    with page.expect_navigation(url="**/order/**"):
        page.click("#pay")
    wait_for(lambda: "it is paid" in page.locator("#title").text_content(), "the paid order")


def shows(page, selector, text):
    wait_for(lambda: text in page.locator(selector).text_content(), f"{text!r} in {selector}")


@pytest.mark.parametrize(("name", "viewport"), [("phone", PHONE), ("desktop", DESK)])
def test_a_group_order_is_joined_from_its_page(counter, browser, name, viewport):
    async def begin():
        till = counter.shop.till
        return await till.open_group(
            "lamp-arc",
            target=2,
            ladder=[(2, usd(4000)), (4, usd(3500)), (8, usd(2900))],
            deadline=till.clock() + timedelta(hours=3),
            leader="visitor:nobody",
        )

    group = counter.run(begin()).group
    address = f"{counter.url}/group/{group}"
    for place, said in enumerate(["0 of 2 have paid", "1 of 2 have paid"]):
        page, problems = opened(browser, viewport)
        page.goto(address)
        shows(page, "#joined", said)
        assert page.locator("#test").is_visible()
        assert page.locator("#clock").text_content().startswith("02:59:")
        assert page.locator("#ladder li").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        picture(page, f"group-{place}-{name}")
        assert page.locator("#go").text_content() == "Join for $40"
        with page.expect_navigation(url="**/sandbox/pay/**"):
            page.click("#go")
        pay(page)
        assert problems == []
        page.context.close()
    page, problems = opened(browser, viewport)
    page.goto(address)
    shows(page, "#joined", "2 buyers paid")
    assert page.locator("#ladder li.now").text_content().endswith("$40")
    assert page.locator("#seats .taken").count() == 2
    picture(page, f"group-2-{name}")
    body = page.request.get(address, headers={"Accept": "application/json"}).json()
    assert (body["joined"], body["state"]) == (2, "formed")
    assert "visitor" not in str(body)
    assert problems == []
    page.context.close()


@pytest.mark.parametrize(("name", "viewport"), [("phone", PHONE), ("desktop", DESK)])
def test_friends_bring_a_price_down_from_its_page(counter, browser, name, viewport):
    async def begin():
        till = counter.shop.till
        return await till.open_bargain(
            "lamp-arc",
            buyer=await counter.shop.ledger.node("visitor", MINE),
            floor=usd(3000),
            helps=2,
            deadline=till.clock() + timedelta(days=2),
        )

    bargain = counter.run(begin())
    address = f"{counter.url}/bargain/{bargain.bargain}"
    friend, problems = opened(browser, viewport)
    friend.goto(address)
    shows(friend, "#kind", "A friend's bargain")
    shows(friend, "#joined", "0 friends helped – 2 more bring it to $30")
    assert friend.locator("#clock").text_content().startswith("1 day 23:59:")
    friend.click("#go")
    shows(friend, "#terms", "Thank you: you took")
    picture(friend, f"bargain-friend-{name}")
    assert friend.locator("#go").is_hidden()
    friend.reload()
    friend.wait_for_selector("#go", state="visible")
    friend.click("#go")
    shows(friend, "#wrong", "Each friend helps once.")
    assert problems == []
    friend.context.close()
    page, problems = opened(browser, viewport, MINE, counter.url)
    page.goto(address)
    shows(page, "#kind", "Your bargain")
    shows(page, "#joined", "1 friend helped")
    price = page.locator("#price").text_content()
    now = counter.run(counter.shop.till.bargain(bargain.bargain)).price
    assert price == now.display()
    picture(page, f"bargain-own-{name}")
    with page.expect_navigation(url="**/sandbox/pay/**"):
        page.click("#go")
    shows(page, "#pay", price)
    pay(page)
    assert price in page.locator("#sums .total").text_content()
    assert problems == []
    page.context.close()


def test_what_does_not_exist_says_so(counter, browser):
    page, problems = opened(browser, PHONE)
    page.goto(f"{counter.url}/group/group_0")
    shows(page, "#title", "There is nothing here")
    assert problems == []
    page.context.close()
