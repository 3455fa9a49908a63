"""The path of a call in one screen: batches, what is published, gaps, shedding, restarts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from callcenter.ami import journal
from callcenter.ami.events import Event, LinkLost, MemberState, Snapshot, SnapshotChannel
from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.pipeline import RECOVERED_CALLS, SETTLE_SECONDS
from callcenter.rules.commands import Announce, CancelTimer, StartTimer
from callcenter.settings import Intake, Settings
from callcenter.store.batch import CdrPosition, Gap
from tests.fakes.links import until
from tests.fakes.pipeline import KeptBatches, Run
from tests.fakes.story import CALL_ID, T0, Legs, told

RINGS = """
    0.0 Newchannel       caller Ring 13800138000 4008
    0.0 UserEvent        caller CallcenterStep Step=arrival Queue=it
    0.1 QueueCallerJoin  caller it
    0.2 Newchannel       1001 Down
    0.2 DialBegin        1001
    0.3 Newstate         1001 Ringing
"""
TALKS_AND_ENDS = """
    3.0 Newstate         1001 Up
    3.0 QueueCallerLeave caller it
    3.1 BridgeEnter      caller b
    3.1 BridgeEnter      1001 b
    9.0 HangupRequest    caller
    9.0 Hangup           caller
    9.0 Hangup           1001
"""
MEMBER = MemberState(T0, "it", "PJSIP/1001", "", "1001", 1, False, "")


def small(**intake: int) -> Settings:
    return Settings(intake=Intake(**{"batch_ms": 0, **intake}))


@contextlib.asynccontextmanager
async def running(run: Run) -> AsyncIterator[None]:
    task = asyncio.create_task(run.pipeline.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_batch_is_one_transaction_of_log_calls_tickets_and_timers() -> None:
    run = Run()
    await run.feed(told(RINGS))
    (batch,) = run.unit.batches.values()
    assert journal.loads(batch.log or b"") == told(RINGS)
    assert [call.phase for call in batch.calls] == [Phase.RINGING]
    assert [(patch.call_id, patch.caller_number) for patch in batch.tickets] == [(CALL_ID, "13800138000")]
    assert [type(command) for command in batch.commands] == [StartTimer, StartTimer]
    assert (batch.observed_until, batch.gaps) == (T0, [])


@pytest.mark.parametrize(("per_batch", "batches"), [(200, 1), (4, 4), (1, 13)])
async def test_a_batch_closes_at_its_limit_and_the_call_is_the_same(per_batch: int, batches: int) -> None:
    run, whole = Run(settings=small(batch_events=per_batch)), Run()
    await run.feed(told(RINGS + TALKS_AND_ENDS))
    await whole.feed(told(RINGS + TALKS_AND_ENDS))
    assert len(run.unit.batches) == batches
    assert run.views == whole.views
    assert run.views[CALL_ID].outcome is Outcome.ANSWERED


async def test_what_changed_nothing_is_logged_but_not_published() -> None:
    run = Run()
    await run.feed(told(RINGS))
    await run.feed(told(RINGS))
    assert len(run.unit.logged) == 2
    assert len(run.changes) == 1


async def test_a_ticket_is_patched_once_as_long_as_nothing_new_is_known_of_it() -> None:
    run = Run(settings=small(batch_events=1))
    await run.feed(told(RINGS + TALKS_AND_ENDS))
    patches = [patch for batch in run.unit.batches.values() for patch in batch.tickets]
    assert [patch.seat for patch in patches] == [None, "1001"]
    assert all(change.ticket is not None for change in run.changes), "windows are told which ticket it is"


def _legs_after_ringing() -> Legs:
    legs = Legs()
    legs.uniqueid("1001")
    return legs


async def test_queue_members_are_told_to_windows_and_not_logged() -> None:
    run = Run()
    await run.feed([MEMBER])
    assert run.unit.logged == []
    assert run.seats[-1] == frozenset({"1001"})


# --- timers and commands ---------------------------------------------------------------------------------------------


async def test_a_timer_that_is_due_is_asked_for_once_and_taken_back_in_the_same_transaction() -> None:
    run = Run()
    await run.feed(told(RINGS))
    run.clock.advance(15.2)
    await run.pipeline.step()
    await run.pipeline.step()
    last = [batch for batch in run.unit.batches.values() if batch.commands][-1]
    assert [command.key[-1] for command in last.commands if isinstance(command, CancelTimer)] == ["0", "1"]
    assert [type(command) for command in run.performed] == [Announce], "widening finds no gate, and is long past"
    assert run.performed[0].command_id == f"A1/pbx/{CALL_ID}/1"


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("waits", [True, False])
async def test_what_is_due_while_nobody_listens_waits_for_what_the_snapshot_shows(restart: bool, waits: bool) -> None:
    """A caller who was answered meanwhile would be torn out of the conversation by the step of the ladder."""
    run, first = Run(), Run()
    await first.feed(told(RINGS))
    if restart:
        run.pipeline.restore(first.unit.logged, [first.views[CALL_ID]], T0 + 1)
        run.pipeline.timers.load(dict.fromkeys([f"A1/pbx/{CALL_ID}/1"], T0 + 15))
    else:
        await run.feed([*told(RINGS), LinkLost(T0 + 1, "the network")])
    run.clock.advance(15.2)
    await run.pipeline.step()
    await run.pipeline.step()
    assert run.performed == [], "nobody knows whether the caller waits"
    caller = Legs().of("caller")
    alive = SnapshotChannel(*caller, "Ring", "138", "", "cc-hotline", "it", "Queue", "it", "", 15.0)
    await run.feed([Snapshot(T0 + 15.2, (alive,) if waits else (), (), ())])
    assert [type(command) for command in run.performed] == [Announce] * waits


async def test_a_due_timer_in_a_gap_does_not_turn_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    await run.feed([*told(RINGS), LinkLost(T0 + 1, "the network")])
    run.clock.advance(60)
    steps = 0
    step = run.pipeline.step

    async def counted() -> None:
        nonlocal steps
        steps += 1
        await step()

    monkeypatch.setattr(run.pipeline, "step", counted)
    async with running(run):
        await asyncio.sleep(0.2)
    assert steps <= 2


async def test_an_answer_takes_the_timers_back() -> None:
    run = Run()
    await run.feed(told(RINGS + TALKS_AND_ENDS))
    run.clock.advance(60)
    await run.pipeline.step()
    assert run.performed == []
    assert len(run.pipeline.timers) == 0


async def test_commands_are_performed_only_after_the_commit() -> None:
    run = Run()
    await run.feed(told(RINGS))
    run.clock.advance(15.2)
    performed_at_commit: list[int] = []
    run.unit.during = lambda: performed_at_commit.append(len(run.performed))
    await run.pipeline.step()
    assert performed_at_commit == [0]
    assert len(run.performed) == 1


# --- gaps ------------------------------------------------------------------------------------------------------------


async def test_a_gap_begins_with_the_loss_of_the_link_and_ends_with_the_next_snapshot() -> None:
    run = Run()
    await run.feed(told(RINGS))
    await run.feed([LinkLost(T0 + 1, "the network")])
    await run.feed([LinkLost(T0 + 2, "the network again")])
    run.clock.advance(1.5)
    await run.pipeline.step()
    caller = SnapshotChannel(CALL_ID, CALL_ID, "PJSIP/trunk-00000000", "Ring", "", "", "", "", "", "", "", 9.0)
    await run.feed([Snapshot(T0 + 5, (caller,), (), ())])
    gaps = [gap for batch in run.unit.batches.values() for gap in batch.gaps]
    assert gaps == [Gap(T0 + 1, None, "the network"), Gap(T0 + 1, T0 + 5, "the network")]
    observed = [batch.observed_until for batch in run.unit.batches.values()]
    assert observed == [T0, None, None, None, T0 + 1.5], "while the link is gone nothing is observed"
    assert run.value("callcenter_unobserved_seconds_total") == pytest.approx(4.0)
    assert not run.views[CALL_ID].complete


async def test_a_gap_never_ends_before_it_began_though_the_clock_was_set_back() -> None:
    run = Run()
    await run.feed([LinkLost(T0 + 3600, "the network"), Snapshot(T0, (), (), ())])
    (*_, last) = [gap for batch in run.unit.batches.values() for gap in batch.gaps]
    assert (last.started_at, last.ended_at) == (T0 + 3600, T0 + 3600)


async def test_shed_events_are_counted_make_a_gap_where_the_first_is_missing_and_end_with_a_new_snapshot() -> None:
    run = Run(settings=small(max_waiting_events=1_000, batch_events=400))
    run.pipeline.events(told(RINGS) + [MEMBER] * 994)
    run.clock.advance(7)
    run.pipeline.events([MEMBER] * 500)
    run.pipeline.events([MEMBER] * 300)
    assert run.value("callcenter_limit_hits_total", limit="intake") == 800
    assert run.pipeline.backlog <= 1_001
    await run.pipeline.step()
    assert run.stock_taken == [], "not before there is room"
    run.pipeline.events([MEMBER] * 5)
    assert run.value("callcenter_limit_hits_total", limit="intake") == 805, "one gap, not one per free place"
    await run.feed([])
    assert len(run.stock_taken) == 1
    assert [gap.started_at for batch in run.unit.batches.values() for gap in batch.gaps] == [T0 + 7]
    assert not run.views[CALL_ID].complete
    await run.feed([MEMBER] * 5)
    assert run.value("callcenter_limit_hits_total", limit="intake") == 805


# --- commits that fail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [False, True], ids=["refused", "answer lost"])
async def test_a_commit_that_fails_is_repeated_as_it_was(kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.pipeline.RETRY_COMMIT_SECONDS", 0.0)
    run = Run()
    run.unit.failing, run.unit.kept_though_failing = 3, kept
    await run.feed(told(RINGS))
    assert len({id(batch) for batch in run.unit.attempts}) == 1
    assert len(run.unit.attempts) == 4
    assert len(run.unit.batches) == 1
    assert len(run.changes) == 1, "published once, after it was committed"
    assert run.value("callcenter_commit_failures_total") == 3


async def test_nothing_is_published_while_the_store_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.pipeline.RETRY_COMMIT_SECONDS", 0.001)
    run = Run()
    run.unit.failing = 10**9
    async with running(run):
        run.pipeline.events(told(RINGS))
        async with asyncio.timeout(5):
            while len(run.unit.attempts) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert run.changes == []
        run.pipeline.events(told(TALKS_AND_ENDS, _legs_after_ringing()))
        run.unit.failing = 0
        async with asyncio.timeout(5):
            await run.pipeline.drained()
    assert run.views[CALL_ID].outcome is Outcome.ANSWERED
    logged = [event for row in run.unit.logged for event in journal.loads(row)]
    assert logged == told(RINGS + TALKS_AND_ENDS), "nothing lost, nothing doubled, in order"


async def test_drained_waits_for_the_commit_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A polite stop ends the pipeline after this: events that were only taken up would be lost."""
    monkeypatch.setattr("callcenter.pipeline.RETRY_COMMIT_SECONDS", 0.001)
    run = Run()
    run.unit.failing = 20
    async with running(run):
        run.pipeline.events(told(RINGS))
        await asyncio.sleep(0.005)
        async with asyncio.timeout(5):
            await run.pipeline.drained()
        assert len(run.unit.batches) == 1


# --- recovered calls -------------------------------------------------------------------------------------------------

RECOVERED = Call("pbx", "pbx-1.1", Direction.INBOUND, Phase.ENDED, outcome=Outcome.ABANDONED, recovered=True)


async def test_recovered_calls_and_how_far_the_records_were_read_are_committed_together() -> None:
    run = Run()
    run.pipeline.recovered([(None, RECOVERED)], CdrPosition("Master.csv", 7, 99))
    await run.pipeline.step()
    (batch,) = run.unit.batches.values()
    assert (batch.calls, batch.cdr) == ([RECOVERED], CdrPosition("Master.csv", 7, 99))
    assert [patch.recovered for patch in batch.tickets] == [True]
    assert run.pipeline.calls == {}, "it is only in the store"


async def test_a_long_absence_is_recovered_in_batches_and_the_position_holds_with_the_last() -> None:
    run = Run()
    calls = [(None, replace(RECOVERED, call_id=f"pbx-1700000000.{n}")) for n in range(2 * RECOVERED_CALLS + 1)]
    run.pipeline.recovered(calls, CdrPosition("Master.csv", 7, 99))
    async with running(run):
        await until(lambda: len(run.changes) == len(calls))
    stored = [batch for batch in run.unit.batches.values() if batch.calls]
    assert [len(batch.calls) for batch in stored] == [RECOVERED_CALLS, RECOVERED_CALLS, 1]
    assert [batch.cdr is not None for batch in stored] == [False, False, True]


async def test_a_call_that_records_complete_is_published_with_what_was_stored_of_it() -> None:
    """It was counted as ended before; figures would count it twice if it came as new."""
    run = Run()
    stored = replace(RECOVERED, outcome=Outcome.UNKNOWN, recovered=False)
    run.pipeline.recovered([(stored, RECOVERED)], CdrPosition("Master.csv", 7, 99))
    await run.pipeline.step()
    assert [(change.before, change.after) for change in run.changes] == [(stored, RECOVERED)]


async def test_a_position_that_comes_during_a_commit_belongs_to_the_next() -> None:
    run = Run()
    positions = [CdrPosition("Master.csv", 7, 10), CdrPosition("Master.csv", 7, 20)]
    run.pipeline.recovered([(None, RECOVERED)], positions[0])
    later = replace(RECOVERED, call_id="pbx-2.2")
    run.unit.during = lambda: (
        run.pipeline.recovered([(None, later)], positions[1]) if len(run.unit.attempts) == 1 else None
    )
    await run.pipeline.step()
    await run.pipeline.step()
    assert [batch.cdr for batch in run.unit.batches.values()] == positions


# --- merged calls, and letting go ------------------------------------------------------------------------------------


def consultation() -> tuple[list[Event], list[Event]]:
    """A customer's call, and the seat's consultation, which a bridge then joins to it."""
    customer = _legs_after_ringing()
    other = Legs("pbx-1700000004.5", phone="1001")
    told_apart = told(RINGS + TALKS_AND_ENDS.split("9.0")[0]) + told(
        """
        4.0 Newchannel caller Ring 1001 1002
        4.1 Newchannel 1002 Down
        4.1 DialBegin  1002
        5.0 Newstate   1002 Up
        """,
        other,
    )
    joined = [event._replace(linkedid=CALL_ID) for event in told("6.0 BridgeEnter 1002 b", other)]
    return told_apart, [*joined, *told("6.0 BridgeLeave 1001 b", customer)]


async def test_a_consultation_that_is_joined_ends_as_part_of_the_customers_call() -> None:
    run = Run()
    apart, joined = consultation()
    await run.feed(apart)
    assert set(run.views) == {CALL_ID, "pbx-1700000004.5"}
    await run.feed(joined)
    merged = run.views["pbx-1700000004.5"]
    assert (merged.phase, merged.merged_into) == (Phase.ENDED, CALL_ID)
    assert "1002" in run.views[CALL_ID].talking_to
    told_of = len(run.changes)
    await run.feed(joined)
    assert len(run.changes) == told_of, "said once"


async def test_an_ended_call_is_kept_for_a_straggler_and_then_let_go() -> None:
    run = Run()
    await run.feed(told(RINGS + TALKS_AND_ENDS))
    assert CALL_ID in run.pipeline.calls
    run.clock.advance(SETTLE_SECONDS + 0.1)
    await run.pipeline.step()
    assert (run.pipeline.calls, run.pipeline.book.calls, run.pipeline.book.owner) == ({}, {}, {})
    published = len(run.changes)
    await run.feed(told("12.0 Hangup caller"))
    assert (run.pipeline.calls, len(run.changes)) == ({}, published), "a straggler does not begin it anew"


# --- a restart -------------------------------------------------------------------------------------------------------


async def test_a_restored_call_goes_on_where_it_was() -> None:
    before, after = Run(), Run()
    await before.feed(told(RINGS))
    after.pipeline.restore(before.unit.logged, [before.views[CALL_ID]], T0 + 1)
    await after.feed(told(TALKS_AND_ENDS, _legs_after_ringing()))
    call = after.views[CALL_ID]
    assert (call.outcome, call.rings_heard, call.answered_by) == (Outcome.ANSWERED, 1, "1001")
    assert not call.complete, "what happened while the daemon was down is not known"
    assert [gap.started_at for batch in after.unit.batches.values() for gap in batch.gaps] == [T0 + 1]


async def test_a_damaged_row_of_the_log_does_not_keep_the_daemon_from_starting() -> None:
    before, after = Run(), Run()
    await before.feed(told(RINGS))
    after.pipeline.restore([b"\xff{", b"{}", *before.unit.logged], [before.views[CALL_ID]], T0 + 1)
    await after.feed(told(TALKS_AND_ENDS, _legs_after_ringing()))
    assert after.views[CALL_ID].answered_by == "1001"


async def test_a_gap_that_was_open_at_the_stop_is_the_gap_that_ends_with_the_first_snapshot() -> None:
    run = Run()
    known = Gap(T0 - 9, None, "the network")
    run.pipeline.restore([], [], T0 - 10, [known])
    await run.feed([Snapshot(T0 + 1, (), (), ())])
    gaps = [gap for batch in run.unit.batches.values() for gap in batch.gaps]
    assert gaps == [replace(known, ended_at=T0 + 1)]


async def test_calls_that_had_ended_before_the_restart_are_not_raised() -> None:
    before, after = Run(), Run()
    await before.feed(told(RINGS + TALKS_AND_ENDS))
    after.pipeline.restore(before.unit.logged, [], T0 + 20)
    await after.feed([])
    assert (after.changes, after.pipeline.calls) == ([], {})


async def test_a_phone_known_as_a_seat_only_by_its_queue_is_a_seat_after_the_restart() -> None:
    """Queue members are not logged; the call's direction hangs on them."""
    before, after = Run(), Run()
    legs = Legs(phone="1001")
    await before.feed([MEMBER, *told("0.0 Newchannel caller Ring 66001 1002", legs)])
    assert before.views[CALL_ID].direction is Direction.INTERNAL
    after.pipeline.restore(before.unit.logged, [before.views[CALL_ID]], T0 + 1)
    await after.feed(told("2.0 Newchannel 1002 Down\n2.0 DialBegin 1002", legs))
    assert after.views[CALL_ID].direction is Direction.INTERNAL


async def test_what_was_no_call_at_the_restart_may_become_one() -> None:
    """Only a Local channel was there, as a click-to-call begins; its phone is created after the restart."""
    legs = Legs("pbx-1700000000.8")
    helper = told("0.0 Newchannel Local/1001@cc-click-00000001;1 Down", legs)
    before, after = Run(), Run()
    await before.feed(helper)
    assert before.views == {}
    after.pipeline.restore(before.unit.logged, [], T0 + 1)
    phone = told("2.0 Newchannel 1001 Ring 1001 13800138000", legs)
    assert phone[0].uniqueid != helper[0].uniqueid
    await after.feed(phone)
    assert list(after.views) == ["pbx-1700000000.8"]


async def test_the_heartbeat_tells_the_store_until_when_the_link_was_heard() -> None:
    run = Run(KeptBatches())
    await run.feed(told(RINGS))
    for _ in range(5):
        run.clock.advance(0.5)
        await run.pipeline.step()
    assert [batch.observed_until for batch in run.unit.batches.values()] == [T0, T0 + 1, T0 + 2]


async def test_queues_that_a_snapshot_tells_of_stand_at_zero() -> None:
    run = Run()
    await run.feed([Snapshot(T0, (), (), (), ("quiet", "13812345678"))])
    assert run.figures.queues().keys() >= {"quiet", "none"}
    assert "13812345678" not in run.figures.queues()
