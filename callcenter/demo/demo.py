"""``callcenter demo``: a hotline on this machine, in two minutes: Asterisk, daemon, seats, callers who speak.

Everything runs on loopback in one folder, and everything stops with Ctrl-C. The callers come again and again
(``stories``). With a speech model what they say stands on the seats' windows while they say it, and each recording is
heard and judged, so that there is something to review. ``scripts/demo`` installs what this needs.

Never: touches an Asterisk, a database or a configuration of this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from callcenter.demo.phones import Phones
from callcenter.demo.server import AsteriskServer, find_program
from callcenter.demo.stories import STORIES, play
from callcenter.errors import BadInput, BrokenWorld, extra_remedy
from callcenter.people import manage
from callcenter.prompts.build import build
from callcenter.prompts.espeak import Espeak
from callcenter.prompts.spec import parse
from callcenter.settings import load
from callcenter.speech.models import Model, look

PASSWORD = "demo-2026"  # noqa: S105 - printed on the screen, on loopback, for an hour
WEB_PORT = 8080
READY_SECONDS = 60
ROUND_PAUSE_SECONDS = 6.0
COMPANY = "示例服务"
HEARING = (
    "Log in as reviewer: /review has each call some seconds after its end, with what was said, what was found in it\n"
    "  and a scorecard to sign; xiaowen's window shows the words while they are said."
)
NOT_HEARING = (
    "Nobody listens to the calls: for transcripts, findings and reviews get a Mandarin model for Vosk\n"
    "  (docs/speech.md), then start callcenter demo --model DIR.\n"
    f"  {extra_remedy('speech')}."
)


@dataclass(frozen=True)
class Person:
    login: str
    extension: str | None
    work_number: str | None
    name: str
    role: str = "seat"


PEOPLE = (
    Person("xiaowen", "1001", "018", "李晓雯"),
    Person("jianguo", "1002", "019", "王建国"),
    Person("zhouhang", "1003", "020", "周航"),
    Person("backup", "2001", "030", "赵敏"),
    Person("manager", "3001", "001", "陈立", "supervisor"),
    Person("reviewer", None, None, "周静", "qa"),
    Person("admin", None, None, "吴桐", "admin"),
)


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def run(model: Path | None = None) -> int:
    """Runs until Ctrl-C; the exit code. Raises ``BadInput`` for a model that cannot be used."""
    heard = _model(model) if model is not None else None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    folder = Path(tempfile.mkdtemp(prefix="callcenter-demo-"))
    with ExitStack() as stack, contextlib.suppress(Stopped):
        stack.callback(_say, "Stopped.")
        stack.callback(lambda: _remove(folder))
        phones, daemon = stack.enter_context(_hotline(folder, heard))
        _round_of_calls(phones, daemon, folder / "voices")
    return 0


def _model(folder: Path) -> Model:
    """The model, if it is whole and its engine is installed."""
    model = look(folder.absolute())
    package, extra = {"vosk": ("vosk", "speech"), "sherpa": ("sherpa_onnx", "sherpa")}[model.engine]
    if importlib.util.find_spec(package) is None:
        raise BadInput(f"--model: {package}, which hears with it, is not installed. {extra_remedy(extra)}.")
    return model


def _stop(*_: object) -> None:
    """Once: a second Ctrl-C would leave behind what the first one is ending."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def _say(text: str) -> None:
    print(text, flush=True)


def _remove(folder: Path) -> None:
    if os.environ.get("CALLCENTER_KEEP") != "1":
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _hotline(folder: Path, model: Model | None) -> Iterator[tuple[Phones, subprocess.Popen[bytes]]]:
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
        _say("Asterisk: starting ...")
        server.spawn()
        stack.callback(server.stop)
        stack.callback(phones.stop)
        daemon = _daemon(folder, server, port, token, model)
        stack.callback(_end, daemon)
        _wait_ready(port, daemon, folder)
        _welcome(port, model)
        yield phones, daemon


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
    seats = [{"extension": one.extension, "work_number": one.work_number} for one in PEOPLE if one.extension]
    spec = {"companies": [{"zh": COMPANY}], "seats": seats}
    report = build(parse(spec), server.prompts, None, Espeak())
    if not report.ok:
        raise RuntimeError(str(report))


def _daemon(
    folder: Path, server: AsteriskServer, port: int, token: str, model: Model | None
) -> subprocess.Popen[bytes]:
    """The daemon as a process of its own, configured by a file as on any other machine."""
    home = folder / "daemon"
    home.mkdir()
    for name, secret in (("ami-secret", server.secret), ("hooks-token", token)):
        (home / name).touch(mode=0o600)
        (home / name).write_text(secret)
    config = home / "callcenter.toml"
    config.write_text(
        f"""[site]
company = "{COMPANY}"
[asterisk]
port = {server.ports["AMI"]}
secret_file = "ami-secret"
cdr_file = "{server.cdr_file}"
queue_log_file = "{server.queue_log_file}"
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
{_hearing(model) if model is not None else ""}""",
        encoding="utf-8",
    )
    _say("daemon: starting ...")
    asyncio.run(_people(config))
    command = [sys.executable, "-m", "callcenter", "run", "-c", str(config)]
    with (home / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _hearing(model: Model) -> str:
    """The settings that listen; what is said in running calls only Vosk hears."""
    folder = json.dumps(str(model.folder), ensure_ascii=False)
    live = f"live = true\n[live]\nmodel = {folder}\n" if model.engine == "vosk" else ""
    return f"{live}[speech]\nenabled = true\nmodel = {folder}\n"


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


def _welcome(port: int, model: Model | None) -> None:
    people = "\n".join(f"    {person.login:<8}  {person.role:<10}  {_seat(person)}".rstrip() for person in PEOPLE)
    hearing = HEARING if model is not None else NOT_HEARING
    _say(
        f"""
  The hotline is open:  http://127.0.0.1:{port}/

  Log in as (password {PASSWORD}):
{people}

  Log in as xiaowen and wait for the next call: the window pops while the telephone rings.
  {hearing}
  Ctrl-C stops everything.
"""
    )


def _seat(person: Person) -> str:
    return f"extension {person.extension}, work number {person.work_number}" if person.extension else ""


def _round_of_calls(phones: Phones, daemon: subprocess.Popen[bytes], folder: Path) -> None:
    """Callers, again and again. Raises ``BrokenWorld`` once there is no daemon any more."""
    seats = [person.extension for person in PEOPLE if person.extension]
    while True:
        for story in STORIES:
            _say(f"{time.strftime('%H:%M:%S')}  {story.title}")
            until = time.monotonic() + play(story, phones, folder, seats) + ROUND_PAUSE_SECONDS
            while (left := until - time.monotonic()) > 0:
                if (code := daemon.poll()) is not None:
                    raise BrokenWorld(f"demo: the daemon ended ({code}); with CALLCENTER_KEEP=1 its log stays.")
                time.sleep(min(left, 1.0))
