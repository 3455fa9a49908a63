"""``callcenter report``: the figures of past days on a terminal or in a file.

Place on the path of a call: run by hand or by cron, beside a running daemon or without one.
Promises: mistakes are told in one sentence; a file is there whole or not at all.
Never: changes anything in the store.
"""

import argparse
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, BinaryIO
from unicodedata import east_asian_width

from callcenter.clock import Clock
from callcenter.day_files import days_in
from callcenter.errors import BadInput
from callcenter.metrics.service_levels import percent
from callcenter.opening import beside
from callcenter.reports.ahead import ahead
from callcenter.reports.columns import Head, Kind, Title, about, columns, rows, totals
from callcenter.reports.files import save, write, write_table
from callcenter.reports.periods import Grain, Interval
from callcenter.reports.reading import Source, read
from callcenter.reports.report import By, Question, Report, Site
from callcenter.reports.tables import Table, ahead_table, heat_question, heat_table
from callcenter.settings import Settings

OK = 0
BINARY = frozenset({"xlsx", "parquet"})
SHOWN = {
    "period": "period",
    "calls": "calls",
    "answered": "answered",
    "abandoned": "abandoned",
    "abandoned_short": "of them short",
    "abandon_rate": "abandoned %",
    "abandon_rate_of_calls": "of calls",
    "three_rings": "3 rings",
    "three_rings_of_calls": "of calls",
    "long_holds": "long holds",
    "overflowed": "overflow",
    "other": "other",
    "asa_seconds": "ASA s",
    "wait_p90_seconds": "p90 s",
    "aht_seconds": "AHT s",
    "unobserved_minutes": "unobserved min",
}
"""The columns of the table on a terminal, besides what lines are told apart by and the contract's service level."""


async def report(settings: Settings, options: argparse.Namespace) -> int:
    """Reads the store and prints or writes the report; the exit code."""
    site = Site.of(settings, days_in(settings))
    if options.seat_group is not None and options.seat_group not in site.groups:
        raise BadInput(f"report: there is no seat group {options.seat_group[:64]!r}; the settings name them.")
    if options.output is None and options.format in BINARY and sys.stdout.isatty():
        raise BadInput(f"report: {options.format} is no text for a terminal; name a file after --output.")
    question = Question(
        _interval(options, site),
        Grain(options.grain),
        By(options.by),
        options.queue,
        options.seat_group,
        options.level,
    )
    if options.view == "figures":
        made = await _read(settings, question, site)
        _known(settings, options.queue, made.whole.sums.calls)
        title = title_of(settings, question)
        _put(options, lambda: table(made), lambda kind, out: write(made, kind, out, title=title))
    else:
        found = await _table(settings, question, site, options.view)
        _put(options, lambda: "".join(_told_lines(found)), lambda kind, out: write_table(found, kind, out))
    return OK


def _put(options: argparse.Namespace, text: Callable[[], str], file: Callable[[str, BinaryIO], None]) -> None:
    """On the terminal or into a file."""
    if options.format != "table":

        def written(out: BinaryIO) -> None:
            file(options.format, out)
    else:

        def written(out: BinaryIO) -> None:
            out.write(text().encode())

    if options.output is not None:
        save(options.output, written)
    else:
        written(sys.stdout.buffer)


def _known(settings: Settings, queue: str | None, calls: int) -> None:
    if queue is not None and queue not in settings.queues and not calls:
        known = ", ".join(sorted(settings.queues)) or "none"
        raise BadInput(f"report: no queue is called {queue[:64]!r}; the settings have: {known}.")


def title_of(settings: Settings, question: Question) -> Title | None:
    """Of queues; a seat's own name is for who is logged in on the page."""
    return (lambda key: settings.queue(key).title or key or "") if question.by is By.QUEUE else None


async def _read(settings: Settings, question: Question, site: Site) -> Report:
    async with _source(settings) as source:
        return await read(question, site, source, Clock().wall())


async def _table(settings: Settings, question: Question, site: Site, view: str) -> Table:
    async with _source(settings) as source:
        if view == "heat":
            made = await read(heat_question(question), site, source, Clock().wall(), compare=False)
            _known(settings, question.queue, made.whole.sums.calls)
            return heat_table(made)
        today = datetime.fromtimestamp(Clock().wall(), site.zone).date()
        found = await ahead(site, source, today, question.queue)
        _known(settings, question.queue, found.handled)
        return ahead_table(found, site, question.queue)


@asynccontextmanager
async def _source(settings: Settings) -> AsyncIterator[Source]:
    groups = tuple(group.seats for group in settings.seat_groups.values())
    async with beside(settings) as store:
        yield store.reports(settings.asterisk.name, settings.targets, groups)


def _interval(options: argparse.Namespace, site: Site) -> Interval:
    """What was asked for; without any day the seven days before today."""
    if (options.first is None) != (options.last is None):
        raise BadInput("report: --from and --to belong together; give both, or neither for the last seven days.")
    if options.first is not None:
        return Interval(options.first, options.last)
    today = datetime.fromtimestamp(Clock().wall(), site.zone).date()
    return Interval(today - timedelta(days=7), today - timedelta(days=1))


def table(report: Report) -> str:
    """Lines of text for a terminal, with what has to be known to read them above."""
    variant = report.site.variant
    level = f"service_level_{variant}"
    wanted = ["period", *([report.question.by.value] if report.question.by is not By.NONE else []), "calls", level]
    wanted += [f"{level}_of_calls", *(name for name in SHOWN if name not in wanted)]
    known = {column.name: column for column in columns(report)}
    chosen = [known[name] for name in wanted]
    heads = [{level: "SL", f"{level}_of_calls": "of calls"}.get(name, SHOWN.get(name, name)) for name in wanted]
    body = [
        [_shown(column, value) for column, value in zip(chosen, row, strict=True)]
        for row in rows(chain(report.lines, totals(report)), chosen)
    ]
    widths = [max(map(_width, cells)) for cells in zip(heads, *body, strict=True)]
    return "\n".join([_head(report), *(_line(cells, widths) for cells in (heads, *body))]) + "\n"


def _told_lines(found: Table) -> Iterator[str]:
    """Heat map or forecast for a terminal, with what has to be known to read it above."""
    yield "; ".join(f"{name} {value}" for name, value in found.told.items() if value is not None) + "\n"
    rows_ = [[_shown(head, value) for head, value in zip(found.heads, line, strict=True)] for line in found.lines]
    cells = [[head.name for head in found.heads], *rows_]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    yield from (_line(line, widths) + "\n" for line in cells)


def _head(report: Report) -> str:
    told = about(report)
    thresholds = "/".join(f"{seconds:g}" for seconds in told["threshold_seconds"])
    text = (
        f"{told['from']} to {told['to']}, {told['time_zone']}; SL: {told['contract_variant']} within {thresholds} s, "
    )
    text += f"target {100 * told['target_share']:g} %; unobserved {told['unobserved_minutes']:.1f} min, "
    text += f"{told['recovered']} of {told['calls']} calls known from call records only"
    if report.before is not None and told["compared_with"] is not None:
        was, now, before = report.before.whole, report.whole, told["compared_with"]
        until = f", until {before['until']}" if before["until"] else ""
        text += (
            f"\nbefore ({before['from']} to {before['to']}{until}; unobserved {before['unobserved_minutes']:.1f} min): "
        )
        variant = report.site.variant
        text += f"{was.sums.calls} calls, SL {_percent(was.level(variant), was.base(variant))}; "
        text += f"now {now.sums.calls} calls, SL {_percent(now.level(variant), now.base(variant))}"
    return text


def _percent(share: float | None, of: int) -> str:
    return "no calls" if share is None else f"{percent(share)} % of {of} call{'s' if of != 1 else ''}"


def _shown(column: Head, value: Any) -> str:
    if value is None:
        return "-"
    if column.kind is Kind.SHARE:
        return f"{percent(value)} %"
    if column.kind is Kind.SECONDS:
        return f"{value:.1f}"
    return "".join(c if c.isprintable() else "?" for c in str(value))


def _width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def _line(cells: list[str], widths: list[int]) -> str:
    padded = [" " * (width - _width(cell)) + cell for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(padded).rstrip()
