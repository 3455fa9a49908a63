"""Dispatch: what a ticket still owes when the telephone could not solve it (B3, D3, D4), as steps and their clocks.

Place: after the call, beside ``clocks``. The store keeps the steps that persons made and nothing else; which clocks
they start and stop, and what may be done next, is worked out here, each time anew.

A clock begins with the step that owes something and stops with the one that keeps it: *dispatch* (D4) from the need
(remote, on site, vendor) to the sending; *visit booked* (D4) from the sending, *visit arranged* and *visit* (D3) from
the need of one; *manager's callback* (D3) from the wish for today or tomorrow; *delay told* (D4) from when it is known,
and so long before the promised time; *abnormal case* (D4) until the manager knows. A clock may run again later: remote
did not help, so somebody is sent.

Promises: pure; total over any steps, for two tickets may become one; a step that was taken back counts nowhere. Closing
the ticket ends what it owed: within its time it is owed no more and has no clock, beyond it it was missed.
Never: reads a clock, or stores a state.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from callcenter.tickets.clocks import CLOSED, Clock, Matter, Name, State, Terms, clock_of


class Kind(StrEnum):
    """Of a step. ``SOON``: the customer wants it today or tomorrow."""

    REMOTE = "remote"
    ON_SITE = "on_site"
    VENDOR = "vendor"
    DISPATCHED = "dispatched"
    BOOKED = "booked"
    VISITED = "visited"
    SOON = "soon"
    CALLED_BACK = "called_back"
    DELAY_MINUTES = "delay_minutes"
    DELAY_HALF_DAY = "delay_half_day"
    DELAY_LONGER = "delay_longer"
    TOLD = "told"
    ABNORMAL = "abnormal"
    ESCALATED = "escalated"


NEEDS = (Kind.REMOTE, Kind.ON_SITE, Kind.VENDOR)
DELAYS = (Kind.DELAY_MINUTES, Kind.DELAY_HALF_DAY, Kind.DELAY_LONGER)

_BEGINS: Mapping[Kind, tuple[Name, ...]] = {
    Kind.REMOTE: (Name.DISPATCH,),
    Kind.ON_SITE: (Name.DISPATCH, Name.ARRANGED, Name.VISIT),
    Kind.VENDOR: (Name.DISPATCH,),
    Kind.SOON: (Name.MANAGER,),
    **dict.fromkeys(DELAYS, (Name.DELAY,)),
    Kind.ABNORMAL: (Name.ABNORMAL,),
}
_ENDS: Mapping[Kind, tuple[Name, ...]] = {
    Kind.DISPATCHED: (Name.DISPATCH,),
    Kind.BOOKED: (Name.BOOKED, Name.ARRANGED, Name.DELAY),
    Kind.VISITED: (Name.BOOKED, Name.ARRANGED, Name.VISIT, Name.DELAY),
    Kind.CALLED_BACK: (Name.MANAGER,),
    Kind.TOLD: (Name.DELAY,),
    Kind.ESCALATED: (Name.ABNORMAL,),
}
"""A new time is agreed with the customer, who thereby knows of the delay."""
_WAITS = (Name.DISPATCH, Name.BOOKED, Name.ARRANGED, Name.VISIT)
"""Clocks that a pause stops: who waits for the customer cannot book a visit. What is to be told is told even so."""


@dataclass(frozen=True, slots=True)
class Step:
    """A fact of a ticket's dispatch. ``promised_at``: of a booked visit, its time. ``undone_at``: taken back then."""

    id: int
    kind: Kind
    at: float
    by: str
    promised_at: float | None = None
    undone_at: float | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A clock from the step that began it. ``promised_at``: the visit's time as it was then."""

    name: Name
    begun: Step
    promised_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be done next: ``next`` is what a clock waits for, ``other`` what happens now and then."""

    next: tuple[Kind, ...] = ()
    other: tuple[Kind, ...] = ()

    def __contains__(self, kind: object) -> bool:
        return kind in self.next or kind in self.other


def ends(kind: Kind) -> tuple[Name, ...]:
    """The clocks that such a step stops."""
    return _ENDS.get(kind, ())


def standing(steps: Iterable[Step]) -> list[Step]:
    """Those that were not taken back, in order."""
    return sorted((step for step in steps if step.undone_at is None), key=lambda step: (step.at, step.id))


def runs(steps: Iterable[Step]) -> list[Run]:
    """All that the clocks ran, in the order of their beginnings; of each name at most one goes on."""
    going_on: dict[Name, Run] = {}
    found: list[Run] = []
    promised: float | None = None
    for step in standing(steps):
        ended = [name for name in ends(step.kind) if name in going_on]
        found += [replace(going_on.pop(name), ended_at=step.at) for name in ended]
        begins = _BEGINS.get(step.kind, ())
        if step.kind is Kind.DISPATCHED and Name.ARRANGED in going_on:
            begins = (Name.BOOKED,)  # by whoever was sent, unless the visit has its time already
        for name in begins:
            going_on.setdefault(name, Run(name, step, promised))
        if step.kind is Kind.BOOKED:
            promised = step.promised_at
    return sorted([*found, *going_on.values()], key=lambda run: (run.begun.at, run.begun.id))


def choices(steps: Sequence[Step]) -> Choices:
    """Of an open ticket."""
    made = standing(steps)
    owed = {run.name for run in runs(made) if run.ended_at is None}
    need = need_of(made)
    visit = Name.VISIT in owed
    needs = [
        *([Kind.REMOTE] if need is None else []),
        *([Kind.ON_SITE] if not visit else []),
        *([Kind.VENDOR] if need is not Kind.VENDOR else []),
    ]
    soon = visit and Name.ARRANGED in owed and not _since_need(made, Kind.SOON)
    next_ = [
        *([Kind.ESCALATED] if Name.ABNORMAL in owed else []),
        *([Kind.CALLED_BACK] if Name.MANAGER in owed else []),
        *([Kind.TOLD] if Name.DELAY in owed else []),
        *([Kind.DISPATCHED] if Name.DISPATCH in owed else []),
        *([Kind.BOOKED] if Name.ARRANGED in owed and Name.DISPATCH not in owed else []),
        *([Kind.VISITED] if visit and Name.ARRANGED not in owed else []),
        *([Kind.SOON] if soon else []),
        *(needs if need is None else []),
    ]
    late = need is not None and Name.DELAY not in owed and (visit or need is not Kind.ON_SITE)
    other = [
        *([Kind.BOOKED] if visit and Name.ARRANGED not in owed else []),
        *(needs if need is not None and Name.DISPATCH not in owed else []),
        *(DELAYS if late else ()),
        *([Kind.ABNORMAL] if Name.ABNORMAL not in owed else []),
    ]
    return Choices(tuple(next_), tuple(other))


def need_of(steps: Iterable[Step]) -> Kind | None:
    """The last one: remote, on site or vendor."""
    return next((step.kind for step in reversed(standing(steps)) if step.kind in NEEDS), None)


def expected_visit(steps: Iterable[Step]) -> float | None:
    """The time of a visit that is booked and not made."""
    made = [step for step in standing(steps) if step.kind in (Kind.BOOKED, Kind.VISITED)]
    return made[-1].promised_at if made else None


def _since_need(made: Sequence[Step], kind: Kind) -> bool:
    """Whether there is such a step since a visit was last needed."""
    for step in reversed(made):
        if step.kind is Kind.ON_SITE:
            return False
        if step.kind is kind:
            return True
    return False


def dispatch_clocks(steps: Iterable[Step], matter: Matter, terms: Terms) -> tuple[Clock, ...]:
    """The clocks of a ticket's dispatch, in the order of their beginnings; those whose limit is off are not there."""
    found = (_clock(run, matter, terms) for run in runs(steps))
    return tuple(clock for clock in found if clock is not None)


def _clock(run: Run, matter: Matter, terms: Terms) -> Clock | None:
    closing = matter.resolved_at if run.ended_at is None else None
    stopped = run.ended_at if closing is None else closing
    still = [pause.span for pause in matter.pauses if run.name in _WAITS or pause.reason == CLOSED]
    limit = terms.dispatch.get(run.name)
    clock = clock_of(run.name, run.begun.at, (limit,), stopped, still, terms) if limit is not None else None
    lead = terms.leads.get(run.begun.kind)
    if lead is not None and run.promised_at is not None:
        clock = _stricter(clock, run, run.promised_at - lead, stopped, terms)
    if clock is not None and closing is not None and clock.state(closing) is not State.MISSED:
        return None
    return clock


def _stricter(clock: Clock | None, run: Run, by: float, stopped: float | None, terms: Terms) -> Clock:
    """Due so long before the promised time, if that is earlier; a delay known too late for it is late at once."""
    if clock is not None and clock.due_at is not None and clock.due_at <= by:
        return clock
    begun = run.begun.at
    warn = min(by, begun + terms.warn_share * (by - begun))
    return Clock(run.name, "D4", max(0.0, by - begun), begun, stopped, warn, by)
