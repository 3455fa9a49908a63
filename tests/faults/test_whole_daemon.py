"""The whole daemon, a process, while the world around it breaks and calls go on."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import wait_until
from tests.fakes.whole import Pbx, daemon_of, memory_mb, open_files, parts, started
from tests.postgres.cluster import Cluster
from tests.store.places import postgres_place

LOG_LINES = 60
"""How much a fault may write into the log, start included."""


@pytest.fixture
def pbx() -> Iterator[Pbx]:
    with Pbx() as pbx:
        yield pbx


def log_of(daemon: Daemon) -> list[str]:
    return (daemon.folder / "log").read_text().splitlines()


def ticketed(daemon: Daemon) -> list[str]:
    return [ticket["call_id"] for ticket in daemon.tickets()]


def assert_all_there(daemon: Daemon, sent: list[str], seconds: float = 60) -> None:
    wait_until(lambda: set(sent) <= set(ticketed(daemon)), seconds, "a ticket for each call")
    assert len(ticketed(daemon)) == len(set(ticketed(daemon)))


# --- the link --------------------------------------------------------------------------------------------------------


def test_two_hundred_resets_in_a_row_leave_nothing_behind(tmp_path: Path, pbx: Pbx) -> None:
    daemon = daemon_of(tmp_path, pbx)
    quick = "reconnect_min_seconds = 0.01\nreconnect_max_seconds = 0.1"
    daemon.config.write_text(daemon.config.read_text().replace("refused_retry_seconds = 1", quick))
    with started(daemon):
        sent = pbx.calls(5, ended=False)
        assert_all_there(daemon, sent)
        files, memory = open_files(daemon), memory_mb(daemon)
        for _ in range(200):
            logins = len(pbx.fake.login_at)
            pbx.do(pbx.fake.drop)
            wait_until(lambda logins=logins: len(pbx.fake.login_at) > logins, 20, "the next log-in")  # type: ignore[misc]
        wait_until(lambda: parts(daemon)["asterisk"]["ready"], 20, "the link to be up")
        sent += pbx.calls(5)
        assert_all_there(daemon, sent)
        wait_until(lambda: open_files(daemon) <= files + 2, 10, "the old connections to be closed")
        assert memory_mb(daemon) <= memory + 20
        gaps = daemon.rows("SELECT * FROM gaps")
        assert 1 <= len(gaps) <= 201
        assert all(gap["ended_at"] is not None for gap in gaps)
        assert len(log_of(daemon)) <= 2 * 200 + LOG_LINES


def test_a_daemon_that_stood_still_takes_up_where_it_was(tmp_path: Path, pbx: Pbx) -> None:
    """SIGSTOP, calls, SIGCONT: a machine that was suspended, or swapped to a standstill."""
    daemon = daemon_of(tmp_path, pbx)
    with started(daemon):
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGSTOP)
        sent = pbx.calls(50)
        time.sleep(3)
        daemon.process.send_signal(signal.SIGCONT)
        assert_all_there(daemon, sent)
        wait_until(daemon.ready, 30, "the daemon to be ready")


# --- the store -------------------------------------------------------------------------------------------------------


def test_a_database_that_is_taken_away_is_missed_at_once_and_nothing_is_lost(tmp_path: Path, pbx: Pbx) -> None:
    """SQLite itself would go on and write into the nameless file, which ends with the daemon."""
    daemon = daemon_of(tmp_path, pbx)
    file, away = daemon.folder / "callcenter.db", daemon.folder / "away"
    away.mkdir()
    with started(daemon):
        sent = pbx.calls(10)
        assert_all_there(daemon, sent)
        for suffix in ("", "-wal", "-shm"):
            os.rename(f"{file}{suffix}", away / f"{file.name}{suffix}")
        sent += pbx.calls(10)
        wait_until(lambda: not parts(daemon)["store"]["ready"], 30, "/readyz to say so")
        assert "was removed or replaced while in use" in parts(daemon)["store"]["reason"]
        assert '"ok"' in daemon.get("/healthz"), "the process turns: restarting it would help nobody"
        sent += pbx.calls(10)
        for suffix in ("-shm", "-wal", ""):
            os.rename(away / f"{file.name}{suffix}", f"{file}{suffix}")
        assert_all_there(daemon, sent)
        wait_until(daemon.ready, 30, "the daemon to be ready")
        assert len(log_of(daemon)) <= LOG_LINES


def fill(path: Path) -> None:
    """A file that takes all the space there is."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def ask_arrival(daemon: Daemon, call_id: str) -> str:
    """What the dialplan is answered at the beginning of a call; it waits no longer than this itself."""
    asked = {"token": (daemon.folder / "hooks").read_text(), "linkedid": call_id, "uniqueid": call_id}
    body = urllib.parse.urlencode({**asked, "caller": "13800138000", "dialled": "4000", "queue": "support"})
    return str(urllib.request.urlopen(daemon.address + "/hooks/arrival", body.encode(), timeout=5).read().decode())


def test_a_full_disk_holds_everything_up_and_loses_nothing(small_disk: Path, tmp_path: Path, pbx: Pbx) -> None:
    """Hooks are answered, /readyz and the figures say so, pages show what is there; with room, all of it is stored."""
    daemon = daemon_of(tmp_path / "house", pbx, store=f"sqlite:///{small_disk}/callcenter.db")
    daemon.seat("1001", "018")
    with started(daemon):
        browser = daemon.log_in("seat1001")
        (running,) = pbx.calls(1, ended=False)
        answer = ask_arrival(daemon, running)
        assert answer.endswith("end\n")
        filler = small_disk / "filler"
        fill(filler)
        sent = [running, *pbx.calls(300)]
        wait_until(lambda: not parts(daemon)["store"]["ready"], 60, "/readyz to say so")
        (late,) = pbx.calls(1, ended=False)
        sent += [late, *pbx.calls(20)]
        for _ in range(20):
            assert ask_arrival(daemon, late) == answer, "the call goes on as with a store"
        assert daemon.metric("callcenter_ready", part="store") == 0
        assert daemon.metric("callcenter_commit_failures_total") > 0
        assert daemon.metric("callcenter_intake_events") > 0, "what waits for room"
        assert daemon.metric("callcenter_store_silence_seconds") > 0
        assert "the disk is full; free some space" in parts(daemon)["store"]["reason"]
        for page in ("/desk", "/tickets"):
            assert browser.open(daemon.address + page, timeout=10).status == 200, "what is there can be read"
        assert len(log_of(daemon)) <= LOG_LINES
        filler.unlink()
        wait_until(lambda: parts(daemon)["store"]["ready"], 60, "the store to write again")
        with closing(sqlite3.connect(f"file:{small_disk}/callcenter.db?mode=ro", uri=True)) as connection:
            tickets = "SELECT call_id FROM tickets"
            wait_until(lambda: {row[0] for row in connection.execute(tickets)} >= set(sent), 60, "all tickets")
            assert len(connection.execute(tickets).fetchall()) == len(sent)
            told = connection.execute("SELECT detail FROM calls WHERE call_id = ?", (late,)).fetchone()[0]
            assert json.loads(told)["variables"]["language"] == "zh", "what the hook noted meanwhile"
            ended = "SELECT count(*) FROM calls WHERE phase = 'ended'"
            assert connection.execute(ended).fetchone()[0] == len(sent) - 2
            assert connection.execute("SELECT reason FROM gaps").fetchall() == []
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert daemon.metric("callcenter_ready", part="store") == 1
        assert daemon.metric("callcenter_intake_events") == 0


def test_postgresql_may_be_restarted_amid_a_burst(tmp_path: Path, pbx: Pbx, cluster: Cluster) -> None:
    place = postgres_place(cluster)
    asyncio.run(place.migrate())
    daemon = daemon_of(tmp_path, pbx, store=place.url)
    (daemon.folder / "database").write_text(cluster.password)
    daemon.config.write_text(daemon.config.read_text().replace("[store]\n", '[store]\npassword_file = "database"\n'))

    async def tickets() -> list[str]:
        connection = await asyncpg.connect(place.url, password=cluster.password)
        try:
            return [row["call_id"] for row in await connection.fetch("SELECT call_id FROM tickets")]
        finally:
            await connection.close()

    with started(daemon):
        sent = pbx.calls(20)
        cluster.stop()
        try:
            sent += pbx.calls(50)
            wait_until(lambda: not parts(daemon)["store"]["ready"], 30, "/readyz to say so")
            assert "cannot be reached" in parts(daemon)["store"]["reason"]
        finally:
            cluster.start()
        sent += pbx.calls(20)
        wait_until(lambda: set(asyncio.run(tickets())) >= set(sent), 60, "a ticket for each call")
        assert sorted(asyncio.run(tickets())) == sorted(sent)
        wait_until(daemon.ready, 30, "the daemon to be ready")
        assert len(log_of(daemon)) <= LOG_LINES


# --- its end ---------------------------------------------------------------------------------------------------------


def test_sigterm_amid_a_burst_stores_what_came_and_ends_in_time(tmp_path: Path, pbx: Pbx) -> None:
    daemon = daemon_of(tmp_path, pbx)
    with started(daemon):
        assert daemon.process is not None
        idle = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(50)]
        before = daemon.metric("callcenter_events_total")
        sent = pbx.calls(500)
        wait_until(lambda: daemon.metric("callcenter_events_total") > before, 10, "the burst to begin")
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(20) == 0
        for one in idle:
            one.close()
        assert "not stored" not in "\n".join(log_of(daemon))
        known = set(ticketed(daemon))
        assert known <= set(sent)
        assert len(ticketed(daemon)) == len(known)
        running: list[dict[str, Any]] = [call for call in daemon.calls() if call["phase"] != "ended"]
        assert all(call["call_id"] in known for call in running)
