"""What the wallboard and the supervisor's desk need from the rest of the house, as Protocols and plain records.

Instants are epoch seconds, durations seconds. Nothing here names a caller.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from callcenter.calls.model import Call
from callcenter.metrics.service_levels import Target
from callcenter.metrics.today import Counts
from callcenter.quality.rates import Counted
from callcenter.reports.figures import Sums


@dataclass(frozen=True, slots=True)
class Owed:
    """Something that the hotline still has to do for a caller. ``rule``: D11 (who was not spoken to is called
    back), B5 (whose call broke off) or C2 (a promise is kept)."""

    rule: str
    ticket_id: int
    number: str
    """Of the ticket."""
    queue: str | None
    seat: str | None
    due_at: float


@dataclass(frozen=True, slots=True)
class Worked:
    """What took the seats' time today and what they said, added up in the store about once a minute."""

    queues: Mapping[str, Sums]
    """Calls that arrived today, by queue ("" for none)."""
    said: Mapping[str, Mapping[str, Counted]]
    """By queue ("" for none) and phrase as in ``quality/rates``: of today's recordings that were transcribed."""


@dataclass(frozen=True, slots=True)
class Day:
    """The site's day so far. Counts are of ended calls; ``unobserved_seconds``: nobody listened to Asterisk."""

    since: float
    queues: Mapping[str, Counts]
    missed: Mapping[str, int]
    """How often each seat let it ring, by extension."""
    unobserved_seconds: float | None
    owed: tuple[Owed, ...] | None
    """The most urgent first; ``None`` where the store does not tell."""
    open_tickets: int | None
    beyond: Mapping[tuple[str | None, str], tuple[int, int]] = field(default_factory=dict)
    """Callbacks that ``owed`` has no room for, as in ``Owing``."""
    worked: Worked | None = None
    """``None`` until it is added up, and where the store does not tell."""


class Board(Protocol):
    """What all screens show beside ``Desk``. Synchronous: read from memory."""

    def day(self) -> Day | None:
        """``None`` until the day's calls are read after a start."""

    def calls(self) -> Sequence[Call]:
        """All running calls from outside."""

    def wrapping_up(self, extension: str) -> Call | None:
        """The call whose ticket this seat has to finish (A4)."""

    def queues_of(self, extension: str) -> Sequence[str]:
        """The queues that this seat serves."""

    def paused_in(self, extension: str) -> Collection[str]:
        """Those of them that do not ring it now, because it is paused there."""

    def queues(self) -> Sequence[str]:
        """All queues that the settings or a member names."""

    def target(self, queue: str | None) -> Target:
        """What a queue's service level is counted by, and its class."""


class Links(Protocol):
    """The links that open a wallboard where nobody logs in."""

    async def names(self) -> Mapping[str, str]:
        """The name of each link by its token's SHA-256 in hex; revoked ones are not there."""

    async def seen(self, token_hash: str, at: float) -> None:
        """A screen came with it."""

    async def listed(self) -> "Sequence[ScreenLink]":
        """All that open something, by name."""

    async def add(self, name: str, by: str) -> str:
        """A new one's token, told this once. Raises ``BadInput`` for a name that cannot be or that there is."""

    async def revoke(self, name: str, by: str) -> None:
        """Raises ``BadInput`` if there is none of that name."""


@dataclass(frozen=True, slots=True)
class ScreenLink:
    """``seen_at``: when a screen last came with it, to the day or so."""

    name: str
    created_at: float
    seen_at: float | None
