"""``callcenter wallboard-link``: the links that open the wallboard on a screen where nobody logs in.

Promises: a link is shown once, when it is made; only the hash of its token is stored. A revoked one opens nothing, and
a screen that it had opened is closed within seconds. Works beside a running daemon.
Never: prints or logs a token again.
"""

import re
import secrets
import time
from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.errors import BadInput
from callcenter.serve import open_store
from callcenter.settings import Settings
from callcenter.store.screens import WallboardLink
from callcenter.store.store import Store
from callcenter.web.sessions import TOKEN_BYTES, token_hash

_NAME = re.compile(r"[\w.-]{1,40}")


async def manage(settings: Settings, action: str, name: str | None) -> str:
    """One action; what to print. Raises ``BadInput``."""
    if action != "list" and not _NAME.fullmatch(name or ""):
        raise BadInput("name: say which screen, up to 40 letters, digits, '_', '-' and '.', for example hall.")
    store = await open_store(settings, exclusive=False)
    try:
        if action == "add":
            return await _add(store, settings, name or "")
        if action == "revoke":
            await store.screens.revoke_link(name or "")
            return f"{name} is revoked; screens that it opened are closed within seconds."
        return await _list(store, ZoneInfo(settings.site.timezone))
    finally:
        await store.close()


async def _add(store: Store, settings: Settings, name: str) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await store.screens.add_link(WallboardLink(name, token_hash(token), time.time(), None))
    web = settings.web
    base = web.public_url.rstrip("/") or f"http://{web.host}:{web.port}"
    return (
        f"Open this once on the screen; it is not shown again, and whoever has it sees the wallboard:\n"
        f"{base}/wallboard/link/{token}"
    )


async def _list(store: Store, zone: ZoneInfo) -> str:
    def day(at: float | None) -> str:
        return "never" if at is None else datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")

    links = await store.screens.links()
    lines = [f"{link.name}: made {day(link.created_at)}, last opened {day(link.seen_at)}" for link in links]
    return "\n".join(lines) or "There are no links yet."
