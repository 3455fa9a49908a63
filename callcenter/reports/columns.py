"""The columns of a report, once for the page, the table on a terminal and every export.

Place on the path of a call: long after it; between ``reports/report`` and whoever prints.
Promises: one order, one name and one kind for each column; a share stands beside the number of calls that it is of, and
the variant of the contract is named; a value that there is not is ``None``.
Never: turns a value into text.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from itertools import chain
from typing import Any

from callcenter.metrics.service_levels import Variant
from callcenter.reports.report import By, Line, Report

ALL = "*"
"""The key of a line that sums up all keys."""
TOTAL = "total"
"""The period of a line that sums up all periods."""


class Kind(Enum):
    TEXT = "text"
    INSTANT = "instant"
    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Column:
    """``name``: as JSON, CSV and Parquet have it; units stand in it."""

    name: str
    kind: Kind
    value: Callable[[Line], Any]


def columns(report: Report) -> tuple[Column, ...]:
    """All of them, the contract's variant first among the shares."""
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
    if report.question.by is not By.NONE:
        found.append(Column(report.question.by.value, Kind.TEXT, lambda line: ALL if line.key is None else line.key))
    return *found, *_counts(contract), *_levels(contract), *_times()


def _counts(contract: Variant) -> Iterator[Column]:
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
        Column("contract_variant", Kind.TEXT, lambda _: contract.value),
    )


def _levels(contract: Variant) -> Iterator[Column]:
    """Of each variant the share and the number of calls that it is of; then who gave up."""
    for variant in sorted(Variant, key=lambda one: one is not contract):
        yield Column(f"service_level_{variant}", Kind.SHARE, lambda line, one=variant: line.level(one))  # type: ignore[misc]
        yield Column(f"service_level_{variant}_of_calls", Kind.COUNT, lambda line, one=variant: line.base(one))  # type: ignore[misc]
    yield Column("abandon_rate", Kind.SHARE, lambda line: line.sums.abandon_rate)
    yield Column("abandon_rate_without_short", Kind.SHARE, lambda line: line.sums.long_abandon_rate)


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


def rows(report: Report, chosen: Sequence[Column], totals: bool = True) -> Iterator[tuple[Any, ...]]:
    """The values of every line, then those of the totals."""
    for line in chain(report.lines, (*report.totals, report.whole) if totals else ()):
        yield tuple(column.value(line) for column in chosen)


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
        "short_abandon_seconds": site.targets.default.short_seconds,
        "calls": report.whole.sums.calls,
        "recovered": report.whole.sums.recovered,
        "unobserved_minutes": report.whole.unobserved_seconds / 60,
        "compared_with": _compared(report),
    }


def _compared(report: Report) -> dict[str, Any] | None:
    if report.before is None:
        return None
    interval = report.before.question.interval
    return {"from": interval.first.isoformat(), "to": interval.last.isoformat()}
