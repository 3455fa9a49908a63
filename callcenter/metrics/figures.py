"""Counting: what the pipeline, the windows, the link and transcription tell, in the metrics of ``declared``.

On the path of a call: told of each change after it was committed; /metrics reads it.
Promises: a call counts once; the number of series and the length of labels are bounded whatever callers and dialplans
send; the counters of a queue are there from the moment it is known, at zero: Prometheus sees by how much a counter
grows, never what it began with.
Never: a number, a name, a call id or a seat as a label. A call's id stands in exemplars only, which are shown in the
OpenMetrics format and lead from a figure to a call.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callcenter.calls.books import Difference
from callcenter.calls.model import Call, Outcome, RingResult
from callcenter.metrics import known
from callcenter.metrics.declared import Declared
from callcenter.metrics.service_levels import WAITED, Targets, counts
from callcenter.metrics.survey import ANSWERS, answer_of

MAX_QUEUES = 50
"""Queue names that get series of their own beside the configured ones; further ones share "other", so that nothing
from outside makes series."""
MAX_LABEL = 64
"""Characters of a label: our dialplan's names have 26 at most, Asterisk's 79 bytes; a longer one was made up, and each
label stands in some 240 samples of every scrape."""
NUMBER_DIGITS = 7
"""As many digits are somebody's telephone number, if the settings do not say that they are a queue."""
NONE, OTHER = "none", "other"
_NO_GROUPS: Mapping[str, Iterable[str]] = MappingProxyType({})
_WAITED_FOR = (Outcome.ANSWERED, Outcome.ABANDONED, Outcome.OVERFLOWED)
_CALL_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@lru_cache(maxsize=200_000)
def _child(metric: Any, *labels: str) -> Any:
    """The series of a metric with these labels; looking it up in the client takes longer than counting."""
    return metric.labels(*labels)


def _like_a_number(name: str) -> bool:
    return sum(map(str.isdigit, name)) >= NUMBER_DIGITS


def _may_be_label(name: str) -> bool:
    return len(name) <= MAX_LABEL and not _like_a_number(name)


class Figures(Declared):
    """The daemon's metrics. ``registry``: all of them; ``kept``: without those that are read at the scrape."""

    def __init__(
        self,
        queues: Iterable[str] = (),
        targets: Targets | None = None,
        groups: Mapping[str, Iterable[str]] = _NO_GROUPS,
    ) -> None:
        """``queues`` of the settings, and their ``targets``; ``groups``: the seats of each seat group."""
        super().__init__(targets or Targets(), groups)
        self._live: list[Callable[[], Iterable[Metric]]] = []
        self.registry = CollectorRegistry()
        self.gauges(self.kept.collect)
        self._live.clear()
        self._queues: dict[str, str] = {}
        """Service class of each queue label that is in use."""
        self._room = MAX_QUEUES
        self.last_batch: tuple[float, float] | None = None
        """When the last events were received, and told on once they were stored; monotonic."""
        self._configured = frozenset(queues)
        for name in (*self._configured, NONE):
            self._label(name)

    # --- labels ------------------------------------------------------------------------------------------------------

    def queue(self, name: str | None) -> str:
        """The label of a queue: its name while there are few, "other" beyond, "none" without one. What looks like a
        telephone number, or is longer than ``MAX_LABEL``, is "other", too, unless the settings name it."""
        if not name:
            return NONE
        if name not in self._queues:
            if name != OTHER and _like_a_number(name):
                return self._label(OTHER)
            if name != OTHER and (self._room <= 0 or len(name) > MAX_LABEL):
                self.limit_hit(known.QUEUE_LABELS)
                return self._label(OTHER)
            self._room -= name != OTHER
        return self._label(name)

    def expect(self, names: Iterable[str]) -> None:
        """Queues that Asterisk has, called or not: they stand at zero before their first call. Where there are more of
        them than there is room for none does: idle ones must not take the place of those that are called."""
        new = {name for name in names if name and name not in self._queues and _may_be_label(name)}
        if len(new) <= self._room:
            for name in sorted(new):
                self.queue(name)

    def queues(self) -> Mapping[str, str]:
        """The labels in use, each with its service class."""
        return self._queues

    def _label(self, label: str) -> str:
        if label not in self._queues:
            service_class = self._queues[label] = self.targets.of(label).service_class
            for metric in (self.talk, self.hold, self.wrapup):
                _child(metric, label)
            for answer in ANSWERS:
                _child(self.survey, label, answer)
            for side in known.SIDES:
                _child(self.ended_by, label, side)
            for rule, reason in known.BREACHES:
                _child(self.breaches, rule, reason, label)
            for result in known.RINGS_ENDED:
                _child(self.ring, label, result)
            for direction, outcome_of in known.KINDS_OF_CALLS:
                _child(self.calls, label, direction, outcome_of)
            for outcome in Outcome:
                if outcome in _WAITED_FOR:
                    _child(self.wait, label, service_class, outcome.value)
                    _child(self.rings, label, outcome.value)
                for waited in WAITED:
                    _child(self.levels, label, service_class, outcome.value, waited)
                for kept in ("yes", "no"):
                    _child(self.three_rings, label, service_class, outcome.value, kept)
        return label

    # --- told by transcription -----------------------------------------------------------------------------------

    def transcribed(self, queue: str | None, heard: Any, findings: Sequence[Mapping[str, Any]]) -> None:
        """A transcript was stored. ``heard``: seconds of sound and of processor time."""
        self.heard_seconds.inc(heard.seconds)
        self.hearing_seconds.inc(heard.cpu_seconds)
        label = self.queue(queue)
        told: dict[str, set[str]] = {}
        for finding in findings:
            result = "doubtful" if finding["band"] == "doubtful" else "said" if finding["found"] else "not_said"
            told.setdefault(finding["phrase"], set()).add(result)
        for phrase, results in told.items():
            # Two seats of one call are one call: said by any of them is said, and a doubt outweighs a silence.
            result = next(one for one in known.PHRASE_RESULTS if one in results)
            for other in known.PHRASE_RESULTS:  # so that the first of another kind is a step
                _child(self.phrases, label, phrase, other)
            _child(self.phrases, label, phrase, result).inc()

    def not_transcribed(self, reason: str, became: str) -> None:
        """``reason``: of ``speech/reasons.CODES``. ``became``: what the job is now, waiting, failed or quarantined."""
        _child(self.transcription_failures, reason, became).inc()

    def recording_stored(self) -> None:
        self.recordings_stored.inc()

    def recording_not_stored(self, reason: str) -> None:
        """``reason``: away, refused, changed, damaged or unreadable."""
        _child(self.recordings_store_failures, reason).inc()

    # --- told by the pipeline ------------------------------------------------------------------------------------

    def batch(self, events: int, received_at: float, pushed_at: float) -> None:
        """``received_at``: when the first event of the batch came in."""
        self.batches.inc()
        if events:
            self.events.inc(events)
            self.latency.observe(pushed_at - received_at)
            self.last_batch = received_at, pushed_at

    def commit_failed(self) -> None:
        self.commit_failures.inc()

    def traced(self, result: str, spans: int) -> None:
        """Spans of calls were ``sent`` to the collector, or ``lost``."""
        _child(self.spans, result).inc(spans)

    def limit_hit(self, limit: str, times: int = 1) -> None:
        """``limit``: of ``known.LIMITS``."""
        _child(self.limits, limit).inc(times)

    def heard(self, what: str, amount: float) -> None:
        """Live transcription. ``what``: lag, missed (seconds), busy or failed."""
        if what == "lag":
            self.live_lag.observe(amount)
        elif what == "missed":
            self.live_missed.inc(amount)
        else:
            _child(self.live_refused, what).inc(amount)

    def ended(self, call: Call) -> None:
        """Count a call that has just ended. A consultation that became part of another call is not one."""
        if call.merged_into is not None:
            return
        queue = self.queue(call.queue)
        outcome = (call.outcome or Outcome.UNKNOWN).value
        _child(self.calls, queue, call.direction.value, outcome).inc(exemplar=_exemplar(call))
        if call.recovered:
            self.recovered.inc()
        for transfer in call.transfers:
            _child(self.transfers, transfer.kind.value).inc()
        if counts(call):
            self._hotline_call_ended(call, queue, outcome)

    def _hotline_call_ended(self, call: Call, queue: str, outcome: str) -> None:
        of_class, exemplar = (queue, self._queues[queue], outcome), _exemplar(call)
        waited = self.targets.of(call.queue).waited(call.wait_seconds)
        _child(self.levels, *of_class, waited).inc(exemplar=exemplar)
        kept = "no" if any(breach.rule == "A1" for breach in call.breaches) else "yes"
        _child(self.three_rings, *of_class, kept).inc(exemplar=exemplar)
        if call.wait_seconds is not None:
            _child(self.wait, *of_class).observe(call.wait_seconds, exemplar)
        _child(self.rings, queue, outcome).observe(call.rings_heard)
        over = [ring for ring in call.rings if ring.result is not RingResult.RINGING]
        for ring in over:
            if ring.started_at is not None and ring.ended_at is not None:
                _child(self.ring, queue, ring.result.value).observe(max(0.0, ring.ended_at - ring.started_at))
        self.groups.ended(call, kept, over)
        if call.talk_seconds is not None and call.outcome is Outcome.ANSWERED:
            _child(self.talk, queue).observe(call.talk_seconds, exemplar)
            _child(self.ended_by, queue, call.ended_by.value if call.ended_by else "unknown").inc(exemplar=exemplar)
        for hold in call.holds:
            if hold.ended_at is not None:
                _child(self.hold, queue).observe(hold.ended_at - hold.started_at, exemplar)
        for breach in call.breaches:
            _child(self.breaches, breach.rule, breach.reason, queue).inc(exemplar=exemplar)
        if (answer := answer_of(call)) is not None:
            _child(self.survey, queue, answer).inc(exemplar=exemplar)

    # --- told by the comparison with Asterisk's books ----------------------------------------------------------------

    def books_compared(self, calls: int, new: Sequence[Difference]) -> None:
        """So many calls were compared; ``new``: differences that were not known before."""
        self.book_calls.inc(calls)
        for one in new:
            _child(self.book_differences, one.kind.value, one.book.value, "yes" if one.explained else "no").inc()

    def books_run(self, run: str, at: float) -> None:
        """``run``: continuous or nightly; ``at``: epoch seconds."""
        _child(self.book_run, run).set(at)

    # --- told by the windows -----------------------------------------------------------------------------------------

    def wrapped_up(self, call: Call, seconds: float) -> None:
        """A seat closed the ticket of the call that it had, or left it open, so long after the call's end."""
        _child(self.wrapup, self.queue(call.queue)).observe(max(0.0, seconds))
        self.groups.wrapped_up(call, seconds)

    # --- read --------------------------------------------------------------------------------------------------------

    def gauges(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Figures that are read at the moment of the scrape rather than kept."""
        self._live.append(read)
        self.registry.register(_Live(read))

    def frozen(self) -> Collector:
        """All figures for an encoder in a thread of its own: those of the moment are read now."""
        return _Frozen(self.kept, [family for read in self._live for family in read()])


def _exemplar(call: Call) -> dict[str, str] | None:
    return {"call_id": call.call_id} if _CALL_ID.fullmatch(call.call_id) else None


class _Live(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._read()


class _Frozen(Collector):
    def __init__(self, kept: Collector, live: Sequence[Metric]) -> None:
        self._kept, self._families = kept, live

    def collect(self) -> Iterable[Metric]:
        yield from self._kept.collect()
        yield from self._families


def gauge(name: str, text: str, labels: Sequence[str], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """One live gauge with its rows."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
