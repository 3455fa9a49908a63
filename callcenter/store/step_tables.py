"""What was done about a ticket's dispatch (D3, D4), built by migration 0018.

Below ``store/steps``, after the call.
Promises: rows are only added; one that was made in error is marked as taken back, and stays.
Never: holds a state of a clock.
"""

from sqlalchemy import Column, Double, ForeignKey, Index, Table, Text

from callcenter.store.schema import Id, metadata

ticket_steps = Table(
    "ticket_steps",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("ticket_id", Id, ForeignKey("tickets.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("promised_at", Double),
    Column("undone_at", Double),
    Column("undone_by", Text, nullable=False),
    Index("ix_ticket_steps_ticket_id", "ticket_id"),
)
