"""Erlang C against published figures and a simulation; the forecast and its errors against what must hold."""

import heapq
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.days import DayKind, Days
from callcenter.reports.erlang import MAX_SEATS, erlang_b, erlang_c, load, seats_by_rule, seats_for, staffing
from callcenter.reports.forecast import AHEAD_DAYS, SLOTS, Day, expected, forecast, seats, tried

CHINESE = Days(chinese=True)

# J. Dunlop, D. Girma, J. Irvine: Digital Mobile Communications and the TETRA System (Wiley 1999), A.4, Erlang C table:
# the traffic at which a call waits with the probability, on so many channels.
TABLE = [(8, 0.05, 3.87), (10, 0.01, 4.08)]
# The R package ErlangC (CRAN, 2024), README: 100 calls in 30 min of 180 s, 20 s, 14 agents; 11 agents in its table. The
# same figures are in the README of pyworkforce (PyPI) 0.1.0.
EXAMPLE = {"waits": 0.1741319335950498, "share": 0.8883500191794669, "asa": 7.83593701177724, "occupancy": 10 / 14}


@pytest.mark.parametrize(("channels", "probability", "erlangs"), TABLE)
def test_the_published_table(channels: int, probability: float, erlangs: float) -> None:
    assert erlang_c(channels, erlangs) == pytest.approx(probability, abs=0.0005)
    assert erlang_c(channels, erlangs - 0.01) < probability < erlang_c(channels, erlangs + 0.01)


def test_the_published_example() -> None:
    erlangs = load(100, 1800, 180)
    assert erlangs == pytest.approx(10)
    assert erlang_c(14, erlangs) == pytest.approx(EXAMPLE["waits"])
    assert erlang_c(11, erlangs) == pytest.approx(0.6821182, abs=1e-6)
    found = seats_for(erlangs, 180, 0.8, 20)
    assert found is not None
    assert found.seats == 14
    assert found.share == pytest.approx(EXAMPLE["share"])
    assert found.asa_seconds == pytest.approx(EXAMPLE["asa"])
    assert found.occupancy == pytest.approx(EXAMPLE["occupancy"])


loads = st.floats(0.01, 300)


@given(st.integers(1, 400), loads)
def test_probabilities_are_probabilities(number: int, erlangs: float) -> None:
    blocked, waits = erlang_b(number, erlangs), erlang_c(number, erlangs)
    assert 0 <= blocked <= waits <= 1
    assert erlang_c(number + 1, erlangs) <= waits
    assert (waits == 1) or number > erlangs


@given(loads, st.floats(10, 1200), st.floats(0.5, 0.99), st.floats(0, 120))
def test_fewest_seats_that_reach_the_target(erlangs: float, aht: float, target: float, threshold: float) -> None:
    found = seats_for(erlangs, aht, target, threshold)
    assert found is not None
    assert found.share >= target
    assert found == staffing(found.seats, erlangs, aht, threshold)
    fewer = staffing(found.seats - 1, erlangs, aht, threshold)
    assert fewer.share < target or fewer.asa_seconds is None
    assert 0 < found.occupancy < 1


def test_no_load_and_too_much() -> None:
    assert seats_for(0, 180, 0.8, 20) == staffing(0, 0, 180, 20)
    assert seats_for(MAX_SEATS + 1, 180, 0.8, 20) is None
    assert staffing(3, 3.0, 180, 20).asa_seconds is None


def simulated(
    number: int, erlangs: float, aht: float, threshold: float, calls: int, random: Random
) -> tuple[float, float]:
    """A queue of exponential calls, served in order: the share that waited, and the share answered in time."""
    free, at, waited, in_time = [0.0] * number, 0.0, 0, 0
    for call in range(calls + 2_000):
        at += random.expovariate(erlangs / aht)
        begin = max(at, heapq.heappop(free))
        heapq.heappush(free, begin + random.expovariate(1 / aht))
        if call >= 2_000:  # the first ones find an empty house
            waited += begin > at
            in_time += begin - at <= threshold
    return waited / calls, in_time / calls


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 25), st.floats(0.3, 0.85), st.integers(0, 10**6))
def test_a_simulation_waits_as_the_formula_says(number: int, occupancy: float, seed: int) -> None:
    erlangs, calls = number * occupancy, 30_000
    waited, in_time = simulated(number, erlangs, 180, 20, calls, Random(seed))
    assert waited == pytest.approx(erlang_c(number, erlangs), abs=0.06)
    assert in_time == pytest.approx(staffing(number, erlangs, 180, 20).share, abs=0.06)


def day(at: date, total: float, slot: int = 18, blind: float = 0.0) -> Day:
    return Day(at, CHINESE.kind(at), tuple(total if n == slot else 0.0 for n in range(SLOTS)), blind)


TODAY = date(2026, 11, 26)
PAST = [TODAY - timedelta(days=back) for back in range(84, 0, -1)]
KINDS = {TODAY + timedelta(days=n): CHINESE.kind(TODAY + timedelta(days=n)) for n in range(AHEAD_DAYS)}


def test_every_weekday_repeats_itself() -> None:
    history = [day(at, 10.0 + at.weekday()) for at in PAST]
    for one in forecast(history, TODAY, KINDS):
        assert one.total == pytest.approx(10 + one.day.weekday())
        assert one.calls is not None
        assert one.calls[18] == one.total
        assert len(one.like) == 6
    error = tried(history, TODAY)
    assert (error.days, error.half_hours_wape, error.days_wape, error.bias) == (28, 0.0, 0.0, 0.0)
    assert sum(week.calls for week in error.weeks) == error.calls


def test_one_bad_day_does_not_spoil_the_median_and_a_blind_one_is_left_out() -> None:
    history = [day(at, 1000.0 if at == date(2026, 11, 19) else 12.0) for at in PAST]
    assert forecast(history, TODAY, KINDS)[0].total == pytest.approx(12.0)
    blind = [
        day(at, 0.0 if at == date(2026, 11, 19) else 12.0, blind=7200.0 * (at == date(2026, 11, 19))) for at in PAST
    ]
    one = forecast(blind, TODAY, KINDS)[0]
    assert date(2026, 11, 19) not in one.like
    assert one.total == pytest.approx(12.0)


def test_too_little_history_is_said() -> None:
    history = [day(at, 10.0) for at in PAST[-14:]]
    assert {one.total for one in forecast(history, TODAY, KINDS)} == {None}
    error = tried(history, TODAY)
    assert (error.days, error.half_hours_wape, error.bias) == (0, None, None)
    assert forecast([], TODAY, KINDS)[0].calls is None


def test_swapped_workdays_and_holidays() -> None:
    """National Day 2026 is off from the 1st to the 7th; Saturday the 10th of October is worked."""
    past = [date(2026, 10, 1) - timedelta(days=back) for back in range(60, 0, -1)]
    history = [day(at, 50.0 if CHINESE.kind(at) is DayKind.WORKDAY else 5.0) for at in past]
    worked = expected(history, date(2026, 10, 10), CHINESE.kind(date(2026, 10, 10)))
    assert (worked.kind, worked.total) == (DayKind.SWAPPED, pytest.approx(50.0))
    off = expected(history, date(2026, 10, 2), CHINESE.kind(date(2026, 10, 2)))
    assert (off.kind, off.total) == (DayKind.HOLIDAY, pytest.approx(5.0))
    assert off.like == tuple(date(2026, 9, number) for number in (25, 26, 27)), "the Mid-Autumn days"
    first = expected([one for one in history if one.day < date(2026, 9, 25)], date(2026, 9, 25), DayKind.HOLIDAY)
    assert all(one.weekday() == 6 for one in first.like), "Sundays until there were enough holidays"
    assert first.total == pytest.approx(5.0)


@given(st.lists(st.integers(0, 60), min_size=84, max_size=84), st.integers(0, 10**6))
def test_a_trial_knows_only_what_was_known_then(totals: list[int], seed: int) -> None:
    """Whatever came in the last two weeks changes no forecast of the two weeks before it."""
    random = Random(seed)
    history = [day(at, float(total)) for at, total in zip(PAST, totals, strict=True)]
    changed = [*history[:-14], *(day(one.day, float(random.randrange(60))) for one in history[-14:])]
    for back in range(28, 14, -1):
        at = TODAY - timedelta(days=back)
        known, other = ([one for one in days if one.day < TODAY - timedelta(days=28)] for days in (history, changed))
        assert expected(known, at, CHINESE.kind(at)) == expected(other, at, CHINESE.kind(at))
    first, second = tried(history, TODAY), tried(changed, TODAY)
    if not first.weeks or not second.weeks:
        return
    assert [week.forecast for week in first.weeks[:2]] == [week.forecast for week in second.weeks[:2]]
    if first.bias is not None:
        assert first.days_wape is not None
        assert first.half_hours_wape is not None
        assert abs(first.bias) <= first.days_wape + 1e-9 <= first.half_hours_wape + 2e-9


def test_seats_of_a_half_hour() -> None:
    found = seats(100, 180, 0.8, 20)
    assert found is not None
    assert found.seats == 14


@given(st.integers(0, 10**7))
def test_the_rule_is_two_seats_for_each_thousand_and_no_part_of_a_seat(users: int) -> None:
    """A6."""
    seats_needed = seats_by_rule(users)
    assert seats_needed * 1000 >= 2 * users > (seats_needed - 1) * 1000 or users == seats_needed == 0
