"""A log-in leads to the page that was asked for, and an address of somebody else's never leads anywhere."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from callcenter.web.landing import LONGEST, Landings, login_address
from tests.fakes.web import PASSWORD
from tests.fakes.web_client import Site, found, site

PAGES = Landings.of([{"path": "/desk"}, {"path": "/reports"}, {"pattern": re.compile(r"/tickets/(?P<id>\d{1,15})")}])
HOST = "https://desk.example.com"
WRITINGS = st.text(alphabet=st.sampled_from("/\\.:@?#%&=;-_ \t\r\n\x00\x7fdesk0125fFaA\u2028\uff0fé"), max_size=40)


@given(st.one_of(WRITINGS, WRITINGS.map(lambda text: "/desk?" + text), st.text(max_size=60).map(lambda t: "/" + t)))
def test_what_is_let_through_stays_here_however_it_is_read(asked: str) -> None:
    """By a browser's joining, by urllib's, and by yarl, which writes it into the answer."""
    page = PAGES.page(asked)
    assert page in ("", asked)
    if page:
        for joined in (urljoin(HOST + "/login", page), str(URL(HOST + "/login").join(URL(page)))):
            assert urlsplit(joined)[:3] == ("https", "desk.example.com", urlsplit(page).path)
        assert str(URL(page)).startswith("/desk")
        assert not re.search(r"[\s\\]|//", urlsplit(page).path)
        assert page.isascii()
        assert page.isprintable()


@given(st.from_regex(r"/tickets/[0-9]{1,15}|/desk|/reports(\?[a-z]{1,5}=[a-z0-9%2-]{0,9})?", fullmatch=True))
def test_the_log_in_tells_the_page_and_only_it(page: str) -> None:
    kept = PAGES.page(page)
    address = urlsplit(login_address(kept, lang="en"))
    assert (address.path, address.netloc) == ("/login", "")
    assert parse_qs(address.query) == ({"next": [page], "lang": ["en"]} if kept else {"lang": ["en"]})


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("/reports?by=queue&from=2026-11-01", True),
        ("/reports?queue=%E5%94%AE%E5%90%8E", True),
        ("/reports?", True),
        ("/tickets/187", True),
        ("/tickets/187/clocks", False),
        ("/tickets/", False),
        ("/reports?a=" + "x" * LONGEST, False),
        ("/reports?a=%0a", False),
        ("/", False),
        ("", False),
    ],
)
def test_the_pages_of_this_site(asked: str, page: bool) -> None:
    assert PAGES.page(asked) == (asked if page else "")


@pytest.fixture
async def here(tmp_path: Any) -> AsyncIterator[Site]:
    async with site(tmp_path) as one:
        one.control.put("ringing", "mine")
        yield one


async def led(client: Any, path: str) -> str:
    answer = await client.get(path, headers={"Accept": "text/html"}, allow_redirects=False)
    assert answer.status == 303
    return str(answer.headers["Location"])


async def sent(client: Any, address: str, name: str, password: str = PASSWORD) -> Any:
    """The form behind ``address``, filled in and sent."""
    page = await (await client.get(URL(address, encoded=True))).text()
    data = {"key": found(r'name="key" value="([^"]+)"', page), "name": name, "password": password}
    data["next"] = found(r'name="next" value="([^"]*)"', page).replace("&amp;", "&")
    return await client.post("/login", data=data, allow_redirects=False)


@pytest.mark.parametrize(
    "path",
    ["/supervise", "/tickets/187", "/reports?by=queue&queue=%E5%94%AE", "/status/runbook", "/wallboard", "/help"],
)
async def test_one_lands_where_one_wanted_to_go(here: Site, path: str) -> None:
    client = await here.visitor()
    answer = await sent(client, await led(client, path), "wu")
    assert (answer.status, answer.headers["Location"]) == (303, path)


async def test_a_wrong_password_and_another_language_keep_the_page(here: Site) -> None:
    client = await here.visitor()
    await led(client, "/reports?by=queue&grain=week")
    address = "/login?lang=en&next=%2Freports%3Fby%3Dqueue%26grain%3Dweek"
    english = await led(client, address)
    assert english == "/login?next=/reports?by%3Dqueue%26grain%3Dweek"
    wrong = await sent(client, english, "wu", "wrong")
    page = await wrong.text()
    assert wrong.status == 403
    assert found(r'name="next" value="([^"]*)"', page) == "/reports?by=queue&amp;grain=week"
    assert "lang=zh" in page
    answer = await sent(client, english, "wu")
    assert answer.headers["Location"] == "/reports?by=queue&grain=week"


async def test_the_start_page_is_the_roles_own(here: Site) -> None:
    client = await here.visitor()
    assert await led(client, "/") == "/login"
    assert (await sent(client, "/login", "wu")).headers["Location"] == "/"


async def test_a_page_that_the_role_may_not_see_says_so(here: Site) -> None:
    client = await here.visitor()
    answer = await sent(client, await led(client, "/supervise"), "li")
    assert answer.headers["Location"] == "/supervise"
    page = await client.get("/supervise", headers={"Accept": "text/html"}, allow_redirects=False)
    assert page.status == 403
    assert "您的角色" in await page.text()


async def test_who_is_logged_in_goes_there_at_once(here: Site) -> None:
    person = await here.signed_in("wu")
    assert await led(person.client, "/login?next=/supervise") == "/supervise"
    assert await led(person.client, "/login") == "/"


async def test_after_a_session_ran_out_too(tmp_path: Any) -> None:
    at = 1_800_000_000.0
    async with site(tmp_path, now=lambda: 1_800_000_000.0, wall=lambda: at) as one:
        person = await one.signed_in("wu")
        at += 13 * 3600
        assert await led(person.client, "/status") == "/login?next=/status"
        answer = await sent(person.client, "/login?next=/status", "wu")
        assert answer.headers["Location"] == "/status"
