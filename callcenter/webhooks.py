"""Where webhooks meet store, figures and traces: wires ``effects/webhooks`` for the daemon.

Beside the path of a call. Never: sends anything itself.
"""

from collections.abc import Callable, Iterable

from prometheus_client.core import Metric

from callcenter.calls.model import Call
from callcenter.effects.webhooks import OUTCOMES, Told, Webhooks, ages
from callcenter.metrics.figures import Figures, gauge
from callcenter.settings import Settings
from callcenter.store.store import Store
from callcenter.traces.tracer import Tracer

AGE = "callcenter_webhook_oldest_pending_seconds"
COUNT = "callcenter_webhook_pending"


def told_by(store: Store, server: str) -> Told:
    """What there is to tell of a call. One that became part of another after its end is told with that one."""

    async def told(call_id: str) -> tuple[Call, str] | None:
        call = await store.calls.get(server, call_id)
        if call is None or call.merged_into is not None:
            return None
        ticket = await store.tickets.by_call(server, call_id)
        return call, ticket.number if ticket is not None else ""

    return told


def webhooks_of(
    settings: Settings, store: Store, server: str, now: Callable[[], float], figures: Figures, tracer: Tracer
) -> Webhooks | None:
    """``None`` where no system is to be told. ``now``: epoch seconds."""
    if not settings.webhooks:
        return None

    def count(webhook: str, outcome: str) -> None:
        figures.webhooks.labels(webhook, outcome).inc()

    for name in settings.webhooks:
        for outcome in OUTCOMES:
            figures.webhooks.labels(name, outcome)
    found = Webhooks(store.webhooks, told_by(store, server), server, settings.webhooks, now, count, tracer.webhook)

    def gauges() -> Iterable[Metric]:
        waiting = [((name,), float(one.count)) for name, one in found.pending.items()]
        yield gauge(COUNT, "Messages that wait to be taken by a system of the site's own.", ["webhook"], waiting)
        oldest = ages(found.pending, now())
        yield gauge(AGE, "How long the oldest of them waits; 0: none does.", ["webhook"], oldest)

    figures.gauges(gauges)
    return found
