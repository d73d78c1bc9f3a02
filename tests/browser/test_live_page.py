"""A headless Chromium watches ``python -m sdk.live`` as a shopper would."""

import signal
from pathlib import Path

import pytest

from tests.support.live_process import (
    ARTIFACTS,
    CATALOGUE,
    DESK,
    FACE,
    MEDIA_STATS,
    PHONE,
    WATCH_PEERS,
    free_port,
    live_process,
    wait_for,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]


# Every sentence that the captions showed, in order; and with each product the sentence beside it.
RECORD_CAPTIONS = """
window.lines = [];
window.pins = [];
addEventListener('DOMContentLoaded', () => {
  const live = document.getElementById('caption-live');
  const title = document.getElementById('card-title');
  const pinned = () => window.pins.push([title.textContent, live.textContent]);
  new MutationObserver(pinned).observe(title, { childList: true });
  const record = () => window.lines.push(live.textContent);
  new MutationObserver(record).observe(live, { childList: true });
});
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def server(folder, browser):
    options = ("--persona", str(FACE), "--catalogue", str(CATALOGUE), "--name", "Mara")
    with live_process(folder, *options, "--port", "0") as running:
        yield running


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_it(url: str, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        context.add_init_script(WATCH_PEERS + RECORD_CAPTIONS)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "console",
            lambda message: (
                page.problems.append(message.text) if "Content Security" in message.text else None
            ),
        )
        page.goto(url)
        return page

    yield open_it
    for context in contexts:
        context.close()


def is_live(page) -> bool:
    return page.evaluate("document.querySelector('.show').dataset.connection") == "live"


def stats(page):
    return page.evaluate(MEDIA_STATS)


def speaks(page) -> bool:
    return page.locator("#caption .now").count() > 0


def test_picture_sound_and_captions(server, open_page):
    page = open_page(server.url)
    wait_for(lambda: is_live(page), "live")
    page.click("#unmute")
    assert page.evaluate("document.getElementById('video').muted") is False
    wait_for(lambda: speaks(page), "a caption with its current word")
    before = stats(page)
    wait_for(lambda: stats(page)["frames"] >= before["frames"] + 75, "three seconds of pictures")
    after = stats(page)
    assert (after["width"], after["height"]) == (512, 512)
    assert after["energy"] - before["energy"] > 0.002
    assert page.problems == []


def test_captions_show_the_sentence_that_is_spoken_and_turn_with_it(server, open_page):
    page = open_page(server.url)
    wait_for(lambda: is_live(page) and speaks(page), "the show")
    look = """() => ({
      shown: document.getElementById('caption').textContent.trim(),
      whole: document.getElementById('caption-live').textContent,
      now: document.querySelector('#caption .now')?.textContent ?? '',
    })"""
    seen = set()

    def has_turned() -> bool:
        caption = page.evaluate(look)
        if caption["now"]:
            assert caption["shown"] in caption["whole"]
            assert caption["now"] in caption["shown"]
            seen.add((caption["whole"], caption["now"]))
        return len({whole for whole, _ in seen}) >= 3 and len(seen) >= 8

    wait_for(has_turned, "three sentences, word by word", timeout_s=60)


def test_a_product_is_pinned_with_the_sentence_that_names_it(server, open_page):
    page = open_page(server.url)
    wait_for(lambda: is_live(page), "live")

    def pins():
        # A card is drawn again when its stock changes, and the first one when the page opens.
        drawn = page.evaluate("window.pins")
        first_of = dict(reversed(drawn))
        return [pair for pair in first_of.items() if pair[0] != drawn[0][0]]

    wait_for(lambda: len(pins()) >= 2, "two products", timeout_s=100)
    for title, line in pins():
        assert title in line


def test_a_typed_question_is_answered_pinned_and_the_script_goes_on(server, open_page):
    page = open_page(server.url)
    wait_for(lambda: is_live(page) and speaks(page), "the show")
    titles = page.locator(".shelf-list h3").all_text_contents()
    pinned = page.locator("#card-title").text_content()
    wanted = next(title for title in reversed(titles) if title != pinned)
    page.fill("#name", "Ana")
    page.fill("#message", f"How much is the {wanted}?")
    page.press("#message", "Enter")
    own = page.locator(".messages .mine").last
    wait_for(lambda: wanted in (own.text_content() or ""), "the own bubble")
    wait_for(
        lambda: own.get_attribute("data-answer") == "now", "the answer being said", timeout_s=40
    )
    assert "Answering you now" in own.text_content()
    wait_for(lambda: page.locator("#card-title").text_content() == wanted, "the pinned product")
    wait_for(
        lambda: any("Ana" in line for line in page.evaluate("window.lines")),
        "the answer in the captions",
    )
    page.screenshot(path=_artifact("answer.png"))
    wait_for(lambda: own.get_attribute("data-answer") == "done", "the answer's end", timeout_s=40)
    said = len(page.evaluate("window.lines"))
    wait_for(lambda: len(page.evaluate("window.lines")) > said, "the script again", timeout_s=30)
    assert "Mara" in page.locator(".messages .presenter").last.text_content()
    assert page.problems == []


@pytest.mark.parametrize(("name", "viewport"), [("phone", PHONE), ("desktop", DESK)])
def test_nothing_covers_the_face_or_each_other(server, open_page, name, viewport):
    page = open_page(server.url, viewport, has_touch=name == "phone")
    wait_for(lambda: is_live(page) and speaks(page), "the show")
    wait_for(lambda: page.locator("#card").is_visible(), "a pinned product", timeout_s=40)
    wait_for(lambda: speaks(page), "a caption")
    page.screenshot(path=_artifact(f"{name}.png"))

    def box(selector: str):
        return page.locator(selector).bounding_box()

    video, caption, card = box("#video"), box("#caption"), box("#card")
    mouth = video["y"] + 0.66 * video["height"]
    assert caption["y"] >= mouth
    assert card["y"] >= caption["y"] + caption["height"] - 1
    width, height = viewport["width"], viewport["height"]
    for selector in ("#card", "#caption", "#live", "#mute", ".host", ".ai-label"):
        found = box(selector)
        assert found["x"] >= 0, selector
        assert found["x"] + found["width"] <= width + 1, selector
        assert found["y"] + found["height"] <= height + 1, selector
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".ai-label").text_content() == "AI presenter"


def test_the_phone_opens_shelf_and_chat_by_keyboard(server, open_page):
    page = open_page(server.url, PHONE, reduced_motion="reduce")
    wait_for(lambda: is_live(page), "live")
    page.focus("#shelf-open")
    page.keyboard.press("Enter")
    page.wait_for_selector("#shelf-list li", state="visible")
    assert page.get_attribute("#shelf-open", "aria-expanded") == "true"
    assert page.evaluate("document.activeElement.id") == "shelf-close"
    assert page.locator("#shelf-list li").count() >= 12
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "shelf-open"
    page.wait_for_selector("#shelf-list", state="hidden")
    page.click("#chat-open")
    page.wait_for_selector("#messages", state="visible")
    assert page.problems == []


def test_it_comes_back_after_the_server_restarts(folder, browser, open_page):
    port = free_port()
    options = ("--persona", str(FACE), "--catalogue", str(CATALOGUE), "--port", str(port))
    with live_process(folder, *options) as first:
        page = open_page(first.url)
        wait_for(lambda: is_live(page), "live")
        page.screenshot(path=_artifact("before-restart.png"))
        first.end(signal.SIGKILL)
        wait_for(lambda: not is_live(page), "noticing that the server is gone")
        assert page.locator("#live-text").text_content() == "Reconnecting"
        page.screenshot(path=_artifact("reconnecting.png"))
    with live_process(folder, *options):
        wait_for(lambda: is_live(page), "live again", timeout_s=30)
        frames = stats(page)["frames"]
        wait_for(lambda: stats(page)["frames"] > frames + 25, "a moving picture")
        wait_for(lambda: speaks(page), "captions")
    assert page.problems == []


def test_a_guarded_show_lets_in_by_link_and_says_so_otherwise(folder, open_page):
    options = ("--persona", str(FACE), "--token", "a-long-secret", "--port", "0", "--no-script")
    with live_process(folder, *options) as guarded:
        assert "?ticket=" in guarded.url
        page = open_page(guarded.url)
        wait_for(lambda: is_live(page), "live with the ticket")
        stranger = open_page(guarded.url.partition("?")[0])
        wait_for(
            lambda: "new link" in (stranger.locator("#notice").text_content() or ""), "the reason"
        )
        assert stranger.locator("#live-text").text_content() == "Show ended"


def _artifact(name: str) -> str:
    ARTIFACTS.mkdir(exist_ok=True)
    return str(ARTIFACTS / name)
