"""What the site's own systems are to be told ([webhooks]), built by migration 0021.

Below ``store/commit``, which notes it with the call, and ``store/webhooks``.
Promises: one row for an event and a system. Never: holds a number, a name or a secret; what is told is made of the call
when it is told.
"""

from sqlalchemy import Column, Double, Index, Integer, Table, Text

from callcenter.store.schema import metadata

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("server", Text, nullable=False),
    Column("webhook", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("error", Text, nullable=False),
    Index("ix_webhook_deliveries_due", "server", "webhook", "state", "not_before"),
)
"""``state``: waiting, done or given_up."""
