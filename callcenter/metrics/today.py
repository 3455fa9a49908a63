"""The hotline's calls of one day, counted as they are committed: what the wallboard and the supervisor's desk show.

Place: after the commit of a call, beside ``metrics/figures``. Counters can only grow, and a screen wants the day by the
site's own midnight; so each call's share of the day is kept by its id and replaced whenever more is known of it.

Promises: pure; the counts of ended calls are those that ``store/service_levels`` reads from the database for the same
time (by the call's end, each queue by its own target); a call that is told again, or differently, counts once.
Never: reads a clock or a database; holds a name or a number of a caller.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from callcenter.calls.model import Call, Direction, Outcome
from callcenter.metrics.service_levels import Interval, Tally, Targets, counts, tally_of
from callcenter.metrics.survey import OTHER, SATISFIED, answer_of

LONG_HOLD_SECONDS = 60.0
"""B2: no wait is longer."""
THREE_RINGS = "A1"
_LONGEST = ("longest_ring", "longest_wait")
_TALLY = tuple(one.name for one in fields(Tally))


@dataclass(frozen=True, slots=True)
class Counts:
    """A queue's ended calls of the day. ``kept``: how many of the answered ones within three rings (A1)."""

    interval: Interval = field(default_factory=Interval)
    kept: int = 0
    waits: int = 0
    """Answered calls whose wait is known; ``wait_seconds`` is its sum: their quotient is the speed of answer."""
    wait_seconds: float = 0.0
    long_holds: int = 0
    answers: int = 0
    """Callers who answered the question after their call (D8); ``satisfied`` of them."""
    satisfied: int = 0
    announced: int = 0
    """Calls that the announcement caught after the rings (A1, B1), whatever became of them."""
    rung: int = 0
    """Attempts in which a phone rang; ``ring_seconds`` is their sum (A1)."""
    ring_seconds: float = 0.0
    longest_ring: float = 0.0
    longest_wait: float = 0.0
    """Of ended calls, answered or not; seconds."""

    @property
    def mean_ring(self) -> float | None:
        """Seconds that a phone rang in one attempt; ``None`` where none did."""
        return self.ring_seconds / self.rung if self.rung else None

    @property
    def satisfaction(self) -> float | None:
        """D8; ``None`` without answers."""
        return self.satisfied / self.answers if self.answers else None

    @property
    def speed_of_answer(self) -> float | None:
        """Mean wait of answered calls in seconds; ``None`` without any."""
        return self.wait_seconds / self.waits if self.waits else None

    def __add__(self, more: "Counts") -> "Counts":
        longest = {name: max(getattr(self, name), getattr(more, name)) for name in _LONGEST}
        sums = {f.name: getattr(self, f.name) + getattr(more, f.name) for f in fields(self) if f.name not in longest}
        return Counts(**sums, **longest)


class _Share(NamedTuple):
    """What one call adds."""

    queue: str
    counted: bool
    tally: Tally
    recovered: bool
    kept: bool
    wait_seconds: float | None
    long_holds: int
    missed: tuple[str, ...]
    answer: str | None
    announced: bool
    rung: int
    ring_seconds: float
    longest_ring: float
    longest_wait: float


class CallsToday:
    """The day since ``since`` (epoch seconds). Queues are named as calls name them, "" for calls that reached none."""

    def __init__(self, targets: Targets, since: float = 0.0) -> None:
        self._targets = targets
        self.since = since
        self._shares: dict[str, _Share] = {}
        self._sums: dict[str, Counter[str]] = {}
        self._waits: dict[str, float] = {}
        self._rings: dict[str, float] = {}
        self._longest: dict[tuple[str, str], float] = {}
        """By queue and name of ``_LONGEST``; gone where the call that was it became another one."""
        self.missed: Counter[str] = Counter()
        """How often each seat let it ring today, by extension."""
        self._queues: dict[str, Counts] | None = None

    def begin(self, since: float) -> None:
        """A new day."""
        self.since = since
        self._shares.clear()
        self._sums.clear()
        self._waits.clear()
        self._rings.clear()
        self._longest.clear()
        self.missed.clear()
        self._queues = None

    def known(self, call_id: str) -> bool:
        return call_id in self._shares

    def changed(self, call: Call, at: float) -> None:
        """A call as it is now. ``at``: when it was written down, which stands for an end that nobody saw."""
        ended_at = call.ended_at if call.ended_at is not None else at
        old = self._shares.pop(call.call_id, None)
        if old is not None:
            self._add(old, -1)
        if call.direction is Direction.INBOUND and call.merged_into is None and ended_at >= self.since:
            share = self._shares[call.call_id] = self._share(call)
            self._add(share, 1)

    def by_queue(self) -> Mapping[str, Counts]:
        """The queues that had ended calls."""
        if self._queues is None:
            self._queues = {queue: self._counts(queue, sums) for queue, sums in self._sums.items() if sums["calls"]}
        return self._queues

    def _share(self, call: Call) -> _Share:
        counted = counts(call)
        answered = counted and call.outcome is Outcome.ANSWERED
        long_holds = sum(
            hold.ended_at is not None and hold.ended_at - hold.started_at > LONG_HOLD_SECONDS for hold in call.holds
        )
        rings = [
            ring.ended_at - ring.started_at
            for ring in call.rings
            if counted and ring.started_at is not None and ring.ended_at is not None
        ]
        return _Share(
            call.queue or "",
            counted,
            tally_of(call, self._targets.of(call.queue)) if counted else Tally(),
            counted and call.recovered,
            answered and not any(breach.rule == THREE_RINGS for breach in call.breaches),
            call.wait_seconds if answered else None,
            long_holds if counted else 0,
            call.seats_missed,
            answer_of(call) if counted else None,
            counted and call.announced_at is not None,
            len(rings),
            sum(rings),
            max(rings, default=0.0),
            call.wait_seconds or 0.0 if counted else 0.0,
        )

    def _add(self, share: _Share, times: int) -> None:
        self.missed.update(dict.fromkeys(share.missed, 0))
        for seat in share.missed:
            self.missed[seat] += times
        if not share.counted:
            return
        sums = self._sums.setdefault(share.queue, Counter())
        for name in _TALLY:
            sums[name] += times * getattr(share.tally, name)
        sums["calls"] += times
        sums["recovered"] += times * share.recovered
        sums["kept"] += times * share.kept
        sums["long_holds"] += times * share.long_holds
        sums["answers"] += times * (share.answer not in (None, OTHER))
        sums["satisfied"] += times * (share.answer in SATISFIED)
        sums["announced"] += times * share.announced
        sums["rung"] += times * share.rung
        self._rings[share.queue] = self._rings.get(share.queue, 0.0) + times * share.ring_seconds
        self._note_longest(share, times)
        if share.wait_seconds is not None:
            sums["waits"] += times
            self._waits[share.queue] = self._waits.get(share.queue, 0.0) + times * share.wait_seconds
        self._queues = None

    def _note_longest(self, share: _Share, times: int) -> None:
        for name in _LONGEST:
            seconds, known = getattr(share, name), self._longest.get((share.queue, name))
            if times < 0 and seconds == known:
                del self._longest[share.queue, name]
            elif times > 0 and known is not None:
                self._longest[share.queue, name] = max(known, seconds)

    def _longest_of(self, queue: str, name: str) -> float:
        """Looked for among the day's calls only where the longest of them is no more."""
        if (queue, name) not in self._longest:
            own = (getattr(share, name) for share in self._shares.values() if share.queue == queue and share.counted)
            self._longest[queue, name] = max(own, default=0.0)
        return self._longest[queue, name]

    def _counts(self, queue: str, sums: Counter[str]) -> Counts:
        tally = Tally(**{name: sums[name] for name in _TALLY})
        interval = Interval(tally, sums["recovered"])
        wait_seconds = max(0.0, self._waits.get(queue, 0.0)) if sums["waits"] else 0.0
        rest = sums["long_holds"], sums["answers"], sums["satisfied"], sums["announced"], sums["rung"]
        ring_seconds = max(0.0, self._rings.get(queue, 0.0)) if sums["rung"] else 0.0
        longest = [self._longest_of(queue, name) for name in _LONGEST]
        return Counts(interval, sums["kept"], sums["waits"], wait_seconds, *rest, ring_seconds, *longest)


def total(of: Iterable[Counts]) -> Counts:
    """All of them as one."""
    return sum(of, Counts())
