"""The process that listens, for real: the small model, spoken Mandarin over AudioSocket, and what goes wrong."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callcenter.demo import voices
from callcenter.speech import live_worker
from callcenter.speech.audiosocket import BYTES_PER_SECOND
from callcenter.speech.live_child import STEP_SECONDS
from callcenter.speech.live_worker import Worker
from tests.fakes.spoken import CALLER_VOICE, MODEL, WORDS_PER_MINUTE

UNUSABLE = [("nothing", "is no folder"), ("empty", "has no am/final.mdl"), ("torn", "has no graph/HCLG.fst")]
UNUSABLE += [("wide", "is no Vosk model for 8000 Hz")]
VOICE = f"cmn-latn-pinyin+{CALLER_VOICE}"


class Watch:
    """A worker, and what it said."""

    def __init__(self, model: Path = MODEL, *more: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self.ups = self.downs = 0
        arguments = [str(model), "127.0.0.1", "0", *more]
        self.worker = Worker(arguments, self.messages.append, self.up, self.down)

    def up(self) -> None:
        self.ups += 1

    def down(self) -> None:
        self.downs += 1

    def announce(self, speaker: str = "caller", call: str = "k") -> str:
        stream = str(uuid.uuid4())
        self.worker.order(
            {"listen": stream, "call": call, "speaker": speaker, "seat": "018", "company": "远信", "language": "zh"}
        )
        return stream

    def text(self) -> str:
        """All final words."""
        return "".join(word[0] for message in self.of("heard") for word in message["final"])

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["kind"] == kind]


@asynccontextmanager
async def watched(model: Path = MODEL, *more: str, ready: bool = True) -> AsyncIterator[Watch]:
    watch = Watch(model, *more)
    task = asyncio.create_task(watch.worker.run())
    try:
        if ready:
            await until(lambda: watch.worker.port is not None, 20)
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def gone(pid: int | None) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """ "My printer is broken", as signed linear, 8 kHz."""
    target = tmp_path_factory.mktemp("speech") / "words.al"
    voices.speak("我的打印机坏了。", target, words_per_minute=WORDS_PER_MINUTE, voice=VOICE)
    raw = ["-t", "raw", "-r", "8000", "-c", "1"]
    command = ["sox", *raw, "-e", "a-law", "-b", "8", str(target), *raw, "-e", "signed", "-b", "16", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


async def connect(watch: Watch, stream: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    assert watch.worker.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", watch.worker.port)
    writer.write(b"\x01\x00\x10" + uuid.UUID(stream).bytes)
    return reader, writer


async def speak(writer: asyncio.StreamWriter, pcm: bytes, pace: float = 1.0) -> None:
    """In frames of 20 ms, as Asterisk does."""
    for begin in range(0, len(pcm), 320):
        frame = pcm[begin : begin + 320]
        writer.write(b"\x10" + len(frame).to_bytes(2, "big") + frame)
        await writer.drain()
        await asyncio.sleep(0.02 * pace)


async def test_words_come_while_they_are_spoken(speech: bytes) -> None:
    async with watched() as watch:
        _, writer = await connect(watch, watch.announce())
        await speak(writer, speech)
        lags = [message["lag"] for message in watch.of("heard") if any(words for _, words, _ in message["partial"])]
        assert lags, "nothing was told before the end"
        assert min(lags) >= STEP_SECONDS, "the sound that waited for its turn counts"
        writer.close()
        await until(lambda: watch.of("end"))
        assert watch.text() == "我的打印机坏了"
        assert {message["speaker"] for message in watch.of("heard")} == {"caller"}
        first = next(message["final"][0] for message in watch.of("heard") if message["final"])
        assert 0.3 < first[1] < 1.0, "the silence before the first word lasts half a second"


async def test_who_was_not_announced_is_not_heard(speech: bytes) -> None:
    async with watched() as watch:
        reader, _ = await connect(watch, str(uuid.uuid4()))
        assert await reader.read() == b""
        assert watch.worker.port is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", watch.worker.port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert await reader.read() == b""
        assert watch.messages == []


async def test_it_ends_with_the_daemon_and_without_a_word() -> None:
    """As after `kill -9` of the daemon: its end of both pipes is gone, while a call is heard."""
    command = (sys.executable, "-m", "callcenter.speech.live_child", str(MODEL), "127.0.0.1", "0")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    port = json.loads(await process.stdout.readline())["port"]
    stream = str(uuid.uuid4())
    told = {"listen": stream, "call": "k", "speaker": "seat", "seat": "018", "company": "远信", "language": "zh"}
    process.stdin.write(json.dumps(told).encode() + b"\n")
    await process.stdout.readline()  # a beat: the order is read
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x01\x00\x10" + uuid.UUID(stream).bytes)
    await speak(writer, bytes(3_200))
    process.stdin.close()
    assert await reader.read() == b""
    assert (await process.stderr.read(), await process.wait()) == (b"", 0)
    writer.close()


async def test_an_id_is_good_for_one_connection(speech: bytes) -> None:
    async with watched() as watch:
        stream = watch.announce()
        await connect(watch, stream)
        await until(lambda: watch.of("begin"))
        reader, _ = await connect(watch, stream)
        assert await reader.read() == b""


async def test_faster_than_it_can_be_followed_is_dropped_and_told(speech: bytes) -> None:
    async with watched() as watch:
        _, writer = await connect(watch, watch.announce())
        await speak(writer, bytes(BYTES_PER_SECOND * 600), pace=0.0)
        await until(lambda: watch.of("missed"))
        assert watch.of("missed")[-1]["missed"] > 0


async def test_forgotten_means_hung_up(speech: bytes) -> None:
    async with watched() as watch:
        reader, _ = await connect(watch, watch.announce(call="gone"))
        await until(lambda: watch.of("begin"))
        watch.worker.order({"forget": "gone"})
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_killed_it_is_started_again() -> None:
    async with watched() as watch:
        assert watch.worker.pid is not None
        os.kill(watch.worker.pid, signal.SIGKILL)
        await until(lambda: watch.ups == 2, 20)
        assert watch.downs == 1


async def test_hung_it_is_ended_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_worker, "SILENCE_SECONDS", 1.5)
    async with watched() as watch:
        first = watch.worker.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        await until(lambda: watch.ups == 2, 20)
        assert gone(first)


@pytest.mark.parametrize(("what", "words"), UNUSABLE)
async def test_a_model_that_cannot_be_used_is_named(what: str, words: str, tmp_path: Path) -> None:
    model = tmp_path / "model"
    if what != "nothing":
        model.mkdir()
    if what == "wide":
        shutil.copytree(MODEL, model, dirs_exist_ok=True)
        conf = model / "conf" / "mfcc.conf"
        conf.write_text(conf.read_text().replace("8000", "16000"))
    if what == "torn":
        for name in ("am/final.mdl", "conf/model.conf", "conf/mfcc.conf"):
            (model / name).parent.mkdir(exist_ok=True)
            (model / name).write_bytes((MODEL / name).read_bytes()[:2000])
    async with watched(model, ready=False) as watch:
        await until(lambda: words in watch.worker.reason, 20)
        assert "live.model" in watch.worker.reason
        assert watch.worker.port is None


async def test_it_ends_with_the_daemon() -> None:
    async with watched() as watch:
        pid = watch.worker.pid
    assert gone(pid)
