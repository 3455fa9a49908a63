"""What one running call is to a screen: whether it waits, since when, whether it is held too long, and its last digits.

Beside ``wallboard_view``. Promises: pure. Never: a caller's name or number.
"""

from callcenter.calls.model import Call, Phase
from callcenter.metrics.today import LONG_HOLD_SECONDS

MASKED_FROM_DIGITS = 7
_WAITS = (Phase.ARRIVED, Phase.WAITING, Phase.RINGING)


def waits_for_a_seat(call: Call) -> bool:
    """Whether the caller waits, be it after the announcement."""
    return call.running and call.answered_at is None and call.phase in _WAITS and waits_since(call) is not None


def waits_since(call: Call) -> float | None:
    """Its queue's waiting, else its first ring, else its arrival."""
    return call.waiting_since if call.waiting_since is not None else call.first_ring_at or call.arrived_at


def masked(number: str | None) -> str:
    """The last two digits of a telephone number; nothing of a shorter one, which might be a name or an extension."""
    digits = [c for c in number or "" if c in "0123456789"]
    return "".join(digits[-2:]) if len(digits) >= MASKED_FROM_DIGITS else ""


def held_long(call: Call, now: float) -> bool:
    """B2: its running hold is over a minute."""
    held_since = [hold.started_at for hold in call.holds if hold.ended_at is None]
    return call.phase is Phase.HELD and bool(held_since) and now - held_since[-1] > LONG_HOLD_SECONDS
