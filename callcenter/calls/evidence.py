"""What was observed of a call, in the form in which order and repetition do not matter.

The fold writes here and ``calls/derive`` reads. Every note is a first moment (the smaller wins), a fact that is set
once, or a member of a set; so the same events in another order, or some of them twice, leave the same evidence.
Asterisk orders events of different topics only within about 50 ms, which is why nothing here is a state machine.

Never: interprets, reads a clock, or holds more than its limits.
"""

import re
from dataclasses import dataclass, field

from callcenter.ami.events import LISTENER, MemberState
from callcenter.calls.intervals import earliest
from callcenter.calls.naming import device, endpoint, greeted_seat, seat_of, unwrapped

_AGE = re.compile(r"(\d{9,})\.(\d+)$")
MAX_LEGS = 300
"""Legs kept per call; beyond it the oldest attempts that never rang are forgotten (a busy seat is tried 5 times a
second)."""
SETTLED_SECONDS = 2.0
"""So long after its end nothing more is told of a channel; Asterisk reorders events within some 50 ms."""
MAX_NOTES = 400
"""Entries kept per list of a call or leg: holds, moves between bridges, queue visits, the dialplan's words."""
MAX_SAID = 12
"""Words on one leg's number and name that are kept."""
MAX_VARIABLES = 40
"""Variables kept per call; further ones are not taken."""

GREETING = "greeting"
"""The mark that tells which recorded greeting a seat's phone will play: its name ends with the seat."""

Moments = tuple[tuple[float, bool], ...]


@dataclass(slots=True)
class Leg:
    """One channel. Instants are epoch seconds; ``None`` means not seen."""

    uniqueid: str
    channel: str = ""
    endpoint: str = ""
    """The name of its endpoint, taken from its channel's once: channels' names are many, endpoints few."""
    local: bool = False
    created_at: float | None = None
    born: bool = False
    """Its Newchannel was seen."""
    exten: str = ""
    context: str = ""
    said: tuple[tuple[float, str, str], ...] = ()
    """(when, number, name): what Asterisk called whoever is at this end."""
    dialled_at: float | None = None
    dialler: str = ""
    dial_string: str = ""
    ringing_at: float | None = None
    dial_ended_at: float | None = None
    up_at: float | None = None
    was_up: bool = False
    """It was up already when somebody first looked."""
    requested_at: float | None = None
    hangup_at: float | None = None
    end_unseen: bool = False
    """It was gone when somebody looked again; ``hangup_at`` is then the moment of that look, and its end was before."""
    cause: int | None = None
    tech_cause: int | None = None
    connected: bool = False
    """A queue put its caller through to this leg."""
    lost_to_at: float | None = None
    """Another seat took this ringing leg's call by call pickup."""
    picked_at: float | None = None
    """This leg took the call by call pickup: its own lifting was for the feature code."""
    moves: tuple[tuple[float, str, bool], ...] = ()
    """(when, bridge, entered)."""
    holds: Moments = ()
    music: Moments = ()

    @property
    def joined_at(self) -> float | None:
        """When it first came into a bridge."""
        return min((at for at, _, entered in self.moves if entered), default=None)

    @property
    def gone_at(self) -> float | None:
        """When it was gone. A dialplan may work on for a while after the hang-up, and Hangup comes at the end."""
        return earliest(self.requested_at, self.hangup_at)

    @property
    def lifted_at(self) -> float | None:
        """When its phone was lifted for this call."""
        return self.up_at if self.picked_at is None else self.picked_at

    @property
    def lifted(self) -> bool:
        return self.lifted_at is not None or self.was_up or self.talked

    @property
    def talked(self) -> bool:
        """It was in a bridge; where only its leaving was seen, since before anybody looked."""
        return bool(self.moves)


@dataclass(slots=True)
class Transferred:
    at: float
    kind: str
    leg: str
    """Uniqueid of the leg that transferred the caller away."""
    channel: str
    to: str
    target: str = ""
    target_channel: str = ""


@dataclass(slots=True)
class Evidence:
    """All that was observed of one call (one linkedid, and those that became part of it)."""

    call_id: str
    first_at: float
    last_at: float
    legs: dict[str, Leg] = field(default_factory=dict)
    joins: tuple[tuple[float, str, str], ...] = ()
    leaves: tuple[tuple[float, str, str], ...] = ()
    transfers: tuple[Transferred, ...] = ()
    marks: tuple[tuple[float, str, str], ...] = ()
    """(when, what, value): the dialplan's own words, of which ``calls/fold`` knows the meaning."""
    forgotten: frozenset[str] = frozenset()
    """Uniqueids of legs that the limit on legs removed."""
    variables: dict[str, str] = field(default_factory=dict)
    recording: str = ""
    recording_seat: str = ""
    recording_caller: str = ""
    recording_at: float | None = None
    recording_leg: str = ""
    """Uniqueid of the leg that is recorded."""
    gap: bool = False
    """Something of it may have happened while nobody listened."""
    lost: bool = False
    """It was gone when the link came back: its end was not seen."""
    lost_at: float | None = None
    merged_into: str = ""


class Book:
    """The evidence of all calls of one server, and what was learned of its endpoints."""

    def __init__(self) -> None:
        self.calls: dict[str, Evidence] = {}
        self.owner: dict[str, str] = {}
        """uniqueid -> call_id; also of legs that were forgotten."""
        self.merged: dict[str, str] = {}
        self.retired: dict[str, float] = {}
        """Calls that ended and were let go: a late event does not raise them again."""
        self.seats: set[str] = set()
        self.lines: set[str] = set()
        self._members: dict[tuple[str, str], MemberState] = {}
        """By (queue, interface)."""
        self._memberships: dict[str, list[tuple[str, str]]] = {}
        self.touched_seats: set[str] = set()
        """Seats of which some queue says something else now."""
        self.touched: set[str] = set()
        self.now = 0.0
        """The latest moment any event told."""

    def call(self, call_id: str, at: float) -> Evidence | None:
        """The evidence of a call, begun if need be; ``None`` for one that was let go."""
        call_id = self.resolve(call_id)
        call = self.calls.get(call_id)
        if call is None:
            if not call_id or call_id in self.retired:
                return None
            call = self.calls[call_id] = Evidence(call_id, at, at)
        if at > call.last_at:
            call.last_at = at
        elif at < call.first_at:
            call.first_at = at
        self.touched.add(call_id)
        return call

    def resolve(self, call_id: str) -> str:
        while call_id in self.merged:
            call_id = self.merged[call_id]
        return call_id

    def leg(self, uniqueid: str, linkedid: str, channel: str, at: float) -> tuple[Evidence, Leg] | None:
        """The leg an event speaks of, and its call. Follows Asterisk when it links a channel to an older call."""
        if uniqueid.startswith(LISTENER):
            return None
        owner = self.owner.get(uniqueid)
        if owner is None:
            owner = linkedid
        elif (
            linkedid
            and linkedid != owner
            and not self._half(uniqueid, channel)
            and (self.resolve(linkedid) != self.resolve(owner))
        ):
            owner = self._relink(uniqueid, owner, linkedid, at)
        call = self.call(owner, at)
        if call is None:
            return None
        leg = call.legs.get(uniqueid)
        if leg is None:
            if uniqueid in call.forgotten:
                return None
            leg = call.legs[uniqueid] = Leg(uniqueid)
            self.owner[uniqueid] = call.call_id
            if len(call.legs) > MAX_LEGS:
                _forget_idle(call)
        if channel and not leg.channel and "<" not in channel:
            leg.channel = unwrapped(channel)
            leg.endpoint = endpoint(channel)
            leg.local = leg.channel.startswith("Local/")
        return call, leg

    def _half(self, uniqueid: str, channel: str) -> bool:
        """Whether it is half a Local channel. That one joins another call is no word on the caller's: an agent who
        keeps the phone lifted (AgentLogin) is put through so, hour by hour, from a call of his own."""
        if channel:
            return channel.startswith("Local/")
        found = self.find(uniqueid)
        return found is not None and found[1].local

    def same(self, uniqueid: str) -> str:
        """The string itself by which this leg is known: one copy for all who name it."""
        found = self.find(uniqueid)
        return found[1].uniqueid if found else uniqueid

    def find(self, uniqueid: str) -> tuple[Evidence, Leg] | None:
        call = self.calls.get(self.resolve(self.owner.get(uniqueid, "")))
        leg = call.legs.get(uniqueid) if call else None
        return (call, leg) if call and leg else None

    def _relink(self, uniqueid: str, owner: str, linkedid: str, at: float) -> str:
        """Asterisk gives bridged channels the oldest linkedid among them: a consultation joins the customer's call."""
        older, younger = sorted((self.resolve(owner), self.resolve(linkedid)), key=self.age)
        if younger in self.calls and older not in self.retired:
            self.merge(younger, older, at)
        return older

    def merge(self, younger: str, older: str, at: float) -> None:
        into, gone = self.call(older, at), self.calls.pop(younger, None)
        if into is None or gone is None:
            return
        for uniqueid, leg in gone.legs.items():
            into.legs.setdefault(uniqueid, leg)
            self.owner[uniqueid] = into.call_id
        into.joins = tuple(dict.fromkeys((*into.joins, *gone.joins)))
        into.leaves = tuple(dict.fromkeys((*into.leaves, *gone.leaves)))
        into.marks = tuple(dict.fromkeys((*into.marks, *gone.marks)))
        into.transfers += gone.transfers
        into.forgotten |= gone.forgotten
        into.gap |= gone.gap
        into.variables = gone.variables | into.variables
        if gone.recording_at is not None and (into.recording_at is None or gone.recording_at < into.recording_at):
            into.recording, into.recording_at = gone.recording, gone.recording_at
            into.recording_seat, into.recording_caller = gone.recording_seat, gone.recording_caller
            into.recording_leg = gone.recording_leg
        self.merged[younger] = into.call_id
        self.touched.add(younger)
        self.touched.add(into.call_id)

    def age(self, call_id: str) -> tuple[float, int]:
        found = _AGE.search(call_id)
        if found:
            return float(found[1]), int(found[2])
        call = self.calls.get(call_id)
        return (call.first_at if call else self.now), 0

    # --- queue members -------------------------------------------------------------------------------------------

    def members_of(self, seat: str) -> list[MemberState]:
        """What each queue says of this seat."""
        return [self._members[key] for key in self._memberships.get(seat, ())]

    def member_seen(self, member: MemberState) -> None:
        key = member.queue, member.interface
        known = self._members.get(key)
        self._members[key] = member
        if known is None or known.state_interface != member.state_interface:
            self._enlist(member, known)
        elif known[1:] != member[1:]:
            self.touched_seats.add(seat_of(member))

    def _enlist(self, member: MemberState, known: MemberState | None) -> None:
        key = member.queue, member.interface
        if known is not None:
            self._memberships[seat_of(known)].remove(key)
        self._memberships.setdefault(seat_of(member), []).append(key)
        self.touched_seats.add(seat_of(member))
        for interface in (member.interface, member.state_interface):
            if interface and not interface.startswith(("Local/", "Custom:", "hint:")):
                self.seats.add(device(interface))

    def member_gone(self, queue: str, interface: str) -> None:
        known = self._members.pop((queue, interface), None)
        if known is not None:
            self._memberships[seat_of(known)].remove((queue, interface))
            self.touched_seats.add(seat_of(known))

    def no_members(self) -> None:
        """A snapshot will tell them all anew."""
        self.touched_seats |= self._memberships.keys()
        self._members.clear()
        self._memberships.clear()

    # --- the end of a call ---------------------------------------------------------------------------------------

    def idle(self, call_id: str) -> bool:
        """Whether no channel that is known to live belongs to it."""
        call = self.calls.get(call_id)
        return call is None or all(leg.hangup_at is not None or not leg.channel for leg in call.legs.values())

    def slim(self, call_id: str) -> None:
        """Keep of what a running call rang in vain only what will be asked for while it is talked: it may have rung
        a dozen channels. Halves of Local channels go whole."""
        call = self.calls.get(call_id)
        first = call.legs.get(call_id) if call is not None else None
        if call is None or first is None or first.local:
            return  # the caller's own leg may be any of these
        settled = self.now - SETTLED_SECONDS
        over = [leg for uniqueid, leg in call.legs.items() if uniqueid != call_id and _rang_in_vain(leg, settled)]
        gone = {leg.uniqueid for leg in over if leg.local}
        if gone:
            call.legs = {uniqueid: leg for uniqueid, leg in call.legs.items() if uniqueid not in gone}
        for leg in over:
            self.owner.pop(leg.uniqueid, None)  # a straggler names the call
            if leg.dialled_at is not None and not leg.local:
                _thin(leg, leg.dialler if leg.dialler in call.legs else "")
        alive = {leg.endpoint for leg in call.legs.values() if leg.hangup_at is None}
        call.marks = tuple(mark for mark in call.marks if mark[1] != GREETING or greeted_seat(mark[2]) in alive)

    def let_go(self, call_id: str) -> None:
        """Forget an ended call; its id is remembered for a while so that a straggler does not begin it anew."""
        call = self.calls.pop(call_id, None)
        if call is None:
            return
        for uniqueid in (*call.legs, *call.forgotten):
            self.owner.pop(uniqueid, None)
        self.retired[call_id] = call.last_at
        for younger in [y for y, older in self.merged.items() if older == call_id]:
            del self.merged[younger]
            self.retired[younger] = call.last_at
        while len(self.retired) > 20_000:
            del self.retired[next(iter(self.retired))]


def _rang_in_vain(leg: Leg, settled: float) -> bool:
    return leg.hangup_at is not None and leg.hangup_at < settled and not leg.moves and not leg.connected


def _thin(leg: Leg, dialler: str) -> None:
    """An attempt that is over: when it began, rang and ended, at which endpoint. Which of its channels that was is of
    no use any more, nor what its display showed; strings and numbers that say the same become one."""
    leg.created_at = leg.dialled_at = earliest(leg.created_at, leg.dialled_at)
    leg.dial_ended_at = leg.hangup_at = earliest(leg.dial_ended_at, leg.hangup_at)
    leg.channel = leg.endpoint
    leg.dialler = dialler
    leg.said = ()


def _forget(call: Evidence, uniqueids: list[str]) -> None:
    if uniqueids:
        gone = call.forgotten | set(uniqueids)
        call.legs = {uniqueid: leg for uniqueid, leg in call.legs.items() if uniqueid not in gone}
        call.forgotten = gone


def _forget_idle(call: Evidence) -> None:
    idle = [
        u
        for u, leg in call.legs.items()
        if leg.hangup_at is not None and leg.ringing_at is None and leg.up_at is None and u != call.call_id
    ]
    _forget(call, idle[: len(idle) // 2])
