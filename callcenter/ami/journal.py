"""Typed events to bytes and back: what the event log keeps, so that the state of running calls survives kill -9.

Promises: ``loads(dumps(events)) == events``; an entry that this version does not know is left out, not guessed.
Never: keeps raw AMI, or events that concern no call.
"""

import json
from collections.abc import Sequence
from typing import Any

from callcenter.ami import events as ami
from callcenter.jsontext import to_bytes

_KINDS: dict[str, type[Any]] = {
    name: kind for name, kind in vars(ami).items() if isinstance(kind, type) and hasattr(kind, "_fields")
}


def dumps(events: Sequence[ami.Event]) -> bytes:
    """One JSON array; an event is [kind, field, field ...]."""
    return to_bytes([(type(event).__name__, *event) for event in events])


def loads(payload: bytes) -> list[ami.Event]:
    """The events of one log row. Raises ``ValueError`` if it is none."""
    entries = json.loads(payload)
    if not isinstance(entries, list):
        raise ValueError("a row of the event log is no list of events")
    found = []
    for entry in entries:
        try:
            name, *values = entry
            found.append(_rebuild(_KINDS[name], values))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _rebuild(kind: type[Any], values: Sequence[Any]) -> Any:
    """A row of an earlier version lacks the fields that an event has gained since; they have a default."""
    later = [kind._field_defaults[field] for field in kind._fields[len(values) :]]
    return kind._make(_value(kind, field, value) for field, value in zip(kind._fields, [*values, *later], strict=True))


def _value(kind: type[Any], field: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if kind is ami.Snapshot and field == "channels":
        return tuple(ami.SnapshotChannel._make(entry) for entry in value)
    if kind is ami.Snapshot and field == "members":
        return tuple(ami.MemberState(*entry) for entry in value)  # an earlier version's lacks what came since
    if kind is ami.Snapshot and field == "queues":
        return tuple(value)
    return tuple(tuple(entry) for entry in value)
