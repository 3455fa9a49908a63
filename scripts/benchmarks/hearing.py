"""Hearing: the pool beside a bare loop over the engine on the same files, two workers beside one, live lag, and whether
calls notice that recordings are heard. Audio of espeak-ng, the model of the tests."""

import asyncio
import json
import os
import struct
import subprocess
import sys
import time
import uuid
import wave
from pathlib import Path

from benchmarks import pops
from benchmarks.measure import ROOT, Child, Failed, Row, quantile, say, spread

MODEL = ROOT / "tests" / "data" / "model-cmn"
SENTENCES = (
    "您好示例公司我是零一八号值班员",
    "我的打印机坏了今天上午开始",
    "请您稍等马上为您查询",
    "感谢您的耐心等待",
    "再见",
)
FILES, MINUTES = 4, 2.0
POOL_TARGET, POP_TARGET = 0.95, 1.10
STREAMS = (1, 5, 10)
LIVE_SECONDS = 20.0
LAG_TARGET = 1.5
PACKET_SECONDS = 0.02


def rows(folder: Path, rounds: int) -> list[Row]:
    files = [recording(folder / f"{n}.wav", n) for n in range(FILES)]
    return [*_pool(files, rounds), *_live(files[0]), _undisturbed(folder, files)]


def recording(target: Path, number: int) -> Path:
    """Some minutes of one voice."""
    text = "。".join(SENTENCES[number % len(SENTENCES) :] + SENTENCES[: number % len(SENTENCES)])
    raw = target.with_suffix(".raw.wav")
    speak = ["espeak-ng", "-v", f"cmn-latn-pinyin+{('m3', 'f2')[number % 2]}", "-s", "160", "-w", str(raw), text]
    try:
        subprocess.run(speak, check=True, capture_output=True)
        convert = ["sox", "-q", "-D", str(raw), "-r", "8000", "-b", "16", str(target), "pad", "0", "1.5"]
        repeat = ["repeat", "40", "trim", "0", str(60 * MINUTES)]
        subprocess.run([*convert, *repeat], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failed(f"no speech could be made ({error}): run scripts/setup --demo") from None
    return target


# --- the pool --------------------------------------------------------------------------------------------------------


def _pool(files: list[Path], rounds: int) -> list[Row]:
    seconds = FILES * MINUTES * 60
    bare, pool, alone, together = [], [], [], []
    for _ in range(rounds):
        with Child("hearing", "bare", *files) as child:
            bare.append(seconds / child.hear()["cpu"])
        with Child("hearing", "pool", 1, *files) as child:
            told = child.hear()
        pool.append(seconds / told["cpu"])
        alone.append(seconds / told["wall"])
        with Child("hearing", "pool", 2, *files) as child:
            together.append(seconds / child.hear()["wall"])
    ratio = sorted(pool)[len(pool) // 2] / sorted(bare)[len(bare) // 2]
    two = sorted(together)[len(together) // 2] / sorted(alone)[len(alone) // 2]
    return [
        Row(
            "recordings: audio-seconds per CPU-second of a worker, beside a bare loop over KaldiRecognizer, the model"
            " loaded",
            f"≥ {POOL_TARGET} ×",
            f"{ratio:.2f} × ({spread(pool, '{:.0f}')} against {spread(bare, '{:.0f}')})",
            ratio >= POOL_TARGET,
        ),
        Row("two workers beside one, audio-seconds per second", "", f"{two:.2f} ×"),
    ]


def _bare(files: list[str]) -> None:
    import vosk

    vosk.SetLogLevel(-1)
    model = vosk.Model(str(MODEL))
    began = time.process_time()
    for file in files:
        recogniser = vosk.KaldiRecognizer(model, 8000)
        recogniser.SetWords(True)
        with wave.open(file) as opened:
            while block := opened.readframes(4000):
                if recogniser.AcceptWaveform(block):
                    recogniser.Result()
        recogniser.FinalResult()
    say(cpu=time.process_time() - began)


async def _heard(workers: int, files: list[str]) -> None:
    from callcenter.speech.models import look
    from callcenter.speech.workers import Limits, Worker

    waiting, cpu = list(files), 0.0
    pool = [Worker(look(MODEL), Limits()) for _ in range(workers)]
    for worker in pool:
        await worker.start()
    began = time.monotonic()

    async def work(worker: Worker) -> float:
        spent = 0.0
        while waiting:
            spent += (await worker.hear({"seat": Path(waiting.pop())})).cpu_seconds
        return spent

    cpu = sum(await asyncio.gather(*map(work, pool)))
    say(wall=time.monotonic() - began, cpu=cpu)
    for worker in pool:
        await worker.close()


# --- live ------------------------------------------------------------------------------------------------------------


def _live(file: Path) -> list[Row]:
    found = []
    for streams in STREAMS:
        with Child("hearing", "live", streams, file) as child:
            lags = child.hear()["lags"]
        p50, p99 = quantile(lags, 0.5), quantile(lags, 0.99)
        what = f"live transcription, {streams} stream{'s' * (streams > 1)}: from a sound's end to its words"
        found.append(Row(what, f"< {LAG_TARGET} s", f"p50 {p50:.2f} s, p99 {p99:.2f} s", p99 < LAG_TARGET))
    return found


async def _listened(streams: int, file: str) -> None:
    """Plays the file in real time into the daemon's own listener, and notes how far behind its words are."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter.speech.live_child", str(MODEL), "127.0.0.1", "0"),
        *("--threads", str(max(1, (os.cpu_count() or 2) - 1))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 22,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    ready = json.loads(await child.stdout.readline())
    if "port" not in ready:
        raise SystemExit(ready.get("reason", "the listener does not start"))
    with wave.open(file) as opened:
        sound = opened.readframes(int(8000 * LIVE_SECONDS))
    begun: dict[str, float] = {}
    lags: list[float] = []
    keys = [str(uuid.uuid4()) for _ in range(streams)]
    for key in keys:
        order = {"listen": key, "call": key, "speaker": "seat", "seat": "018", "company": "示例公司", "language": "zh"}
        child.stdin.write(json.dumps(order).encode() + b"\n")
    await child.stdin.drain()
    reading = asyncio.create_task(_read(child.stdout, begun, lags))
    await asyncio.sleep(0.5)
    await asyncio.gather(*(_play(key, ready["port"], sound, begun) for key in keys))
    await asyncio.sleep(2)
    reading.cancel()
    child.kill()
    await child.wait()
    say(lags=lags)


async def _read(stdout: asyncio.StreamReader, begun: dict[str, float], lags: list[float]) -> None:
    from callcenter.speech.live_child import STEP_SECONDS

    while line := await stdout.readline():
        told = json.loads(line)
        if told["kind"] == "heard" and told["call"] in begun:
            # The words stand in the last step of the sound: at worst at its beginning.
            lags += [
                time.monotonic() - (begun[told["call"]] + at - STEP_SECONDS)
                for _, words, at in told["partial"]
                if words
            ]


async def _play(key: str, port: int, sound: bytes, begun: dict[str, float]) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(struct.pack(">BH", 0x01, 16) + uuid.UUID(key).bytes)
    begun[key] = time.monotonic()
    size = int(16000 * PACKET_SECONDS)
    for number in range(len(sound) // size):
        wait = begun[key] + number * PACKET_SECONDS - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        writer.write(struct.pack(">BH", 0x10, size) + sound[number * size : (number + 1) * size])
    await writer.drain()
    writer.close()


# --- the calls meanwhile ---------------------------------------------------------------------------------------------


def _undisturbed(folder: Path, files: list[Path]) -> Row:
    """Pops at 20 calls/s while one worker (never more than the cores less one) works through a backlog, beside none."""
    per_second, _, groups, windows, _ = pops.RATES[1]
    alone, busy = [], []
    for number in range(2):
        for delays, working in ((alone, False), (busy, True)):
            scratch = folder / f"pops-{number}-{working}"
            scratch.mkdir()
            backlog = Child("hearing", "backlog", *files) if working else None
            try:
                if backlog is not None:
                    backlog.hear()
                delays += pops.measure(scratch, per_second, 10.0, groups, windows)[0]
            finally:
                if backlog is not None:
                    backlog.__exit__(None, None, None)
    quiet, loud = quantile(alone, 0.99), quantile(busy, 0.99)
    return Row(
        f"event to pop at {per_second:g} calls/s while recordings are heard, beside none",
        f"p99 ≤ {POP_TARGET} ×",
        f"p99 {loud:.0f} ms against {quiet:.0f} ms ({loud / quiet:.2f} ×)",
        loud <= POP_TARGET * quiet,
    )


async def _backlog(files: list[str]) -> None:
    from callcenter.speech.models import look
    from callcenter.speech.workers import Limits, Worker

    async with Worker(look(MODEL), Limits()) as worker:
        await worker.start()
        say(working=True)
        while True:
            for file in files:
                await worker.hear({"seat": Path(file)})


if __name__ == "__main__":
    kind, arguments = sys.argv[1], sys.argv[2:]
    if kind == "bare":
        _bare(arguments)
    elif kind == "pool":
        asyncio.run(_heard(int(arguments[0]), arguments[1:]))
    elif kind == "live":
        asyncio.run(_listened(int(arguments[0]), arguments[1]))
    else:
        asyncio.run(_backlog(arguments))
