"""The page of callbacks in a real Chromium, over the real store: what one does, all see; what is typed stays."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import supervisor

SHOWN = "(rows) => rows.map((row) => row.dataset.callback)"
ROWS = "[data-callback]"


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[list[BrowserContext]]:
    made: list[BrowserContext] = []
    yield made
    for one in made:
        one.close()


def opened(chromium: Browser, contexts: list[BrowserContext], base: str, width: int = 1280) -> Page:
    context = chromium.new_context(viewport={"width": width, "height": 844})
    context.set_default_timeout(20_000)
    contexts.append(context)
    page = context.new_page()
    supervisor(page, base, "en")
    page.goto(base + "/callbacks")
    page.wait_for_selector("body[data-ready]")
    return page


def test_what_one_does_all_see_and_what_is_typed_stays(
    chromium: Browser, contexts: list[BrowserContext], site: tuple[str, str]
) -> None:
    base, _ = site
    one, other = opened(chromium, contexts, base), opened(chromium, contexts, base)
    said: list[str] = []
    one.on("console", lambda message: said.append(message.text))
    one.on("pageerror", lambda error: said.append(str(error)))
    ids = one.eval_on_selector_all(ROWS, SHOWN)
    assert len(ids) == 4, "the withheld number is no row"
    assert "showed no number" in one.inner_text("#callbacks")
    first = one.locator(ROWS).first
    expect(first).to_contain_text("gave up waiting")
    expect(first.locator(".is-over [data-words]")).to_have_text("8 min over")
    assert one.inner_text("#callbacks-n") == "4"
    one.click(f"#cb-claim-{ids[0]}")
    expect(one.locator(ROWS).first).to_contain_text("in your hand")
    expect(other.locator(ROWS).first).to_contain_text("in your hand")  # the same person, in another window, by the push
    one.click(f"#cb-close-{ids[3]}")
    one.fill("#cb-reason", "wrote")
    other.click(f"#cb-claim-{ids[1]}")  # the list is drawn anew while somebody types
    expect(one.locator(f'[data-callback="{ids[1]}"]')).to_contain_text("in your hand")
    assert one.input_value("#cb-reason") == "wrote"
    one.fill("#cb-reason", "")
    one.click("[data-close-it]")
    expect(one.locator(ROWS)).to_have_count(4)
    one.fill("#cb-reason", "wrote a mail")
    one.click("[data-close-it]")
    expect(one.locator(ROWS)).to_have_count(3)
    expect(other.locator(ROWS)).to_have_count(3)
    expect(other.locator("#callbacks-n")).to_have_text("3")
    assert one.evaluate("document.getElementById('cb-dialog').open") is False
    assert said == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_telephone_and_its_words_are_read(
    chromium: Browser, contexts: list[BrowserContext], site: tuple[str, str], theme: str
) -> None:
    base, _ = site
    page = opened(chromium, contexts, base, 390)
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(ROWS).first.locator("button").first.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    page.locator("[data-close]").first.click()
    dialog = page.locator("#cb-dialog").bounding_box()
    assert dialog is not None
    assert dialog["x"] >= 0
    assert dialog["x"] + dialog["width"] <= 390
