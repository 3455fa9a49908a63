"""An index that holds what reports read of the hotline's ended calls."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = (
    *("server", "arrived_at", "queue", "answered_by", "outcome", "wait_seconds", "talk_seconds", "hold_seconds"),
    *("ended_at", "recovered", "survey", "transferred", "updated_at", "call_id", "direction", "phase", "merged_into"),
)
ENDED = sa.text("direction = 'inbound' AND phase = 'ended' AND merged_into IS NULL")


def upgrade() -> None:
    op.create_index("ix_calls_reported", "calls", list(COLUMNS), sqlite_where=ENDED, postgresql_where=ENDED)
