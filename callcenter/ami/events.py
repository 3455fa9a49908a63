"""Messages become typed events: the second step on the path of a call.

One ``NamedTuple`` per thing the daemon learns from Asterisk, with only the headers that the fold reads; ``ami/parse``
makes them. Events of our own (the link lost and found, a snapshot) travel the same path.

Promises: plain immutable data; two equal events say the same thing, so a repeated one can be recognised.
Never: interprets. What an event means for a call stands in ``calls/fold``.

Units: ``at`` is epoch seconds by Asterisk's clock, ``None`` where nobody told the time. Header meanings:
docs.asterisk.org AMI events, and measurements on 16.28 and 22.10.
"""

from typing import NamedTuple, TypeAlias

LISTENER = "listen-"
"""How the unique ids of our listening channels begin (``ami/actions.Listen``): they are part of nobody's call."""


class Newchannel(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    state: str
    caller_number: str
    caller_name: str
    context: str
    exten: str


class Newstate(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    state: str


class NewCallerid(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    caller_number: str
    caller_name: str


class Hangup(NamedTuple):
    """``cause``: Q.850. ``tech_cause``: the SIP status that ended it, told by 22 where there was one."""

    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    cause: int | None
    recording: str
    tech_cause: int | None = None


class HangupRequest(NamedTuple):
    """The device of this leg sent BYE, CANCEL or a final refusal: the only word on who hung up."""

    at: float | None
    uniqueid: str
    linkedid: str
    channel: str


class DialBegin(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    dest_uniqueid: str
    dest_linkedid: str
    dest_channel: str
    dial_string: str


class DialState(NamedTuple):
    at: float | None
    dest_uniqueid: str
    dest_linkedid: str
    dest_channel: str
    status: str


class DialEnd(NamedTuple):
    at: float | None
    dest_uniqueid: str
    dest_linkedid: str
    dest_channel: str
    status: str


class BridgeEnter(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    bridge: str


class BridgeLeave(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    bridge: str


class Hold(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str


class Unhold(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str


class MusicOnHoldStart(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str


class MusicOnHoldStop(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str


class QueueCallerJoin(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    queue: str
    waiting: int | None


class QueueCallerLeave(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    queue: str
    waiting: int | None


class AgentCalled(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    dest_uniqueid: str
    dest_channel: str
    queue: str
    interface: str
    member: str


class AgentConnect(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    dest_uniqueid: str
    dest_channel: str
    queue: str
    interface: str


class AgentComplete(NamedTuple):
    at: float | None
    uniqueid: str
    linkedid: str
    dest_uniqueid: str
    reason: str


class BlindTransfer(NamedTuple):
    at: float | None
    transferer_uniqueid: str
    transferer_linkedid: str
    transferer_channel: str
    transferee_uniqueid: str
    extension: str
    result: str


class AttendedTransfer(NamedTuple):
    """Two conversations of one seat (``orig`` the customer's, ``second`` the consultation) become one."""

    at: float | None
    orig_uniqueid: str
    orig_linkedid: str
    orig_channel: str
    second_uniqueid: str
    second_linkedid: str
    second_channel: str
    transferee_uniqueid: str
    target_uniqueid: str
    target_channel: str
    result: str


class Pickup(NamedTuple):
    """``channel`` (the seat that picks up) takes over ``target_channel`` (the ringing leg)."""

    at: float | None
    uniqueid: str
    linkedid: str
    channel: str
    target_uniqueid: str
    target_linkedid: str
    target_channel: str


class LocalBridge(NamedTuple):
    at: float | None
    one_uniqueid: str
    one_linkedid: str
    two_uniqueid: str
    two_linkedid: str


class RecordingStarted(NamedTuple):
    """From ``VarSet`` of MIXMONITOR_FILENAME (needs the dialplan class) or our dialplan's ``CallcenterRecording``."""

    at: float | None
    uniqueid: str
    linkedid: str
    path: str
    seat_path: str
    caller_path: str


class QueueStatusSet(NamedTuple):
    """The dialplan's QUEUESTATUS: why Queue() ended (TIMEOUT, JOINEMPTY, FULL, LEAVEEMPTY, WITHDRAW ...)."""

    at: float | None
    uniqueid: str
    linkedid: str
    status: str


class UserEvent(NamedTuple):
    """An event that a dialplan wrote. ``fields``: its own headers only."""

    at: float | None
    uniqueid: str
    linkedid: str
    name: str
    fields: tuple[tuple[str, str], ...]


class MemberState(NamedTuple):
    """A queue member as Asterisk sees it. ``status``: device state number of app_queue (1 idle, 2 in use, 3 busy,
    4 invalid, 5 unavailable, 6 ringing, 7 ringing and in use, 8 on hold). ``paused_at``: since when it is paused, by
    Asterisk's clock in whole seconds; ``None`` of one that is not, or where Asterisk does not tell."""

    at: float | None
    queue: str
    interface: str
    state_interface: str
    member: str
    status: int | None
    paused: bool
    reason: str
    paused_at: float | None = None


class MemberGone(NamedTuple):
    at: float | None
    queue: str
    interface: str


class OriginateResponse(NamedTuple):
    at: float | None
    action_id: str
    success: bool
    uniqueid: str
    reason: str


class Shutdown(NamedTuple):
    at: float | None
    restart: bool


class FullyBooted(NamedTuple):
    at: float | None
    uptime_seconds: int | None


class SnapshotChannel(NamedTuple):
    """A channel found by CoreShowChannels. ``age_seconds``: since its creation."""

    uniqueid: str
    linkedid: str
    channel: str
    state: str
    caller_number: str
    caller_name: str
    context: str
    exten: str
    application: str
    application_data: str
    bridge: str
    age_seconds: float


class Snapshot(NamedTuple):
    """All that Asterisk says is alive after a log-in; what a call has beyond it ended unobserved."""

    at: float
    channels: tuple[SnapshotChannel, ...]
    members: tuple[MemberState, ...]
    waiting: tuple[tuple[str, str, float], ...]
    """Callers in queues: (queue, uniqueid, seconds waited)."""
    queues: tuple[str, ...] = ()
    """All queues that Asterisk has, whether or not anybody serves or waits in them."""


class LinkLost(NamedTuple):
    at: float
    reason: str


class LinkUp(NamedTuple):
    at: float
    banner: str


Event: TypeAlias = (
    Newchannel
    | Newstate
    | NewCallerid
    | Hangup
    | HangupRequest
    | DialBegin
    | DialState
    | DialEnd
    | BridgeEnter
    | BridgeLeave
    | Hold
    | Unhold
    | MusicOnHoldStart
    | MusicOnHoldStop
    | QueueCallerJoin
    | QueueCallerLeave
    | AgentCalled
    | AgentConnect
    | AgentComplete
    | BlindTransfer
    | AttendedTransfer
    | Pickup
    | LocalBridge
    | RecordingStarted
    | QueueStatusSet
    | UserEvent
    | MemberState
    | MemberGone
    | OriginateResponse
    | Shutdown
    | FullyBooted
    | Snapshot
    | LinkLost
    | LinkUp
)
