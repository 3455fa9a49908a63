"""``callcenter demo``: a hotline on this machine, in two minutes: Asterisk, daemon, seats, callers who speak.

Everything runs on loopback in one folder, and everything stops with Ctrl-C. The callers come again and again: one who
is answered, one whom the second seat gets, one who gives up, one whom nobody answers, so that the window has something
to show. ``scripts/demo`` installs what this needs.

Never: touches an Asterisk, a database or a configuration of this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from callcenter.demo import voices
from callcenter.demo.phones import Phones
from callcenter.demo.scenario import Hangup, Talk
from callcenter.demo.server import AsteriskServer, find_program
from callcenter.people import manage
from callcenter.prompts.build import build
from callcenter.prompts.espeak import Espeak
from callcenter.prompts.spec import parse
from callcenter.settings import load

PASSWORD = "demo-2026"  # noqa: S105 - printed on the screen, on loopback, for an hour
WEB_PORT = 8080
READY_SECONDS = 60
ROUND_PAUSE_SECONDS = 6.0


@dataclass(frozen=True)
class Person:
    login: str
    extension: str
    work_number: str
    name: str
    role: str = "seat"


PEOPLE = (
    Person("xiaowen", "1001", "018", "李晓雯"),
    Person("jianguo", "1002", "019", "王建国"),
    Person("zhouhang", "1003", "020", "周航"),
    Person("backup", "2001", "030", "赵敏"),
    Person("manager", "3001", "001", "陈立", "supervisor"),
)


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def run() -> int:
    """Runs until Ctrl-C; the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    folder = Path(tempfile.mkdtemp(prefix="callcenter-demo-"))
    with ExitStack() as stack, contextlib.suppress(Stopped, KeyboardInterrupt):
        stack.callback(_say, "Stopped.")
        stack.callback(lambda: _remove(folder))
        hotline = stack.enter_context(_hotline(folder))
        _round_of_calls(hotline)
    return 0


def _stop(*_: object) -> None:
    raise Stopped


def _say(text: str) -> None:
    print(text, flush=True)


def _remove(folder: Path) -> None:
    if os.environ.get("CALLCENTER_KEEP") != "1":
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _hotline(folder: Path) -> Iterator[Phones]:
    """Asterisk, daemon and phones, up and ready."""
    port = _web_port()
    token = secrets.token_hex(16)
    server = AsteriskServer(
        folder / "asterisk",
        find_program(),
        hooks="curl",
        variables={"HOOKSURL": f"http://127.0.0.1:{port}/hooks", "HOOKSTOKEN": token},
    )
    with ExitStack() as stack:
        server.configure()
        _say("prompts: espeak-ng speaks the greetings ...")
        _prompts(server)
        phones = Phones(server, folder / "phones")
        phones.voices = {
            "customer": voices.speak(voices.CUSTOMER, folder / "customer.al", pitch=30),
            "seat": voices.speak(voices.SEAT, folder / "seat.al", pitch=70),
        }
        _say("Asterisk: starting ...")
        server.spawn()
        stack.callback(server.stop)
        stack.callback(phones.stop)
        daemon = _daemon(folder, server, port, token)
        stack.callback(_end, daemon)
        _wait_ready(port, daemon, folder)
        _welcome(port)
        yield phones


def _web_port() -> int:
    """8080 if it is free, for it is easy to remember; else any."""
    for port in (WEB_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no port is free on 127.0.0.1")


def _prompts(server: AsteriskServer) -> None:
    spec = {
        "companies": [{"zh": "示例服务"}],
        "seats": [{"extension": person.extension, "work_number": person.work_number} for person in PEOPLE],
    }
    report = build(parse(spec), server.prompts, None, Espeak())
    if not report.ok:
        raise RuntimeError(str(report))


def _daemon(folder: Path, server: AsteriskServer, port: int, token: str) -> subprocess.Popen[bytes]:
    """The daemon as a process of its own, configured by a file as on any other machine."""
    home = folder / "daemon"
    home.mkdir()
    for name, secret in (("ami-secret", server.secret), ("hooks-token", token)):
        (home / name).touch(mode=0o600)
        (home / name).write_text(secret)
    config = home / "callcenter.toml"
    config.write_text(
        f"""[asterisk]
port = {server.ports["AMI"]}
secret_file = "ami-secret"
cdr_file = "{server.cdr_file}"
recordings_dir = "{server.recordings}"
[web]
port = {port}
[hooks]
token_file = "hooks-token"
agi_port = 0
[store]
url = "sqlite:///{home}/callcenter.db"
[queues.support]
title = "技术支持热线"
""",
        encoding="utf-8",
    )
    _say("daemon: starting ...")
    asyncio.run(_people(config))
    command = [sys.executable, "-m", "callcenter", "run", "-c", str(config)]
    with (home / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


async def _people(config: Path) -> None:
    settings = load(config)
    for person in PEOPLE:
        wanted = Namespace(
            action="add",
            name=person.login,
            role=person.role,
            extension=person.extension,
            work_number=person.work_number,
            display_name=person.name,
            language="zh",
        )
        await manage(settings, wanted, PASSWORD)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(15)
    except subprocess.TimeoutExpired:
        daemon.kill()


def _wait_ready(port: int, daemon: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the daemon did not become ready; its log says:\n{(folder / 'daemon' / 'log').read_text()}")


def _welcome(port: int) -> None:
    people = "\n".join(
        f"    {person.login:<8}  {person.role:<10}  extension {person.extension}, work number {person.work_number}"
        for person in PEOPLE
    )
    _say(
        f"""
  The hotline is open:  http://127.0.0.1:{port}/

  Log in as (password {PASSWORD}):
{people}

  Log in as xiaowen and wait for the next call: the window pops while the telephone rings.
  Ctrl-C stops everything.
"""
    )


def _round_of_calls(phones: Phones) -> None:
    """Callers, again and again."""
    stories: list[tuple[str, Callable[[Phones], float]]] = [
        ("张敏 calls; 018 answers in the second ring and talks", _answered),
        ("刘洋 calls; 018 does not lift, 019 answers in the third ring", _second_seat),
        ("a caller without a name gives up after nine seconds", _gives_up),
        ("孙丽 calls; nobody lifts within three rings, the duty manager answers", _nobody),
    ]
    while True:
        for text, story in stories:
            _say(f"{time.strftime('%H:%M:%S')}  {text}")
            time.sleep(story(phones) + ROUND_PAUSE_SECONDS)


def _seats(phones: Phones, **after: float | None) -> None:
    """How each phone behaves in the next call: seconds until it is lifted, or never."""
    for person in PEOPLE:
        phones.seat(person.extension, after.get(f"s{person.extension}"))


def _answered(phones: Phones) -> float:
    _seats(phones, s1001=7.0)
    phones.customer("13901000142", "4000", Talk(25), Hangup(), name="张敏")
    return 33.0


def _second_seat(phones: Phones) -> float:
    _seats(phones, s1002=11.0)
    phones.customer("02155500188", "4000", Talk(15), Hangup(), name="刘洋")
    return 27.0


def _gives_up(phones: Phones) -> float:
    _seats(phones)
    phones.customer("13700000063", "4000", give_up=9.0)
    return 10.0


def _nobody(phones: Phones) -> float:
    _seats(phones, s3001=3.0)
    phones.customer("13600000027", "4000", Talk(20), Hangup(), name="孙丽")
    return 36.0
