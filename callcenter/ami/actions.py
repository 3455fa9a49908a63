"""What the daemon may do to calls and queues: a closed list of actions with validated fields (``ami/queries`` asks).

Place on the path: the performers in ``effects`` build an action, ``ami/link`` sends what ``encode`` makes of it.

Promises: an action that exists is one AMI message and cannot become two, whatever a caller, a hook or a browser typed:
every field is matched against an allow list when the action is built, and ``encode`` looks once more. Contexts and
technologies are closed lists, so a click-to-call can only lead into our own dialplan.
Never: sends anything, takes an application name, or repairs a bad value.

Source: Asterisk ``main/manager.c`` (``get_input`` ends a line at LF and drops CR; lines over 1,024 bytes are errors),
docs.asterisk.org AMI actions, measured on 22.10 and 16.28.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from callcenter.ami import fields
from callcenter.ami.events import LISTENER
from callcenter.errors import BadInput

MAX_LINE_BYTES = 1024
"""Asterisk's input buffer holds 1,024 bytes of a line, its CR LF included."""

CONTEXTS = frozenset(
    {
        "cc-hotline",
        "cc-direct",
        "cc-seat",
        "cc-backup-now",
        "cc-announce",
        "cc-outgoing",
        "cc-internal",
        "cc-transfer",
        "cc-click",
    }
)
"""Contexts of ``dialplans/extensions-callcenter.conf`` that a channel may be sent to."""

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """Base of all actions. ``NAME`` is AMI's; ``ENDS_WITH`` names the event that ends a list answer."""

    NAME: ClassVar[str] = ""
    ENDS_WITH: ClassVar[str] = ""

    def headers(self) -> Iterator[Header]:
        """The AMI headers of this action, without Action and ActionID."""
        return iter(())


@dataclass(frozen=True, slots=True)
class _Move(Action):
    """Sends a channel to ``exten`` in one of our contexts."""

    channel: str
    context: str
    exten: str

    def __post_init__(self) -> None:
        fields.channel(self.channel)
        fields.one_of("context", self.context, CONTEXTS)
        fields.match(fields.EXTEN, "exten", self.exten, "a number (+ 0-9 * #) or a queue's name, up to 32 long")

    def headers(self) -> Iterator[Header]:
        yield "Channel", self.channel
        yield "Context", self.context
        yield "Exten", self.exten


@dataclass(frozen=True, slots=True)
class Redirect(_Move):
    """This channel itself goes elsewhere in the dialplan."""

    NAME: ClassVar[str] = "Redirect"

    def headers(self) -> Iterator[Header]:
        yield from _Move.headers(self)
        yield "Priority", "1"


@dataclass(frozen=True, slots=True)
class BlindTransfer(_Move):
    """``channel`` is the seat's leg; the other side of its bridge is sent away."""

    NAME: ClassVar[str] = "BlindTransfer"


@dataclass(frozen=True, slots=True)
class Atxfer(_Move):
    """Attended transfer by feature codes: "queued" is no promise, watch for AttendedTransfer."""

    NAME: ClassVar[str] = "Atxfer"


@dataclass(frozen=True, slots=True)
class CancelAtxfer(Action):
    NAME: ClassVar[str] = "CancelAtxfer"
    channel: str

    def __post_init__(self) -> None:
        fields.channel(self.channel)

    def headers(self) -> Iterator[Header]:
        yield "Channel", self.channel


@dataclass(frozen=True, slots=True)
class Hangup(Action):
    """``cause``: ITU-T Q.850, 16 is a normal end."""

    NAME: ClassVar[str] = "Hangup"
    channel: str
    cause: int = 16

    def __post_init__(self) -> None:
        fields.channel(self.channel)
        fields.whole("cause", self.cause, 0, 127)

    def headers(self) -> Iterator[Header]:
        yield "Channel", self.channel
        yield "Cause", str(self.cause)


@dataclass(frozen=True, slots=True)
class Originate(Action):
    """Click-to-call: rings the seat's own endpoint, then dials ``number`` by the dialplan's ``cc-click``.

    ``channel_id`` becomes Uniqueid and Linkedid, so the call is known before its first event. The answer means
    "queued"; ``OriginateResponse`` tells the outcome. Times in milliseconds on the wire, seconds here."""

    NAME: ClassVar[str] = "Originate"
    endpoint: str
    number: str
    channel_id: str
    ring_seconds: int = 30

    def __post_init__(self) -> None:
        fields.match(fields.ENDPOINT, "endpoint", self.endpoint, "the seat's own phone, such as PJSIP/1001")
        fields.number(self.number)
        fields.match(fields.ID, "channel_id", self.channel_id, "letters, digits, '_', '-', '.'")
        fields.whole("ring_seconds", self.ring_seconds, 1, 120)

    def headers(self) -> Iterator[Header]:
        yield "Channel", self.endpoint
        yield "Context", "cc-click"
        yield "Exten", self.number
        yield "Priority", "1"
        yield "Timeout", str(self.ring_seconds * 1000)
        yield "ChannelId", self.channel_id
        yield "Async", "true"


@dataclass(frozen=True, slots=True)
class Listen(Action):
    """A listening channel: what comes from the channel ``uniqueid`` is brought to an AudioSocket server, and nothing
    comes back. It runs in the dialplan's ``cc-listen``; ``stream`` is the UUID that the server is told."""

    NAME: ClassVar[str] = "Originate"
    stream: str
    host: str
    port: int
    uniqueid: str

    def __post_init__(self) -> None:
        fields.match(fields.UUID, "stream", self.stream, "a UUID")
        fields.match(fields.HOST, "host", self.host, "an address or a host's name")
        fields.whole("port", self.port, 1, 65535)
        fields.match(fields.ID, "uniqueid", self.uniqueid, "letters, digits, '_', '-', '.'")

    def headers(self) -> Iterator[Header]:
        yield "Channel", f"AudioSocket/{self.host}:{self.port}/{self.stream}"
        yield "Codecs", "slin"
        yield "Context", "cc-listen"
        yield "Exten", "s"
        yield "Priority", "1"
        yield "Timeout", "5000"
        yield "ChannelId", f"{LISTENER}{self.stream}"
        yield "Variable", f"CC_LISTEN_TO={self.uniqueid}"
        yield "Async", "true"


@dataclass(frozen=True, slots=True)
class QueuePause(Action):
    """Pauses a member (in one queue, or in all with ``queue=None``). ``reason`` is shown and goes to the queue log."""

    NAME: ClassVar[str] = "QueuePause"
    interface: str
    paused: bool
    reason: str = ""
    queue: str | None = None

    def __post_init__(self) -> None:
        fields.match(
            fields.INTERFACE, "interface", self.interface, "a member, such as PJSIP/1001 or Local/1001@cc-seat/n"
        )
        fields.text("reason", self.reason, 80)
        if self.queue is not None:
            fields.queue(self.queue)

    def headers(self) -> Iterator[Header]:
        yield "Interface", self.interface
        yield "Paused", "true" if self.paused else "false"
        if self.reason:
            yield "Reason", self.reason
        if self.queue is not None:
            yield "Queue", self.queue


@dataclass(frozen=True, slots=True)
class QueueWithdrawCaller(Action):
    """Takes a waiting caller out of the queue; the dialplan goes on with QUEUESTATUS=WITHDRAW."""

    NAME: ClassVar[str] = "QueueWithdrawCaller"
    queue: str
    caller: str
    info: str = ""

    def __post_init__(self) -> None:
        fields.queue(self.queue)
        fields.channel(self.caller, "caller")
        if self.info:
            fields.match(fields.WORD, "info", self.info, "one word of letters, digits, '_', '-'")

    def headers(self) -> Iterator[Header]:
        yield "Queue", self.queue
        yield "Caller", self.caller
        if self.info:
            yield "WithdrawInfo", self.info


@dataclass(frozen=True, slots=True)
class MixMonitorMute(Action):
    """Silences (``on=True``) one side of a running recording, or both: ``read`` is what comes from the channel. The
    tracks go on, so they stay aligned. Needs the class ``call`` or ``system`` (22.10 and 16.28)."""

    NAME: ClassVar[str] = "MixMonitorMute"
    channel: str
    direction: Literal["read", "write", "both"]
    on: bool

    def __post_init__(self) -> None:
        fields.channel(self.channel)
        fields.one_of("direction", self.direction, frozenset({"read", "write", "both"}))

    def headers(self) -> Iterator[Header]:
        yield "Channel", self.channel
        yield "Direction", self.direction
        yield "State", "1" if self.on else "0"


def encode(action: Action, action_id: str) -> bytes:
    """One AMI message. Raises ``BadInput`` for anything that could be read as more, or that Asterisk would cut."""
    fields.match(fields.ACTION_ID, "action_id", action_id, "letters, digits and / _ . -")
    lines = [f"Action: {action.NAME}", f"ActionID: {action_id}"]
    lines += [f"{key}: {value}" for key, value in action.headers()]
    out = bytearray()
    for line in lines:
        raw = line.encode()
        if any(byte in raw for byte in (b"\r", b"\n", b"\0")):
            raise BadInput(f"{action.NAME}: a field holds a line end or NUL, which would begin a second header")
        if len(raw) + 2 > MAX_LINE_BYTES:
            raise BadInput(f"{action.NAME}: a line is over {MAX_LINE_BYTES} bytes, which Asterisk refuses")
        out += raw + b"\r\n"
    return bytes(out + b"\r\n")
