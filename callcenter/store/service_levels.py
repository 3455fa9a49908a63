"""What became of the hotline's calls, by queue: the counts behind every service level, and what they do not know.

Beside the path of a call: read by the wallboard, by reports and by whoever compares them with the counters.
Promises: by the call's end the counts are those of ``metrics/figures``; by its arrival they are those of a report; a
consultation that became part of another call is none. What nobody observed is told beside the counts, never guessed.
Never: writes, or makes a percentage.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from sqlalchemy import ColumnElement, Subquery, and_, case, func, literal, literal_column, or_, select, union_all

from callcenter.metrics.service_levels import Interval, Tally, Targets
from callcenter.store.database import Database
from callcenter.store.schema import REPORTED, calls, gaps, observed

LONGEST_CALL_SECONDS = 86_400.0
"""A call lasts no longer than a day: so the index on arrivals bounds what is read."""

By = Literal["ended_at", "arrived_at"]
Key = tuple[str, str]
"""A queue ("" for calls that reached none) and its service class."""


class ServiceLevels:
    """One server's counts, each queue by its own target."""

    def __init__(self, database: Database, server: str, targets: Targets) -> None:
        self._database = database
        self._server = server
        self._targets = targets

    async def service_levels(self, since: float, until: float, by: By = "ended_at") -> Mapping[Key, Interval]:
        """The calls that ended (or arrived) from ``since`` to before ``until``, both epoch seconds.

        A call whose end or arrival was not seen counts where it was last written down.
        """
        calls = ended_calls(self._server, since, until, by)
        statement = select(calls.c.queue, *self.columns(calls).values()).group_by(calls.c.queue)
        found: dict[Key, Interval] = {}
        for row in await self._database.rows(statement):
            key = row["queue"] or "", self._targets.of(row["queue"]).service_class
            found[key] = found.get(key, Interval()) + _interval(row)
        return found

    def columns(self, calls: Subquery) -> dict[str, ColumnElement[int]]:
        """The sums of a ``Tally``, and ``recovered``, over ``ended_calls``."""
        c = calls.c
        in_time = c.wait_seconds <= self._bound(calls, "seconds")
        short = c.wait_seconds <= self._bound(calls, "short_seconds")
        answered, abandoned, overflowed = (c.outcome == name for name in ("answered", "abandoned", "overflowed"))
        parts: Mapping[str, ColumnElement[bool]] = {
            "answered": answered,
            "answered_in_time": and_(answered, in_time),
            "abandoned": abandoned,
            "abandoned_in_time": and_(abandoned, in_time),
            "abandoned_short": and_(abandoned, short),
            "overflowed": overflowed,
            "other": or_(c.outcome.is_(None), c.outcome.not_in(("answered", "abandoned", "overflowed"))),
            "recovered": c.recovered,
        }
        return {name: func.sum(case((true, 1), else_=0)).label(name) for name, true in parts.items()}

    def _bound(self, calls: Subquery, name: str) -> ColumnElement[float]:
        """A queue's own seconds."""
        default: float = getattr(self._targets.default, name)
        queues: dict[float, list[str]] = {}
        for queue, target in self._targets.queues.items():
            if (seconds := getattr(target, name)) != default:
                queues.setdefault(seconds, []).append(queue)
        whens = [(calls.c.queue.in_(names), literal(seconds)) for seconds, names in sorted(queues.items())]
        return case(*whens, else_=literal(default)) if whens else literal(default)

    async def unobserved(self, since: float, until: float) -> float:
        """Seconds of the interval in which nobody listened to Asterisk."""
        seconds, seen = 0.0, since
        for began, ended in await self.gaps(since, until):
            seconds += max(0.0, ended - max(seen, began))
            seen = max(seen, ended)
        return seconds

    async def gaps(self, since: float, until: float) -> Sequence[tuple[float, float]]:
        """When nobody listened to Asterisk, cut to the interval, by their beginning; they may overlap after a crash. An
        open gap lasts until ``until``, and all is one before the first moment that was observed."""
        c = gaps.c
        touching = and_(c.server == self._server, c.started_at < until, or_(c.ended_at.is_(None), c.ended_at > since))
        rows = await self._database.rows(select(c.started_at, c.ended_at).where(touching))
        first = await self.observed_since()
        found = [(since, until if first is None else min(first, until))] if first is None or first > since else []
        for row in rows:
            ended = until if row["ended_at"] is None else min(row["ended_at"], until)
            found.append((max(since, row["started_at"]), ended))
        return sorted(found)

    async def observed_since(self) -> float | None:
        """Since when Asterisk is listened to, apart from gaps; ``None`` where it never was."""
        found: float | None = await self._database.scalar(
            select(observed.c.since).where(observed.c.server == self._server)
        )
        return found


def of_hotline(server: str) -> tuple[ColumnElement[bool], ...]:
    """The hotline's ended calls, each once: what ``ix_calls_reported`` is of. Written out: a database cannot know
    that a parameter fits that."""
    c = calls.c
    ended = (c.direction == literal_column("'inbound'"), c.phase == literal_column("'ended'"))
    return (c.server == server, *ended, c.merged_into.is_(None))


def ended_calls(server: str, since: float, until: float, by: By, more: Sequence[str] = ()) -> Subquery:
    """The columns ``REPORTED`` of the hotline's ended calls, each once, by their arrival or end; by the moment at which
    it was last written down where that was not seen.

    Two searches of the index ``ix_calls_reported``, which holds all these columns; with "or" it would be read whole.
    ``more``: columns beside them, for which the calls' own rows are read.
    """
    c = calls.c
    at = func.coalesce(c[by], c.updated_at)
    chosen = (*of_hotline(server), at >= since, at < until)
    earliest = since if by == "arrived_at" else since - LONGEST_CALL_SECONDS
    columns = [c[name] for name in (*REPORTED, *more)]
    seen = select(*columns).where(*chosen, c.arrived_at >= earliest, c.arrived_at < until)
    unseen = select(*columns).where(*chosen, c.arrived_at.is_(None))
    return union_all(seen, unseen).subquery("hotline")


def _interval(row: Mapping[str, int]) -> Interval:
    counts = {name: int(value) for name, value in row.items() if name not in ("queue", "recovered")}
    return Interval(Tally(**counts), int(row["recovered"]))
