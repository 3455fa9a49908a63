"""From an event on AMI to every open wallboard: the real daemon, its web, screens opened by a link, and windows.

What is measured is the figure of the day's calls that counts one more with each call that ends: every screen must show
every end, and none is crowded out (of the seats only those that need looking at have a line). It is timed from the
PBX's writing, and from the moment that the daemon took the event in; in one screen, a real Chromium, to the page that
it draws. Beside them, of the same run: the windows' pops, and a bare push of as many bytes to as many streams.
"""

import asyncio
import json
import re
import secrets
import statistics
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import pops, traffic
from benchmarks.house import environment
from benchmarks.measure import Child, Failed, Row, cpu_seconds, quantile

SCREENS, WINDOWS, SEATS, PER_SECOND, SECONDS, GROUPS = 200, 200, 3_000, 20.0, 20.0, 200
TARGET_MS, POP_TARGET_MS = 500.0, 100.0
MIX = {"direct-caller-hangs-up": 4, "queue-local-optimised": 1}
REFERENCE_PUSHES, REFERENCE_EVERY_SECONDS = 20, 0.25


@dataclass(frozen=True)
class Seen:
    """What came to the screens: by screen, (when, which push) in order; and what each push shows."""

    told: Sequence[Sequence[tuple[float, int]]]
    shown: Sequence[dict[str, Any]]

    def counted(self) -> list[tuple[list[int], list[float]]]:
        """By screen: the figures of the day's calls in the order of coming, and when each came."""
        screens = []
        for told in self.told:
            figures = [(self.shown[n]["calls"], at) for at, n in told if self.shown[n]["calls"] is not None]
            screens.append(([figure for figure, _ in figures], [at for _, at in figures]))
        return screens

    def pushes(self) -> list[dict[str, Any]]:
        """Those of the first screen that counted calls."""
        return [self.shown[n] for _, n in self.told[0] if self.shown[n]["calls"] is not None]


@dataclass(frozen=True)
class Run:
    pbx: dict[str, Any]
    watch: dict[str, Any]
    seen: Seen
    drawn: list[tuple[float, int]]
    """When Chromium drew which figure of the day's calls."""
    pops: list[list[float]]
    cores: dict[str, float]
    """Share of a core that each process took while calls came."""
    figures: str
    """What the daemon's /metrics said at the end."""


def rows(folder: Path) -> list[Row]:
    run = measure(folder)
    taken = dict(run.watch["taken"])
    ends, drawn = list(_ends(run, run.seen.counted())), list(_ends(run, [_columns(run.drawn)]))
    found, unpopped = pops.match(run.pbx["rang"], run.pops, set(_seats()))
    popped = [delay for _, delay in found]
    what = f"at {PER_SECOND:g} calls/s, {SEATS:,} seats, {SCREENS} screens and {WINDOWS} windows open"
    return [
        Row(
            f"a call ends → “calls today” on every screen, {what}, {len(ends):,} counts on screens",
            f"p99 < {TARGET_MS:.0f} ms",
            _from_both(ends, taken),
            _p99(seen - written for _, written, seen in ends) < TARGET_MS / 1000,
        ),
        Row(
            f"the same in the page of a real Chromium beside them, {len(drawn):,} counts",
            f"p99 < {TARGET_MS:.0f} ms",
            _from_both(drawn, taken),
            _p99(seen - written for _, written, seen in drawn) < TARGET_MS / 1000,
        ),
        Row("the way of an end to the screens", "", f"{_stages(run, ends)}; {_own_figure(run.figures)}"),
        Row(
            f"the rings of these calls to {WINDOWS} windows, {len(popped)} pops",
            f"p99 < {POP_TARGET_MS:.0f} ms",
            f"p50 {quantile(popped, 0.5):.0f} ms, p99 {quantile(popped, 0.99):.0f} ms"
            + (f", {unpopped} never came" if unpopped else ""),
            quantile(popped, 0.99) < POP_TARGET_MS and not unpopped,
        ),
        Row("reference: a bare push of as many bytes to as many streams", "", _reference(run.seen)),
        Row("CPU, of a core", "", ", ".join(f"{who} {share:.0%}" for who, share in run.cores.items())),
    ]


def measure(folder: Path) -> Run:
    with Child("pbx") as pbx:
        where, web = pbx.hear(), pops.free_port()
        pbx.tell(f"seats {SEATS}")
        variables = environment(folder, where["port"], where["secret"], WEB__PORT=web)
        token = asyncio.run(_link(variables))
        (folder / "tokens").write_text(json.dumps(asyncio.run(pops.sign_in(variables, _seats()))))
        address = f"http://127.0.0.1:{web}"
        with Child("probed", "--log-level", "ERROR", "run", variables=variables, folder=folder) as daemon:
            pops.wait_until_ready(daemon.process, address)
            with (
                Child("screens", address, token, SCREENS) as screens,
                Child("windows", address, folder / "tokens") as windows,
                Child("browser", address, token) as browser,
            ):
                screens.hear()
                browser.hear()
                windows.hear()
                processes = {"daemon": daemon, "screens": screens, "windows": windows, "PBX": pbx}
                before, began = {who: cpu_seconds(one.pid) for who, one in processes.items()}, time.monotonic()
                mix = json.dumps(MIX, separators=(",", ":"))
                pbx.tell(f"calls {mix} {PER_SECOND} {SECONDS} {GROUPS}")
                told = pbx.hear()
                took = time.monotonic() - began
                cores = {who: (cpu_seconds(one.pid) - before[who]) / took for who, one in processes.items()}
                time.sleep(2)
                figures = urllib.request.urlopen(f"{address}/metrics", timeout=10).read().decode()
                screens.tell("enough")
                windows.tell("enough")
                browser.tell("enough")
                drawn = browser.hear()["figures"]
                seen, popped = screens.hear(), windows.hear()["pops"]
            daemon.process.terminate()
            watch = daemon.hear()
    if not seen["whole"]:
        raise Failed("a screen that inflates its stream as a browser does reads something else")
    return Run(told, watch, Seen(seen["told"], seen["shown"]), drawn, popped, cores, figures)


def _seats() -> list[str]:
    return [traffic.seat(group, 1) for group in range(WINDOWS)]


def _ends(run: Run, screens: Sequence[tuple[list[int], list[float]]]) -> Iterator[tuple[float, float, float]]:
    """(Asterisk's time, when it was written, when a screen had it) of each ended call on each screen: the n-th was
    there when the figure was n or more."""
    for figures, times in screens:
        if figures != sorted(figures) or not figures or figures[-1] != len(run.pbx["ended"]):
            raise Failed(f"of {len(run.pbx['ended'])} calls that ended a screen counted {figures[-1:]}")
        for number, (at, written) in enumerate(run.pbx["ended"], 1):
            yield at, written, times[bisect_left(figures, number)]


def _columns(drawn: Sequence[tuple[float, int]]) -> tuple[list[int], list[float]]:
    return [figure for _, figure in drawn], [at for at, _ in drawn]


def _from_both(ends: Sequence[tuple[float, float, float]], taken: dict[float, float]) -> str:
    return (
        f"{_ms(seen - written for _, written, seen in ends)} from the PBX's writing, "
        f"{_ms(seen - taken[at] for at, _, seen in ends)} from its coming to the daemon"
    )


def _stages(run: Run, ends: list[tuple[float, float, float]]) -> str:
    """Where the time goes: each stage of an end's way by itself."""
    taken, committed = (dict(run.watch[what]) for what in ("taken", "committed"))
    drawn = run.watch["drawn"]
    begins = [began for began, _ in drawn]
    stages: dict[str, list[float]] = {}
    for at, written, seen in ends:
        began, done = drawn[min(bisect_left(begins, committed[at]), len(drawn) - 1)]
        way = (written, taken[at], committed[at], began, done, seen)
        names = ("to the daemon", "committed", "drawing begins", "drawn", "on the screen")
        for name, before, after in zip(names, way[:-1], way[1:], strict=True):
            stages.setdefault(name, []).append(after - before)
    return "; ".join(f"{name} {_ms(values)}" for name, values in stages.items())


def _own_figure(figures: str) -> str:
    """What the daemon says of itself, from the commit to the last screen."""
    found = dict(re.findall(r'^callcenter_wallboard_lag_seconds_bucket{le="([^"]+)"} (\S+)', figures, re.M))
    return f"by /metrics {float(found['0.5']):.0f} of {float(found['+Inf']):.0f} drawings had it everywhere in 500 ms"


def _reference(seen: Seen) -> str:
    pushes = seen.pushes()
    size, plain = (round(statistics.median(one[what] for one in pushes)) for what in ("bytes", "plain"))
    with Child("bare") as bare, Child("screens", f"http://127.0.0.1:{bare.hear()['port']}", "", SCREENS) as screens:
        screens.hear()
        before = cpu_seconds(bare.pid)
        bare.tell(f"push {size} {REFERENCE_EVERY_SECONDS} {REFERENCE_PUSHES}")
        began = dict(bare.hear()["pushed"])
        took = cpu_seconds(bare.pid) - before
        screens.tell("enough")
        heard = screens.hear()
    late = [
        at - began[heard["shown"][n]["calls"]]
        for told in heard["told"]
        for at, n in told
        if heard["shown"][n]["calls"] is not None
    ]
    every = took / REFERENCE_PUSHES * 1000
    return f"{_ms(late)}; {size:,} bytes a push ({plain:,} before compression), {every:.1f} ms of CPU each"


def _ms(seconds: Any) -> str:
    values = list(seconds)
    return f"p50 {quantile(values, 0.5) * 1000:.0f} ms, p99 {quantile(values, 0.99) * 1000:.0f} ms"


def _p99(seconds: Any) -> float:
    return quantile(list(seconds), 0.99)


async def _link(variables: dict[str, str]) -> str:
    """The token of a new link."""
    from callcenter.opening import open_store
    from callcenter.settings import load
    from callcenter.store.screens import WallboardLink
    from callcenter.web.sessions import token_hash

    store, token = await open_store(load(None, variables)), secrets.token_urlsafe(24)
    await store.screens.add_link(WallboardLink("bench", token_hash(token), time.time(), None), "bench")
    await store.close()
    return token
