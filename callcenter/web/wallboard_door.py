"""The door of a screen that nobody logs in at: a link is opened once and becomes a cookie.

Promises: the token leaves the address with the first answer; it opens the wallboard and its stream for reading, and
nothing else; of links that do not exist, an address may try as many as of passwords. A revoked link opens nothing, and
what it had opened is closed. Never: logs a token.
"""

from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from callcenter.errors import BrokenWorld
from callcenter.web.access import ANYONE, LINK, Problem, Route
from callcenter.web.board_ports import Links
from callcenter.web.login import YEAR_SECONDS, address_of, set_cookie
from callcenter.web.render import RENDERER
from callcenter.web.sessions import Throttle, token_hash
from callcenter.web.words import N_

ADDRESS = r"/wallboard/link/{token:[A-Za-z0-9_-]{1,200}}"
NO_LINK = N_("This link opens nothing: it was revoked, or it is not whole. Ask the administrator for another one.")


class Door:
    """Knows who may come in with a link."""

    def __init__(self, links: Links | None, now: Callable[[], float]) -> None:
        self.links, self.now = links, now
        self.by_address = Throttle(40, 900, now)


DOOR: web.AppKey[Door] = web.AppKey("door", Door)


def cookie_name(request: web.Request) -> str:
    return "__Host-cc_wall" if request.app[RENDERER].options.secure_cookies else "cc_wall"


async def enters(request: web.Request) -> bool:
    """Whether the request has the cookie of a link that still opens the wallboard."""
    token, links = request.cookies.get(cookie_name(request), ""), request.app[DOOR].links
    if links is None or not 20 <= len(token) <= 200 or not token.isascii():
        return False
    hashed = token_hash(token)
    if hashed not in await links.names():
        return False
    request[LINK] = hashed
    return True


async def come_in(request: web.Request) -> web.StreamResponse:
    """The link's address: to the wallboard, with the token in a cookie."""
    door, token = request.app[DOOR], request.match_info["token"]
    address, hashed = address_of(request), token_hash(token)
    if door.links is None or hashed not in await door.links.names():
        # A right link opens all the same: behind one address stand many, and nobody guesses 192 bits.
        if door.by_address.locked_seconds(address):
            raise Problem(429, N_("Too many attempts. Try again in some minutes."))
        door.by_address.failed(address)
        raise Problem(404, NO_LINK)
    with suppress(BrokenWorld):  # when it was used last is nothing that a screen should stay dark for
        await door.links.seen(hashed, door.now())
    response = web.HTTPSeeOther("/wallboard")
    # Lax, because a link may be opened from a mail; nothing that it opens changes anything.
    set_cookie(request, response, cookie_name(request), token, YEAR_SECONDS, "Lax")
    raise response


ROUTES = [Route("GET", ADDRESS, come_in, ANYONE)]
