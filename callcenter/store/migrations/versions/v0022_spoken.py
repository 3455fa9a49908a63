"""What was said, folded for searching, in a table of its own: a search reads no words that it does not find."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from callcenter.quality.search import fold

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAGE, MAX_WORD = 200, 200


def upgrade() -> None:
    op.create_table(
        "spoken",
        sa.Column("transcript_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("transcript_id", name="pk_spoken"),
        sa.ForeignKeyConstraint(["transcript_id"], ["transcripts.id"], name="fk_spoken_transcript_id"),
    )
    spoken = sa.table("spoken", sa.column("transcript_id", sa.BigInteger), sa.column("text", sa.Text))
    c = sa.table("transcripts", sa.column("id", sa.BigInteger), sa.column("words", sa.JSON)).c
    connection, last = op.get_bind(), 0
    while rows := connection.execute(sa.select(c.id, c.words).where(c.id > last).order_by(c.id).limit(PAGE)).all():
        last = rows[-1].id
        connection.execute(sa.insert(spoken), [{"transcript_id": row.id, "text": _said(row.words)} for row in rows])


def _said(words: Any) -> str:
    told = json.loads(words) if isinstance(words, str) else words
    return "\n".join(
        "".join(fold(str(word.get("word", ""))[:MAX_WORD]) for word in segment.get("words", ()))
        for segment in told.get("segments", ())
    )
