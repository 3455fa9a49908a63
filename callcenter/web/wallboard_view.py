"""The big screen and the supervisor's desk as data: from what is true now to what the templates print.

On the path of a call: after its commit, once for all screens. ``wall`` chooses, counts and orders; nothing that moves
by itself (a wait, a talk, a ring) is written down as a duration: the start instant is, and the page counts on from it.

Promises: pure and total; worst first; a share always has its number of calls, and none is shown of none; what was not
observed is said, not guessed. Never: a caller's name or number (the last two digits tell two calls apart), a seat
ranked by its work.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from callcenter.calls.model import Call
from callcenter.calls.waiters import waits_for_a_seat, waits_since
from callcenter.metrics.service_levels import Variant
from callcenter.quality.rates import Counted
from callcenter.reports.figures import NOTHING, Sums
from callcenter.web.board_ports import Day, Owed
from callcenter.web.clock_ports import OfLevel
from callcenter.web.health_ports import Part
from callcenter.web.ports import Link, LinkState
from callcenter.web.roster_view import Roster, roster_of
from callcenter.web.wallboard_calls import held_long, masked
from callcenter.web.wallboard_clocks import first_line_of, levels_of, open_of, rules_of
from callcenter.web.wallboard_facts import Facts, Site
from callcenter.web.wallboard_queues import Level, Others, QueueLine, in_need, level, others, queue_lines, said_of
from callcenter.web.wallboard_seats import ORDER, SeatNow, Tile, label, room, tile, worst
from callcenter.web.window import ON_CALL, State

MOST_WAITING, MOST_WAITING_ALONE = 3, 5
"""Where the clocks of tickets stand below them, and where not."""
CALLBACKS = ("B5", "D11")
"""Rules of what is owed by telephone."""
RISK_SECONDS = 600.0
"""What is due within this is at risk."""


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
    others: Others | None
    seats: tuple[Tile, ...]
    """By name: as many as there is room for, those that need looking at first."""
    states: tuple[tuple[State, int], ...]
    in_no_queue: int
    """Of those whose state is unknown: nothing tells it, because they serve no queue."""
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
    rules: tuple[tuple[str, OfLevel], ...] | None = None
    """Clocks that go on by their rule, D1 to D4."""
    first_line: tuple[int, int] | None = None
    """E3, of the last 24 hours: calls answered, solved at the first contact."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """How many more there are than fit, by what they are."""
    roster: Roster | None = None
    worked: Sums | None = None
    """What took the seats' time today; ``None`` until it is added up."""
    said: Mapping[str, Counted] | None = None
    """What they said (A2, B1, B7, B8); ``None`` until it is added up."""
    occupancy: float | None = None
    """The share of the seats on a call or wrapping up among those that are there and not paused."""

    @property
    def busy_or_free(self) -> int:
        """What ``occupancy`` is a share of."""
        return sum(n for state, n in self.states if state is State.FREE or state in ON_CALL)


def wall(facts: Facts, site: Site, most_seats: int | None = None, most_queues: int | None = None) -> Wall:
    """The screen of the settings. Without ``queues`` there, of the whole hotline. ``most_seats``: by name, for somebody
    near; else as many as are read from afar. ``most_queues``: with a line of their own; all without it."""
    chosen = site.shown.queues
    calls = [call for call in facts.calls if not chosen or call.queue in chosen]
    seats = [one for one in facts.seats if not chosen or not one.queues or set(one.queues) & set(chosen)]
    name = _names(seats, site)
    waits = sorted((waiting(call, site, name) for call in calls if waits_for_a_seat(call)), key=_since_of)
    most = MOST_WAITING if "tickets" in site.shown.tiles else MOST_WAITING_ALONE
    first = _shown_of(waits)[:most]
    states = Counter(one.window.state for one in seats)
    alone = sum(one.window.state is State.UNKNOWN and not one.queues for one in seats)
    counts = len({*states, State.FREE}) + (0 < alone < states[State.UNKNOWN])
    named = worst(seats, most_seats or room(counts), site.queue, site.cadence, facts.now)
    owed = owed_of(facts.day, chosen)
    further = facts.day.beyond.items() if facts.day is not None and owed is not None else ()
    beyond = [counts for (queue, _), counts in further if not chosen or queue in chosen]
    lines = queue_lines(facts, site, calls, seats)
    shown = lines if most_queues is None or len(lines) <= most_queues else in_need(lines, most_queues - 1, site)
    hidden = {line.name for line in lines} - {line.name for line in shown}
    clocks = levels_of(facts.clocks, chosen)
    return Wall(
        title=site.shown.title,
        tiles=site.shown.tiles,
        live=facts.link.state is LinkState.UP,
        link=facts.link,
        parts=tuple(facts.parts),
        level=level(facts.day.queues, chosen or None, site) if facts.day is not None else None,
        unobserved_seconds=facts.day.unobserved_seconds if facts.day is not None else None,
        ringing=tuple(one for one in first if one.heard_since is not None),
        queued=tuple(one for one in first if one.heard_since is None),
        longest=waits[0] if waits else None,
        held_long=sum(held_long(call, facts.now) for call in calls),
        queues=shown,
        others=others([line for line in lines if line.name in hidden], hidden, facts, site, seats) if hidden else None,
        seats=tuple(tile(one, site.queue, site.shown.seats) for one in named),
        states=tuple((state, states[state]) for state in ORDER),
        in_no_queue=alone,
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
        rules=rules_of(facts.clocks, chosen),
        first_line=first_line_of(facts.clocks, chosen),
        cut={
            "more_waiting": len(waits) - len(first),
            "waiting": len(waits),
            "seats": len(seats) - len(named),
            "all_seats": len(seats),
            "queues": len(lines),
        },
        roster=roster_of(facts.muster, _names(facts.seats, site), _hidden(facts.seats, seats)),
        worked=worked_of(facts.day, chosen),
        said=said_of(facts.day, chosen),
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
    return Waiting(
        call_id=call.call_id,
        queue=call.queue,
        title=queue.title,
        service_class=site.target(call.queue).service_class,
        since=waits_since(call),
        heard_since=call.ringing_from if call.announced_at is None else None,
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


def owed_of(day: Day | None, chosen: Collection[str]) -> tuple[Owed, ...] | None:
    if day is None or day.owed is None:
        return None
    return tuple(one for one in day.owed if not chosen or one.queue in chosen)
