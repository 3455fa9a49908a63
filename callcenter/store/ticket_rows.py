"""Tickets inside the pipeline's transaction: opened when missing (C1), filled in by machines, merged with their calls.

Promises: one ticket per call; what a person typed stays, also when two calls become one; numbers count from 1 on each
day of the site and are given out once.
Never: begins or ends a transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from types import MappingProxyType
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.model import Call
from callcenter.store import call_rows, ticket_merge
from callcenter.store.database import fetch
from callcenter.store.schema import ticket_days, tickets
from callcenter.store.upsert import add_up
from callcenter.tickets.model import (
    FIELDS,
    Status,
    Ticket,
    TicketPatch,
    TicketRef,
    fill_in,
    format_number,
    local_day,
    number_key,
    search_text,
    storable,
)

_MACHINE = (*FIELDS, "seat", "caller_number", "caller_key", "phone_key", "search_text", "recovered")
_FILL = (
    update(tickets)
    .where(tickets.c.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in (*_MACHINE, "updated_at")} | {"version": tickets.c.version + 1})
)


async def open_and_fill(
    connection: AsyncConnection, server: str, patches: Sequence[TicketPatch], at: float, zone: tzinfo
) -> dict[str, TicketRef]:
    """The tickets of the patches' calls, by call id."""
    wanted = combine(patches)
    if not wanted:
        return {}
    rows = await lock_by_calls(connection, server, wanted)
    await _fill(connection, [_filled(row, wanted[row["call_id"]], at) for row in rows])
    refs = {row["call_id"]: TicketRef(row["id"], row["number"]) for row in rows}
    missing = [patch for call_id, patch in wanted.items() if call_id not in refs]
    return refs | await _open(connection, server, missing, at, zone)


def combine(patches: Iterable[TicketPatch]) -> dict[str, TicketPatch]:
    """One patch per call: later knowledge over earlier, the first arrival kept."""
    combined: dict[str, TicketPatch] = {}
    for patch in patches:
        call_id = call_rows.cell(patch.call_id)
        before = combined.get(call_id, TicketPatch(call_id))
        combined[call_id] = TicketPatch(
            call_id,
            patch.opened_at if before.opened_at is None else before.opened_at,
            patch.caller_number or before.caller_number,
            before.seat if patch.seat is None else patch.seat,
            {**before.fields, **{name: text for name, text in patch.fields.items() if text}},
            patch.recovered or before.recovered,
        )
    return combined


async def lock_by_calls(connection: AsyncConnection, server: str, call_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The tickets of these calls, kept from other writers until the transaction ends, always in the same order."""
    statement = (
        select(tickets)
        .where(tickets.c.server == server, tickets.c.call_id.in_(list(call_ids)))
        .order_by(tickets.c.id)
        .with_for_update()
    )
    return await fetch(connection, statement)


def found_by(number: str, caller_number: str, fields: Mapping[str, str]) -> dict[str, str]:
    """The columns that a ticket is found by; they follow its texts."""
    return {
        "caller_key": number_key(caller_number),
        "phone_key": number_key(fields["phone"]),
        "search_text": search_text(number, caller_number, fields),
    }


def fields_of(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: row[name] for name in FIELDS}


def to_ticket(row: Mapping[str, Any]) -> Ticket:
    """A ticket from a row of ``tickets`` with the columns of ``FACTS`` of its call, if it was joined."""
    facts = call_rows.to_facts(row) if row.get("direction") is not None else None
    return Ticket(
        **{name: row[name] for name in _SAME},
        status=Status(row["status"]),
        fields=MappingProxyType(fields_of(row)),
        typed=frozenset(row["typed"]),
        call=facts,
    )


_SAME = (
    *("id", "number", "server", "call_id", "opened_at", "closed_at", "closed_by", "seat", "caller_number"),
    *("recovered", "merged_into", "version", "updated_at"),
)


def _filled(row: Mapping[str, Any], patch: TicketPatch, at: float) -> dict[str, Any] | None:
    """The machine's part of the row after the patch, or None if it knows nothing new."""
    if row["merged_into"] is not None:
        return None
    fields = fields_of(row) | fill_in(fields_of(row), row["typed"], patch.fields)
    caller_number = storable(patch.caller_number) or row["caller_number"]
    after: dict[str, Any] = {
        **fields,
        "seat": row["seat"] if patch.seat is None else storable(patch.seat),
        "caller_number": caller_number,
        "recovered": row["recovered"] or patch.recovered,
    }
    if all(row[name] == value for name, value in after.items()):
        return None
    return after | found_by(row["number"], caller_number, fields) | {"of_id": row["id"], "updated_at": at}


async def _fill(connection: AsyncConnection, changes: Iterable[dict[str, Any] | None]) -> None:
    rows = [change for change in changes if change is not None]
    if rows:
        await connection.execute(_FILL, rows)


async def _open(
    connection: AsyncConnection, server: str, patches: Sequence[TicketPatch], at: float, zone: tzinfo
) -> dict[str, TicketRef]:
    by_day: dict[str, list[TicketPatch]] = {}
    for patch in patches:
        by_day.setdefault(local_day(at if patch.opened_at is None else patch.opened_at, zone), []).append(patch)
    rows: list[dict[str, Any]] = []
    for day in sorted(by_day):  # always in this order, so that two daemons cannot wait for each other
        counted = await connection.execute(add_up(connection, ticket_days, "day", "last_sequence"), _count(day, by_day))
        first = counted.scalar_one() - len(by_day[day]) + 1
        rows += [_new(server, patch, day, sequence, at) for sequence, patch in enumerate(by_day[day], first)]
    if not rows:
        return {}
    inserted = await connection.execute(insert(tickets).returning(*_REF), rows)
    return {row.call_id: TicketRef(row.id, row.number, opened=True) for row in inserted}


_REF = (tickets.c.id, tickets.c.number, tickets.c.call_id)


def _count(day: str, by_day: Mapping[str, Sequence[TicketPatch]]) -> dict[str, Any]:
    return {"day": day, "last_sequence": len(by_day[day])}


def _new(server: str, patch: TicketPatch, day: str, sequence: int, at: float) -> dict[str, Any]:
    fields = dict.fromkeys(FIELDS, "")
    fields |= fill_in(fields, (), patch.fields)
    number, caller_number = format_number(day, sequence), storable(patch.caller_number)
    return {
        **fields,
        **found_by(number, caller_number, fields),
        "day": day,
        "sequence": sequence,
        "number": number,
        "server": server,
        "call_id": patch.call_id,
        "opened_at": at if patch.opened_at is None else patch.opened_at,
        "status": Status.OPEN.value,
        "seat": None if patch.seat is None else storable(patch.seat),
        "caller_number": caller_number,
        "typed": [],
        "recovered": patch.recovered,
        "version": 1,
        "updated_at": at,
    }


async def merge(connection: AsyncConnection, server: str, merged: Iterable[Call], at: float) -> dict[str, TicketRef]:
    """Takes the tickets of merged calls into those of the calls they became part of; the latter's refs by call id."""
    refs = {}
    for call in merged:
        into = call_rows.cell(call.merged_into)
        rows = {row["call_id"]: row for row in await lock_by_calls(connection, server, [call.call_id, into])}
        ref = await ticket_merge.merge_one(connection, rows.get(call.call_id), rows.get(into), into, at)
        if ref is not None:
            refs[call.call_id] = ref
    return refs
