"""The hooks on a real Asterisk: both ways in, what comes back, and what happens when nothing does."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from callcenter.demo.phones import Talk
from callcenter.demo.scenario import Digits
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.ports import free_port

HERE = Path(__file__).parent
TOKEN = "sesame-3f9c, opens&all=1"
FAIL_OPEN_SECONDS = 0.5
SETTINGS = """
[site]
company = "示例服务"
[hooks]
token_file = "token"
agi_port = 0
variable_names = ["contract", "site_*"]
[queues.support]
company = "甲公司"
language = "zh"
priority = 5
[[greetings]]
queue = "support"
language = "zh"
variant = "jia"
[[routes]]
dialled = "4001"
to = "night"
[[routes]]
queue = "support"
to = "vip"
"""


@dataclass
class Daemon:
    """The hooks as a process. It can be frozen, thawed and killed."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    ports: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "token").write_text(TOKEN + "\n", "utf-8")
        (self.folder / "settings.toml").write_text(SETTINGS, "utf-8")
        self.process = subprocess.Popen(
            [sys.executable, HERE / "hook_daemon.py", self.folder / "settings.toml", self.facts_file],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        )
        assert self.process.stdout is not None
        self.ports = json.loads(self.process.stdout.readline())

    @property
    def facts_file(self) -> Path:
        return self.folder / "facts.jsonl"

    def facts(self) -> list[dict[str, str]]:
        """Name, Value and Linkedid of each event that was submitted."""
        rows = self.facts_file.read_text("utf-8").splitlines() if self.facts_file.exists() else []
        events = [json.loads(row) for row in rows]
        assert all(event[0] == "UserEvent" and event[4] == "CallcenterVariable" for event in events)
        return [dict(event[5]) | {"Linkedid": event[3]} for event in events]

    def results(self) -> dict[str, int]:
        path = self.facts_file.with_suffix(".results")
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()


@dataclass
class Bench:
    """Asterisk with the examples, and the daemon. ``transport``: curl or agi."""

    lab: Lab
    daemon: Daemon
    transport: str
    count: int = 0

    def point_to(self, port: int, token: str = TOKEN) -> None:
        """Where the dialplan asks from now on."""
        for name, value in (
            ("CC_HOOKS_URL", f"http://127.0.0.1:{port}/hooks"),
            ("CC_HOOKS_AGI", f"127.0.0.1:{port}"),
            ("CC_HOOKS_TOKEN", token),
            ("CC_HOOKS_PAUSED_UNTIL", "0"),
        ):
            self.lab.server.cli(f'dialplan set global {name} "{value}"')

    def point_to_daemon(self, token: str = TOKEN) -> None:
        self.point_to(self.daemon.ports["http" if self.transport == "curl" else "agi"], token)

    def ask(self, case: str, seconds: float = 10) -> Asked:
        """Run one number of the test dialplan, and wait until its call goes on behind the hook."""
        self.count += 1
        name = f"{case}-{self.count}"
        recorder = self.lab.recorders[0]
        recorder.action(
            "Originate",
            ActionID=name,
            Channel=f"Local/{case}@test-hooks/n",
            Application="Wait",
            Data="20",
            Async="true",
            CallerID='"Zhang" <13800138000>',
            Variable=f"__CC_CASE={name},CC_LANGUAGE=zh",
        )
        wait_until(lambda: "HookOn" in self.marks(name), seconds, f"the call {name} to go on")
        self.lab.server.cli("channel request hangup all")
        self.lab.quiet(10)
        return Asked(self.marks(name))

    def marks(self, name: str) -> dict[str, dict[str, str]]:
        found = {}
        for block in bytes(self.lab.recorders[0].data).decode("utf-8", "replace").split("\r\n\r\n"):
            if f"Case: {name}\r\n" in block + "\r\n" and "Event: UserEvent" in block:
                headers = dict(line.split(": ", 1) for line in block.split("\r\n") if ": " in line)
                found[headers["UserEvent"]] = headers
        return found

    def ask_in_time(self, case: str) -> Asked:
        """A question that has to be over in FAIL_OPEN_SECONDS; a busy machine gets three attempts."""
        asked = self.ask(case)
        for _ in range(2):
            if asked.seconds < FAIL_OPEN_SECONDS:
                break
            self.lab.server.cli("dialplan set global CC_HOOKS_PAUSED_UNTIL 0")
            asked = self.ask(case)
        assert asked.seconds < FAIL_OPEN_SECONDS
        return asked

    def told(self) -> bytes:
        """Every byte on AMI so far."""
        return bytes(self.lab.recorders[0].data)


@dataclass
class Asked:
    marks: dict[str, dict[str, str]]

    @property
    def seconds(self) -> float:
        return float(self.marks["HookBack"]["Timestamp"]) - float(self.marks["HookBegin"]["Timestamp"])

    @property
    def told(self) -> str:
        return unquote(self.marks["HookBack"].get("Told", ""))

    @property
    def status(self) -> str:
        return self.marks["HookBack"].get("Status", "")

    @property
    def linkedid(self) -> str:
        return self.marks["HookBack"]["Linkedid"]


@pytest.fixture(scope="module", params=["curl", "agi"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A whole Asterisk per transport."""
    transport = request.param
    lab = Lab(hooks=transport)
    daemon = Daemon(lab.folder / "daemon")
    lab.server.extra = [*lab.server.extra, HERE / "hooks_etc" / "extensions-lab-hooks.conf"]
    try:
        lab.start()
        for name in ("greeting-zh-1001-jia", "survey-zh"):
            shutil.copy(lab.server.prompts / "sorry-zh.wav", lab.server.prompts / f"{name}.wav")
        daemon.start()
        lab.recorder("noisy")
        yield Bench(lab, daemon, transport)
    finally:
        daemon.stop()
        lab.stop()


@pytest.fixture(autouse=True)
def _pointed(bench: Bench) -> None:
    bench.point_to_daemon()


def test_arrival_tells_what_the_queue_is_and_the_ticket_hears_of_it(bench: Bench) -> None:
    asked = bench.ask_in_time("arrival")
    assert (asked.status, asked.told) == ("ok", "zh/甲公司/5/16/6.0")
    facts = [f for f in bench.daemon.facts() if f["Linkedid"] == asked.linkedid]
    assert {f["Name"]: f["Value"] for f in facts} == {"language": "zh", "company": "甲公司", "priority": "5"}


def test_route_names_the_queue(bench: Bench) -> None:
    asked = bench.ask("route")
    assert (asked.status, asked.told) == ("ok", "vip")


def test_greeting_is_chosen_and_a_stale_choice_is_forgotten(bench: Bench) -> None:
    assert bench.ask("greeting").told == "greeting-zh-1001-jia"
    assert bench.ask("stranger").told == ""


def test_a_greeting_that_was_never_built_is_not_played(bench: Bench) -> None:
    asked = bench.ask("unbuilt")
    assert (asked.status, asked.told) == ("ok", "")


def test_survey_and_variable_reach_the_call_as_they_were_said(bench: Bench) -> None:
    survey, variable = bench.ask("survey"), bench.ask("variable")
    facts = {f["Linkedid"]: f for f in bench.daemon.facts()}
    assert facts[survey.linkedid]["Name"] == "survey"
    assert facts[survey.linkedid]["Value"] == "4"
    assert facts[variable.linkedid]["Name"] == "contract"
    assert facts[variable.linkedid]["Value"] == '合同 A&b=c,d  Event: x"${EXTEN} (1)!'


def test_a_pause_of_the_recording_is_asked_for_by_the_dialplan(bench: Bench) -> None:
    """And it hears whether Asterisk was asked: it must not take "no such call" for "not recorded any more"."""
    asked = bench.ask("pause")
    assert (asked.status, asked.told) == ("ok", "asked")
    assert bench.ask("resume").told == "no_call"
    paused = bench.daemon.facts_file.with_suffix(".paused").read_text("utf-8").splitlines()
    assert [asked.linkedid, True] in map(json.loads, paused)


def test_a_caller_answers_the_survey_with_a_key(bench: Bench) -> None:
    before = len(bench.daemon.facts())
    bench.lab.phones.customer("13800138000", "4900", Talk(0.5), Digits("4"), Talk(10))
    wait_until(lambda: len(bench.daemon.facts()) > before, 15, "the answer to the survey")
    assert {k: v for k, v in bench.daemon.facts()[-1].items() if k != "Linkedid"} == {"Name": "survey", "Value": "4"}
    bench.lab.quiet()


def test_a_refused_question_changes_nothing_and_is_counted(bench: Bench) -> None:
    before = bench.daemon.results().get("survey bad_request", 0)
    asked = bench.ask("badsurvey")
    assert asked.status == ""
    assert bench.daemon.results()["survey bad_request"] == before + 1


def test_a_wrong_token_lets_nobody_in_and_the_call_goes_on(bench: Bench) -> None:
    bench.point_to_daemon("wrong")
    asked = bench.ask_in_time("route")
    assert (asked.status, asked.told) == ("", "support")
    assert bench.daemon.results()["route unauthorised"] >= 1


def test_the_sites_own_limits_come_back_after_the_hook(bench: Bench) -> None:
    asked = bench.ask("limited")
    assert asked.told == "vip"
    assert 28 < float(asked.marks["HookBack"]["Limit"]) <= 30
    assert float(asked.marks["HookBack"]["Curl"] or 0) == 0


def test_the_token_is_in_no_event_and_no_log(bench: Bench) -> None:
    bench.lab.server.cli("core set verbose 5")
    events, log = len(bench.told()), bench.lab.server.log_file.stat().st_size
    bench.ask("arrival")
    bench.ask("greeting")
    for text in (bench.told()[events:], bench.lab.server.log_file.read_bytes()[log:]):
        assert b"cc-hook-ask" in text
        for word in (b"sesame-3f9c", b"opens&all", b"opens%26all"):
            assert word not in text


# --- nobody answers ------------------------------------------------------------------------------------------------


class Fault:
    """A server that does ``deed`` with every connection."""

    def __init__(self, deed: Callable[[socket.socket], None], backlog: int = 100) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = int(self.socket.getsockname()[1])
        self.deed = deed
        self.connections: list[socket.socket] = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Fault:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        try:
            self.deed(connection)
        except OSError:
            return


def _close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _garbage(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(bytes(range(256)) * 8 + b"\r\n\r\n")
    _close(connection)


def _wrong_answer(connection: socket.socket) -> None:
    connection.recv(4096)
    body = b'ev"il,${SHELL(id)}\n$[1+1]\n'
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    _close(connection)


def _half_answer(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\nnig")
    connection.recv(1)


def _half_line(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 20")
    _hang(connection)


def _hang(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


@pytest.mark.parametrize(
    "deed", [_close, _garbage, _wrong_answer, _half_answer, _half_line, _hang], ids=lambda d: d.__name__
)
def test_whatever_stands_in_the_daemons_place_the_call_goes_on(bench: Bench, deed: Callable[[Any], None]) -> None:
    if deed is _half_line and bench.transport == "agi":
        _agi_waits_for_the_rest_of_a_line(bench)
        return
    with Fault(deed) as fault:
        bench.point_to(fault.port)
        asked = bench.ask_in_time("route")
    assert fault.connections, "the dialplan did not ask"
    assert (asked.status, asked.told) == ("", "support")


def _agi_waits_for_the_rest_of_a_line(bench: Bench) -> None:
    """What cannot be made safe, as HOOKS.md says; if this fails, Asterisk has learned better and HOOKS.md may too."""
    with Fault(_half_line) as fault:
        bench.point_to(fault.port)
        with pytest.raises(AssertionError, match="in vain"):
            bench.ask("route", seconds=2)
        bench.lab.server.cli("channel request hangup all")
        with pytest.raises(AssertionError, match="in vain"):
            bench.lab.quiet(2)
    bench.lab.quiet()


def test_the_call_goes_on_when_nobody_listens(bench: Bench) -> None:
    bench.point_to(free_port())
    asked = bench.ask_in_time("greeting")
    assert (asked.status, asked.told) == ("", "")


def test_a_frozen_daemon_holds_no_call_and_answers_again_when_thawed(bench: Bench) -> None:
    start = len(bench.told())
    bench.daemon.signal(signal.SIGSTOP)
    try:
        asked = bench.ask_in_time("route")
        bench.point_to_daemon()
        limited = bench.ask_in_time("limited")
    finally:
        bench.daemon.signal(signal.SIGCONT)
    assert (asked.told, asked.status) == ("support", "")
    assert 28 < float(limited.marks["HookBack"]["Limit"]) <= 30
    # The end of a question must not look like somebody's hanging up (B6).
    before_our_hangup = bench.told()[start:].split(b"UserEvent: HookOn")[0]
    assert b"Event: HangupRequest" not in before_our_hangup
    bench.point_to_daemon()
    assert bench.ask("route").told == "vip"


def test_a_caller_who_hangs_up_in_the_middle_of_a_question_leaves_no_channel(bench: Bench) -> None:
    bench.daemon.signal(signal.SIGSTOP)
    try:
        phone = bench.lab.phones.customer("13800138000", "4000", give_up=0.05, provisional=(100,))
        phone.wait(10)
        bench.lab.quiet(5)
    finally:
        bench.daemon.signal(signal.SIGCONT)


def test_a_real_call_is_greeted_as_the_hook_chose(bench: Bench) -> None:
    start = len(bench.told())
    bench.lab.phones.seat("1001", 1)
    customer = bench.lab.phones.customer("13800138000", "4000", Talk(3))
    wait_until(lambda: b"AgentConnect" in bench.told()[start:], 15, "the seat to answer")
    customer.stop()
    bench.lab.server.cli("channel request hangup all")
    bench.lab.quiet()
    dials = [line for line in bench.told()[start:].split(b"\r\n") if line.startswith(b"AppData: PJSIP/1001,")]
    assert dials
    assert all(b"greeting-zh-1001-jia" in line for line in dials)


def test_a_real_call_is_served_while_the_daemon_is_frozen(bench: Bench) -> None:
    start = len(bench.told())
    bench.lab.phones.seat("1001", 1)
    bench.daemon.signal(signal.SIGSTOP)
    try:
        customer = bench.lab.phones.customer("13800138000", "4000", Talk(3))
        wait_until(lambda: b"AgentConnect" in bench.told()[start:], 15, "the seat to answer")
        customer.stop()
        bench.lab.server.cli("channel request hangup all")
        bench.lab.quiet()
    finally:
        bench.daemon.signal(signal.SIGCONT)
    dials = [line for line in bench.told()[start:].split(b"\r\n") if line.startswith(b"AppData: PJSIP/1001,")]
    assert any(b"greeting-zh-1001)" in line or b"greeting-zh-1001" in line for line in dials)
    assert not any(b"greeting-zh-1001-jia" in line for line in dials)


def test_a_full_backlog_costs_one_call_two_seconds_over_agi_and_the_next_ones_nothing(bench: Bench) -> None:
    """Over HTTP not even that."""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for sock in waiting:
        sock.setblocking(False)
        sock.connect_ex(full.getsockname())
    try:
        bench.point_to(int(full.getsockname()[1]))
        first = bench.ask("route") if bench.transport == "agi" else bench.ask_in_time("route")
        second = bench.ask("route")
    finally:
        for sock in (full, *waiting):
            sock.close()
    assert first.told == second.told == "support"
    if bench.transport == "agi":
        assert 1.9 < first.seconds < 3
        assert second.seconds < 0.1
