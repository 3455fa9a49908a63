"""A ticket's clocks in a real Chromium: on its page, on the seat's window, on the supervisor's desk (D1 to D4)."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Daemon, Desk
from tests.fakes.looks import CUT, TEXTS

SMALL = pytest.mark.window(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
HOUR = 3600.0


def talking(daemon: Daemon, ago: float = 0.0, call_id: str = "a", **facts: object) -> int:
    ticket = daemon.tell("put", step="ringing", call_id=call_id, ago=ago, **facts)["ticket"]
    daemon.tell("put", step="talking", call_id=call_id, ago=ago)
    return int(ticket)


def test_a_ticket_is_paused_with_a_reason_and_goes_on(desk: Desk, daemon: Daemon) -> None:
    ticket = talking(daemon)
    page, other = desk.tab(f"/tickets/{ticket}"), desk.tab(f"/tickets/{ticket}")
    clocks = page.locator("#clocks")
    expect(clocks.locator('[data-clock-name="response"]')).to_have_attribute("data-state", "kept")
    resolution = clocks.locator('[data-clock-name="resolution"]')
    expect(resolution).to_have_attribute("data-state", "running")
    expect(resolution.locator("[data-words]")).to_contain_text("剩")
    page.click('button[data-clock="pause"]')
    expect(page.locator("#toasts")).to_contain_text("暂停计时要写原因")
    page.fill("#clock-reason", "等备件 <b>")
    page.press("#clock-reason", "Enter")
    expect(resolution).to_have_attribute("data-state", "paused")
    expect(clocks).to_contain_text("等备件 <b>")
    expect(other.locator('#clocks [data-clock-name="resolution"]')).to_have_attribute("data-state", "paused")
    page.click('button[data-clock="resume"]')
    expect(resolution).to_have_attribute("data-state", "running")
    desk.calm(refused="400 (Bad Request)")


def test_a_severity_makes_it_stricter_and_an_outage_wants_a_plan(desk: Desk, daemon: Daemon) -> None:
    ticket = talking(daemon)
    page = desk.tab(f"/tickets/{ticket}")
    resolution = page.locator('#clocks [data-clock-name="resolution"]')
    expect(resolution).to_contain_text("D1")
    page.select_option("#clock-severity", "outage")
    plan = page.locator('#clocks [data-clock-name="plan"]')
    expect(plan).to_have_attribute("data-state", "running")
    page.click('button[data-clock="plan"]')
    expect(plan).to_have_attribute("data-state", "kept")
    page.select_option("#clock-level", "vip")
    expect(page.locator("#clocks summary .chip").first).to_have_text("VIP")
    expect(page.locator("#clocks ul")).to_contain_text("li: 服务级别 VIP")
    desk.calm()


def test_the_seats_window_shows_the_clocks_and_nothing_typed_is_lost(desk: Desk, daemon: Daemon) -> None:
    ticket = talking(daemon)
    page = desk.tab()
    page.fill("#f-problem", "打不出发票")
    page.click("#clocks summary")
    page.select_option("#clock-severity", "software")
    expect(page.locator("#clocks summary")).to_contain_text("一般软件故障")
    assert page.input_value("#f-problem") == "打不出发票"
    daemon.until(ticket, "problem", "打不出发票")
    page.focus("#clock-reason")
    page.keyboard.type("等客户")
    daemon.tell("save", ticket=ticket, fields={"wants": "尽快"}, by="ma")
    expect(page.locator("#f-wants")).to_have_value("尽快")
    assert page.input_value("#clock-reason") == "等客户", "drawn anew under the cursor, and still there"
    desk.calm()


def test_the_supervisors_desk_lists_the_worst_first_and_the_wall_counts_them(desk: Desk, daemon: Daemon) -> None:
    for number, hours in enumerate((200, 400)):
        talking(daemon, hours * HOUR, f"c{number}", seat=f"100{number + 1}")
        daemon.tell("put", step="ended", call_id=f"c{number}", ago=hours * HOUR - 60)
    page = desk.tab("/supervise", "003")
    rows = page.locator("#clocks-worst li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_have_attribute("data-state", "breached")
    due = [float(row.get_attribute("data-left") or 0) for row in rows.locator("[data-left]").all()]
    assert due == sorted(due), "the longest over is the first"
    rows.first.locator("a").click()
    expect(page.locator("#clocks")).to_be_visible()
    wall = desk.context.new_page()
    wall.goto(daemon.url + "/wallboard")
    expect(wall.locator('[data-part="tickets"] [data-level="standard"] b').nth(1)).to_have_text("2")
    desk.calm()


def test_a_visit_is_dispatched_booked_and_made_by_the_keyboard_in_a_call(desk: Desk, daemon: Daemon) -> None:
    """B3, D3, D4: two tabs, a reload, a step taken back; nothing that is being typed is lost."""
    ticket = talking(daemon)
    page, other = desk.tab(), desk.tab(f"/tickets/{ticket}")
    panel, mirrored = page.locator("#dispatch"), other.locator("#dispatch")
    page.fill("#f-problem", "打不出发票")
    page.keyboard.press("F7")
    expect(page.locator("#step-remote")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(panel.locator('[data-clock-name="dispatch"]')).to_have_attribute("data-state", "running")
    expect(panel.locator('[data-clock-name="dispatch"] [data-words]')).to_contain_text("剩")
    expect(mirrored.locator('[data-clock-name="visit"]')).to_have_attribute("data-state", "running")
    expect(page.locator("#step-dispatched")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#visit-time")).to_be_focused()
    page.keyboard.type("whenever")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("上门时间写成 15:00")
    assert page.input_value("#visit-time") == "whenever", "to be mended"
    page.fill("#visit-time", "23:59")
    daemon.tell("save", ticket=ticket, fields={"wants": "尽快"}, by="ma")
    expect(page.locator("#f-wants")).to_have_value("尽快")
    assert page.input_value("#visit-time") == "23:59", "drawn anew under the cursor, and still there"
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("23:59 上门")
    pressing = panel.locator(".dispatch__r [data-clock-name]")
    expect(pressing).to_have_count(1)
    other.click("#step-visited")
    expect(pressing).to_have_count(0)
    page.click("#dispatch-more")
    page.locator('[data-made="visited"] [data-undo]').click()
    expect(panel.locator('[data-clock-name="visit"]')).to_have_attribute("data-state", "running")
    expect(panel.locator('.is-undone[data-made="visited"]')).to_contain_text("li 撤回")
    expect(page.locator("#dispatch-rest")).to_be_visible()
    page.reload()
    expect(panel.locator("li[data-made]")).to_have_count(4)
    assert page.input_value("#f-problem") == "打不出发票"
    desk.calm(refused="400 (Bad Request)")


def test_a_delay_and_an_abnormal_case_ask_for_the_next_step_and_a_closed_ticket_for_none(
    desk: Desk, daemon: Daemon
) -> None:
    ticket = talking(daemon)
    daemon.tell("put", step="ended", call_id="a")
    page = desk.tab(f"/tickets/{ticket}")
    page.click("#step-vendor")
    page.click("#step-dispatched")
    page.click("#dispatch-more")
    page.click("#step-delay_half_day")
    page.click("#step-abnormal")
    expect(page.locator('#dispatch [data-clock-name="delay_told"]')).to_have_attribute("data-state", "running")
    expect(page.locator('#dispatch [data-clock-name="abnormal"]')).to_have_attribute("data-state", "running")
    assert page.locator(".dispatch__next [data-step]").count() == 2
    page.click("#step-told")
    page.click("#step-escalated")
    expect(page.locator(".dispatch__r [data-clock-name]")).to_have_count(0)
    page.click('[data-finish="close"]')
    if page.locator("[data-finish-anyway]").is_visible():
        page.click("[data-finish-anyway]")
    expect(page.locator("#dispatch [data-step], #dispatch [data-undo]")).to_have_count(0)
    expect(page.locator("#dispatch li[data-made]")).to_have_count(6)
    desk.calm()


@SMALL
def test_at_390_px_the_clocks_fit(desk: Desk, daemon: Daemon) -> None:
    ticket = talking(daemon)
    page = desk.tab(f"/tickets/{ticket}")
    page.select_option("#clock-severity", "outage")
    expect(page.locator('#clocks [data-clock-name="plan"]')).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    desk.calm()


@SMALL
def test_at_390_px_the_dispatch_fits_beside_the_form(desk: Desk, daemon: Daemon) -> None:
    ticket = talking(daemon)
    page = desk.tab(f"/tickets/{ticket}")
    for kind in ("on_site", "soon", "dispatched"):
        page.click(f"#step-{kind}")
    expect(page.locator('#dispatch [data-clock-name="visit_booked"]')).to_be_visible()
    expect(page.locator("#visit-time")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#step-booked").bounding_box()["height"] >= 40  # type: ignore[index]
    desk.calm()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_of_the_dispatch_is_cut_or_faint(chromium: Browser, daemon: Daemon, language: str, width: int) -> None:
    """With all that can be seen of it at once, light and dark."""
    ticket = talking(daemon)
    desk = Desk(chromium.new_context(viewport={"width": width, "height": 844}, timezone_id="Asia/Shanghai"), daemon)
    page = desk.tab(f"/tickets/{ticket}")
    page.click("details.pull summary")
    page.click(f"button[name=lang][value={language}]")
    page.wait_for_selector("body[data-ready]")
    page.goto(f"{daemon.url}/tickets/{ticket}")
    for kind in ("on_site", "soon", "dispatched"):
        page.click(f"#step-{kind}")
    page.click("#dispatch-more")
    for kind in ("abnormal", "delay_longer"):
        page.click(f"#step-{kind}")
    page.locator('[data-made="soon"] [data-undo]').click()
    expect(page.locator("#dispatch .is-undone")).to_be_visible()
    for address in (f"/tickets/{ticket}", "/desk"):
        page.goto(daemon.url + address)
        if page.locator("#dispatch-rest").is_hidden():
            page.click("#dispatch-more")
        assert page.evaluate(CUT) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert [text for text in page.evaluate(TEXTS) if text[2] < 4.5] == [], (address, theme)
    desk.context.close()
