"""The tables of reviews (E1), built by migrations 0004, 0008 and 0020, whose triggers keep a signed review as it is.

Promises: once ``signed_at`` is set, the database itself refuses to change or delete the review, its answers and its
comments, whoever asks; only the erasure of the recording (a person's right) lifts that. A scorecard that something was
signed with is never changed or deleted.
Never: holds what a caller said; that is in ``transcripts``.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from callcenter.store.schema import Id, metadata

reviews = Table(
    "reviews",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("recording_id", Id, ForeignKey("recordings.id"), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("scorecard", Text, nullable=False),
    Column("proposed", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("score", Double),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("signed_at", Double),
    Column("signature", Text, nullable=False),
    Column("counts", Boolean, nullable=False),
    UniqueConstraint("recording_id", "reviewer"),
)

scorecards = Table(
    "scorecards",
    metadata,
    Column("version", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("passing", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("stored_at", Double, nullable=False),
)
"""The cards that reviews were signed with, whole; ``reviews.scorecard`` of a signed one is a version of these."""

review_answers = Table(
    "review_answers",
    metadata,
    Column("review_id", Id, ForeignKey("reviews.id"), primary_key=True),
    Column("question", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    CheckConstraint("verdict IN ('met', 'partly', 'missed', 'na')", name="verdict"),
)

review_comments = Table(
    "review_comments",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("review_id", Id, ForeignKey("reviews.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("moment", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("review_id", "key"),
)

review_disputes = Table(
    "review_disputes",
    metadata,
    Column("review_id", Id, ForeignKey("reviews.id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("outcome", Text),
    Column("answer", Text, nullable=False),
    Column("answered_by", Text),
    Column("answered_at", Double),
    CheckConstraint("outcome IN ('upheld', 'set_aside')", name="outcome"),
)

review_log = Table(
    "review_log",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("recording_id", Id, ForeignKey("recordings.id"), nullable=False),
    Column("review_id", Id, ForeignKey("reviews.id")),
    Column("what", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("ix_review_log_recording_id", "recording_id"),
)

phrase_sums = Table(
    "phrase_sums",
    metadata,
    Column("day_at", Double, primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("seat", Text, primary_key=True),
    Column("phrase", Text, primary_key=True),
    Column("said", Integer, nullable=False),
    Column("not_said", Integer, nullable=False),
    Column("doubtful", Integer, nullable=False),
)
"""Calls whose recordings were erased, as ``quality/rates`` counts them. ``day_at``: the day's beginning at the site;
``queue``: empty for none. No call, number or word."""
