"""Taking stock of an Asterisk with many channels: how long, and how long the event loop is held at most."""

import asyncio
import sys
import time
from pathlib import Path

from benchmarks.house import build, environment, value
from benchmarks.measure import Child, Row, say

TARGET_SECONDS, TARGET_HOLD_MS = 2.0, 50.0
TICK_SECONDS = 0.001


def rows(folder: Path, channels: int) -> list[Row]:
    with Child("pbx") as pbx:
        where = pbx.hear()
        pbx.tell(f"snapshot {channels}")
        pbx.hear()
        with Child("snapshot", folder, where["port"], where["secret"]) as child:
            read, stored = child.hear(), child.hear()
    return [
        Row(
            f"snapshot of {channels:,} channels, log-in included",
            f"< {TARGET_SECONDS:.0f} s",
            f"{read['seconds']:.2f} s ({stored['seconds']:.2f} s until its {stored['calls']:,} calls are stored)",
            read["seconds"] < TARGET_SECONDS,
        ),
        Row(
            "longest hold of the event loop meanwhile",
            f"≤ {TARGET_HOLD_MS:.0f} ms",
            f"{read['hold_ms']:.0f} ms of CPU while reading, {stored['hold_ms']:.0f} ms while storing",
            max(read["hold_ms"], stored["hold_ms"]) <= TARGET_HOLD_MS,
        ),
    ]


class Watch:
    """How much CPU the loop's thread spends between two turns. CPU, because other programs must not count."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.thread_time()
            self.longest, before = max(self.longest, now - before), now

    def take_ms(self) -> float:
        longest, self.longest = self.longest, 0.0
        return longest * 1000


async def take_stock(folder: Path, port: int, secret: str) -> None:
    daemon = await build(environment(folder, port, secret))
    watch = Watch()
    watching = asyncio.create_task(watch.run())
    began = time.monotonic()
    running = asyncio.create_task(daemon.run())
    while daemon.link.status.state != "up":
        await asyncio.sleep(TICK_SECONDS)
    say(seconds=time.monotonic() - began, hold_ms=watch.take_ms())
    while value(daemon.figures.events) < 2:
        await asyncio.sleep(TICK_SECONDS)
    say(seconds=time.monotonic() - began, hold_ms=watch.take_ms(), calls=len(daemon.pipeline.calls))
    watching.cancel()
    daemon.stop.set()
    await running
    await daemon.store.close()


if __name__ == "__main__":
    asyncio.run(take_stock(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
