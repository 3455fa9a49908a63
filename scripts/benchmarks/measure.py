"""Child processes, CPU, medians, and the table.

Promises: a figure is the median of interleaved rounds and shows its spread; a child that fails ends the benchmark with
its own words. Every process started here is ended here.
"""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "scripts")))}
CHILD_SECONDS = 1_200


@dataclass(frozen=True)
class Row:
    """One line of the README's table. ``held``: whether the target was reached; ``None`` where there is none."""

    what: str
    target: str
    figure: str
    held: bool | None = None


class Failed(Exception):
    """A measurement could not be made; the text says why."""


class Child(AbstractContextManager["Child"]):
    """A module of this package in a process of its own; it tells one JSON object per line and reads lines."""

    def __init__(
        self, module: str, *arguments: object, variables: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> None:
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        self._module = module
        environment = os.environ | _ENVIRONMENT | dict(variables or {})
        self.process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """The next thing the child has to say."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self._module} ended with code {self.process.wait()} before it had its figure")
        return json.loads(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def say(**what: Any) -> None:
    """In a child: one line for the parent."""
    print(json.dumps(what), flush=True)


def cpu_seconds(pid: int) -> float:
    """What a running process has taken of the CPU so far, all its threads, to the nanosecond (clock_getcpuclockid(3));
    /proc/PID/stat counts by hundredths of a second."""
    return time.clock_gettime((~pid << 3) | 2)


def run_counted(command: Sequence[str]) -> tuple[float, float, float]:
    """Runs a command to its end, its output thrown away: (CPU seconds, peak RSS in MB, wall seconds)."""
    began = os.times().elapsed
    process = subprocess.Popen(command, env=os.environ | _ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{' '.join(command[:4])} ended with code {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.times().elapsed - began


def spread(values: Sequence[float], form: str = "{:.2f}") -> str:
    """Median, and minimum to maximum."""
    low, middle, high = (form.format(v) for v in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low}–{high})" if len(values) > 1 else middle


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    model = next((line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), "CPU")
    load = f"{os.getloadavg()[0]:.1f}"
    python = f"Python {platform.python_version()}"
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} cores of {model}, {python}, {system}; load {load} at start"


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def table(rows: Sequence[Row]) -> str:
    verdicts = {True: "reached", False: "**missed**", None: ""}
    lines = ["| measured | target | figure | |", "| --- | --- | --- | --- |"]
    return "\n".join(lines + [f"| {r.what} | {r.target} | {r.figure} | {verdicts[r.held]} |" for r in rows])


async def until_told(tasks: "list[asyncio.Task[None]]", greeted: asyncio.Semaphore) -> None:
    """A child with many watchers: says when each was greeted, then watches until its starter writes a line."""
    for _ in tasks:
        await greeted.acquire()
    say(greeted=len(tasks))
    stopped = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    for task in done - {stopped}:
        task.result()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
