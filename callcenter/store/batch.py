"""What the pipeline hands to the store in one piece, and what it gets back.

Promises: plain data. A batch that is committed again under its ``batch_id`` changes nothing more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from callcenter.calls.model import Call
from callcenter.rules.commands import Command
from callcenter.tickets.callbacks import Ended
from callcenter.tickets.model import TicketPatch, TicketRef


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the link to Asterisk told nothing. The same ``started_at`` again with an end closes it."""

    started_at: float
    ended_at: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class CdrPosition:
    """How far Asterisk's call records were read. ``inode`` tells a rotated file from the one before."""

    file: str
    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that changes together. Instants are epoch seconds.

    ``at``: now, by the pipeline's clock. ``log``: the events of the batch, encoded by the pipeline; one row.
    ``calls``: last state of each changed call. A call with ``merged_into`` takes its ticket along.
    ``observed_until``: up to when the link was known to work; what a gap begins with after a crash.
    """

    server: str
    at: float
    log: bytes | None = None
    calls: Sequence[Call] = ()
    tickets: Sequence[TicketPatch] = ()
    commands: Sequence[Command] = ()
    gaps: Sequence[Gap] = ()
    observed_until: float | None = None
    cdr: CdrPosition | None = None
    batch_id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Committed:
    """``position``: of the log row, ``None`` without one. ``tickets``: by call id, for every patched or merged call.
    ``callbacks``: those that ended by this commit."""

    position: int | None
    tickets: Mapping[str, TicketRef]
    callbacks: tuple[Ended, ...] = ()
