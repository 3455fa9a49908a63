"""Child: takes a stream of AMI bytes from a socket and says what that cost it. Two ways, to be compared.

``daemon``: the daemon's own link, fold, rules, SQLite file at synchronous=FULL and metrics, as ``callcenter run`` has
them (nobody looks at the web). ``panoramisk``: stock panoramisk 1.4, whose one callback counts.
"""

import asyncio
import logging
import resource
import sys
import time
from pathlib import Path

from benchmarks.house import build, environment, value
from benchmarks.measure import say

POLL_SECONDS = 0.05


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def daemon(port: int, secret: str, folder: str, events: int) -> None:
    """``events``: how many of the stream the daemon uses; LinkUp and Snapshot come before them."""
    # Pongs wait behind the flood.
    variables = environment(Path(folder), port, secret, ASTERISK__ANSWER_WITHIN_SECONDS=60)
    house = await build(variables)
    running = asyncio.create_task(house.run())

    async def folded(count: int) -> None:
        while value(house.figures.events) < count:
            await asyncio.sleep(POLL_SECONDS)
            if running.done():
                running.result()

    await folded(2)
    before, began = cpu_seconds(), time.monotonic()
    say(ready=True)
    await folded(2 + events)
    cpu, seconds = cpu_seconds() - before, time.monotonic() - began
    commits = value(house.figures.batches)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    house.stop.set()
    await running
    calls = sum(count.calls for count in await house.store.calls.counts(house.server))
    orphans = len(await house.store.calls.without_ticket(house.server))
    await house.store.close()
    say(cpu=cpu, seconds=seconds, calls=calls, without_ticket=orphans, commits=commits, peak_mb=peak_mb)


async def panoramisk(port: int, secret: str, events: int) -> None:
    from panoramisk import Manager

    counted = 0
    done = asyncio.Event()

    def count(_manager: object, _event: object) -> None:
        nonlocal counted
        counted += 1
        if counted == events:
            done.set()

    manager = Manager(
        host="127.0.0.1", port=port, username="callcenter", secret=secret, loop=asyncio.get_running_loop()
    )
    manager.register_event("*", count)
    await manager.connect()
    while not manager.authenticated:
        await asyncio.sleep(POLL_SECONDS)
    before, began = cpu_seconds(), time.monotonic()
    say(ready=True)
    await done.wait()
    say(cpu=cpu_seconds() - before, seconds=time.monotonic() - began, peak_mb=0)
    manager.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "daemon":
        asyncio.run(daemon(int(arguments[0]), arguments[1], arguments[2], int(arguments[3])))
    else:
        asyncio.run(panoramisk(int(arguments[0]), arguments[1], int(arguments[2])))
