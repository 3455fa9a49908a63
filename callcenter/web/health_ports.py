"""How the daemon is and what its books say, as the pages see it: part of ``ports``.

Promises: plain records; unknown is ``None``. Never: imports the store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from callcenter.calls.books import Difference

Fact: TypeAlias = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class BookLine:
    """A fact of a call of which one of Asterisk's books says something else, with the call's ticket if it has one."""

    difference: Difference
    ticket_id: int | None
    ticket_number: str | None


@dataclass(frozen=True, slots=True)
class BookDay:
    """A day of the site that was compared as a whole, in the night after it. ``whole``: False where it was too much."""

    compared: int
    whole: bool
    done_at: float


class Books(Protocol):
    """What the comparison with Asterisk's call records and queue_log found."""

    async def lines(
        self, since: float, until: float, explained: bool | None, kind: str, limit: int
    ) -> Sequence[BookLine]:
        """Newest first. ``explained``: only those, only the others, or all."""

    async def days(self, since: str) -> Mapping[str, BookDay]:
        """By day, as in 2026-11-25."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the daemon on /readyz."""

    name: str
    ready: bool
    state: str
    reason: str = ""
    remedy: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    needed: bool = True
    """Whether the daemon cannot do its job without it; no call depends on the others."""

    @property
    def hinders(self) -> bool:
        """/readyz is not ready for it."""
        return self.needed and not self.ready

    @property
    def level(self) -> str:
        """``bad``: not ready, and needed; ``heed``: there is something to do, calls go on; ``well``."""
        return "bad" if self.hinders else "heed" if self.reason or self.remedy or not self.ready else "well"


@dataclass(frozen=True, slots=True)
class Unobserved:
    """A time in which nobody listened to Asterisk; one that goes on has no end."""

    started_at: float
    ended_at: float | None
    reason: str


class Health(Protocol):
    """Synchronous: read from memory."""

    def parts(self) -> Sequence[Part]:
        """What /readyz tells: whether the daemon can do its job."""

    def status(self) -> Sequence[Part]:
        """Everything that a person wants to know of it. Facts carry their unit in the name: ``_at`` (epoch seconds),
        ``_seconds``, ``_bytes``; ``None`` is not known."""

    def unobserved(self) -> Sequence[Unobserved]:
        """Of today at the site, oldest first."""
