"""Where the copies of a recording's tracks lie, and since when the local ones are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("stored", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("recordings", sa.Column("stored_at", sa.Double(), nullable=True))
    op.add_column("recordings", sa.Column("local_gone_at", sa.Double(), nullable=True))
    op.create_index("ix_recordings_local_gone_at_stored_at", "recordings", ["local_gone_at", "stored_at"])
