"""/metrics for Prometheus: open to this machine, or to whoever has the token.

Promises: a scrape from elsewhere without the token learns nothing. Never: reads the store.
"""

from hmac import compare_digest
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from callcenter.settings import SettingsError, Web, read_secret
from callcenter.web.access import ANYONE, Route


def metrics_route(registry: CollectorRegistry, settings: Web) -> Route:
    """GET /metrics."""

    async def metrics(request: web.Request) -> web.StreamResponse:
        if not _allowed(request, settings):
            raise web.HTTPForbidden
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = web.Response(body=encode(registry))
        response.headers["Content-Type"] = content_type
        return response

    return Route("GET", "/metrics", metrics, ANYONE)


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
