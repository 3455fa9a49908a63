"""The columns of a report, once for the page, the table on a terminal and every export.

Place on the path of a call: long after it; between ``reports/report`` and whoever prints.
Promises: one order, one name and one kind for each column; a share stands beside the number of calls that it is of, and
the variant of the contract is named; a value that there is not is ``None``, and so is every figure of a time that is
still to come. Each line says by whose clock and by which thresholds it counts, so that a file can be read alone.
Never: turns a value into text.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

from callcenter.metrics.service_levels import Target, Variant
from callcenter.reports.report import By, Line, Report

ALL = "*"
"""The key of a line that sums up all keys."""
TITLED = frozenset({By.QUEUE, By.SEAT})
"""Keys that people have other names for."""
Title = Callable[[str | None], str]
"""What people call a queue or a seat; of "" and ``None``: what they call calls of none, and of all."""
TOTAL = "total"
"""The period of a line that sums up all periods."""


class Kind(Enum):
    TEXT = "text"
    INSTANT = "instant"
    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Head:
    """``name``: as JSON, CSV and Parquet have it; units stand in it."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Column(Head):
    value: Callable[[Line], Any]


def columns(report: Report, title: Title | None = None) -> tuple[Column, ...]:
    """All of them, the contract's variant first among the shares. ``title``: for the keys of queues or seats; without
    it they have none."""
    zone, contract = report.site.zone, report.site.variant

    def local(at: float) -> datetime:
        """With its offset from UTC: a time that the clock shows twice would not equal itself otherwise."""
        shown = datetime.fromtimestamp(at, zone)
        return shown.replace(tzinfo=timezone(shown.utcoffset() or timedelta()), fold=0)

    found = [
        Column("period", Kind.TEXT, lambda line: line.period.label if line.period else TOTAL),
        Column("from", Kind.INSTANT, lambda line: local(line.period.since) if line.period else None),
        Column("until", Kind.INSTANT, lambda line: local(line.period.until) if line.period else None),
        Column("hours", Kind.SECONDS, lambda line: line.period.seconds / 3600 if line.period else None),
        Column("day", Kind.TEXT, lambda line: report.site.days.kind(line.period.day).value if line.period else ""),
    ]
    by = report.question.by
    if by is not By.NONE:
        found.append(Column(by.value, Kind.TEXT, lambda line: ALL if line.key is None else line.key))
    if by in TITLED:
        found.append(Column(f"{by.value}_title", Kind.TEXT, lambda line: _titled(line.key, title)))
    figures = (*_counts(), *_levels(contract), *_times())
    return *found, *map(_none_to_come, figures), *_terms(report)


def _titled(key: str | None, title: Title | None) -> str:
    return title(key) if title else key or ""


def _none_to_come(column: Column) -> Column:
    return Column(column.name, column.kind, lambda line: None if line.to_come else column.value(line))


def _terms(report: Report) -> Iterator[Column]:
    """What has to be known to read a line, at its end."""
    site, question = report.site, report.question

    def targets(line: Line) -> tuple[Target, ...]:
        """Of the queues that the line's calls may have come by."""
        if question.by is By.QUEUE and line.key is not None:
            return (site.targets.of(line.key),)
        if question.queue is not None:
            return (site.targets.of(question.queue),)
        level = line.key if question.by is By.LEVEL and line.key is not None else question.level
        every = (site.targets.default, *site.targets.queues.values())
        return tuple(one for one in every if level in (None, one.service_class))

    def seconds(line: Line, pick: Callable[[Target], float]) -> str:
        return "/".join(f"{one:g}" for one in sorted({pick(target) for target in targets(line)}))

    yield Column("contract_variant", Kind.TEXT, lambda _: site.variant.value)
    yield Column("threshold_seconds", Kind.TEXT, lambda line: seconds(line, lambda target: target.seconds))
    yield Column("short_abandon_seconds", Kind.TEXT, lambda line: seconds(line, lambda target: target.short_seconds))
    yield Column("time_zone", Kind.TEXT, lambda _: site.zone.key)


def _counts() -> Iterator[Column]:
    yield from (
        Column("calls", Kind.COUNT, lambda line: line.sums.calls),
        Column("answered", Kind.COUNT, lambda line: line.sums.tally.answered),
        Column("answered_in_time", Kind.COUNT, lambda line: line.sums.tally.answered_in_time),
        Column("abandoned", Kind.COUNT, lambda line: line.sums.tally.abandoned),
        Column("abandoned_short", Kind.COUNT, lambda line: line.sums.tally.abandoned_short),
        Column("overflowed", Kind.COUNT, lambda line: line.sums.tally.overflowed),
        Column("other", Kind.COUNT, lambda line: line.sums.tally.other),
        Column("recovered", Kind.COUNT, lambda line: line.sums.recovered),
        Column("satisfaction", Kind.SHARE, lambda line: line.sums.satisfaction),
        Column("satisfaction_of_answers", Kind.COUNT, lambda line: line.sums.answers),
        Column("first_line", Kind.SHARE, lambda line: line.sums.first_line),
        Column("first_line_of_calls", Kind.COUNT, lambda line: line.sums.contacts),
        Column("three_rings", Kind.SHARE, lambda line: line.sums.three_rings),
        Column("three_rings_of_calls", Kind.COUNT, lambda line: line.sums.tally.answered),
        Column("long_holds", Kind.COUNT, lambda line: line.sums.long_holds),
    )


def _levels(contract: Variant) -> Iterator[Column]:
    """Of each variant the share and the number of calls that it is of; then who gave up."""
    for variant in sorted(Variant, key=lambda one: one is not contract):
        yield Column(f"service_level_{variant}", Kind.SHARE, lambda line, one=variant: line.level(one))  # type: ignore[misc]
        yield Column(f"service_level_{variant}_of_calls", Kind.COUNT, lambda line, one=variant: line.base(one))  # type: ignore[misc]
    yield Column("abandon_rate", Kind.SHARE, lambda line: line.sums.abandon_rate)
    yield Column("abandon_rate_of_calls", Kind.COUNT, lambda line: line.sums.abandon_rate_calls)


def _times() -> Iterator[Column]:
    yield from (
        Column("asa_seconds", Kind.SECONDS, lambda line: line.sums.asa_seconds),
        Column("wait_p50_seconds", Kind.SECONDS, lambda line: line.wait_p50),
        Column("wait_p90_seconds", Kind.SECONDS, lambda line: line.wait_p90),
        Column("talk_seconds", Kind.SECONDS, lambda line: line.sums.talk.mean),
        Column("hold_seconds", Kind.SECONDS, lambda line: line.sums.hold.mean),
        Column("wrapup_seconds", Kind.SECONDS, lambda line: line.sums.wrapup.mean),
        Column("wrapup_calls", Kind.COUNT, lambda line: line.sums.wrapup.calls),
        Column("aht_seconds", Kind.SECONDS, lambda line: line.sums.aht_seconds),
        Column("unobserved_minutes", Kind.SECONDS, lambda line: line.unobserved_seconds / 60),
    )


def rows(lines: Iterable[Line], chosen: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
    """The values of each line."""
    for line in lines:
        yield tuple(column.value(line) for column in chosen)


def totals(report: Report) -> tuple[Line, ...]:
    """Of each key, then of all of them."""
    return *report.totals, report.whole


def about(report: Report) -> dict[str, Any]:
    """What has to be known to read the figures: who counts what, how, and what nobody saw."""
    site, question = report.site, report.question
    seconds = sorted({site.targets.default.seconds, *(target.seconds for target in site.targets.queues.values())})
    return {
        "from": question.interval.first.isoformat(),
        "to": question.interval.last.isoformat(),
        "time_zone": site.zone.key,
        "grain": question.grain.value,
        "by": question.by.value,
        "queue": question.queue,
        "seat_group": question.group,
        "level": question.level,
        "contract_variant": site.variant.value,
        "target_share": site.target_share,
        "threshold_seconds": seconds,
        "threshold_of_queues": {name: target.seconds for name, target in sorted(site.targets.queues.items())},
        "short_abandon_seconds": site.targets.default.short_seconds,
        "calls": report.whole.sums.calls,
        "recovered": report.whole.sums.recovered,
        "unobserved_minutes": report.whole.unobserved_seconds / 60,
        "compared_with": _compared(report),
    }


def _compared(report: Report) -> dict[str, Any] | None:
    if report.before is None:
        return None
    before = report.before
    interval = before.question.interval
    return {
        "from": interval.first.isoformat(),
        "to": interval.last.isoformat(),
        "until": None
        if before.over
        else datetime.fromtimestamp(before.now, before.site.zone).isoformat("T", "minutes"),
        "unobserved_minutes": before.whole.unobserved_seconds / 60,
        "comparable": report.comparable,
    }
