"""Every metric, declared once: names by the Prometheus conventions, help texts with the ids of the service standard.

On the path of a call: the pipeline tells what changed after it was committed; /metrics reads it.
Promises: counters count outcomes, ratios are left to PromQL; histogram bounds contain the exact thresholds of the
standard (three rings of cadence cn end at 15 s; 11 s is where the third tone ends); the number of series is bounded
whatever callers and dialplans send.
Never: a number, a name, a call id or a seat as a label.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callcenter.calls.model import Call, Outcome, RingResult

WAIT_BOUNDS = (2, 5, 10, 11, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
RING_BOUNDS = (2, 5, 6, 10, 11, 15, 20, 30, 60)
TALK_BOUNDS = (10, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)
HOLD_BOUNDS = (5, 8, 10, 30, 45, 60, 120, 300)
RINGS_BOUNDS = (0, 1, 2, 3, 4, 5, 6, 8, 12)
FAST_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
MAX_QUEUES = 50
"""Queue names that get series of their own; further ones share "other", so that nothing from outside makes series."""


@lru_cache(maxsize=4_000)
def _child(metric: Any, *labels: str) -> Any:
    """The series of a metric with these labels; looking it up in the client takes longer than counting."""
    return metric.labels(*labels)


class Figures:
    """The daemon's metrics in one registry."""

    def __init__(self, queues: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self._queues = set(queues)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._declare_calls()
        self._declare_machine()
        self._declare_speech()

    def _declare_calls(self) -> None:
        r = self.registry
        self.calls = Counter(
            "callcenter_calls",
            "Ended calls by outcome (C1: tickets = calls).",
            ["queue", "direction", "outcome"],
            registry=r,
        )
        self.breaches = Counter(
            "callcenter_breaches", "Calls that broke a rule of the standard.", ["rule", "reason", "queue"], registry=r
        )
        self.ended_by = Counter(
            "callcenter_calls_ended_by",
            "Answered hotline calls by who hung up first (B6).",
            ["queue", "side"],
            registry=r,
        )
        self.wait = Histogram(
            "callcenter_wait_seconds",
            "Arrival to the lifting of the phone, or to the end of waiting, of hotline calls (A1).",
            ["queue", "outcome"],
            buckets=WAIT_BOUNDS,
            registry=r,
        )
        self.rings = Histogram(
            "callcenter_rings_heard",
            "Rings the caller heard over all attempts before the end of waiting (A1: three).",
            ["queue", "outcome"],
            buckets=RINGS_BOUNDS,
            registry=r,
        )
        self.ring = Histogram(
            "callcenter_seat_ring_seconds",
            "How long a seat's phone rang in one attempt (A1).",
            ["queue", "result"],
            buckets=RING_BOUNDS,
            registry=r,
        )
        self.talk = Histogram(
            "callcenter_talk_seconds",
            "Talk without holds of answered calls (B3).",
            ["queue"],
            buckets=TALK_BOUNDS,
            registry=r,
        )
        self.hold = Histogram(
            "callcenter_hold_seconds", "Each hold of a caller (B2: 60 s).", ["queue"], buckets=HOLD_BOUNDS, registry=r
        )
        self.transfers = Counter("callcenter_transfers", "Transfers by kind (B4).", ["kind"], registry=r)
        self.recovered = Counter(
            "callcenter_recovered_calls", "Calls known only from Asterisk's call records (C1).", registry=r
        )
        self.unobserved = Counter(
            "callcenter_unobserved_seconds", "Time in which nobody listened to Asterisk.", registry=r
        )

    def _declare_machine(self) -> None:
        r = self.registry
        self.events = Counter("callcenter_events", "Events folded.", registry=r)
        self.batches = Counter("callcenter_batches", "Transactions of the pipeline.", registry=r)
        self.commit_failures = Counter(
            "callcenter_commit_failures", "Batches that the store did not take at once.", registry=r
        )
        self.latency = Histogram(
            "callcenter_event_to_push_seconds",
            "From an event's receipt to its push to the windows, commit included.",
            buckets=FAST_BOUNDS,
            registry=r,
        )
        self.lag = Histogram(
            "callcenter_loop_lag_seconds", "How late the event loop runs its timers.", buckets=FAST_BOUNDS, registry=r
        )
        self.limits = Counter("callcenter_limit_hits", "Times a limit was reached, by limit.", ["limit"], registry=r)
        self.commands = Counter(
            "callcenter_commands", "Commands sent to Asterisk, by kind and end.", ["kind", "state"], registry=r
        )
        self.hooks = Counter(
            "callcenter_hook_calls", "Calls of hooks by name and result.", ["hook", "result"], registry=r
        )
        self.live_lag = Histogram(
            "callcenter_live_lag_seconds",
            "From a piece of sound to its words, in live transcription.",
            buckets=FAST_BOUNDS,
            registry=r,
        )
        self.live_missed = Counter(
            "callcenter_live_missed_seconds", "Sound of running calls that could not be followed.", registry=r
        )
        self.live_refused = Counter(
            "callcenter_live_refused", "Calls that were not listened to, by reason.", ["reason"], registry=r
        )
        self.screens = Gauge("callcenter_open_screens", "Windows that are connected.", registry=r)
        self.build = Gauge("callcenter_build_info", "The running version.", ["version"], registry=r)

    def _declare_speech(self) -> None:
        r = self.registry
        self.heard_seconds = Counter(
            "callcenter_transcribed_audio_seconds", "Sound that was transcribed, both tracks.", registry=r
        )
        self.hearing_seconds = Counter(
            "callcenter_transcription_cpu_seconds",
            "Processor time that transcribing took; divided by the sound it is the real-time factor.",
            registry=r,
        )
        self.transcription_failures = Counter(
            "callcenter_transcription_failures", "Attempts that gave no transcript, by reason.", ["reason"], registry=r
        )
        self.phrases = Counter(
            "callcenter_phrases",
            "Phrases looked for in transcripts (A2, B1, B7, B8): said, not said, or left to a person.",
            ["queue", "phrase", "result"],
            registry=r,
        )

    # --- told by transcription -----------------------------------------------------------------------------------

    def transcribed(self, queue: str | None, heard: Any, findings: Sequence[Mapping[str, Any]]) -> None:
        """A transcript was stored. ``heard``: seconds of sound and of processor time."""
        self.heard_seconds.inc(heard.seconds)
        self.hearing_seconds.inc(heard.cpu_seconds)
        label = self.queue(queue)
        for finding in findings:
            result = "doubtful" if finding["band"] == "doubtful" else "said" if finding["found"] else "not_said"
            _child(self.phrases, label, finding["phrase"], result).inc()

    def not_transcribed(self, reason: str) -> None:
        """``reason``: model, recording, attempt or quarantined."""
        _child(self.transcription_failures, reason).inc()

    def queue(self, name: str | None) -> str:
        """The label of a queue: its name while there are few, "other" beyond, "none" without one."""
        if not name:
            return "none"
        if name not in self._queues:
            if len(self._queues) >= MAX_QUEUES:
                self.limit_hit("queue_labels")
                return "other"
            self._queues.add(name)
        return name

    # --- told by the pipeline ------------------------------------------------------------------------------------

    def batch(self, events: int, received_at: float, pushed_at: float) -> None:
        """``received_at``: when the first event of the batch came in."""
        self.batches.inc()
        if events:
            self.events.inc(events)
            self.latency.observe(pushed_at - received_at)

    def commit_failed(self) -> None:
        self.commit_failures.inc()

    def limit_hit(self, limit: str, times: int = 1) -> None:
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
        queue, outcome = self.queue(call.queue), (call.outcome or Outcome.UNKNOWN).value
        _child(self.calls, queue, call.direction.value, outcome).inc()
        if call.recovered:
            self.recovered.inc()
        for transfer in call.transfers:
            _child(self.transfers, transfer.kind.value).inc()
        if call.direction.value == "inbound":
            self._hotline_call_ended(call, queue, outcome)

    def _hotline_call_ended(self, call: Call, queue: str, outcome: str) -> None:
        if call.wait_seconds is not None:
            _child(self.wait, queue, outcome).observe(call.wait_seconds)
        _child(self.rings, queue, outcome).observe(call.rings_heard)
        for ring in call.rings:
            if ring.started_at is not None and ring.ended_at is not None and ring.result is not RingResult.RINGING:
                _child(self.ring, queue, ring.result.value).observe(max(0.0, ring.ended_at - ring.started_at))
        if call.talk_seconds is not None:
            _child(self.talk, queue).observe(call.talk_seconds)
            _child(self.ended_by, queue, call.ended_by.value if call.ended_by else "unknown").inc()
        for hold in call.holds:
            if hold.ended_at is not None:
                _child(self.hold, queue).observe(hold.ended_at - hold.started_at)
        for breach in call.breaches:
            _child(self.breaches, breach.rule, breach.reason, queue).inc()

    def gauges(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Figures that are read at the moment of the scrape rather than kept."""
        self.registry.register(_Live(read))


class _Live(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._read()


def gauge(name: str, text: str, labels: Sequence[str], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """One live gauge with its rows."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
