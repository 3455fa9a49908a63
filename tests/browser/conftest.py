"""A real Chromium and the real web server as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.fakes import morning
from tests.fakes.ports import free_port
from tests.fakes.web import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CALLCENTER_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "window(**options): what the browser window of this test is like")
    config.addinivalue_line("markers", "roster: the site of this test has a duty roster")


class Daemon:
    """The server process. ``kill`` is kill -9; what it acknowledged is there after ``start``."""

    def __init__(self, folder: Path, roster: bool = False) -> None:
        self.more = ["roster"] if roster else []
        self.folder, self.port, self.control_port = folder, free_port(), free_port()
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def now(self) -> float:
        """The time there: it goes on over a kill and a start."""
        return morning.now()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.fakes.web_server",
            str(self.port),
            str(self.control_port),
            str(self.folder),
            *self.more,
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def tell(self, path: str, **body: Any) -> dict[str, Any]:
        """Play the pipeline: ``tell("put", step="ringing", call_id="a")``."""
        return self._ask(path, json.dumps(body).encode())

    def actions(self, *names: str) -> list[Any]:
        """Set what the telephone allows; returns what it was asked to do so far."""
        return self._ask("actions", json.dumps(names).encode())  # type: ignore[return-value]

    def ticket(self, number: int) -> dict[str, Any]:
        """The ticket as the store has it."""
        return self._ask(f"ticket/{number}", None)

    def _ask(self, path: str, data: bytes | None) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control_port}/{path}", data, timeout=20) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    def until(self, number: int, field: str, value: str, seconds: float = 15) -> None:
        """Wait until the store has the value."""
        deadline = time.monotonic() + seconds
        while self.ticket(number)["fields"][field] != value:
            assert time.monotonic() < deadline, f"{field} was not saved: {self.ticket(number)['fields'][field]!r}"
            time.sleep(0.05)


@pytest.fixture
def daemon(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    one = Daemon(tmp_path, request.node.get_closest_marker("roster") is not None)
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Desk:
    """One person's browser. Every console message and page error is remembered; tests end by ``calm``."""

    def __init__(self, context: BrowserContext, daemon: Daemon) -> None:
        context.set_default_timeout(20_000)
        self.context, self.daemon, self.said = context, daemon, list[str]()

    def tab(self, path: str = "/desk", name: str = "018") -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.goto(self.daemon.url + path)
        if urlsplit(page.url).path == "/login":
            page.fill("#u", name)
            page.fill("#p", PASSWORD)
            page.click("button[type=submit]")
            if path != "/desk":
                page.goto(self.daemon.url + path)
        page.wait_for_selector("body[data-ready]")
        return page

    def calm(self, *, cut: bool = False, refused: str = "") -> None:
        """Nothing was logged, no policy was violated; with ``cut``, only that the server was not there.

        ``refused``: the status of one request that the test made the server refuse; browsers log those.
        """
        lost = (
            "ERR_CONNECTION_REFUSED",
            "ERR_CONNECTION_RESET",
            "ERR_INCOMPLETE_CHUNKED_ENCODING",
            "ERR_EMPTY_RESPONSE",
            "htmx:sendError",
            "htmx:afterRequest",
        )
        loud = [text for text in self.said if not (cut and any(word in text for word in lost))]
        if refused:
            loud.remove(f"error: Failed to load resource: the server responded with a status of {refused}")
        assert loud == []


def until_true(page: Page, expression: str, seconds: float = 20) -> None:
    """Wait for an expression of the page; Playwright's own waiting needs eval, which our policy forbids to pages."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never true: {expression}"
        time.sleep(0.05)


@pytest.fixture
def desk(chromium: Browser, daemon: Daemon, request: pytest.FixtureRequest) -> Iterator[Desk]:
    values = {"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
    marked = request.node.get_closest_marker("window")
    context = chromium.new_context(**(values | (marked.kwargs if marked else {})))
    yield Desk(context, daemon)
    context.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of the site that has everything, and a recording's id."""
    port = free_port()
    command = [sys.executable, "-m", "tests.fakes.every_page", str(port), str(tmp_path_factory.mktemp("every"))]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    word, recording = process.stdout.readline().split()
    assert word == "ready"
    yield f"http://127.0.0.1:{port}", recording
    process.terminate()
    process.wait(20)


def supervisor(page: Page, base: str, language: str) -> None:
    page.goto(base + "/login")
    page.fill("#u", "wu")
    page.fill("#p", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("body[data-ready]")
    page.click("details.pull summary")
    page.click(f"button[name=lang][value={language}]")
    page.wait_for_selector("body[data-ready]")
