"""The link against a scripted server: order of events, loss, actions, limits."""

import asyncio
import time

import pytest

from callcenter.ami import snapshot
from callcenter.ami.actions import Hangup, Originate, Redirect
from callcenter.ami.codec import Message
from callcenter.ami.events import Hangup as HangupEvent
from callcenter.ami.events import LinkLost, LinkUp, Newchannel, OriginateResponse, Snapshot, SnapshotChannel
from callcenter.clock import Clock
from callcenter.errors import ActionRefused, ActionUnknown, BadInput, NotConnected
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.links import KeptEvents, is_up, quick, running, until
from tests.fakes.proxy import FaultProxy


class Jumping(Clock):
    """A clock that an administrator sets."""

    jump = 0.0

    def wall(self) -> float:
        return super().wall() + self.jump


CHANNEL = (("Channel", "PJSIP/trunk-1"), ("Uniqueid", "lab-1.1"), ("Linkedid", "lab-1.1"))


async def test_after_the_log_in_come_link_up_then_the_snapshot_then_what_happened_meanwhile() -> None:
    async with FakeAsterisk(channels=4) as pbx:
        pbx.during_channels = pbx.event("Hangup", *CHANNEL, ("Cause", "16"))
        async with running(quick(pbx.port)) as (link, sink):
            await is_up(link)
            pbx.send(pbx.event("Newchannel", *CHANNEL))
            await until(lambda: sink.of(Newchannel))
    assert [type(event) for event in sink.kept] == [LinkUp, Snapshot, HangupEvent, Newchannel]
    (taken,) = sink.of(Snapshot)
    assert [c.uniqueid for c in taken.channels] == [f"lab-1795000000.{n}" for n in range(4)]
    assert taken.channels[1].bridge == "bridge-0"
    assert taken.channels[0].age_seconds == 65
    assert [(m.interface, m.status) for m in taken.members] == [("Local/1001@cc-seat/n", 1)]
    assert taken.waiting == (("support", "lab-1795000000.0", 7.0),)
    assert link.status.system_name == "lab"
    assert link.status.started == "2026-11-22 08:00:00"


@pytest.mark.parametrize(("version", "below"), [("22.10.1+dfsg", False), ("16.28.0~dfsg", True), ("GIT-master", True)])
async def test_a_version_below_the_floor_is_flagged_and_works(version: str, below: bool) -> None:
    async with FakeAsterisk(version=version) as pbx, running(quick(pbx.port)) as (link, _):
        await is_up(link)
        assert link.status.below_floor is below
        assert ("22.10.1" in link.status.warning) is below


async def test_all_instants_are_asterisks_and_the_offset_of_its_clock_is_known() -> None:
    async with FakeAsterisk(clock_offset=90.0) as pbx, running(quick(pbx.port)) as (link, sink):
        await is_up(link)
        assert link.status.clock_offset_seconds == pytest.approx(90, abs=0.2)
        assert sink.of(LinkUp)[0].at == pytest.approx(time.time() + 90, abs=2)
        pbx.send(b"Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: lab-1.1\r\n\r\n")
        await until(lambda: sink.of(Newchannel))
        assert sink.of(Newchannel)[0].at == pytest.approx(time.time() + 90, abs=2)


@pytest.mark.parametrize("stamp", ["nan", "inf", "-inf", "1e308", "-5", "0", "99999999999999", "x", ""])
async def test_a_pong_that_bears_no_time_sets_no_clock(stamp: str) -> None:
    """A clock that is no number would stand in every row from then on, and no database takes it."""
    async with FakeAsterisk() as pbx:
        pbx.answers["Ping"] = lambda action: pbx.success(action, ("Ping", "Pong"), ("Timestamp", stamp))
        async with running(quick(pbx.port)) as (link, sink):
            await is_up(link)
            assert link.status.clock_offset_seconds == 0.0
            assert sink.of(LinkUp)[0].at == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
async def test_setting_this_machines_clock_moves_nothing(jump: float) -> None:
    """Else every step of a ladder would be an hour late, or all of them due at once, until the next pong."""
    clock = Jumping()
    async with FakeAsterisk() as pbx, running(quick(pbx.port, ping_every_seconds=60), clock=clock) as (link, sink):
        await is_up(link)
        clock.jump = jump
        assert link.now() == pytest.approx(time.time(), abs=2)
        pbx.send(b"Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: lab-1.1\r\n\r\n")
        await until(lambda: sink.of(Newchannel))
        assert sink.of(Newchannel)[0].at == pytest.approx(time.time(), abs=2)


async def test_events_before_the_log_in_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.ami.link.MAX_BUFFERED_EVENTS", 100)
    async with FakeAsterisk() as pbx:
        pbx.silent.add("Login")
        async with running(quick(pbx.port, answer_within_seconds=30)) as (link, sink):
            await until(lambda: pbx.connections)
            pbx.connections[0].send(pbx.event("Newchannel", *CHANNEL) * 200)
            await until(lambda: link.status.state == "lost")
            assert "more than 100 events" in link.status.reason
        assert sink.of(Newchannel) == []


async def test_what_asterisk_calls_itself_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    forged = "22.1\n2026-01-01 ERROR forged\u2028\x1b[31m"
    async with FakeAsterisk(version=forged) as pbx, running(quick(pbx.port)) as (link, _):
        pbx.refuse["Redirect"] = "no\nERROR forged"
        await is_up(link)
        assert all(record.getMessage().isprintable() for record in caplog.records)
        with pytest.raises(ActionRefused) as refused:
            await link.perform(Redirect("PJSIP/trunk-1", "cc-announce", "support"))
        assert refused.value.reason.isprintable()


async def test_a_reset_is_told_at_once_and_the_link_comes_back_with_a_new_snapshot() -> None:
    async with FakeAsterisk() as pbx, FaultProxy(pbx.port) as proxy, running(quick(proxy.port)) as (link, sink):
        await is_up(link)
        proxy.reset()
        await until(lambda: sink.of(LinkLost))
        await until(lambda: len(sink.of(Snapshot)) == 2)
        assert [type(e) for e in sink.kept] == [LinkUp, Snapshot, LinkLost, LinkUp, Snapshot]
        assert link.counts["losses"] == 1


async def test_a_black_hole_is_noticed_within_ping_plus_answer_time() -> None:
    async with FakeAsterisk() as pbx, FaultProxy(pbx.port) as proxy, running(quick(proxy.port)) as (link, sink):
        await is_up(link)
        await asyncio.sleep(0.3)
        heard = link.now()
        proxy.black_hole()
        began = time.monotonic()
        await until(lambda: sink.of(LinkLost))
        # Two seconds more for a busy machine; tests/asterisk has the real times.
        assert time.monotonic() - began < 0.2 + 1.5 + 2
        assert "did not answer a ping" in sink.of(LinkLost)[0].reason
        # What was unobserved begins with the last thing heard, not with our noticing.
        assert sink.of(LinkLost)[0].at <= heard + 0.5
        proxy.heal()
        await is_up(link)


async def test_a_frozen_server_is_noticed_though_the_connection_stands() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port)) as (link, sink):
        await is_up(link)
        pbx.silent.add("Ping")
        await until(lambda: sink.of(LinkLost))
        pbx.silent.clear()
        await is_up(link)


async def test_slices_and_latency_change_nothing() -> None:
    async with FakeAsterisk(channels=6) as pbx, FaultProxy(pbx.port) as proxy:
        proxy.slice_bytes, proxy.latency_seconds = 1, 0.01
        async with running(quick(proxy.port, answer_within_seconds=5)) as (link, sink):
            await is_up(link, 20)
            pbx.send(pbx.event("Newchannel", *CHANNEL, ("CallerIDName", "张三丰")))
            await until(lambda: sink.of(Newchannel))
    assert len(sink.of(Snapshot)[0].channels) == 6
    assert sink.of(Newchannel)[0].caller_name == "张三丰"


async def test_an_asterisk_that_was_still_booting_tells_its_queues_later() -> None:
    async with FakeAsterisk() as pbx:
        pbx.refuse["QueueStatus"] = "Invalid/unknown command: QueueStatus."
        async with running(quick(pbx.port)) as (link, sink):
            await is_up(link)
            await asyncio.sleep(0.5)
            assert [s.members for s in sink.of(Snapshot)] == [()]
            pbx.during_channels = pbx.event("Newchannel", *CHANNEL)
            del pbx.refuse["QueueStatus"]
            await until(lambda: len(sink.of(Snapshot)) == 2)
            await asyncio.sleep(0.5)
    assert [type(e) for e in sink.kept] == [LinkUp, Snapshot, Snapshot, Newchannel]
    assert [m.queue for m in sink.of(Snapshot)[1].members] == ["support"]


async def test_a_flapping_server_is_met_with_growing_and_jittered_waits() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port, reconnect_max_seconds=0.4)) as (link, _):
        while len(pbx.login_at) < 8:
            if link.status.state == "up":
                pbx.drop()
            await asyncio.sleep(0.005)
    waits = [b - a for a, b in zip(pbx.login_at, pbx.login_at[1:], strict=False)]
    ceilings = [min(0.4, 0.02 * 2**n) for n in range(1, 8)]
    assert all(wait >= ceiling / 2 for wait, ceiling in zip(waits, ceilings, strict=True))
    assert len({round(wait, 4) for wait in waits[-3:]}) == 3


async def test_an_action_is_answered_or_refused_with_asterisks_words() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port)) as (link, _):
        await is_up(link)
        answer = await link.perform(Redirect("PJSIP/a-1", "cc-announce", "support"), action_id="cmd-7")
        assert answer.message["ActionID"] == "cmd-7"
        pbx.refuse["Hangup"] = "No such channel"
        with pytest.raises(ActionRefused, match="No such channel"):
            await link.perform(Hangup("PJSIP/a-1"))


async def test_an_unanswered_action_is_unknown_and_its_late_answer_harms_nobody() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port)) as (link, _):
        await is_up(link)
        pbx.silent.add("Hangup")
        with pytest.raises(ActionUnknown, match="no answer within"):
            await link.perform(Hangup("PJSIP/a-1"))
        pbx.send(pbx.success(pbx.received[-1]))
        await until(lambda: link.counts["late_answers"] == 1)
        assert link.status.state == "up"


async def test_an_action_in_flight_at_a_loss_is_unknown_and_never_sent_again() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port)) as (link, _):
        await is_up(link)
        pbx.silent.add("Originate")
        task = asyncio.create_task(link.perform(Originate("PJSIP/1001", "13900000000", "click-1")))
        await until(lambda: "Originate" in pbx.names())
        pbx.drop()
        with pytest.raises(ActionUnknown):
            await task
        with pytest.raises(NotConnected):
            await link.perform(Hangup("PJSIP/a-1"))
        await until(lambda: link.status.state == "up" and link.counts["logins"] == 2)
        await asyncio.sleep(0.3)
        assert pbx.names().count("Originate") == 1


async def test_the_outcome_of_an_originate_is_an_event_even_before_the_answer() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port)) as (link, sink):
        await is_up(link)
        pbx.answers["Originate"] = lambda action: (
            pbx.event("OriginateResponse", ("ActionID", action["ActionID"]), ("Response", "Failure"), ("Reason", "5"))
            + pbx.success(action, ("Message", "Originate successfully queued"))
        )
        answer = await link.perform(Originate("PJSIP/1001", "13900000000", "click-1"), action_id="cmd-1")
        assert answer.message["Message"] == "Originate successfully queued"
        await until(lambda: sink.of(OriginateResponse))
        assert sink.of(OriginateResponse)[0][1:] == ("cmd-1", False, "", "5")


async def test_an_action_id_in_use_is_refused_and_the_number_of_waiting_actions_is_bounded() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port)) as (link, _):
        await is_up(link)
        pbx.silent.add("Hangup")
        waiting = asyncio.create_task(link.perform(Hangup("PJSIP/a-1"), "cmd-1"))
        await asyncio.sleep(0)
        with pytest.raises(BadInput, match="in use"):
            await link.perform(Hangup("PJSIP/a-1"), "cmd-1")
        many = [asyncio.create_task(link.perform(Hangup("PJSIP/a-1"))) for _ in range(1_200)]
        results = await asyncio.gather(waiting, *many, return_exceptions=True)
        assert sum(isinstance(r, NotConnected) for r in results) >= 200
        assert sum(isinstance(r, ActionUnknown) for r in results) >= 990


async def test_a_snapshot_of_5000_channels_leaves_the_loop_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    in_one_go, worst, build = 0, 0, snapshot.channel

    def counted(item: Message) -> SnapshotChannel | None:
        nonlocal in_one_go, worst
        in_one_go += 1
        worst = max(worst, in_one_go)
        return build(item)

    async def watch() -> None:
        nonlocal in_one_go
        while True:
            await asyncio.sleep(0)
            in_one_go = 0

    monkeypatch.setattr(snapshot, "channel", counted)
    async with FakeAsterisk(channels=5_000) as pbx:
        watcher = asyncio.create_task(watch())
        async with running(quick(pbx.port, answer_within_seconds=10)) as (link, sink):
            await is_up(link, 10)
        watcher.cancel()
    assert len(sink.of(Snapshot)[0].channels) == 5_000
    assert worst == snapshot.SLICE


async def test_a_sink_that_raises_is_counted_and_the_link_stays_up() -> None:
    class Broken(KeptEvents):
        def events(self, events: list[object]) -> None:  # type: ignore[override]
            raise RuntimeError("13900000000 张三")

    async with FakeAsterisk() as pbx, running(quick(pbx.port), sink=Broken()) as (link, _):
        await is_up(link)
        pbx.send(pbx.event("Newchannel", *CHANNEL))
        await until(lambda: link.counts["handler_errors"] == 2)
        await asyncio.sleep(0.3)
        assert link.status.state == "up"
        assert link.counts["logins"] == 1


async def test_cancelling_logs_off_and_leaves_no_task() -> None:
    before = len(asyncio.all_tasks())
    async with FakeAsterisk() as pbx:
        async with running(quick(pbx.port)) as (link, sink):
            await is_up(link)
        assert pbx.names()[-1] == "Logoff"
        assert not sink.of(LinkLost)
    await asyncio.sleep(0.05)
    assert len(asyncio.all_tasks()) == before


async def test_an_asterisk_that_stays_away_is_told_once_until_something_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def told() -> list[str]:
        return [r.message for r in caplog.records if r.levelname == "WARNING" and "nobody listens" in r.message]

    with caplog.at_level("DEBUG"):
        async with FakeAsterisk() as pbx, running(quick(pbx.port)) as (link, _):
            for times in (1, 2):
                await is_up(link)
                await pbx.stop()
                await until(lambda: sum("nobody listens" in r.message for r in caplog.records) >= 3 * times)  # noqa: B023
                assert len(told()) == times
                await pbx.listen()
            await is_up(link)
