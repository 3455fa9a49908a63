"""The one transaction of the pipeline: log, calls, tickets, timers, outbox and gaps, all or nothing.

On the path of a call: after ``rules/decide``, before any effect. Order inside: log, calls, tickets, commands, gaps.
Promises: repeated with the same ``batch_id`` it changes nothing more; a call's last state in the batch wins; a
command's id is stored once; a number of a ticket is given out once.
Never: performs a command, reads a clock, or runs one statement per row.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.rules.commands import CancelTimer, Command, StartTimer, to_row
from callcenter.store import call_rows, ticket_rows
from callcenter.store.batch import Batch, Committed
from callcenter.store.schema import calls, cdr_state, event_log, gaps, observed, outbox, timers
from callcenter.store.upsert import ignore_known, upsert
from callcenter.tickets.model import storable


async def commit(connection: AsyncConnection, batch: Batch, zone: tzinfo) -> Committed:
    """Writes the batch; the caller's transaction makes it last."""
    position = await _append_log(connection, batch)
    await _store_calls(connection, batch, position)
    merged = {call.call_id: call for call in batch.calls if call.merged_into is not None}
    patches = [patch for patch in batch.tickets if patch.call_id not in merged]
    refs = await ticket_rows.open_and_fill(connection, batch.server, patches, batch.at, zone)
    refs |= await ticket_rows.merge(connection, batch.server, merged.values(), batch.at)
    if batch.commands:
        await _store_timers(connection, batch.server, batch.commands)
        await _store_commands(connection, batch)
    await _store_gaps(connection, batch)
    return Committed(position, refs)


async def _append_log(connection: AsyncConnection, batch: Batch) -> int | None:
    if batch.log is None:
        return None
    row = {"batch_id": batch.batch_id, "server": batch.server, "at": batch.at, "payload": batch.log}
    known = ignore_known(connection, event_log, ["batch_id"]).returning(event_log.c.position)
    inserted: int | None = (await connection.execute(known, row)).scalar_one_or_none()
    if inserted is not None:
        return inserted
    before = select(event_log.c.position).where(event_log.c.batch_id == batch.batch_id)
    position: int = (await connection.execute(before)).scalar_one()
    return position


async def _store_calls(connection: AsyncConnection, batch: Batch, position: int | None) -> None:
    rows = {call.call_id: call_rows.to_row(call, position, batch.at) for call in batch.calls}
    if rows:
        statement = upsert(connection, calls, ["server", "call_id"], keep=["first_position"])
        await connection.execute(statement, list(rows.values()))


async def _store_timers(connection: AsyncConnection, server: str, commands: Sequence[Command]) -> None:
    last = {command.key: command for command in commands if isinstance(command, (StartTimer, CancelTimer))}
    set_now = [{"server": server, "key": c.key, "due_at": c.due_at} for c in last.values() if isinstance(c, StartTimer)]
    cancelled = [key for key, command in last.items() if isinstance(command, CancelTimer)]
    if cancelled:
        await connection.execute(delete(timers).where(timers.c.server == server, timers.c.key.in_(cancelled)))
    if set_now:
        await connection.execute(upsert(connection, timers, ["server", "key"]), set_now)


async def _store_commands(connection: AsyncConnection, batch: Batch) -> None:
    rows = [
        _outbox_row(command, batch) for command in batch.commands if not isinstance(command, StartTimer | CancelTimer)
    ]
    if rows:
        await connection.execute(ignore_known(connection, outbox, ["command_id"]), rows)


def _outbox_row(command: Any, batch: Batch) -> dict[str, Any]:
    kind, payload = to_row(command)
    return {
        "command_id": command.command_id,
        "server": batch.server,
        "kind": kind,
        "payload": payload,
        "state": "pending",
        "attempts": 0,
        "not_before": batch.at,
        "created_at": batch.at,
    }


async def _store_gaps(connection: AsyncConnection, batch: Batch) -> None:
    server = batch.server
    if batch.gaps:
        rows = [
            {"server": server, "started_at": g.started_at, "ended_at": g.ended_at, "reason": storable(g.reason)}
            for g in batch.gaps
        ]
        await connection.execute(upsert(connection, gaps, ["server", "started_at"]), rows)
    if batch.observed_until is not None:
        row = {"server": server, "until": batch.observed_until}
        await connection.execute(upsert(connection, observed, ["server"]), row)
    if batch.cdr is not None:
        cdr = {"server": server, "file": batch.cdr.file, "inode": batch.cdr.inode, "offset": batch.cdr.offset}
        await connection.execute(upsert(connection, cdr_state, ["server", "file"]), cdr)
