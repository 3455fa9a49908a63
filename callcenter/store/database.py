"""Connections and transactions: one writer and several readers on SQLite, two small pools on PostgreSQL.

On the path of a call: ``store/commit`` writes through ``Database.write``; the web reads through ``Database.read``.
Promises: a write is a whole transaction or nothing, is finished even if whoever asked for it is cancelled, and fails
with a ``StoreError`` that says what to do; on SQLite writers wait for each other inside the process.
Never: shows a parameter or a stored value in an exception; knows a table.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Executable, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from callcenter.store import faults, sqlite_file
from callcenter.store.errors import StoreError
from callcenter.store.location import Location, PostgresDatabase, SqliteFile

Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]

REPEATS = 5
"""How often a transaction is run when PostgreSQL says that others were in its way."""
_BROKEN = (DBAPIError, PoolTimeout, OSError)


async def fetch(connection: AsyncConnection, statement: Executable) -> list[dict[str, Any]]:
    """The rows of a query as plain dictionaries."""
    return [row._asdict() for row in await connection.execute(statement)]


@dataclass(frozen=True, slots=True)
class Options:
    """``password`` is called for each new PostgreSQL connection. ``synchronous`` (FULL or NORMAL) is SQLite's."""

    password: Callable[[], str] | None = None
    synchronous: str = "FULL"
    busy_seconds: float = 5.0
    readers: int = 4
    statement_seconds: float = 30.0


class Database:
    def __init__(self, location: Location, options: Options) -> None:
        self.location = location
        self._readers: AsyncEngine
        self._pipeline: AsyncEngine
        self._writers: AsyncEngine
        self._one_writer: asyncio.Lock | None = None
        if isinstance(location, SqliteFile):
            self._readers = _sqlite_engine(location, options, read_only=True)
            self._pipeline = self._writers = _sqlite_engine(location, options, read_only=False)
            self._one_writer = asyncio.Lock()
        else:
            self._readers = self._writers = _postgres_engine(location, options, options.readers)
            # The pipeline must never wait behind slow pages for a connection.
            self._pipeline = _postgres_engine(location, options, 1)
        self._running: set[asyncio.Task[Any]] = set()

    async def check(self) -> None:
        """Opens one connection of each kind. Raises ``StoreError`` if that fails."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))
        try:
            async with self._writers.connect():
                pass
        except _BROKEN as error:
            raise faults.explain(error, str(self.location)) from None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading what is committed."""
        try:
            async with self._readers.connect() as connection:
                yield connection
        except _BROKEN as error:
            raise faults.explain(error, str(self.location)) from None

    async def write(self, work: Work[Result], pipeline: bool = False) -> Result:
        """Runs ``work`` in one transaction and returns its result after the commit.

        ``work`` may be run again from its start. ``pipeline``: use the connection kept for the pipeline. Raises
        ``StoreUnavailableError`` if nothing was written and the same may be tried later, and what ``work`` raises.
        """
        task = asyncio.create_task(self._write(work, self._pipeline if pipeline else self._writers))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; asyncio must not report it as forgotten

    async def _write(self, work: Work[Result], engine: AsyncEngine) -> Result:
        if self._one_writer is None:
            return await self._transaction(work, engine)
        async with self._one_writer:
            return await self._transaction(work, engine)

    async def _transaction(self, work: Work[Result], engine: AsyncEngine) -> Result:
        for attempt in range(1, REPEATS + 1):
            try:
                async with engine.begin() as connection:
                    return await work(connection)
            except _BROKEN as error:
                if faults.breaks_connection(error):
                    await engine.dispose()
                if not (isinstance(error, DBAPIError) and faults.is_repeatable(error)) or attempt == REPEATS:
                    raise faults.explain(error, str(self.location)) from None
        raise AssertionError("the loop above returns or raises")

    async def close(self) -> None:
        """Waits for running writes and closes every connection."""
        while self._running:
            await asyncio.wait(self._running)
        for engine in {self._readers, self._writers, self._pipeline}:
            await engine.dispose()


def _sqlite_engine(file: SqliteFile, options: Options, read_only: bool) -> AsyncEngine:
    def connect() -> aiosqlite.Connection:
        return sqlite_file.connect(file, options.busy_seconds)

    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=connect,
        hide_parameters=True,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=options.readers if read_only else 1,
        max_overflow=0,
    )
    statements = sqlite_file.pragmas(options.synchronous, read_only)

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        if not read_only:
            cursor.execute("PRAGMA journal_mode = WAL")
            if cursor.fetchone()[0] != "wal":
                raise StoreError(f"{file} is on a file system that cannot share memory; put it on a local disk.")
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        # A transaction that begins by reading could not wait for another process's write lock later.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(database: PostgresDatabase, options: Options, size: int) -> AsyncEngine:
    try:
        import asyncpg  # type: ignore[import-untyped]
    except ImportError:
        raise StoreError("PostgreSQL needs the extra 'postgres'; run pip install 'callcenter[postgres]'.") from None

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
