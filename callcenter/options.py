"""What the settings mean to the derivation of calls and to the pages.

Beside the path of a call. Promises: pure. Never: reads a file or a clock.
"""

from collections.abc import Set
from zoneinfo import ZoneInfo

from callcenter.calls.derive import Terms
from callcenter.days import Days
from callcenter.metrics.service_levels import Variant
from callcenter.quality.scorecard import Scorecards
from callcenter.settings import Settings
from callcenter.settings.levels import Dispatch
from callcenter.tickets import clocks
from callcenter.tickets.business_time import Calendar, parse_hours
from callcenter.tickets.dispatch import Kind
from callcenter.web.render import WebOptions


def terms_of(settings: Settings, seats: Set[str]) -> Terms:
    """What the derivation of calls needs to know of the site. ``seats``: extensions of the people who log in."""
    return Terms(
        settings.asterisk.name,
        settings.rings.cadence,
        settings.queue_defaults.rings,
        frozenset(settings.asterisk.trunks),
        frozenset(seats),
        rings_of_queue={name: queue.rings for name, queue in settings.queues.items()},
    )


def web_options(settings: Settings, scorecards: Scorecards) -> WebOptions:
    """What the pages need to know of the site."""
    site, web, level = settings.site, settings.web, settings.service_level
    return WebOptions(
        company=site.company,
        zone=ZoneInfo(site.timezone),
        cadence=settings.rings.cadence,
        language=site.language,
        public_origin=web.public_url.rstrip("/") or None,
        secure_cookies=web.public_url.startswith("https://"),
        session_idle_seconds=web.session_idle_minutes * 60.0,
        session_absolute_seconds=web.session_absolute_hours * 3600.0,
        max_body_bytes=web.max_body_bytes,
        seats_see=web.seats_see,
        categories=site.categories,
        proxies=web.proxies,
        hotline_number=site.hotline_number,
        wallboard=settings.wallboard,
        variant=Variant(level.variant),
        target_share=level.target_percent / 100,
        three_rings_share=level.three_rings_target_percent / 100,
        satisfaction_share=settings.survey.target_percent / 100,
        scorecards=scorecards,
    )


def seat_groups(settings: Settings) -> tuple[tuple[str, ...], ...]:
    """The seats of each group."""
    return tuple(group.seats for group in settings.seat_groups.values())


def clock_terms(settings: Settings, days: Days | None = None) -> clocks.Terms:
    """What the clocks of tickets count by (D1 to D4). ``days``: the site's calendar; without it, what its zone says."""
    zone, counted = ZoneInfo(settings.site.timezone), settings.clocks
    works = (days or Days.of(zone, settings.calendar.holidays)).works
    calendars = {"7x24": Calendar(zone), "5x8": Calendar(zone, parse_hours(counted.hours), works)}
    levels = {"vip": settings.levels.vip, "advanced": settings.levels.advanced, "standard": settings.levels.standard}
    of = settings.severities
    severities = {"software": of.software, "hardware": of.hardware, "major": of.major, "outage": of.outage}

    late = settings.dispatch
    leads = {Kind.DELAY_HALF_DAY: late.half_day_lead_minutes, Kind.DELAY_LONGER: late.longer_lead_minutes}

    def of_severity(minutes: float, calendar: str) -> dict[str, clocks.Limit]:
        """The same time for every level, each in its own calendar where the severity has none."""
        named = {name: level.resolution_calendar if calendar == "level" else calendar for name, level in levels.items()}
        return {name: clocks.Limit("D2", minutes * 60.0, calendars[one]) for name, one in named.items()}

    return clocks.Terms(
        {name: clocks.Limit("D1", one.response_minutes * 60.0, calendars[one.response_calendar])
         for name, one in levels.items()},
        {name: clocks.Limit("D1", one.resolution_minutes * 60.0, calendars[one.resolution_calendar])
         for name, one in levels.items()},
        {name: of_severity(one.minutes, one.calendar) for name, one in severities.items()},
        of_severity(of.outage.plan_minutes, of.outage.calendar),
        counted.warn_percent / 100,
        _dispatch(settings.dispatch, calendars[settings.dispatch.calendar]),
        {kind: minutes * 60.0 for kind, minutes in leads.items() if minutes},
    )  # fmt: skip


def _dispatch(of: Dispatch, calendar: Calendar) -> dict[clocks.Name, clocks.Limit]:
    minutes = {
        clocks.Name.DISPATCH: ("D4", of.dispatch_minutes),
        clocks.Name.BOOKED: ("D4", of.booking_minutes),
        clocks.Name.ARRANGED: ("D3", of.arrange_minutes),
        clocks.Name.VISIT: ("D3", of.visit_minutes),
        clocks.Name.MANAGER: ("D3", of.manager_minutes),
        clocks.Name.DELAY: ("D4", of.delay_minutes),
        clocks.Name.ABNORMAL: ("D4", of.abnormal_minutes),
    }
    return {name: clocks.Limit(rule, limit * 60.0, calendar) for name, (rule, limit) in minutes.items() if limit}
