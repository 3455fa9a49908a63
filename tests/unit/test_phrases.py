"""Judging transcripts by the shipped scripts: sentences with a supervisor's verdict, errors made up, hostile input."""

import io
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from callcenter.cli import OK, USAGE, main
from callcenter.errors import BadInput
from callcenter.quality.finding import Finding
from callcenter.quality.heard import Wait
from callcenter.quality.matching import judge
from callcenter.quality.scripts import default_script, parse, read_script
from callcenter.speech.transcript import Segment, Speaker, Transcript, Word
from tests.unit.confusion import cases, scores
from tests.unit.phrase_sentences import CALLER, REQUIRED, SEAT

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


@pytest.mark.parametrize(("text", "expected"), SEAT, ids=[text for text, _ in SEAT])
def test_what_a_seat_says(text: str, expected: str) -> None:
    assert set(breaches(call(("seat", text)))) == ({expected} if expected else set())


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


@pytest.mark.parametrize("kind", ["required", "forbidden"])
def test_a_thousand_cases_with_errors(kind: str) -> None:
    """15 % of the characters are wrong. A wrong one among two or three syllables may leave nothing to find."""
    found = scores(cases(1000, 20261126, NAMES[kind]), ZH)
    for name, score in found.items():
        print(f"{name:<20} recall {score.recall:.3f} precision {score.precision:.3f} doubtful {score.doubtful}")
    right, missed, wrong = (sum(getattr(one, what) for one in found.values()) for what in ("right", "missed", "wrong"))
    assert right / (right + missed) > (0.96 if kind == "required" else 0.88)
    assert right / (right + wrong) > 0.96


def test_errors_are_made() -> None:
    """Without errors all is found: what the test above misses, the errors have hidden."""
    found = scores(cases(100, 5, NAMES["forbidden"], rate=0.0), ZH)
    assert all(score.recall >= 0.6 for score in found.values()), found


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
    assert (code, lines) == (OK, [])
    assert "no transcript" in error


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
