"""The status page: true without a reload, in both languages and themes, at 390 px, without jumping."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Daemon, Desk, until_true

SMALL = pytest.mark.window(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
ENGLISH = pytest.mark.window(locale="en-GB")
DARK = pytest.mark.window(color_scheme="dark")


def part(name: str, state: str, ready: bool = True, **more: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "state": state, **more}


WELL = [
    part("asterisk", "up", facts={"asterisk_version": "22.10.1", "clock_offset_seconds": 0.012, "losses": 0}),
    part("calls", "quiet", facts={"running_calls": 0, "last_call_at": None, "lag_seconds": 0.011}),
    part("observation", "whole", facts={"unobserved_seconds": 0, "gaps": 0}),
    part("store", "writing", facts={"kind": "SQLite", "size_bytes": 48_234_496, "stored_seconds": 0.4}),
    part("secrets", "readable"),
    part("service level", "abandons_bad", facts={"threshold_seconds": 15}),
]
LATE = part("store", "late", False, reason="nothing was stored for 12 s. The disk is full; free some space.")


def test_a_line_that_is_not_well_says_so_and_what_to_do_and_goes_back(desk: Desk, daemon: Daemon) -> None:
    daemon.tell("health", parts=WELL)
    page = desk.tab("/status", "wu")
    store = page.locator('[data-line="store"]')
    expect(page.locator('[data-line="all"]')).to_contain_text("一切正常")
    expect(store).to_contain_text("正常写入")
    expect(store).to_contain_text("46 MB")
    expect(page.locator('[data-line="calls"]')).to_contain_text("最近来电未知")
    page.evaluate("window.marked = document.querySelector('[data-line=\"asterisk\"]')")
    parts = [LATE if one["name"] == "store" else one for one in WELL]
    daemon.tell("health", parts=parts, gaps=[{"started_at": daemon.now() - 90, "ended_at": None, "reason": "x"}])
    expect(store).to_contain_text("无法写入", timeout=15_000)
    expect(store).to_contain_text("The disk is full")
    expect(store).to_contain_text("处理办法")
    expect(page.locator('[data-line="all"]')).to_contain_text("1 项不正常")
    expect(page.locator('[data-line="gaps"]')).to_contain_text("仍在持续")
    assert page.evaluate("window.marked.isConnected"), "a line that did not change was not touched"
    store.get_by_role("link").click()
    page.wait_for_url("**/status/runbook#callcenterstorelate")
    expect(page.locator("#callcenterstorelate")).to_be_in_viewport()
    page.go_back()
    daemon.tell("health", parts=WELL)
    expect(page.locator('[data-line="all"]')).to_contain_text("一切正常", timeout=15_000)
    desk.calm()


def test_the_page_does_not_jump_and_keeps_the_focus(desk: Desk, daemon: Daemon) -> None:
    daemon.tell("health", parts=[LATE, *WELL[:3], *WELL[4:]])
    page = desk.tab("/status", "wu")
    page.evaluate("document.getElementById('main').scrollTop = 40")
    page.locator('[data-line="store"] a').focus()
    before = page.evaluate("[document.getElementById('main').scrollTop, document.getElementById('main').scrollHeight]")
    first = page.locator('[data-line="all"] .end').inner_text()
    until_true(page, f"document.querySelector('[data-line=\"all\"] .end').innerText !== {first!r}")
    after = page.evaluate("[document.getElementById('main').scrollTop, document.getElementById('main').scrollHeight]")
    assert after == before
    assert page.evaluate("document.activeElement.closest('[data-line]')?.dataset.line") == "store"
    desk.calm()


@pytest.mark.parametrize(
    ("words"),
    [
        pytest.param("系统状态", marks=SMALL, id="small"),
        pytest.param("System status", marks=ENGLISH, id="english"),
        pytest.param("系统状态", marks=DARK, id="dark"),
    ],
)
def test_it_fits_every_window(desk: Desk, daemon: Daemon, words: str) -> None:
    daemon.tell("health", parts=[LATE, *WELL])
    page = desk.tab("/status", "wu")
    if words == "System status":
        page.locator("details.pull summary").click()
        page.get_by_role("button", name="English").click()
        page.wait_for_selector("body[data-ready]")
    expect(page.locator("h2").first).to_have_text(words)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    desk.calm()


def test_a_server_that_was_killed_is_told_and_what_was_known_stays(desk: Desk, daemon: Daemon) -> None:
    daemon.tell("health", parts=WELL)
    page = desk.tab("/status", "wu")
    daemon.kill()
    expect(page.locator("#offline")).to_be_visible(timeout=15_000)
    expect(page.locator('[data-line="store"]')).to_contain_text("正常写入")
    daemon.start()
    expect(page.locator("#offline")).to_be_hidden(timeout=20_000)
    desk.calm(cut=True)
