"""``callcenter audit``: who erased what, when and why, and what else leaves a line of audit, in words.

Beside the path of a call; ``store/keeping``, ``callbacks``, ``users`` and ``screens`` write the lines.
Promises: the newest first, however many there are; a line of a kind that nobody taught this is shown as it is stored.
Never: writes; shows whose recording it was: of an erased call it tells the ticket's number.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.day_options import named_days
from callcenter.errors import shown
from callcenter.opening import beside
from callcenter.settings import Settings
from callcenter.store.keeping import AuditLine

PAGE = 500


async def audit(settings: Settings, first: str | None, last: str | None, form: str, tell: Callable[[str], None]) -> int:
    """Tells each line; how many. ``first`` and ``last`` are days of the site, both included."""
    zone = ZoneInfo(settings.site.timezone)
    since, until = named_days("audit", first, last, zone)
    count, before = 0, None
    async with beside(settings) as store:
        while page := await store.keeping.audit(PAGE, since=since, until=until, before=before):
            for line in page:
                tell(_json(line, zone) if form == "json" else _text(line, zone))
            count, before = count + len(page), page[-1].id
    if not count and form == "text":
        tell("There is no line of audit" + (" in these days." if since or until else "."))
    return count


def _json(line: AuditLine, zone: ZoneInfo) -> str:
    told = {"at": _when(line, zone), "what": line.what, "by": line.by, "ticket": line.ticket or None}
    return json.dumps({**told, "recording": line.recording_id, **line.detail}, ensure_ascii=False)


def _text(line: AuditLine, zone: ZoneInfo) -> str:
    words = _WORDS.get(line.what)
    told = words(line, line.detail) if words else f"{line.what} {json.dumps(line.detail, ensure_ascii=False)}"
    return shown(f"{_when(line, zone)}  {line.by}: {told}")


def _when(line: AuditLine, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(line.at, zone).isoformat(" ", "seconds")


def _recording(line: AuditLine, detail: Mapping[str, Any]) -> str:
    of = f"of ticket {line.ticket}" if line.ticket else f"number {line.recording_id}, of no ticket"
    why = "its queue keeps it no longer" if line.by == "retention" else "the person asked for it"
    return f"erased the recording {of} with its transcript ({_many(detail.get('files'), 'file')}), because {why}"


def _callbacks(_line: AuditLine, detail: Mapping[str, Any]) -> str:
    return f"erased the number of {_many(detail.get('callbacks'), 'callback')}, because the person asked for it"


def _many(count: object, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


_WORDS: Mapping[str, Callable[[AuditLine, Mapping[str, Any]], str]] = {
    "recording_erased": _recording,
    "callbacks_erased": _callbacks,
    "password_changed": lambda _, detail: (
        f"changed the password of this account; {_many(detail.get('sessions_ended'), 'other log-in')} ended"
    ),
    "wallboard_link_made": lambda _, detail: f"made the wallboard link {detail.get('name')}",
    "wallboard_link_revoked": lambda _, detail: f"revoked the wallboard link {detail.get('name')}",
}
