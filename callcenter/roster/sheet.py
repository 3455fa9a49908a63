"""A duty plan as a file of a site: from a TOML table to ``roster/plan.Sheet``. See docs/roster.md.

Beside the path of a call: between a file and ``roster/plan``.
Promises: pure; all mistakes at once, each with its key and the remedy; a seat is planned once at a time, an exception
changes something. Never: opens a file (``roster/files`` does), or guesses what was meant.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.hooks.choices import DAYS
from callcenter.roster.plan import CALENDAR, DAY_MINUTES, Change, Plan, Sheet, Shift, overlaps
from callcenter.settings.reader import Reader, as_texts, day_of, limited, one_of

MOST_SHIFTS = 40
"""Names of shifts are labels of figures."""
MOST_DAYS = 400
MOST_PLANNED = 200_000
"""Seats times shifts times days of a sheet."""
_NAME = re.compile(r"[\w.-]{1,40}")
_SEAT = re.compile(r"[\w.-]{1,32}")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|(24):(00)")
_NOBODY: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ShiftTable:
    """``[shifts.NAME]`` as it is written."""

    begins: str = ""
    ends: str = ""
    days: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    calendar: str = one_of("", "", *CALENDAR)
    seats: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Of ``[seat_groups]`` in the daemon's settings."""
    breaks: tuple[str, ...] = ()
    break_minutes: float = limited(15.0, 0, 480)


@dataclass(frozen=True, slots=True)
class ExceptionTable:
    """``[[exceptions]]`` as it is written."""

    date: str = ""
    shift: str = ""
    off: bool = False
    absent: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    swap: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A whole file as it is written."""

    first: str = ""
    last: str = ""
    shifts: Mapping[str, ShiftTable] = field(default_factory=lambda: MappingProxyType({}))
    exceptions: tuple[ExceptionTable, ...] = ()


def sheet_of(
    value: Mapping[str, Any], zone: ZoneInfo, groups: Mapping[str, Sequence[str]] = _NOBODY
) -> tuple[Sheet | None, list[str]]:
    """A sheet, or what is wrong: a sentence each. ``groups``: the seats of each seat group."""
    problems: list[str] = []
    table: SheetTable = Reader(problems, Path()).build(SheetTable, as_texts(value), "")
    reader = _Reader(groups)
    sheet = reader.sheet(table)
    told = {_key(problem) for problem in problems}  # what was not even read is told once
    problems += [problem for problem in reader.problems if _key(problem) not in told]
    if not problems:
        problems += _together(sheet, zone)
    return (None if problems else sheet), problems


def _key(problem: str) -> str:
    return re.sub(r"\[\d+\]$", "", problem.partition(": ")[0])


def _texts(values: Iterable[Any]) -> list[str]:
    """Without those that were no texts: they are told already."""
    return [value for value in values if isinstance(value, str)]


class _Reader:
    """Goes through a file and notes each mistake; what it returns is right only if there was none."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self.problems: list[str] = []
        self._groups = groups

    def sheet(self, table: SheetTable) -> Sheet:
        first, last = self.day(table.first, "first"), self.day(table.last, "last")
        if not table.shifts:
            self.problems.append("shifts: there are none; write at least one table [shifts.NAME].")
        if len(table.shifts) > MOST_SHIFTS:
            self.problems.append(f"shifts: there are more than {MOST_SHIFTS}; use fewer names.")
        if first and last and not 0 <= (last - first).days < MOST_DAYS:
            self.problems.append(f"last: must lie 0 to {MOST_DAYS - 1} days after first; a plan needs an end.")
        return Sheet(
            first or date.min,
            last or date.min,
            tuple(self.shift(name, one) for name, one in table.shifts.items()),
            tuple(
                self.change(f"exceptions[{n}]", one, table.shifts, (first, last))
                for n, one in enumerate(table.exceptions, 1)
            ),
        )

    def day(self, text: str, key: str) -> date | None:
        return day_of(text, key, self.problems)

    def minutes(self, text: str, key: str) -> int:
        found = _TIME.fullmatch(text)
        if found is None:
            self.problems.append(f"{key}: {text[:40]!r} is no time of day; write it as '08:30'.")
            return 0
        hours, minutes = (found[1], found[2]) if found[1] else (found[3], found[4])
        return int(hours) * 60 + int(minutes)

    def shift(self, name: str, table: ShiftTable) -> Shift:
        key = f"shifts.{name}"
        if not _NAME.fullmatch(name):
            self.problems.append(f"{key[:60]}: a name is 1 to 40 letters, digits, '_', '-' and '.'; rename it.")
        begins, ends = self.minutes(table.begins, f"{key}.begins"), self.minutes(table.ends, f"{key}.ends")
        if begins == DAY_MINUTES:
            self.problems.append(f"{key}.begins: a shift cannot begin at 24:00; write '00:00' of the next day.")
        for day in _texts(table.days):
            if day not in DAYS:
                self.problems.append(f"{key}.days: {day[:20]!r} is no weekday; use {', '.join(DAYS)}.")
        dates = (self.day(text, f"{key}.dates") for text in _texts(table.dates))
        return Shift(
            name,
            begins,
            ends,
            self.seats(key, table),
            frozenset(DAYS.index(day) for day in table.days if day in DAYS),
            frozenset(day for day in dates if day is not None),
            table.calendar,
            tuple(self.pause(text, f"{key}.breaks", begins, ends) for text in _texts(table.breaks)),
            table.break_minutes * 60.0,
        )

    def seats(self, key: str, table: ShiftTable) -> tuple[str, ...]:
        found = _texts(table.seats)
        for name in _texts(table.groups):
            if name not in self._groups:
                known = ", ".join(self._groups) or "none"
                self.problems.append(f"{key}.groups: there is no seat group {name[:40]!r}; [seat_groups] has {known}.")
            found += self._groups.get(name, ())
        self.extensions(found, f"{key}.seats")
        if not table.seats and not table.groups:
            self.problems.append(f'{key}: nobody is planned; write seats = ["1001"] or groups = ["NAME"].')
        return tuple(dict.fromkeys(found))

    def extensions(self, seats: Sequence[str], key: str) -> None:
        for seat in _texts(seats):
            if not _SEAT.fullmatch(seat):
                self.problems.append(f"{key}: {seat[:40]!r} is no extension; write the seat's telephone, as '1001'.")

    def pause(self, text: str, key: str, begins: int, ends: int) -> tuple[int, int]:
        """A break, as minutes of the day; it lies within its shift."""
        one, _, other = text.partition("-")
        since, until = self.minutes(one.strip(), key), self.minutes(other.strip(), key)
        length = (ends - begins) % DAY_MINUTES or DAY_MINUTES
        start, lasts = (since - begins) % DAY_MINUTES, (until - since) % DAY_MINUTES
        if not lasts or start + lasts > length:
            self.problems.append(f"{key}: {text[:40]!r} does not lie within the shift; write it as '12:00-13:00'.")
        return since % DAY_MINUTES, until

    def change(
        self,
        key: str,
        table: ExceptionTable,
        shifts: Mapping[str, ShiftTable],
        span: tuple[date | None, date | None],
    ) -> Change:
        day = self.day(table.date, f"{key}.date")
        if day and span[0] and span[1] and not span[0] <= day <= span[1]:
            self.problems.append(f"{key}.date: {day} is not a day of this file; it goes from {span[0]} to {span[1]}.")
        if table.shift and table.shift not in shifts:
            self.problems.append(f"{key}.shift: there is no shift {table.shift[:40]!r}; there are {', '.join(shifts)}.")
        if table.extra and not table.shift:
            self.problems.append(f"{key}.extra: in which shift? Write shift = {next(iter(shifts), 'NAME')!r}.")
        if table.swap and (len(table.swap) != 2 or table.swap[0] == table.swap[1]):
            self.problems.append(f'{key}.swap: two seats change places; write swap = ["1001", "1002"].')
        if not (table.off or table.absent or table.extra or table.swap):
            self.problems.append(f"{key}: changes nothing; write absent, extra, swap or off = true.")
        self.extensions((*table.absent, *table.extra, *table.swap), key)
        swap = table.swap if len(table.swap) == 2 else ()
        return Change(day or date.min, table.shift, table.off, table.absent, table.extra, swap)


def _together(sheet: Sheet, zone: ZoneInfo) -> Iterator[str]:
    """What is wrong with the plan that a file makes, once each value is right."""
    days = (sheet.last - sheet.first).days + 1
    if sum(len(shift.seats) for shift in sheet.shifts) * days > MOST_PLANNED:
        yield f"shifts: more than {MOST_PLANNED} seats times days; write a file for each month."
        return
    yield from _idle_changes(sheet)
    plan, told = Plan((sheet,), zone), Counter[tuple[str, str, str]]()
    turns = [turn for n in range(days) for turn in plan.turns(sheet.first + timedelta(days=n))]
    for seat, one, other in overlaps(turns):
        told[seat, one.shift, other.shift] += 1
        if told[seat, one.shift, other.shift] == 1:
            yield (
                f"shifts.{other.shift}: on {other.day} seat {seat} is in {one.shift} at the same time; take it out of "
                "one, or swap it."
            )


def _idle_changes(sheet: Sheet) -> Iterator[str]:
    """Exceptions that meet nobody: most often a wrong date or seat."""
    for number, change in enumerate(sheet.changes, 1):
        shifts = [shift for shift in sheet.shifts if change.shift in ("", shift.name)]
        planned = {seat for shift in shifts for seat in shift.seats}
        earlier = (one for one in sheet.changes[: number - 1] if one.day == change.day)
        planned |= {seat for one in earlier for seat in (*one.extra, *one.swap)}
        for seat in change.absent:
            if seat not in planned | {*change.extra, *change.swap}:
                yield f"exceptions[{number}].absent: seat {seat} is not planned in it; correct the seat or the shift."
        if change.swap and not planned & {*change.swap}:
            yield f"exceptions[{number}].swap: neither seat is planned in it; correct the seats or the shift."
