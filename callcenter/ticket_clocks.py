"""The clocks of all open tickets, for screens and figures; and one ticket's for its page (D1 to D4).

Beside the path of a call: every few seconds the store says which tickets are open and what changed; ``tickets/clocks``
and ``tickets/dispatch`` say what that means; the wallboard, the supervisor's desk and /metrics read it here
(``web/clock_ports.Clocks``).
Promises: reads are synchronous and from memory; a state is that of the moment it is asked for; a clock that stops is
counted once in one run of the daemon, when that is committed. Never: holds a caller's name or number; stores a state.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client.core import Metric

from callcenter.errors import BrokenWorld
from callcenter.metrics.figures import gauge
from callcenter.metrics.service_levels import Targets
from callcenter.store.clocks import ClockRow, Clocks
from callcenter.tickets.clocks import (
    CLOSED,
    GOING_ON,
    LEVELS,
    OF_TICKET,
    WORST_FIRST,
    Clock,
    Name,
    State,
    Terms,
    clocks_of,
    rank,
)
from callcenter.tickets.dispatch import dispatch_clocks
from callcenter.web.clock_ports import OfLevel, TicketClocks, Watched, Watching

REFRESH_SECONDS = 5.0
LOOK_BACK_SECONDS = 60.0
"""Changes are asked for so long again: a commit may come later than its instant."""
MOST_TICKETS = 5_000
MOST_WORST = 500
ROWS_AT_ONCE = 50
FIRST_LINE_SECONDS = 30.0
DAY_SECONDS = 86_400.0
MOST_COUNTED = 50_000
FRESH_SECONDS = 1.0

Count = Callable[[str, str, str], None]
"""Told level, clock and whether it was kept, "yes" or "no"."""


class LiveClocks:
    """``web.clock_ports.Clocks`` over the store."""

    def __init__(
        self,
        stored: Clocks,
        server: str,
        terms: Terms,
        targets: Targets,
        now: Callable[[], float],
        count: Count,
        changed: Callable[[], None],
        groups: Sequence[Sequence[str]] = (),
    ) -> None:
        """``changed`` is called when screens should look again; ``groups``: the seats of each group (E3)."""
        self._stored, self._server, self._terms, self._targets, self._now = stored, server, terms, targets, now
        self._count, self._changed = count, changed
        self._since = now()
        self._looked_at = 0.0
        self._open: list[tuple[str, ClockRow, tuple[Clock, ...]]] | None = None
        self._cut = False
        self._cache: dict[int, tuple[str, tuple[Clock, ...], ClockRow]] = {}
        self._groups = groups
        self._first_line: dict[str, tuple[int, int]] | None = None
        self._added_up_at = 0.0
        self._counted: dict[tuple[int, str, float], None] = {}
        self._watched: tuple[float, Watched] | None = None

    # --- what is true of a ticket ------------------------------------------------------------------------------------

    def _clocks(self, row: ClockRow) -> tuple[str, tuple[Clock, ...]]:
        """Its level and its clocks; none for who gave up so soon that nobody could have lifted."""
        target = self._targets.of(row.queue)
        level = self._terms.level(row.level or target.service_class)
        short = row.gave_up and row.wait_seconds is not None and row.wait_seconds <= target.short_seconds
        matter = row.matter.of_level(level)
        if short and matter.responded_at is None:
            return level, ()
        return level, (*clocks_of(matter, self._terms), *dispatch_clocks(row.steps, matter, self._terms))

    async def of(self, ticket_id: int) -> TicketClocks | None:
        row = await self._stored.of(ticket_id)
        level, clocks = self._clocks(row) if row is not None else ("", ())
        if row is None or not clocks:
            return None
        history = await self._stored.history(ticket_id)
        matter = row.matter
        facts = (level, row.level is not None, matter.severity, clocks, matter.pauses, history)
        return TicketClocks(*facts, row.steps, matter.resolved_at is not None)

    def by_level(self, found: Mapping[tuple[str | None, str | None], int]) -> dict[str, int]:
        """How many tickets of each level there are, of ``store.ticket_queries.by_level``'s counts; none is 0."""
        counts = dict.fromkeys(LEVELS, 0)
        for (own, queue), count in found.items():
            counts[self._terms.level(own or self._targets.of(queue).service_class)] += count
        return counts

    # --- changed by seats --------------------------------------------------------------------------------------------

    async def set_level(self, ticket_id: int, level: str, by: str) -> None:
        await self._stored.set_level(ticket_id, level, by, self._now())

    async def set_severity(self, ticket_id: int, severity: str, by: str) -> None:
        await self._stored.set_severity(ticket_id, severity, by, self._now())

    async def pause(self, ticket_id: int, reason: str, by: str) -> None:
        await self._stored.pause(ticket_id, reason, by, self._now())

    async def resume(self, ticket_id: int, by: str) -> None:
        await self._stored.resume(ticket_id, by, self._now())

    async def plan_made(self, ticket_id: int, by: str) -> None:
        await self._stored.plan_made(ticket_id, by, self._now())

    async def step(self, ticket_id: int, kind: str, promised_at: float | None, by: str) -> None:
        await self._stored.step(ticket_id, kind, promised_at, by, self._now())

    async def take_back(self, ticket_id: int, step_id: int, by: str) -> None:
        await self._stored.take_back(ticket_id, step_id, by, self._now())

    # --- kept up -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.refresh()
            except BrokenWorld:
                self._open = self._watched = self._first_line = None  # not known, and the screens say so
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        now = self._now()
        since = max(self._since, self._looked_at - LOOK_BACK_SECONDS)
        rows = await self._stored.going_on(self._server, since, MOST_TICKETS)
        self._looked_at, self._cut = now, sum(row.matter.resolved_at is None for row in rows) >= MOST_TICKETS
        found = await self._known(rows)
        for level, clocks, row in found:
            self._count_stopped(level, clocks, row)
        self._open = [(level, row, clocks) for level, clocks, row in found if row.matter.resolved_at is None]
        if not 0 <= now - self._added_up_at < FIRST_LINE_SECONDS:
            found_of = await self._stored.first_line(self._server, now - DAY_SECONDS, now, self._groups)
            self._first_line = {queue: (one.contacts, one.solved) for queue, one in found_of.items()}
            self._added_up_at = now
        before, self._watched = self._watched, None
        if before is None or before[1] != self.watched():
            self._changed()

    async def _known(self, rows: Sequence[ClockRow]) -> list[tuple[str, tuple[Clock, ...], ClockRow]]:
        """Worked out where something changed, and in pieces, so that a pop waits for none of them."""
        before, self._cache = self._cache, {}
        for number, row in enumerate(rows):
            old = before.get(row.ticket_id)
            self._cache[row.ticket_id] = old if old is not None and old[2] == row else (*self._clocks(row), row)
            if number % ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return list(self._cache.values())

    def _count_stopped(self, level: str, clocks: Iterable[Clock], row: ClockRow) -> None:
        again = any(pause.reason == CLOSED for pause in row.matter.pauses)
        for clock in clocks:
            key = row.ticket_id, clock.name.value, clock.began_at if clock.name not in OF_TICKET else 0.0
            if clock.stopped_at is None or clock.stopped_at < self._since or key in self._counted:
                continue
            stepped = clock.name not in OF_TICKET and clock.stopped_at != row.matter.resolved_at
            if clock.due_at is not None and (not again or clock.name is Name.RESPONSE or stepped):
                self._count(level, clock.name.value, "yes" if clock.stopped_at <= clock.due_at else "no")
            self._counted[key] = None
            if len(self._counted) > MOST_COUNTED:
                del self._counted[next(iter(self._counted))]

    # --- read by screens and figures ---------------------------------------------------------------------------------

    def watched(self) -> Watched | None:
        now = self._now()
        if self._open is None:
            return None
        if self._watched is None or not 0 <= now - self._watched[0] < FRESH_SECONDS:
            self._watched = now, self._look(now, self._open)
        return self._watched[1]

    def _look(self, now: float, opened: Sequence[tuple[str, ClockRow, tuple[Clock, ...]]]) -> Watched:
        levels: dict[tuple[str, str], OfLevel] = {}
        rules: dict[tuple[str, str], OfLevel] = {}
        worst: list[Watching] = []
        for level, row, clocks in opened:
            bad = [(clock, state) for clock in clocks if (state := clock.state(now)) in WORST_FIRST]
            worst += [Watching(row.ticket_id, row.number, row.queue, row.seat, level, clock) for clock, _ in bad]
            breached = any(state is State.BREACHED for _, state in bad)
            key = row.queue or "", level
            levels[key] = levels.get(key, OfLevel()) + OfLevel(1, int(bool(bad) and not breached), int(breached))
            add_rules(rules, row.queue, clocks, now)
        worst.sort(key=lambda one: (rank(one.clock, now), one.ticket_id))
        return Watched(levels, tuple(worst[:MOST_WORST]), self._cut, self._first_line or {}, rules)

    def gauges(self, label: Callable[[str | None], str] = str) -> Iterable[Metric]:
        """Nothing while the store does not tell. ``label``: of a queue."""
        if self._open is None:
            return
        now, found = self._now(), Counter[tuple[str, str, str]]()
        for level, _, clocks in self._open:
            going_on = (clock for clock in clocks if clock.stopped_at is None)
            found.update((level, clock.name.value, clock.state(now).value) for clock in going_on)
        rows = [
            ((level, name.value, state.value), float(found[level, name.value, state.value]))
            for level in LEVELS
            for name in Name
            for state in GOING_ON
        ]
        solved = Counter[tuple[str, str]]()
        for queue, (contacts, at_once) in (self._first_line or {}).items():
            solved[label(queue), "yes"] += at_once
            solved[label(queue), "no"] += contacts - at_once
        day = [(key, float(count)) for key, count in solved.items()]
        about = "Answered calls of the last 24 hours, by whether they were solved at the first contact so far (E3)."
        yield gauge("callcenter_first_line_calls", about, ["queue", "solved"], day)
        text = "Clocks of open tickets that go on, by level and state (D1 to D4)."
        yield gauge("callcenter_ticket_clocks_running", text, ["level", "clock", "state"], rows)


def add_rules(into: dict[tuple[str, str], OfLevel], queue: str | None, clocks: Iterable[Clock], now: float) -> None:
    """Counts a ticket's clocks that go on, each by its own rule (D1 to D4)."""
    for clock in clocks:
        if clock.stopped_at is None:
            state, key = clock.state(now), (queue or "", clock.rule)
            one = OfLevel(1, int(state is State.AT_RISK), int(state is State.BREACHED))
            into[key] = into.get(key, OfLevel()) + one
