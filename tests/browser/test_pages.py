"""The pages: with the keyboard alone, at 390 px, in both languages and themes, without a violation anywhere."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Daemon, Desk, until_true

SMALL = pytest.mark.window(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
ENGLISH = pytest.mark.window(locale="en-GB")


def answered(daemon: Daemon, call_id: str = "a") -> int:
    ticket = daemon.tell("put", step="ringing", call_id=call_id)["ticket"]
    daemon.tell("put", step="talking", call_id=call_id)
    return int(ticket)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


def test_a_call_is_done_with_the_keyboard_alone(desk: Desk, daemon: Daemon) -> None:
    ticket = answered(daemon)
    page = desk.tab()
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == "f-caller_name":
            break
    order = []
    for text in ("周敏", None, "北辰医院", "收费处", "健康路 1 号", "打不出发票", "三点前恢复"):
        order.append(focused(page))
        if text:
            page.keyboard.type(text)
        page.keyboard.press("Tab")
    assert order == [
        f"f-{name}" for name in ("caller_name", "phone", "organisation", "department", "address", "problem", "wants")
    ]
    page.keyboard.press("Alt+p")
    page.keyboard.type("三点前回电")
    page.keyboard.press("Tab")
    page.keyboard.type("15:00")
    page.keyboard.press("Enter")
    expect(page.locator("#promises .promise")).to_contain_text("三点前回电")
    daemon.tell("put", step="ended", call_id="a")
    page.wait_for_selector("#call[data-state=wrapup]")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#lack")).to_contain_text("处理结果")
    assert focused(page) == "f-result"
    page.keyboard.type("重装驱动")
    page.keyboard.press("Control+s")
    daemon.until(ticket, "result", "重装驱动")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#call[data-state=free]")
    assert daemon.ticket(ticket)["status"] == "closed"
    desk.calm()


def test_a_ticket_can_be_left_open_and_comes_back_in_the_list(desk: Desk, daemon: Daemon) -> None:
    ticket = answered(daemon)
    daemon.tell("put", step="ended", call_id="a")
    page = desk.tab()
    page.wait_for_selector("#call[data-state=wrapup]")
    page.keyboard.press("Alt+l")
    page.wait_for_selector("#call[data-state=free]")
    expect(page.locator("#work")).to_contain_text(f"1122-0{ticket}")
    assert daemon.ticket(ticket)["status"] == "open"
    desk.calm()


def test_a_proposed_caller_is_chosen_with_a_key(desk: Desk, daemon: Daemon) -> None:
    first = answered(daemon)
    daemon.tell("save", ticket=first, fields={"caller_name": "周敏", "organisation": "北辰医院"}, by="li")
    daemon.tell("put", step="ended", call_id="a")
    second = answered(daemon, "b")
    page = desk.tab()
    expect(page.locator("#who")).to_contain_text("今天第 2 次")
    expect(page.locator("#who .maybe")).to_contain_text("周敏")
    expect(page.locator("#who .panel__h kbd")).to_have_text("Alt 1")
    page.wait_for_selector(f'#ticket[data-ticket="{second}"]')
    page.keyboard.press("Alt+1")
    daemon.until(second, "caller_name", "周敏")
    daemon.until(second, "organisation", "北辰医院")
    expect(page.locator("#call .name")).to_contain_text("周敏")
    desk.calm()


def test_the_free_seats_list_follows_what_is_done_elsewhere(desk: Desk, daemon: Daemon) -> None:
    ticket = answered(daemon)
    daemon.tell("put", step="ended", call_id="a")
    page = desk.tab()
    page.wait_for_selector("#call[data-state=wrapup]")
    page.keyboard.press("Alt+l")
    expect(page.locator("#work")).to_contain_text(f"1122-0{ticket}")
    page.hover("header")
    daemon.tell("save", ticket=ticket, fields={"problem": "又脱机"}, by="ma")
    expect(page.locator("#work")).to_contain_text("又脱机")
    expect(page.locator("#who")).to_contain_text("又脱机")
    desk.calm()


def test_a_page_left_open_over_night_dates_its_lists_anew(desk: Desk, daemon: Daemon) -> None:
    answered(daemon)
    daemon.tell("put", step="ended", call_id="a")
    page = desk.tab()
    page.clock.install()
    page.reload()
    page.wait_for_selector("#call[data-state=wrapup]")
    page.keyboard.press("Alt+l")
    page.wait_for_selector("#call[data-state=free]")
    page.hover("header")
    page.clock.run_for(5000)
    # What else is asked for at that moment (the push comes back) travels in the same request.
    with page.expect_request(lambda request: {"who", "aid"} <= {*request.url.partition("&r=")[2].split(",")}):
        page.clock.fast_forward("24:00:00")
        page.clock.run_for(3000)
    desk.calm(cut=True)


def test_all_of_many_tickets_of_a_number_are_paged(desk: Desk, daemon: Daemon) -> None:
    for n in range(60):
        daemon.tell("put", step="ringing", call_id=f"old-{n}", ago=60 - n)
        daemon.tell("put", step="abandoned", call_id=f"old-{n}", ago=59.5 - n)
    daemon.tell("put", step="ringing", call_id="other", caller_number="13800138000", ago=61)
    last = answered(daemon)
    page = desk.tab()
    expect(page.locator("#who")).to_contain_text("此号码 60 张工单")
    page.goto(f"{daemon.url}/tickets?same={last}")
    expect(page.locator("#list tbody tr")).to_have_count(50)
    page.get_by_role("link", name="更早的").click()
    expect(page.locator("#list tbody tr")).to_have_count(11)
    page.wait_for_selector("body[data-ready]")
    page.fill("#q", "01055500142")
    expect(page.locator("#list")).to_contain_text("找到 61 张工单")
    page.get_by_role("button", name="更早的").click()
    expect(page.locator("#list tbody tr")).to_have_count(11)
    page.get_by_role("button", name="最新的").click()
    expect(page.locator("#list tbody tr")).to_have_count(50)
    desk.calm()


def test_buttons_are_there_only_for_what_the_telephone_can_do(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    expect(page.locator("[data-pause]")).to_have_count(0)
    daemon.actions("pause")
    page.reload()
    page.keyboard.press("F8")
    page.wait_for_selector("#call[data-state=break]")
    assert daemon.actions("pause") == [["pause", "1001", True, "break"]]
    page.keyboard.press("F8")
    page.wait_for_selector("#call[data-state=free]")
    desk.calm()


def test_a_break_asked_for_in_the_wrap_up_is_shown_and_begins_after_it(desk: Desk, daemon: Daemon) -> None:
    answered(daemon)
    daemon.tell("put", step="ended", call_id="a")
    daemon.actions("pause")
    page = desk.tab()
    page.wait_for_selector("#call[data-state=wrapup]")
    expect(page.locator("[data-break-follows]")).to_have_count(0)
    page.keyboard.press("F8")
    expect(page.locator("[data-break-follows]")).to_contain_text("话后处理完即小休")
    page.keyboard.press("F8")
    expect(page.locator("[data-break-follows]")).to_have_count(0)
    page.keyboard.press("F8")
    expect(page.locator("[data-break-follows]")).to_be_visible()
    assert [paused for _, _, paused, _ in daemon.actions("pause")] == [True, False, True]
    assert page.locator("#call").get_attribute("data-state") == "wrapup", "the ticket comes first"
    page.keyboard.press("Alt+l")
    page.wait_for_selector("#call[data-state=break]")
    desk.calm()


def test_searching_keeps_the_text_out_of_the_address(desk: Desk, daemon: Daemon) -> None:
    ticket = answered(daemon)
    page = desk.tab("/tickets?view=all")
    page.keyboard.press("/")
    page.keyboard.type("0142")
    expect(page.locator("#list")).to_contain_text("找到 1 张工单")
    assert "0142" not in page.url
    page.fill("#q", "no such thing")
    expect(page.locator("#list")).to_contain_text("这里没有工单")
    page.fill("#q", "")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.locator("h1").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/tickets/{ticket}$"))
    desk.calm()


def test_a_tickets_page_sees_its_call_end(desk: Desk, daemon: Daemon) -> None:
    ticket = answered(daemon)
    page = desk.tab(f"/tickets/{ticket}")
    expect(page.locator("[data-when=running]")).to_be_visible()
    expect(page.locator("#ticket [data-finish=close]")).to_be_hidden()
    daemon.tell("put", step="ended", call_id="a")
    expect(page.locator("#ticket [data-finish=close]")).to_be_visible()
    expect(page.locator("[data-when=running]")).to_be_hidden()
    desk.calm()


def test_the_recording_is_played_on_the_tickets_page(desk: Desk, daemon: Daemon) -> None:
    from tests.fakes.scenes import recordings

    recordings(None, daemon.folder)  # type: ignore[arg-type]
    ticket = answered(daemon)
    daemon.tell("put", step="ended", call_id="a")
    page = desk.tab(f"/tickets/{ticket}")
    page.locator("audio").evaluate("(player) => { player.muted = true; player.play(); }")
    until_true(page, "document.querySelector('audio').currentTime > 0.2")
    assert page.locator("audio").evaluate("(player) => player.duration") == pytest.approx(1.0)
    desk.calm()


def test_language_and_theme_are_kept(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    page.click("details.pull summary")
    page.click("button[value=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#call")).to_contain_text("Ready for calls")
    page.click("details.pull summary")
    page.click("button[value=dark]")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 18, 22)"
    other = desk.tab("/tickets")
    expect(other.locator("html")).to_have_attribute("lang", "en")
    desk.calm()


def test_log_out_closes_every_tab(desk: Desk, daemon: Daemon) -> None:
    page, other = desk.tab(), desk.tab()
    page.click("details.pull summary")
    page.click("#logout button")
    page.wait_for_url(re.compile("/login$"))
    other.wait_for_url(re.compile("/login$"))
    desk.calm()


@SMALL
@pytest.mark.parametrize("state", ["free", "ringing", "talking", "held", "ended"])
@pytest.mark.parametrize("path", ["/desk", "/tickets?view=all", "/help"])
def test_at_390_px_nothing_is_wider_than_the_window(desk: Desk, daemon: Daemon, state: str, path: str) -> None:
    for step in ("ringing", "talking", "held", "ended"):
        if state == "free":
            break
        daemon.tell("put", step=step, call_id="a", **({"heard": 8.0} if step == "ringing" else {}))
        if step == state:
            break
    page = desk.tab()
    page.goto(daemon.url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    desk.calm()


@SMALL
def test_at_390_px_a_ticket_in_the_list_is_a_card_of_three_lines(desk: Desk, daemon: Daemon) -> None:
    """Who, below when; the state at the right edge: nothing floats between."""
    for step in ("ringing", "talking", "ended"):
        daemon.tell("put", step=step, call_id="a")
    page = desk.tab()
    page.goto(daemon.url + "/tickets?view=all")
    row = page.locator("#list tbody tr").first
    expect(row.locator("td").last).to_be_hidden()
    when, who, state = (row.locator(one).bounding_box() for one in ("td:first-child", ".c-1", ".c-2"))
    assert when is not None
    assert who is not None
    assert state is not None
    assert (who["x"], who["y"] > when["y"]) == (when["x"], True)
    assert abs(state["y"] - who["y"]) < 4
    desk.calm()


@SMALL
def test_at_390_px_the_keys_are_listed_all_the_same(desk: Desk, daemon: Daemon) -> None:
    page = desk.tab()
    page.goto(daemon.url + "/help")
    expect(page.get_by_text("Ctrl Enter", exact=True).first).to_be_visible()
    desk.calm()


@SMALL
@pytest.mark.parametrize("tab", ["form", "who", "aid"])
def test_at_390_px_a_long_hold_is_told_on_every_tab(desk: Desk, daemon: Daemon, tab: str) -> None:
    answered(daemon)
    daemon.tell("put", step="held", call_id="a", ago=61)
    page = desk.tab()
    page.tap(f'.tabs [data-to="{tab}"]')
    expect(page.locator("#notes .note--over")).to_be_visible()
    desk.calm()


@SMALL
def test_at_390_px_the_tabs_show_one_subject_at_a_time(desk: Desk, daemon: Daemon) -> None:
    answered(daemon)
    page = desk.tab()
    expect(page.locator("#ticket")).to_be_visible()
    expect(page.locator("#who")).to_be_hidden()
    page.tap('.tabs [data-to="who"]')
    expect(page.locator("#who")).to_be_visible()
    expect(page.locator("#ticket")).to_be_hidden()
    small = page.eval_on_selector_all(
        "button:not([hidden]), a.btn, .tabs button, input, textarea, select",
        "(all) => all.filter((e) => e.offsetParent && e.type !== 'checkbox' && e.getBoundingClientRect().height < 34)"
        ".map((e) => e.outerHTML.slice(0, 80))",
    )
    assert small == []
    desk.calm()


CONTRAST = """() => {
  const lum = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !e.offsetParent || e.closest('.vh, .skip, script, template')) continue;
    const [a, b] = [lum(rgb(getComputedStyle(e).color)), lum(ground(e))].sort((x, y) => y - x);
    const text = node.textContent.trim().slice(0, 20), ratio = (a + .05) / (b + .05);
    if (ratio < 4.5 && !e.closest('[disabled]'))
      poor.push(`${e.className} ${text} ${ratio.toFixed(2)}`);
    if (parseFloat(getComputedStyle(e).fontSize) < 12) poor.push(`small: ${text}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("steps", [(), ("ringing",), ("ringing", "talking"), ("ringing", "talking", "held")])
def test_text_has_contrast_and_size(desk: Desk, daemon: Daemon, theme: str, steps: tuple[str, ...]) -> None:
    for step in steps:
        facts = {"ringing": {"heard": 12.0}, "held": {"ago": 61}}.get(step, {})
        daemon.tell("put", step=step, call_id="a", **facts)
    page = desk.tab()
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.wait_for_timeout(400)
    assert page.evaluate(CONTRAST) == []
    desk.calm()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_box_of_a_promise_is_seen_in_both_themes(desk: Desk, daemon: Daemon, theme: str) -> None:
    answered(daemon)
    page = desk.tab()
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.fill("#p-text", "三点前回电")
    page.keyboard.press("Enter")
    box = page.locator("#promises input")
    drawn = "(e) => [getComputedStyle(e).backgroundColor, getComputedStyle(e).borderTopColor]"
    tokens = {"light": ["rgb(255, 255, 255)", "rgb(125, 135, 146)"], "dark": ["rgb(21, 27, 33)", "rgb(115, 129, 143)"]}
    assert box.evaluate(drawn) == tokens[theme]
    box.check()
    expect(page.locator("#promises .promise")).to_have_class("promise is-done")
    filled = {"light": "rgb(11, 117, 80)", "dark": "rgb(20, 125, 88)"}[theme]
    assert box.evaluate(drawn) == [filled, filled]
    desk.calm()


@ENGLISH
def test_every_control_has_a_name_and_every_id_is_one(desk: Desk, daemon: Daemon) -> None:
    answered(daemon)
    page = desk.tab()
    nameless = page.eval_on_selector_all(
        "button, a, input:not([type=hidden]), textarea, select, summary",
        """(all) => all.filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))
        .map((e) => e.outerHTML.slice(0, 90))""",
    )
    assert nameless == []
    ids = page.eval_on_selector_all("[id]", "(all) => all.map((e) => e.id)")
    doubles = [one for one in ids if ids.count(one) > 1]
    assert doubles == []
    assert page.locator("main").count() == 1
    assert page.locator("h1").count() == 1
    desk.calm()


@pytest.mark.parametrize("address", ["/supervise", "/callbacks"])
def test_the_key_of_the_search_leads_to_it_from_pages_without_one(desk: Desk, daemon: Daemon, address: str) -> None:
    page = desk.tab(address, "wu")
    page.keyboard.press("/")
    page.wait_for_url("**/tickets#q")
    expect(page.locator("#q")).to_be_focused()
    desk.calm()
