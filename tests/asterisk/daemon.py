"""The real daemon (``callcenter run``) as a process beside the lab's Asterisk, and a person's view of it.

It is configured by a file, started and killed like a service, and looked at only from outside: its pages, /metrics,
and its database read-only.
"""

import asyncio
import http.cookiejar
import json
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import sync_playwright

from callcenter.store.screens import WallboardLink
from callcenter.store.store import Store
from callcenter.web.sessions import token_hash
from tests.asterisk.lab import Lab, wait_until
from tests.browser.conftest import CHROMIUM, FLAGS

READY_SECONDS = 60
PASSWORD = "correct horse 1"


def noon() -> str:
    """A time zone in which it is about noon: the site's day begins at midnight, and that never lies amid a test."""
    return f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"


def total(metrics: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels, in the text of one scrape."""
    told = 0.0
    for line in metrics.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            told += float(found[2])
    return told


@dataclass
class Pops:
    """What a seat's page is told: a stream of server-sent events, with the moment each line came in."""

    address: str
    browser: urllib.request.OpenerDirector
    told: list[tuple[float, str]] = field(default_factory=list)

    def fragments(self, region: str = "call") -> str:
        """What a region of the page would show now."""
        return str(self.browser.open(f"{self.address}/desk/fragments?r={region}", timeout=10).read().decode())


class Daemon:
    """One daemon for one lab. ``start`` and ``kill`` as often as needed: the database stays."""

    def __init__(self, lab: Lab, settings: str = "") -> None:
        self.folder = lab.folder / "daemon"
        self.folder.mkdir()
        self.port = lab.daemon_port
        (self.folder / "secret").write_text(lab.server.secret)
        (self.folder / "hooks").write_text(lab.hooks_token)
        self.zone = noon()
        if "[site]" not in settings:
            settings += "\n[site]"
        self.config = self.folder / "callcenter.toml"
        self.config.write_text(
            f"""
[asterisk]
port = {lab.server.ports["AMI"]}
secret_file = "secret"
cdr_file = "{lab.server.cdr_file}"
recordings_dir = "{lab.server.recordings}"
refused_retry_seconds = 1
[web]
port = {self.port}
[hooks]
token_file = "hooks"
agi_port = {lab.agi_port}
[store]
url = "sqlite:///{self.folder}/callcenter.db"
[queues.support]
title = "技术支持"
{settings}
""".replace("[site]", f'[site]\ntimezone = "{self.zone}"')
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- life ----------------------------------------------------------------------------------------------------

    def command(self, *arguments: str, text: str = "") -> str:
        """One command of the console script; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "callcenter", *arguments, "-c", str(self.config)],
            input=text.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def seat(self, extension: str, work_number: str) -> None:
        self.command(
            *("user", "add", f"seat{extension}", "--extension", extension, "--work-number", work_number),
            "--password-stdin",
            text=PASSWORD + "\n",
        )

    def start(self, ready: bool = True, files: int | None = None) -> None:
        """``files``: its limit on open files, as ``ulimit -n`` sets it."""
        limited = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"] if files else []
        run = [*limited, sys.executable, "-m", "callcenter", "run", "-c", str(self.config)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(run, stdout=log, stderr=log)
        if ready:
            wait_until(lambda: self.ready(), READY_SECONDS, f"the daemon to be ready; its log is {self.log()}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    # --- looking -------------------------------------------------------------------------------------------------

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path, timeout=10) as response:
            return str(response.read().decode())

    def ready(self) -> bool:
        try:
            return bool(json.loads(self.get("/readyz"))["ready"])
        except (OSError, ValueError):
            return False

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return total(self.get("/metrics"), name, **labels)

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with sqlite3.connect(f"file:{self.folder}/callcenter.db?mode=ro", uri=True) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def calls(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM calls WHERE merged_into IS NULL ORDER BY arrived_at")

    def call(self, number: str) -> dict[str, Any]:
        """The last call of this number."""
        found = self.rows("SELECT * FROM calls WHERE caller_number = ? ORDER BY arrived_at", number)
        assert found, f"no call of {number}"
        return found[-1]

    def tickets(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM tickets ORDER BY id")

    def wait_call(self, number: str, true: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
        def holds() -> bool:
            found = self.rows("SELECT * FROM calls WHERE caller_number = ? ORDER BY arrived_at", number)
            return bool(found) and true(found[-1])

        wait_until(holds, seconds, f"the call of {number}")
        return self.call(number)

    # --- a seat's page -------------------------------------------------------------------------------------------

    def log_in(self, name: str) -> urllib.request.OpenerDirector:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        form = browser.open(self.address + "/login", timeout=10).read().decode()
        found = re.search(r'name="key" value="([^"]+)"', form)
        assert found
        body = urllib.parse.urlencode({"key": found[1], "name": name, "password": PASSWORD}).encode()
        page = browser.open(self.address + "/login", body, timeout=30)
        assert not page.url.endswith("/login"), page.url
        return browser

    @contextmanager
    def watching(self, name: str) -> Iterator[Pops]:
        """The live stream of a seat that has just logged in."""
        pops = Pops(self.address, self.log_in(name))
        stream = pops.browser.open(self.address + "/live", timeout=120)

        def read() -> None:
            try:
                for line in stream:
                    if line.strip():
                        pops.told.append((time.time(), line.decode().strip()))
            except (OSError, ValueError, AttributeError):
                return

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        wait_until(lambda: bool(pops.told), 10, "the stream to begin")
        yield pops

    def screen_token(self) -> str:
        """Of a new link for a screen."""
        token = f"a-token-of-the-screen-in-the-hall-{time.time()}"

        async def add_link() -> None:
            store = await Store.open(f"sqlite:///{self.folder}/callcenter.db", exclusive=False)
            try:
                await store.screens.add_link(WallboardLink(token, token_hash(token), time.time(), None), "test")
            finally:
                await store.close()

        asyncio.run(add_link())
        return token

    def wallboard(self) -> tuple[str, dict[str, str]]:
        """The screen as Chromium shows it, opened by a link of its own: the page, and the HTML of its parts."""
        token = self.screen_token()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            screen = browser.new_page(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
            screen.context.add_cookies([{"name": "cc_wall", "value": token, "url": self.address}])
            screen.goto(self.address + "/wallboard")
            screen.wait_for_selector("body[data-ready]")
            page = screen.content()
            browser.close()
        return page, dict(re.findall(r'data-part="(\w+)">(.*?)</(?:section|header|footer)>', page, re.S))
