"""The pop: on the ringing seat, at once, once, without taking anything from the person."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Daemon, Desk, until_true
from tests.fakes.calls import NUMBER

RING = "#call[data-state=ringing]"


def ring(daemon: Daemon, call_id: str = "a", **facts: object) -> int:
    return int(daemon.tell("put", step="ringing", call_id=call_id, **facts)["ticket"])


def test_the_ringing_seats_page_pops_with_everything_known(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    expect(page.locator("#call")).to_have_attribute("data-state", "free")
    began = time.monotonic()
    ring(daemon)
    page.wait_for_selector(RING)
    assert time.monotonic() - began < 5  # not a measurement: other work shares the machine
    expect(page.locator("#call")).to_contain_text("010-5550 0142")
    expect(page.locator("#call .say")).to_have_text("您好，远信服务，我是 018 号值班员")
    expect(page.locator("#call [data-ring-number]")).to_have_text("第 1 声")
    expect(page.locator("#call [data-ring-left]")).to_contain_text("距第 4 声")
    expect(page.locator("#aid")).to_contain_text("接听阶梯")
    expect(page.locator("#who")).to_contain_text("此号码首次来电")
    desk.calm()


def test_only_that_seat_pops(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    ring(daemon, "b", seat="1002")
    expect(page.locator("#state")).to_contain_text("等待 1")
    expect(page.locator("#call")).to_have_attribute("data-state", "free")
    desk.calm()


def test_rings_are_counted_by_the_callers_cadence(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    ring(daemon, heard=13.6)
    expect(page.locator("#call [data-ring-number]")).to_have_text("第 3 声")
    expect(page.locator("#call")).to_have_class("call call--ring is-over")
    expect(page.locator("#call [data-ring-number]")).to_have_text("第 4 声")
    expect(page.locator("#call [data-ring-left]")).to_contain_text("已过第 3 声")
    expect(page.locator("#aid")).to_contain_text("011 号未接")
    desk.calm()


def test_the_call_goes_its_way_through_the_window(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    ring(daemon)
    page.wait_for_selector(RING)
    daemon.tell("put", step="talking", call_id="a")
    page.wait_for_selector("#ticket")
    expect(page.locator("#call")).to_have_attribute("data-state", "talking")
    expect(page.locator("#call .timer")).to_have_text("0:02")
    daemon.tell("put", step="held", call_id="a", ago=44)
    expect(page.locator("#call .timer")).to_have_text("0:46")
    expect(page.locator("#notes .note--due")).to_be_visible()
    expect(page.locator("#call")).to_have_class("call is-hold is-due")
    daemon.tell("put", step="retrieved", call_id="a")
    expect(page.locator("#call")).to_have_attribute("data-state", "talking")
    daemon.tell("put", step="ended", call_id="a")
    expect(page.locator("#call")).to_have_attribute("data-state", "wrapup")
    expect(page.locator("#call")).to_contain_text("客户先挂机")
    expect(page.locator("#trail")).to_contain_text("您在第 1 声接听")
    desk.calm()


def test_a_minute_of_hold_is_an_alert(desk: Desk, daemon: Daemon) -> None:
    ring(daemon)
    daemon.tell("put", step="talking", call_id="a")
    daemon.tell("put", step="held", call_id="a", ago=59)
    page = desk.tab()
    expect(page.locator("#notes").get_by_role("alert")).to_contain_text("保持已超 1 分钟")
    expect(page.locator("#call")).to_have_class("call is-hold is-over")
    desk.calm()


def test_the_ladder_moves_at_each_ring_without_a_push(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    page.hover("#aid")
    ring(daemon)
    expect(page.locator('[data-rung="1"] b')).to_have_text("第 1 声")
    expect(page.locator('[data-rung="2"] b')).to_have_text("第 2 声", timeout=15_000)
    expect(page.locator('[data-rung="2"]')).to_contain_text("同时加振后备组")
    expect(page.locator('[data-rung="1"] b')).to_have_count(0)
    expect(page.locator('[data-rung="3"] b')).to_have_text("第 3 声", timeout=15_000)
    desk.calm()


def test_a_ring_is_told_to_a_screen_reader_and_shown_by_the_tabs_icon(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    expect(page.locator("#said")).to_have_text("")
    ring(daemon)
    expect(page.get_by_role("alert").filter(has_text="来电")).to_have_text("来电，您的话机正在振铃。")
    expect(page.locator("#icon")).to_have_attribute("href", "/static/icon-ring.svg")
    daemon.tell("put", step="talking", call_id="a")
    expect(page.locator("#said")).to_have_text("")
    expect(page.locator("#icon")).to_have_attribute("href", "/static/icon.svg")
    assert page.request.get(daemon.url + "/static/icon-ring.svg").status == 200
    desk.calm()


def test_a_number_is_not_said_twice(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    ring(daemon, caller_name=NUMBER)
    page.wait_for_selector(RING)
    assert page.locator("#call").inner_text().count("010-5550 0142") == 1
    expect(page.locator("#who")).not_to_contain_text("来电显示")
    daemon.tell("put", step="talking", call_id="a")
    page.wait_for_selector("#call[data-state=talking]")
    assert page.locator("#call").inner_text().count("010-5550 0142") == 1
    expect(page.locator("#aid .check li").filter(has_text="B7")).to_contain_text("热线 400-800 1234")
    desk.calm()


@pytest.mark.parametrize("number", [None, "anonymous"])
def test_a_withheld_number_is_said_to_be_withheld(desk: Desk, daemon: Daemon, number: str | None) -> None:
    page = desk.tab()
    ring(daemon, caller_number=number)
    page.wait_for_selector(RING)
    expect(page.locator("#call .name")).to_have_text("号码未显示")
    expect(page.locator("#who")).to_contain_text("无法按号码找到以往工单")
    assert "此号码首次来电" not in page.inner_text("body")
    desk.calm()


def test_two_tabs_show_it_and_one_calls_attention(desk: Desk, daemon: Daemon) -> None:
    tabs = [desk.tab(), desk.tab()]
    ring(daemon)
    for page in tabs:
        page.wait_for_selector(RING)
        expect(page.locator(".call--ring")).to_have_count(1)
    deadline = time.monotonic() + 10
    while not (titles := [page.title() for page in tabs if page.title().startswith("第 ")]):
        assert time.monotonic() < deadline
    time.sleep(1)
    titles = [page.title() for page in tabs if page.title().startswith("第 ")]
    assert len(titles) == 1
    assert "来电" in titles[0]
    assert NUMBER not in titles[0]
    desk.calm()


def test_when_the_speaking_tab_closes_another_speaks(desk: Desk, daemon: Daemon) -> None:
    first, second = desk.tab(), desk.tab()
    ring(daemon)
    first.wait_for_selector(RING)
    second.wait_for_selector(RING)
    until_true(first, "document.title.startsWith('第 ')")
    first.close()
    until_true(second, "document.title.startsWith('第 ')")
    desk.calm()


def test_a_pop_takes_neither_the_focus_nor_the_form(desk: Desk, daemon: Daemon) -> None:
    first = ring(daemon)
    daemon.tell("put", step="talking", call_id="a")
    daemon.tell("put", step="ended", call_id="a")
    page = desk.tab()
    page.click("#f-problem")
    page.keyboard.type("打印机")
    ring(daemon, "b", caller_number="13800138000")
    page.wait_for_selector(RING)
    page.keyboard.type("脱机")
    assert page.evaluate("document.activeElement.id") == "f-problem"
    daemon.tell("put", step="talking", call_id="b")
    expect(page.locator("#other")).to_be_visible()
    page.keyboard.type("了")
    assert page.input_value("#f-problem") == "打印机脱机了"
    page.keyboard.press("Alt+n")
    page.wait_for_selector(f'#ticket[data-ticket="{first + 1}"]')
    assert page.input_value("#f-problem") == ""
    daemon.until(first, "problem", "打印机脱机了")
    desk.calm()


def test_a_key_finishes_no_ticket_that_is_not_in_front_of_the_seat(desk: Desk, daemon: Daemon) -> None:
    first = ring(daemon)
    daemon.tell("put", step="talking", call_id="a")
    page = desk.tab()
    page.click("#f-problem")
    page.keyboard.type("打印机")
    daemon.tell("put", step="ended", call_id="a")
    for step in ("ringing", "talking", "ended"):
        daemon.tell("put", step=step, call_id="b", caller_number="13800138000")
    page.wait_for_selector(f'#call [data-finish="close"][data-ticket="{first + 1}"]')
    assert page.get_attribute("#ticket", "data-ticket") == str(first)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f'#ticket[data-ticket="{first + 1}"]')
    assert daemon.ticket(first + 1)["status"] == "open"
    daemon.until(first, "problem", "打印机")
    desk.calm()


def test_a_call_given_up_leaves_the_window_free_again(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    ring(daemon)
    page.wait_for_selector(RING)
    daemon.tell("put", step="abandoned", call_id="a")
    expect(page.locator("#call")).to_have_attribute("data-state", "free")
    expect(page.locator("#work")).to_contain_text("我的未完成工单")
    desk.calm()


def test_a_ring_is_seen_on_the_ticket_list_too(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab("/tickets")
    ring(daemon)
    page.wait_for_selector(RING)
    expect(page.locator("#call a")).to_have_text("去工作台")
    desk.calm()


@pytest.mark.parametrize(
    "name", ["<script>window.hit=1</script>", "张三（收费处）", '"><img src=x onerror=window.hit=1>', "\u202egnp.exe"]
)
def test_a_callers_name_is_only_text(desk: Desk, daemon: Daemon, name: str) -> None:
    page = desk.tab()
    ring(daemon, caller_name=name)
    page.wait_for_selector(RING)
    expect(page.locator("#call")).to_contain_text(name.replace("\u202e", ""))
    assert page.evaluate("window.hit") is None
    assert "\u202e" not in page.content()
    desk.calm()


def test_a_list_under_the_pointer_stays_still(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    page.hover("#aid")
    ring(daemon, "b", seat="1002")
    expect(page.locator("#state")).to_contain_text("等待 1")
    expect(page.locator("#aid")).to_contain_text("没有人在等待")
    page.hover("header")
    expect(page.locator("#aid")).to_contain_text("第 1 声")
    desk.calm()


def test_the_link_to_asterisk_is_told(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    daemon.tell("link", state="lost")
    expect(page.locator("#state .chip--over")).to_contain_text("电话连接从")
    expect(page.locator("#call")).to_have_attribute("data-state", "unknown")
    expect(page.locator("#call")).to_contain_text("来电仍会振您的话机")
    daemon.tell("link", state="up")
    expect(page.locator("#call")).to_have_attribute("data-state", "free")
    expect(page.locator("#state .chip--over")).to_have_count(0)
    desk.calm()
