"""Recordings belong to call, ticket and seat; what was said in them; what was found of the standard's phrases."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", ID, nullable=True),
        sa.Column("seat", sa.Text(), nullable=True),
        sa.Column("caller_path", sa.Text(), nullable=True),
        sa.Column("seat_path", sa.Text(), nullable=True),
        sa.Column("mixed_path", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("retained_until", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("erased_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_recordings_ticket_id"),
        sa.UniqueConstraint("server", "call_id", name="uq_recordings_server_call_id"),
        sa.CheckConstraint("state IN ('found', 'missing', 'erased')", name=op.f("ck_recordings_state")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recordings_ticket_id", "recordings", ["ticket_id"])
    op.create_index("ix_recordings_created_at", "recordings", ["created_at"])
    op.create_table(
        "transcription_jobs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("heartbeat_at", sa.Double(), nullable=True),
        sa.Column("not_before", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_transcription_jobs"),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_transcription_jobs_recording_id"),
        sa.UniqueConstraint("recording_id", name="uq_transcription_jobs_recording_id"),
        sa.CheckConstraint(
            "state IN ('waiting', 'claimed', 'done', 'failed', 'quarantined')", name=op.f("ck_transcription_jobs_state")
        ),
    )
    op.create_index("ix_transcription_jobs_state_not_before", "transcription_jobs", ["state", "not_before"])
    op.create_table(
        "transcripts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transcripts"),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_transcripts_recording_id"),
        sa.UniqueConstraint("recording_id", name="uq_transcripts_recording_id"),
    )
    op.create_table(
        "findings",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("transcript_id", ID, nullable=False),
        sa.Column("phrase", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=True),
        sa.Column("start", sa.Double(), nullable=True),
        sa.Column("end_at", sa.Double(), nullable=True),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.ForeignKeyConstraint(["transcript_id"], ["transcripts.id"], name="fk_findings_transcript_id"),
    )
    op.create_index("ix_findings_transcript_id", "findings", ["transcript_id"])
    op.create_index("ix_findings_phrase_found", "findings", ["phrase", "found"])
