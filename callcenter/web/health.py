"""/healthz and /readyz: whether the process turns, and whether it can do its job, with the reason and the remedy.

Promises: /healthz answers 200 as long as the event loop runs; /readyz answers 503 while a part is not ready and names
it. Never: tells personal data or a secret; needs no log-in, because a supervisor program reads it.
"""

from dataclasses import asdict

from aiohttp import web

from callcenter.web.access import ANYONE, Route
from callcenter.web.context import PORTS


async def healthz(request: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.StreamResponse:
    parts = list(request.app[PORTS].health.parts())
    ready = all(part.ready for part in parts)
    body = {"ready": ready, "parts": [asdict(part) for part in parts]}
    return web.json_response(body, status=200 if ready else 503)


ROUTES = [Route("GET", "/healthz", healthz, ANYONE), Route("GET", "/readyz", readyz, ANYONE)]
