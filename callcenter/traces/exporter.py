"""Brings spans to a collector by OTLP over HTTP, off the path of every call. Needs the extra ``traces``.

Beside the path of a call. Promises: ``add`` only puts into a bounded queue; a collector that is away, hangs or refuses
holds up nothing and is one line of log a minute; what could not be kept or brought is counted as lost; after a loss of
the collector what is no older than ``KEEP_SECONDS`` is still brought.
Never: logs an address or a header.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from callcenter import __version__
from callcenter.clock import Clock
from callcenter.errors import BadInput, extra_remedy
from callcenter.settings import SettingsError, Traces, read_secret
from callcenter.traces.spans import Span, sampled

log = logging.getLogger(__name__)

EXTRA = "traces"
BATCH = 512
EVERY_SECONDS = 1.0
AGAIN_SECONDS = 3.0
KEEP_SECONDS = 600.0
COMPLAIN_EVERY_SECONDS = 60.0
LAST_SECONDS = 2.0
"""How long the daemon's end waits for what is still to be brought."""
LOOK = "see whether the collector runs there and takes the headers of traces.headers_file"


class Exporter:
    """``count(result, spans)``: how many were ``sent`` or ``lost``. Run ``run`` in a task."""

    def __init__(self, settings: Traces, server: str, count: Callable[[str, int], None], clock: Clock) -> None:
        self._settings, self._server, self._count, self._clock = settings, server, count, clock
        self._waiting: deque[tuple[float, Span]] = deque()
        self._sdk = Sdk(settings, server)
        self._complained_at: float | None = None
        self.failing = False
        """Whether the last batch was not taken."""
        self.sent = self.lost = 0

    def add(self, spans: Iterable[Span]) -> None:
        """Of the traces that are kept; beyond the limit the oldest make room and are lost."""
        now = self._clock.monotonic()
        self._waiting.extend((now, span) for span in spans if sampled(span.trace_id, self._settings.sample_share))
        over = len(self._waiting) - self._settings.max_waiting_spans
        for _ in range(over):
            self._waiting.popleft()
        self._lost(over)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self._waiting:
                await self.bring()
            await asyncio.sleep(AGAIN_SECONDS if self.failing else 0 if len(self._waiting) >= BATCH else EVERY_SECONDS)

    async def bring(self) -> None:
        """One batch; it stays in the queue until it was taken."""
        batch = [span for _, span in islice(self._waiting, BATCH)]
        reason = await asyncio.to_thread(self._sdk.send, batch)
        self.failing = bool(reason)
        if reason:
            self._complain(reason)
            self._forget_old()
            return
        # What was added meanwhile may have pushed some of the batch out: those were counted already.
        brought, taken = set(map(id, batch)), 0
        while self._waiting and id(self._waiting[0][1]) in brought:
            self._waiting.popleft()
            taken += 1
        self.sent += taken
        self._count("sent", taken)

    async def close(self) -> None:
        """What waits is brought if that takes no time."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                while self._waiting and not self.failing:
                    await self.bring()
        except TimeoutError:
            pass
        self._lost(len(self._waiting))
        self._waiting.clear()

    def _forget_old(self) -> None:
        before, old = self._clock.monotonic() - KEEP_SECONDS, 0
        while self._waiting and self._waiting[0][0] < before:
            self._waiting.popleft()
            old += 1
        self._lost(old)

    def _lost(self, spans: int) -> None:
        if spans > 0:
            self.lost += spans
            self._count("lost", spans)

    def _complain(self, reason: str) -> None:
        now = self._clock.monotonic()
        if self._complained_at is None or now - self._complained_at >= COMPLAIN_EVERY_SECONDS:
            self._complained_at = now
            log.warning("the collector takes no traces; it is tried again. %s", reason)


def exporter_of(settings: Traces, server: str, count: Callable[[str, int], None], clock: Clock) -> Exporter | None:
    """``None`` where the site names no collector. Raises ``BadInput`` where the extra is not installed."""
    if not settings.endpoint:
        return None
    for result in ("sent", "lost"):
        count(result, 0)  # Prometheus would not see the first step otherwise
    return Exporter(settings, server, count, clock)


class Sdk:
    """OpenTelemetry's own encoder and sender, given our ids and our instants."""

    def __init__(self, settings: Traces, server: str) -> None:
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        except ImportError:
            how = f"{extra_remedy(EXTRA)}, or take traces.endpoint out"
            raise BadInput(f"traces.endpoint: needs the extra '{EXTRA}', which is not installed. {how}.") from None
        # It writes addresses and what the collector answers; we say the same in one line a minute.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)
        self._settings = settings
        self._scope = InstrumentationScope("callcenter", __version__)
        self._resource = Resource(
            {"service.name": "callcenter", "service.version": __version__, "service.instance.id": server}
        )
        self._headers: dict[str, str] | None = None
        self._exporter: Any = None

    def send(self, spans: Sequence[Span]) -> str:
        """In a thread. Why they were not taken; empty if they were."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        try:
            exporter = self._exporter_now()
            result = exporter.export([self._readable(span) for span in spans])
        except SettingsError as error:
            return str(error)
        except Exception as error:
            return f"traces.endpoint: sending failed ({type(error).__name__}); {LOOK}."
        return "" if result is SpanExportResult.SUCCESS else f"traces.endpoint: not reachable, or it refused; {LOOK}."

    def _exporter_now(self) -> Any:
        """The exporter with the headers as their file says now."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        headers = read_headers(self._settings.headers_file)
        if self._exporter is None or headers != self._headers:
            self._headers = headers
            self._exporter = OTLPSpanExporter(
                endpoint=self._settings.endpoint, headers=headers, timeout=self._settings.timeout_seconds
            )
        return self._exporter

    def _readable(self, span: Span) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags

        def context(identity: int) -> SpanContext:
            return SpanContext(span.trace_id, identity, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

        parent = context(span.parent) if span.parent is not None else None
        return ReadableSpan(
            name=span.name,
            context=context(span.span_id),
            parent=parent,
            resource=self._resource,
            attributes=dict(span.attributes),
            links=[Link(parent)] if parent is not None and span.follows else [],
            kind=SpanKind.SERVER if parent is None else SpanKind.INTERNAL,
            instrumentation_scope=self._scope,
            start_time=int(span.started_at * 1e9),
            end_time=int(span.ended_at * 1e9),
        )


def read_headers(file: Path | None) -> dict[str, str]:
    """``Name: value`` on each line of a secret file. Raises ``SettingsError`` without showing one."""
    if file is None:
        return {}
    headers: dict[str, str] = {}
    for line in read_secret(file, "traces.headers_file").splitlines():
        name, colon, value = line.partition(":")
        if not colon or not name.strip().isascii() or not value.strip().isprintable():
            raise SettingsError(
                ["traces.headers_file: write a header on each line, such as 'Authorization: Bearer ...'."]
            )
        headers[name.strip().lower()] = value.strip()
    return headers
