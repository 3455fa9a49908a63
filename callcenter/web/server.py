"""The web server: composes the routes, guards them, and answers every failure with one sentence.

Promises: strict headers on every response; every route is guarded by its roles, every change of state by token and
origin; a failure of the program is logged without personal data and answered without a trace of it. Never: decides
what is true of a call or a ticket.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from argon2 import PasswordHasher

from callcenter.errors import BrokenWorld
from callcenter.web import (
    account,
    api,
    books,
    callbacks,
    desk,
    health,
    heard,
    login,
    recordings,
    report_files,
    reports,
    review,
    review_rates,
    review_steps,
    status,
    supervise,
    ticket_clocks,
    tickets,
    wallboard,
    wallboard_door,
    wallboard_links,
)
from callcenter.web.access import (
    ANYONE,
    SAFE_METHODS,
    SEATS,
    SESSION,
    SUPERVISORS,
    TOKEN,
    USER,
    Handler,
    Policy,
    Problem,
    Route,
    same_origin,
    token_matches,
)
from callcenter.web.context import HUB, LANDINGS, POLICY, PORTS, SESSIONS, Web
from callcenter.web.doors import at_work
from callcenter.web.headers import add_headers
from callcenter.web.landing import Landings, login_address
from callcenter.web.live import Hub
from callcenter.web.owed import counts_for
from callcenter.web.peaks import PeakShelf
from callcenter.web.ports import Ports
from callcenter.web.render import RENDERER, WebOptions, make_renderer
from callcenter.web.sessions import Sessions, csrf_of
from callcenter.web.words import N_

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
SENTENCES = {
    400: N_("The request could not be understood."),
    401: N_("Please log in."),
    403: N_("Your role does not allow this."),
    404: N_("There is nothing at this address."),
    405: N_("This address does not take that kind of request."),
    408: N_("The request did not arrive in time. Please send it again."),
    413: N_("That is more text than the server takes at once."),
    415: N_("The server takes forms and JSON in UTF-8, nothing else."),
    500: N_("Something broke in the server; it was written to its log. Your call is not affected."),
    503: N_(
        "The database does not answer at the moment. Calls go on, and what you typed is kept: load the page again soon."
    ),
}
BODY_SECONDS = 10.0
"""How long the body of a request may take to arrive."""
FORM, KINDS = (
    "application/x-www-form-urlencoded",
    ("application/x-www-form-urlencoded", "application/json", "text/plain"),
)
TURNED_AWAY = {408: "body_seconds", 413: "body_bytes", 429: "attempts"}
"""The limit behind an answer; hooks count their own."""
LIMIT_HIT: web.AppKey[Callable[[str], object]] = web.AppKey("limit_hit")
GUARDED: web.AppKey[dict[Handler, Route]] = web.AppKey("guarded", dict)


async def index(request: web.Request) -> web.StreamResponse:
    user = request.get(USER)
    if user is None:
        raise web.HTTPSeeOther("/login")
    board = request.app[PORTS].board is not None
    first = "/supervise" if board and user.role in SUPERVISORS else "/desk" if user.role in SEATS else "/tickets"
    raise web.HTTPSeeOther(first)


def routes() -> list[Route]:
    """Every address of the web and who may use it."""
    return [
        Route("GET", "/", index, ANYONE),
        *login.ROUTES,
        *account.ROUTES,
        *wallboard_links.ROUTES,
        *desk.ROUTES,
        *heard.ROUTES,
        *tickets.ROUTES,
        *ticket_clocks.ROUTES,
        *recordings.ROUTES,
        *books.ROUTES,
        *review.ROUTES,
        *review_steps.ROUTES,
        *review_rates.ROUTES,
        *wallboard.ROUTES,
        *supervise.ROUTES,
        *wallboard_door.ROUTES,
        *reports.ROUTES,
        *report_files.ROUTES,
        *api.ROUTES,
        *callbacks.ROUTES,
        *health.ROUTES,
        *status.ROUTES,
    ]


def make_app(
    ports: Ports,
    options: WebOptions,
    hub: Hub,
    now: Callable[[], float],
    *,
    wall: Callable[[], float] | None = None,
    extra_routes: Sequence[Route] = (),
    hasher: PasswordHasher | None = None,
    limit_hit: Callable[[str], object] = lambda limit: None,
) -> web.Application:
    """The application. ``extra_routes`` are those of other parts (/metrics, /hooks); ``now`` is epoch seconds by
    Asterisk's clock, and ``wall`` by our own, for sessions: whoever sets the PBX's clock must log nobody out.
    ``limit_hit`` counts what is turned away, by the limit's name."""
    middlewares = [_failures, _receive, at_work, _identify, _guard]
    app = web.Application(middlewares=middlewares, client_max_size=options.max_body_bytes)
    app[LIMIT_HIT] = limit_hit
    app[PORTS], app[HUB], app[POLICY] = ports, hub, Policy(options.seats_see)
    app[heard.SEEN] = heard.Seen()
    app[RENDERER] = make_renderer(options, now, lambda user: counts_for(ports, app[POLICY], user))
    app[SESSIONS] = Sessions(
        ports.users, wall or now, options.session_idle_seconds, options.session_absolute_seconds, hasher
    )
    app[review.SHELF] = PeakShelf()
    wallboard.add(app, ports, hub)
    app[wallboard_door.DOOR] = wallboard_door.Door(ports.links, wall or now)
    app[GUARDED], pages = {}, []
    for route in (*routes(), *extra_routes):
        app[GUARDED][route.handler] = route
        resource = app.router.add_route(route.method, route.path, route.handler)
        if route.method == "GET" and route.path not in NO_HEAD:
            resource.resource.add_route("HEAD", route.handler)  # type: ignore[union-attr]
        if route.method == "GET" and route.page and not route.file and resource.resource is not None:
            pages.append(resource.resource.get_info())
    app[LANDINGS] = Landings.of(pages)
    app.router.add_static("/static", STATIC, follow_symlinks=False)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_tell_pages)
    return app


NO_HEAD = frozenset({"/live", "/wallboard/live", wallboard_door.ADDRESS})


async def _tell_pages(app: web.Application) -> None:
    app[HUB].end_all()


@web.middleware
async def _failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await _answered(request, handler)
    limit = TURNED_AWAY.get(response.status)
    if limit is not None and not request.path.startswith("/hooks/"):
        request.app[LIMIT_HIT](limit)
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        if problem.limit:
            request.app[LIMIT_HIT](problem.limit)
        return _answer(request, problem.status, problem.sentence)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        return _answer(request, answer.status, SENTENCES.get(answer.status, SENTENCES[400]))
    except ConnectionResetError:
        raise
    except BrokenWorld:  # the pipeline says in the log what it is
        return _answer(request, 503, SENTENCES[503])
    except Exception as error:
        # Only the kind and the place: a message could hold what a customer said.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
        log.error("web: %s %s failed with %s at %s", request.method, _pattern(request), type(error).__name__, where)
        return _answer(request, 500, SENTENCES[500])


def _pattern(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no route)"


def _answer(request: web.Request, status: int, sentence: str) -> web.Response:
    web_ = Web(request)
    said = web_.words.gettext(sentence)
    wants_page = "text/html" in request.headers.get("Accept", "") and "HX-Request" not in request.headers
    if request.path.startswith(("/api/", "/static/", "/hooks/", "/live")) or not wants_page:
        return web.json_response({"error": said}, status=status)
    return web_.page("error.html", status=status, code=status, sentence=said)


@web.middleware
async def _receive(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The body, whole, in time and of a kind that somebody here reads; hooks see to theirs themselves."""
    if request.body_exists and not request.path.startswith("/hooks/"):
        plain = request.headers.get("Content-Encoding", "identity") == "identity"
        if not plain or request.content_type not in KINDS or (request.charset or "utf-8").lower() != "utf-8":
            raise Problem(415, SENTENCES[415])
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await request.read()
                if request.content_type == FORM:
                    await request.post()
        except TimeoutError:
            raise Problem(408, SENTENCES[408]) from None
        except (web.RequestPayloadError, UnicodeError):
            raise Problem(400, SENTENCES[400]) from None
    return await handler(request)


@web.middleware
async def _identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    token = request.cookies.get(login.cookie_name(request))
    if token and not request.path.startswith("/static/"):
        found = await request.app[SESSIONS].find(token)
        if found is not None:
            request[SESSION], request[USER] = found
            request[TOKEN] = token
    return await handler(request)


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    route = request.app[GUARDED].get(request.match_info.handler)
    if route is None and not _without_roles(request):
        raise Problem(403, SENTENCES[403])
    if route is None or route.roles is None:
        return await handler(request)
    user = request.get(USER)
    if user is None and route.screens and await wallboard_door.enters(request):
        return await handler(request)
    if user is None:
        if route.page and request.method in SAFE_METHODS and "HX-Request" not in request.headers:
            raise web.HTTPSeeOther(login_address(request.app[LANDINGS].page(request.rel_url.raw_path_qs)))
        raise Problem(401, SENTENCES[401])
    if request.method not in SAFE_METHODS:
        await _check_origin(request)
    if route.roles is not None and user.role not in route.roles:
        raise Problem(403, SENTENCES[403])
    return await handler(request)


def _without_roles(request: web.Request) -> bool:
    """True for nobody's page: errors of the router, static files, and hooks, which have a token of their own."""
    return request.match_info.http_exception is not None or request.path.startswith(("/static/", "/hooks/"))


async def _check_origin(request: web.Request) -> None:
    sent = request.headers.get("X-CSRF-Token")
    if sent is None and request.content_type == "application/x-www-form-urlencoded":
        sent = str((await request.post()).get("csrf", ""))
    origin_ok = same_origin(request, request.app[RENDERER].options.public_origin)
    if not origin_ok or not token_matches(csrf_of(request[TOKEN]), sent):
        raise Problem(403, N_("This page is out of date. Load it again and repeat what you did."))
