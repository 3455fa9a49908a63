"""Asterisk's queue_log: what Queue() itself wrote of a caller's stay, read for comparison with what was observed.

Place on the path of a call: beside it and after its end; ``calls/books`` compares what this makes of the lines.
Promises: a line that is none, half of one or hostile is counted and never raises; the order of the lines of one second
does not matter.
Never: reads a file or a clock; keeps a caller's number (ENTERQUEUE carries it).

A line: ``epoch|call|queue|member|event|data...`` (Asterisk's documentation, "Queue Logs"); whole seconds, cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from callcenter.ami.values import LATEST, text

MAX_LINE = 2_000
START = "QUEUESTART"
ENTERED = "ENTERQUEUE"
CONNECTED = "CONNECT"
ABANDONED = "ABANDON"
LEFT = ("EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "SYSCOMPAT")
BY_MEMBER, BY_CALLER = "COMPLETEAGENT", "COMPLETECALLER"
TRANSFERRED = ("BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER")
_WAITED_AT = {CONNECTED: 0, ABANDONED: 2, "EXITWITHTIMEOUT": 2, "EXITEMPTY": 2, "EXITWITHKEY": 3}
"""Which of the data is the wait in seconds."""
_TALKED_AT = {BY_MEMBER: 1, BY_CALLER: 1, "BLINDTRANSFER": 3, "ATTENDEDTRANSFER": 5}
"""Which of the data is the talk in seconds; 22's ATTENDEDTRANSFER has the destination's parts before it."""
_OF_A_CALL = {ENTERED, CONNECTED, ABANDONED, *LEFT, BY_MEMBER, BY_CALLER, *TRANSFERRED}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that tells of a call, or that Asterisk's queues started. ``uniqueid``: the caller's channel."""

    at: float
    uniqueid: str
    queue: str
    member: str
    event: str
    waited: float | None = None
    talked: float | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One caller's stay in one queue, in epoch seconds and seconds; ``None`` where the log has no line of it."""

    uniqueid: str
    queue: str
    entered_at: float | None = None
    connected_at: float | None = None
    member: str | None = None
    left_at: float | None = None
    """Given up, timed out or led on without a member."""
    exit: str | None = None
    waited: float | None = None
    talked: float | None = None
    ended_at: float | None = None
    ended: str | None = None
    """COMPLETEAGENT, COMPLETECALLER, or the kind of a transfer."""

    @property
    def over(self) -> bool:
        """Whether the log tells how it ended."""
        return self.exit is not None or self.ended is not None

    @property
    def last_at(self) -> float:
        return max((at for at in (self.entered_at, self.connected_at, self.left_at, self.ended_at) if at), default=0.0)


def parse_line(line: str) -> Entry | None:
    """What a whole line tells. Raises ``ValueError`` for what is no line of a queue_log; ``None`` for what is not of a
    call (pauses, members that come and go, phones that rang)."""
    if len(line) > MAX_LINE:
        raise ValueError("too long")
    fields = line.rstrip("\r\n").split("|")
    if len(fields) < 5:
        raise ValueError("too few fields")
    at = float(fields[0])
    if not 0 < at < LATEST:
        raise ValueError("no time")
    event = fields[4]
    if event not in _OF_A_CALL and event != START:
        if not event.isascii() or not event.replace("_", "").isalnum():
            raise ValueError("no event")
        return None
    data = fields[5:]
    return Entry(
        at,
        text(fields[1], 150),
        text(fields[2], 80),
        text(fields[3], 80),
        event,
        _number(data, _WAITED_AT.get(event)),
        _number(data, _TALKED_AT.get(event)),
    )


def parse_lines(lines: Iterable[str]) -> tuple[list[Entry], int]:
    """The entries, and how many lines were none."""
    found: list[Entry] = []
    bad = 0
    for line in lines:
        try:
            entry = parse_line(line)
        except ValueError:
            bad += 1
            continue
        if entry is not None:
            found.append(entry)
    return found, bad


def _number(data: list[str], place: int | None) -> float | None:
    if place is None or place >= len(data) or not data[place].isascii() or not data[place].isdigit():
        return None
    number = float(data[place][:9])
    return number if number < LATEST else None


def visits(entries: Iterable[Entry]) -> tuple[Visit, ...]:
    """The stays that the lines of one caller's channel tell of, in order. The order of lines within a second does not
    matter; a line without the one before it (a file that begins amid a call) begins a stay as well."""
    made: list[dict[str, Any]] = []
    for entry in sorted(entries, key=lambda one: one.at):
        if entry.event != START:
            _note(_stay_of(made, entry), entry)
    return tuple(Visit(**stay) for stay in made)


def _stay_of(made: list[dict[str, Any]], entry: Entry) -> dict[str, Any]:
    """The last stay in this queue that this line can still belong to, or a new one."""
    open_ones = [stay for stay in made if stay["queue"] == entry.queue and _open_for(stay, entry)]
    if open_ones:
        return open_ones[-1]
    begun: dict[str, Any] = {"uniqueid": entry.uniqueid, "queue": entry.queue}
    made.append(begun)
    return begun


def _open_for(stay: dict[str, Any], entry: Entry) -> bool:
    if entry.event == ENTERED:  # later in the file, but of the same second
        later = (stay.get(name) for name in ("connected_at", "left_at", "ended_at"))
        return "entered_at" not in stay and entry.at in set(later)
    if entry.event == CONNECTED:
        return "connected_at" not in stay and "exit" not in stay
    if entry.event == ABANDONED or entry.event in LEFT:
        return "exit" not in stay and "connected_at" not in stay
    return not ("ended" in stay or "exit" in stay)


def _note(stay: dict[str, Any], entry: Entry) -> None:
    if entry.event == ENTERED:
        stay["entered_at"] = entry.at
    elif entry.event == CONNECTED:
        stay |= {"connected_at": entry.at, "member": entry.member, "waited": entry.waited}
    elif entry.event == ABANDONED or entry.event in LEFT:
        stay |= {"left_at": entry.at, "exit": entry.event, "waited": entry.waited}
    else:
        stay |= {"ended_at": entry.at, "ended": entry.event, "talked": entry.talked}
