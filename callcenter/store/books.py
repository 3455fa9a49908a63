"""What the comparison of our calls with Asterisk's books needs and leaves.

On the path of a call: minutes after its end, and in the night; ``effects/reconciler`` writes, the page reads.
Promises: comparing a call again replaces what was found before and keeps when it was found first; a call that is
compared and agrees leaves nothing. Never: compares.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, tuple_

from callcenter.calls.books import Book, Difference, Kind, Reason
from callcenter.calls.model import Call
from callcenter.store import call_rows
from callcenter.store.book_tables import book_days, book_differences
from callcenter.store.database import Database, fetch
from callcenter.store.schema import calls, gaps, observed, tickets
from callcenter.store.upsert import upsert

LONGEST_CALL_SECONDS = 86_400.0
PAGE = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A difference with the ticket of its call, if there is one."""

    difference: Difference
    ticket_id: int | None
    ticket_number: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the site that was compared as a whole. ``whole``: False where it was too much to read."""

    day: str
    compared: int
    whole: bool
    done_at: float


class Books:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- what is compared ----------------------------------------------------------------------------------------

    async def calls(self, server: str, call_ids: Collection[str]) -> Mapping[str, Call]:
        c = calls.c
        statement = select(calls).where(c.server == server, c.call_id.in_(list(call_ids)))
        return {row["call_id"]: call_rows.to_call(row) for row in await self._database.rows(statement)}

    async def ended(
        self, server: str, since: float, until: float, after: tuple[float, str] | None = None
    ) -> list[Call]:
        """Calls that ended from ``since`` to before ``until``, in order of their end, ``PAGE`` at most; the next page
        begins ``after`` the last one's end and id."""
        c = calls.c
        chosen = [c.server == server, c.ended_at >= since, c.ended_at < until, c.merged_into.is_(None)]
        chosen.append(or_(c.arrived_at.is_(None), c.arrived_at >= since - LONGEST_CALL_SECONDS))
        if after is not None:
            chosen.append(tuple_(c.ended_at, c.call_id) > tuple_(*after))
        statement = select(calls).where(and_(*chosen)).order_by(c.ended_at, c.call_id).limit(PAGE)
        return [call_rows.to_call(row) for row in await self._database.rows(statement)]

    async def observed_since(self, server: str) -> float | None:
        """Since when Asterisk is listened to; ``None`` where it never was."""
        at: float | None = await self._database.scalar(select(observed.c.since).where(observed.c.server == server))
        return at

    async def gaps(self, server: str, since: float) -> list[tuple[float, float | None]]:
        g = gaps.c
        lasting = or_(g.ended_at.is_(None), g.ended_at >= since)
        statement = select(g.started_at, g.ended_at).where(g.server == server, lasting).order_by(g.started_at)
        return [(row["started_at"], row["ended_at"]) for row in await self._database.rows(statement)]

    # --- what is found -------------------------------------------------------------------------------------------

    async def store(self, server: str, compared: Mapping[str, Sequence[Difference]], at: float) -> list[Difference]:
        """Keeps what was found of these calls in place of what was known of them; returns what is new."""
        return await self._database.write(lambda connection: _replaced(connection, server, compared, at))

    async def day_done(self, server: str, day: Day) -> None:
        row = {"server": server, "day": day.day, "compared": day.compared, "whole": day.whole, "done_at": day.done_at}

        def write(connection: Connection) -> None:
            connection.execute(upsert(connection.dialect.name, book_days, ["server", "day"]).values(row))

        await self._database.write(write)

    async def days(self, server: str, since: str) -> Mapping[str, Day]:
        d = book_days.c
        rows = await self._database.rows(select(book_days).where(d.server == server, d.day >= since))
        return {row["day"]: Day(row["day"], row["compared"], row["whole"], row["done_at"]) for row in rows}

    async def found(
        self, server: str, since: float, until: float, explained: bool | None = None, kind: str = "", limit: int = 500
    ) -> list[Listed]:
        """Differences of calls that ended in that time, the newest first. ``explained``: only those, or only others."""
        d, t = book_differences.c, tickets.c
        chosen = [d.server == server, d.at >= since, d.at < until]
        if explained is not None:
            chosen.append(d.reason.is_not(None) if explained else d.reason.is_(None))
        if kind:
            chosen.append(d.kind == kind)
        ticket = and_(t.server == d.server, t.call_id == d.call_id)
        columns = (book_differences, t.id.label("ticket_id"), t.number.label("ticket_number"))
        statement = select(*columns).outerjoin(tickets, ticket).where(*chosen)
        rows = await self._database.rows(statement.order_by(d.at.desc(), d.call_id, d.kind, d.book).limit(limit))
        return [Listed(_difference(row), row["ticket_id"], row["ticket_number"]) for row in rows]

    async def forget(self, before: float) -> None:
        """Differences of calls that ended before then."""

        def erase(connection: Connection) -> None:
            connection.execute(delete(book_differences).where(book_differences.c.at < before))

        await self._database.write(erase)


def _replaced(
    connection: Connection, server: str, compared: Mapping[str, Sequence[Difference]], at: float
) -> list[Difference]:
    d = book_differences.c
    of_calls = and_(d.server == server, d.call_id.in_(list(compared)))
    known = {_key(row): row["found_at"] for row in fetch(connection, select(book_differences).where(of_calls))}
    connection.execute(delete(book_differences).where(of_calls))
    found = {_key(row): (one, row) for one, row in _rows(server, compared)}
    if found:
        rows = [row | {"found_at": known.get(key, at)} for key, (_, row) in found.items()]
        connection.execute(insert(book_differences), rows)
    return [one for key, (one, _) in found.items() if key not in known]


def _rows(
    server: str, compared: Mapping[str, Sequence[Difference]]
) -> Iterator[tuple[Difference, dict[str, str | float | None]]]:
    """Of two with the same key the one that is not explained comes last, and stays."""
    every = (one for differences in compared.values() for one in differences)
    for one in sorted(every, key=lambda one: not one.explained):
        yield (
            one,
            {
                "server": server,
                "call_id": call_rows.clean(one.call_id),
                "kind": one.kind.value,
                "book": one.book.value,
                "ours": call_rows.clean(one.ours),
                "theirs": call_rows.clean(one.theirs),
                "reason": one.reason.value if one.reason else None,
                "at": one.at,
            },
        )


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """What makes a difference the same one when it is found again."""
    return row["call_id"], row["kind"], row["book"]


def _difference(row: Mapping[str, Any]) -> Difference:
    reason = row["reason"]
    return Difference(
        str(row["call_id"]),
        Kind(row["kind"]),
        Book(row["book"]),
        str(row["ours"]),
        str(row["theirs"]),
        None if reason is None else Reason(reason),
        float(row["at"]),
    )
