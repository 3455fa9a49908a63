"""What one running call is to a screen: whether it is held too long, and its last digits.

Beside ``wallboard_view``. Promises: pure. Never: a caller's name or number.
"""

from callcenter.calls.model import Call
from callcenter.calls.waiters import held_since
from callcenter.metrics.today import LONG_HOLD_SECONDS

MASKED_FROM_DIGITS = 7


def masked(number: str | None) -> str:
    """The last two digits of a telephone number; nothing of a shorter one, which might be a name or an extension."""
    digits = [c for c in number or "" if c in "0123456789"]
    return "".join(digits[-2:]) if len(digits) >= MASKED_FROM_DIGITS else ""


def held_long(call: Call, now: float) -> bool:
    """B2: its running hold is over a minute."""
    since = held_since(call)
    return since is not None and now - since > LONG_HOLD_SECONDS
