"""Tickets inside the pipeline's transaction: opened when missing (C1), filled in by machines.

Promises: one ticket per call; what a person typed stays; numbers count from 1 on each
day of the site and are given out once.
Never: begins or ends a transaction.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from callcenter.jsontext import to_text
from callcenter.store import call_rows
from callcenter.store.prepared import Prepared, one_of
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
_FILL = Prepared(
    lambda _: (
        update(tickets)
        .where(tickets.c.id == bindparam("of_id"))
        .values({name: bindparam(name) for name in (*_MACHINE, "version", "updated_at")})
    )
)
_READ = (
    *("id", "number", "server", "call_id", "seat", "caller_number", "typed", "recovered", "merged_into", "version"),
    *FIELDS,
)
_LOCK = Prepared(
    lambda dialect: (
        select(*(tickets.c[name] for name in _READ))
        .where(tickets.c.server == bindparam("server"), one_of(dialect, tickets.c.call_id, "call_ids"))
        .order_by(tickets.c.id)
        .with_for_update()
    )
)
_COUNT = Prepared(lambda dialect: add_up(dialect, ticket_days, "day", "last_sequence"))
_INSERT = Prepared(lambda _: insert(tickets).values({c.name: bindparam(c.name) for c in tickets.c if c.name != "id"}))
_INSERTED = Prepared(
    lambda _: select(tickets.c.id, tickets.c.number, tickets.c.call_id).where(
        tickets.c.day == bindparam("day"), tickets.c.sequence > bindparam("after")
    )
)


def open_and_fill(
    connection: Connection, server: str, patches: Sequence[TicketPatch], at: float, zone: tzinfo
) -> dict[str, TicketRef]:
    """The tickets of the patches' calls, by call id."""
    wanted = combine(patches)
    if not wanted:
        return {}
    rows = lock_by_calls(connection, server, wanted)
    changes = (_filled(row, wanted[row["call_id"]], at) for row in rows)
    _FILL.many(connection, [change for change in changes if change is not None])
    refs = {row["call_id"]: TicketRef(row["id"], row["number"]) for row in rows}
    missing = [patch for call_id, patch in wanted.items() if call_id not in refs]
    return refs | _open(connection, server, missing, at, zone)


def combine(patches: Iterable[TicketPatch]) -> dict[str, TicketPatch]:
    """One patch per call: later knowledge over earlier, the first arrival kept."""
    combined: dict[str, TicketPatch] = {}
    for patch in patches:
        call_id = call_rows.clean(patch.call_id)
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


def lock_by_calls(connection: Connection, server: str, call_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The tickets of these calls, kept from other writers until the transaction ends, always in the same order."""
    ids = list(call_ids)
    on_sqlite = connection.dialect.name == "sqlite"
    rows = _LOCK.fetch(connection, {"server": server, "call_ids": to_text(ids) if on_sqlite else ids})
    return (
        [row | {"typed": json.loads(row["typed"]), "recovered": bool(row["recovered"])} for row in rows]
        if on_sqlite
        else rows
    )


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
    *("recovered", "merged_into", "version", "updated_at", "left_open_at"),
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
    return (
        after
        | found_by(row["number"], caller_number, fields)
        | {
            "of_id": row["id"],
            "version": row["version"] + 1,
            "updated_at": at,
        }
    )


def _open(
    connection: Connection, server: str, patches: Sequence[TicketPatch], at: float, zone: tzinfo
) -> dict[str, TicketRef]:
    by_day: dict[str, list[TicketPatch]] = {}
    for patch in patches:
        by_day.setdefault(local_day(at if patch.opened_at is None else patch.opened_at, zone), []).append(patch)
    refs: dict[str, TicketRef] = {}
    for day in sorted(by_day):  # always in this order, so that two daemons cannot wait for each other
        counted = _COUNT.fetch(connection, {"day": day, "last_sequence": len(by_day[day])})
        after = counted[0]["last_sequence"] - len(by_day[day])
        rows = [_new(server, patch, day, sequence, at) for sequence, patch in enumerate(by_day[day], after + 1)]
        _INSERT.many(connection, rows)
        for row in _INSERTED.fetch(connection, {"day": day, "after": after}):
            refs[row["call_id"]] = TicketRef(row["id"], row["number"], opened=True)
    return refs


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
        "closed_at": None,
        "closed_by": None,
        "left_open_at": None,
        **dict.fromkeys(("level", "severity", "responded_at", "plan_at")),
        "merged_into": None,
        "seat": None if patch.seat is None else storable(patch.seat),
        "caller_number": caller_number,
        "typed": "[]",
        "recovered": patch.recovered,
        "version": 1,
        "updated_at": at,
    }
