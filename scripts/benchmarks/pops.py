"""From an event's writing on AMI to the seat's window: the real daemon, its web, and signed-in windows."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import traffic
from benchmarks.house import environment
from benchmarks.measure import Child, Failed, Row, quantile

RATES = ((1.0, 25.0, 30, 30, None), (20.0, 15.0, 400, 400, 100.0), (100.0, 12.0, 1_500, 900, 250.0))
"""Calls per second, for how many seconds, groups of seats, windows open, target of the 99th percentile in ms."""
START_SECONDS = 60.0
SAME_RING_SECONDS = 1.0


def rows(folder: Path) -> list[Row]:
    found = []
    for number, (per_second, seconds, groups, windows, target) in enumerate(RATES):
        scratch = folder / str(number)
        scratch.mkdir()
        found.append(_row(scratch, per_second, seconds, groups, windows, target))
    return found


def _row(folder: Path, per_second: float, seconds: float, groups: int, windows: int, target: float | None) -> Row:
    popped, missing = measure(folder, per_second, seconds, groups, windows)
    delays = [delay for _, delay in popped]
    p50, p99 = quantile(delays, 0.5), quantile(delays, 0.99)
    lost = f", {missing} pops never came" if missing else ""
    return Row(
        f"event to pop at {per_second:g} calls/s, {windows} windows open, {len(delays)} pops",
        "" if target is None else f"p99 < {target:.0f} ms",
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms{lost}",
        None if target is None else p99 < target and not missing,
    )


def measure(
    folder: Path,
    per_second: float,
    seconds: float,
    groups: int,
    windows: int,
    variables: Mapping[str, object] | None = None,
    meanwhile: Callable[[int, str], None] = lambda _pid, _address: None,
) -> tuple[list[tuple[float, float]], int]:
    """((when it was written, by the monotonic clock; milliseconds) of each pop, pops that never came). ``variables``:
    more settings of the daemon; ``meanwhile``: is called with its process id and address while the calls run."""
    seats = [traffic.seat(group, 1) for group in range(windows)]
    with Child("pbx") as pbx:
        where = pbx.hear()
        web = free_port()
        settings = environment(folder, where["port"], where["secret"], WEB__PORT=web, **(variables or {}))
        tokens = asyncio.run(sign_in(settings, seats))
        (folder / "tokens").write_text(json.dumps(tokens))
        daemon = subprocess.Popen(
            [sys.executable, "-m", "callcenter", "--log-level", "ERROR", "run"], env=os.environ | settings, cwd=folder
        )
        try:
            address = f"http://127.0.0.1:{web}"
            wait_until_ready(daemon, address)
            with Child("windows", address, folder / "tokens") as browsers:
                browsers.hear()
                pbx.tell(
                    f"calls {json.dumps(traffic.QUEUE_MIX, separators=(',', ':'))} {per_second} {seconds} {groups}"
                )
                meanwhile(daemon.pid, address)
                rang = pbx.hear()["rang"]
                time.sleep(2)
                browsers.tell("enough")
                popped = browsers.hear()["pops"]
        finally:
            daemon.terminate()
            daemon.wait(20)
    return match(rang, popped, set(seats))


def match(rang: list[list[Any]], popped: list[list[Any]], watched: set[str]) -> tuple[list[tuple[float, float]], int]:
    by_seat: dict[str, list[list[Any]]] = {}
    for pop in popped:
        by_seat.setdefault(pop[0], []).append(pop)
    delays: list[tuple[float, float]] = []
    missing = 0
    for seat, at, written_at in rang:
        if seat not in watched:
            continue
        found = [pop for pop in by_seat.get(seat, []) if abs(pop[1] - at) < SAME_RING_SECONDS]
        if found:
            delays.append((written_at, (found[0][2] - written_at) * 1000))
        else:
            missing += 1
    if not delays:
        raise Failed("no window popped at all")
    return delays, missing


async def sign_in(variables: dict[str, str], seats: list[str]) -> dict[str, str]:
    """A person and a running session for each seat; the log-in itself is slow on purpose and is not measured."""
    from callcenter.opening import open_store
    from callcenter.settings import load
    from callcenter.store.users import Role, User
    from callcenter.web.sessions import token_hash

    store = await open_store(load(None, variables))
    now, tokens = time.time(), {seat: secrets.token_urlsafe(24) for seat in seats}
    for seat, token in tokens.items():
        await store.users.add(User(seat, "-", Role.SEAT, seat, seat, f"Seat {seat}", "zh", True, now))
        await store.users.begin_session(token_hash(token), seat, now)
    await store.close()
    return tokens


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(daemon: "subprocess.Popen[Any]", address: str) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and daemon.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise Failed(f"the daemon was not ready within {START_SECONDS:.0f} s")
