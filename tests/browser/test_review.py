"""The review page in a real Chromium: search, player, keys, scorecard, dispute, languages, sizes, themes."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, until_true
from tests.browser.test_pages import CONTRAST
from tests.fakes.ports import free_port
from tests.fakes.web import PASSWORD

SMALL = pytest.mark.window(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
REVIEWED = pytest.mark.window(reviewed=True)
expect.set_options(timeout=20_000)  # every write reaches the disk, and the disk may be busy
HEAD = "Number(document.querySelector('#wave .head').getAttribute('x1')) * 50 / 690"


class Reviews:
    """The server and one browser; every console message and page error is remembered."""

    def __init__(self, url: str, browser: Browser, options: dict[str, Any]) -> None:
        self.url, self.browser, self.options, self.said = url, browser, options, list[str]()

    def person(self, name: str, path: str = "/review", shown: str = "body[data-review]") -> Page:
        context = self.browser.new_context(**self.options)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.goto(self.url + "/login")
        page.fill("#u", name)
        page.fill("#p", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector("body[data-ready]")
        page.goto(self.url + path)
        page.wait_for_selector(shown)
        return page

    def calm(self) -> None:
        assert self.said == []


@pytest.fixture
def reviews(chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Reviews]:
    port = free_port()
    marks = [mark.kwargs for mark in request.node.iter_markers("window")]
    wanted = {key: value for one in marks for key, value in one.items()}
    more = ["reviewed"] if wanted.pop("reviewed", False) else []
    command = [sys.executable, "-m", "tests.fakes.review_server", str(port), str(tmp_path), *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    values = {"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
    known = set(chromium.contexts)
    yield Reviews(f"http://127.0.0.1:{port}", chromium, values | wanted)
    for context in set(chromium.contexts) - known:
        context.close()
    process.terminate()
    process.wait(20)


def head(page: Page) -> float:
    page.wait_for_selector("#player[data-drawn]")
    return float(page.evaluate(HEAD))


def test_the_second_in_which_it_was_said_is_found_in_a_few_keystrokes(reviews: Reviews) -> None:
    page = reviews.person("qa")
    page.keyboard.press("/")
    page.keyboard.type("我不知道")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/1?at=31.40")
    page.wait_for_selector("body[data-review]")
    assert head(page) == pytest.approx(31.4, abs=0.1)
    expect(page.locator("#words .is-now")).to_contain_text("这个我不知道要先看一下驱动")
    expect(page.locator("#words .w--now")).to_have_text("我")
    page.keyboard.press("Space")
    until_true(page, "document.getElementById('sound').currentTime > 31.9")
    expect(page.locator("#words .w--now.w--bad")).to_have_text("不知道")
    page.keyboard.press("Space")
    until_true(page, "document.getElementById('sound').paused")
    assert "知道" not in page.url
    reviews.calm()


class Actions:
    """A person's hands: counts what is done, one for each key, text or click."""

    def __init__(self, page: Page) -> None:
        self.page, self.done = page, 0

    def press(self, key: str) -> None:
        self.done += 1
        self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.done += 1
        self.page.keyboard.type(text)

    def click(self, selector: str) -> None:
        self.done += 1
        self.page.locator(selector).first.click()


def with_keys(hands: Actions) -> None:
    hands.press("/")
    hands.write("我不知道")
    hands.press("Enter")


def with_the_mouse(hands: Actions) -> None:
    """The words have to be typed; then the hit in the list is clicked."""
    hands.click("#q")
    hands.write("我不知道")
    hands.click("#list [data-hit]")


@pytest.mark.parametrize("way", [with_keys, with_the_mouse])
def test_three_actions_lead_from_the_list_to_the_second(reviews: Reviews, way: Callable[[Actions], None]) -> None:
    page = reviews.person("qa")
    hands, begun = Actions(page), time.monotonic()
    way(hands)
    page.wait_for_url("**/review/1?at=31.40")
    page.wait_for_selector("body[data-review]")
    assert head(page) == pytest.approx(31.4, abs=0.1)
    expect(page.locator("#at")).to_have_text("0:31")
    until_true(page, "Math.abs(document.getElementById('sound').currentTime - 31.4) < 0.1")
    assert time.monotonic() - begun < 10
    assert hands.done <= 3
    expect(page.locator("#words .is-now")).to_contain_text("不知道")
    reviews.calm()


def test_a_click_on_a_questions_evidence_plays_it(reviews: Reviews) -> None:
    page = reviews.person("qa")
    hands = Actions(page)
    hands.click("#list [data-call]")
    page.wait_for_selector("#player")
    page.wait_for_selector("body[data-review]")
    hands.click("[data-question=language] .why [data-to]")
    until_true(page, "document.getElementById('sound').played.length > 0")
    assert page.evaluate("document.getElementById('sound').played.start(0)") == pytest.approx(31.8, abs=0.1)
    assert hands.done == 2
    reviews.calm()


def test_the_search_stays_while_calls_are_opened_and_in_no_address(reviews: Reviews) -> None:
    page = reviews.person("qa")
    page.fill("#q", "不知道")
    expect(page.locator("#list [data-row]")).to_have_count(2)
    page.locator("#list [data-call]").nth(1).click()
    page.wait_for_selector("#player")
    page.wait_for_selector("body[data-review]")
    expect(page.locator("#q")).to_have_value("不知道")
    expect(page.locator("#list [data-row]")).to_have_count(2)
    expect(page.locator("#list [aria-current]")).to_have_count(1)
    page.locator("h2").first.click()
    page.keyboard.press("p")
    page.wait_for_url("**/review/1?at=*")  # to where it was said
    reviews.calm()


def test_filters_and_a_sample_with_a_seed(reviews: Reviews) -> None:
    page = reviews.person("qa")
    rows = page.locator("#list [data-row]")
    expect(rows).to_have_count(6)
    page.select_option("#r-seat", "1001")
    expect(rows).to_have_count(2)
    page.click("#more-filters summary")
    page.select_option("[name=fault]", "B8")
    expect(rows).to_have_count(1)
    page.click("#filters [type=reset]")
    expect(rows).to_have_count(6)
    page.fill("[name=sample]", "3")
    page.fill("[name=seed]", "a")
    page.keyboard.press("Tab")
    expect(rows).to_have_count(3)
    first = rows.all_text_contents()
    page.reload()
    page.wait_for_selector("body[data-review]")
    expect(rows).to_have_count(3)
    assert rows.all_text_contents() == first
    reviews.calm()


@REVIEWED
def test_a_filter_by_phrase_stays_while_one_pages_draws_a_sample_and_walks(reviews: Reviews, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "callcenter.db", timeout=20) as base:
        base.execute("UPDATE findings SET found = 0, band = 'sure' WHERE phrase = 'greeting'")
        (calls,) = base.execute("SELECT count(*) FROM findings WHERE phrase = 'greeting'").fetchone()
    page = reviews.person("qa")
    rows, finding = page.locator("#list [data-row]"), page.locator("[name=fault]")
    page.click("#more-filters summary")
    groups = finding.locator("optgroup").evaluate_all("(all) => all.map((one) => one.label)")
    assert groups == ["服务标准条目", "等待与打断", "未说标准用语", "说了禁语"]
    finding.select_option(label="A2 标准问候 · 未说")
    expect(page.locator(".rec-n")).to_contain_text(str(calls))
    expect(rows).to_have_count(40)
    page.click("#list [name=before]")
    expect(rows).to_have_count(calls - 40)
    oldest = rows.last.locator("[data-call]").get_attribute("data-call")
    rows.last.locator("[data-call]").click()
    page.wait_for_url(f"**/review/{oldest}")
    for _ in range(2):
        page.wait_for_selector("body[data-review]")
        expect(finding).to_have_value("phrase:greeting")
        expect(rows).to_have_count(40)
        here = page.url
        page.locator("h2").first.click()
        page.keyboard.press("n")
        page.wait_for_url(lambda url: url != here)  # noqa: B023 - asked at once
    page.wait_for_selector("body[data-review]")
    page.fill("[name=sample]", "3")
    page.keyboard.press("Tab")
    expect(rows).to_have_count(3)
    expect(page.locator(".rec-n")).to_contain_text(str(calls))
    expect(finding).to_have_value("phrase:greeting")
    reviews.calm()


@REVIEWED
def test_a_seats_figure_leads_to_its_calls_and_the_filter_stays(reviews: Reviews) -> None:
    page = reviews.person("qa", "/review/seats?weeks=12", "body[data-ready]")
    page.locator("tbody tr:not(.rates__all) .to-calls button", has_text="未说的通话").first.click()
    page.wait_for_url("**/review")
    page.wait_for_selector("body[data-review]")
    kept = page.evaluate("Object.fromEntries(new FormData(document.getElementById('filters')))")
    assert (kept["fault"], kept["seat"]) == ("phrase:closing", "1001")
    shown = page.locator("#list [data-row]")
    count = shown.count()
    assert count > 1
    expect(page.locator("#more-filters [name=fault]")).to_be_visible()
    page.reload()
    page.wait_for_selector("body[data-review]")
    expect(shown).to_have_count(count)
    page.keyboard.press("n")
    page.wait_for_url("**/review/*")
    page.wait_for_selector("body[data-review]")
    expect(shown).to_have_count(count)
    expect(page.locator("[name=fault]")).to_have_value("phrase:closing")
    reviews.calm()


def test_a_finding_that_is_not_offered_any_more_is_refused_with_a_sentence(reviews: Reviews) -> None:
    page = reviews.person("qa")
    page.click("#more-filters summary")
    page.evaluate("document.querySelector('[value=\"phrase:closing\"]').value = 'phrase:of_yesterday'")
    page.select_option("[name=fault]", "phrase:of_yesterday")
    expect(page.locator("#toasts")).to_have_text("没有这种可筛选的发现，请从列表中选择。")


def test_words_marks_and_keys_move_the_head(reviews: Reviews) -> None:
    page = reviews.person("qa", "/review/1")
    assert head(page) == 0
    seen = []
    for _ in range(4):
        page.keyboard.press("j")
        seen.append(round(head(page), 1))
    assert seen == pytest.approx([2.0, 12.0, 20.0, 31.8], abs=0.1)
    expect(page.locator("#questions [aria-current]")).to_contain_text("B8")
    page.keyboard.press("k")
    assert head(page) == pytest.approx(20.0, abs=0.1)
    page.keyboard.press("ArrowRight")
    assert head(page) == pytest.approx(25.0, abs=0.1)
    page.keyboard.press("ArrowLeft")
    page.locator("#words .w", has_text="贵姓").click()
    until_true(page, "!document.getElementById('sound').paused")
    until_true(page, "document.getElementById('sound').currentTime > 12.7")
    page.keyboard.press("Space")
    box = page.locator("#wave").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert head(page) == pytest.approx(25.0, abs=0.3)
    assert page.locator("#wave rect.c").count() == 240
    assert page.locator("#wave rect.s").count() == 240
    page.locator("[name=speed][value='2.0']").check()
    assert page.evaluate("document.getElementById('sound').playbackRate") == 2
    reviews.calm()


def test_a_review_is_made_signed_and_disputed(reviews: Reviews) -> None:
    page = reviews.person("qa", "/review/1")
    expect(page.locator("#total")).to_have_text("20–40")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(page.locator("#open-n")).to_contain_text("还有 1 项未答")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#questions [aria-current]")).to_contain_text("C2")
    page.keyboard.press("1")
    expect(page.locator("#total")).to_have_text("35")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("问候很好")
    page.keyboard.press("Enter")
    expect(page.locator(".cm")).to_contain_text("问候很好")
    expect(page.locator(".cm .t")).to_have_text("0:02")
    page.fill("#c-note", "请用“我帮您查”代替“不知道”")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("再按一次即签名")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#card-saved")).to_contain_text("已签名")
    expect(page.locator("#card input[type=radio]")).to_have_count(0)
    expect(page.locator("#toasts")).not_to_contain_text("再按一次即签名")
    line = page.locator("#list [data-call='1']")
    expect(line).to_contain_text("35")
    expect(line).not_to_contain_text("草稿")
    seat = reviews.person("li")
    expect(seat.locator("#list [data-row]")).to_have_count(1)
    seat.click("#list [data-call]")
    seat.wait_for_selector("body[data-review]")
    expect(seat.locator("#card")).to_contain_text("请用“我帮您查”代替“不知道”")
    seat.click("#card details summary")
    seat.fill("#card details textarea", "客户先说的")
    seat.click("#card details button")
    expect(seat.locator(".dispute")).to_contain_text("尚未答复")
    page.reload()
    page.wait_for_selector("body[data-review]")
    expect(page.locator(".dispute")).to_contain_text("由其他评分人答复")
    expect(page.locator(".dispute textarea")).to_have_count(0)
    answers = reviews.person("wu", "/review/1")
    answers.fill(".dispute textarea", "是座席说的，维持")
    answers.click(".dispute button[value=upheld]")
    expect(answers.locator(".dispute textarea")).to_have_count(0)  # the button had the same words as the answer
    expect(answers.locator(".dispute")).to_contain_text("维持评分")
    seat.reload()
    expect(seat.locator(".dispute")).to_contain_text("是座席说的，维持")
    expect(seat.locator("#card")).not_to_contain_text("郑宇")
    expect(seat.locator("#card")).to_contain_text("评分人 1")
    reviews.calm()


@REVIEWED
def test_a_review_is_set_aside_only_at_the_second_press(reviews: Reviews) -> None:
    page = reviews.person("wu", "/review/43")
    page.fill(".dispute textarea", "是客户先说的")
    page.click(".dispute button[value=set_aside]")
    expect(page.locator("#toasts")).to_contain_text("再按一次即撤销")
    expect(page.locator(".dispute textarea")).to_have_value("是客户先说的")
    page.click(".dispute button[value=set_aside]")
    expect(page.locator(".dispute")).to_contain_text("评分已撤销")
    reviews.calm()


def test_what_was_not_saved_is_not_signed_and_a_typed_comment_is_not_lost(reviews: Reviews) -> None:
    page = reviews.person("qa", "/review/1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("1")
    expect(page.locator("#card-saved")).to_contain_text("已保存")
    page.context.set_offline(True)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("3")
    expect(page.locator("#card-saved")).to_contain_text("没有保存")
    first = page.locator("#questions [data-question] >> nth=0")
    expect(first.locator("input[value=missed]")).to_be_checked()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#card input[type=radio]")).not_to_have_count(0)
    page.context.set_offline(False)
    page.keyboard.press("c")
    page.keyboard.type("再听一遍")
    page.keyboard.press("Escape")
    page.locator("#sign").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("未添加")
    page.reload()
    page.wait_for_selector("body[data-review]")
    expect(page.locator("#questions [data-question] >> nth=0 >> input[value=missed]")).to_be_checked()
    expect(page.locator("#c-text")).to_have_value("再听一遍")


def test_a_transcript_on_its_way_is_said_in_the_list_and_arrives_by_itself(reviews: Reviews, tmp_path: Path) -> None:
    """The line alone is drawn anew: nothing that stands in a field, and no other line, is touched."""
    with sqlite3.connect(tmp_path / "callcenter.db", timeout=20) as base:
        base.execute(
            "INSERT INTO transcription_jobs (recording_id, state, attempts, claimed_by, not_before, error, created_at)"
            " VALUES (4, 'claimed', 1, 'w', 0, '', 0)"
        )
    page = reviews.person("qa", "/review/4")
    line = page.locator("#list [data-row]", has=page.locator("[data-call='4']"))
    expect(line).to_contain_text("转写生成中")
    expect(page.locator("#card [data-unheard]")).to_be_visible()
    page.fill("#c-note", "我在写")
    page.evaluate("document.querySelector('#list [data-row]').dataset.mine = 'kept'")
    with sqlite3.connect(tmp_path / "callcenter.db", timeout=20) as base:
        base.execute(
            "INSERT INTO transcripts (recording_id, language, model, words, text, measures, created_at)"
            " SELECT 4, language, model, words, text, measures, created_at FROM transcripts WHERE recording_id = 1"
        )
        base.execute("UPDATE transcription_jobs SET state = 'done' WHERE recording_id = 4")
    expect(line).not_to_contain_text("转写生成中")
    expect(page.locator("#toasts")).to_contain_text("转写已生成")
    expect(page.locator("#c-note")).to_have_value("我在写")
    expect(page.locator("#list [data-mine=kept]")).to_have_count(1)
    reviews.calm()


@SMALL
@REVIEWED
def test_on_a_telephone_a_dispute_is_seen_before_the_questions(reviews: Reviews) -> None:
    for name in ("root", "wu"):
        page = reviews.person(name, "/review/6")
        page.click("[role=tab][data-to=form]")
        first = page.locator(".dispute").first
        expect(first).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    reviews.calm()


def test_two_reviewers_see_where_they_differ_after_both_have_signed(reviews: Reviews) -> None:
    for name, verdict in (("qa", "1"), ("root", "3")):
        page = reviews.person(name, "/review/2")
        if name == "qa":
            page.click("[data-calibration=calibration]")
            expect(page.locator("[data-blind]")).to_contain_text("已选作校准")
        else:
            expect(page.locator("#list [data-row]", has=page.locator("[data-call='2']"))).to_contain_text("校准")
            expect(page.locator("#card")).not_to_contain_text("郑宇")
        page.locator("#questions [data-question=record]").click(position={"x": 5, "y": 5})
        page.keyboard.press(verdict)
        expect(page.locator("#open-n")).to_have_text("各项均已作答")
        page.click("#sign")
        page.click("#sign")
        expect(page.locator("#card-saved")).to_contain_text("已签名")
    expect(page.locator("#questions .differs")).to_have_count(1)
    expect(page.locator("#questions .differs")).to_contain_text("评分人不一致")
    expect(page.locator("#card .panel__f")).to_contain_text("1 项不一致")
    reviews.calm()


BOX = "(one) => { const r = one.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; }"


def box(page: Page, selector: str) -> list[float]:
    """Left, top, right, bottom on the screen."""
    found: list[float] = page.locator(selector).first.evaluate(BOX)
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_told_is_told_once_and_does_not_lie_over_the_sign_button(reviews: Reviews, width: int) -> None:
    reviews.options["viewport"] = {"width": width, "height": 800}
    page = reviews.person("qa", "/review/1")
    if width < 760:
        page.click("[role=tab][data-to=form]")
    page.locator("#sign").scroll_into_view_if_needed()
    for _ in range(3):
        page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts .toast")).to_have_text("请先回答未答的项，下一项已标出。")
    page.locator("#sign").scroll_into_view_if_needed()
    told, sign = box(page, "#toasts .toast"), box(page, "#sign")
    assert told[3] <= sign[1] or told[2] <= sign[0]
    reviews.calm()


def test_the_names_of_the_tracks_stand_beside_the_waveform_at_their_middle(reviews: Reviews) -> None:
    page = reviews.person("qa", "/review/1")
    page.wait_for_selector("#player[data-drawn]")
    wave = box(page, "#wave")
    for n, middle in enumerate((48, 104), 1):
        name = box(page, f".sides span:nth-child({n})")
        assert name[2] <= wave[0]
        at = wave[1] + (wave[3] - wave[1]) * middle / 154
        assert (name[1] + name[3]) / 2 == pytest.approx(at, abs=3)
    reviews.calm()


def test_answers_in_english_have_no_empty_frame_beside_them(reviews: Reviews) -> None:
    page = reviews.person("qa")
    page.click("details.pull summary")
    page.click("button[value=en]")
    page.wait_for_selector("html[lang=en] body[data-review]")
    page.goto(reviews.url + "/review/1")
    assert box(page, "#questions .seg")[2] - box(page, "#questions .seg label:last-child")[2] <= 2
    reviews.calm()


@REVIEWED
def test_the_button_of_a_dispute_keeps_away_from_the_heading_below(reviews: Reviews, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "callcenter.db", timeout=20) as base:
        base.execute("DELETE FROM review_disputes")
    page = reviews.person("li", "/review/43")
    assert box(page, "#questions .grp")[1] - box(page, ".to-dispute summary")[3] >= 8
    reviews.calm()


@REVIEWED
@SMALL
@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_telephone_all_phrases_of_a_seat_are_in_view(reviews: Reviews, language: str) -> None:
    page = reviews.person("qa")
    page.click("details.pull summary")
    page.click(f"button[value={language}]")
    page.wait_for_selector(f"html[lang^={language}] body[data-review]")
    page.goto(reviews.url + "/review/seats?weeks=26")
    cells = page.locator(".rates__all td")
    expect(cells).to_have_count(4)
    assert all(one[0] >= 0 and one[2] <= 390 for one in cells.evaluate_all(f"(all) => all.map({BOX})"))
    heads = page.locator(".rates__all .rates__head")
    assert [text.rsplit(" ", 1)[1] for text in heads.all_inner_texts()] == ["A2", "B1", "B7", "B8"]
    expect(heads.last).to_be_visible()
    reviews.calm()


def test_hostile_words_do_nothing(reviews: Reviews) -> None:
    page = reviews.person("qa", "/review/5")
    page.on("dialog", lambda dialog: pytest.fail("a dialog opened"))
    expect(page.locator("#words")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("#words script, #words img").count() == 0
    assert page.evaluate("getComputedStyle(document.querySelector('#words bdi')).direction") == "ltr"
    reviews.calm()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_text_has_contrast_and_controls_have_names(reviews: Reviews, theme: str, language: str) -> None:
    page = reviews.person("qa", "/review/1?at=31.8")
    page.click("details.pull summary")
    page.click(f"button[value={language}]")
    page.wait_for_selector("body[data-review]")
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(reviews.url + "/review/1?at=31.8")
    page.wait_for_selector("body[data-review]")
    page.fill("#q", "不知道")
    expect(page.locator("#list [data-hit]").first).to_be_visible()
    page.keyboard.press("Escape")
    page.click("#more-filters summary")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(400)
    assert page.evaluate(CONTRAST) == []
    nameless = page.eval_on_selector_all(
        "button, a, input:not([type=hidden]), textarea, select, summary",
        """(all) => all.filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))
        .map((e) => e.outerHTML.slice(0, 90))""",
    )
    assert nameless == []
    ids = page.eval_on_selector_all("[id]", "(all) => all.map((e) => e.id)")
    assert len(ids) == len(set(ids))
    reviews.calm()


PLACES = {
    "list": ("qa", "/review"),
    "signed by two": ("qa", "/review/6"),
    "a seat's own": ("li", "/review/43"),
    "without a transcript": ("qa", "/review/4"),
    "rates": ("qa", "/review/seats?weeks=12"),
}


@REVIEWED
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_has_contrast(reviews: Reviews, theme: str, language: str) -> None:
    poor = []
    for place, (name, path) in PLACES.items():
        page = reviews.person(name)
        page.click("details.pull summary")
        page.click(f"button[value={language}]")
        page.wait_for_selector("body[data-review]")
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(reviews.url + path)
        page.wait_for_selector("body[data-ready]")
        assert page.locator("html").get_attribute("lang", timeout=5000)[:2] == language  # type: ignore[index]
        for summary in page.locator("#card details summary").all():
            summary.click()
        page.wait_for_timeout(300)
        poor += [f"{place}: {one}" for one in page.evaluate(CONTRAST)]
        page.close()
    assert poor == []
    reviews.calm()


@REVIEWED
@SMALL
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("place", PLACES)
def test_no_page_is_wider_than_a_telephone(reviews: Reviews, place: str, language: str) -> None:
    name, path = PLACES[place]
    page = reviews.person(name)
    page.click("details.pull summary")
    page.click(f"button[value={language}]")
    page.wait_for_selector("body[data-review]")
    page.goto(reviews.url + path)
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cut = page.eval_on_selector_all(
        ".panel__h :is(a, button, h2), .panel__f :is(a, button)",
        "(all) => all.filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.textContent)",
    )
    assert cut == []
    reviews.calm()


@SMALL
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_telephone_nothing_is_wider_than_the_page(reviews: Reviews, theme: str) -> None:
    page = reviews.person("qa", "/review/1")
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for tab in ("who", "tx", "form"):
        page.click(f".tabs [data-to={tab}]")
        expect(page.locator(f"[data-pane={tab}]")).to_be_visible()
        assert page.locator("[data-pane]:visible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    reviews.calm()
