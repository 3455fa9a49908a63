"""What is true of one call, as everybody else reads it: the frozen view that ``calls/derive`` makes of the evidence.

Promises: plain immutable data with one meaning per field, the same live, after a restart and in ``callcenter replay``.
Never: knows AMI, a database or a clock; shows a value that was not observed (it is ``None`` then).

Units: instants are epoch seconds by Asterisk's clock, durations are seconds. Seats are named by their extension
("1001"), without the technology. Rule ids (A1, B6 ...) are those of the service standard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

REBASE_WITHIN_SECONDS = 2.0
"""The first phone rings this soon after the caller began to wait, or the ladder runs from the waiting itself."""


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class Phase(StrEnum):
    """Where a running call stands; what a seat's window and the wallboard show."""

    ARRIVED = "arrived"
    WAITING = "waiting"  # in a queue, no seat rings
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


class Outcome(StrEnum):
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    OVERFLOWED = "overflowed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class EndedBy(StrEnum):
    """Which side's phone ended it (B6). ``CALLER``: the channel that began the call; in an outgoing call, where a seat
    began it, the customer's side."""

    CALLER = "caller"
    SEAT = "seat"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class RingResult(StrEnum):
    RINGING = "ringing"
    ANSWERED = "answered"
    MISSED = "missed"
    GAVE_UP = "gave_up"  # the caller did, nobody's miss
    ELSEWHERE = "elsewhere"  # another seat lifted, or picked the call up
    NOT_RUNG = "not_rung"  # busy, refused at once or out of reach
    UNKNOWN = "unknown"  # it ended while nobody listened: neither a miss nor a length


class TransferKind(StrEnum):
    BLIND = "blind"
    ATTENDED = "attended"


class BreachReason(StrEnum):
    """Why three rings (A1) were not kept."""

    NO_SEAT = "no_seat"
    NOT_LIFTED = "not_lifted"
    GREETING_TOO_LONG = "greeting_too_long"


@dataclass(frozen=True, slots=True)
class Ring:
    """One attempt to reach a seat. ``started_at`` is its first ringing, ``None`` if it never rang."""

    seat: str
    leg: str
    started_at: float | None
    ended_at: float | None
    result: RingResult


@dataclass(frozen=True, slots=True)
class Hold:
    seat: str
    started_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Stay:
    """A seat on the line with the caller, from its lifting; holds are not in it."""

    seat: str
    started_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Pause:
    """The recording was silent, for a card number say. ``by``: the seat's extension, ``dialplan``, or ``limit``."""

    started_at: float
    ended_at: float | None
    by: str


@dataclass(frozen=True, slots=True)
class Transfer:
    kind: TransferKind
    seat_from: str
    to: str
    at: float


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule of the standard that this call did not keep."""

    rule: str
    reason: str
    at: float | None


@dataclass(frozen=True, slots=True)
class Gate:
    """A backup phone that the dialplan holds back: ``channel`` (the ;2 half of its Local channel) waits at the gate."""

    seat: str
    channel: str


NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """One call from its arrival to its end. Key: (``server``, ``call_id``), the linkedid of its first channel."""

    server: str
    call_id: str
    direction: Direction
    phase: Phase
    phase_since: float | None = None
    caller_number: str | None = None
    caller_name: str | None = None
    dialled: str | None = None
    queue: str | None = None
    caller_channel: str | None = None
    """Name of the channel that began the call while it lives: what an action addresses."""
    hotline: bool = False
    """It came through the hotline's dialplan, where the ladder's announcement and gates exist."""
    clicked_by: str | None = None
    """The seat whose own phone was rung first, on a click, to dial from there."""
    lifted_to_dial_at: float | None = None
    """When that phone was lifted: before it, nobody was dialled."""
    arrived_at: float | None = None
    waiting_since: float | None = None
    """When the caller began to wait for a seat: joined the first queue, or the first phone was called."""
    first_ring_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    rings_heard: int = 0
    wait_seconds: float | None = None
    outcome: Outcome | None = None
    answered_by: str | None = None
    ringing: tuple[str, ...] = ()
    talking_to: tuple[str, ...] = ()
    seats_missed: tuple[str, ...] = ()
    rings: tuple[Ring, ...] = ()
    holds: tuple[Hold, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    pauses: tuple[Pause, ...] = ()
    """Of the recording, in order."""
    stays: tuple[Stay, ...] = ()
    """Who was on our side, in order; once the call has ended."""
    caller_gone_at: float | None = None
    """When the channel that began the call was gone; once the call has ended."""
    recorded_channel: str | None = None
    """Name of the channel that is recorded while it lives: that of whoever is no seat, and stays whatever seats do."""
    recorded_until: float | None = None
    """When it was gone; once the call has ended."""
    gates: tuple[Gate, ...] = ()
    talk_seconds: float | None = None
    hold_seconds: float = 0.0
    ended_by: EndedBy | None = None
    cause: int | None = None
    """Q.850 hang-up cause of the caller's channel."""
    cut_off: str | None = None
    """B5: why the conversation broke off: ``no_sound`` or ``network``; ``None`` if somebody hung up."""
    recording: str | None = None
    recording_seat: str | None = None
    recording_caller: str | None = None
    announced_at: float | None = None
    """When the announcement answered in a seat's stead (third step of the ladder)."""
    breaches: tuple[Breach, ...] = ()
    variables: Mapping[str, str] = field(default_factory=lambda: NO_VARIABLES)
    """Told by the dialplan or a hook: company, language, survey answer, the site's own."""
    complete: bool = True
    """False where something of the call up to now was not observed."""
    recovered: bool = False
    """True where Asterisk's call records told what no event did."""
    merged_into: str | None = None
    """The call that this one (a consultation) became part of."""

    @property
    def recording_paused(self) -> bool:
        """Whether the recording is silent now."""
        return self.running and any(pause.ended_at is None for pause in self.pauses)

    @property
    def running(self) -> bool:
        return self.phase is not Phase.ENDED

    @property
    def handed_on(self) -> bool:
        """Answered, and ringing again at somebody to whom it is transferred (B4): no matter of three rings (A1)."""
        return self.running and self.answered_at is not None and bool(self.ringing) and not self.talking_to

    @property
    def ringing_from(self) -> float | None:
        """When the rings began that count for the caller now (A1), the same for the ladder, the wall and every window:
        with the first phone; where our dialplan keeps the ladder, with the waiting if no phone rings soon, because it
        acts by that. Of a call that is handed on, only those since then."""
        if not self.handed_on:
            waiting, ringing = self.waiting_since, self.first_ring_at
            if not self.hotline or waiting is None:
                return ringing
            return ringing if ringing is not None and ringing - waiting <= REBASE_WITHIN_SECONDS else waiting
        begun = [ring.started_at for ring in self.rings if ring.result is RingResult.RINGING]
        return min((at for at in begun if at is not None), default=self.phase_since)
