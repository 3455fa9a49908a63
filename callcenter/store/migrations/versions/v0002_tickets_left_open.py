"""Tickets remember when a seat left them open: its wrap-up is over, also after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("left_open_at", sa.Double(), nullable=True))
