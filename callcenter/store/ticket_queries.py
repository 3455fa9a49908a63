"""Reading tickets: one, a caller's earlier ones, lists with filters, search, history and promises.

Promises: every value is a bound parameter and wildcards in a query are letters; lists and counts leave merged tickets
out; pages are told by the last row seen, so that a new ticket moves nothing.
Never: writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select

from callcenter.store import call_rows, ticket_rows
from callcenter.store.database import Database
from callcenter.store.errors import NoSuchTicketError
from callcenter.store.schema import calls, promises, ticket_changes, tickets
from callcenter.tickets.model import Change, Promise, SearchTerms, Status, Ticket, number_key, search_terms

MAX_PAGE = 200

_CALL = and_(calls.c.server == tickets.c.server, calls.c.call_id == tickets.c.call_id)
_WITH_CALL = select(tickets, *(calls.c[name] for name in call_rows.FACTS)).select_from(tickets.outerjoin(calls, _CALL))
_COUNTED = tickets.c.merged_into.is_(None)
_NEWEST_FIRST = (tickets.c.opened_at.desc(), tickets.c.id.desc())


@dataclass(frozen=True, slots=True)
class Page:
    """``after``: the last row seen as (opened_at, id). ``limit``: at most ``MAX_PAGE`` rows."""

    limit: int = 50
    after: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What a list shows; ``None`` or empty means all. ``since`` and ``until`` (excluded): epoch seconds of opening."""

    query: str = ""
    status: Status | None = None
    seat: str | None = None
    queue: str | None = None
    outcome: str | None = None
    direction: str | None = None
    since: float | None = None
    until: float | None = None
    recovered: bool | None = None
    unanswered: bool = False
    number: str | None = None
    """Tickets of this telephone number; a withheld one matches none."""
    promise_due_before: float | None = None


@dataclass(frozen=True, slots=True)
class TicketPage:
    """``after``: what the next page begins behind; ``None`` on the last one."""

    tickets: tuple[Ticket, ...]
    after: tuple[float, int] | None


class TicketQueries:
    def __init__(self, database: Database) -> None:
        self._readers = database

    async def get(self, ticket_id: int) -> Ticket:
        """Raises ``NoSuchTicketError``."""
        found = await self._tickets(_WITH_CALL.where(tickets.c.id == ticket_id))
        if not found:
            raise NoSuchTicketError("There is no such ticket; look for it in the list.")
        return found[0]

    async def by_call(self, server: str, call_id: str) -> Ticket | None:
        """The ticket of a call; for a merged call the ticket that remains."""
        found = await self._tickets(_WITH_CALL.where(tickets.c.server == server, tickets.c.call_id == call_id))
        ticket = found[0] if found else None
        while ticket is not None and ticket.merged_into is not None:
            ticket = await self.get(ticket.merged_into)
        return ticket

    async def by_number(self, number: str) -> Ticket | None:
        found = await self._tickets(_WITH_CALL.where(tickets.c.number == number))
        return found[0] if found else None

    async def earlier(self, number: str, page: Page | None = None, without: int | None = None) -> tuple[Ticket, ...]:
        """Tickets of a telephone number (as caller or as call-back number), newest first; none if it is withheld."""
        key = number_key(number)
        if not key:
            return ()
        statement = _WITH_CALL.where(_of_number(key), _COUNTED)
        if without is not None:
            statement = statement.where(tickets.c.id != without)
        return await self._tickets(_paged(statement, page or Page()))

    async def count_of_number(self, number: str, since: float, until: float) -> int:
        """How many tickets a number has in a time: "the n-th call today"."""
        key = number_key(number)
        statement = select(func.count()).select_from(tickets).where(_of_number(key), _COUNTED)
        return await self._count(statement.where(_between(since, until))) if key else 0

    async def find(self, wanted: TicketFilter | None = None, page: Page | None = None) -> TicketPage:
        """Tickets that match all of a filter, newest first."""
        page = page or Page()
        found = await self._tickets(_paged(_filtered(_WITH_CALL, wanted or TicketFilter()), page))
        full = len(found) == min(page.limit, MAX_PAGE)
        return TicketPage(found, (found[-1].opened_at, found[-1].id) if full and found else None)

    async def count(self, wanted: TicketFilter | None = None) -> int:
        """How many tickets match a filter."""
        joined = select(func.count()).select_from(tickets.outerjoin(calls, _CALL))
        return await self._count(_filtered(joined, wanted or TicketFilter()))

    async def by_level(self, wanted: TicketFilter) -> Mapping[tuple[str | None, str | None], int]:
        """The same by (level that a seat chose, queue): the queue has a level of its own where nobody chose one."""
        keys = tickets.c.level, calls.c.queue
        joined = select(*keys, func.count().label("number")).select_from(tickets.outerjoin(calls, _CALL))
        rows = await self._readers.rows(_filtered(joined, wanted).group_by(*keys))
        return {(row["level"], row["queue"]): int(row["number"]) for row in rows}

    async def merged_tickets(self, ticket_id: int) -> tuple[Ticket, ...]:
        """The tickets that were merged into this one."""
        return await self._tickets(_WITH_CALL.where(tickets.c.merged_into == ticket_id).order_by(tickets.c.id))

    async def changes(self, ticket_id: int) -> tuple[Change, ...]:
        """Who changed what, oldest first."""
        c = ticket_changes.c
        statement = select(c.field, c.old, c.new, c.changed_by, c.at, c.version).where(c.ticket_id == ticket_id)
        return tuple(Change(**row) for row in await self._readers.rows(statement.order_by(c.id)))

    async def promises(self, ticket_id: int) -> tuple[Promise, ...]:
        """The promises of a ticket in the order they were made."""
        return await self._promises(_PROMISES.where(promises.c.ticket_id == ticket_id).order_by(promises.c.id))

    async def open_promises(self, due_before: float, limit: int = MAX_PAGE) -> tuple[Promise, ...]:
        """Promises that are not kept yet and due before an instant, the most urgent first."""
        statement = _PROMISES.where(promises.c.done_at.is_(None), promises.c.due_at < due_before)
        return await self._promises(statement.order_by(promises.c.due_at, promises.c.id).limit(limit))

    async def _tickets(self, statement: Select[Any]) -> tuple[Ticket, ...]:
        return tuple(ticket_rows.to_ticket(row) for row in await self._readers.rows(statement))

    async def _promises(self, statement: Select[Any]) -> tuple[Promise, ...]:
        return tuple(Promise(**row) for row in await self._readers.rows(statement))

    async def _count(self, statement: Select[Any]) -> int:
        return int(await self._readers.scalar(statement))


_PROMISES = select(*(column for column in promises.c if column.name != "id"))
_EQUAL: Mapping[str, ColumnElement[Any]] = {
    "status": tickets.c.status,
    "seat": tickets.c.seat,
    "queue": calls.c.queue,
    "outcome": calls.c.outcome,
    "direction": calls.c.direction,
    "recovered": tickets.c.recovered,
}


def _filtered(statement: Select[Any], wanted: TicketFilter) -> Select[Any]:
    conditions = [column == value for name, column in _EQUAL.items() if (value := getattr(wanted, name)) is not None]
    conditions += _search(search_terms(wanted.query)) if wanted.query.strip() else []
    if wanted.since is not None or wanted.until is not None:
        conditions.append(_between(wanted.since, wanted.until))
    if wanted.unanswered:
        conditions.append(and_(calls.c.phase == "ended", calls.c.answered_by.is_(None), calls.c.direction == "inbound"))
    if wanted.number is not None:
        key = number_key(wanted.number)
        conditions.append(_of_number(key) if key else false())
    if wanted.promise_due_before is not None:
        conditions.append(_has_promise_due(wanted.promise_due_before))
    return statement.where(_COUNTED, *conditions)


def _search(terms: SearchTerms) -> Sequence[ColumnElement[bool]]:
    found = and_(*(tickets.c.search_text.contains(word, autoescape=True) for word in terms.words))
    if not terms.phone:
        return [found]
    return [or_(found, tickets.c.search_text.contains(terms.phone, autoescape=True))]


def _between(since: float | None, until: float | None) -> ColumnElement[bool]:
    opened = tickets.c.opened_at
    bounds = [] if since is None else [opened >= since]
    return and_(*bounds, *([] if until is None else [opened < until]))


def _of_number(key: str) -> ColumnElement[bool]:
    return or_(tickets.c.caller_key == key, tickets.c.phone_key == key)


def _has_promise_due(before: float) -> ColumnElement[bool]:
    due = promises.c.due_at < before
    return exists().where(promises.c.ticket_id == tickets.c.id, promises.c.done_at.is_(None), due)


def _paged(statement: Select[Any], page: Page) -> Select[Any]:
    if page.after is not None:
        opened_at, ticket_id = page.after
        same = and_(tickets.c.opened_at == opened_at, tickets.c.id < ticket_id)
        statement = statement.where(or_(tickets.c.opened_at < opened_at, same))
    return statement.order_by(*_NEWEST_FIRST).limit(max(1, min(page.limit, MAX_PAGE)))
