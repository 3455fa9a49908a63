"""The clocks of a ticket: by when somebody responds, it is resolved, or there is an emergency plan (D1, D2).

Those of its dispatch (D3, D4) are in ``dispatch``, over the same arithmetic.

Place: after the call. The store keeps facts only (level, severity, pauses, when somebody took it, when it was closed);
what is at risk or breached is worked out here, each time anew, from them and the site's ``Terms``.

The clocks begin with the ticket. *Response* (D1) stops when a person takes it: an answered call at its answer.
*Resolution* stops when the ticket is closed, and is due by D1 (the level's time) or D2 (the severity's), whichever is
stricter; pauses are taken out of it. *Plan* (D2) is there for a total outage that was not resolved in its time.

Promises: pure; instants, not durations, so that a page can count by itself; what rests on a day that no calendar knows
is unknown, and says which year; a breach stays a breach, paused or not.
Never: reads a clock, or stores a state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from callcenter.tickets.business_time import Calendar, Span, UnknownDayError, due, elapsed

LEVELS = ("vip", "advanced", "standard")
SEVERITIES = ("software", "hardware", "major", "outage")
OUTAGE = "outage"
CLOSED = "closed"
"""The reason of the pause in which a ticket was closed."""


class Name(StrEnum):
    """Of all clocks; those of dispatch (D3, D4) stand below."""

    RESPONSE = "response"
    RESOLUTION = "resolution"
    PLAN = "plan"
    DISPATCH = "dispatch"
    BOOKED = "visit_booked"
    ARRANGED = "visit_arranged"
    VISIT = "visit"
    MANAGER = "manager_callback"
    DELAY = "delay_told"
    ABNORMAL = "abnormal"


OF_TICKET = (Name.RESPONSE, Name.RESOLUTION, Name.PLAN)
"""D1 and D2: each runs once, from the ticket's beginning."""


class State(StrEnum):
    """Of a clock at an instant. ``KEPT`` and ``MISSED``: it has stopped."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    KEPT = "kept"
    MISSED = "missed"


GOING_ON = (State.RUNNING, State.AT_RISK, State.BREACHED, State.PAUSED, State.UNKNOWN)
WORST_FIRST = (State.BREACHED, State.AT_RISK)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many seconds of a calendar's time. ``rule``: whose."""

    rule: str
    seconds: float
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Terms:
    """What the site promises. ``severities``: of each level, for a severity's limit may be in the level's calendar."""

    response: Mapping[str, Limit]
    resolution: Mapping[str, Limit]
    severities: Mapping[str, Mapping[str, Limit]]
    plan: Mapping[str, Limit]
    warn_share: float = 0.8
    """Of the time; when it is used up the clock is at risk."""
    dispatch: Mapping[Name, Limit] = field(default_factory=dict)
    """D3 and D4; a clock that is not here is off."""
    leads: Mapping[str, float] = field(default_factory=dict)
    """D4: how long before the promised time a delay of this kind is told, in seconds."""

    def level(self, wanted: str) -> str:
        """A level that there is."""
        return wanted if wanted in self.response else LEVELS[-1]


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that does not count, with its reason. ``ended_at`` is ``None`` while it goes on."""

    started_at: float
    ended_at: float | None
    reason: str
    by: str = ""

    @property
    def span(self) -> Span:
        return self.started_at, inf if self.ended_at is None else self.ended_at


@dataclass(frozen=True, slots=True)
class Matter:
    """What is stored of a ticket that its clocks rest on. ``taken``: somebody took it, so that it is to be resolved; a
    call that gave up is called back (D11), and only that."""

    opened_at: float
    level: str
    severity: str | None = None
    responded_at: float | None = None
    resolved_at: float | None = None
    plan_at: float | None = None
    pauses: tuple[Pause, ...] = ()
    taken: bool = True

    def of_level(self, level: str) -> "Matter":
        return replace(self, level=level)


@dataclass(frozen=True, slots=True)
class Clock:
    """``due_at`` is ``None`` while it is paused, and where it is not known (``unknown_year``). ``used_seconds``:
    what had gone by when the pause began."""

    name: Name
    rule: str
    limit_seconds: float
    began_at: float
    stopped_at: float | None = None
    warn_at: float | None = None
    due_at: float | None = None
    paused_at: float | None = None
    used_seconds: float | None = None
    unknown_year: int | None = None

    def state(self, now: float) -> State:
        if self.stopped_at is not None and self.due_at is not None:
            return State.KEPT if self.stopped_at <= self.due_at else State.MISSED
        if self.due_at is None:
            return State.PAUSED if self.paused_at is not None else State.UNKNOWN
        if now > self.due_at:
            return State.BREACHED
        return State.AT_RISK if self.warn_at is not None and now >= self.warn_at else State.RUNNING


def clocks_of(matter: Matter, terms: Terms) -> tuple[Clock, ...]:
    """The clocks of a ticket, in the order of ``Name``."""
    level = terms.level(matter.level)
    pauses = tuple(pause.span for pause in matter.pauses)
    response = matter.responded_at if matter.responded_at is not None else matter.resolved_at
    found = [clock_of(Name.RESPONSE, matter.opened_at, (terms.response[level],), response, (), terms)]
    if not matter.taken:
        return tuple(found)
    limits = [terms.resolution[level]]
    if (severity := terms.severities.get(matter.severity or "")) is not None:
        limits.append(severity[level])
    found.append(clock_of(Name.RESOLUTION, matter.opened_at, limits, matter.resolved_at, pauses, terms))
    if matter.severity == OUTAGE and OUTAGE in terms.severities:
        of_outage = clock_of(Name.PLAN, matter.opened_at, limits[1:], matter.resolved_at, pauses, terms)
        if matter.resolved_at is None or of_outage.state(matter.resolved_at) is not State.KEPT:
            stopped = _first(matter.plan_at, matter.resolved_at)
            found.append(clock_of(Name.PLAN, matter.opened_at, (terms.plan[level],), stopped, pauses, terms))
    return tuple(found)


def rank(clock: Clock, now: float) -> tuple[int, float]:
    """The worst first: who is breached longest, then who will be first."""
    state = clock.state(now)
    place = WORST_FIRST.index(state) if state in WORST_FIRST else len(WORST_FIRST)
    return place, clock.due_at if clock.due_at is not None else inf


def _first(*instants: float | None) -> float | None:
    return min((at for at in instants if at is not None), default=None)


def clock_of(
    name: Name, began_at: float, limits: Sequence[Limit], stopped_at: float | None, pauses: Sequence[Span], terms: Terms
) -> Clock:
    """By the strictest of the limits: the one that is due first; while paused, that would be without that pause. What
    has stopped is paused no more, whatever was paused later."""
    paused_at = min((start for start, end in pauses if end == inf), default=None) if stopped_at is None else None
    until = stopped_at if stopped_at is not None else paused_at
    ended = tuple((start, max(start, until) if end == inf and until is not None else end) for start, end in pauses)
    limit, would_be = min(((one, _due(one, began_at, one.seconds, ended)) for one in limits), key=lambda one: one[1].at)
    if would_be.unknown_year is not None:
        return Clock(name, limit.rule, limit.seconds, began_at, stopped_at, unknown_year=would_be.unknown_year)
    warn = _due(limit, began_at, limit.seconds * terms.warn_share, ended)
    if paused_at is None or would_be.at <= paused_at:
        return Clock(name, limit.rule, limit.seconds, began_at, stopped_at, warn.at, would_be.at, paused_at)
    used = elapsed(limit.calendar, began_at, paused_at, ended)
    return Clock(name, limit.rule, limit.seconds, began_at, None, None, None, paused_at, used)


@dataclass(frozen=True, slots=True)
class _Due:
    """``at``: no earlier than that, where the year is unknown."""

    at: float
    unknown_year: int | None = None


def _due(limit: Limit, since: float, seconds: float, pauses: Sequence[Span]) -> _Due:
    try:
        found = due(limit.calendar, since, seconds, pauses)
    except UnknownDayError as unknown:
        return _Due(limit.calendar.instant(unknown.day, 0), unknown.day.year)
    assert found is not None, "pauses have an end here"
    return _Due(found)
