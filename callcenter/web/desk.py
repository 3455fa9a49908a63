"""The desk: the seat's page, the fragments that follow its call, and the push that says when to fetch them.

Promises: the page, every fragment and every push are made from the same view of the same instant; the form is only
sent when asked for by its ticket, so that nothing can replace text being typed. Never: pushes a customer's data.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcenter.calls.model import Call
from callcenter.calls.naming import clicked_from
from callcenter.errors import BrokenWorld
from callcenter.web.access import EVERYBODY, SEATS, SUPERVISORS, Problem, Route
from callcenter.web.context import HUB, NO_TICKET, SESSIONS, Web
from callcenter.web.course import Step, course
from callcenter.web.heard import heard_context, unseen
from callcenter.web.live import ALARM, BYE, HEARD, WRITE_SECONDS, Notice, Stream, batches, encode, merged
from callcenter.web.owed import SOON_SECONDS, owing_for
from callcenter.web.ports import Phone, Queue, Seat, User
from callcenter.web.text import midnight
from callcenter.web.ticket_clocks import clocks_context
from callcenter.web.ticket_ports import Ticket, TicketPage, TicketQuery, TicketRow
from callcenter.web.window import (
    ASKED,
    State,
    Window,
    caught_at,
    honest,
    ladder,
    missing,
    nth_today,
    people,
    rings_by,
    seen,
    shown_name,
    window,
    work_key,
)
from callcenter.web.words import N_

EARLIER_SHOWN = 30
REGIONS = ("state", "call", "who", "notes", "aid", "trail")


@dataclass(frozen=True, slots=True)
class View:
    """A seat's window with its ticket."""

    seat: Seat | None
    window: Window
    ticket: Ticket | None
    queue: Queue

    @property
    def work(self) -> str:
        return work_key(self.window, self.ticket_id)

    @property
    def ticket_id(self) -> int | None:
        return self.ticket.ticket_id if self.ticket is not None else None


async def view_of(web_: Web) -> View:
    """The signed-in user's window now: the state that everybody else sees."""
    desk = web_.ports.desk
    extension = web_.user.extension
    if extension is None:
        return View(None, Window(State.UNKNOWN, None), None, desk.queue(None))
    seat, last = desk.seat(extension), desk.last_call(extension)
    calls = desk.calls_of(extension)
    last_ticket = await _ticket_of(web_, last) if not calls else None
    last_open = last_ticket is not None and last_ticket.status == "open" and last_ticket.left_open_at is None
    shown = honest(seen(seat, calls, last if last_open else None, web_.now()), desk.link())
    ticket = last_ticket if shown.call is last else await _ticket_of(web_, shown.call)
    return View(seat, shown, ticket, desk.queue(shown.call.queue if shown.call else None))


async def _ticket_of(web_: Web, call: Call | None) -> Ticket | None:
    return await web_.ports.tickets.by_call(call.server, call.call_id) if call is not None else None


def seat_namer(web_: Web) -> Callable[[str], str]:
    """Extension to what a seat is called: its work number, "you" for one's own."""
    numbers = {seat.extension: seat.work_number or seat.extension for seat in web_.ports.desk.seats()}
    own, words = web_.user.extension, web_.words

    def name(extension: str) -> str:
        if extension == own:
            return words.gettext(N_("You"))
        return words.gettext(N_("No. %(number)s")) % {"number": numbers.get(extension, extension)}

    return name


async def person_namer(web_: Web, names: Iterable[str | None]) -> Callable[[str], str]:
    """Log-in name to what a person is called: "018 李晓雯"; the log-in name of somebody who is not known any more."""
    users = [await web_.ports.users.user(name) for name in sorted({name for name in names if name})]
    titles = {one.name: f"{one.work_number or ''} {one.display_name}".strip() for one in users if one is not None}
    return lambda name: titles.get(name) or name


async def steps_of(web_: Web, call: Call | None) -> list[Step]:
    if call is None:
        return []
    ticket_id = clicked_from(call.call_id)
    source = await web_.ports.tickets.ticket(ticket_id) if ticket_id is not None else None
    cadence = web_.options.cadence
    title = web_.ports.desk.queue(call.queue).title
    return course(
        call, title, lambda at: rings_by(call, at, cadence), seat_namer(web_), source.number if source else ""
    )


async def context_of(web_: Web, view: View) -> dict[str, Any]:
    """Everything that the desk's templates print."""
    call, now = view.window.call, web_.now()
    earlier = await _earlier(web_, call, view.ticket)
    since = midnight(now, web_.options.zone)
    wrapping_up = web_.ports.board.wrapping_up if web_.ports.board is not None else _no_wrap_up
    slots = {"company": view.queue.company or web_.options.company, "seat": web_.user.work_number or ""}
    return {
        "view": view,
        "seat_paused": view.seat is not None and view.seat.paused,
        "w": view.window,
        "state": view.window.state.value,
        "ticket": view.ticket,
        "queue": view.queue,
        "queue_title": lambda name: web_.ports.desk.queue(name).title,
        "rings_of": lambda name: web_.ports.desk.queue(name).rings,
        "ring": rings_by(call, now, web_.options.cadence) if call else 0,
        "earlier": earlier,
        "nth": nth_today(earlier, since),
        "people": people(earlier.rows),
        "shown_name": shown_name(call, view.ticket) if call else "",
        "caught_at": caught_at(call) if call else None,
        "rungs": ladder(call, view.queue, web_.user.extension or "", now, web_.options.cadence) if call else [],
        "slots": slots,
        "asks": [ASKED[name] for name in missing(view.ticket, tuple(ASKED))] if view.ticket else [],
        "ask_names": missing(view.ticket, tuple(ASKED)) if view.ticket else [],
        "steps": await steps_of(web_, call),
        "seat_name": seat_namer(web_),
        "link": web_.ports.desk.link(),
        # Asked at the drawing: what is heard while the database answers must not be drawn away again.
        "unseen": lambda: unseen(web_, {call.call_id} if call else ()),
        "alarms": web_.ports.hearing.alarms() if web_.user.role in SUPERVISORS else (),
        "callbacks_due": _callbacks_due(web_),
        "possible": web_.ports.actions.possible(web_.user.extension) if web_.user.extension else frozenset(),
        "live_calls": [one for one in web_.ports.desk.calls() if not one.talking_to],
        "seats": web_.ports.desk.seats(),
        "seat_window": lambda seat: honest(
            seen(seat, web_.ports.desk.calls_of(seat.extension), wrapping_up(seat.extension), now),
            web_.ports.desk.link(),
        ),
        "free_seats": sum(
            1
            for seat in web_.ports.desk.seats()
            if seat.phone is Phone.IDLE and not seat.paused and wrapping_up(seat.extension) is None
        ),
    }


def _no_wrap_up(_: str) -> None:
    """Where there is no board, nobody tells of the wrap-up of others."""


def _callbacks_due(web_: Web) -> int:
    """Late or due soon, of those that the user may make (B5, D11)."""
    owing = owing_for(web_.ports, web_.policy, web_.user)
    return owing.due_before(web_.now() + SOON_SECONDS) if owing is not None else 0


async def _earlier(web_: Web, call: Call | None, ticket: Ticket | None) -> TicketPage:
    if call is None or not call.caller_number:
        return TicketPage((), 0)
    before = ticket.opened_at if ticket is not None else web_.now()
    page = await web_.ports.tickets.earlier(call.caller_number, before, EARLIER_SHOWN)
    rows = tuple(row for row in page.rows if web_.policy.may_see(web_.user, row))
    return TicketPage(rows, page.total if len(rows) == len(page.rows) else len(rows))


async def work_context(web_: Web, view: View, context: dict[str, Any]) -> dict[str, Any]:
    """What the middle of the desk adds: the form, or the seat's open tickets while it is free."""
    if view.work.startswith("form:") and view.ticket is not None:
        context |= await clocks_context(web_, view.ticket.ticket_id, web_.user.role in SEATS)
        return context | await form_context(web_, view.ticket, view.window.call)
    if view.work != "idle" or web_.user.extension is None:
        return context
    mine = await web_.ports.tickets.search(TicketQuery(seat=web_.user.extension, status="open", limit=30))
    return context | {"todo": sorted(mine.rows, key=_next_due), "todo_total": mine.total}


def _next_due(row: TicketRow) -> tuple[float, float]:
    promise = row.ticket.next_promise
    due = promise.due_at if promise is not None else None
    return (float("inf") if due is None else due, -row.ticket.opened_at)


async def form_context(web_: Web, ticket: Ticket, call: Call | None) -> dict[str, Any]:
    queue = web_.ports.desk.queue(call.queue if call else None)
    return {
        "form_ticket": ticket,
        "form_call": call,
        "form_steps": await steps_of(web_, call),
        "form_missing": missing(ticket),
        "form_asks": ASKED,
        "categories": queue.categories or web_.options.categories,
        "writable": web_.user.role in SEATS,
    }


async def idle_context(web_: Web, view: View) -> dict[str, Any]:
    if view.work != "idle" or web_.user.extension is None:
        return {"today": None, "recent": ()}
    since = midnight(web_.now(), web_.options.zone)
    recent = await web_.ports.tickets.search(TicketQuery(seat=web_.user.extension, limit=12))
    return {"today": await web_.ports.tickets.today(web_.user.extension, since), "recent": recent.rows}


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    view = await view_of(web_)
    context = await work_context(web_, view, await context_of(web_, view))
    signal = _signal(web_, view.window, view.ticket_id)
    context |= heard_context(web_, {view.window.call.call_id} if view.window.call else ())
    return web_.page("desk.html", **context, **await idle_context(web_, view), signal=signal)


async def fragments(request: web.Request) -> web.StreamResponse:
    """``?r=call,who``: those regions, each marked to be swapped in its own place; ``p=tickets`` for another page."""
    web_ = Web(request)
    wanted = [name for name in request.query.get("r", "").split(",") if name in REGIONS]
    view = await view_of(web_)
    context = await context_of(web_, view)
    if "who" in wanted:
        context |= await idle_context(web_, view)
    context |= {"here": "desk" if request.query.get("p", "desk") == "desk" else "elsewhere"}
    html = "".join(web_.fragment(f"desk_{name}.html", **context, oob=True) for name in wanted)
    return web.Response(text=html, content_type="text/html", charset="utf-8")


async def work(request: web.Request) -> web.StreamResponse:
    """The middle of the desk as it should be now; the page decides when to put it there."""
    web_ = Web(request)
    view = await view_of(web_)
    context = await work_context(web_, view, await context_of(web_, view))
    html = web_.fragment("desk_work.html", **context)
    return web.Response(text=html, content_type="text/html", charset="utf-8", headers={"X-Work": view.work})


async def heard(request: web.Request) -> web.StreamResponse:
    """What is said in the seat's call, asked for several times a second: from memory while the call runs. ``p=tickets``
    for another page, which has the sign in the call bar only."""
    web_ = Web(request)
    calls = web_.ports.desk.calls_of(web_.user.extension) if web_.user.extension is not None else ()
    shown = calls or [call for call in [(await view_of(web_)).window.call] if call is not None]
    call_ids = {call.call_id for call in shown}
    html = web_.fragment("desk_sign.html", unseen=lambda: unseen(web_, call_ids))
    if request.query.get("p", "desk") == "desk":
        html += web_.fragment("desk_heard.html", **heard_context(web_, call_ids))
    return web.Response(text=html, content_type="text/html", charset="utf-8")


async def _told(web_: Web) -> dict[str, Any]:
    """The signal as it is now: from memory while a call runs, so that a ringing phone waits for no database."""
    desk, extension = web_.ports.desk, web_.user.extension
    calls = desk.calls_of(extension) if extension is not None else ()
    if extension is not None and calls:
        shown = honest(window(desk.seat(extension), calls, None, False, web_.now()), desk.link())
        ticket_id = desk.ticket_of(shown.call) if shown.call is not None else None
        if ticket_id is not None:
            return _signal(web_, shown, ticket_id)
    view = await view_of(web_)
    return _signal(web_, view.window, view.ticket_id)


def _signal(web_: Web, shown: Window, ticket_id: int | None) -> dict[str, Any]:
    """What a push says of the seat: enough to know what to fetch and whether to call attention, nothing personal."""
    call = shown.call
    return {
        "now": web_.now(),
        "state": shown.state.value,
        "work": work_key(shown, ticket_id),
        "pop": shown.pop,
        "ticket": ticket_id,
        "ringing_since": call.ringing_from if call and shown.state is State.RINGING else None,
        "hold_since": shown.hold.started_at if shown.hold else None,
    }


async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events for one page, until it leaves, is logged out or reads too slowly."""
    web_ = Web(request)
    watched = await _watched(web_)
    stream = request.app[HUB].open(web_.session_hash, web_.user.extension, watched, web_.user.role in SUPERVISORS)
    if stream is None:
        raise Problem(503, N_("Too many pages are open on this server. Close some and load this one again."), "streams")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    try:
        await response.prepare(request)
        await _write(response, encode("hello", await _told(web_), "0"))
        await _pump(web_, stream, response)
    except (ConnectionResetError, TimeoutError, BrokenWorld):
        pass  # the page left or does not read; it will come again and ask for the whole state
    finally:
        request.app[HUB].close(stream)
    return response


async def _watched(web_: Web) -> frozenset[int]:
    asked = web_.request.query.get("ticket", "")
    if not asked:
        return frozenset()
    row = await web_.ports.tickets.row(int(asked)) if asked.isdecimal() and len(asked) < 16 else None
    if row is None or not web_.policy.may_see(web_.user, row):
        raise Problem(404, NO_TICKET)
    return frozenset({row.ticket.ticket_id})


async def _pump(web_: Web, stream: Stream, response: web.StreamResponse) -> None:
    number = 0
    async for notices in batches(stream):
        number += 1
        if not notices:
            if not await _still_in(web_):
                await _write(response, encode("bye", {"reason": "ended"}))
                return
            await _write(response, encode("beat", {"now": web_.now()}))
            continue
        await _write(response, await _message(web_, notices, str(number)))


async def _message(web_: Web, notices: list[Notice], event_id: str) -> bytes:
    byes = [notice.value for notice in notices if notice.kind == BYE]
    if byes:
        return encode("bye", {"reason": byes[0]})
    desk, board, tickets, resync = merged(notices)
    parts = [encode("ticket", {"ticket": ticket}) for ticket in tickets]
    parts += [encode(kind, {"now": web_.now()}) for kind in (HEARD, ALARM) if Notice(kind) in notices]
    if desk or resync:
        parts.insert(0, encode("hello" if resync else "desk", await _told(web_), event_id))
    elif board:
        parts.append(encode("board", {"now": web_.now()}, event_id))
    return b"".join(parts)


async def _still_in(web_: Web) -> bool:
    user: User | None = await web_.ports.users.user(web_.user.name)
    session = await web_.ports.users.session(web_.session_hash)
    lives = session is not None and web_.request.app[SESSIONS].lives(session)
    return lives and user is not None and user.active


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(data)


ROUTES = [
    Route("GET", "/desk", show, SEATS, page=True),
    Route("GET", "/desk/fragments", fragments, EVERYBODY),
    Route("GET", "/desk/work", work, SEATS),
    Route("GET", "/desk/heard", heard, SEATS),
    Route("GET", "/live", live, EVERYBODY),
]
