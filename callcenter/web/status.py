"""The status page: how the daemon is, for people; and the runbook that its lines lead to.

Beside the path of a call. Promises: every line says in words and by a sign how its part is, and what to do where it is
not well; what is not known stands as such. Never: a path, a secret or a person's data; opens anything.
"""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcenter.web import text
from callcenter.web.access import SUPERVISORS, Route
from callcenter.web.context import PORTS, Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.health_ports import Fact, Part, Unobserved
from callcenter.web.render import TEMPLATES
from callcenter.web.status_reasons import told
from callcenter.web.status_words import FACTS, PARTS, REMEDIES, RUNBOOK, STATES
from callcenter.web.words import N_, Words

GAPS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One part as the page shows it, in the reader's language. ``reason``: see ``status_reasons``."""

    key: str
    level: str
    title: str
    state: str
    reason: str
    remedy: str
    runbook: str
    facts: tuple[tuple[str, str], ...]


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    window = await view_of(web_)
    return web_.page("status.html", **await context_of(web_, window), **lines_of(web_))


async def lines(request: web.Request) -> web.StreamResponse:
    """What the page fetches to stay true."""
    web_ = Web(request)
    return web_.page("status_lines.html", **lines_of(web_))


async def runbook(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    window = await view_of(web_)
    alerts = json.loads((TEMPLATES / "runbook.json").read_text("utf-8"))
    return web_.page("runbook.html", **await context_of(web_, window), alerts=alerts)


def lines_of(web_: Web) -> dict[str, Any]:
    health, now = web_.request.app[PORTS].health, web_.now()
    parts = list(health.status())
    gaps = list(health.unobserved())
    return {
        "lines": [line(web_, part) for part in parts],
        "counts": {level: sum(part.level == level for part in parts) for level in ("bad", "heed")},
        "as_of": now,
        "gaps": [_gap(web_, gap, now) for gap in gaps[-GAPS_SHOWN:]],
        "more_gaps": max(0, len(gaps) - GAPS_SHOWN),
    }


def line(web_: Web, part: Part) -> Line:
    words, key = web_.words, (part.name, part.state)
    remedy = words.gettext(REMEDIES[key]) if key in REMEDIES else part.remedy
    return Line(
        part.name,
        part.level,
        words.gettext(PARTS.get(part.name, part.name)),
        words.gettext(STATES.get(key, part.state)),
        told(words, part.reason),
        remedy if part.level != "well" else "",
        RUNBOOK.get(key, "") if part.level != "well" else "",
        tuple((words.gettext(FACTS[name]), _fact(web_, name, value)) for name, value in _told(part)),
    )


def _told(part: Part) -> list[tuple[str, Fact]]:
    return [(name, value) for name, value in part.facts.items() if name in FACTS]


def _fact(web_: Web, name: str, value: Fact) -> str:
    if value is None:
        return web_.words.gettext(N_("not known"))
    if name.endswith("_at") and isinstance(value, float | int):
        return text.when(value, web_.now(), web_.options.zone, seconds=True)
    if name.endswith("_seconds") and isinstance(value, float | int):
        return lasting(value, web_.words)
    if name.endswith("_bytes") and isinstance(value, float | int):
        return size(value)
    return str(value)


def lasting(seconds: float, words: Words) -> str:
    """``0.012 s``, ``45 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``."""
    whole, sign = int(abs(seconds)), "-" if seconds < 0 else ""
    if whole < 10:
        return words.gettext(N_("%s s")) % f"{round(seconds, 3) or 0.0:.3f}".rstrip("0").rstrip(".")  # no -0
    if whole < 120:
        return words.gettext(N_("%s s")) % f"{sign}{whole}"
    if whole < 7_200:
        return words.gettext(N_("%s min")) % f"{sign}{whole // 60}"
    if whole < 172_800:
        return words.gettext(N_("%s h %s min")) % (f"{sign}{whole // 3600}", whole // 60 % 60)
    return words.gettext(N_("%s d %s h")) % (f"{sign}{whole // 86_400}", whole // 3600 % 24)


def size(count: float) -> str:
    """Bytes as people say them: 812 KB, 3.4 MB, 120 GB."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.1f} {unit}" if count < 10 and unit != "B" else f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def _gap(web_: Web, gap: Unobserved, now: float) -> dict[str, Any]:
    ended = gap.ended_at if gap.ended_at is not None else now
    return {
        "started_at": gap.started_at,
        "ended_at": gap.ended_at,
        "lasted": lasting(max(0.0, ended - gap.started_at), web_.words),
        "reason": told(web_.words, gap.reason),
    }


ROUTES = [
    Route("GET", "/status", show, SUPERVISORS, page=True),
    Route("GET", "/status/lines", lines, SUPERVISORS),
    Route("GET", "/status/runbook", runbook, SUPERVISORS, page=True),
]
