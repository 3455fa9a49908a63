"""What a rule may ask for. Commands are data: they are committed with the facts that caused them and performed after.

Promises: each has a stable id made of the call and the step, so that asking twice is asking once.
Never: performs anything, or carries text of a caller into an action's field.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Hand the event ``TimerDue(key)`` to the pipeline at ``due_at`` (epoch seconds); the same key again moves it."""

    key: str
    due_at: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    key: str


@dataclass(frozen=True, slots=True)
class OpenGate:
    """A1, widen: let a backup phone ring now. ``channel`` is the waiting Local half in the dialplan's gate."""

    command_id: str
    server: str
    call_id: str
    seat: str
    channel: str
    not_after: float


@dataclass(frozen=True, slots=True)
class Announce:
    """A1, last step: the dialplan takes the caller out of ringing, answers by announcement, rings the duty manager."""

    command_id: str
    server: str
    call_id: str
    channel: str
    queue: str | None
    not_after: float


@dataclass(frozen=True, slots=True)
class OpenCallback:
    """D11, B5: the caller of ``call_id`` is to be called back by ``due_at``; ``at``: the call's end."""

    server: str
    call_id: str
    rule: str
    reason: str
    number: str
    number_key: str
    queue: str | None
    at: float
    due_at: float


@dataclass(frozen=True, slots=True)
class CloseCallback:
    """Whoever has one of these numbers was spoken to at ``at``: reached by us, or called again. ``by``: the seat."""

    server: str
    call_id: str
    keys: tuple[str, ...]
    result: str
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class NoteAttempt:
    """A call to one of these numbers was not answered. ``by``: the seat."""

    server: str
    call_id: str
    keys: tuple[str, ...]
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class SendWebhook:
    """Tell the site's system ``webhook`` of an ``event`` of the call; of the same event always the same id."""

    message_id: str
    server: str
    call_id: str
    webhook: str
    event: str


Performed: TypeAlias = OpenGate | Announce
"""Commands that are sent to Asterisk through the outbox, at most once each."""
Kept: TypeAlias = OpenCallback | CloseCallback | NoteAttempt
"""Commands that the commit itself carries out, in the table of callbacks."""
Command: TypeAlias = StartTimer | CancelTimer | Performed | Kept | SendWebhook

_KINDS: dict[str, type[OpenGate] | type[Announce]] = {"OpenGate": OpenGate, "Announce": Announce}


def to_row(command: Performed) -> tuple[str, dict[str, Any]]:
    """(kind, payload) as the outbox stores it."""
    return type(command).__name__, asdict(command)


def from_row(kind: str, payload: Mapping[str, Any]) -> Performed:
    """The command of an outbox row. Raises ``KeyError`` for a kind this version does not know."""
    return _KINDS[kind](**payload)
