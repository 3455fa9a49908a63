"""What the next two weeks bring, by half-hour, and how wrong the same method was in the weeks before.

Place on the path of a call: before it, from those that are over.
The method: a day brings the median of the last days of its sort, and its half-hours share it as those days' half-hours
did. Of its sort are the same weekday, worked; a swapped workday is like any workday, a holiday like earlier holidays,
and like Sundays until there were enough. A median, because one day of trouble must not spoil six weeks.
Promises: days on which much was not observed are left out; a day with too little history has no forecast; the errors
shown are of forecasts made as they would have been made then, from what was known then.
Never: reads a clock; guesses what sort of day it is beyond the published calendar.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from callcenter.days import DayKind
from callcenter.reports.erlang import Staffing, load, seats_for
from callcenter.reports.periods import HALF_HOUR_SECONDS

SLOTS = 48
AHEAD_DAYS = 14
LAST_DAYS = 6
"""Days of the same sort that a forecast looks back on."""
LEAST_DAYS = 3
HISTORY_DAYS = 182
BLIND_SECONDS = 3600.0
"""A day with more unobserved time than this tells nothing."""
TRIALS = 2
"""How often in the past the method is tried, each time for ``AHEAD_DAYS``."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day's calls by half-hour of the clock; a repeated half-hour counts with its first one."""

    day: date
    kind: DayKind
    calls: tuple[float, ...]
    unobserved_seconds: float = 0.0

    @property
    def total(self) -> float:
        return sum(self.calls)


@dataclass(frozen=True, slots=True)
class Expected:
    """One day's forecast; ``calls`` is ``None`` where history is too short. ``like``: the days that it rests on."""

    day: date
    kind: DayKind
    calls: tuple[float, ...] | None
    like: tuple[date, ...] = ()

    @property
    def total(self) -> float | None:
        return None if self.calls is None else sum(self.calls)


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the trial: what was forecast and what came, over ``days`` that had both."""

    first: date
    days: int
    forecast: float
    calls: float


@dataclass(frozen=True, slots=True)
class Error:
    """``wape``: the sum of all misses over the sum of all calls, by half-hours and by days; ``bias``: above 0 where too
    much was forecast. ``None`` where no calls came. ``days``: how many were forecast and are over."""

    days: int
    calls: float
    half_hours_wape: float | None
    days_wape: float | None
    bias: float | None
    weeks: tuple[Week, ...] = ()


def expected(history: Sequence[Day], day: date, kind: DayKind) -> Expected:
    """The forecast of a day from days before it, the oldest first."""
    known = [one for one in history if one.day < day and one.unobserved_seconds <= BLIND_SECONDS]
    for chosen in _like(known, day, kind):
        if len(chosen) >= LEAST_DAYS:
            like = chosen[-LAST_DAYS:]
            return Expected(day, kind, _shaped(like), tuple(one.day for one in like))
    return Expected(day, kind, None)


def _like(known: Sequence[Day], day: date, kind: DayKind) -> Iterable[list[Day]]:
    """Days of the same sort, the best choice first."""
    match kind:
        case DayKind.HOLIDAY:
            yield [one for one in known if one.kind is DayKind.HOLIDAY]
            yield [one for one in known if one.kind is DayKind.WEEKEND and one.day.weekday() == 6]
        case DayKind.SWAPPED:
            yield [one for one in known if one.kind is DayKind.SWAPPED]
            yield [one for one in known if one.kind is DayKind.WORKDAY]
        case DayKind.UNKNOWN:  # what the weekday usually is
            usual = DayKind.WEEKEND if day.weekday() >= 5 else DayKind.WORKDAY
            yield [one for one in known if one.kind is usual and one.day.weekday() == day.weekday()]
        case _:
            yield [one for one in known if one.kind is kind and one.day.weekday() == day.weekday()]


def _shaped(like: Sequence[Day]) -> tuple[float, ...]:
    whole = sum(one.total for one in like)
    if not whole:
        return (0.0,) * SLOTS
    middle = median(one.total for one in like)
    return tuple(middle * sum(one.calls[slot] for one in like) / whole for slot in range(SLOTS))


def forecast(history: Sequence[Day], first: date, kinds: Mapping[date, DayKind]) -> tuple[Expected, ...]:
    """``AHEAD_DAYS`` days from ``first``, from what was before it."""
    known = [one for one in history if one.day < first]
    days = [first + timedelta(days=ahead) for ahead in range(AHEAD_DAYS)]
    return tuple(expected(known, day, kinds[day]) for day in days)


def tried(history: Sequence[Day], today: date) -> Error:
    """What the method would have said for the last weeks: ``TRIALS`` forecasts, each of the days that followed."""
    real = {one.day: one for one in history if one.day < today and one.unobserved_seconds <= BLIND_SECONDS}
    kinds = {one.day: one.kind for one in history}
    pairs: list[tuple[Day, tuple[float, ...]]] = []
    for trial in range(TRIALS, 0, -1):
        first = today - timedelta(days=trial * AHEAD_DAYS)
        known = [one for one in history if one.day < first]
        for ahead in range(AHEAD_DAYS):
            day = first + timedelta(days=ahead)
            if day in real:
                said = expected(known, day, kinds[day])
                if said.calls is not None:
                    pairs.append((real[day], said.calls))
    return _error(pairs)


def _error(pairs: Sequence[tuple[Day, tuple[float, ...]]]) -> Error:
    calls = sum(day.total for day, _ in pairs)
    if not calls:
        return Error(len(pairs), 0.0, None, None, None)
    slots = sum(abs(real - said) for day, slots in pairs for real, said in zip(day.calls, slots, strict=True))
    days = sum(abs(day.total - sum(said)) for day, said in pairs)
    more = sum(sum(said) - day.total for day, said in pairs)
    by_week: defaultdict[date, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for day, said in pairs:
        week = by_week[day.day - timedelta(days=day.day.weekday())]
        week[0] += 1
        week[1] += sum(said)
        week[2] += day.total
    weeks = tuple(Week(first, int(of[0]), of[1], of[2]) for first, of in sorted(by_week.items()))
    return Error(len(pairs), calls, slots / calls, days / calls, more / calls, weeks)


def seats(calls: float, aht_seconds: float, target_share: float, threshold_seconds: float) -> Staffing | None:
    """Seats for the calls of a half-hour; ``None`` where they would be more than the model is asked for."""
    return seats_for(load(calls, HALF_HOUR_SECONDS, aht_seconds), aht_seconds, target_share, threshold_seconds)
