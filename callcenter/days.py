"""What sort of day it is at the site: workday, weekend, public holiday, a weekend that people work on.

Beside the path of a call: greetings and routes (A2), the calendar 5x8 of tickets' clocks (D1, D2), the duty plan (A5),
reports and their forecast all ask this one calendar. It is made of China's public calendar (the package chinesecalendar
has it year by year, each published in the November before) or of plain weeks, and above it of the site's own files.
Promises: pure; a day whose year nobody published is unknown, never guessed; what a file says of a day is what holds.
Never: reads a clock or a file.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import chinese_calendar
from chinese_calendar.constants import holidays

CHINA = frozenset(
    {"Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Urumqi", "Asia/Kashgar", "PRC"}
)
"""Zones whose days are those of China's public calendar."""
PUBLISHED = frozenset(day.year for day in holidays)
"""The years that the package has."""
WARN_DAYS = 45
"""How long before the end of the calendar ``warning`` begins."""
REMEDY = "Update the package chinesecalendar, or write the next year into a file of calendar.files (docs/calendar.md)."


class DayKind(StrEnum):
    WORKDAY = "workday"
    SWAPPED = "swapped"
    """A Saturday or Sunday on which people work."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    """A public holiday, with the days off that belong to it."""
    UNKNOWN = "unknown"
    """The calendar of its year is not published."""


WORKED = frozenset({DayKind.WORKDAY, DayKind.SWAPPED})


@dataclass(frozen=True, slots=True)
class Own:
    """What the site's files say. ``years``: those that are whole in them, so that a day they do not name is what its
    weekday says."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Days:
    """The site's calendar. ``chinese``: above China's public one; else above weeks with two days off."""

    chinese: bool = False
    own: Own = field(default_factory=Own)

    @classmethod
    def of(cls, zone: ZoneInfo, holidays: str = "", own: Own | None = None) -> "Days":
        """``holidays``: ``cn``, ``none``, or nothing: what the zone says."""
        return cls(holidays == "cn" or (not holidays and zone.key in CHINA), own or Own())

    def kind(self, day: date) -> DayKind:
        weekend = day.weekday() >= 5
        if day in self.own.holidays:
            return DayKind.HOLIDAY
        if day in self.own.workdays:
            return DayKind.SWAPPED if weekend else DayKind.WORKDAY
        if self.chinese and day.year not in self.own.years:
            return _public(day)
        return DayKind.WEEKEND if weekend else DayKind.WORKDAY

    def works(self, day: date) -> bool | None:
        """Whether people work; ``None`` where that is not known."""
        kind = self.kind(day)
        return None if kind is DayKind.UNKNOWN else kind in WORKED

    def known_until(self) -> date | None:
        """The last day that is known; ``None`` where every day is."""
        if not self.chinese:
            return None
        year = max(PUBLISHED)
        while year + 1 in self.own.years:
            year += 1
        return date(year, 12, 31)

    def end(self, zone: ZoneInfo) -> float | None:
        """When the last day that is known is over; ``None`` where every day is known."""
        last = self.known_until()
        return None if last is None else datetime.combine(last + timedelta(days=1), time(), zone).timestamp()

    def warning(self, today: date) -> str | None:
        """One sentence when the calendar has ended or ends soon, else ``None``. ``REMEDY`` goes with it."""
        end = self.known_until()
        if end is None or end - today >= timedelta(days=WARN_DAYS):
            return None
        return (
            f"The calendar of China's holidays {'ended' if end < today else 'ends'} on {end.isoformat()}: beyond it "
            "greetings, routes, shifts and clocks that ask for holidays or workdays do not know the day."
        )


def _public(day: date) -> DayKind:
    if day.year not in PUBLISHED:
        return DayKind.UNKNOWN
    off, name = chinese_calendar.get_holiday_detail(day)
    weekend = day.weekday() >= 5
    if not off:
        return DayKind.SWAPPED if weekend else DayKind.WORKDAY
    return DayKind.HOLIDAY if name is not None or not weekend else DayKind.WEEKEND
