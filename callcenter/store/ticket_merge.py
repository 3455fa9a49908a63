"""Two tickets become one when their calls do: a consultation call joined into the customer's call.

Promises: typed texts, promises, pauses and steps go along with the name of whoever wrote them; what does not fit stays
on the merged ticket, which is kept, points to the other one and leaves lists and counts.
Never: replaces a text that a person typed into the remaining ticket.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from callcenter.calls.model import Call
from callcenter.store import call_rows, ticket_pauses, ticket_rows
from callcenter.store.database import fetch
from callcenter.store.schema import promises, ticket_changes, tickets
from callcenter.store.step_tables import ticket_steps
from callcenter.tickets.model import FIELDS, TicketRef

Row = Mapping[str, Any]


def merge(connection: Connection, server: str, merged: Iterable[Call], at: float) -> dict[str, TicketRef]:
    """Takes the tickets of merged calls into those of the calls they became part of; the latter's refs by call id."""
    refs = {}
    for call in merged:
        into = call_rows.clean(call.merged_into or "")
        rows = {row["call_id"]: row for row in ticket_rows.lock_by_calls(connection, server, [call.call_id, into])}
        ref = _merge_one(connection, rows.get(call.call_id), rows.get(into), into, at)
        if ref is not None:
            refs[call.call_id] = ref
    return refs


def _merge_one(
    connection: Connection, ticket: Row | None, into: Row | None, into_call_id: str, at: float
) -> TicketRef | None:
    """Merges ``ticket`` into ``into`` (both locked) and returns the remaining one; None if there is nothing to do."""
    if ticket is None or ticket["merged_into"] is not None:
        return None
    if into is None:
        # The other call has no ticket yet: this one becomes its ticket.
        connection.execute(
            update(tickets).where(tickets.c.id == ticket["id"]).values(call_id=into_call_id, updated_at=at)
        )
        return TicketRef(ticket["id"], ticket["number"])
    into = _remaining(connection, into)
    if into["id"] == ticket["id"]:
        return None
    _carry_texts(connection, ticket, into, at)
    _carry_promises(connection, ticket["id"], into["id"])
    ticket_pauses.carry(connection, ticket["id"], into["id"])
    moved = update(ticket_steps).where(ticket_steps.c.ticket_id == ticket["id"]).values(ticket_id=into["id"])
    connection.execute(moved)
    connection.execute(
        update(tickets)
        .where(tickets.c.id == ticket["id"])
        .values(merged_into=into["id"], version=tickets.c.version + 1, updated_at=at)
    )
    return TicketRef(into["id"], into["number"])


def _remaining(connection: Connection, row: Row) -> Row:
    while row["merged_into"] is not None:
        statement = select(tickets).where(tickets.c.id == row["merged_into"]).with_for_update()
        (row,) = fetch(connection, statement)
    return row


def _carry_texts(connection: Connection, ticket: Row, into: Row, at: float) -> None:
    texts = {name: text for name in ticket["typed"] if (text := _joined(name, ticket, into)) != into[name]}
    if not texts:
        return
    writers = _writers(connection, ticket["id"])
    version = into["version"] + 1
    fields = ticket_rows.fields_of(into) | texts
    connection.execute(
        insert(ticket_changes),
        [
            {
                "ticket_id": into["id"],
                "version": version,
                "field": name,
                "old": into[name],
                "new": text,
                "changed_by": writers[name],
                "origin": f"merge:{ticket['id']}",
                "at": at,
            }
            for name, text in texts.items()
        ],
    )
    typed = [name for name in FIELDS if name in {*into["typed"], *texts}]
    found_by = ticket_rows.found_by(into["number"], into["caller_number"], fields)
    connection.execute(
        update(tickets)
        .where(tickets.c.id == into["id"])
        .values(**texts, **found_by, typed=typed, version=version, updated_at=at)
    )


def _joined(name: str, ticket: Row, into: Row) -> str:
    """The text of a field after the merge."""
    mine, theirs = ticket[name], into[name]
    if name not in into["typed"]:
        return str(mine or theirs)
    joined = f"{theirs}\n{mine}" if FIELDS[name].multiline and mine and mine not in theirs else theirs
    return str(joined if len(joined) <= FIELDS[name].max_chars else theirs)


def _writers(connection: Connection, ticket_id: int) -> dict[str, str]:
    """Who wrote each field last."""
    statement = (
        select(ticket_changes.c.field, ticket_changes.c.changed_by)
        .where(ticket_changes.c.ticket_id == ticket_id)
        .order_by(ticket_changes.c.id)
    )
    return {row.field: row.changed_by for row in connection.execute(statement)}


def _carry_promises(connection: Connection, ticket_id: int, into_id: int) -> None:
    statement = select(promises).where(promises.c.ticket_id.in_([ticket_id, into_id]))
    rows = fetch(connection, statement)
    taken = {row["key"] for row in rows if row["ticket_id"] == into_id}
    for row in rows:
        if row["ticket_id"] == ticket_id:
            key = f"m{row['id']}" if row["key"] in taken else row["key"]
            connection.execute(update(promises).where(promises.c.id == row["id"]).values(ticket_id=into_id, key=key))
