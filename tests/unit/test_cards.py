"""Scorecards as files: the example of the documentation, every mistake with its place, text and back, the command."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.cli import OK, USAGE, main
from callcenter.errors import BadInput
from callcenter.quality.card_text import from_text, to_text, versioned
from callcenter.quality.cards import parse_card, read_card, scorecards_of, shipped_card
from callcenter.quality.finding import Finding
from callcenter.quality.scorecard import (
    CRITICAL,
    FACTS,
    SCALE,
    YES_NO,
    Facts,
    Question,
    Scorecard,
    Section,
    Text,
    Verdict,
    proposals,
    score,
)
from callcenter.quality.scripts import default_script, rules_of
from callcenter.settings import load

DOCUMENT = Path(__file__).parents[2] / "docs" / "scorecards.md"
PHRASES = rules_of(default_script("zh"))
ONE = {"id": "a", "section": "s", "text": "问", "weight": 10}
SMALL: dict[str, Any] = {"name": "own", "sections": {"s": "一"}, "questions": [ONE]}


def example() -> str:
    return re.findall(r"^```toml\n(name = .*?)^```", DOCUMENT.read_text("utf-8"), re.M | re.S)[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    one = tmp_path / "card.toml"
    one.write_text(example(), "utf-8")
    return one


def test_the_example_of_the_documentation_loads(file: Path) -> None:
    card = read_card(file, PHRASES)
    assert (card.name, card.title.of("zh"), card.title.of("en")) == ("remote-support", "远程支持", "Remote support")
    assert [section.id for section in card.sections] == ["opening", "service", "safety", "end"]
    assert [q.id for q in card.questions if q.critical == "card"] == ["password"]
    assert card.questions[0].verdicts == YES_NO
    assert {name for q in card.questions for name in q.phrases} <= {*PHRASES, *PHRASES.values()}


def test_every_key_is_in_the_documentation_and_its_example() -> None:
    text = DOCUMENT.read_text("utf-8")
    used = set(tomllib.loads(example())) | {key for one in tomllib.loads(example())["questions"] for key in one}
    mistakes = refused({"x": 1, "questions": [{"x": 1}]})
    lists = [line.split("it takes ")[1] for line in mistakes if "does not know x" in line]
    known = {key for one in lists for key in one.removesuffix(".").split(", ")}
    assert len(known) == 15
    assert used == known
    assert [key for key in known if not re.search(rf"`\[*{key}\]*`", text)] == []


def test_the_shipped_card_asks_the_phrases_of_both_scripts() -> None:
    for language in ("zh", "en"):
        rules = set(rules_of(default_script(language)).values())
        assert {rule for q in shipped_card().questions for rule in q.phrases} == rules


def refused(value: Any, phrases: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_card(value, "card.toml", PHRASES if phrases is None else phrases)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("card.toml: ") and line.endswith(".") for line in lines)
    return [line.removeprefix("card.toml: ") for line in lines]


def with_(**changes: Any) -> dict[str, Any]:
    return {**SMALL, "questions": [{**ONE, **changes}]}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (with_(phrases=["hallo"]), "question 1 (a).phrases: the phrase script has no phrase 'hallo'; it has greeting"),
        (with_(phrases=["C9"]), "question 1 (a).phrases: the phrase script has no phrase of the rule 'C9'; it has"),
        (with_(phrases="greeting"), 'question 1 (a).phrases: must be a list of phrases or rules, such as ["greeting"]'),
        (with_(weight=-5), "question 1 (a).weight: is negative; write a whole number from 0 to 1000."),
        (with_(weight=1.5), "question 1 (a).weight: is no such number; write a whole number from 0 to 1000."),
        (with_(weight=True), "question 1 (a).weight: is no such number; write a whole number from 0 to 1000."),
        (with_(weight=0), "questions: all weights are 0; give at least one question a weight."),
        (with_(section="t"), "question 1 (a).section: is none of [sections]; it has s."),
        (with_(text=""), "question 1 (a).text: must be a text in quotes, of 1 to 200 characters."),
        (with_(text={"zh": "问"}), "question 1 (a).text.en: must be a text in quotes, of 1 to 200 characters."),
        (with_(rule="a2"), "question 1 (a).rule: must be an id of the service standard, such as A2."),
        (with_(fact="weather"), "question 1 (a).fact: must be one of hold, guidance, hangup."),
        (with_(answers="stars"), "question 1 (a).answers: must be one of scale, yes_no."),
        (with_(critical=True), "question 1 (a).critical: must be one of section, card."),
        (with_(not_applicable="no"), "question 1 (a).not_applicable: must be true or false."),
        (with_(phrases=["greeting"], fact="hold"), "question 1 (a): has both phrases and fact; "),
        (with_(wait=1), "question 1 (a): does not know wait; it takes id, section, "),
        (with_(id="A b"), "question 1.id: is 1 to 64 small letters, digits, _ and -, a letter first."),
        ({**SMALL, "questions": [ONE, ONE]}, "questions 1 and 2: have the same id, a; give each its own."),
        ({**SMALL, "questions": []}, "questions: there are none; write at least one table [[questions]]."),
        ({**SMALL, "sections": {}}, "sections: there are none; write at least one, such as opening = "),
        ({**SMALL, "sections": {"s": "一", "t": "二"}}, "sections.t: no question is in it; remove it, or add one."),
        ({**SMALL, "passing": 101}, "passing: must be a number from 0 to 100."),
        ({**SMALL, "passing": float("nan")}, "passing: must be a number from 0 to 100."),
        ({**SMALL, "name": "我"}, "name: is 1 to 64 small letters, digits, _ and -, a letter first."),
        ({**SMALL, "questions": [{**ONE, "id": f"q{n}"} for n in range(101)]}, "questions: there are more than 100;"),
    ],
)
def test_each_mistake_is_one_sentence_with_its_place(value: dict[str, Any], sentence: str) -> None:
    (line,) = refused(value)
    assert line.startswith(sentence)


def test_all_mistakes_are_told_at_once() -> None:
    questions = [{**ONE, "weight": -1}, {**ONE, "phrases": ["x"]}, 3]
    lines = refused({"name": "own", "questions": questions})
    for place in (
        "sections:",
        "question 1 (a).weight:",
        "question 2 (a).phrases:",
        "question 3:",
        "questions 1 and 2:",
    ):
        assert any(line.startswith(place) for line in lines), place


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JUNK = LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(st.sampled_from(["zh", "en", "s"]), LEAF, max_size=3)
QUESTION_KEYS = st.sampled_from(["id", "section", "text", "weight", "phrases", "fact", "answers", "critical"])
JUNK_QUESTIONS = st.lists(st.dictionaries(QUESTION_KEYS, JUNK, max_size=4) | LEAF, max_size=3)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "title", "passing", "sections"), JUNK)), JUNK_QUESTIONS
)
def test_junk_is_refused_in_sentences(value: dict[str, Any], questions: list[Any]) -> None:
    refused({**value, "questions": questions, "x": 1})


TEXTS = st.builds(Text, st.text(max_size=9), st.text(max_size=9))
QUESTIONS = st.builds(
    Question,
    id=st.text(max_size=5),
    section=st.text(max_size=5),
    weight=st.integers(0, 1000),
    text=TEXTS,
    rule=st.sampled_from(["", "A2"]),
    phrases=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    fact=st.sampled_from(FACTS),
    critical=st.sampled_from(CRITICAL),
    verdicts=st.sampled_from([YES_NO, SCALE, (*SCALE, Verdict.NA)]),
)
CARDS = st.builds(
    Scorecard,
    name=st.text(max_size=5),
    sections=st.lists(st.builds(Section, st.text(max_size=5), TEXTS), max_size=3).map(tuple),
    questions=st.lists(QUESTIONS, max_size=4).map(tuple),
    title=TEXTS,
    passing=st.floats(0, 100),
).map(versioned)


@given(CARDS, CARDS)
def test_a_stored_card_is_the_same_again_and_its_version_is_its_own(one: Scorecard, other: Scorecard) -> None:
    assert from_text(to_text(one), one.version) == one
    assert (one.version == other.version) == (one == other)


def test_a_yes_or_no_question_is_proposed_only_what_it_may_be_answered_with() -> None:
    found = [Finding("wait_announcement", "B1", "required", True), Finding("wait_thanks", "B1", "required", False)]
    for answers, expected in (("scale", {"a": Verdict.PARTLY}), ("yes_no", {})):
        card = parse_card(with_(phrases=["B1"], answers=answers), "card", PHRASES)
        assert proposals(card, found, Facts()) == expected
    assert score(card, {"a": Verdict.PARTLY}).open == ("a",)


def test_a_critical_question_of_weight_zero_takes_the_whole_card(file: Path) -> None:
    card = read_card(file, PHRASES)
    met = {question.id: Verdict.MET for question in card.questions}
    assert score(card, met).points == 100.0
    assert score(card, met | {"language": Verdict.MISSED}).points == 45.0
    assert score(card, met | {"password": Verdict.MISSED}).points == 0.0
    assert score(card, met | {"password": Verdict.MISSED}).zeroed == ("opening", "service", "safety", "end")


def test_a_change_of_a_word_is_another_version(file: Path) -> None:
    one = read_card(file, PHRASES)
    file.write_text("# a remark\n" + example(), "utf-8")
    assert read_card(file, PHRASES).version == one.version
    file.write_text(example().replace("没有服务忌语", "没有忌语"), "utf-8")
    assert read_card(file, PHRASES).version != one.version
    assert replace(read_card(file, PHRASES), version="").name == one.name


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("card.toml", b"name = ", "is not TOML"),
        ("card.toml", b"name = " + b"9" * 5000, "is not TOML"),
        ("card.toml", b"name = " + b"[" * 9999, "too deep"),
        ("card.toml", b"a = 1\n\xff\xfe", "is not UTF-8 (line 2): save it in that encoding."),
        ("card.yaml", b"", "a scorecard is a .toml file; rename it."),
        ("nope", None, "cannot be read (No such file or directory): name the scorecard."),
        ("card.toml", b"#" * 1_000_001, "is larger than 1 MB"),
        ("card.toml", None, "cannot be read (No such file or directory): name the scorecard."),
    ],
)
def test_a_file_that_is_no_card_costs_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    assert main(["scorecards", "check", str(file)]) == USAGE
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_the_command_looks_through_several_cards(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = file.with_name("wrong.toml")
    wrong.write_text(example().replace('"closing"', '"ending"').replace("weight = 30", "weight = -3"), "utf-8")
    assert main(["scorecards", "check", str(file)]) == OK
    assert ": remote-support, 8 questions in 4 sections, weights 100, pass 90, version " in capsys.readouterr().out
    assert main(["scorecards", "check", str(wrong), str(file)]) == USAGE
    told = capsys.readouterr()
    assert told.out.count("\n") == 1
    assert [line.split(": ")[1] for line in told.err.splitlines()] == [
        "question 5 (solution).weight",
        "question 8 (ending).phrases",
    ]


def test_a_card_is_checked_beside_the_script_that_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = file.with_name("script.toml")
    script.write_text('language = "zh"\n[phrases.hi]\nrule = "A2"\nkind = "required"\nvariants = ["你好呀"]\n', "utf-8")
    assert main(["scorecards", "check", "--script", str(script), str(file)]) == USAGE
    assert "the phrase script has no phrase 'greeting'; it has hi." in capsys.readouterr().err


def configured(file: Path, text: str) -> Path:
    config = file.with_name("callcenter.toml")
    config.write_text(text, "utf-8")
    return config


def test_each_queue_has_its_own_card(file: Path) -> None:
    config = configured(file, '[queues.support]\nscorecard = "card.toml"\n[queues.sales]\n')
    cards = scorecards_of(load(config, {}))
    assert cards.of("support").name == "remote-support"
    assert cards.of("sales") is cards.of(None) is cards.of("unknown") is shipped_card()


def test_a_wrong_card_of_a_queue_is_told_by_check(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(file, '[queues.support]\nscorecard = "card.toml"\n')
    file.write_text(example().replace("weight = 30", "weight = -3"), "utf-8")
    assert main(["check", "--settings-only", "-c", str(config)]) == USAGE
    assert "card.toml: question 5 (solution).weight: is negative" in capsys.readouterr().err
