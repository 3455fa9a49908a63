"""The pieces of time that a report counts by: half-hours, days, weeks, months of the site's clock.

Place on the path of a call: long after it; its arrival decides which piece it belongs to.
Promises: the pieces of an interval follow each other without a hole or an overlap, also where the clock is put forward
or back: such a day has 23 or 25 hours, and the half-hours that the clock shows twice are two pieces with labels of
their own. Whether people work on a day is what the site's calendar (``days``) says.
Never: reads a clock.
"""

import math
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from enum import StrEnum
from zoneinfo import ZoneInfo

from callcenter.days import WORKED, DayKind, Days
from callcenter.errors import BadInput

HALF_HOUR_SECONDS = 1800
YEARS = range(1970, 2200)
MAX_PERIODS = 10_000
"""Of one report: half-hours of more than half a year, days of 27 years."""


class Grain(StrEnum):
    HALF_HOUR = "half_hour"
    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Interval:
    """Whole days of the site, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadInput("report: the interval ends before it begins; turn the two days around.")
        if self.first.year not in YEARS or self.last.year not in YEARS:
            raise BadInput("report: that is no day from 1970 on to 2199; correct its year.")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def dates(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.days))


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` to before ``until``, epoch seconds. ``label``: by the site's clock, no two alike in a report.

    ``whole`` is false for a week or a month that the interval cuts.
    """

    since: float
    until: float
    label: str
    day: date
    whole: bool = True

    @property
    def seconds(self) -> float:
        return self.until - self.since


def begin_of(day: date, zone: ZoneInfo) -> float:
    """The first instant of a day; also where the clock jumps over midnight."""
    return datetime.combine(day, clock_time(), zone).timestamp()


def bounds(interval: Interval, zone: ZoneInfo) -> tuple[float, float]:
    """The instants at which the interval begins and ends."""
    return begin_of(interval.first, zone), begin_of(interval.last + timedelta(days=1), zone)


def periods(interval: Interval, grain: Grain, zone: ZoneInfo) -> tuple[Period, ...]:
    """The pieces of the interval in their order. Raises ``BadInput`` where they would be too many."""
    if interval.days * (48 if grain is Grain.HALF_HOUR else 1) > MAX_PERIODS:
        raise BadInput(f"report: more than {MAX_PERIODS} lines of time; take a shorter interval or a coarser grain.")
    if grain is Grain.HALF_HOUR:
        return tuple(piece for day in interval.dates() for piece in _half_hours(day, zone))
    found = []
    for first, last in _spans(interval, grain):
        inside = Interval(max(first, interval.first), min(last, interval.last))
        since, until = bounds(inside, zone)
        if until > since:  # a zone that crosses the date line leaves a day out
            found.append(Period(since, until, _label(first, grain), inside.first, inside == Interval(first, last)))
    return tuple(found)


def _spans(interval: Interval, grain: Grain) -> Iterator[tuple[date, date]]:
    """First and last day of every whole piece that touches the interval."""
    day = interval.first
    while day <= interval.last:
        if grain is Grain.MONTH:
            first = day.replace(day=1)
            last = day.replace(day=monthrange(day.year, day.month)[1])
        elif grain is Grain.WEEK:
            first = day - timedelta(days=day.weekday())
            last = first + timedelta(days=6)
        else:
            first = last = day
        yield first, last
        day = last + timedelta(days=1)


def _label(first: date, grain: Grain) -> str:
    if grain is Grain.MONTH:
        return first.strftime("%Y-%m")
    if grain is Grain.WEEK:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return first.isoformat()


def _half_hours(day: date, zone: ZoneInfo) -> Iterator[Period]:
    since, end = begin_of(day, zone), begin_of(day + timedelta(days=1), zone)
    while since < end:
        until = min(since + HALF_HOUR_SECONDS, end)
        yield Period(since, until, _clock_label(since, zone), day)
        since = until


def _clock_label(at: float, zone: ZoneInfo) -> str:
    """``2026-11-26 09:30``; with the offset from UTC where the clock shows this time twice."""
    local = datetime.fromtimestamp(at, zone)
    text = local.strftime("%Y-%m-%d %H:%M")
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return text + local.strftime(" %z") if twice else text


def slot_of(at: float, zone: ZoneInfo) -> int:
    """The half-hour of the day that the clock shows, 0 to 47; a repeated hour has the same ones again."""
    local = datetime.fromtimestamp(at, zone)
    return local.hour * 2 + local.minute // 30


def workdays(interval: Interval, days: Days) -> int | None:
    """How many days of the interval people work on; ``None`` where the calendar does not know all of them."""
    kinds = [days.kind(day) for day in interval.dates()]
    if DayKind.UNKNOWN in kinds:
        return None
    return sum(kind in WORKED for kind in kinds)


def previous(interval: Interval) -> Interval:
    """The interval before, of equal kind: whole months give as many whole months, anything else goes back by whole
    weeks, so that each weekday stands against itself."""
    first, last = interval.first, interval.last
    if first.day == 1 and (last + timedelta(days=1)).day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        count = first.year * 12 + first.month - 1 - months
        return Interval(date(count // 12, count % 12 + 1, 1), first - timedelta(days=1))
    back = timedelta(weeks=-(-interval.days // 7))
    return Interval(first - back, last - back)


def same_part(interval: Interval, before: Interval, now: float, zone: ZoneInfo) -> float:
    """The instant up to which ``before`` is held against an interval that ``now`` lies in: the same time by the clock,
    as many days after its beginning; the end of ``before`` where the interval is over, or it has fewer days."""
    end = bounds(before, zone)[1]
    if now >= bounds(interval, zone)[1]:
        return end
    local = datetime.fromtimestamp(now, zone)
    day = before.first + (local.date() - interval.first)
    return min(end, datetime.combine(day, local.time(), zone).timestamp())


def placer(pieces: Sequence[Period]) -> Callable[[float], int | None]:
    """Tells the number of the piece that an instant lies in; made once for many instants."""
    starts, ends = [piece.since for piece in pieces], [piece.until for piece in pieces]

    def place(at: float) -> int | None:
        number = bisect_right(starts, at) - 1
        return number if number >= 0 and at < ends[number] else None

    return place


def cell_seconds(pieces: Sequence[Period]) -> int:
    """The longest stretch, counted from the epoch, that all pieces consist of: what the store adds calls up by."""
    return math.gcd(*(int(edge) for piece in pieces for edge in (piece.since, piece.until)))


def apart(gaps: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time in order, none of it twice."""
    merged: list[tuple[float, float]] = []
    for since, until in sorted(gaps):
        if merged and since <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], until)
        else:
            merged.append((since, until))
    return merged


def unobserved(pieces: Sequence[Period], gaps: Sequence[tuple[float, float]]) -> list[float]:
    """Seconds of each piece in which nobody listened to Asterisk; ``gaps`` may overlap each other."""
    merged, found, start = apart(gaps), list[float](), 0
    for piece in pieces:
        while start < len(merged) and merged[start][1] <= piece.since:
            start += 1
        seconds, at = 0.0, start
        while at < len(merged) and merged[at][0] < piece.until:
            seconds += max(0.0, min(merged[at][1], piece.until) - max(merged[at][0], piece.since))
            at += 1
        found.append(seconds)
    return found
