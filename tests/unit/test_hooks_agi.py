"""The FastAGI door over real sockets: Asterisk's own opening, garbage, slow and early ends, floods."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.errors import BadInput
from callcenter.hooks import agi
from callcenter.hooks.requests import Hook
from callcenter.settings import Hooks as HookSettings
from callcenter.web.fastagi import FastAgi
from tests.fakes.hooks import TOKEN, Stand

DEADLINE_MS = 500
# As Asterisk 22.10.1 sends it.
OPENING = """agi_network: yes
agi_network_script: {script}
agi_request: agi://127.0.0.1:4573/{script}
agi_channel: PJSIP/trunk-00000007
agi_language: en
agi_type: PJSIP
agi_uniqueid: pbx-1795371847.65
agi_version: 22.10.1
agi_callerid: 13800138000
agi_calleridname: {name}
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 4001
agi_rdnis: unknown
agi_context: cc-hook-ask
agi_extension: s
agi_priority: 6
agi_enhanced: 0.0
agi_accountcode: 
agi_threadid: 140212210099904
agi_arg_1: {form}

"""  # noqa: W291


def opening(script: str = "route", form: str = "linkedid=pbx-1.7&queue=support", name: str = "Zhang") -> bytes:
    return OPENING.format(script=script, form=form, name=name).encode()


class Pbx:
    """Asterisk's end of one connection."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.variables: dict[str, str] = {}
        self.log: list[str] = []
        self.commands: list[bytes] = []

    async def ask(self, port: int, block: bytes) -> None:
        """Until the daemon closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(block)
            while command := await reader.readline():
                self.commands.append(command)
                writer.write(self.answer(command.decode()))
        except ConnectionError:
            return
        finally:
            writer.transport.abort()

    def answer(self, command: str) -> bytes:
        verb, _, rest = command.strip().partition(" ")
        if verb == "GET":
            return f"200 result=1 ({self.token})\n".encode()
        if verb == "SET":
            name, _, value = rest.removeprefix("VARIABLE ").partition(" ")
            self.variables[name] = value.strip('"')
        elif verb == "VERBOSE":
            self.log.append(rest)
        else:
            return b"510 Invalid or unknown command\n"
        return b"200 result=1\n"


class Door:
    def __init__(self, stand: Stand, server: FastAgi) -> None:
        self.stand = stand
        self.port = server.port
        self.connections = 0
        """How many ends ``settle`` waits for."""

    async def settle(self) -> None:
        async with asyncio.timeout(5):
            while self.stand.hooks.open or sum(self.stand.counts.values()) < self.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def ask(self, block: bytes, token: str = TOKEN) -> Pbx:
        pbx = Pbx(token)
        self.connections += 1
        async with asyncio.timeout(5):
            await pbx.ask(self.port, block)
        await self.settle()
        return pbx


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    hooks = HookSettings(token_file=tmp_path / "token", agi_port=0, deadline_ms=DEADLINE_MS, max_sessions=5)
    stand = Stand(tmp_path, hooks)
    server = FastAgi(stand.hooks)
    await server.start()
    yield Door(stand, server)
    await server.close()
    assert stand.hooks.open == 0


async def test_the_answer_is_set_as_variables_and_the_status_last(door: Door) -> None:
    pbx = await door.ask(opening())
    assert list(pbx.variables.items()) == [("CC_HOOK_VALUE", "support"), ("CC_HOOK_STATUS", "ok")]
    pbx = await door.ask(opening("arrival"))
    assert [*pbx.variables] == ["CC_HOOK_LANGUAGE", "CC_HOOK_COMPANY", "CC_HOOK_PRIORITY", "CC_HOOK_STATUS"]
    assert pbx.variables["CC_HOOK_COMPANY"] == "示例服务"
    assert door.stand.counts == {("route", "ok"): 1, ("arrival", "ok"): 1}
    assert [event.uniqueid for event in door.stand.desk.submitted] == ["pbx-1795371847.65"] * 2  # type: ignore[union-attr]


async def test_the_token_is_asked_of_the_global_or_comes_as_an_argument(door: Door) -> None:
    assert (await door.ask(opening())).commands[0] == b"GET FULL VARIABLE ${GLOBAL(CC_HOOKS_TOKEN)}\n"
    given_as_argument = await door.ask(opening(form=f"linkedid=a.1&token={TOKEN}"), token="unused")
    assert given_as_argument.variables["CC_HOOK_STATUS"] == "ok"
    assert not any(command.startswith(b"GET") for command in given_as_argument.commands)


@pytest.mark.parametrize("token", ["", "wrong", "x" * 3000])
async def test_a_wrong_token_is_refused_in_asterisks_own_log(door: Door, token: str) -> None:
    pbx = await door.ask(opening("survey", "linkedid=a.1&answer=4"), token)
    assert pbx.variables == {}
    assert "CC_HOOKS_TOKEN" in pbx.log[0]
    assert door.stand.desk.submitted == []
    assert door.stand.counts == {("survey", "unauthorised"): 1}


@pytest.mark.parametrize(
    ("block", "word"),
    [
        (opening("rout"), "no such hook"),
        (opening("route?token=x"), "'?'"),
        (opening(form="linkedid=a.1&quue=1"), "does not know"),
        (opening(form="linkedid"), "no form"),
        (opening(form="linkedid=a.1&linkedid=a.2"), "twice"),
        (opening(name="Evil\nagi_arg_1: linkedid=a.1"), "twice"),
        (opening(name="Evil\nCR"), "no AGI request"),
        (b"GET / HTTP/1.1\r\nHost: x\n\n", "no AGI request"),
        (b"".join(b"agi_x%d: y\n" % n for n in range(300)) + b"\n", "too long"),
        (opening("survey", "linkedid=a.1&answer=9"), "answer"),
    ],
)
async def test_a_wrong_request_is_told_why(door: Door, block: bytes, word: str) -> None:
    pbx = await door.ask(block)
    assert pbx.variables == {}
    assert word in pbx.log[0]
    assert [result for _, result in door.stand.counts] == ["bad_request"]


async def test_an_early_end_disturbs_nobody(door: Door) -> None:
    for sent in (b"", b"a", opening()[:100], opening(), b"\n\n", b"\0" * 20_000, b"agi_x: " + b"y" * 20_000):
        _, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(sent)
        await asyncio.sleep(0.01)
        writer.close()
        door.connections += 1
        await door.settle()
    assert (await door.ask(opening())).variables["CC_HOOK_STATUS"] == "ok"
    assert door.stand.counts["unknown", "closed"] == 1


async def test_a_connection_that_says_nothing_is_closed_at_the_deadline(door: Door) -> None:
    for block in (b"", opening()[:200], opening()):
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(block)
        async with asyncio.timeout(5):
            while await _more(reader):
                pass
        assert DEADLINE_MS / 1000 * 0.9 < time.monotonic() - began < 4
        writer.transport.abort()
    await door.settle()
    assert door.stand.counts == {("unknown", "late"): 2, ("route", "late"): 1}


async def _more(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(100)
    except ConnectionError:
        return b""


async def test_one_byte_at_a_time_does_not_stretch_the_deadline(door: Door) -> None:
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    closed = asyncio.ensure_future(_more(reader))
    for byte in opening():
        writer.write(bytes([byte]))
        await asyncio.sleep(0.01)
        if closed.done():
            break
    assert await closed == b""
    assert time.monotonic() - began < 4
    writer.transport.abort()


async def test_a_caller_who_hangs_up_meanwhile_is_no_reply(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(opening())
    assert (await reader.readline()).startswith(b"GET")
    writer.write(b"HANGUP\n")
    writer.write(f"200 result=1 ({TOKEN})\n".encode())
    assert (await reader.readline()).startswith(b"SET VARIABLE CC_HOOK_VALUE")
    writer.transport.abort()
    await door.settle()
    assert door.stand.counts == {("route", "broken"): 1}


@pytest.mark.parametrize(
    "reply", [b"x" * 20_000 + b"\n", b"\xff\xfe\n", b"520-Invalid\n", b"200 result=-1\n", b"200 result=0\n"]
)
async def test_a_strange_reply_lets_nobody_in(door: Door, reply: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(opening())
    await reader.readline()
    writer.write(reply)
    rest = b""
    async with asyncio.timeout(5):
        while more := await _more(reader):
            rest += more
    assert b"SET VARIABLE" not in rest
    writer.transport.abort()


async def test_a_flood_is_turned_away_and_the_next_asker_is_answered(door: Door) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(200)]
    async with asyncio.timeout(5):
        while sum(door.stand.counts.values()) < 200:
            assert door.stand.hooks.open <= 5
            await asyncio.sleep(0.005)
    for _, writer in silent:
        writer.transport.abort()
    assert set(door.stand.counts) == {("unknown", "busy"), ("unknown", "late")}
    assert door.stand.counts["unknown", "busy"] > 100
    assert (await door.ask(opening())).variables["CC_HOOK_STATUS"] == "ok"


async def test_closing_the_server_ends_its_sessions(door: Door, tmp_path: Path) -> None:
    server = FastAgi(door.stand.hooks)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await asyncio.sleep(0.02)
    await server.close()
    async with asyncio.timeout(1):
        assert await _more(reader) == b""
    writer.transport.abort()


# --- the text alone --------------------------------------------------------------------------------------------------


BLOCKS = st.binary(max_size=300) | st.lists(
    st.tuples(
        st.sampled_from(["agi_network_script", "agi_arg_1", "agi_uniqueid", "agi_callerid", "agi_dnid", "x"]),
        st.sampled_from(
            ["route", "arrival", "linkedid=a.1", "a=1&a=2", "token=x", "", "%", "张", "unknown", "survey?x"]
        ),
    ),
    max_size=8,
).map(lambda rows: "".join(f"{n}: {v}\n" for n, v in rows).encode() + b"\n")


def one_sentence(refused: BadInput) -> None:
    assert "\n" not in str(refused)


@given(BLOCKS)
def test_any_opening_is_read_or_refused(block: bytes) -> None:
    try:
        request = agi.request(agi.environment(block))
    except BadInput as refused:
        one_sentence(refused)
        return
    assert request.hook in tuple(Hook)


@given(st.binary(max_size=100))
def test_any_reply_is_read(line: bytes) -> None:
    reply = agi.reply(line)
    assert (reply is None) == (line.decode("utf-8", "replace").rstrip("\r\n") == "HANGUP")


@given(st.text(alphabet='a"\\\r\n\0$ 张\u2028', max_size=40))
def test_a_command_is_one_line_whatever_its_value(value: str) -> None:
    for command in (agi.set_variable("CC_HOOK_VALUE", value), agi.verbose(value)):
        assert command.count(b"\n") == 1
        assert command.endswith(b"\n")
        assert b"\r" not in command
        quoted = command.decode().split('"', 1)[1].rsplit('"', 1)[0]
        assert '"' not in quoted.replace("\\\\", "").replace('\\"', "")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(BLOCKS, min_size=1, max_size=8))
def test_whatever_connects_is_closed_in_time(tmp_path: Path, blocks: list[bytes]) -> None:
    async def play() -> None:
        stand = Stand(tmp_path, HookSettings(token_file=tmp_path / "token", agi_port=0, deadline_ms=DEADLINE_MS))
        server = FastAgi(stand.hooks)
        await server.start()
        door = Door(stand, server)
        await asyncio.gather(*(door.ask(block) for block in blocks))
        assert sum(stand.counts.values()) == len(blocks)
        await server.close()

    asyncio.run(play())
