"""Business time and the clocks of tickets, for any calendar, pauses and instant; beside a count step by step."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callcenter.days import PUBLISHED, Days
from callcenter.errors import BadInput
from callcenter.tickets.business_time import Calendar, UnknownDayError, due, elapsed, parse_hours
from callcenter.tickets.clocks import (
    GOING_ON,
    LEVELS,
    SEVERITIES,
    Clock,
    Limit,
    Matter,
    Name,
    Pause,
    State,
    Terms,
    clocks_of,
    rank,
)

SHANGHAI, BERLIN, LORD_HOWE = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
HOUR, DAY = 3600.0, 86_400.0

patient = settings(deadline=None, max_examples=60)


CHINESE = Days(chinese=True)


def monday_to_friday(day: date) -> bool | None:
    return day.weekday() < 5


CALENDARS = [
    Calendar(SHANGHAI, ((9 * 60, 17 * 60),), CHINESE.works),
    Calendar(SHANGHAI, ((9 * 60, 12 * 60), (13 * 60, 18 * 60)), CHINESE.works),
    Calendar(BERLIN, ((0, 3 * 60 + 30), (22 * 60, 24 * 60)), monday_to_friday),
    Calendar(LORD_HOWE, ((90, 24 * 60),), lambda day: True),
    Calendar(SHANGHAI),
]
BEGIN = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
calendars = st.sampled_from(CALENDARS)
STEP = 1800
"""Seconds: all hours above begin and end at multiples of it."""
instants = st.integers(0, 300 * 48).map(lambda step: BEGIN + float(STEP * step))
"""Of a year whose calendar is known, with the changes of the clock in Europe and Australia."""
lengths = st.integers(1, 120).map(lambda step: float(STEP * step))


@st.composite
def pauses(draw: st.DrawFn, since: float) -> tuple[tuple[float, float], ...]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        begin = since + STEP * draw(st.integers(-20, 200))
        found.append((begin, begin + STEP * draw(st.integers(0, 100))))
    return tuple(found)


def open_at(calendar: Calendar, at: float) -> bool:
    """Whether an instant counts, said anew: by the clock on the wall."""
    if not calendar.hours:
        return True
    local = datetime.fromtimestamp(at, calendar.zone)
    minute = local.hour * 60 + local.minute
    return bool(calendar.works(local.date())) and any(first <= minute < last for first, last in calendar.hours)


def step_by_step(calendar: Calendar, since: float, until: float, gaps: tuple[tuple[float, float], ...]) -> float:
    steps = range(int(since), int(until), STEP)
    return STEP * sum(open_at(calendar, at) and not any(a <= at < b for a, b in gaps) for at in steps)


@patient
@given(calendars, instants, lengths, st.data())
def test_elapsed_is_a_count_of_steps(calendar: Calendar, since: float, lasting: float, data: st.DataObject) -> None:
    gaps = data.draw(pauses(since))
    until = since + lasting
    assert elapsed(calendar, since, until, gaps) == step_by_step(calendar, since, until, gaps)


@patient
@given(calendars, instants, lengths, st.data())
def test_when_it_is_due_so_much_has_gone_by_and_not_before(
    calendar: Calendar, since: float, seconds: float, data: st.DataObject
) -> None:
    gaps = data.draw(pauses(since))
    at = due(calendar, since, seconds, gaps)
    assert at is not None
    assert elapsed(calendar, since, at, gaps) == pytest.approx(seconds)
    assert elapsed(calendar, since, at - STEP, gaps) == pytest.approx(seconds - STEP), "the last one counted"


@patient
@given(calendars, instants, lengths, lengths)
def test_time_adds_up(calendar: Calendar, since: float, one: float, other: float) -> None:
    middle, end = since + one, since + one + other
    assert elapsed(calendar, since, end) == elapsed(calendar, since, middle) + elapsed(calendar, middle, end)


@patient
@given(calendars, instants, lengths, st.data())
def test_the_business_time_of_a_pause_does_not_count(
    calendar: Calendar, since: float, seconds: float, data: st.DataObject
) -> None:
    gaps = data.draw(pauses(since))
    at, plain = due(calendar, since, seconds, gaps), due(calendar, since, seconds)
    assert at is not None
    assert plain is not None
    assert at >= plain
    paused = elapsed(calendar, since, at) - elapsed(calendar, since, at, gaps)
    assert elapsed(calendar, since, at) == pytest.approx(seconds + paused)


@patient
@given(calendars, instants, lengths, lengths)
def test_a_pause_without_an_end_stops_the_clock(calendar: Calendar, since: float, seconds: float, after: float) -> None:
    plain = due(calendar, since, seconds)
    assert plain is not None
    found = due(calendar, since, seconds, ((since + after, inf),))
    assert found == (plain if plain <= since + after else None)


def test_swapped_weekends_and_holidays_of_china() -> None:
    calendar = CALENDARS[0]
    wednesday = datetime(2026, 9, 30, 16, tzinfo=SHANGHAI).timestamp()  # before the National Day holidays of 2026
    first = due(calendar, wednesday, 2 * HOUR)
    assert first is not None
    expected = next(day for day in (date(2026, 10, 1) + timedelta(days=n) for n in range(12)) if CHINESE.works(day))
    assert datetime.fromtimestamp(first, SHANGHAI) == datetime(expected.year, expected.month, expected.day, 10,
                                                               tzinfo=SHANGHAI)  # fmt: skip
    swapped = [day for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
               if CHINESE.works(day) and day.weekday() >= 5]  # fmt: skip
    assert swapped
    saturday = datetime(swapped[0].year, swapped[0].month, swapped[0].day, 9, tzinfo=SHANGHAI).timestamp()
    assert due(calendar, saturday, HOUR) == saturday + HOUR


def test_both_changes_of_the_clock() -> None:
    night = Calendar(BERLIN, ((0, 24 * 60),), lambda day: True)
    spring, autumn = (datetime(2026, *day, tzinfo=BERLIN).timestamp() for day in ((3, 29), (10, 25)))
    assert elapsed(night, spring, spring + 23 * HOUR) == 23 * HOUR
    assert due(night, spring, 23 * HOUR) == night.instant(date(2026, 3, 30), 0)
    assert due(night, autumn, 25 * HOUR) == night.instant(date(2026, 10, 26), 0)


def test_a_year_that_is_not_published_is_told_and_not_guessed() -> None:
    last = datetime(max(PUBLISHED), 12, 31, 17, tzinfo=SHANGHAI).timestamp()
    with pytest.raises(UnknownDayError, match=str(max(PUBLISHED) + 1)):
        due(CALENDARS[0], last, HOUR)


@pytest.mark.parametrize(
    "texts", [(), ("9-17",), ("17:00-09:00",), ("09:00-12:00", "11:00-13:00"), ("09:60-10:00",), ("00:00-24:01",)]
)
def test_hours_that_are_none(texts: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        parse_hours(texts)


def test_hours() -> None:
    assert parse_hours(("09:00-12:00", "13:00-24:00")) == ((540, 720), (780, 1440))


# --- clocks ----------------------------------------------------------------------------------------------------------

WORK, ALWAYS = CALENDARS[0], CALENDARS[-1]


def terms(resolution: Calendar = WORK) -> Terms:
    hours = {"vip": (1, 2), "advanced": (1, 4), "standard": (2, 4)}
    severities = {"software": (1, resolution), "hardware": (24, resolution), "major": (72, resolution)}
    severities |= {"outage": (12, ALWAYS)}
    return Terms(
        {name: Limit("D1", of[0] * HOUR, ALWAYS) for name, of in hours.items()},
        {name: Limit("D1", of[1] * HOUR, resolution) for name, of in hours.items()},
        {name: {level: Limit("D2", of[0] * HOUR, of[1]) for level in LEVELS} for name, of in severities.items()},
        {level: Limit("D2", 16 * HOUR, ALWAYS) for level in LEVELS},
    )


TERMS = terms()
SATURDAY = datetime(2026, 11, 21, 12, tzinfo=SHANGHAI).timestamp()
MONDAY = datetime(2026, 11, 23, 9, tzinfo=SHANGHAI).timestamp()
matters = st.builds(
    Matter,
    instants,
    st.sampled_from((*LEVELS, "no such level")),
    st.sampled_from((None, *SEVERITIES)),
    st.none(),
    st.none(),
)


def named(matter: Matter, name: Name, by: Terms = TERMS) -> Clock:
    return next(clock for clock in clocks_of(matter, by) if clock.name is name)


@patient
@given(matters, lengths, lengths)
def test_the_states_follow_one_another_and_a_breach_stays(matter: Matter, one: float, other: float) -> None:
    order = [State.RUNNING, State.AT_RISK, State.BREACHED]
    for clock in clocks_of(matter, TERMS):
        first, second = clock.state(matter.opened_at + one), clock.state(matter.opened_at + one + other)
        assert order.index(first) <= order.index(second)
        assert clock.due_at is not None
        assert clock.warn_at is not None
        assert clock.state(clock.due_at) is State.AT_RISK, "within the time is in time"
        assert clock.state(clock.due_at + 0.001) is State.BREACHED
        assert clock.state(clock.warn_at) is State.AT_RISK


@patient
@given(matters, lengths)
def test_the_stricter_of_both_holds(matter: Matter, until: float) -> None:
    """A severity never gives more time than the level alone, and the least strict one never less than it alone."""
    plain = named(replace(matter, severity=None), Name.RESOLUTION)
    clock = named(matter, Name.RESOLUTION)
    assert clock.due_at is not None
    assert plain.due_at is not None
    assert clock.due_at <= plain.due_at
    if matter.severity is not None:
        alone = TERMS.severities[matter.severity][TERMS.level(matter.level)]
        assert clock.due_at == min(plain.due_at, due(alone.calendar, matter.opened_at, alone.seconds) or inf)


@patient
@given(matters, lengths, lengths)
def test_a_ticket_that_is_resolved_in_time_kept_its_clocks(matter: Matter, after: float, later: float) -> None:
    at = matter.opened_at + after
    done = replace(matter, responded_at=at, resolved_at=at)
    for clock in clocks_of(done, TERMS):
        assert clock.due_at is not None
        expected = State.KEPT if at <= clock.due_at else State.MISSED
        assert clock.state(at + later) is expected, "whatever time it is"


@patient
@given(matters, lengths, lengths, lengths)
def test_a_pause_moves_the_resolution_only(matter: Matter, after: float, lasting: float, later: float) -> None:
    begin = matter.opened_at + after
    paused = replace(matter, pauses=(Pause(begin, begin + lasting, "parts"),))
    assert named(paused, Name.RESPONSE) == named(matter, Name.RESPONSE)
    clock, plain = named(paused, Name.RESOLUTION), named(matter, Name.RESOLUTION)
    assert clock.due_at is not None
    assert plain.due_at is not None
    assert clock.due_at >= plain.due_at
    running = named(replace(matter, pauses=(Pause(begin, None, "parts"),)), Name.RESOLUTION)
    state = running.state(begin + later)
    if plain.due_at > begin:
        assert (state, running.due_at, running.paused_at) == (State.PAUSED, None, begin)
        assert running.used_seconds is not None
        assert running.used_seconds < running.limit_seconds
    else:
        assert state is State.BREACHED, "a pause after the breach changes nothing"


offsets = st.integers(-20, 200).map(lambda step: float(STEP * step))


@patient
@given(matters, st.none() | lengths, st.none() | lengths, st.lists(st.tuples(offsets, st.none() | offsets), max_size=3))
def test_whatever_is_stored_has_clocks(
    matter: Matter, planned: float | None, resolved: float | None, gaps: list[tuple[float, float | None]]
) -> None:
    """Also a pause that goes on behind a stopped clock, or one that ends before it begins."""
    began = matter.opened_at
    pauses = tuple(Pause(began + a, None if b is None else began + b, "parts") for a, b in gaps)
    stored = replace(matter, pauses=pauses)
    stored = stored if planned is None else replace(stored, plan_at=began + planned)
    stored = stored if resolved is None else replace(stored, resolved_at=began + resolved)
    for clock in clocks_of(stored, TERMS):
        assert (clock.stopped_at is None) == (clock.state(began) in GOING_ON)
        assert clock.due_at is None or clock.due_at >= clock.began_at + min(clock.limit_seconds, HOUR)


@patient
@given(matters)
def test_a_missed_call_is_only_to_be_responded_to(matter: Matter) -> None:
    assert [clock.name for clock in clocks_of(replace(matter, taken=False), TERMS)] == [Name.RESPONSE]


def test_the_matrix_of_the_standard_by_hand() -> None:
    """VIP on a Saturday at noon: answered around the clock within 1 h, resolved by Monday 11:00."""
    matter = Matter(SATURDAY, "vip")
    response, resolution = clocks_of(matter, TERMS)
    assert (response.due_at, response.warn_at) == (SATURDAY + HOUR, SATURDAY + 0.8 * HOUR)
    assert (resolution.due_at, resolution.rule) == (MONDAY + 2 * HOUR, "D1")
    software = named(replace(matter, severity="software"), Name.RESOLUTION)
    assert (software.due_at, software.rule) == (MONDAY + HOUR, "D2")
    assert named(replace(matter, severity="hardware"), Name.RESOLUTION).rule == "D1"


def test_a_total_outage_needs_a_plan_if_it_is_not_resolved_in_its_time() -> None:
    matter = Matter(SATURDAY, "standard", "outage")
    assert named(matter, Name.RESOLUTION).due_at == SATURDAY + 12 * HOUR
    assert named(matter, Name.PLAN).due_at == SATURDAY + 16 * HOUR
    planned = named(replace(matter, plan_at=SATURDAY + 15 * HOUR), Name.PLAN)
    assert planned.state(SATURDAY + DAY) is State.KEPT
    later = replace(matter, plan_at=SATURDAY + 15 * HOUR, pauses=(Pause(SATURDAY + 15.5 * HOUR, None, "parts"),))
    assert named(later, Name.PLAN).state(SATURDAY + DAY) is State.KEPT, "a pause that began when it had stopped"
    amid = replace(matter, plan_at=SATURDAY + 17 * HOUR, pauses=(Pause(SATURDAY + 15 * HOUR, None, "parts"),))
    assert named(amid, Name.PLAN).state(SATURDAY + DAY) is State.KEPT, "15 h had been used"
    in_time = clocks_of(replace(matter, resolved_at=SATURDAY + 11 * HOUR), TERMS)
    assert [clock.name for clock in in_time] == [Name.RESPONSE, Name.RESOLUTION]
    late = named(replace(matter, resolved_at=SATURDAY + 17 * HOUR), Name.PLAN)
    assert late.state(SATURDAY + DAY) is State.MISSED


def test_an_unknown_year_is_unknown_unless_something_stricter_is_known() -> None:
    last = datetime(max(PUBLISHED), 12, 31, 16, tzinfo=SHANGHAI).timestamp()
    clock = named(Matter(last, "standard"), Name.RESOLUTION)
    assert (clock.state(last + 1), clock.unknown_year, clock.due_at) == (State.UNKNOWN, max(PUBLISHED) + 1, None)
    assert named(Matter(last, "standard", "software"), Name.RESOLUTION).due_at == last + HOUR
    outage = named(Matter(last, "standard", "outage"), Name.RESOLUTION)
    assert outage.state(last + 1) is State.UNKNOWN, "that year may begin with working hours"


@patient
@given(st.lists(matters, min_size=2, max_size=6), lengths)
def test_the_worst_come_first(many: list[Matter], after: float) -> None:
    clocks = [clock for matter in many for clock in clocks_of(matter, TERMS)]
    now = max(matter.opened_at for matter in many) + after
    ordered = sorted(clocks, key=lambda clock: rank(clock, now))
    states = [clock.state(now) for clock in ordered]
    assume(all(state in GOING_ON for state in states))
    places = [(State.BREACHED, State.AT_RISK, State.RUNNING).index(state) for state in states]
    assert places == sorted(places)
    over = [clock.due_at for clock in ordered if clock.state(now) is State.BREACHED]
    assert over == sorted(at for at in over if at is not None)
