"""Twenty English calls as people talk, and as a recogniser writes them down, judged by the shipped English script."""

import tomllib
from importlib import resources
from itertools import count

import pytest

from callcenter.quality.matching import judge
from callcenter.quality.scripts import default_script
from callcenter.speech.transcript import Segment, Speaker, Transcript, Word

EN = default_script("en")
SECONDS_A_WORD = 0.3

CALLS: tuple[tuple[str, tuple[str, ...], set[str]], ...] = (
    # what is tried, the turns (">": the caller), every phrase that is surely found; with ? one for a person to decide
    ("a model call", (
        "good morning northwind support this is number eighteen how may i help you",
        "> hi my printer has stopped", "may i have your name please", "> joan baker",
        "thank you for calling northwind goodbye"), {"greeting", "ask_name", "closing"}),
    ("number first", (
        "hello you are speaking with eighteen at northwind", "> my screen is black",
        "who am i speaking to", "> peter", "thanks for your call have a nice day"),
     {"greeting", "ask_name", "closing"}),
    ("a digit at a time", ("hi this is northwind zero one eight speaking", "> hello"), {"greeting"}),
    ("no greeting", ("yes", "> is this the hotline", "it is what is your name please", "> tom"), {"ask_name"}),
    ("a company that was misheard", ("good afternoon northwinds eighteen speaking", "> hello"), {"greeting"}),
    ("a wait announced and thanked for", (
        "just a moment please i will look that up for you", "> sure", "...",
        "thank you for waiting the order is on its way"), {"wait_announcement", "wait_thanks"}),
    ("a wait asked for", ("could you hold the line please", "> yes", "...", "sorry to keep you waiting"),
     {"wait_announcement", "wait_thanks"}),
    ("patience misheard", ("bear with me for a second", "> ok", "...", "thanks for your patients"),
     {"wait_announcement", "wait_thanks"}),
    ("let me check", ("let me check that for you", "> thanks", "...", "thank you so much for holding"),
     {"wait_announcement", "wait_thanks"}),
    ("a flat refusal", ("no we don't do that", "> but why"), {"refusal"}),
    ("an impossible thing", ("i'm afraid that's impossible", "> oh"), {"refusal"}),
    ("not knowing", ("i really don't know", "> who does"), {"dont_know"}),
    ("not knowing, misheard", ("i dont no why it does that", "> hm"), {"dont_know?"}),
    ("not sure", ("i'm not sure about that", "> all right"), {"not_clear"}),
    ("blame", ("well you did it wrong", "> excuse me"), {"blame"}),
    ("blame for the use", ("you don't know how to use it", "> i do"), {"blame"}),
    ("a secret", ("between you and me the new version is worse", "> oh dear"), {"internal"}),
    ("what the caller says is no breach", ("hello", "> i don't know that's not possible it is your fault"), set()),
    ("a condition is no breach", ("if you don't know the password we can reset it", "> fine"), set()),
    ("a friendly call without any of them", (
        "the update is done please restart the computer and try again", "> it works now", "glad to hear that"), set()),
)  # fmt: skip


def heard(turns: tuple[str, ...]) -> Transcript:
    """``...`` is a wait of twelve seconds."""
    segments, at = [], 0.0
    for turn in turns:
        if turn == "...":
            at += 12.0
            continue
        speaker: Speaker = "caller" if turn.startswith(">") else "seat"
        words = turn.removeprefix("> ").split()
        starts = count(at, SECONDS_A_WORD)
        spoken = tuple(Word(word, start, start + 0.28, 0.9) for word, start in zip(words, starts, strict=False))
        segments.append(Segment(speaker, spoken))
        at += SECONDS_A_WORD * len(words) + 0.4
    return Transcript("call", "018", "northwind", tuple(segments))


@pytest.mark.parametrize(("turns", "expected"), [one[1:] for one in CALLS], ids=[one[0] for one in CALLS])
def test_a_call_in_english(turns: tuple[str, ...], expected: set[str]) -> None:
    found = [one for one in judge(heard(turns), EN) if one.found and one.due]
    doubtful = {one.phrase for one in found if one.band == "doubtful"}
    assert {one.phrase for one in found if one.band == "sure"} == {one for one in expected if one[-1] != "?"}
    assert {one[:-1] for one in expected if one[-1] == "?"} <= doubtful


def test_there_are_twenty_of_them_and_each_phrase_is_in_one() -> None:
    assert len(CALLS) == 20
    assert {name.rstrip("?") for one in CALLS for name in one[2]} == {phrase.name for phrase in EN.phrases}


def test_both_scripts_have_the_same_phrases_in_the_same_way() -> None:
    folder = resources.files("callcenter.quality").joinpath("scripts")
    zh, en = (tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8"))["phrases"] for name in ("zh", "en"))
    keys = ("rule", "kind", "who", "window", "severity")
    assert {name: [phrase.get(key) for key in keys] for name, phrase in zh.items()} == {
        name: [phrase.get(key) for key in keys] for name, phrase in en.items()
    }
