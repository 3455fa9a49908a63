"""The child process that listens to running calls: AudioSocket in, words and findings out, one JSON line each.

Place on the path of a call: beside it. Asterisk's listening channels connect here, the daemon (``live_worker``) reads.
Promises: only connections whose id the daemon announced are heard; the process ends when the daemon does; what cannot
be told because nobody reads is dropped, and sound that cannot be followed is dropped and counted (``live_hearing``).
Never: keeps or logs a word; writes a file; sends sound.

In (stdin): {"listen": id, "call", "speaker", "seat", "company", "language"}, {"forget": call}.
Out (stdout): ready {port}, refused {reason}, heard, findings, missed, end, beat {streams, busy_seconds}.
"""

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.errors import BadInput
from callcenter.quality.finding import Finding, to_dict
from callcenter.speech import audiosocket
from callcenter.speech.live_engine import Ears, Heard, VoskEars
from callcenter.speech.live_hearing import Hearing, Judge, Line, find_judge

BEAT_SECONDS = 0.5
MAX_UNREAD_BYTES = 256 * 1024
MAX_EXPECTED = 1_000
STEP_SECONDS = 0.1
"""Sound is given to the recogniser in pieces of this length at least."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A connection that was announced."""

    call: str
    speaker: str
    seat: str
    company: str
    language: str
    script: str


class Child:
    """All that is heard now. ``tell`` takes what the daemon is to know."""

    def __init__(self, ears: Ears, pool: ThreadPoolExecutor, tell: Any) -> None:
        self._ears, self._pool, self._tell = ears, pool, tell
        self._expected: dict[str, Expected] = {}
        self._hearings: dict[str, tuple[Hearing, float]] = {}
        self._connections: dict[str, set[asyncio.StreamWriter]] = {}
        self._running: dict[int, float] = {}
        """When the recogniser was last given a piece, by line: for the watch on one that hangs."""
        self._judges: dict[str, Judge | None] = {}
        self._bench = ThreadPoolExecutor(1, "judge")
        self._changed: set[Hearing] = set()
        self._muted: set[str] = set()
        """Calls in which a card number is being read."""
        self._judging: dict[Hearing, asyncio.Task[None]] = {}
        self._tasks: dict[int, list[asyncio.Task[None]]] = {}
        """Who follows a line, by line."""

    # --- told by the daemon --------------------------------------------------------------------------------------

    def order(self, told: dict[str, Any]) -> None:
        if "listen" in told:
            while len(self._expected) >= MAX_EXPECTED:
                del self._expected[next(iter(self._expected))]
            self._expected[told["listen"]] = Expected(
                told["call"], told["speaker"], told["seat"], told["company"], told["language"], told.get("script", "")
            )
        elif "mute" in told:
            (self._muted.add if told["on"] else self._muted.discard)(told["mute"])
        elif "forget" in told:
            self._muted.discard(told["forget"])
            self._hearings.pop(told["forget"], None)
            for writer in self._connections.pop(told["forget"], ()):
                writer.close()

    # --- one connection ------------------------------------------------------------------------------------------

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            expected = self._expected.pop(await audiosocket.identity(reader), None)
            if expected is not None:
                await self._listen(expected, reader, writer)
        except audiosocket.NotAudioSocket:
            pass
        except asyncio.CancelledError:
            pass  # the process ends; asyncio's streams would write a traceback for each call that is still heard
        finally:
            writer.close()

    async def _listen(self, expected: Expected, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hearing, begun = self._hearing(expected)
        speaker = "seat" if expected.speaker == "seat" else "caller"
        line = Line(speaker, self._ears.ear(), time.monotonic() - begun)  # type: ignore[arg-type]
        hearing.lines.append(line)
        self._connections.setdefault(expected.call, set()).add(writer)
        self._tell("begin", hearing, speaker=speaker)
        try:
            async for pcm in audiosocket.sound(reader):
                self._take(hearing, line, pcm)
        finally:
            self._connections.get(expected.call, set()).discard(writer)
            await self._finish(hearing, line)

    def _hearing(self, expected: Expected) -> tuple[Hearing, float]:
        known = self._hearings.get(expected.call)
        if known is None:
            script = expected.script or expected.language
            if script not in self._judges:
                path = Path(expected.script) if expected.script else None
                self._judges[script] = find_judge(expected.language, path)
            judge = self._judges[script]
            known = Hearing(expected.call, expected.seat, expected.company, judge), time.monotonic()
            self._hearings[expected.call] = known
        return known

    def _take(self, hearing: Hearing, line: Line, pcm: bytes) -> None:
        if line.take(bytes(len(pcm)) if hearing.call in self._muted else pcm):
            self._tell("missed", hearing, **hearing.told())
        if not line.busy and len(line.waiting) >= STEP_SECONDS * audiosocket.BYTES_PER_SECOND:
            line.busy = True
            self._tasks[id(line)] = [asyncio.get_running_loop().create_task(self._follow(hearing, line))]

    async def _follow(self, hearing: Hearing, line: Line) -> None:
        """Give the recogniser what waits, until less than a step does."""
        try:
            while len(line.waiting) >= STEP_SECONDS * audiosocket.BYTES_PER_SECOND:
                began, waited = time.monotonic(), line.waiting_seconds
                heard = await self._in_thread(line, line.ear.feed, line.piece())
                self._note(hearing, line, heard, waited + time.monotonic() - began)
        finally:
            line.busy = False

    async def _finish(self, hearing: Hearing, line: Line) -> None:
        await asyncio.gather(*self._tasks.get(id(line), ()))
        rest = line.piece()
        if rest:
            self._note(hearing, line, await self._in_thread(line, line.ear.feed, rest), 0.0)
        self._note(hearing, line, await self._in_thread(line, line.ear.end), 0.0)
        hearing.lines.remove(line)
        self._tasks.pop(id(line), None)
        self._tell("end", hearing, speaker=line.speaker)

    async def _in_thread(self, line: Line, work: Any, *values: Any) -> Heard:
        self._running[id(line)] = time.monotonic()
        try:
            heard: Heard = await asyncio.get_running_loop().run_in_executor(self._pool, work, *values)
        finally:
            self._running.pop(id(line), None)
        return heard

    def _note(self, hearing: Hearing, line: Line, heard: Heard, lag_seconds: float) -> None:
        if not hearing.heard(line, heard):
            return
        final = [[w.word, round(w.start, 2), round(w.end, 2), w.conf] for w in line.placed(heard.final)]
        self._tell("heard", hearing, speaker=line.speaker, final=final, lag=round(lag_seconds, 3), **hearing.told())
        self._changed.add(hearing)
        if hearing not in self._judging:
            self._judging[hearing] = asyncio.get_running_loop().create_task(self._judge(hearing))

    async def _judge(self, hearing: Hearing) -> None:
        """Until nothing new was said. Slower than speech it judges less often, and always the newest."""
        try:
            while hearing in self._changed:
                self._changed.discard(hearing)
                findings = await asyncio.get_running_loop().run_in_executor(self._bench, _judged, hearing.judging())
                told = None if findings is None else [{**to_dict(f, ""), "severity": f.severity} for f in findings]
                self._tell("findings", hearing, findings=told)
        finally:
            del self._judging[hearing]

    # --- the watch -----------------------------------------------------------------------------------------------

    def beat(self) -> dict[str, Any]:
        now = time.monotonic()
        busy = max((now - began for began in self._running.values()), default=0.0)
        return {"kind": "beat", "streams": sum(map(len, self._connections.values())), "busy_seconds": round(busy, 2)}


def _judged(work: Callable[[], list[Finding] | None]) -> list[Finding] | None:
    """A judgement that fails is none; the words go on."""
    try:
        return work()
    except Exception as error:
        print(f"live transcription: what was said could not be judged ({type(error).__name__})", file=sys.stderr)
        return None


class Output:
    """stdout as JSON lines, without ever waiting for whoever reads."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, message: dict[str, Any]) -> None:
        if self._transport.get_write_buffer_size() < MAX_UNREAD_BYTES:
            self._transport.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    def tell(self, kind: str, hearing: Hearing, **facts: Any) -> None:
        self.write({"kind": kind, "call": hearing.call, **facts})


async def _pipes() -> tuple[asyncio.StreamReader, Output]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    return reader, Output(transport)


async def _beats(child: Child, output: Output) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        output.write(child.beat())


async def run(model: Path, host: str, port: int, threads: int) -> int:
    """Until stdin ends. 2 if the model or the address cannot be used."""
    orders, output = await _pipes()
    try:
        find_judge("zh")
        ears = VoskEars(model)
        pool = ThreadPoolExecutor(threads, "ear")
        child = Child(ears, pool, output.tell)
        server = await asyncio.start_server(child.connected, host, port)
    except (BadInput, OSError) as error:
        reason = str(error) if isinstance(error, BadInput) else f"live.port: cannot listen ({error.strerror})."
        output.write({"kind": "refused", "reason": reason})
        return 2
    output.write({"kind": "ready", "port": server.sockets[0].getsockname()[1]})
    beats = asyncio.get_running_loop().create_task(_beats(child, output))
    while line := await orders.readline():
        child.order(json.loads(line))
    beats.cancel()
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="callcenter-live", description="Listens to running calls for the daemon.")
    parser.add_argument("model", type=Path)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory-mb", type=int, default=2048)
    options = parser.parse_args()
    os.nice(5)
    limit = options.memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    code = asyncio.run(run(options.model, options.host, options.port, options.threads))
    os._exit(code)  # a recogniser that hangs must not keep the process


if __name__ == "__main__":
    main()
