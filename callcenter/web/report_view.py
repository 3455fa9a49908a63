"""What the page of reports shows, worked out before a template prints it: tiles, comparisons, bars.

Place on the path of a call: long after it. Promises: pure; a value that there is not has no bar, no arrow and no
percentage; an arrow never stands without its number; where one of two intervals was not observed there is none, and a
small change is neither better nor worse. Never: a colour alone says something.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.reports.figures import Sums
from callcenter.reports.report import Line, Report
from callcenter.web.words import N_

MAX_BARS = 120
MAX_ROWS = 350
"""Of the table on the page: a week of half-hours. The page says how many more there are; the files hold all."""
LEAST_POINTS, LEAST_PERCENT = 0.5, 1.0
"""A smaller change of a share, or of anything else, is chance and no verdict."""
CHART_WIDTH, CHART_HEIGHT = 960.0, 150.0


@dataclass(frozen=True, slots=True)
class Change:
    """Against the interval before. ``direction``: up, down or same; ``good`` is ``None`` where neither is better."""

    direction: str
    amount: float
    good: bool | None


@dataclass(frozen=True, slots=True)
class Tile:
    """``kind``: count, share or seconds. ``of``: of how many calls; ``before_of``: the interval before, likewise."""

    title: str
    kind: str
    value: float | None
    before: float | None
    of: int | None
    before_of: int | None
    change: Change | None


def tiles(now: Line, was: Line | None, report: Report) -> tuple[Tile, ...]:
    """The figures of a total beside those of the interval before. Up is better only for the shares kept."""

    def of(line: Line | None, pick: str) -> int | None:
        if line is None or pick == "calls":
            return None
        return line.base(report.site.variant) if pick == "level" else _calls_of(line, pick)

    def tile(title: str, kind: str, pick: str, better: int) -> Tile:
        value, before = _picked(now, pick, report), _picked(was, pick, report) if was and not was.unseen else None
        changed = change(value, before, kind, better) if report.comparable else None
        return Tile(title, kind, value, before, of(now, pick), of(was, pick), changed)

    return (
        tile(N_("Incoming calls"), "count", "calls", 0),
        tile(N_("Service level"), "share", "level", 1),
        tile(N_("Within three rings"), "share", "three_rings", 1),
        tile(N_("Share abandoned"), "share", "abandon_rate", -1),
        tile(N_("Average speed of answer"), "seconds", "asa_seconds", -1),
        tile(N_("Average handle time"), "seconds", "aht_seconds", 0),
    )


def _picked(line: Line, pick: str, report: Report) -> float | None:
    if pick == "level":
        return line.level(report.site.variant)
    found: float | None = getattr(line.sums, pick)
    return found


def _calls_of(line: Line, pick: str) -> int:
    sums = line.sums
    return {
        "asa_seconds": sums.wait.calls,
        "aht_seconds": sums.talk.calls,
        "three_rings": sums.tally.answered,
        "abandon_rate": sums.abandon_rate_calls,
    }.get(pick, sums.calls)


def change(value: float | None, before: float | None, kind: str, better: int) -> Change | None:
    """``better``: 1 where more is better, -1 where less is, 0 where neither. Shares differ by points of a hundred,
    anything else by a share of what was."""
    if value is None or before is None or (kind != "share" and not before):
        return None
    amount = 100 * (value - before) if kind == "share" else 100 * (value - before) / before
    direction = "same" if abs(amount) < 0.05 else "up" if amount > 0 else "down"
    small = abs(amount) < (LEAST_POINTS if kind == "share" else LEAST_PERCENT)
    good = None if not better or small else (amount > 0) == (better > 0)
    return Change(direction, abs(amount), good)


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of time in the chart, in its units; ``level_y`` is where the service level's point stands."""

    label: str
    x: float
    width: float
    answered: float
    lost: float
    level_y: float | None
    sums: Sums
    level: float | None
    of: int
    """Calls the service level is a share of."""
    to_come: bool


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    most: int
    """Calls at the top."""
    target_y: float
    lines: tuple[str, ...]
    """The points of the service level, broken where there are no calls."""


def chart(report: Report) -> Chart | None:
    """All keys together, by pieces of time; ``None`` where there are too many to tell apart, or one."""
    if not 2 <= len(report.together) <= MAX_BARS or not report.whole.sums.calls:
        return None
    most = max(line.sums.calls for line in report.together)
    step = CHART_WIDTH / len(report.together)
    bars = []
    for number, line in enumerate(report.together):
        sums, level = line.sums, line.level(report.site.variant)
        bars.append(
            Bar(
                line.period.label if line.period else "",
                number * step + step * 0.12,
                step * 0.76,
                CHART_HEIGHT * sums.tally.answered / most,
                CHART_HEIGHT * (sums.calls - sums.tally.answered) / most,
                None if level is None else CHART_HEIGHT * (1 - level),
                sums,
                level,
                line.base(report.site.variant),
                line.to_come,
            )
        )
    return Chart(tuple(bars), most, CHART_HEIGHT * (1 - report.site.target_share), tuple(_polylines(bars)))


def _polylines(bars: Sequence[Bar]) -> list[str]:
    found: list[list[str]] = [[]]
    for bar in bars:
        if bar.level_y is None:
            found.append([])
        else:
            found[-1].append(f"{bar.x + bar.width / 2:.1f},{bar.level_y:.1f}")
    return [" ".join(points) for points in found if len(points) > 1]
