"""What the people of the demonstration say is heard and judged as their stories mean it, by the real vosk and the
shipped script; the greeting is the dialplan's, so it is not among it."""

import json
import subprocess
from pathlib import Path

import pytest

from callcenter import cli
from callcenter.demo.stories import GREETED, STORIES, Story
from callcenter.demo.voices import RATE, Dialogue, dialogue
from tests.fakes.spoken import MODEL

SPOKEN = [story for story in STORIES if story.turns]
FAULTS = {
    "张敏": set(),
    "刘洋": {"not_clear", "blame", "ask_name", "closing"},
    "李静": {"wait_thanks"},
}
"""By the caller: what the seat must not have said, and what is missing."""
WAITED = {"张敏", "李静"}


def wav(track: Path) -> Path:
    target = track.with_suffix(".wav")
    raw = ["-t", "raw", "-e", "a-law", "-b", "8", "-r", str(RATE), "-c", "1"]
    subprocess.run(["sox", "-q", *raw, track, target], check=True)
    return target


def said_by(story: Story, folder: Path, head: float = 0.0) -> Dialogue:
    return dialogue(story.turns, folder, *story.voices, head, 2.0)


@pytest.mark.parametrize("story", SPOKEN, ids=lambda story: story.number)
def test_every_story_is_judged_as_it_is_meant(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = said_by(story, tmp_path)
    tracks = ["--seat", str(wav(said.seat)), "--caller", str(wav(said.caller)), "--model", str(MODEL)]
    assert cli.main(["transcribe", *tracks, "--seat-number", "018", "--company", "示例服务"]) == 0
    transcript = capsys.readouterr().out
    (tmp_path / "call.jsonl").write_text(transcript)
    assert cli.main(["phrases", "check", str(tmp_path / "call.jsonl")]) == 0
    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    sure = [one for one in findings if one["band"] == "sure" and one["phrase"] != "greeting"]
    due = [one for one in sure if story.name in WAITED or not one["phrase"].startswith("wait_")]
    faults = {one["phrase"] for one in due if one["found"] == (one["kind"] == "forbidden")}
    assert faults == FAULTS[story.name], transcript


@pytest.mark.parametrize("head", [0.0, 11.5])
def test_both_voices_keep_time_and_end_in_silence(tmp_path: Path, head: float) -> None:
    story = SPOKEN[0]
    said = said_by(story, tmp_path, head)
    seat, caller = said.seat.read_bytes(), said.caller.read_bytes()
    assert len(caller) - len(seat) == pytest.approx(head * RATE, abs=2)

    def first(track: bytes) -> float:
        return (len(track) - len(track.lstrip(b"\xd5\x55"))) / RATE

    assert first(caller) == pytest.approx(head + GREETED, abs=0.2)
    assert first(seat) > GREETED + 2
    assert {*seat[-RATE:], *caller[-RATE:]} == {0xD5}
    assert said.seconds < len(seat) / RATE


def test_the_stories_tell_the_standard() -> None:
    """One of each: answered well, answered badly, given up, overflowed to the duty manager."""
    assert [story.gives_up > 0 for story in STORIES].count(True) == 1
    assert [story.announced for story in STORIES].count(True) == 1
    assert [story.seat_ends for story in STORIES].count(True) == 1
    assert len({story.number for story in STORIES}) == len(STORIES)
