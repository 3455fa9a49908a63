"""Frozen calls in the states that a seat's window knows, for tests and screenshots."""

from dataclasses import replace
from typing import Any

from callcenter.calls.model import (
    Call,
    Direction,
    EndedBy,
    Hold,
    Outcome,
    Phase,
    Ring,
    RingResult,
    Transfer,
    TransferKind,
)

NUMBER = "01055500142"


def ringing(at: float, seat: str = "1001", call_id: str = "pbx-1.1", heard: float = 0.0, **more: Any) -> Call:
    """A call that rings at ``seat`` now, whose caller has heard ringing for ``heard`` seconds."""
    first = at - heard
    rings: tuple[Ring, ...] = (Ring(seat, "leg-1", first, None, RingResult.RINGING),)
    if heard > 5.5:
        rings = (
            Ring("1002", "leg-0", first, first + 5, RingResult.MISSED),
            Ring(seat, "leg-1", first + 5, None, RingResult.RINGING),
        )
    values: dict[str, Any] = {
        "phase_since": first,
        "caller_number": NUMBER,
        "caller_name": None,
        "dialled": "4008001234",
        "queue": "it",
        "arrived_at": first - 0.4,
        "first_ring_at": first,
        "rings_heard": int(heard // 5) + 1,
        "ringing": (seat,),
        "seats_missed": ("1002",) if heard > 5.5 else (),
        "rings": rings,
    }
    return Call("pbx", call_id, Direction.INBOUND, Phase.RINGING, **(values | more))


def talking(call: Call, at: float, seat: str = "1001") -> Call:
    """The call, answered by ``seat`` at ``at``."""
    rings = tuple(
        replace(ring, ended_at=at, result=RingResult.ANSWERED) if ring.result is RingResult.RINGING else ring
        for ring in call.rings
    )
    return replace(
        call,
        phase=Phase.TALKING,
        phase_since=at,
        answered_at=at,
        answered_by=seat,
        ringing=(),
        talking_to=(seat,),
        rings=rings,
        outcome=Outcome.ANSWERED,
        wait_seconds=at - (call.arrived_at or at),
        rings_heard=int((at - (call.first_ring_at or at)) // 5) + 1,
        recording="2026/call.wav",
    )


def held(call: Call, at: float) -> Call:
    hold = Hold(call.answered_by or "1001", at, None)
    return replace(call, phase=Phase.HELD, phase_since=at, holds=(*call.holds, hold))


def retrieved(call: Call, at: float) -> Call:
    holds = (*call.holds[:-1], replace(call.holds[-1], ended_at=at))
    seconds = sum((hold.ended_at or at) - hold.started_at for hold in holds)
    return replace(call, phase=Phase.TALKING, phase_since=at, holds=holds, hold_seconds=seconds)


def handed_on(call: Call, at: float, to: str) -> Call:
    """A call that was answered, blindly transferred by its seat, and rings at another."""
    seat = call.answered_by or "1001"
    ring = Ring(to, f"leg-{to}", at, None, RingResult.RINGING)
    transfer = Transfer(TransferKind.BLIND, seat, to, at)
    rings, transfers = (*call.rings, ring), (*call.transfers, transfer)
    return replace(
        call, phase=Phase.RINGING, phase_since=at, ringing=(to,), talking_to=(), rings=rings, transfers=transfers
    )


def ended(call: Call, at: float, by: EndedBy = EndedBy.CALLER) -> Call:
    talk = at - (call.answered_at or at) - call.hold_seconds
    return replace(
        call, phase=Phase.ENDED, phase_since=at, ended_at=at, ended_by=by, talking_to=(), ringing=(), talk_seconds=talk
    )


def abandoned(call: Call, at: float) -> Call:
    rings = tuple(
        replace(ring, ended_at=at, result=RingResult.GAVE_UP) if ring.result is RingResult.RINGING else ring
        for ring in call.rings
    )
    return replace(
        call,
        phase=Phase.ENDED,
        phase_since=at,
        ended_at=at,
        ended_by=EndedBy.CALLER,
        ringing=(),
        rings=rings,
        outcome=Outcome.ABANDONED,
        wait_seconds=at - (call.arrived_at or at),
    )
