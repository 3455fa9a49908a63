"""Reading stored calls: one, the running ones, and the counts that metrics begin with.

Promises: a merged call is no call of its own in counts. Never: writes.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, exists, func, or_, select, tuple_

from callcenter.calls.model import Call
from callcenter.store import call_rows
from callcenter.store.database import Database
from callcenter.store.schema import calls, tickets

DAY_PAGE = 500


@dataclass(frozen=True, slots=True)
class CallCount:
    """Ended calls of one kind."""

    direction: str
    queue: str | None
    outcome: str | None
    calls: int


@dataclass(frozen=True, slots=True)
class SeatFigures:
    """One seat's hotline calls since an instant. ``within_three_rings``: answered without a breach of A1."""

    answered: int
    within_three_rings: int
    missed: int
    talk_seconds: float


class Calls:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, server: str, call_id: str) -> Call | None:
        statement = select(calls).where(calls.c.server == server, calls.c.call_id == call_id)
        rows = await self._database.rows(statement)
        return call_rows.to_call(rows[0]) if rows else None

    async def running(self, server: str) -> tuple[Call, ...]:
        """Calls without an end, in order of arrival; after a crash some of them may have ended meanwhile."""
        running = and_(calls.c.server == server, calls.c.phase != "ended", calls.c.merged_into.is_(None))
        statement = select(calls).where(running).order_by(calls.c.arrived_at, calls.c.call_id)
        return tuple(call_rows.to_call(row) for row in await self._database.rows(statement))

    async def ended_since(self, server: str, since: float) -> tuple[Call, ...]:
        """Calls that somebody answered and that ended since the instant, the last one last."""
        c = calls.c
        ended = and_(c.server == server, c.ended_at >= since, c.answered_by.is_not(None), c.merged_into.is_(None))
        # A call lasts no longer than a day: the index on arrivals bounds what is read.
        statement = select(calls).where(ended, c.arrived_at >= since - 86_400.0).order_by(c.ended_at, c.call_id)
        return tuple(call_rows.to_call(row) for row in await self._database.rows(statement))

    async def of_day(self, server: str, since: float) -> AsyncIterator[tuple[Call, float]]:
        """Calls from outside that ended since the instant, each with when it was last written down; a page at a time,
        so that nobody waits behind a long day."""
        c = calls.c
        arrived = func.coalesce(c.arrived_at, 0.0)
        chosen = and_(
            *(c.server == server, c.direction == "inbound", c.phase == "ended", c.merged_into.is_(None)),
            func.coalesce(c.ended_at, c.updated_at) >= since,
            or_(c.arrived_at.is_(None), c.arrived_at >= since - 86_400.0),
        )
        last: tuple[float, str] | None = None
        while True:
            behind = [] if last is None else [tuple_(arrived, c.call_id) > tuple_(*last)]
            statement = select(calls).where(chosen, *behind).order_by(arrived, c.call_id).limit(DAY_PAGE)
            rows = await self._database.rows(statement)
            for row in rows:
                yield call_rows.to_call(row), row["updated_at"]
            if len(rows) < DAY_PAGE:
                return
            last = rows[-1]["arrived_at"] or 0.0, rows[-1]["call_id"]

    async def of_seat(self, server: str, seat: str, since: float) -> SeatFigures:
        """What a seat answered and missed; ``since`` bounds how many rows are read."""
        c = calls.c
        recent = and_(c.server == server, c.arrived_at >= since, c.direction == "inbound", c.merged_into.is_(None))
        columns = (c.answered_by, c.breaches, c.talk_seconds, c.detail)
        answered = within = missed = 0
        talk = 0.0
        for row in await self._database.rows(select(*columns).where(recent)):
            missed += row["detail"].get("seats_missed", []).count(seat)
            if row["answered_by"] == seat:
                answered += 1
                within += not any(breach["rule"] == "A1" for breach in row["breaches"])
                talk += row["talk_seconds"] or 0.0
        return SeatFigures(answered, within, missed, talk)

    async def phases(self, server: str, call_ids: Collection[str]) -> Mapping[str, str]:
        """The phase of each of these calls that is stored: what recovery from call records need not add."""
        statement = select(calls.c.call_id, calls.c.phase).where(
            calls.c.server == server, calls.c.call_id.in_(list(call_ids))
        )
        return {row["call_id"]: row["phase"] for row in await self._database.rows(statement)}

    async def counts(self, server: str) -> tuple[CallCount, ...]:
        """Ended calls by direction, queue and outcome, over all times."""
        kind = (calls.c.direction, calls.c.queue, calls.c.outcome)
        ended = and_(calls.c.server == server, calls.c.phase == "ended", calls.c.merged_into.is_(None))
        statement = select(*kind, func.count().label("calls")).where(ended).group_by(*kind).order_by(*kind)
        return tuple(CallCount(**row) for row in await self._database.rows(statement))

    async def without_ticket(self, server: str, limit: int = 100) -> tuple[str, ...]:
        """Calls that have no ticket (C1 says there are none): merged calls need none of their own."""
        has = exists().where(tickets.c.server == calls.c.server, tickets.c.call_id == calls.c.call_id)
        missing = and_(calls.c.server == server, calls.c.merged_into.is_(None), ~has)
        statement = select(calls.c.call_id).where(missing).order_by(calls.c.arrived_at).limit(limit)
        return tuple(row["call_id"] for row in await self._database.rows(statement))
