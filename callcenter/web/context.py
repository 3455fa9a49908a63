"""What a handler has at hand: the ports, the hub, the user, the words, behind one small object per request."""

import json
from typing import Any

from aiohttp import web

from callcenter.web.access import SESSION, USER, Policy, Problem
from callcenter.web.landing import Landings
from callcenter.web.live import Hub
from callcenter.web.ports import Ports, User
from callcenter.web.render import RENDERER, WebOptions, language_of
from callcenter.web.sessions import Sessions
from callcenter.web.ticket_ports import TicketRow
from callcenter.web.words import N_, Words

PORTS: web.AppKey[Ports] = web.AppKey("ports", Ports)
HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
POLICY: web.AppKey[Policy] = web.AppKey("policy", Policy)
SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions", Sessions)
LANDINGS: web.AppKey[Landings] = web.AppKey("landings", Landings)

NO_TICKET = N_("There is no such ticket, or it is not yours to see.")


class Web:
    """One request, seen from a handler."""

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.ports = request.app[PORTS]
        self.hub = request.app[HUB]
        self.policy = request.app[POLICY]
        self._renderer = request.app[RENDERER]

    @property
    def user(self) -> User:
        return self.request[USER]

    @property
    def session_hash(self) -> str:
        return str(self.request[SESSION].token_hash)

    @property
    def options(self) -> WebOptions:
        return self._renderer.options

    @property
    def words(self) -> Words:
        return self._renderer.words[language_of(self.request)]

    def now(self) -> float:
        """Epoch seconds."""
        return self._renderer.now()

    def page(self, template: str, *, status: int = 200, **context: Any) -> web.Response:
        return self._renderer.page(self.request, template, status=status, **context)

    def fragment(self, template: str, **context: Any) -> str:
        return self._renderer.fragment(self.request, template, **context)

    async def row(self, *, writing: bool = False) -> TicketRow:
        """The ticket of the address. 404 if it is not to be seen, 403 if it may be read but not written."""
        row = await self.ports.tickets.row(int(self.request.match_info["ticket_id"]))
        if row is None or not self.policy.may_see(self.user, row):
            raise Problem(404, NO_TICKET)
        if writing and not self.policy.may_write(self.user, row):
            raise Problem(403, N_("You may read this ticket but not change it."))
        return row

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; 400 with one sentence otherwise."""
        try:
            body = json.loads(await self.request.read())
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Problem(400, N_("The body must be a JSON object."))
        return body
