"""/healthz and /readyz: whether the process turns, and whether it can do its job, with the reason and the remedy.

Promises: /healthz answers 200 as long as the event loop runs; /readyz answers 503 while a part that calls need is not
ready and names it; of each other part it says what is true, and answers 503 for none. Neither needs a log-in, because a
supervisor program reads them; why, since when and what to do is told to people who are logged in and to this machine
alone. Never: tells personal data or a secret, or a stranger a version or an address.
"""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from callcenter.web.access import ANYONE, USER, Route
from callcenter.web.context import PORTS
from callcenter.web.health_ports import Part
from callcenter.web.near import from_this_machine

DETAILS = "Reasons and remedies are on /status after a log-in, and here for whoever asks on the machine itself."


async def healthz(request: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.StreamResponse:
    parts = list(request.app[PORTS].health.parts())
    ready = not any(part.hinders for part in parts)
    known = USER in request or from_this_machine(request)
    body: dict[str, Any] = {"ready": ready, "parts": [asdict(part) if known else _outline(part) for part in parts]}
    if not known:
        body["details"] = DETAILS
    return web.json_response(body, status=200 if ready else 503)


def _outline(part: Part) -> dict[str, str | bool]:
    """States are words of a closed list; a reason may hold an address, a file or a version."""
    return {"name": part.name, "ready": part.ready, "needed": part.needed, "state": part.state}


ROUTES = [Route("GET", "/healthz", healthz, ANYONE), Route("GET", "/readyz", readyz, ANYONE)]
