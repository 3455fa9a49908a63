"""How ``--from`` and ``--to`` of a command name days of the site.

Beside the path of a call: ``audit``, ``reconcile``, ``phrases verdicts``.
Promises: pure; a mistake is one sentence that names the command and the option.
Never: knows what sort of day it is; that is ``days``.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from callcenter.errors import BadInput


def named_days(command: str, first: str | None, last: str | None, zone: ZoneInfo) -> tuple[float | None, float | None]:
    """From when to when, epoch seconds, the last day included; ``None`` for one that is not given. Raises
    ``BadInput``."""
    begin = named_day(command, "--from", first) if first is not None else None
    end = named_day(command, "--to", last) if last is not None else None
    if begin and end and end < begin:
        raise BadInput(f"{command}: --to is before --from; swap them.")
    return _midnight(begin, zone) if begin else None, _midnight(end + timedelta(days=1), zone) if end else None


def named_day(command: str, option: str, text: str) -> date:
    """The day that the option names. Raises ``BadInput``."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if not 1970 <= day.year < date.max.year:
        raise BadInput(f"{command}: {option} is no day; write it as in 2026-11-25.")
    return day


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()
