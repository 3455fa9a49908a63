"""The SQLite file before and while it is used: is it there, is it whole, and how every connection is set up.

Promises: a damaged, empty or vanished file is refused with a sentence and left as it is.
Never: creates a file; ``migrate`` alone does that.
"""

import asyncio
import sqlite3
from typing import Any
from urllib.parse import quote

import aiosqlite

from callcenter.store import faults
from callcenter.store.errors import StoreError, StoreUnavailableError
from callcenter.store.location import SqliteFile

CHECK_SECONDS = 1.0
"""How long the check at the start may take; a file too large for that is checked as far as this goes."""
_JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024


def is_fresh(file: SqliteFile) -> bool:
    """Whether there is nothing yet. Raises ``StoreError`` where something is left that must not be built over."""
    if file.path.exists():
        return False
    if file.sibling("-wal").exists():
        raise StoreError(
            f"{file.path} is missing, but its write-ahead log {file.sibling('-wal').name} is there: "
            "put the database back from where it was moved, or remove the log to begin anew."
        )
    return True


def identity(file: SqliteFile) -> tuple[int, int] | None:
    """What tells this file from another of the same name; ``None`` if there is none."""
    try:
        found = file.path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def size_bytes(file: SqliteFile) -> int:
    """With the files that SQLite keeps beside it. Raises ``StoreUnavailableError`` if it is not there."""
    beside = (file.sibling("-wal"), file.sibling("-shm"))
    try:
        return file.path.stat().st_size + sum(path.stat().st_size for path in beside if path.exists())
    except OSError:
        raise gone(file) from None


def gone(file: SqliteFile) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"The SQLite file {file.path} was removed or replaced while in use: put the same file back where it was, "
        "or restart callcenter to go on with what is there now."
    )


async def check(file: SqliteFile) -> None:
    """Raises ``StoreError`` if the file is missing, empty, no database or found damaged within ``CHECK_SECONDS``."""
    if is_fresh(file):
        raise StoreError(f"There is no database at {file.path}; run 'callcenter migrate' to create it.")
    if not file.path.is_file():
        raise StoreError(f"{file.path} is not a file; name a file in store.url.")
    if file.path.stat().st_size == 0:
        raise StoreError(f"{file.path} is empty: restore it from a backup, or remove it if it never held anything.")
    try:
        await _quick_check(file)
    except sqlite3.Error as error:
        raise faults.explain(error, str(file)) from None


async def _quick_check(file: SqliteFile) -> None:
    connection = connect(file, CHECK_SECONDS)
    alarm = asyncio.get_running_loop().call_later(CHECK_SECONDS, connection.interrupt)
    try:
        verdict = await asyncio.to_thread(lambda: connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        verdict = "ok"
    finally:
        alarm.cancel()
        connection.close()
    if verdict != "ok":
        raise faults.corrupt(str(file))


def connect(file: SqliteFile, busy_seconds: float) -> sqlite3.Connection:
    """A connection whose transactions are begun by statements, never by the driver."""
    return sqlite3.connect(_uri(file), uri=True, isolation_level=None, timeout=busy_seconds, check_same_thread=False)


def connect_async(file: SqliteFile, busy_seconds: float) -> aiosqlite.Connection:
    """As ``connect``; not opened yet."""
    connection = aiosqlite.connect(_uri(file), uri=True, isolation_level=None, timeout=busy_seconds)
    # Its thread must not keep the process alive when the loop is gone; before aiosqlite 0.22 it was the thread itself.
    thread: Any = getattr(connection, "_thread", connection)
    thread.daemon = True
    return connection


def pragmas(synchronous: str, read_only: bool) -> list[str]:
    """Statements for each new connection."""
    statements = [
        "PRAGMA foreign_keys = ON",
        "PRAGMA secure_delete = ON",  # what is erased is overwritten; some builds of SQLite leave it in the file
        f"PRAGMA synchronous = {'NORMAL' if synchronous == 'NORMAL' else 'FULL'}",
        f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT_BYTES}",
        "PRAGMA cache_size = -16000",
        "PRAGMA temp_store = MEMORY",
    ]
    return [*statements, "PRAGMA query_only = ON"] if read_only else statements


def _uri(file: SqliteFile) -> str:
    return f"file:{quote(str(file.path))}?mode=rw"
