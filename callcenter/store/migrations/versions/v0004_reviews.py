"""Reviews of calls: answers, comments, disputes, their audit; triggers keep what was signed as it was."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SIGNED = (
    "EXISTS (SELECT 1 FROM reviews r JOIN recordings c ON c.id = r.recording_id "
    "WHERE r.id = {row}.{key} AND r.signed_at IS NOT NULL AND c.state <> 'erased')"
)
REFUSAL = "a signed review cannot be changed"
# Of a signed review only ``counts`` may change: a dispute may set it aside.
KEPT = ("recording_id", "reviewer", "scorecard", "proposed", "note", "score", "signed_at", "signature")


def upgrade() -> None:
    _reviews()
    _answers_and_comments()
    _disputes_and_log()
    for guard in _guards():
        (_sqlite if op.get_bind().dialect.name == "sqlite" else _postgres)(*guard)


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("scorecard", sa.Text(), nullable=False),
        sa.Column("proposed", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("signed_at", sa.Double(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_reviews_recording_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.UniqueConstraint("recording_id", "reviewer", name="uq_reviews_recording_id_reviewer"),
    )


def _answers_and_comments() -> None:
    op.create_table(
        "review_answers",
        sa.Column("review_id", ID, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.CheckConstraint("verdict IN ('met', 'partly', 'missed', 'na')", name=op.f("ck_review_answers_verdict")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_review_answers_review_id"),
        sa.PrimaryKeyConstraint("review_id", "question", name="pk_review_answers"),
    )
    op.create_table(
        "review_comments",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("review_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("moment", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_review_comments_review_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_comments"),
        sa.UniqueConstraint("review_id", "key", name="uq_review_comments_review_id_key"),
    )


def _disputes_and_log() -> None:
    op.create_table(
        "review_disputes",
        sa.Column("review_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.CheckConstraint("outcome IN ('upheld', 'set_aside')", name=op.f("ck_review_disputes_outcome")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_review_disputes_review_id"),
        sa.PrimaryKeyConstraint("review_id", name="pk_review_disputes"),
    )
    op.create_table(
        "review_log",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("review_id", ID, nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_review_log_recording_id"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_review_log_review_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_log"),
    )
    op.create_index("ix_review_log_recording_id", "review_log", ["recording_id"], unique=False)


def _guards() -> list[tuple[str, str, str]]:
    """Table, event and the condition under which the event is refused."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    # PostgreSQL's json knows no equality, its text does.
    differs, text = ("IS NOT", "") if sqlite else ("IS DISTINCT FROM", "::text")
    distinct = " OR ".join(f"OLD.{name}{text} {differs} NEW.{name}{text}" for name in KEPT)
    own = SIGNED.format(row="OLD", key="id")
    guards = [("reviews", "UPDATE", f"({distinct}) AND {own}"), ("reviews", "DELETE", own)]
    for table in ("review_answers", "review_comments"):
        for event, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
            guards.append((table, event, SIGNED.format(row=row, key="review_id")))
    return guards


def _sqlite(table: str, event: str, when: str) -> None:
    op.execute(
        f"CREATE TRIGGER signed_{table}_{event.lower()} BEFORE {event} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def _postgres(table: str, event: str, when: str) -> None:
    name = f"signed_{table}_{event.lower()}"
    kept = "OLD" if event == "DELETE" else "NEW"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {when} THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN {kept}; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
