"""What is typed is saved as it is typed, and survives a reload, a lost line and kill -9 of the daemon."""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Daemon, Desk

TEXT = "3 号窗口打印机脱机"
SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The site's zone in the tests' options."""


@pytest.fixture
def ticket(daemon: Daemon) -> int:
    number = daemon.tell("put", step="ringing", call_id="a")["ticket"]
    daemon.tell("put", step="talking", call_id="a")
    return int(number)


@pytest.fixture
def page(desk: Desk, ticket: int) -> Page:
    return desk.tab()


def typed(page: Page, field: str, text: str) -> None:
    page.click(f"#f-{field}")
    page.keyboard.type(text)


def test_typing_saves_without_a_key_or_a_click(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    typed(page, "problem", TEXT)
    expect(page.locator("#saved")).to_have_class("saved end is-dirty")
    daemon.until(ticket, "problem", TEXT)
    expect(page.locator("#saved [data-words]")).to_contain_text("已保存")
    assert page.evaluate("Object.keys(localStorage).filter((one) => one.startsWith('cc:unsent')).length") == 0
    page.reload()
    assert page.input_value("#f-problem") == TEXT
    desk.calm()


def test_every_field_of_the_ticket_is_saved(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    names = ["caller_name", "phone", "organisation", "department", "address", "problem", "wants", "handling", "result"]
    for name in names:
        page.fill(f"#f-{name}", f"{name} 一")
    page.select_option("#f-category", "网络")
    for name in names:
        daemon.until(ticket, name, f"{name} 一")
    daemon.until(ticket, "category", "网络")
    desk.calm()


def test_a_reload_in_the_same_moment_loses_nothing(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    typed(page, "wants", TEXT)
    page.reload()
    daemon.until(ticket, "wants", TEXT)
    expect(page.locator("#f-wants")).to_have_value(TEXT)
    desk.calm()


def test_kill_9_is_said_kept_and_made_good(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    typed(page, "problem", TEXT)
    daemon.until(ticket, "problem", TEXT)
    daemon.kill()
    page.keyboard.type("，又坏了")
    expect(page.locator("#offline")).to_contain_text("起与服务器断开")
    expect(page.locator("#saved [data-words]")).to_contain_text("没有保存，从")
    expect(page.locator(".top__link")).to_be_hidden()
    page.click("#p-text")
    page.keyboard.type("三点前回电")
    page.keyboard.press("Enter")
    daemon.start()
    daemon.until(ticket, "problem", TEXT + "，又坏了", seconds=30)
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("#saved [data-words]")).to_contain_text("已保存")
    expect(page.locator("#promises")).to_contain_text("三点前回电")
    assert daemon.ticket(ticket)["promises"] == ["三点前回电"]
    assert page.input_value("#f-problem") == TEXT + "，又坏了"
    desk.calm(cut=True)


def test_a_page_closed_while_the_daemon_is_dead_loses_nothing(
    page: Page, daemon: Daemon, ticket: int, desk: Desk
) -> None:
    daemon.kill()
    typed(page, "handling", TEXT)
    expect(page.locator("#saved [data-words]")).to_contain_text("没有保存，从")
    page.close()
    daemon.start()
    desk.tab()
    daemon.until(ticket, "handling", TEXT)
    desk.calm(cut=True)


def test_two_tabs_follow_each_other(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    other = desk.tab()
    typed(page, "problem", TEXT)
    expect(other.locator("#f-problem")).to_have_value(TEXT)
    desk.calm()


def test_a_field_with_the_focus_is_not_written_into(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    page.click("#f-result")
    daemon.tell("save", ticket=ticket, fields={"result": "别人写的", "wants": "别人的要求"}, by="ma")
    expect(page.locator("#f-wants")).to_have_value("别人的要求")
    assert page.input_value("#f-result") == ""
    page.click("#f-address")
    expect(page.locator("#f-result")).to_have_value("别人写的")
    desk.calm()


def test_a_conflict_shows_both_and_the_person_decides(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    page.click("#f-problem")
    daemon.tell("save", ticket=ticket, fields={"problem": "别人写的", "wants": "x"}, by="ma")
    expect(page.locator("#f-wants")).to_have_value("x")
    # The page knows of the new version, but its person has not seen the text under the cursor.
    page.keyboard.type("我写的")
    daemon.until(ticket, "problem", "我写的")
    expect(page.locator('[data-field="problem"] [data-conflict]')).to_contain_text("别人写的")
    page.get_by_role("button", name="用对方的").click()
    daemon.until(ticket, "problem", "别人写的")
    expect(page.locator('[data-field="problem"] [data-conflict]')).to_be_hidden()
    desk.calm()


def test_what_is_missing_is_asked_for_with_the_phrase(page: Page, desk: Desk) -> None:
    expect(page.locator('[data-field="caller_name"]')).to_have_class("fld is-missing")
    expect(page.locator('[data-field="caller_name"] [data-ask]')).to_have_text("请问您贵姓？")
    page.fill("#f-caller_name", "周敏")
    expect(page.locator('[data-field="caller_name"]')).to_have_class("fld")
    desk.calm()


def test_a_promise_has_its_own_due_time(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    page.fill("#p-text", "告知进度")
    page.fill("#p-due", "25:00")
    page.click("[data-add-promise]")
    expect(page.locator("#p-help")).to_contain_text("24 小时制")
    assert page.input_value("#p-text") == "告知进度"
    page.fill("#p-due", "23:59")
    page.keyboard.press("Enter")
    expect(page.locator("#promises .promise")).to_contain_text("23:59")
    expect(page.locator("#promises .promise")).to_contain_text("剩")
    page.check("#promises input")
    expect(page.locator("#promises .promise")).to_have_class("promise is-done")
    desk.calm(refused="400 (Bad Request)")


def test_finishing_loses_no_promise_that_was_typed(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    """One that was refused keeps the ticket open; one that nobody entered is taken along."""
    daemon.tell("put", step="ended", call_id="a")
    page.wait_for_selector('#call [data-finish="close"]')
    page.fill("#p-text", "回电")
    page.fill("#p-due", "99:99")
    for _ in range(3):
        page.keyboard.press("Control+Enter")
        expect(page.locator("#p-help")).to_contain_text("24 小时制")
    expect(page.locator("#p-due")).to_be_focused()
    assert daemon.ticket(ticket)["promises"] == []
    assert page.locator('#call [data-finish="close"]').is_visible(), "it is not finished"
    red = page.evaluate("getComputedStyle(document.getElementById('p-help')).color")
    assert red != page.evaluate("getComputedStyle(document.querySelector('.help')).color")
    page.fill("#p-due", "")
    page.keyboard.press("Enter")
    page.fill("#p-text", "再回一次")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator('#call [data-finish="close"]')).to_have_count(0)
    assert daemon.ticket(ticket)["promises"] == ["回电", "再回一次"]
    desk.calm(refused="400 (Bad Request)")


@pytest.mark.window(timezone_id="America/New_York")
def test_clock_times_are_the_sites_wherever_the_browser_is(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    typed(page, "problem", TEXT)
    daemon.until(ticket, "problem", TEXT)
    expect(page.locator("#saved")).to_have_class("saved end is-ok")
    shown = page.locator("#saved [data-words]").inner_text().removeprefix("已保存 ")
    now = datetime.fromtimestamp(daemon.now(), SHANGHAI)
    assert now - datetime.strptime(shown, "%H:%M:%S").replace(
        year=now.year, month=now.month, day=now.day, tzinfo=SHANGHAI
    ) < timedelta(minutes=1)
    tomorrow = (now + timedelta(days=1)).strftime("%m-%d")
    page.fill("#p-text", "明天一早回电")
    page.fill("#p-due", f"{tomorrow} 00:05")
    page.keyboard.press("Enter")
    expect(page.locator("#promises .promise")).to_contain_text(f"{tomorrow} 00:05 · 剩")
    page.reload()
    expect(page.locator("#promises .promise")).to_contain_text(f"{tomorrow} 00:05 · 剩")
    desk.calm()


def test_escape_leaves_the_field_and_its_text(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    typed(page, "problem", TEXT)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    daemon.until(ticket, "problem", TEXT)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "s"
    desk.calm()


def test_half_a_syllable_is_not_saved(page: Page, daemon: Daemon, ticket: int, desk: Desk) -> None:
    page.click("#f-problem")
    version = daemon.ticket(ticket)["version"]
    page.evaluate(
        """() => { const e = document.querySelector('#f-problem'); e.value = 'da';
        e.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing: true })); }"""
    )
    time.sleep(1.2)
    assert daemon.ticket(ticket)["version"] == version
    page.evaluate(
        """() => { const e = document.querySelector('#f-problem'); e.value = '打';
        e.dispatchEvent(new InputEvent('input', { bubbles: true })); }"""
    )
    daemon.until(ticket, "problem", "打")
    desk.calm()


def test_words_of_the_call_appear_beside_the_form_and_leave_it_alone(
    page: Page, daemon: Daemon, ticket: int, desk: Desk
) -> None:
    """Live transcription draws its own region anew, several times a second, while the seat types."""
    page.click("#f-problem")
    page.evaluate("window.formNode = document.getElementById('ticket')")
    for n, letter in enumerate(TEXT, 1):
        page.keyboard.type(letter)
        daemon.tell("say", seat="1001", call_id="a", lines=[["caller", "打印机坏了"], ["seat", "请您稍等"[:n]]])
    expect(page.locator("#heard")).to_contain_text("请您稍等")
    expect(page.locator("#f-problem")).to_be_focused()
    expect(page.locator("#f-problem")).to_have_value(TEXT)
    assert page.evaluate("window.formNode === document.getElementById('ticket')"), "the form was drawn anew"
    daemon.tell("say", seat="1001", call_id="a", lines=[["seat", "这个不行"]], said=["closing"], forbidden=["不行"])
    expect(page.locator("#heard [data-alarm]")).to_contain_text("不行")
    expect(page.locator("#heard [data-tick=B7]")).to_have_attribute("data-said", "sure")
    expect(page.locator("#said")).to_contain_text("不行")
    daemon.until(ticket, "problem", TEXT)
    desk.calm()
