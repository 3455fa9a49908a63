"""China's public calendar: holidays, and the weekends that are swapped for working days.

On the path of a call: a greeting or a route that depends on holidays asks here (A2).
Promises: a day outside the published calendar is unknown (``None``), never guessed; ``known_until`` says where it ends.
Never: reads a clock.
"""

from dataclasses import dataclass
from datetime import date

import chinese_calendar
from chinese_calendar.constants import holidays

WARN_DAYS = 45
"""How long before the end of the calendar ``warning`` begins. The next year is published in November."""


@dataclass(frozen=True, slots=True)
class Day:
    """``holiday``: a public holiday (not a plain weekend). ``workday``: people work, swapped weekends included."""

    holiday: bool
    workday: bool


def known_until() -> date:
    """The last day that the installed calendar knows. It is published by whole years."""
    return date(max(holidays).year, 12, 31)


def kind_of(day: date) -> Day | None:
    """What ``day`` is; ``None`` if the calendar of its year is not known."""
    try:
        off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    return Day(holiday=off and name is not None, workday=not off)


def warning(today: date) -> str | None:
    """One sentence when the calendar has ended or ends soon, for ``callcenter check`` and the log; else ``None``."""
    end = known_until()
    left = (end - today).days
    if left >= WARN_DAYS:
        return None
    when = "ended" if left < 0 else "ends"
    return (
        f"The calendar of Chinese holidays {when} on {end.isoformat()}: beyond it, greetings and routes with "
        "'holiday' or 'workday' do not match; update the package chinesecalendar."
    )
