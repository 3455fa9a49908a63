"""The queues on the big screen: a line for each, or for those that need looking at and one for all the others.

Beside ``wallboard_view``. Promises: pure; a share always has its number of calls, and none is shown of none; each line
keeps its place, so that it is found again without reading; no page is turned, and no queue is left out of the sums.
Never: a caller's name or number.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from math import inf

from callcenter.calls.model import Call, Phase
from callcenter.calls.waiters import waits_for_a_seat, waits_since
from callcenter.metrics.service_levels import Tally, base, service_level
from callcenter.metrics.today import Counts, total
from callcenter.quality.rates import FORBIDDEN, PHRASES, Counted, together
from callcenter.web.board_ports import Day
from callcenter.web.wallboard_facts import Facts, Site
from callcenter.web.wallboard_seats import SeatNow


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
    def announced(self) -> float | None:
        """The share of all calls that the announcement caught after the rings (A1, B1)."""
        return self.counts.announced / self.tally.calls if self.tally.calls else None

    @property
    def kept(self) -> float | None:
        """A1: the share of answered calls that were answered within three rings."""
        return self.counts.kept / self.tally.answered if self.tally.answered else None


@dataclass(frozen=True, slots=True)
class QueueLine:
    """``free``: of the ``seats`` that serve it, those that it may ring; ``level``: ``None`` until the day is read.
    ``said``: what seats said in it (A2, B1, B7, B8), ``None`` until it is added up."""

    name: str
    title: str
    rings: int
    waiting: int
    waiting_since: float | None
    talking: int
    free: int
    seats: int
    level: Level | None
    said: Mapping[str, Counted] | None = None


@dataclass(frozen=True, slots=True)
class Others:
    """The queues that have no line of their own. ``free`` of the ``seats`` of any of them."""

    queues: int
    waiting: int
    waiting_since: float | None
    rings: int
    free: int
    seats: int
    level: Level | None


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
            free[queue] += one.free_in(queue)
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
        said=said_of(facts.day, (name,)),
    )


def in_need(lines: Sequence[QueueLine], most: int, site: Site) -> tuple[QueueLine, ...]:
    """The queues to look at, in their places: where callers wait, then where no seat is free, then below the goal."""

    def need(line: QueueLine) -> tuple[float, bool, float]:
        share = line.level.share if line.level is not None else None
        below = max(0.0, (site.goal or 0.0) - share) if share is not None else 0.0
        return line.waiting_since or inf, bool(line.free) or not line.seats, -below

    kept = {line.name for line in sorted(lines, key=need)[:most]}
    return tuple(line for line in lines if line.name in kept)


def others(lines: Sequence[QueueLine], names: Set[str], facts: Facts, site: Site, seats: Sequence[SeatNow]) -> Others:
    serving = [one for one in seats if names & set(one.queues)]
    return Others(
        queues=len(lines),
        waiting=sum(line.waiting for line in lines),
        waiting_since=min((line.waiting_since for line in lines if line.waiting_since is not None), default=None),
        rings=min(line.rings for line in lines),
        free=sum(any(one.free_in(name) for name in names) for one in serving),
        seats=len(serving),
        level=level(facts.day.queues, names, site) if facts.day is not None else None,
    )


def said_of(day: Day | None, chosen: Collection[str]) -> Mapping[str, Counted] | None:
    """What was said today in these queues; in all of them for none."""
    if day is None or day.worked is None:
        return None
    rows = [one for queue, said in day.worked.said.items() if not chosen or queue in chosen for one in said.values()]
    return {phrase: together(rows, phrase) for phrase in (*PHRASES, FORBIDDEN)}
