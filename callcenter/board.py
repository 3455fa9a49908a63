"""What all screens show, in memory: the day's figures, what is owed to callers, who wraps up.

On the path of a call: told by ``app`` after each commit, read by the wallboard and the supervisor's desk
(``web/board_ports.Board``). The day is read from the store once after a start and at no other time; what only the
store knows (promises, callbacks, gaps) is asked every few seconds.
Promises: reads are synchronous and from memory; the day begins at the site's midnight, by Asterisk's clock.
Never: holds a caller's name or number; shows the day before all of it is read.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import tzinfo

from callcenter.calls.model import Call, Direction
from callcenter.desk import LiveDesk
from callcenter.errors import BadInput, BrokenWorld
from callcenter.metrics.service_levels import Target
from callcenter.metrics.today import CallsToday
from callcenter.pipeline import Changed, Pipeline
from callcenter.quality.rates import FORBIDDEN, PHRASES, together
from callcenter.reports.figures import NOTHING, Sums
from callcenter.settings import Settings
from callcenter.store.screens import WallboardLink
from callcenter.store.service_levels import ServiceLevels
from callcenter.store.store import Store
from callcenter.store.ticket_queries import TicketFilter
from callcenter.tickets.model import Status
from callcenter.web.board_ports import Day, Owed, ScreenLink, Worked
from callcenter.web.callback_ports import Owing
from callcenter.web.sessions import TOKEN_BYTES, token_hash
from callcenter.web.text import midnight

LINK_NAME = re.compile(r"[\w.-]{1,40}")
REFRESH_SECONDS = 5.0
DAY_SECONDS = 86_400
LONGEST_DAY_SECONDS = DAY_SECONDS + 2 * 3600.0
DUE_WITHIN_SECONDS = 86_400.0
WORKED_SECONDS = 60.0
"""How often the day is added up: a query over its calls."""


class LiveBoard:
    """``web.board_ports.Board`` over the pipeline's state and the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        pipeline: Pipeline,
        desk: LiveDesk,
        callbacks: Callable[[], Owing | None],
        zone: tzinfo,
        changed: Callable[[], None],
    ) -> None:
        """``changed`` is called when what only the store knows is another."""
        self._settings, self._store, self._pipeline, self._desk = settings, store, pipeline, desk
        self._callbacks = callbacks
        self._zone, self._told = zone, changed
        self._server = settings.asterisk.name
        self._levels: ServiceLevels = store.service_levels(self._server, settings.targets)
        self._targets = settings.targets
        groups = tuple(group.seats for group in settings.seat_groups.values())
        self._history = store.reports(self._server, settings.targets, groups)
        self._worked: Worked | None = None
        self._worked_at = 0.0
        self._today = CallsToday(self._targets)
        self._ends = 0.0
        self._serves: dict[str, tuple[str, ...]] = {}
        """The queues of each seat that was asked for, until some queue says something else of it."""
        self._paused_in: dict[str, frozenset[str]] = {}
        """Those of them that it is paused in, likewise."""
        self._read = False
        self._unobserved: float | None = None
        self._promised: tuple[Owed, ...] | None = None
        self._open_tickets: int | None = None

    # --- told by the pipeline ------------------------------------------------------------------------------------

    def changed(self, changes: Iterable[Changed], seats: Iterable[str]) -> None:
        """``seats``: of which some queue says something else now."""
        for seat in seats:
            self._serves.pop(seat, None)
            self._paused_in.pop(seat, None)
        now = self._begin_day()
        for change in changes:
            self._today.changed(change.after, now)

    def _begin_day(self) -> float:
        now = self._pipeline.asterisk_now()
        if not self._today.since <= now < self._ends:
            self._read &= now >= self._today.since  # a clock that was set back: the day before is not known here
            self._today.begin(midnight(now, self._zone))
            self._ends = midnight(self._today.since + LONGEST_DAY_SECONDS, self._zone)
            self._unobserved = self._worked = None
        return now

    # --- read by the screens -------------------------------------------------------------------------------------

    def day(self) -> Day | None:
        self._begin_day()
        if not self._read:
            return None
        today = self._today
        owing = self._callbacks()
        owed, beyond = owed_of(self._promised, owing), owing.beyond if owing is not None else {}
        stored = self._unobserved, owed, self._open_tickets, beyond, self._worked
        return Day(today.since, today.by_queue(), today.missed, *stored)

    def calls(self) -> Sequence[Call]:
        return [call for call in self._pipeline.calls.values() if call.running and call.direction is Direction.INBOUND]

    def wrapping_up(self, extension: str) -> Call | None:
        return self._desk.wrapping_up(extension)

    def queues_of(self, extension: str) -> Sequence[str]:
        if extension not in self._serves:
            self._serves[extension] = tuple(self._desk.queues_of(extension))
        return self._serves[extension]

    def paused_in(self, extension: str) -> Collection[str]:
        if extension not in self._paused_in:
            self._paused_in[extension] = frozenset(self._desk.paused_in(extension))
        return self._paused_in[extension]

    def queues(self) -> Sequence[str]:
        served = {queue for queues in set(self._serves.values()) for queue in queues}
        return sorted({*self._settings.queues, *served, *(queue for queue in self._today.by_queue() if queue)})

    def target(self, queue: str | None) -> Target:
        return self._targets.of(queue)

    # --- kept up -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. The day is read before the first refresh."""
        while True:
            try:
                if not self._read:
                    await self._read_day()
                await self._refresh()
            except BrokenWorld:
                # not known, and the screens say so
                self._unobserved = self._promised = self._open_tickets = self._worked = None
            await asyncio.sleep(REFRESH_SECONDS)

    async def _read_day(self) -> None:
        self._begin_day()
        async for call, at in self._store.calls.of_day(self._server, self._today.since):
            if not self._today.known(call.call_id):
                self._today.changed(call, at)
        self._read = True

    async def _refresh(self) -> None:
        now = self._begin_day()
        before = self._unobserved, self._promised, self._open_tickets, self._worked
        unobserved = await self._levels.unobserved(self._today.since, now)
        promised = await self._store.screens.open_promises(now + DUE_WITHIN_SECONDS)
        self._promised = tuple(
            Owed("C2", one.ticket_id, one.number, one.queue, one.seat, one.due_at) for one in promised
        )
        self._open_tickets = await self._store.tickets.count(TicketFilter(status=Status.OPEN))
        self._unobserved = unobserved
        await self._add_up(now)
        if before != (self._unobserved, self._promised, self._open_tickets, self._worked):
            self._told()

    async def _add_up(self, now: float) -> None:
        if self._worked is not None and 0 <= now - self._worked_at < WORKED_SECONDS:
            return
        since, found = self._today.since, dict[str, Sums]()
        async for cells in self._history.cells(since, self._ends, DAY_SECONDS, False):
            for cell in cells:
                found[cell.queue] = found.get(cell.queue, NOTHING) + Sums.of(cell.numbers)
        rates = await self._store.reviews.rates_by_queue(since)
        said = {
            queue: {phrase: together(rows, phrase) for phrase in (*PHRASES, FORBIDDEN)} for queue, rows in rates.items()
        }
        if since == self._today.since:  # else a new day began meanwhile
            self._worked = Worked(found, said)
            self._worked_at = now


def owed_of(promised: Sequence[Owed] | None, owing: Owing | None) -> tuple[Owed, ...] | None:
    """Promises and callbacks, the most urgent first; ``None`` where the store does not tell of both. A callback without
    a ticket is not shown: there is nothing to lead to."""
    if promised is None or owing is None:
        return None
    calls = [
        Owed(one.rule, one.ticket_id, one.ticket_number, one.queue, None, one.due_at)
        for one in owing.callbacks
        if one.ticket_id is not None
    ]
    return tuple(sorted([*promised, *calls], key=lambda one: (one.due_at, one.ticket_id)))


class StoredLinks:
    """``web.board_ports.Links``. ``now``: epoch seconds."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._screens, self._now = store.screens, now

    async def names(self) -> Mapping[str, str]:
        return {link.token_hash: link.name for link in await self._screens.links()}

    async def seen(self, token_hash: str, at: float) -> None:
        await self._screens.link_seen(token_hash, at)

    async def listed(self) -> Sequence[ScreenLink]:
        return [ScreenLink(link.name, link.created_at, link.seen_at) for link in await self._screens.links()]

    async def add(self, name: str, by: str) -> str:
        if not LINK_NAME.fullmatch(name):
            raise BadInput("name: say which screen, up to 40 letters, digits, '_', '-' and '.', for example hall.")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._screens.add_link(WallboardLink(name, token_hash(token), self._now(), None), by)
        return token

    async def revoke(self, name: str, by: str) -> None:
        await self._screens.revoke_link(name, by, self._now())
