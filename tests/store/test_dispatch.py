"""The steps of a ticket's dispatch on SQLite and PostgreSQL: made once, taken back with a line, carried along; and what
is watched and counted of their clocks (D3, D4)."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection, insert, select

from callcenter.calls.model import Outcome
from callcenter.errors import BadInput
from callcenter.store import Store, steps
from callcenter.store.schema import ticket_changes, ticket_pauses, tickets
from callcenter.store.step_tables import ticket_steps
from callcenter.store.ticket_rows import _new
from callcenter.tickets.clocks import Name, State
from callcenter.tickets.dispatch import Kind, Step, standing
from callcenter.tickets.model import Ticket, TicketPatch
from callcenter.web.clock_ports import OfLevel
from tests.store.build import HOUR, NOW, call, commit, ended, new_ticket, ticket
from tests.store.places import Place
from tests.store.test_clocks import Watch, answered
from tests.store.test_schema import migrate_to, opened

MINUTE = 60.0


async def step(store: Store, one: Ticket, kind: str, later: float, promised_at: float | None = None) -> None:
    await store.clocks.step(one.id, kind, promised_at, "li", NOW + later)


async def made(store: Store, ticket_id: int) -> list[Step]:
    row = await store.clocks.of(ticket_id)
    assert row is not None
    return list(row.steps)


async def audit(store: Store, ticket_id: int) -> list[tuple[str, str, str]]:
    c = ticket_changes.c
    wanted = select(c.old, c.new, c.changed_by).where(c.ticket_id == ticket_id, c.field == "dispatch").order_by(c.id)
    return [(row["old"], row["new"], row["changed_by"]) for row in await store.reviews._readers.rows(wanted)]


async def test_steps_are_kept_with_who_made_them_and_when(store: Store) -> None:
    one = await new_ticket(store)
    await step(store, one, "on_site", 10)
    await step(store, one, "dispatched", 20)
    await step(store, one, "booked", 30, NOW + HOUR)
    found = await made(store, one.id)
    assert [(step.kind, step.at, step.by, step.promised_at) for step in found] == [
        (Kind.ON_SITE, NOW + 10, "li", None),
        (Kind.DISPATCHED, NOW + 20, "li", None),
        (Kind.BOOKED, NOW + 30, "li", NOW + HOUR),
    ]
    assert await audit(store, one.id) == [
        *(("", "on_site", "li"), ("", "dispatched", "li")),
        ("", f"booked {NOW + HOUR}", "li"),
    ]
    row = await store.clocks.of(one.id)
    assert row is not None
    assert (row.matter.taken, row.matter.responded_at) == (True, NOW + 10), "whoever makes a step has taken the ticket"


async def test_the_same_step_again_changes_nothing(store: Store) -> None:
    one = await new_ticket(store)
    for later in (10, 20):
        await step(store, one, "on_site", later)
        await step(store, one, "soon", later + 1)
        await step(store, one, "dispatched", later + 2)
        await step(store, one, "booked", later + 3, NOW + HOUR)
    assert [step.at - NOW for step in await made(store, one.id)] == [10, 11, 12, 13]
    await step(store, one, "booked", 40, NOW + 2 * HOUR)
    assert len(await made(store, one.id)) == 5, "another time is another step"


async def test_two_tabs_at_once_make_one_step(store: Store) -> None:
    one = await new_ticket(store)
    await asyncio.gather(*(step(store, one, "vendor", 10 + n) for n in range(8)))
    assert len(await made(store, one.id)) == 1


async def test_what_makes_no_sense_is_refused_with_a_sentence(store: Store) -> None:
    one = await new_ticket(store)
    for kind, promised_at, sentence in (
        ("'; DROP TABLE tickets;--", None, "There is no such step"),
        ("dispatched", None, "cannot be made now"),
        ("visited", None, "cannot be made now"),
        ("booked", None, "has a time"),
        ("on_site", NOW + HOUR, "has a time"),
        ("booked", NOW - HOUR, "a time to come"),
        ("booked", NOW + 400 * 24 * HOUR, "a time to come"),
        ("booked", float("nan"), "a time to come"),
        ("booked", NOW + HOUR, "cannot be made now"),
    ):
        with pytest.raises(BadInput, match=sentence):
            await step(store, one, kind, 10, promised_at)
    await step(store, one, "remote", 10)
    await step(store, one, "delay_minutes", 11)
    with pytest.raises(BadInput, match="cannot be made now"):
        await step(store, one, "delay_longer", 12)
    assert len(await made(store, one.id)) == 2


async def test_a_step_made_in_error_is_taken_back_and_stays_with_a_line(store: Store) -> None:
    one, other = await new_ticket(store), await new_ticket(store, "c2")
    await step(store, one, "remote", 10)
    await step(store, one, "dispatched", 20)
    (remote, dispatched) = await made(store, one.id)
    await store.clocks.take_back(one.id, dispatched.id, "wu", NOW + 30)
    await store.clocks.take_back(one.id, dispatched.id, "li", NOW + 40)
    found = await made(store, one.id)
    assert found == [remote, replace(dispatched, undone_at=NOW + 30, undone_by="wu")]
    assert standing(found) == [remote]
    assert (await audit(store, one.id))[-1] == ("dispatched", "", "wu")
    await step(store, one, "dispatched", 50)
    assert [step.at for step in standing(await made(store, one.id))] == [NOW + 10, NOW + 50]
    for ticket_id, step_id in ((one.id, 999_999), (other.id, remote.id)):
        with pytest.raises(BadInput, match="no such step"):
            await store.clocks.take_back(ticket_id, step_id, "li", NOW + 60)


async def test_a_closed_ticket_is_read_only(store: Store) -> None:
    one = await new_ticket(store)
    await step(store, one, "remote", 10)
    (remote,) = await made(store, one.id)
    await store.tickets.close(one.id, "li", NOW + 20)
    with pytest.raises(BadInput, match="closed"):
        await step(store, one, "dispatched", 30)
    with pytest.raises(BadInput, match="closed"):
        await store.clocks.take_back(one.id, remote.id, "li", NOW + 30)
    await store.tickets.reopen(one.id, "li", NOW + 40)
    await step(store, one, "dispatched", 50)
    assert len(await made(store, one.id)) == 2


async def test_a_ticket_takes_only_so_many_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MOST_STEPS", 3)
    one = await new_ticket(store)
    for later in (10, 20, 30):
        await step(store, one, "remote", later)
        await store.clocks.take_back(one.id, (await made(store, one.id))[-1].id, "li", NOW + later + 1)
    with pytest.raises(BadInput, match="3 steps"):
        await step(store, one, "remote", 40)


async def test_a_merged_tickets_steps_go_along(store: Store) -> None:
    await commit(store, answered("in"), call("into"))
    moved, into = await ticket(store, "in"), await ticket(store, "into")
    await step(store, moved, "on_site", 10)
    await step(store, into, "abnormal", 20)
    await commit(store, replace(answered("in"), merged_into="into"))
    found = await made(store, into.id)
    assert sorted(step.kind for step in found) == ["abnormal", "on_site"]
    await step(store, moved, "dispatched", 30)
    assert len(await made(store, into.id)) == 3, "by way of the merged ticket, too"


async def test_a_database_of_before_keeps_its_tickets_and_takes_steps(
    empty_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_to("0017", empty_place, monkeypatch)
    old = _new("pbx", TicketPatch("c1", NOW), "2026-11-22", 1, NOW) | {"typed": [], "severity": "major", "plan_at": NOW}
    paused = {"started_at": NOW, "ended_at": NOW + 60, "reason": "等备件", "by": "li", "ended_by": "li"}

    def fill(connection: Connection) -> None:
        connection.execute(insert(tickets).values(old))
        (ticket_id,) = connection.execute(select(tickets.c.id)).scalars()
        connection.execute(insert(ticket_pauses).values(ticket_id=ticket_id, **paused))

    async with opened(empty_place) as database:
        await database.write(fill)
    assert (await empty_place.migrate()).before == "0017"
    async with empty_place.open() as store:
        await commit(store, call("c1"))
        one = await ticket(store, "c1")
        row = await store.clocks.of(one.id)
        assert row is not None
        assert (one.number, row.matter.severity, len(row.matter.pauses)) == ("26-1122-0001", "major", 1)
        assert row.steps == ()
        await step(store, one, "on_site", 100)
        assert [step.kind for step in await made(store, one.id)] == ["on_site"]


# --- what is watched -------------------------------------------------------------------------------------------------


async def test_a_late_step_is_told_to_screens_and_figures(store: Store) -> None:
    watch = Watch(store)
    await commit(store, answered("a"), replace(answered("v"), queue="vip"))
    one = await ticket(store, "a")
    await step(store, one, "on_site", 60)
    await watch.at(60 + 9 * MINUTE)
    found = watch.clocks.watched()
    assert found is not None
    assert found.levels["support", "standard"] == OfLevel(1, at_risk=1)
    await watch.at(60 + 11 * MINUTE)
    found = watch.clocks.watched()
    assert found is not None
    assert found.levels == {("support", "standard"): OfLevel(1, breached=1), ("vip", "vip"): OfLevel(1)}
    (late,) = found.worst
    assert (late.number, late.clock.name, late.clock.rule) == (one.number, Name.DISPATCH, "D4")
    gauges = {tuple(s.labels.values()): s.value for f in watch.clocks.gauges() for s in f.samples if len(s.labels) == 3}
    assert {key: gauges["standard", key, "running"] for key in ("visit", "visit_arranged")} == {
        "visit": 1,
        "visit_arranged": 1,
    }
    assert gauges["standard", "dispatch", "breached"] == 1
    await step(store, one, "dispatched", 60 + 12 * MINUTE)
    await watch.at(60 + 13 * MINUTE)
    assert watch.counted["standard", "dispatch", "no"] == 1
    found = watch.clocks.watched()
    assert found is not None
    assert found.levels["support", "standard"] == OfLevel(1)


async def test_each_run_is_counted_once_and_what_closing_made_needless_never(store: Store) -> None:
    watch = Watch(store)
    await commit(store, answered("a"))
    one = await ticket(store, "a")
    await step(store, one, "remote", 60)
    await step(store, one, "dispatched", 120)
    await step(store, one, "on_site", 180)
    await step(store, one, "dispatched", 240)
    for later in (300, 310):
        await watch.at(later)
    assert watch.counted == {("standard", "response", "yes"): 1, ("standard", "dispatch", "yes"): 2}
    await store.tickets.close(one.id, "li", NOW + 400)
    await watch.at(410)
    assert {key[1]: value for key, value in watch.counted.items()} == {"response": 1, "dispatch": 2, "resolution": 1}


async def test_what_was_late_when_the_ticket_was_closed_is_counted_as_missed_once(store: Store) -> None:
    watch = Watch(store)
    await commit(store, answered("a"))
    one = await ticket(store, "a")
    await step(store, one, "abnormal", 60)
    await store.tickets.close(one.id, "li", NOW + HOUR)
    await watch.at(HOUR + 5)
    assert watch.counted["standard", "abnormal", "no"] == 1
    await store.tickets.reopen(one.id, "li", NOW + HOUR + 10)
    await watch.at(HOUR + 15)
    row = await watch.clocks.of(one.id)
    assert row is not None
    assert [clock.state(watch.now) for clock in row.of_dispatch] == [State.BREACHED]
    await store.tickets.close(one.id, "li", NOW + HOUR + 20)
    await watch.at(HOUR + 25)
    later = Watch(store)
    later.clocks._since = NOW
    await later.at(HOUR + 30)
    assert watch.counted["standard", "abnormal", "no"] == 1
    assert later.counted["standard", "abnormal", "no"] == 0, "another run, and the ticket was opened again"


async def test_a_caller_who_gave_up_may_be_dispatched_to(store: Store) -> None:
    await commit(store, ended(call("c1"), outcome=Outcome.ABANDONED, wait_seconds=30.0))
    one = await ticket(store, "c1")
    await step(store, one, "on_site", 90)
    found = await Watch(store).clocks.of(one.id)
    assert found is not None
    assert {clock.name for clock in found.of_dispatch} == {Name.DISPATCH, Name.ARRANGED, Name.VISIT}


async def test_steps_survive_a_store_that_is_opened_anew(place: Place) -> None:
    async with place.open() as store:
        one = await new_ticket(store)
        await step(store, one, "abnormal", 10)
    async with place.open() as store:
        assert [step.kind for step in await made(store, one.id)] == ["abnormal"]
        rows = await store.reviews._readers.rows(select(ticket_steps))
        assert [(row["undone_at"], row["undone_by"]) for row in rows] == [(None, "")]
