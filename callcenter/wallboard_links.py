"""``callcenter wallboard-link``: the links that open the wallboard on a screen where nobody logs in.

Promises: a link is shown once, when it is made; only the hash of its token is stored. A revoked one opens nothing, and
a screen that it had opened is closed within seconds. Works beside a running daemon.
Never: prints or logs a token again.
"""

import time
from datetime import datetime
from getpass import getuser
from zoneinfo import ZoneInfo

from callcenter.board import StoredLinks
from callcenter.opening import beside
from callcenter.settings import Settings


async def manage(settings: Settings, action: str, name: str | None) -> str:
    """One action; what to print. Raises ``BadInput``."""
    async with beside(settings, create=True) as store:
        links, by = StoredLinks(store, time.time), f"system:{getuser()}"
        if action == "add":
            return _told(settings, await links.add(name or "", by))
        if action == "revoke":
            await links.revoke(name or "", by)
            return f"{name} is revoked; screens that it opened are closed within seconds."
        return await _list(links, ZoneInfo(settings.site.timezone))


def _told(settings: Settings, token: str) -> str:
    web = settings.web
    base = web.public_url.rstrip("/") or f"http://{web.host}:{web.port}"
    return (
        f"Open this once on the screen; it is not shown again, and whoever has it sees the wallboard:\n"
        f"{base}/wallboard/link/{token}"
    )


async def _list(links: StoredLinks, zone: ZoneInfo) -> str:
    def day(at: float | None) -> str:
        return "never" if at is None else datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")

    lines = [
        f"{link.name}: made {day(link.created_at)}, last opened {day(link.seen_at)}" for link in await links.listed()
    ]
    return "\n".join(lines) or "There are no links yet."
