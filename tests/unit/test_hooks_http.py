"""The HTTP door over real sockets: right requests, wrong ones, slow ones, floods."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.hooks.requests import Hook
from callcenter.settings import Hooks as HookSettings
from callcenter.web.hooks_in import add_routes
from tests.fakes.hooks import TOKEN, Stand

GOOD = f"token={TOKEN}&linkedid=pbx-1.7&queue=support".encode()
DEADLINE_MS = 500


class Door:
    def __init__(self, stand: Stand, port: int) -> None:
        self.stand = stand
        self.port = port

    async def raw(self, *chunks: bytes, pause: float = 0.0) -> bytes:
        """Send bytes as they are, and read until the other side closes or answers whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(pause)
            async with asyncio.timeout(5):
                return await reader.read(65536)
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()

    async def post(self, path: str = "/hooks/route", body: bytes = GOOD, **headers: str) -> tuple[int, str]:
        lines = {"Host": "x", "Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        return status_and_body(await self.raw(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body))


def status_and_body(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body.decode()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    hooks = HookSettings(token_file=tmp_path / "token", deadline_ms=DEADLINE_MS, max_sessions=5)
    stand = Stand(tmp_path, hooks)
    app = web.Application()
    add_routes(app, stand.hooks)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Door(stand, runner.addresses[0][1])
    await runner.cleanup()
    assert stand.hooks.open == 0


async def test_a_bare_value_and_its_end(door: Door) -> None:
    assert await door.post() == (200, "support\nend\n")
    assert door.stand.counts == {("route", "ok"): 1}


async def test_several_values_are_lines(door: Door) -> None:
    body = GOOD + b"&caller=13800138000&dialled=4000"
    assert await door.post("/hooks/arrival", body) == (200, "language=zh\ncompany=示例服务\npriority=0\nend\n")
    assert [dict(event.fields)["Name"] for event in door.stand.desk.submitted] == ["language", "company"]  # type: ignore[union-attr]


async def test_the_token_may_come_in_a_header(door: Door) -> None:
    body = GOOD.partition(b"&")[2]
    assert (await door.post(body=body, Authorization=f"Bearer {TOKEN}"))[0] == 200
    assert (await door.post(body=body, Authorization="Bearer wrong"))[0] == 401
    # A wrong header is not made good by the body: one of them is forged.
    assert (await door.post(body=GOOD, Authorization="Bearer wrong"))[0] == 401


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "x" * 2000, "%E5%BC%A0"])
async def test_a_wrong_token_is_refused(door: Door, token: str) -> None:
    status, said = await door.post(body=f"token={token}&linkedid=pbx-1.7&queue=support".encode())
    assert status == 401
    assert "hooks.token_file" in said
    assert door.stand.desk.submitted == []


async def test_a_new_token_holds_at_once_and_without_a_file_nobody_comes_in(door: Door) -> None:
    door.stand.token_file.write_text("another")
    os.utime(door.stand.token_file, ns=(1, 1))
    assert (await door.post())[0] == 401
    assert (await door.post(body=GOOD.replace(TOKEN.encode(), b"another")))[0] == 200
    door.stand.token_file.unlink()
    assert (await door.post(body=GOOD.replace(TOKEN.encode(), b"another")))[0] == 401
    assert "missing" in (door.stand.hooks.token.problem or "")
    assert (await door.post(body=GOOD.replace(TOKEN.encode(), b"")))[0] == 401


async def test_refusals_are_one_sentence_that_no_dialplan_takes_for_a_value(door: Door) -> None:
    limit = door.stand.settings.hooks.max_body_bytes
    wrong = {
        404: await door.post("/hooks/rout"),
        413: await door.post(body=GOOD + b"x" * limit),
        400: await door.post(body=GOOD + b"&quue=1"),
    }
    for status, (got, said) in wrong.items():
        assert got == status
        assert said.endswith("\n")
        assert said.count("\n") == 1
        assert "=" not in said
        assert not said.endswith("end\n")
    assert {result for _, result in door.stand.counts} == {"unknown_hook", "too_large", "bad_request"}


async def test_other_methods_addresses_and_kinds_are_refused(door: Door) -> None:
    answer = await door.raw(f"GET /hooks/route?token={TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert status_and_body(answer)[0] == 405
    assert b"Allow: POST" in answer
    assert (await door.post(f"/hooks/route?token={TOKEN}"))[0] == 400
    assert (await door.post(Content_Type="application/json"))[0] == 400
    assert (await door.post(body=b"token=sesame&linkedid"))[0] == 400


async def test_a_body_that_is_promised_small_and_comes_chunked_large_is_cut(door: Door) -> None:
    head = b"POST /hooks/route HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    answer = await door.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3)
    assert status_and_body(answer)[0] == 413


async def test_a_slow_sender_is_cut_at_the_deadline(door: Door) -> None:
    head = b"POST /hooks/route HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    began = time.monotonic()
    answer = await door.raw(head + b"Content-Length: 100\r\n\r\n", b"t", b"o", b"k", pause=0.03)
    assert status_and_body(answer)[0] == 408
    assert DEADLINE_MS / 1000 * 0.9 < time.monotonic() - began < 4
    assert door.stand.counts == {("route", "late"): 1}


async def test_a_sender_who_goes_away_disturbs_nobody(door: Door) -> None:
    head = b"POST /hooks/route HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(head + b"Content-Length: 100\r\n\r\ntok")
        await writer.drain()
        writer.transport.abort()
    async with asyncio.timeout(5):
        while door.stand.hooks.open:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await door.post())[0] == 200


async def test_more_askers_than_there_is_room_for_are_turned_away_at_once(door: Door) -> None:
    head = b"POST /hooks/route HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    answers = await asyncio.gather(*(door.raw(head + b"Content-Length: 100\r\n\r\n") for _ in range(30)))
    statuses = [status_and_body(answer)[0] for answer in answers]
    assert statuses.count(408) == 5
    assert statuses.count(503) == 25
    assert (await door.post())[0] == 200


async def test_a_complaint_is_logged_once_a_minute_without_what_was_sent(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        await door.post(body=GOOD + b"&seat=13800138000")
    assert len(caplog.records) == 1
    assert "13800138000" not in caplog.text
    assert TOKEN not in caplog.text
    door.stand.clock.advance(61)
    await door.post(body=GOOD + b"&seat=13800138000")
    assert len(caplog.records) == 2


def test_a_missing_token_is_said_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Stand(tmp_path, HookSettings())
    assert "hooks.token_file" in caplog.text


class _Plain:
    """One server for all examples of the fuzz."""

    def __init__(self, folder: Path) -> None:
        self.stand = Stand(folder, replace(HookSettings(token_file=folder / "token"), deadline_ms=DEADLINE_MS))

    async def answers(self, requests: list[bytes]) -> list[bytes]:
        app = web.Application()
        add_routes(app, self.stand.hooks)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door = Door(self.stand, runner.addresses[0][1])
        try:
            return [await door.raw(request, b"\r\n\r\n") for request in requests]
        finally:
            await runner.cleanup()


BODIES = st.binary(max_size=200) | st.lists(
    st.tuples(
        st.sampled_from(["token", "linkedid", "queue", "seat", "x"]),
        st.sampled_from([TOKEN, "a.1", "%00", "1001", "%E5", "+", ""]),
    ),
    max_size=6,
).map(lambda pairs: "&".join(f"{n}={v}" for n, v in pairs).encode())
HEADS = st.sampled_from(
    ["Content-Length: {}", "Content-Length: 99999999", "Transfer-Encoding: chunked", "Content-Length: -1", "X: y"]
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([*Hook, "", "..", "%2e"]), HEADS, BODIES), min_size=1, max_size=8))
def test_whatever_is_sent_is_answered_and_nothing_stays_open(
    tmp_path: Path, sent: list[tuple[str, str, bytes]]
) -> None:
    requests = [
        f"POST /hooks/{hook} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"{head.format(len(body))}\r\n\r\n".encode()
        + body
        for hook, head, body in sent
    ]
    plain = _Plain(tmp_path)
    for answer in asyncio.run(plain.answers(requests)):
        status, _ = status_and_body(answer)
        assert status in (200, 400, 401, 404, 405, 408, 413)
    assert plain.stand.hooks.open == 0
