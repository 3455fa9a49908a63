"""What the web needs from the rest of the house, as Protocols: the end of a call's path, where a person sees it.

Promises: every page, push and API route is served through these alone, so that the web runs against the real store
and pipeline or against an in-memory stand-in alike. Never: imports the store, the pipeline or AMI.

Instants are epoch seconds, durations seconds. Seats are named by extension ("1001"), people by log-in name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from callcenter.calls.model import Call
from callcenter.quality.rates import Counted
from callcenter.quality.review import LogLine, Outcome, Recorded, RecordingPage, Review, Wanted
from callcenter.quality.scorecard import Scorecard, Verdict
from callcenter.tickets.model import FIELDS


class Role(StrEnum):
    SEAT = "seat"
    SUPERVISOR = "supervisor"
    QA = "qa"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in. A seat is a user with an extension (the phone) and a work number (工号)."""

    name: str
    role: Role
    display_name: str
    password_hash: str
    extension: str | None = None
    work_number: str | None = None
    language: str = "zh"
    active: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in. Only the SHA-256 of the cookie's token is kept, in hex."""

    token_hash: str
    user: str
    created_at: float
    seen_at: float


class Users(Protocol):
    async def user(self, name: str) -> User | None:
        """The user with this log-in name or work number."""

    async def session(self, token_hash: str) -> Session | None: ...

    async def add_session(self, session: Session) -> None: ...

    async def touch_session(self, token_hash: str, seen_at: float) -> None: ...

    async def drop_session(self, token_hash: str) -> None: ...

    async def set_language(self, name: str, language: str) -> None: ...

    async def set_password_hash(self, name: str, password_hash: str) -> None:
        """Called after a log-in whose hash was made with older parameters."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that was promised to the customer (C2), with its own due time if one was given.

    ``key`` was chosen by the page, so that a repeated request stores nothing new.
    """

    key: str
    text: str
    due_at: float | None
    done_at: float | None
    made_by: str
    made_at: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """One call's ticket (C1). ``automatic`` names the fields that the system filled and no person has touched."""

    ticket_id: int
    number: str
    server: str
    call_id: str
    opened_at: float
    status: str
    """``open`` or ``closed``"""
    seat: str | None
    fields: Mapping[str, str]
    """Always all of ``FIELDS``; what is not known is an empty text."""
    version: int
    updated_at: float
    automatic: frozenset[str] = frozenset()
    promises: tuple[Promise, ...] = ()
    closed_at: float | None = None
    closed_by: str | None = None
    left_open_at: float | None = None
    """When the seat ended its wrap-up and left the ticket open (留待)."""
    recovered: bool = False
    merged_into: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", {name: self.fields.get(name) or "" for name in FIELDS})

    @property
    def next_promise(self) -> Promise | None:
        """The open promise that is due first; ``None`` if no open one has a time."""
        due = [promise for promise in self.promises if promise.due_at is not None and promise.done_at is None]
        return min(due, key=lambda promise: promise.due_at or 0.0, default=None)


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket as the lists show it, with the figures of its call."""

    ticket: Ticket
    caller_number: str | None
    queue: str | None
    outcome: str | None
    answered_at: float | None
    talk_seconds: float | None
    rings_heard: int
    seats: frozenset[str] = frozenset()
    """Extensions that rang, missed or answered: who may call this ticket their own."""


@dataclass(frozen=True, slots=True)
class TicketQuery:
    """Filters are joined by "and". ``text`` matches number, name, organisation, ticket number and the texts."""

    text: str = ""
    seat: str | None = None
    status: str | None = None
    missed: bool = False
    """Only calls that nobody answered."""
    recovered: bool = False
    same_caller_as: int | None = None
    """Tickets whose caller has the number of this ticket."""
    before: int | None = None
    """Paging: only tickets older than this ticket id."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TicketPage:
    rows: tuple[TicketRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else wrote the field after the version that the page knew."""

    field: str
    theirs: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Saved:
    """The ticket after a save. The last write of a field wins; what it replaced unseen is in ``conflicts``."""

    ticket: Ticket
    at: float
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Today:
    """A seat's own figures since midnight of the site."""

    answered: int
    within_three_rings: int
    missed: int
    talk_seconds: float


class Tickets(Protocol):
    async def ticket(self, ticket_id: int) -> Ticket | None: ...

    async def by_call(self, server: str, call_id: str) -> Ticket | None: ...

    async def call(self, server: str, call_id: str) -> Call | None:
        """The call as last committed, running or ended."""

    async def row(self, ticket_id: int) -> TicketRow | None: ...

    async def search(self, query: TicketQuery) -> TicketPage:
        """Newest first."""

    async def earlier(self, caller_number: str, before: float, limit: int) -> TicketPage:
        """Tickets of this caller number opened before the instant, newest first; ``total`` counts all of them."""

    async def save_fields(
        self, ticket_id: int, changes: Mapping[str, str], by: str, base_version: int, origin: str
    ) -> Saved:
        """Store the changes, each with an audit row. ``KeyError`` if there is no such ticket.

        ``origin`` names the writing page: what it wrote itself after ``base_version`` is no conflict.
        """

    async def add_promise(self, ticket_id: int, text: str, due_at: float | None, by: str, key: str) -> Ticket:
        """Store a promise; the same ``key`` again stores nothing new."""

    async def set_promise_done(self, ticket_id: int, key: str, done: bool, by: str) -> Ticket: ...

    async def close(self, ticket_id: int, by: str) -> Ticket: ...

    async def leave_open(self, ticket_id: int, by: str) -> Ticket: ...

    async def reopen(self, ticket_id: int, by: str) -> Ticket: ...

    async def today(self, extension: str, since: float) -> Today | None:
        """``None`` where the figures are not known."""


class Phone(StrEnum):
    """What Asterisk says of a seat's phone."""

    IDLE = "idle"
    IN_USE = "in_use"
    RINGING = "ringing"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seat:
    extension: str
    work_number: str | None = None
    display_name: str = ""
    phone: Phone = Phone.UNKNOWN
    paused: bool = False
    paused_since: float | None = None
    since: float | None = None
    """Since when the phone is as it is."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A1: at the ``start`` or ``end`` of ring ``ring``, ``widen`` to the backup group or ``announce``."""

    ring: int
    at: str
    do: str


@dataclass(frozen=True, slots=True)
class Queue:
    """What a queue is called and what its callers are promised."""

    name: str
    title: str
    company: str
    ladder: tuple[LadderStep, ...] = ()
    rings: int = 3
    """A1: rings within which a seat answers."""
    wrapup_seconds: float = 60.0
    categories: tuple[str, ...] = ()


class LinkState(StrEnum):
    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Link:
    """The link to Asterisk, in a person's terms."""

    state: LinkState
    since: float | None = None
    reason: str = ""
    remedy: str = ""


class Desk(Protocol):
    """What is true now. Synchronous: read from memory, never waits."""

    def link(self) -> Link: ...

    def queue(self, name: str | None) -> Queue: ...

    def seat(self, extension: str) -> Seat: ...

    def seats(self) -> Sequence[Seat]: ...

    def calls(self) -> Sequence[Call]:
        """All running hotline calls."""

    def calls_of(self, extension: str) -> Sequence[Call]:
        """The running calls in which this seat rings or talks."""

    def ticket_of(self, call: Call) -> int | None:
        """The ticket of a running call; ``None`` where only the store knows it."""

    def last_call(self, extension: str) -> Call | None:
        """The last call that this seat talked in, once it has ended."""


@dataclass(frozen=True, slots=True)
class HeardLine:
    """Words that were said ``at`` epoch seconds; ``guess``: the recogniser may still change them."""

    speaker: str
    """``seat`` or ``caller``"""
    text: str
    at: float
    guess: bool = False


@dataclass(frozen=True, slots=True)
class HeardPhrase:
    """A phrase of the script that was said. ``doubtful``: it is for a person to judge."""

    phrase: str
    rule: str
    kind: str
    """``required`` or ``forbidden``"""
    heard: str
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard of a seat's call while it runs, and for a while after.

    ``state``: starting, listening, busy (as many calls as may be are listened to already), failed, ended, or down
    (the recogniser does not run). ``phrases`` is ``None`` where nothing judges what is said.
    """

    call_id: str
    state: str
    lines: tuple[HeardLine, ...] = ()
    phrases: tuple[HeardPhrase, ...] | None = None
    missed_seconds: float = 0.0
    """Sound that was not listened to because the machine could not follow."""
    greeted: bool = False
    """The dialplan played the greeting (A2)."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A forbidden phrase that a supervisor is to see at once."""

    seat: str
    ticket_id: int | None
    rule: str
    heard: str
    at: float


class Hearing(Protocol):
    """Live transcription. Synchronous: read from memory."""

    def heard(self, extension: str) -> Heard | None:
        """Of the seat's last call that was to be listened to; ``None`` if there is none."""

    def alarms(self) -> Sequence[Alarm]:
        """Newest first; nothing where the site does not want it."""


class Deaf:
    """``Hearing`` where nobody listens."""

    def heard(self, extension: str) -> Heard | None:
        return None

    def alarms(self) -> Sequence[Alarm]:
        return ()


class RefusedError(Exception):
    """Asterisk or a rule said no; ``str()`` is a sentence for the seat, without personal data."""


class Actions(Protocol):
    """What a seat may do to its telephone from the page. A button is shown only for what ``possible`` names."""

    def possible(self, extension: str) -> frozenset[str]:
        """Some of ``pause``, ``dial`` and ``record`` (pause the recording of the running call)."""

    async def pause(self, extension: str, paused: bool, reason: str) -> None:
        """QueuePause in all queues. Raises ``RefusedError``."""

    async def pause_recording(self, extension: str, paused: bool) -> None:
        """Silence the recording of the seat's call, or let it go on. Raises ``RefusedError``."""

    async def dial(self, extension: str, number: str, ticket_id: int | None) -> None:
        """Ring the seat's phone, then the number. Raises ``RefusedError``."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """What became of a call's recording. ``state``: off, soon (a moment after the call's end), waiting, working, done,
    failed, quarantined, missing or erased; ``reason``: why it failed, a sentence in English, without personal data."""

    state: str
    reason: str = ""
    recording_id: int | None = None


class Recordings(Protocol):
    def root(self) -> Path | None:
        """The one folder that recordings are served from; ``None`` if there is none."""

    async def transcription(self, server: str, call_id: str) -> Transcription: ...


class Reviews(Protocol):
    """What there is to review and what was made of it. Each step raises ``ReviewError`` where it is not possible."""

    async def find(self, wanted: Wanted) -> RecordingPage:
        """Newest first."""

    async def recorded(self, recording_id: int) -> Recorded | None:
        """``None`` also for one that was erased."""

    async def review(self, review_id: int) -> Review | None: ...

    async def queues(self) -> Sequence[str]: ...

    async def log(self, recording_id: int) -> Sequence[LogLine]:
        """Who did what with the reviews of a recording, the oldest first."""

    async def rates(self, since: float, weeks: int, seat: str | None = None) -> Sequence[Counted]:
        """Phrases by seat and week."""

    async def begin(
        self, recording_id: int, reviewer: str, at: float, card: Scorecard, proposed: Mapping[str, Verdict]
    ) -> int:
        """The reviewer's own review of the recording, made if there is none; returns its id."""

    async def answer(self, review_id: int, question: str, verdict: Verdict | None, by: str, at: float) -> Review: ...

    async def write_note(self, review_id: int, text: str, by: str, at: float) -> Review: ...

    async def comment(self, review_id: int, key: str, moment: float, text: str, by: str, at: float) -> Review:
        """The same ``key`` again stores nothing new."""

    async def remove_comment(self, review_id: int, comment_id: int, by: str, at: float) -> Review: ...

    async def sign(self, review_id: int, by: str, at: float) -> Review:
        """From here on the review cannot be changed."""

    async def dispute(self, review_id: int, text: str, by: str, at: float) -> Review: ...

    async def answer_dispute(self, review_id: int, outcome: Outcome, text: str, by: str, at: float) -> Review: ...


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the daemon on /readyz."""

    name: str
    ready: bool
    state: str
    reason: str = ""
    remedy: str = ""
    facts: Mapping[str, str | float | int | bool | None] = field(default_factory=dict)


class Health(Protocol):
    def parts(self) -> Sequence[Part]: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of it, as the composition root hands it over."""

    users: Users
    tickets: Tickets
    desk: Desk
    actions: Actions
    recordings: Recordings
    health: Health
    hearing: Hearing = field(default_factory=Deaf)
    reviews: Reviews | None = None
    """``None`` where nothing is reviewed: the pages of reviews are then not there."""
