"""``callcenter reconcile``: our calls of some days against Asterisk's call records and queue_log.

Beside the path of a call; the daemon does the same by itself (``effects/reconciler``), and this builds it its terms.
Promises: exit code 1 where a difference has no known cause, 0 otherwise; a period that could not be read whole says so.
Never: writes; shows a number or a name.
"""

import json
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from zoneinfo import ZoneInfo

from callcenter.calls.books import Difference
from callcenter.day_options import named_day
from callcenter.effects.bookshelf import Files
from callcenter.effects.reconciler import Comparison, Terms, compare_period
from callcenter.errors import BadInput
from callcenter.opening import beside
from callcenter.settings import Settings

OK, FAILED = 0, 1
MAX_DAYS = 366


def books_files(settings: Settings) -> Files | None:
    """Asterisk's books, as far as the settings name them; ``None`` if they name none."""
    asterisk = settings.asterisk
    if asterisk.cdr_file is None and asterisk.queue_log_file is None:
        return None
    return Files(asterisk.cdr_file, asterisk.queue_log_file)


def books_terms(settings: Settings) -> Terms:
    at = settings.books.nightly_at
    return Terms(
        settings.asterisk.name,
        frozenset(settings.asterisk.trunks),
        settings.books.after_seconds,
        time_of_day.fromisoformat(at) if at else None,
        ZoneInfo(settings.site.timezone),
        settings.books.keep_days,
    )


async def reconcile(settings: Settings, first: str | None, last: str | None, form: str) -> tuple[int, list[str]]:
    """The exit code, and what to print. ``first`` and ``last`` are days of the site, both included."""
    files, terms = books_files(settings), books_terms(settings)
    if files is None:
        raise BadInput(
            "reconcile: set asterisk.cdr_file and asterisk.queue_log_file to the files that Asterisk writes."
        )
    now = time.time()
    since, until = _period(first, last, datetime.fromtimestamp(now, terms.zone).date(), terms.zone)
    async with beside(settings) as store:
        found = await compare_period(store.books, files, terms, now, since, until)
    lines = list(_json(found) if form == "json" else _table(found, files, terms.zone))
    bad = any(not one.explained for one in found.differences) or not found.whole
    return FAILED if bad else OK, lines


def _period(first: str | None, last: str | None, today: date, zone: ZoneInfo) -> tuple[float, float]:
    named = partial(named_day, "reconcile")
    begin = named("--from", first) if first else named("--to", last) if last else today - timedelta(days=1)
    end = named("--to", last) if last else begin
    if end < begin:
        raise BadInput("reconcile: --to is before --from; swap them.")
    if (end - begin).days >= MAX_DAYS:
        raise BadInput(f"reconcile: more than {MAX_DAYS} days; compare fewer at a time.")
    midnights = (datetime.combine(day, time_of_day(), zone) for day in (begin, end + timedelta(days=1)))
    since, until = (midnight.timestamp() for midnight in midnights)
    return since, until


def _json(found: Comparison) -> Iterator[str]:
    for one in found.differences:
        yield json.dumps(_plain(one), ensure_ascii=False)
    unexplained = sum(not one.explained for one in found.differences)
    explained = len(found.differences) - unexplained
    yield json.dumps(
        {
            "compared": found.compared,
            "unexplained": unexplained,
            "explained": explained,
            "whole": found.whole,
            "read": found.read,
        }
    )


def _plain(one: Difference) -> dict[str, str | float | None]:
    return {
        "call_id": one.call_id,
        "kind": one.kind.value,
        "book": one.book.value,
        "ours": one.ours,
        "theirs": one.theirs,
        "reason": one.reason.value if one.reason else None,
        "at": one.at,
    }


def _table(found: Comparison, files: Files, zone: ZoneInfo) -> Iterator[str]:
    rows = [("ended", "call", "fact", "book", "ours", "theirs", "reason")]
    for one in sorted(found.differences, key=lambda one: (one.explained, one.at)):
        at = datetime.fromtimestamp(one.at, zone).strftime("%Y-%m-%d %H:%M:%S") if one.at else "?"
        reason = one.reason.value if one.reason else "NOT EXPLAINED"
        rows.append((at, one.call_id, one.kind.value, one.book.value, one.ours or "-", one.theirs or "-", reason))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    if len(rows) > 1:
        for row in rows:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    unexplained = sum(not one.explained for one in found.differences)
    bad = f", {found.bad_lines} unreadable lines" if found.bad_lines else ""
    yield (
        f"{found.compared} calls compared: {unexplained} differences not explained, "
        f"{len(found.differences) - unexplained} explained{bad}."
    )
    for name, path in (("cdr", files.cdr), ("queue_log", files.queue_log)):
        if name not in found.read:
            why = "is not set" if path is None else "is not there"
            yield f"asterisk.{name}_file {why}: nothing was compared with it."
    if not found.whole:
        yield "The books hold more lines than are read at once: compare fewer days."
