"""Hears what happens to calls and makes spans of it, where the site wants traces.

Place on the path of a call: told after each commit, and by performers, hooks, windows and transcription when they have
done their part. Promises: costs nothing where no collector is named; never waits. Never: decides anything.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from callcenter.calls.model import Call
from callcenter.traces.spans import Known, Span, following, newly_ringing, of_call, reported, sampled, trace_id


class Tracer:
    """``add``: takes spans (``exporter.Exporter.add``), ``None`` where nothing is traced. ``now``: epoch seconds by
    Asterisk's clock."""

    def __init__(
        self, add: Callable[[Iterable[Span]], None] | None, server: str, known: Known, now: Callable[[], float]
    ) -> None:
        self.on = add is not None
        self._take = add
        self._server, self._known, self._now = server, known, now

    def _add(self, spans: Iterable[Span]) -> None:
        if self._take is not None:
            self._take(spans)

    def changed(self, changes: Iterable[tuple[Call | None, Call, bool]]) -> None:
        """Committed changes: before, after, whether the call has its ticket. Windows have just been told."""
        now = self._now()
        spans: list[Span] = []
        for before, after, ticketed in changes:
            if before is None and ticketed and after.arrived_at is not None:
                spans.append(reported(after, "ticket opened", after.arrived_at, now))
            for number, ring in newly_ringing(before, after):
                if ring.started_at is not None and after.running:
                    seat = self._known.seat_name(ring.seat)
                    spans.append(reported(after, "pop told", ring.started_at, now, str(number), seat=seat))
        self._add(spans)

    def ended(self, call: Call) -> None:
        """A call has ended and as much is known of it as will be."""
        if self.on:
            self._add(of_call(call, self._known))

    def command(self, call: Call | None, kind: str, result: str, took_seconds: float, which: str) -> None:
        """A command to Asterisk was carried out, or was not. ``which``: its id."""
        if call is not None:
            now = self._now()
            self._add([reported(call, "command", now - took_seconds, now, which, kind=kind, result=result)])

    def hook(self, call: Call | None, name: str, took_seconds: float) -> None:
        """The dialplan asked about a running call."""
        if call is not None:
            now = self._now()
            self._add([reported(call, "hook", now - took_seconds, now, f"{name} {now:.6f}", hook=name)])

    def wrapped_up(self, call: Call) -> None:
        """The seat closed the ticket, or left it open."""
        if call.ended_at is not None:
            self._add([reported(call, "wrap-up", call.ended_at, self._now())])

    def recording(self, call: Call, state: str) -> None:
        """The recording of an ended call was registered, or is missing; what is missing may yet be found."""
        if call.ended_at is not None:
            which = "" if state == "found" else state
            self._add([reported(call, "recording", call.ended_at, self._now(), which, state=state)])

    def transcribed(self, call_id: str, took_seconds: float, findings: Sequence[Mapping[str, object]]) -> None:
        """A transcript was made and judged, perhaps long after the call and by a later run."""
        now = self._now()
        doubtful = sum(finding.get("band") == "doubtful" for finding in findings)
        begin, found = now - took_seconds, len(findings)
        self._add(
            [
                following(self._server, call_id, "transcript", begin, now),
                following(self._server, call_id, "judged", now, now, findings=found, doubtful=doubtful),
            ]
        )

    def webhook(self, call_id: str, webhook: str, took_seconds: float, result: str) -> None:
        """One of the site's systems was told of an ended call, or did not take it."""
        now = self._now()
        begin, which = now - took_seconds, f"{webhook} {now:.6f}"
        told = following(self._server, call_id, "webhook", begin, now, which, webhook=webhook, result=result)
        self._add([told])


def trace_of(server: str, share: float) -> Callable[[str], str | None]:
    """The trace of a call as logs name it; ``None`` of one that is not kept."""

    def named(call_id: str) -> str | None:
        trace = trace_id(server, call_id)
        return f"{trace:032x}" if sampled(trace, share) else None

    return named
