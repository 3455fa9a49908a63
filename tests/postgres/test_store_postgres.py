"""What only PostgreSQL does to the store: it goes away, refuses, or serves two daemons at once."""

import asyncio
import logging
from collections.abc import Iterator

import asyncpg
import pytest

from callcenter.store import Store, StoreError, StoreUnavailableError
from tests.faults.store_child import numbered
from tests.postgres.cluster import Cluster, running_cluster
from tests.store.build import NOW, batch, call, commit, new_ticket, patch
from tests.store.places import Place, postgres_place


async def test_two_daemons_share_the_numbers_of_a_day(postgres: Place) -> None:
    async with postgres.open() as one, postgres.open() as two:
        commits = [commit(store, call(f"{n}-{name}")) for n in range(20) for name, store in (("a", one), ("b", two))]
        done = await asyncio.gather(*commits)
    numbers = [ref.number for committed in done for ref in committed.tickets.values()]
    assert sorted(numbers) == [f"26-1122-{n:04d}" for n in range(1, 41)]


async def test_two_daemons_opening_the_same_ticket_make_one(postgres: Place) -> None:
    async with postgres.open() as one, postgres.open() as two:
        for n in range(10):
            first, second = await asyncio.gather(*(commit(store, tickets=[patch(f"c{n}")]) for store in (one, two)))
            assert first.tickets[f"c{n}"].id == second.tickets[f"c{n}"].id
        assert await one.tickets.count() == 10


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server that may be stopped."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def own_place(own_cluster: Cluster) -> Place:
    place = postgres_place(own_cluster)
    asyncio.run(place.migrate())
    return place


async def commit_until_stored(store: Store, number: int) -> int:
    """As the pipeline does: the same batch again until it is stored. Returns how often it was refused."""
    one, refused = numbered(number), 0
    while True:
        try:
            await store.commit(one)
        except StoreUnavailableError:
            refused += 1
            await asyncio.sleep(0.1)
        else:
            return refused


async def test_a_restart_of_the_server_loses_and_doubles_nothing(own_cluster: Cluster, own_place: Place) -> None:
    async with own_place.open() as store:
        stopping = asyncio.create_task(asyncio.to_thread(restart_twice, own_cluster))
        refused = number = 0
        while not stopping.done() or number < 30:
            refused += await commit_until_stored(store, number)
            number += 1
        await stopping
        assert refused > 0, "the server must have been away"
        payloads = [row.payload async for row in store.journal.tail("pbx")]
        assert payloads == [f"batch {n}".encode() for n in range(number)]
        assert await store.tickets.count() == 5 * number
        assert await store.calls.without_ticket("pbx") == ()


def restart_twice(cluster: Cluster) -> None:
    for _ in range(2):
        cluster.stop("immediate")
        cluster.start()


async def test_a_killed_connection_is_replaced(postgres: Place) -> None:
    async with postgres.open() as store:
        one = await new_ticket(store)
        connection = await asyncpg.connect(postgres.url, password=postgres.password)
        killed = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callcenter'"
        )
        await connection.close()
        assert len(killed) >= 2
        assert (await store.tickets.get(one.id)).id == one.id
        await store.tickets.close(one.id, "anna", NOW)
        await commit(store, call("c2"))
        assert await store.tickets.count() == 2


async def test_slow_pages_do_not_hold_up_the_pipeline(postgres: Place) -> None:
    async with postgres.open() as store:
        one = await new_ticket(store)
        connection = await asyncpg.connect(postgres.url, password=postgres.password)
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", one.id)
            saves = [
                asyncio.create_task(store.tickets.save_fields(one.id, {"problem": str(n)}, "anna", NOW, 0))
                for n in range(20)
            ]
            await asyncio.sleep(0.5)
            async with asyncio.timeout(5):
                await commit(store, call("c2"))
            assert not any(save.done() for save in saves), "all of the pages' connections are waiting"
        await asyncio.gather(*saves)
        await connection.close()


async def test_a_refused_log_in_says_what_to_check(postgres: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreError, match=r"refused the log-in .*check its name, the user .* and store.password_file"):
        await Store.open(postgres.url, password=lambda: "wrong-secret")
    with pytest.raises(StoreError, match=r"refused the log-in \(SQLSTATE 3D000\)"):
        await Store.open(postgres.url + "x", password=postgres.secret)
    async with postgres.open() as store:
        await commit(store, call("c1", caller_name="Geheim"))
    for secret in ("wrong-secret", postgres.secret(), "Geheim", "13800138000"):
        assert secret not in caplog.text


async def test_a_server_that_is_away_is_named(own_cluster: Cluster, own_place: Place) -> None:
    await asyncio.to_thread(own_cluster.stop)
    with pytest.raises(
        StoreUnavailableError, match=r"The PostgreSQL database test_1 on 127\.0\.0\.1 cannot be reached"
    ):
        async with own_place.open():
            pass


async def test_a_value_never_shows_in_an_error(postgres: Place) -> None:
    async with postgres.open() as store:
        with pytest.raises(StoreError) as caught:
            await store.commit(batch(call("c1", caller_name="Geheim", rings_heard=2**70)))
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "Geheim" not in shown
    assert "13800138000" not in shown
    assert caught.value.__suppress_context__
