"""/metrics over HTTP: who may, in which format; and the push to a gateway, which may fail without any harm."""

import gzip
import logging
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiohttp import ClientSession

from callcenter.metrics.endpoint import metrics_app
from callcenter.metrics.figures import Figures
from callcenter.metrics.push import Pusher
from callcenter.settings import Metrics, Web
from callcenter.web.server import serve
from tests.unit.test_metrics import ENDED, value

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
TOKEN = "a token of the test"


@pytest.fixture
def figures() -> Figures:
    figures = Figures(["it"])
    figures.ended(ENDED)
    return figures


@pytest.fixture
async def door(figures: Figures, tmp_path: Path) -> AsyncIterator[str]:
    """Open to this machine."""
    async for address in listening(figures, Web()):
        yield address


@pytest.fixture
async def guarded(figures: Figures, tmp_path: Path) -> AsyncIterator[str]:
    """With a token."""
    (tmp_path / "token").write_text(TOKEN)
    async for address in listening(figures, Web(metrics_token_file=tmp_path / "token")):
        yield address


async def listening(figures: Figures, settings: Web) -> AsyncIterator[str]:
    runner = await serve(metrics_app(figures, settings), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{runner.listener.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    await runner.cleanup()


async def got(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    headers = {"Accept-Encoding": "identity", **headers}
    async with ClientSession(auto_decompress=False) as browser, browser.get(url, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def test_the_format_is_the_one_that_was_asked_for(door: str) -> None:
    _, headers, plain = await got(f"{door}/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert b"call_id" not in plain
    _, headers, open_metrics = await got(f"{door}/metrics", Accept=OPEN_METRICS)
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert b'# {call_id="pbx-1.1"}' in open_metrics
    assert open_metrics.endswith(b"# EOF\n")


async def test_it_is_compressed_for_whoever_takes_that(door: str) -> None:
    _, headers, body = await got(f"{door}/metrics", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert b"callcenter_calls_total" in gzip.decompress(body)
    _, headers, plain = await got(f"{door}/metrics")
    assert "Content-Encoding" not in headers
    assert len(body) < len(plain) / 4


async def test_a_port_of_their_own_has_nothing_else(door: str) -> None:
    assert (await got(f"{door}/login"))[0] == 404
    assert (await got(f"{door}/"))[0] == 404


async def test_what_came_through_a_proxy_is_not_this_machine(door: str) -> None:
    assert (await got(f"{door}/metrics"))[0] == 200
    assert (await got(f"{door}/metrics", **{"X-Forwarded-For": "192.0.2.1"}))[0] == 403


async def test_with_a_token_everybody_needs_it(guarded: str) -> None:
    assert (await got(f"{guarded}/metrics"))[0] == 403
    assert (await got(f"{guarded}/metrics", Authorization="Bearer another"))[0] == 403
    status, _, body = await got(f"{guarded}/metrics", Authorization=f"Bearer {TOKEN}")
    assert (status, b"callcenter_calls_total" in body) == (200, True)


# --- the push --------------------------------------------------------------------------------------------------------


class Gateway:
    """A Pushgateway as seen from the network: takes the text of a group, or does not."""

    def __init__(self) -> None:
        self.status = 200
        self.silent = threading.Event()
        """Set while it answers."""
        self.silent.set()
        self.taken: list[tuple[str, str, str | None, bytes]] = []


@contextmanager
def gateway() -> Iterator[tuple[str, Gateway]]:
    behaviour = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            behaviour.silent.wait(10)
            behaviour.taken.append((self.command, self.path, self.headers["Authorization"], body))
            self.send_response(behaviour.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", behaviour
    finally:
        behaviour.silent.set()
        server.shutdown()
        server.server_close()


def pushes(figures: Figures) -> tuple[float, float]:
    name = "callcenter_pushes_total"
    return value(figures, name, result="done"), value(figures, name, result="failed")


async def test_a_push_brings_everything_under_the_servers_name(figures: Figures, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with gateway() as (url, taken):
        settings = Metrics(push_url=url, push_token_file=tmp_path / "token")
        await Pusher(figures, settings, "pbx").push()
    ((method, path, token, body),) = taken.taken
    assert (method, path, token) == ("PUT", "/metrics/job/callcenter/instance/pbx", f"Bearer {TOKEN}")
    assert b'callcenter_service_level_calls_total{outcome="answered"' in body
    assert b"callcenter_push_every_seconds 15.0" in body, "CallcenterPushStale rests on it"
    program = shutil.which("promtool")
    assert program, "promtool is missing: run scripts/setup --test"
    check = subprocess.run([program, "check", "metrics"], input=body, capture_output=True, timeout=30)  # noqa: ASYNC221
    assert check.stdout + check.stderr == b""
    assert pushes(figures) == (1, 0)


async def test_a_push_that_fails_is_counted_and_told_once(figures: Figures, caplog: pytest.LogCaptureFixture) -> None:
    with gateway() as (url, behaviour):
        pusher = Pusher(figures, Metrics(push_url=url), "pbx")
        behaviour.status = 500
        with caplog.at_level(logging.INFO, "callcenter.metrics.push"):
            await pusher.push()
            await pusher.push()
            behaviour.status = 202
            await pusher.push()
    assert pushes(figures) == (1, 2)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert not any("127.0.0.1" in record.getMessage() for record in caplog.records)


async def test_a_gateway_that_hangs_is_left(figures: Figures) -> None:
    with gateway() as (url, behaviour):
        behaviour.silent.clear()
        await Pusher(figures, Metrics(push_url=url, push_timeout_seconds=0.2), "pbx").push()
    assert pushes(figures) == (0, 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://host.invalid", "https://127.0.0.1:1/x"])
async def test_a_gateway_that_is_not_there_is_counted(figures: Figures, url: str) -> None:
    await Pusher(figures, Metrics(push_url=url, push_timeout_seconds=1), "pbx").push()
    assert pushes(figures) == (0, 1)


async def test_a_token_that_cannot_be_read_is_a_failed_push(figures: Figures, tmp_path: Path) -> None:
    settings = Metrics(push_url="http://127.0.0.1:1", push_token_file=tmp_path / "none")
    await Pusher(figures, settings, "pbx").push()
    assert pushes(figures) == (0, 1)
