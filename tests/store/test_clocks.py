"""What the clocks of tickets rest on, on SQLite and PostgreSQL: pauses, levels, who took a ticket first; and what is
watched of all of them (D1, D2)."""

from collections import Counter
from dataclasses import replace
from datetime import UTC

import pytest

from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.errors import BadInput
from callcenter.metrics.service_levels import Target, Targets
from callcenter.options import clock_terms
from callcenter.settings import Settings
from callcenter.store import Store
from callcenter.store.ticket_queries import TicketFilter
from callcenter.ticket_clocks import LiveClocks
from callcenter.tickets.business_time import Calendar
from callcenter.tickets.clocks import GOING_ON, LEVELS, Limit, Name, Pause, State
from callcenter.tickets.model import FieldError, Status
from callcenter.web.clock_ports import OfLevel
from tests.store.build import HOUR, NOW, call, commit, ended, new_ticket, ticket

TARGETS = Targets(Target(15, 5), {"vip": Target(10, 5, "vip")})
TERMS = clock_terms(Settings())
SUNDAY_EIGHT = NOW
"""2026-11-22, a Sunday: the calendar 5x8 begins 25 hours later."""


def answered(call_id: str, **values: object) -> Call:
    return ended(call(call_id), answered_at=NOW + 8, answered_by="1001", wait_seconds=8.0, **values)


async def matter(store: Store, ticket_id: int) -> object:
    found = await store.clocks.of(ticket_id)
    assert found is not None
    return found.matter


async def test_an_answered_call_is_responded_to_at_its_answer(store: Store) -> None:
    await commit(store, answered("c1"))
    one = await ticket(store, "c1")
    await store.tickets.close(one.id, "li", NOW + 300)
    row = await store.clocks.of(one.id)
    assert row is not None
    assert (row.matter.responded_at, row.matter.resolved_at, row.matter.taken) == (NOW + 8, NOW + 300, True)
    assert (row.level, row.queue, row.gave_up) == (None, "support", False)


async def test_a_missed_call_is_responded_to_by_who_takes_its_ticket(store: Store) -> None:
    await commit(store, ended(call("c1"), outcome=Outcome.ABANDONED, wait_seconds=30.0))
    one = await ticket(store, "c1")
    before = await store.clocks.of(one.id)
    assert before is not None
    assert (before.matter.responded_at, before.matter.taken, before.gave_up) == (None, False, True)
    await store.tickets.save_fields(one.id, {"problem": "打印机"}, "li", NOW + 500, one.version)
    await store.tickets.save_fields(one.id, {"problem": "打印机坏"}, "ma", NOW + 900, one.version)
    after = await store.clocks.of(one.id)
    assert after is not None
    assert (after.matter.responded_at, after.matter.taken) == (NOW + 500, True)


async def test_a_missed_caller_who_was_spoken_to_since_was_responded_to(store: Store) -> None:
    gave_up = ended(call("c1"), outcome=Outcome.ABANDONED, wait_seconds=30.0)
    await commit(store, gave_up, replace(gave_up, call_id="other", caller_number="13900000000"))
    await commit(store, replace(answered("c2"), arrived_at=NOW + 600, answered_at=NOW + 610))
    one, other = await ticket(store, "c1"), await ticket(store, "other")
    found, nobody = await store.clocks.of(one.id), await store.clocks.of(other.id)
    assert found is not None
    assert nobody is not None
    assert (found.matter.responded_at, found.matter.taken) == (NOW + 610, False), "and nothing is left to resolve"
    assert nobody.matter.responded_at is None


async def test_outgoing_and_merged_calls_have_no_clocks(store: Store) -> None:
    await commit(store, replace(answered("out"), direction=Direction.OUTBOUND), answered("in"), call("into"))
    await commit(store, replace(answered("in"), merged_into="into"))
    out = await ticket(store, "out")
    assert await store.clocks.of(out.id) is None
    assert [row.ticket_id for row in await store.clocks.going_on("pbx", NOW, 10)] == [(await ticket(store, "into")).id]


async def test_pauses_one_at_a_time_each_with_its_reason(store: Store) -> None:
    one = await new_ticket(store)
    await store.clocks.pause(one.id, "  等备件\n", "li", NOW + 100)
    await store.clocks.pause(one.id, "again", "ma", NOW + 150)
    await store.clocks.resume(one.id, "ma", NOW + 200)
    await store.clocks.resume(one.id, "ma", NOW + 250)
    await store.clocks.pause(one.id, "客户", "ma", NOW + 300)
    row = await store.clocks.of(one.id)
    assert row is not None
    assert row.matter.pauses == (Pause(NOW + 100, NOW + 200, "等备件", "li"), Pause(NOW + 300, None, "客户", "ma"))
    history = [(one.field, one.old, one.new, one.changed_by) for one in await store.clocks.history(one.id)]
    assert history == [("pause", "", "等备件", "li"), ("resume", "等备件", "", "ma"), ("pause", "", "客户", "ma")]
    with pytest.raises(BadInput, match="needs a reason"):
        await store.clocks.pause(one.id, " \n", "li", NOW)


async def test_closing_ends_a_pause_and_the_time_until_it_is_opened_again_counts_nowhere(store: Store) -> None:
    one = await new_ticket(store)
    await store.clocks.pause(one.id, "等备件", "li", NOW + 100)
    await store.tickets.close(one.id, "li", NOW + 200)
    with pytest.raises(BadInput, match="closed"):
        await store.clocks.pause(one.id, "too late", "li", NOW + 250)
    await store.tickets.reopen(one.id, "wu", NOW + 900)
    await store.tickets.reopen(one.id, "wu", NOW + 950)
    row = await store.clocks.of(one.id)
    assert row is not None
    assert [pause.span for pause in row.matter.pauses] == [(NOW + 100, NOW + 200), (NOW + 200, NOW + 900)]
    assert row.matter.resolved_at is None


async def test_level_and_severity_are_changed_with_a_history(store: Store) -> None:
    one = await new_ticket(store)
    await store.clocks.set_level(one.id, "vip", "li", NOW + 1)
    await store.clocks.set_level(one.id, "vip", "li", NOW + 2)
    await store.clocks.set_severity(one.id, "outage", "li", NOW + 3)
    await store.clocks.plan_made(one.id, "li", NOW + 4)
    await store.clocks.plan_made(one.id, "ma", NOW + 5)
    await store.clocks.set_severity(one.id, "", "ma", NOW + 6)
    row = await store.clocks.of(one.id)
    assert row is not None
    assert (row.level, row.matter.severity, row.matter.plan_at) == ("vip", None, NOW + 4)
    history = [(one.field, one.old, one.new) for one in await store.clocks.history(one.id)]
    assert history == [
        *(("level", "", "vip"), ("severity", "", "outage"), ("plan", "", str(NOW + 4))),
        ("severity", "outage", ""),
    ]
    for change in (store.clocks.set_level, store.clocks.set_severity):
        with pytest.raises(BadInput, match="There is no such"):
            await change(one.id, "'; DROP TABLE tickets;--", "li", NOW)
    assert not issubclass(FieldError, LookupError)


async def test_a_merged_ticket_takes_its_pause_and_severity_along(store: Store) -> None:
    await commit(store, answered("in"), call("into"))
    moved = await ticket(store, "in")
    await store.clocks.set_severity(moved.id, "major", "li", NOW + 50)
    await store.clocks.pause(moved.id, "等备件", "li", NOW + 100)
    await commit(store, replace(answered("in"), merged_into="into"))
    row = await store.clocks.of((await ticket(store, "into")).id)
    assert row is not None
    assert (row.matter.severity, [pause.reason for pause in row.matter.pauses]) == ("major", ["等备件"])


async def test_a_pause_that_comes_to_a_closed_ticket_has_ended(store: Store) -> None:
    await commit(store, answered("in"), call("into"))
    await store.clocks.pause((await ticket(store, "in")).id, "等备件", "li", NOW + 100)
    await store.tickets.close((await ticket(store, "into")).id, "ma", NOW + 150)
    await commit(store, replace(answered("in"), merged_into="into"))
    row = await store.clocks.of((await ticket(store, "into")).id)
    assert row is not None
    assert [pause.span for pause in row.matter.pauses] == [(NOW + 100, NOW + 150)]


# --- what is watched -------------------------------------------------------------------------------------------------


class Watch:
    """``LiveClocks`` at a time that a test sets."""

    def __init__(self, store: Store) -> None:
        self.now, self.counted, self.told = NOW, Counter[tuple[str, str, str]](), 0
        self.clocks = LiveClocks(store.clocks, "pbx", TERMS, TARGETS, lambda: self.now, self.count, self.tell)

    def count(self, *labels: str) -> None:
        self.counted[labels[0], labels[1], labels[2]] += 1

    def tell(self) -> None:
        self.told += 1

    async def at(self, seconds: float) -> None:
        self.now = NOW + seconds
        await self.clocks.refresh()


async def test_open_tickets_by_level_and_the_worst_first(store: Store) -> None:
    watch = Watch(store)
    assert watch.clocks.watched() is None, "not read yet"
    await commit(store, answered("a"), replace(answered("v"), queue="vip"))
    await commit(store, ended(call("missed", caller_number="1"), outcome=Outcome.ABANDONED, wait_seconds=60.0))
    await commit(store, ended(call("short", caller_number="2"), outcome=Outcome.ABANDONED, wait_seconds=3.0))
    await watch.at(60)
    found = watch.clocks.watched()
    assert found is not None
    assert found.levels == {("support", "standard"): OfLevel(3), ("vip", "vip"): OfLevel(1)}
    assert (found.worst, found.cut) == ((), False)
    await watch.at(1.7 * HOUR)  # the missed call's response, of two hours around the clock
    found = watch.clocks.watched()
    assert found is not None
    assert found.levels["support", "standard"] == OfLevel(3, at_risk=1)
    await watch.at(27.5 * HOUR)  # Monday 11:30
    found = watch.clocks.watched()
    assert found is not None
    assert [(one.queue, one.clock.name, one.clock.state(watch.now)) for one in found.worst] == [
        ("support", Name.RESPONSE, State.BREACHED),
        ("vip", Name.RESOLUTION, State.BREACHED),
    ]
    assert found.levels == {("support", "standard"): OfLevel(3, breached=1), ("vip", "vip"): OfLevel(1, breached=1)}
    assert watch.told >= 3


async def test_a_clock_that_stops_is_counted_once(store: Store) -> None:
    await commit(store, answered("before"))
    old = await ticket(store, "before")
    await store.tickets.close(old.id, "li", NOW + 20)
    watch = Watch(store)
    watch.clocks._since = NOW + 30  # the daemon began later than that
    await watch.at(40)
    assert not watch.counted
    await commit(store, replace(answered("a"), answered_at=NOW + 50))
    await watch.at(60)
    assert watch.counted == {("standard", "response", "yes"): 1}
    one = await ticket(store, "a")
    await store.tickets.close(one.id, "li", NOW + 70)
    for seconds in (80, 90, 100):
        await watch.at(seconds)
    assert watch.counted == {("standard", "response", "yes"): 1, ("standard", "resolution", "yes"): 1}
    await store.tickets.reopen(one.id, "li", NOW + 110)
    await watch.at(120)
    await store.tickets.close(one.id, "li", NOW + 130)
    await watch.at(140)
    assert sum(watch.counted.values()) == 2, "it had been counted"
    late = await new_ticket(store, "late", arrived_at=NOW + 200)
    await store.tickets.close(late.id, "li", NOW + 200 + 30 * HOUR)
    await watch.at(200 + 30 * HOUR)
    assert watch.counted["standard", "resolution", "no"] == 1


async def test_gauges_have_every_level_clock_and_state(store: Store) -> None:
    watch = Watch(store)
    assert list(watch.clocks.gauges()) == []
    await commit(store, call("ringing", phase=Phase.RINGING))
    await watch.at(10)
    first_line, family = watch.clocks.gauges()
    assert list(first_line.samples) == [], "no call was answered"
    samples = {tuple(sample.labels.values()): sample.value for sample in family.samples}
    assert len(samples) == len(LEVELS) * len(Name) * len(GOING_ON) == 3 * 10 * 5
    assert {key for key, value in samples.items() if value} == {("standard", "response", "running")}


async def test_a_clock_that_has_stopped_is_no_unknown_one(store: Store) -> None:
    """Nobody published the year: whether the response was in time is not known, but it is over."""
    watch = Watch(store)
    unpublished = Limit("D1", HOUR, Calendar(UTC, ((540, 1020),), lambda day: None))
    terms = replace(TERMS, response=dict.fromkeys(LEVELS, unpublished), resolution=dict.fromkeys(LEVELS, unpublished))
    watch.clocks._terms = terms
    await commit(store, answered("c1"))
    await watch.at(10)
    samples = {
        tuple(s.labels.values()): s.value for f in watch.clocks.gauges() for s in f.samples if len(s.labels) == 3
    }
    assert {key for key, value in samples.items() if value} == {("standard", "resolution", "unknown")}


async def test_tickets_are_counted_by_the_level_that_was_chosen_else_by_the_queues(store: Store) -> None:
    calls_of = {"c1": "vip", "c2": "vip", "c3": "support", "c4": None}
    for call_id, queue in calls_of.items():
        await commit(store, replace(answered(call_id), queue=queue))
    await store.clocks.set_level((await ticket(store, "c2")).id, "advanced", "li", NOW + 9)
    await store.tickets.close((await ticket(store, "c3")).id, "li", NOW + 300)
    found = await store.tickets.by_level(TicketFilter(status=Status.OPEN))
    assert found == {(None, "vip"): 1, ("advanced", "vip"): 1, (None, None): 1}
    live = Watch(store).clocks
    assert live.by_level(found) == {"vip": 1, "advanced": 1, "standard": 1}
    assert live.by_level({}) == {"vip": 0, "advanced": 0, "standard": 0}
