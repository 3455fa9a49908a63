"""Calls with planted errors, spoken by two voices, heard and judged by the commands: for every language alike.

``callcenter transcribe`` hears two tracks over G.711 with a line's hiss, ``callcenter phrases check`` judges what it
wrote.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callcenter import cli
from tests.fakes.spoken import ENGLISH, ENGLISH_MODEL, MANDARIN, MODEL, Turn, conversation

FORBIDDEN = ("refusal", "dont_know", "not_clear", "blame", "internal")
REQUIRED = ("greeting", "ask_name", "wait_announcement", "wait_thanks", "closing")
VOICES = (("f2", "m3"), ("paul", "Annie"), ("m3", "linda"), ("victor", "f2"), ("Annie", "Andy"))
"""Seat and caller; of TEST in scripts/speech_model/voices.py."""
_SPOKEN = {"zh": (MANDARIN, MODEL), "en": (ENGLISH, ENGLISH_MODEL)}


def s(text: str, after: float = 0.7) -> Turn:
    return Turn("seat", text, after)


def c(text: str, after: float = 0.7) -> Turn:
    return Turn("caller", text, after)


@dataclass(frozen=True)
class Story:
    """``planted``: the phrase that is wrong and, of a forbidden one, the number of its turn. ``waits``: the caller had
    to wait, so that B1 is due. ``misheard``: a required phrase that may be reported as missing, for the tests' model
    hears another number; what is forbidden has no such excuse."""

    number: str
    company: str
    turns: tuple[Turn, ...]
    planted: str = ""
    at: int = -1
    waits: bool = False
    misheard: str = ""


@dataclass(frozen=True)
class Judged:
    """``findings`` by phrase, ``said``: the transcript for people, ``starts``: when each turn began."""

    story: Story
    findings: dict[str, Any]
    said: str
    starts: list[float]

    @property
    def faults(self) -> set[str]:
        """What the call is surely accused of."""
        due = [name for name in REQUIRED if self.story.waits or not name.startswith("wait_")]
        sure = {name: one for name, one in self.findings.items() if one["band"] == "sure"}
        missing = {name for name in due if name in sure and not sure[name]["found"]}
        return missing | {name for name in FORBIDDEN if name in sure and sure[name]["found"]}

    def accused_of_nothing(self) -> None:
        assert self.faults <= {self.story.misheard}, self.said
        assert self.findings["closing"]["found"], self.said

    def accused_of_what_was_planted(self) -> None:
        """On the seat's track, at its second."""
        assert self.faults == {self.story.planted}, self.said
        at = self.story.at
        if at >= 0:
            found = self.findings[self.story.planted]
            assert found["speaker"] == "seat", self.said
            length = self.starts[at + 1] - self.starts[at]
            assert self.starts[at] - 0.3 <= found["start"] <= self.starts[at] + length, self.said


def judged(story: Story, folder: Path, number: int, out: pytest.CaptureFixture[str], language: str = "zh") -> Judged:
    """The story in the voices of its number."""
    voice, model = _SPOKEN[language]
    tracks, starts = conversation(folder, story.turns, *VOICES[number % len(VOICES)], voice)
    named = ["--seat", str(tracks["seat"]), "--caller", str(tracks["caller"]), "--model", str(model)]
    assert cli.main(["transcribe", *named, "--seat-number", story.number, "--company", story.company]) == 0
    transcript = out.readouterr().out
    (folder / "call.jsonl").write_text(transcript)
    assert cli.main(["phrases", "check", "--language", language, str(folder / "call.jsonl")]) == 0
    findings = {one["phrase"]: one for one in map(json.loads, out.readouterr().out.splitlines())}
    return Judged(story, findings, said(json.loads(transcript)), starts)


def said(transcript: dict[str, Any]) -> str:
    """For people to read."""
    return "\n".join(
        f"{segment['words'][0]['start']:6.2f} {segment['speaker']} {' '.join(w['word'] for w in segment['words'])}"
        for segment in transcript["segments"]
    )
