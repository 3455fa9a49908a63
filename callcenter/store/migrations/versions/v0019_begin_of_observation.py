"""Since when Asterisk is listened to: the time before is unobserved.

A store from before knows no better than its oldest call that was seen, or the oldest events that it still has."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OLDEST = """
UPDATE observed SET since = (
    SELECT min(at) FROM (
        SELECT observed.until AS at
        UNION ALL SELECT min(event_log.at) FROM event_log WHERE event_log.server = observed.server
        UNION ALL SELECT min(calls.arrived_at) FROM calls WHERE calls.server = observed.server AND NOT calls.recovered
    ) AS known
)
"""


def upgrade() -> None:
    op.add_column("observed", sa.Column("since", sa.Double(), nullable=True))
    op.execute(OLDEST)
    with op.batch_alter_table("observed") as table:
        table.alter_column("since", existing_type=sa.Double(), nullable=False)
