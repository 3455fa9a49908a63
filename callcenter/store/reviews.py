"""Reviews as persons make them: begun, answered, commented, signed, disputed; each step with its line in the log.

On the path of a call: the review page. Reading is ``store/review_queries``.
Promises: one review per recording and reviewer; a step repeated is a step done once; a signed review is changed by
nobody (the database refuses, too: migrations 0004 and 0008), and the card it was signed with is stored whole; the score
is reckoned here, from what is stored. A draft's answers outlive a change of the card.
Never: decides who may do it (``web/review`` does); takes a score from outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from callcenter.quality.card_text import to_text
from callcenter.quality.review import MAX_COMMENTS, MAX_TEXT_CHARACTERS, Outcome, Review, ReviewError, digest
from callcenter.quality.scorecard import Scorecard, Verdict, score
from callcenter.store.database import Database, fetch
from callcenter.store.review_queries import ReviewQueries, build
from callcenter.store.review_tables import (
    review_answers,
    review_comments,
    review_disputes,
    review_log,
    reviews,
    scorecards,
)
from callcenter.store.schema import recordings
from callcenter.store.upsert import ignore_known
from callcenter.tickets.model import storable

NO_REVIEW = "There is no such review; load the page again."
SIGNED = "This review is signed and cannot be changed any more."


class Reviews(ReviewQueries):
    """All that is done with reviews. Raises ``ReviewError`` with one sentence where a step is not possible."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._database = database

    async def begin(
        self, recording_id: int, reviewer: str, at: float, card: Scorecard, proposed: Mapping[str, Verdict]
    ) -> int:
        """A draft with the machine's proposals as answers; the reviewer's own review if there is one already."""

        def work(connection: Connection) -> int:
            _lock_recording(connection, recording_id)
            own = (reviews.c.recording_id == recording_id, reviews.c.reviewer == reviewer)
            if known := fetch(connection, select(reviews.c.id).where(*own)):
                return int(known[0]["id"])
            values = _blank(recording_id, reviewer, card.version, proposed, at)
            review_id = int(connection.execute(insert(reviews).values(values)).inserted_primary_key[0])  # type: ignore[index]
            rows = [{"review_id": review_id, "question": q, "verdict": v.value} for q, v in proposed.items()]
            if rows:
                connection.execute(insert(review_answers), rows)
            _note(connection, recording_id, review_id, "begun", reviewer, at, scorecard=card.version)
            return review_id

        return await self._database.write(work)

    async def answer(
        self, review_id: int, card: Scorecard, question: str, verdict: Verdict | None, by: str, at: float
    ) -> Review:
        """Stores an answer to a question of the card; ``None`` opens it again."""

        def step(connection: Connection, review: Review) -> None:
            asked = card.question(question)
            if asked is None or (verdict is not None and verdict not in asked.verdicts):
                raise ReviewError("There is no such question on this scorecard; load the page again.")
            old = review.answers.get(question)
            if old is verdict:
                return
            key = (review_answers.c.review_id == review_id, review_answers.c.question == question)
            connection.execute(delete(review_answers).where(*key))
            if verdict is not None:
                row = {"review_id": review_id, "question": question, "verdict": verdict.value}
                connection.execute(insert(review_answers).values(row))
            connection.execute(update(reviews).where(reviews.c.id == review_id).values(scorecard=card.version))
            detail = {"question": question, "old": old, "new": verdict}
            _note(connection, review.recording_id, review_id, "answered", by, at, **detail)

        return await self._draft(review_id, at, step)

    async def write_note(self, review_id: int, text: str, by: str, at: float) -> Review:
        """The reviewer's words to the seat about the whole call."""
        clean = _text(text, empty=True)

        def step(connection: Connection, review: Review) -> None:
            if clean != review.note:
                connection.execute(update(reviews).where(reviews.c.id == review_id).values(note=clean))
                _note(connection, review.recording_id, review_id, "noted", by, at)

        return await self._draft(review_id, at, step)

    async def comment(self, review_id: int, key: str, moment: float, text: str, by: str, at: float) -> Review:
        """A comment at a second of the recording; the same ``key`` again stores nothing new."""
        clean = _text(text)

        def step(connection: Connection, review: Review) -> None:
            known = select(review_comments.c.id).where(review_comments.c.review_id == review_id)
            if fetch(connection, known.where(review_comments.c.key == key)):
                return
            if len(review.comments) >= MAX_COMMENTS:
                raise ReviewError("There are as many comments as a review holds; write the rest into the note.")
            row = {"review_id": review_id, "key": key, "moment": moment, "text": clean, "author": by, "at": at}
            connection.execute(insert(review_comments).values(row))
            _note(connection, review.recording_id, review_id, "commented", by, at, moment=moment)

        return await self._draft(review_id, at, step)

    async def remove_comment(self, review_id: int, comment_id: int, by: str, at: float) -> Review:
        """Takes a comment back while the review is a draft."""

        def step(connection: Connection, review: Review) -> None:
            own = (review_comments.c.review_id == review_id, review_comments.c.id == comment_id)
            if connection.execute(delete(review_comments).where(*own)).rowcount:
                _note(connection, review.recording_id, review_id, "uncommented", by, at)

        return await self._draft(review_id, at, step)

    async def sign(self, review_id: int, card: Scorecard, by: str, at: float) -> Review:
        """Signs the review as it is stored, and stores the card with it: from here on nobody can change either."""

        def step(connection: Connection, review: Review) -> None:
            reached = score(card, review.answers)
            if reached.open:
                raise ReviewError("Not every question is answered yet; answer the open ones, then sign.")
            _keep(connection, card, at)
            signed = replace(review, score=reached.points, scorecard=card.version)
            values = {"score": reached.points, "signed_at": at, "signature": digest(signed), "updated_at": at}
            values |= {"scorecard": card.version}
            connection.execute(update(reviews).where(reviews.c.id == review_id).values(values))
            detail = {"score": reached.points, "signature": values["signature"], "scorecard": card.version}
            _note(connection, review.recording_id, review_id, "signed", by, at, **detail)

        return await self._draft(review_id, at, step)

    async def choose(self, recording_id: int, by: str, at: float) -> None:
        """Chooses the call for calibration; one that is chosen stays as it is."""

        def work(connection: Connection) -> None:
            _lock_recording(connection, recording_id)
            free = (recordings.c.id == recording_id, recordings.c.calibrated_by.is_(None))
            chosen = update(recordings).where(*free).values(calibrated_by=by, calibrated_at=at)
            if connection.execute(chosen).rowcount:
                _note(connection, recording_id, None, "calibration_begun", by, at)

        await self._database.write(work)

    async def end_calibration(self, recording_id: int, by: str, at: float) -> None:
        """From here on all may read all signed reviews of the call."""

        def work(connection: Connection) -> None:
            chosen = (recordings.c.id == recording_id, recordings.c.calibrated_by.is_not(None))
            ended = update(recordings).where(*chosen).values(calibrated_by=None, calibrated_at=None)
            if connection.execute(ended).rowcount:
                _note(connection, recording_id, None, "calibration_ended", by, at)

        await self._database.write(work)

    async def dispute(self, review_id: int, text: str, by: str, at: float) -> Review:
        """The seat's objection to a signed review; there is one per review."""
        clean = _text(text)

        def work(connection: Connection) -> Review:
            review = _locked(connection, review_id)
            if not review.signed:
                raise ReviewError("This review is not signed yet; there is nothing to dispute.")
            if review.dispute is not None:
                raise ReviewError("This review has been disputed already; the answer stands below it.")
            row = {"review_id": review_id, "text": clean, "raised_by": by, "at": at, "answer": ""}
            connection.execute(insert(review_disputes).values(row))
            _note(connection, review.recording_id, review_id, "disputed", by, at)
            return _read(connection, review_id)

        return await self._database.write(work)

    async def answer_dispute(self, review_id: int, outcome: Outcome, text: str, by: str, at: float) -> Review:
        """The answer to a dispute, once. ``set_aside``: the review stays as it is and no longer counts."""
        clean = _text(text)

        def work(connection: Connection) -> Review:
            review = _locked(connection, review_id)
            if review.dispute is None or review.dispute.outcome is not None:
                raise ReviewError("There is no open dispute of this review; load the page again.")
            values = {"outcome": outcome, "answer": clean, "answered_by": by, "answered_at": at}
            own = review_disputes.c.review_id == review_id
            connection.execute(update(review_disputes).where(own).values(values))
            counts = {"counts": outcome == "upheld"}
            connection.execute(update(reviews).where(reviews.c.id == review_id).values(counts))
            _note(connection, review.recording_id, review_id, "dispute_answered", by, at, outcome=outcome)
            return _read(connection, review_id)

        return await self._database.write(work)

    async def _draft(self, review_id: int, at: float, step: Callable[[Connection, Review], None]) -> Review:
        """Runs a step on a review that is locked and not signed; returns the review after it."""

        def work(connection: Connection) -> Review:
            review = _locked(connection, review_id)
            if review.signed:
                raise ReviewError(SIGNED)
            connection.execute(update(reviews).where(reviews.c.id == review_id).values(updated_at=at))
            step(connection, review)
            return _read(connection, review_id)

        return await self._database.write(work)


def _blank(recording_id: int, reviewer: str, card: str, proposed: Mapping[str, Verdict], at: float) -> dict[str, Any]:
    return {
        "recording_id": recording_id,
        "reviewer": reviewer,
        "scorecard": card,
        "proposed": {question: verdict.value for question, verdict in proposed.items()},
        "note": "",
        "created_at": at,
        "updated_at": at,
        "signature": "",
        "counts": True,
    }


def _keep(connection: Connection, card: Scorecard, at: float) -> None:
    row = {"name": card.name, "passing": card.passing, "text": to_text(card), "stored_at": at}
    statement = ignore_known(connection.dialect.name, scorecards, ["version"])
    connection.execute(statement, {"version": card.version, **row})


def _lock_recording(connection: Connection, recording_id: int) -> None:
    kept = (recordings.c.id == recording_id, recordings.c.state != "erased")
    if not fetch(connection, select(recordings.c.id).where(*kept).with_for_update()):
        raise ReviewError("There is no such recording any more; look for it in the list.")


def _locked(connection: Connection, review_id: int) -> Review:
    if not fetch(connection, select(reviews.c.id).where(reviews.c.id == review_id).with_for_update()):
        raise ReviewError(NO_REVIEW)
    return _read(connection, review_id)


def _read(connection: Connection, review_id: int) -> Review:
    (row,) = fetch(connection, select(reviews).where(reviews.c.id == review_id))
    answers = fetch(connection, select(review_answers).where(review_answers.c.review_id == review_id))
    statement = select(review_comments).where(review_comments.c.review_id == review_id)
    comments = fetch(connection, statement.order_by(review_comments.c.moment, review_comments.c.id))
    disputes = fetch(connection, select(review_disputes).where(review_disputes.c.review_id == review_id))
    cards = fetch(connection, select(scorecards).where(scorecards.c.version == row["scorecard"]))
    return build(row, answers, comments, disputes, cards)


def _text(text: str, empty: bool = False) -> str:
    clean = storable(text, multiline=True).strip()
    if len(clean) > MAX_TEXT_CHARACTERS:
        raise ReviewError(f"The text is longer than {MAX_TEXT_CHARACTERS} characters; shorten it.")
    if not clean and not empty:
        raise ReviewError("There is no text; write one first.")
    return clean


def _note(
    connection: Connection, recording_id: int, review_id: int | None, what: str, by: str, at: float, **detail: Any
) -> None:
    row = {"recording_id": recording_id, "review_id": review_id, "what": what, "by": by, "at": at, "detail": detail}
    connection.execute(insert(review_log).values(row))
