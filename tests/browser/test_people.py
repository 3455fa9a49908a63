"""What a person meets at the door: the page that was asked for, after a log-in and after a session that ran out; and
the page on which one changes the own password."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Daemon, Desk
from tests.fakes.web import PASSWORD


def opened(desk: Desk, path: str) -> Page:
    page = desk.context.new_page()
    page.on("console", lambda message: desk.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: desk.said.append(f"error: {error}"))
    page.goto(desk.daemon.url + path)
    return page


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.fill("#u", name)
    page.fill("#p", password)
    page.click("button[type=submit]")


def test_a_bookmark_opens_after_the_log_in(desk: Desk, daemon: Daemon) -> None:
    """Kept through a wrong password and through the other language."""
    page = opened(desk, "/supervise?queue=it")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    page.click("a[lang=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    log_in(page, "wu", "wrong password")
    expect(page.locator("#pe")).to_be_visible()
    log_in(page, "wu")
    page.wait_for_selector("body[data-ready]")
    assert page.url == f"{daemon.url}/supervise?queue=it"
    desk.calm(refused="403 (Forbidden)")


def test_a_page_of_another_role_says_so_and_leads_home(desk: Desk, daemon: Daemon) -> None:
    page = opened(desk, "/supervise")
    log_in(page, "li")
    expect(page.locator("[role=alert]")).to_contain_text("您的角色")
    assert page.url == f"{daemon.url}/supervise"
    page.click("a.btn")
    page.wait_for_selector("body[data-page=desk][data-ready]")
    desk.calm(refused="403 (Forbidden)")


def test_an_address_of_another_site_leads_to_the_start_page(desk: Desk, daemon: Daemon) -> None:
    for asked in ("//evil.example/desk", "/%5Cevil.example", "https:evil.example", "/.//evil.example"):
        page = opened(desk, f"/login?next={asked}")
        log_in(page, "li")
        page.wait_for_selector("body[data-page=desk][data-ready]")
        assert page.url == f"{daemon.url}/desk"
        page.close()  # without its log-in it would be refused whatever it asks next
        desk.context.clear_cookies()
    desk.calm()


def test_a_page_whose_session_ran_out_comes_back_to_itself(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab("/tickets?view=all")
    daemon.tell("forget")
    page.wait_for_url(re.compile("/login"))
    log_in(page, "li")
    page.wait_for_selector("body[data-ready]")
    assert page.url == f"{daemon.url}/tickets?view=all"
    desk.calm()


@pytest.mark.parametrize("path", ["/desk", "/supervise"])
def test_a_page_that_slept_through_the_end_of_its_session_finds_out(desk: Desk, daemon: Daemon, path: str) -> None:
    """The line was away meanwhile, as that of a closed laptop: what fails afterwards is not the line."""
    page = desk.tab(path, "wu")
    daemon.kill()
    journal = daemon.folder / "journal"
    journal.write_text("".join(line for line in journal.open() if not line.startswith('["session"')))
    daemon.start()
    page.wait_for_url(re.compile("/login"))
    log_in(page, "wu")
    page.wait_for_selector("body[data-ready]")
    assert page.url == f"{daemon.url}{path}"


def fill(page: Page, old: str, new: str, again: str) -> None:
    page.fill("#p-old", old)
    page.fill("#p-new", new)
    page.fill("#p-again", again)
    page.keyboard.press("Enter")


def test_the_own_password_is_changed_from_the_name_in_the_bar(desk: Desk, daemon: Daemon) -> None:
    """What is wrong stands at its field, which has the focus; the tab at home is logged out, this one stays."""
    new = "a better password"
    page = desk.tab()
    assert desk.context.browser is not None
    home = Desk(desk.context.browser.new_context(locale="zh-CN"), daemon)
    elsewhere = home.tab("/tickets")
    page.click("details.pull summary")
    page.click(".pull__b a[href='/account']")
    expect(page.locator("#p-old")).to_be_focused()
    for old, one, two, field, sentence in (
        (PASSWORD, "short", "short", "new", "至少 8 个字符"),
        (PASSWORD, new, "a bitter password", "again", "不一致"),
        ("wrong", new, new, "old", "原密码不正确"),
    ):
        fill(page, old, one, two)
        expect(page.locator(f"#h-{field}[role=alert]")).to_contain_text(sentence)
        expect(page.locator(f"#p-{field}")).to_be_focused()
        assert [page.input_value(f"#p-{name}") for name in ("old", "new", "again")] == ["", "", ""]
    fill(page, PASSWORD, new, new)
    expect(page.locator(".note[role=status]")).to_contain_text("密码已修改")
    elsewhere.wait_for_url(re.compile(r"/login\?next="))
    log_in(elsewhere, "018", PASSWORD)
    expect(elsewhere.locator("#pe")).to_be_visible()
    log_in(elsewhere, "018", new)
    elsewhere.wait_for_selector("body[data-ready]")
    assert elsewhere.url == f"{daemon.url}/tickets"
    page.click(".nav a[href='/desk']")
    page.wait_for_selector("body[data-page=desk][data-ready]")
    home.context.close()
    desk.said = [one for one in desk.said if "status of 400" not in one]
    desk.calm(refused="403 (Forbidden)")


@pytest.mark.window(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_the_account_fits(desk: Desk, daemon: Daemon, language: str) -> None:
    page = desk.tab("/account", "li")
    page.click("details.pull summary")
    page.click(f"button[value={language}]")
    expect(page.locator("html")).to_have_attribute("lang", "en" if language == "en" else "zh-CN")
    assert page.url == f"{daemon.url}/account", "a preference leads back to the page it was set on"
    fill(page, "wrong", "a better password", "a better password")
    page.wait_for_selector("#h-old[role=alert]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    desk.calm(refused="403 (Forbidden)")
