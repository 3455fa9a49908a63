"""Events become evidence: the pure heart of the path of a call.

``fold(book, event)`` notes what one event tells. It is commutative and idempotent within a call: repeated events and
events reordered within the window that a real Asterisk shows leave the same evidence (``calls/evidence``), from which
``calls/derive`` makes the call.

Promises: total (no event raises, whatever it says), in memory bounded per call, and fast: a few dictionary look-ups.
Never: decides anything, reads a clock, performs anything.
"""

from collections.abc import Callable, Iterator
from sys import intern
from typing import Any

from callcenter.ami import events as ami
from callcenter.calls.evidence import (
    GREETING,
    MAX_NOTES,
    MAX_SAID,
    MAX_VARIABLES,
    Book,
    Evidence,
    Leg,
    Transferred,
)
from callcenter.calls.naming import device, is_line

STEP = "CallcenterStep"
"""The UserEvent by which the dialplan tells what it does; ``Step`` says what, ``Detail`` with what."""
ARRIVAL = "arrival"
SENT_TO = "sent_to"
OVERFLOW = "overflow"
ANNOUNCEMENT = "announcement"
QUEUE_STATUS = "queue_status"
RECORDING_PAUSED, RECORDING_RESUMED = "recording_paused", "recording_resumed"
_MARKS = frozenset(
    (ARRIVAL, SENT_TO, OVERFLOW, ANNOUNCEMENT, QUEUE_STATUS, GREETING, RECORDING_PAUSED, RECORDING_RESUMED)
)
SLICE = 250
"""Channels of a snapshot that are noted in one go: a few milliseconds."""


def fold(book: Book, event: ami.Event) -> None:
    """Note what ``event`` tells of the calls in ``book``; ``book.touched`` gains the calls it concerned."""
    note = _NOTES.get(type(event))
    if note is None:
        return
    at = event.at if event.at is not None else book.now
    if at > book.now:
        book.now = at
    note(book, event, at)


def _first(known: float | None, at: float) -> float:
    return at if known is None or at < known else known


def _newchannel(book: Book, e: ami.Newchannel, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if found is None:
        return
    _, leg = found
    leg.born = True
    leg.created_at = _first(leg.created_at, at)
    leg.exten, leg.context = intern(e.exten), intern(e.context)
    _named(leg, at, e.caller_number, e.caller_name)
    if e.state == "Up":
        leg.up_at = _first(leg.up_at, at)


def _with(call: Evidence, notes: tuple[Any, ...], entry: Any) -> tuple[Any, ...]:
    """Keeps ``entry`` once. A phone may hold and resume a thousand times: beyond the limit the call is not whole."""
    if entry in notes:
        return notes
    call.gap = call.gap or len(notes) >= MAX_NOTES
    return (*notes, entry) if len(notes) < MAX_NOTES else notes


def _named(leg: Leg, at: float, number: str, name: str) -> None:
    """An empty word tells nothing, and nobody sits at a Local channel."""
    if leg.local:
        return
    entry = at, intern(number), intern(name)
    if (number or name) and entry not in leg.said and len(leg.said) < MAX_SAID:
        leg.said += (entry,)


def _newstate(book: Book, e: ami.Newstate, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if found is None:
        return
    _, leg = found
    if e.state == "Up":
        leg.up_at = _first(leg.up_at, at)
    elif e.state == "Ringing":
        leg.ringing_at = _first(leg.ringing_at, at)


def _new_callerid(book: Book, e: ami.NewCallerid, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if found is not None:
        _named(found[1], at, e.caller_number, e.caller_name)


def _hangup(book: Book, e: ami.Hangup, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if found is None:
        return
    call, leg = found
    leg.hangup_at, leg.end_unseen = _first(leg.hangup_at, at), False
    leg.cause = e.cause if leg.cause is None else leg.cause
    leg.tech_cause = e.tech_cause if leg.tech_cause is None else leg.tech_cause
    if e.recording and call.recording_at is None:
        call.recording = min(e.recording, call.recording or e.recording)


def _hangup_request(book: Book, e: ami.HangupRequest, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if found is not None:
        found[1].requested_at = _first(found[1].requested_at, at)


def _dial_begin(book: Book, e: ami.DialBegin, at: float) -> None:
    found = book.leg(e.dest_uniqueid, e.dest_linkedid or e.linkedid, e.dest_channel, at)
    if found is None:
        return
    _, leg = found
    leg.dialled_at = _first(leg.dialled_at, at)
    leg.dialler = leg.dialler or book.same(e.uniqueid)
    # Queue() writes the technology in front, Dial() does not.
    leg.dial_string = leg.dial_string or intern(e.dial_string.removeprefix(leg.channel.partition("/")[0] + "/"))
    if not leg.local:
        place = book.lines if is_line(leg.dial_string, leg.endpoint) else book.seats
        place.add(leg.endpoint)


def _dial_state(book: Book, e: ami.DialState, at: float) -> None:
    found = book.leg(e.dest_uniqueid, e.dest_linkedid, e.dest_channel, at)
    if found is not None and e.status == "RINGING":
        found[1].ringing_at = _first(found[1].ringing_at, at)


def _dial_end(book: Book, e: ami.DialEnd, at: float) -> None:
    found = book.leg(e.dest_uniqueid, e.dest_linkedid, e.dest_channel, at)
    if found is not None and e.status != "ANSWER":
        found[1].dial_ended_at, found[1].end_unseen = _first(found[1].dial_ended_at, at), False


def _move(entered: bool) -> Callable[[Book, Any, float], None]:
    def note(book: Book, e: ami.BridgeEnter | ami.BridgeLeave, at: float) -> None:
        found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
        if found is None:
            return
        call, leg = found
        leg.moves = _with(call, leg.moves, (at, _same_bridge(call, e.bridge), entered))

    return note


def _same_bridge(call: Evidence, bridge: str) -> str:
    """One copy of a bridge's long name for all legs in it."""
    return next((known for leg in call.legs.values() for _, known, _ in leg.moves if known == bridge), bridge)


def _pressed(on: bool, music: bool) -> Callable[[Book, Any, float], None]:
    def note(book: Book, e: ami.Hold | ami.Unhold, at: float) -> None:
        found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
        if found is None:
            return
        call, leg = found
        if music:
            leg.music = _with(call, leg.music, (at, on))
        else:
            leg.holds = _with(call, leg.holds, (at, on))

    return note


def _queue_join(book: Book, e: ami.QueueCallerJoin, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if found is not None:
        found[0].joins = _with(found[0], found[0].joins, (at, intern(e.queue), found[1].uniqueid))


def _queue_leave(book: Book, e: ami.QueueCallerLeave, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if found is not None:
        found[0].leaves = _with(found[0], found[0].leaves, (at, intern(e.queue), found[1].uniqueid))


def _agent_called(book: Book, e: ami.AgentCalled, at: float) -> None:
    name = device(e.interface)
    if name and not e.interface.startswith("Local/"):
        book.seats.add(name)
    if e.dest_uniqueid:
        found = book.leg(e.dest_uniqueid, e.linkedid, e.dest_channel, at)
        if found is not None:
            found[1].dialled_at = _first(found[1].dialled_at, at)
            found[1].dialler = found[1].dialler or e.uniqueid


def _agent_connect(book: Book, e: ami.AgentConnect, at: float) -> None:
    book.leg(e.uniqueid, e.linkedid, "", at)
    member = book.leg(e.dest_uniqueid, e.linkedid, e.dest_channel, at) if e.dest_uniqueid else None
    if member is not None:
        member[1].connected = True


def _blind_transfer(book: Book, e: ami.BlindTransfer, at: float) -> None:
    found = book.leg(e.transferer_uniqueid, e.transferer_linkedid, e.transferer_channel, at)
    if found is None or e.result not in ("", "Success"):
        return
    entry = Transferred(at, "blind", e.transferer_uniqueid, e.transferer_channel, e.extension)
    _transferred(found[0], entry)


def _attended_transfer(book: Book, e: ami.AttendedTransfer, at: float) -> None:
    found = book.leg(e.orig_uniqueid, e.orig_linkedid, e.orig_channel, at)
    if found is None or e.result not in ("", "Success"):
        return
    call = found[0]
    if e.second_uniqueid and e.second_linkedid:
        second = book.leg(e.second_uniqueid, e.second_linkedid, e.second_channel, at)
        if second is not None and second[0] is not call:
            older, younger = sorted((call.call_id, second[0].call_id), key=book.age)
            book.merge(younger, older, at)
            call = book.calls[older]
    _transferred(
        call,
        Transferred(at, "attended", e.orig_uniqueid, e.orig_channel, "", e.target_uniqueid, e.target_channel),
    )


def _transferred(call: Evidence, entry: Transferred) -> None:
    if not any(t.leg == entry.leg and t.kind == entry.kind and abs(t.at - entry.at) < 0.001 for t in call.transfers):
        call.transfers = _with(call, call.transfers, entry)


def _pickup(book: Book, e: ami.Pickup, at: float) -> None:
    """A seat takes over another's ringing leg; the call it dialled the feature code with becomes part of this one."""
    target = book.leg(e.target_uniqueid, e.target_linkedid, e.target_channel, at)
    own = book.leg(e.uniqueid, e.linkedid, e.channel, at)
    if target is None or own is None:
        return
    target[1].lost_to_at = _first(target[1].lost_to_at, at)
    own[1].picked_at = _first(own[1].picked_at, at)
    if own[0] is not target[0]:
        older, younger = sorted((target[0].call_id, own[0].call_id), key=book.age)
        book.merge(younger, older, at)


def _local_bridge(book: Book, e: ami.LocalBridge, at: float) -> None:
    one = book.leg(e.one_uniqueid, e.one_linkedid, "", at)
    two = book.leg(e.two_uniqueid, e.two_linkedid, "", at)
    for found in (one, two):
        if found is not None:
            found[1].local = True


def _recording(book: Book, e: ami.RecordingStarted, at: float) -> None:
    found = book.leg(e.uniqueid, e.linkedid, "", at)
    if found is None:
        return
    call = found[0]
    told = bool(e.seat_path or e.caller_path)
    if call.recording_at is None or told or (at < call.recording_at and not call.recording_seat):
        call.recording, call.recording_at = e.path, at
        call.recording_seat, call.recording_caller = e.seat_path, e.caller_path
        call.recording_leg = found[1].uniqueid


def _queue_status(book: Book, e: ami.QueueStatusSet, at: float) -> None:
    _mark(book, e.uniqueid, e.linkedid, at, QUEUE_STATUS, e.status)


def recording_paused(uniqueid: str, linkedid: str, paused: bool, by: str, at: float) -> ami.UserEvent:
    """What the daemon tells the call when Asterisk has silenced its recording, or not any more."""
    step = RECORDING_PAUSED if paused else RECORDING_RESUMED
    return ami.UserEvent(at, uniqueid, linkedid, STEP, (("Detail", by), ("Step", step)))


def _mark(book: Book, uniqueid: str, linkedid: str, at: float, what: str, value: str) -> None:
    found = book.leg(uniqueid, linkedid, "", at) if uniqueid else None
    if found is not None and what in _MARKS:
        found[0].marks = _with(found[0], found[0].marks, (at, intern(what), intern(value)))


def _user_event(book: Book, e: ami.UserEvent, at: float) -> None:
    fields = dict(e.fields)
    if e.name == STEP:
        _mark(book, e.uniqueid, e.linkedid, at, fields.get("Step", ""), fields.get("Detail", ""))
        if fields.get("Step") == ARRIVAL and fields.get("Queue"):
            _mark(book, e.uniqueid, e.linkedid, at, SENT_TO, fields["Queue"])
    elif e.name == "CallcenterVariable":
        found = book.leg(e.uniqueid, e.linkedid, "", at) if e.uniqueid else None
        name = fields.get("Name", "")
        if found is not None and name and (name in found[0].variables or len(found[0].variables) < MAX_VARIABLES):
            found[0].variables[name] = fields.get("Value", "")
    elif "overflow" in e.name.lower():
        _mark(book, e.uniqueid, e.linkedid, at, OVERFLOW, fields.get("Reason", ""))


def _member(book: Book, e: ami.MemberState, at: float) -> None:
    book.member_seen(e)


def _member_gone(book: Book, e: ami.MemberGone, at: float) -> None:
    book.member_gone(e.queue, e.interface)


def _link_lost(book: Book, e: ami.LinkLost, at: float) -> None:
    for call in book.calls.values():
        if any(leg.hangup_at is None and not leg.local for leg in call.legs.values()):
            call.gap = True
            book.touched.add(call.call_id)


def _snapshot(book: Book, e: ami.Snapshot, at: float) -> None:
    """What is alive after a log-in. Other legs are gone, at a time nobody saw."""
    for _ in fold_snapshot(book, e, at):
        pass


def fold_snapshot(book: Book, e: ami.Snapshot, at: float) -> Iterator[None]:
    """The same in slices of ``SLICE`` channels, for a caller who must do something else in between."""
    alive = {channel.uniqueid for channel in e.channels}
    for call in book.calls.values():
        for leg in call.legs.values():
            if leg.hangup_at is None and leg.uniqueid not in alive:
                leg.hangup_at, call.lost, call.gap = at, True, True
                leg.end_unseen = leg.dial_ended_at is None
                call.lost_at = _first(call.lost_at, at)
                book.touched.add(call.call_id)
    for number, channel in enumerate(e.channels, 1):
        _snapshot_channel(book, channel, at)
        if number % SLICE == 0:
            yield
    book.no_members()
    for member in e.members:
        book.member_seen(member)


def _snapshot_channel(book: Book, channel: ami.SnapshotChannel, at: float) -> None:
    known = channel.uniqueid in book.owner
    found = book.leg(channel.uniqueid, channel.linkedid, channel.channel, at)
    if found is None:
        return
    call, leg = found
    if not known:
        leg.created_at = at - channel.age_seconds
        leg.exten, leg.context = channel.exten, channel.context
        call.gap = True
    if not leg.said:
        _named(leg, at, channel.caller_number, channel.caller_name)
    if channel.state == "Ringing" and not leg.local:
        leg.ringing_at = leg.ringing_at if leg.ringing_at is not None else at
    leg.was_up = leg.was_up or channel.state == "Up"
    if channel.bridge and not leg.moves:
        leg.moves = ((at, channel.bridge, True),)


_NOTES: dict[type, Callable[[Book, Any, float], None]] = {
    ami.Newchannel: _newchannel,
    ami.Newstate: _newstate,
    ami.NewCallerid: _new_callerid,
    ami.Hangup: _hangup,
    ami.HangupRequest: _hangup_request,
    ami.DialBegin: _dial_begin,
    ami.DialState: _dial_state,
    ami.DialEnd: _dial_end,
    ami.BridgeEnter: _move(True),
    ami.BridgeLeave: _move(False),
    ami.Hold: _pressed(True, music=False),
    ami.Unhold: _pressed(False, music=False),
    ami.MusicOnHoldStart: _pressed(True, music=True),
    ami.MusicOnHoldStop: _pressed(False, music=True),
    ami.QueueCallerJoin: _queue_join,
    ami.QueueCallerLeave: _queue_leave,
    ami.AgentCalled: _agent_called,
    ami.AgentConnect: _agent_connect,
    ami.BlindTransfer: _blind_transfer,
    ami.AttendedTransfer: _attended_transfer,
    ami.Pickup: _pickup,
    ami.LocalBridge: _local_bridge,
    ami.RecordingStarted: _recording,
    ami.QueueStatusSet: _queue_status,
    ami.UserEvent: _user_event,
    ami.MemberState: _member,
    ami.MemberGone: _member_gone,
    ami.LinkLost: _link_lost,
    ami.Snapshot: _snapshot,
}
