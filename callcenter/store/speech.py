"""Recordings, the work of hearing them, and what was heard.

On the path of a call: after its end. The rows are found from the calls themselves, so that a crash loses none.
Promises: one recording, one job and one transcript per call, however often somebody adds them; a job belongs to one
worker at a time, also across machines whose clocks differ; what a dead worker held goes back, and after
``MAX_ATTEMPTS`` to quarantine; a transcript and its findings are there together or not at all.
Never: opens a file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Select,
    and_,
    case,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from callcenter.calls.model import Call
from callcenter.calls.recorded import seats_of
from callcenter.store import call_rows
from callcenter.store.database import Database, fetch
from callcenter.store.schema import (
    calls,
    findings,
    recording_seats,
    recordings,
    tickets,
    transcription_jobs,
    transcripts,
)
from callcenter.store.upsert import ignore_known

MAX_ATTEMPTS = 3
STATES = ("waiting", "claimed", "done", "failed", "quarantined")
DAY_SECONDS = 86_400.0


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
class Job:
    """A claimed job. ``attempts`` counts this one."""

    id: int
    recording_id: int
    server: str
    call_id: str
    seat: str | None
    seat_path: str | None
    caller_path: str | None
    seconds: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Jobs: ``waiting`` for an attempt, ``claimed`` by a worker of any process, waiting for the ``store`` of
    recordings, or for their folder."""

    waiting: int = 0
    claimed: int = 0
    store: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A transcript as it is stored. ``words``: ``transcript.to_dict``; ``findings``: rows without ids."""

    language: str
    model: str
    words: Mapping[str, Any]
    text: str
    measures: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]] = ()


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
                _add_job(connection, recording_id, at)
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
            recording_id = connection.scalars(select(recordings.c.id).where(mine)).one()
            seats = [{"recording_id": recording_id, "seat": s, "position": n} for n, s in enumerate(spoke)]
            if seats:
                connection.execute(ignore_known(dialect, recording_seats, ["recording_id", "seat"]), seats)
            if hear and _talked(call) and found.state == "found":
                _add_job(connection, recording_id, at)

        await self._database.write(work)

    async def wanted(self, server: str, since: float, at: float, again: bool = False) -> int:
        """Jobs for recordings since then that have none, for a back-fill; how many. ``again``: those that failed or
        were set aside begin anew as well."""
        c = recordings.c
        none = ~select(transcription_jobs.c.id).where(transcription_jobs.c.recording_id == c.id).exists()
        of_call = and_(calls.c.server == c.server, calls.c.call_id == c.call_id, calls.c.arrived_at >= since)
        talked = or_(c.seat.is_not(None), calls.c.answered_at.is_not(None))
        since_then = select(c.id).where(c.server == server, c.state == "found", talked).join(calls, of_call)
        statement = since_then.where(none)

        j = transcription_jobs.c
        spent = and_(j.state.in_(("failed", "quarantined")), j.recording_id.in_(since_then))
        anew = {"state": "waiting", "attempts": 0, "not_before": at, "done_at": None}

        def work(connection: Connection) -> int:
            ids = list(connection.scalars(statement))
            for recording_id in ids:
                _add_job(connection, recording_id, at)
            begun = connection.execute(update(transcription_jobs).where(spent).values(anew)).rowcount if again else 0
            return len(ids) + begun

        return await self._database.write(work)

    async def claim(
        self,
        worker: str,
        now: float,
        silent_seconds: float,
        given_up: Callable[[int], None] = lambda _jobs: None,
        *,
        server: str | None = None,
    ) -> Job | None:
        """The oldest job that is due, or whose worker has been silent; nobody else gets it. ``given_up`` is told how
        many went to quarantine now because their programs died.

        ``server``: only of its recordings, for whoever has no others; ``None``: of all."""
        c, r = transcription_jobs.c, recordings.c
        within_reach = true() if server is None else c.recording_id.in_(select(r.id).where(r.server == server))
        quarantine = {"state": "quarantined", "error": "its workers died three times", "code": "lost", "done_at": now}

        def work(connection: Connection) -> tuple[int, Job | None]:
            moment = _beats_at(connection, now)
            lost = and_(c.state == "claimed", c.heartbeat_at < moment - silent_seconds)
            spent = and_(lost, c.attempts >= MAX_ATTEMPTS, within_reach)
            dropped = connection.execute(update(transcription_jobs).where(spent).values(quarantine)).rowcount
            due = and_(or_(and_(c.state == "waiting", c.not_before <= now), lost), within_reach)
            first = select(c.id).where(due).order_by(c.not_before, c.id).limit(1).with_for_update(skip_locked=True)
            mine = connection.scalar(first)
            if mine is None:
                return dropped, None
            claimed = {"state": "claimed", "claimed_by": worker, "heartbeat_at": moment, "attempts": c.attempts + 1}
            connection.execute(update(transcription_jobs).where(c.id == mine).values(claimed))
            columns = (c.id, c.recording_id, r.server, r.call_id, r.seat, r.seat_path, r.caller_path, r.seconds)
            joined = select(*columns, c.attempts).join(recordings, r.id == c.recording_id).where(c.id == mine)
            return dropped, Job(**fetch(connection, joined)[0])

        dropped, job = await self._database.write(work)
        if dropped:
            given_up(dropped)
        return job

    async def beat(self, job: Job, worker: str, now: float) -> bool:
        """The worker lives; whether the job is still its own."""
        mine = _of_worker(job, worker)

        def work(connection: Connection) -> bool:
            beats = update(transcription_jobs).where(mine).values(heartbeat_at=_beats_at(connection, now))
            return connection.execute(beats).rowcount == 1

        return await self._database.write(work)

    async def again(
        self, job: Job, worker: str, now: float, error: str, after_seconds: float, code: str | None = None
    ) -> str:
        """An attempt failed: the job waits for another one, or goes to quarantine. ``error``: without personal data."""
        c = transcription_jobs.c
        state = "quarantined" if job.attempts >= MAX_ATTEMPTS else "waiting"
        done_at = case((c.attempts >= MAX_ATTEMPTS, now), else_=None)
        values = {"state": state, "error": error, "code": code, "not_before": now + after_seconds}
        await self._change(job, worker, values | {"done_at": done_at})
        return state

    async def later(
        self, job: Job, worker: str, now: float, error: str, after_seconds: float, code: str | None = None
    ) -> None:
        """Nothing is wrong with the recording, but it cannot be had now: the attempt does not count."""
        c = transcription_jobs.c
        values = {"state": "waiting", "error": error, "code": code, "not_before": now + after_seconds}
        await self._change(job, worker, values | {"attempts": c.attempts - 1})

    async def failed(self, job: Job, worker: str, now: float, error: str, code: str | None = None) -> None:
        """The recording cannot be heard, whoever tries."""
        await self._change(job, worker, {"state": "failed", "error": error, "code": code, "done_at": now})

    async def done(self, job: Job, worker: str, now: float, written: Written) -> bool:
        """Transcript, findings and the job's end in one transaction; False if the job went to another worker."""
        mine = _of_worker(job, worker)
        row = {
            "recording_id": job.recording_id,
            "language": written.language,
            "model": written.model,
            "words": dict(written.words),
            "text": written.text,
            "measures": dict(written.measures),
            "created_at": now,
        }

        def work(connection: Connection) -> bool:
            ended = update(transcription_jobs).where(mine).values(state="done", error="", code=None, done_at=now)
            if connection.execute(ended).rowcount != 1:
                return False
            before = select(transcripts.c.id).where(transcripts.c.recording_id == job.recording_id)
            connection.execute(delete(findings).where(findings.c.transcript_id.in_(before)))
            connection.execute(delete(transcripts).where(transcripts.c.recording_id == job.recording_id))
            connection.execute(insert(transcripts), row)
            transcript_id = connection.scalars(before).one()
            rows = [{**finding, "transcript_id": transcript_id} for finding in written.findings]
            if rows:
                connection.execute(insert(findings), rows)
            return True

        return await self._database.write(work)

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

    async def states(self, server: str | None = None) -> Mapping[str, int]:
        """How many jobs are in each state; all states are named. ``server``: of its recordings alone."""
        c = transcription_jobs.c
        statement = _of_server(select(c.state, func.count().label("jobs")).group_by(c.state), server)
        rows = await self._database.rows(statement)
        return dict.fromkeys(STATES, 0) | {row["state"]: row["jobs"] for row in rows}

    async def unfinished(self, until: float, server: str | None = None) -> Unfinished:
        """Of the jobs that there were then. ``server``: of its recordings alone."""
        c = transcription_jobs.c
        kind = case(
            (c.state == "claimed", "claimed"), (c.code.in_(("store", "folder")), "store"), else_="waiting"
        ).label("kind")
        left = and_(c.state.in_(("waiting", "claimed")), c.created_at <= until)
        statement = select(kind, func.count().label("jobs")).where(left).group_by(kind)
        rows = await self._database.rows(_of_server(statement, server))
        return Unfinished(**{row["kind"]: row["jobs"] for row in rows})

    async def backlog_seconds(self, server: str | None = None, *, claimed: bool = False) -> float:
        """Sound that waits to be heard; ``claimed``: and what is being heard. ``server``: of its recordings alone."""
        statement = _of_server(
            select(func.coalesce(func.sum(recordings.c.seconds), 0.0)).select_from(transcription_jobs), server, True
        )
        left = transcription_jobs.c.state.in_(("waiting", "claimed") if claimed else ("waiting",))
        return float(await self._database.scalar(statement.where(left)))

    async def _change(self, job: Job, worker: str, values: Mapping[str, Any]) -> bool:
        mine = _of_worker(job, worker)

        def work(connection: Connection) -> bool:
            return connection.execute(update(transcription_jobs).where(mine).values(dict(values))).rowcount == 1

        return await self._database.write(work)


def _talked(call: Call) -> bool:
    """Whether anybody of us did."""
    return bool(seats_of(call)) or call.answered_at is not None


def _of_server(statement: Select[Any], server: str | None, joined: bool = False) -> Select[Any]:
    """Of jobs, those of one server's recordings; ``joined``: the recordings are asked for in any case."""
    if server is None and not joined:
        return statement
    both = statement.join(recordings, transcription_jobs.c.recording_id == recordings.c.id)
    return both if server is None else both.where(recordings.c.server == server)


def _of_worker(job: Job, worker: str) -> ColumnElement[bool]:
    c = transcription_jobs.c
    return and_(c.id == job.id, c.state == "claimed", c.claimed_by == worker)


def _beats_at(connection: Connection, now: float) -> ColumnElement[float]:
    """The moment of a heartbeat. Workers of several machines meet on PostgreSQL only, and its clock is the one clock
    that they share; those of an SQLite file are on its machine, whose clock told ``now``."""
    if connection.dialect.name == "postgresql":
        return cast(extract("epoch", func.now()), Float)
    return literal(now, Float)


def _add_job(connection: Connection, recording_id: int, at: float) -> None:
    row = {
        "recording_id": recording_id,
        "state": "waiting",
        "attempts": 0,
        "claimed_by": "",
        "heartbeat_at": None,
        "not_before": at,
        "error": "",
        "code": None,
        "created_at": at,
        "done_at": None,
    }
    connection.execute(ignore_known(connection.dialect.name, transcription_jobs, ["recording_id"]), row)
