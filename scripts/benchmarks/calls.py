"""The whole path (bytes in, fold, rules, one transaction per batch, metrics) beside stock panoramisk counting."""

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import traffic
from benchmarks.measure import Child, Failed, Row, spread

TARGET_RATIO = 0.5


def ingest(way: str, stream: Path, *arguments: object) -> dict[str, Any]:
    """One round: a fake Asterisk sends the stream, a fresh child takes it in."""
    with Child("pbx") as pbx:
        where = pbx.hear()
        with Child("ingest", way, where["port"], where["secret"], *arguments) as child:
            child.hear()
            pbx.tell(f"flood {stream}")
            told: dict[str, Any] = child.hear()
    return told


def used_of(stream: Path) -> int:
    """How many events of the stream the daemon has a use for."""
    from callcenter.ami.codec import Decoder
    from callcenter.ami.parse import WANTED, parse

    return sum(parse(message) is not None for message in Decoder(WANTED).feed(stream.read_bytes()))


def rows(folder: Path, calls: int, rounds: int) -> list[Row]:
    found = []
    for title, mix, count in (
        ("plain queues", traffic.QUEUE_MIX, calls),
        ("the product's hotline", traffic.HOTLINE_MIX, calls // 5),
    ):
        stream = folder / "stream.ami"
        events = traffic.write(stream, mix, count)
        found += compare(title, stream, count, events, rounds)
        stream.unlink()
    return found


def compare(title: str, stream: Path, calls: int, events: int, rounds: int) -> list[Row]:
    used = used_of(stream)
    whole, stock = [], []
    for number in range(rounds):
        ways = ["daemon", "panoramisk"]
        for way in ways if number % 2 == 0 else reversed(ways):
            if way == "daemon":
                with TemporaryDirectory(dir=stream.parent) as database:
                    whole.append(ingest(way, stream, database, used))
                _check(whole[-1], calls)
            else:
                stock.append(ingest(way, stream, events))
    per_100k = 100_000 / events
    ratio = statistics.median(w["cpu"] for w in whole) / statistics.median(s["cpu"] for s in stock)
    mix = f"{title}: {calls} calls, {events / calls:.0f} events per call, {100 - 100 * used / events:.0f} % of no use"
    ours, theirs = ([w["cpu"] * per_100k for w in way] for way in (whole, stock))
    speeds = spread([events / w["seconds"] / 1000 for w in whole], "{:.1f}")
    return [
        Row(
            f"whole path, CPU per event against stock panoramisk counting ({mix})",
            f"≤ {TARGET_RATIO} ×",
            f"{ratio:.2f} × ({spread(ours)} against {spread(theirs)} CPU s per 100,000 events)",
            ratio <= TARGET_RATIO,
        ),
        Row(f"whole path, thousand events per second ({title})", "", speeds),
    ]


def _check(told: dict[str, Any], calls: int) -> None:
    if told["calls"] != calls or told["without_ticket"]:
        raise Failed(f"the store holds {told['calls']} of {calls} calls, {told['without_ticket']} without ticket")
