"""How long recordings are kept, whose are to go, and the audit of what went.

On the path of a call: long after its end. ``speech/keeping`` removes the files, then this forgets what was made of
them.
Promises: transcript, findings, job and the words that reviewers wrote go in one transaction with the audit line; scores
and verdicts stay, for they tell of the seat, and so do the sums of its phrases; an audit line names no caller.
Never: opens a file.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, not_, select, update

from callcenter.store.database import Database
from callcenter.store.phrase_rates import add_to_sums
from callcenter.store.review_tables import review_comments, review_disputes, reviews
from callcenter.store.schema import audit, calls, findings, recordings, transcription_jobs, transcripts
from callcenter.tickets.model import number_writings


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording that is to go. ``paths`` are the dialplan's; ``copies``: of its tracks in the store of recordings."""

    id: int
    paths: tuple[str, ...]
    transcribed: bool
    server: str = ""
    call_id: str = ""
    copies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditLine:
    at: float
    what: str
    by: str
    recording_id: int | None
    detail: Mapping[str, object]


class Keeping:
    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        """``zone``: of the site, whose days the sums count by."""
        self._database, self._zone = database, zone

    async def older(self, queue: str | None, others: Collection[str], before: float, limit: int = 100) -> list[Kept]:
        """Recordings of calls of ``queue`` that came in before then; ``None``: of all queues but ``others``."""
        of_queue = not_(func.coalesce(calls.c.queue, "").in_(others)) if queue is None else calls.c.queue == queue
        came_in = func.coalesce(calls.c.arrived_at, recordings.c.created_at)
        return await self._kept(and_(of_queue, came_in < before), limit)

    async def of_number(self, number: str, limit: int = 100) -> list[Kept]:
        """Recordings of calls from this number, or from us to it, in whatever way it is written. Who calls the hotline
        dials its number: that one is nobody's."""
        written = number_writings(number)
        from_us = and_(calls.c.direction == "outbound", calls.c.dialled.in_(written))
        return await self._kept(calls.c.caller_number.in_(written) | from_us, limit)

    async def count_of_number(self, number: str) -> tuple[int, int]:
        """(recordings, transcripts) that ``of_number`` would find without a limit."""
        found = await self.of_number(number, 1_000_000)
        return len(found), sum(one.transcribed for one in found)

    async def gone(self, server: str, call_ids: Collection[str]) -> frozenset[str]:
        """Those of the calls whose recordings were erased."""
        r = recordings.c
        erased = and_(r.server == server, r.call_id.in_(call_ids), r.state == "erased")
        return frozenset(row["call_id"] for row in await self._database.rows(select(r.call_id).where(erased)))

    async def _kept(self, which: ColumnElement[bool], limit: int) -> list[Kept]:
        r = recordings.c
        call = and_(calls.c.server == r.server, calls.c.call_id == r.call_id)
        columns = (
            r.id,
            r.server,
            r.call_id,
            r.stored,
            r.mixed_path,
            r.seat_path,
            r.caller_path,
            transcripts.c.id.label("transcript"),
        )
        statement = select(*columns).join(calls, call).outerjoin(transcripts, transcripts.c.recording_id == r.id)
        rows = await self._database.rows(
            statement.where(r.state != "erased", which).order_by(r.created_at, r.id).limit(limit)
        )
        return [
            Kept(
                row["id"],
                tuple(path for path in (row["mixed_path"], row["seat_path"], row["caller_path"]) if path),
                row["transcript"] is not None,
                *(row["server"], row["call_id"], row["stored"] or {}),
            )
            for row in rows
        ]

    async def erased(self, recording_id: int, at: float, by: str, files: int) -> bool:
        """Its files are gone: so is everything that was made of them. False if it had gone before.

        ``by``: retention, or who asked."""
        mine = and_(recordings.c.id == recording_id, recordings.c.state != "erased")
        nothing = {"state": "erased", "erased_at": at, "mixed_path": None, "seat_path": None, "caller_path": None}
        nothing["stored"] = None
        of_recording = select(transcripts.c.id).where(transcripts.c.recording_id == recording_id)
        of_reviews = select(reviews.c.id).where(reviews.c.recording_id == recording_id)

        def work(connection: Connection) -> bool:
            if connection.execute(update(recordings).where(mine).values(nothing)).rowcount != 1:
                return False
            add_to_sums(connection, recording_id, self._zone)
            connection.execute(delete(findings).where(findings.c.transcript_id.in_(of_recording)))
            connection.execute(delete(transcripts).where(transcripts.c.recording_id == recording_id))
            connection.execute(delete(transcription_jobs).where(transcription_jobs.c.recording_id == recording_id))
            connection.execute(delete(review_comments).where(review_comments.c.review_id.in_(of_reviews)))
            said = {"text": "", "answer": ""}
            connection.execute(update(review_disputes).where(review_disputes.c.review_id.in_(of_reviews)).values(said))
            connection.execute(update(reviews).where(reviews.c.recording_id == recording_id).values(note=""))
            line = {"at": at, "what": "recording_erased", "by": by, "recording_id": recording_id}
            connection.execute(insert(audit).values(**line, detail={"files": files}))
            return True

        return await self._database.write(work)

    async def audit(self, limit: int = 100) -> Sequence[AuditLine]:
        """The newest first."""
        rows = await self._database.rows(select(audit).order_by(audit.c.id.desc()).limit(limit))
        return [AuditLine(row["at"], row["what"], row["by"], row["recording_id"], row["detail"]) for row in rows]
