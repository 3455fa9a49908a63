"""Recordings: which calls have one, and what became of it.

On the path of a call: after its end. The rows are found from the calls themselves, so that a crash loses none; the work
of hearing them is ``store/jobs``.
Promises: one recording and one job per call, however often somebody adds them.
Never: opens a file.
"""

from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    and_,
    or_,
    select,
    update,
)

from callcenter.calls.model import Call
from callcenter.calls.recorded import seats_of
from callcenter.store import call_rows
from callcenter.store.database import Database
from callcenter.store.jobs import add_job
from callcenter.store.schema import (
    calls,
    recording_seats,
    recordings,
    tickets,
    transcription_jobs,
)
from callcenter.store.upsert import ignore_known


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the files of a call were found to be. ``sha256``: of the mixed file or else the tracks, "" if missing."""

    call: Call
    state: str
    sha256: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A call whose files were not there when its recording got its row."""

    recording_id: int
    created_at: float
    call: Call


@dataclass(frozen=True, slots=True)
class Status:
    """``state``: of the recording (found, missing, erased); ``job``: of its transcription, ``None`` if there is none;
    ``error``: why it failed, a sentence; ``code``: the same as one of ``speech/reasons.CODES``, "" if nobody knows;
    ``sha256``: of the recording, "" if it is missing."""

    recording_id: int
    state: str
    job: str | None
    error: str
    code: str
    sha256: str = ""


class Speech:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def unregistered(self, server: str, since: float, limit: int = 50) -> tuple[Call, ...]:
        """Ended calls with a recording that has no row yet, those that arrived first."""
        known = select(recordings.c.id).where(
            recordings.c.server == calls.c.server, recordings.c.call_id == calls.c.call_id
        )
        wanted = and_(
            *(calls.c.server == server, calls.c.phase == "ended", calls.c.recording.is_not(None)),
            *(calls.c.arrived_at >= since, calls.c.merged_into.is_(None), ~known.exists()),
        )
        statement = select(calls).where(wanted).order_by(calls.c.arrived_at, calls.c.call_id).limit(limit)
        return tuple(call_rows.to_call(row) for row in await self._database.rows(statement))

    async def missing(
        self, server: str, since: float, before: Missing | None = None, limit: int = 100
    ) -> tuple[Missing, ...]:
        """Calls since then whose files were not there, the newest first, on from ``before``."""
        r = recordings.c
        of_call = and_(calls.c.server == r.server, calls.c.call_id == r.call_id)
        # No row is older than its call. The index over their times finds them, not that over all of the server's.
        since_then = and_(r.created_at >= since, calls.c.arrived_at >= since)
        wanted = and_(r.server + "" == server, r.state == "missing", since_then)
        if before is not None:
            same = and_(r.created_at == before.created_at, r.id < before.recording_id)
            wanted = and_(wanted, or_(r.created_at < before.created_at, same))
        columns = select(r.id.label("recording_id"), r.created_at.label("registered_at"), calls).join(
            recordings, of_call
        )
        rows = await self._database.rows(columns.where(wanted).order_by(r.created_at.desc(), r.id.desc()).limit(limit))
        return tuple(Missing(row["recording_id"], row["registered_at"], call_rows.to_call(row)) for row in rows)

    async def found_late(self, recording_id: int, found: Recorded, at: float, hear: bool) -> bool:
        """What was missing is there now, and is heard as if it always had been; False if it was erased meanwhile."""
        mine = and_(recordings.c.id == recording_id, recordings.c.state == "missing")
        values = {"state": found.state, "sha256": found.sha256, "seconds": found.seconds}

        def work(connection: Connection) -> bool:
            if connection.execute(update(recordings).where(mine).values(values)).rowcount != 1:
                return False
            if hear and _talked(found.call):
                add_job(connection, recording_id, at)
            return True

        return await self._database.write(work)

    async def register(self, found: Recorded, at: float, hear: bool) -> None:
        """The recording's row, with its ticket and its seats, and the job to ``hear`` it if its tracks are there and
        anybody of us talked: who gave up while it rang left silence."""
        call = found.call
        spoke = seats_of(call)
        row = {
            "server": call.server,
            "call_id": call.call_id,
            "seat": next(iter(spoke), None),
            "caller_path": call.recording_caller,
            "seat_path": call.recording_seat,
            "mixed_path": call.recording,
            "sha256": found.sha256,
            "seconds": found.seconds,
            "state": found.state,
            "retained_until": None,
            "created_at": at,
            "erased_at": None,
            "stored": None,
            "stored_at": None,
            "local_gone_at": None,
            "calibrated_by": None,
            "calibrated_at": None,
        }
        mine = and_(recordings.c.server == call.server, recordings.c.call_id == call.call_id)
        owner = select(tickets.c.id).where(tickets.c.server == call.server, tickets.c.call_id == call.call_id)

        def work(connection: Connection) -> None:
            row["ticket_id"] = connection.scalar(owner)
            dialect = connection.dialect.name
            connection.execute(ignore_known(dialect, recordings, ["server", "call_id"]), row)
            recording_id, state = connection.execute(select(recordings.c.id, recordings.c.state).where(mine)).one()
            seats = [{"recording_id": recording_id, "seat": s, "position": n} for n, s in enumerate(spoke)]
            if seats:
                connection.execute(ignore_known(dialect, recording_seats, ["recording_id", "seat"]), seats)
            if hear and _talked(call) and found.state == state == "found":  # it may have been erased meanwhile
                add_job(connection, recording_id, at)

        await self._database.write(work)

    async def status(self, server: str, call_id: str) -> Status | None:
        """What became of a call's recording; ``None`` while it has no row."""
        r, j = recordings.c, transcription_jobs.c
        statement = (
            select(r.id, r.state, r.sha256, j.state.label("job"), j.error, j.code)
            .outerjoin(transcription_jobs, j.recording_id == r.id)
            .where(r.server == server, r.call_id == call_id)
        )
        rows = await self._database.rows(statement)
        if not rows:
            return None
        row = rows[0]
        return Status(row["id"], row["state"], row["job"], row["error"] or "", row["code"] or "", row["sha256"])


def _talked(call: Call) -> bool:
    """Whether anybody of us did."""
    return bool(seats_of(call)) or call.answered_at is not None
