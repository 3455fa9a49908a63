"""A spoken call on a real Asterisk is judged: recorded on two tracks, heard by the real vosk, held to the script.
``test_heard_seats.py`` has the calls of several seats."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callcenter.demo.scenario import Hangup, Talk
from callcenter.quality.audio import overlaps
from callcenter.speech.transcript import Speaker, Transcript, Word, from_dict
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.spoken import (
    CALLER_VOICE,
    ENGLISH,
    ENGLISH_MODEL,
    MANDARIN,
    MODEL,
    SEAT_VOICE,
    Turn,
    conversation,
)

pytestmark = pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it

TURNS = (
    Turn("seat", "您好，示例服务，我是零一八号值班员。", after=3.0),  # after the beep that stands for a greeting
    Turn("caller", "我办公室的打印机坏了，昨天下午开始卡纸，请帮我看一下。"),
    Turn("seat", "这个我们不清楚，您说的是什么型号？", after=-1.6),
)
"""The seat greets as it should, cuts the caller off, says what it must not, and says no goodbye."""
COMPANY = "示例服务"
ENGLISH_TURNS = (
    Turn("seat", "Hello, Northwind Support, this is number zero one eight speaking.", after=3.0),
    Turn("caller", "My printer is broken, it stopped working this morning. I don't know why."),
    Turn("seat", "Sorry, I really don't know."),
    Turn("caller", "I want to complain."),
    Turn("seat", "All right."),
)
"""The caller says first what the seat must not say; no name is asked for, and nobody says goodbye."""


@dataclass
class Heard:
    """What the store knows of the only call once it was heard, and when each of its turns began."""

    daemon: Daemon
    call: dict[str, Any]
    recording: dict[str, Any]
    told: Transcript
    findings: dict[str, dict[str, Any]]
    starts: list[float]

    def words(self, speaker: Speaker) -> list[Word]:
        return [word for segment in self.told.segments if segment.speaker == speaker for word in segment.words]

    def found(self, phrase: str) -> tuple[bool, str, str | None]:
        row = self.findings[phrase]
        return bool(row["found"]), row["band"], row["speaker"]

    def forbidden(self) -> list[str]:
        return [name for name, row in self.findings.items() if row["kind"] == "forbidden" and row["found"]]


def heard(
    lab: Lab, turns: Sequence[Turn], company: str, model: Path, language: str, queue: str = "", more: str = ""
) -> Heard:
    """A customer and seat 1001, whose work number is 018, say these; a daemon hears them. ``queue``: its settings;
    ``more``: further tables."""
    tracks, starts = conversation(lab.folder, turns, SEAT_VOICE, CALLER_VOICE, language)
    voices = {"seat": lab.folder / "seat.raw", "customer": lab.folder / "customer.raw"}
    for track, voice in ((tracks["seat"], voices["seat"]), (tracks["caller"], voices["customer"])):
        subprocess.run(["sox", "-q", track, "-t", "raw", "-e", "a-law", "-b", "8", voice], check=True)
    lab.phones.voices = voices
    seconds = voices["customer"].stat().st_size / 8000
    daemon = Daemon(
        lab,
        f'{queue}\n[speech]\nenabled = true\npriority = "low"\nmodel = "{model}"\n'
        f'[site]\ncompany = "{company}"\n{more}',
    )
    daemon.seat("1001", "018")
    daemon.start()
    try:
        lab.phones.seat("1001", 1.0)
        lab.phones.customer("13800000021", "4000", Talk(seconds - 0.5), Hangup())  # or the voices would begin again
        call = daemon.wait_call("13800000021", lambda call: call["phase"] == "ended", 60)
        wait_until(lambda: daemon.rows("SELECT id FROM transcripts"), 120, f"the transcript; {daemon.log()}")
        (recording,) = daemon.rows("SELECT * FROM recordings")
        (transcript,) = daemon.rows("SELECT * FROM transcripts")
        findings = {row["phrase"]: row for row in daemon.rows("SELECT * FROM findings")}
        wait_until(lambda: daemon.metric("callcenter_transcription_jobs", state="done") == 1, 15, "the figure")
        assert daemon.metric("callcenter_transcribed_audio_seconds_total") > 10
    finally:
        daemon.stop()
    told = from_dict(json.loads(transcript["words"]))
    assert (told.seat, told.company) == ("018", company)
    return Heard(daemon, call, recording, told, findings, starts)


def test_a_spoken_call_is_judged(lab: Lab) -> None:
    """The recording belongs to the call, its ticket and its seat; what was said is on the right track at its second;
    the right number in the greeting, the forbidden phrase, the missing closing and the interruption are found."""
    one = heard(lab, TURNS, COMPANY, MODEL, MANDARIN)
    recording, call, words = one.recording, one.call, one.words
    (ticket,) = one.daemon.tickets()
    assert (recording["call_id"], recording["ticket_id"], recording["seat"]) == (call["call_id"], ticket["id"], "1001")
    assert (recording["state"], len(recording["sha256"])) == ("found", 64)

    begun = next(word.start for word in words("seat") if word.word == "您好")
    (unclear,) = [word for word in words("seat") if word.word == "不清楚"]
    assert 0.3 < unclear.start - begun - (one.starts[2] - one.starts[0]) < 1.2
    assert "不清楚" not in [word.word for word in words("caller")]
    assert "打印机" in [word.word for word in words("caller")]
    assert "打印机" not in [word.word for word in words("seat")]

    assert one.found("greeting") == (True, "sure", "seat")
    assert "018" in one.findings["greeting"]["heard"]
    assert one.found("not_clear") == (True, "sure", "seat")
    assert abs(one.findings["not_clear"]["start"] - unclear.start) < 0.1
    assert one.found("closing") == (False, "sure", None)
    assert one.forbidden() == ["not_clear"]
    (cut,) = overlaps(one.told)
    assert (cut.by, cut.interruption) == ("seat", True)
    assert 0.8 < cut.end - cut.start < 2.4


def test_a_call_of_an_english_queue_is_judged_by_the_english_script(lab: Lab) -> None:
    """The site is Chinese, its queue English. The greeting has the seat's number; "I don't know" is the seat's fault at
    the second in which the seat says it, not where the caller does; name and closing are missing."""
    one = heard(lab, ENGLISH_TURNS, "Northwind Support", ENGLISH_MODEL, ENGLISH, 'language = "en"')
    assert "printer" in [word.word for word in one.words("caller")]
    assert "printer" not in [word.word for word in one.words("seat")]
    assert "know" in [word.word for word in one.words("caller")]
    assert one.found("greeting") == (True, "sure", "seat")
    assert "018" in one.findings["greeting"]["heard"]
    assert one.found("dont_know") == (True, "sure", "seat")
    begun = next(word.start for word in one.words("seat") if word.word == "hello")
    fault = one.findings["dont_know"]["start"] - begun
    assert 0 < fault - (one.starts[2] - one.starts[0]) < 1.5
    assert one.found("ask_name") == one.found("closing") == (False, "sure", None)
    assert one.forbidden() == ["dont_know"]
