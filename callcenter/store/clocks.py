"""What the clocks of tickets rest on (D1 to D4): read for many tickets at once; changed by seats with an audit line.

Beside the path of a call: the seat's window and the ticket's page change it, ``ticket_clocks`` watches all of it.
Promises: what is acknowledged is there after kill -9; the same change again changes nothing; no state of a clock is
stored. A caller who gave up and was spoken to since has been responded to.
Never: works out a due time.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from callcenter.errors import BadInput
from callcenter.store import first_line, steps
from callcenter.store import ticket_pauses as pauses_of
from callcenter.store.database import Database
from callcenter.store.schema import calls, ticket_changes, ticket_pauses, tickets
from callcenter.store.step_tables import ticket_steps
from callcenter.store.tickets import Line, _audit, _locked, _touch
from callcenter.tickets.clocks import CLOSED, LEVELS, SEVERITIES, Matter, Pause
from callcenter.tickets.dispatch import Step
from callcenter.tickets.model import Change, storable

MOST_REASON_CHARS = 200
_AUDITED = ("level", "severity", "plan", "pause", "resume")


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A ticket with what its clocks rest on. ``level``: as chosen by hand; ``None``: the queue's, and ``matter`` waits
    for it. ``gave_up``: nobody answered the call."""

    ticket_id: int
    number: str
    queue: str | None
    seat: str | None
    level: str | None
    matter: Matter
    wait_seconds: float | None
    gave_up: bool
    steps: tuple[Step, ...] = ()
    """Of its dispatch, also those taken back."""


@dataclass(frozen=True, slots=True)
class FirstLine:
    """Calls answered, and those of them that were solved at the first contact."""

    contacts: int = 0
    solved: int = 0


class Clocks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, ticket_id: int) -> ClockRow | None:
        """``None`` for a ticket that has no clocks: of a call that did not come from outside, or merged away."""
        found = await self._rows(_WANTED.where(tickets.c.id == ticket_id))
        return found[0] if found else None

    async def going_on(self, server: str, since: float, limit: int) -> Sequence[ClockRow]:
        """Tickets that are open, at most ``limit`` of them and the newest first, and those closed since the instant."""
        own, newest = _WANTED.where(tickets.c.server == server), tickets.c.opened_at.desc()
        opened = await self._rows(own.where(tickets.c.status == "open").order_by(newest).limit(limit))
        return [*opened, *await self._rows(own.where(tickets.c.closed_at >= since))]

    async def history(self, ticket_id: int) -> tuple[Change, ...]:
        """Who changed level and severity, paused and went on; oldest first."""
        c = ticket_changes.c
        columns = (c.field, c.old, c.new, c.changed_by, c.at, c.version)
        statement = select(*columns).where(c.ticket_id == ticket_id, c.field.in_(_AUDITED)).order_by(c.id)
        return tuple(Change(**row) for row in await self._database.rows(statement))

    async def first_line(
        self, server: str, since: float, now: float, groups: Sequence[Sequence[str]]
    ) -> dict[str, FirstLine]:
        """By queue ("" for none): calls that the first line answered since the instant and that nobody writes up any
        more ``now``, and those solved at once (E3)."""
        rows = await self._database.rows(first_line.of_server(server, since, now, groups))
        return {row["queue_name"]: FirstLine(row["contacts"], row["solved"]) for row in rows}

    async def set_level(self, ticket_id: int, level: str, by: str, at: float) -> None:
        """Raises ``BadInput`` for one that there is not."""
        if level not in LEVELS:
            raise BadInput(f"There is no such level; there are {', '.join(LEVELS)}.")
        await self._change(ticket_id, "level", level, by, at)

    async def set_severity(self, ticket_id: int, severity: str, by: str, at: float) -> None:
        """An empty one takes it back. Raises ``BadInput`` for one that there is not."""
        if severity and severity not in SEVERITIES:
            raise BadInput(f"There is no such severity; there are {', '.join(SEVERITIES)}.")
        await self._change(ticket_id, "severity", severity or None, by, at)

    async def plan_made(self, ticket_id: int, by: str, at: float) -> None:
        """There is an emergency plan (D2); the first one counts."""

        def work(connection: Connection) -> None:
            row = _locked(connection, ticket_id)
            if row["plan_at"] is None:
                _touch(connection, row, at, plan_at=at)
                _audit(connection, row, [("plan", "", str(at))], by, at)

        await self._database.write(work)

    async def pause(self, ticket_id: int, reason: str, by: str, at: float) -> None:
        """Raises ``BadInput`` without a reason, or for a closed ticket. One that is paused stays as it is."""
        clean = storable(reason)[:MOST_REASON_CHARS]
        clean = clean.capitalize() if clean == CLOSED else clean  # that word alone says: the ticket was
        if not clean:
            raise BadInput("A pause needs a reason; write what is waited for.")

        def work(connection: Connection) -> None:
            row = _locked(connection, ticket_id)
            if row["status"] == "closed":
                raise BadInput("The ticket is closed and its clocks stand; open it again first.")
            if pauses_of.running(connection, row["id"]) is None:
                pauses_of.begin(connection, row["id"], clean, by, at)
                _touch(connection, row, at)
                _audit(connection, row, [("pause", "", clean)], by, at)

        await self._database.write(work)

    async def resume(self, ticket_id: int, by: str, at: float) -> None:
        """One that is not paused stays as it is."""

        def work(connection: Connection) -> None:
            row = _locked(connection, ticket_id)
            paused = pauses_of.running(connection, row["id"])
            if paused is not None:
                pauses_of.end(connection, row["id"], by, at)
                _touch(connection, row, at)
                _audit(connection, row, [("resume", paused["reason"], "")], by, at)

        await self._database.write(work)

    async def step(self, ticket_id: int, kind: str, promised_at: float | None, by: str, at: float) -> None:
        """Raises ``BadInput`` for a step that makes no sense now, or a closed ticket."""
        await self._database.write(lambda connection: steps.make(connection, ticket_id, kind, promised_at, by, at))

    async def take_back(self, ticket_id: int, step_id: int, by: str, at: float) -> None:
        """Raises ``BadInput`` for a step that the ticket has not, or a closed ticket."""
        await self._database.write(lambda connection: steps.take_back(connection, ticket_id, step_id, by, at))

    async def _change(self, ticket_id: int, name: str, value: str | None, by: str, at: float) -> None:
        def work(connection: Connection) -> None:
            row = _locked(connection, ticket_id)
            if row[name] != value:
                line: Line = (name, row[name] or "", value or "")
                _touch(connection, row, at, **{name: value})
                _audit(connection, row, [line], by, at)

        await self._database.write(work)

    async def _rows(self, statement: Select[Any]) -> list[ClockRow]:
        rows = await self._database.rows(statement)
        paused: defaultdict[int, list[Pause]] = defaultdict(list)
        made: defaultdict[int, list[Step]] = defaultdict(list)
        if rows:
            wanted = statement.with_only_columns(tickets.c.id)
            c = ticket_pauses.c
            columns = (c.ticket_id, c.started_at, c.ended_at, c.reason, c.by)
            for row in await self._database.rows(select(*columns).where(c.ticket_id.in_(wanted)).order_by(c.id)):
                facts = dict(row)
                paused[facts.pop("ticket_id")].append(Pause(**facts))
            of = ticket_steps.c
            for row in await self._database.rows(select(ticket_steps).where(of.ticket_id.in_(wanted)).order_by(of.id)):
                made[row["ticket_id"]].append(steps.step_of(row))
        return [_row(row, tuple(paused[row["id"]]), tuple(made[row["id"]])) for row in rows]


def _row(row: Any, pauses: tuple[Pause, ...], made: tuple[Step, ...]) -> ClockRow:
    answered, touched = row["answered_at"], row["responded_at"]
    responded = min((at for at in (answered, touched, row["spoken_at"]) if at is not None), default=None)
    matter = Matter(
        row["opened_at"],
        row["level"] or "",
        row["severity"],
        responded,
        row["closed_at"],
        row["plan_at"],
        pauses,
        taken=answered is not None or touched is not None,
    )
    gave_up = answered is None and row["phase"] == "ended"
    facts = (row["id"], row["number"], row["queue"], row["seat"], row["level"], matter, row["wait_seconds"], gave_up)
    return ClockRow(*facts, made)


def _spoken() -> Any:
    """When somebody next spoke with the number of a caller whom nobody answered."""
    later, call = tickets.alias("later"), calls.alias("later_call")
    joined = later.join(call, and_(call.c.server == later.c.server, call.c.call_id == later.c.call_id))
    same = or_(later.c.caller_key == tickets.c.caller_key, later.c.phone_key == tickets.c.caller_key)
    return (
        select(func.min(call.c.answered_at))
        .select_from(joined)
        .where(
            *(calls.c.answered_at.is_(None), tickets.c.caller_key != "", same, later.c.id != tickets.c.id),
            *(later.c.opened_at > tickets.c.opened_at, call.c.answered_at.is_not(None)),
        )
        .correlate(tickets, calls)
        .scalar_subquery()
    )


_CALL = and_(calls.c.server == tickets.c.server, calls.c.call_id == tickets.c.call_id)
_T, _C = tickets.c, calls.c
_WANTED = (
    select(
        *(_T.id, _T.number, _T.seat, _T.opened_at, _T.closed_at, _T.level, _T.severity, _T.responded_at, _T.plan_at),
        *(_C.queue, _C.phase, _C.answered_at, _C.wait_seconds, _spoken().label("spoken_at")),
    )
    .select_from(tickets.join(calls, _CALL))
    .where(_T.merged_into.is_(None), _C.direction == "inbound", _C.merged_into.is_(None))
)
