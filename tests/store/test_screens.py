"""What screens ask the store: the day's calls as memory counts them and as SQL does, and what was promised."""

from dataclasses import replace
from random import Random

import pytest

from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.metrics.service_levels import Interval, Target, Targets
from callcenter.metrics.today import CallsToday
from callcenter.store import Store
from callcenter.store import calls as stored_calls
from callcenter.store.screens import OpenPromise
from tests.store.build import HOUR, NOW, call, commit, ended, ticket

TARGETS = Targets(Target(15, 5), {"vip": Target(10, 5, "vip")})


def any_call(random: Random, number: int) -> Call:
    at = NOW + random.uniform(-2 * HOUR, 2 * HOUR)
    return replace(
        ended(call(f"c{number}", arrived_at=random.choice([at - 60, None])), ended_at=random.choice([at, at, None])),
        queue=random.choice(["support", "vip", None]),
        outcome=random.choice([*Outcome, None]),
        wait_seconds=random.choice([None, *(random.uniform(0, 30) for _ in range(4))]),
        recovered=random.random() < 0.2,
        merged_into=random.choice([None, None, None, "c1"]),
        direction=random.choice([Direction.INBOUND, Direction.INBOUND, Direction.OUTBOUND]),
        phase=random.choice([Phase.ENDED, Phase.ENDED, Phase.ENDED, Phase.TALKING]),
    )


@pytest.mark.parametrize("seed", range(6))
async def test_the_day_in_memory_is_the_day_in_sql(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wallboard's figures are those that ``store/service_levels`` reads for the same time, told live or read."""
    monkeypatch.setattr(stored_calls, "DAY_PAGE", 7)
    random = Random(seed)
    made = [any_call(random, number) for number in range(60)]
    told, read = CallsToday(TARGETS, NOW), CallsToday(TARGETS, NOW)
    for one in made:
        await commit(store, one)
        told.changed(one, NOW)
    async for one, at in store.calls.of_day("pbx", NOW):
        assert not read.known(one.call_id)
        read.changed(one, at)
    found: dict[str, Interval] = {}
    for (queue, _), interval in (
        await store.service_levels("pbx", TARGETS).service_levels(NOW, NOW + 10 * HOUR)
    ).items():
        found[queue] = interval
    assert {queue: counts.interval for queue, counts in read.by_queue().items()} == found
    assert {queue: counts.interval for queue, counts in told.by_queue().items()} == found


async def test_open_promises_come_without_their_words(store: Store) -> None:
    await commit(store, ended(call("a")), ended(call("b")))
    a, b = await ticket(store, "a"), await ticket(store, "b")
    await store.tickets.save_promise(a.id, "p-1", "call back", NOW + 600, "li", NOW)
    await store.tickets.save_promise(b.id, "p-2", "send it", NOW + 60, "li", NOW)
    await store.tickets.save_promise(b.id, "p-3", "some day", None, "li", NOW)
    await store.tickets.save_promise(b.id, "p-4", "was kept", NOW + 5, "li", NOW)
    await store.tickets.keep_promise(b.id, "p-4", True, "li", NOW + 1)
    assert await store.screens.open_promises(NOW + 3600) == (
        OpenPromise(b.id, b.number, "support", b.seat, NOW + 60),
        OpenPromise(a.id, a.number, "support", a.seat, NOW + 600),
    )
    assert len(await store.screens.open_promises(NOW + 61)) == 1
