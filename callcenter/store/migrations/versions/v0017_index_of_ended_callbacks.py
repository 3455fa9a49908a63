"""An index for the callbacks that have ended, which the supervisors' page lists by their end."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ENDED = sa.text("state = 'ended'")


def upgrade() -> None:
    columns = ["server", "ended_at"]
    op.create_index("ix_callbacks_ended", "callbacks", columns, sqlite_where=ENDED, postgresql_where=ENDED)
