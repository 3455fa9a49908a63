"""The link against a real Asterisk: log-in, TLS, live channels, loss of every kind, with the default times."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.ami.actions import Hangup, Originate, QueuePause, Redirect
from callcenter.ami.events import Hangup as HangupEvent
from callcenter.ami.events import LinkLost, LinkUp, MemberState, Newchannel, OriginateResponse, Snapshot
from callcenter.ami.queries import ProbeForbidden
from callcenter.demo.server import AsteriskServer, find_program
from callcenter.errors import ActionRefused, NotConnected
from callcenter.settings import Asterisk
from tests.fakes.links import is_up, running, until
from tests.fakes.proxy import FaultProxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskServer]:
    with AsteriskServer(tmp_path_factory.mktemp("asterisk"), find_program()) as asterisk:
        asterisk.cli("module load res_clioriginate.so")
        yield asterisk


def settings(server: AsteriskServer, port: int = 0, **changes: object) -> Asterisk:
    return Asterisk(port=port or server.ports["AMI"], secret_file=Path("unused"), **changes)  # type: ignore[arg-type]


async def cli(server: AsteriskServer, command: str) -> str:
    return await asyncio.to_thread(server.cli, command)


async def test_a_live_call_is_in_the_snapshot_and_can_be_ended_by_its_unique_id(server: AsteriskServer) -> None:
    async with running(settings(server), server.secret) as (link, sink):
        await is_up(link)
        await cli(server, "channel originate Local/2001@cc-backup/n application Wait 60")
        await until(lambda: sink.of(Newchannel))
        uniqueid = sink.of(Newchannel)[0].uniqueid
        async with running(settings(server), server.secret) as (_, second):
            await until(lambda: second.of(Snapshot))
            channels = second.of(Snapshot)[0].channels
            assert uniqueid in {c.uniqueid for c in channels}
            assert all(c.linkedid and c.channel.startswith("Local/") for c in channels)
            members = second.of(Snapshot)[0].members
            assert {(m.queue, m.state_interface) for m in members} >= {("support", "PJSIP/1001")}
        await link.perform(Hangup(uniqueid))
        await until(lambda: uniqueid in {e.uniqueid for e in sink.of(HangupEvent)})
        stamps = [e.at for e in (*sink.of(Newchannel), *sink.of(HangupEvent))]
        assert all(at is not None and abs(at - time.time()) < 10 for at in stamps)


async def test_answers_in_asterisks_own_words(server: AsteriskServer) -> None:
    async with running(settings(server), server.secret) as (link, sink):
        await is_up(link)
        with pytest.raises(ActionRefused, match="No such channel"):
            await link.perform(Hangup("PJSIP/nobody-00000001"))
        with pytest.raises(ActionRefused):
            await link.perform(Redirect("PJSIP/nobody-00000001", "cc-announce", "support"))
        with pytest.raises(ActionRefused, match="Permission denied"):
            await link.perform(ProbeForbidden())
        for paused in (True, False):
            await link.perform(QueuePause("Local/1001@cc-seat/n", paused, "午餐" if paused else ""))
        await until(lambda: len(sink.of(MemberState)) >= 2)
        assert (sink.of(MemberState)[0].paused, sink.of(MemberState)[0].reason) == (True, "午餐")
        # Nobody listens at this seat's address: the outcome comes as an event, with the id that was given.
        answer = await link.perform(Originate("PJSIP/1001", "13900000000", "click-1", ring_seconds=1), "cmd-1")
        assert "queued" in answer.message["Message"]
        await until(lambda: sink.of(OriginateResponse), 5)
        assert sink.of(OriginateResponse)[0].action_id == "cmd-1"
        assert not sink.of(OriginateResponse)[0].success
        assert "click-1" in {e.linkedid for e in sink.of(Newchannel)}


async def test_tls_with_asterisks_own_certificate(server: AsteriskServer) -> None:
    tls = {"tls": True, "ca_file": server.folder / "etc" / "ami.pem"}
    async with running(settings(server, server.ports["AMITLS"], **tls), server.secret) as (link, _):
        await is_up(link)
        assert link.status.asterisk_version
    tls["ca_file"] = None
    async with running(settings(server, server.ports["AMITLS"], **tls), server.secret) as (link, _):
        await until(lambda: link.status.state == "refused")


async def test_a_wrong_secret_and_an_unknown_account(server: AsteriskServer) -> None:
    for user in ("callcenter", "nobody"):
        async with running(settings(server, user=user), "wrong") as (link, _):
            await until(lambda: link.status.state == "refused")
            assert "Authentication failed" in link.status.reason


async def test_resets_at_random_moments_of_a_burst_end_right(server: AsteriskServer) -> None:
    """L1: after each reset the link is back within 3 s, and the last snapshot agrees with Asterisk."""
    async with (
        FaultProxy(server.ports["AMI"]) as proxy,
        running(settings(server, proxy.port, reconnect_max_seconds=2), server.secret) as (link, sink),
    ):
        await is_up(link)
        for n in range(6):
            await cli(server, f"channel originate Local/2001@cc-backup/n application Wait {n % 3 + 1}")
            proxy.reset()
            await until(lambda: link.status.state != "up", 2)
            await is_up(link, 3 + 1)
        await until(lambda: "0 active channels" in server.cli("core show channels"), 30)
        proxy.reset()
        await until(lambda: link.status.state != "up", 2)
        await is_up(link, 8)
        assert sink.of(Snapshot)[-1].channels == ()
        assert len(sink.of(LinkLost)) == 7
        assert len(sink.of(LinkUp)) == 8


@pytest.mark.alone  # the time is measured
async def test_a_frozen_asterisk_is_noticed_within_15_seconds(server: AsteriskServer) -> None:
    """L2 with the default times: ping every 5 s, answer due in 10 s."""
    assert server.process is not None
    async with running(settings(server), server.secret) as (link, sink):
        await is_up(link)
        os.kill(server.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            await until(lambda: sink.of(LinkLost), 17)
            assert time.monotonic() - began <= 15.2
            with pytest.raises(NotConnected):
                await link.perform(Hangup("PJSIP/nobody-00000001"))
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        await is_up(link, 20)


async def test_kill_9_and_a_new_start(server: AsteriskServer) -> None:
    """L3: the loss is told at once; the new process is another one, with its own start-up moment."""
    async with running(settings(server, reconnect_max_seconds=1), server.secret) as (link, sink):
        await is_up(link)
        started = link.status.started
        await asyncio.to_thread(server.kill)
        await until(lambda: sink.of(LinkLost), 1)
        await asyncio.sleep(1.1)
        await asyncio.to_thread(server.spawn)
        await is_up(link, 10)
        assert link.status.started != started
        # AMI opens seconds before app_queue is loaded; the queues follow as soon as Asterisk can tell them.
        await until(lambda: {m.queue for m in sink.of(Snapshot)[-1].members} >= {"support"}, 10)
