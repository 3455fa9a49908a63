"""The steps of a ticket's dispatch (D3, D4): made and taken back by seats, each with an audit line.

After the call: the seat's window and the ticket's page by way of ``store/clocks``, which reads them for all clocks.
Promises: what is acknowledged is there after kill -9; a step is looked at beside those that stand, under the ticket's
lock, so that two tabs make one of it; a step is never deleted (``ticket_merge`` carries them along).
Never: works out a due time.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from callcenter.errors import BadInput
from callcenter.store.database import fetch
from callcenter.store.step_tables import ticket_steps
from callcenter.store.tickets import Row, _audit, _locked, _touch
from callcenter.tickets.dispatch import Kind, Step, choices, standing

LONGEST_AHEAD_SECONDS = 366 * 86_400.0
MOST_STEPS = 200
"""Of one ticket, those taken back too: more is no dispatch."""


def step_of(row: Mapping[str, Any]) -> Step:
    facts = {name: row[name] for name in ("id", "at", "by", "promised_at", "undone_at", "undone_by")}
    return Step(kind=Kind(row["kind"]), **facts)


def make(connection: Connection, ticket_id: int, wanted: str, promised_at: float | None, by: str, at: float) -> None:
    """One that stands already stays as it is. Raises ``BadInput`` for one that makes no sense now."""
    if wanted not in list(Kind):
        raise BadInput(f"There is no such step of a dispatch; there are {', '.join(Kind)}.")
    kind = Kind(wanted)
    _check_time(kind, promised_at, at)
    row = _open(connection, ticket_id)
    before = _steps(connection, row["id"])
    same = next((step for step in reversed(standing(before)) if step.kind is kind), None)
    possible, again = kind in choices(before), same is not None and same.promised_at == promised_at
    if again and (kind is Kind.BOOKED or not possible):
        return
    if not possible:
        raise BadInput("This step cannot be made now: load the page again and see what was done meanwhile.")
    if len(before) >= MOST_STEPS:
        raise BadInput(f"A ticket takes {MOST_STEPS} steps of dispatch at most; write the rest into its handling.")
    values = {"kind": kind.value, "at": at, "by": by, "promised_at": promised_at, "undone_by": ""}
    connection.execute(insert(ticket_steps).values(ticket_id=row["id"], **values))
    _touch(connection, row, at)
    _audit(connection, row, [("dispatch", "", _written(kind, promised_at))], by, at)


def take_back(connection: Connection, ticket_id: int, step_id: int, by: str, at: float) -> None:
    """One that was taken back stays so. Raises ``BadInput`` for one that the ticket has not, or a closed ticket."""
    row = _open(connection, ticket_id)
    step = next((one for one in _steps(connection, row["id"]) if one.id == step_id), None)
    if step is None:
        raise BadInput("The ticket has no such step of dispatch; load the page again.")
    if step.undone_at is None:
        undone = update(ticket_steps).where(ticket_steps.c.id == step_id).values(undone_at=at, undone_by=by)
        connection.execute(undone)
        _touch(connection, row, at)
        _audit(connection, row, [("dispatch", _written(step.kind, step.promised_at), "")], by, at)


def _open(connection: Connection, ticket_id: int) -> Row:
    row = _locked(connection, ticket_id)
    if row["status"] == "closed":
        raise BadInput("The ticket is closed and its dispatch stands; open it again first.")
    return row


def _steps(connection: Connection, ticket_id: int) -> list[Step]:
    wanted = select(ticket_steps).where(ticket_steps.c.ticket_id == ticket_id).order_by(ticket_steps.c.id)
    return [step_of(row) for row in fetch(connection, wanted)]


def _check_time(kind: Kind, promised_at: float | None, at: float) -> None:
    if (kind is Kind.BOOKED) != (promised_at is not None):
        raise BadInput("A booked visit has a time, and nothing else of a dispatch has one.")
    if promised_at is not None and not at <= promised_at <= at + LONGEST_AHEAD_SECONDS:
        raise BadInput("A visit is booked for a time to come, within a year.")


def _written(kind: Kind, promised_at: float | None) -> str:
    return kind.value if promised_at is None else f"{kind.value} {promised_at}"
