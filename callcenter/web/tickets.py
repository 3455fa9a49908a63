"""The tickets: list, search and page of one.

Promises: a search text travels in the body, never in an address (it may be a telephone number); a seat sees what the
policy lets it see, also in counts and pages. Never: reorders a list under the pointer: lists change when asked to.
"""

from dataclasses import replace

from aiohttp import web

from callcenter.calls.model import Call
from callcenter.web.access import EVERYBODY, Problem, Route
from callcenter.web.context import NO_TICKET, Web
from callcenter.web.desk import context_of, form_context, seat_namer, view_of
from callcenter.web.hearing_ports import Transcription
from callcenter.web.ports import Role
from callcenter.web.recordings import tracks_of
from callcenter.web.text import clean
from callcenter.web.ticket_clocks import clocks_context
from callcenter.web.ticket_ports import TicketPage, TicketQuery, TicketRow
from callcenter.web.words import N_

VIEWS = {
    "mine": N_("My open tickets"),
    "taken": N_("All my tickets"),
    "open": N_("Open"),
    "missed": N_("Missed calls"),
    "recovered": N_("Recovered calls"),
    "all": N_("All tickets"),
}
OWN_VIEWS = ("mine", "taken")
PAGE_ROWS = 50
SEARCH_CHARACTERS = 120


def query_for(web_: Web, view: str) -> TicketQuery:
    """A view as a query, narrowed to what the user may see."""
    extension = web_.user.extension
    query = TicketQuery(
        seat=extension if view in OWN_VIEWS else None,
        status="open" if view in ("mine", "open") else None,
        missed=view == "missed",
        recovered=view == "recovered",
        limit=PAGE_ROWS,
    )
    narrowed = web_.user.role is Role.SEAT and web_.policy.seats_see == "own"
    return replace(query, seat=extension or "") if narrowed else query


def _view(web_: Web) -> str:
    wanted = web_.request.query.get("view", "")
    if wanted in VIEWS and (web_.user.extension is not None or wanted not in OWN_VIEWS):
        return wanted
    return "mine" if web_.user.role is Role.SEAT and web_.user.extension is not None else "open"


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    view = _view(web_)
    query = query_for(web_, view)
    if (same := _ticket_id(request.query.get("same"))) is not None:
        row = await web_.ports.tickets.row(same)
        if row is None or not web_.policy.may_see(web_.user, row):
            raise Problem(404, NO_TICKET)
        query = replace(query_for(web_, "all"), same_caller_as=same)
        view = "all"
    return await _list(web_, view, replace(query, before=_ticket_id(request.query.get("before"))), "")


def _ticket_id(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 16 else None


async def search(request: web.Request) -> web.StreamResponse:
    """A search by POST, so that the text stays out of addresses, histories and logs."""
    web_ = Web(request)
    form = await request.post()
    text = clean(str(form.get("q", "")), longest=SEARCH_CHARACTERS)
    view = "all" if text else _view(web_)
    return await _list(
        web_, view, replace(query_for(web_, view), text=text, before=_ticket_id(form.get("before"))), text
    )


async def _list(web_: Web, view: str, query: TicketQuery, text: str) -> web.StreamResponse:
    found = await web_.ports.tickets.search(query)
    rows = tuple(row for row in found.rows if web_.policy.may_see(web_.user, row))
    context = {
        "page": TicketPage(rows, found.total),
        "query": query,
        "view_name": view,
        "text": text,
        "views": _views(web_),
    }
    if "HX-Request" in web_.request.headers:
        context |= {"queue_title": lambda name: web_.ports.desk.queue(name).title, "seat_name": seat_namer(web_)}
        html = web_.fragment("tickets_list.html", **context)
        return web.Response(text=html, content_type="text/html", charset="utf-8")
    window = await view_of(web_)
    return web_.page("tickets.html", **(await context_of(web_, window) | context))


def _views(web_: Web) -> dict[str, str]:
    return {name: title for name, title in VIEWS.items() if web_.user.extension is not None or name not in OWN_VIEWS}


async def one(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await web_.row()
    call = await web_.ports.tickets.call(row.ticket.server, row.ticket.call_id)
    window = await view_of(web_)
    context = await context_of(web_, window) | await form_context(web_, row.ticket, call)
    may_hear = web_.policy.may_hear(web_.user, row)
    context |= await clocks_context(web_, row.ticket.ticket_id, web_.policy.may_write(web_.user, row))
    return web_.page(
        "ticket.html",
        **context
        | {
            "row": row,
            "writable": web_.policy.may_write(web_.user, row),
            "tracks": await tracks_of(web_, call) if may_hear else [],
            "may_hear": may_hear,
            "transcription": await _transcription(web_, row, call) if may_hear else None,
        },
    )


async def _transcription(web_: Web, row: TicketRow, call: Call | None) -> Transcription | None:
    """What became of the recording of an answered call that has ended."""
    if call is None or call.running or call.recording is None:
        return None
    return await web_.ports.recordings.transcription(row.ticket.server, row.ticket.call_id)


ROUTES = [
    Route("GET", "/tickets", show, EVERYBODY, page=True),
    Route("POST", "/tickets/search", search, EVERYBODY, page=True),
    Route("GET", r"/tickets/{ticket_id:\d{1,15}}", one, EVERYBODY, page=True),
]
