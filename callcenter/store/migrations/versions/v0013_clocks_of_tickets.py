"""What the clocks of a ticket rest on (D1, D2), and what reports add up of a call: answer (D8) and transfers (E3)."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OF_DETAIL = {
    "sqlite": (
        "json_extract(detail, '$.variables.survey')",
        "coalesce(json_array_length(detail, '$.transfers'), 0) > 0",
    ),
    "postgresql": (
        "detail -> 'variables' ->> 'survey'",
        "coalesce(json_array_length(detail -> 'transfers'), 0) > 0",
    ),
}

FILL = """
UPDATE calls SET transferred = {transferred},
    survey = CASE WHEN {key} IN ('1', '2', '3', '4', '5') THEN {key} WHEN {key} <> '' THEN 'other' END
"""

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name, kind in (("level", sa.Text), ("severity", sa.Text), ("responded_at", sa.Double), ("plan_at", sa.Double)):
        op.add_column("tickets", sa.Column(name, kind(), nullable=True))
    op.create_index("ix_tickets_closed_at", "tickets", ["closed_at"])
    op.create_table(
        "ticket_pauses",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id", name="fk_ticket_pauses_ticket_id"), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
    )
    op.create_index("ix_ticket_pauses_ticket_id", "ticket_pauses", ["ticket_id"])
    op.add_column("calls", sa.Column("survey", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("transferred", sa.Boolean(), nullable=False, server_default=sa.false()))
    key, transferred = OF_DETAIL[op.get_bind().dialect.name]
    op.execute(sa.text(FILL.format(key=key, transferred=transferred)))
