"""The ticket window in a real Chromium, fed by a real call on a real Asterisk through the real daemon."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.daemon import PASSWORD, Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.browser.conftest import CHROMIUM, FLAGS

NAME = "<script>alert(1)</script>李雷"


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Daemon]:
    daemon = Daemon(lab)
    daemon.seat("1001", "018")
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def pages(daemon: Daemon) -> Iterator[tuple[Page, Page]]:
    """Two tabs of the same seat."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
        complaints: list[str] = []
        first = context.new_page()
        first.on("dialog", lambda dialog: complaints.append(dialog.message))
        first.goto(daemon.address + "/login")
        first.fill("[name=name]", "seat1001")
        first.fill("[name=password]", PASSWORD)
        first.press("[name=password]", "Enter")
        first.wait_for_url("**/desk")
        second = context.new_page()
        second.goto(daemon.address + "/desk")
        yield first, second
        assert not complaints, "a caller's name was run as a script"
        browser.close()


def test_pop_type_kill_reload(lab: Lab, daemon: Daemon, pages: tuple[Page, Page]) -> None:
    """The window pops in both tabs while the phone rings; what is typed in the call is on the ticket after kill -9 of
    the daemon, a reload and the end of the call."""
    first, second = pages
    lab.phones.seat("1001", 8.0)
    lab.phones.customer("13800000001", "4000", Talk(45), Hangup(), name=NAME)
    for page in pages:
        page.wait_for_selector("#call[data-state=ringing]", timeout=15_000)
        expect(page.locator("#call")).to_contain_text("李雷")
    first.wait_for_selector("#call[data-state=talking]", timeout=15_000)
    first.wait_for_selector("#f-problem")
    first.fill("#f-problem", "三楼打印机脱机")
    wait_until(lambda: any(t["problem"] == "三楼打印机脱机" for t in daemon.tickets()), 10, "the text to be saved")
    daemon.kill()
    first.fill("#f-wants", "今天下午前恢复")
    daemon.start()
    wait_until(lambda: any(t["wants"] == "今天下午前恢复" for t in daemon.tickets()), 40, "what was typed meanwhile")
    first.reload()
    expect(first.locator("#f-problem")).to_have_value("三楼打印机脱机", timeout=15_000)
    expect(first.locator("#f-wants")).to_have_value("今天下午前恢复")
    expect(second.locator("#call")).to_have_attribute("data-state", "talking", timeout=30_000)
    (ticket,) = daemon.tickets()
    assert ticket["problem"] == "三楼打印机脱机"
