"""What the site's own systems are to be told of calls ([webhooks])."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("message_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("server", "webhook", "event", "call_id")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("created_at", "not_before")),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "error")),
        sa.PrimaryKeyConstraint("message_id", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["server", "webhook", "state", "not_before"])
