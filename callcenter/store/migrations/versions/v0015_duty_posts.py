"""Who kept which shift of the duty plan."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty_posts",
        sa.Column("server", sa.Text(), primary_key=True),
        sa.Column("begins_at", sa.Double(), primary_key=True),
        sa.Column("shift", sa.Text(), primary_key=True),
        sa.Column("seat", sa.Text(), primary_key=True),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("known_from", sa.Double(), nullable=True),
        sa.Column("came", sa.Boolean(), nullable=False),
        sa.Column("came_at", sa.Double(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("lefts", sa.Integer(), nullable=False),
        sa.Column("left_seconds", sa.Double(), nullable=False),
    )
    op.create_index("ix_duty_posts_server_ends_at", "duty_posts", ["server", "ends_at"])
