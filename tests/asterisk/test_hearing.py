"""A spoken call on a real Asterisk is judged: recorded on two tracks, heard by the real vosk, held to the script.
``test_heard_seats.py`` has the calls of several seats."""

import json
import subprocess

import pytest

from callcenter.demo.scenario import Hangup, Talk
from callcenter.quality.audio import overlaps
from callcenter.speech.transcript import Speaker, Word, from_dict
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.spoken import CALLER_VOICE, MODEL, SEAT_VOICE, Turn, conversation

pytestmark = pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it

TURNS = (
    Turn("seat", "您好，示例服务，我是零一八号值班员。", after=3.0),  # after the beep that stands for a greeting
    Turn("caller", "我办公室的打印机坏了，昨天下午开始卡纸，请帮我看一下。"),
    Turn("seat", "这个我们不清楚，您说的是什么型号？", after=-1.6),
)
"""The seat greets as it should, cuts the caller off, says what it must not, and says no goodbye."""
COMPANY = "示例服务"


def test_a_spoken_call_is_judged(lab: Lab) -> None:
    """The recording belongs to the call, its ticket and its seat; what was said is on the right track at its second;
    the right number in the greeting, the forbidden phrase, the missing closing and the interruption are found."""
    tracks, starts = conversation(lab.folder, TURNS, SEAT_VOICE, CALLER_VOICE)
    voices = {"seat": lab.folder / "seat.raw", "customer": lab.folder / "customer.raw"}
    for track, voice in ((tracks["seat"], voices["seat"]), (tracks["caller"], voices["customer"])):
        subprocess.run(["sox", "-q", track, "-t", "raw", "-e", "a-law", "-b", "8", voice], check=True)
    lab.phones.voices = voices
    seconds = voices["customer"].stat().st_size / 8000
    daemon = Daemon(
        lab, f'[speech]\nenabled = true\npriority = "low"\nmodel = "{MODEL}"\n[site]\ncompany = "{COMPANY}"\n'
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
    (ticket,) = daemon.tickets()
    assert (recording["call_id"], recording["ticket_id"], recording["seat"]) == (call["call_id"], ticket["id"], "1001")
    assert (recording["state"], len(recording["sha256"])) == ("found", 64)
    told = from_dict(json.loads(transcript["words"]))
    assert (told.seat, told.company) == ("018", COMPANY)

    def words(speaker: Speaker) -> list[Word]:
        return [word for segment in told.segments if segment.speaker == speaker for word in segment.words]

    begun = next(word.start for word in words("seat") if word.word == "您好")
    (unclear,) = [word for word in words("seat") if word.word == "不清楚"]
    assert 0.3 < unclear.start - begun - (starts[2] - starts[0]) < 1.2
    assert "不清楚" not in [word.word for word in words("caller")]
    assert "打印机" in [word.word for word in words("caller")]
    assert "打印机" not in [word.word for word in words("seat")]

    found = {name: (row["found"], row["band"], row["speaker"]) for name, row in findings.items()}
    assert found["greeting"] == (True, "sure", "seat")
    assert "018" in findings["greeting"]["heard"]
    assert found["not_clear"] == (True, "sure", "seat")
    assert abs(findings["not_clear"]["start"] - unclear.start) < 0.1
    assert found["closing"] == (False, "sure", None)
    assert [name for name, row in findings.items() if row["kind"] == "forbidden" and row["found"]] == ["not_clear"]
    (cut,) = overlaps(told)
    assert (cut.by, cut.interruption) == ("seat", True)
    assert 0.8 < cut.end - cut.start < 2.4
