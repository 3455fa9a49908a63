"""The supervisor's desk: the figures of the wallboard, and behind each queue its calls, its seats and its tickets.

Promises: supervisors and administrators only; the same facts at the same instant as the wallboard's; lists keep their
order, so that nothing moves away under the pointer; what is longer than anybody reads is cut and says so, and it is
written in a thread, so that no pop waits for it. Never: changes anything.
"""

import asyncio
from dataclasses import replace

from aiohttp import web

from callcenter.calls.model import Call, Phase
from callcenter.calls.waiters import held_since, waits_for_a_seat
from callcenter.settings.sections import WALL_TILES
from callcenter.web.access import SUPERVISORS, Route
from callcenter.web.clock_words import NAMES
from callcenter.web.context import Web
from callcenter.web.desk import context_of, seat_namer, view_of
from callcenter.web.report_words import LEVELS
from callcenter.web.review_rates import HEADS
from callcenter.web.roster import roster_context
from callcenter.web.ticket_ports import TicketQuery
from callcenter.web.wallboard import screens_of
from callcenter.web.wallboard_clocks import worst_of
from callcenter.web.wallboard_facts import Facts, Site
from callcenter.web.wallboard_seats import Tile
from callcenter.web.wallboard_view import Wall, wall

TICKETS_SHOWN = 30
SEATS_SHOWN, CALLS_SHOWN = 300, 150
"""Of more, those on the phone and those that wait; one queue's fit."""


def _walls(facts: Facts, site: Site, wanted: str) -> tuple[Wall, Wall, str | None]:
    """(all queues, the wanted one if there is one of that name, its name)."""
    shown = replace(site.shown, queues=(), tiles=WALL_TILES, seats="number")
    whole = wall(facts, replace(site, shown=shown), SEATS_SHOWN)
    if wanted not in (line.name for line in whole.queues):
        return whole, whole, None
    return whole, wall(facts, replace(site, shown=replace(shown, queues=(wanted,))), SEATS_SHOWN), wanted


async def board_context(web_: Web) -> dict[str, object]:
    """What the page and its fragment print. ``whole``: all queues; ``figures``: the chosen one, or all."""
    screens = screens_of(web_.request)
    now = web_.now()
    facts = await screens.facts_kept(now)
    asked = web_.request.query.get("queue", "")
    whole, w, queue = await asyncio.to_thread(_walls, facts, screens.site, asked)
    calls = sorted(
        (call for call in facts.calls if queue is None or call.queue == queue),
        key=_worst_first,
    )
    tickets = await web_.ports.tickets.search(TicketQuery(queue=queue, status="open", limit=TICKETS_SHOWN))
    return {
        "figures": w,
        "whole": whole,
        "chosen": queue,
        "unknown_queue": asked if queue is None else "",
        "running": calls[:CALLS_SHOWN],
        "more_running": max(0, len(calls) - CALLS_SHOWN),
        "tiles": sorted(w.seats, key=_place),
        "names": {one.seat.extension: one.seat.display_name for one in facts.seats},
        "ticket_of": web_.ports.desk.ticket_of,
        "open_tickets": tickets,
        "worst_clocks": worst_of(facts.clocks, queue),
        "clock_names": NAMES,
        "phrase_heads": HEADS,
        "hearing": next((part for part in web_.ports.health.status() if part.name == "transcription"), None),
        "clock_levels": LEVELS,
        "queue_title": lambda name: web_.ports.desk.queue(name).title,
        "rings_of": lambda name: web_.ports.desk.queue(name).rings,
        "seat_name": seat_namer(web_),
        "held_since": held_since,
        **await roster_context(web_, seat_namer(web_)),
    }


def _worst_first(call: Call) -> tuple[int, float, str]:
    """Who waits before who is held before who is spoken to; the longest first."""
    rank = 0 if waits_for_a_seat(call) else 1 if call.phase is Phase.HELD else 2
    return rank, call.arrived_at or 0.0, call.call_id


def _place(one: Tile) -> tuple[str, str]:
    return one.label, one.extension


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    board = await board_context(web_)
    return web_.page("supervise.html", **(await context_of(web_, await view_of(web_)) | board))


async def fragment(request: web.Request) -> web.StreamResponse:
    """What changes, for the page to put in its place."""
    web_ = Web(request)
    board = await board_context(web_)
    html = await asyncio.to_thread(web_.fragment, "supervise_board.html", **board)
    return web.Response(text=html, content_type="text/html", charset="utf-8")


ROUTES = [
    Route("GET", "/supervise", show, SUPERVISORS, page=True),
    Route("GET", "/supervise/board", fragment, SUPERVISORS),
]
