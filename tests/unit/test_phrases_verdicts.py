"""From signed reviews to what ``callcenter phrases test`` reads: what an answer tells of phrases, and the command."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callcenter.cli import main
from callcenter.quality.cards import shipped_card
from callcenter.quality.command import OK, USAGE
from callcenter.quality.finding import Finding
from callcenter.quality.review import Dispute, Review
from callcenter.quality.scorecard import YES_NO, Question, Scorecard, Verdict
from callcenter.quality.verdicts import said_by, verdicts_of
from callcenter.store import Store
from tests.fakes.review_site import CLEAN, DIALOGUE, FOUND, add
from tests.store.build import NOW
from tests.store.places import sqlite_place

STANDARD = shipped_card()
MET = {question.id: Verdict.MET for question in STANDARD.questions}
DAY = datetime.fromtimestamp(NOW, UTC).date()

ANNOUNCED = Finding("wait_announcement", "B1", "required", True)
THANKED = Finding("wait_thanks", "B1", "required", False)
DONT_KNOW = Finding("dont_know", "B8", "forbidden", True)
REFUSAL = Finding("refusal", "B8", "forbidden", False)


@pytest.mark.parametrize(
    ("answer", "findings", "told"),
    [
        (Verdict.MET, [ANNOUNCED], {"wait_announcement": True}),
        (Verdict.MET, [ANNOUNCED, THANKED], {"wait_announcement": True, "wait_thanks": True}),
        (Verdict.MISSED, [ANNOUNCED, THANKED], {"wait_announcement": False, "wait_thanks": False}),
        (Verdict.PARTLY, [ANNOUNCED, THANKED], {}),
        (Verdict.NA, [ANNOUNCED], {}),
        (None, [ANNOUNCED], {}),
        (Verdict.MET, [DONT_KNOW, REFUSAL], {"dont_know": False, "refusal": False}),
        (Verdict.MISSED, [DONT_KNOW, REFUSAL], {"dont_know": True}),
        (Verdict.MISSED, [DONT_KNOW, replace(REFUSAL, found=True)], {}),
        (Verdict.MISSED, [replace(DONT_KNOW, found=False), REFUSAL], {}),
        (Verdict.MISSED, [REFUSAL], {"refusal": True}),
        (Verdict.MISSED, [ANNOUNCED, REFUSAL], {}),
        (Verdict.MET, [Finding("greeting", "A2", "required", True)], {}),
    ],
)
def test_an_answer_tells_no_more_than_it_says(
    answer: Verdict | None, findings: list[Finding], told: dict[str, bool]
) -> None:
    assert said_by(Question("q", "s", 1, phrases=("B1", "B8")), answer, findings) == told


def test_where_partly_is_no_answer_missed_does_not_say_which_one() -> None:
    question = Question("q", "s", 1, phrases=("B1",), verdicts=YES_NO)
    assert said_by(question, Verdict.MISSED, [ANNOUNCED, THANKED]) == {}
    assert said_by(question, Verdict.MISSED, [ANNOUNCED]) == {"wait_announcement": False}


def test_only_settled_reviews_that_agree_tell_of_a_phrase() -> None:
    questions = (Question("wait", "s", 1, phrases=("B1",)), Question("language", "s", 1, phrases=("B8",)))
    card = Scorecard("c", (), questions)
    mine = Review(1, 1, "qa", "v", {"wait": Verdict.MET, "language": Verdict.MET}, {}, signed_at=NOW, card=card)
    hers = replace(mine, id=2, reviewer="wu", answers={"wait": Verdict.MET, "language": Verdict.MISSED})
    found = [ANNOUNCED, DONT_KNOW]
    both = {"wait_announcement": True, "dont_know": False}
    assert verdicts_of([mine], found) == both
    assert verdicts_of([mine, hers], found) == {"wait_announcement": True}
    assert verdicts_of([mine, replace(hers, signed_at=None, card=None)], found) == both, "a draft tells nothing"
    open_ = Dispute("no", "li", NOW)
    assert verdicts_of([mine, replace(hers, dispute=open_)], found) == both
    assert verdicts_of([mine, replace(hers, dispute=replace(open_, outcome="set_aside"))], found) == both
    upheld = replace(hers, dispute=replace(open_, outcome="upheld"))
    assert verdicts_of([mine, upheld], found) == {"wait_announcement": True}


# ---- the command


def site(tmp_path: Path, fill: Callable[[Store], Coroutine[Any, Any, None]]) -> str:
    """A configuration whose store holds what ``fill`` puts there."""
    config = tmp_path / "callcenter.toml"
    config.write_text(f'store.url = "sqlite:///{tmp_path}/callcenter.db"\nsite.timezone = "UTC"\n')

    async def work() -> None:
        place = sqlite_place(tmp_path)
        await place.migrate()
        async with place.open() as store:
            await fill(store)

    asyncio.run(work())
    return str(config)


async def signed(store: Store, recording: int, reviewer: str = "qa", **changes: Verdict) -> None:
    review = await store.reviews.begin(recording, reviewer, NOW, STANDARD, MET | changes)
    await store.reviews.sign(review, STANDARD, reviewer, NOW)


async def some_reviews(store: Store) -> None:
    """Two calls that were reviewed, one of them days ago and of another queue; one draft; one call without words."""
    faults = {"language": Verdict.MISSED, "closing": Verdict.MISSED}
    said = (*DIALOGUE, ("caller", 45.0, "我 的 电话 *********00"))
    await signed(store, await add(store, "c1", said), **faults)
    await signed(store, await add(store, "c2", DIALOGUE[:3], CLEAN, at=NOW - 3 * 86400, queue="hr"))
    draft = await add(store, "c3", at=NOW - 60)
    await store.reviews.begin(draft, "qa", NOW, STANDARD, MET)
    await signed(store, await add(store, "c4", None, (), at=NOW - 120))


def verdicts(config: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[Any], str]:
    code = main(["phrases", "verdicts", "-c", config, *options])
    told = capsys.readouterr()
    return code, [json.loads(line) for line in told.out.splitlines()], told.err


def test_signed_reviews_are_what_a_script_is_tried_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = site(tmp_path, some_reviews)
    code, lines, error = verdicts(config, capsys)
    assert (code, error) == (OK, "")
    assert [line["verdicts"] for line in lines] == [
        {"ask_name": True, "closing": False, "dont_know": True, "greeting": True, "wait_announcement": True},
        {"ask_name": True, "closing": True, "dont_know": False, "greeting": True, "wait_announcement": True},
    ]
    text = json.dumps(lines, ensure_ascii=False)
    assert "*********00" in text
    assert "13800138000" not in text, "the caller's number"
    assert '"qa"' not in text
    old = tmp_path / "old.jsonl"
    old.write_text("\n".join(map(json.dumps, lines)))
    assert main(["phrases", "test", str(old)]) == OK
    table = {row.split()[0]: row.split()[1:] for row in capsys.readouterr().out.splitlines()}
    assert table["dont_know"][:4] == ["2", "1", "0", "0"]
    assert table["closing"][:4] == ["2", "0", "0", "1"]
    assert {name for name, (judged, *_) in table.items() if judged != "0"} == {"phrase", *lines[0]["verdicts"]}


def test_days_queue_and_language_choose_the_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = site(tmp_path, some_reviews)
    earlier = str(DAY - timedelta(days=3))
    counts = {
        ("--from", str(DAY)): 1,
        ("--to", str(DAY)): 2,
        ("--to", str(DAY - timedelta(days=1))): 1,
        ("--from", earlier, "--to", earlier): 1,
        ("--queue", "hr"): 1,
        ("--queue", "it", "--to", earlier): 0,
        ("--language", "en"): 0,
    }
    for options, count in counts.items():
        code, lines, error = verdicts(config, capsys, *options)
        assert len(lines) == count, options
        assert (code, bool(error)) == ((OK, False) if count else (USAGE, True)), options


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "soon"), "--from is no day"),
        (("--to", "9999-12-31"), "--to is no day"),
        (("--from", "2026-11-02", "--to", "2026-11-01"), "--to is before --from"),
    ],
)
def test_days_that_are_none_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], told: str
) -> None:
    config = tmp_path / "callcenter.toml"
    config.write_text(f'store.url = "sqlite:///{tmp_path}/callcenter.db"\n')
    code, lines, error = verdicts(str(config), capsys, *options)
    assert (code, lines) == (USAGE, [])
    assert told in error


def test_all_pages_of_calls_are_gone_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def five(store: Store) -> None:
        for n in range(5):
            await signed(store, await add(store, f"c{n}", DIALOGUE, FOUND, at=NOW - n))

    monkeypatch.setattr("callcenter.speech.verdicts.PAGE_ROWS", 2)
    assert len(verdicts(site(tmp_path, five), capsys)[1]) == 5
