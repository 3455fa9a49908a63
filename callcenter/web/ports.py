"""What the web needs from the rest of the house, as Protocols: the end of a call's path, where a person sees it.

Promises: every page, push and API route is served through these alone, so that the web runs against the real store
and pipeline or against an in-memory stand-in alike. Never: imports the store, the pipeline or AMI.

Instants are epoch seconds, durations seconds. Seats are named by extension ("1001"), people by log-in name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from callcenter.calls.model import Call
from callcenter.reports.reading import Source
from callcenter.reports.report import Site
from callcenter.web.board_ports import Board, Links
from callcenter.web.callback_ports import Callbacks
from callcenter.web.clock_ports import Clocks
from callcenter.web.health_ports import Books, Health
from callcenter.web.hearing_ports import Deaf, Hearing, Recordings, Reviews
from callcenter.web.roster_ports import Roster
from callcenter.web.ticket_ports import Tickets
from callcenter.web.words import N_


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

    async def users(self) -> Sequence[User]: ...

    async def session(self, token_hash: str) -> Session | None: ...

    async def add_session(self, session: Session) -> None: ...

    async def touch_session(self, token_hash: str, seen_at: float) -> None: ...

    async def drop_session(self, token_hash: str) -> None: ...

    async def set_language(self, name: str, language: str) -> None: ...

    async def set_password_hash(self, name: str, password_hash: str) -> None:
        """Called after a log-in whose hash was made with older parameters."""

    async def change_password(self, name: str, old: str, new: str, keep: str, at: float) -> Sequence[str] | None:
        """Another hash in the place of ``old``, with a line of audit; the person's sessions but ``keep`` end, and their
        hashes are returned. ``None``, and nothing is changed, if ``old`` is no longer the hash."""


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

    def is_seat(self, extension: str) -> bool:
        """Whether it is one of ``seats``."""

    def calls(self) -> Sequence[Call]:
        """All running hotline calls."""

    def calls_of(self, extension: str) -> Sequence[Call]:
        """The running calls in which this seat rings or talks."""

    def ticket_of(self, call: Call) -> int | None:
        """The ticket of a running call; ``None`` where only the store knows it."""

    def last_call(self, extension: str) -> Call | None:
        """The last call that this seat talked in, once it has ended."""


class RefusedError(Exception):
    """Asterisk or a rule said no; ``str()`` is a sentence for the seat, without personal data."""


class UnclearError(RefusedError):
    """No answer came: it may have happened, and is not to be asked for again at once."""


DIALLING = N_("Your phone is being dialled already: lift it, or wait until it stops ringing.")
ON_PHONE = N_("You are on the phone: dial when that call is over.")


class Actions(Protocol):
    """What a seat may do to its telephone from the page. A button is shown only for what ``possible`` names."""

    def possible(self, extension: str) -> frozenset[str]:
        """Some of ``pause``, ``dial`` and ``record`` (pause the recording of the running call)."""

    async def pause(self, extension: str, paused: bool, reason: str) -> None:
        """QueuePause in all queues. Raises ``RefusedError``."""

    async def pause_recording(self, extension: str, paused: bool) -> None:
        """Silence the recording of the seat's call, or let it go on. Raises ``RefusedError``."""

    async def dial(self, extension: str, number: str, ticket_id: int | None) -> None:
        """Ring the seat's phone, then the number. Raises ``RefusedError``, also while that phone is dialled or talked
        at, and ``UnclearError``."""


@dataclass(frozen=True, slots=True)
class History:
    """What reports are made of: the site's terms, and where past calls are read."""

    site: Site
    source: Source


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
    books: Books | None = None
    """``None`` where no book of Asterisk's is read."""
    reviews: Reviews | None = None
    """``None`` where nothing is reviewed: the pages of reviews are then not there."""
    board: Board | None = None
    """``None``: there are no wallboard and no supervisor's desk."""
    clocks: Clocks | None = None
    """``None``: tickets have no clocks."""
    links: Links | None = None
    callbacks: Callbacks | None = None
    """``None`` where no call is listened to: the page of callbacks is then not there."""
    history: History | None = None
    """``None`` where no past calls are kept: the page of reports is then not there."""
    roster: Roster | None = None
    """``None`` where nobody plans: nothing is shown of it."""
