"""When calls come: the mean number of calls of each hour of the day that was observed, by weekday.

Place on the path of a call: long after it; the heat map of the page of reports, and its download.
Promises: a public holiday is not its weekday, and a swapped Saturday is a column of its own; an hour that the clock
leaves out or repeats is divided by how often it was there; only time that is over and was observed is divided by, and
what call records tell of calls that arrived in a gap is told beside the mean and is not in it; what nobody observed is
``None``, and each field says how much of it that was.
Never: takes an hour that nobody observed, or that is still to come, for one without calls.
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
LEAST_HOURS = 0.25
"""Of less observed time no mean is told: one call in half a minute is not 120 an hour."""


@dataclass(frozen=True, slots=True)
class Hour:
    """One field: so many ``calls`` in so many observed ``hours``; ``blind_hours`` are over and were not observed, and
    call records tell of ``blind_calls`` in them."""

    calls: int = 0
    hours: float = 0.0
    blind_hours: float = 0.0
    blind_calls: int = 0

    @property
    def mean(self) -> float | None:
        return self.calls / self.hours if self.hours >= LEAST_HOURS else None


@dataclass(frozen=True, slots=True)
class Heat:
    """``columns``: which of weekdays, holidays and swapped workdays there are; ``fields``: by hour and column."""

    columns: tuple[int, ...]
    fields: dict[tuple[int, int], Hour]

    @property
    def most(self) -> float:
        return max((hour.mean or 0.0 for hour in self.fields.values()), default=0.0)

    @property
    def hours(self) -> float:
        """Observed, of all fields."""
        return sum(hour.hours for hour in self.fields.values())

    @property
    def blind_hours(self) -> float:
        return sum(hour.blind_hours for hour in self.fields.values())

    @property
    def blind_calls(self) -> int:
        return sum(hour.blind_calls for hour in self.fields.values())

    def step(self, hour: int, column: int) -> int:
        """How dark a field is, 0 to ``STEPS``; 0 only for no calls."""
        mean = self.fields.get((hour, column), Hour()).mean
        if not mean or not self.most:
            return 0
        return max(1, min(STEPS, -int(-mean * STEPS // self.most)))


def heat(lines: Sequence[Line], site: Site) -> Heat:
    """From half-hours without keys."""
    found: defaultdict[tuple[int, int], Hour] = defaultdict(Hour)
    for line in lines:
        if line.period is None:
            continue
        key = datetime.fromtimestamp(line.period.since, site.zone).hour, _column(line, site)
        old = found[key]
        found[key] = Hour(
            old.calls + line.sums.calls - line.gap_calls,
            old.hours + line.observed_seconds / 3600,
            old.blind_hours + line.unobserved_seconds / 3600,
            old.blind_calls + line.gap_calls,
        )
    columns = sorted({column for _, column in found})
    return Heat(tuple(columns), dict(found))


def _column(line: Line, site: Site) -> int:
    assert line.period is not None
    kind = site.days.kind(line.period.day)
    if kind is DayKind.HOLIDAY:
        return HOLIDAY
    return SWAPPED if kind is DayKind.SWAPPED else line.period.day.weekday()
