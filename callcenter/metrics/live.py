"""Figures of the daemon's own health that are read at the scrape, and the watch on the event loop.

Never: a label whose values come from outside.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from prometheus_client.core import CounterMetricFamily, Metric

from callcenter.metrics.figures import Figures, gauge
from callcenter.metrics.known import LINK

if TYPE_CHECKING:
    from callcenter.app import Daemon

WATCH_SECONDS = 0.25
_LINK_STATES = ("connecting", "refused", "up", "lost")


def live_metrics(daemon: "Daemon") -> Iterable[Metric]:
    """The link, the backlog, the open windows."""
    status, counts = daemon.link.status, daemon.link.counts
    daemon.figures.screens.set(daemon.hub.listening)
    daemon.figures.wallboards.set(daemon.hub.wallboards)
    states = [((state,), float(state == status.state)) for state in _LINK_STATES]
    yield gauge("callcenter_link_state", "The link to Asterisk: 1 for the state it is in.", ["state"], states)
    pong = [((), daemon.clock.wall() - status.last_pong_at)] if status.last_pong_at is not None else []
    yield gauge("callcenter_link_silence_seconds", "Since Asterisk last answered a ping.", [], pong)
    yield gauge(
        "callcenter_intake_events", "Events that wait to be folded.", [], [((), float(daemon.pipeline.backlog))]
    )
    late = daemon.clock.monotonic() - daemon.pipeline.committed_at
    yield gauge("callcenter_store_silence_seconds", "Since the store last took something.", [], [((), late)])
    parts = [((part.name.replace(" ", "_"),), float(part.ready)) for part in daemon.parts.parts()]
    yield gauge("callcenter_ready", "Whether a part of the daemon is ready, as /readyz says.", ["part"], parts)
    tickets = [(key, float(count)) for key, count in sorted(daemon.ticket_counts.items())]
    text = "Open tickets, and those with a promise overdue (C2), by level (D1)."
    yield gauge("callcenter_tickets", text, ["state", "level"], tickets)
    yield from _site(daemon)
    jobs = [((state,), float(count)) for state, count in sorted(daemon.recordings.states.items())]
    yield gauge("callcenter_transcription_jobs", "Recordings to be transcribed, by state.", ["state"], jobs)
    if heard := [((of,), float(up)) for of, up in daemon.parts.transcribing().items()]:
        text = "Whether what is to be heard is heard: of recordings, and live of running calls."
        yield gauge("callcenter_transcription_up", text, ["of"], heard)
    backlog = [((), daemon.recordings.backlog_seconds)]
    yield gauge("callcenter_transcription_backlog_seconds", "Sound that waits to be transcribed.", [], backlog)
    if daemon.storing.archive is not None:
        waiting, reached = float(daemon.storing.waiting), float(daemon.storing.state == "working")
        yield gauge("callcenter_recordings_to_store", "Recordings without a copy in the store.", [], [((), waiting)])
        yield gauge("callcenter_recordings_store_up", "Whether the store of recordings answers.", [], [((), reached)])
    yield gauge("callcenter_live_calls", "Calls that are listened to now.", [], [((), float(daemon.live.running))])
    starts = float(daemon.live.worker.starts) if daemon.live.worker is not None else 0.0
    yield CounterMetricFamily("callcenter_live_starts", "Starts of the process that listens.", value=starts)
    family = CounterMetricFamily("callcenter_link", "What happened on the link, by kind.", labels=["kind"])
    for kind in LINK:
        family.add_metric([kind], float(counts[kind]))
    yield family


def _site(daemon: "Daemon") -> Iterable[Metric]:
    """What screens need to know of the settings, so that they name the contract's own formula and thresholds."""
    settings = daemon.settings
    variant = [((settings.service_level.variant,), 1.0)]
    level = settings.service_level
    if (end := daemon.days.end(ZoneInfo(settings.site.timezone))) is not None:
        text = "When the calendar of holidays and workdays ends (D1)."
        yield gauge("callcenter_calendar_end_timestamp_seconds", text, [], [((), end)])
    limits = [
        (("service_level",), level.target_percent / 100),
        (("three_rings",), level.three_rings_target_percent / 100),
        (("abandoned",), level.abandoned_limit_percent / 100),
        (("satisfaction",), settings.survey.target_percent / 100),
    ]
    yield gauge("callcenter_alert_limit_ratio", "What the site's alerts compare an hour's calls with.", ["of"], limits)
    yield gauge("callcenter_service_level_info", "How the contract counts the service level.", ["variant"], variant)
    of = [
        ((label, service_class), daemon.figures.targets.of(label).seconds)
        for label, service_class in sorted(daemon.figures.queues().items())
    ]
    text = "The threshold of a queue's service level (A1: 15 s are three rings)."
    yield gauge("callcenter_service_level_threshold_seconds", text, ["queue", "service_class"], of)


async def watch_loop(figures: Figures) -> None:
    """Measures how late the event loop runs its timers; until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + WATCH_SECONDS
        await asyncio.sleep(WATCH_SECONDS)
        figures.lag.observe(max(0.0, loop.time() - due))
