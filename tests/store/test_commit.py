"""The pipeline's transaction: what a batch leaves behind, on SQLite and on PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from callcenter.calls.model import Direction, Outcome, Phase
from callcenter.rules.commands import Announce, CancelTimer, OpenGate, StartTimer
from callcenter.store import CdrPosition, Gap, Store
from callcenter.tickets.model import TicketPatch
from tests.store.build import FULL_CALL, HOUR, NOW, batch, call, commit, ended, new_ticket, patch, ticket


async def test_a_call_comes_back_as_it_was(store: Store) -> None:
    bare = call("bare", caller_number=None, queue=None, arrived_at=None)
    await commit(store, FULL_CALL, bare)
    assert await store.calls.get("pbx", FULL_CALL.call_id) == FULL_CALL
    assert await store.calls.get("pbx", "bare") == bare
    assert await store.calls.get("other", "bare") is None


async def test_the_last_state_of_a_call_wins_inside_and_across_batches(store: Store) -> None:
    first = call("c1")
    await commit(store, first, replace(first, rings_heard=2))
    assert (await store.calls.get("pbx", "c1")) == replace(first, rings_heard=2)
    await commit(store, ended(first))
    assert (await store.calls.get("pbx", "c1")) == ended(first)


async def test_running_calls_and_where_their_events_begin(store: Store) -> None:
    assert await store.journal.replay_from("pbx") is None
    over = await commit(store, call("over"), log=b"one")
    later = await commit(store, call("c2"), log=b"two")
    await commit(store, ended(call("over")), call("c2", rings_heard=2), log=b"three")
    assert [c.call_id for c in await store.calls.running("pbx")] == ["c2"]
    assert over.position is not None
    assert await store.journal.replay_from("pbx") == later.position
    assert later.position is not None
    assert [row.payload async for row in store.journal.tail("pbx", later.position)] == [b"two", b"three"]
    assert [row.payload async for row in store.journal.tail("pbx")] == [b"one", b"two", b"three"]


async def test_a_long_tail_is_read_whole_and_in_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.store.journal.PAGE_ROWS", 3)
    for number in range(7):
        await commit(store, log=str(number).encode())
        await store.commit(batch(server="other", log=b"not ours"))
    rows = [row async for row in store.journal.tail("pbx")]
    assert [row.payload for row in rows] == [b"0", b"1", b"2", b"3", b"4", b"5", b"6"]
    assert [row.position for row in rows] == sorted({row.position for row in rows})


async def test_a_ticket_is_opened_with_the_call_and_only_once(store: Store) -> None:
    opened = await commit(store, call("c1", caller_name="李四"))
    again = await commit(store, call("c1", caller_name="李四", rings_heard=2))
    assert opened.tickets["c1"].opened
    assert not again.tickets["c1"].opened
    assert again.tickets["c1"].id == opened.tickets["c1"].id
    found = await ticket(store, "c1")
    assert (found.number, found.fields["caller_name"], found.fields["phone"]) == ("26-1122-0001", "李四", "13800138000")
    assert found.typed == frozenset()
    assert await store.tickets.count() == 1
    assert await store.calls.without_ticket("pbx") == ()


async def test_numbers_count_by_the_day_of_the_site(store: Store) -> None:
    midnight = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
    done = await commit(
        store,
        call("new day", arrived_at=midnight),
        call("old day", arrived_at=midnight - 0.001),
        call("new day too", arrived_at=midnight + 1),
        call("recovered", arrived_at=midnight - 25 * HOUR, recovered=True),
        call("unobserved arrival", arrived_at=None),
        at=midnight + 5,
    )
    assert {call_id: ref.number for call_id, ref in done.tickets.items()} == {
        "new day": "26-1123-0001",
        "old day": "26-1122-0001",
        "new day too": "26-1123-0002",
        "recovered": "26-1121-0001",
        "unobserved arrival": "26-1123-0003",
    }
    assert (await ticket(store, "recovered")).recovered
    assert not (await ticket(store, "new day")).recovered


async def test_numbers_are_given_out_once_whoever_asks(store: Store) -> None:
    commits = [commit(store, *(call(f"{n}-{i}") for i in range(5))) for n in range(8)]
    refs = [ref for done in await asyncio.gather(*commits) for ref in done.tickets.values()]
    assert sorted(ref.number for ref in refs) == [f"26-1122-{n:04d}" for n in range(1, 41)]
    assert len({ref.id for ref in refs}) == 40


async def test_a_call_of_another_server_has_a_ticket_of_its_own(store: Store) -> None:
    await commit(store, call("c1"))
    other = replace(call("c1"), server="branch")
    done = await store.commit(batch(other, server="branch"))
    assert done.tickets["c1"].number == "26-1122-0002"
    assert await store.calls.get("branch", "c1") == other


async def test_a_machine_fills_in_what_no_person_wrote(store: Store) -> None:
    one = await new_ticket(store)
    await store.tickets.save_fields(one.id, {"caller_name": "王五", "address": ""}, "anna", NOW, one.version)
    await commit(store, tickets=[patch("c1", caller_name="WANG", address="1 Road", organisation="ACME", phone="")])
    found = await ticket(store, "c1")
    assert found.fields["caller_name"] == "王五"
    assert found.fields["address"] == "", "a field that a person emptied stays empty"
    assert found.fields["organisation"] == "ACME"
    assert found.fields["phone"] == "13800138000", "an empty value is no knowledge"


async def test_the_seat_and_the_number_follow_the_call(store: Store) -> None:
    await commit(store, call("c1", caller_number=None))
    await commit(store, call("c1", phase=Phase.TALKING, talking_to=("1002",), answered_by="1001"))
    found = await ticket(store, "c1")
    assert (found.seat, found.caller_number, found.fields["phone"]) == ("1002", "13800138000", "13800138000")
    await commit(store, tickets=[TicketPatch("c1")])
    assert await ticket(store, "c1") == found, "a patch that knows nothing changes nothing"


async def test_patches_of_one_batch_add_up(store: Store) -> None:
    await commit(store, tickets=[patch("c1", caller_name="A", category="x"), patch("c1", caller_name="B")])
    found = await ticket(store, "c1")
    assert (found.fields["caller_name"], found.fields["category"]) == ("B", "x")


async def test_the_same_batch_again_changes_nothing(store: Store) -> None:
    command = Announce("pbx/c1/announce", "pbx", "c1", "PJSIP/trunk-1", None, NOW + 20)
    one = batch(call("c1"), log=b"events", commands=[StartTimer("t", NOW + 5), command], gaps=[Gap(NOW, None, "lost")])
    first = await store.commit(one)
    again = await store.commit(one)
    assert again.position == first.position
    assert len([row async for row in store.journal.tail("pbx")]) == 1
    assert await store.tickets.count() == 1
    assert await store.outbox.states("pbx") == {"claimed": 1}
    assert len(await store.journal.open_gaps("pbx")) == 1
    assert await store.outbox.timers_of("pbx") == {"t": NOW + 5}


async def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    broken = Announce("pbx/c1/announce", "pbx", "c1", object(), None, NOW)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        await commit(store, call("c1"), log=b"events", commands=[broken], observed_until=NOW)
    assert await store.calls.get("pbx", "c1") is None
    assert await store.tickets.count() == 0
    assert [row async for row in store.journal.tail("pbx")] == []
    assert await store.journal.observed_until("pbx") is None
    done = await commit(store, call("c1"))
    assert done.tickets["c1"].number == "26-1122-0001", "a number that was not used is given out"


async def test_a_cancelled_commit_is_finished(store: Store) -> None:
    task = asyncio.create_task(commit(store, call("c1"), log=b"events"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await commit(store, call("c2"))
    assert await store.calls.get("pbx", "c1") == call("c1")
    assert await store.calls.without_ticket("pbx") == ()


HOSTILE = {
    "nul": "a\x00b",
    "lone surrogate": "a\ud800b",
    "script": "<script>alert(1)</script>",
    "sql": "'; DROP TABLE calls; --",
    "right to left": "\u202eevil",
    "emoji": "👩‍👩‍👧 José ﷽",
    "line break": "a\r\nEvent: Hangup",
    "percent": "%s {0} ${EXTEN} :name",
    "long": "张" * 1_200,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_text_stops_nobody(store: Store, text: str) -> None:
    hostile = call(
        "c1", caller_name=text, caller_number=text, dialled=text, queue=text, variables={"x": text}, recording=text
    )
    command = OpenGate("pbx/c1/gate", "pbx", "c1", "1001", text, NOW)
    await commit(store, hostile, call("c2"), commands=[command], gaps=[Gap(NOW, None, text)])
    stored = await store.calls.get("pbx", "c1")
    assert stored is not None
    assert stored.caller_name == text.replace("\x00", "").replace("\ud800", "").replace("\r\n", "\n")
    name = (await ticket(store, "c1")).fields["caller_name"]
    assert len(name) <= 120
    assert "\n" not in name
    assert await store.calls.get("pbx", "c2") is not None
    assert await store.outbox.states("pbx") == {"claimed": 1}


async def test_timers_are_set_moved_and_cancelled(store: Store) -> None:
    await commit(store, commands=[StartTimer("b", NOW + 9), StartTimer("a", NOW + 5), StartTimer("c", NOW + 1)])
    await commit(store, commands=[CancelTimer("c"), StartTimer("b", NOW + 2)])
    assert [t.key for t in await store.outbox.timers_due("pbx", NOW + 5)] == ["b", "a"]
    assert await store.outbox.timers_due("pbx", NOW + 1) == ()
    first = await store.outbox.next_timer("pbx")
    assert first is not None
    assert (first.key, first.due_at) == ("b", NOW + 2)
    await commit(store, commands=[StartTimer("d", NOW), CancelTimer("d"), CancelTimer("a"), StartTimer("a", NOW + 7)])
    assert await store.outbox.timers_of("pbx") == {"b": NOW + 2, "a": NOW + 7}
    assert await store.outbox.timers_of("other") == {}


async def test_gaps_open_and_close(store: Store) -> None:
    await commit(store, gaps=[Gap(NOW, None, "link lost")], observed_until=NOW)
    assert await store.journal.open_gaps("pbx") == (Gap(NOW, None, "link lost"),)
    assert await store.journal.gaps("pbx", NOW + 100, NOW + 200) == (Gap(NOW, None, "link lost"),)
    await commit(store, gaps=[Gap(NOW, NOW + 7, "link lost")], observed_until=NOW + 8)
    assert await store.journal.open_gaps("pbx") == ()
    assert await store.journal.gaps("pbx", NOW - 9, NOW + 1) == (Gap(NOW, NOW + 7, "link lost"),)
    assert await store.journal.gaps("pbx", NOW + 7, NOW + 9) == ()
    assert await store.journal.observed_until("pbx") == NOW + 8
    await commit(store, observed_until=NOW + 30)
    assert await store.journal.observed_until("pbx") == NOW + 30


async def test_recovered_calls_come_with_how_far_their_file_was_read(store: Store) -> None:
    recovered = ended(call("c1"), recovered=True)
    await commit(store, recovered, cdr=CdrPosition("Master.csv", 7, 1_234))
    assert await store.journal.cdr_position("pbx", "Master.csv") == CdrPosition("Master.csv", 7, 1_234)
    assert await store.journal.cdr_position("pbx", "Other.csv") is None
    await commit(store, cdr=CdrPosition("Master.csv", 8, 2**40))
    assert await store.journal.cdr_position("pbx", "Master.csv") == CdrPosition("Master.csv", 8, 2**40)
    assert (await ticket(store, "c1")).recovered
    assert await store.calls.phases("pbx", ["c1", "never seen"]) == {"c1": "ended"}


async def test_counts_of_ended_calls(store: Store) -> None:
    await commit(
        store,
        ended(call("c1")),
        ended(call("c2")),
        ended(call("c3"), outcome=Outcome.ABANDONED),
        replace(ended(call("c4")), direction=Direction.OUTBOUND, queue=None),
        call("running"),
        ended(call("merged"), merged_into="c1"),
    )
    counts = {(c.direction, c.queue, c.outcome): c.calls for c in await store.calls.counts("pbx")}
    assert counts == {
        ("inbound", "support", "answered"): 2,
        ("inbound", "support", "abandoned"): 1,
        ("outbound", None, "answered"): 1,
    }
