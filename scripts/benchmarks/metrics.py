"""A scrape of /metrics at 10, 100 and 1,000 queues with 5,000 seats: time, size, and what the event loop feels of it.

Over HTTP on loopback from another process, in OpenMetrics with gzip as Prometheus asks. The reference of the same run:
the stock client's text of a registry with as many samples of one plain counter, in a thread in the same way. Times are
the daemon's CPU, because other programs on the machine must not count. Python's threads share one lock: how late a
timer of the loop runs while the text is written says what a pop waits, beside the same timer while nobody scrapes.
Every sample that the daemon has must be in what was scraped.
"""

import asyncio
import gzip
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.exposition import generate_latest

from benchmarks.measure import Child, Failed, Row, cpu_seconds, quantile, say, spread
from benchmarks.snapshot import Watch
from callcenter.ami.events import MemberState
from callcenter.app import Daemon
from callcenter.calls.model import Call, Direction, EndedBy, Outcome, Phase
from callcenter.metrics.endpoint import metrics_app
from callcenter.serve import collect_seldom
from callcenter.settings import Queue, Settings
from callcenter.store import migrate
from callcenter.store.store import Store
from callcenter.web.access import Handler
from callcenter.web.doors import serve

QUEUES = (10, 100, 1_000)
SEATS = 5_000
CALLS_PER_QUEUE = 20
TIMER_SECONDS, QUIET_SECONDS = 0.005, 0.5
TIMES_TARGET, HOLD_TARGET_MS = 3.0, 50.0
HEADERS = {"Accept": "application/openmetrics-text; version=1.0.0", "Accept-Encoding": "gzip"}


def rows(folder: Path, rounds: int) -> list[Row]:
    return [row for queues in QUEUES for row in _rows(folder / str(queues), queues, rounds)]


def _rows(folder: Path, queues: int, rounds: int) -> list[Row]:
    folder.mkdir()
    ours: list[float] = []
    counts = set[int]()
    reference: list[float] = []
    walls: list[float] = []
    with Child("metrics", folder, queues) as child:
        where = child.hear()
        size = 0
        for _ in range(max(3, rounds)):
            cpu, wall, body = _scrape(child.pid, where["port"], "metrics")
            ours.append(cpu)
            walls.append(wall)
            size = len(body)
            counts.add(_samples(gzip.decompress(body)))
            reference.append(_scrape(child.pid, where["port"], "reference")[0])
            time.sleep(QUIET_SECONDS)
        child.tell("enough")
        felt = child.hear()
    if counts != {where["samples"]}:
        raise Failed(f"of {where['samples']:,} samples a scrape had {sorted(counts)}")
    times = statistics.median(ours) / statistics.median(reference)
    kilobytes = f"{size / 1024:,.0f} kB gzip, {where['bytes'] / 1024:,.0f} kB plain, {where['samples']:,} samples"
    what = f"scrape at {queues:,} queues × {SEATS:,} seats"
    return [
        Row(
            f"{what}, CPU against the stock client's text of as many samples",
            f"≤ {TIMES_TARGET:.0f} ×",
            f"{times:.2f} × ({spread(ours)} s against {spread(reference)}; read after {spread(walls)} s); {kilobytes}",
            times <= TIMES_TARGET,
        ),
        Row(
            "longest hold of the event loop meanwhile",
            f"≤ {HOLD_TARGET_MS:.0f} ms",
            f"{felt['hold_ms']:.0f} ms of CPU; a timer of the loop is late by {_late(felt['metrics'])} while it is "
            f"written, {_late(felt['reference'])} while the reference is, {_late(felt['quiet'])} while neither is",
            felt["hold_ms"] <= HOLD_TARGET_MS,
        ),
    ]


def _late(seconds: list[float]) -> str:
    return f"p50 {1000 * quantile(seconds, 0.5):.1f}, p99 {1000 * quantile(seconds, 0.99):.1f} ms"


def _samples(text: bytes) -> int:
    return sum(not line.startswith(b"#") for line in text.splitlines())


def _scrape(pid: int, port: int, path: str) -> tuple[float, float, bytes]:
    """(CPU seconds of the process, wall seconds, what was read)."""
    before, began = cpu_seconds(pid), time.perf_counter()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", headers=HEADERS)
    with urllib.request.urlopen(request, timeout=120) as answer:
        body = answer.read()
    return cpu_seconds(pid) - before, time.perf_counter() - began, body


async def busy(folder: Path, queues: int) -> tuple[Daemon, Store]:
    """A daemon with queues, seats and ended calls of every outcome."""
    url = f"sqlite:///{folder}/callcenter.db"
    await migrate(url)
    store = await Store.open(url)
    names = [f"queue{number}" for number in range(queues)]
    daemon = Daemon(Settings(queues={name: Queue() for name in names}), store)
    seats = [str(10_000 + number) for number in range(SEATS)]
    daemon.desk.people({seat: (seat, "") for seat in seats})
    daemon.pipeline.events(
        [
            MemberState(0.0, names[number % queues], f"PJSIP/{seat}", "", seat, 1 + number % 2, number % 7 == 0, "")
            for number, seat in enumerate(seats)
        ]
    )
    while daemon.pipeline.backlog:
        await daemon.pipeline.step()
    outcomes = (Outcome.ANSWERED, Outcome.ABANDONED, Outcome.OVERFLOWED)
    for name in names:
        for number in range(CALLS_PER_QUEUE):
            outcome = outcomes[number % 3]
            daemon.figures.ended(
                Call(
                    *("pbx", f"pbx-{number}.1", Direction.INBOUND, Phase.ENDED),
                    queue=name,
                    outcome=outcome,
                    wait_seconds=float(3 * number),
                    rings_heard=number % 5,
                    talk_seconds=60.0 if outcome is Outcome.ANSWERED else None,
                    ended_by=EndedBy.CALLER,
                )
            )
    return daemon, store


async def serve_both(folder: Path, queues: int) -> None:
    daemon, store = await busy(folder, queues)
    text = generate_latest(daemon.figures.frozen())  # type: ignore[no-untyped-call]
    samples = _samples(text)
    app, lateness = metrics_app(daemon.figures, daemon.settings.web, "127.0.0.1"), Lateness()
    app.router.add_get("/reference", _reference(samples))
    app.middlewares.append(lateness.during)
    runner = await serve(app, "127.0.0.1", 0)
    listener: Any = runner
    say(port=listener.listener.sockets[0].getsockname()[1], samples=samples, bytes=len(text))
    collect_seldom()  # as the daemon does when it begins to run
    watch = Watch()
    watching = [asyncio.create_task(watch.run()), asyncio.create_task(lateness.run())]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    say(hold_ms=watch.take_ms(), **lateness.seen)
    for task in watching:
        task.cancel()
    await runner.cleanup()
    await store.close()


class Lateness:
    """How late a timer runs, by what is written meanwhile."""

    def __init__(self) -> None:
        self.seen: dict[str, list[float]] = {"metrics": [], "reference": [], "quiet": []}
        self._now = "quiet"

    @web.middleware
    async def during(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._now = request.path.strip("/")
        try:
            return await handler(request)
        finally:
            self._now = "quiet"

    async def run(self) -> None:
        while True:
            meanwhile, due = self._now, time.monotonic() + TIMER_SECONDS
            await asyncio.sleep(TIMER_SECONDS)
            if meanwhile == self._now:
                self.seen[meanwhile].append(time.monotonic() - due)


def _reference(samples: int) -> Callable[[web.Request], Any]:
    registry = CollectorRegistry()
    counter = Counter("reference", "As many samples.", ["number"], registry=registry)
    for number in range(samples):
        counter.labels(str(number)).inc()

    async def reference(_: web.Request) -> web.Response:
        def written() -> bytes:
            return gzip.compress(generate_latest(registry), 1)  # type: ignore[no-untyped-call]

        return web.Response(body=await asyncio.to_thread(written))

    return reference


if __name__ == "__main__":
    asyncio.run(serve_both(Path(sys.argv[1]), int(sys.argv[2])))
