"""Who waits for a seat now, and who is on hold: of a running call, for screens and live figures alike.

Beside the path of a call: read by the wallboard, the supervisor's desk and /metrics, which so count the same callers.
Promises: a caller from outside waits until a seat lifts, also before a queue takes the call and after the announcement.
Never: counts who telephones outwards or among our own seats.
"""

from callcenter.calls.model import Call, Direction, Phase

_WAITS = (Phase.ARRIVED, Phase.WAITING, Phase.RINGING)


def waits_for_a_seat(call: Call) -> bool:
    """Whether the caller waits, be it after the announcement."""
    unanswered = call.direction is Direction.INBOUND and call.running and call.answered_at is None
    return unanswered and call.phase in _WAITS and waits_since(call) is not None


def waits_since(call: Call) -> float | None:
    """Its queue's waiting, else its first ring, else its arrival."""
    return call.waiting_since if call.waiting_since is not None else call.first_ring_at or call.arrived_at


def held_since(call: Call) -> float | None:
    """When the caller's running hold began; ``None`` where the caller is not held, or no caller from outside."""
    if call.direction is not Direction.INBOUND or call.phase is not Phase.HELD:
        return None
    return max((hold.started_at for hold in call.holds if hold.ended_at is None), default=None)
