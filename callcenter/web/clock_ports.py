"""The clocks of tickets as the pages see them (D1, D2), and what may be done about them: part of ``ports``.

Promises: plain records; instants are epoch seconds, and a state is asked of a clock for an instant. Never: imports the
store; names a caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from callcenter.tickets.clocks import Clock, Pause
from callcenter.tickets.model import Change


@dataclass(frozen=True, slots=True)
class TicketClocks:
    """``by_hand``: somebody chose the level; else it is the queue's."""

    level: str
    by_hand: bool
    severity: str | None
    clocks: tuple[Clock, ...]
    pauses: tuple[Pause, ...] = ()
    history: tuple[Change, ...] = ()

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
