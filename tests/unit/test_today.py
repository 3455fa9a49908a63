"""The day's counts: what one call adds, what more knowledge of it changes, and what a new day forgets."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.model import Breach, Call, Direction, Hold, Outcome, Phase, Ring, RingResult
from callcenter.metrics.service_levels import Interval, Tally, Target, Targets, counts, tally_of
from callcenter.metrics.today import CallsToday, Counts, total

MIDNIGHT = 1_795_276_800.0
TARGETS = Targets(Target(15, 5), {"vip": Target(10, 2, "vip")})


def ended(call_id: str = "1", **values: Any) -> Call:
    defaults: dict[str, Any] = {
        "queue": "it",
        "arrived_at": MIDNIGHT + 100,
        "ended_at": MIDNIGHT + 200,
        "outcome": Outcome.ANSWERED,
        "wait_seconds": 8.0,
    }
    return Call("pbx", call_id, Direction.INBOUND, Phase.ENDED, **(defaults | values))


def day(*calls: Call, at: float = MIDNIGHT + 300) -> CallsToday:
    today = CallsToday(TARGETS, MIDNIGHT)
    for call in calls:
        today.changed(call, at)
    return today


def test_a_call_adds_its_share() -> None:
    holds = (Hold("1001", MIDNIGHT + 110, MIDNIGHT + 171), Hold("1001", MIDNIGHT + 180, MIDNIGHT + 190))
    today = day(ended(holds=holds, recovered=True, seats_missed=("1002", "1002", "1003")))
    tally = Tally(answered=1, answered_in_time=1)
    one = Counts(Interval(tally, 1), kept=1, waits=1, wait_seconds=8.0, long_holds=1, longest_wait=8.0)
    assert today.by_queue() == {"it": one}
    assert today.missed == {"1002": 2, "1003": 1}
    assert one.speed_of_answer == 8.0


def test_the_longest_wait_and_ringing_and_what_the_announcement_caught() -> None:
    def rung(*seconds: float) -> tuple[Ring, ...]:
        return tuple(Ring("1001", "l", MIDNIGHT, MIDNIGHT + n, RingResult.MISSED) for n in seconds)

    caught = ended("b", outcome=Outcome.ABANDONED, wait_seconds=41.0, announced_at=MIDNIGHT + 115, rings=rung(9.0))
    today = day(ended("a", rings=rung(5.0, 15.0)), caught)
    found = today.by_queue()["it"]
    assert (found.longest_wait, found.announced) == (41.0, 1)
    assert (found.rung, found.ring_seconds, found.longest_ring) == (3, 29.0, 15.0)
    assert found.mean_ring == 29 / 3
    today.changed(replace(caught, wait_seconds=3.0, rings=(), announced_at=None), MIDNIGHT + 400)
    today.changed(ended("a", rings=rung(5.0)), MIDNIGHT + 400)
    again = today.by_queue()["it"]
    assert (again.longest_wait, again.longest_ring, again.announced, again.mean_ring) == (8.0, 5.0, 0, 5.0)
    assert total([again, found]).longest_wait == 41.0, "the longest of all is none that was added up"
    assert Counts().mean_ring is None


def test_a_queue_counts_by_its_own_target() -> None:
    late = ended("late", queue="vip", wait_seconds=12.0)
    short = ended("short", queue="vip", outcome=Outcome.ABANDONED, wait_seconds=2.0)
    assert day(late, short).by_queue()["vip"].interval.tally == Tally(
        answered=1, abandoned=1, abandoned_in_time=1, abandoned_short=1
    )


def test_a_breach_of_three_rings_is_not_kept() -> None:
    assert day(ended(breaches=(Breach("A1", "not_lifted", MIDNIGHT + 115),))).by_queue()["it"].kept == 0
    assert day(ended(breaches=(Breach("B6", "seat", MIDNIGHT + 115),))).by_queue()["it"].kept == 1


def test_a_running_call_counts_only_what_was_missed() -> None:
    today = day(replace(ended(seats_missed=("1002",)), phase=Phase.RINGING, ended_at=None, outcome=None))
    assert today.by_queue() == {}
    assert today.missed == {"1002": 1}


def test_what_is_learned_later_replaces_what_was_known() -> None:
    today = day(ended(outcome=Outcome.UNKNOWN, wait_seconds=None, queue=None, seats_missed=("1002",)))
    assert today.by_queue()[""].interval.tally == Tally(other=1)
    today.changed(ended(recovered=True), MIDNIGHT + 400)
    assert set(today.by_queue()) == {"it"}
    assert today.by_queue()["it"].interval == Interval(Tally(answered=1, answered_in_time=1), 1)
    assert not +today.missed


def test_a_call_that_became_part_of_another_is_none() -> None:
    today = day(ended())
    today.changed(ended(merged_into="2"), MIDNIGHT + 400)
    assert today.by_queue() == {}


def test_yesterdays_and_other_directions_do_not_count() -> None:
    today = day(ended("old", ended_at=MIDNIGHT - 1), replace(ended("out"), direction=Direction.OUTBOUND))
    assert today.by_queue() == {}
    unseen = ended("unseen", ended_at=None)
    assert day(unseen).by_queue()["it"].interval.tally.calls == 1, "an end that nobody saw counts where it was told"
    assert day(unseen, at=MIDNIGHT - 1).by_queue() == {}


def test_a_new_day_begins_with_nothing() -> None:
    today = day(ended(seats_missed=("1002",)))
    today.begin(MIDNIGHT + 86_400)
    assert (today.by_queue(), today.missed) == ({}, {})
    today.changed(ended(), MIDNIGHT + 86_500)  # told once more, from its call record
    assert today.by_queue() == {}


CALLS = st.builds(
    lambda phase, direction, **values: replace(ended(**values), phase=phase, direction=direction),
    call_id=st.sampled_from("abcdef"),
    queue=st.sampled_from(["it", "vip", None]),
    outcome=st.sampled_from([*Outcome, None]),
    wait_seconds=st.none() | st.floats(0, 60),
    recovered=st.booleans(),
    merged_into=st.sampled_from([None, None, None, "a"]),
    phase=st.sampled_from([Phase.ENDED, Phase.ENDED, Phase.TALKING]),
    direction=st.sampled_from([Direction.INBOUND, Direction.INBOUND, Direction.OUTBOUND]),
)


@given(st.lists(CALLS, max_size=30))
def test_however_often_calls_are_told_each_counts_as_it_is_last(told: list[Call]) -> None:
    last = {call.call_id: call for call in told}
    expected: dict[str, Tally] = {}
    for call in last.values():
        if counts(call):
            key = call.queue or ""
            expected[key] = expected.get(key, Tally()) + tally_of(call, TARGETS.of(call.queue))
    found = day(*told).by_queue()
    assert {queue: one.interval.tally for queue, one in found.items()} == expected
    assert total(found.values()).interval.recovered == sum(c.recovered for c in last.values() if counts(c))
