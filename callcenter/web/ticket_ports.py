"""Tickets as the pages see them, and what may be asked and done of them: part of ``ports``.

Promises: plain records; instants are epoch seconds. Never: imports the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from callcenter.calls.model import Call
from callcenter.tickets.model import FIELDS


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
    phase: str | None = None
    """Of its call."""


@dataclass(frozen=True, slots=True)
class TicketQuery:
    """Filters are joined by "and". ``text`` matches number, name, organisation, ticket number and the texts."""

    text: str = ""
    seat: str | None = None
    queue: str | None = None
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
