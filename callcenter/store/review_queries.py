"""Reading what there is to review: the list with its filters, search in transcripts, one recording with its reviews.

On the path of a call: after recording, transcript and findings are stored.
Promises: every value is a bound parameter, wildcards in a query are letters; a search finds the same on SQLite and
PostgreSQL, because the database only proposes transcripts and ``quality/search`` looks into the words; a random sample
is the same for the same seed; at most ``MAX_SCANNED`` transcripts are read for one search, and the answer says so.
Never: writes; gives out an erased recording.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from callcenter.quality.card_text import from_text
from callcenter.quality.finding import Finding
from callcenter.quality.rates import Counted
from callcenter.quality.review import (
    Comment,
    Dispute,
    KnownPhrase,
    LogLine,
    Recorded,
    RecordingPage,
    RecordingRow,
    Review,
    ReviewMark,
    Wanted,
)
from callcenter.quality.scorecard import Verdict
from callcenter.quality.search import all_said
from callcenter.speech.transcript import Transcript, from_dict
from callcenter.store import phrase_rates
from callcenter.store.database import Database
from callcenter.store.review_findings import has_finding, phrases
from callcenter.store.review_joins import AT, JOINED, KEPT
from callcenter.store.review_tables import (
    review_answers,
    review_comments,
    review_disputes,
    review_log,
    reviews,
    scorecards,
)
from callcenter.store.said import holds
from callcenter.store.schema import (
    calls,
    findings,
    recording_seats,
    recordings,
    tickets,
    transcription_jobs,
    transcripts,
)

MAX_PAGE = 100
MAX_SCANNED = 500
MAX_SAMPLED = 50_000

_JOB = transcription_jobs.c.recording_id == recordings.c.id
_ROW = select(
    *(recordings.c[name] for name in ("id", "server", "call_id", "ticket_id", "seat", "seconds", "state")),
    AT.label("at"),
    func.coalesce(tickets.c.number, "").label("number"),
    func.coalesce(tickets.c.organisation, "").label("organisation"),
    *(recordings.c.calibrated_by, recordings.c.calibrated_at, calls.c.queue),
    transcripts.c.id.label("transcript_id"),
    select(transcription_jobs.c.state).where(_JOB).scalar_subquery().label("job"),
    select(transcription_jobs.c.code).where(_JOB).scalar_subquery().label("code"),
).select_from(JOINED)
_NEWEST_FIRST = (AT.desc(), recordings.c.id.desc())
_DISPUTED = exists().where(review_disputes.c.review_id == reviews.c.id, review_disputes.c.outcome.is_(None))


class ReviewQueries:
    def __init__(self, database: Database) -> None:
        self._readers = database

    async def find(self, wanted: Wanted) -> RecordingPage:
        """The recordings that match, newest first."""
        if wanted.sample is not None:
            return await self._sampled(wanted)
        if wanted.terms:
            return await self._searched(wanted)
        limit = min(wanted.limit, MAX_PAGE)
        found = await self._readers.rows(_paged(_ROW.where(*_conditions(wanted)), wanted).limit(limit + 1))
        count = select(func.count()).select_from(JOINED).where(*_conditions(wanted))
        total = int(await self._readers.scalar(count))
        rows = await self._rows(found[:limit])
        return RecordingPage(rows, total, _place(found[limit - 1]) if len(found) > limit else None)

    async def _sampled(self, wanted: Wanted) -> RecordingPage:
        """Chosen by a hash of seed and id: the same on every database, and no row's chance depends on another."""
        ids = select(recordings.c.id).select_from(JOINED).where(*_conditions(wanted))
        all_ids = [row["id"] for row in await self._readers.rows(ids.order_by(*_NEWEST_FIRST).limit(MAX_SAMPLED))]
        chosen = sorted(all_ids, key=lambda one: _draw(wanted.seed, one))[: min(wanted.sample or 0, MAX_PAGE)]
        found = await self._readers.rows(_ROW.where(recordings.c.id.in_(chosen)).order_by(*_NEWEST_FIRST))
        return RecordingPage(await self._rows(found), len(all_ids))

    async def _searched(self, wanted: Wanted) -> RecordingPage:
        """Candidates of the database, then those in whose words all terms are. What is older than the last one that
        was looked at is for the next page, however few were found."""
        limit = min(wanted.limit, MAX_PAGE)
        statement = _paged(_ROW.where(*_conditions(wanted)), wanted).limit(MAX_SCANNED + 1)
        candidates = await self._readers.rows(statement)
        rows = candidates[:MAX_SCANNED]
        hits: list[RecordingRow] = []
        for start in range(0, len(rows), limit):
            for row in await self._rows(rows[start : start + limit], words=wanted.terms):
                hits += [row] if row.hits else []
            if len(hits) > limit:
                break
        last = _place(rows[-1]) if len(candidates) > len(rows) else None
        if len(hits) > limit:
            last = hits[limit - 1].at, hits[limit - 1].id
        return RecordingPage(tuple(hits[:limit]), None if last or wanted.before else len(hits), last)

    async def _seats(self, recording_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
        c = recording_seats.c
        statement = select(c.recording_id, c.seat).where(c.recording_id.in_(recording_ids)).order_by(c.position)
        grouped: dict[int, list[str]] = {}
        for row in await self._readers.rows(statement):
            grouped.setdefault(row["recording_id"], []).append(row["seat"])
        return {key: tuple(value) for key, value in grouped.items()}

    async def _rows(self, found: Sequence[dict[str, Any]], words: tuple[str, ...] = ()) -> tuple[RecordingRow, ...]:
        of_transcripts = [row["transcript_id"] for row in found if row["transcript_id"] is not None]
        told = await self._findings(of_transcripts)
        marks = await self._marks([row["id"] for row in found])
        seats = await self._seats([row["id"] for row in found])
        said = await self._transcripts(of_transcripts) if words else {}
        rows = [
            replace(
                _row(row, told.get(row["transcript_id"], ()), marks.get(row["id"], ())), seats=seats.get(row["id"], ())
            )
            for row in found
        ]
        if not words:
            return tuple(rows)
        hits = (tuple(all_said(said[row["transcript_id"]], words)) for row in found)
        return tuple(replace(row, hits=told) for row, told in zip(rows, hits, strict=True))

    async def _findings(self, transcript_ids: Collection[int]) -> dict[int, tuple[Finding, ...]]:
        statement = select(findings).where(findings.c.transcript_id.in_(transcript_ids))
        grouped: dict[int, list[Finding]] = {}
        for row in await self._readers.rows(statement.order_by(findings.c.start, findings.c.id)):
            grouped.setdefault(row["transcript_id"], []).append(_finding(row))
        return {key: tuple(value) for key, value in grouped.items()}

    async def _marks(self, recording_ids: Collection[int]) -> dict[int, tuple[ReviewMark, ...]]:
        joined = reviews.outerjoin(review_disputes, review_disputes.c.review_id == reviews.c.id)
        joined = joined.outerjoin(scorecards, scorecards.c.version == reviews.c.scorecard)
        columns = (review_disputes.c.outcome, review_disputes.c.raised_by, scorecards.c.passing)
        statement = select(reviews, *columns).select_from(joined)
        grouped: dict[int, list[ReviewMark]] = {}
        for row in await self._readers.rows(statement.where(reviews.c.recording_id.in_(recording_ids))):
            disputed = row["raised_by"] is not None and row["outcome"] is None
            told = {name: row[name] for name in ("id", "reviewer", "score", "signed_at", "outcome", "passing")}
            mark = ReviewMark(**told, disputed=disputed)
            grouped.setdefault(row["recording_id"], []).append(mark)
        return {key: tuple(value) for key, value in grouped.items()}

    async def _transcripts(self, ids: Collection[int]) -> dict[int, Transcript]:
        statement = select(transcripts.c.id, transcripts.c.words).where(transcripts.c.id.in_(ids))
        return {row["id"]: from_dict(row["words"], stored=True) for row in await self._readers.rows(statement)}

    async def recorded(self, recording_id: int) -> Recorded | None:
        """One recording with everything; ``None`` if there is none, or it was erased."""
        found = await self._readers.rows(_ROW.where(recordings.c.id == recording_id, KEPT))
        if not found:
            return None
        row = (await self._rows(found))[0]
        (paths,) = await self._readers.rows(select(recordings).where(recordings.c.id == recording_id))
        told = await self._readers.rows(select(transcripts).where(transcripts.c.recording_id == recording_id))
        return Recorded(
            row,
            {track: paths[f"{column}_path"] for track, column in _TRACKS if paths[f"{column}_path"]},
            from_dict(told[0]["words"], stored=True) if told else None,
            told[0]["model"] if told else "",
            row.job,
            row.code,
            told[0]["measures"] if told else {},
            await self.reviews_of(recording_id),
            told[0]["language"] if told else "",
            paths["sha256"],
        )

    async def reviews_of(self, recording_id: int) -> tuple[Review, ...]:
        """All reviews of a recording, the oldest first."""
        statement = select(reviews).where(reviews.c.recording_id == recording_id).order_by(reviews.c.id)
        return await self._whole(await self._readers.rows(statement))

    async def review(self, review_id: int) -> Review | None:
        found = await self._whole(await self._readers.rows(select(reviews).where(reviews.c.id == review_id)))
        return found[0] if found else None

    async def _whole(self, rows: Sequence[dict[str, Any]]) -> tuple[Review, ...]:
        ids = [row["id"] for row in rows]
        answers = await self._readers.rows(select(review_answers).where(review_answers.c.review_id.in_(ids)))
        statement = select(review_comments).where(review_comments.c.review_id.in_(ids))
        comments = await self._readers.rows(statement.order_by(review_comments.c.moment, review_comments.c.id))
        disputes = await self._readers.rows(select(review_disputes).where(review_disputes.c.review_id.in_(ids)))
        versions = {row["scorecard"] for row in rows}
        cards = await self._readers.rows(select(scorecards).where(scorecards.c.version.in_(versions)))
        return tuple(build(row, answers, comments, disputes, cards) for row in rows)

    async def log(self, recording_id: int) -> tuple[LogLine, ...]:
        """What was done with the reviews of a recording, oldest first."""
        statement = select(review_log).where(review_log.c.recording_id == recording_id).order_by(review_log.c.id)
        return tuple(
            LogLine(row["what"], row["by"], row["at"], row["detail"]) for row in await self._readers.rows(statement)
        )

    async def rates(self, since: float, weeks: int, seat: str | None = None) -> list[Counted]:
        """Phrases by week, counted from ``since``, and by the seat that said or owed them; of one seat, or of all."""
        return await phrase_rates.rates(self._readers, since, weeks, seat)

    async def rates_by_queue(self, since: float) -> dict[str, list[Counted]]:
        """The same of a week from ``since``, by queue ("" for none): added up it is what ``rates`` tells."""
        return await phrase_rates.rates_by_queue(self._readers, since)

    async def phrases(self) -> tuple[KnownPhrase, ...]:
        """Those that there are findings of, by rule and name: the shipped ones and those of sites' own scripts."""
        told = [KnownPhrase(row["name"], row["rule"], row["kind"]) for row in await self._readers.rows(phrases())]
        return tuple(sorted(told, key=lambda one: (one.rule, one.name)))

    async def queues(self) -> tuple[str, ...]:
        """Queues of which there are recordings."""
        statement = select(calls.c.queue).select_from(JOINED).where(KEPT, calls.c.queue.is_not(None)).distinct()
        return tuple(sorted(row["queue"] for row in await self._readers.rows(statement)))


_TALKED = or_(recordings.c.seat.is_not(None), calls.c.answered_at.is_not(None), transcripts.c.id.is_not(None))
"""Who gave up while it rang left a recording in which there is nothing to review."""
_TRACKS = (("mix", "mixed"), ("seat", "seat"), ("caller", "caller"))


def build(
    row: dict[str, Any],
    answers: Iterable[dict[str, Any]],
    comments: Iterable[dict[str, Any]],
    disputes: Iterable[dict[str, Any]],
    cards: Iterable[dict[str, Any]],
) -> Review:
    """A review of its rows; rows of other reviews are passed over. A draft has no card of its own."""
    own, version = row["id"], row["scorecard"] if row["signed_at"] is not None else None
    return Review(
        id=own,
        recording_id=row["recording_id"],
        reviewer=row["reviewer"],
        scorecard=row["scorecard"],
        answers={one["question"]: Verdict(one["verdict"]) for one in answers if one["review_id"] == own},
        proposed={question: Verdict(verdict) for question, verdict in row["proposed"].items()},
        note=row["note"],
        score=row["score"],
        updated_at=row["updated_at"],
        signed_at=row["signed_at"],
        signature=row["signature"],
        comments=tuple(
            Comment(one["id"], one["moment"], one["text"], one["author"], one["at"])
            for one in comments
            if one["review_id"] == own
        ),
        dispute=next((_dispute(one) for one in disputes if one["review_id"] == own), None),
        card=next((from_text(one["text"], one["version"]) for one in cards if one["version"] == version), None),
    )


def _dispute(row: dict[str, Any]) -> Dispute:
    return Dispute(
        row["text"], row["raised_by"], row["at"], row["outcome"], row["answer"], row["answered_by"], row["answered_at"]
    )


def _finding(row: dict[str, Any]) -> Finding:
    names = ("phrase", "rule", "kind", "found", "speaker", "start", "heard", "score", "band", "severity", "seat")
    found = Finding(**{name: row[name] for name in names}, end=row["end_at"])
    return replace(found, more=tuple(replace(found, **place) for place in row["more"] or ()))


def _row(row: dict[str, Any], found: tuple[Finding, ...], marks: tuple[ReviewMark, ...]) -> RecordingRow:
    return RecordingRow(
        id=row["id"],
        at=row["at"],
        server=row["server"],
        call_id=row["call_id"],
        seat=row["seat"],
        state=row["state"],
        seconds=row["seconds"],
        ticket_id=row["ticket_id"],
        ticket_number=row["number"],
        organisation=row["organisation"],
        queue=row["queue"],
        findings=found,
        reviews=marks,
        transcribed=row["transcript_id"] is not None,
        job=row["job"],
        code=row["code"] or "",
        calibrated_by=row["calibrated_by"],
        calibrated_at=row["calibrated_at"],
    )


def _place(row: dict[str, Any]) -> tuple[float, int]:
    return row["at"], row["id"]


def _draw(seed: str, recording_id: int) -> str:
    return hashlib.sha256(f"{seed}:{recording_id}".encode()).hexdigest()


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [KEPT, _TALKED]
    found += [_spoke(wanted.seat)] if wanted.seat is not None else []
    found += [calls.c.queue == wanted.queue] if wanted.queue is not None else []
    found += [wanted.since <= AT] if wanted.since is not None else []
    found += [wanted.until > AT] if wanted.until is not None else []
    found += [has_finding(wanted.fault, wanted.hold_limit_seconds)] if wanted.fault is not None else []
    found += [_scored(wanted)] if wanted.score is not None else []
    found += [_REVIEWED[wanted.review]] if wanted.review is not None else []
    return found + [holds(term) for term in wanted.terms]


def _spoke(seat: str) -> ColumnElement[bool]:
    return exists().where(recording_seats.c.recording_id == recordings.c.id, recording_seats.c.seat == seat)


_SIGNED = exists().where(reviews.c.recording_id == recordings.c.id, reviews.c.signed_at.is_not(None), reviews.c.counts)
_REVIEWED = {
    "none": ~_SIGNED,
    "signed": exists().where(reviews.c.recording_id == recordings.c.id, reviews.c.signed_at.is_not(None)),
    "disputed": exists().where(reviews.c.recording_id == recordings.c.id, _DISPUTED),
    "calibration": recordings.c.calibrated_by.is_not(None),
}


def _scored(wanted: Wanted) -> ColumnElement[bool]:
    """By the newest signed review that counts: how far it is above what its own card asks for."""
    margin = (
        select(reviews.c.score - scorecards.c.passing)
        .join_from(reviews, scorecards, scorecards.c.version == reviews.c.scorecard)
        .where(reviews.c.recording_id == recordings.c.id, reviews.c.signed_at.is_not(None), reviews.c.counts)
        .order_by(reviews.c.signed_at.desc(), reviews.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    of_reader = and_(reviews.c.recording_id == recordings.c.id, reviews.c.reviewer == wanted.reader)
    told = or_(recordings.c.calibrated_by.is_(None), exists().where(of_reader, reviews.c.signed_at.is_not(None)))
    return and_(told, margin >= 0 if wanted.score == "passed" else margin < 0)


def _paged(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    if wanted.before is not None:
        at, recording_id = wanted.before
        statement = statement.where(or_(at > AT, and_(AT.op("=")(at), recordings.c.id < recording_id)))
    return statement.order_by(*_NEWEST_FIRST)
