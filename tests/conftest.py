"""Fixtures that several test folders share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from callcenter.store import Store
from callcenter.store.schema import metadata
from tests.postgres.cluster import Cluster, running_cluster
from tests.store.places import Place, postgres_place, sqlite_place

# A property is about what is true, not about how busy the machine is. Everything else is as Hypothesis has it, which
# takes the same examples each time where CI is set.
settings.register_profile("callcenter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callcenter")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server for the whole run."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_database(cluster: Cluster) -> Place:
    """A database with the tables; whoever uses it empties them first."""
    place = postgres_place(cluster)
    asyncio.run(place.migrate())
    return place


@pytest.fixture(params=["sqlite", "postgres"])
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a store may be made: nothing is there yet."""
    if request.param == "sqlite":
        return sqlite_place(tmp_path)
    return postgres_place(request.getfixturevalue("cluster"))


@pytest.fixture
def postgres(cluster: Cluster, migrated_database: Place) -> Place:
    """A store with its tables on PostgreSQL, not opened."""
    cluster.execute(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE", migrated_database.database)
    return migrated_database


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    """A store with its tables in a SQLite file, not opened."""
    place = sqlite_place(tmp_path)
    asyncio.run(place.migrate())
    return place


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    """A store with its tables, not opened, on SQLite and on PostgreSQL in turn."""
    place: Place = request.getfixturevalue(request.param)
    return place


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    """An open store, on SQLite and on PostgreSQL in turn."""
    async with place.open() as store:
        yield store
