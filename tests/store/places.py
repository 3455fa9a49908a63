"""Where the store's tests run: a SQLite file and a database of a real PostgreSQL, through the same door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.store import Store, migrate
from tests.postgres.cluster import Cluster


@dataclass(frozen=True)
class Place:
    kind: str
    url: str
    password: str | None = None

    @property
    def database(self) -> str:
        """The last part of the url: the file, or the database's name."""
        return self.url.rpartition("/")[2]

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    def secret(self) -> str:
        assert self.password is not None
        return self.password

    async def migrate(self) -> Any:
        return await migrate(self.url, self.secret if self.password else None)

    @asynccontextmanager
    async def open(self, **options: Any) -> AsyncIterator[Store]:
        store = await Store.open(self.url, password=self.secret if self.password else None, **options)
        try:
            yield store
        finally:
            await store.close()


def sqlite_place(folder: Path) -> Place:
    return Place("sqlite", f"sqlite:///{folder}/callcenter.db")


def postgres_place(cluster: Cluster) -> Place:
    return Place("postgres", cluster.new_database(), cluster.password)
