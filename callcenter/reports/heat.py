"""When calls come: the mean number of calls of each hour of the day, by weekday.

Place on the path of a call: long after it; the heat map of the page of reports.
Promises: a public holiday is not its weekday, and a swapped Saturday is a column of its own; an hour that the clock
leaves out or repeats is divided by how often it was there; what never was there is ``None``.
Never: mixes hours that nobody observed into a mean without saying how many minutes they were.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.days import DayKind
from callcenter.reports.report import Line, Site

HOLIDAY, SWAPPED = 7, 8
"""Columns behind the weekdays 0 (Monday) to 6."""
STEPS = 5


@dataclass(frozen=True, slots=True)
class Hour:
    """One field: so many ``calls`` in so many such ``hours``; ``abandoned`` are among the calls."""

    calls: int = 0
    abandoned: int = 0
    hours: float = 0.0

    @property
    def mean(self) -> float | None:
        return self.calls / self.hours if self.hours else None


@dataclass(frozen=True, slots=True)
class Heat:
    """``columns``: which of weekdays, holidays and swapped workdays the interval has; ``hours``: by hour and column."""

    columns: tuple[int, ...]
    hours: dict[tuple[int, int], Hour]

    @property
    def most(self) -> float:
        return max((hour.mean or 0.0 for hour in self.hours.values()), default=0.0)

    def step(self, hour: int, column: int) -> int:
        """How dark a field is, 0 to ``STEPS``; 0 only for no calls."""
        mean = self.hours.get((hour, column), Hour()).mean
        if not mean or not self.most:
            return 0
        return max(1, min(STEPS, -int(-mean * STEPS // self.most)))


def heat(lines: Sequence[Line], site: Site) -> Heat:
    """From half-hours without keys."""
    calls: defaultdict[tuple[int, int], list[float]] = defaultdict(lambda: [0, 0, 0.0])
    for line in lines:
        if line.period is None:
            continue
        column = _column(line, site)
        hour = datetime.fromtimestamp(line.period.since, site.zone).hour
        field = calls[hour, column]
        field[0] += line.sums.calls
        field[1] += line.sums.tally.abandoned
        field[2] += line.period.seconds / 3600
    columns = sorted({column for _, column in calls})
    return Heat(tuple(columns), {key: Hour(int(of[0]), int(of[1]), of[2]) for key, of in calls.items()})


def _column(line: Line, site: Site) -> int:
    assert line.period is not None
    kind = site.days.kind(line.period.day)
    if kind is DayKind.HOLIDAY:
        return HOLIDAY
    return SWAPPED if kind is DayKind.SWAPPED else line.period.day.weekday()
