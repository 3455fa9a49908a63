"""Every page with a menu, in both languages, on a desk and on a phone: nothing is wider, the menu marks the page."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from callcenter.web.menu import menu_of
from callcenter.web.ports import Role
from tests.browser.conftest import ROOT, supervisor
from tests.fakes.every_page import ADDRESSES, MENU

WIDTHS = {1280: 800, 390: 844}
MARKED = "(all) => all.map((e) => new URL(e.href).pathname)"
ON_THE_BAR = """(all) => all.filter((e) => e.getBoundingClientRect().bottom <= 44
  && e.getBoundingClientRect().right <= document.querySelector('.top__r').getBoundingClientRect().left)
  .map((e) => new URL(e.href).pathname)"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_wider_and_the_menu_marks_the_page(
    chromium: Browser, site: tuple[str, str], language: str, width: int
) -> None:
    """While the supervisor's own phone rings, too: the call bar is above all of them."""
    base, recording = site
    context = chromium.new_context(viewport={"width": width, "height": WIDTHS[width]})
    context.set_default_timeout(20_000)
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    supervisor(page, base, language)
    everything = [f"/{entry.name}" for entry in menu_of(Role.SUPERVISOR)]
    for name, address in ADDRESSES.items():
        answer = page.goto(base + address.format(draft=recording))
        assert answer is not None
        assert answer.status == 200, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.get_attribute("html", "lang") == ("zh-CN" if language == "zh" else "en"), name
        entry = next((MENU[one] for one in MENU if name.startswith(one)), None)
        if entry is None:
            continue
        for menu in (".nav a", ".pull__nav a"):
            assert page.eval_on_selector_all(menu, MARKED) == everything, name
            assert page.eval_on_selector_all(f"{menu}[aria-current=page]", MARKED) == [f"/{entry}"], (name, menu)
        if width == 1280:
            assert page.eval_on_selector_all(".nav a", ON_THE_BAR) == everything, f"{name}: the bar is too long"
        page.click("details.pull summary")
        page.locator(".pull__nav a[aria-current]").focus()
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.matches('details.pull:not([open]) summary')"), name
    assert said == []
    context.close()


def test_on_a_phone_a_callback_is_a_card_without_a_gap(chromium: Browser, site: tuple[str, str]) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    supervisor(page, site[0], "zh")
    page.goto(site[0] + "/callbacks")
    row = page.locator("[data-callback]").first
    edges = row.locator("td").evaluate_all("(all) => all.map((e) => Math.round(e.getBoundingClientRect().left))")
    assert len({edge for n, edge in enumerate(edges) if n != 3}) == 1, "all but the ticket begin at one edge"
    boxes = row.locator("td").evaluate_all(
        "(all) => all.map((e) => [e.getBoundingClientRect().height, e.scrollHeight, e.innerText.trim()])"
    )
    assert not [box for box in boxes if not box[2] and box[0] > 4], "an empty cell takes no room"
    context.close()


def test_the_script_that_photographs_pages_does(tmp_path: Path) -> None:
    wanted = "ticket-unheard-390-light-zh,status-well-390-dark-en"
    done = subprocess.run(
        [sys.executable, "scripts/screenshots", str(tmp_path), "--only", wanted],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, ""), done.stdout
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "status-well-390-dark-en.png",
        "ticket-unheard-390-light-zh.png",
    ]
