"""Connections and transactions: one writer and several readers on SQLite, two small pools on PostgreSQL.

On the path of a call: ``store/commit`` writes through ``Database.write``; the web reads through ``Database.rows``.
A transaction is a plain function of a SQLAlchemy ``Connection``. On SQLite it runs whole in the writer's own thread:
through aiosqlite each statement would change threads four times, which cost ten times the statement. On PostgreSQL
the same function runs under ``run_sync``.
Promises: a write is a whole transaction or nothing, is finished even if whoever asked for it is cancelled, and fails
with a ``StoreError`` that says what to do; on SQLite writers wait for each other inside the process.
Never: shows a parameter or a stored value in an exception; knows a table.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, Engine, Executable, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from callcenter.errors import extra_remedy
from callcenter.store import faults, sqlite_file
from callcenter.store.errors import StoreError
from callcenter.store.location import Location, PostgresDatabase, SqliteFile

Result = TypeVar("Result")
Work = Callable[[Connection], Result]

REPEATS = 5
"""How often a transaction is run when PostgreSQL says that others were in its way."""
_BROKEN = (DBAPIError, PoolTimeout, OSError)


def fetch(connection: Connection, statement: Executable) -> list[dict[str, Any]]:
    """The rows of a query as plain dictionaries, inside a transaction."""
    return [row._asdict() for row in connection.execute(statement)]


@dataclass(frozen=True, slots=True)
class Options:
    """``password`` is called for each new PostgreSQL connection. ``synchronous`` (FULL or NORMAL) is SQLite's."""

    password: Callable[[], str] | None = None
    synchronous: str = "FULL"
    busy_seconds: float = 5.0
    readers: int = 4
    statement_seconds: float = 30.0


class _SqliteWriter:
    """The one connection that writes, in a thread of its own; its queue is the order of the writes."""

    def __init__(self, file: SqliteFile, options: Options) -> None:
        self._file = file
        self._identity: tuple[int, int] | None = None
        self._thread = ThreadPoolExecutor(1, "store-writer")
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite_file.connect(file, options.busy_seconds),
            hide_parameters=True,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
        )
        _set_up_sqlite(self._engine, file, options, read_only=False)

    async def run(self, work: Work[Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Work[Result]) -> Result:
        try:
            with self._engine.begin() as connection:
                self._still_there()
                return work(connection)
        except DBAPIError as error:
            if faults.breaks_connection(error):
                self._engine.dispose()
            raise

    def _still_there(self) -> None:
        """SQLite writes on into a file that was deleted or moved away, and what it acknowledges is lost at the end."""
        found = sqlite_file.identity(self._file)
        self._identity = self._identity or found
        if found is None or found != self._identity:
            raise sqlite_file.gone(self._file)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()


class _PostgresWriter:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self, work: Work[Result]) -> Result:
        for _ in range(REPEATS - 1):
            try:
                return await self._transaction(work)
            except DBAPIError as error:
                if not faults.is_repeatable(error):
                    raise
        return await self._transaction(work)

    async def _transaction(self, work: Work[Result]) -> Result:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


class Database:
    def __init__(self, location: Location, options: Options) -> None:
        self.location = location
        self._readers: AsyncEngine
        self._pipeline: _SqliteWriter | _PostgresWriter
        self._writer: _SqliteWriter | _PostgresWriter
        if isinstance(location, SqliteFile):
            self._readers = _sqlite_readers(location, options)
            self._pipeline = self._writer = _SqliteWriter(location, options)
        else:
            self._readers = _postgres_engine(location, options, options.readers)
            self._writer = _PostgresWriter(self._readers)
            # The pipeline must never wait behind slow pages for a connection.
            self._pipeline = _PostgresWriter(_postgres_engine(location, options, 1))
        self._running: set[asyncio.Task[Any]] = set()

    async def check(self) -> None:
        """Opens one connection of each kind. Raises ``StoreError`` if that fails."""
        await self.write(lambda _: None)
        await self.rows(text("SELECT 1"))

    async def rows(self, statement: Executable) -> list[dict[str, Any]]:
        """The rows of a query over what is committed, as plain dictionaries."""
        async with self.read() as connection:
            return [row._asdict() for row in await connection.execute(statement)]

    async def scalar(self, statement: Executable) -> Any:
        """The first column of the first row of a query, or None."""
        async with self.read() as connection:
            return (await connection.execute(statement)).scalar()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for several queries over one state of what is committed."""
        try:
            async with self._readers.connect() as connection:
                yield connection
        except _BROKEN as error:
            raise faults.explain(error, str(self.location)) from None

    async def write(self, work: Work[Result], pipeline: bool = False) -> Result:
        """Runs ``work`` in one transaction and returns its result after the commit.

        ``work`` may be run again from its start, and must not touch what belongs to the event loop. ``pipeline``: use
        the connection kept for the pipeline. Raises ``StoreUnavailableError`` if nothing was written and the same may
        be tried later, and what ``work`` raises.
        """
        task = asyncio.ensure_future((self._pipeline if pipeline else self._writer).run(work))
        self._running.add(task)
        task.add_done_callback(self._finished)
        try:
            return await asyncio.shield(task)
        except _BROKEN as error:
            raise faults.explain(error, str(self.location)) from None

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; asyncio must not report it as forgotten

    async def close(self) -> None:
        """Waits for running writes and closes every connection."""
        while self._running:
            await asyncio.wait(self._running)
        await self._readers.dispose()
        for writer in {self._writer, self._pipeline}:
            await writer.close()


def _sqlite_readers(file: SqliteFile, options: Options) -> AsyncEngine:
    def connect() -> aiosqlite.Connection:
        return sqlite_file.connect_async(file, options.busy_seconds)

    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=connect,
        hide_parameters=True,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=options.readers,
        max_overflow=0,
    )
    _set_up_sqlite(engine.sync_engine, file, options, read_only=True)
    return engine


def _set_up_sqlite(engine: Engine, file: SqliteFile, options: Options, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode" if read_only else "PRAGMA journal_mode = WAL")
        row = cursor.fetchone()
        if row[0] != "wal":
            raise StoreError(f"{file} is on a file system that cannot share memory; put it on a local disk.")
        for statement in sqlite_file.pragmas(options.synchronous, read_only):
            cursor.execute(statement)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins by reading could not wait for another process's write lock later.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _postgres_engine(database: PostgresDatabase, options: Options, size: int) -> AsyncEngine:
    try:
        import asyncpg  # type: ignore[import-untyped]
    except ImportError:
        raise StoreError(f"PostgreSQL needs the extra 'postgres'. {extra_remedy('postgres')}.") from None

    async def connect() -> Any:
        return await asyncpg.connect(
            database.dsn,
            password=options.password() if options.password else None,
            timeout=5,
            command_timeout=options.statement_seconds,
            server_settings={"application_name": "callcenter", "jit": "off", "lock_timeout": "10s"},
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=10,
    )
