"""Supervised child processes that listen: started, watched, limited, and killed when they hang.

Place on the path of a call: after its end; ``service`` and ``callcenter transcribe`` hand recordings in here.
Promises: a child that dies, hangs or eats too much memory costs the recording at hand one attempt and nothing else; one
that waits for the CPU does not hang, however long; none does anything after ``close``; the event loop never waits.
Never: reads a recording itself; decides whether to try again.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from callcenter.errors import BadInput
from callcenter.speech.models import Model
from callcenter.speech.priority import OwnTime
from callcenter.speech.reasons import NO_ROOM, AttemptFailed, NoTranscript, Unhearable
from callcenter.speech.transcript import Segment, Speaker, Word

START_SECONDS = 180.0
"""A large model takes half a minute from a slow disk."""
STOP_SECONDS = 2.0
LOOKS = 20
"""At a silent child, before it counts as hanging."""
_LINE_BYTES = 4 << 20
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""A worker has one core. OpenBLAS wants room for each thread, and hangs where the limit of memory leaves none."""


class ModelRefused(NoTranscript, BadInput):
    """The engine cannot work with this model at all: no recording will do better."""

    def __init__(self, text: str, code: str = "model") -> None:
        super().__init__(text, code)


class WorkerLost(AttemptFailed):
    """The child is gone; another attempt with a new one may do. The text says how it went."""


class NotStarted(WorkerLost):
    """The machine has no room for a child now; neither will the next recording's have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``silent_seconds``: a child that says nothing for so long, waiting for the CPU apart, hangs. ``priority``: one of
    ``priority.PRIORITIES``."""

    memory_mb: int = 2048
    silent_seconds: float = 60.0
    priority: str = "idle"


@dataclass(slots=True)
class Heard:
    """What was said on both tracks, in order of its beginning. ``seconds`` of sound took ``cpu_seconds``."""

    segments: list[Segment] = field(default_factory=list)
    levels: dict[str, Mapping[str, float]] = field(default_factory=dict)
    """Of each side, as ``sound.Meter`` tells them."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def at_most(wanted: int) -> int:
    """Workers that this machine may run: one core is left to the calls."""
    return max(1, min(wanted, (os.cpu_count() or 1) - 1))


class Worker:
    """One child. Not for two recordings at a time."""

    def __init__(self, model: Model, limits: Limits) -> None:
        self._model = model
        self._limits = limits
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Until the child has loaded the model and heard silence with it. Raises ``ModelRefused`` or ``NotStarted``."""
        await self.close()
        command = [sys.executable, "-m", "callcenter.speech.worker", str(self._model.folder.resolve())]
        command += ["--memory-mb", str(self._limits.memory_mb), "--priority", self._limits.priority]
        self._process = await _started(command)
        try:
            told = await self._told(START_SECONDS)
        except WorkerLost as error:
            await self.close()
            raise ModelRefused(
                f"The model {self._model.name} does not load ({error}): look at it with 'callcenter models check'.",
                error.code if error.code == "memory" else "model",
            ) from None
        if "ready" not in told:
            await self.close()  # it ends by itself, but perhaps only after the next recording was given to it
            raise ModelRefused(told["refused"], told["code"])

    async def hear(
        self,
        tracks: Mapping[Speaker, Path],
        progress: Callable[[float], None] = lambda _: None,
        there: Sequence[tuple[float, float]] = (),
    ) -> Heard:
        """What is said in the tracks. ``progress`` is told how many seconds of sound are done; ``there``: when a
        seat is on our side, where that is known.

        Raises ``Unhearable`` for a recording that cannot be heard, ``AttemptFailed`` for an attempt that failed."""
        if self.pid is None:
            await self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        asked: dict[str, Any] = {speaker: str(path.absolute()) for speaker, path in tracks.items()}
        if there:
            asked["there"] = there
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        heard = Heard()
        try:
            with contextlib.suppress(ConnectionError):
                await self._process.stdin.drain()
            while not await self._step(heard, progress):
                pass
        except asyncio.CancelledError:
            await self.close()
            raise
        heard.segments.sort(key=lambda segment: (segment.words[0].start, segment.speaker))
        return heard

    async def _step(self, heard: Heard, progress: Callable[[float], None]) -> bool:
        """Take in one line; whether it was the last."""
        told = await self._told(self._limits.silent_seconds)
        if "refused" in told:
            raise Unhearable(told["refused"], told["code"])
        if "failed" in told:
            raise AttemptFailed(told["failed"], told["code"])
        if "said" in told:
            speaker, words = told["said"]
            heard.segments.append(Segment(speaker, tuple(Word(*word) for word in words)))
        elif "level" in told:
            speaker, level = told["level"]
            heard.levels[speaker] = level
        elif "at" in told:
            progress(told["at"])
        else:
            heard.seconds, heard.cpu_seconds = told["done"], told["cpu"]
        return "done" in told

    async def _told(self, seconds: float) -> dict[str, Any]:
        assert self._process is not None
        try:
            line = await _line(self._process, seconds)
        except TimeoutError:
            await self.close()
            raise WorkerLost(f"the worker said nothing for {seconds:.0f} s and was stopped", "hung") from None
        if line is not None:
            told: dict[str, Any] = json.loads(line)
            return told
        code = await self._process.wait()
        if code == NO_ROOM:
            raise WorkerLost("the worker ran out of memory: raise speech.memory_mb", "memory")
        how = "killed" if code == -signal.SIGKILL else "crashed"
        raise WorkerLost(f"the worker ended {f'by signal {-code}' if code < 0 else f'with code {code}'}", how)

    async def close(self) -> None:
        """The child is gone afterwards; on a full machine it is killed, and goes once it gets the CPU for that."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # an idle child ends by itself
        # No asyncio.timeout: in a cancelled task, that of Python 3.11.2 (Debian 12) ends in CancelledError.
        gone = asyncio.ensure_future(process.wait())
        await asyncio.wait({gone}, timeout=0.2 if process.returncode is None else STOP_SECONDS)
        if not gone.done():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.wait({gone}, timeout=STOP_SECONDS)
        if not gone.done():
            gone.cancel()
            process._transport.close()  # type: ignore[attr-defined]  # our ends of its pipes

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _started(command: Sequence[str]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE_BYTES,
            start_new_session=True,
            env=os.environ | _ONE_THREAD,
        )
    except OSError as error:
        raise NotStarted(f"the worker cannot be started: {error.strerror}", "not_started") from None
    except RuntimeError:  # asyncio waits for a child in a thread
        raise NotStarted("the worker cannot be started: no thread is left", "not_started") from None


async def _line(process: asyncio.subprocess.Process, seconds: float) -> bytes | None:
    """What the child says next, ``None`` once it has ended. Raises ``TimeoutError`` if it could have for so long."""
    assert process.stdout is not None
    own: OwnTime | None = None
    while own is None or own.look() < seconds:
        try:
            async with asyncio.timeout(seconds / LOOKS):
                line = await process.stdout.readline()
                if line.endswith(b"\n"):
                    return line
                await process.wait()
                return None
        except TimeoutError:
            own = own or OwnTime(process.pid)
    raise TimeoutError
