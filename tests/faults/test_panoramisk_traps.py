"""Each known fault of panoramisk 1.4, shown on stock panoramisk and shown to be absent from our link.

Every test runs one probe against both. If a later panoramisk mends a fault, the assertion on stock fails: then look
whether our replacement for it can go.
"""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from callcenter.ami.actions import Atxfer, Originate, Redirect
from callcenter.ami.events import Event, LinkLost, Newchannel, OriginateResponse
from callcenter.errors import ActionUnknown, BadInput, NotConnected
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.links import KeptEvents, quick, running, until
from tests.fakes.stock import messages_of_ours, messages_of_stock, ours, stock

UNIQUEID = (("Uniqueid", "lab-1.1"), ("Linkedid", "lab-1.1"))


async def test_a_chinese_character_split_over_two_reads() -> None:
    async with FakeAsterisk() as pbx:

        async def send() -> None:
            data = pbx.event("Newchannel", ("CallerIDName", "张三丰"), *UNIQUEID)
            cut = data.index("三".encode()) + 1
            pbx.send(data[:cut])
            await asyncio.sleep(0.05)
            pbx.send(data[cut:])

        assert (await messages_of_stock(pbx, send))[0].CallerIDName == "张丰"
        assert (await messages_of_ours(pbx, send))[0]["CallerIDName"] == "张三丰"


async def test_bytes_that_are_no_utf8() -> None:
    async with FakeAsterisk() as pbx:

        def send() -> None:
            gbk = pbx.event("Newchannel", ("CallerIDName", "NAME"), *UNIQUEID).replace(b"NAME", "王小明".encode("gbk"))
            pbx.send(gbk)
            pbx.send(gbk.replace("王小明".encode("gbk"), b"\xff\xfe"))

        first, second = await messages_of_stock(pbx, send, 2)
        assert "王" not in first.CallerIDName
        assert second.CallerIDName == ""
        first, second = await messages_of_ours(pbx, send, 2)
        assert first["CallerIDName"] == "王小明"
        assert second["CallerIDName"] == "��"


async def test_an_empty_last_header() -> None:
    async with FakeAsterisk() as pbx:

        def send() -> None:
            pbx.send(pbx.event("QueueMemberPause", ("Queue", "support"), ("PausedReason", "")))

        assert "PausedReason" not in (await messages_of_stock(pbx, send))[0]
        assert (await messages_of_ours(pbx, send))[0]["PausedReason"] == ""


async def test_repeated_headers() -> None:
    async with FakeAsterisk() as pbx:

        def send() -> None:
            pbx.send(pbx.event("Hangup", *UNIQUEID, ("ChanVariable", "A=1"), ("ChanVariable", "B=2")))

        assert (await messages_of_stock(pbx, send))[0].ChanVariable == ["A=1", "B=2"]
        (message,) = await messages_of_ours(pbx, send)
        assert (message["ChanVariable:A"], message["ChanVariable:B"]) == ("1", "2")


async def test_two_event_headers_in_one_message() -> None:
    async with FakeAsterisk() as pbx:
        forged = pbx.event("Newchannel", ("Context", "Evil"), ("Event", "Hangup"), *UNIQUEID)
        async with stock(pbx):
            pbx.send(forged)
            await until(lambda: len(pbx.connected_at) == 2)
        async with ours(pbx) as (link, sink):
            before, kept = len(pbx.connected_at), len(sink.kept)
            pbx.send(forged)
            await until(lambda: link.counts["hostile"] == 1)
            await asyncio.sleep(0.1)
            assert (len(pbx.connected_at), len(sink.kept)) == (before, kept)
            assert link.status.state == "up"


async def test_a_handler_that_raises() -> None:
    async with FakeAsterisk() as pbx:

        def send() -> None:
            pbx.send(b"".join(pbx.event("Newchannel", ("Uniqueid", f"lab-1.{n}")) for n in range(10)))

        seen: list[Any] = []
        async with stock(pbx) as manager:

            def handler(_: Any, event: Any) -> None:
                seen.append(event)
                if len(seen) == 3:
                    raise RuntimeError("a bug")

            manager.register_event("Newchannel", handler)
            send()
            await until(lambda: len(pbx.connected_at) == 2)
        assert len(seen) == 3

        class RaisesOnce(KeptEvents):
            def events(self, events: list[Event]) -> None:
                super().events(events)
                if len(self.of(Newchannel)) == 1:
                    raise RuntimeError("a bug")

        async with ours(pbx, sink=RaisesOnce()) as (link, sink):
            before = len(pbx.connected_at)
            pbx.send(pbx.event("Newchannel", ("Uniqueid", "lab-0.1")))
            await until(lambda: link.counts["handler_errors"] == 1)
            send()
            await until(lambda: len(sink.of(Newchannel)) == 11)
            assert len(pbx.connected_at) == before


async def test_an_originate_without_answer_before_a_reconnect() -> None:
    async with FakeAsterisk() as pbx:
        pbx.silent.add("Originate")
        async with stock(pbx) as manager:
            manager.send_action({"Action": "Originate", "Channel": "PJSIP/1001", "Async": "true"})
            await until(lambda: "Originate" in pbx.names())
            pbx.drop()
            await until(lambda: len(pbx.login_at) == 2 and pbx.connections and pbx.connections[-1].logged_in)
            pbx.send(pbx.event("FullyBooted", ("Status", "Fully Booted")))
            await until(lambda: pbx.names().count("Originate") == 2)
        pbx.received.clear()
        async with ours(pbx) as (link, _):
            task = asyncio.create_task(link.perform(Originate("PJSIP/1001", "1", "click-1")))
            await until(lambda: "Originate" in pbx.names())
            pbx.drop()
            with pytest.raises(ActionUnknown):
                await task
            await until(lambda: link.counts["logins"] == 2 and link.status.state == "up")
            pbx.send(pbx.event("FullyBooted", ("Status", "Fully Booted")))
            await asyncio.sleep(0.3)
            assert pbx.names().count("Originate") == 1


async def test_an_action_asked_for_while_there_is_no_connection() -> None:
    async with FakeAsterisk() as pbx:
        async with stock(pbx, reconnect_timeout=1) as manager:
            pbx.drop()
            await asyncio.sleep(0.05)
            manager.send_action({"Action": "Redirect", "Channel": "PJSIP/a-1"})
            await until(lambda: len(pbx.login_at) == 2 and pbx.connections and pbx.connections[-1].logged_in)
            pbx.send(pbx.event("FullyBooted", ("Status", "Fully Booted")))
            await until(lambda: "Redirect" in pbx.names())  # however late, and nobody was told
        pbx.received.clear()
        async with ours(pbx, settings={"reconnect_min_seconds": 0.3, "reconnect_max_seconds": 0.3}) as (link, sink):
            pbx.drop()
            await until(lambda: sink.of(LinkLost))
            with pytest.raises(NotConnected):
                await link.perform(Redirect("PJSIP/a-1", "cc-announce", "support"))
            await until(lambda: link.counts["logins"] == 2 and link.status.state == "up")
            await asyncio.sleep(0.2)
            assert "Redirect" not in pbx.names()


async def test_pings_that_nobody_answers() -> None:
    async with FakeAsterisk() as pbx:
        pbx.silent.add("Ping")
        async with stock(pbx, ping_delay=1, ping_interval=1) as manager:
            await until(lambda: pbx.names().count("Ping") >= 3)
            assert len(pbx.connected_at) == 1
            assert len(manager.protocol.responses) >= 3  # one leaked for every ping
        pbx.silent.clear()
        async with ours(pbx) as (_, sink):
            pbx.silent.add("Ping")
            await until(lambda: sink.of(LinkLost))


async def test_a_refused_log_in(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeAsterisk() as pbx:
        told: list[Any] = []
        async with stock(pbx, secret="wrong", on_login=told.append) as manager:
            await until(lambda: len(pbx.login_at) >= 5)  # no wait but reconnect_timeout, for ever
            assert (told, manager.authenticated) == ([], False)
            assert "Authentication failed" not in caplog.text
        await asyncio.sleep(0.05)
        pbx.login_at.clear()
        async with running(quick(pbx.port, refused_retry_seconds=1.0), secret="wrong") as (link, _):
            await until(lambda: link.status.state == "refused")
            await asyncio.sleep(0.5)
            assert len(pbx.login_at) == 1
            assert "Authentication failed" in link.status.reason
            assert "manager.conf" in link.status.remedy


async def test_a_line_end_inside_a_field() -> None:
    evil = "1001\r\n\r\nAction: Command\r\nCommand: core stop now"
    async with FakeAsterisk() as pbx:
        async with stock(pbx) as manager:
            manager.send_action({"Action": "Redirect", "Channel": "PJSIP/a-1", "Exten": evil})
            await until(lambda: "Command" in pbx.names())
        pbx.received.clear()
        async with ours(pbx) as (link, _):
            with pytest.raises(BadInput):
                await link.perform(Redirect("PJSIP/a-1", "cc-announce", evil))
            assert not {"Command", "Redirect"} & set(pbx.names())


async def test_input_that_never_ends() -> None:
    flood = b"Event: Newchannel\r\n" + b"X" * 2_000_000
    async with FakeAsterisk() as pbx:
        async with stock(pbx) as manager:
            pbx.send(flood)
            await until(lambda: len(manager.protocol.queue[0]) == len(flood))
        async with ours(pbx, settings={"max_message_bytes": 65_536}) as (_, sink):
            pbx.send(flood)
            await until(lambda: sink.of(LinkLost))
            assert "more than 65536 bytes" in sink.of(LinkLost)[0].reason


async def test_the_order_of_events() -> None:
    async with FakeAsterisk() as pbx:

        def send() -> None:
            pbx.send(b"".join(pbx.event("Newchannel", ("Uniqueid", f"lab-1.{n}")) for n in range(20)))

        seen: list[str] = []
        async with stock(pbx) as manager:

            async def handler(_: Any, event: Any) -> None:
                await asyncio.sleep(0.02 if event.Uniqueid.endswith(("0", "2")) else 0)
                seen.append(event.Uniqueid)

            manager.register_event("Newchannel", handler)
            send()
            await until(lambda: len(seen) == 20)
        expected = [f"lab-1.{n}" for n in range(20)]
        assert seen != expected
        async with ours(pbx) as (_, sink):
            send()
            await until(lambda: len(sink.of(Newchannel)) == 20)
            assert [event.uniqueid for event in sink.of(Newchannel)] == expected


async def test_an_answer_successfully_queued_to_an_action_without_async() -> None:
    async with FakeAsterisk() as pbx:
        pbx.answers["Atxfer"] = lambda action: pbx.success(action, ("Message", "Atxfer successfully queued"))
        async with stock(pbx) as manager:
            future = manager.send_action({"Action": "Atxfer", "Channel": "PJSIP/a-1"})
            await until(lambda: len(pbx.connected_at) == 2)
            assert not future.done()
        async with ours(pbx) as (link, _):
            answer = await link.perform(Atxfer("PJSIP/a-1", "cc-transfer", "1002"))
            assert answer.message["Message"] == "Atxfer successfully queued"
            assert link.counts["losses"] == 0


async def test_an_event_that_bears_the_id_of_a_waiting_action() -> None:
    async with FakeAsterisk() as pbx:

        def outcome(action: dict[str, str]) -> bytes:
            failed = pbx.event("OriginateResponse", ("ActionID", action["ActionID"]), ("Response", "Failure"))
            return pbx.success(action, ("Message", "Originate successfully queued")) + failed

        pbx.answers["Originate"] = outcome
        async with stock(pbx) as manager:
            seen: list[Any] = []
            manager.register_event("OriginateResponse", lambda _, event: seen.append(event))
            await manager.send_action({"Action": "Originate", "Channel": "PJSIP/1001", "Async": "true"})
            await asyncio.sleep(0.05)
            assert seen == []
        async with ours(pbx) as (link, sink):
            await link.perform(Originate("PJSIP/1001", "1", "click-1"))
            await until(lambda: sink.of(OriginateResponse))


AGI_SERVER = """
import asyncio
from panoramisk import fast_agi

async def main():
    server = await asyncio.start_server(fast_agi.Application(loop=asyncio.get_running_loop()).handler, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    writer.close()
    print("closed", flush=True)
    await asyncio.sleep(0.3)
    print("alive", flush=True)

asyncio.run(main())
"""


def test_stock_fast_agi_freezes_on_a_client_that_closes_early() -> None:
    """Our own FastAGI server has its own test; this says why it exists."""
    with pytest.raises(subprocess.TimeoutExpired) as frozen:
        subprocess.run([sys.executable, "-c", AGI_SERVER], capture_output=True, timeout=5)
    assert frozen.value.stdout is not None
    assert b"closed" in frozen.value.stdout
    assert b"alive" not in frozen.value.stdout


async def test_stock_fast_agi_needs_a_function_that_python_no_longer_has() -> None:
    from panoramisk import fast_agi

    with pytest.raises(AttributeError, match="coroutine"):
        fast_agi.Application(loop=asyncio.get_running_loop()).add_route("arrival", lambda request: None)
