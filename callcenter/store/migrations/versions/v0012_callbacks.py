"""Who is to be called back (D11, B5), and the calls that belong to it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id", name="fk_callbacks_ticket_id"), nullable=True),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("last_lost_at", sa.Double(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.Double(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'ended')", name=op.f("ck_callbacks_state")),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_callbacks_ticket_id", "callbacks", ["ticket_id"])
    op.create_index(
        "ix_callbacks_open",
        "callbacks",
        ["server", "number_key"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_callbacks_number_key", "callbacks", ["number_key"])
    op.create_table(
        "callback_calls",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column(
            "callback_id", ID, sa.ForeignKey("callbacks.id", name="fk_callback_calls_callback_id"), nullable=False
        ),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.UniqueConstraint("server", "call_id", "kind", name="uq_callback_calls_server_call_id_kind"),
        sa.CheckConstraint("kind IN ('lost', 'tried', 'reached', 'called_again')", name=op.f("ck_callback_calls_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_callback_calls"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_callback_calls_callback_id", "callback_calls", ["callback_id"])
