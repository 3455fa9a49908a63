"""Statements of the pipeline's commit, compiled once and run with plain tuples.

SQLAlchemy's work per row (names, bind processors) is the same each time and would be most of what a commit costs.
Promises: the statement is the one SQLAlchemy built, with bound parameters. Never: takes values into SQL.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Executable, Text, bindparam, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement


def one_of(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """``column IN`` a list that is one parameter: an array on PostgreSQL, a JSON text on SQLite."""
    if dialect == "postgresql":
        return column == func.any(bindparam(name, type_=ARRAY(Text)))
    return column.in_(select(func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value))


_ALL: "list[Prepared]" = []


def compile_all(dialect: Dialect) -> None:
    """Once at the start, so that the first call does not wait for it."""
    for statement in _ALL:
        statement.compiled(dialect)


class Prepared:
    """``build`` makes the statement for a dialect ("sqlite" or "postgresql"); rows are given as dictionaries."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build
        self._compiled: dict[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {}
        _ALL.append(self)

    def many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Runs the statement for each row; nothing if there is none."""
        sql, to_tuple = self.compiled(connection.dialect)
        values = [to_tuple(row) for row in rows]
        if values:
            connection.exec_driver_sql(sql, values)

    def fetch(self, connection: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Runs the statement once. Values come as the driver has them: JSON as text, booleans as numbers on SQLite."""
        sql, to_tuple = self.compiled(connection.dialect)
        result = connection.exec_driver_sql(sql, to_tuple(values))
        names = tuple(result.keys())
        return [dict(zip(names, row, strict=True)) for row in result.all()]

    def compiled(self, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
        known = self._compiled.get(dialect.name)
        if known is None:
            statement = self._build(dialect.name)
            assert isinstance(statement, ClauseElement)
            compiled: Any = statement.compile(dialect=dialect)
            known = self._compiled[dialect.name] = str(compiled), _tuple_of(list(compiled.positiontup))
        return known


def _tuple_of(names: list[str]) -> Callable[[Mapping[str, Any]], Any]:
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)
