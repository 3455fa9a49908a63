"""Where our calls and Asterisk's own books differ, and which days were compared."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "book_differences",
        sa.Column("server", sa.Text(), primary_key=True),
        sa.Column("call_id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("book", sa.Text(), primary_key=True),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("found_at", sa.Double(), nullable=False),
    )
    op.create_index("ix_book_differences_server_at", "book_differences", ["server", "at"])
    op.create_table(
        "book_days",
        sa.Column("server", sa.Text(), primary_key=True),
        sa.Column("day", sa.Text(), primary_key=True),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=False),
    )
