"""The duty roster (A5) in a real Chromium: it fits, is read without colours, lives; without one it is not there."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Daemon, Desk, until_true
from tests.browser.test_wallboard import OVERFLOWS, SCROLLS, SIZES, SMALLEST, TEXTS, as_supervisor, screen

WIDE = [
    pytest.param(*size, marks=pytest.mark.window(viewport=dict(zip(("width", "height"), size, strict=True))))
    for size in SIZES
]


def english(page: Page, path: str) -> None:
    page.goto(page.url.rpartition("/")[0] + "/tickets")
    page.click("details.pull summary")
    page.click("button[name=lang][value=en]")
    page.goto(page.url.rpartition("/")[0] + path)
    page.wait_for_selector("body[data-ready]")


@pytest.mark.roster
@pytest.mark.parametrize(("width", "height"), WIDE)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_screen_with_its_tile_fits_and_is_read(
    desk: Desk, daemon: Daemon, width: int, height: int, language: str
) -> None:
    page = screen(desk, daemon, "busy")
    if language == "en":
        english(page, "/wallboard")
    assert page.evaluate(SCROLLS) == [False, False]
    assert page.evaluate(OVERFLOWS) == []
    assert page.locator(".ws li:visible").count() == 10
    texts = page.evaluate(TEXTS)
    assert [text for text in texts if text[1] < SMALLEST * height - 0.1] == [], "too small to be read"
    assert [text for text in texts if text[2] < 4.5] == [], "too little contrast"
    tile = page.inner_text("[data-part=roster]")
    for word in ("缺岗", "离岗", "班未到 5") if language == "zh" else ("Missing", "Left", "5 not there yet"):
        assert word in tile
    assert "/ 40" in tile
    assert "座席" not in tile, "a work number, and no name"
    daemon.tell("late", seats=3)
    until_true(page, "document.querySelectorAll('[data-part=roster] .rst__w p').length === 3")
    assert page.evaluate(OVERFLOWS) == [], "with a line of each kind"
    desk.calm()


@pytest.mark.roster
@pytest.mark.window(viewport={"width": 1920, "height": 1080})
def test_a_seat_that_goes_is_on_the_screen_and_gone_from_it_when_it_is_back(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "small")
    assert "离岗" not in page.inner_text("[data-part=roster]")
    daemon.tell("seat", extension="1002", phone="unreachable")
    until_true(page, "document.querySelector('[data-part=roster]').textContent.includes('离岗')")
    assert "002" in page.inner_text("[data-part=roster] p:has-text('离岗')")
    assert page.locator("[data-part=roster] .mid svg").count() == 1, "a sign, and not only a colour"
    daemon.tell("seat", extension="1002", phone="idle")
    until_true(page, "!document.querySelector('[data-part=roster]').textContent.includes('离岗')")
    desk.calm()


@pytest.mark.roster
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "width",
    [pytest.param(n, marks=pytest.mark.window(viewport={"width": n, "height": 844})) for n in (1280, 390)],
)
def test_the_supervisor_sees_who_is_missing_who_comes_next_and_how_the_day_was(
    desk: Desk, daemon: Daemon, width: int, scheme: str
) -> None:
    daemon.tell("scene", name="busy")
    page = as_supervisor(desk, "/supervise")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [text for text in page.evaluate(TEXTS) if text[2] < 4.5] == [], "too little contrast"
    panel = page.locator("#roster")
    rows = panel.locator(".posts li")
    assert rows.count() == 13
    first = rows.first.inner_text()
    assert "缺岗" in first
    assert "004 号 座席4" in first.replace("\n", " ")
    assert [rows.nth(n).locator("svg").count() for n in range(13)] == [1] * 13, "a sign beside each word"
    expect(panel).to_contain_text("未到：")
    expect(panel).to_contain_text("1999 号")
    history = panel.locator(".kept tbody tr")
    assert "+4:20" in history.first.inner_text()
    assert "还没到" in panel.locator(".kept tr:has-text('004 号')").inner_text()
    daemon.tell("seat", extension="1004", phone="idle")
    until_true(page, "!document.querySelector('.posts').textContent.includes('缺岗')")
    desk.calm()


@pytest.mark.window(viewport={"width": 1920, "height": 1080})
def test_without_a_roster_nobody_sees_anything_of_it(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "busy")
    assert page.locator("[data-part=roster]").count() == 0
    assert "应到" not in page.content()
    board = as_supervisor(desk, "/supervise")
    assert board.locator("#roster").count() == 0
    assert "值班表" not in board.content()
    desk.calm()


@pytest.mark.roster
@pytest.mark.window(viewport={"width": 390, "height": 844})
def test_on_a_phone_queues_and_roster_stand_whole(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "busy")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in ("queues", "roster", "seats"):
        box = page.locator(f"[data-part={part}]")
        assert box.evaluate("e => e.scrollHeight - e.clientHeight") <= 4, part
    desk.calm()
