"""The links that open the wallboard on televisions: made, shown once, listed and revoked by a supervisor on a page.

Beside the path of a call; ``callcenter wallboard-link`` does the same from a command line. Promises: supervisors and
administrators only; a token stands on the one page that made it, never again, and in no address of ours; each link made
or revoked is a line of audit. Never: logs a token.
"""

from aiohttp import web

from callcenter.errors import BadInput
from callcenter.web.access import SUPERVISORS, Problem, Route
from callcenter.web.board_ports import Links
from callcenter.web.context import Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.words import N_

LONGEST_NAME = 40
NO_LINKS = N_("This server has no links for screens.")
BAD_NAME = N_("Say which screen: up to 40 letters, digits, _, - and ., for example hall.")
TAKEN = N_("A screen of this name has a link already. Take another name, or revoke that link first.")
GONE = N_("There is no such link any more.")


def _port(web_: Web) -> Links:
    if web_.ports.links is None:
        raise Problem(404, NO_LINKS)
    return web_.ports.links


async def show(request: web.Request) -> web.StreamResponse:
    return await _page(Web(request))


async def _page(web_: Web, status: int = 200, **shown: str) -> web.Response:
    """``made`` and ``address``: the new link, told this once; ``bad``: a sentence about the name ``wanted``."""
    links = await _port(web_).listed()
    return web_.page(
        "wallboard_links.html",
        status=status,
        links=links,
        longest=LONGEST_NAME,
        **await context_of(web_, await view_of(web_)),
        **({"made": "", "address": "", "bad": "", "wanted": ""} | shown),
    )


async def _name(request: web.Request) -> str:
    return str((await request.post()).get("name", "")).strip()


async def add(request: web.Request) -> web.StreamResponse:
    web_, name = Web(request), await _name(request)
    try:
        token = await _port(web_).add(name, web_.user.name)
    except BadInput:
        taken = name in {one.name for one in await _port(web_).listed()}
        return await _page(web_, 400, bad=web_.words.gettext(TAKEN if taken else BAD_NAME), wanted=name[:LONGEST_NAME])
    base = web_.options.public_origin or f"{request.scheme}://{request.host}"
    return await _page(web_, made=name, address=f"{base}/wallboard/link/{token}")


async def revoke(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    try:
        await _port(web_).revoke(await _name(request), web_.user.name)
    except BadInput:
        return await _page(web_, 409, bad=web_.words.gettext(GONE))
    raise web.HTTPSeeOther("/wallboard/links")


ROUTES = [
    Route("GET", "/wallboard/links", show, SUPERVISORS, page=True),
    Route("POST", "/wallboard/links", add, SUPERVISORS, page=True),
    Route("POST", "/wallboard/links/revoke", revoke, SUPERVISORS, page=True),
]
