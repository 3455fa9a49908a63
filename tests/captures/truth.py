"""What really happened in a call, worked out from the journals of the phones alone, never from AMI."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from callcenter.demo.phones import Phone

RING_SECONDS = 5.0
MARGIN_SECONDS = 0.3
KEYS = (
    "call_id",
    "direction",
    "caller_number",
    "caller_name",
    "dialled",
    "queue",
    "arrived_at",
    "answered_at",
    "ended_at",
    "rings_heard",
    "wait_seconds",
    "outcome",
    "answered_by",
    "seats_missed",
    "talk_seconds",
    "hold_seconds",
    "holds",
    "transfers",
    "ended_by",
    "recording",
    "breaches",
    "complete",
)


def moments(phones: Phone | Iterable[Phone], way: str, pattern: str) -> list[float]:
    """When the phones sent or received messages whose first line matches, oldest first."""
    group = list(phones) if isinstance(phones, Iterable) else [phones]
    return sorted(m.at for phone in group for m in phone.journal() if m.way == way and re.search(pattern, m.line))


def first(phones: Phone | Iterable[Phone], way: str, pattern: str) -> float:
    found = moments(phones, way, pattern)
    if not found:
        raise AssertionError(f"no phone {way} {pattern!r}")
    return found[0]


def invited(phone: Phone) -> float:
    return first(phone, "sent", r"^INVITE")


def rang(phones: Phone | Iterable[Phone]) -> float:
    """The first ringing of any of these seats."""
    return first(phones, "sent", r"^SIP/2.0 180")


def lifted(phones: Phone | Iterable[Phone]) -> float:
    return first(phones, "sent", r"^SIP/2.0 200 .*INVITE\)$")


def said_bye(phone: Phone) -> float:
    return first(phone, "sent", r"^BYE")


def heard_bye(phone: Phone) -> float:
    return first(phone, "received", r"^BYE")


def cancelled(phone: Phone) -> float:
    """When the caller gave up."""
    return first(phone, "sent", r"^CANCEL")


def dropped(phones: Phone | Iterable[Phone]) -> float:
    """When Asterisk took the last ringing back from these seats."""
    return moments(phones, "received", r"^CANCEL")[-1]


def held(phone: Phone) -> list[tuple[float, float]]:
    """Holds, as pairs of re-INVITEs sent by this phone."""
    times = moments(phone, "sent", r"^INVITE .*\((?:10[1-9]|1[1-9]\d) INVITE\)$")
    return list(zip(times[::2], times[1::2], strict=True))


def rings(begin: float, end: float) -> int:
    """Rings begun from *begin* to *end* at China's cadence: one every five seconds, the first at once.

    A story that ends within 0.3 s of a ring's beginning proves nothing: it is refused.
    """
    if min((end - begin) % RING_SECONDS, -(end - begin) % RING_SECONDS) < MARGIN_SECONDS:
        raise AssertionError(f"{end - begin:.3f} s of ringing end too near to a ring's beginning")
    return int((end - begin) // RING_SECONDS) + 1


def call(**known: Any) -> dict[str, Any]:
    """A whole call with all keys; what is not told is the plain value.

    undecided: keys whose meaning for this story the phones cannot tell; their values here bind nobody.
    """
    plain: dict[str, Any] = dict.fromkeys(KEYS)
    undecided = known.pop("undecided", [])
    plain |= {
        "direction": "inbound",
        "caller_name": "",
        "rings_heard": 0,
        "seats_missed": [],
        "talk_seconds": 0.0,
        "hold_seconds": 0.0,
        "holds": 0,
        "transfers": [],
        "breaches": [],
        "complete": True,
        "outcome": "answered",
    }
    unknown = set(known) - set(KEYS)
    if unknown:
        raise AssertionError(f"not keys of replay: {unknown}")
    return plain | known | ({"undecided": undecided} if undecided else {})
