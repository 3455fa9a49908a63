"""The service level in its six variants, from the same counts, as Python, SQL and PromQL.

Place: after the call. Its outcome and wait are facts (``calls/model``); what share of calls was served in time depends
on how the contract treats those who gave up, and peers differ by several percent on the same day. So nothing here is
a percentage before somebody names the variant, and every variant comes from one table (``FORMULAS``).

Promises: no calls is ``None``, never 0 % or 100 %; a call whose wait is not known counts as a call, and not as in time.
Never: reads a clock, a database or a registry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum


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


def promql(variant: Variant, window: str, seconds: float, short_seconds: float, by: str = "queue") -> str:
    """The variant over ``window`` ("5m", "$__range"), from the counters of ``metrics/figures``; nothing where no call
    ended. The thresholds must be bounds of ``callcenter_wait_seconds``, so the share is exact."""

    def term(name: str) -> str:
        outcome = name.partition("_")[0]
        if name.endswith(("_in_time", "_short")):
            le = seconds if name.endswith("_in_time") else short_seconds
            series = f'callcenter_wait_seconds_bucket{{outcome="{outcome}",le="{float(le)}"}}'
        else:
            series = f'callcenter_calls_total{{direction="inbound",outcome="{outcome}"}}'
        # A queue where nobody has given up yet has no such series: that is none, not nothing.
        counted = f"sum by ({by}) (increase({series}[{window}]))"
        everybody = f'sum by ({by}) (increase(callcenter_calls_total{{direction="inbound"}}[{window}]))'
        return f"({counted} or 0 * {everybody})"

    good, counted = written(variant, term)
    return f"({good}) / (({counted}) > 0)"


def sql(variant: Variant) -> str:
    """The variant over the columns of a ``Tally``; NULL where the formula has no calls."""
    good, counted = written(variant, lambda name: name)
    return f"1.0 * ({good}) / nullif({counted}, 0)"
