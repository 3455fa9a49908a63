"""Compares our calls with Asterisk's own books: each some minutes after its end, and every night the whole last day.

Place on the path of a call: after its end. ``calls/books`` says what differs, ``store/books`` keeps it, the page of the
books and the metrics show it.
Promises: nothing waits for it and it never holds the loop: files are read in a thread, calls are compared some at a
time; what was compared may be compared again and gives the same rows; a file or a store that is away is tried again,
and the state says so. Never: changes a call or a book.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from callcenter.calls.books import Difference, Told, World, compare
from callcenter.calls.model import Call
from callcenter.effects.bookshelf import Files, Recent, Shelf, period
from callcenter.errors import BrokenWorld
from callcenter.store.books import PAGE, Books, Day

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
REMEMBERED_SECONDS = 3_600.0
"""So long the lines of a call that was compared are kept: one that comes later is compared with them."""
AT_ONCE = 100
"""Calls that are compared before the loop gets its turn, and stored in one transaction."""
READING, WAITING, UNREADABLE = "comparing", "waits for the store", "cannot be read"


class Watcher(Protocol):
    """What is told of the comparison; the metrics."""

    def books_compared(self, calls: int, new: Sequence[Difference]) -> None: ...

    def books_run(self, run: str, at: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """``after_seconds``: from a call's end to its comparison. ``nightly_at``: the site's time; ``None``: never."""

    server: str
    lines: frozenset[str]
    after_seconds: float
    nightly_at: time | None
    zone: ZoneInfo
    keep_days: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period that was compared. ``whole``: False where the books held more than is read."""

    compared: int
    differences: Sequence[Difference]
    whole: bool
    bad_lines: int
    read: Sequence[str]
    """The books that were there: cdr, queue_log."""


Found: TypeAlias = Mapping[str, Sequence[Difference]]


class Reconciler:
    """One server's comparison. Run ``run`` in a task."""

    def __init__(
        self,
        books: Books,
        files: Files,
        terms: Terms,
        wall: Callable[[], float],
        told: Watcher,
    ) -> None:
        self._books, self._files, self._terms, self._wall, self._told = books, files, terms, wall, told
        self._recent = Recent(files)
        self._ended_until = wall() - terms.after_seconds
        """Our calls that ended before then were compared, or are left to the night."""
        self._seen: dict[str, int] = {}
        """Calls that were compared and are still on the shelf: of how many lines."""
        self._days_done: set[str] = set()
        self.state = "starting"
        self.compared = 0

    @property
    def bad_lines(self) -> int:
        return self._recent.shelf.bad_lines

    async def run(self) -> None:
        """Until cancelled."""
        self._told.books_run("continuous", 0.0)  # never yet: an alert sees one that never succeeds
        while True:
            before, self.state = self.state, await self._attempt()
            if self.state != before:
                level = logging.WARNING if self.state.startswith(UNREADABLE) else logging.INFO
                log.log(level, "comparison with Asterisk's books: %s", self.state)
            await asyncio.sleep(min(EVERY_SECONDS, self._terms.after_seconds))

    async def _attempt(self) -> str:
        try:
            await self.step()
            await self.nightly()
        except BrokenWorld:
            return WAITING
        except OSError as error:
            return f"{UNREADABLE}: {error.strerror}"
        return READING

    async def step(self) -> None:
        """Compare the calls that ended long enough ago."""
        await asyncio.to_thread(self._recent.read)
        now, shelf = self._wall(), self._recent.shelf
        due_until = now - self._terms.after_seconds
        told = await asyncio.to_thread(shelf.told)
        due = {
            call_id: one
            for call_id, one in told.items()
            if one.last_at < due_until and self._seen.get(call_id) != one.lines
        }
        for call in await self._ended(self._ended_until, due_until):
            due.setdefault(call.call_id, told.get(call.call_id, shelf.nothing()))
        world = await _world(self._books, self._terms, now, shelf)
        for some in _some(list(due), AT_ONCE):
            await self._keep(await _compared(self._books, self._terms.server, {one: due[one] for one in some}, world))
            self._seen |= {call_id: due[call_id].lines for call_id in some if call_id in told}
        self._ended_until = due_until
        old = [call_id for call_id, one in told.items() if one.last_at < now - REMEMBERED_SECONDS and one.over]
        shelf.forget(old)
        self._seen = {call_id: lines for call_id, lines in self._seen.items() if call_id not in set(old)}
        self._told.books_run("continuous", now)

    async def _ended(self, since: float, until: float) -> list[Call]:
        found: list[Call] = []
        while True:
            after = (found[-1].ended_at or 0.0, found[-1].call_id) if found else None
            page = await self._books.ended(self._terms.server, since, until, after)
            found += page
            if len(page) < PAGE:
                return found

    async def _keep(self, found: Mapping[str, Sequence[Difference]]) -> None:
        new = await self._books.store(self._terms.server, found, self._wall())
        self.compared += len(found)
        self._told.books_compared(len(found), new)
        kinds = Counter(one.kind.value for one in new if not one.explained)
        if kinds:
            counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            log.warning("new differences from Asterisk's books: %s; the page /books lists them", counted)

    # --- the night ---------------------------------------------------------------------------------------------------

    async def nightly(self) -> None:
        """The last whole day, once it is time and if nobody has done it."""
        terms, now = self._terms, self._wall()
        local = datetime.fromtimestamp(now, terms.zone)
        yesterday = local.date() - timedelta(days=1)
        day = yesterday.isoformat()
        if terms.nightly_at is None or local.time() < terms.nightly_at or day in self._days_done:
            return
        if day not in await self._books.days(terms.server, day):
            since = datetime.combine(yesterday, time(), terms.zone).timestamp()
            until = datetime.combine(local.date(), time(), terms.zone).timestamp()
            done = await compare_period(self._books, self._files, terms, now, since, until, self._keep)
            await self._books.day_done(terms.server, Day(day, done.compared, done.whole, now))
            await self._books.forget(now - terms.keep_days * 86_400.0)
            log.info("the books of %s: %d calls compared, %d differ", day, done.compared, len(done.differences))
        self._days_done = {day}
        self._told.books_run("nightly", now)


async def compare_period(
    books: Books,
    files: Files,
    terms: Terms,
    now: float,
    since: float,
    until: float,
    keep: Callable[[Found], Awaitable[None]] | None = None,
) -> Comparison:
    """The calls that ended from ``since`` to before ``until``, in ours or in Asterisk's books. Raises ``OSError``.

    ``keep`` is given what was found of some calls at a time, and awaited."""
    shelf = await asyncio.to_thread(period, files, since, until)
    told = await asyncio.to_thread(shelf.told)
    world = await _world(books, terms, now, shelf)
    due = {call_id: one for call_id, one in told.items() if since <= one.last_at < until}
    after: tuple[float, str] | None = None
    while True:
        page = await books.ended(terms.server, since, until, after)
        for call in page:
            due.setdefault(call.call_id, told.get(call.call_id, shelf.nothing()))
        if len(page) < PAGE:
            break
        after = (page[-1].ended_at or 0.0, page[-1].call_id)
    differences: list[Difference] = []
    compared = 0
    for some in _some(sorted(due), AT_ONCE):
        found = await _compared(books, terms.server, {one: due[one] for one in some}, world)
        compared += len(found)
        differences += [one for of_call in found.values() for one in of_call]
        if keep is not None:
            await keep(found)
    read = [name for name, there in (("cdr", shelf.has_cdr), ("queue_log", shelf.has_queue_log)) if there]
    return Comparison(compared, differences, shelf.whole, shelf.bad_lines, read)


async def _world(books: Books, terms: Terms, now: float, shelf: Shelf) -> World:
    first = await books.observed_since(terms.server)
    gaps = await books.gaps(terms.server, min([now, *(rows[0].start for rows in shelf.records.values())]) - 86_400.0)
    return World(now, terms.lines, gaps, shelf.restarts, terms.after_seconds, now if first is None else first)


async def _compared(
    books: Books, server: str, due: Mapping[str, Told], world: World
) -> dict[str, Sequence[Difference]]:
    """What differs, of each call that is one."""
    ours = await books.calls(server, due)
    return {
        call_id: compare(call_id, ours.get(call_id), told, world)
        for call_id, told in due.items()
        if call_id not in ours or ours[call_id].merged_into is None
    }


def _some(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))
