"""Connections, before a request is read: who makes room for whom, what is counted, and who counts as this machine."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client import generate_latest

from callcenter.metrics.figures import Figures
from callcenter.metrics.known import LIMITS
from callcenter.web import server as server_module
from callcenter.web.context import PORTS
from callcenter.web.doors import Doors, most_connections, serve
from callcenter.web.health_ports import Part
from callcenter.web.near import from_this_machine
from tests.fakes.web import Doctor
from tests.fakes.web_client import Site, log_in, site
from tests.fakes.web_server import OPTIONS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
POST = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture
async def here(tmp_path: Any) -> AsyncIterator[Site]:
    async with site(tmp_path) as one:
        yield one


def doctor_of(here: Site) -> Doctor:
    health = here.server.app[PORTS].health
    assert isinstance(health, Doctor)
    return health


def port_of(runner: Any) -> int:
    return int(runner.listener.sockets[0].getsockname()[1])


Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ASK = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


async def asked(pair: Pair) -> None:
    pair[1].write(ASK)
    head = await pair[0].readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    await pair[0].readexactly(int(re.findall(rb"Content-Length: (\d+)", head)[0]))


async def was_shut(pair: Pair) -> bool:
    try:
        async with asyncio.timeout(0.05):
            return await pair[0].read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_who_has_asked_nothing_makes_room_first_then_who_asked_longest_ago(here: Site) -> None:
    hits: list[str] = []
    runner = await serve(here.server.app, "127.0.0.1", 0, Doors(4, hits.append))
    first, second, silent, third = [await asyncio.open_connection("127.0.0.1", port_of(runner)) for _ in range(4)]
    for one in (first, second, third, first):
        await asked(one)
    rest = []
    for shut in (silent, second, third):
        rest.append(await asyncio.open_connection("127.0.0.1", port_of(runner)))
        await asked(rest[-1])
        assert await was_shut(shut)
        assert not await was_shut(first), "its last answer is not so long ago"
    assert hits == ["connections"] * 3
    for _, writer in (first, *rest):
        writer.close()
    await runner.cleanup()


async def test_only_if_all_are_at_work_the_new_one_is_turned_away(here: Site) -> None:
    """A page that is told what happens is at work for as long as it is open."""
    li = await here.signed_in()
    cookie = "; ".join(f"{one.key}={one.value}" for one in li.client.session.cookie_jar)
    runner = await serve(here.server.app, "127.0.0.1", 0, Doors(3))
    pages = []
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(runner))
        writer.write(f"GET /live?r=desk HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n".encode())
        assert (await reader.readuntil(b"event: hello")).startswith(b"HTTP/1.1 200 ")
        pages.append((reader, writer))
    late = await asyncio.open_connection("127.0.0.1", port_of(runner))
    assert await was_shut(late)
    pages[0][1].close()
    await asyncio.sleep(0.05)
    again = await asyncio.open_connection("127.0.0.1", port_of(runner))
    await asked(again)
    for _, writer in (*pages[1:], again):
        writer.close()
    await runner.cleanup()


async def test_a_body_that_has_not_arrived_is_no_work(here: Site) -> None:
    runner = await serve(here.server.app, "127.0.0.1", 0, Doors(3))
    trickling = [await asyncio.open_connection("127.0.0.1", port_of(runner)) for _ in range(3)]
    for _, writer in trickling:
        writer.write(POST + b"Content-Length: 1000\r\n\r\nx")
    await asyncio.sleep(0.05)
    new = await asyncio.open_connection("127.0.0.1", port_of(runner))
    await asked(new)
    assert [await was_shut(one) for one in trickling] == [True, False, False]
    for _, writer in (*trickling, new):
        writer.close()
    await runner.cleanup()


async def test_all_doors_share_one_budget(here: Site, tmp_path: Any) -> None:
    doors = Doors(4)
    one = await serve(here.server.app, "127.0.0.1", 0, doors)
    async with site(tmp_path / "other") as other:
        two = await serve(other.server.app, "127.0.0.1", 0, doors)
        silent = [await asyncio.open_connection("127.0.0.1", port_of(two)) for _ in range(4)]
        new = await asyncio.open_connection("127.0.0.1", port_of(one))
        await asked(new)
        assert [await was_shut(pair) for pair in silent] == [True, False, False, False]
        for _, writer in (*silent, new):
            writer.close()
        await asyncio.sleep(0.05)
        assert doors.open == 0, "who left is not in the books"
        await two.cleanup()
    await one.cleanup()


@pytest.mark.parametrize(
    ("files", "hooks", "most"), [(512, 200, 128), (1_024, 200, 316), (8_192, 200, 3_900), (100, 200, 64)]
)
def test_what_the_limit_on_open_files_leaves_to_connections(
    files: int, hooks: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda which: (files, files))
    monkeypatch.setattr("resource.setrlimit", lambda which, limits: None)
    assert most_connections(hooks) == most
    assert 1 <= Doors(most).burst <= 16


async def test_what_is_turned_away_is_counted_by_its_limit(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hits: list[str] = []
    async with site(tmp_path, limit_hit=hits.append) as here:
        client = await here.visitor()
        await client.post("/login", data=b"name=" + b"x" * 100_000, headers=FORM)
        assert hits == ["body_bytes"]
        for _ in range(6):
            await log_in(client, "li", "wrong")
        assert hits[1:] == ["attempts"] * 2, "the fifth locks, the sixth is locked"
        hits.clear()
        runner = await serve(here.server.app, "127.0.0.1", 0, Doors(20, hits.append))
        monkeypatch.setattr(server_module, "BODY_SECONDS", 0.05)
        for raw in (POST + b"Content-Length: 9\r\n\r\nx", b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(runner))
            writer.write(raw)
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
        await runner.cleanup()
    assert hits == ["body_seconds", "request_head"]


async def test_a_page_or_a_screen_too_many_is_counted(tmp_path: Any) -> None:
    hits: list[str] = []
    options = replace(OPTIONS, wallboard=replace(OPTIONS.wallboard, max_screens=0))
    async with site(tmp_path, options=options, limit_hit=hits.append) as here:
        here.hub._max_streams = 0
        li = await here.signed_in()
        assert (await li.get("/live?r=desk")).status == 503
        assert (await li.get("/wallboard/live")).status == 503
    assert hits == ["streams", "screens"]


async def test_every_limit_of_the_web_stands_at_zero_from_the_start() -> None:
    """Prometheus would not see the first one otherwise."""
    figures = Figures()
    text = generate_latest(figures.registry).decode()
    assert set(re.findall(r'callcenter_limit_hits_total{limit="(\w+)"} 0.0', text)) == set(LIMITS)
    named = {*server_module.TURNED_AWAY.values(), "connections", "request_head", "streams", "screens"}
    assert named <= set(LIMITS)


# --- this machine ----------------------------------------------------------------------------------------------------


class From:
    def __init__(self, address: str) -> None:
        self.address = address

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self.address, 1) if name == "peername" else default


@pytest.mark.parametrize(
    ("address", "headers", "near"),
    [
        ("127.0.0.1", {"Host": "127.0.0.1:8080"}, True),
        ("127.0.0.1", {"Host": "LocalHost"}, True),
        ("::1", {"Host": "[::1]:8080"}, True),
        ("::ffff:127.0.0.1", {"Host": "localhost:8080"}, True),
        ("127.0.0.1", {"Host": "pbx.example:8080"}, True),  # as the settings call this door
        ("192.0.2.7", {"Host": "127.0.0.1:8080"}, False),
        ("", {"Host": "127.0.0.1:8080"}, False),
        ("127.0.0.1", {"Host": "evil.example"}, False),  # a browser on this machine that was led here
        ("127.0.0.1", {"Host": "127.0.0.1.evil.example"}, False),
        ("127.0.0.1", {"Host": "localhost.evil.example:8080"}, False),
        ("127.0.0.1", {"Host": "evil.example:8080@127.0.0.1.evil.example"}, False),
        ("127.0.0.1", {"Host": "[::1"}, False),
        ("127.0.0.1", {"Host": ""}, False),
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"Host": "localhost", "Via": "1.1 proxy"}, False),
        ("127.0.0.1", {"Host": "localhost", "X-Forwarded-For": ""}, False),
        ("127.0.0.1", {"Host": "localhost", "x-forwarded-host": "desk.example"}, False),
        ("127.0.0.1", {"Host": "localhost", "X-Forwarded-Proto": "https"}, False),
        ("127.0.0.1", {"Host": "localhost", "Forwarded": "for=192.0.2.7"}, False),
        ("127.0.0.1", {"Host": "localhost", "X-Real-IP": "192.0.2.7"}, False),
    ],
)
def test_who_counts_as_this_machine(address: str, headers: dict[str, str], near: bool) -> None:
    transport: Any = From(address)
    request = make_mocked_request("GET", "/metrics", headers, transport=transport)
    request._cache["remote"] = address
    assert from_this_machine(request, ("PBX.example",)) is near


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Via", "X-Forwarded-Host"])
async def test_a_stranger_is_told_parts_and_states_and_nothing_to_attack(here: Site, header: str) -> None:
    doctor_of(here).found.append(
        Part("asterisk", False, "refused", "AMI listens on 192.0.2.9:5038", "manager.conf", {"asterisk": "22.10.1"})
    )
    client = await here.visitor()
    answer = await client.get("/readyz", headers={header: "192.0.2.7"})
    text, body = await answer.text(), await answer.json()
    assert (answer.status, body["ready"]) == (503, False)
    assert body["parts"][-1] == {"name": "asterisk", "ready": False, "needed": True, "state": "refused"}
    assert "/status" in body["details"]
    for told in ("192.0.2.9", "5038", "manager.conf", "22.10.1", "facts"):
        assert told not in text
    rebound = await client.get("/readyz", headers={"Host": "evil.example"})
    assert "22.10.1" not in await rebound.text()


async def test_this_machine_and_whoever_is_logged_in_are_told_everything(here: Site) -> None:
    doctor_of(here).found.append(Part("asterisk", True, "up", "old", "renew it", {"asterisk": "22.10.1"}))
    whole = {
        "name": "asterisk",
        "ready": True,
        "needed": True,
        "state": "up",
        "reason": "old",
        "remedy": "renew it",
        "facts": {"asterisk": "22.10.1"},
    }
    client, li = await here.visitor(), await here.signed_in()
    body = await (await client.get("/readyz")).json()
    assert (body["parts"][-1], "details" in body) == (whole, False)
    body = await (await li.get("/readyz", headers={"X-Forwarded-For": "192.0.2.7"})).json()
    assert body["parts"][-1] == whole
