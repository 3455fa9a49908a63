"""How long recordings are kept, whose are to go, and the audit of what went.

On the path of a call: long after its end. ``speech/keeping`` removes the files, then this forgets what was made of
them.
Promises: transcript, findings, job and the words that reviewers wrote go in one transaction with the audit line; scores
and verdicts stay, for they tell of the seat, and so do the sums of its phrases; an audit line names no caller.
Never: opens a file.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, delete, false, func, insert, not_, or_, select, tuple_, update

from callcenter.calls.model import Call
from callcenter.store import call_rows
from callcenter.store.database import Database
from callcenter.store.phrase_rates import add_to_sums
from callcenter.store.review_tables import review_comments, review_disputes, reviews
from callcenter.store.said import without_spoken
from callcenter.store.schema import audit, calls, findings, recordings, tickets, transcription_jobs, transcripts
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
    created_at: float = 0.0

    @property
    def place(self) -> tuple[float, int]:
        """In the order in which they are read."""
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose calls are to be forgotten: those of a number, in any writing, and those of tickets. ``tickets``: ids, with
    those of what was merged into them (``Keeping.tickets_of``)."""

    number: str = ""
    tickets: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class AuditLine:
    at: float
    what: str
    by: str
    recording_id: int | None
    detail: Mapping[str, object]
    ticket: str = ""
    """The number of the recording's ticket; "" if there is none."""
    id: int = 0


class Keeping:
    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        """``zone``: of the site, whose days the sums count by."""
        self._database, self._zone = database, zone

    async def older(
        self,
        queue: str | None,
        others: Collection[str],
        before: float,
        limit: int = 100,
        after: tuple[float, int] | None = None,
    ) -> list[Kept]:
        """Recordings of calls of ``queue`` that came in before then; ``None``: of all queues but ``others``. On from
        behind the place ``after``."""
        of_queue = not_(func.coalesce(calls.c.queue, "").in_(others)) if queue is None else calls.c.queue == queue
        came_in = func.coalesce(calls.c.arrived_at, recordings.c.created_at)
        place = tuple_(recordings.c.created_at, recordings.c.id)
        behind = [] if after is None else [place > tuple_(*after)]
        return await self._kept(and_(of_queue, came_in < before, *behind), limit)

    async def of(self, whose: Whose, limit: int = 1_000_000) -> list[Kept]:
        """Recordings of these calls."""
        return await self._kept(_calls_of(whose), limit)

    async def unregistered(self, server: str, whose: Whose) -> list[Call]:
        """These calls, as far as they have ended and no recording of them has a row, whether or not anybody noted one.
        A call that became part of another one is among them if it was recorded for itself."""
        r = recordings.c
        known = select(r.id).where(r.server == calls.c.server, r.call_id == calls.c.call_id).exists()
        whole = calls.alias()
        of_whole = and_(whole.c.server == calls.c.server, whole.c.call_id == calls.c.merged_into)
        same = select(whole.c.call_id).where(of_whole, whole.c.recording == calls.c.recording).exists()
        alone = or_(calls.c.merged_into.is_(None), and_(calls.c.recording.is_not(None), ~same))
        wanted = and_(calls.c.server == server, calls.c.phase == "ended", ~known, alone, _calls_of(whose))
        return [call_rows.to_call(row) for row in await self._database.rows(select(calls).where(wanted))]

    async def running(self, server: str, whose: Whose, ended_after: float) -> int:
        """How many of these calls still go on, or ended after that moment."""
        going_on = or_(calls.c.phase != "ended", calls.c.ended_at > ended_after)
        mine = and_(calls.c.server == server, calls.c.merged_into.is_(None), _calls_of(whose))
        return int(await self._database.scalar(select(func.count()).select_from(calls).where(mine, going_on)))

    async def tickets_of(self, numbers: Iterable[str]) -> tuple[frozenset[int], list[str]]:
        """The tickets of these numbers, with all that were merged into the same ones; and the numbers of no ticket."""
        t, wanted = tickets.c, list(dict.fromkeys(numbers))
        rows = await self._database.rows(select(t.id, t.number, t.merged_into).where(t.number.in_(wanted)))
        told = {row["number"] for row in rows}
        found: set[int] = set()
        while rows:
            found |= {row["id"] for row in rows}
            into = [row["merged_into"] for row in rows if row["merged_into"] is not None]
            related = or_(t.id.in_(into), t.merged_into.in_(list(found)))
            rows = await self._database.rows(select(t.id, t.merged_into).where(related, t.id.not_in(list(found))))
        return frozenset(found), [number for number in wanted if number not in told]

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
            r.created_at,
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
                *(row["server"], row["call_id"], row["stored"] or {}, row["created_at"]),
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
            connection.execute(without_spoken(of_recording))
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

    async def audit(
        self,
        limit: int = 100,
        *,
        since: float | None = None,
        until: float | None = None,
        before: int | None = None,
    ) -> Sequence[AuditLine]:
        """The newest first. ``until`` is excluded; ``before``: on from behind the line of this id."""
        a, bounds = audit.c, []
        bounds += [a.at >= since] if since is not None else []
        bounds += [a.at < until] if until is not None else []
        bounds += [a.id < before] if before is not None else []
        of_ticket = audit.outerjoin(recordings, recordings.c.id == a.recording_id)
        of_ticket = of_ticket.outerjoin(tickets, tickets.c.id == recordings.c.ticket_id)
        statement = select(audit, func.coalesce(tickets.c.number, "").label("ticket")).select_from(of_ticket)
        names = ("at", "what", "by", "recording_id", "detail", "ticket", "id")
        rows = await self._database.rows(statement.where(*bounds).order_by(a.id.desc()).limit(limit))
        return [AuditLine(**{name: row[name] for name in names}) for row in rows]


def _calls_of(whose: Whose) -> ColumnElement[bool]:
    """Calls from the number, or from us to it, in whatever way it is written (who calls the hotline dials its number:
    that one is nobody's); calls of the tickets."""
    which: list[ColumnElement[bool]] = []
    if whose.number:
        written = number_writings(whose.number)
        which += [calls.c.caller_number.in_(written)]
        which += [and_(calls.c.direction == "outbound", calls.c.dialled.in_(written))]
    if whose.tickets:
        own = select(tickets.c.server, tickets.c.call_id).where(tickets.c.id.in_(whose.tickets))
        which += [tuple_(calls.c.server, calls.c.call_id).in_(own)]
        which += [tuple_(calls.c.server, calls.c.merged_into).in_(own)]
    return or_(false(), *which)
