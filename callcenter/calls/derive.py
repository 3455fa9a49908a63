"""Evidence becomes the call: one pure function from what was observed to what is true.

The order of reasoning, one file each: who took part (``parties``), how the waiting went (``waiting``), what happened
after the answer (``talking``), and which seat was heard when (``presence``). Here the answers are put together.

Promises: the same evidence gives the same call, live and in ``callcenter replay``; what was not observed is ``None``.
Never: reads a clock, keeps state between calls.
"""

from types import MappingProxyType

from callcenter.calls import intervals as iv
from callcenter.calls import presence, talking
from callcenter.calls.evidence import Book, Evidence
from callcenter.calls.fold import ARRIVAL
from callcenter.calls.model import NO_VARIABLES, Call, Gate, Hold, Phase, Ring, RingResult
from callcenter.calls.parties import Parties, Terms, missed
from callcenter.calls.waiting import Waiting, breaches, waiting

__all__ = ["Terms", "derive"]


def derive(book: Book, call: Evidence, terms: Terms) -> Call | None:
    """The call of this evidence; ``None`` if it never had a telephone (only Local channels, as helpers use them)."""
    p = Parties(book, call, terms)
    if not p.real:
        return None
    caller = p.caller
    rings = p.rings()
    w = waiting(p, rings)
    conversation = talking.together(p)
    holds = talking.holds(p)
    held = talking.held(p, holds)
    talking_to = tuple(talking.talking_to(p))
    ringing = tuple(ring.seat for ring in rings if ring.result is RingResult.RINGING)
    phase = _phase(p, w, ringing, talking_to, holds)
    arrived_at = caller.created_at if caller and caller.born else None
    complete = bool(caller and caller.born) and not call.gap
    ended_at = _ended_at(p)
    recorded = p.recorded
    return Call(
        server=terms.server,
        call_id=call.call_id,
        direction=p.direction,
        phase=phase,
        phase_since=_phase_since(p, w, phase, rings, holds),
        caller_number=p.caller_number(),
        caller_name=p.caller_name(),
        dialled=p.dialled(),
        queue=w.queue,
        caller_channel=caller.channel if caller and caller.hangup_at is None else None,
        hotline=any(what == ARRIVAL for _, what, _ in call.marks),
        clicked_by=p.clicked_by(),
        lifted_to_dial_at=caller.lifted_at if caller and p.clicked_by() else None,
        arrived_at=arrived_at,
        waiting_since=w.since,
        first_ring_at=w.first_ring_at,
        answered_at=p.answered_at,
        ended_at=ended_at,
        rings_heard=w.rings_heard,
        wait_seconds=_between(arrived_at, w.ended_at),
        outcome=w.outcome,
        answered_by=p.answered_by(),
        ringing=ringing,
        talking_to=talking_to,
        seats_missed=missed(rings),
        rings=tuple(rings),
        holds=tuple(holds),
        transfers=talking.transfers(p),
        pauses=talking.pauses(p, ended_at) if call.marks else (),
        stays=presence.stays(p, holds),
        caller_gone_at=p.caller_gone_at if ended_at is not None else None,
        recorded_channel=recorded.channel if recorded and recorded.hangup_at is None else None,
        recorded_until=recorded.gone_at if recorded and ended_at is not None else None,
        gates=_gates(p),
        talk_seconds=_talk_seconds(p, iv.subtract(conversation, held), complete),
        hold_seconds=iv.total(held),
        ended_by=talking.ended_by(p, conversation),
        cause=caller.cause if caller else None,
        cut_off=talking.cut_off(p, conversation),
        recording=call.recording or None,
        recording_seat=call.recording_seat or None,
        recording_caller=call.recording_caller or None,
        announced_at=w.announced_at,
        breaches=breaches(p, w),
        variables=MappingProxyType(dict(call.variables)) if call.variables else NO_VARIABLES,
        complete=complete,
    )


def _phase(p: Parties, w: Waiting, ringing: tuple[str, ...], talking_to: tuple[str, ...], holds: list[Hold]) -> Phase:
    if p.ended:
        return Phase.ENDED
    if any(hold.ended_at is None for hold in holds):
        return Phase.HELD
    if talking_to:
        return Phase.TALKING
    if ringing:
        return Phase.RINGING
    return Phase.WAITING if w.queued_since is not None else Phase.ARRIVED


def _phase_since(p: Parties, w: Waiting, phase: Phase, rings: list[Ring], holds: list[Hold]) -> float | None:
    match phase:
        case Phase.ENDED:
            return _ended_at(p)
        case Phase.HELD:
            return max(hold.started_at for hold in holds if hold.ended_at is None)
        case Phase.TALKING:
            return p.answered_at
        case Phase.RINGING:
            return min((ring.started_at for ring in rings if ring.started_at is not None), default=None)
        case Phase.WAITING:
            return w.queued_since
    return p.caller.created_at if p.caller else None


def _ended_at(p: Parties) -> float | None:
    """When the last telephone was gone; not known where the end was not seen."""
    if not p.ended or p.call.lost:
        return None
    return max(leg.gone_at or 0.0 for leg in p.real if leg.hangup_at is not None)


def _talk_seconds(p: Parties, talked: list[iv.Interval], complete: bool) -> float | None:
    """Nobody lifted is no talk, if all was seen; lifted at an unknown moment is an unknown talk."""
    if p.answered_at is not None:
        return iv.total(talked)
    return 0.0 if p.answering is None and p.ended and complete else None


def _gates(p: Parties) -> tuple[Gate, ...]:
    """Backup phones that wait in the dialplan: the ;2 half of their Local channel stands at the gate, not dialling."""
    if p.answering is not None:
        return ()
    dialling = {leg.dialler for leg in p.attempts}
    return tuple(
        Gate(leg.exten, leg.channel)
        for leg in p.call.legs.values()
        if leg.local
        and leg.context == p.terms.backup_context
        and leg.hangup_at is None
        and leg.uniqueid not in dialling
        and leg.channel.endswith(";2")
    )


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, end - start)
