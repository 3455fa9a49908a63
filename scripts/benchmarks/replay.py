"""``callcenter replay`` of a large capture beside stock panoramisk counting the same bytes; memory at 10,000 calls."""

import statistics
import sys
from pathlib import Path

from benchmarks import traffic
from benchmarks.calls import TARGET_RATIO, ingest
from benchmarks.measure import Row, run_counted, spread


def rows(folder: Path, calls: int, rounds: int, large: int) -> list[Row]:
    capture = folder / "capture.ami"
    events = traffic.write(capture, traffic.QUEUE_MIX, calls)
    command = [sys.executable, "-m", "callcenter", "replay", str(capture)]
    ours, theirs = [], []
    for number in range(rounds):
        if number % 2 == 0:
            ours.append(run_counted(command)[0])
        theirs.append(ingest("panoramisk", capture, events)["cpu"])
        if number % 2:
            ours.append(run_counted(command)[0])
    ratio = statistics.median(ours) / statistics.median(theirs)
    mine, stock = ([cpu * 100_000 / events for cpu in way] for way in (ours, theirs))
    found = [
        Row(
            f"replay of {calls:,} calls ({events:,} events), CPU per event against stock panoramisk counting",
            f"≤ {TARGET_RATIO} ×",
            f"{ratio:.2f} × ({spread(mine)} against {spread(stock)} CPU s per 100,000 events, start-up included)",
            ratio <= TARGET_RATIO,
        )
    ]
    if large:
        events = traffic.write(capture, traffic.QUEUE_MIX, large)
        megabytes = capture.stat().st_size / 1e6
        cpu, peak_mb, seconds = run_counted(command)
        figure = f"{cpu:.0f} CPU s, {seconds:.0f} s, peak {peak_mb:.0f} MB"
        found.append(Row(f"replay of {large:,} calls ({events:,} events, {megabytes:.0f} MB)", "", figure))
    return found
