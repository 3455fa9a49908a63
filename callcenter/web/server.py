"""The web server: composes the routes, guards them, and answers every failure with one sentence.

Promises: strict headers on every response; every route is guarded by its roles, every change of state by token and
origin; a failure of the program is logged without personal data and answered without a trace of it. Never: decides
what is true of a call or a ticket.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from argon2 import PasswordHasher

from callcenter.web import api, desk, health, login, recordings, tickets
from callcenter.web.access import (
    ANYONE,
    SAFE_METHODS,
    SEATS,
    SESSION,
    TOKEN,
    USER,
    Handler,
    Policy,
    Problem,
    Route,
    same_origin,
    token_matches,
)
from callcenter.web.context import HUB, POLICY, PORTS, SESSIONS, Web
from callcenter.web.live import Hub
from callcenter.web.ports import Ports
from callcenter.web.render import RENDERER, WebOptions, make_renderer
from callcenter.web.sessions import Sessions, csrf_of
from callcenter.web.words import N_

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "callcenter",
}
SENTENCES = {
    400: N_("The request could not be understood."),
    401: N_("Please log in."),
    403: N_("Your role does not allow this."),
    404: N_("There is nothing at this address."),
    405: N_("This address does not take that kind of request."),
    413: N_("That is more text than the server takes at once."),
    500: N_("Something broke in the server; it was written to its log. Your call is not affected."),
}
GUARDED: web.AppKey[dict[Handler, Route]] = web.AppKey("guarded", dict)


async def index(request: web.Request) -> web.StreamResponse:
    user = request.get(USER)
    raise web.HTTPSeeOther("/login" if user is None else "/desk" if user.role in SEATS else "/tickets")


def routes() -> list[Route]:
    """Every address of the web and who may use it."""
    return [
        Route("GET", "/", index, ANYONE),
        *login.ROUTES,
        *desk.ROUTES,
        *tickets.ROUTES,
        *recordings.ROUTES,
        *api.ROUTES,
        *health.ROUTES,
    ]


def make_app(
    ports: Ports,
    options: WebOptions,
    hub: Hub,
    now: Callable[[], float],
    *,
    extra_routes: Sequence[Route] = (),
    hasher: PasswordHasher | None = None,
) -> web.Application:
    """The application. ``extra_routes`` are those of other parts (/metrics, /hooks); ``now`` is epoch seconds."""
    app = web.Application(middlewares=[_failures, _identify, _guard], client_max_size=options.max_body_bytes)
    app[PORTS], app[HUB], app[POLICY] = ports, hub, Policy(options.seats_see)
    app[RENDERER] = make_renderer(options, now)
    app[SESSIONS] = Sessions(ports.users, now, options.session_idle_seconds, options.session_absolute_seconds, hasher)
    app[GUARDED] = {}
    for route in (*routes(), *extra_routes):
        app[GUARDED][route.handler] = route
        resource = app.router.add_route(route.method, route.path, route.handler)
        if route.method == "GET" and route.path not in NO_HEAD:
            resource.resource.add_route("HEAD", route.handler)  # type: ignore[union-attr]
    app.router.add_static("/static", STATIC, follow_symlinks=False)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_tell_pages)
    return app


NO_HEAD = frozenset({"/live"})


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Start listening. Raises ``OSError`` if the address is taken. The caller ends it by ``runner.cleanup()``."""
    runner = web.AppRunner(
        app, access_log=None, max_line_size=4096, max_field_size=8190, keepalive_timeout=75, shutdown_timeout=3
    )
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


async def _tell_pages(app: web.Application) -> None:
    app[HUB].end_all()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = HEADERS["Server"]
    if request.path.startswith("/static/") and response.status in (200, 206, 304):
        response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"


@web.middleware
async def _failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return _answer(request, problem.status, problem.sentence)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        return _answer(request, answer.status, SENTENCES.get(answer.status, SENTENCES[400]))
    except ConnectionResetError:
        raise
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
    if user is None:
        if route.page and request.method in SAFE_METHODS and "HX-Request" not in request.headers:
            raise web.HTTPSeeOther("/login")
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
