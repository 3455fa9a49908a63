"""Asks the store for what a report is made of.

Place on the path of a call: long after it, between the page or the command and ``store/reports``.
Promises: the interval before is read in the same way, and of an interval that is not over the same part of it;
percentiles are read as a stream, so that a year of calls needs
no more than its waits in memory; the arithmetic runs in a thread, so that no window waits for a report.
Never: knows SQL.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Protocol

from callcenter.errors import BadInput
from callcenter.reports.figures import Arrival, Cell, Wait
from callcenter.reports.periods import (
    Grain,
    Interval,
    Period,
    apart,
    bounds,
    cell_seconds,
    periods,
    previous,
    same_part,
    unobserved,
)
from callcenter.reports.report import By, Question, Report, Sheet, Site


class Source(Protocol):
    """Calls by their arrival, from ``since`` to before ``until``, epoch seconds."""

    def cells(self, since: float, until: float, seconds: int, seats: bool) -> AsyncIterator[Sequence[Cell]]:
        """In stretches of so many seconds, counted from the epoch; some thousands at a time."""

    def standard(self, since: float, until: float, seconds: int, seats: bool) -> AsyncIterator[Sequence[Cell]]:
        """The same calls' three rings and long holds (A1, B2), which ``cells`` leaves at none: they cost more."""

    def waits(self, since: float, until: float, seats: bool) -> AsyncIterator[Sequence[Wait]]:
        """In some thousands at a time."""

    async def arrivals(
        self, since: float, until: float, seconds: int, queue: str | None
    ) -> Sequence[tuple[float, int]]:
        """The calls, of one queue or of all, by stretches of so many seconds, counted from the epoch."""

    def recovered(self, since: float, until: float, seats: bool) -> AsyncIterator[Sequence[Arrival]]:
        """Calls of which Asterisk's call records told anything; in some thousands at a time."""

    async def gaps(self, since: float, until: float) -> Sequence[tuple[float, float]]:
        """When nobody listened to Asterisk, cut to the interval, the time before the first moment observed among them;
        they may overlap."""

    async def queues(self, since: float, until: float) -> Sequence[str]:
        """Those that had calls, by name."""

    async def observed_since(self) -> float | None:
        """Since when Asterisk is listened to; ``None`` where it never was."""


async def read(question: Question, site: Site, source: Source, now: float, compare: bool = True) -> Report:
    """The report, with the interval before where ``compare`` says so. ``now``, epoch seconds: of what is to come after
    it nothing is read, and it is not unobserved. Raises ``BadInput``."""
    since, _ = bounds(question.interval, site.zone)
    earlier = _earlier(question.interval) if compare and now > since else None
    before = await _before(question, site, source, now, earlier) if earlier is not None else None
    return await _read(question, site, source, now, before)


def _earlier(interval: Interval) -> Interval | None:
    """``None`` where it would begin before the first year that there is."""
    try:
        return previous(interval)
    except BadInput:
        return None


async def _before(question: Question, site: Site, source: Source, now: float, interval: Interval) -> Report:
    asked = replace(question, interval=interval, grain=Grain.MONTH)
    return await _read(asked, site, source, same_part(question.interval, interval, now, site.zone), None)


async def _read(question: Question, site: Site, source: Source, now: float, before: Report | None) -> Report:
    pieces, seconds = await asyncio.to_thread(_pieces, question, site)
    since, end = bounds(question.interval, site.zone)
    until = max(since, min(end, now))
    sheet = Sheet(question, site, pieces)
    for read_cells in (source.cells, source.standard):
        async for cells in read_cells(since, until, seconds, question.needs_seats):
            await asyncio.to_thread(sheet.add_cells, cells)
    async for waits in source.waits(since, until, question.needs_seats):
        await asyncio.to_thread(sheet.add_waits, waits)
    gaps = await source.gaps(since, until) if until > since else ()
    if gaps and question.grain is Grain.HALF_HOUR and question.by is By.NONE:  # what a heat map is made of
        first, last = min(began for began, _ in gaps), max(ended for _, ended in gaps)
        async for arrivals in source.recovered(first, last, question.needs_seats):
            await asyncio.to_thread(sheet.add_recovered, arrivals, apart(gaps))
    return await asyncio.to_thread(lambda: sheet.report(unobserved(pieces, gaps), before, now))


def _pieces(question: Question, site: Site) -> tuple[Sequence[Period], int]:
    """The pieces of time, and the stretch that the store adds calls up by."""
    pieces = periods(question.interval, question.grain, site.zone)
    return pieces, cell_seconds(pieces)
