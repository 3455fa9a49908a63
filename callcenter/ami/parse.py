"""From a message's headers to its typed event; which events are wanted at all.

Promises: an event is either complete (it names its channel or queue) or ``None``; control characters never reach a
name or number, and whatever is a name or an id is bounded here, before anybody keeps it; times are Asterisk's own
(``Timestamp``, from ``timestampevents=yes``) and only where that is missing the caller's ``received_at``. ``WANTED`` is
both the client's filter and the source of the server-side event filters, so nothing else needs to leave Asterisk.
Never: keeps state, or trusts a length.
"""

import re
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import unquote

from callcenter.ami.codec import Message
from callcenter.ami.events import (
    AgentComplete,
    AgentConnect,
    AttendedTransfer,
    BlindTransfer,
    BridgeEnter,
    BridgeLeave,
    DialBegin,
    DialEnd,
    DialState,
    Event,
    FullyBooted,
    Hangup,
    HangupRequest,
    Hold,
    LocalBridge,
    MemberGone,
    MusicOnHoldStart,
    MusicOnHoldStop,
    Newstate,
    OriginateResponse,
    Pickup,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueStatusSet,
    RecordingStarted,
    Shutdown,
    Unhold,
    UserEvent,
)
from callcenter.ami.values import (
    MAX_DIAL_STRING,
    UNKNOWN,
    agent_called,
    endless,
    instant,
    member_state,
    named,
    new_callerid,
    newchannel,
    number,
    text,
    whole,
)

_Builder: TypeAlias = Callable[[Message, float | None], Event | None]


def _on_channel(kind: Callable[..., "Event"]) -> _Builder:
    """A builder for the events that say no more than when and on which channel."""

    def build(m: Message, at: float | None) -> Event | None:
        uniqueid = m.get("Uniqueid", "")
        return kind(at, uniqueid, m.get("Linkedid", ""), m.get("Channel", "")) if uniqueid else None

    return build


def _on_dest(kind: Callable[..., "Event"]) -> _Builder:
    def build(m: Message, at: float | None) -> Event | None:
        dest = m.get("DestUniqueid", "")
        if not dest:
            return None
        return kind(at, dest, m.get("DestLinkedid", ""), m.get("DestChannel", ""), m.get("DialStatus", ""))

    return build


def _in_bridge(kind: Callable[..., "Event"]) -> _Builder:
    def build(m: Message, at: float | None) -> Event | None:
        uniqueid, bridge = m.get("Uniqueid", ""), m.get("BridgeUniqueid", "")
        return kind(at, uniqueid, m.get("Linkedid", ""), m.get("Channel", ""), bridge) if uniqueid and bridge else None

    return build


def _in_queue(kind: Callable[..., "Event"]) -> _Builder:
    def build(m: Message, at: float | None) -> Event | None:
        uniqueid, queue = m.get("Uniqueid", ""), m.get("Queue", "")
        if not uniqueid or not queue:
            return None
        return kind(at, uniqueid, m.get("Linkedid", ""), m.get("Channel", ""), named(queue), whole(m.get("Count")))

    return build


def _newchannel(m: Message, at: float | None) -> Event | None:
    uniqueid = m.get("Uniqueid", "")
    if not uniqueid:
        return None
    get = m.get
    number, name = get("CallerIDNum", ""), get("CallerIDName", "")
    context, exten = get("Context", ""), get("Exten", "")
    channel, state = get("Channel", ""), get("ChannelStateDesc", "")
    return newchannel(at, uniqueid, get("Linkedid", ""), channel, state, number, name, context, exten)


def _newstate(m: Message, at: float | None) -> Event | None:
    uniqueid = m.get("Uniqueid", "")
    if not uniqueid:
        return None
    return Newstate(at, uniqueid, m.get("Linkedid", ""), m.get("Channel", ""), m.get("ChannelStateDesc", ""))


def _new_callerid(m: Message, at: float | None) -> Event | None:
    uniqueid, get = m.get("Uniqueid", ""), m.get
    if not uniqueid:
        return None
    number, name = get("CallerIDNum", ""), get("CallerIDName", "")
    return new_callerid(at, uniqueid, get("Linkedid", ""), get("Channel", ""), number, name)


def _hangup(m: Message, at: float | None) -> Event | None:
    uniqueid = m.get("Uniqueid", "")
    if not uniqueid:
        return None
    recording = m.get("ChanVariable:MIXMONITOR_FILENAME") or _recording_named(m)
    causes = whole(m.get("Cause")), recording, whole(m.get("TechCause"))
    return Hangup(at, uniqueid, m.get("Linkedid", ""), m.get("Channel", ""), *causes)


_RECORDING = re.compile(r"ChanVariable:\w*(REC|MONITOR)\w*", re.IGNORECASE)
_SOUND = re.compile(r"/.*\.(wav|WAV|wav49|gsm|ulaw|alaw|sln\d*|mp3|ogg)")


def _recording_named(m: Message) -> str:
    """A sound file that a channel variable names (``channelvars`` in manager.conf; sites call it RECFILE and the like):
    all that is told of a recording where the account does not read VarSet."""
    named = (value for key, value in m.items() if key.startswith("ChanVariable:") and _RECORDING.fullmatch(key))
    return next((text(value, 1024) for value in named if _SOUND.fullmatch(value)), "")


def _dial_begin(m: Message, at: float | None) -> Event | None:
    dest = m.get("DestUniqueid", "")
    if not dest:
        return None
    get = m.get
    return DialBegin(
        at,
        get("Uniqueid", ""),
        get("Linkedid", ""),
        get("Channel", ""),
        dest,
        get("DestLinkedid", ""),
        get("DestChannel", ""),
        get("DialString", "")[:MAX_DIAL_STRING],
    )


def _agent_called(m: Message, at: float | None) -> Event | None:
    uniqueid, queue, get = m.get("Uniqueid", ""), m.get("Queue", ""), m.get
    if not uniqueid or not queue:
        return None
    dest, channel, interface = get("DestUniqueid", ""), get("DestChannel", ""), get("Interface", "")
    return agent_called(at, uniqueid, get("Linkedid", ""), dest, channel, queue, interface, get("MemberName", ""))


def _agent_connect(m: Message, at: float | None) -> Event | None:
    uniqueid, queue = m.get("Uniqueid", ""), m.get("Queue", "")
    if not uniqueid or not queue:
        return None
    get = m.get
    dest, channel = get("DestUniqueid", ""), get("DestChannel", "")
    return AgentConnect(at, uniqueid, get("Linkedid", ""), dest, channel, named(queue), get("Interface", ""))


def _agent_complete(m: Message, at: float | None) -> Event | None:
    uniqueid = m.get("Uniqueid", "")
    if not uniqueid:
        return None
    return AgentComplete(at, uniqueid, m.get("Linkedid", ""), m.get("DestUniqueid", ""), m.get("Reason", ""))


def _blind_transfer(m: Message, at: float | None) -> Event | None:
    get = m.get
    transferer = get("TransfererUniqueid", "")
    if not transferer:
        return None
    return BlindTransfer(
        at,
        transferer,
        get("TransfererLinkedid", ""),
        get("TransfererChannel", ""),
        get("TransfereeUniqueid", ""),
        number(get("Extension", "")),
        get("Result", ""),
    )


def _attended_transfer(m: Message, at: float | None) -> Event | None:
    get = m.get
    orig = get("OrigTransfererUniqueid", "")
    if not orig:
        return None
    return AttendedTransfer(
        at,
        orig,
        get("OrigTransfererLinkedid", ""),
        get("OrigTransfererChannel", ""),
        get("SecondTransfererUniqueid", ""),
        get("SecondTransfererLinkedid", ""),
        get("SecondTransfererChannel", ""),
        get("TransfereeUniqueid", ""),
        get("TransferTargetUniqueid", ""),
        get("TransferTargetChannel", ""),
        get("Result", ""),
    )


def _pickup(m: Message, at: float | None) -> Event | None:
    get = m.get
    uniqueid, target = get("Uniqueid", ""), get("TargetUniqueid", "")
    if not uniqueid or not target:
        return None
    linkedid, channel = get("Linkedid", ""), get("Channel", "")
    return Pickup(at, uniqueid, linkedid, channel, target, get("TargetLinkedid", ""), get("TargetChannel", ""))


def _local_bridge(m: Message, at: float | None) -> Event | None:
    get = m.get
    one, two = get("LocalOneUniqueid", ""), get("LocalTwoUniqueid", "")
    if not one or not two:
        return None
    return LocalBridge(at, one, get("LocalOneLinkedid", ""), two, get("LocalTwoLinkedid", ""))


def _var_set(m: Message, at: float | None) -> Event | None:
    uniqueid, value = m.get("Uniqueid", ""), m.get("Value", "")
    if not uniqueid or not value:
        return None
    if m.get("Variable") == "MIXMONITOR_FILENAME":
        return RecordingStarted(at, uniqueid, m.get("Linkedid", ""), text(value, 1024), "", "")
    return QueueStatusSet(at, uniqueid, m.get("Linkedid", ""), text(value, 32))


_CHANNEL_HEADERS = frozenset(
    [
        "Event",
        "Privilege",
        "Timestamp",
        "SequenceNumber",
        "SystemName",
        "Channel",
        "ChannelState",
        "ChannelStateDesc",
        "CallerIDNum",
        "CallerIDName",
        "ConnectedLineNum",
        "ConnectedLineName",
        "Language",
        "AccountCode",
        "Context",
        "Exten",
        "Priority",
        "Uniqueid",
        "Linkedid",
        "UserEvent",
    ]
)


def _user_event(m: Message, at: float | None) -> Event | None:
    name = text(m.get("UserEvent", ""), 64)
    if not name:
        return None
    uniqueid, linkedid = m.get("Uniqueid", ""), m.get("Linkedid", "")
    # Our dialplan URI-encodes what it tells: a comma or a line end would end the header.
    own = {k: text(unquote(v), 1024) for k, v in m.items() if k not in _CHANNEL_HEADERS and "ChanVariable" not in k}
    if "Queue" in own:
        own["Queue"] = named(own["Queue"])
    if name == "CallcenterRecording":
        mixed, seat, caller = (own.get(track, "") for track in ("Mixed", "Seat", "Caller"))
        return RecordingStarted(at, uniqueid, linkedid, mixed, seat, caller)
    return UserEvent(at, uniqueid, linkedid, name, tuple(sorted(own.items())))


def _member(m: Message, at: float | None) -> Event | None:
    get = m.get
    queue, interface = get("Queue", ""), get("Interface", get("Location", ""))
    if not queue or not interface:
        return None
    member, status = get("MemberName", get("Name", "")), get("Status", "")
    paused = get("Paused", "0"), get("PausedReason", ""), get("LastPause", "")
    return member_state(at, queue, interface, get("StateInterface", ""), member, status, *paused)


def _member_removed(m: Message, at: float | None) -> Event | None:
    queue, interface = m.get("Queue", ""), m.get("Interface", "")
    return MemberGone(at, named(queue), interface) if queue and interface else None


def _originate_response(m: Message, at: float | None) -> Event | None:
    uniqueid = m.get("Uniqueid", "")
    uniqueid = "" if uniqueid in UNKNOWN else uniqueid
    return OriginateResponse(at, m.get("ActionID", ""), m.get("Response") == "Success", uniqueid, m.get("Reason", ""))


def _shutdown(m: Message, at: float | None) -> Event | None:
    return Shutdown(at, m.get("Restart", "") == "True")


def _fully_booted(m: Message, at: float | None) -> Event | None:
    return FullyBooted(at, whole(m.get("Uptime")))


_BUILDERS: dict[str, _Builder] = {
    "Newchannel": _newchannel,
    "Newstate": _newstate,
    "NewCallerid": _new_callerid,
    "Hangup": _hangup,
    "HangupRequest": _on_channel(HangupRequest),
    "DialBegin": _dial_begin,
    "DialState": _on_dest(DialState),
    "DialEnd": _on_dest(DialEnd),
    "BridgeEnter": _in_bridge(BridgeEnter),
    "BridgeLeave": _in_bridge(BridgeLeave),
    "Hold": _on_channel(Hold),
    "Unhold": _on_channel(Unhold),
    "MusicOnHoldStart": _on_channel(MusicOnHoldStart),
    "MusicOnHoldStop": _on_channel(MusicOnHoldStop),
    "QueueCallerJoin": _in_queue(QueueCallerJoin),
    "QueueCallerLeave": _in_queue(QueueCallerLeave),
    "AgentCalled": _agent_called,
    "AgentConnect": _agent_connect,
    "AgentComplete": _agent_complete,
    "BlindTransfer": _blind_transfer,
    "AttendedTransfer": _attended_transfer,
    "Pickup": _pickup,
    "LocalBridge": _local_bridge,
    "VarSet": _var_set,
    "UserEvent": _user_event,
    "QueueMemberStatus": _member,
    "QueueMemberAdded": _member,
    "QueueMemberPause": _member,
    "QueueMember": _member,
    "QueueMemberRemoved": _member_removed,
    "OriginateResponse": _originate_response,
    "Shutdown": _shutdown,
    "FullyBooted": _fully_booted,
}

WANTED: dict[str, tuple[bytes, ...]] = dict.fromkeys(_BUILDERS, ()) | {
    "VarSet": (b"\r\nVariable: MIXMONITOR_FILENAME\r\n", b"\r\nVariable: QUEUESTATUS\r\n")
}
"""Event names the daemon uses -> what must stand in the message for it to be of use (nothing: every one is)."""


def parse(message: Message, received_at: float | None = None) -> Event | None:
    """The typed event of a message, ``None`` if it is no event of ours, or lacks what identifies it or has too much."""
    build = _BUILDERS.get(message.get("Event", ""))
    if build is None or endless(message):
        return None
    stamp = message.get("Timestamp")
    return build(message, received_at if stamp is None else instant(stamp, received_at))
