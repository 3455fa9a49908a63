"""Figures of callbacks (B5, D11): open and overdue ones, how they ended, and how many of them in time.

Beside the path of a call: told after each commit; /metrics reads it.
Promises: every series is there from the start; a counter only grows, and an end that a commit made is counted once.
Never: a number, a name, a queue or a seat as a label.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric

from callcenter.tickets.callbacks import RESULTS, RULES, SPOKEN, Callback, Ended


class CallbackFigures:
    """Every series is there from the start, at zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "callcenter_callbacks_ended",
            "Callbacks that ended, of B5 (cut off) and D11 (not spoken to): reached, called_again (the caller was "
            "quicker) or closed (by a person, with a reason).",
            ["rule", "result"],
            registry=registry,
        )
        self._in_time = Counter(
            "callcenter_callbacks_in_time",
            "Callbacks whose customer was spoken to by the due time (B5: 2 min, D11: VIP 15 min, others 1 h).",
            ["rule"],
            registry=registry,
        )
        for rule in RULES:
            self._in_time.labels(rule)
            for result in RESULTS:
                self._ended.labels(rule, result)

    def ended(self, one: Ended) -> None:
        if one.rule in RULES and one.result in RESULTS:
            self._ended.labels(one.rule, one.result).inc()
            if one.in_time and one.result in SPOKEN:
                self._in_time.labels(one.rule).inc()


def callback_gauge(
    owing: Iterable[Callback], beyond: Mapping[tuple[str | None, str], tuple[int, int]], now: float
) -> Metric:
    """``open`` counts all that are owed, ``overdue`` those of them that are late. ``beyond``: as in ``Owing``."""
    rows = {(rule, state): 0.0 for rule in RULES for state in ("open", "overdue")}
    for one in owing:
        if one.rule in RULES:
            rows[one.rule, "open"] += 1
            rows[one.rule, "overdue"] += one.due_at < now
    for (_, rule), (more, late) in beyond.items():
        if rule in RULES:
            rows[rule, "open"] += more
            rows[rule, "overdue"] += late
    family = GaugeMetricFamily("callcenter_callbacks", "Callbacks that are owed (B5, D11).", labels=["rule", "state"])
    for labels, value in rows.items():
        family.add_metric(labels, value)
    return family
