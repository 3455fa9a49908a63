"""The counts behind every service level: worked out by hand, then any calls the same in SQL and in Python."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random

import pytest

from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.metrics.service_levels import Interval, Tally, Target, Targets, counts, tally_of
from callcenter.store import Gap, Store
from callcenter.store.service_levels import Key
from tests.store.build import HOUR, NOW, call, commit, ended

TARGETS = Targets(
    Target(15, 5),
    {"vip": Target(10, 5, "vip"), "slow": Target(60, 2, "advanced"), "same": Target(15, 5, "standard")},
)


def waited(name: str, outcome: Outcome, seconds: float | None, **values: object) -> Call:
    return ended(call(name, arrived_at=NOW), outcome=outcome, wait_seconds=seconds, **values)


async def test_the_table_worked_out_by_hand(store: Store) -> None:
    await commit(
        store,
        waited("2", Outcome.ANSWERED, 2.0),
        waited("15", Outcome.ANSWERED, 15.0),
        waited("15+", Outcome.ANSWERED, 15.001),
        waited("unknown", Outcome.ANSWERED, None, recovered=True),
        waited("short", Outcome.ABANDONED, 5.0),
        waited("in time", Outcome.ABANDONED, 5.001),
        waited("late", Outcome.ABANDONED, 40.0),
        waited("away", Outcome.OVERFLOWED, 20.0),
        waited("failed", Outcome.FAILED, 1.0),
        waited("vip in", Outcome.ANSWERED, 10.0, queue="vip"),
        waited("vip late", Outcome.ANSWERED, 12.0, queue="vip"),
        waited("no queue", Outcome.ABANDONED, 1.0, queue=None),
        waited("part of another", Outcome.ANSWERED, 1.0, merged_into="2"),
        waited("not ours", Outcome.ANSWERED, 1.0, direction=Direction.OUTBOUND),
        call("still running"),
    )
    found = await store.service_levels("pbx", TARGETS).service_levels(NOW, NOW + HOUR)
    assert found == {
        ("support", "standard"): Interval(Tally(4, 2, 3, 2, 1, 1, 1), 1),
        ("vip", "vip"): Interval(Tally(2, 1)),
        ("", "standard"): Interval(Tally(0, 0, 1, 1, 1)),
    }


async def test_another_server_is_another_site(store: Store) -> None:
    await commit(store, waited("c1", Outcome.ANSWERED, 2.0))
    assert await store.service_levels("other", TARGETS).service_levels(NOW, NOW + HOUR) == {}


async def test_by_the_end_or_by_the_arrival(store: Store) -> None:
    """A call over midnight belongs to the day that asks for it; the border belongs to the later interval."""
    levels = store.service_levels("pbx", TARGETS)
    await commit(
        store,
        ended(call("long", arrived_at=NOW - 10), ended_at=NOW, wait_seconds=1.0),
        ended(call("unseen", arrived_at=None), ended_at=None, outcome=Outcome.UNKNOWN),
        at=NOW + 5,
    )
    by_end = await levels.service_levels(NOW, NOW + 60)
    by_arrival = await levels.service_levels(NOW, NOW + 60, by="arrived_at")
    assert by_end["support", "standard"].tally == Tally(1, 1, other=1)
    assert by_arrival["support", "standard"].tally == Tally(other=1)
    before = await levels.service_levels(NOW - 60, NOW, by="arrived_at")
    assert before["support", "standard"].tally == Tally(1, 1)
    assert await levels.service_levels(NOW - 60, NOW) == {}


async def test_unobserved_time_counts_once_and_only_inside(store: Store) -> None:
    levels = store.service_levels("pbx", TARGETS)
    gaps = [
        Gap(NOW - 100, NOW + 10, "before and in"),
        Gap(NOW + 5, NOW + 20, "overlaps"),
        Gap(NOW + 30, NOW + 40, "inside"),
        Gap(NOW + 50, None, "still open"),
    ]
    await commit(store, gaps=gaps, observed_until=NOW - 200)
    await commit(store, observed_until=NOW + 60)
    assert await levels.unobserved(NOW, NOW + 60) == pytest.approx(20 + 10 + 10)
    assert await levels.unobserved(NOW + 41, NOW + 49) == 0


async def test_nothing_is_observed_before_the_first_moment_that_was(store: Store) -> None:
    levels = store.service_levels("pbx", TARGETS)
    assert await levels.unobserved(NOW, NOW + 60) == 60, "nobody ever listened"
    await commit(store, observed_until=NOW)
    await commit(store, observed_until=NOW + 500, gaps=[Gap(NOW - 5, NOW + 5, "at the very beginning")])
    assert await levels.observed_since() == NOW
    assert await levels.unobserved(NOW - 60, NOW + 60) == 65
    assert await levels.unobserved(NOW - 60, NOW - 30) == 30
    assert await levels.unobserved(NOW + 5, NOW + 60) == 0
    assert await store.service_levels("other", TARGETS).unobserved(NOW, NOW + 60) == 60


def any_calls(random: Random, server: str, many: int) -> list[Call]:
    """Calls of every kind, with waits around the thresholds."""
    waits = (None, 0.0, 1.999, 2.0, 4.999, 5.0, 5.001, 9.999, 10.0, 10.001, 14.999, 15.0, 15.001, 60.0, 60.001, 599.0)
    return [
        replace(
            call(f"{server}-{number}", queue=random.choice(("support", "vip", "slow", "same", None))),
            server=server,
            direction=random.choice((Direction.INBOUND,) * 4 + (Direction.INTERNAL,)),
            phase=random.choice((Phase.ENDED,) * 6 + (Phase.TALKING,)),
            outcome=random.choice((*Outcome, None)),
            wait_seconds=random.choice(waits),
            arrived_at=NOW,
            ended_at=NOW + random.uniform(0, 60),
            recovered=random.random() < 0.2,
            merged_into="another" if random.random() < 0.1 else None,
        )
        for number in range(many)
    ]


def by_hand(calls: Iterable[Call]) -> Mapping[Key, Interval]:
    found: defaultdict[Key, Interval] = defaultdict(Interval)
    for one in filter(counts, calls):
        target = TARGETS.of(one.queue)
        found[one.queue or "", target.service_class] += Interval(tally_of(one, target), int(one.recovered))
    return found


@pytest.mark.parametrize("seed", range(25))
async def test_sql_counts_any_calls_as_python_does(store: Store, seed: int) -> None:
    calls = any_calls(Random(seed), "pbx", 60)
    await commit(store, *calls)
    assert await store.service_levels("pbx", TARGETS).service_levels(NOW, NOW + 61) == by_hand(calls)
