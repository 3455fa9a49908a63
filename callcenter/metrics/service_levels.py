"""The service level in its six variants, from the same counts, as Python, SQL and PromQL.

Place: after the call. Its outcome and wait are facts (``calls/model``); what share of calls was served in time depends
on how the contract treats those who gave up, and peers differ by several percent on the same day. So nothing here is
a percentage before somebody names the variant, and every variant comes from one table (``FORMULAS``).

Promises: no calls is ``None``, never 0 % or 100 %; a call whose wait is not known counts as a call, and not as in time;
what a queue's threshold was is asked once (``Targets``), by counters, SQL and reports alike.
Never: reads a clock, a database or a registry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType

from callcenter.calls.model import Call, Direction, Outcome


class Variant(StrEnum):
    """How calls that nobody answered count. Names as configuration and screens use them.

    The formulas are those of the trade (T: the threshold; short: given up so soon that nobody could have lifted)."""

    ABANDONS_IGNORED = "abandons_ignored"
    ABANDONS_GOOD = "abandons_good"
    """Given up within T counts as served in time."""
    ABANDONS_BAD = "abandons_bad"
    LATE_ABANDONS_BAD = "late_abandons_bad"
    """Given up within T does not count at all."""
    SHORT_ABANDONS_FORGIVEN = "short_abandons_forgiven"
    FLOW_OUTS_BAD = "flow_outs_bad"
    """Also those who left the queue for something else: an announcement, another number."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Hotline calls of an interval by what became of them. ``in_time``: the wait was no longer than the threshold T;
    ``short``: no longer than the short-abandon limit."""

    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    abandoned_short: int = 0
    overflowed: int = 0
    other: int = 0
    """Failed or unknown: counted, and in no formula."""

    @property
    def calls(self) -> int:
        return self.answered + self.abandoned + self.overflowed + self.other

    def __add__(self, more: "Tally") -> "Tally":
        return Tally(*(getattr(self, f.name) + getattr(more, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Target:
    """What a queue's contract counts by: ``seconds`` is the threshold T, ``short_seconds`` the short-abandon limit."""

    seconds: float = 15.0
    short_seconds: float = 5.0
    service_class: str = "standard"

    def waited(self, seconds: float | None) -> str:
        """How long a call waited, in the words of the counters: ``WAITED``."""
        if seconds is None:
            return "unknown"
        return "late" if seconds > self.seconds else "in_time" if seconds > self.short_seconds else "short"


WAITED = ("short", "in_time", "late", "unknown")
"""Parts of all waits that overlap nowhere: who gave up "short" did so within T, too."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The target of each queue; ``default`` for one that is not configured."""

    default: Target = field(default_factory=Target)
    queues: Mapping[str, Target] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, queue: str | None) -> Target:
        return self.queues.get(queue or "", self.default)

    @property
    def bounds(self) -> frozenset[float]:
        """What a histogram of waits must have among its bounds to be exact for every queue."""
        every = (self.default, *self.queues.values())
        return frozenset(bound for target in every for bound in (target.seconds, target.short_seconds))


@dataclass(frozen=True, slots=True)
class Interval:
    """A queue's calls of an interval. ``recovered``: how many of them only Asterisk's call records told of, in whole or
    in part."""

    tally: Tally = field(default_factory=Tally)
    recovered: int = 0

    def __add__(self, more: "Interval") -> "Interval":
        return Interval(self.tally + more.tally, self.recovered + more.recovered)


def counts(call: Call) -> bool:
    """Whether a call is one of the hotline's that has ended; a consultation that became part of another is none."""
    return call.direction is Direction.INBOUND and not call.running and call.merged_into is None


def tally_of(call: Call, target: Target) -> Tally:
    """One ended call of the hotline as a tally."""
    waited = target.waited(call.wait_seconds)
    in_time = int(waited in ("short", "in_time"))
    match call.outcome:
        case Outcome.ANSWERED:
            return Tally(answered=1, answered_in_time=in_time)
        case Outcome.ABANDONED:
            return Tally(abandoned=1, abandoned_in_time=in_time, abandoned_short=int(waited == "short"))
        case Outcome.OVERFLOWED:
            return Tally(overflowed=1)
    return Tally(other=1)


Terms = tuple[tuple[int, str], ...]

FORMULAS: Mapping[Variant, tuple[Terms, Terms]] = {
    Variant.ABANDONS_IGNORED: (((1, "answered_in_time"),), ((1, "answered"),)),
    Variant.ABANDONS_GOOD: (
        ((1, "answered_in_time"), (1, "abandoned_in_time")),
        ((1, "answered"), (1, "abandoned")),
    ),
    Variant.ABANDONS_BAD: (((1, "answered_in_time"),), ((1, "answered"), (1, "abandoned"))),
    Variant.LATE_ABANDONS_BAD: (
        ((1, "answered_in_time"),),
        ((1, "answered"), (1, "abandoned"), (-1, "abandoned_in_time")),
    ),
    Variant.SHORT_ABANDONS_FORGIVEN: (
        ((1, "answered_in_time"),),
        ((1, "answered"), (1, "abandoned"), (-1, "abandoned_short")),
    ),
    Variant.FLOW_OUTS_BAD: (
        ((1, "answered_in_time"),),
        ((1, "answered"), (1, "abandoned"), (1, "overflowed")),
    ),
}
"""Numerator and denominator of each variant: signed counts of a ``Tally``."""


def service_level(tally: Tally, variant: Variant) -> float | None:
    """The share from 0 to 1; ``None`` where the formula has no calls."""
    good, counted = (sum(sign * getattr(tally, name) for sign, name in terms) for terms in FORMULAS[variant])
    return good / counted if counted > 0 else None


def base(tally: Tally, variant: Variant) -> int:
    """How many calls the share is of."""
    return int(sum(sign * getattr(tally, name) for sign, name in FORMULAS[variant][1]))


def written(variant: Variant, term: Callable[[str], str]) -> tuple[str, str]:
    """Numerator and denominator in another language, each count written by ``term``."""

    def side(terms: Terms) -> str:
        parts = [("- " if sign < 0 else "+ ") + term(name) for sign, name in terms]
        return " ".join(parts).removeprefix("+ ")

    good, counted = FORMULAS[variant]
    return side(good), side(counted)


_WAITED = {"_in_time": 'waited=~"short|in_time"', "_short": 'waited="short"'}
COUNTER = "callcenter_service_level_calls_total"


def promql_term(name: str, window: str, by: str = "queue, service_class", where: str = "") -> str:
    """One count of a ``Tally`` over ``window`` ("5m", "$__range"), in whole calls; none is 0 where the queue is known.

    ``increase`` extends what it saw to the borders of the window, by less than half a call for a hotline's counts: so
    each series is rounded before it is added. ``where``: further conditions on labels."""

    def summed(*conditions: str) -> str:
        chosen = ",".join(filter(None, (where, *conditions)))
        return f"sum by ({by}) (round(increase({COUNTER}{{{chosen}}}[{window}])))"

    outcome = {"calls": "", "other": 'outcome=~"failed|unknown"'}.get(name, f'outcome="{name.partition("_")[0]}"')
    waited = next((text for end, text in _WAITED.items() if name.endswith(end)), "")
    counted = summed(outcome, waited)
    # Where nobody has given up yet there may be no such series: that is none, not nothing.
    return counted if name == "calls" else f"({counted} or 0 * {summed()})"


def promql(variant: Variant, window: str, by: str = "queue, service_class", where: str = "") -> str:
    """The variant over ``window``, from the counters of ``metrics/figures``, each queue by its own threshold; nothing
    where no call ended."""
    good, counted = written(variant, lambda name: promql_term(name, window, by, where))
    return f"({good}) / (({counted}) > 0)"


def promql_base(variant: Variant, window: str, by: str = "queue, service_class", where: str = "") -> str:
    """How many calls ``promql`` is a share of."""
    return written(variant, lambda name: promql_term(name, window, by, where))[1]


def sql(variant: Variant) -> str:
    """The variant over the columns of a ``Tally``; NULL where the formula has no calls."""
    good, counted = written(variant, lambda name: name)
    return f"1.0 * ({good}) / nullif({counted}, 0)"


def percent(share: float, places: int = 1) -> str:
    """A share as it stands before a "%" on every screen: "100" for all and for nothing less, "0.0" only for none.

    One of 2,001 is not none of them, nor 1,999 of 2,000 all: nearest to either end is the last step before it."""
    least = 10.0**-places
    if share == 1:
        return "100"  # with a decimal it is the one figure that has no room on the wall
    shown = min(max(100 * share, least), 100 - least) if 0 < share < 1 else 100 * share
    return f"{shown:.{places}f}"
