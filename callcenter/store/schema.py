"""The tables, the same on SQLite and PostgreSQL. ``migrations/`` builds them; a test keeps the two in step.

Promises: instants are epoch seconds as doubles, read back as floats; texts are never NULL where empty says the same.
Never: holds a password, a session token or a secret in clear.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

REVISIONS = tuple(f"{n:04}" for n in range(1, 23))
"""The schema revisions this program knows, oldest first; the last one is the one it needs."""

# SQLite gives out row numbers only to a column declared INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")

REPORTED = (
    *("server", "arrived_at", "queue", "answered_by", "outcome", "wait_seconds", "talk_seconds", "hold_seconds"),
    *("ended_at", "recovered", "survey", "transferred", "updated_at", "call_id"),
)
"""What reports read of an ended call: an index holds it, so that a month of calls is read without their details."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def only(condition: str) -> dict[str, Any]:
    """Restricts an index, in both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


event_log = Table(
    "event_log",
    metadata,
    Column("position", Id, primary_key=True, autoincrement=True),
    Column("batch_id", Text, nullable=False, unique=True),
    Column("server", Text, nullable=False),
    Column("at", Double, nullable=False, index=True),
    Column("payload", LargeBinary, nullable=False),
    # A purge of the newest rows must never let a position be given out twice.
    sqlite_autoincrement=True,
)

observed = Table(
    "observed",
    metadata,
    Column("server", Text, primary_key=True),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("server", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("reason", Text, nullable=False),
    UniqueConstraint("server", "started_at"),
)

cdr_state = Table(
    "cdr_state",
    metadata,
    Column("server", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("inode", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("server", Text, primary_key=True),
    Column("call_id", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("caller_number", Text),
    Column("caller_name", Text),
    Column("dialled", Text),
    Column("queue", Text),
    Column("arrived_at", Double),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("outcome", Text),
    Column("answered_by", Text),
    Column("rings_heard", Integer, nullable=False),
    Column("wait_seconds", Double),
    Column("talk_seconds", Double),
    Column("hold_seconds", Double, nullable=False),
    Column("ended_by", Text),
    Column("recording", Text),
    Column("breaches", JSON, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("recovered", Boolean, nullable=False),
    Column("merged_into", Text),
    Column("first_position", BigInteger),
    Column("detail", JSON, nullable=False),
    Column("updated_at", Double, nullable=False),
    # What reports add up of ``detail``, apart from it: JSON is slow to read (D8, E3).
    Column("survey", Text),
    Column("transferred", Boolean, nullable=False, server_default=false()),
    Index("ix_calls_arrived_at", "arrived_at"),
    Index(
        "ix_calls_reported",
        *REPORTED,
        # SQLite reads a call's row for what the index is restricted to unless it holds that as well.
        *("direction", "phase", "merged_into"),
        **only("direction = 'inbound' AND phase = 'ended' AND merged_into IS NULL"),
    ),
    Index("ix_calls_running", "server", **only("phase <> 'ended'")),
)

ticket_days = Table(
    "ticket_days",
    metadata,
    Column("day", Text, primary_key=True),
    Column("last_sequence", Integer, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("day", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("number", Text, nullable=False, unique=True),
    Column("server", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("opened_at", Double, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("closed_at", Double),
    Column("closed_by", Text),
    Column("seat", Text),
    Column("caller_number", Text, nullable=False),
    Column("caller_key", Text, nullable=False, index=True),
    Column("phone_key", Text, nullable=False, index=True),
    Column("caller_name", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("wants", Text, nullable=False),
    Column("handling", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("typed", JSON, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("recovered", Boolean, nullable=False),
    Column("merged_into", Id, ForeignKey("tickets.id")),
    Column("version", Integer, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("left_open_at", Double),
    # What the ticket's clocks rest on (D1, D2): a level chosen by hand, a severity, who took it first, the plan.
    Column("level", Text),
    Column("severity", Text),
    Column("responded_at", Double),
    Column("plan_at", Double),
    UniqueConstraint("server", "call_id"),
    UniqueConstraint("day", "sequence"),
    CheckConstraint("status IN ('open', 'closed')", name="status"),
    Index("ix_tickets_seat_opened_at", "seat", "opened_at"),
    Index("ix_tickets_status_opened_at", "status", "opened_at"),
    Index("ix_tickets_closed_at", "closed_at"),
    Index("ix_tickets_merged_into", "merged_into", **only("merged_into IS NOT NULL")),
    sqlite_autoincrement=True,
)

promises = Table(
    "promises",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("ticket_id", Id, ForeignKey("tickets.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("due_at", Double),
    Column("done_at", Double),
    Column("made_by", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    UniqueConstraint("ticket_id", "key"),
    Index("ix_promises_due_at", "due_at", **only("done_at IS NULL")),
)

ticket_pauses = Table(
    "ticket_pauses",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("ticket_id", Id, ForeignKey("tickets.id"), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Index("ix_ticket_pauses_ticket_id", "ticket_id"),
)
"""Time that no clock of the ticket counts; the time between closing it and opening it again is one, too."""

ticket_changes = Table(
    "ticket_changes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("ticket_id", Id, ForeignKey("tickets.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("at", Double, nullable=False),
    Index("ix_ticket_changes_ticket_id_version", "ticket_id", "version"),
)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("extension", Text, unique=True),
    Column("work_number", Text),
    Column("display_name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    CheckConstraint("role IN ('seat', 'supervisor', 'qa', 'admin')", name="role"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("user_name", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)

timers = Table(
    "timers",
    metadata,
    Column("server", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due_at", Double, nullable=False, index=True),
)

outbox = Table(
    "outbox",
    metadata,
    Column("position", Id, primary_key=True, autoincrement=True),
    Column("command_id", Text, nullable=False, unique=True),
    Column("server", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("done_at", Double),
    Column("error", Text),
    CheckConstraint("state IN ('pending', 'claimed', 'done', 'failed', 'unknown')", name="state"),
    Index("ix_outbox_unfinished", "server", "state", **only("state IN ('pending', 'claimed')")),
    sqlite_autoincrement=True,
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("server", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("ticket_id", Id, ForeignKey("tickets.id"), index=True),
    Column("seat", Text),
    Column("caller_path", Text),
    Column("seat_path", Text),
    Column("mixed_path", Text),
    Column("sha256", Text, nullable=False),
    Column("seconds", Double),
    Column("state", Text, nullable=False),
    Column("retained_until", Double),
    Column("created_at", Double, nullable=False, index=True),
    Column("erased_at", Double),
    Column("stored", JSON(none_as_null=True)),
    Column("stored_at", Double),
    Column("local_gone_at", Double),
    Column("calibrated_by", Text),
    Column("calibrated_at", Double),
    UniqueConstraint("server", "call_id"),
    Index("ix_recordings_local_gone_at_stored_at", "local_gone_at", "stored_at"),
    CheckConstraint("state IN ('found', 'missing', 'erased')", name="state"),
    sqlite_autoincrement=True,
)

recording_seats = Table(
    "recording_seats",
    metadata,
    Column("recording_id", Id, ForeignKey("recordings.id"), primary_key=True),
    Column("seat", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Index("ix_recording_seats_seat", "seat"),
)
"""Who was on our side, in the order in which they came."""

transcription_jobs = Table(
    "transcription_jobs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("recording_id", Id, ForeignKey("recordings.id"), nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("heartbeat_at", Double),
    Column("not_before", Double, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("done_at", Double),
    Column("code", Text),
    CheckConstraint("state IN ('waiting', 'claimed', 'done', 'failed', 'quarantined')", name="state"),
    Index("ix_transcription_jobs_state_not_before", "state", "not_before"),
)

transcripts = Table(
    "transcripts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("recording_id", Id, ForeignKey("recordings.id"), nullable=False, unique=True),
    Column("language", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("words", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("measures", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("transcript_id", Id, ForeignKey("transcripts.id"), nullable=False, index=True),
    Column("phrase", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("found", Boolean, nullable=False),
    Column("speaker", Text),
    Column("start", Double),
    Column("end_at", Double),
    Column("heard", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("band", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("seat", Text),
    Column("more", JSON),
    Index("ix_findings_phrase_found", "phrase", "found"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("what", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("recording_id", Id, ForeignKey("recordings.id", name="fk_audit_recording_id")),
    Column("detail", JSON, nullable=False),
)

wallboard_links = Table(
    "wallboard_links",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double),
)
