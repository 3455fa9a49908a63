"""Who kept which shift (A5), built by migration 0015.

Below ``store/duty``, beside the path of a call.
Promises: one row for a seat in a shift of a day. Never: holds a person's name; a seat is its extension.
"""

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text

from callcenter.store.schema import metadata

duty_posts = Table(
    "duty_posts",
    metadata,
    Column("server", Text, primary_key=True),
    Column("begins_at", Double, primary_key=True),
    Column("shift", Text, primary_key=True),
    Column("seat", Text, primary_key=True),
    Column("ends_at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("known_from", Double),
    Column("came", Boolean, nullable=False),
    Column("came_at", Double),
    Column("late", Boolean, nullable=False),
    Column("missed", Boolean, nullable=False),
    Column("lefts", Integer, nullable=False),
    Column("left_seconds", Double, nullable=False),
    Index("ix_duty_posts_server_ends_at", "server", "ends_at"),
)
