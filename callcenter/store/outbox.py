"""Commands on their way to performers, and the timers: both are rows, so both survive kill -9.

On the path of a call: after the commit the pipeline wakes a performer, which claims, performs and finishes.
Promises: a command is claimed by one performer; a claimed one whose performer died is never performed again by itself
but becomes ``unknown``, unless its kind may be repeated.
Never: performs anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, case, func, select, update

from callcenter.store.database import Database, fetch
from callcenter.store.schema import outbox, timers


class Result(StrEnum):
    """How a command ended. ``UNKNOWN``: it may or may not have happened, and is not repeated."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A claimed command; ``rules.commands.from_row(kind, payload)`` makes it a command again."""

    command_id: str
    server: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    created_at: float


@dataclass(frozen=True, slots=True)
class Timer:
    key: str
    due_at: float


_ROW = (
    *(outbox.c.command_id, outbox.c.server, outbox.c.kind),
    *(outbox.c.payload, outbox.c.attempts, outbox.c.created_at),
)


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, server: str, now: float, limit: int = 100) -> tuple[OutboxRow, ...]:
        """Takes pending commands, oldest first; nobody else gets them."""
        due = (
            select(outbox.c.position)
            .where(outbox.c.server == server, outbox.c.state == "pending", outbox.c.not_before <= now)
            .order_by(outbox.c.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

        def work(connection: Connection) -> tuple[OutboxRow, ...]:
            positions = list(connection.scalars(due))
            if not positions:
                return ()
            mine = outbox.c.position.in_(positions)
            connection.execute(update(outbox).where(mine).values(state="claimed", attempts=outbox.c.attempts + 1))
            rows = fetch(connection, select(*_ROW).where(mine).order_by(outbox.c.position))
            return tuple(OutboxRow(**row) for row in rows)

        return await self._database.write(work)

    async def finish(self, command_id: str, result: Result, at: float, error: str | None = None) -> None:
        """The end of a claimed command. ``error``: a reason without personal data."""
        values = {"state": result.value, "done_at": at, "error": error}
        await self._set(outbox.c.command_id == command_id, values)

    async def retry(self, command_id: str, not_before: float, error: str | None = None) -> None:
        """Puts a claimed command back, for a performer who knows that it did not happen."""
        values = {"state": "pending", "not_before": not_before, "error": error}
        await self._set(and_(outbox.c.command_id == command_id, outbox.c.state == "claimed"), values)

    async def recover(self, server: str, at: float, repeatable: Collection[str] = ()) -> tuple[OutboxRow, ...]:
        """At the start: settles what a dead performer had claimed. Returns the commands that are ``unknown`` now.

        Kinds in ``repeatable`` (whose effect is the same twice) become pending again.
        """
        claimed = and_(outbox.c.server == server, outbox.c.state == "claimed")
        again = outbox.c.kind.in_(list(repeatable))

        def work(connection: Connection) -> tuple[OutboxRow, ...]:
            lost = fetch(connection, select(*_ROW).where(claimed, ~again).order_by(outbox.c.position))
            connection.execute(
                update(outbox)
                .where(claimed)
                .values(state=case((again, "pending"), else_="unknown"), done_at=case((again, None), else_=at))
            )
            return tuple(OutboxRow(**row) for row in lost)

        return await self._database.write(work)

    async def states(self, server: str) -> Mapping[str, int]:
        """How many commands are in each state."""
        statement = (
            select(outbox.c.state, func.count().label("commands"))
            .where(outbox.c.server == server)
            .group_by(outbox.c.state)
        )
        return {row["state"]: row["commands"] for row in await self._database.rows(statement)}

    async def timers_due(self, server: str, now: float, limit: int = 1_000) -> tuple[Timer, ...]:
        """Timers that are due. Each stays until the batch that handles it cancels it (``CancelTimer``)."""
        return await self._timers(server, now, limit)

    async def next_timer(self, server: str) -> Timer | None:
        """The timer that is due first."""
        first = await self._timers(server, None, 1)
        return first[0] if first else None

    async def timers_of(self, server: str) -> Mapping[str, float]:
        """All timers of a server: key -> when it is due. Read once, at the start."""
        return {timer.key: timer.due_at for timer in await self._timers(server, None, 100_000)}

    async def _timers(self, server: str, due_by: float | None, limit: int) -> tuple[Timer, ...]:
        c = timers.c
        statement = select(c.key, c.due_at).where(c.server == server).order_by(c.due_at, c.key).limit(limit)
        if due_by is not None:
            statement = statement.where(c.due_at <= due_by)
        return tuple(Timer(**row) for row in await self._database.rows(statement))

    async def _set(self, which: Any, values: Mapping[str, Any]) -> None:
        def work(connection: Connection) -> None:
            connection.execute(update(outbox).where(which).values(dict(values)))

        await self._database.write(work)
