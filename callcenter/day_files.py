"""The site's own calendar files: holidays and swapped workdays that no package knows yet, or that are the site's alone.

Beside the path of a call, at the start of whatever asks for ``Days``; ``[calendar]`` in the settings names the files.
Promises: all mistakes of all files at once, each with its file, key and remedy; no day is two things.
Never: changes anything.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.days import Days, Own
from callcenter.errors import BadInput
from callcenter.quality.tables import read_utf8, toml_of
from callcenter.settings import Settings
from callcenter.settings.reader import YEARS, Reader, as_texts, day_of

MANUAL = "docs/calendar.md"
LONGEST_DAYS = 60


@dataclass(frozen=True, slots=True)
class HolidayTable:
    """``[[holidays]]`` as it is written; ``last`` is left out for a single day."""

    name: str = ""
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class CalendarTable:
    """A whole file as it is written."""

    years: tuple[int, ...] = ()
    holidays: tuple[HolidayTable, ...] = ()
    workdays: tuple[str, ...] = ()


def days_in(settings: Settings) -> Days:
    """The site's calendar. Raises ``BadInput`` with all mistakes of its files, a line each."""
    told = settings.calendar
    return Days.of(ZoneInfo(settings.site.timezone), told.holidays, own_days(told.files))


def own_days(files: Sequence[Path]) -> Own:
    """What the files say together. Raises ``BadInput``."""
    problems: list[str] = []
    holidays: dict[date, str] = {}
    workdays: dict[date, str] = {}
    years: set[int] = set()
    for path in files:
        try:
            table = toml_of(read_utf8(path, "calendar"), path, MANUAL)
        except BadInput as error:
            problems.append(str(error))
            continue
        reader = _Reader(path)
        reader.read(table)
        problems += reader.problems
        years |= reader.years
        for kind, named, other in (("holiday", reader.holidays, holidays), ("workday", reader.workdays, workdays)):
            for day, key in named:
                where = f"{path}: {key}"
                if (before := holidays.get(day) or workdays.get(day)) is not None:
                    problems.append(f"{where}: {day} stands in {before}, too; name it once, as {kind} or as the other.")
                other.setdefault(day, where)
    if problems:
        raise BadInput("\n".join(problems))
    return Own(frozenset(holidays), frozenset(workdays), frozenset(years))


class _Reader:
    """Goes through a file and notes each mistake; what it has is right only if there was none."""

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self.holidays: list[tuple[date, str]] = []
        self.workdays: list[tuple[date, str]] = []
        self.years: set[int] = set()
        self._path = path

    def read(self, value: object) -> None:
        problems: list[str] = []
        table: CalendarTable = Reader(problems, Path()).build(CalendarTable, as_texts(value), "")
        told = {problem.partition(":")[0] for problem in problems}
        """Keys with a mistake already: what was put in their place is no second one."""
        for n, one in enumerate(table.holidays, 1):
            if f"holidays[{n}]" not in told:
                self.holidays += ((day, f"holidays[{n}]") for day in self._span(one, f"holidays[{n}]", told, problems))
        # Those that are no texts are not among them.
        keys = (key for n in count(1) if (key := f"workdays[{n}]") not in told)
        for text, key in zip(table.workdays, keys, strict=False):
            if (day := day_of(text, key, problems)) is not None:
                self.workdays.append((day, key))
        outside = (year for year in table.years if year not in YEARS)
        problems += (f"years: {year} is outside {YEARS[0]} to {YEARS[-1]}; correct it." for year in outside)
        self.years = set(table.years)
        self.problems += (f"{self._path}: {problem}" for problem in problems)

    def _span(self, one: HolidayTable, key: str, told: Set[str], problems: list[str]) -> Iterator[date]:
        first = None if f"{key}.first" in told else day_of(one.first, f"{key}.first", problems)
        last = day_of(one.last, f"{key}.last", problems) if one.last else first
        if first is None or last is None:
            return
        if not 0 <= (last - first).days < LONGEST_DAYS:
            problems.append(f"{key}.last: must lie 0 to {LONGEST_DAYS - 1} days after first; correct one of them.")
            return
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))
