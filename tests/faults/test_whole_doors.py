"""The whole daemon with few open files, while somebody takes all connections that he can get: calls go on."""

import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import wait_until
from tests.fakes.ports import free_port
from tests.fakes.whole import Pbx, daemon_of, open_files, parts, started

FILES, CONNECTIONS = 512, 700
SECONDS = 6.0
LOG_LINES = 20
"""What the daemon may write in all this, its start included."""
HEAD = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BEGINNINGS = {
    "nothing": b"",
    "half a head": b"GET /login HTTP/1.1\r\nHost:",
    "a body that trickles": HEAD + b"Content-Length: 1000\r\n\r\nx",
    "a file that is not read": b"GET /static/htmx.min.js HTTP/1.1\r\nHost: a\r\n\r\n",
}

pytestmark = pytest.mark.alone


@pytest.fixture
def pbx() -> Iterator[Pbx]:
    with Pbx() as pbx:
        yield pbx


def taken(port: int, sent: bytes) -> socket.socket:
    """A connection whose owner sends this and then neither asks nor reads."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    one.settimeout(10)
    one.connect(("127.0.0.1", port))
    one.sendall(sent)
    return one


def slowest(*addresses: str) -> float:
    """How long the slowest answer took."""
    took = []
    for address in addresses:
        began = time.monotonic()
        with urllib.request.urlopen(address, timeout=10) as answer:
            answer.read()
        took.append(time.monotonic() - began)
    return max(took)


def holds_out(daemon: Daemon, pbx: Pbx, figures: str) -> None:
    """What has to go on meanwhile."""
    sent, ends = pbx.calls(20), time.monotonic() + SECONDS
    while time.monotonic() < ends:
        assert slowest(daemon.address + "/healthz", figures + "/metrics") < 1.0
        told = parts(daemon)
        assert all(part["ready"] for part in told.values()), told
        assert told["call records"]["state"] != "cannot be read"
        assert not told["books"]["reason"] if "books" in told else True
        assert open_files(daemon) < FILES - 100
        time.sleep(0.1)
    wait_until(lambda: len(daemon.tickets()) == len(sent), 20, "a ticket for each call")
    with urllib.request.urlopen(figures + "/metrics", timeout=10) as answer:
        hits = re.search(r'callcenter_limit_hits_total{limit="connections"} (\S+)', answer.read().decode())
    assert hits is not None
    assert float(hits[1]) > 0
    log = (daemon.folder / "log").read_text().splitlines()
    assert len(log) <= LOG_LINES
    assert sum("web.max_streams: 1000 pages may be open" in line for line in log) == 1
    assert not [line for line in log if "too many open files" in line.lower() or "no open file" in line]


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_connections_that_ask_nothing_take_no_file_from_anybody(tmp_path: Path, pbx: Pbx, beginning: str) -> None:
    daemon = daemon_of(tmp_path, pbx)
    with started(daemon, files=FILES), ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(closing(taken(daemon.port, BEGINNINGS[beginning])))
        if beginning == "a file that is not read":
            daemon.get("/healthz")  # these are 700 requests in truth, and it is their turn first
        holds_out(daemon, pbx, daemon.address)


def test_the_door_of_the_figures_shares_the_same_files(tmp_path: Path, pbx: Pbx) -> None:
    port = free_port()
    daemon = daemon_of(tmp_path, pbx, f"[metrics]\nport = {port}\n")
    with started(daemon, files=FILES), ExitStack() as stack:
        for number in range(2 * CONNECTIONS):
            stack.enter_context(closing(taken(port if number % 2 else daemon.port, b"")))
        figures = f"http://127.0.0.1:{port}"
        holds_out(daemon, pbx, figures)
        log = (daemon.folder / "log").read_text()
        assert f"is up on {daemon.address}, its figures on {figures}/metrics" in log


def test_the_dialplans_door_takes_no_file_from_anybody_either(tmp_path: Path, pbx: Pbx) -> None:
    """More than may ask at once are turned away before there is no file left, also when all of them are there at once:
    a daemon that stood still finds them waiting."""
    daemon = daemon_of(tmp_path, pbx)
    found = re.search(r"agi_port = (\d+)", daemon.config.read_text())
    assert found
    with started(daemon, files=FILES), ExitStack() as stack:
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGSTOP)
        for number in range(2 * CONNECTIONS):
            stack.enter_context(closing(taken(int(found[1]) if number % 2 else daemon.port, b"")))
        daemon.process.send_signal(signal.SIGCONT)
        daemon.get("/healthz")
        holds_out(daemon, pbx, daemon.address)
