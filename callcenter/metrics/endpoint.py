"""/metrics for Prometheus: open to this machine, or to whoever has the token; on the web's port, or on one of its own.

Promises: a scrape from elsewhere without the token learns nothing; the figures of the moment are read in the event
loop, and the text, which may be megabytes, is written in a thread, so that no pop waits for it; OpenMetrics with its
exemplars for whoever asks for that format. Never: reads the store.
"""

import asyncio
import gzip
from hmac import compare_digest
from ipaddress import ip_address

from aiohttp import web
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from callcenter.metrics.figures import Figures
from callcenter.settings import SettingsError, Web, read_secret
from callcenter.web.access import ANYONE, Handler, Route

PATH = "/metrics"


def metrics_route(figures: Figures, settings: Web) -> Route:
    """GET /metrics among the web's routes."""
    return Route("GET", PATH, _handler(figures, settings), ANYONE)


def metrics_app(figures: Figures, settings: Web) -> web.Application:
    """/metrics alone, for a port of its own."""
    app = web.Application()
    app.router.add_get(PATH, _handler(figures, settings))
    return app


def _handler(figures: Figures, settings: Web) -> Handler:
    async def metrics(request: web.Request) -> web.StreamResponse:
        if not _allowed(request, settings):
            raise web.HTTPForbidden
        compressed = "gzip" in request.headers.get("Accept-Encoding", "")
        accept = request.headers.get("Accept", "")
        body, content_type = await asyncio.to_thread(_text, figures.frozen(), accept, compressed)
        response = web.Response(body=body)
        response.headers["Content-Type"] = content_type
        if compressed:
            response.headers["Content-Encoding"] = "gzip"
        return response

    return metrics


def _text(figures: Collector, accept: str, compressed: bool) -> tuple[bytes, str]:
    encode, content_type = choose_encoder(accept)
    text = encode(figures)
    return (gzip.compress(text, compresslevel=1, mtime=0) if compressed else text), content_type


def _is_this_machine(remote: str) -> bool:
    address = ip_address(remote)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _allowed(request: web.Request, settings: Web) -> bool:
    if settings.metrics_token_file is None:
        # A proxy on this machine would make everybody local: it must not pass /metrics on without a token.
        forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
        return not forwarded and request.remote is not None and _is_this_machine(request.remote)
    try:
        token = read_secret(settings.metrics_token_file, "web.metrics_token_file")
    except SettingsError:
        return False
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return compare_digest(sent.encode("utf-8", "replace"), token.encode())
