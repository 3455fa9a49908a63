"""The page of phrase rates by seat and week (E1): reviewers see all seats, a seat sees itself.

Place on the path of a call: long after it. Promises: every share stands beside the number of its calls; a week without
calls is empty, not 0 %; a reviewer comes from a figure to the calls behind it. Never: compares seats by anything but
what was said.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from callcenter.quality.rates import FORBIDDEN, PHRASES, WEEK_SECONDS, Counted, together
from callcenter.web.access import EVERYBODY, Route
from callcenter.web.context import Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.review import reviews_of, seat_titles
from callcenter.web.review_card import is_reviewer
from callcenter.web.words import N_

WEEKS = (4, 12, 26)
HEADS = {
    "greeting": (N_("Greeting"), "A2"),
    "wait_announcement": (N_("Wait announced"), "B1"),
    "closing": (N_("Closing"), "B7"),
    FORBIDDEN: (N_("Forbidden phrase"), "B8"),
}


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    asked = request.query.get("weeks", "")
    weeks = int(asked) if asked in map(str, WEEKS) else WEEKS[0]
    since = _monday(web_, weeks)
    seat = None if is_reviewer(web_.user) else web_.user.extension or ""
    rows = await reviews_of(web_).rates(since, weeks, seat)
    seats = sorted({row.seat for row in rows})
    window = await view_of(web_)
    return web_.page(
        "review_rates.html",
        **await context_of(web_, window),
        weeks=weeks,
        choices=WEEKS,
        heads=HEADS,
        lines=[_line(one, [row for row in rows if row.seat == one], weeks) for one in seats],
        every=_line("", rows, weeks) if len(seats) > 1 else None,
        seat_title=seat_titles(web_),
        reader=is_reviewer(web_.user),
        mondays=[datetime.fromtimestamp(since + n * WEEK_SECONDS, web_.options.zone).date() for n in range(weeks)],
    )


def _monday(web_: Web, weeks: int) -> float:
    """The beginning of the first of so many weeks, the present one included, at the site."""
    now = datetime.fromtimestamp(web_.now(), web_.options.zone)
    monday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    return (monday - timedelta(weeks=weeks - 1)).timestamp()


def _line(seat: str, rows: Sequence[Counted], weeks: int) -> dict[str, Any]:
    """One seat's row: of each phrase the whole time, and its weeks."""
    cells = {}
    for phrase in (*PHRASES, FORBIDDEN):
        by_week = [together([row for row in rows if row.week == week], phrase) for week in range(weeks)]
        cells[phrase] = {"all": together(rows, phrase), "weeks": by_week}
    return {"seat": seat, "cells": cells}


ROUTES = [Route("GET", "/review/seats", show, EVERYBODY, page=True)]
