"""A headless Chromium sits at the seller's desk beside a real show."""

import io
import json
import math
from pathlib import Path

import pytest
from PIL import Image

from commerce.shop import Money, Shop
from commerce.shop.ledger import Ledger
from commerce.shop.letterbox import ExternalEvent
from sdk.live.access import Access
from tests.support.consoles import served_console
from tests.support.live_process import (
    ARTIFACTS,
    CATALOGUE,
    DESK,
    FACE,
    PHONE,
    chromium,
    live_process,
    wait_for,
)
from tests.support.purchases import chat_link, commerce, in_a_thread

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

HOSTILE = '<img src=x onerror="window.hacked=1">'
REFUSED = "status of 422"  # a browser tells of every refusal by itself
TABS = ("now", "sales", "orders", "chats", "drive")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def browser(folder):
    film = folder / "face.mjpeg"
    with film.open("wb") as file:
        for picture in rocking_face():
            file.write(picture)
    camera = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    with chromium(*camera) as running:
        yield running


def rocking_face():
    """What a camera would see: the example face, rocked from side to side."""
    face = Image.open(FACE).convert("RGB").resize((480, 480))
    for count in range(50):
        scene = Image.new("RGB", (640, 480), (120, 120, 120))
        scene.paste(face, (80 + round(40 * math.sin(count / 50 * math.tau)), 0))
        content = io.BytesIO()
        scene.save(content, "JPEG", quality=85)
        yield content.getvalue()


@pytest.fixture(scope="module")
def server(folder, browser):
    in_a_thread(lambda: chats(folder))
    options = ("--persona", str(FACE), "--catalogue", str(CATALOGUE), "--name", "Mara")
    database = ("--database", str(folder / "shop.db"))
    with live_process(folder, *options, *database, "--port", "0") as running:
        yield running


async def chats(folder: Path) -> None:
    """A group that has written, and a letter that could not be worked on."""
    async with Shop.open(str(folder / "shop.db")) as shop:
        node = await shop.ledger.node("group", "telegram", "-100")
        await shop.letterbox.groups.open(node, "telegram")
        await shop.letterbox.inbox.accept([ExternalEvent("telegram", "1", b"{}")])
        (event,) = await shop.letterbox.inbox.claim()
        await shop.letterbox.inbox.fail(event.key, HOSTILE, is_final=True)


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_it(url: str, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "console",
            lambda said: (
                page.problems.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.goto(url)
        return page

    yield open_it
    for context in contexts:
        assert [page.evaluate("window.hacked") for page in context.pages] == [None]
        context.close()


def is_live(page) -> bool:
    return page.get_attribute("#connection", "data-state") == "live"


def turn_to(page, tab: str) -> None:
    page.click(f'.tabs a[href="#{tab}"]')
    page.wait_for_selector(f"#tab-{tab}", state="visible")
    wait_for(lambda: page.locator(f"#tab-{tab} [aria-busy]").count() == 0, "its lists")


def picture(page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTIFACTS / f"console-{name}.png"))


def buy(page, link: str, sku: str, email: str, *, session: str = "main", after=None) -> str:
    """A buyer comes by a link and pays with a test card.

    Args:
        after: Told the visitor's cookie when the link was followed.
    """
    base = page.url.partition("/console")[0]
    buyer = page.context.browser.new_context()
    try:
        send = buyer.request
        assert send.get(base + link, max_redirects=0).status == 302
        if after is not None:
            (cookie,) = [one for one in buyer.cookies() if one["name"] == "lp_visitor"]
            after(cookie["value"])
        wish = {"lines": [{"sku": sku, "quantity": 1}], "session": session}
        started = send.post(f"{base}/checkout", data=wish).json()
        paid = send.post(started["url"], data={"card": "success", "email": email}).json()
        assert paid["outcome"] == "paid"
        return started["order"]
    finally:
        buyer.close()


async def signed_in(folder: Path, visitor: str) -> None:
    """The visitor turns out to be the very person who recommended."""
    async with Shop.open(str(folder / "shop.db")) as shop:
        friend = await shop.ledger.node("chat", "telegram", "4711")
        await shop.ledger.link(friend, await shop.ledger.node("visitor", visitor), "login")


async def books(folder: Path, order: str) -> tuple[Money, list[str]]:
    """What was given back of an order, and which orders are held."""
    async with Shop.open(str(folder / "shop.db")) as shop:
        held = [one.order for one in await shop.ledger.holds()]
        return (await shop.till.order(order)).refunded, held


def tile(page, name: str) -> str:
    return page.locator(f'[data-tile="{name}"]').first.text_content()


def test_sales_holds_and_statement_are_those_of_the_books(server, folder, open_page):
    page = open_page(f"{server.url}console#sales")
    order = buy(
        page,
        chat_link(folder),
        "lamp-arc",
        "ann@b.example",
        after=lambda visitor: in_a_thread(lambda: signed_in(folder, visitor)),
    )
    buy(page, chat_link(folder, "12"), "scarf-fjord", "bob@b.example")
    buy(page, "/r/no-such-link", "mug-morning", "eve@b.example", session=HOSTILE)
    sold = "fetch('api/console/sales').then((a) => a.json()).then((a) => a.orders)"
    wait_for(lambda: page.evaluate(sold) == 3, "three orders in the books")
    page.reload()
    wait_for(lambda: is_live(page), "live")
    turn_to(page, "sales")
    page.wait_for_selector("#tab-sales .plot")
    found = commerce(folder, "report")
    rows = page.locator("#tab-sales table").first.locator("tbody tr")
    assert rows.count() == len(found["rows"])
    for place, row in enumerate(found["rows"]):
        cells = rows.nth(place).locator("th, td").all_text_contents()
        assert float(cells[1]) == row["orders"]
        for cell, name in zip(cells[2:], ("goods", "returned", "commission"), strict=True):
            assert round(float(cell.strip("$")) * 100) == row[name]["minor"], (place, name)
    assert "Unattributed" in rows.last.text_content()
    goods = sum(row["goods"]["minor"] for row in found["rows"])
    assert round(float(tile(page, "Goods").strip("$")) * 100) == goods
    assert "TEST MODE" in page.locator("#tab-sales .banner").first.text_content()
    assert page.locator("#tab-sales .plot").count() == 2
    picture(page, "sales")
    # What a buyer's program sent as the name of a session is text, and nothing else.
    page.locator("#tab-sales select").first.select_option("session")
    wait_for(lambda: HOSTILE in page.locator("#tab-sales table").first.text_content(), "the name")

    hold = page.locator(f'.holds > li[data-order="{order}"]')
    assert "the same person" in hold.text_content()
    hold.locator("text=Release…").click()
    page.fill("#ask input[name=by]", "Dana")
    page.fill("#ask input[name=note]", "a tester, and quick")
    page.click("#ask button[type=submit]")
    hold.wait_for(state="detached")

    page.fill('#tab-sales input[aria-label="Order"]', order)
    page.keyboard.press("Enter")
    page.wait_for_selector(f'.statement[data-order="{order}"]')
    assert "Released by Dana" in page.locator(".statement").text_content()
    with page.expect_download() as coming:
        page.click("text=Download (JSON)")
    document = json.loads(Path(coming.value.path()).read_text())
    key = page.locator(".statement pre").text_content().rpartition(" ")[2]
    assert Ledger.verify_statement(document, key)["order"] == order
    with page.expect_download() as coming:
        page.click("text=Download CSV")
    assert HOSTILE.replace('"', '""') in Path(coming.value.path()).read_text()

    turn_to(page, "orders")
    details = page.locator(f'details[data-order="{order}"]')
    details.locator("summary").click()
    assert "list price" in details.text_content()
    details.locator("text=Refund…").click()
    assert "cannot be undone" in page.locator("#ask").text_content()
    page.keyboard.press("Escape")
    assert not page.locator("#ask").is_visible()
    assert "back" not in details.text_content()
    details.locator("text=Refund…").click()
    page.fill("#ask input[name=amount]", "4.00")
    page.click("#ask button[type=submit]")
    wait_for(lambda: commerce(folder, "orders", order)[0]["refunded"]["minor"] == 400, "the refund")
    left = page.locator('output[data-stock="mug-morning"]')
    units = int(left.text_content())
    page.get_by_label("Set the stock of Morning Stoneware Mug").click()
    page.fill("#ask input[name=stock]", str(units + 2))
    page.keyboard.press("Enter")
    wait_for(lambda: left.text_content() == str(units + 2), "the stock")
    assert page.problems == []


def test_the_show_is_steered_and_a_groups_rules_change(server, folder, open_page):
    page = open_page(f"{server.url}console")
    wait_for(lambda: is_live(page), "live")
    page.click('[role="switch"]')
    wait_for(lambda: page.get_attribute('[role="switch"]', "aria-checked") == "false", "script off")
    page.fill("#tab-now textarea", f"Tonight everything is handmade. {HOSTILE}")
    page.check("text=Interrupt")
    page.click("text=Say it")
    wait_for(
        lambda: "handmade" in page.locator(".caption").text_content(), "the line", timeout_s=20
    )
    page.click("text=Silence now")
    page.locator(".pinned + .row select").select_option("scarf-fjord")
    page.click("#tab-now button:text-is('Pin')")
    wait_for(lambda: "Fjord" in page.locator(".pinned").text_content(), "the pin")
    page.click("button.chip:text-is('happy')")
    page.wait_for_selector('.chip[aria-pressed="true"]')
    page.click("button.chip:text-is('nod')")
    video = "document.querySelector('#tab-now video')"
    assert page.evaluate(f"{video}.videoWidth") == 512
    picture(page, "now")

    turn_to(page, "chats")
    assert HOSTILE in page.locator("#tab-chats").text_content()
    page.locator(".groups details summary").first.click()
    form = page.locator(".groups form").first
    form.locator("[name=per_day]").fill("7")
    form.locator("[name=audience]").fill("pregnant women")
    form.locator("[type=submit]").click()
    wait_for(lambda: "must not name" in form.text_content(), "the refusal")
    form.locator("[name=audience]").fill("hikers")
    form.locator("[name=has_quiet]").check()
    form.locator("[name=zone]").fill("Asia/Shanghai")
    form.locator("[type=submit]").click()
    wait_for(lambda: "7 a day" in page.locator(".groups summary").first.text_content(), "saved")
    (group,) = commerce(folder, "groups", "list")
    assert {"per-day 7", "about hikers", "quiet 22:00-08:00 Asia/Shanghai"} <= set(group["rules"])
    page.click("text=Try all again")
    wait_for(lambda: "0 dead" in page.locator("#tab-chats").text_content(), "no dead letters")
    picture(page, "chats")
    assert [said for said in page.problems if REFUSED not in said] == []


def test_a_camera_drives_the_avatar_and_is_calibrated(server, open_page):
    page = open_page(f"{server.url}console#drive", permissions=["camera"])
    wait_for(lambda: is_live(page), "live")
    page.click("text=Start the camera")
    wait_for(lambda: "Face found" in page.locator(".drive-state").text_content(), "the face")
    page.click("text=Calibrate")
    wait_for(lambda: "at rest" in page.locator("#notices").text_content(), "calibrated")
    picture(page, "drive")
    page.click("text=Stop the camera")
    wait_for(lambda: "is off" in page.locator(".drive-state").text_content(), "the end")
    driver = "fetch('api/console/show').then((a) => a.json()).then((a) => a.driver.is_active)"
    wait_for(lambda: page.evaluate(driver) is False, "the avatar's own face")
    assert page.problems == []


def test_a_phone_has_everything_by_thumb_and_keyboard(server, open_page):
    page = open_page(f"{server.url}console", PHONE, color_scheme="dark", has_touch=True)
    wait_for(lambda: is_live(page), "live")
    for tab in TABS:
        page.focus(f'.tabs a[href="#{tab}"]')
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#tab-{tab}", state="visible")
        wait_for(lambda: page.locator("[aria-busy]").count() == 0, "its lists")
        assert page.get_attribute(f'.tabs a[href="#{tab}"]', "aria-current") == "page"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], tab
        assert page.locator("h1:visible").count() == 1
        unnamed = """[...document.querySelectorAll(
            '.tab:not([hidden]) :is(button, input, select, textarea)')]
          .filter((el) => !(el.textContent.trim() || el.ariaLabel || el.labels?.length)).length"""
        assert page.evaluate(unnamed) == 0, tab
        small = """[...document.querySelectorAll('.tab:not([hidden]) button, .tabs a')]
          .filter((el) => el.offsetHeight && el.offsetHeight < 24).length"""
        assert page.evaluate(small) == 0, tab
        picture(page, f"phone-{tab}")
    assert page.problems == []


def test_a_guarded_console_asks_for_the_token(tmp_path, browser, open_page):
    access = Access("127.0.0.1", "a-long-secret")
    with served_console(tmp_path, access) as address:
        page = open_page(f"{address}/console?ticket={access.ticket()}")
        page.wait_for_selector("#signin", state="visible")
        page.fill("#token", access.ticket())
        page.keyboard.press("Enter")
        wait_for(lambda: "token" in page.locator("#signin-wrong").text_content(), "no ticket")
        assert page.locator("main section").count() == 0
        page.fill("#token", "a-long-secret")
        page.keyboard.press("Enter")
        page.wait_for_selector("#tab-now", state="visible")
        assert page.locator("#presenter").text_content() == "Mara"
        assert "a-long-secret" not in page.content()
        turn_to(page, "orders")
        page.reload()
        page.wait_for_selector("#tab-orders", state="visible")
        # There is no picture to be had in this show.
        assert [said for said in page.problems if "status of 40" not in said] == []
