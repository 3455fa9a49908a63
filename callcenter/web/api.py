"""What a page changes: fields as they are typed, promises, the end of the work on a ticket, the seat's telephone.

Promises: every answer tells the ticket as it now is, with the version that the next save builds on; a refused request
says in one sentence what was wrong with it; the same request again changes nothing more. Never: takes a field or an
action that is not on its list, acts on Asterisk by itself (the ``Actions`` port does).
"""

import re
from typing import Any, TypeGuard

from aiohttp import web

from callcenter.tickets.model import FIELDS, PROMISE
from callcenter.web.access import SEATS, Problem, Route
from callcenter.web.context import Web
from callcenter.web.ports import RefusedError, UnclearError
from callcenter.web.text import clean, due_instant
from callcenter.web.ticket_ports import Conflict, Promise, Ticket, TicketRow
from callcenter.web.words import N_

KEY = re.compile(r"[A-Za-z0-9_-]{8,40}")
NUMBER = re.compile(r"\+?[0-9*#]{2,31}")
MAX_VERSION, MAX_TICKET = 2**31 - 1, 10**15
REASONS = ("break", "meeting", "training", "other")
UNCLEAR = N_("Asterisk did not answer, and it may have happened all the same. Look before you try again.")


def described(ticket: Ticket, at: float, conflicts: tuple[Conflict, ...] = ()) -> dict[str, Any]:
    """A ticket as the page's modules read it."""
    return {
        "ticket": ticket.ticket_id,
        "version": ticket.version,
        "saved_at": at,
        "status": ticket.status,
        "fields": {name: ticket.fields.get(name, "") for name in FIELDS},
        "automatic": sorted(ticket.automatic),
        "promises": [_promise(promise) for promise in ticket.promises],
        "conflicts": [{"field": one.field, "theirs": one.theirs, "by": one.by, "at": one.at} for one in conflicts],
    }


def _promise(promise: Promise) -> dict[str, Any]:
    return {"key": promise.key, "text": promise.text, "due_at": promise.due_at, "done": promise.done_at is not None}


async def read(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await web_.row()
    call = await web_.ports.tickets.call(row.ticket.server, row.ticket.call_id)
    return web.json_response(described(row.ticket, web_.now()) | {"running": call is not None and call.running})


async def save(request: web.Request) -> web.StreamResponse:
    """``{"base_version": 3, "origin": "a-page", "fields": {"problem": "..."}}``"""
    web_ = Web(request)
    row = await web_.row(writing=True)
    body = await web_.json()
    base, fields, origin = body.get("base_version"), body.get("fields"), body.get("origin", "page")
    if not isinstance(origin, str) or not KEY.fullmatch(origin):
        origin = "page"
    if not _is_number(base, MAX_VERSION) or not isinstance(fields, dict) or not fields:
        raise Problem(400, N_("A save needs base_version (a whole number) and fields (an object)."))
    changes = {str(name): _value(str(name), value) for name, value in fields.items()}
    saved = await web_.ports.tickets.save_fields(row.ticket.ticket_id, changes, web_.user.name, base, origin)
    web_.hub.ticket_changed(saved.ticket.ticket_id, saved.ticket.seat)
    return web.json_response(described(saved.ticket, saved.at, saved.conflicts))


def _is_number(value: object, most: int) -> TypeGuard[int]:
    """A whole number that the store can hold; ``True`` is none, though Python says so."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _value(name: str, value: object) -> str:
    if name not in FIELDS:
        raise Problem(400, N_("The ticket has no such field."))
    if not isinstance(value, str):
        raise Problem(400, N_("A field's value must be text."))
    spec = FIELDS[name]
    kept = clean(value, multiline=spec.multiline)
    if len(kept) > spec.max_chars:
        raise Problem(413, N_("That is more text than the field takes."))
    return kept


async def promise(request: web.Request) -> web.StreamResponse:
    """``{"key": "...", "text": "...", "due": "15:00"}``; the key makes a repeated request harmless."""
    web_ = Web(request)
    row = await web_.row(writing=True)
    body = await web_.json()
    key, text, due = body.get("key"), body.get("text"), body.get("due", "")
    if not isinstance(key, str) or not KEY.fullmatch(key) or not isinstance(text, str) or not isinstance(due, str):
        raise Problem(400, N_("A promise needs key, text and due."))
    kept = clean(text, longest=PROMISE.max_chars)
    if not kept:
        raise Problem(400, N_("Write what was promised."))
    try:
        due_at = due_instant(due, web_.now(), web_.options.zone)
    except ValueError:
        raise Problem(400, N_("Write the time in 24 hours, for example 15:00 or 11-20 09:30.")) from None
    ticket = await web_.ports.tickets.add_promise(row.ticket.ticket_id, kept, due_at, web_.user.name, key)
    return _changed(web_, ticket)


async def promise_done(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await web_.row(writing=True)
    done = (await web_.json()).get("done")
    wanted = request.match_info["key"]
    if not isinstance(done, bool):
        raise Problem(400, N_("Say whether the promise is kept: done is true or false."))
    if wanted not in {one.key for one in row.ticket.promises}:
        raise Problem(404, N_("The ticket has no such promise."))
    ticket = await web_.ports.tickets.set_promise_done(row.ticket.ticket_id, wanted, done, web_.user.name)
    return _changed(web_, ticket)


async def close(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await _ended(web_)
    return _changed(web_, await web_.ports.tickets.close(row.ticket.ticket_id, web_.user.name))


async def leave(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await _ended(web_)
    return _changed(web_, await web_.ports.tickets.leave_open(row.ticket.ticket_id, web_.user.name))


async def reopen(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await web_.row(writing=True)
    return _changed(web_, await web_.ports.tickets.reopen(row.ticket.ticket_id, web_.user.name))


async def _ended(web_: Web) -> TicketRow:
    row = await web_.row(writing=True)
    call = await web_.ports.tickets.call(row.ticket.server, row.ticket.call_id)
    if call is not None and call.running:
        raise Problem(409, N_("The call is still running; the ticket can be finished when it has ended."))
    return row


def _changed(web_: Web, ticket: Ticket) -> web.Response:
    web_.hub.ticket_changed(ticket.ticket_id, ticket.seat)
    if ticket.seat is not None:
        web_.hub.seat_changed(ticket.seat)
    if web_.user.extension is not None and web_.user.extension != ticket.seat:
        web_.hub.seat_changed(web_.user.extension)
    return web.json_response(described(ticket, web_.now()))


async def pause(request: web.Request) -> web.StreamResponse:
    """``{"paused": true, "reason": "break"}``"""
    web_ = Web(request)
    extension = may(web_, "pause")
    body = await web_.json()
    paused, reason = body.get("paused"), body.get("reason", "break")
    if not isinstance(paused, bool) or reason not in REASONS:
        raise Problem(400, N_("A break needs paused (true or false) and one of the known reasons."))
    return await performed(web_, web_.ports.actions.pause(extension, paused, reason))


async def recording(request: web.Request) -> web.StreamResponse:
    """``{"paused": true}``: silence the recording while a card number is read."""
    web_ = Web(request)
    extension = may(web_, "record")
    paused = (await web_.json()).get("paused")
    if not isinstance(paused, bool):
        raise Problem(400, N_("A pause of the recording needs paused, true or false."))
    return await performed(web_, web_.ports.actions.pause_recording(extension, paused))


async def dial(request: web.Request) -> web.StreamResponse:
    """``{"ticket": 12}``: call back the number on that ticket. A4: no outgoing call without a ticket."""
    web_ = Web(request)
    extension = may(web_, "dial")
    ticket_id = (await web_.json()).get("ticket")
    row = await web_.ports.tickets.row(ticket_id) if _is_number(ticket_id, MAX_TICKET) else None
    if row is None or not web_.policy.may_write(web_.user, row):
        raise Problem(400, N_("An outgoing call needs a ticket."))
    number = re.sub(r"[\s()-]", "", row.ticket.fields.get("phone") or row.caller_number or "")
    if not NUMBER.fullmatch(number):
        raise Problem(400, N_("The ticket has no number that can be dialled."))
    return await performed(web_, web_.ports.actions.dial(extension, number, row.ticket.ticket_id))


def may(web_: Web, action: str) -> str:
    """The user's telephone, if it can be asked for that now; 409 otherwise."""
    extension = web_.user.extension
    if extension is None or action not in web_.ports.actions.possible(extension):
        raise Problem(409, N_("This is not possible from the page at the moment."))
    return extension


async def performed(web_: Web, action: Any) -> web.Response:
    """What Asterisk was asked for, and the page told of it; a refusal is a 409 with the sentence, silence a 504."""
    try:
        await action
    except UnclearError:
        raise Problem(504, UNCLEAR) from None
    except RefusedError as refused:
        raise Problem(409, str(refused)) from None
    web_.hub.seat_changed(web_.user.extension or "")
    return web.json_response({})


TICKET = r"/api/tickets/{ticket_id:\d{1,15}}"
ROUTES = [
    Route("GET", TICKET, read, SEATS),
    Route("POST", TICKET + "/fields", save, SEATS),
    Route("POST", TICKET + "/promises", promise, SEATS),
    Route("POST", TICKET + r"/promises/{key:[A-Za-z0-9_-]{1,40}}", promise_done, SEATS),
    Route("POST", TICKET + "/close", close, SEATS),
    Route("POST", TICKET + "/leave", leave, SEATS),
    Route("POST", TICKET + "/reopen", reopen, SEATS),
    Route("POST", "/api/seat/pause", pause, SEATS),
    Route("POST", "/api/seat/recording", recording, SEATS),
    Route("POST", "/api/seat/dial", dial, SEATS),
]
