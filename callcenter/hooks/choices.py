"""What a site chooses by company, queue, language, hour and holiday: greetings (A2) and routes.

On the path of a call: ``settings`` reads these from ``[[greetings]]`` and ``[[routes]]``; ``hooks/answers`` takes the
first that matches.
Promises: a condition that is left out always holds; one on holidays holds neither way on a day whose calendar is not
known; a window over midnight belongs to the day on which it begins.
Never: reads a clock; hours are those of the moment it is given, in the site's time zone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from callcenter.days import WORKED, DayKind
from callcenter.hooks.text import harmless

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VARIANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
QUEUE = re.compile(r"[\w.-]{1,26}")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_END_OF_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Subject:
    """What conditions are compared with."""

    company: str = ""
    queue: str = ""
    language: str = ""
    dialled: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a choice holds. Times are "HH:MM" (``to_time`` excluded, "24:00" is the end of the day)."""

    company: str = ""
    queue: str = ""
    language: str = ""
    dialled: str = ""
    from_time: str = ""
    to_time: str = ""
    days: tuple[str, ...] = ()
    """Of mon, tue, wed, thu, fri, sat, sun."""
    holiday: bool | None = None
    """A public holiday, or the site's own; a plain weekend is none."""
    workday: bool | None = None
    """A day on which people work, swapped weekends included."""

    def holds(self, subject: Subject, local: datetime, kind: Callable[[date], DayKind]) -> bool:
        """Whether it holds for ``subject`` at ``local``, the site's own time."""
        if not all(self._same(subject, name) for name in ("company", "queue", "language", "dialled")):
            return False
        day = self._begun(local)
        if day is None or (self.days and DAYS[day.weekday()] not in self.days):
            return False
        if self.holiday is None and self.workday is None:
            return True
        known = kind(day)
        holiday, workday = known is DayKind.HOLIDAY, known in WORKED
        return known is not DayKind.UNKNOWN and self.holiday in (None, holiday) and self.workday in (None, workday)

    def _same(self, subject: Subject, name: str) -> bool:
        # The dialplan sends back what it was told, which had passed through harmless().
        wanted = harmless(getattr(self, name))
        return not wanted or wanted == harmless(getattr(subject, name))

    def _begun(self, local: datetime) -> date | None:
        """The day on which the window that ``local`` lies in began; ``None`` outside of it."""
        start, end = _minutes(self.from_time or "00:00"), _minutes(self.to_time or "24:00")
        minute, today = local.hour * 60 + local.minute, local.date()
        if start < end:
            return today if start <= minute < end else None
        if minute >= start:
            return today
        return today - timedelta(days=1) if minute < end else None

    def problems(self, key: str) -> list[str]:
        """What is wrong with it in the configuration: one sentence each."""
        found = [
            f"{key}.{name}: is no time of day; write it as '08:30'."
            for name, value in (("from_time", self.from_time), ("to_time", self.to_time))
            if value and not _TIME.fullmatch(value)
        ]
        if self.from_time == "24:00":
            found.append(f"{key}.from_time: a window cannot begin at 24:00; write '00:00'.")
        if not found and self.from_time and self.from_time == self.to_time:
            found.append(f"{key}: from_time and to_time are the same; leave both out for the whole day.")
        if not set(self.days) <= set(DAYS):
            found.append(f"{key}.days: use only {', '.join(DAYS)}.")
        return found


@dataclass(frozen=True, slots=True)
class Greeting(Condition):
    """Which variant of the seat's greeting is played (A2): ``callcenter prompts`` builds it under that name."""

    variant: str = ""
    """Empty or ``standard``: the one without a suffix."""

    def problems(self, key: str) -> list[str]:
        found = Condition.problems(self, key)
        if self.variant and not VARIANT.fullmatch(self.variant):
            found.append(f"{key}.variant: use small letters, digits, '_' and '-', no more than 64.")
        return found


@dataclass(frozen=True, slots=True)
class Route(Condition):
    """Where a call goes instead of the queue it was meant for."""

    to: str = ""

    def problems(self, key: str) -> list[str]:
        found = Condition.problems(self, key)
        if not QUEUE.fullmatch(self.to):
            found.append(f"{key}.to: name the queue to go to, no more than 26 letters, digits, '_', '-' and '.'.")
        return found


def _minutes(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return min(int(hours) * 60 + int(minutes), _END_OF_DAY)
