"""Whether a request comes from this machine itself: asked where a log-in or a token would be too much.

Promises: what any proxy passed on is not from here, nor what a browser was led to by another site's name (its Host is
that name). Never: the only guard of anything that changes state, or of a person's data.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web

from callcenter.settings.addresses import is_loopback

PASSED_ON = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip"}
)
"""Headers that proxies add, beside all that begin with ``X-Forwarded``."""


def from_this_machine(request: web.Request, hosts: Collection[str] = ()) -> bool:
    """``hosts``: names that the settings give this door; loopback's own are always right."""
    return is_loopback(request.remote or "") and not was_passed_on(request) and host_is_ours(request, hosts)


def was_passed_on(request: web.Request) -> bool:
    names = [name.lower() for name in request.headers]
    return any(name in PASSED_ON or name.startswith("x-forwarded") for name in names)


def host_is_ours(request: web.Request, hosts: Collection[str]) -> bool:
    """A page of ``evil.example`` whose name was made to lead here says so in its Host."""
    told = request.headers.getall("Host", [])
    try:
        host = urlsplit(f"//{told[0]}").hostname or "" if len(told) == 1 else ""
    except ValueError:
        return False
    return is_loopback(host) or host in {one.lower() for one in hosts}
