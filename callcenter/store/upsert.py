"""INSERT ... ON CONFLICT for both databases. ``dialect`` is "sqlite" or "postgresql"."""

from collections.abc import Collection, Sequence
from typing import TypeAlias

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def upsert(dialect: str, table: Table, key: Sequence[str], keep: Collection[str] = ()) -> Insert:
    """Inserts rows, or replaces all columns but the ``key``, numbered ids and those to ``keep``."""
    statement = _insert(dialect, table)
    untouched = {*key, *keep, *(c.name for c in table.primary_key)}
    replaced = {c.name: statement.excluded[c.name] for c in table.c if c.name not in untouched}
    return statement.on_conflict_do_update(index_elements=list(key), set_=replaced)


def ignore_known(dialect: str, table: Table, key: Sequence[str]) -> Insert:
    """Inserts rows whose ``key`` is not there yet."""
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=list(key))


def add_up(dialect: str, table: Table, key: str, total: str) -> ReturningInsert[int]:
    """Adds the given ``total`` to the row's, or begins with it; returns the new total and keeps the row locked."""
    statement = _insert(dialect, table)
    added = {total: table.c[total] + statement.excluded[total]}
    return statement.on_conflict_do_update(index_elements=[key], set_=added).returning(table.c[total])


def _insert(dialect: str, table: Table) -> Insert:
    """All columns but numbered ids, in the table's order."""
    names = [c.name for c in table.c if c is not table.autoincrement_column]
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return statement.values({name: bindparam(name) for name in names})
