"""Names what a database error means: broken for now (the same work may be done again) or a matter for a person.

Promises: the sentence names cause and remedy. Never: passes on a driver's own text, which can quote stored data.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from callcenter.store.errors import StoreError, StoreUnavailableError

_SQLITE = {
    "BUSY": "is locked by another process; the write is tried again, end the other process if it stays",
    "LOCKED": "is locked by another process; the write is tried again, end the other process if it stays",
    "FULL": "cannot grow: the disk is full; free some space",
    "IOERR": "cannot be read or written: the disk reports an error; check the disk, its space and its quota",
    "CANTOPEN": "cannot be opened; check that the file and its folder are there and writable",
    "READONLY": "is read-only; make the file and its folder writable for this user",
}
_CORRUPT = ("CORRUPT", "NOTADB")
_UNAVAILABLE_STATES = ("08", "53", "57", "58")
"""SQLSTATE classes: connection, resources (also disk full), operator intervention, system error."""
_REFUSED_STATES = ("28", "3D")
"""SQLSTATE classes: log-in refused, no such database."""
_REPEATABLE_STATES = ("40001", "40P01", "23505", "55P03")
"""Serialization failure, deadlock, a unique key that another daemon took meanwhile, lock not available."""


def explain(error: Exception, where: str) -> StoreError:
    """The store's error for a driver's error. ``where``: the database as messages name it."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return _explain_sqlite(original, where)
    if isinstance(error, PoolTimeout):
        return StoreUnavailableError(f"All connections to {where} are in use; try again in a moment.")
    state = _sqlstate(original)
    if state.startswith(_REFUSED_STATES):
        return StoreUnavailableError(
            f"{_capital(where)} refused the log-in ({_label(original, state)}); check its name, the user in store.url "
            "and store.password_file."
        )
    if state.startswith(_UNAVAILABLE_STATES) or state in _REPEATABLE_STATES or _is_connection_lost(error, original):
        return StoreUnavailableError(f"{_capital(where)} cannot be reached or is busy ({_label(original, state)}).")
    return StoreError(f"{_capital(where)} refused the statement ({_label(original, state)}): a defect of callcenter.")


def is_repeatable(error: DBAPIError) -> bool:
    """Whether the same transaction may simply be run again at once (PostgreSQL: others were in the way)."""
    return _sqlstate(error.orig) in _REPEATABLE_STATES


def breaks_connection(error: Exception) -> bool:
    """Whether the connection must be thrown away: after a failed write or sync its view of the file is not trusted."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(original, sqlite3.Error) and _sqlite_name(original).startswith(("IOERR", *_CORRUPT))


def corrupt(where: str) -> StoreError:
    return StoreError(
        f"{_capital(where)} is damaged or no database; it was left as it is: restore it from a backup, "
        "or move it away to begin anew."
    )


def _explain_sqlite(error: sqlite3.Error, where: str) -> StoreError:
    name = _sqlite_name(error)
    if name.startswith(_CORRUPT):
        return corrupt(where)
    for prefix, sentence in _SQLITE.items():
        if name.startswith(prefix):
            return StoreUnavailableError(f"{_capital(where)} {sentence}.")
    kind = "a rule of the schema" if isinstance(error, (sqlite3.IntegrityError, IntegrityError)) else name or "unknown"
    return StoreError(f"{_capital(where)} refused the statement ({kind}): a defect of callcenter.")


def _sqlite_name(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", "") or "").removeprefix("SQLITE_")


def _sqlstate(error: object) -> str:
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")


def _is_connection_lost(error: Exception, original: object) -> bool:
    return isinstance(original, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _label(error: object, state: str) -> str:
    return f"SQLSTATE {state}" if state else type(error).__name__


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
