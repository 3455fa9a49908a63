"""Our calls against the call records and the queue_log of a real Asterisk: known calls agree, and what is altered in
one of Asterisk's books, or lost in ours, is found and named."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter.demo.scenario import Hangup, Refer, Talk
from tests.asterisk.conftest import old_program
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until

pytestmark = pytest.mark.alone  # seconds are compared, and a neighbour's load would be in them

SETTINGS = """
[books]
after_seconds = 2
[queues.plain02]
[queues.plain07]
"""
ANSWERED, ABANDONED, OVERFLOWED, TRANSFERRED, UNSEEN = (f"1380000000{n}" for n in range(1, 6))


@pytest.fixture(scope="module", params=["new", pytest.param("old", marks=pytest.mark.asterisk16)])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The newest Asterisk, and 16.28."""
    with Lab(program=old_program() if request.param == "old" else None) as lab:
        yield lab


@pytest.fixture(scope="module")
def daemon(lab: Lab) -> Iterator[Daemon]:
    """After one call of each kind, and one that was cut off from us by kill -9."""
    daemon = Daemon(lab, SETTINGS)
    books = f'[asterisk]\nqueue_log_file = "{queue_log(lab)}"'
    daemon.config.write_text(daemon.config.read_text().replace("[asterisk]", books))
    for seat in ("1001", "1002", "1003", "1004"):
        daemon.seat(seat, seat)
    daemon.start()
    phones, sip = lab.phones, lab.server.ports["SIP"]
    for seat in ("1001", "1002"):
        phones.seat(seat, None)
    phones.seat("1003", 2, Talk(8), Refer(f"sip:1004@127.0.0.1:{sip}"))
    phones.seat("1004", 2)
    calls = [
        phones.customer(OVERFLOWED, "5207", Talk(25)),
        phones.customer(ABANDONED, "4000", give_up=6),
        phones.customer(ANSWERED, "5302", Talk(4), Hangup()),
    ]
    daemon.wait_call(ANSWERED, lambda call: call["phase"] == "ended", 20)
    calls.append(phones.customer(TRANSFERRED, "5302", Talk(16), Hangup()))
    daemon.wait_call(TRANSFERRED, lambda call: call["phase"] == "ended", 40)
    lab.quiet(60)
    phones.customer(UNSEEN, "5302", Talk(5), Hangup())
    daemon.wait_call(UNSEEN, lambda call: call["phase"] == "talking", 20)
    daemon.kill()
    lab.quiet()
    daemon.start()
    daemon.wait_call(UNSEEN, lambda call: call["recovered"], 40)
    try:
        yield daemon
    finally:
        daemon.stop()


def queue_log(lab: Lab) -> Path:
    return lab.server.folder / "log" / "queue_log"


def reconcile(daemon: Daemon) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Exit code, differences and the sum, of today."""
    today = datetime.fromtimestamp(time.time(), ZoneInfo(daemon.zone)).date().isoformat()
    command = [sys.executable, "-m", "callcenter", "reconcile", "-c", str(daemon.config), "--format", "json"]
    done = subprocess.run([*command, "--from", today], capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    *rows, last = map(json.loads, done.stdout.decode().splitlines())
    return done.returncode, rows, last


def test_the_books_of_known_calls_agree(daemon: Daemon) -> None:
    code, rows, total = reconcile(daemon)
    assert [row for row in rows if row["reason"] is None] == []
    assert (code, total["unexplained"], total["whole"]) == (0, 0, True)
    assert total["compared"] == 5


def test_they_are_compared_by_themselves_and_counted(daemon: Daemon) -> None:
    wait_until(lambda: daemon.metric("callcenter_books_calls_total") >= 5, 30, "the comparison")
    assert daemon.metric("callcenter_books_differences_total", explained="no") == 0
    assert daemon.metric("callcenter_books_last_run_timestamp_seconds", run="continuous") > time.time() - 30
    assert daemon.rows("SELECT * FROM book_differences WHERE reason IS NULL") == []


def test_what_nobody_saw_is_explained(daemon: Daemon) -> None:
    call = daemon.call(UNSEEN)
    assert call["outcome"] == "answered"
    _, rows, _ = reconcile(daemon)
    assert {row["reason"] for row in rows if row["call_id"] == call["call_id"]} <= {"recovered"}


def test_an_altered_line_of_the_queue_log_is_found_and_named(lab: Lab, daemon: Daemon) -> None:
    call_id, path = daemon.call(ANSWERED)["call_id"], queue_log(lab)
    text = path.read_text()
    (line,) = [one for one in text.splitlines() if call_id in one and "|CONNECT|" in one]
    head, _, tail = line.partition("|CONNECT|")
    path.write_text(text.replace(line, f"{head}|CONNECT|{int(tail.split('|')[0]) + 9}|{tail.partition('|')[2]}"))
    try:
        code, rows, _ = reconcile(daemon)
    finally:
        path.write_text(text)
    found = [(row["call_id"], row["kind"], row["book"]) for row in rows if row["reason"] is None]
    assert (code, found) == (1, [(call_id, "wait", "queue_log")])


def test_a_call_without_its_records_is_found_and_named(lab: Lab, daemon: Daemon) -> None:
    call_id, path = daemon.call(ABANDONED)["call_id"], lab.server.cdr_file
    text = path.read_text()
    own = re.compile(re.escape(call_id) + r"(?!\d)")  # 17958.1 is no part of 17958.11
    path.write_text("".join(line for line in text.splitlines(True) if not own.search(line)))
    try:
        code, rows, _ = reconcile(daemon)
    finally:
        path.write_text(text)
    found = [(row["call_id"], row["kind"], row["book"]) for row in rows if row["reason"] is None]
    assert (code, found) == (1, [(call_id, "missing_cdr", "cdr")])


def test_a_call_that_asterisk_alone_knows_becomes_ours(lab: Lab, daemon: Daemon) -> None:
    """Its records are all there is of it; a line that Asterisk still writes does not disturb."""
    call_id, path = daemon.call(ANSWERED)["call_id"], lab.server.cdr_file
    rows = [line for line in path.read_text().splitlines(True) if re.search(re.escape(call_id) + r"(?!\d)", line)]
    with path.open("a") as file:
        file.write("".join(line.replace(call_id, "pbx-1.999") for line in rows))
        file.write(rows[0].rpartition(",")[0])
    wait_until(lambda: daemon.rows("SELECT * FROM calls WHERE call_id = 'pbx-1.999'"), 40, "the call")
    code, found, total = reconcile(daemon)
    assert [row for row in found if row["reason"] is None] == []
    assert (code, total["compared"]) == (0, 6)
