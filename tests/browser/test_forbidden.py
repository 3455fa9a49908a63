"""A forbidden phrase (B8) of the running call: the seat sees it wherever it looks, until it has looked."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Daemon, Desk, until_true
from tests.fakes.looks import CUT

SAID = "您自己操作"
ALERTS = """() => { const box = document.getElementById('said'); window.alerts = [];
  new MutationObserver(() => { if (box.textContent) window.alerts.push(box.textContent); })
    .observe(box, { childList: true, subtree: true, characterData: true }); }"""


@pytest.fixture(autouse=True)
def talks(daemon: Daemon) -> None:
    daemon.actions("pause", "record")
    daemon.tell("put", step="ringing", call_id="a")
    daemon.tell("put", step="talking", call_id="a")


def say(daemon: Daemon, *forbidden: str) -> None:
    daemon.tell("say", seat="1001", call_id="a", lines=[["seat", SAID]], forbidden=list(forbidden))


def size(page: Page, selector: str) -> dict[str, float] | None:
    return page.locator(selector).bounding_box()  # type: ignore[return-value]


@pytest.mark.parametrize("path", ["/desk", "/tickets", "/tickets/187"])
@pytest.mark.parametrize(
    "width",
    [
        pytest.param(width, marks=pytest.mark.window(viewport={"width": width, "height": 800}, color_scheme=scheme))
        for width, scheme in ((1280, "dark"), (390, "light"))
    ],
)
def test_it_stands_in_the_call_bar_at_once_and_the_bar_stays_as_it_is(
    desk: Desk, daemon: Daemon, width: int, path: str
) -> None:
    page = desk.tab(path)
    expect(page.locator("#call")).to_have_attribute("data-state", "talking")
    say(daemon)
    parts = ("#call", "#call .name", "#call .call__w > .sub", "#call .timer")
    before = [size(page, part) for part in parts]
    expect(page.locator("#b8")).to_be_hidden()
    began = time.monotonic()
    say(daemon, SAID)
    expect(page.locator("#b8")).to_be_visible()
    assert time.monotonic() - began < 5  # not a measurement: other work shares the machine
    expect(page.locator("#b8")).to_contain_text("B8")
    expect(page.locator("#b8 bdi")).to_have_text(SAID)
    expect(page.locator("#b8 bdi")).to_be_in_viewport(ratio=1)
    assert [size(page, part) for part in parts] == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(
        "document.querySelector('#call .name').scrollWidth <= document.querySelector('#call .name').clientWidth"
    )
    say(daemon, SAID, "这个我们不清楚您打别的电话问一下吧" * 3)
    expect(page.locator("#b8 > b").last).to_have_text("2")
    assert [size(page, part) for part in parts] == before
    desk.calm()


def test_a_screen_reader_hears_it_once(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab("/tickets")
    page.evaluate(ALERTS)
    say(daemon, SAID)
    expect(page.locator("#said")).to_have_text(f"禁用语： {SAID}")
    for held in ("held", "retrieved"):  # the bar is drawn anew
        daemon.tell("put", step=held, call_id="a")
        say(daemon, SAID)
        expect(page.locator("#call")).to_have_attribute("data-state", "hold" if held == "held" else "talking")
        expect(page.locator("#b8")).to_be_visible()
    assert page.evaluate("window.alerts") == [f"禁用语： {SAID}"]
    desk.calm()


@pytest.mark.window(viewport={"width": 390, "height": 800})
def test_opening_the_pane_takes_it_away_on_every_page(desk: Desk, daemon: Daemon) -> None:
    page, other = desk.tab(), desk.tab("/tickets")
    expect(page.locator("#b8-count")).to_be_hidden()
    say(daemon, SAID)
    expect(page.locator("#b8-count")).to_have_text("1")
    expect(page.locator("#heard")).to_be_hidden()
    expect(other.locator("#b8")).to_be_visible()
    page.click(".tabs [data-to=aid]")
    expect(page.locator("#heard [data-alarm]")).to_be_in_viewport()
    for one in (page, other):
        expect(one.locator("#b8")).to_be_hidden()
    expect(page.locator("#b8-count")).to_be_hidden()
    other.reload()
    other.wait_for_selector("body[data-ready]")
    expect(other.locator("#b8")).to_be_hidden()
    desk.calm()


@pytest.mark.window(viewport={"width": 390, "height": 800})
def test_the_sign_leads_to_the_pane(desk: Desk, daemon: Daemon) -> None:
    say(daemon, SAID)
    page = desk.tab("/tickets")
    page.click("#b8")
    page.wait_for_selector("body[data-page=desk][data-ready]")
    expect(page.locator("#heard [data-alarm]")).to_be_in_viewport()
    expect(page.locator("#b8")).to_be_hidden()
    assert page.url == daemon.url + "/desk"
    page.click(".tabs [data-to=form]")
    page.click("#f-problem")
    page.keyboard.type("打印机")
    say(daemon, "不行", SAID)
    page.wait_for_timeout(500)
    expect(page.locator("#b8"), "what was looked at comes back").to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "f-problem"
    desk.calm()


def test_it_goes_with_the_call(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    say(daemon, SAID)
    expect(page.locator("#b8")).to_be_visible()
    daemon.tell("put", step="ended", call_id="a")
    expect(page.locator("#call")).to_have_attribute("data-state", "wrapup")
    expect(page.locator("#b8")).to_be_visible()
    page.keyboard.press("Alt+l")
    expect(page.locator("#call")).to_have_attribute("data-state", "free")
    expect(page.locator("#b8")).to_have_count(0)
    until_true(page, "document.getElementById('b8-count').hidden")
    desk.calm()


def test_nothing_is_cut_beside_the_buttons_of_the_wrap_up(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    page.click("details.pull summary")
    page.click("button[name=lang][value=en]")
    page.wait_for_selector("html[lang=en] body[data-ready]")
    daemon.tell("put", step="ended", call_id="a")
    expect(page.locator("#call")).to_have_attribute("data-state", "wrapup")
    bar = size(page, "#call")
    say(daemon, SAID)
    expect(page.locator("#b8")).to_contain_text("Not to be said: " + SAID)
    expect(page.locator("#b8 bdi")).to_be_in_viewport(ratio=1)
    assert size(page, "#call") == bar
    assert page.evaluate(CUT) == []
    desk.calm()
