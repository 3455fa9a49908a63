"""What callers are promised beyond the ring: callbacks (D11, B5), levels (D1), severities (D2), dispatch (D3, D4),
satisfaction (D8).

The defaults are the standard's own matrix.
Before the path of a call; ``options`` makes the terms of clocks of it, ``rules/callbacks`` reads when one is due.
Promises: pure; part of ``settings/sections``. Never: opens a file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.errors import BadInput
from callcenter.settings.reader import limited, one_of
from callcenter.tickets.business_time import parse_hours

MOST_MINUTES = 60 * 24 * 365


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Who was not spoken to (D11), or whose call broke off (B5), is called back. Minutes from the end of that call."""

    minutes: float = limited(60.0, 1, 10_080)
    vip_minutes: float = limited(15.0, 1, 10_080)
    """Of queues whose ``service_class`` is vip."""
    cut_off_minutes: float = limited(2.0, 0.5, 1_440)
    """B5, whatever the queue."""
    claim_minutes: float = limited(10.0, 1, 240)
    """Whoever takes a callback in hand has it to himself for so long."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The question after the call."""

    target_percent: float = limited(85.0, 0, 100)
    """D8: the share of satisfied callers that is asked for; alerts are told below it, of a day's answers."""


@dataclass(frozen=True, slots=True)
class Level:
    """D1: within what time somebody responds, and the ticket is resolved; each in its calendar. The standard answers
    telephones around the clock and works five days of eight hours."""

    response_minutes: float = limited(120.0, 1, MOST_MINUTES)
    response_calendar: str = one_of("7x24", "7x24", "5x8")
    resolution_minutes: float = limited(240.0, 1, MOST_MINUTES)
    resolution_calendar: str = one_of("5x8", "7x24", "5x8")


@dataclass(frozen=True, slots=True)
class Advanced(Level):
    response_minutes: float = limited(60.0, 1, MOST_MINUTES)


@dataclass(frozen=True, slots=True)
class Vip(Level):
    response_minutes: float = limited(60.0, 1, MOST_MINUTES)
    resolution_minutes: float = limited(120.0, 1, MOST_MINUTES)


@dataclass(frozen=True, slots=True)
class Levels:
    vip: Vip = field(default_factory=Vip)
    advanced: Advanced = field(default_factory=Advanced)
    standard: Level = field(default_factory=Level)


@dataclass(frozen=True, slots=True)
class Severity:
    """D2: within what time a fault of this kind is resolved; the stricter of it and the level's holds."""

    minutes: float = limited(60.0, 1, MOST_MINUTES)
    calendar: str = one_of("level", "level", "7x24", "5x8")


@dataclass(frozen=True, slots=True)
class Hardware(Severity):
    minutes: float = limited(1440.0, 1, MOST_MINUTES)


@dataclass(frozen=True, slots=True)
class Major(Severity):
    minutes: float = limited(4320.0, 1, MOST_MINUTES)


@dataclass(frozen=True, slots=True)
class Outage(Severity):
    """A standstill does not wait for Monday. ``plan_minutes``: by then there is an emergency plan."""

    minutes: float = limited(720.0, 1, MOST_MINUTES)
    calendar: str = one_of("7x24", "level", "7x24", "5x8")
    plan_minutes: float = limited(960.0, 1, MOST_MINUTES)


@dataclass(frozen=True, slots=True)
class Severities:
    software: Severity = field(default_factory=Severity)
    hardware: Hardware = field(default_factory=Hardware)
    major: Major = field(default_factory=Major)
    outage: Outage = field(default_factory=Outage)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """D3 and D4, in minutes; 0 is off. They run by the clock on the wall unless the site says otherwise."""

    dispatch_minutes: float = limited(10.0, 0, MOST_MINUTES)
    """D4: from the need of a dispatch until somebody is sent."""
    booking_minutes: float = limited(30.0, 0, MOST_MINUTES)
    """D4: from then until the engineer has booked the visit."""
    arrange_minutes: float = limited(1440.0, 0, MOST_MINUTES)
    """D3: from the need of a visit until it is arranged."""
    visit_minutes: float = limited(4320.0, 0, MOST_MINUTES)
    """D3: until it is made."""
    manager_minutes: float = limited(60.0, 0, MOST_MINUTES)
    """D3: the duty manager calls back whoever wants it today or tomorrow."""
    delay_minutes: float = limited(10.0, 0, MOST_MINUTES)
    """D4: from when a delay is known until the customer is."""
    half_day_lead_minutes: float = limited(30.0, 0, MOST_MINUTES)
    """D4: a delay of half a day is told so long before the promised time."""
    longer_lead_minutes: float = limited(240.0, 0, MOST_MINUTES)
    abnormal_minutes: float = limited(20.0, 0, MOST_MINUTES)
    """D4: until the manager knows of an abnormal case."""
    calendar: str = one_of("7x24", "7x24", "5x8")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The site's days, for everything that asks for holidays and workdays."""

    holidays: str = one_of("", "", "cn", "none")
    """China's public holidays and swapped workdays, or Monday to Friday throughout; empty: what the time zone says."""
    files: tuple[Path, ...] = ()
    """The site's own days, above those. See docs/calendar.md."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the clocks of tickets count by."""

    warn_percent: float = limited(80.0, 1, 100)
    """A clock is at risk when so much of its time has been used."""
    hours: tuple[str, ...] = ("09:00-17:00",)
    """Of the calendar 5x8, by the site's clock."""


def clock_problems(clocks: Clocks, severities: Severities) -> Iterator[str]:
    try:
        parse_hours(clocks.hours)
    except BadInput as error:
        yield f"clocks.hours: {error}"
    if severities.outage.plan_minutes < severities.outage.minutes:
        yield "severities.outage.plan_minutes: is before minutes, when the plan is not asked for yet; make it larger."
