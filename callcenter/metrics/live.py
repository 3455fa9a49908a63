"""Figures of the daemon's own health that are read at the scrape, and the watch on the event loop.

Never: a label whose values come from outside.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, Metric

from callcenter.metrics.figures import Figures, gauge

if TYPE_CHECKING:
    from callcenter.app import Daemon

WATCH_SECONDS = 0.25
_LINK_STATES = ("connecting", "refused", "up", "lost")


def live_metrics(daemon: "Daemon") -> Iterable[Metric]:
    """The link, the backlog, the open windows."""
    status, counts = daemon.link.status, daemon.link.counts
    daemon.figures.screens.set(daemon.hub.listening)
    states = [((state,), float(state == status.state)) for state in _LINK_STATES]
    yield gauge("callcenter_link_state", "The link to Asterisk: 1 for the state it is in.", ["state"], states)
    pong = [((), daemon.clock.wall() - status.last_pong_at)] if status.last_pong_at is not None else []
    yield gauge("callcenter_link_silence_seconds", "Since Asterisk last answered a ping.", [], pong)
    yield gauge(
        "callcenter_intake_events", "Events that wait to be folded.", [], [((), float(daemon.pipeline.backlog))]
    )
    jobs = [((state,), float(count)) for state, count in sorted(daemon.recordings.states.items())]
    yield gauge("callcenter_transcription_jobs", "Recordings to be transcribed, by state.", ["state"], jobs)
    backlog = [((), daemon.recordings.backlog_seconds)]
    yield gauge("callcenter_transcription_backlog_seconds", "Sound that waits to be transcribed.", [], backlog)
    yield gauge("callcenter_live_calls", "Calls that are listened to now.", [], [((), float(daemon.live.running))])
    starts = float(daemon.live.worker.starts) if daemon.live.worker is not None else 0.0
    yield CounterMetricFamily("callcenter_live_starts", "Starts of the process that listens.", value=starts)
    family = CounterMetricFamily("callcenter_link", "What happened on the link, by kind.", labels=["kind"])
    for kind, value in sorted(counts.items()):
        family.add_metric([kind], float(value))
    yield family


async def watch_loop(figures: Figures) -> None:
    """Measures how late the event loop runs its timers; until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + WATCH_SECONDS
        await asyncio.sleep(WATCH_SECONDS)
        figures.lag.observe(max(0.0, loop.time() - due))
