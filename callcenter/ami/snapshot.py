"""What is alive in Asterisk right now, read after every log-in, for AMI has no memory of what was missed.

Place on the path: ``ami/link`` reads it before it lets live events pass; ``calls/fold`` reconciles with it.

Promises: one ``Snapshot`` of channels (with the bridge each is in), queue members and waiting callers; the event loop
is never held for long, also with 5,000 channels. Two list actions suffice: CoreShowChannels tells the bridge of every
channel in one consistent reading, where BridgeList would need one BridgeInfo per conversation.
Never: guesses what happened meanwhile.

Needs the write class ``reporting`` (CoreShowChannels); QueueStatus needs none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from callcenter.ami.actions import Action
from callcenter.ami.codec import Message
from callcenter.ami.events import MemberState, Snapshot, SnapshotChannel
from callcenter.ami.parse import parse
from callcenter.ami.queries import CoreShowChannels, QueueStatus
from callcenter.ami.values import MAX_ID, MAX_NUMBER, endless, named, text
from callcenter.ami.wire import Response
from callcenter.errors import ActionRefused

Ask = Callable[[Action], Awaitable[Response]]
MAX_DIGITS = 12
"""Of a duration: longer ones are no durations, and some are too long for a number."""
SLICE = 500
"""Channels built before the event loop gets its turn: about 3 ms."""


async def has_queues(ask: Ask) -> bool:
    """Whether app_queue is there. A booting Asterisk takes log-ins seconds before it has loaded its modules."""
    try:
        await ask(QueueStatus("callcenter-none"))
    except ActionRefused:
        return False
    return True


async def read(ask: Ask, now: Callable[[], float], queues: bool = True) -> Snapshot:
    """Raises what ``ask`` raises. ``now`` is Asterisk's time; the snapshot bears the moment its channels were read."""
    listed = (await ask(CoreShowChannels())).items
    at = now()
    items = (await ask(QueueStatus())).items if queues else ()
    channels: list[SnapshotChannel] = []
    for begin in range(0, len(listed), SLICE):
        channels += filter(None, map(channel, listed[begin : begin + SLICE]))
        await asyncio.sleep(0)
    members = [event for item in items if isinstance(event := parse(item, at), MemberState)]
    return Snapshot(at, tuple(channels), tuple(members), waiting_callers(items), queues_of(items))


def channel(item: Message) -> SnapshotChannel | None:
    """A ``CoreShowChannel`` item; ``None`` if it does not say which channel."""
    get = item.get
    uniqueid = get("Uniqueid", "")
    if item.get("Event") != "CoreShowChannel" or not uniqueid or endless(item):
        return None
    return SnapshotChannel(
        uniqueid,
        get("Linkedid", ""),
        get("Channel", ""),
        get("ChannelStateDesc", ""),
        text(get("CallerIDNum", ""), MAX_NUMBER),
        text(get("CallerIDName", "")),
        get("Context", "")[:MAX_ID],
        text(get("Exten", ""), MAX_NUMBER),
        text(get("Application", "")),
        text(get("ApplicationData", "")),
        get("BridgeId", ""),
        duration(get("Duration", "")),
    )


def duration(value: str) -> float:
    """``HH:MM:SS`` (hours may exceed two digits) in seconds; 0 where it cannot be read."""
    parts = value.split(":")
    if len(value) > MAX_DIGITS or len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return 0.0
    hours, minutes, seconds = map(int, parts)
    return float(hours * 3600 + minutes * 60 + seconds)


def waiting_callers(items: Sequence[Message]) -> tuple[tuple[str, str, float], ...]:
    """From ``QueueEntry`` items: (queue, uniqueid, seconds waited)."""
    entries = [
        item for item in items if item.get("Event") == "QueueEntry" and item.get("Uniqueid") and not endless(item)
    ]
    return tuple((named(item.get("Queue", "")), item["Uniqueid"], _seconds(item.get("Wait", ""))) for item in entries)


def queues_of(items: Sequence[Message]) -> tuple[str, ...]:
    """From ``QueueParams`` items: their names, each once."""
    told = [item for item in items if item.get("Event") == "QueueParams" and item.get("Queue") and not endless(item)]
    return tuple(dict.fromkeys(named(item["Queue"]) for item in told))


def _seconds(value: str) -> float:
    return float(value) if value.isdecimal() and len(value) <= MAX_DIGITS else 0.0
