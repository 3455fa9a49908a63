"""The event log, the gaps in it, how far the link and the call records were followed, and what may be forgotten.

On the path of a call: read at the start of the daemon, to rebuild running calls from the log's tail.
Promises: the tail is told in the order in which it was committed; a purge never takes what a running call needs.
Never: decodes a payload.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, or_, select

from callcenter.store.batch import CdrPosition, Gap
from callcenter.store.database import Database
from callcenter.store.schema import calls, cdr_state, event_log, gaps, observed, outbox

PAGE_ROWS = 500


@dataclass(frozen=True, slots=True)
class LogRow:
    position: int
    server: str
    at: float
    payload: bytes


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows were removed."""

    log_rows: int
    commands: int


class Journal:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def tail(self, server: str, from_position: int = 0) -> AsyncIterator[LogRow]:
        """The log of a server from a position on (included), read in pieces."""
        c = event_log.c
        while True:
            statement = (
                select(c.position, c.server, c.at, c.payload)
                .where(c.server == server, c.position >= from_position)
                .order_by(c.position)
                .limit(PAGE_ROWS)
            )
            rows = await self._database.rows(statement)
            for row in rows:
                yield LogRow(**row)
            if len(rows) < PAGE_ROWS:
                return
            from_position = rows[-1]["position"] + 1

    async def replay_from(self, server: str) -> int | None:
        """The log position from which the running calls can be rebuilt; ``None`` if no call is running."""
        position: int | None = await self._database.scalar(_first_needed(server))
        return position

    async def observed_until(self, server: str) -> float | None:
        """Until when the link was known to work: where an unobserved time begins after a crash."""
        statement = select(observed.c.until).where(observed.c.server == server)
        until: float | None = await self._database.scalar(statement)
        return until

    async def gaps(self, server: str, since: float, until: float) -> tuple[Gap, ...]:
        """Unobserved times that touch the interval, oldest first; an open one has no end."""
        c = gaps.c
        touching = and_(c.started_at < until, or_(c.ended_at.is_(None), c.ended_at > since))
        statement = select(c.started_at, c.ended_at, c.reason).where(c.server == server, touching)
        return tuple(Gap(**row) for row in await self._database.rows(statement.order_by(c.started_at)))

    async def open_gaps(self, server: str) -> tuple[Gap, ...]:
        """Unobserved times without an end: the link was down when the daemon ended."""
        c = gaps.c
        statement = select(c.started_at, c.ended_at, c.reason).where(c.server == server, c.ended_at.is_(None))
        return tuple(Gap(**row) for row in await self._database.rows(statement.order_by(c.started_at)))

    async def cdr_position(self, server: str, file: str) -> CdrPosition | None:
        """How far a file of call records was read."""
        c = cdr_state.c
        statement = select(c.file, c.inode, c.offset).where(c.server == server, c.file == file)
        rows = await self._database.rows(statement)
        return CdrPosition(**rows[0]) if rows else None

    async def purge(self, server: str, before: float) -> Purged:
        """Forgets log rows older than ``before`` that no running call needs, and finished commands of that time.

        A command is kept as long as a replay of the log could ask for it again.
        """

        def work(connection: Connection) -> Purged:
            needed = connection.execute(_first_needed(server)).scalar_one_or_none()
            stale = [event_log.c.server == server, event_log.c.at < before]
            if needed is not None:
                stale.append(event_log.c.position < needed)
            rows = connection.execute(delete(event_log).where(*stale))
            oldest = select(func.min(event_log.c.at)).where(event_log.c.server == server)
            kept_since = connection.execute(oldest).scalar_one()
            horizon = before if kept_since is None else min(before, kept_since)
            done = outbox.c.state.in_(("done", "failed", "unknown"))
            stale_commands = and_(outbox.c.server == server, done, outbox.c.created_at < horizon)
            commands = connection.execute(delete(outbox).where(stale_commands))
            return Purged(rows.rowcount, commands.rowcount)

        return await self._database.write(work)


def _first_needed(server: str) -> Select[Any]:
    running = and_(calls.c.server == server, calls.c.phase != "ended", calls.c.merged_into.is_(None))
    return select(func.min(calls.c.first_position)).where(running)
