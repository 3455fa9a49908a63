"""INSERT ... ON CONFLICT for both databases: one statement, prepared once, run for many rows."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TypeAlias

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def upsert(connection: AsyncConnection, table: Table, key: Sequence[str], keep: Collection[str] = ()) -> Insert:
    """Inserts rows, or replaces all columns but the ``key``, numbered ids and those to ``keep``."""
    return _upsert(connection.dialect.name, table, tuple(key), tuple(keep))


def ignore_known(connection: AsyncConnection, table: Table, key: Sequence[str]) -> Insert:
    """Inserts rows whose ``key`` is not there yet."""
    return _ignore(connection.dialect.name, table, tuple(key))


@lru_cache(maxsize=64)
def _upsert(dialect: str, table: Table, key: tuple[str, ...], keep: tuple[str, ...]) -> Insert:
    statement = _insert(dialect, table)
    untouched = {*key, *keep, *(c.name for c in table.primary_key)}
    replaced = {c.name: statement.excluded[c.name] for c in table.c if c.name not in untouched}
    return statement.on_conflict_do_update(index_elements=list(key), set_=replaced)


@lru_cache(maxsize=64)
def _ignore(dialect: str, table: Table, key: tuple[str, ...]) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=list(key))


def _insert(dialect: str, table: Table) -> Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def add_up(connection: AsyncConnection, table: Table, key: str, total: str) -> ReturningInsert[int]:
    """Adds the given ``total`` to the row's, or begins with it; returns the new total and keeps the row locked."""
    statement = _insert(connection.dialect.name, table)
    added = {total: table.c[total] + statement.excluded[total]}
    return statement.on_conflict_do_update(index_elements=[key], set_=added).returning(table.c[total])
