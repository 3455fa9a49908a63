"""/metrics for Prometheus: open to this machine, or to whoever has the token; on the web's port, or on one of its own.

Promises: a scrape from elsewhere without the token learns nothing but where the token is set; the figures of the moment
are read in the event loop, and the text, which may be megabytes, is written in a thread, so that no pop waits for it;
OpenMetrics with its exemplars for whoever asks for that format; a refused scrape is a line of log a minute, with its
cause. Never: reads the store; logs who asked or with what.
"""

import asyncio
import gzip
import logging
from dataclasses import dataclass
from hmac import compare_digest

from aiohttp import web
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from callcenter.metrics.figures import Figures
from callcenter.settings import SettingsError, Web, read_secret
from callcenter.web.access import ANYONE, Route
from callcenter.web.doors import COMPLAIN_EVERY_SECONDS, at_work
from callcenter.web.headers import add_headers
from callcenter.web.near import from_this_machine
from callcenter.web.scrape_words import HERE_ONLY, TOKEN, UNREADABLE
from callcenter.web.words import load

log = logging.getLogger(__name__)

PATH = "/metrics"


@dataclass(frozen=True, slots=True)
class Refusal:
    """``why``: for the log."""

    status: int
    sentence: str
    why: str


def metrics_route(figures: Figures, settings: Web) -> Route:
    """GET /metrics among the web's routes."""
    return Route("GET", PATH, _Endpoint(figures, settings, settings.host).answer, ANYONE)


def metrics_app(figures: Figures, settings: Web, host: str = "127.0.0.1") -> web.Application:
    """/metrics alone, for a port of its own on ``host``."""
    app = web.Application(middlewares=[at_work])
    app.router.add_get(PATH, _Endpoint(figures, settings, host).answer)
    app.on_response_prepare.append(add_headers)
    return app


class _Endpoint:
    """``host``: the name of this door in the settings."""

    def __init__(self, figures: Figures, settings: Web, host: str) -> None:
        self._figures, self._settings, self._host = figures, settings, host
        self._words = load("zh")
        self._complained_at: float | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return self._refused(refusal)
        compressed = "gzip" in request.headers.get("Accept-Encoding", "")
        accept = request.headers.get("Accept", "")
        body, content_type = await asyncio.to_thread(_text, self._figures.frozen(), accept, compressed)
        response = web.Response(body=body)
        response.headers["Content-Type"] = content_type
        if compressed:
            response.headers["Content-Encoding"] = "gzip"
        return response

    def _refusal(self, request: web.Request) -> Refusal | None:
        file = self._settings.metrics_token_file
        if file is None:
            # A proxy on this machine would make everybody local: it must not pass /metrics on without a token.
            why = "no web.metrics_token_file is set, and it came from elsewhere, through a proxy or under another name"
            return None if from_this_machine(request, (self._host,)) else Refusal(403, HERE_ONLY, why)
        try:
            token = read_secret(file, "web.metrics_token_file")
        except SettingsError as error:
            return Refusal(503, UNREADABLE, str(error))
        kind, _, sent = request.headers.get("Authorization", "").partition(" ")
        if not sent or kind.lower() != "bearer":
            return Refusal(401, TOKEN, "it had no token (web.metrics_token_file)")
        right = compare_digest(sent.strip().encode("utf-8", "replace"), token.encode())
        return None if right else Refusal(401, TOKEN, "its token is not the one of web.metrics_token_file")

    def _refused(self, refusal: Refusal) -> web.Response:
        now = asyncio.get_running_loop().time()
        if self._complained_at is None or now - self._complained_at >= COMPLAIN_EVERY_SECONDS:
            self._complained_at = now
            log.warning("a scrape of /metrics was refused: %s", refusal.why)
        response = web.Response(
            status=refusal.status, text=f"{self._words.gettext(refusal.sentence)}\n{refusal.sentence}\n"
        )
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="callcenter figures"'
        return response


def _text(figures: Collector, accept: str, compressed: bool) -> tuple[bytes, str]:
    encode, content_type = choose_encoder(accept)
    text = encode(figures)
    return (gzip.compress(text, compresslevel=1, mtime=0) if compressed else text), content_type
