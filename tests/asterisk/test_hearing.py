"""A spoken call on a real Asterisk becomes a transcript: recorded on two tracks, heard by the real vosk."""

import json

import pytest

from callcenter.demo import voices
from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.spoken import CALLER_VOICE, MODEL, SEAT_VOICE

pytestmark = pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it


def test_what_each_side_says_is_written_down(lab: Lab) -> None:
    """The seat's 不清楚 is on its track at its second, the caller's words on the other; the recording belongs to the
    call, its ticket and its seat."""
    lab.phones.voices = {
        "seat": voices.speak("工号零一八为您服务我不清楚", lab.folder / "s.al", voice=f"cmn-latn-pinyin+{SEAT_VOICE}"),
        "customer": voices.speak("我的打印机坏了", lab.folder / "c.al", voice=f"cmn-latn-pinyin+{CALLER_VOICE}"),
    }
    daemon = Daemon(lab, f'[speech]\nenabled = true\nmodel = "{MODEL}"\n')
    daemon.seat("1001", "018")
    daemon.start()
    try:
        lab.phones.seat("1001", 1.0)
        lab.phones.customer("13800000021", "4000", Talk(9), Hangup())
        call = daemon.wait_call("13800000021", lambda call: call["phase"] == "ended", 60)
        wait_until(lambda: daemon.rows("SELECT id FROM transcripts"), 120, f"the transcript; {daemon.log()}")
        (recording,) = daemon.rows("SELECT * FROM recordings")
        (transcript,) = daemon.rows("SELECT * FROM transcripts")
        wait_until(lambda: daemon.metric("callcenter_transcription_jobs", state="done") == 1, 15, "the figure")
        assert daemon.metric("callcenter_transcribed_audio_seconds_total") > 10
    finally:
        daemon.stop()
    (ticket,) = daemon.tickets()
    assert (recording["call_id"], recording["ticket_id"], recording["seat"]) == (call["call_id"], ticket["id"], "1001")
    assert (recording["state"], len(recording["sha256"])) == ("found", 64)
    told = json.loads(transcript["words"])
    assert told["seat"] == "018"
    said = {who: [w for s in told["segments"] if s["speaker"] == who for w in s["words"]] for who in ("seat", "caller")}
    unclear = [word for word in said["seat"] if word["word"] == "不清楚"]
    assert unclear
    assert 1.5 < unclear[0]["start"] < recording["seconds"]
    assert "不清楚" not in [word["word"] for word in said["caller"]]
    assert "打印机" in [word["word"] for word in said["caller"]]
    assert "打印机" not in [word["word"] for word in said["seat"]]
