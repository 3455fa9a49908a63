"""Where webhooks meet store, figures and traces: wires ``effects/webhooks`` for the daemon; ``callcenter webhook``.

Beside the path of a call. Never: tells a call itself.
"""

import secrets
from collections.abc import Callable, Iterable

import aiohttp
from prometheus_client.core import Metric

from callcenter.calls.model import Call
from callcenter.effects.webhooks import OUTCOMES, Told, Webhooks, ages, post, trial_body
from callcenter.errors import BadInput
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


async def try_out(settings: Settings, wanted: str | None, now: float) -> tuple[bool, list[str]]:
    """Sends a signed test message to the system of this name, or to all: whether each took it, and a line for each.
    Raises ``BadInput`` where there is none."""
    chosen = {name: one for name, one in settings.webhooks.items() if wanted in (None, name)}
    if not chosen:
        there = ", ".join(settings.webhooks)
        raise BadInput(
            f"There is no [webhooks.{wanted}] in the configuration; there is {there}."
            if there and wanted
            else "The configuration names no [webhooks.NAME], so there is nobody to tell; see docs/webhooks.md."
        )
    well, lines = True, []
    async with aiohttp.ClientSession() as session:
        for name, webhook in chosen.items():
            body = trial_body(settings.asterisk.name, name, now)
            error = await post(session, name, webhook, f"msg_{secrets.token_hex(16)}", body)
            well = well and not error
            lines.append(_told(name, error))
    return well, lines


def _told(name: str, error: str) -> str:
    if not error:
        return f"webhooks.{name}: took the test message."
    if error.startswith("webhooks."):
        return error  # of its secret
    return f"webhooks.{name}: {error}; look at its url, at whether both sides have the same secret, and at its own log."
