"""How pages look, in both languages, light and dark, on desk and phone: nothing is cut, faint or out of reach."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import supervisor
from tests.fakes.every_page import ADDRESSES
from tests.fakes.looks import CUT, TEXTS

WIDTHS = {1280: 800, 390: 844}
FAINTEST = 4.5
STRAY = "() => document.documentElement.scrollHeight - innerHeight"
LOWEST = """() => Math.max(...[...document.querySelectorAll('main *')]
  .filter((e) => e.checkVisibility() && !e.closest('.vh') && getComputedStyle(e).position !== 'fixed')
  .map((e) => e.getBoundingClientRect().bottom)) - innerHeight"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_faint_or_out_of_reach(
    chromium: Browser, site: tuple[str, str], language: str, width: int
) -> None:
    base, recording = site
    context = chromium.new_context(viewport={"width": width, "height": WIDTHS[width]})
    context.set_default_timeout(20_000)
    page = context.new_page()
    supervisor(page, base, language)
    for name, address in ADDRESSES.items():
        page.goto(base + address.format(draft=recording))
        assert page.evaluate(CUT) == [], name
        assert page.evaluate(STRAY) <= 0 or name == "help", f"{name}: the window scrolls into nothing"
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            faint = [text for text in page.evaluate(TEXTS) if text[2] < FAINTEST]
            assert faint == [], (name, theme)
        if width == 390:
            page.mouse.move(200, 600)
            for _ in range(12):
                page.mouse.wheel(0, 4000)
            page.wait_for_timeout(150)
            assert page.evaluate(LOWEST) <= 0, f"{name}: its end is not reached"
    context.close()
