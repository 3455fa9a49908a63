"""Reads the history that a forecast rests on, and works out the seats.

Place on the path of a call: before it; between the page and ``forecast``, ``erlang`` and the store.
Promises: history begins on the first day that was observed from its beginning, and the time before is not taken for
silence; the handle time is that of the last weeks, with the number of its calls; the
arithmetic runs in a thread.
Never: knows SQL.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import gcd

from callcenter.reports.erlang import Staffing
from callcenter.reports.figures import Adder, Cell
from callcenter.reports.forecast import (
    AHEAD_DAYS,
    HISTORY_DAYS,
    SLOTS,
    Day,
    Error,
    Expected,
    forecast,
    seats,
    tried,
)
from callcenter.reports.periods import (
    HALF_HOUR_SECONDS,
    Grain,
    Interval,
    Period,
    begin_of,
    bounds,
    cell_seconds,
    periods,
    slot_of,
    unobserved,
)
from callcenter.reports.reading import Source
from callcenter.reports.report import Site

HANDLED_DAYS = 28
"""How far back the handle time is taken from."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """``days`` with ``staffing`` by half-hour; ``staffing`` is ``None`` where calls or handle time are not known.

    ``handled``: calls that the handle time is the mean of; ``wrapup_calls``: of how many of them wrap-up is known.
    """

    days: tuple[Expected, ...]
    staffing: tuple[tuple[Staffing | None, ...] | None, ...]
    error: Error
    history_days: int
    aht_seconds: float | None
    handled: int
    wrapup_calls: int
    threshold_seconds: float
    target_share: float


async def ahead(site: Site, source: Source, today: date, queue: str | None = None) -> Ahead:
    """The forecast from ``today`` on, of one queue or of the whole hotline as if all seats took all calls."""
    first = await source.observed_since()
    last = today - timedelta(days=1)
    begin = today - timedelta(days=HISTORY_DAYS)
    if first is not None:
        began = datetime.fromtimestamp(first, site.zone).date()
        begin = max(begin, began + timedelta(days=1))
    if first is None or begin > last:
        return await asyncio.to_thread(_worked_out, site, today, queue, (), (), (), ())
    interval = Interval(begin, last)
    since, until = bounds(interval, site.zone)
    days = periods(interval, Grain.DAY, site.zone)
    arrivals = await source.arrivals(since, until, gcd(cell_seconds(days), HALF_HOUR_SECONDS), queue)
    lately = max(since, begin_of(today - timedelta(days=HANDLED_DAYS), site.zone))
    cells = source.cells(lately, until, HANDLED_DAYS * 86_400, False)
    handled = [cell async for some in cells for cell in some]
    gaps = await source.gaps(since, until)
    return await asyncio.to_thread(_worked_out, site, today, queue, days, arrivals, handled, gaps)


def _worked_out(
    site: Site,
    today: date,
    queue: str | None,
    days: Sequence[Period],
    arrivals: Sequence[tuple[float, int]],
    lately: Sequence[Cell],
    gaps: Sequence[tuple[float, float]],
) -> Ahead:
    history = _days(site, days, arrivals, gaps)
    kinds = {today + timedelta(days=n): site.days.kind(today + timedelta(days=n)) for n in range(AHEAD_DAYS)}
    expected = forecast(history, today, kinds)
    adder = Adder()
    for cell in lately:
        if queue is None or cell.queue == queue:
            adder.add("handled", cell.numbers)
    handled = adder.sums("handled")
    aht, threshold = handled.aht_seconds, site.targets.of(queue).seconds
    staffing = tuple(
        None if day.calls is None or not aht else tuple(seats(n, aht, site.target_share, threshold) for n in day.calls)
        for day in expected
    )
    error = tried(history, today)
    known = handled.talk.calls, handled.wrapup.calls
    return Ahead(expected, staffing, error, len(history), aht, *known, threshold, site.target_share)


def _days(
    site: Site, whole: Sequence[Period], arrivals: Iterable[tuple[float, int]], gaps: Sequence[tuple[float, float]]
) -> list[Day]:
    """The history by days, the oldest first."""
    slots: dict[date, list[float]] = {piece.day: [0.0] * SLOTS for piece in whole}
    for at, calls in arrivals:
        local = datetime.fromtimestamp(at, site.zone)
        slots[local.date()][slot_of(at, site.zone)] += calls
    blind = dict(zip((piece.day for piece in whole), unobserved(whole, gaps), strict=True))
    return [Day(day, site.days.kind(day), tuple(calls), blind[day]) for day, calls in sorted(slots.items())]
