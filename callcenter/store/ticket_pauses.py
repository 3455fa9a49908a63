"""When the clocks of a ticket stood still (D1).

After the call: inside the transactions of ``store/clocks``, ``store/tickets`` and ``store/ticket_merge``.
Promises: at most one pause of a ticket goes on; closing ends it; the time from closing to opening again counts nowhere.
Never: begins or ends a transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from callcenter.store.database import fetch
from callcenter.store.schema import ticket_pauses, tickets
from callcenter.tickets.clocks import CLOSED

Row = Mapping[str, Any]


def running(connection: Connection, ticket_id: int) -> Row | None:
    """The pause that goes on."""
    c = ticket_pauses.c
    rows = fetch(connection, select(ticket_pauses).where(c.ticket_id == ticket_id, c.ended_at.is_(None)))
    return rows[0] if rows else None


def begin(connection: Connection, ticket_id: int, reason: str, by: str, at: float, until: float | None = None) -> None:
    values = {"ticket_id": ticket_id, "started_at": at, "ended_at": until, "reason": reason, "by": by}
    connection.execute(insert(ticket_pauses).values(**values, ended_by="" if until is None else by))


def end(connection: Connection, ticket_id: int, by: str, at: float) -> None:
    c = ticket_pauses.c
    going_on = (c.ticket_id == ticket_id, c.ended_at.is_(None))
    connection.execute(update(ticket_pauses).where(*going_on).values(ended_at=at, ended_by=by))


def status_changed(connection: Connection, row: Row, closed: bool, by: str, at: float) -> None:
    """``row``: the ticket as it was before."""
    if closed:
        end(connection, row["id"], by, at)
    elif row["closed_at"] is not None:
        begin(connection, row["id"], CLOSED, by, row["closed_at"], at)


def carry(connection: Connection, ticket_id: int, into_id: int) -> None:
    """A merged ticket's pauses and severity go along, where the remaining one says nothing of its own."""
    moved, into = (fetch(connection, select(tickets).where(tickets.c.id == one))[0] for one in (ticket_id, into_id))
    values = {name: moved[name] for name in ("level", "severity", "plan_at") if into[name] is None and moved[name]}
    if values:
        connection.execute(update(tickets).where(tickets.c.id == into_id).values(**values))
    if running(connection, into_id) is None:
        c, closed_at = ticket_pauses.c, into["closed_at"]
        connection.execute(update(ticket_pauses).where(c.ticket_id == ticket_id).values(ticket_id=into_id))
        if closed_at is not None and (paused := running(connection, into_id)) is not None:
            end(connection, into_id, paused["by"], max(closed_at, paused["started_at"]))
