"""Links that open a wallboard: made, shown once, listed, revoked; what they open and what not."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from callcenter.cli import main
from callcenter.errors import BrokenWorld
from callcenter.store.screens import WallboardLink
from callcenter.web import wallboard
from callcenter.web.sessions import token_hash
from tests.fakes.web_client import Person, Site, site
from tests.store.places import Place

TOKEN = "a-token-of-a-screen-that-is-long-enough"


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with site() as one:
        one.memory.links[token_hash(TOKEN)] = "hall"
        yield one


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "callcenter.toml"
    file.write_text(
        f'[store]\nurl = "sqlite:///{tmp_path}/callcenter.db"\n[web]\npublic_url = "https://desk.example"\n'
    )
    return file


def run(config: Path, *words: str) -> int:
    return main(["wallboard-link", "-c", str(config), *words])


def test_a_link_is_shown_once_and_stored_as_a_hash(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "list") == 0
    assert "no links" in capsys.readouterr().out
    assert run(config, "add", "hall") == 0
    found = re.search(r"https://desk\.example/wallboard/link/([\w-]{32})$", capsys.readouterr().out, re.M)
    assert found is not None
    assert found[1].encode() not in (config.parent / "callcenter.db").read_bytes()
    assert run(config, "list") == 0
    told = capsys.readouterr().out
    assert re.fullmatch(r"hall: made 2[\d: -]+, last opened never\n", told)
    assert found[1] not in told


def test_mistakes_get_a_sentence(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "add") == 2
    assert "say which screen" in capsys.readouterr().err
    assert run(config, "add", "hall") == 0
    assert run(config, "add", "hall") == 2
    assert "there is a link of that name" in capsys.readouterr().err
    assert run(config, "revoke", "roof") == 2
    assert "there is no such link" in capsys.readouterr().err
    assert run(config, "revoke", "hall") == 0
    capsys.readouterr()
    assert run(config, "list") == 0
    assert "no links" in capsys.readouterr().out


async def test_a_link_is_stored_and_revoked(place: Place) -> None:
    async with place.open() as store:
        await store.screens.add_link(WallboardLink("hall", "h1", 1.0, None), "wu")
        await store.screens.add_link(WallboardLink("yard", "h2", 2.0, None), "wu")
        await store.screens.link_seen("h1", 5.0)
        await store.screens.revoke_link("yard", "ma", 7.0)
        assert await store.screens.links() == (WallboardLink("hall", "h1", 1.0, 5.0),)
        lines = [(line.at, line.what, line.by, line.detail) for line in await store.keeping.audit()]
        assert lines == [
            (7.0, "wallboard_link_revoked", "ma", {"name": "yard"}),
            (2.0, "wallboard_link_made", "wu", {"name": "yard"}),
            (1.0, "wallboard_link_made", "wu", {"name": "hall"}),
        ]


async def sent(person: Person, path: str, name: str, **fields: str) -> aiohttp.ClientResponse:
    """As the page's own form sends it."""
    form = {"csrf": person.csrf, "name": name} | fields
    return await person.client.post(path, data=form, allow_redirects=False)


async def test_a_supervisor_makes_sees_and_revokes_a_link_on_a_page(here: Site) -> None:
    person = await here.signed_in("wu")
    assert "roof" not in await (await person.get("/wallboard/links")).text()
    made = await sent(person, "/wallboard/links", "roof")
    page = await made.text()
    assert made.status == 200
    assert made.headers["Cache-Control"] == "no-store"
    address = re.search(r'value="http://[^"/]+(/wallboard/link/[\w-]+)" readonly', page)
    assert address is not None
    screen = await here.visitor()
    assert (await screen.get(address[1], allow_redirects=False)).status == 303
    again = await (await person.get("/wallboard/links")).text()
    assert "roof" in again
    assert address[1].rpartition("/")[2] not in again, "told once"
    assert (await sent(person, "/wallboard/links/revoke", "roof")).status == 303
    assert "roof" not in await (await person.get("/wallboard/links")).text()
    assert (await (await here.visitor()).get(address[1])).status == 404


@pytest.mark.parametrize("name", ["hall", "<script>", "", "x y"])
async def test_a_name_that_cannot_be_is_said_on_the_page(here: Site, name: str) -> None:
    person = await here.signed_in("wu")
    answer = await sent(person, "/wallboard/links", name)
    assert answer.status == 400
    page = await answer.text()
    assert "<script>alert" not in page
    assert 'role="alert"' in page
    assert ("这个名称的屏已有链接" in page) == (name == "hall")
    assert list(here.memory.links.values()) == ["hall"]
    assert (await sent(person, "/wallboard/links/revoke", "roof")).status == 409


async def test_without_the_pages_own_token_no_link_is_made(here: Site) -> None:
    person = await here.signed_in("wu")
    answer = await sent(person, "/wallboard/links", "roof", csrf="another")
    assert answer.status == 403
    assert list(here.memory.links.values()) == ["hall"]


async def test_the_token_becomes_a_cookie(here: Site) -> None:
    screen = await here.visitor()
    answer = await screen.get(f"/wallboard/link/{TOKEN}", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/wallboard")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert token_hash(TOKEN) in here.memory.links_seen
    assert (await screen.get("/wallboard", allow_redirects=False)).status == 200
    assert (await screen.get("/wallboard/alive")).status == 204


@pytest.mark.parametrize(
    "path", ["/desk", "/tickets", "/supervise", "/live", "/review", "/recordings/187/mix", "/help", "/api/tickets/187"]
)
async def test_it_opens_nothing_else(here: Site, path: str) -> None:
    screen = await here.visitor()
    await screen.get(f"/wallboard/link/{TOKEN}", allow_redirects=False)
    answer = await screen.get(path, allow_redirects=False)
    assert answer.status in (303, 401)
    assert answer.headers.get("Location", "/login").startswith("/login")


@pytest.mark.parametrize("cookie", ["", "x" * 30, "x" * 500, TOKEN[:-1], "é" * 30])
async def test_another_cookie_opens_nothing(here: Site, cookie: str) -> None:
    screen = await here.visitor()
    answer = await screen.get("/wallboard/alive", headers={"Cookie": f"cc_wall={cookie}"})
    assert answer.status == 401


async def test_guessing_is_refused_and_keeps_no_screen_of_the_same_address_out(here: Site) -> None:
    screen = await here.visitor()
    found = [(await screen.get(f"/wallboard/link/{'y' * 31}{n:02}")).status for n in range(42)]
    assert found == [404] * 40 + [429] * 2
    assert (await screen.get(f"/wallboard/link/{TOKEN}", allow_redirects=False)).status == 303
    assert (await screen.get(f"/wallboard/link/{'z' * 33}")).status == 429


async def test_revoking_closes_the_open_screen(here: Site) -> None:
    screen = await here.visitor()
    await screen.get(f"/wallboard/link/{TOKEN}", allow_redirects=False)
    stream = await screen.get("/wallboard/live")
    assert stream.status == 200
    del here.memory.links[token_hash(TOKEN)]
    said = b""
    async with asyncio.timeout(20):
        async for line in stream.content:
            said += line
    assert b'event: bye\ndata: {"reason":"revoked"}' in said
    assert here.hub.wallboards == 0
    assert (await screen.get("/wallboard/alive")).status == 401
    answer = await screen.get("/wallboard", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/wallboard")


async def test_logging_out_closes_the_open_screen(here: Site) -> None:
    person = await here.signed_in("wu")
    stream = await person.client.get("/wallboard/live")
    began = time.monotonic()
    here.memory.sessions.clear()
    async with asyncio.timeout(20):
        said = await stream.content.read()
    assert b'"reason":"logout"' in said
    assert time.monotonic() - began < 20


async def test_a_person_keeps_the_screen_while_the_store_is_away(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallboard, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(wallboard, "BEAT_SECONDS", 0.2)
    person = await here.signed_in("wu")
    stream = await person.client.get("/wallboard/live")
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def away(token: str) -> None:
        asked.put_nowait(token)
        raise BrokenWorld("The database does not answer.")

    with monkeypatch.context() as gone:
        gone.setattr(here.memory, "session", away)
        async with asyncio.timeout(20):
            for _ in range(3):
                await asked.get()
    assert here.hub.wallboards == 1
    here.memory.sessions.clear()
    async with asyncio.timeout(20):
        assert b'"reason":"logout"' in await stream.content.read()
