"""How a caller's waiting went and ended: queues, rings heard, the outcome, and whether three rings (A1) were kept.

The second step of ``calls/derive``. Facts of Asterisk it rests on: QueueCallerAbandon also comes on a time-out, so it
is not used, ``HangupRequest`` of the caller decides; a queue that refuses a caller (joinempty) sends no event, only
the dialplan's own words (``marks``) tell.
Never: reads a clock: a wait that is open ends nowhere.
"""

from dataclasses import dataclass

from callcenter.calls import intervals as iv
from callcenter.calls.fold import ANNOUNCEMENT, OVERFLOW, SENT_TO
from callcenter.calls.model import Breach, BreachReason, Direction, Outcome, Ring
from callcenter.calls.parties import Parties, began, end_of_attempt

SAME_MOMENT = 0.5
"""Seconds within which two ends belong together: a wait, and the hang-up that ended it."""
LIVED_ON = 1.0
"""Seconds a caller must live beyond the end of waiting for it to have gone on to something else."""
_LEFT_QUEUE = frozenset(("TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL", "WITHDRAW"))

Stretch = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """``since``: joined the first queue, or the first phone was called. ``ended_at``: answer, abandonment, overflow."""

    since: float | None
    queue: str | None
    queued_since: float | None
    """Set while the caller is in a queue."""
    announced_at: float | None
    outcome: Outcome | None
    ended_at: float | None
    first_ring_at: float | None
    rings_heard: int


def waiting(p: Parties, rings: list[Ring]) -> Waiting:
    """The caller's waiting, from what is known now."""
    visits = _queue_visits(p)
    waits: list[Stretch] = [(start, end) for start, end, _ in visits]
    waits += [(began(leg), end_of_attempt(leg)) for leg in p.attempts]
    announced_at = min((at for at, what, _ in p.call.marks if what == ANNOUNCEMENT), default=None)
    outcome, ended_at = _outcome(p, waits, announced_at)
    first_ring_at, heard = _rings_heard(p, rings, ended_at, announced_at)
    return Waiting(
        since=min((start for start, _ in waits), default=None),
        queue=visits[-1][2] if visits else _sent_to(p),
        queued_since=max((start for start, end, _ in visits if end is None), default=None),
        announced_at=announced_at,
        outcome=outcome,
        ended_at=ended_at,
        first_ring_at=first_ring_at,
        rings_heard=heard,
    )


def _queue_visits(p: Parties) -> list[tuple[float, float | None, str]]:
    leaves = sorted(p.call.leaves)
    visits = []
    for at, queue, uniqueid in sorted(p.call.joins):
        left = next((x for x in leaves if x[1] == queue and x[2] == uniqueid and x[0] >= at - 0.05), None)
        if left is not None:
            leaves.remove(left)
        visits.append((at, left[0] if left else None, queue))
    return visits


def _sent_to(p: Parties) -> str | None:
    """The queue that the dialplan named at arrival, for a caller whom the queue did not let in."""
    return next((value for _, what, value in sorted(p.call.marks) if what == SENT_TO), None)


def _outcome(p: Parties, waits: list[Stretch], announced_at: float | None) -> tuple[Outcome | None, float | None]:
    """The outcome, and when the waiting ended; ``None`` while it is open."""
    caller = p.caller
    if p.answering is not None:
        return Outcome.ANSWERED, p.answered_at
    if caller is not None and _gave_up(p, waits):
        return (Outcome.ABANDONED, caller.requested_at) if announced_at is None else (Outcome.OVERFLOWED, announced_at)
    if not p.ended:
        return None, None
    if p.call.lost or caller is None or not caller.born:
        return Outcome.UNKNOWN, None
    if p.direction is not Direction.OUTBOUND:
        overflowed_at = announced_at if announced_at is not None else _overflowed_at(p, waits)
        if overflowed_at is not None:
            return Outcome.OVERFLOWED, overflowed_at
    return Outcome.FAILED, caller.hangup_at


def _gave_up(p: Parties, waits: list[Stretch]) -> bool:
    """Whether the caller's own hang-up ended the waiting, or came before there was any."""
    asked = p.caller.requested_at if p.caller else None
    if asked is None:
        return False
    if not waits and p.caller is not None and not p.caller.born:
        return False  # what came before was not seen
    if not waits:
        return not any(what == OVERFLOW or value in _LEFT_QUEUE for _, what, value in p.call.marks)
    return any(end is None or asked <= end + SAME_MOMENT for start, end in waits if start <= asked + SAME_MOMENT)


def _overflowed_at(p: Parties, waits: list[Stretch]) -> float | None:
    """When the waiting for a seat ended in something else, if it did. Who leaves a queue without being answered and
    without hanging up was sent on, be it only to a dialplan that ends the call."""
    marks = [at for at, what, value in p.call.marks if what == OVERFLOW or value in _LEFT_QUEUE]
    gone_at = p.caller.hangup_at if p.caller else None
    last = max((end for _, end in waits if end is not None), default=None)
    if last is not None:
        left_a_queue = any(last - at < SAME_MOMENT for at, _, _ in p.call.leaves)
        return last if marks or left_a_queue or gone_at is None or gone_at - last > LIVED_ON else None
    if marks:
        return min(marks)
    return p.caller.up_at if p.caller and not waits else None


def _rings_heard(
    p: Parties, rings: list[Ring], wait_end: float | None, announced_at: float | None
) -> tuple[float | None, int]:
    """(first ringing, rings begun) between a seat's first ringing and the answer, the abandonment or the overflow."""
    first = min((ring.started_at for ring in rings if ring.started_at is not None), default=None)
    if first is None:
        return None, 0
    end = iv.earliest(wait_end, announced_at if announced_at is not None and announced_at > first else None)
    if end is None and p.answering is None:
        end = p.call.last_at
    if end is None or first > end:
        return (first if end is None else None), 0
    return first, p.terms.cadence.rings_begun(end - first)


def breaches(p: Parties, w: Waiting) -> tuple[Breach, ...]:
    """A1, for calls of the hotline: a ring beyond the allowed began before somebody lifted, or the announcement had to
    answer; with no seat to ring, the same time passed in waiting."""
    if p.direction is not Direction.INBOUND or (w.since is None and w.announced_at is None):
        return ()
    allowed = p.terms.rings_in(w.queue)
    allowed_seconds = p.terms.cadence.starts_after(allowed + 1)
    if w.first_ring_at is not None and w.rings_heard > allowed:
        return (Breach("A1", BreachReason.NOT_LIFTED, w.first_ring_at + allowed_seconds),)
    if w.announced_at is not None:
        rang_before = w.first_ring_at is not None and w.first_ring_at < w.announced_at
        return (Breach("A1", BreachReason.NOT_LIFTED if rang_before else BreachReason.NO_SEAT, w.announced_at),)
    if w.first_ring_at is None:
        waited = _between(w.since, w.ended_at) if p.answering is None else 0.0
        return (Breach("A1", BreachReason.NO_SEAT, w.ended_at),) if waited >= allowed_seconds else ()
    heard_at = p.caller.up_at if p.caller and p.answering else None
    if heard_at is not None and heard_at - w.first_ring_at >= allowed_seconds:
        return (Breach("A1", BreachReason.GREETING_TOO_LONG, w.first_ring_at + allowed_seconds),)
    return ()


def _between(start: float | None, end: float | None) -> float:
    return 0.0 if start is None or end is None else end - start
