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
from callcenter.web.doors import serve
from callcenter.web.headers import HEADERS
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
    runner = await serve(metrics_app(figures, settings, "127.0.0.1"), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{runner.listener.sockets[0].getsockname()[1]}"
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


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "192.0.2.1"},
        {"X-Forwarded-Host": "desk.example"},
        {"Via": "1.1 proxy"},
        {"Host": "evil.example"},
    ],
)
async def test_what_came_through_a_proxy_or_under_another_name_is_not_this_machine(
    door: str, headers: dict[str, str]
) -> None:
    assert (await got(f"{door}/metrics"))[0] == 200
    status, _, body = await got(f"{door}/metrics", **headers)
    assert (status, b"callcenter_" in body) == (403, False)
    assert "指标只对本机开放" in body.decode()
    assert b"web.metrics_token_file" in body


async def test_the_door_has_a_name_in_the_settings(figures: Figures) -> None:
    """Where a host name leads to loopback, Prometheus on this machine may ask by it."""
    runner = await serve(metrics_app(figures, Web(), "pbx.example"), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{runner.listener.sockets[0].getsockname()[1]}/metrics"
    assert (await got(address, Host="pbx.example:9101"))[0] == 200
    assert (await got(address, Host="evil.example"))[0] == 403
    await runner.cleanup()


@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer another"}, {"Authorization": TOKEN}, {"Authorization": "Bearer"}]
)
async def test_with_a_token_everybody_needs_it(guarded: str, sent: dict[str, str]) -> None:
    status, headers, body = await got(f"{guarded}/metrics", **sent)
    assert (status, headers["WWW-Authenticate"].split()[0], b"callcenter_" in body) == (401, "Bearer", False)
    assert "读取指标需要令牌" in body.decode()
    assert b"web.metrics_token_file" in body


@pytest.mark.parametrize("kind", ["Bearer", "bearer"])
async def test_the_token_opens_from_anywhere(guarded: str, kind: str) -> None:
    headers = {"Authorization": f"{kind} {TOKEN}", "X-Forwarded-For": "192.0.2.1", "Host": "elsewhere.example"}
    status, _, body = await got(f"{guarded}/metrics", **headers)
    assert (status, b"callcenter_calls_total" in body) == (200, True)


async def test_a_token_that_cannot_be_read_is_our_fault_and_says_so(figures: Figures, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("")
    async for address in listening(figures, Web(metrics_token_file=tmp_path / "token")):
        status, _, body = await got(f"{address}/metrics", Authorization="Bearer ")
        assert (status, str(tmp_path).encode() in body) == (503, False)
        assert b"web.metrics_token_file" in body
        (tmp_path / "token").write_text(TOKEN)
        assert (await got(f"{address}/metrics", Authorization=f"Bearer {TOKEN}"))[0] == 200


async def test_refused_scrapes_are_a_line_a_minute(
    figures: Figures, guarded: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        await got(f"{guarded}/metrics", Authorization="Bearer 13800138000")
    (record,) = caplog.records
    assert "its token is not the one of web.metrics_token_file" in record.getMessage()
    assert "13800138000" not in caplog.text
    monkeypatch.setattr("callcenter.metrics.endpoint.COMPLAIN_EVERY_SECONDS", 0.0)
    await got(f"{guarded}/metrics")
    assert "it had no token" in caplog.records[1].getMessage()


@pytest.mark.parametrize("path", ["/metrics", "/", "/login"])
async def test_its_own_port_answers_with_the_headers_of_the_web(door: str, path: str) -> None:
    _, headers, _ = await got(f"{door}{path}")
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


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


async def test_a_token_that_cannot_be_read_is_a_failed_push(
    figures: Figures, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Metrics(push_url="http://127.0.0.1:1", push_token_file=tmp_path / "none")
    await Pusher(figures, settings, "pbx").push()
    assert pushes(figures) == (0, 1)
    assert "metrics.push_token_file: the secret file is missing; write the secret into it" in caplog.text
    assert "push_url" not in caplog.text


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "metrics.push_token_file: the token was refused (401); write the gateway's into that file."),
        (403, "metrics.push_token_file: the token was refused (403)"),
        (404, "metrics.push_url: it answered 404; name the address of a Pushgateway"),
        (500, "metrics.push_url: it answered 500"),
    ],
)
async def test_what_a_gateway_answers_is_told_with_its_key(
    figures: Figures, status: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with gateway() as (url, behaviour):
        behaviour.status = status
        await Pusher(figures, Metrics(push_url=url), "pbx").push()
    assert says in caplog.text


async def test_a_gateway_that_is_away_is_told_without_its_address(
    figures: Figures, caplog: pytest.LogCaptureFixture
) -> None:
    for url in ("http://127.0.0.1:1", "http://host.invalid"):
        await Pusher(figures, Metrics(push_url=url, push_timeout_seconds=1), "pbx").push()
    assert "metrics.push_url: no connection, or none in time (Connection refused)" in caplog.messages[0]
    assert "see whether the gateway runs" in caplog.messages[1]
    assert "127.0.0.1" not in caplog.text
    assert "host.invalid" not in caplog.text
