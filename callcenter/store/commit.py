"""The one transaction of the pipeline: log, calls, tickets, timers, outbox and gaps, all or nothing.

On the path of a call: after ``rules/decide``, before any effect. Order inside: log, calls, tickets, commands,
callbacks, webhooks, gaps.
Promises: repeated with the same ``batch_id`` it changes nothing more; a call's last state in the batch wins; a
command's id is stored once; a number of a ticket is given out once.
Never: performs a command, reads a clock, or runs one statement per row.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from callcenter.jsontext import to_text
from callcenter.rules.commands import CancelTimer, Command, Kept, Performed, SendWebhook, StartTimer, to_row
from callcenter.store import call_rows, callbacks, ticket_merge, ticket_rows
from callcenter.store.batch import Batch, Committed
from callcenter.store.prepared import Prepared
from callcenter.store.schema import calls, cdr_state, event_log, gaps, observed, outbox, timers
from callcenter.store.upsert import ignore_known, upsert
from callcenter.store.webhook_tables import webhook_deliveries
from callcenter.tickets.callbacks import Ended
from callcenter.tickets.model import storable


def commit(connection: Connection, batch: Batch, zone: tzinfo) -> Committed:
    """Writes the batch; the caller's transaction makes it last."""
    position = _append_log(connection, batch)
    _store_calls(connection, batch, position)
    merged = {call.call_id: call for call in batch.calls if call.merged_into is not None}
    patches = [patch for patch in batch.tickets if patch.call_id not in merged]
    refs = ticket_rows.open_and_fill(connection, batch.server, patches, batch.at, zone)
    refs |= ticket_merge.merge(connection, batch.server, merged.values(), batch.at)
    ended: tuple[Ended, ...] = ()
    if batch.commands:
        _store_timers(connection, batch.server, batch.commands)
        _store_commands(connection, batch)
        kept = [command for command in batch.commands if isinstance(command, Kept)]
        ended = callbacks.keep(connection, batch.server, kept, batch.at)
        _store_webhooks(connection, batch)
    _store_gaps(connection, batch)
    return Committed(position, refs, ended)


_APPEND = Prepared(
    lambda dialect: ignore_known(dialect, event_log, ["batch_id"]).returning(event_log.c.position),
)
_POSITION = Prepared(lambda _: select(event_log.c.position).where(event_log.c.batch_id == bindparam("batch_id")))
_CALLS = Prepared(lambda dialect: upsert(dialect, calls, ["server", "call_id"], keep=["first_position"]))
_CANCEL = Prepared(
    lambda _: delete(timers).where(timers.c.server == bindparam("server"), timers.c.key == bindparam("key"))
)
_START = Prepared(lambda dialect: upsert(dialect, timers, ["server", "key"]))
_COMMANDS = Prepared(lambda dialect: ignore_known(dialect, outbox, ["command_id"]))
_WEBHOOKS = Prepared(lambda dialect: ignore_known(dialect, webhook_deliveries, ["message_id"]))
_GAPS = Prepared(lambda dialect: upsert(dialect, gaps, ["server", "started_at"]))
_OBSERVED = Prepared(lambda dialect: upsert(dialect, observed, ["server"], keep=["since"]))
_CDR = Prepared(lambda dialect: upsert(dialect, cdr_state, ["server", "file"]))


def _append_log(connection: Connection, batch: Batch) -> int | None:
    if batch.log is None:
        return None
    row = {"batch_id": batch.batch_id, "server": batch.server, "at": batch.at, "payload": batch.log}
    found = _APPEND.fetch(connection, row) or _POSITION.fetch(connection, row)
    return int(found[0]["position"])


def _store_calls(connection: Connection, batch: Batch, position: int | None) -> None:
    last = {call.call_id: call for call in batch.calls}
    _CALLS.many(connection, [call_rows.to_row(call, position, batch.at) for call in last.values()])


def _store_timers(connection: Connection, server: str, commands: Sequence[Command]) -> None:
    last = {command.key: command for command in commands if isinstance(command, (StartTimer, CancelTimer))}
    rows = [{"server": server, "key": key, "due_at": getattr(c, "due_at", None)} for key, c in last.items()]
    _CANCEL.many(connection, [row for row in rows if row["due_at"] is None])
    _START.many(connection, [row for row in rows if row["due_at"] is not None])


def _store_commands(connection: Connection, batch: Batch) -> None:
    performed = [command for command in batch.commands if isinstance(command, Performed)]
    _COMMANDS.many(connection, [_outbox_row(command, batch) for command in performed])


def _outbox_row(command: Performed, batch: Batch) -> dict[str, Any]:
    kind, payload = to_row(command)
    return {
        "command_id": command.command_id,
        "server": batch.server,
        "kind": kind,
        "payload": to_text(payload),
        # Whoever commits carries it out at once; after a crash it is unknown, and never sent again.
        "state": "claimed",
        "attempts": 1,
        "not_before": batch.at,
        "created_at": batch.at,
        "done_at": None,
        "error": None,
    }


_SETTLED_SECONDS = 2.0
"""After a call's end late events may still tell of it."""


def _store_webhooks(connection: Connection, batch: Batch) -> None:
    told = [command for command in batch.commands if isinstance(command, SendWebhook)]
    rest: dict[str, Any] = {"created_at": batch.at, "not_before": batch.at + _SETTLED_SECONDS}
    rest |= {"attempts": 0, "state": "waiting", "error": ""}
    _WEBHOOKS.many(connection, [asdict(command) | rest for command in told])


def _store_gaps(connection: Connection, batch: Batch) -> None:
    server = batch.server
    rows = [
        {"server": server, "started_at": gap.started_at, "ended_at": gap.ended_at, "reason": storable(gap.reason)}
        for gap in batch.gaps
    ]
    _GAPS.many(connection, rows)
    if batch.observed_until is not None:
        _OBSERVED.many(connection, [{"server": server, "since": batch.observed_until, "until": batch.observed_until}])
    if batch.cdr is not None:
        cdr = {"server": server, "file": batch.cdr.file, "inode": batch.cdr.inode, "offset": batch.cdr.offset}
        _CDR.many(connection, [cdr])
