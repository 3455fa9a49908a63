"""The page of the books: where Asterisk's call records or its queue_log say something else of a call than we do (C1).

Place on the path of a call: minutes after its end. For supervisors: a difference has a reason, or is one to look into.
Promises: what is not explained comes first in each day; a day that was not compared says so instead of showing nothing
found. Never: shows a number or a name; writes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aiohttp import web

from callcenter.calls.books import Book, Kind, Reason
from callcenter.web.access import SUPERVISORS, Route
from callcenter.web.context import Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.health_ports import BookDay, BookLine
from callcenter.web.words import N_

DAYS = (7, 30, 90)
MOST = 500
SHOWN = {"open": False, "explained": True, "all": None}
SHOWN_WORDS = {"open": N_("Not explained"), "explained": N_("Explained"), "all": N_("All")}
BOOKS: Mapping[str, str] = {Book.CDR: N_("Call records"), Book.QUEUE_LOG: "queue_log"}
KINDS: Mapping[str, str] = {
    Kind.MISSING_OURS: N_("Call unknown to us"),
    Kind.MISSING_CDR: N_("No call record"),
    Kind.MISSING_QUEUE_LOG: N_("Not in queue_log"),
    Kind.MISSING_LEG: N_("A seat's record is missing"),
    Kind.NOT_ENDED: N_("Has ended, runs for us"),
    Kind.ANSWERED: N_("Answered or not"),
    Kind.SEAT: N_("Seat"),
    Kind.ARRIVAL: N_("Arrival"),
    Kind.WAIT: N_("Wait"),
    Kind.TALK: N_("Talk"),
    Kind.END: N_("End"),
    Kind.EXIT: N_("How it left the queue"),
    Kind.ENDED_BY: N_("Who hung up"),
    Kind.QUEUE: N_("Queue"),
}
REASONS: Mapping[str, str] = {
    Reason.GAP: N_("A part of the call was not observed."),
    Reason.RECOVERED: N_("Nobody observed the call; ours was made of the call records."),
    Reason.RESTARTED: N_("Asterisk ended in the call and wrote nothing of its end."),
    Reason.LATE: N_("The record may still come."),
    Reason.NEVER_QUEUED: N_("The queue did not let the caller in; it writes nothing then."),
    Reason.REDIRECTED: N_("The ladder took the caller out of the queue, which calls that abandoned."),
    Reason.SAME_MOMENT: N_("The caller hung up in the moment in which the queue's time ended."),
    Reason.PICKED_UP: N_("Another seat picked the call up; the queue names the one that rang."),
    Reason.TRANSFERRED: N_("The call was transferred: Asterisk books its parts by channels, not by seats."),
    Reason.AGENT_LOGIN: N_("An agent pool: the seat's record is with its log-in."),
}
VALUES: Mapping[str, str] = {
    "yes": N_("yes"),
    "no": N_("no"),
    "": "—",
    "call": N_("call"),
    "known": N_("known"),
    "running": N_("running"),
    "ended": N_("ended"),
    "caller": N_("Caller"),
    "seat": N_("Seat"),
    "answered": N_("answered"),
    "abandoned": N_("abandoned"),
    "overflowed": N_("overflowed"),
    "unknown": N_("unknown"),
    "not transferred": N_("not transferred"),
}


SECONDS = re.compile(r"[+-]?[0-9.]+ s")


@dataclass(frozen=True, slots=True)
class Shown:
    """One day on the page. ``done``: how it was compared in the night; ``None``: not yet, or not at all."""

    day: date
    done: BookDay | None
    lines: Sequence[BookLine]


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    days = _one_of(request.query.get("days", ""), tuple(map(str, DAYS)))
    shown = _one_of(request.query.get("show", ""), tuple(SHOWN))
    kind = request.query.get("fact", "")
    kind = kind if kind in KINDS else ""
    today = datetime.fromtimestamp(web_.now(), web_.options.zone).date()
    first = today - timedelta(days=int(days) - 1)
    since = datetime.combine(first, time(), web_.options.zone).timestamp()
    books = web_.ports.books
    lines = await books.lines(since, web_.now() + 86_400.0, SHOWN[shown], kind, MOST) if books else ()
    done = await books.days(first.isoformat()) if books else {}
    return web_.page(
        "books.html",
        **await context_of(web_, await view_of(web_)),
        followed=books is not None,
        comparison=next((part for part in web_.ports.health.parts() if part.name == "books"), None),
        by_day=_by_day(web_, lines, done, today.isoformat()) if books else [],
        total=len(lines),
        most=MOST,
        this_day=today,
        chosen={"days": days, "show": shown, "fact": kind},
        choices={"days": DAYS, "show": SHOWN_WORDS, "fact": KINDS},
        kinds=KINDS,
        books=BOOKS,
        reasons=REASONS,
        value_of=lambda value: _value(web_, value),
    )


def _value(web_: Web, value: str) -> str:
    """What a book says, in the reader's language: a word of ours, or seconds."""
    if value in VALUES:
        return web_.words.gettext(VALUES[value])
    return web_.words.gettext(N_("%s s")) % value[:-2] if SECONDS.fullmatch(value) else value


def _one_of(value: str, values: Sequence[str]) -> str:
    """What was asked for, or the first that can be asked for."""
    return value if value in values else values[0]


def _by_day(web_: Web, lines: Sequence[BookLine], done: Mapping[str, BookDay], today: str) -> list[Shown]:
    """Today, and days with differences or with a nightly comparison, the newest first."""
    found: dict[str, list[BookLine]] = {day: [] for day in (*done, today)}
    for line in lines:
        day = datetime.fromtimestamp(line.difference.at, web_.options.zone).date().isoformat()
        found.setdefault(day, []).append(line)
    return [
        Shown(date.fromisoformat(day), done.get(day), sorted(found[day], key=lambda line: line.difference.explained))
        for day in sorted(found, reverse=True)
    ]


ROUTES = [Route("GET", "/books", show, SUPERVISORS, page=True)]
