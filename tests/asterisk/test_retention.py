"""How long a queue keeps its recordings, on a call of a real Asterisk: file, transcript and findings go together, with
an audit line; the ticket stays, and so does what is younger."""

import sqlite3
from pathlib import Path

import pytest

from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.spoken import MODEL

pytestmark = pytest.mark.alone  # speech is heard
DAYS = 2
OLD, YOUNG = "13800000071", "13800000072"


def test_what_a_queue_keeps_no_longer_goes_as_a_whole(lab: Lab) -> None:
    daemon = Daemon(
        lab,
        f'keep_recordings_days = {DAYS}\n[speech]\nenabled = true\npriority = "low"\nmodel = "{MODEL}"\n',
    )
    daemon.seat("1001", "018")
    daemon.start()
    try:
        lab.phones.seat("1001", 0.5)
        for number in (OLD, YOUNG):
            lab.phones.customer(number, "4000", Talk(3), Hangup())
            daemon.wait_call(number, lambda call: call["phase"] == "ended", 30)
        wait_until(lambda: len(daemon.rows("SELECT id FROM transcripts")) == 2, 120, "both transcripts")
        old, young = (_recording(daemon, number) for number in (OLD, YOUNG))
        assert _there(lab, old)
        assert _there(lab, young)
        daemon.stop()
        _age(daemon, OLD, DAYS + 0.1)
        _age(daemon, YOUNG, DAYS - 0.1)
        daemon.start()
        wait_until(lambda: daemon.rows("SELECT id FROM audit WHERE what = 'recording_erased'"), 30, "the audit line")
        gone = _recording(daemon, OLD)
        assert (gone["state"], gone["mixed_path"], gone["seat_path"]) == ("erased", None, None)
        assert not _there(lab, old)
        assert daemon.rows("SELECT id FROM transcripts WHERE recording_id = ?", old["id"]) == []
        assert daemon.rows("SELECT id FROM findings WHERE transcript_id NOT IN (SELECT id FROM transcripts)") == []
        (line,) = daemon.rows("SELECT * FROM audit WHERE what = 'recording_erased'")
        assert line["by"] == "retention"
        assert len(daemon.tickets()) == 2, "a ticket went with its recording"
        assert _recording(daemon, YOUNG)["state"] == "found"
        assert _there(lab, young)
        assert len(daemon.rows("SELECT id FROM transcripts")) == 1
    finally:
        daemon.stop()


def _age(daemon: Daemon, number: str, days: float) -> None:
    """As if the call had come in so much earlier. Only while the daemon is down."""
    with sqlite3.connect(daemon.folder / "callcenter.db") as base:
        base.execute("UPDATE calls SET arrived_at = arrived_at - ? WHERE caller_number = ?", (days * 86_400, number))


def _recording(daemon: Daemon, number: str) -> dict[str, object]:
    call = daemon.call(number)
    (row,) = daemon.rows("SELECT * FROM recordings WHERE call_id = ?", call["call_id"])
    return row


def _there(lab: Lab, recording: dict[str, object]) -> list[Path]:
    """The files of the call that are still in the folder."""
    folder = Path(lab.server.recordings)
    paths = [recording[f"{track}_path"] for track in ("mixed", "seat", "caller")]
    return [folder / str(path) for path in paths if path and (folder / str(path)).is_file()]
