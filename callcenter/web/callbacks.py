"""The page of callbacks: who is to be called back (B5, D11), worst first; take in hand, call, close with a reason.

On the path of a call: after its end; the list is told anew by the push of all screens (``board``), and fetched.
Promises: what is dialled is the number of the callback, in the hand of whoever dials; a seat that sees only its own
tickets sees the callbacks of the queues that it serves; an action repeated changes nothing more; what somebody has in
hand, only that person or a supervisor closes.
Never: shows a number to anybody who may not call it; closes without a reason.
"""

from typing import Any

from aiohttp import web

from callcenter.errors import BadInput
from callcenter.tickets.callbacks import LONGEST_NOTE, Callback
from callcenter.web.access import SEATS, SUPERVISORS, Problem, Route
from callcenter.web.api import may, performed
from callcenter.web.callback_ports import Callbacks
from callcenter.web.context import Web
from callcenter.web.desk import context_of, person_namer, seat_namer, view_of
from callcenter.web.owed import narrow, owing_for
from callcenter.web.words import N_

REASONS = {
    "abandoned": N_("gave up waiting"),
    "overflowed": N_("nobody lifted"),
    "failed": N_("was not put through"),
    "no_sound": N_("broke off: no sound came any more"),
    "network": N_("broke off: the network failed"),
}
KINDS = {"lost": N_("called"), "tried": N_("not reached")}
TAKEN = N_("Somebody else has this callback in hand, or it is over. The list shows how it stands.")
IN_HAND = N_("Somebody else has this callback in hand: only they or a supervisor may close it.")
OVER = N_("This callback is over already.")


def _port(web_: Web) -> Callbacks:
    if web_.ports.callbacks is None:
        raise Problem(404, N_("There are no callbacks here."))
    return web_.ports.callbacks


async def list_context(web_: Web) -> dict[str, Any]:
    _port(web_)
    owing = owing_for(web_.ports, web_.policy, web_.user)
    shown, now = owing.callbacks if owing is not None else (), web_.now()
    return {
        "owing": owing,
        "shown": shown,
        "late": owing.due_before(now) if owing is not None else 0,
        "reasons": REASONS,
        "kinds": KINDS,
        "links": not narrow(web_.policy, web_.user),
        "longest_note": LONGEST_NOTE,
        "possible": web_.ports.actions.possible(web_.user.extension) if web_.user.extension else frozenset(),
        "queue_title": lambda name: web_.ports.desk.queue(name).title,
        "seat_name": seat_namer(web_),
        "person_name": await person_namer(web_, (one.holder(now) for one in shown)),
        "may_close": lambda one: _may_close(web_, one),
    }


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    return web_.page("callbacks.html", **(await context_of(web_, await view_of(web_)) | await list_context(web_)))


async def fragment(request: web.Request) -> web.StreamResponse:
    """What changes, for the page to put in its place."""
    web_ = Web(request)
    html = web_.fragment("callbacks_list.html", **await list_context(web_))
    return web.Response(text=html, content_type="text/html", charset="utf-8")


def _one(web_: Web) -> Callback:
    """The open callback of the address, if the user may see it."""
    _port(web_)
    owing, wanted = owing_for(web_.ports, web_.policy, web_.user), int(web_.request.match_info["callback_id"])
    found = next((one for one in owing.callbacks if one.id == wanted), None) if owing is not None else None
    if found is None:
        raise Problem(404, OVER)
    return found


def _may_close(web_: Web, one: Callback) -> bool:
    return web_.user.role in SUPERVISORS or one.holder(web_.now()) in (None, web_.user.name)


async def claim(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    if not await _port(web_).claim(_one(web_).id, web_.user.name):
        raise Problem(409, TAKEN)
    return web.json_response({})


async def release(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    if not await _port(web_).release(_one(web_).id, web_.user.name):
        raise Problem(409, TAKEN)
    return web.json_response({})


async def dial(request: web.Request) -> web.StreamResponse:
    """Takes it in hand and rings the user's phone, then the customer's. A4: with the ticket of the lost call. Where
    Asterisk does not answer it stays in that hand: the phone may be ringing."""
    web_, port = Web(request), _port(Web(request))
    one, extension = _one(web_), may(web_, "dial")
    held = one.holder(web_.now()) == web_.user.name
    if not await port.claim(one.id, web_.user.name):
        raise Problem(409, TAKEN)
    if not port.begin_call(one.id):
        return web.json_response({})
    try:
        return await performed(web_, web_.ports.actions.dial(extension, one.number, one.ticket_id))
    except Problem as problem:
        if problem.status == 409:
            await port.release(one.id, web_.user.name)
            if held:  # so it stays what it was before the click
                await port.claim(one.id, web_.user.name)
        raise


async def close(request: web.Request) -> web.StreamResponse:
    """``{"reason": "wrote a mail"}``: nobody needs to call back; the reason stays on the ticket's history. What
    somebody else has in hand, only a supervisor may close."""
    web_ = Web(request)
    reason = (await web_.json()).get("reason")
    if not isinstance(reason, str):
        raise Problem(400, N_("Write why nobody needs to call back."))
    one, any_hand = _one(web_), web_.user.role in SUPERVISORS
    if not _may_close(web_, one):
        raise Problem(409, IN_HAND)
    try:
        closed = await _port(web_).close(one.id, web_.user.name, reason, any_hand=any_hand)
    except BadInput:
        raise Problem(400, N_("Write why nobody needs to call back, in 1,000 characters at most.")) from None
    if not closed:
        raise Problem(409, TAKEN)
    return web.json_response({})


CALLBACK = r"/api/callbacks/{callback_id:\d{1,15}}"
ROUTES = [
    Route("GET", "/callbacks", show, SEATS, page=True),
    Route("GET", "/callbacks/list", fragment, SEATS),
    Route("POST", CALLBACK + "/claim", claim, SEATS),
    Route("POST", CALLBACK + "/release", release, SEATS),
    Route("POST", CALLBACK + "/dial", dial, SEATS),
    Route("POST", CALLBACK + "/close", close, SEATS),
]
