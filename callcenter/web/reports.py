"""The page of reports: figures of past intervals, heat map, downloads (D10).

Place on the path of a call: long after it. Promises: reviewers see queues, groups and levels; seats by name only
supervisors; every share stands beside its number of calls, and the contract's formula is named; what nobody observed is
told in minutes, and what is still to come is no figure. Never: a seat's or a caller's name in an address.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from callcenter.days import DayKind
from callcenter.errors import BadInput
from callcenter.metrics.service_levels import Variant
from callcenter.reports.ahead import ahead
from callcenter.reports.erlang import Staffing, seats_by_rule
from callcenter.reports.forecast import SLOTS
from callcenter.reports.heat import STEPS, heat
from callcenter.reports.periods import YEARS, Grain, Interval, bounds, workdays
from callcenter.reports.reading import read
from callcenter.reports.report import By, Line, Question, Report
from callcenter.reports.tables import heat_question
from callcenter.web.access import REVIEWERS, SUPERVISORS, Problem, Route
from callcenter.web.context import Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.ports import History
from callcenter.web.report_view import MAX_ROWS, chart, tiles
from callcenter.web.report_words import (
    DAYS,
    GRAINS,
    GROUPED,
    LEVELS,
    NO_KEY,
    VARIANTS,
    VIEWS,
    WEEKDAYS,
    WHOLE,
)
from callcenter.web.review import seat_titles
from callcenter.web.words import N_

TABLES = ("xlsx", "csv", "parquet")
"""What heat map and forecast can be downloaded as."""
NOT_HERE = N_("There is nothing at this address.")
BAD_DAY = N_("This is no day from 1970 to 2199. Enter it as year-month-day, such as 2026-11-27.")
BACKWARDS = N_("The interval ends before it begins. Turn the two days around.")
TOO_LONG = N_("The interval is too long. Show fewer days: at most 27 years, in half-hours half a year.")
NO_SUCH_VIEW = N_("There is no such view. Choose figures, heat map or forecast above the report.")
NOT_KNOWN = N_("This grain, grouping or level is not known. Choose one from the list.")
NO_SUCH_QUEUE = N_(
    "No queue is called this: neither the settings nor calls of these days know it. Choose one from the list."
)
NOT_YOURS = N_("Seats by name are for supervisors.")
MAX_NAME = 200


def history_of(web_: Web) -> History:
    if web_.ports.history is None:
        raise Problem(404, NOT_HERE)
    return web_.ports.history


def question_of(web_: Web) -> Question:
    """What the address asks for. 400 for what cannot be, 403 for seats that are not to be seen by name."""
    asked = web_.request.query
    usual = _week_before(web_)
    try:
        first, last = _day(asked.get("from"), usual.first), _day(asked.get("to"), usual.last)
        if last < first:
            raise Problem(400, BACKWARDS)
        question = Question(
            Interval(first, last),
            Grain(asked.get("grain") or "day"),
            By(asked.get("by") or "none"),
            _name(asked, "queue"),
            _name(asked, "group"),
            _name(asked, "level"),
        )
    except (ValueError, BadInput):
        raise Problem(400, NOT_KNOWN) from None
    if question.level not in (None, *LEVELS):
        raise Problem(400, NOT_KNOWN)
    if question.by is By.SEAT and web_.user.role not in SUPERVISORS:
        raise Problem(403, NOT_YOURS)
    return question


def _day(asked: str | None, usual: date) -> date:
    try:
        found = date.fromisoformat(asked) if asked else usual
    except ValueError:
        raise Problem(400, BAD_DAY) from None
    if found.year not in YEARS:
        raise Problem(400, BAD_DAY)
    return found


def _name(asked: Mapping[str, str], key: str) -> str | None:
    return (asked.get(key) or "")[:MAX_NAME] or None


async def report_of(web_: Web, question: Question, compare: bool = True) -> Report:
    history = history_of(web_)
    try:
        return await read(question, history.site, history.source, web_.now(), compare)
    except BadInput:
        raise Problem(400, TOO_LONG) from None


async def knows_queue(web_: Web, question: Question) -> bool:
    """Whether the queue that is asked for is one of the settings, or had calls in the interval."""
    history, queue = history_of(web_), question.queue
    if queue is None or queue in history.site.targets.queues:
        return True
    return queue in await history.source.queues(*bounds(question.interval, history.site.zone))


async def show(request: web.Request) -> web.StreamResponse:
    """What cannot be asked for is said above the form, on the last week's report."""
    web_ = Web(request)
    try:
        return await _shown(web_, question_of(web_))
    except Problem as problem:
        if problem.status != 400 or problem.sentence == NO_SUCH_VIEW:
            raise
        usual = Question(_week_before(web_), queue=_name(request.query, "queue"))
        return await _shown(web_, usual, problem.sentence)


async def _shown(web_: Web, question: Question, refused: str = "") -> web.Response:
    view = web_.request.query.get("view") or "figures"
    if view not in VIEWS:
        raise Problem(400, NO_SUCH_VIEW)
    if not await knows_queue(web_, question):
        question, refused = replace(question, queue=None), NO_SUCH_QUEUE
    if view == "heat":
        question = heat_question(question)
    if view == "ahead":
        question = Question(_week_before(web_), queue=question.queue)
    report = await report_of(web_, question, compare=view == "figures")
    context = {**await context_of(web_, await view_of(web_)), **await _common(web_, report, view)}
    context["refused"] = web_.words.gettext(refused) if refused else ""
    if view == "ahead":
        context |= await _ahead(web_, report)
    # Hundreds of rows take a tenth of a second to draw, in which no window could be told of a call.
    return await asyncio.to_thread(_drawn, web_, report, view, context)


def _drawn(web_: Web, report: Report, view: str, context: dict[str, Any]) -> web.Response:
    if view == "figures":
        context |= _figures(report)
    if view == "heat":
        context |= {"heat": heat(report.lines, report.site)}
    return web_.page("reports.html", status=400 if context["refused"] else 200, **context)


async def _common(web_: Web, report: Report, view: str) -> dict[str, Any]:
    history, question = history_of(web_), report.question
    since, until = bounds(question.interval, history.site.zone)
    queues, first = await history.source.queues(since, until), await history.source.observed_since()
    seats = web_.user.role in SUPERVISORS
    return {
        "never_observed": first is None,
        "observed_since": first if first is not None and first > since else None,
        "report": report,
        "question": question,
        "site": report.site,
        "report_view": view,
        "views": VIEWS,
        "grains": GRAINS,
        "grouped": {name: title for name, title in GROUPED.items() if name != "seat" or seats},
        "levels": LEVELS,
        "all_queues": sorted({*queues, *([question.queue] if question.queue else [])}),
        "groups": tuple(sorted({*report.site.groups, *([question.group] if question.group else [])})),
        "variant_words": VARIANTS,
        "day_words": DAYS,
        "thresholds": _thresholds(report),
        "own_thresholds": _own_thresholds(report, key_titles(web_, By.QUEUE)),
        "weekdays": WEEKDAYS,
        "presets": _presets(web_, report),
        "address": lambda **changes: _address(web_, report, view, **changes),
        "formats": ("xlsx", "csv", "json", "parquet") if view == "figures" else TABLES,
        "key_title": key_titles(web_, question.by),
        "workdays_now": workdays(question.interval, report.site.days),
        "before": _before(report) if report.before else None,
    }


def _before(report: Report) -> dict[str, Any]:
    """What has to be known of the interval that this one is held against: its days, the hour until which it is read
    where this one is not over, and what nobody observed of it."""
    assert report.before is not None
    before, interval, until = report.before, report.before.question.interval, None
    if not before.over:
        until = datetime.fromtimestamp(before.now, report.site.zone)
        interval = Interval(interval.first, until.date())
    return {
        "interval": interval,
        "until": until.strftime("%H:%M") if until else None,
        "calls": before.whole.sums.calls,
        "unseen": before.whole.unseen,
        "unobserved_hours": before.whole.unobserved_seconds / 3600,
        "workdays": workdays(interval, report.site.days),
    }


def _figures(report: Report) -> dict[str, Any]:
    totals = [(line, report.total_before(line.key)) for line in report.totals]

    def day_note(line: Line) -> str:
        """What is unusual about a day; nothing for the others."""
        if line.period is None or report.question.grain in (Grain.WEEK, Grain.MONTH):
            return ""
        kind = report.site.days.kind(line.period.day)
        return DAYS[kind.value] if kind in (DayKind.SWAPPED, DayKind.HOLIDAY, DayKind.WEEKEND) else ""

    return {
        "tiles": tiles(report.whole, report.total_before(None), report),
        "compares": report.before is not None and report.before.whole.sums.calls > 0,
        "compared": [(line, tiles(line, was, report)) for line, was in totals],
        "chart": chart(report),
        "rows": report.lines[:MAX_ROWS],
        "rows_left": max(0, len(report.lines) - MAX_ROWS),
        "day_note": day_note,
        "variants": Variant,
    }


def _thresholds(report: Report) -> str:
    """The seconds within which a call is answered in time, of all queues."""
    targets = report.site.targets
    seconds = {targets.default.seconds, *(target.seconds for target in targets.queues.values())}
    return "/".join(f"{one:g}" for one in sorted(seconds))


def _own_thresholds(report: Report, title: Any) -> list[tuple[str, float]]:
    """The queues with seconds of their own, by their titles."""
    targets = report.site.targets
    own = {queue: one.seconds for queue, one in targets.queues.items() if one.seconds != targets.default.seconds}
    return sorted((title(queue), seconds) for queue, seconds in own.items())


def _week_before(web_: Web) -> Interval:
    """The last seven days that are over."""
    today = today_of(web_)
    return Interval(today - timedelta(days=7), today - timedelta(days=1))


def today_of(web_: Web) -> date:
    return datetime.fromtimestamp(web_.now(), history_of(web_).site.zone).date()


async def _ahead(web_: Web, report: Report) -> dict[str, Any]:
    history = history_of(web_)
    found = await ahead(history.site, history.source, today_of(web_), report.question.queue)
    known = [slots for slots in found.staffing if slots is not None]
    busy = [slot for slot in range(SLOTS) if any(_seats(slots[slot]) != 0 for slots in known)]
    most = max((one.seats for slots in known for one in slots if one is not None), default=0)

    def step(one: Staffing | None) -> int:
        """How dark a field is; 0 only for no seat."""
        return 0 if one is None or not one.seats else max(1, -(-one.seats * STEPS // most))

    slots = range(busy[0], busy[-1] + 1) if busy else ()
    users = history.site.supported_users if report.question.queue is None else 0
    rule = {"users": users, "seats": seats_by_rule(users), "most": most if known else None}
    return {"ahead": found, "seat_slots": slots, "seat_step": step, "rule": rule}


def _seats(one: Staffing | None) -> int | None:
    return None if one is None else one.seats


def _presets(web_: Web, report: Report) -> list[tuple[str, date, date]]:
    """Intervals that are asked for often: title, first and last day."""
    today = today_of(web_)
    month = today.replace(day=1)
    day = timedelta(days=1)
    return [
        (N_("Today"), today, today),
        (N_("Yesterday"), today - day, today - day),
        (N_("Last 7 days"), today - 7 * day, today - day),
        (N_("This month"), month, today),
        (N_("Last month"), (month - day).replace(day=1), month - day),
    ]


def _address(web_: Web, report: Report, shown: str, **changes: Any) -> str:
    """The page's own address with some of it changed; ``path`` for a download."""
    asked, question = web_.request.query, report.question
    path = changes.pop("path", "/reports")
    values: dict[str, Any] = {
        "from": question.interval.first,
        "to": question.interval.last,
        "grain": asked.get("grain") or "day",
        "by": asked.get("by") or "none",
        "queue": question.queue,
        "group": question.group,
        "level": question.level,
        "view": shown,
    } | {name.rstrip("_"): value for name, value in changes.items()}
    return f"{path}?{urlencode({name: value for name, value in values.items() if value})}"


def key_titles(web_: Web, by: By) -> Any:
    """A line's key as people call it."""
    gettext, seat, queue = web_.words.gettext, seat_titles(web_), web_.ports.desk.queue

    def title(key: str | None) -> str:
        if key is None:
            return gettext(WHOLE)
        if not key:
            return gettext(NO_KEY.get(by.value, WHOLE))
        match by:
            case By.LEVEL:
                return gettext(LEVELS.get(key, key))
            case By.SEAT:
                return str(seat(key))
            case By.QUEUE:
                return queue(key).title or key
        return key

    return title


ROUTES = [Route("GET", "/reports", show, REVIEWERS, page=True)]
