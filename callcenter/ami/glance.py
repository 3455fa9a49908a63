"""Frequent events read at a glance: from bytes to the typed event in one step, where nothing is out of the ordinary.

On the path of a call: ``ami/codec`` offers each frame of use here first. Asterisk writes an event's headers always in
the same order (``ast_manager_build_channel_state_string_prefix`` and its kin in ``main/manager_channels.c``), so one
regular expression per event knows the whole frame; which is a third of what splitting it into a dictionary costs.

Promises: what it returns equals ``parse(codec.parse(frame))``. A frame in which one line is unexpected, missing, twice,
longer than Asterisk's own words, escaped, no UTF-8 or without a time is left to that path (``None``), where hostile
input is dealt with.
Never: guesses, keeps state, or skips a line that it does not know.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from callcenter.ami import events as ami
from callcenter.ami.codec import Framer, Message, parse
from callcenter.ami.events import Event
from callcenter.ami.values import (
    IDENTIFIES,
    LATEST,
    MAX_ID,
    agent_called,
    member_state,
    named,
    new_callerid,
    newchannel,
    whole,
)

_CHANNEL = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
)
_DEST = tuple("Dest" + header for header in _CHANNEL)
_BRIDGE = (
    *("BridgeUniqueid", "BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels"),
    "BridgeVideoSourceMode",
)
_MEMBER = (
    *("Queue", "MemberName", "Interface", "StateInterface", "Membership", "Penalty", "CallsTaken", "LastCall"),
    *("LastPause", "LoginTime", "InCall", "Status", "Paused", "PausedReason", "Ringinuse", "Wrapuptime"),
)
_ANY, _SHORT, _FULL = r"[^\r\n]*", rf"[^\r\n]{{0,{MAX_ID}}}", rf"[^\r\n]{{1,{MAX_ID}}}"
_BREAK = r"\r\n"
_IDS = ("Uniqueid", "Linkedid", "Channel")
_HEAD = (
    r"Event: {}\r\nPrivilege: [^\r\n]*\r\n(?:SequenceNumber: [0-9]+\r\n)?"
    r"Timestamp: ([0-9]{{1,11}}\.[0-9]{{1,9}})\r\n(?:SystemName: [^\r\n]*\r\n)?"
)


class _Shape(NamedTuple):
    match: Callable[[str], re.Match[str] | None]
    make: Callable[..., Event]
    groups: tuple[int, ...]


def _shape(
    name: str,
    make: Callable[..., Event],
    headers: tuple[str, ...],
    read: tuple[str, ...],
    needs: tuple[str, ...],
    may_end: tuple[str, ...] = (),
) -> tuple[bytes, _Shape]:
    """``headers`` in Asterisk's order, ``read`` in that of ``make``'s arguments; ``needs`` may not be empty;
    ``may_end``: headers that may follow, and are not read."""
    values = {header: _SHORT if header in IDENTIFIES else _ANY for header in headers}
    values |= {header: f"({_FULL if header in needs else _SHORT})" for header in read}
    body = _BREAK.join(f"{header}: {value}" for header, value in values.items())
    ends = "".join(f"(?:{_BREAK}{header}: {_ANY})?" for header in may_end)
    order = [header for header in headers if header in read]
    groups = tuple(2 + order.index(header) for header in read)
    return name.encode(), _Shape(re.compile(_HEAD.format(name) + body + ends).fullmatch, make, groups)


def _on_channel(name: str, make: Callable[..., Event], *may_end: str) -> tuple[bytes, _Shape]:
    return _shape(name, make, _CHANNEL, _IDS, ("Uniqueid",), may_end)


def _on_dest(name: str, make: Callable[..., Event]) -> tuple[bytes, _Shape]:
    read = ("DestUniqueid", "DestLinkedid", "DestChannel", "DialStatus")
    return _shape(name, make, (*_CHANNEL, *_DEST, "DialStatus"), read, ("DestUniqueid",))


def _in_queue(name: str, kind: Callable[..., Event]) -> tuple[bytes, _Shape]:
    def make(at: float, uniqueid: str, linkedid: str, channel: str, queue: str, count: str) -> Event:
        return kind(at, uniqueid, linkedid, channel, named(queue), whole(count))

    headers = (*_CHANNEL, "Queue", "Position", "Count")
    return _shape(name, make, headers, (*_IDS, "Queue", "Count"), ("Uniqueid", "Queue"))


def _in_bridge(name: str, make: Callable[..., Event]) -> tuple[bytes, _Shape]:
    read = (*_IDS, "BridgeUniqueid")
    return _shape(name, make, (*_BRIDGE, *_CHANNEL), read, ("Uniqueid", "BridgeUniqueid"))


_NAMED = ("Uniqueid", "Linkedid", "Channel", "CallerIDNum", "CallerIDName")
_SHAPES = dict(
    [
        _shape("Newstate", ami.Newstate, _CHANNEL, (*_IDS, "ChannelStateDesc"), ("Uniqueid",)),
        _shape(
            *("Newchannel", newchannel, _CHANNEL),
            (*_IDS, "ChannelStateDesc", "CallerIDNum", "CallerIDName", "Context", "Exten"),
            ("Uniqueid",),
        ),
        _shape("NewCallerid", new_callerid, (*_CHANNEL, "CID-CallingPres"), _NAMED, ("Uniqueid",)),
        _shape(
            *("Hangup", lambda at, u, li, ch, why: ami.Hangup(at, u, li, ch, whole(why), ""), (*_CHANNEL, "Cause")),
            (*_IDS, "Cause"),
            ("Uniqueid",),
            ("Cause-txt",),  # with a TechCause it is looked at with care
        ),
        _on_channel("HangupRequest", ami.HangupRequest, "Cause", "TechCause"),
        _on_channel("Hold", ami.Hold, "MusicClass"),
        _on_channel("Unhold", ami.Unhold),
        _on_channel("MusicOnHoldStart", ami.MusicOnHoldStart, "Class"),
        _on_channel("MusicOnHoldStop", ami.MusicOnHoldStop),
        _on_dest("DialState", ami.DialState),
        _on_dest("DialEnd", ami.DialEnd),
        _in_bridge("BridgeEnter", ami.BridgeEnter),
        _in_bridge("BridgeLeave", ami.BridgeLeave),
        _shape(
            *("DialBegin", ami.DialBegin, (*_CHANNEL, *_DEST, "DialString")),
            (*_IDS, "DestUniqueid", "DestLinkedid", "DestChannel", "DialString"),
            ("DestUniqueid",),
        ),
        _in_queue("QueueCallerJoin", ami.QueueCallerJoin),
        _in_queue("QueueCallerLeave", ami.QueueCallerLeave),
        _shape(
            *("AgentCalled", agent_called, (*_CHANNEL, *_DEST, "Queue", "Interface", "MemberName")),
            ("Uniqueid", "Linkedid", "DestUniqueid", "DestChannel", "Queue", "Interface", "MemberName"),
            ("Uniqueid", "Queue"),
        ),
        _shape(
            *("QueueMemberStatus", member_state, _MEMBER),
            ("Queue", "Interface", "StateInterface", "MemberName", "Status", "Paused", "PausedReason", "LastPause"),
            ("Queue", "Interface"),
        ),
    ]
)


class EventDecoder(Framer):
    """Frequent events become typed events at once, every other message a dictionary for ``ami/parse``."""

    def read(self, data: bytes) -> list[Event | Message]:
        return super().read(data)

    def _keep(self, frame: bytes, messages: list[Any]) -> None:
        found = glance(frame) or parse(frame)
        if found is None:
            self.counts["hostile"] += 1
        else:
            messages.append(found)


def glance(frame: bytes) -> Event | None:
    """The event of a frame (without its empty line), or ``None`` where it has to be looked at with care."""
    shape = _SHAPES.get(frame[7 : frame.find(b"\r\n")])
    if shape is None or b"\\" in frame:
        return None
    try:
        found = shape.match(frame.decode())
    except UnicodeDecodeError:
        return None
    if found is None or not 0 < (at := float(found[1])) < LATEST:
        return None
    event: Event = shape.make(at, *found.group(*shape.groups))
    return event


def known() -> frozenset[str]:
    """The names of the events that have a shape here."""
    return frozenset(name.decode() for name in _SHAPES)
