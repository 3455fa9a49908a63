"""The pipeline on the real store when it is refused, cut off, restarted anywhere, or fed with lies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from callcenter.ami import journal
from callcenter.ami.codec import Decoder
from callcenter.ami.events import Event, LinkLost, MemberGone, MemberState, Snapshot
from callcenter.ami.parse import WANTED, parse
from callcenter.app import Daemon
from callcenter.calls.derive import derive
from callcenter.calls.model import Call
from callcenter.clock import ManualClock
from callcenter.opening import open_store
from callcenter.pipeline import Pipeline
from callcenter.settings import Intake, Settings
from callcenter.settings import Store as StoreSettings
from callcenter.store import Store
from tests.fakes.links import until
from tests.fakes.pipeline import Run
from tests.fakes.story import CALL_ID, T0, TERMS, told
from tests.faults.test_store_faults import locked
from tests.store.places import Place

CAPTURES = Path(__file__).parents[1] / "captures"
STREAMS = sorted(CAPTURES.glob("*.least.ami"))
TALKS = """
    0.0 Newchannel  caller Ring 13800138000 4008
    0.1 Newchannel  1001 Down
    0.1 DialBegin   1001
    0.2 Newstate    1001 Ringing
    2.0 Newstate    1001 Up
    2.1 BridgeEnter caller b
    2.1 BridgeEnter 1001 b
"""


def events_of(path: Path) -> list[Event]:
    messages = Decoder(WANTED).feed(path.read_bytes())
    return [event for message in messages if (event := parse(message)) is not None]


def events_by_path() -> dict[Path, list[Event]]:
    return {path: events_of(path) for path in STREAMS}


EVENTS = events_by_path()


@contextlib.asynccontextmanager
async def running(pipeline: Pipeline) -> AsyncIterator[None]:
    task = asyncio.create_task(pipeline.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def logged(store: Store) -> list[Event]:
    return [event for row in [row async for row in store.journal.tail("pbx")] for event in journal.loads(row.payload)]


# --- the store refuses -----------------------------------------------------------------------------------------------


async def test_a_store_that_is_locked_for_a_while_loses_and_doubles_nothing(
    sqlite: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.pipeline.RETRY_COMMIT_SECONDS", 0.01)
    events = [event for event in EVENTS[STREAMS[0]] if not isinstance(event, MemberState | MemberGone)]
    async with sqlite.open(busy_seconds=0.05) as store:
        run = Run(store, settings=Settings(intake=Intake(batch_ms=0, batch_events=5)))
        async with running(run.pipeline):
            with locked(sqlite.file):
                run.pipeline.events(events)
                await until(lambda: run.value("callcenter_commit_failures_total"))
                assert run.changes == []
            async with asyncio.timeout(60):
                await run.pipeline.drained()
        assert await logged(store) == events
        assert await store.tickets.count() == len(run.views)
        for call_id, view in run.views.items():
            assert await store.calls.get("pbx", call_id) == view


# --- a restart anywhere ----------------------------------------------------------------------------------------------


def views(pipeline: Pipeline) -> dict[str, Call]:
    found = (derive(pipeline.book, evidence, TERMS) for evidence in pipeline.book.calls.values())
    return {call.call_id: call for call in found if call is not None and call.running}


def as_if_whole(call: Call) -> Call:
    """Without what an unobserved moment takes away: the claim to be whole, and that nobody talked."""
    return replace(call, complete=True, talk_seconds=call.talk_seconds or None)


async def fed(events: Sequence[Event], batch_events: int) -> Run:
    run = Run(settings=Settings(intake=Intake(batch_ms=0, batch_events=batch_events)))
    await run.feed(events)
    return run


def restored(before: Run) -> Run:
    after = Run()
    running = [call for call in before.pipeline.calls.values() if call.running]
    after.pipeline.restore(before.unit.logged, running, before.pipeline.book.now)
    return after


MOBILE_MEMBER = next(path for path in STREAMS if path.name == "elsewhere-mobile-member.least.ami")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STREAMS), st.floats(0, 1), st.integers(1, 40))
@example(MOBILE_MEMBER, 0.1875, 1)  # the member's line is known, and not yet its number
async def test_restored_from_the_log_it_is_what_it_was(path: Path, cut: float, batch_events: int) -> None:
    """Killed after any event: the running calls are the same again, before Asterisk has said a word."""
    events = EVENTS[path]
    before = await fed(events[: int(cut * len(events))], batch_events)
    after = restored(before)
    assert views(after.pipeline) == views(before.pipeline)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(STREAMS), st.floats(0, 1))
@example(next(path for path in STREAMS if path.name == "elsewhere-click-local.least.ami"), 0.06)  # no telephone yet
async def test_a_restart_that_missed_nothing_changes_nothing_but_the_claim_to_be_whole(path: Path, cut: float) -> None:
    events = EVENTS[path]
    border = int(cut * len(events))
    whole = await fed(events, 7)
    before = await fed(events[:border], 7)
    after = restored(before)
    await after.feed(events[border:])
    # A consultation that was joined is no call any more; its last view depends on where a batch ended.
    expected = {call_id: view for call_id, view in whole.views.items() if view.merged_into is None}
    found = {call_id: view for call_id, view in (before.views | after.views).items() if view.merged_into is None}
    assert found.keys() == expected.keys()
    for call_id, view in expected.items():
        assert as_if_whole(found[call_id]) == as_if_whole(view)


async def test_a_second_restart_in_the_same_call_still_shows_it_to_its_seat(tmp_path: Path) -> None:
    """The call is stored as incomplete since the first restart, so nothing changes with the second."""
    site = Settings(store=StoreSettings(url=f"sqlite:///{tmp_path}/callcenter.db"))
    for restart in range(3):
        store = await open_store(site)
        try:
            daemon = Daemon(site, store)
            await daemon.restore()
            if restart == 0:
                daemon.pipeline.events(told(TALKS))
            assert restart == 0 or [call.call_id for call in daemon.desk.calls_of("1001")] == [CALL_ID]
            while daemon.pipeline.backlog:
                await daemon.pipeline.step()
            assert [call.call_id for call in daemon.desk.calls_of("1001")] == [CALL_ID]
        finally:
            await store.close()


@pytest.mark.parametrize("left", [False, True])
async def test_a_wrap_up_goes_on_after_a_restart_unless_the_ticket_was_left_open(tmp_path: Path, left: bool) -> None:
    site = Settings(store=StoreSettings(url=f"sqlite:///{tmp_path}/callcenter.db"))
    for restart in range(2):
        store = await open_store(site)
        try:
            daemon = Daemon(site, store, ManualClock(T0 + 60))
            await daemon.restore()
            if restart == 0:
                daemon.pipeline.events(told(TALKS + "30.0 Hangup caller\n30.0 Hangup 1001"))
            while daemon.pipeline.backlog:
                await daemon.pipeline.step()
            last = daemon.desk.last_call("1001")
            assert last is not None
            assert last.call_id == CALL_ID
            ticket = await daemon.tickets.by_call("pbx", CALL_ID)
            assert ticket is not None
            assert (ticket.left_open_at is not None) == (left and restart == 1)
            if left and restart == 0:
                await daemon.tickets.leave_open(ticket.ticket_id, "li")
        finally:
            await store.close()


async def test_a_gap_is_closed_although_the_daemon_died_in_it(tmp_path: Path) -> None:
    site = Settings(store=StoreSettings(url=f"sqlite:///{tmp_path}/callcenter.db"))
    for events in ([*told(TALKS), LinkLost(T0 + 3, "the network")], [Snapshot(T0 + 9, (), (), ())]):
        store = await open_store(site)
        try:
            daemon = Daemon(site, store)
            await daemon.restore()
            await daemon.pipeline.step()
            daemon.pipeline.events(list(events))
            while daemon.pipeline.backlog:
                await daemon.pipeline.step()
            gaps = await store.journal.gaps("pbx", 0.0, 1e11)
        finally:
            await store.close()
    assert [(gap.started_at, gap.ended_at) for gap in gaps] == [(T0 + 3, T0 + 9)]


# --- lies ------------------------------------------------------------------------------------------------------------

HEADERS = st.sampled_from(
    [
        *("Uniqueid", "Linkedid", "Channel", "DestUniqueid", "DestLinkedid", "DestChannel", "CallerIDNum", "Exten"),
        *("CallerIDName", "ChannelStateDesc", "DialStatus", "BridgeUniqueid", "Queue", "Timestamp", "Cause", "Count"),
        *("Interface", "Status", "UserEvent", "Name", "Value", "Step", "TransfererUniqueid", "Extension", "DialString"),
        *("TargetUniqueid", "TargetChannel", "OrigTransfererUniqueid", "SecondTransfererUniqueid", "Variable"),
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        ["1.1", "1.2", "pbx-1700000000.1", "PJSIP/1001-1", "PJSIP/trunk-2", "Local/1@x-1;2", "Up", "Ringing"]
    ),
    st.sampled_from(
        ["1e5", "1e400", "-1", "nan", "9" * 30, "32503679999", "0.000001", "x" * 3_000, "\x00", "a\u2028b"]
    ),
    st.sampled_from(
        ["Success", "CallcenterStep", "CallcenterVariable", "arrival", "MIXMONITOR_FILENAME", "%ED%A0%80%00"]
    ),
    st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=10),
)
MESSAGES = st.tuples(st.sampled_from(sorted(WANTED)), st.dictionaries(HEADERS, VALUES, min_size=2, max_size=9))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(MESSAGES, min_size=1, max_size=30))
async def test_whatever_asterisk_says_is_stored_or_left_out(sqlite: Place, messages: list[tuple[str, Any]]) -> None:
    """From bytes to rows: nothing that stands in a message stops the daemon."""
    raw = "".join(
        f"Event: {name}\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"
        for name, headers in messages
    )
    events = [event for message in Decoder(WANTED).feed(raw.encode()) if (event := parse(message)) is not None]
    async with sqlite.open() as store:
        run = Run(store)
        await run.feed(events)
        for call_id, view in run.views.items():
            stored = await store.calls.get("pbx", call_id.replace("\x00", ""))
            assert stored is None or stored.phase == view.phase
