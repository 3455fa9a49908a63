"""Supervised child processes that listen: started, watched, limited, and killed when they hang.

Place on the path of a call: after its end; ``service`` and ``callcenter transcribe`` hand recordings in here.
Promises: a child that dies, hangs or eats too much memory costs the recording at hand one attempt and nothing else; no
child outlives ``close``; the event loop never waits for one.
Never: reads a recording itself; decides whether to try again.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from callcenter.errors import BadInput, BrokenWorld
from callcenter.speech.models import Model
from callcenter.speech.transcript import Segment, Speaker, Word

NICE = 10
START_SECONDS = 180.0
"""A large model takes half a minute from a slow disk."""
STOP_SECONDS = 2.0
_LINE_BYTES = 4 << 20


class ModelRefused(BadInput):
    """The engine cannot work with this model at all: no recording will do better."""


class WorkerLost(BrokenWorld):
    """The child is gone; another attempt with a new one may do. The text says how it went."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``silent_seconds``: a child that says nothing for so long hangs."""

    memory_mb: int = 4096
    silent_seconds: float = 60.0


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
        """Until the child has loaded the model and heard silence with it. Raises ``ModelRefused`` or ``WorkerLost``."""
        await self.close()
        command = [sys.executable, "-m", "callcenter.speech.worker", str(self._model.folder.resolve())]
        command += ["--memory-mb", str(self._limits.memory_mb), "--nice", str(NICE)]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE_BYTES,
            start_new_session=True,
        )
        try:
            told = await self._told(START_SECONDS)
        except WorkerLost as error:
            raise ModelRefused(
                f"The model {self._model.name} does not load ({error}): look at it with 'callcenter models check'."
            ) from None
        if "ready" not in told:
            raise ModelRefused(told["refused"])

    async def hear(self, tracks: Mapping[Speaker, Path], progress: Callable[[float], None] = lambda _: None) -> Heard:
        """What is said in the tracks. ``progress`` is told how many seconds of sound are done.

        Raises ``BadInput`` for a recording that cannot be heard, ``BrokenWorld`` for an attempt that failed."""
        if self.pid is None:
            await self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        asked = {speaker: str(path.absolute()) for speaker, path in tracks.items()}
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
            raise BadInput(told["refused"])
        if "failed" in told:
            raise BrokenWorld(told["failed"])
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
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
                if line.endswith(b"\n"):
                    told: dict[str, Any] = json.loads(line)
                    return told
                code = await self._process.wait()
        except TimeoutError:
            await self.close()
            raise WorkerLost(f"the worker said nothing for {seconds:.0f} s and was stopped") from None
        raise WorkerLost(f"the worker ended by signal {-code}" if code < 0 else f"the worker ended with code {code}")

    async def close(self) -> None:
        """The child is gone afterwards."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # an idle child ends by itself
        try:
            async with asyncio.timeout(0.2 if process.returncode is None else STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
