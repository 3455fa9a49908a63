"""Judging transcripts by the shipped scripts: sentences with a supervisor's verdict, errors made up, hostile input."""

import io
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import astuple, replace
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callcenter.cli import OK, USAGE, main
from callcenter.errors import BadInput
from callcenter.quality import align, likely, meaning, places
from callcenter.quality.align import LIGHT_WEIGHT, ROUNDING, Laid, Line, Piece, piece_of
from callcenter.quality.finding import Finding, all_places
from callcenter.quality.heard import Wait
from callcenter.quality.matching import judge
from callcenter.quality.scripts import Script, default_script, parse, read_script
from callcenter.quality.sounds import DIGITS, distance, sound_of, units
from callcenter.speech.transcript import Segment, Speaker, Transcript, Turn, Word
from tests.unit.confusion import Score, cases, scores
from tests.unit.phrase_calls import PROOF_CALLS, WIDE_CALLS, calls
from tests.unit.phrase_natural import NATURAL
from tests.unit.phrase_proof import PROOF
from tests.unit.phrase_sentences import CALLER, REQUIRED, SEAT
from tests.unit.phrase_templates import ALSO_TUNE, LAST_TUNE, TUNE, Templates
from tests.unit.phrase_wide import WIDE

ZH = default_script("zh")
KEYS = ["id", "phrase", "rule", "kind", "found", "speaker", "start", "heard", "score", "band"]
NAMES = {kind: tuple(p.name for p in ZH.phrases if p.kind == kind) for kind in ("required", "forbidden")}


def call(
    *turns: tuple[Speaker, str],
    seat: str = "018",
    company: str = "华信公司",
    pauses: Sequence[float] = (),
    conf: float = 0.95,
) -> Transcript:
    """Sentences one after the other, a character every 0.2 s, 0.5 s between them or what ``pauses`` says."""
    segments, at = [], 0.0
    for number, (speaker, text) in enumerate(turns):
        words = tuple(Word(c, at + 0.2 * n, at + 0.2 * n + 0.2, conf) for n, c in enumerate(text))
        segments.append(Segment(speaker, words))
        at += 0.2 * len(text) + (pauses[number] if number < len(pauses) else 0.5)
    return Transcript("call", seat, company, tuple(segments))


def finding(transcript: Transcript, name: str) -> Finding:
    return next(one for one in judge(transcript, ZH) if one.phrase == name)


def breaches(transcript: Transcript) -> dict[str, str]:
    return {one.phrase: one.band for one in judge(transcript, ZH) if one.kind == "forbidden" and one.found}


def test_every_place_of_a_forbidden_phrase_is_told_and_it_counts_once() -> None:
    """Also where it stands in other words, in words that a person has to look at, and in one sentence."""
    said = ["这个我不知道", "好的", "我不知道要先看一下驱动我不知道", "这个我也不知道哦", "如果您不知道密码我帮您查"]
    told = judge(call(*(("seat", text) for text in said)), ZH, every_place=True)
    assert [one.phrase for one in told] == [phrase.name for phrase in ZH.phrases]
    (found,) = [one for one in told if one.kind == "forbidden" and one.found]
    starts = [one.start for one in all_places([found])]
    assert starts == pytest.approx([0.6, 2.8, 5.2, 6.9], abs=0.5)
    assert all("不知道" in one.heard for one in found.more)
    assert [replace(one, more=()) for one in told] == judge(call(*(("seat", text) for text in said)), ZH)


def test_what_is_said_once_has_no_other_place() -> None:
    told = judge(call(("seat", "这个我不知道"), ("caller", "不知道就算了")), ZH, every_place=True)
    assert all(not one.more for one in told)


TWO_SEATS = (Turn("018", 0.0, 1.4, "1001"), Turn("019", 1.6, 90.0, "1002"))


def test_what_two_seats_said_is_a_finding_of_each_with_its_own_places() -> None:
    said = replace(call(("seat", "这个我不知道"), ("seat", "我也不知道"), ("seat", "我不知道啊")), seats=TWO_SEATS)
    told = judge(said, ZH, every_place=True)
    mine, hers = [one for one in told if one.kind == "forbidden" and one.found]
    assert (mine.phrase, mine.seat, mine.more) == (hers.phrase, "1001", ())
    assert [one.seat for one in all_places([hers])] == ["1002", "1002"]
    assert len({one.start for one in all_places([mine, hers])}) == 3
    assert len(judge(said, ZH)) == len(ZH.phrases), "the command tells one object per phrase"


def test_a_wait_of_each_seat_needs_its_words_and_nobody_answers_for_the_other() -> None:
    """Both let the customer wait; one says so, the other does not."""
    said = call(("seat", "请您稍等马上为您查询"), ("seat", "好的"), ("seat", "嗯"), pauses=(30.0, 0.5, 30.0))
    turns = (Turn("018", 0.0, 30.0, "1001"), Turn("019", 31.0, 90.0, "1002"))
    waits = [Wait(2.2, 30.0), Wait(34.0, 60.0)]
    told = judge(replace(said, seats=turns), ZH, waits, every_place=True)
    announced = [(one.seat, one.found, one.band) for one in told if one.phrase == "wait_announcement"]
    assert announced == [("1001", True, "sure"), ("1002", False, "sure")]


def test_greeting_and_closing_have_one_owner_however_many_seats_spoke() -> None:
    said = call(("seat", "您好华信公司我是018号值班员"), ("seat", "好的"), ("seat", "好的"))
    turns = (Turn("018", 0.0, 3.3, "1001"), Turn("019", 3.5, 4.1, "1002"), Turn("020", 4.3, 9.0, "1003"))
    told = judge(replace(said, seats=turns), ZH, every_place=True)
    owned = [(one.phrase, one.seat) for one in told if one.phrase in ("greeting", "closing")]
    assert owned == [("greeting", "1001"), ("closing", "1003")]


@pytest.mark.parametrize(("text", "expected"), SEAT, ids=[text for text, _ in SEAT])
def test_what_a_seat_says(text: str, expected: str) -> None:
    assert set(breaches(call(("seat", text)))) == ({expected} if expected else set())


def test_of_a_seat_that_was_not_heard_at_all_nothing_is_surely_missing() -> None:
    """Its track may lack its voice; one word of it, and what is missing is."""
    caller: tuple[Speaker, str] = ("caller", "我办公室的打印机坏了")
    silent, heard = (finding(call(*turns), "closing") for turns in ([caller], [caller, ("seat", "好的")]))
    assert (silent.found, silent.band) == (False, "doubtful")
    assert (heard.found, heard.band) == (False, "sure")


def test_of_the_next_seat_that_was_not_heard_nothing_is_surely_missing() -> None:
    told = call(("seat", "您好华信公司我是018号值班员"), ("caller", "我办公室的打印机坏了"))
    turns = (Turn("018", 0.0, 3.5, "1001"), Turn("019", 3.6, 8.0, "1002"))
    closing = finding(replace(told, seats=turns), "closing")
    assert (closing.found, closing.band, closing.seat) == (False, "doubtful", "1002")


def test_the_greeting_of_whom_an_announcement_came_before_is_in_time() -> None:
    """After three rings the telephone system speaks for eight seconds (A1); then the duty manager's time begins."""
    announcement = "您好坐席正忙感谢您的耐心等待请您稍等马上为您接通值班经理"
    greeting: tuple[Speaker, str] = ("seat", "您好华信公司我是018号值班员")
    other: tuple[Speaker, str] = ("seat", "好的我马上为您查询一下工单的情况" * 2)
    for said, in_time in (([greeting], True), ([other, greeting], False)):
        told = call(("seat", announcement), *said, pauses=(3.0,))
        taken = 0.2 * len(announcement) + 3.0
        one = finding(replace(told, seats=(Turn("018", taken, 90.0, "3001"),)), "greeting")
        assert (one.found and one.band == "sure") == in_time
        assert not in_time or one.start == pytest.approx(taken)


def test_what_an_announcement_says_no_seat_has_said() -> None:
    """Neither what should have been said nor what should not; without a moment of taking it is the seat's, as ever."""
    told = call(("seat", "请问您贵姓这个我们不知道"), ("seat", "您好华信公司我是018号值班员"), pauses=(3.0,))
    known = replace(told, seats=(Turn("018", 0.2 * 12 + 3.0, 90.0, "3001"),))
    for name in ("ask_name", "dont_know"):
        assert (finding(told, name).found, finding(known, name).found) == (True, False)
    assert finding(known, "greeting").band == "sure"


def test_what_may_have_been_said_while_nothing_was_recorded_is_not_surely_missing() -> None:
    """A pause hides words: of the greeting at the beginning, of the closing at the end, of neither amid."""
    told = call(("seat", "您好华信公司"), ("caller", "我办公室的打印机坏了" * 10), ("seat", "好的"))
    end = max(word.end for segment in told.segments for word in segment.words)
    for paused, doubtful in (
        (Wait(1.5, 3.5), {"greeting", "ask_name"}),
        (Wait(10.0, end - 20.0), {"ask_name"}),
        (Wait(end, end + 3.0), {"ask_name", "closing"}),
    ):
        found = [one for one in judge(told, ZH, paused=[paused]) if one.kind == "required" and one.due]
        assert {one.phrase for one in found if not one.found and one.band == "doubtful"} == doubtful, paused
    assert all(one.band == "sure" for one in judge(told, ZH) if one.kind == "required" and one.due)


def test_a_pause_of_the_recording_is_no_wait() -> None:
    told = call(("seat", "好的"), ("seat", "请说"), pauses=(30.0,))
    assert finding(told, "wait_announcement").due
    paused = judge(told, ZH, paused=[Wait(1.0, 29.0)])
    assert not next(one for one in paused if one.phrase == "wait_announcement").due


@pytest.mark.parametrize("text", CALLER)
def test_what_a_caller_says_is_no_breach(text: str) -> None:
    assert breaches(call(("caller", text))) == {}


@pytest.mark.parametrize(("text", "name", "expected"), REQUIRED, ids=[f"{name} {text}" for text, name, _ in REQUIRED])
def test_what_a_seat_has_to_say(text: str, name: str, expected: bool) -> None:
    found = finding(call(("seat", text)), name)
    assert found.found is expected or found.band == "doubtful"
    assert not (found.found and not expected and found.band == "sure")


def test_every_phrase_of_the_standard_is_there_once_per_call() -> None:
    assert [one.phrase for one in judge(call(), ZH)] == [*NAMES["required"], *NAMES["forbidden"]]
    assert NAMES["required"] == ("greeting", "ask_name", "wait_announcement", "wait_thanks", "closing")
    assert NAMES["forbidden"] == ("refusal", "dont_know", "not_clear", "blame", "internal")


def test_what_was_not_found_shows_nothing() -> None:
    for one in judge(call(("seat", "好的")), ZH):
        assert (one.found, one.speaker, one.start, one.end, one.heard) == (False, None, None, None, "")


def test_a_finding_says_who_when_and_what() -> None:
    found = finding(call(("caller", "打印机坏了"), ("seat", "这我不清楚")), "not_clear")
    assert (found.speaker, found.heard, found.band) == ("seat", "不清楚", "sure")
    assert found.start == pytest.approx(1.5 + 0.4)
    assert found.end == pytest.approx(2.5)


def test_words_split_anywhere_are_the_same() -> None:
    text = "您好华信公司我是018号值班员"
    whole = Transcript("a", "018", "华信公司", (Segment("seat", (Word(text, 0.0, 3.0),)),))
    pairs = tuple(Word(text[n : n + 2], n * 0.2, n * 0.2 + 0.4) for n in range(0, len(text), 2))
    for transcript in (
        whole,
        Transcript("a", "018", "华信公司", (Segment("seat", pairs[:3]), Segment("seat", pairs[3:]))),
    ):
        assert finding(transcript, "greeting").band == "sure"
        assert finding(transcript, "greeting").found


def test_the_greeting_comes_first() -> None:
    greeting = "您好华信公司我是018号值班员"
    assert finding(call(("caller", "喂"), ("seat", greeting)), "greeting").found
    assert not finding(call(("seat", "喂哪位"), ("seat", greeting), pauses=(8.0,)), "greeting").found
    late = finding(call(("caller", "喂"), ("seat", greeting), pauses=(8.0,)), "greeting")
    assert (late.found, late.band) == (True, "doubtful")


def test_the_number_of_the_closing_mends_no_greeting() -> None:
    wrong, closing = "您好华信公司我是零一九号值班员", "零一八号感谢您的来电再见"
    assert not finding(call(("seat", wrong), ("seat", closing)), "greeting").found
    assert finding(call(("seat", wrong.replace("九", "八")), ("seat", closing)), "greeting").found


@pytest.mark.parametrize(("seat", "said"), [("446", "4466"), ("018", "118"), ("018", "零一九"), ("018", "0118")])
def test_a_number_one_digit_off_is_doubtful(seat: str, said: str) -> None:
    found = finding(call(("seat", f"您好华信公司我是{said}号值班员"), seat=seat), "greeting")
    assert found.band == "doubtful"


def test_quite_another_number_is_no_greeting() -> None:
    found = finding(call(("seat", "您好华信公司我是七三二号值班员")), "greeting")
    assert (found.found, found.band) == (False, "sure")


@pytest.mark.parametrize("text", ["我为您登记一下", "马上为您安排", "稍候有人联系您"])
def test_what_is_like_a_wait_announcement_is_none(text: str) -> None:
    assert not finding(call(("seat", text)), "wait_announcement").found


def test_without_a_known_number_no_greeting_is_sure() -> None:
    found = finding(call(("seat", "您好华信公司我是018号值班员"), seat=""), "greeting")
    assert (found.found, found.band) == (True, "doubtful")


def test_the_closing_comes_last() -> None:
    closing = "感谢您的来电再见"
    assert finding(call(("seat", closing)), "closing").found
    assert not finding(call(("seat", closing), ("caller", "等等我还有一个问题"), pauses=(20.0,)), "closing").found


def test_a_wait_is_announced_before_and_thanked_for_after() -> None:
    good = call(("seat", "请您稍等马上为您查询"), ("seat", "感谢您的耐心等待"), pauses=(20.0,))
    assert [finding(good, name).band for name in ("wait_announcement", "wait_thanks")] == ["sure", "sure"]
    assert all(finding(good, name).found for name in ("wait_announcement", "wait_thanks"))
    bad = call(("seat", "我看看"), ("seat", "好了"), pauses=(20.0,))
    assert [(finding(bad, n).found, finding(bad, n).due) for n in ("wait_announcement", "wait_thanks")] == [
        (False, True)
    ] * 2
    swapped = call(("seat", "感谢您的耐心等待"), ("seat", "请您稍等马上为您查询"), pauses=(20.0,))
    assert not any(finding(swapped, name).found for name in ("wait_announcement", "wait_thanks"))


def test_without_a_wait_no_announcement_is_due() -> None:
    assert not finding(call(("seat", "好的")), "wait_announcement").due
    held = judge(call(("seat", "好的")), ZH, [Wait(30.0, 60.0)])
    assert next(one for one in held if one.phrase == "wait_announcement").due


def test_words_of_low_confidence_are_doubtful() -> None:
    assert finding(call(("seat", "这我不清楚"), conf=0.3), "not_clear").band == "doubtful"


@pytest.mark.parametrize(
    ("templates", "kind", "recall", "precision"),
    [
        (PROOF, "required", 0.92, 0.93),
        (PROOF, "forbidden", 0.85, 0.93),
        (LAST_TUNE, "required", 0.97, 0.97),
        (LAST_TUNE, "forbidden", 0.94, 0.965),
    ],
    ids=["proof-required", "proof-forbidden", "known-required", "known-forbidden"],
)
def test_a_thousand_cases_with_errors(templates: Templates, kind: str, recall: float, precision: float) -> None:
    """15 % of the characters are wrong. A wrong one among two or three syllables may leave nothing to find. The aim is
    0.97 for all; what is asked here is reached. A stranger's own words are much harder than those of the standard."""
    reached(kind, scores(cases(1000, 20270318, NAMES[kind], templates=templates), ZH), recall, precision)


@pytest.mark.parametrize(("kind", "recall", "precision"), [("required", 0.97, 0.96), ("forbidden", 0.95, 0.8)])
def test_sixty_whole_calls(kind: str, recall: float, precision: float) -> None:
    """Without errors, but as people talk: waits, corrections, what the caller says, and much that only sounds alike."""
    given, found = calls(PROOF_CALLS), {name: Score() for name in NAMES[kind]}
    assert (len(given), len(calls(WIDE_CALLS))) == (60, 60)
    assert {name for one in given for name in one.said} == {*NAMES["required"], *NAMES["forbidden"]}
    for verdict in given:
        for one in judge(verdict.transcript, ZH):
            if one.kind == kind:
                found[one.phrase].add(one.phrase in verdict.said, one.found, one.band == "doubtful")
    reached(kind, found, recall, precision)


def reached(kind: str, found: dict[str, Score], recall: float, precision: float) -> None:
    """Doubtful ones count as found: a person then looks."""
    for name, score in found.items():
        print(f"{name:<20} recall {score.recall:.3f} precision {score.precision:.3f} doubtful {score.doubtful}")
    total = Score(*(sum(column) for column in zip(*map(astuple, found.values()), strict=True)))
    print(f"{kind:<20} recall {total.recall:.3f} precision {total.precision:.3f}")
    assert total.recall > recall, total
    assert total.precision > precision, total


def test_three_hundred_natural_sentences() -> None:
    """All are judged rightly as the script is; two may fail, so that a change which is right elsewhere can be made."""
    wrong, judged = [], 0
    for name, (said, like_it) in NATURAL.items():
        for text in (*said, *like_it):
            found = finding(call(("caller" if text.startswith(">") else "seat", text.removeprefix(">"))), name)
            judged += 1
            if found.found != (text in said):
                wrong.append(f"{name}: {text}")
    print(f"{judged - len(wrong)} of {judged} right", *wrong, sep="\n")
    assert judged == 300
    assert len(wrong) <= 2, wrong


def test_the_proof_has_sentences_of_its_own() -> None:
    tuned = {text for text, *_ in (*SEAT, *REQUIRED)} | {
        text.lstrip(">") for both in NATURAL.values() for text in chain(*both)
    }
    for templates in (TUNE, ALSO_TUNE, LAST_TUNE, WIDE):
        tuned.update(chain(*templates.said.values(), *templates.like_it.values()))
    for name in (*NAMES["required"], *NAMES["forbidden"]):
        said, like_it = PROOF.said[name], PROOF.like_it[name]
        assert not tuned & {*said, *like_it}
        assert len({*said, *like_it}) == len(said) + len(like_it)
        assert (len(said) >= 19, len(like_it) >= (20 if name in NAMES["required"] else 30)) == (True, True), name


def test_errors_are_made() -> None:
    """Without errors all is found of what the script knows: what is missed above, the errors have hidden."""
    found = scores(cases(100, 5, NAMES["forbidden"], rate=0.0, templates=LAST_TUNE), ZH)
    assert all(score.recall >= 0.9 for score in found.values()), found


def english(text: str) -> Transcript:
    words = tuple(Word(word, n * 0.3, n * 0.3 + 0.3) for n, word in enumerate(text.split()))
    return Transcript("e", "018", "Acme", (Segment("seat", words),))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Good morning Acme this is zero one eight speaking", {"greeting"}),
        ("good morning akme this is number oh one nine", set()),
        ("hello acme number 018 how can I help", {"greeting"}),
        ("hello acme number 019 how can I help", set()),
        ("I dont no", {"dont_know"}),
        ("If you do not know the number look at the back", set()),
        ("may I have your name please", {"ask_name"}),
        ("thank you for calling have a nice day goodbye", {"closing"}),
    ],
)
def test_english_works_the_same_way(text: str, names: set[str]) -> None:
    found = {one.phrase for one in judge(english(text), default_script("en")) if one.found}
    assert found - {"wait_announcement", "wait_thanks"} == names


# --- the command ------------------------------------------------------------------------------------------------------


def check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: bytes, *arguments: str
) -> tuple[int, list[dict[str, object]], str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code = main(["phrases", "check", *arguments])
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return code, [json.loads(line) for line in told.out.splitlines()], told.err


GOOD = json.dumps(
    {
        "id": "7",
        "seat": "018",
        "segments": [{"speaker": "seat", "words": [{"word": "不行", "start": 1, "end": 2, "conf": 1}]}],
    }
).encode()


def test_one_line_per_phrase_with_the_promised_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, error = check(monkeypatch, capsys, GOOD + b"\n\n" + GOOD, "--format", "jsonl")
    assert (code, error) == (OK, "")
    assert len(lines) == 2 * len(ZH.phrases)
    assert all(list(line) == KEYS for line in lines)
    assert [line["phrase"] for line in lines if line["found"]] == ["refusal"] * 2


@pytest.mark.parametrize(
    "line",
    [
        b"{", b"[]", b"7", b"null", b"\xff\xfe", b'{"id": 1, "segments": {}}', b'{"segments": []}', b'{"id": NaN}',
        b'{"id": "no segments"}',
        b'{"id": "x", "segments": [{"speaker": "robot", "words": []}]}', b'{"id": "\\ud800", "segments": []}',
        b'{"id": "x", "segments": [{"speaker": "seat", "words": [{"word": "a", "start": NaN, "end": 1}]}]}',
        b'{"id": "x", "segments": [{"speaker": "seat", "words": [{"word": "a", "start": "1", "end": 1}]}]}',
        b'{"id": "x", "segments": [{"speaker": "seat", "words": [{"word": 1.5, "start": 1, "end": 1}]}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_bad_line_costs_one_sentence_and_the_others_are_judged(
    line: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, error = check(monkeypatch, capsys, GOOD + b"\n" + line + b"\n" + GOOD)
    assert code == USAGE
    assert len(lines) == 2 * len(ZH.phrases)
    assert error.startswith("line 2: ")
    assert error.count("\n") == 1


def test_a_line_without_end_and_no_line_at_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("callcenter.quality.command.MAX_LINE_BYTES", 10_000)
    code, lines, error = check(monkeypatch, capsys, b"x" * 50_000 + b"\n" + GOOD)
    assert (code, len(lines)) == (USAGE, len(ZH.phrases))
    assert error.startswith("line 1: is longer than")
    code, lines, error = check(monkeypatch, capsys, b"")
    assert (code, lines) == (USAGE, [])
    assert error == "There was no transcript to judge; give one JSON object a line.\n"
    code, lines, error = check(monkeypatch, capsys, b"{\n[]\n")
    assert (code, lines) == (USAGE, [])
    assert error.splitlines()[2] == "No line could be judged: see above; give one JSON object a line."


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        (b'{"word": "a", "start": 9, "end": 1}', "end: must not come before its start"),
        (b'{"word": "a", "start": 0, "end": 1, "conf": 2}', "conf: must be a number from 0 to 1"),
        (b'{"word": "a", "start": 0, "end": 1, "conf": 1.1}', "conf: must be a number from 0 to 1"),
        (
            b'{"word": "' + b"x" * 201 + b'", "start": 0, "end": 1}',
            "word: has more than 200 characters; give one word, with its own times",
        ),
    ],
)
def test_what_no_word_can_be_is_named_with_its_place(
    word: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = b'{"word": "' + b"x" * 200 + b'", "start": 1, "end": 1, "conf": 1}'
    line = b'{"id": "x", "segments": [{"speaker": "seat", "words": [' + good + b", " + word + b"]}]}"
    code, lines, error = check(monkeypatch, capsys, line + b"\n" + GOOD)
    assert (code, len(lines)) == (USAGE, len(ZH.phrases))
    assert error == f"line 1: segments[0].words[1].{sentence}.\n"


@pytest.mark.parametrize(
    "words",
    [
        b'[{"word": "a"}]', b'[{"word": "a", "start": 0, "end": -1}]', b'[{"word": "a", "start": 1e999, "end": 1}]',
        b'[{"word": null, "start": 0, "end": 1}]', b'"abc"', b'[["a", 0, 1]]', b'{"word": "a"}',
        b'[{"word": "a", "start": true, "end": 1}]',
        b'[{"word": "a", "start": 0, "end": 1, "conf": "high"}]',
    ],
)  # fmt: skip
def test_bad_words_cost_one_sentence(
    words: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = b'{"id": "x", "segments": [{"speaker": "seat", "words": ' + words + b"}]}"
    code, lines, error = check(monkeypatch, capsys, line + b"\n" + GOOD)
    assert (code, len(lines)) == (USAGE, len(ZH.phrases))
    assert error.startswith("line 1: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("segments", [b"[]", b'[{"speaker": "seat", "words": []}]'])
def test_where_nothing_was_said_nothing_is_found(
    segments: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, error = check(monkeypatch, capsys, b'{"id": "x", "segments": ' + segments + b"}")
    assert (code, error, len(lines)) == (OK, "", len(ZH.phrases))
    assert not any(line["found"] for line in lines)


def test_a_line_of_ten_megabytes_is_judged(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    long = GOOD.replace(b'"id"', b'"note": "' + b"x" * 10_000_000 + b'", "id"')
    assert len(long) > 10_000_000
    code, lines, error = check(monkeypatch, capsys, long + b"\n" + GOOD)
    assert (code, error, len(lines)) == (OK, "", 2 * len(ZH.phrases))


CHARACTERS = "您好请稍等不行知道清楚我们内部操作错误的话如果感谢来电再见贵姓久马上为查零一八号华信公司布型直到亲"


def plainly(piece: Piece, line: Line, low: int, high: int, most: float) -> Laid | None:
    """``align.lay`` by the book: the whole table of edits, no bound, no cut-off, nothing remembered."""
    low = max(0, low)
    window, length, (begin, end) = line.texts[low:high], len(piece.deleted), (low, low)
    costs = [sum(piece.deleted[:n]) for n in range(length + 1)]
    best = costs[-1]
    for at, text in enumerate(window, 1):
        column = piece.costs[text]
        above = [float(at)]
        for n in range(length):
            ways = above[-1] + piece.deleted[n], costs[n + 1] + piece.extras[text], costs[n] + column[n]
            above.append(min(ways))
        costs = above
        if costs[-1] < best:
            best, begin, end = costs[-1], low + int(costs[-1] % (1 << 20)), low + at
    cost = best // (1 << 20) / 10_000
    return Laid(cost, begin, end) if cost <= most + ROUNDING else None


class Forgetful(dict[object, object]):
    def __setitem__(self, key: object, value: object) -> None:
        pass


def judged_plainly(transcript: Transcript, script: Script) -> list[Finding]:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("places", "meaning", "slots"):
            patch.setattr(f"callcenter.quality.{module}.lay", plainly)
        for module in ("places", "meaning"):
            patch.setattr(f"callcenter.quality.{module}.lacking", lambda needed, stretch: 0.0)
        patch.setattr(places, "_known", Forgetful())
        patch.setattr(meaning, "_meanings", meaning._Meanings)
        return judge(transcript, script)


TURNS = st.lists(st.tuples(st.sampled_from(("seat", "caller")), st.text(CHARACTERS, min_size=1)), max_size=6)


@settings(max_examples=40, deadline=None)
@given(TURNS)
@example([("seat", "一不直")])  # at its tolerance exactly
def test_the_short_ways_find_what_the_whole_table_finds(turns: list[tuple[Speaker, str]]) -> None:
    transcript = call(*turns)
    assert judge(transcript, ZH) == judged_plainly(transcript, ZH)


def test_so_they_do_in_calls_with_errors() -> None:
    garbled = [case.transcript for kind in NAMES.values() for case in cases(15, 7, kind, 0.2, TUNE)]
    assert [judge(one, ZH) for one in garbled] == [judged_plainly(one, ZH) for one in garbled]


def test_what_two_sounds_lack_is_what_they_cost_but_for_less_than_a_step() -> None:
    one_of_each = {sound_of(chr(code), "zh"): chr(code) for code in range(0x4E00, 0x9FA6)}
    heard = {sound: likely.near(character) for sound, character in one_of_each.items()}
    for sound, character in one_of_each.items():
        needed = likely.needed([units(character, "zh")], [1.0])
        light = likely.needed([units(character, "zh")], [LIGHT_WEIGHT])
        for other, bits in heard.items():
            far = distance(sound, other)
            if character not in DIGITS:
                assert far - likely.STEP < likely.lacking(needed, bits) + ROUNDING <= far + 2 * ROUNDING
            assert likely.lacking(light, bits) <= far * LIGHT_WEIGHT + ROUNDING


@given(st.text(CHARACTERS, min_size=1, max_size=9), st.text(CHARACTERS + "|", max_size=14))
@example("一二", "幺两")  # spoken in other ways
@example("(不|没)行", "美星")
def test_a_piece_never_lacks_more_than_it_costs(text: str, heard: str) -> None:
    piece, line = piece_of(text, "zh"), Line(heard, heard, "zh")
    laid = plainly(piece, line, 0, len(heard), math.inf)
    assert laid is not None
    assert likely.lacking(piece.needed, line.stretch(0, len(heard))) <= laid.cost + ROUNDING


def test_what_was_heard_before_changes_nothing() -> None:
    """Not even where the memory of it is full."""
    garbled = [case.transcript for case in cases(20, 8, NAMES["forbidden"], 0.2, TUNE)]
    first = [judge(one, ZH) for one in garbled]
    with pytest.MonkeyPatch.context() as patch:
        for module, most in ((places, "_MOST_KEPT"), (align, "_MOST_WINDOWS")):
            patch.setattr(module, most, 50)
            patch.setattr(module, "_known", {})
        patch.setattr(meaning, "MOST_KEPT", 2)
        meaning._meanings.cache_clear()
        assert [judge(one, ZH) for one in reversed(garbled)] == first[::-1]
        assert 0 < len(align._known) <= 50 >= len(places._known) > 0


def test_overlapping_unsorted_and_timeless_words_are_judged() -> None:
    words = tuple(Word(c, 0.0, 0.0) for c in "这我不清楚")
    assert breaches(Transcript("x", "", "", (Segment("seat", words), Segment("caller", words)))) == {
        "not_clear": "sure"
    }
    odd = Transcript("x", "", "", (Segment("seat", (Word("不行", 9.0, 1.0),)), Segment("seat", (Word("", 3.0, 4.0),))))
    assert breaches(odd) == {"refusal": "sure"}


def test_files_and_a_script_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "calls.jsonl").write_bytes(GOOD)
    script = tmp_path / "own.yaml"
    script.write_text('language: zh\nphrases:\n  no_way: {rule: B8, kind: forbidden, variants: ["不行"]}\n')
    assert main(["phrases", "check", "--script", str(script), str(tmp_path / "calls.jsonl")]) == OK
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["phrase"], json.loads(line)["found"]) == ("no_way", True)
    assert main(["phrases", "check", str(tmp_path / "missing.jsonl"), str(tmp_path / "calls.jsonl")]) == USAGE
    assert "cannot be read" in capsys.readouterr().err


def test_a_script_is_tried_against_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(GOOD)
    rows = [
        {**told, "verdicts": {"refusal": True}},
        {**told, "verdicts": {"refusal": False}},
        {**told, "verdicts": {"x": True}},
    ]
    (tmp_path / "old.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert main(["phrases", "test", str(tmp_path / "old.jsonl")]) == USAGE
    told_out = capsys.readouterr()
    row = next(line for line in told_out.out.splitlines() if line.startswith("refusal"))
    assert row.split() == ["refusal", "2", "1", "1", "0", "0", "0.500", "1.000"]
    assert "x is no phrase" in told_out.err


@pytest.mark.parametrize("rows", [b"", b"\n\n", b"{", GOOD, GOOD + b"\n" + GOOD])
def test_a_trial_of_nothing_has_no_table(rows: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old.jsonl").write_bytes(rows)
    assert main(["phrases", "test", str(tmp_path / "old.jsonl")]) == USAGE
    told = capsys.readouterr()
    assert told.out == ""
    last = "There was no transcript to judge" if not rows.strip() else "No line could be judged: see above"
    assert told.err.splitlines()[-1] == f"{last}; give one JSON object a line."


# --- scripts ---


def test_all_mistakes_of_a_script_at_once() -> None:
    with pytest.raises(BadInput) as raised:
        parse(
            {
                "language": "fr",
                "colour": 1,
                "tolerance": {"sure": 0.6, "doubtful": 0.9},
                "phrases": {
                    "A b": {"rule": "greeting", "kind": "wanted", "variants": []},
                    "one": {
                        "rule": "B8",
                        "kind": "forbidden",
                        "variants": ["(a", "{name}", "…"],
                        "window": {"first": 5},
                    },
                    "two": {"rule": "B8", "kind": "forbidden", "variants": ["不行"], "unless": ["的话"], "severity": 9},
                    "three": {
                        "rule": "A2",
                        "kind": "required",
                        "variants": "您好",
                        "window": {"first": math.nan, "last": 1},
                    },
                },
            },
            "own.toml",
        )
    problems = str(raised.value).splitlines()
    assert all(problem.startswith("own.toml: ") and problem.endswith(".") for problem in problems)
    for key in (
        "language", "the script: does not know colour", "tolerance.doubtful", "phrases.A b", "phrases.A b.rule",
        "phrases.A b.kind", "phrases.A b.variants", "phrases.one.variants[0]", "phrases.one.variants[1]",
        "phrases.one.variants[2]", "phrases.one.window", "phrases.two.unless[0]", "phrases.two.severity",
        "phrases.three.variants", "phrases.three.window",
    ):  # fmt: skip
        assert any(key in problem for problem in problems), key


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "a: &x [1]\nb: *x\n"), ("a.yaml", "a: [\n"), ("a.toml", "a = ["), ("a.json", "{}"), ("a.toml", ""),
        ("a.toml", "a = " + "9" * 5000), ("a.toml", "a = " + "[" * 9999), ("a.yaml", "a: 1\na: 2\n"),
        ("a.yaml", ""), ("a.yaml", "!!python/object:os.system {}"), ("a.toml", 'phrases = "x"'),
    ],
)  # fmt: skip
def test_a_file_that_is_no_script_is_refused_in_a_sentence(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=name):
        read_script(tmp_path / name)


def test_too_many_wordings_are_refused() -> None:
    pattern = "(甲乙|丙丁)" * 12
    with pytest.raises(BadInput, match="more than 400 wordings"):
        parse({"language": "zh", "phrases": {"x": {"rule": "B8", "kind": "forbidden", "variants": [pattern]}}}, "x")
