"""Every route with every role; tokens, origins, headers, limits; and never a trace of the program."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from callcenter.web import wallboard_door
from callcenter.web.access import Policy
from callcenter.web.menu import MENU, menu_of, way_back
from callcenter.web.ports import Role
from callcenter.web.server import routes
from tests.fakes import calls as story
from tests.fakes.web import PASSWORD, user
from tests.fakes.web_client import Site, log_in, site
from tests.fakes.web_server import OPTIONS

NOW = 1_800_000_000.0
NAMES = {"seat": "li", "supervisor": "wu", "qa": "qa", "admin": "root"}


@pytest.fixture
async def here(tmp_path: Any) -> AsyncIterator[Site]:
    async with site(tmp_path) as one:
        one.control.put("ringing", "mine")
        one.control.put("talking", "mine")
        one.control.put("ended", "mine")
        yield one


# What an ordinary request to each route answers: (anonymous, seat, supervisor, qa, admin).
TABLE = {
    ("GET", "/"): (303, 303, 303, 303, 303),
    ("GET", "/login"): (200, 303, 303, 303, 303),
    ("POST", "/login"): (403, 403, 403, 403, 403),  # without the form's own key
    ("POST", "/logout"): (401, 303, 303, 303, 303),
    ("POST", "/preferences"): (401, 303, 303, 303, 303),
    ("GET", "/help"): (303, 200, 200, 200, 200),
    ("GET", "/account"): (303, 200, 200, 200, 200),
    ("POST", "/account/password"): (401, 400, 400, 400, 400),  # an empty body
    ("GET", "/wallboard/links"): (303, 403, 200, 403, 200),
    ("POST", "/wallboard/links"): (401, 403, 400, 403, 400),  # without a name
    ("POST", "/wallboard/links/revoke"): (401, 403, 409, 403, 409),
    ("GET", "/desk"): (303, 200, 200, 403, 200),
    ("GET", "/desk/fragments"): (401, 200, 200, 200, 200),
    ("GET", "/desk/work"): (401, 200, 200, 403, 200),
    ("GET", "/desk/heard"): (401, 200, 200, 403, 200),
    ("GET", "/live"): (401, 200, 200, 200, 200),
    ("GET", "/tickets"): (303, 200, 200, 200, 200),
    ("POST", "/tickets/search"): (401, 200, 200, 200, 200),
    ("GET", "/tickets/187"): (303, 200, 200, 200, 200),
    ("GET", "/tickets/187/clocks"): (401, 200, 200, 200, 200),
    ("POST", "/api/tickets/187/clocks"): (401, 400, 400, 403, 400),
    ("GET", "/recordings/187/mix"): (303, 404, 404, 404, 404),
    ("GET", "/api/tickets/187"): (401, 200, 200, 403, 200),
    ("POST", "/api/tickets/187/fields"): (401, 400, 400, 403, 400),  # an empty body
    ("POST", "/api/tickets/187/promises"): (401, 400, 400, 403, 400),
    ("POST", "/api/tickets/187/promises/p-12345678"): (401, 400, 400, 403, 400),
    ("POST", "/api/tickets/187/close"): (401, 200, 200, 403, 200),
    ("POST", "/api/tickets/187/leave"): (401, 200, 200, 403, 200),
    ("POST", "/api/tickets/187/reopen"): (401, 200, 200, 403, 200),
    ("POST", "/api/seat/pause"): (401, 409, 409, 403, 409),  # not possible unless the port says so
    ("POST", "/api/seat/recording"): (401, 409, 409, 403, 409),
    ("POST", "/api/seat/seen"): (401, 400, 400, 403, 400),  # an empty body
    ("POST", "/api/seat/dial"): (401, 409, 409, 403, 409),
    # No past calls are kept at this site; who may see what where they are: test_web_reports.py.
    ("GET", "/reports"): (303, 403, 404, 404, 404),
    ("GET", "/reports/download/csv"): (303, 403, 404, 404, 404),
    # Nothing is reviewed at this site; who may see what where something is: test_web_review.py.
    ("GET", "/books"): (303, 403, 200, 403, 200),
    ("GET", "/review"): (303, 404, 404, 404, 404),
    ("POST", "/review/search"): (401, 404, 404, 404, 404),
    ("GET", "/review/seats"): (303, 404, 404, 404, 404),
    ("GET", "/review/7"): (303, 404, 404, 404, 404),
    ("GET", "/review/7/card"): (401, 404, 404, 404, 404),
    ("GET", "/review/7/waves"): (401, 404, 404, 404, 404),
    ("GET", "/review/7/sound/mix"): (401, 404, 404, 404, 404),
    ("POST", "/api/recordings/7/reviews"): (401, 403, 404, 404, 404),
    ("POST", "/api/recordings/7/calibration"): (401, 403, 404, 404, 404),
    ("POST", "/api/recordings/7/calibration/end"): (401, 403, 404, 404, 404),
    ("POST", "/api/recordings/7/reviews/8/answer"): (401, 403, 400, 400, 400),
    ("POST", "/api/recordings/7/reviews/8/note"): (401, 403, 400, 400, 400),
    ("POST", "/api/recordings/7/reviews/8/comment"): (401, 403, 400, 400, 400),
    ("POST", "/api/recordings/7/reviews/8/uncomment"): (401, 403, 400, 400, 400),
    ("POST", "/api/recordings/7/reviews/8/sign"): (401, 403, 404, 404, 404),
    ("POST", "/api/recordings/7/reviews/8/dispute"): (401, 400, 400, 400, 400),
    ("POST", "/api/recordings/7/reviews/8/answer-dispute"): (401, 403, 400, 400, 400),
    ("GET", "/wallboard"): (303, 200, 200, 200, 200),
    ("GET", "/wallboard/alive"): (401, 204, 204, 204, 204),
    ("GET", "/wallboard/live"): (401, 200, 200, 200, 200),
    ("GET", "/wallboard/link/no-such-token"): (404, 404, 404, 404, 404),
    ("GET", "/callbacks"): (303, 200, 200, 403, 200),
    ("GET", "/callbacks/list"): (401, 200, 200, 403, 200),
    ("POST", "/api/callbacks/7/claim"): (401, 404, 404, 403, 404),  # nobody is owed a call
    ("POST", "/api/callbacks/7/release"): (401, 404, 404, 403, 404),
    ("POST", "/api/callbacks/7/dial"): (401, 404, 404, 403, 404),
    ("POST", "/api/callbacks/7/close"): (401, 400, 400, 403, 400),  # an empty body
    ("GET", "/supervise"): (303, 403, 200, 403, 200),
    ("GET", "/supervise/board"): (401, 403, 200, 403, 200),
    ("GET", "/healthz"): (200, 200, 200, 200, 200),
    ("GET", "/readyz"): (200, 200, 200, 200, 200),
    ("GET", "/status"): (303, 403, 200, 403, 200),
    ("GET", "/status/lines"): (401, 403, 200, 403, 200),
    ("GET", "/status/runbook"): (303, 403, 200, 403, 200),
}


FILLED = {
    "{ticket_id": "187",
    "{track": "mix",
    "{key": "p-12345678",
    "{recording_id": "7",
    "{review_id": "8",
    "{token": "no-such-token",
    "{kind": "csv",
    "{callback_id": "7",
}


def test_the_table_holds_every_route(tmp_path: Any) -> None:
    def shape(path: str) -> str:
        for name in FILLED:
            if name in path:
                start = path.index(name)
                depth, end = 0, start
                for end in range(start, len(path)):
                    depth += {"{": 1, "}": -1}.get(path[end], 0)
                    if depth == 0:
                        break
                path = path[:start] + FILLED[name] + path[end + 1 :]
        return path

    assert {(route.method, shape(route.path)) for route in routes()} == set(TABLE)


@pytest.mark.parametrize("role", Role)
def test_the_menu_leads_to_the_pages_that_the_role_may_open_and_back(role: Role) -> None:
    column = ["anonymous", *NAMES].index(role.value)
    for entry in MENU:
        may = TABLE["GET", f"/{entry.name}"][column] != 403
        assert (entry in menu_of(role)) == may, entry.name
        assert way_back(role, entry.name) == (f"/{entry.name}" if may and not entry.apart else "/")
    assert way_back(role, "//elsewhere.example") == "/"


@pytest.mark.parametrize(("method", "path"), TABLE)
@pytest.mark.parametrize("who", ["anonymous", *NAMES])
async def test_every_route_with_every_role(here: Site, method: str, path: str, who: str) -> None:
    expected = TABLE[method, path][["anonymous", *NAMES].index(who)]
    if who == "anonymous":
        client = await here.visitor()
        answer = await client.request(method, path, headers={"Accept": "text/html"}, allow_redirects=False)
    else:
        person = await here.signed_in(NAMES[who])
        answer = await (person.get(path) if method == "GET" else person.post(path))
    assert answer.status == expected
    answer.close()


WRITES = [path for method, path in TABLE if method == "POST" and path != "/login"]


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("forged", ["no token", "wrong token", "foreign origin", "foreign site"])
async def test_no_change_of_state_without_token_and_origin(here: Site, path: str, forged: str) -> None:
    person = await here.signed_in("li")
    headers = {
        "no token": {"X-CSRF-Token": ""},
        "wrong token": {"X-CSRF-Token": "0" * 40},
        "foreign origin": {"Origin": "http://evil.example"},
        "foreign site": {"Sec-Fetch-Site": "cross-site"},
    }[forged]
    answer = await person.post(path, {}, **headers)
    assert answer.status == 403
    assert here.memory.tickets[187].version == 1


async def test_a_foreign_page_cannot_log_somebody_in(here: Site) -> None:
    client = await here.visitor()
    answer = await log_in(client, "li", PASSWORD, headers={"Origin": "http://evil.example"})
    assert answer.status == 403


async def test_the_public_origin_of_a_proxy_is_ours() -> None:
    options = replace(OPTIONS, public_origin="https://desk.example.com")
    async with site(options=options) as one:
        one.control.put("ringing", "mine")
        person = await one.signed_in("li")
        body = {"base_version": 1, "fields": {"problem": "x"}}
        answer = await person.post("/api/tickets/187/fields", body, Origin="https://desk.example.com")
        assert answer.status == 200


PAGES = [
    "/login",
    "/desk",
    "/tickets",
    "/tickets/187",
    "/tickets/9999",
    "/nothing",
    "/api/tickets/187",
    "/static/app.css",
]


@pytest.mark.parametrize("path", [*PAGES, "/static/none.css", "/static/../server.py", "/healthz", "/readyz"])
async def test_every_answer_has_the_strict_headers(here: Site, path: str) -> None:
    person = await here.signed_in("li")
    answer = await person.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "aiohttp" not in answer.headers["Server"]
    if not path.startswith("/static/") or answer.status != 200:
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/login", "/desk", "/tickets", "/tickets/187", "/help", "/nothing"])
async def test_no_page_has_inline_script_or_style(here: Site, path: str) -> None:
    person = await here.signed_in("li")
    page = await (await person.get(path)).text()
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert "javascript:" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')


async def test_the_cookie_is_not_for_scripts_nor_for_other_sites(here: Site) -> None:
    client = await here.visitor()
    cookie = (await log_in(client, "li", PASSWORD)).cookies["cc_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["secure"]


async def test_under_https_the_cookie_is_bound_to_the_host() -> None:
    async with site(options=replace(OPTIONS, secure_cookies=True)) as one:
        client = await one.visitor()
        page = await client.get("/login")
        key = page.cookies["cc_login"].value  # our client speaks http and would not send a secure cookie back
        data = {"key": key, "name": "li", "password": PASSWORD}
        answer = await client.post("/login", data=data, headers={"Cookie": f"cc_login={key}"}, allow_redirects=False)
        cookie = answer.cookies["__Host-cc_session"]
        assert cookie["secure"]
        assert not cookie["domain"]


async def test_every_log_in_has_a_new_token(here: Site) -> None:
    client = await here.visitor()
    first = (await log_in(client, "li", PASSWORD)).cookies["cc_session"].value
    client.session.cookie_jar.clear()
    second = (await log_in(client, "li", PASSWORD)).cookies["cc_session"].value
    assert first != second


async def test_log_out_ends_the_session_on_the_server(here: Site) -> None:
    person = await here.signed_in("li")
    kept = {"Cookie": "; ".join(f"{one.key}={one.value}" for one in person.client.session.cookie_jar)}
    assert (await person.post("/logout")).status == 303
    stranger = await here.visitor()
    assert (await stranger.get("/desk", headers=kept, allow_redirects=False)).status == 303
    assert here.memory.sessions == {}


async def test_guessing_is_answered_with_one_sentence_and_then_a_lock(here: Site) -> None:
    client = await here.visitor()
    statuses = [(await log_in(client, "018", "wrong")).status for _ in range(5)]
    assert statuses == [403, 403, 403, 403, 429]
    page = await (await log_in(client, "018", PASSWORD)).text()
    assert "已锁定" in page


async def test_a_body_that_is_too_long_is_refused(here: Site) -> None:
    person = await here.signed_in("li")
    answer = await person.post("/api/tickets/187/fields", {"base_version": 1, "fields": {"problem": "x" * 70_000}})
    assert answer.status == 413
    assert "上限" in (await answer.json())["error"]


async def test_a_header_that_is_too_long_is_refused(here: Site) -> None:
    client = await here.visitor()
    answer = await client.get("/login", headers={"X-Long": "x" * 20_000})
    assert answer.status == 400
    assert "Traceback" not in await answer.text()


async def test_a_failure_of_the_program_is_one_sentence_and_no_personal_data(
    here: Site, caplog: pytest.LogCaptureFixture
) -> None:
    person = await here.signed_in("li")
    here.memory.fail_saves = True
    with caplog.at_level(logging.ERROR):
        answer = await person.post("/api/tickets/187/fields", {"base_version": 1, "fields": {"problem": "x"}})
    body = await answer.text()
    assert answer.status == 500
    assert "13800138000" not in body + caplog.text
    assert "Traceback" not in body + caplog.text
    assert "RuntimeError at web.py" in caplog.text


@pytest.mark.parametrize(
    "path", ["/nothing", "/tickets/9999999", "/tickets/x", "/recordings/187/../../etc/passwd", "/desk/"]
)
async def test_unknown_addresses_answer_a_page_with_one_sentence(here: Site, path: str) -> None:
    person = await here.signed_in("li")
    answer = await person.get(path)
    assert answer.status == 404
    assert 'role="alert"' in await answer.text()


async def test_the_wrong_method_is_said_so(here: Site) -> None:
    person = await here.signed_in("li")
    assert (await person.post("/desk")).status == 405
    assert (await person.get("/api/seat/pause")).status == 405


class TestOwnTickets:
    """``seats_see = "own"``: what is not a seat's own does not exist for it."""

    @pytest.fixture
    async def strict(self) -> AsyncIterator[Site]:
        async with site(options=replace(OPTIONS, seats_see="own")) as one:
            one.control.put("ringing", "mine")
            one.control.put("ringing", "others", seat="1002")
            yield one

    @pytest.mark.parametrize(
        ("path", "status"),
        [("/tickets/187", 200), ("/tickets/188", 404), ("/api/tickets/188", 404), ("/recordings/188/mix", 404)],
    )
    async def test_a_seat_meets_404(self, strict: Site, path: str, status: int) -> None:
        assert (await (await strict.signed_in("li")).get(path)).status == status

    async def test_a_seat_cannot_write_or_watch_it(self, strict: Site) -> None:
        person = await strict.signed_in("li")
        body = {"base_version": 1, "fields": {"problem": "x"}}
        assert (await person.post("/api/tickets/188/fields", body)).status == 404
        assert (await person.get("/live?ticket=188")).status == 404

    async def test_lists_hold_only_its_own(self, strict: Site) -> None:
        page = await (await (await strict.signed_in("li")).get("/tickets?view=all")).text()
        assert "26-1122-0187" in page
        assert "26-1122-0188" not in page

    async def test_a_supervisor_sees_all(self, strict: Site) -> None:
        assert (await (await strict.signed_in("wu")).get("/tickets/188")).status == 200


def test_a_recording_is_for_its_seat_and_for_reviewers() -> None:
    policy, row = Policy("hotline"), _row("1001", frozenset({"1001", "1002"}))
    may = {role: policy.may_hear(user("x", role, "1002"), row) for role in Role}
    assert may == {Role.SEAT: False, Role.SUPERVISOR: True, Role.QA: True, Role.ADMIN: True}
    assert policy.may_hear(user("x", Role.SEAT, "1001"), row)
    assert not policy.may_hear(user("x", Role.SEAT, None), _row(None, frozenset()))


def test_quality_review_reads_and_does_not_write() -> None:
    policy, row = Policy("hotline"), _row("1001", frozenset())
    assert {role for role in Role if policy.may_write(user("x", role, "1001"), row)} == set(Role) - {Role.QA}


def _row(seat: str | None, seats: frozenset[str]) -> Any:
    from callcenter.web.ticket_ports import Ticket, TicketRow

    ticket = Ticket(1, "26-1122-0001", "pbx", "c", NOW, "open", seat, {}, 1, NOW)
    return TicketRow(ticket, story.NUMBER, "it", "answered", NOW, 1.0, 1, seats)


def test_no_route_is_open_by_omission() -> None:
    opened = {route.path for route in routes() if route.roles is None}
    assert opened == {"/", "/login", "/healthz", "/readyz", wallboard_door.ADDRESS}
    screens = {route.path for route in routes() if route.screens}
    assert screens == {"/wallboard", "/wallboard/alive", "/wallboard/live"}
    assert {route.method for route in routes() if route.screens} == {"GET"}


async def test_a_route_that_was_added_without_roles_is_closed(here: Site) -> None:
    async def forgotten(request: web.Request) -> web.StreamResponse:
        return web.Response(text="open")

    async with site(extra_routes=[]) as one:
        app = one.server.app
        app.router._frozen = False
        app.router.add_get("/forgotten", forgotten)
        person = await one.signed_in("root")
        assert (await person.get("/forgotten")).status == 403
