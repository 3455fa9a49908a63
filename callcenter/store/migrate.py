"""Builds and renews the tables: ``callcenter migrate``, and the check that a daemon makes before it uses them.

Promises: a schema that is older, newer or somebody else's is refused with one sentence naming the command; a new
SQLite file appears under its name only when it is complete; an interrupted migration leaves the schema as it was.
Never: runs beside a daemon on the same SQLite file; drops data.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from callcenter.store import sqlite_file
from callcenter.store.database import Database, Options
from callcenter.store.errors import StoreError
from callcenter.store.location import Location, SqliteFile, locate
from callcenter.store.lock import FileLock
from callcenter.store.schema import REVISIONS, metadata

_SCRIPTS = Path(__file__).with_name("migrations")
_ADVISORY_LOCK = 0x63616C6C  # "call": two migrations of one PostgreSQL database wait for each other


@dataclass(frozen=True, slots=True)
class Migrated:
    """Revisions before and after; ``before`` is ``None`` where there were no tables."""

    before: str | None
    after: str


async def migrate(url: str, password: Callable[[], str] | None = None) -> Migrated:
    """Creates the database file if there is none and brings its tables to this program's schema.

    Raises ``StoreError``: in use by a daemon, damaged, newer than this program, somebody else's tables.
    """
    location = locate(url)
    if not isinstance(location, SqliteFile):
        return await _migrate(location, Options(password))
    lock = FileLock.take(location.lock_path, str(location))
    try:
        return await migrate_file(location)
    finally:
        lock.release()


async def migrate_file(file: SqliteFile) -> Migrated:
    """As ``migrate``, for whoever holds the file's lock."""
    if not sqlite_file.is_fresh(file):
        await sqlite_file.check(file)
        return await _migrate(file, Options())
    draft = SqliteFile(file.sibling(".new"))
    await asyncio.to_thread(_begin_draft, draft)
    migrated = await _migrate(draft, Options())
    await asyncio.to_thread(_publish, draft, file)
    return migrated


async def check_schema(database: Database) -> None:
    """Raises ``StoreError`` unless the tables are those that this program needs."""
    async with database.read() as connection:
        found = await connection.run_sync(_revision)
    _refuse_foreign(found, database.location)
    if found.revision != REVISIONS[-1]:
        has = f"has schema {found.revision}" if found.revision else "holds no tables yet"
        raise StoreError(
            f"{_capital(database.location)} {has} and this program needs {REVISIONS[-1]}: "
            "stop the daemon and run 'callcenter migrate'."
        )


@dataclass(frozen=True, slots=True)
class _Found:
    revision: str | None
    has_tables: bool


def _revision(connection: Connection) -> _Found:
    names = set(inspect(connection).get_table_names())
    if "alembic_version" not in names:
        return _Found(None, bool(names & set(metadata.tables)))
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return _Found(str(row[0]) if row else None, bool(names & set(metadata.tables)))


def _refuse_foreign(found: _Found, location: Location) -> None:
    if found.revision is None and found.has_tables:
        raise StoreError(
            f"{_capital(location)} holds tables of another program under our names; use a database of its own."
        )
    if found.revision is not None and found.revision not in REVISIONS:
        raise StoreError(
            f"{_capital(location)} has schema {found.revision}, made by a newer callcenter (this one knows "
            f"{REVISIONS[-1]}): install that version, or restore a backup of before."
        )


async def _migrate(location: Location, options: Options) -> Migrated:
    database = Database(location, options)
    try:
        await database.check()
        return await database.write(lambda connection: _upgrade(connection, location))
    finally:
        await database.close()


def _upgrade(connection: Connection, location: Location) -> Migrated:
    if not isinstance(location, SqliteFile):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    found = _revision(connection)
    _refuse_foreign(found, location)
    _run_scripts(connection)
    return Migrated(found.revision, REVISIONS[-1])


def _run_scripts(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(config, "head")


def _begin_draft(draft: SqliteFile) -> None:
    """Makes way for a new file; a draft that an interrupted migration left is worth nothing."""
    try:
        for suffix in ("", "-wal", "-shm", "-journal"):
            draft.sibling(suffix).unlink(missing_ok=True)
        os.close(os.open(draft.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"The database {draft.path} cannot be created ({error.strerror}); "
            "make its folder and let this user write there."
        ) from None


def _publish(draft: SqliteFile, file: SqliteFile) -> None:
    os.rename(draft.path, file.path)
    folder = os.open(file.path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _capital(location: Any) -> str:
    words = str(location)
    return words[0].upper() + words[1:]
