"""The big screen and the supervisor's desk as data: from what is true now to what the templates print.

On the path of a call: after its commit, once for all screens. ``wall`` chooses, counts and orders; nothing that moves
by itself (a wait, a talk, a ring) is written down as a duration: the start instant is, and the page counts on from it.

Promises: pure and total; worst first; a share always has its number of calls, and none is shown of none; what was not
observed is said, not guessed. Never: a caller's name or number (the last two digits tell two calls apart), a seat
ranked by its work.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nsmallest

from callcenter.calls.model import Call, Phase
from callcenter.metrics.service_levels import Tally, Target, Variant, base, service_level
from callcenter.metrics.today import Counts, total
from callcenter.quality.rates import Counted
from callcenter.reports.figures import NOTHING, Sums
from callcenter.roster.duty import Muster
from callcenter.rules.cadence import Cadence
from callcenter.rules.three_rings import heard_from
from callcenter.settings.sections import Wallboard
from callcenter.web.board_ports import Day, Owed
from callcenter.web.clock_ports import OfLevel, Watched
from callcenter.web.health_ports import Part
from callcenter.web.ports import Link, LinkState, Queue
from callcenter.web.roster_view import Roster, roster_of
from callcenter.web.wallboard_calls import held_long, masked, waits_for_a_seat, waits_since
from callcenter.web.wallboard_clocks import first_line_of, levels_of, open_of
from callcenter.web.wallboard_seats import MOST_BY_NAME, ORDER, SeatNow, Tile, label, leaves, rank, tile
from callcenter.web.window import ON_CALL, State

MOST_WAITING = 4
MOST_WAITING_ALONE = 6
"""Where what is due next (``clocks``) does not stand below them."""
CALLBACKS = ("B5", "D11")
"""Rules of what is owed by telephone."""
RISK_SECONDS = 600.0
"""What is due within this is at risk."""


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


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that nobody has answered. ``heard_since``: the caller hears rings since then (A1), else waits without."""

    call_id: str
    queue: str | None
    title: str
    service_class: str
    since: float | None
    heard_since: float | None
    rings: int
    ringing: tuple[str, ...]
    announced: bool
    masked: str


@dataclass(frozen=True, slots=True)
class Level:
    """The day's figures of some queues. ``share`` is of ``of`` calls; ``None`` where there are none."""

    share: float | None
    of: int
    counts: Counts
    seconds: float | None
    """The threshold; ``None`` where the queues have different ones."""

    @property
    def tally(self) -> Tally:
        return self.counts.interval.tally

    @property
    def recovered(self) -> int:
        return self.counts.interval.recovered

    @property
    def late(self) -> int:
        """Calls of the share that are not in time."""
        return self.of - self.in_time

    @property
    def in_time(self) -> int:
        return round((self.share or 0.0) * self.of)

    @property
    def abandoned(self) -> int:
        """Beyond the short ones, which are told apart."""
        return self.tally.abandoned - self.tally.abandoned_short

    @property
    def abandoned_of(self) -> int:
        """All calls but the short abandons: what ``abandoned`` is a share of, here as in reports and alerts."""
        return self.tally.calls - self.tally.abandoned_short

    @property
    def kept(self) -> float | None:
        """A1: the share of answered calls that were answered within three rings."""
        return self.counts.kept / self.tally.answered if self.tally.answered else None


@dataclass(frozen=True, slots=True)
class QueueLine:
    """``free``: of the ``seats`` that serve it; ``level``: ``None`` until the day is read."""

    name: str
    title: str
    rings: int
    waiting: int
    waiting_since: float | None
    talking: int
    free: int
    seats: int
    level: Level | None


@dataclass(frozen=True, slots=True)
class Wall:
    """What is shown."""

    title: str
    tiles: tuple[str, ...]
    live: bool
    """False while the link to Asterisk is down: then nothing of this moment is known."""
    link: Link
    parts: tuple[Part, ...]
    level: Level | None
    unobserved_seconds: float | None
    ringing: tuple[Waiting, ...]
    queued: tuple[Waiting, ...]
    longest: Waiting | None
    held_long: int
    queues: tuple[QueueLine, ...]
    leaves: tuple[tuple[Tile, ...], ...]
    """Pages of seats by name. More than ``MOST_BY_NAME`` seats are ``crowded``: then these are the worst."""
    states: tuple[tuple[State, int], ...]
    owed: tuple[Owed, ...] | None
    callbacks: int = 0
    callbacks_over: int = 0
    promises_over: int = 0
    promises_due: int = 0
    open_tickets: int | None = None
    present: int = 0
    variant: Variant = Variant.ABANDONS_BAD
    goal: float | None = None
    satisfaction_goal: float | None = None
    rings_goal: float | None = None
    clocks: tuple[tuple[str, OfLevel], ...] | None = None
    """Open tickets by level (D1, D2)."""
    first_line: tuple[int, int] | None = None
    """E3, of the last 24 hours: calls answered, solved at the first contact."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """How many more there are than fit, by what they are."""
    roster: Roster | None = None
    crowded: bool = False
    worked: Sums | None = None
    """What took the seats' time today; ``None`` until it is added up."""
    said: Mapping[str, Counted] | None = None
    """What they said (A2, B1, B7, B8), of all queues; ``None`` for some of them, and until it is added up."""
    occupancy: float | None = None
    """The share of the seats on a call or wrapping up among those that are there and not paused."""

    @property
    def seats(self) -> tuple[Tile, ...]:
        """On the first page."""
        return self.leaves[0]

    @property
    def busy_or_free(self) -> int:
        """What ``occupancy`` is a share of."""
        return sum(n for state, n in self.states if state is State.FREE or state in ON_CALL)


def wall(facts: Facts, site: Site, most_seats: int | None = None) -> Wall:
    """The screen of the settings. Without ``queues`` there, of the whole hotline. ``most_seats``: on one page, by name,
    for somebody near; else as many as are read from afar."""
    chosen = site.shown.queues
    calls = [call for call in facts.calls if not chosen or call.queue in chosen]
    seats = [one for one in facts.seats if not chosen or not one.queues or set(one.queues) & set(chosen)]
    name = _names(seats, site)
    waits = sorted((waiting(call, site, name) for call in calls if waits_for_a_seat(call)), key=_since_of)
    most = MOST_WAITING if "clocks" in site.shown.tiles else MOST_WAITING_ALONE
    worst = _shown_of(waits)[:most]
    crowded = most_seats is None and len(seats) > MOST_BY_NAME
    pages = leaves(seats, site.queue, site.cadence, facts.now) if crowded else ()
    pages = pages or (tuple(nsmallest(most_seats or MOST_BY_NAME, seats, key=rank)),)
    named = len({one.seat.extension for page in pages for one in page})
    states = Counter(one.window.state for one in seats)
    owed = owed_of(facts.day, chosen)
    further = facts.day.beyond.items() if facts.day is not None and owed is not None else ()
    beyond = [counts for (queue, _), counts in further if not chosen or queue in chosen]
    lines = queue_lines(facts, site, calls, seats)
    clocks = levels_of(facts.clocks, chosen)
    return Wall(
        title=site.shown.title,
        tiles=site.shown.tiles,
        live=facts.link.state is LinkState.UP,
        link=facts.link,
        parts=tuple(facts.parts),
        level=level(facts.day.queues, chosen or None, site) if facts.day is not None else None,
        unobserved_seconds=facts.day.unobserved_seconds if facts.day is not None else None,
        ringing=tuple(one for one in worst if one.heard_since is not None),
        queued=tuple(one for one in worst if one.heard_since is None),
        longest=waits[0] if waits else None,
        held_long=sum(held_long(call, facts.now) for call in calls),
        queues=lines,
        leaves=tuple(tuple(tile(one, site.queue, site.shown.seats) for one in page) for page in pages),
        crowded=crowded,
        states=tuple((state, states[state]) for state in ORDER),
        owed=_named(owed, _names(facts.seats, site)),
        callbacks=sum(one.rule in CALLBACKS for one in owed or ()) + sum(more for more, _ in beyond),
        callbacks_over=sum(one.rule in CALLBACKS and one.due_at < facts.now for one in owed or ())
        + sum(late for _, late in beyond),
        promises_over=sum(one.rule == "C2" and one.due_at < facts.now for one in owed or ()),
        promises_due=sum(one.rule == "C2" and 0 <= one.due_at - facts.now < RISK_SECONDS for one in owed or ()),
        open_tickets=open_of(facts.day, clocks, chosen),
        present=len(seats) - states[State.OFFLINE] - states[State.UNKNOWN],
        variant=site.variant,
        goal=site.goal,
        satisfaction_goal=site.satisfaction_goal,
        rings_goal=site.rings_goal,
        clocks=clocks,
        first_line=first_line_of(facts.clocks, chosen),
        cut={
            "more_waiting": len(waits) - len(worst),
            "waiting": len(waits),
            "seats": len(seats) - named,
            "all_seats": len(seats),
        },
        roster=roster_of(facts.muster, _names(facts.seats, site), _hidden(facts.seats, seats)),
        worked=worked_of(facts.day, chosen),
        said=facts.day.worked.said if facts.day is not None and facts.day.worked is not None and not chosen else None,
        occupancy=occupancy_of(states),
    )


def worked_of(day: Day | None, chosen: Collection[str]) -> Sums | None:
    if day is None or day.worked is None:
        return None
    return sum((sums for queue, sums in day.worked.queues.items() if not chosen or queue in chosen), NOTHING)


def occupancy_of(states: Mapping[State, int]) -> float | None:
    """At this moment; ``None`` where nobody is there to take calls."""
    busy = sum(states.get(state, 0) for state in ON_CALL)
    there = busy + states.get(State.FREE, 0)
    return busy / there if there else None


# --- calls -----------------------------------------------------------------------------------------------------------


def waiting(call: Call, site: Site, name: Callable[[str], str]) -> Waiting:
    queue = site.queue(call.queue)
    hears = call.announced_at is None and (call.hotline or call.first_ring_at is not None)
    return Waiting(
        call_id=call.call_id,
        queue=call.queue,
        title=queue.title,
        service_class=site.target(call.queue).service_class,
        since=waits_since(call),
        heard_since=heard_from(call) if hears else None,
        rings=queue.rings,
        ringing=tuple(name(seat) for seat in call.ringing),
        announced=call.announced_at is not None,
        masked=masked(call.caller_number),
    )


def _since_of(one: Waiting) -> tuple[float, str]:
    return one.since or 0.0, one.call_id


# --- seats -----------------------------------------------------------------------------------------------------------


def _shown_of(waits: Sequence[Waiting]) -> list[Waiting]:
    """Whoever waits longest, then the callers who hear it ring: their countdowns run now; then the others."""
    return [*waits[:1], *sorted(waits[1:], key=lambda one: one.heard_since is None)]


def _names(seats: Sequence[SeatNow], site: Site) -> Callable[[str], str]:
    known = {one.seat.extension: one.seat for one in seats}
    return lambda extension: label(known[extension], site.shown.seats) if extension in known else extension


def _named(owed: tuple[Owed, ...] | None, name: Callable[[str], str]) -> tuple[Owed, ...] | None:
    """With seats called as everywhere else on the screen, not by extension."""
    return owed and tuple(replace(one, seat=name(one.seat) if one.seat else one.seat) for one in owed)


def _hidden(known: Sequence[SeatNow], shown: Sequence[SeatNow]) -> frozenset[str]:
    """Seats of other queues than the screen's."""
    return frozenset(one.seat.extension for one in known) - {one.seat.extension for one in shown}


# --- figures ---------------------------------------------------------------------------------------------------------


def level(queues: Mapping[str, Counts], chosen: Collection[str] | None, site: Site) -> Level:
    """The day of these queues; of all calls of the hotline for ``None``."""
    names = list(queues) if chosen is None else [name for name in chosen if name in queues]
    counts = total(queues[name] for name in names)
    tally = counts.interval.tally
    thresholds = {site.target(name).seconds for name in (names if chosen is None else chosen)}
    seconds = thresholds.pop() if len(thresholds) == 1 else site.target(None).seconds if not thresholds else None
    return Level(service_level(tally, site.variant), base(tally, site.variant), counts, seconds)


def queue_lines(facts: Facts, site: Site, calls: Sequence[Call], seats: Sequence[SeatNow]) -> tuple[QueueLine, ...]:
    """A line per queue: those of the settings in their order, else all by name. Each keeps its place, so that it is
    found again without reading."""
    names = site.shown.queues or tuple(sorted({*facts.queues, *(call.queue for call in calls if call.queue)}))
    serving, free = Counter[str](), Counter[str]()
    for one in seats:
        for queue in one.queues:
            serving[queue] += 1
            free[queue] += one.window.state is State.FREE
    own = defaultdict[str | None, list[Call]](list)
    for call in calls:
        own[call.queue].append(call)
    return tuple(_queue_line(name, facts, site, own[name], serving[name], free[name]) for name in names)


def _queue_line(name: str, facts: Facts, site: Site, own: Sequence[Call], serving: int, free: int) -> QueueLine:
    waits = [waits_since(call) or facts.now for call in own if waits_for_a_seat(call)]
    return QueueLine(
        name=name,
        title=site.queue(name).title or name,
        rings=site.queue(name).rings,
        waiting=len(waits),
        waiting_since=min(waits, default=None),
        talking=sum(call.phase in (Phase.TALKING, Phase.HELD) for call in own),
        free=free,
        seats=serving,
        level=level(facts.day.queues, (name,), site) if facts.day is not None else None,
    )


def owed_of(day: Day | None, chosen: Collection[str]) -> tuple[Owed, ...] | None:
    if day is None or day.owed is None:
        return None
    return tuple(one for one in day.owed if not chosen or one.queue in chosen)
