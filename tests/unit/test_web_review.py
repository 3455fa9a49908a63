"""The review page over the real store: who sees what, what is refused, and hostile text rendered as text."""

import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import insert, update

from callcenter.quality.card_text import (
    versioned,
)
from callcenter.quality.cards import (
    shipped_card,
)
from callcenter.quality.finding import Finding
from callcenter.quality.matching import judge
from callcenter.quality.scorecard import (
    YES_NO,
    Question,
    Scorecard,
    Section,
    Text,
    Verdict,
)
from callcenter.quality.scripts import default_script
from callcenter.speech.transcript import (
    Turn,
)
from callcenter.store import Store, review_queries
from callcenter.store.schema import recordings, transcription_jobs, transcripts, users
from callcenter.web.live import Hub
from callcenter.web.review_view import telling
from callcenter.web.server import make_app
from tests.fakes import morning
from tests.fakes.review_site import FOUND, Line, add, fill, people, sound, stored_ports, transcript
from tests.fakes.shares import WHOLE, look
from tests.fakes.web import FAST_HASHER, Ear, Memory, Telephone
from tests.fakes.web_client import Control, Person, Site, found
from tests.fakes.web_server import OPTIONS
from tests.store.build import NOW
from tests.store.places import sqlite_place
from tests.store.test_reviews import seem_to_match

STANDARD = shipped_card()
MET = {question.id: Verdict.MET for question in STANDARD.questions}


class ReviewSite(Site):
    """``store`` is the real one, in a SQLite file; ``ids`` are the recordings of ``fill``."""

    store: Store
    ids: list[int]

    async def signed(self, recording: int, reviewer: str = "qa", **changes: Verdict) -> int:
        review = await self.store.reviews.begin(recording, reviewer, NOW, STANDARD, MET | changes)
        await self.store.reviews.sign(review, STANDARD, reviewer, NOW)
        return review

    async def measured(self, recording: int, **values: Any) -> None:
        """What is stored beside its words."""
        changed = update(transcripts).where(transcripts.c.recording_id == recording).values(**values)
        await self.store._database.write(lambda connection: connection.execute(changed))  # type: ignore[attr-defined]

    async def listed(self, person: Person, **filters: str) -> str:
        origin = str(person.client.make_url("")).rstrip("/")
        headers = {"Origin": origin, "HX-Request": "true"}
        answer = await person.client.post("/review/search", data={"csrf": person.csrf, **filters}, headers=headers)
        assert answer.status == 200
        return await answer.text()


@asynccontextmanager
async def review_site(tmp_path: Path) -> AsyncIterator[ReviewSite]:
    place = sqlite_place(tmp_path)
    await place.migrate()
    (tmp_path / "rec").mkdir()
    async with place.open() as store:
        await people(store)
        memory, hub = Memory(morning.now), Hub()
        app = make_app(stored_ports(store, memory, tmp_path / "rec"), OPTIONS, hub, morning.now, hasher=FAST_HASHER)
        server = TestServer(app)
        await server.start_server()
        telephone, ear = Telephone(), Ear()
        here = ReviewSite(memory, hub, telephone, Control(memory, hub, telephone, ear), server, ear)
        here.store, here.ids = store, await fill(store)
        try:
            yield here
        finally:
            for client in here.clients:
                await client.session.close()
            await server.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[ReviewSite]:
    async with review_site(tmp_path) as one:
        yield one


@pytest.mark.parametrize("name", ["wu", "qa", "root"])
async def test_reviewers_see_the_list_and_every_call(here: ReviewSite, name: str) -> None:
    person = await here.signed_in(name)
    page = await (await person.get("/review")).text()
    assert page.count("data-row") == 6
    for recording in here.ids:
        assert (await person.get(f"/review/{recording}")).status == 200


async def test_what_the_sound_tells_stands_beside_the_words(here: ReviewSite) -> None:
    """Hints only: no fault, no mark of the scorecard comes of them (B9)."""
    page = await (await (await here.signed_in("qa")).get(f"/review/{here.ids[0]}")).text()
    assert "座席声音破音" in page
    assert "座席声音偏大" in page
    assert "-11 dBFS" in page


@pytest.mark.parametrize(
    ("language", "places", "rates"),
    [
        ("zh", ("0:36 起静默 11 秒", "1:00 起静默 90 秒，没有保持记录"), ("座席每分钟 150 字", "座席每分钟 150 个词")),
        (
            "en",
            ("silent for 11 s at 0:36", "90 s of silence without a hold at 1:00"),
            ("seat 150 syllables/min", "seat 150 words/min"),
        ),
    ],
)
async def test_a_silence_says_how_long_and_where_and_a_rate_what_it_counts(
    here: ReviewSite, language: str, places: tuple[str, str], rates: tuple[str, str]
) -> None:
    """Of Chinese the syllables are counted, of English the words, whatever the page is in."""
    await here.store.users.change("qa", language=language)
    heard = {
        **dict.fromkeys(("levels", "overlaps", "hints"), ()),
        "rates": {"seat": 150},
        "silences": [{"start": 36.2, "end": 47.6}],
        "unexplained_waits": [{"start": 60.0, "end": 150.0}],
    }
    qa = await here.signed_in("qa")
    for spoken, rate in zip(("zh", "en"), rates, strict=True):
        await here.measured(here.ids[0], measures=heard, language=spoken)
        page = await (await qa.get(f"/review/{here.ids[0]}")).text()
        assert all(place in page for place in places)
        assert [one for one in rates if one in page] == [rate]


async def test_what_was_done_with_a_review_can_be_read_once_it_is_signed(here: ReviewSite) -> None:
    await here.signed(here.ids[0])
    page = await (await (await here.signed_in("wu")).get(f"/review/{here.ids[0]}")).text()
    assert "操作记录" in page
    assert "签名" in page.partition("操作记录")[2]
    seat = await (await (await here.signed_in("li")).get(f"/review/{here.ids[0]}")).text()
    assert "操作记录" not in seat


async def test_phrases_by_seat_and_week_with_their_numbers(here: ReviewSite) -> None:
    """Reviewers see all seats, a seat sees itself; a week without calls is empty, not 0 %."""
    page = await (await (await here.signed_in("qa")).get("/review/seats?weeks=12")).text()
    rows = re.findall(r"<tr[ >].*?</tr>", page, re.DOTALL)
    assert len(rows) == 1 + 1 + 3, "heads, all seats, three seats"
    assert "共 " in rows[1]
    assert "全部座席" in rows[1]
    look(re.sub(r"<title>.*?</title>", "", page), 8, WHOLE)
    bars = re.findall(r"<title>\d{4}-\d\d-\d\d (.*?)</title>", page)
    assert bars
    assert all(re.fullmatch(r"\d+ % / [1-9]\d*", one) for one in bars)
    own = await (await (await here.signed_in("li")).get("/review/seats")).text()
    assert len(re.findall(r"<tr[ >].*?</tr>", own, re.DOTALL)) == 1 + 1
    assert (await (await here.signed_in("qa")).get("/review/seats?weeks=x%27")).status == 200


async def test_holds_and_pauses_lie_under_the_waveform(here: ReviewSite) -> None:
    """In seconds of the recording, which ends with the call."""
    page = await (await (await here.signed_in("qa")).get(f"/review/{here.ids[0]}")).text()
    player = json.loads(html.unescape(found(r'data-player="([^"]+)"', page)))
    (hold,) = player["stretches"]
    assert (hold["kind"], hold["label"]) == ("hold", "保持")
    assert hold["to"] - hold["from"] == pytest.approx(6.0)
    assert 0 <= hold["from"] < player["seconds"]


async def test_a_seat_sees_signed_reviews_of_its_own_calls_and_nothing_else(here: ReviewSite) -> None:
    own, other = here.ids[0], here.ids[1]
    seat = await here.signed_in("li")
    await here.signed(other)
    draft = await here.store.reviews.begin(own, "qa", NOW, STANDARD, MET)
    assert "data-row" not in await (await seat.get("/review")).text()
    for recording in here.ids:
        for path in ("", "/card", "/waves", "/sound/mix"):
            assert (await seat.get(f"/review/{recording}{path}")).status == 404, path
    await here.store.reviews.sign(draft, STANDARD, "qa", NOW)
    assert (await (await seat.get("/review")).text()).count("data-row") == 1
    page = await (await seat.get(f"/review/{own}")).text()
    assert "不知道" in page
    assert 'data-dispute="' in page
    assert 'type="radio" name="v-' not in page
    assert (await seat.get(f"/review/{other}")).status == 404


async def handed_on(here: ReviewSite) -> int:
    """A recording in which 1001 greets and 1002 goes on from second 30; both talk for a moment about 41."""
    found_ = (replace(FOUND[0], seat="1001"), replace(FOUND[3], seat="1002"), replace(FOUND[4], seat="1002"))
    turns = (Turn("018", 0, 25, "1001"), Turn("011", 30, 50, "1002"), Turn("018", 40, 46, "1001"))
    return await add(here.store, "on", found=found_, seats=("1001", "1002"), turns=turns, at=NOW + 60)


async def test_after_a_transfer_each_line_and_finding_names_its_seat(here: ReviewSite) -> None:
    recording = await handed_on(here)
    qa = await here.signed_in("qa")
    page = await (await qa.get(f"/review/{recording}")).text()
    assert page.count("018 李晓雯 → 011 马骏") == 2, "in the list, and over the player"
    voices = re.findall(r'<b class="sub sm voice">(.*?)</b>', page)
    assert voices == ["018 李晓雯"] * 3 + ["011 马骏", "011 马骏 / 018 李晓雯"]
    assert "未说 · 011 马骏" in page
    assert "011 马骏 · <button" in page, "the scorecard's evidence names no seat"
    alone = await (await qa.get(f"/review/{here.ids[0]}")).text()
    assert "voice" not in alone, "a call of one seat needs no names"


async def test_each_question_tells_what_it_is_worth(here: ReviewSite) -> None:
    page = await (await (await here.signed_in("qa")).get(f"/review/{here.ids[0]}")).text()
    for question in STANDARD.questions:
        line = page.partition(f'data-question="{question.id}"')[2].partition("</li>")[0]
        assert (f"{question.weight} 分" in line) is (question.weight > 0), question.id


@pytest.mark.parametrize("before", ["5/" + "9" * 30, "1e309/1", "/", "5"])
async def test_a_page_that_never_was_is_the_first_one(here: ReviewSite, before: str) -> None:
    assert "data-row" in await here.listed(await here.signed_in("qa"), before=before)


TWICE: tuple[Line, ...] = (
    ("seat", 2.0, "您好 远信 服务 我 是 018 号 值班员"),
    ("seat", 10.0, "这个 我 不知道"),
    ("seat", 30.0, "我 不知道 要 先 看 一下 驱动"),
)


async def test_every_place_of_a_forbidden_phrase_is_marked_and_counts_once(here: ReviewSite) -> None:
    """As it is judged, stored and read again: in the transcript, on the waveform, in the scorecard; one in the list."""
    told = judge(transcript(TWICE), default_script("zh"), every_place=True)
    recording = await add(here.store, "twice", TWICE, [one for one in told if one.found], at=NOW + 60)
    qa = await here.signed_in("qa")
    page = await (await qa.get(f"/review/{recording}")).text()
    assert re.findall(r'<span class="w w--bad" data-s="([\d.]+)"', page) == ["10.8", "30.4"]
    player = json.loads(html.unescape(found(r'data-player="([^"]+)"', page)))
    assert [mark["at"] for mark in player["marks"] if mark["rule"] == "B8"] == [10.8, 30.4]
    card = page.partition('data-question="language"')[2].partition("</li>")[0]
    assert re.findall(r'data-to="([\d.]+)"', card) == ["10.8", "30.4"]
    row = (await here.listed(qa, q="")).partition("data-row")[2].partition("</li>")[0]
    assert re.sub(r"<svg.*?</svg>|\s+", "", row).count("B8</span>") == 1, "counted twice in the list"


async def test_what_both_seats_said_is_shown_of_both_and_counted_in_the_list_for_both(here: ReviewSite) -> None:
    """As it is judged, stored and read again; also where the first one said it so often that not all of it is shown."""
    lines: tuple[Line, ...] = (*(("seat", 3.0 * n, "这个 我 不知道") for n in range(1, 8)), TWICE[2])
    turns = (Turn("018", 0, 29, "1001"), Turn("011", 29.5, 50, "1002"))
    told = judge(replace(transcript(lines), seats=turns), default_script("zh"), every_place=True)
    both, found_ = ("1001", "1002"), [one for one in told if one.found]
    recording = await add(here.store, "both", lines, found_, seats=both, turns=turns, at=NOW + 60)
    qa = await here.signed_in("qa")
    page = await (await qa.get(f"/review/{recording}")).text()
    card = page.partition('data-question="language"')[2].partition("</li>")[0]
    assert "018 李晓雯 · <button" in card
    assert "011 马骏 · <button" in card
    row = (await here.listed(qa, q="")).partition("data-row")[2].partition("</li>")[0]
    assert "B8 2</span>" in re.sub(r"<svg.*?</svg>", "", row)
    rates = await (await qa.get("/review/seats")).text()
    assert "011 马骏" in rates


def test_that_no_forbidden_phrase_was_heard_is_said_once_and_only_if_none_was() -> None:
    quiet = [Finding(name, "B8", "forbidden", found=False) for name in ("refusal", "not_clear", "blame")]
    loud = Finding("dont_know", "B8", "forbidden", found=True, start=6.4, heard="不知道")
    unsure = replace(quiet[0], band="doubtful")
    required = Finding("closing", "B7", "required", found=False)
    assert telling(quiet) == quiet[:1]
    assert telling([*quiet, loud]) == [loud]
    assert telling([unsure, *quiet[1:]]) == [unsure]
    assert telling([required]) == [required]


async def test_an_announcement_before_the_seat_is_shown_as_one(here: ReviewSite) -> None:
    one = await add(here.store, "announced", found=(), turns=(Turn("018", 19.0, 50.0, "1001"),))
    page = await (await (await here.signed_in("qa")).get(f"/review/{one}")).text()
    assert page.count('title="播报">播</span>') == 2, "what stands on the seat's track before it took the call"
    assert page.count('title="座席"') == 3


async def test_a_line_of_nobody_known_says_so(here: ReviewSite) -> None:
    turns = (Turn("018", 0, 25, "1001"), Turn("011", 37, 50, "1002"))
    recording = await add(here.store, "on", found=(), seats=("1001", "1002"), turns=turns)
    page = await (await (await here.signed_in("qa")).get(f"/review/{recording}")).text()
    voices = re.findall(r'<b class="sub sm voice">(.*?)</b>', page)
    assert voices == ["018 李晓雯"] * 3 + ["座席未知", "011 马骏"]


async def test_every_seat_of_a_call_reads_and_disputes_its_review_and_none_makes_one(here: ReviewSite) -> None:
    recording = await handed_on(here)
    seats = [await here.signed_in(name) for name in ("li", "ma")]
    for seat in seats:
        assert (await seat.get(f"/review/{recording}")).status == 404, "nothing is signed yet"
    review = await here.signed(recording)
    for seat in seats:
        assert (await seat.get(f"/review/{recording}")).status == 200
        assert f'data-call="{recording}"' in await here.listed(seat)
    wu = await add(here.store, "to-wu", seats=("1001", "1003"))
    assert (await (await here.signed_in("wu")).post(f"/api/recordings/{wu}/reviews", {})).status == 403
    path = f"/api/recordings/{recording}/reviews/{review}"
    assert (await (await here.signed_in("wu")).post(f"{path}/dispute", {"text": "x"})).status == 403
    assert (await seats[1].post(f"{path}/dispute", {"text": "那不是我说的"})).status == 200


async def test_a_seat_cannot_widen_its_list_by_filters(here: ReviewSite) -> None:
    await here.signed(here.ids[1])
    seat = await here.signed_in("li")
    for filters in ({"seat": "1002"}, {"q": "不知道"}, {"review": "none"}, {"sample": "50"}, {"queue": "it"}):
        assert "data-row" not in await here.listed(seat, **filters), filters


@pytest.mark.parametrize(("name", "status"), [("li", 403), ("ma", 403), ("wu", 200), ("qa", 200)])
async def test_who_may_begin_a_review(here: ReviewSite, name: str, status: int) -> None:
    await here.signed(here.ids[0], "root")
    person = await here.signed_in(name)
    begin = f"/api/recordings/{here.ids[0]}/reviews"
    assert (await person.post(begin, {})).status == (409 if status == 200 else status), "its review is there to be read"
    root = await here.signed_in("root")
    assert (await root.post(f"/api/recordings/{here.ids[0]}/calibration", {})).status == 200
    assert (await person.post(begin, {})).status == status


async def test_a_calibration_is_blind_until_the_own_review_is_signed(here: ReviewSite) -> None:
    """Neither page, nor list, nor filter, nor any step tells a reviewer what another one signed."""
    recording = here.ids[0]
    await here.store.reviews.choose(recording, "root", NOW)
    first = await here.store.reviews.begin(recording, "qa", NOW + 1, STANDARD, MET | {"record": Verdict.MISSED})
    await here.store.reviews.comment(first, "k", 3.0, "secret of the first", "qa", NOW + 1)
    await here.store.reviews.write_note(first, "note of the first", "qa", NOW + 1)
    await here.store.reviews.sign(first, STANDARD, "qa", NOW + 2)
    await here.store.reviews.dispute(first, "words of the seat", "li", NOW + 3)
    points = (await here.store.reviews.recorded(recording)).reviews[0].score  # type: ignore[union-attr]
    for name in ("wu", "root"):
        person = await here.signed_in(name)
        page = await (await person.get(f"/review/{recording}")).text()
        assert "data-blind" in page
        assert 'name="v-record"' in page, "it is a form"
        for told in ("secret of the first", "note of the first", "words of the seat", "郑宇", f">{points:g}<"):
            assert told not in page, told
        listed = await here.listed(person, review="calibration")
        assert listed.count("data-row") == 1
        assert f">{points:g}<" not in listed
        assert "已申诉" not in listed
        for score in ("passed", "failed"):
            assert f'data-call="{recording}"' not in await here.listed(person, score=score)
        body = {"outcome": "upheld", "text": "x"}
        refused = await person.post(f"/api/recordings/{recording}/reviews/{first}/answer-dispute", body)
        assert refused.status == 404
    second = await here.store.reviews.begin(recording, "wu", NOW + 4, STANDARD, MET)
    await here.store.reviews.sign(second, STANDARD, "wu", NOW + 5)
    wu = await here.signed_in("wu")
    page = await (await wu.get(f"/review/{recording}")).text()
    assert "secret of the first" in page
    assert page.count('class="differs"') == 1
    assert f'data-call="{recording}"' in await here.listed(wu, score="passed")
    assert "secret of the first" not in await (await (await here.signed_in("root")).get(f"/review/{recording}")).text()


async def test_who_chose_a_call_after_reading_its_review_leads_and_reviews_not(here: ReviewSite) -> None:
    recording = here.ids[0]
    await here.store.reviews.comment(
        await here.store.reviews.begin(recording, "qa", NOW - 9, STANDARD, MET), "k", 3.0, "open words", "qa", NOW - 9
    )
    await here.store.reviews.sign(1, STANDARD, "qa", NOW - 8)
    wu, root = await here.signed_in("wu"), await here.signed_in("root")
    assert "data-calibration" in await (await wu.get(f"/review/{recording}")).text()
    assert (await wu.post(f"/api/recordings/{recording}/calibration", {})).status == 200
    assert "open words" in await (await wu.get(f"/review/{recording}")).text()
    assert (await wu.post(f"/api/recordings/{recording}/reviews", {})).status == 409
    assert "open words" not in await (await root.get(f"/review/{recording}")).text()
    assert (await root.post(f"/api/recordings/{recording}/calibration/end", {})).status == 200
    assert "open words" in await (await root.get(f"/review/{recording}")).text(), "ended, with a line in the log"
    log = [line.what for line in await here.store.reviews.log(recording)]
    assert log[-2:] == ["calibration_begun", "calibration_ended"]


async def test_a_reviewer_ends_no_calibration_of_somebody_else(here: ReviewSite) -> None:
    await here.store.reviews.choose(here.ids[0], "wu", NOW)
    qa, seat = await here.signed_in("qa"), await here.signed_in("li")
    for person in (qa, seat):
        assert (await person.post(f"/api/recordings/{here.ids[0]}/calibration/end", {})).status == 403
    assert (await seat.post(f"/api/recordings/{here.ids[1]}/calibration", {})).status == 403
    found = await here.store.reviews.recorded(here.ids[0])
    assert found is not None
    assert found.row.calibrated_by == "wu"


async def test_nobody_reviews_a_call_of_their_own(here: ReviewSite) -> None:
    supervisor = await here.signed_in("wu")  # her telephone is 1003
    assert (await supervisor.post(f"/api/recordings/{here.ids[5]}/reviews", {})).status == 403


async def test_a_draft_belongs_to_its_reviewer_alone(here: ReviewSite) -> None:
    recording = here.ids[0]
    review = await here.store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    path = f"/api/recordings/{recording}/reviews/{review}"
    bodies: dict[str, dict[str, Any]] = {
        "answer": {"question": "closing", "verdict": "missed"},
        "note": {"text": "x"},
        "comment": {"key": "k", "moment": 1.0, "text": "x"},
        "uncomment": {"comment": 1},
        "sign": {},
        "answer-dispute": {"outcome": "upheld", "text": "x"},
    }
    for name, refusal in (("wu", 404), ("root", 404), ("li", 403)):
        person = await here.signed_in(name)
        for step, body in bodies.items():
            assert (await person.post(f"{path}/{step}", body)).status == refusal, (name, step)
        assert (await person.post(f"{path}/dispute", {"text": "x"})).status == 404
    kept = await here.store.reviews.review(review)
    assert kept is not None
    assert (kept.answers, kept.signed, kept.note, kept.comments) == (MET, False, "", ())


async def test_a_review_is_reached_only_by_its_own_recording(here: ReviewSite) -> None:
    review = await here.store.reviews.begin(here.ids[0], "qa", NOW, STANDARD, MET)
    person = await here.signed_in("qa")
    assert (await person.post(f"/api/recordings/{here.ids[1]}/reviews/{review}/sign", {})).status == 404


async def test_only_the_calls_seat_disputes_and_never_answers_itself(here: ReviewSite) -> None:
    recording = here.ids[5]  # seat 1003, who is a supervisor
    review = await here.signed(recording)
    path = f"/api/recordings/{recording}/reviews/{review}"
    for name, refusal in (("li", 404), ("root", 403), ("qa", 403)):
        assert (await (await here.signed_in(name)).post(f"{path}/dispute", {"text": "no"})).status == refusal
    own = await here.signed_in("wu")
    assert (await own.post(f"{path}/dispute", {"text": "不是我说的"})).status == 200
    assert (await own.post(f"{path}/answer-dispute", {"outcome": "set_aside", "text": "x"})).status == 403
    answered = await (await here.signed_in("root")).post(
        f"{path}/answer-dispute", {"outcome": "set_aside", "text": "您说得对"}
    )
    assert answered.status == 200
    page = await (await own.get(f"/review/{recording}")).text()
    assert "您说得对" in page
    assert "评分已撤销" in page


async def test_nobody_answers_the_dispute_of_his_own_review_while_a_colleague_can(here: ReviewSite) -> None:
    recording = here.ids[0]
    review = await here.signed(recording)
    await here.store.reviews.dispute(review, "客户先说的", "li", NOW)
    qa, path = await here.signed_in("qa"), f"/api/recordings/{recording}/reviews/{review}/answer-dispute"
    page = await (await qa.get(f"/review/{recording}")).text()
    assert "由其他评分人答复" in page
    assert "data-answer-dispute" not in page
    refused = await qa.post(path, {"outcome": "upheld", "text": "no"})
    assert (refused.status, (await refused.json())["error"]) == (403, "对您评分的申诉须由他人答复，请联系其他评分人。")
    for name in ("wu", "root"):
        await here.store.users.change(name, active=False)
    assert "data-answer-dispute" in await (await qa.get(f"/review/{recording}")).text()
    assert (await qa.post(path, {"outcome": "upheld", "text": "录音里是座席说的"})).status == 200
    assert "由评分人本人答复" in await (await qa.get(f"/review/{recording}")).text()


async def test_a_seat_reads_roles_and_no_names(here: ReviewSite) -> None:
    recording = here.ids[0]
    await here.store.reviews.choose(recording, "root", NOW)
    review = await here.signed(recording)
    seat = await here.signed_in("li")
    await here.store.reviews.dispute(review, "客户先说的", "li", NOW)
    await here.store.reviews.answer_dispute(review, "upheld", "维持", "wu", NOW)
    page = await (await seat.get(f"/review/{recording}")).text()
    card = page[page.index('id="card"') :]
    assert "郑宇" not in card
    assert "吴倩" not in card
    assert "评分人 1" in card
    assert "评分人 2" in card
    assert "郑宇" in await (await (await here.signed_in("qa")).get(f"/review/{recording}")).text()


async def test_the_log_names_the_question_and_both_answers(here: ReviewSite) -> None:
    recording = here.ids[0]
    review = await here.store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    await here.store.reviews.answer(review, STANDARD, "closing", Verdict.MISSED, "qa", NOW)
    await here.store.reviews.comment(review, "k", 31.8, "x", "qa", NOW)
    await here.store.reviews.sign(review, STANDARD, "qa", NOW)
    page = await (await (await here.signed_in("wu")).get(f"/review/{recording}")).text()
    log = re.sub(r"<[^>]+>", "", page[page.index('class="log') :])
    question = STANDARD.question("closing")
    assert question is not None
    assert re.search(f"{question.text.zh}.*达标 → 未达标", log) or re.search(f"{question.text.zh} .*→", log)
    assert "0:31" in log


async def test_a_comment_belongs_to_a_second_of_the_recording(here: ReviewSite) -> None:
    qa = await here.signed_in("qa")
    begun = await (await qa.post(f"/api/recordings/{here.ids[0]}/reviews", {})).json()
    path = f"/api/recordings/{here.ids[0]}/reviews/{begun['review']}/comment"
    refused = await qa.post(path, {"key": "k", "moment": 52, "text": "x"})
    assert (refused.status, (await refused.json())["error"]) == (400, "录音没有那么长，请选录音之内的时刻。")
    assert (await qa.post(path, {"key": "k", "moment": 50, "text": "x"})).status == 200


async def test_an_empty_list_says_what_to_loosen(here: ReviewSite) -> None:
    """Each filter that is set, with how many calls there would be without it."""
    qa = await here.signed_in("qa")
    page = await here.listed(qa, seat="1001", queue="hr", review="signed")
    told = re.findall(r'data-loosen="(\w+)">.*?<span class="sub sm num">(\d*)</span>', page)
    assert told == [("review", "1"), ("seat", "0"), ("queue", "0")]
    assert "data-loosen" not in await here.listed(qa, seat="1001")
    assert 'data-loosen="q"' in await here.listed(qa, q="从未说过的话")


async def test_a_review_from_the_first_answer_to_the_signature(here: ReviewSite) -> None:
    recording = here.ids[0]
    qa = await here.signed_in("qa")
    begun = await (await qa.post(f"/api/recordings/{recording}/reviews", {})).json()
    path = f"/api/recordings/{recording}/reviews/{begun['review']}"
    refused = await qa.post(f"{path}/sign", {})
    assert refused.status == 409
    assert (await refused.json())["error"] == "还有未答的项，请先作答再签名。"
    answered = await (await qa.post(f"{path}/answer", {"question": "identity", "verdict": "partly"})).json()
    assert answered["open"] == ["record"]
    assert answered["zeroed"] == ["course"]
    await qa.post(f"{path}/answer", {"question": "record", "verdict": "met"})
    signed = await (await qa.post(f"{path}/sign", {"score": 100})).json()
    assert (signed["signed"], signed["least"]) == (True, 35.0)
    assert (await qa.post(f"{path}/answer", {"question": "record", "verdict": "met"})).status == 409
    page = await (await qa.get(f"/review/{recording}")).text()
    assert 'type="radio" name="v-' not in page
    assert '<span class="total num">35</span>' in page


async def test_what_is_signed_is_what_stood_on_the_screen(here: ReviewSite) -> None:
    """Two windows of one reviewer: the one that signs shows what the other has changed since."""
    qa = await here.signed_in("qa")
    begun = await (await qa.post(f"/api/recordings/{here.ids[0]}/reviews", {})).json()
    path = f"/api/recordings/{here.ids[0]}/reviews/{begun['review']}"
    shown = {name: verdict.value for name, verdict in MET.items()}
    for question, verdict in shown.items():
        assert (await qa.post(f"{path}/answer", {"question": question, "verdict": verdict})).status == 200
    await qa.post(f"{path}/answer", {"question": "record", "verdict": "missed"})
    refused = await qa.post(f"{path}/sign", {"answers": shown})
    assert (refused.status, (await refused.json())["error"][:8]) == (409, "另一个窗口改动了")
    assert (await qa.post(f"{path}/sign", {"answers": ["record"]})).status == 400
    signed = await qa.post(f"{path}/sign", {"answers": shown | {"record": "missed"}})
    assert (await signed.json())["signed"]


async def test_whoever_wraps_up_a_call_may_read_and_review(here: ReviewSite) -> None:
    """The call bar stands on every page, in every state of the seat."""
    await here.signed(here.ids[0])
    found = await here.store.reviews.recorded(here.ids[0])
    assert found is not None
    for step, ago in (("ringing", 60), ("talking", 50), ("ended", 5)):
        here.control.put(step, found.row.call_id, ago=ago)  # whose ticket is open
    seat = await here.signed_in("li")
    assert (await seat.get(f"/review/{here.ids[0]}")).status == 200
    page = await (await seat.get(f"/review/{here.ids[0]}")).text()
    assert 'data-state="wrapup"' in page, "the call bar's own state"


async def test_a_draft_says_that_the_card_has_changed_and_what_is_signed_keeps_its_own(here: ReviewSite) -> None:
    first, second = here.ids[:2]
    await here.signed(first)
    own = Question("tone", "own", 50, Text("语气<b>好</b>", "Tone"), critical="card", verdicts=YES_NO)
    old = versioned(Scorecard("old", (Section("own", Text("旧", "Old")),), (own,), Text("旧表", "Old card")))
    draft = await here.store.reviews.begin(second, "qa", NOW, old, {"tone": Verdict.MET})
    await here.store.reviews.answer(draft, old, "tone", Verdict.MET, "qa", NOW)
    await here.signed(here.ids[2])
    third = await here.store.reviews.begin(here.ids[2], "wu", NOW, old, {"tone": Verdict.MISSED})
    await here.store.reviews.sign(third, old, "wu", NOW + 1)
    qa = await here.signed_in("qa")
    page = await (await qa.get(f"/review/{second}")).text()
    assert "评分表在草稿开始后有改动" in page
    assert 'data-question="tone"' not in page
    assert 'data-question="greeting"' in page
    page = await (await qa.get(f"/review/{here.ids[2]}")).text()
    assert "不同版本的评分表" in page
    assert "语气&lt;b&gt;好&lt;/b&gt;" in page
    assert "整卡关键项" in page
    page = await (await qa.get(f"/review/{first}")).text()
    assert "不同版本的评分表" not in page
    assert STANDARD.version in page


async def test_who_is_reviewing_does_not_see_what_others_found(here: ReviewSite) -> None:
    recording = here.ids[0]
    first = await here.store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    await here.store.reviews.comment(first, "k", 3.0, "secret of the first", "qa", NOW)
    await here.store.reviews.sign(first, STANDARD, "qa", NOW)
    await here.store.reviews.begin(recording, "wu", NOW, STANDARD, MET | {"language": Verdict.MISSED})
    wu = await here.signed_in("wu")
    page = await (await wu.get(f"/review/{recording}")).text()
    assert "secret of the first" not in page
    assert "郑宇" not in page
    await here.store.reviews.sign(2, STANDARD, "wu", NOW)
    page = await (await wu.get(f"/review/{recording}")).text()
    assert "secret of the first" in page
    assert page.count("评分人不一致") == 1
    assert page.count('class="differs"') == 1


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("answer", {"question": 5, "verdict": "met"}),
        ("answer", {"question": "closing", "verdict": "great"}),
        ("answer", {"question": "closing", "verdict": ["met"]}),
        ("comment", {"key": "k", "moment": True, "text": "x"}),
        ("comment", {"key": "k", "moment": -1, "text": "x"}),
        ("comment", {"key": "../x", "moment": 1, "text": "x"}),
        ("comment", {"key": "k", "moment": 1, "text": 5}),
        ("note", {}),
        ("uncomment", {"comment": "1"}),
    ],
)
async def test_what_is_not_understood_is_refused(here: ReviewSite, step: str, body: dict[str, Any]) -> None:
    qa = await here.signed_in("qa")
    begun = await (await qa.post(f"/api/recordings/{here.ids[0]}/reviews", {})).json()
    answer = await qa.post(f"/api/recordings/{here.ids[0]}/reviews/{begun['review']}/{step}", body)
    assert answer.status == 400


async def test_filters_that_mean_nothing_filter_nothing(here: ReviewSite) -> None:
    qa = await here.signed_in("qa")
    odd = {
        "since": "soon",
        "until": "9999-12-31",
        "score": "7",
        "review": "x",
        "sample": "-4",
        "before": "a/b",
    }
    assert (await here.listed(qa, **odd)).count("data-row") == 6
    assert (await here.listed(qa, before="nan/1")).count("data-row") in (0, 6)
    assert (await here.listed(qa, sample="99999999")).count("data-row") == 6


@pytest.mark.parametrize(
    "fault", ["Z1", "hold ", "phrase:", "phrase:nobody_has_it", "phrase:closing' OR 1=1", "x" * 999]
)
async def test_a_finding_that_is_none_is_refused_with_a_sentence(here: ReviewSite, fault: str) -> None:
    qa = await here.signed_in("qa")
    headers = {"Origin": str(qa.client.make_url("")).rstrip("/"), "HX-Request": "true"}
    form = {"csrf": qa.csrf, "fault": fault}
    answer = await qa.client.post("/review/search", data=form, headers=headers)
    assert answer.status == 400
    assert (await answer.json())["error"] == "没有这种可筛选的发现，请从列表中选择。"


OWN = Finding("offer_callback", "A5", "required", False)


def options_of(page: str) -> dict[str, list[tuple[str, str]]]:
    """The select of findings: group to its values and titles."""
    select = re.search(r'<select class="in" name="fault">(.*?)</select>', page, re.S)
    assert select is not None
    told = re.findall(r'<optgroup label="([^"]*)">(.*?)</optgroup>', select[1], re.S)
    return {
        group: re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', html.unescape(inner))
        for group, inner in told
    }


async def test_findings_are_offered_in_groups_in_the_language_of_the_page(here: ReviewSite) -> None:
    """Also the phrase of a site's own script, called as it is there."""
    await add(here.store, "own", found=(OWN,))
    qa = await here.signed_in("qa")
    chinese = options_of(await (await qa.get("/review")).text())
    assert list(chinese) == ["服务标准条目", "等待与打断", "未说标准用语", "说了禁语"]
    assert [value for value, _ in chinese["等待与打断"]] == ["hold", "unexplained", "interruption"]
    assert ("phrase:closing", "B7 标准结束语 · 未说") in chinese["未说标准用语"]
    assert ("phrase:offer_callback", "A5 offer_callback · 未说") in chinese["未说标准用语"]
    assert chinese["说了禁语"] == [("phrase:dont_know", "B8 “不知道”")]
    english = update(users).where(users.c.name == "root").values(language="en")
    await here.store._database.write(lambda connection: connection.execute(english))  # type: ignore[attr-defined]
    told = options_of(await (await (await here.signed_in("root")).get("/review")).text())
    assert list(told)[2:] == ["Required phrase not said", "Forbidden phrase said"]
    assert told["Forbidden phrase said"] == [("phrase:dont_know", "B8 “I do not know”")]
    assert ("phrase:closing", "B7 Closing · not said") in told["Required phrase not said"]


async def test_a_call_is_found_by_one_phrase_or_by_what_was_heard(here: ReviewSite) -> None:
    one = await add(here.store, "own", found=(OWN,), at=NOW + 1)
    waits = {"unexplained_waits": [{"start": 1.0, "end": 70.0}], "overlaps": []}
    await here.measured(here.ids[1], measures=waits)
    await here.measured(
        here.ids[2], measures={"overlaps": [{"start": 1, "end": 2, "by": "seat", "interruption": True}]}
    )
    qa = await here.signed_in("qa")
    for fault, recording in (
        *(("phrase:offer_callback", one), ("phrase:closing", here.ids[0])),
        *(("unexplained", here.ids[1]), ("interruption", here.ids[2])),
    ):
        assert re.findall(r'data-call="(\d+)"', await here.listed(qa, fault=fault)) == [str(recording)], fault


async def test_a_seats_figure_leads_to_the_calls_behind_it(here: ReviewSite) -> None:
    qa = await here.signed_in("qa")
    page = await (await qa.get("/review/seats")).text()
    forms = re.findall(r'<form class="to-calls".*?</form>', page, re.S)
    told = [dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) for form in forms]
    of_seat = [one for one in told if one["seat"] == "1001"]
    assert [one["fault"] for one in of_seat] == ["phrase:closing", "B8"]
    qa_form = of_seat[0] | {"csrf": qa.csrf}
    headers = {"Origin": str(qa.client.make_url("")).rstrip("/")}
    answer = await qa.client.post("/review/search", data=qa_form, headers=headers)
    listed = await answer.text()
    assert re.findall(r'data-call="(\d+)"', listed) == [str(here.ids[0])]
    assert '<option value="phrase:closing" selected>' in listed
    assert "data-asked" in listed
    assert 'class="to-calls"' not in await (await (await here.signed_in("li")).get("/review/seats")).text()


async def test_a_search_tells_the_second(here: ReviewSite) -> None:
    page = await here.listed(await here.signed_in("qa"), q="不知道")
    assert page.count("data-row") == 2
    assert f"/review/{here.ids[0]}?at=31.80" in page
    assert "<mark>不知道</mark>" in page


async def test_a_search_that_found_nothing_yet_goes_on(here: ReviewSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_queries, "MAX_SCANNED", 2)
    for n in range(3):
        await add(here.store, f"near{n}", (("seat", 0.0, "不"), ("caller", 1.0, "知道")), (), at=NOW + 10 - n)
    await seem_to_match(here.store)
    qa = await here.signed_in("qa")
    page = await here.listed(qa, q="不知道")
    assert "data-row" not in page
    assert "更早的通话还没有查找" in page
    assert "没有通话" not in page
    seen = []
    for _ in range(6):
        older = re.search(r'name="before" value="([^"]+)"', page)
        if older is None:
            break
        page = await here.listed(qa, q="不知道", before=older[1])
        seen += re.findall(r'data-call="(\d+)"', page)
    assert seen == [str(here.ids[0]), str(here.ids[5])]


async def test_hostile_words_are_text(here: ReviewSite) -> None:
    qa = await here.signed_in("qa")
    for page in (
        await (await qa.get(f"/review/{here.ids[4]}")).text(),
        await here.listed(qa, q="<script>"),
        await here.listed(qa),
    ):
        assert "<script>alert" not in page
        assert "<img/src" not in page
        assert "<b>新河" not in page
        for mark in "\u202e\u2066":
            assert mark not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in await (await qa.get(f"/review/{here.ids[4]}")).text()


async def test_sound_and_waveform_are_those_of_the_recording(here: ReviewSite, tmp_path: Path) -> None:
    sound(tmp_path / "rec")
    qa = await here.signed_in("qa")
    part = await qa.get(f"/review/{here.ids[0]}/sound/seat", headers={"Range": "bytes=0-3"})
    assert (part.status, await part.read()) == (206, b"RIFF")
    waves = (await (await qa.get(f"/review/{here.ids[0]}/waves")).json())["tracks"]
    assert waves["seat"]["seconds"] == 50.0
    spoken = [n for n, bar in enumerate(waves["seat"]["bars"]) if bar > 5]
    assert 2 * 240 / 50 - 1 <= min(spoken) <= 2 * 240 / 50 + 1
    assert waves["caller"]["bars"] != waves["seat"]["bars"]


async def test_the_player_gets_all_of_a_track_whose_header_was_never_finished(here: ReviewSite, tmp_path: Path) -> None:
    sound(tmp_path / "rec")
    (file,) = (tmp_path / "rec").rglob("seat.wav")
    right = file.read_bytes()
    file.write_bytes(right[:40] + bytes(4) + right[44:])
    qa = await here.signed_in("qa")
    part = await qa.get(f"/review/{here.ids[0]}/sound/seat", headers={"Range": "bytes=36-99"})
    assert (part.status, await part.read()) == (206, right[36:100])


async def test_the_hash_of_the_recording_stands_below_the_player(here: ReviewSite, tmp_path: Path) -> None:
    """Short, and whole behind it; where there is none, nothing."""
    sound(tmp_path / "rec")
    qa = await here.signed_in("qa")
    assert 'id="hash"' not in await (await qa.get(f"/review/{here.ids[0]}")).text()
    told = {"sha256": "0123456789abcdef" * 4}
    await here.store._database.write(
        lambda connection: connection.execute(update(recordings).where(recordings.c.id == here.ids[0]).values(told))
    )
    page = await (await qa.get(f"/review/{here.ids[0]}")).text()
    assert '<span class="num">0123456789ab…</span>' in page
    assert f'<code class="hash">{told["sha256"]}</code>' in page


async def test_without_sound_the_page_says_so_and_stays(here: ReviewSite) -> None:
    qa = await here.signed_in("qa")
    page = await (await qa.get(f"/review/{here.ids[0]}")).text()
    assert "没有这通电话的录音" in page or "无录音" in page
    assert (await qa.get(f"/review/{here.ids[0]}/sound/mix")).status == 404
    assert (await (await qa.get(f"/review/{here.ids[0]}/waves")).json()) == {"tracks": {}}


async def test_a_path_out_of_the_folder_is_not_served(here: ReviewSite, tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "mixed.wav").write_bytes(b"RIFF outside")
    qa = await here.signed_in("qa")
    assert (await qa.get(f"/review/{here.ids[0]}/sound/mix")).status == 404


async def test_text_for_search_never_travels_in_an_address(here: ReviewSite) -> None:
    qa = await here.signed_in("qa")
    assert (await (await qa.get("/review?q=不知道")).text()).count("data-row") == 6
    assert (await qa.get("/review/search?q=x")).status in (404, 405)


async def test_a_thousand_words_and_a_quiet_recording_are_shown(here: ReviewSite) -> None:
    many = (("seat", 1.0, " ".join("好的" for _ in range(1000))),)
    long = await add(here.store, "long", many, (), at=NOW + 1)
    quiet = await add(here.store, "quiet", (), (), at=NOW + 2)
    qa = await here.signed_in("qa")
    assert (await (await qa.get(f"/review/{long}")).text()).count('<span class="w"') == 1000
    assert "录音已转写，其中没有说话" in await (await qa.get(f"/review/{quiet}")).text()


async def test_what_a_page_hands_to_its_script_is_data(here: ReviewSite) -> None:
    qa = await here.signed_in("qa")
    page = await (await qa.get(f"/review/{here.ids[0]}")).text()
    told = page.split('data-player="')[1].split('"')[0]
    facts = json.loads(told.replace("&#34;", '"'))
    assert [mark["rule"] for mark in facts["marks"]] == ["A2", "A3", "B1", "B8"]
    assert [mark["sign"] for mark in facts["marks"]] == ["ok", "ask", "ok", "bad"]


async def job_of(here: ReviewSite, recording: int, state: str, code: str | None = None) -> None:
    row = {
        "state": state,
        "code": code,
        "attempts": 0,
        "claimed_by": "",
        "not_before": 0.0,
        "error": "",
        "created_at": 0,
    }

    def work(connection: Any) -> None:
        connection.execute(insert(transcription_jobs).values(recording_id=recording, **row))

    await here.store._database.write(work)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        ("waiting", None, "转写生成中"),
        ("claimed", None, "转写生成中"),
        ("waiting", "model", "转写等待中： 语音模型无法使用"),
        ("failed", "no_sound", "未转写： 录音里没有声音"),
        ("quarantined", "unknown to this version", "未转写： "),
        (None, None, "未转写：转写功能未开启。"),
    ],
)
async def test_a_call_without_a_transcript_says_why_in_the_list_and_proposes_nothing_as_if_it_had_listened(
    here: ReviewSite, state: str | None, code: str | None, words: str
) -> None:
    recording = await add(here.store, "new", None, (), at=NOW + 60)
    if state is not None:
        await job_of(here, recording, state, code)
    qa = await here.signed_in("qa")
    row = (await here.listed(qa, q="")).partition("data-row")[2].partition("</li>")[0]
    assert words in row
    assert ("data-coming" in row.partition(">")[0]) is (state in ("waiting", "claimed"))
    page = await (await qa.get(f"/review/{recording}")).text()
    card = page.partition('id="card"')[2]
    assert words in card
    assert "未经机器听辨" in card
    assert "机器建议" not in card.partition("</h2>")[2].partition("</div>")[0]
    there = (await (await qa.get(f"/review/{here.ids[0]}")).text()).partition('id="card"')[2]
    assert "data-unheard" not in there


async def test_a_dispute_stands_above_the_questions_for_the_seat_and_for_who_answers(here: ReviewSite) -> None:
    review = await here.signed(here.ids[0])
    for name in ("li", "root"):
        if name == "root":
            await here.store.reviews.dispute(review, "我没有说。", "li", NOW + 1)
        page = await (await (await here.signed_in(name)).get(f"/review/{here.ids[0]}")).text()
        above, _, below = page.partition('id="questions"')
        what = 'data-dispute="' if name == "li" else 'data-answer-dispute="'
        assert what in above
        assert what not in below


async def test_of_two_phrases_of_one_rule_it_is_said_which_is_missing(here: ReviewSite) -> None:
    """The wait was announced and nobody thanked for it: “B1 not said” would be half a lie."""
    thanks = Finding("wait_thanks", "B1", "required", False)
    recording = await add(here.store, "b1", found=(*FOUND, thanks), at=NOW + 70)
    qa = await here.signed_in("qa")
    page = await (await qa.get(f"/review/{recording}")).text()
    assert "B1 等待后致谢：未说" in page
    assert page.count("等待后致谢：未说") == 2, "beside the transcript, and as the scorecard's evidence"
