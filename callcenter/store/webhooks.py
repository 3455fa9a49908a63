"""What is still to be told to the site's own systems ([webhooks]), and how it ended.

Beside the path of a call: below ``effects/webhooks``; the rows are born in ``store/commit``, with the call's end.
Promises: what waits is there after kill -9; a row leaves "waiting" once. Never: knows what is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from callcenter.store.database import Database
from callcenter.store.webhook_tables import webhook_deliveries

WAITING, DONE, GIVEN_UP = "waiting", "done", "given_up"
MAX_ERROR = 200


@dataclass(frozen=True, slots=True)
class Delivery:
    """Instants are epoch seconds. ``attempts``: those that have failed."""

    message_id: str
    event: str
    call_id: str
    created_at: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Pending:
    """How many wait, and since when the oldest does."""

    count: int
    oldest_at: float | None


class Webhooks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, server: str, webhook: str, now: float, limit: int) -> Sequence[Delivery]:
        """What is to be told to this system by now, oldest first."""
        d = webhook_deliveries.c
        wanted = (d.server == server, d.webhook == webhook, d.state == WAITING, d.not_before <= now)
        statement = select(d.message_id, d.event, d.call_id, d.created_at, d.attempts).where(*wanted)
        rows = await self._database.rows(statement.order_by(d.not_before, d.message_id).limit(limit))
        return [Delivery(**row) for row in rows]

    async def pending(self, server: str, webhook: str) -> Pending:
        d = webhook_deliveries.c
        wanted = (d.server == server, d.webhook == webhook, d.state == WAITING)
        (row,) = await self._database.rows(
            select(func.count().label("count"), func.min(d.created_at).label("oldest_at")).where(*wanted)
        )
        return Pending(row["count"], row["oldest_at"])

    async def ended(self, message_id: str, state: str) -> None:
        """It was told, or given up."""
        await self._change(message_id, state=state)

    async def postponed(self, message_id: str, not_before: float, attempts: int, error: str) -> None:
        await self._change(message_id, not_before=not_before, attempts=attempts, error=error[:MAX_ERROR])

    async def forget(self, server: str, before: float) -> None:
        """What was created before then, also what waits for a system that is no longer named."""
        d = webhook_deliveries.c

        def work(connection: Connection) -> None:
            connection.execute(delete(webhook_deliveries).where(d.server == server, d.created_at < before))

        await self._database.write(work)

    async def _change(self, message_id: str, **values: str | float) -> None:
        d = webhook_deliveries.c

        def work(connection: Connection) -> None:
            waiting = (d.message_id == message_id, d.state == WAITING)
            connection.execute(update(webhook_deliveries).where(*waiting).values(values))

        await self._database.write(work)
