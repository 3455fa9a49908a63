"""Which calls are chosen for calibration; what the phrases of erased calls come to, by day, queue and seat."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
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
