"""A ticket's clocks and its dispatch on its page and on the seat's window (D1 to D4): shown, and changed by seats.

On the path of a call: while a seat works on its ticket, and after.
Promises: a state is that of the instant at which it is asked, and the page counts on from instants; the same request
again changes nothing more; whoever may not write the ticket may not touch its clocks.
Never: works out a due time (``tickets/clocks`` does).
"""

import re
from typing import Any

from aiohttp import web

from callcenter.errors import BadInput
from callcenter.tickets.clocks import LEVELS
from callcenter.tickets.dispatch import Kind
from callcenter.web.access import EVERYBODY, SEATS, Problem, Route
from callcenter.web.clock_ports import Clocks
from callcenter.web.clock_words import CHANGES, NAMES, REASONS, SEVERITIES, STEPS
from callcenter.web.context import NO_TICKET, Web
from callcenter.web.report_words import LEVELS as LEVEL_WORDS
from callcenter.web.text import clean, due_instant
from callcenter.web.words import N_

LONGEST_REASON = 200
LONGEST_AHEAD_SECONDS = 365 * 86_400.0
TAKE_BACK = "take_back"
STEP_ID = re.compile(r"[0-9]{1,15}")
NO_REASON = N_("A pause needs a reason; write what is waited for.")
NO_TIME = N_("The visit's time is written as 15:00 or 11-20 09:30, and lies within a year to come.")
NO_STEP = N_("This step cannot be made: the ticket was closed, or somebody made another one. Load the page again.")
NOT_POSSIBLE = N_("The clocks of this ticket cannot be changed so: it may have been closed. Load the page again.")


async def clocks_context(web_: Web, ticket_id: int | None, writable: bool) -> dict[str, Any]:
    """What ``clocks.html`` prints; ``ticket_clocks`` is ``None`` for a ticket without any."""
    clocks = web_.ports.clocks
    found = await clocks.of(ticket_id) if clocks is not None and ticket_id is not None else None
    return {
        "ticket_clocks": found,
        "clocks_of": ticket_id,
        "clocks_writable": writable,
        "clock_names": NAMES,
        "clock_levels": {name: LEVEL_WORDS[name] for name in LEVELS},
        "clock_severities": SEVERITIES,
        "clock_reasons": REASONS,
        "clock_changes": CHANGES,
        "dispatch_steps": STEPS,
    }


async def show(request: web.Request) -> web.StreamResponse:
    """The clocks as they are now, for the page to put in their place."""
    web_ = Web(request)
    row = await web_.row()
    writable = web_.policy.may_write(web_.user, row)
    html = web_.fragment("clocks.html", **await clocks_context(web_, row.ticket.ticket_id, writable))
    return web.Response(text=html, content_type="text/html", charset="utf-8")


async def change(request: web.Request) -> web.StreamResponse:
    """``{"do": "pause", "value": "waiting for parts"}``; do: level, severity, pause, resume, plan, a step of a dispatch
    (``booked`` with the visit's time) or take_back (with the step's id)."""
    web_ = Web(request)
    row = await web_.row(writing=True)
    body = await web_.json()
    do, value = body.get("do"), body.get("value", "")
    if web_.ports.clocks is None:
        raise Problem(404, NO_TICKET)
    if not isinstance(do, str) or not isinstance(value, str):
        raise Problem(400, NOT_POSSIBLE)
    value = clean(value, longest=LONGEST_REASON)
    if do == "pause" and not value:
        raise Problem(400, NO_REASON)
    promised_at = _visit_at(web_, value) if do == Kind.BOOKED else None
    try:
        if do in list(Kind):
            await web_.ports.clocks.step(row.ticket.ticket_id, do, promised_at, web_.user.name)
        else:
            await _done(web_.ports.clocks, do, value, row.ticket.ticket_id, web_.user.name)
    except BadInput:
        raise Problem(409, NO_STEP if do in list(Kind) or do == TAKE_BACK else NOT_POSSIBLE) from None
    web_.hub.ticket_changed(row.ticket.ticket_id, row.ticket.seat)
    return web.json_response({})


def _visit_at(web_: Web, written: str) -> float:
    try:
        found = due_instant(written, web_.now(), web_.options.zone)
    except ValueError:
        found = None
    if found is None or not web_.now() <= found <= web_.now() + LONGEST_AHEAD_SECONDS:
        raise Problem(400, NO_TIME)
    return found


async def _done(clocks: Clocks, do: str, value: str, ticket_id: int, by: str) -> None:
    match do:
        case "level":
            await clocks.set_level(ticket_id, value, by)
        case "severity":
            await clocks.set_severity(ticket_id, value, by)
        case "pause":
            await clocks.pause(ticket_id, value, by)
        case "resume":
            await clocks.resume(ticket_id, by)
        case "plan":
            await clocks.plan_made(ticket_id, by)
        case "take_back" if STEP_ID.fullmatch(value):
            await clocks.take_back(ticket_id, int(value), by)
        case _:
            raise BadInput("There is no such change of a ticket's clocks.")


TICKET = r"{ticket_id:\d{1,15}}"
ROUTES = [
    Route("GET", f"/tickets/{TICKET}/clocks", show, EVERYBODY),
    Route("POST", f"/api/tickets/{TICKET}/clocks", change, SEATS),
]
