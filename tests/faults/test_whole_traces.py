"""The whole daemon and a collector in a process of its own: one trace a call, and a collector that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import wait_until
from tests.fakes.ports import free_port
from tests.fakes.whole import Pbx, daemon_of

PERSONAL = ("138000", "13800", "support@", "trunk-")


class Collecting:
    """The receiver as a process; what it took is in a file."""

    def __init__(self, folder: Path) -> None:
        self.port, self.file = free_port(), folder / "spans"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.fakes.collector", str(self.port), str(self.file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def spans(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def calls(self) -> dict[str, list[dict[str, Any]]]:
        """Traces whose call has ended, by the call's id."""
        traces = defaultdict(list)
        for span in self.spans():
            traces[span["trace"]].append(span)
        roots = [span for span in self.spans() if span["name"] == "call"]
        return {root["attributes"]["callcenter.call_id"]: traces[root["trace"]] for root in roots}


@pytest.fixture
def pbx() -> Iterator[Pbx]:
    with Pbx() as pbx:
        yield pbx


@pytest.fixture
def collecting(tmp_path: Path) -> Iterator[Collecting]:
    one = Collecting(tmp_path)
    one.start()
    yield one
    one.kill()


def settings(collecting: Collecting) -> str:
    log = '[log]\nformat = "json"\nlevel = "DEBUG"\n'
    return f'{log}[traces]\nendpoint = "http://127.0.0.1:{collecting.port}/v1/traces"\ntimeout_seconds = 1\n'


def traced(collecting: Collecting, sent: list[str], seconds: float = 40) -> dict[str, list[dict[str, Any]]]:
    wait_until(lambda: set(sent) <= set(collecting.calls()), seconds, "a trace of each call")
    return collecting.calls()


def log_lines(daemon: Daemon) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (daemon.folder / "log").read_text().splitlines()]


def test_each_call_is_one_trace_that_hangs_together(tmp_path: Path, pbx: Pbx, collecting: Collecting) -> None:
    daemon = daemon_of(tmp_path / "house", pbx, settings(collecting))
    daemon.seat("1003", "018")
    daemon.start()
    try:
        sent = pbx.calls(5)
        traces = traced(collecting, sent)
        for call_id in sent:
            spans = {span["name"]: span for span in traces[call_id]}
            assert {"call", "ring", "talk", "ticket opened"} <= set(spans)
            root = spans["call"]
            assert not root["parent"]
            assert all(span["parent"] == root["id"] for span in spans.values() if span is not root)
            assert root["attributes"]["callcenter.outcome"] == "answered"
            for name in ("ring", "talk"):
                assert root["start"] <= spans[name]["start"] <= spans[name]["end"] <= root["end"] + 1e-6
        seats = {span["attributes"].get("callcenter.seat") for span in collecting.spans()}
        assert seats <= {None, "other", "1003"}, "only a seat that the site knows has a name"
        text = collecting.file.read_text()
        assert not [word for word in PERSONAL if word in text]
        named = {line["call_id"]: line["trace_id"] for line in log_lines(daemon) if "trace_id" in line}
        assert {call_id: traces[call_id][0]["trace"] for call_id in sent}.items() <= named.items()
        assert daemon.metric("callcenter_trace_spans_total", result="sent") >= len(collecting.spans()) > 0
    finally:
        daemon.stop()


def test_a_collector_that_is_killed_hinders_nothing_and_gets_the_rest_later(
    tmp_path: Path, pbx: Pbx, collecting: Collecting
) -> None:
    daemon = daemon_of(tmp_path / "house", pbx, settings(collecting))
    daemon.start()
    try:
        traced(collecting, pbx.calls(2))
        collecting.kill()
        began = time.monotonic()
        away = pbx.calls(30)
        wait_until(lambda: {one["call_id"] for one in daemon.tickets()} >= set(away), 30, "tickets all the same")
        assert daemon.ready()
        wait_until(
            lambda: any("takes no traces" in line["event"] for line in log_lines(daemon)), 30, "one line of the log"
        )
        time.sleep(max(0.0, 8 - (time.monotonic() - began)))
        assert sum("takes no traces" in line["event"] for line in log_lines(daemon)) == 1
        assert {line["logger"].partition(".")[0] for line in log_lines(daemon)} == {"callcenter"}
        collecting.start()
        traced(collecting, away)
        assert daemon.metric("callcenter_trace_spans_total", result="lost") == 0
    finally:
        daemon.stop()


def test_a_call_that_a_restart_cut_in_two_is_one_trace(tmp_path: Path, pbx: Pbx, collecting: Collecting) -> None:
    daemon = daemon_of(tmp_path / "house", pbx, settings(collecting))
    records = [line for line in daemon.config.read_text().splitlines() if line.startswith("cdr_file")]
    daemon.config.write_text(daemon.config.read_text().replace(records[0], ""))  # else a minute is waited for a record
    daemon.start()
    try:
        (call_id,) = pbx.calls(1, ended=False)
        wait_until(lambda: any(one["name"] == "pop told" for one in collecting.spans()), 20, "the window told")
        trace = collecting.spans()[0]["trace"]
        assert daemon.process is not None
        os.kill(daemon.process.pid, signal.SIGKILL)
        daemon.process.wait(10)
        daemon.start()
        traces = traced(collecting, [call_id])
        assert {span["trace"] for span in traces[call_id]} == {trace}
        assert {"pop told", "ticket opened", "call"} <= {span["name"] for span in traces[call_id]}
    finally:
        daemon.stop()
