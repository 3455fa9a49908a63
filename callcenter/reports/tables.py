"""Heat map and forecast as lines of a file.

Place on the path of a call: long after it, and before it; between ``heat``, ``ahead`` and ``files``.
Promises: a line for every field of the heat map and every half-hour of the forecast; what is not known is ``None``.
Never: turns a value into text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from callcenter.reports.ahead import Ahead
from callcenter.reports.columns import Head, Kind
from callcenter.reports.heat import HOLIDAY, SWAPPED, Heat, heat
from callcenter.reports.periods import HALF_HOUR_SECONDS, Grain
from callcenter.reports.report import By, Question, Report, Site

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "swapped")
"""The columns of a heat map."""
assert (DAYS[HOLIDAY], DAYS[SWAPPED]) == ("holiday", "swapped")
HEAT = (
    Head("day", Kind.TEXT),
    Head("hour", Kind.COUNT),
    Head("calls_per_hour", Kind.SECONDS),
    Head("calls", Kind.COUNT),
    Head("observed_hours", Kind.SECONDS),
    Head("unobserved_hours", Kind.SECONDS),
    Head("calls_in_unobserved_hours", Kind.COUNT),
    Head("time_zone", Kind.TEXT),
)
AHEAD = (
    Head("date", Kind.TEXT),
    Head("day", Kind.TEXT),
    Head("from", Kind.TEXT),
    Head("expected_calls", Kind.SECONDS),
    Head("seats_needed", Kind.COUNT),
    Head("occupancy", Kind.SHARE),
    Head("in_time", Kind.SHARE),
    Head("threshold_seconds", Kind.SECONDS),
    Head("time_zone", Kind.TEXT),
)


class Table(NamedTuple):
    """``told``: what has to be known to read the lines."""

    heads: Sequence[Head]
    lines: Iterator[tuple[Any, ...]]
    told: Mapping[str, Any]


def heat_question(question: Question) -> Question:
    """The heat map is made of half-hours of all keys together."""
    return replace(question, grain=Grain.HALF_HOUR, by=By.NONE)


def heat_table(report: Report) -> Table:
    """The heat map of a report on a ``heat_question``."""
    question, zone = report.question, report.site.zone.key
    told = {
        "queue": question.queue,
        "seat_group": question.group,
        "level": question.level,
        "time_zone": zone,
        "from": question.interval.first.isoformat(),
        "to": question.interval.last.isoformat(),
    }
    return Table(HEAT, heat_rows(heat(report.lines, report.site), zone), told)


def ahead_table(found: Ahead, site: Site, queue: str | None) -> Table:
    """The forecast of one queue, or of the whole hotline."""
    told = {
        "queue": queue,
        "time_zone": site.zone.key,
        "target_share": found.target_share,
        "threshold_seconds": found.threshold_seconds,
        "aht_seconds": found.aht_seconds,
    }
    return Table(AHEAD, ahead_rows(found, site.zone.key), told)


def heat_rows(heat: Heat, zone: str) -> Iterator[tuple[Any, ...]]:
    """By day, then by hour; an hour that the interval has not is left out."""
    for column in heat.columns:
        for hour in range(24):
            one = heat.fields.get((hour, column))
            if one is not None:
                calls = one.calls if one.hours else None
                yield DAYS[column], hour, one.mean, calls, one.hours, one.blind_hours, one.blind_calls, zone


def ahead_rows(ahead: Ahead, zone: str) -> Iterator[tuple[Any, ...]]:
    """By day, then by half-hour of the clock."""
    for day, staffing in zip(ahead.days, ahead.staffing, strict=True):
        for slot in range(86_400 // HALF_HOUR_SECONDS):
            one = staffing[slot] if staffing else None
            needed = (None, None, None) if one is None else (one.seats, one.occupancy if one.seats else None, one.share)
            calls = day.calls[slot] if day.calls else None
            clock = f"{slot // 2:02}:{slot % 2 * 30:02}"
            yield day.day.isoformat(), day.kind.value, clock, calls, *needed, ahead.threshold_seconds, zone
