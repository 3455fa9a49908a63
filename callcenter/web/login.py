"""The door: log-in, log-out, language and theme.

Promises: the cookie is HttpOnly and SameSite=Strict, with the ``__Host-`` prefix and Secure under https; a new token
at every log-in; the log-in form is protected by a cookie of its own (double submit). Never: says which of name and
password was wrong, or leads to an address that came with the request but to a page of ours (``landing``).
"""

import math
import secrets
from ipaddress import IPv6Address, IPv6Network, ip_address

from aiohttp import web

from callcenter.web.access import ANYONE, EVERYBODY, TOKEN, USER, Problem, Route, same_origin, token_matches
from callcenter.web.context import LANDINGS, SESSIONS, Web
from callcenter.web.landing import login_address
from callcenter.web.menu import way_back
from callcenter.web.render import RENDERER
from callcenter.web.sessions import LoginResult, token_hash
from callcenter.web.words import LANGUAGES, N_, Words

LOGIN_COOKIE = "cc_login"
YEAR_SECONDS = 365 * 86400


def cookie_name(request: web.Request) -> str:
    """The ``__Host-`` prefix forbids a sister site to set it, but needs https."""
    return "__Host-cc_session" if request.app[RENDERER].options.secure_cookies else "cc_session"


def set_cookie(
    request: web.Request,
    response: web.StreamResponse,
    name: str,
    value: str,
    seconds: int | None = None,
    samesite: str = "Strict",
) -> None:
    response.set_cookie(
        name,
        value,
        path="/",
        httponly=True,
        samesite=samesite,
        secure=request.app[RENDERER].options.secure_cookies,
        max_age=seconds,
    )


async def show(request: web.Request) -> web.StreamResponse:
    page = request.app[LANDINGS].page(request.query.get("next", ""))
    if request.get(USER) is not None:
        raise web.HTTPSeeOther(page or "/")
    wish = request.query.get("lang", "")
    if wish in LANGUAGES:
        response = web.HTTPSeeOther(login_address(page))
        set_cookie(request, response, "lang", wish, YEAR_SECONDS)
        raise response
    return _form(request, 200, page)


def _form(request: web.Request, status: int, page: str, name: str = "", wrong: str = "") -> web.Response:
    web_ = Web(request)
    key = request.cookies.get(LOGIN_COOKIE) or secrets.token_urlsafe(24)
    other = login_address(page, lang="en" if web_.words.language == "zh" else "zh")
    shown = {"key": key, "name": name, "wrong": wrong, "next": page, "other": other}
    html = web_.page("login.html", status=status, link=web_.ports.desk.link(), **shown)
    set_cookie(request, html, LOGIN_COOKIE, key)
    return html


async def log_in(request: web.Request) -> web.StreamResponse:
    form = await request.post()
    key = request.cookies.get(LOGIN_COOKIE)
    if key is None or not token_matches(key, str(form.get("key", ""))) or not _from_us(request):
        raise Problem(403, N_("This page is out of date. Load it again and repeat what you did."))
    name, password = str(form.get("name", "")).strip()[:80], str(form.get("password", ""))[:1024]
    page = request.app[LANDINGS].page(str(form.get("next", "")))
    result = await request.app[SESSIONS].log_in(name, password, address_of(request))
    if result.token is None or result.user is None:
        return _form(request, 429 if result.locked_seconds else 403, page, name, _wrong(request, result))
    response = web.HTTPSeeOther(page or "/")
    set_cookie(request, response, cookie_name(request), result.token)
    set_cookie(request, response, "lang", result.user.language, YEAR_SECONDS)
    response.del_cookie(LOGIN_COOKIE, path="/")
    raise response


def address_of(request: web.Request) -> str:
    """Whom to slow: the other end, or behind a proxy of ours whom that one names last; a whole /64 of IPv6, which one
    person may have. What a browser itself put into the header stands before that, and counts for nothing."""
    told = request.remote or ""
    if told in request.app[RENDERER].options.proxies:
        told = ",".join(request.headers.getall("X-Forwarded-For", [])).rpartition(",")[2].strip() or told
    try:
        address = ip_address(told)
    except ValueError:
        return told[:64]
    if not isinstance(address, IPv6Address):
        return told
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(IPv6Network((int(address) >> 64 << 64, 64)))


def _from_us(request: web.Request) -> bool:
    return same_origin(request, request.app[RENDERER].options.public_origin)


def _wrong(request: web.Request, result: LoginResult) -> str:
    words = Web(request).words
    if result.locked_seconds:
        return locked_sentence(words, result)
    return tries_left_sentence(words, words.gettext(N_("Work number or password is not right.")), result)


def locked_sentence(words: Words, result: LoginResult) -> str:
    minutes = math.ceil(result.locked_seconds / 60)
    return words.gettext(N_("Locked after too many attempts. Try again in %(n)s min.")) % {"n": minutes}


def tries_left_sentence(words: Words, wrong: str, result: LoginResult) -> str:
    """What was wrong, and where few tries are left, how many."""
    if result.tries_left > 3:
        return wrong
    left = words.gettext(N_("%(n)s more and the log-in is locked for 15 minutes.")) % {"n": result.tries_left}
    return f"{wrong}{left}" if words.language == "zh" else f"{wrong} {left}"


async def log_out(request: web.Request) -> web.StreamResponse:
    await request.app[SESSIONS].close(request[TOKEN])
    Web(request).hub.end_session(token_hash(request[TOKEN]))
    response = web.HTTPSeeOther("/login")
    response.del_cookie(cookie_name(request), path="/")
    raise response


async def preferences(request: web.Request) -> web.StreamResponse:
    """Language (kept with the user) and theme (kept in a cookie); back to the page named by its word."""
    web_ = Web(request)
    form = await request.post()
    response = web.HTTPSeeOther(way_back(web_.user.role, str(form.get("back", ""))))
    language, theme = str(form.get("lang", "")), str(form.get("theme", ""))
    if language in LANGUAGES:
        await web_.ports.users.set_language(web_.user.name, language)
        set_cookie(request, response, "lang", language, YEAR_SECONDS)
    if theme in ("light", "dark", "system"):
        set_cookie(request, response, "theme", "" if theme == "system" else theme, YEAR_SECONDS)
    raise response


async def show_help(request: web.Request) -> web.StreamResponse:
    return Web(request).page("help.html")


ROUTES = [
    Route("GET", "/login", show, ANYONE),
    Route("POST", "/login", log_in, ANYONE),
    Route("POST", "/logout", log_out, EVERYBODY, page=True),
    Route("POST", "/preferences", preferences, EVERYBODY, page=True),
    Route("GET", "/help", show_help, EVERYBODY, page=True),
]
