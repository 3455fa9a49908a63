"""The figures brought to a Pushgateway, for a site that Prometheus cannot reach through its firewall.

Beside the path of a call. Promises: a push that fails, or hangs until its time is over, is counted, told once, and
tried again at the next turn; nothing of the daemon waits for it. Never: holds the event loop; pushes an address or a
token into a log.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError

from prometheus_client import push_to_gateway
from prometheus_client.core import Metric
from prometheus_client.exposition import default_handler

from callcenter.metrics.figures import Figures, gauge
from callcenter.settings import Metrics, SettingsError, read_secret

log = logging.getLogger(__name__)

JOB = "callcenter"


class Pusher:
    """Pushes all figures under the job "callcenter" and the server's name as instance. Run ``run`` in a task."""

    def __init__(self, figures: Figures, settings: Metrics, instance: str) -> None:
        self._figures = figures
        self._settings = settings
        self._instance = instance
        self.failing = False
        """Whether the last push failed."""
        for result in ("done", "failed"):
            figures.pushes.labels(result)
        figures.gauges(self._interval)

    def _interval(self) -> Iterable[Metric]:
        """By which an alert knows that this daemon is late: the gateway keeps its last figures for ever."""
        text = "How often these figures are pushed to the Pushgateway."
        yield gauge("callcenter_push_every_seconds", text, [], [((), self._settings.push_every_seconds)])

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.push()
            await asyncio.sleep(self._settings.push_every_seconds)

    async def push(self) -> None:
        """One attempt; how it ended is counted."""
        try:
            await asyncio.to_thread(self._send, self._figures.frozen())
        except (OSError, ValueError, HTTPException, SettingsError) as error:
            self._ended("failed", _sentence(error))
        else:
            self._ended("done", "")

    def _send(self, figures: Any) -> None:
        push_to_gateway(
            self._settings.push_url,
            job=JOB,
            registry=figures,
            grouping_key={"instance": self._instance},
            timeout=self._settings.push_timeout_seconds,
            handler=self._with_token,
        )

    def _with_token(
        self, url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> Callable[[], None]:
        if self._settings.push_token_file is not None:
            token = read_secret(self._settings.push_token_file, "metrics.push_token_file")
            headers = [*headers, ("Authorization", f"Bearer {token}")]
        send: Callable[[], None] = default_handler(url, method, timeout, headers, data)
        return send

    def _ended(self, result: str, reason: str) -> None:
        self._figures.pushes.labels(result).inc()
        if (result == "failed") != self.failing:
            self.failing = result == "failed"
            if self.failing:
                log.warning("the Pushgateway takes no figures; it is tried again. %s", reason)
            else:
                log.info("the Pushgateway takes figures again")


def _sentence(error: Exception) -> str:
    """Cause, key and remedy; no address, for one may be in the text of the error."""
    if isinstance(error, SettingsError):
        return str(error)
    if isinstance(error, HTTPError):
        if error.code in (401, 403):
            return f"metrics.push_token_file: the token was refused ({error.code}); write the gateway's into that file."
        return f"metrics.push_url: it answered {error.code}; name the address of a Pushgateway, and look at its log."
    inner = error.reason if isinstance(error, URLError) else error
    why = (inner.strerror if isinstance(inner, OSError) else None) or type(inner).__name__
    return f"metrics.push_url: no connection, or none in time ({why}); see whether the gateway runs and lets us in."
