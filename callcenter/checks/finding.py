"""One result of ``callcenter check``."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``what`` is so; where it is not ``ok``, ``remedy`` names what to change and in which file.

    ``bad``: calls, tickets or safety suffer. ``warn``: it works, and less well than it could."""

    level: Level
    what: str
    remedy: str = ""


def ok(what: str) -> Finding:
    return Finding("ok", what)


def warn(what: str, remedy: str) -> Finding:
    return Finding("warn", what, remedy)


def bad(what: str, remedy: str) -> Finding:
    return Finding("bad", what, remedy)


def report(findings: list[Finding]) -> str:
    """The findings as text, the worst first, with a line of totals at the end."""
    order = {"bad": 0, "warn": 1, "ok": 2}
    lines = []
    for finding in sorted(findings, key=lambda f: order[f.level]):
        lines.append(f"{finding.level.upper():<5}{finding.what}")
        if finding.remedy:
            lines.append(f"     -> {finding.remedy}")
    totals = [f"{sum(f.level == level for f in findings)} {level}" for level in ("bad", "warn", "ok")]
    return "\n".join([*lines, ", ".join(totals)])
