"""Who took part in a call: the caller, which way it went, whom it rang and with what end, who lifted.

The first step of ``calls/derive``. Facts of Asterisk it rests on (measured on 22.10): a phone's pick-up is ``Newstate``
Up of its leg, earlier than DialEnd or BridgeEnter where a greeting is played; the end of a ring is DialEnd or Hangup,
whichever is first; a call pickup leaves the ringing leg without DialEnd and takes over with the picker's own leg.
Never: knows the rules, or changes the evidence.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.calls import intervals as iv
from callcenter.calls.evidence import Book, Evidence, Leg
from callcenter.calls.model import Direction, Ring, RingResult
from callcenter.calls.naming import dialled_number, is_line
from callcenter.rules.cadence import Cadence

NEAR = 0.1
"""Seconds within which Asterisk's events of different topics may swap their order, and some."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the site says: which endpoints are lines, which are seats, the cadence and the rings allowed (A1)."""

    server: str
    cadence: Cadence
    rings_allowed: int = 3
    lines: frozenset[str] = frozenset()
    seats: frozenset[str] = frozenset()
    backup_context: str = "cc-backup"
    rings_of_queue: Mapping[str, int] = field(default_factory=dict)
    """Where a queue allows other than ``rings_allowed``."""

    def rings_in(self, queue: str | None) -> int:
        return self.rings_of_queue.get(queue or "", self.rings_allowed)


class Parties:
    """The evidence of one call, read for who is who. Made for one derivation and thrown away."""

    def __init__(self, book: Book, call: Evidence, terms: Terms) -> None:
        self.book, self.call, self.terms = book, call, terms
        self.real = [leg for leg in call.legs.values() if not leg.local and (leg.channel or leg.born)]
        self.ended = bool(self.real) and all(leg.hangup_at is not None for leg in self.real)
        self.caller = self._caller()
        self.attempts = self._attempts()
        self.direction = self._direction()
        self.answering = self._answering()
        self.answered_at = self.answering.lifted_at if self.answering else None

    # --- the caller, and which way -------------------------------------------------------------------------------

    def _caller(self) -> Leg | None:
        first = self.call.legs.get(self.call.call_id)
        if first is not None and not first.local and first.channel:
            return first
        begun = [leg for leg in self.real if leg.created_at is not None]
        if first is not None and first.local and first.created_at is not None and begun:
            return min(begun, key=lambda leg: leg.created_at or 0.0)
        return None

    @property
    def caller_gone_at(self) -> float | None:
        return self.caller.gone_at if self.caller else None

    @property
    def recorded(self) -> Leg | None:
        """The leg that is recorded: the dialplan says which, else it is the caller's. ``None`` without a recording."""
        if not self.call.recording:
            return None
        told = self.call.legs.get(self.call.recording_leg)
        return told if told is not None and not told.local and told.channel else self.caller

    def _is_line(self, name: str) -> bool:
        return name in self.terms.lines or (name in self.book.lines and name not in self.terms.seats)

    def _inside(self, leg: Leg) -> bool:
        """Whether this leg is one of our phones: known as a seat, or a device that calls under its own name."""
        name = leg.endpoint
        if self._is_line(name):
            return False
        if name in self.terms.seats or name in self.book.seats:
            return True
        return any(number == name for _, number, _ in leg.said)

    def outside(self, leg: Leg) -> bool:
        """Whether this leg leads over a line to somebody who is no seat."""
        return self._is_line(leg.endpoint) or is_line(leg.dial_string, leg.endpoint)

    def _direction(self) -> Direction:
        if self.caller is None:
            return Direction.INBOUND
        others = [leg for leg in self.real if leg is not self.caller]
        if not self._inside(self.caller):
            away = self._called_first() or self._sent_on(self.caller, others)
            return Direction.OUTBOUND if away else Direction.INBOUND
        if self.attempts:  # whom a call among us is sent on to later changes nothing
            return Direction.OUTBOUND if self.outside(self.attempts[0]) else Direction.INTERNAL
        aimed_at = self.dialled() if not others and self._clicked() else None
        known = self.terms.seats | self.book.seats
        return Direction.OUTBOUND if aimed_at and aimed_at not in known else Direction.INTERNAL

    def _sent_on(self, caller: Leg, others: list[Leg]) -> bool:
        """Whether an unknown phone's call went over a line to the very number that it dialled (but for a prefix): so
        it is one of ours, which nobody has called yet."""
        if self._is_line(caller.endpoint):
            return False
        return any(self.outside(leg) and _same_number(_number_over(leg), caller.exten) for leg in others)

    def ours(self, leg: Leg) -> bool:
        """Whether this leg is on our side of the call. Inbound, a phone that was called is, wherever it stands; within
        the house only the callers' side is not."""
        if self.direction is Direction.OUTBOUND:
            return not self.outside(leg)
        return leg is not self.caller

    def _called_first(self) -> bool:
        """It began with a phone being rung: on a click, or to call a customer back."""
        return self.caller is not None and self.caller.dialled_at is not None

    def _clicked(self) -> bool:
        """A seat's own phone was rung first, on a click: its caller id tells whom it will call."""
        return self._called_first() and self.caller is not None and self._inside(self.caller)

    def clicked_by(self) -> str | None:
        """The seat whose phone that was."""
        return self.caller.endpoint or None if self.caller is not None and self._clicked() else None

    def _word(self, leg: Leg, words: list[tuple[float, str]]) -> str | None:
        """A caller's number or name, of what was said. From outside: the last word before the answer, for a dialplan
        may look it up or write it in full, and afterwards tells others what to show. From our own phone: the first,
        for what a dialplan sets there is what the other side is to see."""
        known = sorted(entry for entry in words if entry[1])
        known = [entry for entry in known if "\ufffd" not in entry[1]] or known
        if not known:
            return None
        if self._inside(leg) or self.direction is Direction.OUTBOUND:
            return known[0][1]
        before = [entry for entry in known if self.answered_at is None or entry[0] <= self.answered_at]
        return (before or known[:1])[-1][1]

    def caller_number(self) -> str | None:
        caller = self.caller
        if caller is None:
            return None
        if self._clicked():
            return caller.endpoint or None
        return self._word(caller, [(at, number) for at, number, _ in caller.said])

    def caller_name(self) -> str | None:
        caller = self.caller
        return self._word(caller, [(at, name) for at, _, name in caller.said]) if caller else None

    def dialled(self) -> str | None:
        """The number that was dialled; for a click-to-call, where the dialplan sent it or meant to."""
        if self.caller is None:
            return None
        if not self._called_first():
            return self.caller.exten or None
        if self.outside(self.caller):
            return _number_over(self.caller) or None
        over_a_line = [_number_over(leg) for leg in self.attempts if self.outside(leg)]
        own = [number for _, number, _ in sorted(self.caller.said) if number and number != self.caller.endpoint]
        return next(iter(over_a_line), None) or next(reversed(own), None)

    # --- who was rung --------------------------------------------------------------------------------------------

    def _attempts(self) -> list[Leg]:
        """Legs by which somebody was called, in order. A leg that a seat began itself (a consultation) is none."""
        called = [leg for leg in self.real if leg is not self.caller and _was_called(leg)]
        if not any(leg.lifted for leg in called):
            # The queue put the caller through, to a telephone that is part of no dialling (an agent's, off the hook).
            called += [leg for leg in self.call.legs.values() if leg.local and leg.connected]
        return sorted(called, key=lambda leg: (began(leg), leg.uniqueid))

    def seat(self, leg: Leg) -> str:
        return _number_over(leg) if is_line(leg.dial_string, leg.endpoint) else leg.endpoint

    def _answering(self) -> Leg | None:
        """The first that lifted and took the call: whoever is asked first and does not, is let go by the dialplan."""
        lifted = [leg for leg in self.attempts if leg.lifted and not self._let_go(leg)]
        lifted.sort(key=lambda leg: leg.lifted_at if leg.lifted_at is not None else began(leg))
        took = (leg for leg in lifted if leg.talked or leg.hangup_at is None)
        return next(took, lifted[0] if lifted else None)

    def _let_go(self, leg: Leg) -> bool:
        """Lifted, never put through, and hung up by the PBX while the caller lived on."""
        if leg.talked or leg.hangup_at is None or leg.requested_at is not None or leg.was_up:
            return False
        gone_at = self.caller_gone_at
        return gone_at is None or gone_at > leg.hangup_at + NEAR

    def answered_by(self) -> str | None:
        if self.answering is None or (self.direction is Direction.OUTBOUND and self.outside(self.answering)):
            return None
        return self.seat(self.answering)

    def rings(self) -> list[Ring]:
        """Every attempt on a seat, in order; the far end of an outgoing call is none."""
        outbound = self.direction is Direction.OUTBOUND
        return [self._ring(leg) for leg in self.attempts if not (outbound and self.outside(leg))]

    def _ring(self, leg: Leg) -> Ring:
        seat, rang_at, ended_at = self.seat(leg), None if leg.local else leg.ringing_at, end_of_attempt(leg)
        if leg.lost_to_at is not None:
            return Ring(seat, leg.uniqueid, rang_at, leg.lost_to_at, RingResult.ELSEWHERE)
        if leg.lifted:
            return Ring(seat, leg.uniqueid, rang_at, leg.lifted_at, RingResult.ANSWERED)
        if leg.end_unseen:
            return Ring(seat, leg.uniqueid, rang_at, None, RingResult.UNKNOWN)
        if rang_at is None:
            return Ring(seat, leg.uniqueid, None, ended_at, RingResult.NOT_RUNG)
        if ended_at is None:
            return Ring(seat, leg.uniqueid, rang_at, None, RingResult.RINGING)
        return Ring(seat, leg.uniqueid, rang_at, ended_at, self._unanswered(leg, rang_at, ended_at))

    def _unanswered(self, leg: Leg, rang_at: float, ended_at: float) -> RingResult:
        """A ring that ended without this phone being lifted: whose doing was it?"""
        caller = self.caller
        gave_up_at = caller.requested_at if caller else None
        if caller is not None and self.call.lost:
            gave_up_at = self.caller_gone_at  # nobody saw how it ended
        if gave_up_at is not None and ended_at >= gave_up_at - NEAR:
            return RingResult.GAVE_UP
        for other in self.attempts:
            lifted_at = other.lifted_at
            if other is not leg and lifted_at is not None and rang_at <= lifted_at <= ended_at + NEAR:
                return RingResult.ELSEWHERE
        return RingResult.MISSED


def _number_over(line: Leg) -> str:
    return dialled_number(line.dial_string, line.endpoint)


def _was_called(leg: Leg) -> bool:
    return (
        leg.dialled_at is not None
        or leg.ringing_at is not None
        or leg.picked_at is not None
        or (not leg.born and leg.lifted)
    )


def began(leg: Leg) -> float:
    """The first moment known of a leg."""
    return iv.earliest(leg.dialled_at, leg.ringing_at, leg.created_at, leg.up_at, leg.joined_at) or 0.0


def end_of_attempt(leg: Leg) -> float | None:
    return iv.earliest(leg.dial_ended_at, leg.hangup_at)


def missed(rings: list[Ring]) -> tuple[str, ...]:
    """Seats that rang and did not lift, in the order in which they stopped; phones of one group stop together and go
    by name. Several telephones of one seat that ring together are one."""
    groups: list[list[Ring]] = []
    alone = [r for r in rings if r.result is RingResult.MISSED and not any(_stands_for(o, r) for o in rings)]
    for ring in sorted(alone, key=lambda r: r.ended_at or 0.0):
        if groups and (ring.ended_at or 0.0) - (groups[-1][-1].ended_at or 0.0) < NEAR:
            groups[-1].append(ring)
        else:
            groups.append([ring])
    return tuple(ring.seat for group in groups for ring in sorted(group, key=lambda r: r.seat))


def _stands_for(other: Ring, ring: Ring) -> bool:
    """Whether another telephone of the same seat rang meanwhile and tells how that seat's ring ended: it was lifted,
    say, or it is the one that counts as the miss."""
    if other is ring or other.seat != ring.seat or other.started_at is None or other.result is RingResult.UNKNOWN:
        return False
    if not _overlap(other, ring):
        return False
    return other.result is not RingResult.MISSED or _order(other) < _order(ring)


def _overlap(one: Ring, two: Ring) -> bool:
    return (one.started_at or 0.0) < (two.ended_at or math.inf) and (two.started_at or 0.0) < (one.ended_at or math.inf)


def _order(ring: Ring) -> tuple[float, str]:
    return -(ring.ended_at or 0.0), ring.leg


def _same_number(sent: str, dialled: str) -> bool:
    """Whether one is the other with a prefix of up to four digits."""
    short, long = sorted((sent.lstrip("+"), dialled.lstrip("+")), key=len)
    return len(short) >= 3 and long.endswith(short) and len(long) - len(short) <= 4
