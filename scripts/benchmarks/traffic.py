"""Traffic of many interleaved calls, made from the captures of a real Asterisk.

A story is one captured call with everything that Asterisk said meanwhile, the noise included. It is told again under
new unique ids, channels, bridges, numbers, seats and times, as often as wanted, overlapping as calls do.
Never: invents an event, or leaves one out but the log-in of the recording itself. The laboratory's seats are members of
seven queues and more, each of which reports every change of a phone's state.
"""

import heapq
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CAPTURES = Path(__file__).parents[2] / "tests" / "captures"

QUEUE_MIX = {
    "queue-answered": 6,
    "queue-ring-all": 2,
    "queue-declined-then-answered": 1,
    "queue-abandoned-waiting": 1,
    "queue-two-misses": 1,
    "queue-blind-transfer-refer": 1,
    "direct-caller-hangs-up": 2,
    "hold-twice": 1,
}
"""A hotline on plain queues: how often each story is told."""
HOTLINE_MIX = {"hotline-answered": 6, "hotline-direct": 2, "hotline-abandoned": 1, "hotline-backup-answers": 1}
"""The product's own dialplan: ring-all over Local channels, six times the events."""

_LEFT_OUT = re.compile(rb"Event: (?:SuccessfulAuth|FullyBooted|ChallengeSent)\r\n")
_STAMP = re.compile(rb"\r\nTimestamp: ([0-9]+\.[0-9]+)\r\n")
_VARIABLE = re.compile(
    rb"(?P<id>pbx-[0-9]{10}\.(?P<n>[0-9]+))"
    rb"|(?P<stamp>(?<=\r\nTimestamp: )[0-9]+\.[0-9]+)"
    rb"|(?<=-)(?P<instance>[0-9a-f]{8})(?=[;\r, ]|$)"
    rb"|(?P<bridge>[0-9a-f]{8})(?=-[0-9a-f]{4}-[0-9a-f]{4}-)"
    rb"|(?<![0-9.])(?:(?P<caller>138000000)[0-9]{2}|(?P<seat>1001|1002|1003|2001|3001))(?![0-9.])"
)
_HANGUP = b"Event: Hangup\r\n"
_SEAT_DIGIT = {b"1001": 1, b"1002": 2, b"1003": 3, b"2001": 4, b"3001": 5}
_STATE = re.compile(
    rb"Event: (?:Newstate|Hangup)\r\n(?s:.*)\r\nChannel: PJSIP/(\d+)-(?s:.*)\r\nChannelStateDesc: (\w+)\r\n"
)
LEGS_MAX = 100
END = b"\r\n\r\n"


@dataclass(frozen=True)
class Story:
    """(seconds since the call began, message with its variable parts as %(name)b) per message."""

    name: str
    messages: tuple[tuple[float, bytes], ...]
    slots: frozenset[bytes]

    @cached_property
    def end(self) -> int:
        """Which message tells the end of the last channel."""
        return max((n for n, (_, data) in enumerate(self.messages) if data.startswith(_HANGUP)), default=-1)

    def tell(self, serial: int, groups: int) -> dict[bytes, bytes]:
        """The variable parts of this story's ``serial``-th telling, but for the time of each message."""
        group = serial % groups
        values = {}
        for slot in self.slots:
            kind, _, rest = slot.partition(b"-")
            if kind == b"id":
                values[slot] = b"pbx-1795000000.%d" % (serial * LEGS_MAX + int(rest))
            elif kind == b"instance":
                values[slot] = b"%08x" % (serial * LEGS_MAX + int(rest, 16))
            elif kind == b"bridge":
                values[slot] = b"%08x" % (int(rest, 16) ^ serial)
            elif kind == b"seat":
                values[slot] = seat(group, int(rest)).encode()
            elif kind == b"caller":
                values[slot] = b"139%08d" % serial
        return values


def seat(group: int, digit: int) -> str:
    """The extension that plays ``digit`` (1 to 5) in the calls of one group of seats."""
    return f"{10_000 + group * 10 + digit}"


def story(name: str) -> Story:
    frames = [f for f in (CAPTURES / f"{name}.ami").read_bytes().split(END) if f.startswith(b"Event: ")]
    frames = [frame for frame in frames if not _LEFT_OUT.match(frame)]
    began = float(_stamp(frames[0]))
    slots: set[bytes] = set()

    def named(match: re.Match[bytes]) -> bytes:
        kind = str(match.lastgroup) if match["n"] is None else "id"
        if kind == "stamp":
            return b"%(at)b"
        text = {"id": match["n"], "seat": b"%d" % _SEAT_DIGIT.get(match[0], 0), "caller": b""}.get(kind, match[0])
        slot = b"%b-%b" % (kind.encode(), text)
        slots.add(slot)
        return b"%%(%b)b" % slot

    messages = [(float(_stamp(f)) - began, _VARIABLE.sub(named, f.replace(b"%", b"%%") + END)) for f in frames]
    return Story(name, tuple(messages), frozenset(slots))


def _stamp(frame: bytes) -> bytes:
    found = _STAMP.search(frame)
    assert found is not None, "the captures bear Asterisk's own times"
    return found[1]


@dataclass(frozen=True)
class Message:
    at: float
    data: bytes
    """With %(at)b in place of its time."""
    values: dict[bytes, bytes]
    ends: bool = False
    """With it the last channel of its call is gone."""

    def render(self, at: float) -> bytes:
        return self.data % {**self.values, b"at": b"%.6f" % at}


def messages(mix: dict[str, int], calls: int, calls_per_second: float, groups: int = 400) -> Iterator[Message]:
    """All messages of ``calls`` calls in order of time, which begins at 0; arrivals are random, always the same."""
    chance = random.Random(1)
    stories = [story(name) for name, weight in mix.items() for _ in range(weight)]
    running: list[tuple[float, int, int]] = []
    told: dict[int, tuple[float, Story, dict[bytes, bytes]]] = {}
    arrival, serial = 0.0, 0
    while running or serial < calls:
        while serial < calls and (not running or arrival <= running[0][0]):
            one = chance.choice(stories)
            told[serial] = (arrival, one, one.tell(serial, groups))
            heapq.heappush(running, (arrival, serial, 0))
            arrival += chance.expovariate(calls_per_second)
            serial += 1
        at, number, index = running[0]
        began, one, values = told[number]
        yield Message(at, one.messages[index][1], values, index == one.end)
        if index + 1 < len(one.messages):
            heapq.heapreplace(running, (max(at, began + one.messages[index + 1][0]), number, index + 1))
        else:
            heapq.heappop(running)
            del told[number]


def write(path: Path, mix: dict[str, int], calls: int, calls_per_second: float = 20.0) -> int:
    """A capture of that many calls; the number of events in it."""
    events = 0
    with path.open("wb") as file:
        for message in messages(mix, calls, calls_per_second):
            file.write(message.render(1_795_000_000 + message.at))
            events += 1
    return events


def seat_state(message: bytes) -> tuple[str, bool] | None:
    """The seat whose phone begins to ring with this message, or rings no more."""
    found = _STATE.match(message)
    return (found[1].decode(), message.startswith(b"Event: N") and found[2] == b"Ringing") if found else None


def names(path: Path) -> Counter[bytes]:
    """How often each event name occurs."""
    return Counter(frame[7 : frame.find(b"\r\n")] for frame in path.read_bytes().split(END) if frame)
