"""Hearing: the pool beside a bare loop over the engine on the same files, two workers beside one, live lag, and whether
calls and pages notice that recordings are heard. Audio of espeak-ng, the model of the tests."""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
import wave
from collections.abc import Iterator
from pathlib import Path

from benchmarks import pops
from benchmarks.measure import ROOT, Child, Failed, Row, cpu_seconds, quantile, say, spread

MODEL = ROOT / "tests" / "data" / "model-cmn"
SENTENCES = (
    "您好示例公司我是零一八号值班员",
    "我的打印机坏了今天上午开始",
    "请您稍等马上为您查询",
    "感谢您的耐心等待",
    "再见",
)
FILES, MINUTES = 4, 2.0
POOL_TARGET, UNDISTURBED = 0.95, 1.10
BESIDE = "low"
"""The priority of what is compared with each other: in the lowest one, another load would decide who has the cache."""
STREAMS = (1, 5, 10)
LIVE_SECONDS = 20.0
LAG_TARGET = 1.5
PACKET_SECONDS = 0.02
SLICES, SLICE_SECONDS, SETTLE_SECONDS, WARM_SECONDS = 24, 4.0, 0.5, 10.0
"""Of one run beside calls: so many stretches, in turn without and with hearing; what is not looked at after a turn, and
before the first."""
BACKLOG = 400
PAGES_PER_SECOND = 5.0


def rows(folder: Path, rounds: int) -> list[Row]:
    files = [recording(folder / f"{n}.wav", n) for n in range(FILES)]
    return [*_pool(files, rounds), *_live(files[0]), *_undisturbed(folder, files)]


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
    seconds, ratios = 60 * MINUTES, []
    bare: list[float] = []
    pool: list[float] = []
    alone: list[float] = []
    together: list[float] = []
    with Child("hearing", "bare") as one, Child("hearing", "worker") as other:
        for number in range(2 * rounds + 1):
            for file in files:
                spent = {child: _spent(child, file) for child in ((one, other) if number % 2 else (other, one))}
                if number:  # the first time both find their memory
                    ratios.append(spent[one] / spent[other])
                    bare.append(seconds / spent[one])
                    pool.append(seconds / spent[other])
    for _ in range(rounds):
        for workers, found in ((1, alone), (2, together)):
            with Child("hearing", "pool", workers, *files) as child:
                found.append(FILES * seconds / child.hear()["wall"])
    ratio = statistics.median(ratios)
    two = statistics.median(together) / statistics.median(alone)
    return [
        Row(
            "recordings: audio-seconds per CPU-second of a worker, beside a bare loop over KaldiRecognizer, the model"
            f" loaded; {len(ratios)} pairs in turn",
            f"≥ {POOL_TARGET} ×",
            f"{spread(ratios)} × ({spread(pool, '{:.0f}')} against {spread(bare, '{:.0f}')})",
            ratio >= POOL_TARGET,
        ),
        Row("two workers beside one, audio-seconds per second", "", f"{two:.2f} ×"),
    ]


def _spent(child: Child, file: Path) -> float:
    child.tell(str(file))
    return float(child.hear()["cpu"])


def _bare() -> None:
    """Hears each file that it is told on standard input, with the priority of the worker beside it."""
    import vosk

    from callcenter.speech.priority import give_way

    give_way(BESIDE)
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(MODEL))
    for line in sys.stdin:
        began = time.process_time()
        recogniser = vosk.KaldiRecognizer(model, 8000)
        recogniser.SetWords(True)
        with wave.open(line.strip()) as opened:
            while block := opened.readframes(4000):
                if recogniser.AcceptWaveform(block):
                    recogniser.Result()
        recogniser.FinalResult()
        say(cpu=time.process_time() - began)


async def _worker() -> None:
    """The same with a worker of the pool."""
    from callcenter.speech.models import look
    from callcenter.speech.workers import Limits, Worker

    async with Worker(look(MODEL), Limits(priority=BESIDE)) as worker:
        while line := await asyncio.to_thread(sys.stdin.readline):
            say(cpu=(await worker.hear({"seat": Path(line.strip())})).cpu_seconds)


async def _heard(workers: int, files: list[str]) -> None:
    from callcenter.speech.models import look
    from callcenter.speech.workers import Limits, Worker

    waiting = list(files)
    pool = [Worker(look(MODEL), Limits(priority=BESIDE)) for _ in range(workers)]
    for worker in pool:
        await worker.start()
    began = time.monotonic()

    async def work(worker: Worker) -> None:
        while waiting:
            await worker.hear({"seat": Path(waiting.pop())})

    await asyncio.gather(*map(work, pool))
    say(wall=time.monotonic() - began)
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


def _undisturbed(folder: Path, files: list[Path]) -> list[Row]:
    """Pops and pages at 20 calls/s of one daemon that works through a backlog with its own workers (never more than the
    cores less one). They are stopped and go on every few seconds, so that both sides have the same daemon, windows,
    calls."""
    per_second, _, groups, windows, _ = pops.RATES[1]
    house = {"SPEECH__ENABLED": "true", "SPEECH__MODEL": MODEL, "SPEECH__SILENT_SECONDS": 3_600}
    house["ASTERISK__RECORDINGS_DIR"] = folder
    asyncio.run(_backlog(folder, files))
    turns: list[tuple[float, float]] = []
    pages: list[tuple[float, float]] = []

    def meanwhile(daemon: int, address: str) -> None:
        token = next(iter(json.loads((folder / "tokens").read_text()).values()))
        with _asking(f"{address}/tickets", token, pages):
            _in_turn(daemon, turns)

    seconds = WARM_SECONDS + SLICES * SLICE_SECONDS
    popped, _ = pops.measure(folder, per_second, seconds, groups, windows, house, meanwhile)
    heard = sum(spent for _, spent in turns[1::2]) / (SLICES / 2 * SLICE_SECONDS)
    if heard < 0.01 or sum(spent for _, spent in turns[::2]) > 0.5:
        raise Failed(f"the workers had {heard:.1%} of a core in their turns, or more in the others: nothing to compare")
    what = f"at {per_second:g} calls/s while recordings are heard ({heard:.0%} of a core), in turn with none"
    return [
        _beside(f"event to pop {what}", "pops", _by_turn(popped, turns)),
        _beside(f"page of tickets, {PAGES_PER_SECOND:g} a second, {what}", "pages", _by_turn(pages, turns)),
    ]


def _by_turn(found: list[tuple[float, float]], turns: list[tuple[float, float]]) -> list[list[float]]:
    """The milliseconds of each (moment, milliseconds): quiet turns, loud ones, quiet and loud again."""
    sides: list[list[float]] = [[], [], [], []]
    for at, delay in found:
        for number, (begun, _) in enumerate(turns):
            if begun + SETTLE_SECONDS <= at < begun + SLICE_SECONDS:
                sides[number % 4].append(delay)
    return sides


def _beside(what: str, name: str, sides: list[list[float]]) -> Row:
    quiet, loud = sides[0] + sides[2], sides[1] + sides[3]
    p99, p99_loud = quantile(quiet, 0.99), quantile(loud, 0.99)
    halves = quantile(sides[0], 0.99), quantile(sides[2], 0.99)
    return Row(
        f"{what}, {len(loud)} and {len(quiet)} {name}",
        f"p99 ≤ {UNDISTURBED} ×",
        f"p99 {p99_loud:.0f} ms against {p99:.0f} ms ({p99_loud / p99:.2f} ×; p50 {quantile(loud, 0.5):.1f} against"
        f" {quantile(quiet, 0.5):.1f} ms; by chance, between halves of the quiet, {max(halves) / min(halves):.2f} ×)",
        p99_loud <= UNDISTURBED * p99,
    )


@contextlib.contextmanager
def _asking(address: str, token: str, pages: list[tuple[float, float]]) -> Iterator[None]:
    """Asks for the page again and again, as a seat does, and notes (when, milliseconds until all of it was there)."""
    enough = threading.Event()
    wrong: list[Exception] = []

    def ask() -> None:
        request = urllib.request.Request(address, headers={"Cookie": f"cc_session={token}"})
        while not enough.wait(1 / PAGES_PER_SECOND):
            begun = time.monotonic()
            try:
                with urllib.request.urlopen(request, timeout=30) as page:
                    page.read()
            except OSError as error:
                wrong.append(error)
                return
            pages.append((begun, (time.monotonic() - begun) * 1000))

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield
    finally:
        enough.set()
        asker.join()
    if wrong:
        raise Failed(f"the page of tickets was not given ({wrong[0]}): nothing to compare")


async def _backlog(folder: Path, files: list[Path]) -> None:
    """Old calls with recordings of two tracks, each with a job, in the database that the daemon will open."""
    from callcenter.opening import open_store
    from callcenter.settings import load
    from callcenter.store.speech import Recorded
    from tests.store.build import NOW, call, commit, ended

    store = await open_store(load(None, {"CALLCENTER_STORE__URL": f"sqlite:///{folder}/bench.db"}))
    try:
        for number in range(BACKLOG):
            seat, caller = (files[(number + n) % FILES].name for n in range(2))
            talk = ended(
                call(f"old-{number}"), answered_by="1001", recording=seat, recording_seat=seat, recording_caller=caller
            )
            await commit(store, talk)
            await store.speech.register(Recorded(talk, "found", "", 60 * MINUTES), NOW, hear=True)
    finally:
        await store.close()


def _in_turn(daemon: int, turns: list[tuple[float, float]]) -> None:
    """Lets the daemon's workers go on in every second stretch; notes when each began, and the CPU they had in it."""
    time.sleep(WARM_SECONDS)
    workers = _workers(daemon)
    if not workers:
        raise Failed("the daemon has no worker that hears")
    for number in range(SLICES):
        for pid in workers:
            os.kill(pid, signal.SIGCONT if number % 2 else signal.SIGSTOP)
        begun, before = time.monotonic(), sum(map(cpu_seconds, workers))
        time.sleep(SLICE_SECONDS)
        turns.append((begun, sum(map(cpu_seconds, workers)) - before))


def _workers(daemon: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
            if parent == daemon and b"callcenter.speech.worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


if __name__ == "__main__":
    kind, arguments = sys.argv[1], sys.argv[2:]
    if kind == "bare":
        _bare()
    elif kind == "worker":
        asyncio.run(_worker())
    elif kind == "pool":
        asyncio.run(_heard(int(arguments[0]), arguments[1:]))
    else:
        asyncio.run(_listened(int(arguments[0]), arguments[1]))
