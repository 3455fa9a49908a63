"""The store as the daemon holds it: opened, checked, guarded, and parted by concern.

On the path of a call: ``pipeline`` calls ``commit`` once per batch; everything else reads, or writes what persons do.
Promises: what ``commit`` acknowledged is there after kill -9 and, at synchronous=FULL, after a power loss; a second
daemon on the same SQLite file, a damaged file and a wrong schema are refused with one sentence.
Never: reads a clock; creates or changes tables unless asked to.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import text

from callcenter.metrics.service_levels import Targets
from callcenter.store import commit as pipeline_commit
from callcenter.store import sqlite_file
from callcenter.store.batch import Batch, Committed
from callcenter.store.books import Books
from callcenter.store.callbacks import Callbacks
from callcenter.store.calls import Calls
from callcenter.store.clocks import Clocks
from callcenter.store.database import Database, Options
from callcenter.store.duty import Duty
from callcenter.store.jobs import Jobs
from callcenter.store.journal import Journal
from callcenter.store.keeping import Keeping
from callcenter.store.location import Location, PostgresDatabase, SqliteFile, locate
from callcenter.store.lock import FileLock
from callcenter.store.migrate import check_schema, migrate_file
from callcenter.store.outbox import Outbox
from callcenter.store.prepared import compile_all
from callcenter.store.reports import Reports
from callcenter.store.reviews import Reviews
from callcenter.store.screens import Screens
from callcenter.store.service_levels import ServiceLevels
from callcenter.store.speech import Speech
from callcenter.store.stored import StoredRecordings
from callcenter.store.tickets import Tickets
from callcenter.store.users import Users
from callcenter.store.webhooks import Webhooks


class Store:
    """The queries of each concern: calls, callbacks, books, tickets, reviews, users, outbox, journal, speech ..."""

    def __init__(self, database: Database, zone: ZoneInfo, lock: FileLock | None) -> None:
        self._database = database
        self._zone = zone
        self._lock = lock
        self.calls = Calls(database)
        self.callbacks = Callbacks(database)
        self.books = Books(database)
        self.tickets = Tickets(database)
        self.clocks = Clocks(database)
        self.reviews = Reviews(database)
        self.users = Users(database)
        self.outbox = Outbox(database)
        self.journal = Journal(database)
        self.speech = Speech(database)
        self.keeping = Keeping(database, zone)
        self.screens = Screens(database)
        self.duty = Duty(database)
        self.stored = StoredRecordings(database)
        self.webhooks = Webhooks(database)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        password: Callable[[], str] | None = None,
        timezone: str = "Asia/Shanghai",
        synchronous: str = "FULL",
        busy_seconds: float = 5.0,
        exclusive: bool = True,
        create: bool = False,
    ) -> Self:
        """Opens the store of ``store.url``. Raises ``StoreError`` with cause and remedy.

        ``password``: read for each new PostgreSQL connection. ``timezone``: of the site; ticket numbers count by its
        days. ``busy_seconds``: how long a write waits for another process that holds SQLite's lock. ``exclusive``:
        as the one daemon of a SQLite file; command line tools beside a running daemon say False. ``create``: a SQLite
        file that does not exist yet is made, with its tables.
        """
        location = locate(url)
        if isinstance(location, PostgresDatabase):
            return cls(await _open_checked(location, Options(password)), ZoneInfo(timezone), None)
        lock: FileLock | None = None
        if exclusive or (create and sqlite_file.is_fresh(location)):
            lock = FileLock.take(location.lock_path, str(location))
        try:
            if create and sqlite_file.is_fresh(location):
                await migrate_file(location)
            await sqlite_file.check(location)
            database = await _open_checked(location, Options(None, synchronous, busy_seconds))
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        if lock is not None and not exclusive:
            lock.release()
            lock = None
        return cls(database, ZoneInfo(timezone), lock)

    def jobs(self, server: str) -> Jobs:
        """The work of hearing one server's recordings."""
        return Jobs(self._database, server)

    def service_levels(self, server: str, targets: Targets) -> ServiceLevels:
        """The counts of one server's hotline calls."""
        return ServiceLevels(self._database, server, targets)

    def reports(self, server: str, targets: Targets, groups: Sequence[Sequence[str]] = ()) -> Reports:
        """The history of one server's hotline calls. ``groups``: the seats of each group."""
        return Reports(self._database, server, targets, groups)

    async def commit(self, batch: Batch) -> Committed:
        """Writes a batch in one transaction. Raises ``StoreUnavailableError`` if nothing was written: commit it again.

        The same batch again (same ``batch_id``) is safe, also when the first answer was lost. At most some thousand
        calls in one batch.
        """
        return await self._database.write(lambda c: pipeline_commit.commit(c, batch, self._zone), pipeline=True)

    @property
    def folder(self) -> Path | None:
        """Where SQLite's file is; ``None`` of a server's database."""
        location = self._database.location
        return location.path.parent if isinstance(location, SqliteFile) else None

    async def size_bytes(self) -> int:
        """Of all that is stored, with SQLite's own files beside it. Raises ``StoreUnavailableError``."""
        location = self._database.location
        if isinstance(location, SqliteFile):
            return await asyncio.to_thread(sqlite_file.size_bytes, location)
        return int(await self._database.scalar(text("SELECT pg_database_size(current_database())")))

    async def close(self) -> None:
        """Finishes running writes, closes the connections and lets the next daemon in."""
        await self._database.close()
        if self._lock is not None:
            self._lock.release()


async def _open_checked(location: Location, options: Options) -> Database:
    database = Database(location, options)
    try:
        await database.check()
        await check_schema(database)
        await database.write(lambda connection: compile_all(connection.dialect))
    except BaseException:
        await database.close()
        raise
    return database
