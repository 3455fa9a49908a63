"""The big screen and the supervisor's desk in a real Chromium: they fit, they are read, they live, they come back."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Daemon, Desk, until_true
from tests.fakes.looks import CUT, TEXTS
from tests.fakes.web import PASSWORD

TOKEN = "a-token-of-a-screen-that-is-long-enough"
SIZES = [(1280, 720), (1920, 1080), (3840, 2160)]
SMALLEST = 22 / 1080
"""Of the screen's height: 22 px at 1080p."""
FAR_FIGURES = ".kp .mid:not(.mid--word), .big:not(.big--none), .wsum b"
"""Figures: 72 px at 1080p are 19' from 8 m."""
FAR = (
    ".kp .mid--word, .big--none, .wsum .far, .ws b, .ws .tm, .wq .n b, .wq .who, .wt td.r, .wt th bdi.ell, .wlv b,"
    " .wsaid b, .wr b, .wall__h h1, .clock, #cut, .rst .mid"
)
"""Words and lists that are read from 8 m: 44 px, 15'."""
SMALL = ".sub, .formula"
"""Rule ids and formulas alone may be 22 px, read on walking up; everything else is 30 px, from 5 m."""
READ = """([figures, far, small]) => {
  const texts = [], walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const e = node.parentElement;
    if (!node.data.replace(/[\\s\\u200b]/g, '') || !e.getClientRects().length) continue;
    if (e.closest('.vh, [hidden]')) continue;
    const beside = e.closest('small, .of, .two, .q, .wt__long, .wt__others th') && !e.closest(small);
    const kind = beside ? 30 : e.closest(small) ? 22 : e.closest(figures) ? 72 : e.closest(far) ? 44 : 30;
    texts.push([kind, parseFloat(getComputedStyle(e).fontSize) * 1080 / innerHeight, node.data.trim()]);
  }
  return texts;
}"""
"""Every text with the size that it is to have at least, and has, in pixels of 1080p."""

OVERFLOWS = """() => [...document.querySelectorAll('.wall .panel, .wall__h, .wall__f, .ws li, .wq li, .wr li, .wt td')]
  .filter((e) => e.offsetParent && (e.scrollWidth > e.clientWidth + 2
    || e.scrollHeight > e.clientHeight + 4 * Math.max(1, innerHeight / 1080)))
  .map((e) => `${e.className} ${e.scrollWidth}/${e.clientWidth} ${e.scrollHeight}/${e.clientHeight}`)"""
SCROLLS = (
    "() => [document.documentElement.scrollWidth > innerWidth, document.documentElement.scrollHeight > innerHeight]"
)


def screen(desk: Desk, daemon: Daemon, scene: str) -> Page:
    daemon.tell("scene", name=scene)
    page = desk.tab("/wallboard")
    until_true(page, "document.querySelector('#cut').hidden")
    return page


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(*size, marks=pytest.mark.window(viewport=dict(zip(("width", "height"), size, strict=True))))
        for size in SIZES
    ],
)
@pytest.mark.parametrize("scene", ["busy", "hundred", "three"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_eight_queues_and_many_seats_fit_and_are_read(
    desk: Desk, daemon: Daemon, width: int, height: int, language: str, scene: str
) -> None:
    page = screen(desk, daemon, scene)
    if language == "en":
        page.goto(daemon.url + "/tickets")
        page.click("details.pull summary")
        page.click("button[name=lang][value=en]")
        page.goto(daemon.url + "/wallboard")
        page.wait_for_selector("body[data-ready]")
    assert page.evaluate(SCROLLS) == [False, False]
    assert page.evaluate(OVERFLOWS) == []
    if height <= 1080:
        assert page.evaluate(CUT) == []
    assert page.locator(".ws li").count() == 10
    assert page.locator(".wt tbody tr").count() == 8
    texts = page.evaluate(TEXTS)
    assert len(texts) > 100
    assert [text for text in texts if text[1] < SMALLEST * height - 0.1] == [], "too small to be read"
    assert [text for text in texts if text[2] < 4.5] == [], "too little contrast"
    desk.calm()


SIGNED = """(figure) => [...document.querySelectorAll('.wsaid .kp')].map((cell) => {
  cell.classList.add('is-due');
  const whole = cell.querySelector('b'), unit = whole.querySelector('small');
  unit.previousSibling.data = figure;
  const right = unit.getBoundingClientRect().right, room = cell.getBoundingClientRect().right;
  const signs = [...whole.querySelectorAll('.sg')].filter((e) => e.getClientRects().length).length;
  return [signs, right <= room + 0.1, `${figure} ${right} of ${room}`];
})"""
"""Every phrase past its limit: how many signs stand at its share, and whether its % ends within its cell."""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.window(viewport={"width": 1280, "height": 720})
def test_the_share_of_each_phrase_fits_with_its_sign(desk: Desk, daemon: Daemon, language: str) -> None:
    page = desk.tab("/tickets")
    page.click("details.pull summary")
    page.click(f"button[name=lang][value={language}]")
    daemon.tell("scene", name="busy")
    for width, height in (*SIZES, (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(daemon.url + "/wallboard")
        page.wait_for_selector("body[data-ready]")
        for figure in ("99.9", "100"):
            cells = page.evaluate(SIGNED, figure)
            assert len(cells) == 4
            assert [one for one in cells if one[:2] != [1, True]] == [], (width, height)
            assert page.evaluate(OVERFLOWS) == [], (width, height, figure)
    desk.calm()


BAR = "() => ['.sl', '.k-service'].map((one) => document.querySelector(one).getBoundingClientRect().width)"
WALLS = ("busy", "over", "six", "twelve", "small", "perfect", "none", "lost", "many", "hostile", "three")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.window(viewport={"width": 1280, "height": 720})
def test_no_word_is_cut_in_any_scene(desk: Desk, daemon: Daemon, language: str) -> None:
    """A tile's heading lost its norm, a promise its owner, a share its bar."""
    daemon.tell("scene", name="busy")
    page = desk.tab("/tickets")
    page.click("details.pull summary")
    page.click(f"button[name=lang][value={language}]")
    for scene in WALLS:
        daemon.tell("scene", name=scene)
        for width, height in ((1280, 720), (1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(daemon.url + "/wallboard")
            page.wait_for_selector("body[data-ready]")
            assert page.evaluate(CUT) == [], (scene, width)
            assert page.evaluate(SCROLLS) == [False, False], (scene, width)
            if scene != "none":
                bar, panel = page.evaluate(BAR)
                assert bar > panel / 2, (scene, width, "the share's bar is squeezed")
    desk.calm()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("tiles", [("answered", "lost"), ("satisfaction", "said", "waiting", "tickets", "seats")])
def test_the_foot_says_what_was_not_observed_where_no_tile_does(
    desk: Desk, daemon: Daemon, language: str, tiles: tuple[str, ...]
) -> None:
    page = desk.tab("/tickets")
    page.click("details.pull summary")
    page.click(f"button[name=lang][value={language}]")
    for scene in ("busy", "lost", "many", "hostile", "perfect"):
        daemon.tell("scene", name=scene, tiles=tiles)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(daemon.url + "/wallboard")
            page.wait_for_selector("body[data-ready]")
            assert page.evaluate(CUT) == [], (scene, width)
            assert page.evaluate(OVERFLOWS) == [], (scene, width)
            assert page.evaluate(SCROLLS) == [False, False], (scene, width)
        assert page.locator(".wall__f b").count() == 1, scene
        sizes = page.evaluate(READ, [FAR_FIGURES, FAR, SMALL])
        assert [one for one in sizes if one[1] < one[0] - 0.1] == [], "too small for where it is read"
    desk.calm()


@pytest.mark.parametrize("scene", ["none", "small", "many", "lost", "large"])
@pytest.mark.window(viewport={"width": 1920, "height": 1080})
def test_other_hotlines_fit_too(desk: Desk, daemon: Daemon, scene: str) -> None:
    page = screen(desk, daemon, scene)
    assert page.evaluate(SCROLLS) == [False, False]
    assert page.evaluate(OVERFLOWS) == []
    assert [text for text in page.evaluate(TEXTS) if text[2] < 4.5] == []
    desk.calm()


@pytest.mark.parametrize(
    "width",
    [pytest.param(n, marks=pytest.mark.window(viewport={"width": n, "height": 844})) for n in (1280, 390)],
)
@pytest.mark.parametrize("path", ["/wallboard", "/supervise"])
def test_on_a_desk_and_on_a_phone_nothing_is_wider(desk: Desk, daemon: Daemon, path: str, width: int) -> None:
    daemon.tell("scene", name="busy")
    page = as_supervisor(desk, path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".kpi, .wq li").first.is_visible()
    assert [text for text in page.evaluate(TEXTS) if text[2] < 4.5] == [], "too little contrast"
    desk.calm()


def as_supervisor(desk: Desk, path: str) -> Page:
    desk.context.clear_cookies()
    page = desk.context.new_page()
    page.on("console", lambda message: desk.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: desk.said.append(f"error: {error}"))
    page.goto(desk.daemon.url + "/login")
    page.fill("#u", "wu")
    page.fill("#p", PASSWORD)
    page.click("button[type=submit]")
    page.goto(desk.daemon.url + path)
    page.wait_for_selector("body[data-ready]")
    return page


def test_the_countdown_moves_and_the_limit_is_marked(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "none")
    assert page.inner_text("[data-part=service] .big--none") == "没有来电"
    daemon.tell("put", step="ringing", call_id="a", heard=7.0, queue="q0")
    page.wait_for_selector(".wq li")
    first = page.inner_text("[data-ring-left]")
    until_true(page, f"document.querySelector('[data-ring-left]').textContent !== {first!r}")
    assert "第 2 声" in page.inner_text(".wq .n")
    until_true(page, "document.querySelector('.wq [data-ring-number]').textContent === '第 3 声'")
    until_true(page, "document.querySelector('.wq li').classList.contains('is-over')")
    until_true(page, "document.querySelector('.k-wait .ramp .sg--over').getClientRects().length === 1")
    daemon.tell("put", step="abandoned", call_id="a")
    until_true(page, "!document.querySelector('.wq li')")
    until_true(page, "document.querySelector('[data-part=answered]').textContent.includes('1')")
    desk.calm()


def test_it_says_that_it_is_not_live_and_comes_back_by_itself(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "small")
    daemon.kill()
    until_true(page, "!document.querySelector('#cut').hidden")
    assert "停更，自 " in page.inner_text("#cut")
    assert page.evaluate("document.body.classList.contains('is-cut')")
    assert page.locator(".ws li").count() == 6, "the last picture stays"
    moves = "[...document.querySelectorAll('.wall__m, .wall__k, .clock')].map((e) => e.textContent).join()"
    page.wait_for_timeout(1000)
    still = page.evaluate(moves)
    page.wait_for_timeout(2500)
    assert page.evaluate(moves) == still, "what nobody knows any more does not count on"
    daemon.start()
    daemon.tell("scene", name="busy")
    until_true(page, "document.querySelector('#cut').hidden && document.querySelectorAll('.ws li').length === 10")
    desk.calm(cut=True)


STICKS_OUT = """() => {
  const over = document.querySelector('#cut').getBoundingClientRect();
  return [...document.querySelectorAll('.wall__h *')].map((e) => e.getBoundingClientRect())
    .filter((e) => e.height && (e.bottom > over.bottom + 0.1 || e.top < over.top - 0.1 || e.right > over.right + 0.1
      || e.left < over.left - 0.1)).map((e) => `${e.top}-${e.bottom}`);
}"""


@pytest.mark.window(viewport={"width": 1920, "height": 1080})
def test_the_banner_covers_the_whole_head(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "lost")
    assert page.locator(".wall__h .flag").count() > 0
    daemon.kill()
    until_true(page, "!document.querySelector('#cut').hidden")
    assert page.evaluate(STICKS_OUT) == []
    daemon.start()
    desk.calm(cut=True)


@pytest.mark.window(viewport={"width": 1920, "height": 1080})
def test_figures_alone_fill_the_screen_in_larger_type(desk: Desk, daemon: Daemon) -> None:
    """As a site has it that chooses few tiles."""
    page = screen(desk, daemon, "busy")
    page.evaluate("document.querySelectorAll('.wall__m .panel').forEach((e) => e.remove())")
    sizes = []
    for tiles in (6, 4, 2):
        page.evaluate(f"[...document.querySelectorAll('.wall__k > .panel')].slice({tiles}).forEach((e) => e.remove())")
        assert page.evaluate(OVERFLOWS) == []
        box = page.locator(".k-service").bounding_box()
        assert box is not None
        assert box["height"] > 800
        sizes.append(page.evaluate("document.querySelector('.big').getBoundingClientRect().height"))
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_hostile_queue_name_is_a_text(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "hostile")
    assert "<script>alert(1)</script>队列" in page.inner_text(".wt tbody th >> nth=0").replace("\n", "")
    assert page.evaluate("document.querySelectorAll('main script').length") == 0
    assert page.evaluate(OVERFLOWS) == []
    board = as_supervisor(desk, "/supervise?queue=%3Cscript%3E")
    assert "<script>" in board.inner_text("#board")
    assert board.evaluate("document.querySelectorAll('main script').length") == 0
    desk.calm()


@pytest.mark.parametrize("scene", WALLS)
@pytest.mark.window(viewport={"width": 1920, "height": 1080})
def test_it_is_read_from_eight_metres(desk: Desk, daemon: Daemon, scene: str) -> None:
    """By kind of element: figures 72 px, words and lists 44, what stands beside them 30, rule ids and formulas 22."""
    page = screen(desk, daemon, scene)
    read = page.evaluate(READ, [FAR_FIGURES, FAR, SMALL])
    assert [one for one in read if one[1] < one[0] - 0.1] == [], "too small for where it is read"
    found = [kind for kind, _, _ in read]
    assert found.count(72) >= 4
    assert found.count(44) > 10
    assert found.count(22) < found.count(30) + found.count(44)
    desk.calm()


@pytest.mark.parametrize(("scene", "queues"), [("many", 20), ("twelve", 12)])
def test_of_more_queues_than_fit_the_calm_ones_share_a_line_and_nothing_turns(
    desk: Desk, daemon: Daemon, scene: str, queues: int
) -> None:
    page = screen(desk, daemon, scene)
    lines = page.locator(".wt tbody th").all_inner_texts()
    assert len(lines) == 8
    assert lines[-1] == f"另 {queues - 7} 个队列"
    page.wait_for_timeout(4000)
    assert page.locator(".wt tbody th").all_inner_texts() == lines
    assert page.locator(".wt tbody[hidden], [data-leaf]").count() == 0
    desk.calm()


def test_of_many_seats_those_that_need_looking_at_have_a_name(desk: Desk, daemon: Daemon) -> None:
    page = screen(desk, daemon, "large")
    named = page.locator(".ws li b").all_inner_texts()
    assert len(named) == 10
    assert named[0] == "013", "it holds for more than a minute"
    counts = {line.split()[0]: int(line.split()[-1]) for line in page.locator(".wsum > span").all_inner_texts()}
    assert sum(counts.values()) == 1200
    desk.calm()


SIGNS = """() => {
  const seen = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility === 'visible';
  const of = (e) => [...e.querySelectorAll('svg')].filter(seen).map((s) => s.innerHTML).join('|');
  const out = [];
  for (const e of document.querySelectorAll('.ws li, .wsum > span')) {
    const s = getComputedStyle(e);
    out.push([`${s.color} ${s.backgroundColor}`, of(e)]);
  }
  for (const e of document.querySelectorAll('.wq li, .wt .ramp, .wt .t-due, .wlv b, .kp .mid, .kp .far, .wr li')) {
    const box = e.closest('.kp') || e, s = getComputedStyle(e);
    const plain = !e.closest('.is-due, .is-over, .t-due, .t-over');
    out.push([plain ? 'plain' : `limit ${s.color} ${s.backgroundColor}`, plain ? 'any' : of(box) ? 'sign' : 'none']);
  }
  return out;
}"""
"""Of everything that has a colour by its state or limit: the colour, and which signs are seen."""


@pytest.mark.parametrize("scene", ["busy", "over", "lost", "hundred", "large"])
def test_no_state_and_no_limit_is_told_by_its_colour_alone(desk: Desk, daemon: Daemon, scene: str) -> None:
    page = screen(desk, daemon, scene)
    page.wait_for_timeout(700)
    told = page.evaluate(SIGNS)
    signs: dict[str, set[str]] = {}
    for color, sign in told:
        signs.setdefault(sign, set()).add(color)
        assert sign not in ("", "none"), color
    assert [one for one, colors in signs.items() if one not in ("any", "sign") and len(colors) > 2] == []
    desk.calm()


def test_a_link_opens_the_screen_until_it_is_revoked(chromium: Browser, daemon: Daemon) -> None:
    daemon.tell("scene", name="small")
    daemon.tell("screen", token=TOKEN, name="hall")
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.goto(f"{daemon.url}/wallboard/link/{TOKEN}")
    page.wait_for_selector("body[data-ready]")
    assert page.url == f"{daemon.url}/wallboard"
    assert TOKEN not in page.content()
    assert page.evaluate("document.cookie") == ""
    assert "13800138042" not in page.content()
    daemon.tell("screen", token=TOKEN)
    until_true(page, "document.querySelector('#cut').textContent.includes('已被撤销')")
    shown = page.evaluate("[...document.querySelectorAll('[data-part]')].map((e) => e.textContent.trim()).join('')")
    assert shown == ""
    page.goto(f"{daemon.url}/wallboard")
    assert page.url == f"{daemon.url}/login?next=/wallboard"
    context.close()


def test_it_never_stands_still_on_the_glass(desk: Desk, daemon: Daemon) -> None:
    """The whole picture moves by some pixels each minute; here the clock of the page is turned on."""
    page = desk.context.new_page()
    page.clock.install()
    daemon.tell("scene", name="small")
    desk.tab("/wallboard").close()
    page.goto(daemon.url + "/wallboard")
    page.wait_for_selector("body[data-ready]")
    places: set[Any] = set()
    for _ in range(9):
        places.add(page.evaluate("document.querySelector('main').style.transform"))
        page.clock.run_for(60_000)
    assert len(places) == 8


def test_a_queue_leads_to_its_calls_seats_and_tickets(desk: Desk, daemon: Daemon) -> None:
    daemon.tell("scene", name="busy")
    page = as_supervisor(desk, "/supervise")
    everything = page.locator("#seats tbody tr").count()
    assert everything == 60
    page.click("#q-2")
    page.wait_for_selector("tr[aria-selected=true] #q-2")
    seats = page.locator("#seats tbody tr").count()
    assert 0 < seats < everything
    assert set(page.locator("#board .list .sub bdi").all_inner_texts()) == {"政企热线"}
    assert "13800138042" in page.inner_text("#board").replace(" ", ""), "a supervisor may see who waits"
    page.focus("#q-3")
    daemon.tell("put", step="ringing", call_id="new", queue="q1", caller_number="01055500199")
    until_true(page, "document.querySelector('#board').textContent.includes('010-5550 0199')")
    assert page.evaluate("document.activeElement.id") == "q-3"
    desk.calm()
