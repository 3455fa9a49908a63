"""Moments and stretches of time: the small arithmetic that ``calls/derive`` reasons with.

Never: knows a call. An interval is (start, end) in epoch seconds, start <= end; a list of them is sorted and disjoint
where a function says so.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Interval: TypeAlias = tuple[float, float]


def earliest(*moments: float | None) -> float | None:
    """The first of those that are known."""
    first: float | None = None
    for moment in moments:
        if moment is not None and (first is None or moment < first):
            first = moment
    return first


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted, disjoint, touching ones joined."""
    out: list[Interval] = []
    for start, end in sorted(intervals):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        elif end > start:
            out.append((start, end))
    return out


def intersect(a: list[Interval], b: list[Interval]) -> list[Interval]:
    """What is in both; both sorted and disjoint."""
    return [(max(s, start), min(e, end)) for s, e in a for start, end in b if min(e, end) > max(s, start)]


def subtract(a: list[Interval], b: list[Interval]) -> list[Interval]:
    """What is in ``a`` and not in ``b``; both sorted and disjoint."""
    out = []
    for start, end in a:
        for s, e in b:
            if e <= start or s >= end:
                continue
            if s > start:
                out.append((start, s))
            start = max(start, e)
        if end > start:
            out.append((start, end))
    return out


def total(intervals: Iterable[Interval]) -> float:
    """Seconds in sorted, disjoint intervals."""
    return sum(end - start for start, end in intervals)


def pairs(moments: Sequence[tuple[float, bool]]) -> list[tuple[float, float | None]]:
    """On-off notes in any order to (on, off); an "off" without "on" is nothing, an "on" again changes nothing."""
    out: list[tuple[float, float | None]] = []
    since: float | None = None
    for at, on in sorted(moments, key=lambda moment: (moment[0], not moment[1])):
        if on and since is None:
            since = at
        elif not on and since is not None:
            out.append((since, at))
            since = None
    if since is not None:
        out.append((since, None))
    return out


def stays(moves: Sequence[tuple[float, str, bool]], gone_at: float | None, until: float) -> list[tuple[str, Interval]]:
    """Enter and leave notes in any order to (bridge, stay); an open stay ends with the leg, or ``until``."""
    out: list[tuple[str, Interval]] = []
    since: dict[str, float] = {}
    for at, bridge, entered in sorted(moves, key=lambda move: (move[0], not move[2])):
        if entered:
            since.setdefault(bridge, at)
        elif bridge in since:
            out.append((bridge, (since.pop(bridge), at)))
    end = until if gone_at is None else gone_at
    out += [(bridge, (start, max(start, end))) for bridge, start in since.items()]
    return out
