"""Callbacks as they are kept: opened, joined and ended in the pipeline's commit; claimed and closed by persons.

On the path of a call: ``store/commit`` hands over what ``rules/callbacks`` asked for, after the call and its ticket.
Promises: at most one open callback for a number, whose earliest due time stays; a call is taken once for each thing
that it was, also when its commit is repeated; only an end that this transaction made is told. What a person closed
keeps its reason on the ticket's history.
Never: reads a clock; opens a callback for somebody who was spoken to since.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, insert, literal_column, or_, select, true, update

from callcenter.jsontext import to_text
from callcenter.rules.commands import CloseCallback, Kept, NoteAttempt, OpenCallback
from callcenter.store.callback_tables import callback_calls, callbacks
from callcenter.store.database import Database, fetch
from callcenter.store.keeping import Whose
from callcenter.store.prepared import Prepared, one_of
from callcenter.store.schema import audit, calls, tickets
from callcenter.store.tickets import note_change
from callcenter.store.upsert import ignore_known
from callcenter.tickets.callbacks import CLOSED, ERASED, SPOKEN, Attempt, Callback, Ended, dialled_keys, note_of
from callcenter.tickets.model import number_key, storable

LATE_SECONDS = 30.0
"""What is told so long after the call's end was recovered: meanwhile its caller may have been spoken to."""
LONGEST_CALL_SECONDS = 86_400.0
MOST_OPEN = 500
MOST_ATTEMPTS = 8
Row = dict[str, Any]

_OPEN = Prepared(
    lambda dialect: (
        select(callbacks)
        .where(
            callbacks.c.server == bindparam("server"),
            callbacks.c.state == literal_column("'open'"),
            one_of(dialect, callbacks.c.number_key, "keys"),
        )
        .with_for_update()
    )
)
_NOTED = Prepared(lambda dialect: ignore_known(dialect, callback_calls, ["server", "call_id", "kind"]))


# --- in the pipeline's commit ------------------------------------------------------------------------------------


def keep(connection: Connection, server: str, commands: Iterable[Kept], at: float) -> tuple[Ended, ...]:
    """Carries out what the rules asked for, in the order in which it happened; the callbacks that ended by it."""
    wanted = sorted(commands, key=lambda one: one.at)
    keys = sorted({key for one in wanted for key in _keys(one)})
    if not keys:
        return ()
    listed = to_text(keys) if connection.dialect.name == "sqlite" else keys
    found = {row["number_key"]: row for row in _OPEN.fetch(connection, {"server": server, "keys": listed})}
    ended: list[Ended] = []
    for one in wanted:
        if isinstance(one, OpenCallback):
            _lost(connection, found, one, at)
            continue
        for key in one.keys:
            if key in found and isinstance(one, NoteAttempt):
                _tried(connection, found[key], one)
            elif key in found and isinstance(one, CloseCallback) and found[key]["last_lost_at"] <= one.at:
                ended.append(_spoken(connection, found.pop(key), one))
    return tuple(ended)


def _keys(one: Kept) -> tuple[str, ...]:
    return (one.number_key,) if isinstance(one, OpenCallback) else one.keys


def _lost(connection: Connection, found: dict[str, Row], one: OpenCallback, at: float) -> None:
    if _taken(connection, one.server, one.call_id):
        return
    row = found.get(one.number_key)
    if row is None:
        if at - one.at > LATE_SECONDS and _spoken_since(connection, one):
            return
        row = found[one.number_key] = _opened(connection, one)
    else:
        _joined(connection, row, one)
    _note(connection, row["id"], one.server, one.call_id, "lost", one.at, "")


def _opened(connection: Connection, one: OpenCallback) -> Row:
    row: Row = {
        "server": one.server,
        "number": storable(one.number),
        "number_key": one.number_key,
        "rule": one.rule,
        "reason": one.reason,
        "queue": None if one.queue is None else storable(one.queue),
        "ticket_id": _ticket_of(connection, one),
        "opened_at": one.at,
        "due_at": one.due_at,
        "last_lost_at": one.at,
        "losses": 1,
        "tries": 0,
        "state": "open",
    }
    made = connection.execute(insert(callbacks).values(row).returning(callbacks.c.id)).scalar_one()
    return row | {"id": made}


def _joined(connection: Connection, row: Row, one: OpenCallback) -> None:
    """A further lost call of the same caller: the earliest due time stays, with what made it."""
    row["losses"] += 1
    row["last_lost_at"] = max(row["last_lost_at"], one.at)
    if one.due_at < row["due_at"]:
        row |= {"rule": one.rule, "reason": one.reason, "due_at": one.due_at}
    names = ("losses", "last_lost_at", "rule", "reason", "due_at")
    _change(connection, row["id"], {name: row[name] for name in names})


def _tried(connection: Connection, row: Row, one: NoteAttempt) -> None:
    if not _taken(connection, one.server, one.call_id, "tried"):
        row["tries"] += 1
        _change(connection, row["id"], {"tries": row["tries"]})
        _note(connection, row["id"], one.server, one.call_id, "tried", one.at, one.by)


def _spoken(connection: Connection, row: Row, one: CloseCallback) -> Ended:
    _change(connection, row["id"], _over(one.result, one.at, storable(one.by)))
    _note(connection, row["id"], one.server, one.call_id, one.result, one.at, one.by)
    return _ended(row, one.result, one.at)


def _over(result: str, at: float, by: str) -> Row:
    unclaimed = {"claimed_by": None, "claimed_until": None}
    return {"state": "ended", "result": result, "ended_at": at, "ended_by": by, **unclaimed}


def _ended(row: Mapping[str, Any], result: str, at: float) -> Ended:
    return Ended(row["rule"], result, result in SPOKEN and at <= row["due_at"])


def _change(connection: Connection, callback_id: int, values: Mapping[str, Any]) -> None:
    connection.execute(update(callbacks).where(callbacks.c.id == callback_id).values(values))


def _note(connection: Connection, callback_id: int, server: str, call_id: str, kind: str, at: float, by: str) -> None:
    row = {"callback_id": callback_id, "server": server, "call_id": storable(call_id), "kind": kind, "at": at}
    _NOTED.many(connection, [row | {"by": storable(by)}])


def _taken(connection: Connection, server: str, call_id: str, kind: str = "lost") -> bool:
    c = callback_calls.c
    known = select(c.id).where(c.server == server, c.call_id == storable(call_id), c.kind == kind)
    return connection.execute(known).first() is not None


def _ticket_of(connection: Connection, one: OpenCallback) -> int | None:
    statement = select(tickets.c.id).where(
        tickets.c.server == one.server, tickets.c.call_id == storable(one.call_id, multiline=True)
    )
    found = connection.execute(statement).scalar()
    return None if found is None else int(found)


def _spoken_since(connection: Connection, one: OpenCallback) -> bool:
    """Whether an answered call with that number came, or went there, after this one was lost."""
    c = calls.c
    statement = select(c.direction, c.caller_number, c.dialled).where(
        *(c.server == one.server, c.arrived_at >= one.at - LONGEST_CALL_SECONDS, c.answered_at >= one.at),
        *(c.call_id != one.call_id, c.merged_into.is_(None)),
    )
    for direction, caller, dialled in connection.execute(statement):
        if direction == "outbound" and one.number_key in dialled_keys(dialled):
            return True
        if direction == "inbound" and number_key(caller or "") == one.number_key:
            return True
    return False


# --- by persons, and read ----------------------------------------------------------------------------------------


class Callbacks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, server: str, limit: int = MOST_OPEN) -> tuple[Callback, ...]:
        """What is owed, the most urgent first, with the last calls that belong to it."""
        t = tickets.c
        statement = (
            select(callbacks, t.number.label("ticket_number"), t.merged_into)
            .select_from(callbacks.outerjoin(tickets, t.id == callbacks.c.ticket_id))
            .where(callbacks.c.server == server, callbacks.c.state == "open")
            .order_by(callbacks.c.due_at, callbacks.c.id)
            .limit(limit)
        )
        rows = await self._database.rows(statement)
        attempts = await self._attempts([row["id"] for row in rows])
        return tuple(_callback(row, attempts.get(row["id"], ())) for row in rows)

    async def beyond(self, server: str, last: Callback, at: float) -> dict[tuple[str | None, str], tuple[int, int]]:
        """What is owed after ``last`` in the order of ``open``: how many, and how many of them are overdue at ``at``,
        by queue and rule."""
        c = callbacks.c
        later = or_(c.due_at > last.due_at, and_(c.due_at == last.due_at, c.id > last.id))
        late = func.sum(case((c.due_at < at, 1), else_=0))
        statement = select(c.queue, c.rule, func.count().label("all"), late.label("late")).where(
            c.server == server, c.state == "open", later
        )
        rows = await self._database.rows(statement.group_by(c.queue, c.rule))
        return {(row["queue"], row["rule"]): (int(row["all"]), int(row["late"])) for row in rows}

    async def _attempts(self, ids: Sequence[int]) -> dict[int, tuple[Attempt, ...]]:
        if not ids:
            return {}
        c = callback_calls.c
        backwards = func.row_number().over(partition_by=c.callback_id, order_by=(c.at.desc(), c.id.desc()))
        own = select(c.id, c.callback_id, c.kind, c.at, c.by, backwards.label("place")).where(c.callback_id.in_(ids))
        # Whoever calls in vain all night has thousands of them.
        last = own.subquery()
        statement = select(last).where(last.c.place <= MOST_ATTEMPTS).order_by(last.c.at, last.c.id)
        found: defaultdict[int, list[Attempt]] = defaultdict(list)
        for row in await self._database.rows(statement):
            found[row["callback_id"]].append(Attempt(row["kind"], row["at"], row["by"]))
        return {key: tuple(attempts) for key, attempts in found.items()}

    async def claim(self, callback_id: int, by: str, at: float, until: float) -> bool:
        """Takes it in hand until then; False if it is over, or somebody else has it."""
        c = callbacks.c
        statement = update(callbacks).where(c.id == callback_id, c.state == "open", _free_for(by, at))
        return await self._changed(statement.values(claimed_by=by, claimed_until=until))

    async def release(self, callback_id: int, by: str) -> bool:
        """Gives it back; False if it was not in that hand."""
        c = callbacks.c
        statement = update(callbacks).where(c.id == callback_id, c.state == "open", c.claimed_by == by)
        return await self._changed(statement.values(claimed_by=None, claimed_until=None))

    async def _changed(self, statement: Any) -> bool:
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def close(self, callback_id: int, by: str, reason: str, at: float, *, any_hand: bool = False) -> Ended | None:
        """Ends it without a call; the reason stays on the ticket. ``None`` if it is over already, or in somebody else's
        hand and not ``any_hand``. Raises ``BadInput`` without a reason."""
        note, c = note_of(reason), callbacks.c

        def work(connection: Connection) -> Ended | None:
            hand = true() if any_hand else _free_for(by, at)
            wanted = select(callbacks).where(c.id == callback_id, c.state == "open", hand)
            found = fetch(connection, wanted.with_for_update())
            if not found:
                return None
            _change(connection, callback_id, _over(CLOSED, at, by))
            if found[0]["ticket_id"] is not None:
                note_change(connection, found[0]["ticket_id"], "callback", "", note, by, at)
            return _ended(found[0], CLOSED, at)

        return await self._database.write(work)

    async def withheld(self, server: str, since: float) -> int:
        """Callers that nobody spoke to and who cannot be called back, for they showed no number."""
        c = calls.c
        lost = c.outcome.in_(("abandoned", "overflowed", "failed"))
        statement = select(func.count()).where(
            *(c.server == server, c.arrived_at >= since, c.direction == "inbound", c.phase == "ended", lost),
            *(c.merged_into.is_(None), func.coalesce(c.caller_number, "").in_(("", "anonymous", "Anonymous"))),
        )
        return int(await self._database.scalar(statement))

    async def shares(self, server: str, since: float) -> dict[tuple[str, str], tuple[int, int]]:
        """(callbacks that ended since then, of these in time) by rule and result."""
        c = callbacks.c
        timely = func.sum(case((and_(c.result.in_(SPOKEN), c.ended_at <= c.due_at), 1), else_=0))
        statement = select(c.rule, c.result, func.count().label("all"), timely.label("timely")).where(
            c.server == server, c.state == "ended", c.ended_at >= since, c.result != ERASED
        )
        rows = await self._database.rows(statement.group_by(c.rule, c.result))
        return {(row["rule"], row["result"]): (int(row["all"]), int(row["timely"])) for row in rows}

    async def count_of(self, whose: Whose) -> int:
        return int(await self._database.scalar(select(func.count()).select_from(callbacks).where(_of(whose))))

    async def erase(self, whose: Whose, at: float, by: str) -> int:
        """Forgets a person's number (E2), with a line of audit: an open callback ends, for there is nobody to call; it
        stays counted."""

        def work(connection: Connection) -> int:
            mine = list(connection.scalars(select(callbacks.c.id).where(_of(whose))))
            if not mine:
                return 0
            over, own = _over(ERASED, at, ""), callbacks.c.id.in_(mine)
            connection.execute(update(callbacks).where(own, callbacks.c.state == "open").values(over))
            connection.execute(update(callbacks).where(own).values(number="", number_key=""))
            line = {"at": at, "what": "callbacks_erased", "by": by, "detail": {"callbacks": len(mine)}}
            connection.execute(insert(audit).values(line))
            return len(mine)

        return await self._database.write(work)


def _free_for(by: str, at: float) -> Any:
    """Nobody else has it in hand."""
    c = callbacks.c
    return or_(c.claimed_by.is_(None), c.claimed_by == by, c.claimed_until <= at)


def _of(whose: Whose) -> Any:
    """Those that still have a number."""
    c, key = callbacks.c, number_key(whose.number)
    own = or_(c.number == whose.number, and_(c.number_key == key, c.number_key != ""))
    return and_(c.number != "", or_(own, c.ticket_id.in_(whose.tickets)))


def _callback(row: Mapping[str, Any], attempts: Collection[Attempt]) -> Callback:
    return Callback(
        id=row["id"],
        rule=row["rule"],
        reason=row["reason"],
        number=row["number"],
        queue=row["queue"],
        ticket_id=row["merged_into"] or row["ticket_id"],
        ticket_number=row["ticket_number"] or "",
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        losses=row["losses"],
        tries=row["tries"],
        claimed_by=row["claimed_by"],
        claimed_until=row["claimed_until"],
        attempts=tuple(attempts),
    )
