"""Tickets as persons change them: fields as they are typed, promises, close and reopen, each with an audit line.

On the path of a call: the seat's window, after the pop. The pipeline's own part is ``store/ticket_rows``.
Promises: the last write of a field wins, and whoever replaced a text unseen is told that text; a save repeated is a
save done once; a save to a merged ticket goes to the ticket it was merged into.
Never: loses a text silently: what was replaced stands in ``ticket_changes``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from callcenter.store import ticket_pauses, ticket_rows
from callcenter.store.database import Database, fetch
from callcenter.store.errors import NoSuchTicketError
from callcenter.store.schema import promises, ticket_changes, tickets
from callcenter.store.ticket_queries import TicketQueries
from callcenter.store.upsert import upsert
from callcenter.tickets.model import FIELDS, Conflict, Saved, Status, check_promise_key, normalise, normalise_promise

Row = dict[str, Any]
Line = tuple[str, str, str]
"""Field, old text, new text."""


class Tickets(TicketQueries):
    """All that is done with tickets outside the pipeline. Raises ``NoSuchTicketError`` for an unknown id."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._database = database

    async def save_fields(
        self, ticket_id: int, texts: Mapping[str, str], by: str, at: float, base_version: int, origin: str | None = None
    ) -> Saved:
        """Stores texts that a person typed. Raises ``FieldError`` if one of them cannot be stored; none is then.

        ``base_version``: the version that the writer had seen; a field that somebody else wrote since is reported as a
        conflict. ``origin``: names the writing window, so that its own saves are no conflict; else ``by`` does.
        """
        wanted = {name: normalise(name, text) for name, text in texts.items()}

        def work(connection: Connection) -> Saved:
            row = _locked(connection, ticket_id)
            base = base_version if row["id"] == ticket_id else 0
            changed = {name: text for name, text in wanted.items() if text != row[name]}
            conflicts = _conflicts(connection, row, changed, base, origin or by) if changed else ()
            typed = [name for name in FIELDS if name in {*row["typed"], *wanted}]
            version = row["version"] + bool(changed)
            if changed or typed != row["typed"]:
                fields = ticket_rows.fields_of(row) | changed
                found_by = ticket_rows.found_by(row["number"], row["caller_number"], fields)
                values = {
                    **changed,
                    **found_by,
                    **_taken(row, at),
                    "typed": typed,
                    "version": version,
                    "updated_at": at,
                }
                connection.execute(update(tickets).where(tickets.c.id == row["id"]).values(values))
                lines = ((name, row[name], text) for name, text in changed.items())
                _audit(connection, row, lines, by, at, origin)
            return Saved(row["id"], version, wanted, tuple(conflicts))

        return await self._database.write(work)

    async def close(self, ticket_id: int, by: str, at: float) -> int:
        """Closes the ticket and returns its version; closing a closed one changes nothing."""
        return await self._set_status(ticket_id, Status.CLOSED, by, at)

    async def reopen(self, ticket_id: int, by: str, at: float) -> int:
        """Opens the ticket again and returns its version; opening an open one changes nothing.

        It is then left open: no seat is asked to finish the wrap-up of its call once more.
        """
        return await self._set_status(ticket_id, Status.OPEN, by, at)

    async def leave_open(self, ticket_id: int, by: str, at: float) -> int:
        """Ends the wrap-up without closing the ticket; returns its version. A closed one, or one left open already,
        stays as it is."""

        def work(connection: Connection) -> int:
            row = _locked(connection, ticket_id)
            if row["status"] == Status.CLOSED or row["left_open_at"] is not None:
                return int(row["version"])
            _touch(connection, row, at, left_open_at=at)
            _audit(connection, row, [("left_open_at", "", str(at))], by, at)
            return int(row["version"]) + 1

        return await self._database.write(work)

    async def _set_status(self, ticket_id: int, status: Status, by: str, at: float) -> int:
        closed = status is Status.CLOSED
        values = {"status": status.value, "closed_at": at if closed else None, "closed_by": by if closed else None}
        values |= {} if closed else {"left_open_at": at}

        def work(connection: Connection) -> int:
            row = _locked(connection, ticket_id)
            if row["status"] == status:
                return int(row["version"])
            _touch(connection, row, at, **values)
            _audit(connection, row, [("status", row["status"], status.value)], by, at)
            ticket_pauses.status_changed(connection, row, closed, by, at)
            return int(row["version"]) + 1

        return await self._database.write(work)

    async def save_promise(self, ticket_id: int, key: str, text: str, due_at: float | None, by: str, at: float) -> int:
        """Stores or changes the promise ``key`` of a ticket; returns the ticket's version. Raises ``FieldError``."""
        clean = normalise_promise(text)
        check_promise_key(key)

        def work(connection: Connection) -> int:
            row = _locked(connection, ticket_id)
            before = _promise(connection, row["id"], key)
            if before is not None and (before["text"], before["due_at"]) == (clean, due_at):
                return int(row["version"])
            values = {"text": clean, "due_at": due_at, "done_at": None, "made_by": by, "made_at": at}
            statement = upsert(
                connection.dialect.name, promises, ["ticket_id", "key"], keep=["done_at", "made_by", "made_at"]
            )
            connection.execute(statement, {"ticket_id": row["id"], "key": key} | values)
            _promise_changed(
                connection, row, before, (before or _NO_PROMISE) | {"text": clean, "due_at": due_at}, by, at
            )
            return int(row["version"]) + 1

        return await self._database.write(work)

    async def keep_promise(self, ticket_id: int, key: str, done: bool, by: str, at: float) -> int:
        """Marks a promise as kept, or as open again; returns the ticket's version. Raises ``NoSuchTicketError``."""

        def work(connection: Connection) -> int:
            row = _locked(connection, ticket_id)
            before = _promise(connection, row["id"], key)
            if before is None:
                raise NoSuchTicketError("There is no such promise on the ticket; load the page again.")
            if (before["done_at"] is not None) == done:
                return int(row["version"])
            done_at = at if done else None
            connection.execute(update(promises).where(promises.c.id == before["id"]).values(done_at=done_at))
            _promise_changed(connection, row, before, before | {"done_at": done_at}, by, at)
            return int(row["version"]) + 1

        return await self._database.write(work)

    async def remove_promise(self, ticket_id: int, key: str, by: str, at: float) -> int:
        """Takes a promise back; its text stays in the history. Returns the ticket's version."""

        def work(connection: Connection) -> int:
            row = _locked(connection, ticket_id)
            before = _promise(connection, row["id"], key)
            if before is None:
                return int(row["version"])
            connection.execute(delete(promises).where(promises.c.id == before["id"]))
            _promise_changed(connection, row, before, None, by, at)
            return int(row["version"]) + 1

        return await self._database.write(work)


def _locked(connection: Connection, ticket_id: int) -> Row:
    """The ticket, or the one it was merged into, kept from other writers."""
    wanted: int | None = ticket_id
    row: Row | None = None
    while wanted is not None:
        rows = fetch(connection, select(tickets).where(tickets.c.id == wanted).with_for_update())
        if not rows:
            raise NoSuchTicketError("There is no such ticket; look for it in the list.")
        row = rows[0]
        wanted = row["merged_into"]
    assert row is not None
    return row


def note_change(connection: Connection, ticket_id: int, name: str, old: str, new: str, by: str, at: float) -> None:
    """A line of the ticket's history that no field of it has."""
    row = _locked(connection, ticket_id)
    _touch(connection, row, at)
    _audit(connection, row, [(name, old, new)], by, at)


def _touch(connection: Connection, row: Row, at: float, **values: Any) -> None:
    values |= {"version": row["version"] + 1, "updated_at": at, **_taken(row, at)}
    connection.execute(update(tickets).where(tickets.c.id == row["id"]).values(values))


def _taken(row: Row, at: float) -> dict[str, float]:
    """Whoever changes a ticket first has taken it (D1)."""
    return {} if row["responded_at"] is not None else {"responded_at": at}


def _audit(
    connection: Connection, row: Row, lines: Iterable[Line], by: str, at: float, origin: str | None = None
) -> None:
    who = {"changed_by": by, "origin": origin or by, "at": at}
    rows = [
        {"ticket_id": row["id"], "version": row["version"] + 1, "field": name, "old": old, "new": new, **who}
        for name, old, new in lines
        if old != new
    ]
    if rows:
        connection.execute(insert(ticket_changes), rows)


def _conflicts(
    connection: Connection, row: Row, changed: Mapping[str, str], base_version: int, origin: str
) -> tuple[Conflict, ...]:
    """The texts about to be replaced that somebody else wrote after ``base_version``."""
    since = (
        select(ticket_changes)
        .where(
            ticket_changes.c.ticket_id == row["id"],
            ticket_changes.c.version > base_version,
            ticket_changes.c.field.in_(list(changed)),
        )
        .order_by(ticket_changes.c.id)
    )
    last = {change["field"]: change for change in fetch(connection, since)}
    return tuple(
        Conflict(name, row[name], change["changed_by"], change["at"])
        for name, change in last.items()
        if change["origin"] != origin
    )


def _promise(connection: Connection, ticket_id: int, key: str) -> Row | None:
    statement = select(promises).where(promises.c.ticket_id == ticket_id, promises.c.key == key)
    rows = fetch(connection, statement)
    return rows[0] if rows else None


def _promise_changed(
    connection: Connection, row: Row, before: Row | None, after: Row | None, by: str, at: float
) -> None:
    old, new = before or _NO_PROMISE, after or _NO_PROMISE
    _touch(connection, row, at)
    lines = [(field, _plain(old[column]), _plain(new[column])) for field, column in _PROMISE_LINES]
    _audit(connection, row, lines, by, at)


_NO_PROMISE: Row = {"text": "", "due_at": None, "done_at": None}
_PROMISE_LINES = (("promise", "text"), ("promise_due", "due_at"), ("promise_kept", "done_at"))


def _plain(value: str | float | None) -> str:
    return "" if value is None else str(value)
