"""Who may do what: the one place that answers it, for routes, tickets and recordings.

Promises: every route names its roles (none is open by omission); a ticket that a person may not see does not exist for
them (404); a recording that they may not hear is refused (403); every change of state carries the session's token and
comes from our own pages. Never: trusts a role that the browser sent.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hmac import compare_digest
from urllib.parse import urlsplit

from aiohttp import web

from callcenter.web.ports import Role, Session, User
from callcenter.web.ticket_ports import TicketRow

USER: web.RequestKey[User] = web.RequestKey("user", User)
SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)
TOKEN: web.RequestKey[str] = web.RequestKey("token", str)
LINK: web.RequestKey[str] = web.RequestKey("link", str)
"""The hash of a wallboard link's token, where a screen came with one."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANYONE: frozenset[Role] | None = None
EVERYBODY = frozenset(Role)
SEATS = frozenset({Role.SEAT, Role.SUPERVISOR, Role.ADMIN})
"""Who works at a desk: writes tickets and takes calls."""
SUPERVISORS = frozenset({Role.SUPERVISOR, Role.ADMIN})
"""Who is shown what a seat should not have said."""
REVIEWERS = frozenset({Role.SUPERVISOR, Role.QA, Role.ADMIN})
"""Who reviews calls; a seat sees only signed reviews of its own (E1)."""
SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Route:
    """A path and the roles that may use it; ``roles=ANYONE`` needs no log-in."""

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role] | None
    page: bool = False
    """A page: a visitor without a session is led to the log-in instead of being refused."""
    file: bool = False
    """A page that is a file: sound, or something to store. The log-in does not lead back to it."""
    screens: bool = False
    """Also open to a screen with a wallboard link, which nobody logs in at; never a change of state."""


class Problem(Exception):
    """A refusal that a person reads: HTTP status and one sentence in English, the source language of the catalogues."""

    def __init__(self, status: int, sentence: str, limit: str = "") -> None:
        """``limit``: which one was reached, to be counted, where the status does not say it."""
        super().__init__(sentence)
        self.status, self.sentence, self.limit = status, sentence, limit


@dataclass(frozen=True, slots=True)
class Policy:
    """``seats_see``: ``own`` (tickets of calls that rang or were answered at the seat) or ``hotline`` (all)."""

    seats_see: str = "hotline"

    def owns(self, user: User, row: TicketRow) -> bool:
        """True if the call rang at the user's seat or the ticket is the seat's."""
        return user.extension is not None and (user.extension == row.ticket.seat or user.extension in row.seats)

    def may_see(self, user: User, row: TicketRow) -> bool:
        return user.role is not Role.SEAT or self.seats_see == "hotline" or self.owns(user, row)

    def may_write(self, user: User, row: TicketRow) -> bool:
        return user.role in SEATS and self.may_see(user, row)

    def may_hear(self, user: User, row: TicketRow) -> bool:
        return user.role is not Role.SEAT or (user.extension is not None and user.extension == row.ticket.seat)


def same_origin(request: web.Request, public_origin: str | None) -> bool:
    """True if the browser says that our own page sent this; ``null`` and absence say nothing and need the token alone.

    A form that navigates sends ``Origin: null`` under our referrer policy (Fetch standard, "append a request Origin
    header"); a page of somebody else sends its own origin or ``null``, but cannot know the token.
    """
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    if origin is None or origin == "null":
        return True
    if public_origin is not None and origin == public_origin:
        return True
    return urlsplit(origin).netloc == request.host


def token_matches(expected: str, sent: str | None) -> bool:
    return sent is not None and compare_digest(expected.encode("utf-8", "replace"), sent.encode("utf-8", "replace"))
