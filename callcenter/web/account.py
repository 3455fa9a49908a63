"""One's own account: who one is here, and another password.

Beside the path of a call. Promises: the old password is asked for, and wrong ones are limited together with those of
the log-in; the new one takes the rules of ``callcenter user``; every other log-in of the person ends with it, in one
transaction with a line of audit. Never: shows, logs or sends back a password.
"""

from aiohttp import web

from callcenter import passwords
from callcenter.web.access import EVERYBODY, Route
from callcenter.web.context import SESSIONS, Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.login import address_of, locked_sentence, tries_left_sentence
from callcenter.web.sessions import LoginResult
from callcenter.web.words import N_

DIFFER = N_("The two writings of the new password differ.")
LENGTH = N_("The new password needs at least %(least)s characters, and %(most)s at most.")
GUESSABLE = N_("Half the world tries that password first. Choose another one.")
SAME = N_("The new password is the old one. Choose another one.")
WRONG = N_("The old password is not right.")


async def show(request: web.Request) -> web.StreamResponse:
    return await _page(request, 200, changed="changed" in request.query)


async def _page(
    request: web.Request, status: int, bad: str = "", sentence: str = "", changed: bool = False
) -> web.Response:
    """``bad``: the field that ``sentence`` is about."""
    shown = {"bad": bad, "sentence": sentence, "changed": changed, "least": passwords.SHORTEST}
    web_ = Web(request)
    return web_.page("account.html", status=status, **await context_of(web_, await view_of(web_)), **shown)


async def change_password(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    form = await request.post()
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    if not passwords.fits(new):
        most = {"least": passwords.SHORTEST, "most": passwords.LONGEST}
        return await _page(request, 400, "new", web_.words.gettext(LENGTH) % most)
    if passwords.guessable(new, web_.user.name):
        return await _page(request, 400, "new", web_.words.gettext(GUESSABLE))
    if new == old:
        return await _page(request, 400, "new", web_.words.gettext(SAME))
    if new != again:
        return await _page(request, 400, "again", web_.words.gettext(DIFFER))
    sessions = request.app[SESSIONS]
    result = await sessions.change_password(web_.user, web_.session_hash, old, new, address_of(request))
    if result.refused is not None:
        return await _page(
            request, 429 if result.refused.locked_seconds else 403, "old", _refusal(web_, result.refused)
        )
    for other in result.ended:
        web_.hub.end_session(other, "ended")
    raise web.HTTPSeeOther("/account?changed")


def _refusal(web_: Web, result: LoginResult) -> str:
    if result.locked_seconds:
        return locked_sentence(web_.words, result)
    return tries_left_sentence(web_.words, web_.words.gettext(WRONG), result)


ROUTES = [
    Route("GET", "/account", show, EVERYBODY, page=True),
    Route("POST", "/account/password", change_password, EVERYBODY, page=True),
]
