"""Every metric, declared once: names by the Prometheus conventions, help texts with the ids of the service standard.

Beside the path of a call: ``figures`` counts in these.
Promises: counters count outcomes, ratios are left to PromQL; histogram bounds contain the exact thresholds of the
standard (three rings of cadence cn end at 15 s; 11 s is where the third tone ends) and those of the site's settings.
Never: a number, a name, a call id or a seat as a label.
"""

from collections.abc import Iterable, Mapping
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from callcenter.calls.books import Book, Kind
from callcenter.metrics import known
from callcenter.metrics.callbacks import CallbackFigures
from callcenter.metrics.seat_groups import GroupFigures
from callcenter.metrics.service_levels import Targets
from callcenter.metrics.survey import COUNTER as SURVEY_COUNTER
from callcenter.tickets.clocks import LEVELS, Name

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second sample for each counter, which Prometheus does not use

WAIT_BOUNDS = (2, 5, 10, 11, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
RING_BOUNDS = (2, 5, 6, 10, 11, 15, 20, 30, 60)
TALK_BOUNDS = (10, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)
WRAPUP_BOUNDS = (5, 10, 20, 30, 60, 120, 300, 600, 1800)
HOLD_BOUNDS = (5, 8, 10, 30, 45, 60, 120, 300)
RINGS_BOUNDS = (0, 1, 2, 3, 4, 5, 6, 8, 12)
FAST_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Declared:
    """All metrics that are kept, in one registry; what is read at the scrape is in ``live`` and ``desk``."""

    def __init__(self, targets: Targets, groups: Mapping[str, Iterable[str]]) -> None:
        self.targets = targets
        self.kept = CollectorRegistry()
        ProcessCollector(registry=self.kept)
        PlatformCollector(registry=self.kept)
        self._declare_calls()
        self._declare_times()
        self._declare_survey()
        self._declare_clocks()
        self._declare_books()
        self._declare_machine()
        self._declare_speech()
        self.callbacks = CallbackFigures(self.kept)
        self.groups = GroupFigures(self.kept, groups)
        self._at_zero()

    def _at_zero(self) -> None:
        """Every series without a queue whose labels are known: its first count is a step, not a beginning."""
        closed: tuple[tuple[Counter, tuple[tuple[str, ...], ...]], ...] = (
            (self.transfers, (known.TRANSFERS,)),
            (self.limits, (known.LIMITS,)),
            (self.commands, (known.COMMANDS, known.COMMAND_ENDS)),
            (self.hooks, (known.HOOKS, known.HOOK_ENDS)),
            (self.live_refused, (known.LIVE_REFUSALS,)),
            (self.transcription_failures, (known.NOT_TRANSCRIBED, known.BECAME)),
            (self.recordings_store_failures, (known.NOT_STORED,)),
        )
        for counter, values in closed:
            for labels in product(*values):
                counter.labels(*labels)

    def _declare_calls(self) -> None:
        r = self.kept
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
        self.levels = Counter(
            "callcenter_service_level_calls",
            "Ended hotline calls by outcome and by how long they waited: short, in_time, late (beyond the queue's "
            "threshold) or unknown; every variant of the service level is made of these.",
            ["queue", "service_class", "outcome", "waited"],
            registry=r,
        )
        self.three_rings = Counter(
            "callcenter_three_rings_calls",
            "Ended hotline calls by outcome and by whether three rings were kept (A1).",
            ["queue", "service_class", "outcome", "kept"],
            registry=r,
        )
        self.transfers = Counter("callcenter_transfers", "Transfers by kind (B4).", ["kind"], registry=r)
        self.recovered = Counter(
            "callcenter_recovered_calls",
            "Ended calls that Asterisk's call records told of, in whole or in part (C1).",
            registry=r,
        )
        self.unobserved = Counter(
            "callcenter_unobserved_seconds", "Time in which nobody listened to Asterisk.", registry=r
        )

    def _declare_times(self) -> None:
        r = self.kept
        self.wait = Histogram(
            "callcenter_wait_seconds",
            "Arrival to the lifting of the phone, or to the end of waiting, of hotline calls (A1).",
            ["queue", "service_class", "outcome"],
            buckets=sorted({*WAIT_BOUNDS, *self.targets.bounds} - {0}),
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
        self.wrapup = Histogram(
            "callcenter_wrapup_seconds",
            "From the end of a call until its seat closed the ticket or left it open (A4: 60 s).",
            ["queue"],
            buckets=WRAPUP_BOUNDS,
            registry=r,
        )

    def _declare_survey(self) -> None:
        self.survey = Counter(
            SURVEY_COUNTER.removesuffix("_total"),
            "Answers of callers to the question after the call (D8): 5 is very good, 1 very poor; other: a key beyond "
            "the scale, which is no answer.",
            ["queue", "answer"],
            registry=self.kept,
        )

    def _declare_clocks(self) -> None:
        self.clocks = Counter(
            "callcenter_ticket_clocks",
            "Clocks of tickets that stopped, by whether they were kept (D1 to D4).",
            ["level", "clock", "kept"],
            registry=self.kept,
        )
        for level in LEVELS:
            for name in Name:
                for kept in ("yes", "no"):
                    self.clocks.labels(level, name.value, kept)

    def _declare_books(self) -> None:
        r = self.kept
        self.book_differences = Counter(
            "callcenter_books_differences",
            "Facts of calls of which Asterisk's call records or queue_log say something else (C1); explained: its "
            "cause is known.",
            ["kind", "book", "explained"],
            registry=r,
        )
        self.book_calls = Counter("callcenter_books_calls", "Comparisons of a call with Asterisk's books.", registry=r)
        self.book_run = Gauge(
            "callcenter_books_last_run_timestamp_seconds",
            "When calls were last compared with Asterisk's books: continuous or nightly.",
            ["run"],
            registry=r,
        )
        for kind in Kind:
            for book in Book:
                for explained in ("yes", "no"):
                    self.book_differences.labels(kind.value, book.value, explained)

    def _declare_machine(self) -> None:
        r = self.kept
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
        self.wallboard_lag = Histogram(
            "callcenter_wallboard_lag_seconds",
            "From a committed change to its push to the last of the open wallboards.",
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
            "From the coming in of sound to its words, in live transcription; what waited for its turn counts.",
            buckets=FAST_BOUNDS,
            registry=r,
        )
        self.live_missed = Counter(
            "callcenter_live_missed_seconds", "Sound of running calls that could not be followed.", registry=r
        )
        self.live_refused = Counter(
            "callcenter_live_refused", "Calls that were not listened to, by reason.", ["reason"], registry=r
        )
        self.webhooks = Counter(
            "callcenter_webhook_deliveries",
            "Attempts to tell a system of the site's own of a call, by how they ended.",
            ["webhook", "outcome"],
            registry=r,
        )
        self.pushes = Counter(
            "callcenter_pushes", "Pushes of these figures to the Pushgateway, by result.", ["result"], registry=r
        )
        self.spans = Counter(
            "callcenter_trace_spans",
            "Spans of calls, by whether the collector took them or they were lost.",
            ["result"],
            registry=r,
        )
        self.screens = Gauge("callcenter_open_screens", "Windows that are connected.", registry=r)
        self.wallboards = Gauge("callcenter_open_wallboards", "Wallboards that are connected.", registry=r)
        self.build = Gauge("callcenter_build_info", "The running version.", ["version"], registry=r)

    def _declare_speech(self) -> None:
        r = self.kept
        self.heard_seconds = Counter(
            "callcenter_transcribed_audio_seconds", "Sound that was transcribed, both tracks.", registry=r
        )
        self.hearing_seconds = Counter(
            "callcenter_transcription_cpu_seconds",
            "Processor time that transcribing took; divided by the sound it is the real-time factor.",
            registry=r,
        )
        self.transcription_failures = Counter(
            "callcenter_transcription_failures",
            "Attempts that gave no transcript, by reason and by what the recording is now (waiting, failed, ...).",
            ["reason", "became"],
            registry=r,
        )
        self.recordings_stored = Counter(
            "callcenter_recordings_stored", "Recordings that were copied to the store, and verified there.", registry=r
        )
        self.recordings_store_failures = Counter(
            "callcenter_recordings_store_failures",
            "Attempts to copy a recording, or to let its local file go, that failed, by reason.",
            ["reason"],
            registry=r,
        )
        self.phrases = Counter(
            "callcenter_phrases",
            "Phrases looked for in transcripts (A2, B1, B7, B8): said, not said, or left to a person.",
            ["queue", "phrase", "result"],
            registry=r,
        )
