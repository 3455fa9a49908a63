"""The clocks of tickets as the pages see them (D1 to D4), and what may be done about them: part of ``ports``.

Promises: plain records; instants are epoch seconds, and a state is asked of a clock for an instant. Never: imports the
store; names a caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from callcenter.tickets.clocks import OF_TICKET, WORST_FIRST, Clock, Pause
from callcenter.tickets.dispatch import Choices, Kind, Step, choices, ends, expected_visit, need_of
from callcenter.tickets.model import Change


@dataclass(frozen=True, slots=True)
class TicketClocks:
    """``by_hand``: somebody chose the level; else it is the queue's. ``steps``: of its dispatch, all of them."""

    level: str
    by_hand: bool
    severity: str | None
    clocks: tuple[Clock, ...]
    pauses: tuple[Pause, ...] = ()
    history: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    closed: bool = False

    @property
    def of_ticket(self) -> tuple[Clock, ...]:
        """D1 and D2."""
        return tuple(clock for clock in self.clocks if clock.name in OF_TICKET)

    @property
    def of_dispatch(self) -> tuple[Clock, ...]:
        """D3 and D4."""
        return tuple(clock for clock in self.clocks if clock.name not in OF_TICKET)

    def pressing(self, now: float) -> tuple[Clock, ...]:
        """Of the dispatch: what the next step ends, and whatever is at risk or breached; the next due first. A visit
        that is due in three days says nothing while nobody has been sent."""
        going_on = [clock for clock in self.of_dispatch if clock.stopped_at is None]
        going_on.sort(key=lambda clock: (clock.due_at is None, clock.due_at or 0.0))
        firsts = [next((one for one in going_on if one.name in ends(kind)), None) for kind in self.choices.next]
        return tuple(one for one in going_on if one in firsts or one.state(now) in WORST_FIRST)

    @property
    def choices(self) -> Choices:
        """What may be done next; nothing on a closed ticket."""
        return Choices() if self.closed else choices(self.steps)

    @property
    def need(self) -> Kind | None:
        """What the dispatch is for."""
        return need_of(self.steps)

    @property
    def visit_at(self) -> float | None:
        """When the engineer comes, while he is expected."""
        return None if self.closed else expected_visit(self.steps)

    @property
    def paused(self) -> Pause | None:
        """The pause that goes on."""
        return next((pause for pause in self.pauses if pause.ended_at is None), None)


@dataclass(frozen=True, slots=True)
class Watching:
    """A clock that goes on, and whose."""

    ticket_id: int
    number: str
    queue: str | None
    seat: str | None
    level: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class OfLevel:
    """Open tickets by their worst clock."""

    open: int = 0
    at_risk: int = 0
    breached: int = 0

    def __add__(self, more: "OfLevel") -> "OfLevel":
        return OfLevel(self.open + more.open, self.at_risk + more.at_risk, self.breached + more.breached)


@dataclass(frozen=True, slots=True)
class Watched:
    """All open tickets' clocks. ``levels``: by queue ("" for none) and level. ``worst``: at risk and breached, as many
    as are kept, the worst first."""

    levels: Mapping[tuple[str, str], OfLevel] = field(default_factory=dict)
    worst: tuple[Watching, ...] = ()
    cut: bool = False
    """There are more open tickets than are looked at; the oldest are left out."""
    first_line: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Of the last 24 hours by queue: calls answered, and those solved at the first contact so far (E3)."""
    rules: Mapping[tuple[str, str], OfLevel] = field(default_factory=dict)
    """By queue ("" for none) and the rule that a clock keeps (D1 to D4): clocks that go on, at risk, breached."""


class Clocks(Protocol):
    def watched(self) -> Watched | None:
        """From memory; ``None`` while the store does not tell."""

    async def of(self, ticket_id: int) -> TicketClocks | None:
        """``None`` for a ticket that has none: its call did not come from outside, or gave up at once."""

    async def set_level(self, ticket_id: int, level: str, by: str) -> None:
        """These raise ``BadInput`` for what cannot be."""

    async def set_severity(self, ticket_id: int, severity: str, by: str) -> None: ...

    async def pause(self, ticket_id: int, reason: str, by: str) -> None: ...

    async def resume(self, ticket_id: int, by: str) -> None: ...

    async def plan_made(self, ticket_id: int, by: str) -> None: ...

    async def step(self, ticket_id: int, kind: str, promised_at: float | None, by: str) -> None:
        """Of a dispatch (D3, D4); one that stands already changes nothing."""

    async def take_back(self, ticket_id: int, step_id: int, by: str) -> None: ...
