"""The work of hearing one server's recordings: a queue of jobs that workers of any process claim, and what they heard.

On the path of a call: after its end, when ``store/speech`` has noted its recording.
Promises: a job belongs to one worker at a time, also across machines whose clocks differ; what a dead worker held goes
back, and after ``MAX_ATTEMPTS`` to quarantine; a transcript and its findings are there together or not at all; jobs of
another server's recordings are neither claimed nor counted.
Never: opens a file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
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
    update,
)

from callcenter.quality.search import spoken_text
from callcenter.speech.transcript import from_dict
from callcenter.store.database import Database, fetch
from callcenter.store.said import spoken, without_spoken
from callcenter.store.schema import calls, findings, recordings, transcription_jobs, transcripts
from callcenter.store.upsert import ignore_known

MAX_ATTEMPTS = 3
STATES = ("waiting", "claimed", "done", "failed", "quarantined")


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


class Jobs:
    """Of the recordings of ``server``: its folder holds no others."""

    def __init__(self, database: Database, server: str) -> None:
        self._database, self._server = database, server
        of_server = select(recordings.c.id).where(recordings.c.server == server)
        self._ours = transcription_jobs.c.recording_id.in_(of_server)

    async def wanted(self, since: float, at: float, again: bool = False) -> int:
        """Jobs for recordings since then that have none, for a back-fill; how many. ``again``: those that failed or
        were set aside begin anew as well."""
        c = recordings.c
        none = ~select(transcription_jobs.c.id).where(transcription_jobs.c.recording_id == c.id).exists()
        of_call = and_(calls.c.server == c.server, calls.c.call_id == c.call_id, calls.c.arrived_at >= since)
        talked = or_(c.seat.is_not(None), calls.c.answered_at.is_not(None))
        since_then = select(c.id).where(c.server == self._server, c.state == "found", talked).join(calls, of_call)
        statement = since_then.where(none)

        j = transcription_jobs.c
        spent = and_(j.state.in_(("failed", "quarantined")), j.recording_id.in_(since_then))
        anew = {"state": "waiting", "attempts": 0, "not_before": at, "done_at": None}

        def work(connection: Connection) -> int:
            ids = list(connection.scalars(statement))
            for recording_id in ids:
                add_job(connection, recording_id, at)
            begun = connection.execute(update(transcription_jobs).where(spent).values(anew)).rowcount if again else 0
            return len(ids) + begun

        return await self._database.write(work)

    async def claim(
        self,
        worker: str,
        now: float,
        silent_seconds: float,
        given_up: Callable[[int], None] = lambda _jobs: None,
    ) -> Job | None:
        """The oldest job that is due, or whose worker has been silent; nobody else gets it. ``given_up`` is told how
        many went to quarantine now because their programs died."""
        c, r = transcription_jobs.c, recordings.c
        quarantine = {"state": "quarantined", "error": "its workers died three times", "code": "lost", "done_at": now}

        def work(connection: Connection) -> tuple[int, Job | None]:
            moment = _beats_at(connection, now)
            lost = and_(c.state == "claimed", c.heartbeat_at < moment - silent_seconds)
            spent = and_(lost, c.attempts >= MAX_ATTEMPTS, self._ours)
            dropped = connection.execute(update(transcription_jobs).where(spent).values(quarantine)).rowcount
            due = and_(or_(and_(c.state == "waiting", c.not_before <= now), lost), self._ours)
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

        said = spoken_text(from_dict(written.words, stored=True))

        def work(connection: Connection) -> bool:
            ended = update(transcription_jobs).where(mine).values(state="done", error="", code=None, done_at=now)
            if connection.execute(ended).rowcount != 1:
                return False
            before = select(transcripts.c.id).where(transcripts.c.recording_id == job.recording_id)
            connection.execute(delete(findings).where(findings.c.transcript_id.in_(before)))
            connection.execute(without_spoken(before))
            connection.execute(delete(transcripts).where(transcripts.c.recording_id == job.recording_id))
            connection.execute(insert(transcripts), row)
            transcript_id = connection.scalars(before).one()
            connection.execute(insert(spoken).values(transcript_id=transcript_id, text=said))
            rows = [{**finding, "transcript_id": transcript_id} for finding in written.findings]
            if rows:
                connection.execute(insert(findings), rows)
            return True

        return await self._database.write(work)

    async def states(self) -> Mapping[str, int]:
        """How many jobs are in each state; all states are named."""
        c = transcription_jobs.c
        statement = select(c.state, func.count().label("jobs")).where(self._ours).group_by(c.state)
        return dict.fromkeys(STATES, 0) | {row["state"]: row["jobs"] for row in await self._database.rows(statement)}

    async def unfinished(self, until: float) -> Unfinished:
        """Of the jobs that there were then."""
        c = transcription_jobs.c
        away = c.code.in_(("store", "folder"))
        kind = case((c.state == "claimed", "claimed"), (away, "store"), else_="waiting").label("kind")
        left = and_(c.state.in_(("waiting", "claimed")), c.created_at <= until, self._ours)
        rows = await self._database.rows(select(kind, func.count().label("jobs")).where(left).group_by(kind))
        return Unfinished(**{row["kind"]: row["jobs"] for row in rows})

    async def backlog_seconds(self, *, claimed: bool = False) -> float:
        """Sound that waits to be heard; ``claimed``: and what is being heard."""
        c, r = transcription_jobs.c, recordings.c
        left = and_(c.state.in_(("waiting", "claimed") if claimed else ("waiting",)), r.server == self._server)
        statement = select(func.coalesce(func.sum(r.seconds), 0.0)).join(transcription_jobs, c.recording_id == r.id)
        return float(await self._database.scalar(statement.where(left)))

    async def _change(self, job: Job, worker: str, values: Mapping[str, Any]) -> bool:
        mine = _of_worker(job, worker)

        def work(connection: Connection) -> bool:
            return connection.execute(update(transcription_jobs).where(mine).values(dict(values))).rowcount == 1

        return await self._database.write(work)


def _of_worker(job: Job, worker: str) -> ColumnElement[bool]:
    c = transcription_jobs.c
    return and_(c.id == job.id, c.state == "claimed", c.claimed_by == worker)


def _beats_at(connection: Connection, now: float) -> ColumnElement[float]:
    """The moment of a heartbeat. Workers of several machines meet on PostgreSQL only, and its clock is the one clock
    that they share; those of an SQLite file are on its machine, whose clock told ``now``."""
    if connection.dialect.name == "postgresql":
        return cast(extract("epoch", func.now()), Float)
    return literal(now, Float)


def add_job(connection: Connection, recording_id: int, at: float) -> None:
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
