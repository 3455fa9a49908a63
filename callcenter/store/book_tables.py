"""Where our calls and Asterisk's own books differ, built by migration 0009.

Promises: one row for a fact of a call and the book that says otherwise. Never: holds a number or a name.
"""

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text

from callcenter.store.schema import metadata

book_differences = Table(
    "book_differences",
    metadata,
    Column("server", Text, primary_key=True),
    Column("call_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("book", Text, primary_key=True),
    Column("ours", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("reason", Text),
    Column("at", Double, nullable=False),
    Column("found_at", Double, nullable=False),
    Index("ix_book_differences_server_at", "server", "at"),
)

book_days = Table(
    "book_days",
    metadata,
    Column("server", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("compared", Integer, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("done_at", Double, nullable=False),
)
