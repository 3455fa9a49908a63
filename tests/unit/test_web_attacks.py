"""Requests that no page of ours sends: guesses in bulk, bodies that trickle, wrong kinds, torn text, lost stores."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from callcenter.errors import BrokenWorld
from callcenter.web import server as server_module
from callcenter.web.doors import Doors, serve
from callcenter.web.login import address_of
from callcenter.web.render import make_renderer
from callcenter.web.sessions import Sessions
from callcenter.web.words import LANGUAGES
from tests.fakes.web import FAST_HASHER, PASSWORD, Memory
from tests.fakes.web_client import Site, found, log_in, site
from tests.fakes.web_server import OPTIONS

NOW = 1_800_000_000.0
HOSTILE = [
    *(
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\\/evil.example",
        "\\/evil.example",
    ),
    *(
        "http://evil.example/desk",
        "https:evil.example",
        "http:/evil.example",
        "//evil.example/desk",
        "javascript:alert(1)",
    ),
    *("/%2fevil.example", "/%5cevil.example", "%2f%2fevil.example", "/%252fevil.example", "/desk/%2e%2e//evil.example"),
    *("/desk\r\nSet-Cookie: evil=1", "/desk%0d%0aSet-Cookie:evil=1", "/desk?a=%0D%0ALocation:evil", "/desk?a=%00evil"),
    *(
        "/\tevil.example",
        "/\n/evil.example",
        " //evil.example",
        "/ /evil.example",
        "/desk?a=evil b",
        "/desk?a=evil\u2028",
    ),
    *("//user:evil@example/desk", "/desk@evil.example", "evil.example", "desk?evil", "?evil", "#evil", "/desk#//evil"),
    *("/.//evil.example", "/..//evil.example", "/desk/..//evil.example", "/./desk?evil", "/desk/?evil", "/desk;evil"),
    *("/login?next=//evil.example", "/logout?evil", "/preferences?evil", "/tickets/search?evil", "/review/search?evil"),
    *("/api/tickets/187?evil", "/live?evil", "/static/app.css?evil", "/recordings/187/mix?evil", "/healthz?evil"),
    *(
        "/reports/download/csv?evil",
        "/wallboard/link/evil-evil-evil-evil",
        "/nothing?evil",
        "/desk?evil=" + "x" * 1_000,
    ),
    *(
        "/de\u017fk?evil",
        "/desk?\u202eevil",
        "/\uff0fevil.example",
        "/tickets/\u0661\u0668\u0667?evil",
        "/tickets/1e3?evil",
    ),
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def here(tmp_path: Any) -> AsyncIterator[Site]:
    async with site(tmp_path) as one:
        one.control.put("ringing", "mine")
        yield one


def sessions() -> Sessions:
    return Sessions(Memory(lambda: NOW), lambda: NOW, idle_seconds=600, absolute_seconds=3600, hasher=FAST_HASHER)


# --- guessing --------------------------------------------------------------------------------------------------------


async def test_guesses_sent_all_at_once_are_no_way_around_the_limit() -> None:
    door = sessions()
    tried = 0

    def counting(known: str, password: str) -> bool:
        nonlocal tried
        tried += 1
        return False

    door._matches = counting  # type: ignore[method-assign]
    results = await asyncio.gather(*(door.log_in("li", f"guess {n}", "a") for n in range(200)))
    assert tried <= 6, "two at a time are looked at, five may fail"
    assert sum(result.locked_seconds > 0 for result in results) >= 195


async def test_an_account_has_one_limit_under_both_its_names() -> None:
    door = sessions()
    for name in ("li", "018", "li", "018", "li"):
        await door.log_in(name, "wrong", "a")
    assert (await door.log_in("018", PASSWORD, "a")).locked_seconds > 0


class Asked:
    """What ``address_of`` looks at."""

    def __init__(self, remote: str, proxies: tuple[str, ...], *forwarded: str) -> None:
        from callcenter.web.render import RENDERER

        self.remote = remote
        self.headers = self
        self._forwarded = list(forwarded)
        options = replace(OPTIONS, proxies=proxies)
        self.app = {RENDERER: type("Renderer", (), {"options": options})}

    def getall(self, _name: str, _default: list[str]) -> list[str]:
        return self._forwarded


@pytest.mark.parametrize(
    ("remote", "proxies", "forwarded", "address"),
    [
        ("192.0.2.7", (), ("198.51.100.1",), "192.0.2.7"),  # nobody vouches for the header
        ("127.0.0.1", ("127.0.0.1",), ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("127.0.0.1",), ("10.9.9.9, 198.51.100.1",), "198.51.100.1"),  # the browser's own lie comes first
        ("127.0.0.1", ("127.0.0.1",), ("10.9.9.9", "198.51.100.1"), "198.51.100.1"),
        ("127.0.0.1", ("127.0.0.1",), (), "127.0.0.1"),
        ("192.0.2.7", ("127.0.0.1",), ("198.51.100.1",), "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", (), (), "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", (), (), "192.0.2.7"),
    ],
)
def test_whom_a_failed_log_in_slows(remote: str, proxies: Any, forwarded: Any, address: str) -> None:
    assert address_of(Asked(remote, proxies, *forwarded)) == address  # type: ignore[arg-type]


async def test_setting_asterisks_clock_logs_nobody_out(tmp_path: Any) -> None:
    offset = 0.0
    async with site(tmp_path, now=lambda: NOW + offset, wall=lambda: NOW) as here:
        li = await here.signed_in()
        for offset in (86_400.0 * 400, -86_400.0 * 400):  # noqa: B007
            assert (await li.get("/tickets")).status == 200


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n", 415),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=klingon"}, b"name=li", 415),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}, b"name=li", 415),
        ({"Content-Type": "application/xml"}, b"<a/>", 415),
        (FORM, b"name=\xff\xfe", 400),
        (FORM, b"name=" + b"x" * 100_000, 413),
        (FORM, b"name=%ED%A0%80&key=%00", 403),
        (FORM, b"&&&===", 403),
    ],
)
async def test_a_body_of_the_wrong_kind_is_refused_in_one_sentence(
    here: Site, headers: Any, body: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = await here.visitor()
    caplog.set_level(logging.WARNING)
    answer = await client.post("/login", data=body, headers=headers)
    assert answer.status == status
    assert caplog.records == []


async def test_a_body_that_trickles_is_given_up(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", here.server.port)
    writer.write(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: " + FORM["Content-Type"].encode())
    writer.write(b"\r\nContent-Length: 1000\r\n\r\nx")
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")
    writer.close()


# Values for every field that a page sends.
ODD: list[Any] = [None, [], {}, "", "x" * 9_000, 0, -1, 10**18, 10**30, True, 1.5, 1e308, "\ud800", "\x00", "a\u2028b"]


@pytest.mark.parametrize(
    "raw", [b"[" * 60_000, b'{"a":' * 12_000, b"9" * 5_000, b"NaN", b'{"base_version":NaN}', b"\xff"]
)
async def test_json_that_is_a_trap_is_a_bad_request(here: Site, raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    li = await here.signed_in()
    headers = {"X-CSRF-Token": li.csrf, "Content-Type": "application/json"}
    answer = await li.client.post("/api/tickets/187/fields", data=raw, headers=headers)
    assert answer.status == 400
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/tickets/187/fields", {"base_version": 1, "origin": "page-0001", "fields": {"problem": "x"}}),
        ("/api/tickets/187/promises", {"key": "p-12345678", "text": "x", "due": "15:00"}),
        ("/api/tickets/187/promises/p-12345678", {"done": True}),
        ("/api/seat/pause", {"paused": True, "reason": "break"}),
        ("/api/seat/recording", {"paused": True}),
        ("/api/seat/dial", {"ticket": 187}),
        ("/api/seat/seen", {"call": "a", "phrases": ["refusal"]}),
    ],
)
async def test_no_type_and_no_size_of_a_field_breaks_the_server(
    here: Site, path: str, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    li = await here.signed_in()
    here.telephone.actions = frozenset({"dial", "pause", "record"})
    for name in body:
        for odd in ODD:
            answer = await li.post(path, body | {name: odd})
            assert answer.status < 500, (name, odd)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "headers",
    [
        {b"Cookie": b"cc_session=" + b"\xff" * 40},
        {b"Authorization": b"Bearer \xff\xfe"},
        {b"Host": b"\xff\xfe"},
        {b"Accept-Language": b"\xff"},
        {b"X-CSRF-Token": b"\xff" * 40},
        {b"Origin": b"http://[::1"},
    ],
)
async def test_header_bytes_that_are_no_text_break_nothing(
    here: Site, headers: dict[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    for method, path in ((b"GET", b"/tickets"), (b"POST", b"/login"), (b"GET", b"/readyz")):
        reader, writer = await asyncio.open_connection("127.0.0.1", here.server.port)
        lines = [b"%s %s HTTP/1.1" % (method, path), b"Connection: close"]
        lines += [b"%s: %s" % pair for pair in ({b"Host": b"a"} | headers).items()]
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:80]
        writer.close()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("due", ["0001-01-01 00:00", "1999-12-31 23:59", "3000-01-01 00:00", "9999-12-31 23:59"])
async def test_a_promise_for_a_year_that_no_page_can_show_is_refused(here: Site, due: str) -> None:
    """Stored, it would break every page with the ticket on it, for everybody and for good."""
    li = await here.signed_in()
    answer = await li.post("/api/tickets/187/promises", {"key": "p-12345678", "text": "x", "due": due})
    assert answer.status == 400
    assert (await li.get("/tickets/187")).status == 200


@pytest.mark.parametrize("version", [-1, 2**31, 10**30, True])
async def test_a_version_that_no_ticket_can_have_is_refused(here: Site, version: int) -> None:
    li = await here.signed_in()
    body = {"base_version": version, "origin": "page-0001", "fields": {"problem": "x"}}
    assert (await li.post("/api/tickets/187/fields", body)).status == 400


async def test_whose_caller_a_ticket_has_is_not_to_be_learned_by_its_number(tmp_path: Any) -> None:
    async with site(tmp_path, options=replace(OPTIONS, seats_see="own")) as here:
        number = here.control.put("ringing", "mine")
        assert (await (await here.signed_in("li")).get(f"/tickets?same={number}")).status == 200
        assert (await (await here.signed_in("ma")).get(f"/tickets?same={number}")).status == 404


# --- the store is away -----------------------------------------------------------------------------------------------


async def test_a_store_that_is_away_is_said_so_and_not_called_a_defect(
    here: Site, caplog: pytest.LogCaptureFixture
) -> None:
    li = await here.signed_in()
    here.memory.search = AsyncMock(side_effect=BrokenWorld("The disk is full."))  # type: ignore[method-assign]
    answer = await li.get("/tickets")
    assert answer.status == 503
    assert "数据库暂时没有响应" in await answer.text()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_pages_are_read_while_the_store_takes_no_writes(tmp_path: Any) -> None:
    """The note that a session is in use is a write; a full disk must not lock everybody out."""
    at = NOW
    async with site(tmp_path, now=lambda: at) as here:
        li = await here.signed_in()
        here.memory.touch_session = AsyncMock(side_effect=BrokenWorld("full"))  # type: ignore[method-assign]
        at += 120
        assert (await li.get("/tickets")).status == 200
        here.memory.touch_session.assert_awaited()


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def listening(here: Site) -> AsyncIterator[Any]:
    """The application as the daemon serves it."""
    runner = await serve(here.server.app, "127.0.0.1", 0, Doors(20))
    yield runner
    await runner.cleanup()


def port_of(runner: Any) -> int:
    return int(runner.listener.sockets[0].getsockname()[1])


POST = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SMUGGLED = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: 0_1\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 99999999999999999999\r\n\r\n",
        POST + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nno gzip",
        b"GET /tickets HTTP/1.1\nHost: a\nX: \x00\n\n",
        b"GET /tickets HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n" + SMUGGLED,
        b"GET /%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /static/%2e%2e/%2e%2e/app.py HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /static/..%2f..%2fapp.py HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET //evil.example/%2f.. HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(500)) + b"\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"Action: Login\r\nUsername: x\r\n\r\n",
    ],
)
async def test_a_request_of_two_minds_is_refused_and_never_read_as_two(
    listening: Any, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listening))
    writer.write(raw)
    writer.write_eof()
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert answer == b"" or answer[9:10] == b"4", answer[:60]
    assert b'"parts"' not in answer, "the second request in it was answered"
    assert b"Traceback" not in answer
    for record in caplog.records:
        assert (record.levelname, record.exc_info) == ("WARNING", None)
        assert re.fullmatch(r"a request could not be read: \w+", record.getMessage())
    writer.close()


async def test_what_is_too_long_is_told_so_and_not_repeated(listening: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listening))
    writer.write(b"GET /reports?queue=" + b"x" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert b" 400 " in answer[:20]
    assert answer.endswith(b"Shorten the address and ask again.")
    assert b"xxx" not in answer
    writer.close()


async def test_a_word_that_is_no_message_of_ours_stays_text() -> None:
    """What goes through gettext counts as HTML in a template; a name of somebody's must not become any."""
    rendered = make_renderer(OPTIONS, lambda: 0.0, lambda user: {})
    for language in LANGUAGES:
        template = rendered.environments[language].from_string(
            "{{ _(name) }}|{% trans n=name %}by {{ n }}{% endtrans %}"
        )
        assert "<" not in template.render(name='<img src=x onerror="alert(1)">')


async def test_junk_in_bulk_is_logged_once(listening: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(50):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listening))
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: 13800138000 \x00\r\n\r\n")
        writer.write_eof()
        await reader.read()
        writer.close()
    assert len(caplog.records) == 1
    assert "13800" not in caplog.text


async def test_connections_that_say_nothing_keep_nobody_out(listening: Any) -> None:
    port = port_of(listening)
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    assert listening.server is not None
    assert len(listening.server.connections) <= 20
    for _, one in idle:
        one.close()


@pytest.mark.parametrize("asked", HOSTILE)
async def test_no_address_in_a_request_leads_elsewhere(here: Site, asked: str) -> None:
    """In the address of the log-in, in its form, and for somebody who is logged in already."""
    client = await here.visitor()
    page = await (await client.get("/login", params={"next": asked})).text()
    assert found(r'name="next" value="([^"]*)"', page) == ""
    assert "evil" not in page
    language = await client.get("/login", params={"next": asked, "lang": "en"}, allow_redirects=False)
    assert language.headers["Location"] == "/login"
    data = {"key": found(r'name="key" value="([^"]+)"', page), "name": "li", "password": PASSWORD, "next": asked}
    answer = await client.post("/login", data=data, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    again = await client.get("/login", params={"next": asked}, allow_redirects=False)
    assert (again.status, again.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("name", ["back", "url", "redirect", "lang", "Next"])
async def test_nothing_else_of_a_request_is_a_place_to_go_to(here: Site, name: str) -> None:
    client = await here.visitor()
    answer = await log_in(client, "li", PASSWORD, params={name: "/supervise"})
    assert (answer.status, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("target", ["//evil.example/desk", "http://evil.example/supervise", "/desk//evil.example"])
async def test_a_request_for_another_site_leads_to_no_other_site(listening: Any, target: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listening))
    writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    led = re.findall(rb"\r\nLocation: (.*?)\r\n", answer)
    assert led in ([], [b"/login"], [b"/login?next=/supervise"]), answer[:200]
    writer.close()


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nNo Header\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/9\r\n\r\n"]
)
async def test_what_is_no_request_is_told_no_versions(listening: Any, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listening))
    writer.write(sent)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert b" 400 " in answer.splitlines()[0]
    assert b"Server: callcenter\r\n" in answer
    assert b"aiohttp" not in answer
    assert b"Python" not in answer
