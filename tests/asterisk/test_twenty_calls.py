"""Ten calls with one planted error each and ten without, spoken over SIP on a real Asterisk, five at a time.

They are recorded by the dialplan, heard by the daemon with the real vosk, judged by the shipped script, and read in its
database.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.spoken import MANDARIN, MODEL, conversation
from tests.fakes.spoken_stories import VOICES, Judged, Story, said
from tests.fakes.twenty_calls import CLEAN, PLANTED

pytestmark = pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it

COMPANY = "示例服务"
SEATS = ("1001", "1002", "1003", "1004", "2001")
RAW = ("-t", "raw", "-e", "a-law", "-b", "8")
BEEP_SECONDS = 2.5
"""After it, which stands for the greeting, a seat speaks."""


def of_the_site(story: Story) -> Story:
    """All these seats work for one company, and none speaks into its own greeting."""
    turns = [
        replace(turn, text=turn.text.replace(story.company, COMPANY)) if turn.speaker == "seat" else turn
        for turn in story.turns
    ]
    turns[0] = replace(turns[0], after=turns[0].after + BEEP_SECONDS)
    return replace(story, company=COMPANY, turns=tuple(turns))


STORIES = [of_the_site(story) for story in (*CLEAN, *PLANTED)]


def number_of(n: int) -> str:
    return f"1380000{7000 + n}"


@pytest.fixture(scope="module")
def heard() -> Iterator[list[Judged]]:
    with Lab() as lab:
        daemon = Daemon(
            lab, f'[speech]\nenabled = true\npriority = "low"\nmodel = "{MODEL}"\n[site]\ncompany = "{COMPANY}"\n'
        )
        for extension in SEATS:
            daemon.seat(extension, extension)
        daemon.start()
        try:
            yield [
                one
                for first in range(0, len(STORIES), len(SEATS))
                for one in _at_once(lab, daemon, range(first, first + len(SEATS)))
            ]
        finally:
            daemon.stop()


def _at_once(lab: Lab, daemon: Daemon, numbers: Sequence[int]) -> list[Judged]:
    """These stories, each by a seat that has its work number meanwhile."""
    starts = {}
    for n, extension in zip(numbers, SEATS, strict=True):
        daemon.command("user", "set", f"seat{extension}", "--work-number", STORIES[n].number)
        tracks, starts[n] = conversation(_folder(lab, n), STORIES[n].turns, *VOICES[n % len(VOICES)], MANDARIN)
        for track in tracks.values():
            subprocess.run(["sox", "-q", track, *RAW, track.with_suffix(".raw")], check=True)
    for n, extension in zip(numbers, SEATS, strict=True):
        lab.phones.voices = {"seat": _folder(lab, n) / "seat.raw", "customer": _folder(lab, n) / "caller.raw"}
        lab.phones.seat(extension, 1.0)
        seconds = lab.phones.voices["customer"].stat().st_size / 8000
        lab.phones.customer(number_of(n), f"41{extension}", Talk(seconds - 0.5), Hangup())  # or it would begin again
    known = numbers[-1] + 1
    wait_until(
        lambda: daemon.rows("SELECT count(*) AS n FROM transcripts")[0]["n"] == known,
        180,
        f"{known} transcripts; {daemon.log()}",
    )
    return [_judged(daemon, n, starts[n]) for n in numbers]


def _folder(lab: Lab, n: int) -> Path:
    folder = lab.folder / f"spoken-{n}"
    folder.mkdir(exist_ok=True)
    return folder


def _judged(daemon: Daemon, n: int, starts: list[float]) -> Judged:
    (transcript,) = daemon.rows(
        "SELECT transcripts.* FROM transcripts JOIN recordings ON recordings.id = transcripts.recording_id"
        " WHERE recordings.call_id = ?",
        daemon.call(number_of(n))["call_id"],
    )
    findings = {
        row["phrase"]: row for row in daemon.rows("SELECT * FROM findings WHERE transcript_id = ?", transcript["id"])
    }
    told = json.loads(transcript["words"])
    assert told["seat"] == STORIES[n].number
    first = next(one for one in told["segments"] if one["speaker"] == "seat")
    shift = first["words"][0]["start"] - starts[0]
    return Judged(STORIES[n], findings, said(told), [start + shift for start in starts])


@pytest.mark.parametrize("n", range(len(CLEAN)))
def test_a_clean_call_is_accused_of_nothing(heard: list[Judged], n: int) -> None:
    heard[n].accused_of_nothing()


@pytest.mark.parametrize("n", range(len(PLANTED)))
def test_a_planted_error_is_found_on_its_track_at_its_second(heard: list[Judged], n: int) -> None:
    heard[len(CLEAN) + n].accused_of_what_was_planted()
