"""Evidence becomes the call: one pure function from what was observed to what is true.

The order of reasoning: who called and which way; who was rung and with what end; who lifted; how the waiting ended;
when the two were together, when on hold; who hung up. Each is a small function over moments, so that a person can
check it against a trace.

Promises: the same evidence gives the same call, live and in ``callcenter replay``; what was not observed is ``None``.
Never: reads a clock, keeps state between calls.

Facts of Asterisk it rests on (measured on 22.10): a phone's pick-up is ``Newstate`` Up of its leg, earlier than
DialEnd or BridgeEnter where a greeting is played; only ``HangupRequest`` tells whose device hung up; a leg's end while
ringing is DialEnd or Hangup, whichever is first; events of one moment are up to about 50 ms apart.
"""

from dataclasses import dataclass

from callcenter.calls import intervals as iv
from callcenter.calls.evidence import Book, Evidence, Leg, Transferred, endpoint
from callcenter.calls.fold import ANNOUNCEMENT, ARRIVAL, OVERFLOW, SENT_TO, dialled_number, is_line
from callcenter.calls.model import (
    Breach,
    BreachReason,
    Call,
    Direction,
    EndedBy,
    Gate,
    Hold,
    Outcome,
    Phase,
    Ring,
    RingResult,
    Transfer,
    TransferKind,
)
from callcenter.rules.cadence import Cadence

SAME_MOMENT = 0.5
"""Seconds within which two ends belong together: the legs of one hang-up, a wait and the hang-up that ended it."""
LIVED_ON = 1.0
"""Seconds a caller must live beyond the end of waiting for it to have gone on to something else."""
_LEFT_QUEUE = frozenset(("TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL", "WITHDRAW"))


@dataclass(frozen=True, slots=True)
class Terms:
    """What the site says: which endpoints are lines, which are seats, the cadence and the rings allowed (A1)."""

    server: str
    cadence: Cadence
    rings_allowed: int = 3
    lines: frozenset[str] = frozenset()
    seats: frozenset[str] = frozenset()
    backup_context: str = "cc-backup"


def derive(book: Book, call: Evidence, terms: Terms) -> Call | None:
    """The call of this evidence; ``None`` if it never had a telephone (only Local channels, as helpers use them)."""
    return _Derivation(book, call, terms).result()


class _Derivation:
    """One reading of one call's evidence. Each method answers one question; ``result`` puts the answers together."""

    def __init__(self, book: Book, call: Evidence, terms: Terms) -> None:
        self.book, self.call, self.terms = book, call, terms
        self.real = [leg for leg in call.legs.values() if not leg.local and (leg.channel or leg.born)]
        self.caller = self._caller()
        self.attempts = self._attempts()
        self.direction = self._direction()
        self.ended = self._ended()
        self.answering = self._answering()
        self.answered_at = self.answering.lifted_at if self.answering else None

    # --- who called, and which way -------------------------------------------------------------------------------

    def _caller(self) -> Leg | None:
        first = self.call.legs.get(self.call.call_id)
        if first is not None and not first.local and first.channel:
            return first
        begun = [leg for leg in self.real if leg.created_at is not None]
        if first is not None and first.local and begun:
            return min(begun, key=lambda leg: leg.created_at or 0.0)
        return None

    def _is_line(self, name: str) -> bool:
        return name in self.terms.lines or (name in self.book.lines and name not in self.terms.seats)

    def _inside(self, leg: Leg) -> bool:
        """Whether this leg is one of our phones: known as a seat, or a device that calls under its own name."""
        name = leg.endpoint
        if self._is_line(name):
            return False
        return name in self.terms.seats or name in self.book.seats or (bool(leg.number) and leg.number == name)

    def _outside(self, leg: Leg) -> bool:
        return self._is_line(leg.endpoint) or is_line(leg.dial_string, leg.endpoint)

    def _direction(self) -> Direction:
        if self.caller is None or not self._inside(self.caller):
            return Direction.INBOUND
        others = [leg for leg in self.real if leg is not self.caller]
        if any(self._outside(leg) for leg in others):
            return Direction.OUTBOUND
        aimed_at = self._dialled() if not others and self._clicked() else None
        known = self.terms.seats | self.book.seats
        return Direction.OUTBOUND if aimed_at and aimed_at not in known else Direction.INTERNAL

    # --- who was rung --------------------------------------------------------------------------------------------

    def _attempts(self) -> list[Leg]:
        """Legs by which somebody was called, in order. A leg that a seat began itself (a consultation) is none."""
        called = [
            leg
            for leg in self.real
            if leg is not self.caller
            and (
                leg.dialled_at is not None
                or leg.ringing_at is not None
                or leg.picked_at is not None
                or (not leg.born and leg.lifted)
            )
        ]
        return sorted(called, key=lambda leg: (_began(leg), leg.uniqueid))

    def _seat_attempts(self) -> list[Leg]:
        if self.direction is not Direction.OUTBOUND:
            return self.attempts
        return [leg for leg in self.attempts if not self._outside(leg)]

    def seat(self, leg: Leg) -> str:
        return dialled_number(leg) if is_line(leg.dial_string, leg.endpoint) else leg.endpoint

    def _answering(self) -> Leg | None:
        lifted = [leg for leg in self.attempts if leg.lifted]
        return min(lifted, key=lambda leg: leg.lifted_at if leg.lifted_at is not None else _began(leg), default=None)

    def _ring(self, leg: Leg) -> Ring:
        ended_at = iv.earliest(leg.dial_ended_at, leg.hangup_at)
        rang_at = leg.ringing_at
        seat = self.seat(leg)
        if leg.lost_to_at is not None:
            return Ring(seat, leg.uniqueid, rang_at, leg.lost_to_at, RingResult.ELSEWHERE)
        if leg.lifted:
            return Ring(seat, leg.uniqueid, rang_at, leg.lifted_at, RingResult.ANSWERED)
        if ended_at is None:
            result = RingResult.RINGING if rang_at is not None else RingResult.NOT_RUNG
            return Ring(seat, leg.uniqueid, rang_at, None, result)
        if rang_at is None:
            return Ring(seat, leg.uniqueid, None, ended_at, RingResult.NOT_RUNG)
        return Ring(seat, leg.uniqueid, rang_at, ended_at, self._unanswered(leg, rang_at, ended_at))

    def _unanswered(self, leg: Leg, rang_at: float, ended_at: float) -> RingResult:
        """A ring that ended without this phone being lifted: whose doing was it?"""
        gone_at = self._caller_gone_at()
        if gone_at is not None and ended_at >= gone_at - 0.1:
            return RingResult.GAVE_UP
        for other in self.attempts:
            lifted_at = other.lifted_at
            if other is not leg and lifted_at is not None and rang_at <= lifted_at <= ended_at + 0.1:
                return RingResult.ELSEWHERE
        return RingResult.MISSED

    def _caller_gone_at(self) -> float | None:
        return iv.earliest(self.caller.requested_at, self.caller.hangup_at) if self.caller else None

    # --- how the waiting ended -----------------------------------------------------------------------------------

    def _queue_visits(self) -> list[tuple[float, float | None, str]]:
        leaves = sorted(self.call.leaves)
        visits = []
        for at, queue, uniqueid in sorted(self.call.joins):
            left = next((x for x in leaves if x[1] == queue and x[2] == uniqueid and x[0] >= at - 0.05), None)
            if left is not None:
                leaves.remove(left)
            visits.append((at, left[0] if left else None, queue))
        return visits

    def _waits(self) -> list[tuple[float, float | None]]:
        """When the caller was being served by a queue or a ringing attempt, ended or not."""
        waits: list[tuple[float, float | None]] = [(start, end) for start, end, _ in self._queue_visits()]
        for leg in self.attempts:
            waits.append((_began(leg), iv.earliest(leg.dial_ended_at, leg.hangup_at)))
        return waits

    def _gave_up(self, waits: list[tuple[float, float | None]]) -> bool:
        asked = self.caller.requested_at if self.caller else None
        if asked is None:
            return False
        if not waits:
            return not any(what == OVERFLOW or value in _LEFT_QUEUE for _, what, value in self.call.marks)
        return any(end is None or asked <= end + SAME_MOMENT for start, end in waits if start <= asked + SAME_MOMENT)

    def _overflowed_at(self, waits: list[tuple[float, float | None]]) -> float | None:
        """When the waiting for a seat ended in something else, if it did."""
        announced = self.announced_at()
        if announced is not None:
            return announced
        ends = [end for _, end in waits if end is not None]
        marks = [at for at, what, value in self.call.marks if what == OVERFLOW or value in _LEFT_QUEUE]
        gone_at = self.caller.hangup_at if self.caller else None
        last = max(ends, default=None)
        if last is not None:
            if marks or gone_at is None or gone_at - last > LIVED_ON:
                return last
            return None
        if marks:
            return min(marks)
        if self.caller is not None and self.caller.up_at is not None and not waits:
            return self.caller.up_at
        return None

    def announced_at(self) -> float | None:
        return min((at for at, what, _ in self.call.marks if what == ANNOUNCEMENT), default=None)

    def _outcome(self) -> tuple[Outcome | None, float | None]:
        """The outcome, and when the waiting ended; ``None`` while it is open."""
        if self.answering is not None:
            return Outcome.ANSWERED, self.answered_at
        waits = self._waits()
        caller = self.caller
        if self._gave_up(waits) and caller is not None:
            announced = self.announced_at()
            if announced is None:
                return Outcome.ABANDONED, caller.requested_at
            return Outcome.OVERFLOWED, announced
        if not self.ended:
            return None, None
        if self.call.lost or caller is None or not caller.born:
            return Outcome.UNKNOWN, None
        if self.direction is not Direction.OUTBOUND:
            overflowed_at = self._overflowed_at(waits)
            if overflowed_at is not None:
                return Outcome.OVERFLOWED, overflowed_at
        return Outcome.FAILED, caller.hangup_at

    # --- together, and on hold -----------------------------------------------------------------------------------

    def _together(self) -> list[iv.Interval]:
        """When the caller was in a bridge with somebody, from the lifting of the phone (a greeting may come first)."""
        if self.caller is None or self.answering is None or self.answered_at is None:
            return []
        until = self.call.last_at
        mine = iv.stays(self.caller.moves, self.caller.hangup_at, until)
        others: dict[str, list[iv.Interval]] = {}
        for leg in self.call.legs.values():
            if leg is not self.caller:
                for bridge, interval in iv.stays(leg.moves, leg.hangup_at, until):
                    others.setdefault(bridge, []).append(interval)
        met = iv.union(
            part for bridge, interval in mine for part in iv.intersect([interval], iv.union(others.get(bridge, [])))
        )
        met = [(start, end) for start, end in met if end > self.answered_at]
        first = met[0][0] if met else iv.earliest(self.answering.hangup_at, self._caller_gone_at()) or until
        return iv.union([(self.answered_at, max(first, self.answered_at)), *met])

    def _hold_list(self) -> list[Hold]:
        if self.answered_at is None:
            return []
        holds: list[Hold] = []
        for leg in self.real:
            if leg is self.caller and self.direction is Direction.INBOUND:
                continue
            for start, end in iv.pairs(leg.holds):
                if start >= self.answered_at - SAME_MOMENT:
                    holds.append(Hold(self.seat(leg), start, iv.earliest(end, self._left_at(leg, start))))
        return sorted(holds, key=lambda hold: hold.started_at)

    def _left_at(self, leg: Leg, since: float) -> float | None:
        """When a leg left the conversation for good: a hold ends there, Unhold or not."""
        left = max((at for at, _, entered in leg.moves if not entered), default=None)
        stayed = any(entered and left is not None and at > left for at, _, entered in leg.moves)
        return iv.earliest(leg.hangup_at, None if stayed or left is None or left < since else left)

    # --- the end -------------------------------------------------------------------------------------------------

    def _ended(self) -> bool:
        legs = self.real
        return bool(legs) and all(leg.hangup_at is not None for leg in legs)

    def _ended_by(self, together: list[iv.Interval]) -> EndedBy | None:
        if not self.ended:
            return None
        caller = self.caller
        if self.call.lost or caller is None or (caller.hangup_at is None and caller.requested_at is None):
            return EndedBy.UNKNOWN
        moments: list[tuple[float, EndedBy]] = []
        outbound = self.direction is Direction.OUTBOUND
        if caller.requested_at is not None:
            moments.append((caller.requested_at, EndedBy.SEAT if outbound else EndedBy.CALLER))
        if self.answering is not None:
            moments += self._seat_hangups(together[-1][1] if together else None)
        return min(moments)[1] if moments else EndedBy.SYSTEM

    def _seat_hangups(self, parted_at: float | None) -> list[tuple[float, EndedBy]]:
        """Hang-ups of phones that were in the last conversation; a seat that transferred the caller away is not."""
        away = {transfer.leg for transfer in self.call.transfers}
        return [
            (leg.requested_at, EndedBy.CALLER if self._customer(leg) else EndedBy.SEAT)
            for leg in self.attempts
            if leg.requested_at is not None
            and leg.lifted
            and leg.uniqueid not in away
            and (parted_at is None or leg.requested_at >= parted_at - SAME_MOMENT)
        ]

    def _customer(self, leg: Leg) -> bool:
        """The other side of an outgoing call: B6 asks who hung up first, the customer or we."""
        return self.direction is Direction.OUTBOUND and self._outside(leg)

    # --- the ladder ----------------------------------------------------------------------------------------------

    def _gates(self) -> tuple[Gate, ...]:
        if self.answering is not None:
            return ()
        dialling = {leg.dialler for leg in self.attempts}
        return tuple(
            Gate(leg.exten, leg.channel)
            for leg in self.call.legs.values()
            if leg.local
            and leg.context == self.terms.backup_context
            and leg.hangup_at is None
            and leg.uniqueid not in dialling
            and leg.channel.endswith(";2")
        )

    def _breaches(self, first_ring_at: float | None, rings: int, wait_end: float | None) -> tuple[Breach, ...]:
        """A1, for calls of the hotline: a ring beyond the allowed began before somebody lifted; with no seat to ring,
        the same time passed in waiting."""
        if self.direction is not Direction.INBOUND or not self._waits():
            return ()
        allowed_seconds = self.terms.cadence.starts_after(self.terms.rings_allowed + 1)
        announced = self.announced_at()
        if first_ring_at is None:
            since = min(start for start, _ in self._waits())
            if announced is not None:
                return (Breach("A1", BreachReason.NO_SEAT, announced),)
            if self.answering is None and wait_end is not None and wait_end - since >= allowed_seconds:
                return (Breach("A1", BreachReason.NO_SEAT, since + allowed_seconds),)
            return ()
        if rings > self.terms.rings_allowed:
            return (Breach("A1", BreachReason.NOT_LIFTED, first_ring_at + allowed_seconds),)
        if announced is not None:
            return (Breach("A1", BreachReason.NOT_LIFTED, announced),)
        heard_at = self.caller.up_at if self.caller and self.answering else None
        if heard_at is not None and heard_at - first_ring_at >= allowed_seconds:
            return (Breach("A1", BreachReason.GREETING_TOO_LONG, first_ring_at + allowed_seconds),)
        return ()

    # --- all together --------------------------------------------------------------------------------------------

    def _transfers(self) -> tuple[Transfer, ...]:
        return tuple(
            Transfer(TransferKind(t.kind), self._transferer(t.leg, t.channel), self._target(t), t.at)
            for t in sorted(self.call.transfers, key=lambda t: t.at)
        )

    def _transferer(self, uniqueid: str, channel: str) -> str:
        leg = self.call.legs.get(uniqueid)
        return self.seat(leg) if leg is not None else endpoint(channel)

    def _target(self, transfer: Transferred) -> str:
        """Who got the caller: the dialled extension, the target's phone, or the last one lifted in a consultation."""
        if transfer.to:
            return transfer.to
        leg = self.call.legs.get(transfer.target)
        if leg is not None and not leg.local:
            return self.seat(leg)
        if transfer.target_channel:
            return endpoint(transfer.target_channel)
        away = {t.leg for t in self.call.transfers}
        consulted = [
            other
            for other in self.attempts
            if other.lifted_at is not None and other.lifted_at <= transfer.at and other.uniqueid not in away
        ]
        return self.seat(consulted[-1]) if consulted else ""

    def _phase(self, rings: list[Ring], holds: list[Hold]) -> Phase:
        if self.ended:
            return Phase.ENDED
        if any(hold.ended_at is None for hold in holds):
            return Phase.HELD
        if self._talking():
            return Phase.TALKING
        if any(ring.result is RingResult.RINGING for ring in rings):
            return Phase.RINGING
        if any(end is None for _, end, _ in self._queue_visits()):
            return Phase.WAITING
        return Phase.ARRIVED

    def _talking(self) -> list[str]:
        """Seats whose phone is lifted and in a bridge, or about to be (a greeting is played first)."""
        talking = []
        for leg in self.attempts:
            if leg.lifted and leg.hangup_at is None and (not leg.moves or max(leg.moves)[2]):
                talking.append(self.seat(leg))
        return talking

    def result(self) -> Call | None:
        if not self.real:
            return None
        call, caller = self.call, self.caller
        rings = [self._ring(leg) for leg in self._seat_attempts()]
        outcome, wait_end = self._outcome()
        together = self._together()
        holds = self._hold_list()
        hold_seconds = iv.total(iv.union((h.started_at, h.ended_at or call.last_at) for h in holds))
        talk = iv.total(iv.subtract(together, iv.union((h.started_at, h.ended_at or call.last_at) for h in holds)))
        first_ring_at, rings_heard = self._rings_heard(rings, wait_end)
        arrived_at = caller.created_at if caller and caller.born else None
        ended_at = max((leg.hangup_at for leg in self.real if leg.hangup_at is not None), default=None)
        complete = bool(caller and caller.born) and self.ended and not call.gap
        phase = self._phase(rings, holds)
        visits = self._queue_visits()
        return Call(
            server=self.terms.server,
            call_id=call.call_id,
            direction=self.direction,
            phase=phase,
            phase_since=self._phase_since(phase, rings, holds),
            caller_number=self._caller_number(),
            caller_name=(caller.name or None) if caller else None,
            dialled=self._dialled(),
            queue=visits[-1][2] if visits else self._sent_to(),
            caller_channel=caller.channel if caller and caller.hangup_at is None else None,
            hotline=any(what == ARRIVAL for _, what, _ in call.marks),
            arrived_at=arrived_at,
            waiting_since=min((start for start, _ in self._waits()), default=None),
            first_ring_at=first_ring_at,
            answered_at=self.answered_at,
            ended_at=ended_at if self.ended and not call.lost else None,
            rings_heard=rings_heard,
            wait_seconds=_between(arrived_at, wait_end),
            outcome=outcome,
            answered_by=self._answered_by(),
            ringing=tuple(ring.seat for ring in rings if ring.result is RingResult.RINGING),
            talking_to=tuple(self._talking()),
            seats_missed=tuple(self._missed(rings)),
            rings=tuple(rings),
            holds=tuple(holds),
            transfers=self._transfers(),
            gates=self._gates(),
            talk_seconds=talk if self.answered_at is not None or (self.answering is None and complete) else None,
            hold_seconds=hold_seconds,
            ended_by=self._ended_by(together),
            cause=caller.cause if caller else None,
            recording=call.recording or None,
            recording_seat=call.recording_seat or None,
            recording_caller=call.recording_caller or None,
            announced_at=self.announced_at(),
            breaches=self._breaches(first_ring_at, rings_heard, wait_end),
            variables=dict(call.variables),
            complete=complete,
        )

    def _sent_to(self) -> str | None:
        """The queue that the dialplan named at arrival, for a caller whom the queue did not let in."""
        return next((value for _, what, value in sorted(self.call.marks) if what == SENT_TO), None)

    def _missed(self, rings: list[Ring]) -> list[str]:
        """In the order in which they stopped ringing; phones of one group stop together and go by name."""
        missed = [ring for ring in rings if ring.result is RingResult.MISSED]
        groups: list[list[Ring]] = []
        for ring in sorted(missed, key=lambda ring: ring.ended_at or 0.0):
            if groups and (ring.ended_at or 0.0) - (groups[-1][-1].ended_at or 0.0) < 0.1:
                groups[-1].append(ring)
            else:
                groups.append([ring])
        return [ring.seat for group in groups for ring in sorted(group, key=lambda ring: ring.seat)]

    def _rings_heard(self, rings: list[Ring], wait_end: float | None) -> tuple[float | None, int]:
        """Rings begun between a seat's first ringing and the answer, the abandonment or the overflow."""
        first = min((ring.started_at for ring in rings if ring.started_at is not None), default=None)
        end = wait_end
        announced = self.announced_at()
        if first is not None and announced is not None and announced > first:
            end = iv.earliest(wait_end, announced)
        if end is None:
            end = self.call.last_at if self.answering is None else None
        if first is None or end is None or first > end:
            return (first if end is None else None), 0
        return first, self.terms.cadence.rings_begun(end - first)

    def _answered_by(self) -> str | None:
        if self.answering is None or (self.direction is Direction.OUTBOUND and self._outside(self.answering)):
            return None
        return self.seat(self.answering)

    def _clicked(self) -> bool:
        """A seat's own phone was rung first, on a click: its caller id tells whom it will call."""
        return self.caller is not None and self.caller.originated and self._inside(self.caller)

    def _caller_number(self) -> str | None:
        if self.caller is None:
            return None
        return (self.caller.endpoint if self._clicked() else self.caller.number) or None

    def _dialled(self) -> str | None:
        """The number that was dialled; for a click-to-call, where the dialplan sent it or meant to."""
        if self.caller is None:
            return None
        if not self._clicked():
            return self.caller.exten or None
        over_a_line = [dialled_number(leg) for leg in self.attempts if self._outside(leg)]
        own = self.caller.number if self.caller.number != self.caller.endpoint else ""
        return next(iter(over_a_line), None) or own or None

    def _phase_since(self, phase: Phase, rings: list[Ring], holds: list[Hold]) -> float | None:
        match phase:
            case Phase.ENDED:
                return None if self.call.lost else self.call.last_at
            case Phase.HELD:
                return max(hold.started_at for hold in holds if hold.ended_at is None)
            case Phase.TALKING:
                return self.answered_at
            case Phase.RINGING:
                return min(ring.started_at for ring in rings if ring.started_at is not None)
            case Phase.WAITING:
                return max(start for start, end, _ in self._queue_visits() if end is None)
        return self.caller.created_at if self.caller else None


def _began(leg: Leg) -> float:
    return iv.earliest(leg.dialled_at, leg.ringing_at, leg.created_at, leg.up_at, leg.joined_at) or 0.0


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, end - start)
