"""Which calls are chosen for calibration; what the phrases of erased calls come to, by day, queue and seat; the text
that is searched in simplified characters, whatever a recogniser wrote."""

import sqlalchemy as sa
from alembic import op

from callcenter.quality.han import simplified

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SUMS = ("said", "not_said", "doubtful")


def upgrade() -> None:
    op.add_column("recordings", sa.Column("calibrated_by", sa.Text(), nullable=True))
    op.add_column("recordings", sa.Column("calibrated_at", sa.Double(), nullable=True))
    op.create_table(
        "phrase_sums",
        sa.Column("day_at", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("queue", "seat", "phrase")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("day_at", "queue", "seat", "phrase", name="pk_phrase_sums"),
    )
    _simplify()


def _simplify() -> None:
    transcripts = sa.table("transcripts", sa.column("id", sa.BigInteger), sa.column("text", sa.Text))
    c, connection, last = transcripts.c, op.get_bind(), 0
    while rows := connection.execute(sa.select(c.id, c.text).where(c.id > last).order_by(c.id).limit(500)).all():
        last = rows[-1].id
        for row in rows:
            if (text := simplified(row.text)) != row.text:
                connection.execute(sa.update(transcripts).where(c.id == row.id).values(text=text))
