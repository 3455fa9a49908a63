"""Who is to be called back, and the calls that belong to it, built by migration 0012.

On the path of a call: below ``store/callbacks``, in the pipeline's commit.
Promises: one open callback for a number; a call is noted once for each thing that it was to a callback. Never: a
caller's name or words.
"""

from sqlalchemy import CheckConstraint, Column, Double, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from callcenter.store.schema import Id, metadata, only

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("server", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("queue", Text),
    Column("ticket_id", Id, ForeignKey("tickets.id"), index=True),
    Column("opened_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("last_lost_at", Double, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", Text),
    Column("ended_at", Double),
    Column("ended_by", Text),
    Column("claimed_by", Text),
    Column("claimed_until", Double),
    CheckConstraint("state IN ('open', 'ended')", name="state"),
    Index("ix_callbacks_open", *("server", "number_key"), unique=True, **only("state = 'open'")),
    Index("ix_callbacks_ended", *("server", "ended_at"), **only("state = 'ended'")),
    Index("ix_callbacks_number_key", "number_key"),
    sqlite_autoincrement=True,
)

callback_calls = Table(
    "callback_calls",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("callback_id", Id, ForeignKey("callbacks.id"), nullable=False, index=True),
    Column("server", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    UniqueConstraint("server", "call_id", "kind"),
    CheckConstraint("kind IN ('lost', 'tried', 'reached', 'called_again')", name="kind"),
    sqlite_autoincrement=True,
)
"""``by``: the seat."""
