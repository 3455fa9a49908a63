"""What the big screen is made of: everything that is true at one instant, and what the site never changes meanwhile.

Beside ``wallboard_view``. Promises: plain records. Never: a caller's name or number beyond its calls'.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callcenter.calls.model import Call
from callcenter.metrics.service_levels import Target, Variant
from callcenter.roster.duty import Muster
from callcenter.rules.cadence import Cadence
from callcenter.settings.sections import Wallboard
from callcenter.web.board_ports import Day
from callcenter.web.clock_ports import Watched
from callcenter.web.health_ports import Part
from callcenter.web.ports import Link, Queue
from callcenter.web.wallboard_seats import SeatNow


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is true at ``now``."""

    now: float
    link: Link
    calls: Sequence[Call]
    """Running calls from outside."""
    seats: Sequence[SeatNow]
    day: Day | None
    parts: Sequence[Part] = ()
    queues: Sequence[str] = ()
    """Every queue that is known."""
    muster: Muster | None = None
    """A5: ``None`` where nobody plans, or not yet."""
    clocks: Watched | None = None
    """Of open tickets; ``None`` while the store does not tell."""


@dataclass(frozen=True, slots=True)
class Site:
    """What does not change while the daemon runs."""

    shown: Wallboard
    variant: Variant
    goal: float
    """The share that the contract demands."""
    queue: Callable[[str | None], Queue]
    target: Callable[[str | None], Target]
    cadence: Cadence
    satisfaction_goal: float | None = None
    """D8: the share of satisfied callers that is asked for."""
    rings_goal: float | None = None
    """A1: the share of answered calls that are to be answered within three rings."""
