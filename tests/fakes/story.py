"""A call told as a table of the events that a real Asterisk sends, for the tests of the fold and what rests on it.

A line is ``seconds event leg words...``; ``caller`` is the channel on the trunk, every other leg is named by its
endpoint ("1001"; a letter behind it, "1001b", makes a second leg of the same phone). Instants are ``T0`` + seconds.
"""

from collections.abc import Callable
from typing import Any

from callcenter.ami import events as ami
from callcenter.calls.derive import Terms, derive
from callcenter.calls.evidence import Book
from callcenter.calls.fold import fold
from callcenter.calls.model import Call
from callcenter.rules.cadence import Cadence

T0 = 1_700_000_000.0
CALL_ID = "pbx-1700000000.0"
CHINA = Cadence(1.0, 4.0)
TERMS = Terms("pbx", CHINA, lines=frozenset({"trunk"}))


class Legs:
    """Uniqueids and channel names by the names of the table, in order of appearance. ``caller`` is the first, and
    ``phone`` the endpoint it calls from."""

    def __init__(self, call_id: str = CALL_ID, phone: str = "trunk") -> None:
        self.call_id = call_id
        self.phone = phone
        self._numbers: dict[str, int] = {"caller": 0}

    def uniqueid(self, name: str) -> str:
        number = self._numbers.setdefault(name, len(self._numbers))
        return f"{self.call_id.rpartition('.')[0]}.{number + int(self.call_id.rpartition('.')[2])}"

    def channel(self, name: str) -> str:
        if "/" in name:
            return name
        phone = self.phone if name == "caller" else name.rstrip("abc")
        return f"PJSIP/{phone}-{self._numbers[name]:08x}"

    def of(self, name: str) -> tuple[str, str, str]:
        return self.uniqueid(name), self.call_id, self.channel(name)


def _newchannel(at: float, legs: Legs, name: str, state: str, number: str = "", exten: str = "", *words: str) -> Any:
    return ami.Newchannel(at, *legs.of(name), state, number, " ".join(words), "from-trunk", exten)


def _dial(at: float, legs: Legs, name: str, by: str = "caller", dial_string: str = "") -> Any:
    dial_string = dial_string or legs.of(name)[2].partition("/")[2].partition("-")[0]
    return ami.DialBegin(at, *legs.of(by), *legs.of(name), dial_string)


def _user_event(at: float, legs: Legs, name: str, event: str, *pairs: str) -> Any:
    fields = tuple(sorted(tuple(pair.split("=", 1)) for pair in pairs))
    return ami.UserEvent(at, *legs.of(name)[:2], event, fields)


def _clicked(at: float, legs: Legs, name: str) -> Any:
    """Asterisk rings a phone for an Originate: nobody dials it."""
    return ami.DialBegin(at, "", "", "", *legs.of(name), legs.phone)


def _found(legs: Legs, name: str) -> ami.SnapshotChannel:
    return ami.SnapshotChannel(*legs.of(name), "Up", *[""] * 7, 5.0)


_EVENTS: dict[str, Callable[..., Any]] = {
    "Newchannel": _newchannel,
    "DialBegin": _dial,
    "Clicked": _clicked,
    "UserEvent": _user_event,
    "Newstate": lambda at, legs, name, state: ami.Newstate(at, *legs.of(name), state),
    "DialState": lambda at, legs, name, state: ami.DialState(at, *legs.of(name), state),
    "DialEnd": lambda at, legs, name, status: ami.DialEnd(at, *legs.of(name), status),
    "BridgeEnter": lambda at, legs, name, bridge: ami.BridgeEnter(at, *legs.of(name), bridge),
    "BridgeLeave": lambda at, legs, name, bridge: ami.BridgeLeave(at, *legs.of(name), bridge),
    "Hold": lambda at, legs, name: ami.Hold(at, *legs.of(name)),
    "Unhold": lambda at, legs, name: ami.Unhold(at, *legs.of(name)),
    "HangupRequest": lambda at, legs, name: ami.HangupRequest(at, *legs.of(name)),
    "Hangup": lambda at, legs, name, cause="16": ami.Hangup(at, *legs.of(name), int(cause), ""),
    "QueueCallerJoin": lambda at, legs, name, queue: ami.QueueCallerJoin(at, *legs.of(name), queue, 1),
    "QueueCallerLeave": lambda at, legs, name, queue: ami.QueueCallerLeave(at, *legs.of(name), queue, 0),
    "QueueStatusSet": lambda at, legs, name, status: ami.QueueStatusSet(at, *legs.of(name)[:2], status),
    "NewCallerid": lambda at, legs, name, number="": ami.NewCallerid(at, *legs.of(name), number, ""),
    "BlindTransfer": lambda at, legs, name, to, result="Success": ami.BlindTransfer(
        at, *legs.of(name), legs.uniqueid("caller"), to, result
    ),
    "AttendedTransfer": lambda at, legs, name, target: ami.AttendedTransfer(
        at, *legs.of(name), "", "", "", legs.uniqueid("caller"), legs.uniqueid(target), legs.channel(target), "Success"
    ),
    "RecordingStarted": lambda at, legs, name: ami.RecordingStarted(
        at, *legs.of(name)[:2], *(f"call{track}.wav" for track in ("", "-seat", "-caller"))
    ),
    "LinkLost": lambda at, legs, *_: ami.LinkLost(at, "the network"),
    "Nobody": lambda at, legs, *_: ami.Snapshot(at, (), (), ()),
    "Alive": lambda at, legs, *names: ami.Snapshot(at, tuple(_found(legs, name) for name in names), (), ()),
}
"""``Nobody``: a snapshot in which nothing is alive; ``Alive``: one in which these legs are, lifted."""


def told(table: str, legs: Legs | None = None) -> list[ami.Event]:
    """The events of a table."""
    legs = legs or Legs()
    found: list[ami.Event] = []
    for line in filter(None, (line.strip() for line in table.splitlines())):
        seconds, kind, *words = line.split()
        found.append(_EVENTS[kind](T0 + float(seconds), legs, *words))
    return found


def book_of(events: list[ami.Event]) -> Book:
    book = Book()
    for event in events:
        fold(book, event)
    return book


def call_of(table: str, terms: Terms = TERMS, phone: str = "trunk") -> Call:
    """The one call that a table tells of, begun from ``phone``."""
    book = book_of(told(table, Legs(phone=phone)))
    (evidence,) = book.calls.values()
    call = derive(book, evidence, terms)
    assert call is not None
    return call


def seconds(at: float | None) -> float | None:
    """An instant as seconds of the table."""
    return None if at is None else round(at - T0, 3)
