"""Where the store is: a SQLite file or a PostgreSQL database, from the address in the settings.

Promises: a bad address is refused with one sentence; an address with a password in it is refused, since addresses are
shown and logged.
Never: opens anything.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from callcenter.store.errors import StoreError


@dataclass(frozen=True, slots=True)
class SqliteFile:
    path: Path

    def __str__(self) -> str:
        return f"the SQLite file {self.path}"

    @property
    def lock_path(self) -> Path:
        return self.path.with_name(self.path.name + ".lock")

    def sibling(self, suffix: str) -> Path:
        """SQLite's own files beside the database: ``-wal``, ``-shm``, ``-journal``."""
        return self.path.with_name(self.path.name + suffix)


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    dsn: str
    """A libpq address without a password."""

    def __str__(self) -> str:
        parts = urlsplit(self.dsn)
        return f"the PostgreSQL database {parts.path.strip('/')} on {parts.hostname or 'the local socket'}"


Location = SqliteFile | PostgresDatabase


def locate(url: str) -> Location:
    """``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user@host:port/name?sslmode=...``."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        path = unquote(rest.removeprefix("/"))
        if not rest.startswith("/") or not path or "?" in rest or path == ":memory:":
            raise StoreError("store.url: write sqlite:///FILE for a file, with four slashes for an absolute path.")
        # The lock and SQLite's own files must stand beside the real file, whatever link led to it.
        return SqliteFile(Path(path).resolve())
    if scheme == "postgresql":
        return _postgres(url)
    raise StoreError("store.url: must begin with sqlite:/// or postgresql://.")


def _postgres(url: str) -> PostgresDatabase:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise StoreError("store.url: is no address; write postgresql://USER@HOST:PORT/DATABASE.") from None
    if parts.password is not None or "password=" in parts.query:
        raise StoreError("store.url: must not hold the password; put it into a file and name it in password_file.")
    if not parts.path.strip("/"):
        raise StoreError("store.url: names no database; write postgresql://USER@HOST:PORT/DATABASE.")
    return PostgresDatabase(url)
