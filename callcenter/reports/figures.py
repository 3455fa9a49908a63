"""What a report says of the calls of one piece of time and one queue, seat group, level or seat.

Place on the path of a call: long after it. The store adds calls up to cells, ``reports/report`` adds cells up to lines,
and here a line's sums become shares and means.
Promises: sums of parts are the sum of the whole; the service level is ``metrics/service_levels``' own in every variant;
no calls is ``None``, never 0 % and never 0 seconds; what was not measured of a call is left out of a mean, and the mean
knows how many calls it is of.
Never: rounds.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from operator import add
from typing import Any, NamedTuple

from callcenter.calls.model import Call, Outcome
from callcenter.metrics.service_levels import Tally, Target, tally_of
from callcenter.metrics.survey import OTHER, SATISFIED, answer_of
from callcenter.metrics.today import LONG_HOLD_SECONDS, THREE_RINGS

LONGEST_WRAP_UP_SECONDS = 1800.0
"""A ticket that is finished later was worked on after other calls: that is no wrap-up of this one."""


@dataclass(frozen=True, slots=True)
class Total:
    """Seconds of ``calls`` calls of which they are known."""

    calls: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float | None:
        return self.seconds / self.calls if self.calls else None

    def __add__(self, more: "Total") -> "Total":
        return Total(self.calls + more.calls, self.seconds + more.seconds)


@dataclass(frozen=True, slots=True)
class Sums:
    """Calls added up. ``wait``, ``talk``, ``hold`` and ``wrapup`` are of answered calls, ``given_up`` is how long those
    waited who gave up. ``answers``: callers who answered the question after the call, ``satisfied`` of them (D8)."""

    tally: Tally = field(default_factory=Tally)
    recovered: int = 0
    wait: Total = field(default_factory=Total)
    given_up: Total = field(default_factory=Total)
    talk: Total = field(default_factory=Total)
    hold: Total = field(default_factory=Total)
    wrapup: Total = field(default_factory=Total)
    answers: int = 0
    satisfied: int = 0
    contacts: int = 0
    """Calls that the first line answered, ``solved`` of them at once (E3, ``store/first_line``)."""
    solved: int = 0
    rings_broken: int = 0
    """Answered calls that were not answered within three rings (A1)."""
    long_holds: int = 0
    """Holds of more than ``LONG_HOLD_SECONDS`` that are over (B2)."""

    @property
    def calls(self) -> int:
        return self.tally.calls

    @property
    def asa_seconds(self) -> float | None:
        """Average speed of answer."""
        return self.wait.mean

    @property
    def aht_seconds(self) -> float | None:
        """Average handle time: talk, hold and wrap-up. Without any known wrap-up it is talk and hold alone."""
        if self.talk.mean is None:
            return None
        return self.talk.mean + (self.hold.mean or 0.0) + (self.wrapup.mean or 0.0)

    @property
    def satisfaction(self) -> float | None:
        """D8: the share satisfied of those who answered."""
        return self.satisfied / self.answers if self.answers else None

    @property
    def first_line(self) -> float | None:
        """E3: the share solved at the first contact."""
        return self.solved / self.contacts if self.contacts else None

    @property
    def three_rings(self) -> float | None:
        """A1: the share of answered calls that three rings were kept of, as ``metrics/today`` counts them."""
        answered = self.tally.answered
        return (answered - self.rings_broken) / answered if answered else None

    @property
    def abandon_rate(self) -> float | None:
        """Short abandons left out of both sides: nobody could have lifted. ``None`` without other calls."""
        counted = self.abandon_rate_calls
        return (self.tally.abandoned - self.tally.abandoned_short) / counted if counted else None

    @property
    def abandon_rate_calls(self) -> int:
        """How many calls ``abandon_rate`` is a share of."""
        return self.calls - self.tally.abandoned_short

    def __add__(self, more: "Sums") -> "Sums":
        return Sums(*(getattr(self, f.name) + getattr(more, f.name) for f in fields(self)))

    @property
    def numbers(self) -> tuple[float, ...]:
        """In the order of ``NUMBERS``: what adds up by columns."""
        tally = tuple(getattr(self.tally, name) for name in TALLIED)
        timed = (number for name in TIMED for number in _pair(getattr(self, name)))
        return *tally, self.recovered, *timed, *(getattr(self, name) for name in COUNTED)

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Sums":
        """From ``numbers`` of one call, or of many added up."""
        counts, rest = [int(number) for number in numbers[: len(TALLIED)]], numbers[len(TALLIED) + 1 :]
        pairs, last = rest[: -len(COUNTED)], rest[-len(COUNTED) :]
        values: dict[str, Any] = dict(zip(COUNTED, map(int, last), strict=True))
        for name, calls, seconds in zip(TIMED, pairs[::2], pairs[1::2], strict=True):
            values[name] = Total(int(calls), seconds)
        return cls(Tally(*counts), int(numbers[len(TALLIED)]), **values)


def _pair(total: Total) -> tuple[float, float]:
    return total.calls, total.seconds


TALLIED = tuple(f.name for f in fields(Tally))
TIMED = ("wait", "given_up", "talk", "hold", "wrapup")
STANDARD = ("rings_broken", "long_holds")
"""What only a call's details tell."""
COUNTED = ("answers", "satisfied", "contacts", "solved", *STANDARD)
NUMBERS = (*TALLIED, "recovered", *(f"{name}_{part}" for name in TIMED for part in ("calls", "seconds")), *COUNTED)
"""The names of the sums as columns."""


class Cell(NamedTuple):
    """The store's sum of calls that arrived in one stretch of time from ``since`` on. ``seat``: who answered; "" for
    nobody, and where seats were not asked for. ``numbers``: in the order of ``NUMBERS``."""

    since: float
    queue: str
    seat: str
    numbers: tuple[float, ...]


Wait = tuple[float, str, str, float]
"""Arrival, queue, seat, and the seconds that an answered caller waited."""
Arrival = tuple[float, str, str]
"""Arrival, queue, seat."""


NOTHING = Sums()
"""No calls."""


class Adder:
    """Adds cells up by any key."""

    def __init__(self) -> None:
        self._of: dict[Hashable, Sequence[float]] = {}

    def add(self, key: Hashable, numbers: Sequence[float]) -> None:
        known = self._of.get(key)
        self._of[key] = numbers if known is None else tuple(map(add, known, numbers))

    def sums(self, key: Hashable) -> Sums:
        """No calls where nothing was added."""
        return Sums.of(self._of[key]) if key in self._of else NOTHING

    def keys(self) -> Iterable[Hashable]:
        return self._of.keys()


def sums_of(call: Call, target: Target, wrapup_seconds: float | None = None, solved: bool = False) -> Sums:
    """One ended call of the hotline, as SQL counts it. ``wrapup_seconds``: from its end to its ticket's; ``solved``: at
    the first contact."""
    answered, abandoned = call.outcome is Outcome.ANSWERED, call.outcome is Outcome.ABANDONED
    known = wrapup_seconds is not None and 0 <= wrapup_seconds <= LONGEST_WRAP_UP_SECONDS
    answer = answer_of(call)
    return Sums(
        tally_of(call, target),
        int(call.recovered),
        _total(answered, call.wait_seconds),
        _total(abandoned, call.wait_seconds),
        _total(answered, call.talk_seconds),
        _total(answered and call.talk_seconds is not None, call.hold_seconds),
        _total(answered, wrapup_seconds if known else None),
        int(answer not in (None, OTHER)),
        int(answer in SATISFIED),
        int(answered and call.answered_by is not None),
        int(solved),
        int(answered and any(breach.rule == THREE_RINGS for breach in call.breaches)),
        sum(hold.ended_at is not None and hold.ended_at - hold.started_at > LONG_HOLD_SECONDS for hold in call.holds),
    )


def _total(wanted: bool, seconds: float | None) -> Total:
    return Total(1, seconds) if wanted and seconds is not None else Total()


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest of the ordered values that at least ``share`` (0 to 1) of them do not exceed (nearest rank)."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
