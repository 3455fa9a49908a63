"""What single values of Asterisk's messages mean: texts made safe to show, whole numbers, moments.

On the path of a call: below ``ami/parse`` and ``ami/glance``, which read whole messages and build the same events here.
Promises: control characters never reach a name or number; every value is bounded; nothing raises.
Never: keeps state, or trusts a length.
"""

from collections.abc import Mapping

from callcenter.ami.events import AgentCalled, MemberState, NewCallerid, Newchannel

UNKNOWN = frozenset({"", "<unknown>", "<none>"})
_CONTROL = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " ")
MAX_NAME = 200
"""Characters of a caller's name that are kept; SIP display names arrive cut at 79 bytes, the dialplan's do not."""
MAX_NUMBER = 64
MAX_QUEUE = 80
"""Characters of a queue's name; Asterisk itself keeps 79 bytes (a category of its configuration files)."""
MAX_ID = 255
"""Characters of what identifies: unique ids (Asterisk: 149), channels, interfaces (79). A longer one is none
of Asterisk's, and cutting it would make one of two."""
MAX_DIAL_STRING = 1024
IDENTIFIES = frozenset(
    (
        *("Uniqueid", "Linkedid", "Channel", "DestUniqueid", "DestLinkedid", "DestChannel", "Interface"),
        *("Location", "StateInterface", "BridgeUniqueid", "BridgeId", "TransfererUniqueid", "TransfererLinkedid"),
        *("TransfererChannel", "TransfereeUniqueid", "OrigTransfererUniqueid", "OrigTransfererLinkedid"),
        *("OrigTransfererChannel", "SecondTransfererUniqueid", "SecondTransfererLinkedid", "SecondTransfererChannel"),
        *("TransferTargetUniqueid", "TransferTargetChannel", "TargetUniqueid", "TargetLinkedid", "TargetChannel"),
        *("LocalOneUniqueid", "LocalOneLinkedid", "LocalTwoUniqueid", "LocalTwoLinkedid"),
    )
)
"""Headers that identify."""
LATEST = 32_503_680_000.0
"""The year 3000: a later timestamp is a broken clock or a lie."""

MAX_WHOLE = 2**31 - 1
"""What a column of whole numbers takes; Asterisk's own counts and causes are far below."""


def text(value: str, limit: int = MAX_NAME) -> str:
    """A value as a person may see it: no control characters, no unknown-markers, bounded."""
    if not value or value in UNKNOWN:
        return ""
    if not value.isprintable():
        value = value.translate(_CONTROL).strip()
    return value[:limit]


def number(value: str) -> str:
    return text(value, MAX_NUMBER)


def named(name: str) -> str:
    """A queue's name, or the beginning of one that is too long to be any."""
    return name if len(name) <= MAX_QUEUE else name[: MAX_QUEUE - 1] + "…"


def endless(message: Mapping[str, str]) -> bool:
    """Whether something that identifies is longer than Asterisk makes it."""
    if max(map(len, message.values()), default=0) <= MAX_ID:
        return False
    return any(len(value) > MAX_ID and header in IDENTIFIES for header, value in message.items())


def whole(value: str | None) -> int | None:
    """A whole number, ``None`` where there is none."""
    try:
        number = int(value or "")
    except ValueError:
        return None
    return number if abs(number) <= MAX_WHOLE else None


def instant(stamp: str, otherwise: float | None) -> float | None:
    """A timestamp of Asterisk's as epoch seconds; ``otherwise`` where it is none, or before 1970 or beyond 2999."""
    try:
        at = float(stamp)
    except ValueError:
        return otherwise
    return at if 0 < at < LATEST else otherwise


def newchannel(
    at: float | None,
    uniqueid: str,
    linkedid: str,
    channel: str,
    state: str,
    caller_number: str,
    name: str,
    context: str,
    exten: str,
) -> Newchannel:
    """From the values of its headers as Asterisk wrote them."""
    return Newchannel(
        at, uniqueid, linkedid, channel, state, number(caller_number), text(name), context[:MAX_ID], number(exten)
    )


def new_callerid(
    at: float | None, uniqueid: str, linkedid: str, channel: str, caller_number: str, name: str
) -> NewCallerid:
    """From the values of its headers as Asterisk wrote them."""
    return NewCallerid(at, uniqueid, linkedid, channel, number(caller_number), text(name))


def agent_called(
    at: float | None,
    uniqueid: str,
    linkedid: str,
    dest_uniqueid: str,
    dest_channel: str,
    queue: str,
    interface: str,
    member: str,
) -> AgentCalled:
    """From the values of its headers as Asterisk wrote them."""
    return AgentCalled(at, uniqueid, linkedid, dest_uniqueid, dest_channel, named(queue), interface, text(member))


def member_state(
    at: float | None,
    queue: str,
    interface: str,
    state_interface: str,
    member: str,
    status: str,
    paused: str,
    reason: str,
    last_pause: str,
) -> MemberState:
    """From the values of its headers as Asterisk wrote them. ``LastPause`` is 0 where it never was paused."""
    is_paused = paused == "1"
    since = instant(last_pause, None) if is_paused else None
    return MemberState(
        at, named(queue), interface, state_interface, text(member), whole(status), is_paused, text(reason, 80), since
    )
