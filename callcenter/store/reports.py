"""The hotline's calls added up for reports: by stretches of time, queue and seat.

Beside the path of a call: read by ``reports/reading`` for the page and for ``callcenter report``.
Promises: calls are counted by their arrival, each once, the same as in ``service_levels``; a wrap-up is what lies
between a call's end and the moment at which its ticket was closed or left open. Large answers come in parts, so that
nothing else waits for them. Three rings and long holds (A1, B2) are read apart: only a call's details tell them, and
whoever asks for no more than counts and means reads the index alone.
Never: writes, makes a percentage, or reads a caller's number or name.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, Text, and_, case, cast, func, literal, select
from sqlalchemy.sql.elements import Label

from callcenter.metrics.service_levels import Targets
from callcenter.metrics.survey import SATISFIED, SCALE
from callcenter.metrics.today import LONG_HOLD_SECONDS, THREE_RINGS
from callcenter.reports.figures import LONGEST_WRAP_UP_SECONDS, NUMBERS, STANDARD, Arrival, Cell, Wait
from callcenter.store import first_line
from callcenter.store.database import Database
from callcenter.store.schema import tickets
from callcenter.store.service_levels import ServiceLevels, ended_calls

ROWS_AT_ONCE = 2_000
FROM_INDEX = tuple(name for name in NUMBERS if name not in STANDARD)
NO_STANDARD = (0.0,) * len(STANDARD)
NOTHING_ELSE = (0.0,) * len(FROM_INDEX)


class Reports:
    """One server's history, each queue by its own target. It is a ``reports.reading.Source``."""

    def __init__(self, database: Database, server: str, targets: Targets, groups: Sequence[Sequence[str]] = ()) -> None:
        """``groups``: the seats of each group, who solve each other's calls (E3)."""
        self._groups = groups
        self._database = database
        self._server = server
        self._levels = ServiceLevels(database, server, targets)

    async def cells(self, since: float, until: float, seconds: int, seats: bool) -> AsyncIterator[Sequence[Cell]]:
        calls = self._calls(since, until)
        named = _keys(calls, seconds, seats)
        solved = first_line.columns(calls, self._groups)
        sums = self._levels.columns(calls) | _answers(calls) | solved | _timed(calls)
        statement = (
            select(*named, *(sums[name] for name in FROM_INDEX))
            .select_from(calls.outerjoin(tickets, _ticket_of(calls)))
            .group_by(*(key.name for key in named))
        )
        async for rows in self._parts(statement):
            yield [Cell(float(row[0] * seconds), row[1], row[2], (*row[3:], *NO_STANDARD)) for row in rows]

    async def standard(self, since: float, until: float, seconds: int, seats: bool) -> AsyncIterator[Sequence[Cell]]:
        calls = self._calls(since, until, "breaches")
        keys = _keys(calls, seconds, seats)
        broken = and_(calls.c.outcome == "answered", cast(calls.c.breaches, Text).contains(f'"{THREE_RINGS}"'))
        counted = select(*keys, func.count()).where(broken).group_by(*(key.name for key in keys))
        async for rows in self._parts(counted):
            yield [Cell(row[0] * float(seconds), row[1], row[2], (*NOTHING_ELSE, row[3], 0)) for row in rows]
        calls = self._calls(since, until, "detail")
        # No hold is longer than all of them together, which the index knows: few calls' details are read.
        held = select(*_keys(calls, seconds, seats), calls.c.detail["holds"]).where(
            calls.c.hold_seconds > LONG_HOLD_SECONDS
        )
        async for rows in self._parts(held):
            yield [Cell(row[0] * float(seconds), row[1], row[2], (*NOTHING_ELSE, 0, _long(row[3]))) for row in rows]

    async def waits(self, since: float, until: float, seats: bool) -> AsyncIterator[Sequence[Wait]]:
        calls = self._calls(since, until)
        c = calls.c
        seat = func.coalesce(c.answered_by, "") if seats else literal("")
        statement = select(_arrived(calls), _queue(calls), seat, c.wait_seconds).where(
            c.outcome == "answered", c.wait_seconds.is_not(None)
        )
        async for rows in self._parts(statement):
            yield rows

    async def recovered(self, since: float, until: float, seats: bool) -> AsyncIterator[Sequence[Arrival]]:
        calls = self._calls(since, until)
        seat = func.coalesce(calls.c.answered_by, "") if seats else literal("")
        async for rows in self._parts(select(_arrived(calls), _queue(calls), seat).where(calls.c.recovered)):
            yield rows

    async def arrivals(
        self, since: float, until: float, seconds: int, queue: str | None
    ) -> Sequence[tuple[float, int]]:
        calls = self._calls(since, until)
        number = _stretch(calls, seconds).label("number")
        columns: list[ColumnElement[Any]] = [number, func.count()]
        statement = select(*columns).select_from(calls).group_by("number")
        if queue is not None:
            statement = statement.where(_queue(calls) == queue)
        found: list[tuple[float, int]] = []
        async for rows in self._parts(statement):
            found += [(float(number * seconds), many) for number, many in rows]
        return found

    async def gaps(self, since: float, until: float) -> Sequence[tuple[float, float]]:
        return await self._levels.gaps(since, until)

    async def observed_since(self) -> float | None:
        return await self._levels.observed_since()

    async def queues(self, since: float, until: float) -> Sequence[str]:
        """The queues that had calls in the interval, by name."""
        queue = self._calls(since, until).c.queue
        rows = await self._database.rows(select(queue).where(queue.is_not(None)).distinct())
        return sorted(row["queue"] for row in rows)

    def _calls(self, since: float, until: float, *more: str) -> Subquery:
        """``more``: columns that the index does not hold."""
        return ended_calls(self._server, since, until, "arrived_at", more)

    async def _parts(self, statement: Select[*tuple[Any, ...]]) -> AsyncIterator[Sequence[Any]]:
        async with self._database.read() as connection:
            result = await connection.stream(statement)
            async for rows in result.partitions(ROWS_AT_ONCE):
                yield rows


def _arrived(calls: Subquery) -> ColumnElement[float]:
    return func.coalesce(calls.c.arrived_at, calls.c.updated_at)


def _queue(calls: Subquery) -> ColumnElement[str]:
    return func.coalesce(calls.c.queue, "")


def _keys(calls: Subquery, seconds: int, seats: bool) -> list[Label[Any]]:
    """What cells are told apart by: stretch, queue, seat."""
    seat = func.coalesce(calls.c.answered_by, "") if seats else literal("")
    return [key.label(f"key_{number}") for number, key in enumerate((_stretch(calls, seconds), _queue(calls), seat))]


def _long(holds: Sequence[Mapping[str, Any]] | None) -> int:
    """B2, as ``metrics/today`` counts them: holds that are over and were longer."""
    ends = [(hold["started_at"], hold["ended_at"]) for hold in holds or ()]
    return sum(until is not None and until - since > LONG_HOLD_SECONDS for since, until in ends)


def _stretch(calls: Subquery, seconds: int) -> ColumnElement[int]:
    """The number of the stretch that a call arrived in: rounded down. In a cast SQLite cuts and PostgreSQL rounds; only
    rounding up has to be undone."""
    number = _arrived(calls) / float(seconds)
    cut = cast(number, BigInteger)
    return case((cut > number, cut - 1), else_=cut)


def _ticket_of(calls: Subquery) -> ColumnElement[bool]:
    return and_(tickets.c.server == calls.c.server, tickets.c.call_id == calls.c.call_id)


def _answers(calls: Subquery) -> dict[str, ColumnElement[Any]]:
    """D8: callers who answered the question after the call, and those who were satisfied."""
    parts = {"answers": SCALE, "satisfied": SATISFIED}
    return {name: func.sum(case((calls.c.survey.in_(keys), 1), else_=0)) for name, keys in parts.items()}


def _timed(calls: Subquery) -> dict[str, ColumnElement[Any]]:
    """Calls and seconds of each ``reports.figures.Total``."""
    c, t = calls.c, tickets.c
    answered = c.outcome == "answered"
    wrapup = func.coalesce(t.left_open_at, t.closed_at) - c.ended_at
    parts: dict[str, tuple[ColumnElement[bool], ColumnElement[float]]] = {
        "wait": (and_(answered, c.wait_seconds.is_not(None)), c.wait_seconds),
        "given_up": (and_(c.outcome == "abandoned", c.wait_seconds.is_not(None)), c.wait_seconds),
        "talk": (and_(answered, c.talk_seconds.is_not(None)), c.talk_seconds),
        "hold": (and_(answered, c.talk_seconds.is_not(None)), c.hold_seconds),
        "wrapup": (and_(answered, wrapup >= 0, wrapup <= LONGEST_WRAP_UP_SECONDS), wrapup),
    }
    found: dict[str, ColumnElement[Any]] = {}
    for name, (known, seconds) in parts.items():
        found[f"{name}_calls"] = func.sum(case((known, 1), else_=0))
        found[f"{name}_seconds"] = func.sum(case((known, seconds), else_=0.0))
    return found
