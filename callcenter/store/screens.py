"""What screens need of the store beside the calls: the links that open a wallboard, and what was promised to callers.

Promises: of a link only the SHA-256 of its token is stored; a revoked link is gone; each leaves a line of audit. A
promise is told without the caller's name, number or words.
Never: reads a clock.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, insert, select, update

from callcenter.errors import BadInput
from callcenter.store.database import Database
from callcenter.store.schema import audit, calls, promises, tickets, wallboard_links

MOST_OWED = 500


@dataclass(frozen=True, slots=True)
class WallboardLink:
    """``seen_at``: when a screen last came with it, to the day or so."""

    name: str
    token_hash: str
    created_at: float
    seen_at: float | None


@dataclass(frozen=True, slots=True)
class OpenPromise:
    """A promise that is not kept yet (C2)."""

    ticket_id: int
    number: str
    queue: str | None
    seat: str | None
    due_at: float


class Screens:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- links -------------------------------------------------------------------------------------------------------

    async def add_link(self, link: WallboardLink, by: str) -> None:
        """With a line of audit. Raises ``BadInput`` if there is one of that name. ``by``: who made it."""

        def work(connection: Connection) -> None:
            taken = select(wallboard_links.c.name).where(wallboard_links.c.name == link.name)
            if connection.execute(taken).first() is not None:
                raise BadInput(f"{link.name}: there is a link of that name; revoke it first or choose another name.")
            connection.execute(
                insert(wallboard_links).values(
                    name=link.name, token_hash=link.token_hash, created_at=link.created_at, seen_at=link.seen_at
                )
            )
            connection.execute(insert(audit).values(_line("wallboard_link_made", link.name, by, link.created_at)))

        await self._database.write(work)

    async def revoke_link(self, name: str, by: str, at: float) -> None:
        """With a line of audit. Raises ``BadInput`` if there is none of that name."""

        def work(connection: Connection) -> None:
            if connection.execute(delete(wallboard_links).where(wallboard_links.c.name == name)).rowcount != 1:
                raise BadInput(f"{name}: there is no such link; see 'callcenter wallboard-link list'.")
            connection.execute(insert(audit).values(_line("wallboard_link_revoked", name, by, at)))

        await self._database.write(work)

    async def links(self) -> tuple[WallboardLink, ...]:
        rows = await self._database.rows(select(wallboard_links).order_by(wallboard_links.c.name))
        return tuple(WallboardLink(**row) for row in rows)

    async def link_seen(self, token_hash: str, at: float) -> None:
        c = wallboard_links.c
        statement = update(wallboard_links).where(c.token_hash == token_hash).values(seen_at=at)
        await self._database.write(lambda connection: connection.execute(statement) and None)

    # --- what was promised -------------------------------------------------------------------------------------------

    async def open_promises(self, due_before: float) -> tuple[OpenPromise, ...]:
        """The most urgent first."""
        joined = promises.join(tickets, tickets.c.id == promises.c.ticket_id).outerjoin(
            calls, and_(calls.c.server == tickets.c.server, calls.c.call_id == tickets.c.call_id)
        )
        statement = (
            select(
                *(promises.c.ticket_id, tickets.c.number, calls.c.queue, tickets.c.seat, promises.c.due_at),
            )
            .select_from(joined)
            .where(promises.c.done_at.is_(None), promises.c.due_at < due_before, tickets.c.merged_into.is_(None))
            .order_by(promises.c.due_at, promises.c.id)
            .limit(MOST_OWED)
        )
        return tuple(OpenPromise(**row) for row in await self._database.rows(statement))


def _line(what: str, name: str, by: str, at: float) -> dict[str, object]:
    return {"at": at, "what": what, "by": by, "detail": {"name": name}}
