"""The pieces of time of a report: without a hole or an overlap, in any zone, on any day."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.days import DayKind, Days
from callcenter.errors import BadInput
from callcenter.reports.periods import (
    Grain,
    Interval,
    begin_of,
    bounds,
    cell_seconds,
    periods,
    placer,
    previous,
    same_part,
    slot_of,
    unobserved,
    workdays,
)

BERLIN, NEW_YORK, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")
CHINESE = Days(chinese=True)
ZONES = [
    *(BERLIN, NEW_YORK, SHANGHAI, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")),
    *(ZoneInfo("America/Havana"), ZoneInfo("Asia/Beirut"), ZoneInfo("Pacific/Apia"), ZoneInfo("Pacific/Chatham")),
]
"""Clocks that change by half an hour, at midnight, by a whole day, and such as lie 45 minutes beside the hour."""
zones = st.sampled_from(ZONES)
days = st.dates(date(2005, 1, 1), date(2032, 12, 31))


@st.composite
def intervals(draw: st.DrawFn, most: int = 60) -> Interval:
    first = draw(days)
    return Interval(first, first + timedelta(days=draw(st.integers(0, most - 1))))


@given(intervals(), st.sampled_from(Grain), zones)
def test_the_pieces_are_the_interval(interval: Interval, grain: Grain, zone: ZoneInfo) -> None:
    pieces = periods(interval, grain, zone)
    since, until = bounds(interval, zone)
    if since == until:  # the day that Samoa left out
        assert pieces == ()
        return
    assert pieces[0].since == since
    assert pieces[-1].until == until
    assert all(one.until == other.since for one, other in itertools.pairwise(pieces))
    assert all(piece.seconds > 0 for piece in pieces)
    assert len({piece.label for piece in pieces}) == len(pieces)


@given(intervals(most=9), zones, st.floats(0, 1, exclude_max=True))
def test_every_instant_is_in_one_piece_and_in_its_cell(interval: Interval, zone: ZoneInfo, share: float) -> None:
    since, until = bounds(interval, zone)
    at = since + share * (until - since)
    if not since <= at < until:
        return
    for grain in Grain:
        pieces = periods(interval, grain, zone)
        seconds = cell_seconds(pieces)
        cell = at // seconds * seconds
        place = placer(pieces)
        found = place(at)
        assert found == place(cell)
        assert found is not None
        assert pieces[found].since <= cell <= at < pieces[found].until
        assert place(until) is None
        assert place(since - 1) is None


@given(days, zones)
def test_half_hours_begin_where_the_clock_says(day: date, zone: ZoneInfo) -> None:
    for piece in periods(Interval(day, day), Grain.HALF_HOUR, zone):
        local = datetime.fromtimestamp(piece.since, zone)
        assert (local.minute % 30, local.second) == (0, 0)
        assert piece.label.startswith(local.strftime("%Y-%m-%d %H:%M"))
        assert slot_of(piece.since, zone) == local.hour * 2 + local.minute // 30


@pytest.mark.parametrize(
    ("zone", "day", "pieces", "twice", "never"),
    [
        (BERLIN, date(2026, 3, 29), 46, [], ["02:00", "02:30"]),
        (BERLIN, date(2026, 10, 25), 50, ["02:00", "02:30"], []),
        (NEW_YORK, date(2026, 3, 8), 46, [], ["02:00", "02:30"]),
        (NEW_YORK, date(2026, 11, 1), 50, ["01:00", "01:30"], []),
        (SHANGHAI, date(2026, 10, 25), 48, [], []),
    ],
)
def test_the_clock_is_changed(zone: ZoneInfo, day: date, pieces: int, twice: list[str], never: list[str]) -> None:
    found = periods(Interval(day, day), Grain.HALF_HOUR, zone)
    assert len(found) == pieces
    shown = [piece.label[11:16] for piece in found]
    assert sorted({one for one in shown if shown.count(one) == 2}) == twice
    assert not set(never) & set(shown)
    labels = [piece.label for piece in found if piece.label[11:16] in twice]
    assert all(label[16:].strip() for label in labels), "the offset tells the two apart"
    (whole,) = periods(Interval(day, day), Grain.DAY, zone)
    assert whole.seconds == pieces * 1800


def test_known_instants_of_both_changes() -> None:
    """Berlin puts the clock back at 01:00 UTC: the second 02:30 is 01:30 UTC."""
    found = periods(Interval(date(2026, 10, 25), date(2026, 10, 25)), Grain.HALF_HOUR, BERLIN)
    by_label = {piece.label: piece.since for piece in found}
    assert by_label["2026-10-25 02:30 +0200"] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert by_label["2026-10-25 02:30 +0100"] == datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp()
    assert "2026-10-25 03:00" in by_label


def test_weeks_and_months_that_the_interval_cuts_say_so() -> None:
    interval = Interval(date(2026, 9, 30), date(2026, 11, 2))
    months = periods(interval, Grain.MONTH, SHANGHAI)
    assert [(one.label, one.whole) for one in months] == [("2026-09", False), ("2026-10", True), ("2026-11", False)]
    weeks = periods(interval, Grain.WEEK, SHANGHAI)
    assert (weeks[0].label, weeks[0].whole, weeks[1].whole, weeks[-1].whole) == ("2026-W40", False, True, False)
    assert weeks[1].day == date(2026, 10, 5)


@given(intervals(most=400))
def test_the_interval_before_is_of_equal_kind(interval: Interval) -> None:
    before = previous(interval)
    assert before.last < interval.first
    whole = interval.first.day == 1 and (interval.last + timedelta(days=1)).day == 1
    if whole:
        assert before.first.day == 1
        assert before.last + timedelta(days=1) == interval.first
    else:
        assert before.days == interval.days
        assert before.first.weekday() == interval.first.weekday()
        assert (interval.first - before.first).days < interval.days + 7


@given(intervals(), zones, st.floats(0, 1))
def test_the_same_part_of_the_interval_before(interval: Interval, zone: ZoneInfo, share: float) -> None:
    before = previous(interval)
    (since, until), (began, ended) = bounds(interval, zone), bounds(before, zone)
    now = since + share * (until - since)
    cut = same_part(interval, before, now, zone)
    assert began <= cut + 86_400, "a day that the clock leaves out begins as the next one"
    assert cut <= ended
    if now >= until:
        assert cut == ended
    elif cut < ended:
        local, same = datetime.fromtimestamp(now, zone), datetime.fromtimestamp(cut, zone)
        assert abs((same.date() - before.first).days - (local.date() - interval.first).days) <= 1
        assert abs((cut - began) - (now - since)) <= 26 * 3600, "but for changes of the clock"


def test_until_the_same_time_by_the_clock() -> None:
    def cut(first: date, last: date, now: datetime, zone: ZoneInfo = SHANGHAI) -> str:
        interval = Interval(first, last)
        return datetime.fromtimestamp(same_part(interval, previous(interval), now.timestamp(), zone), zone).isoformat()

    at = datetime(2026, 11, 28, 7, 44, tzinfo=SHANGHAI)
    today = date(2026, 11, 28)
    assert cut(today, today, at) == "2026-11-21T07:44:00+08:00"
    assert cut(date(2026, 11, 1), today, at) == "2026-10-31T07:44:00+08:00"
    assert cut(date(2026, 11, 1), date(2026, 11, 30), at) == "2026-10-28T07:44:00+08:00"
    end_of_march = datetime(2026, 3, 31, 9, 0, tzinfo=SHANGHAI)
    assert cut(date(2026, 3, 1), date(2026, 3, 31), end_of_march) == "2026-03-01T00:00:00+08:00", "all of February"
    october = datetime(2026, 10, 31, 9, 30, tzinfo=BERLIN)
    assert cut(date(2026, 10, 31), date(2026, 10, 31), october, BERLIN) == "2026-10-24T09:30:00+02:00"


def test_the_interval_before_a_month_is_the_month_before() -> None:
    assert previous(Interval(date(2026, 3, 1), date(2026, 3, 31))) == Interval(date(2026, 2, 1), date(2026, 2, 28))
    assert previous(Interval(date(2026, 1, 1), date(2026, 3, 31))) == Interval(date(2025, 10, 1), date(2025, 12, 31))
    assert previous(Interval(date(2026, 3, 4), date(2026, 3, 4))) == Interval(date(2026, 2, 25), date(2026, 2, 25))


def test_swapped_workdays_of_china() -> None:
    """From the State Council's notice for 2026: 14 and 28 February are worked, 15 to 23 February are off."""
    assert CHINESE.kind(date(2026, 2, 14)) is DayKind.SWAPPED
    assert CHINESE.kind(date(2026, 2, 16)) is DayKind.HOLIDAY
    assert CHINESE.kind(date(2026, 2, 28)) is DayKind.SWAPPED
    assert CHINESE.kind(date(2026, 3, 7)) is DayKind.WEEKEND
    assert CHINESE.kind(date(2026, 3, 6)) is DayKind.WORKDAY
    february = Interval(date(2026, 2, 1), date(2026, 2, 28))
    assert workdays(february, CHINESE) == sum(
        CHINESE.kind(day) in (DayKind.WORKDAY, DayKind.SWAPPED) for day in february.dates()
    )
    assert workdays(february, CHINESE) == 16
    assert CHINESE.kind(date(2099, 1, 1)) is DayKind.UNKNOWN
    assert workdays(Interval(date(2099, 1, 1), date(2099, 1, 2)), CHINESE) is None
    assert Days.of(BERLIN).kind(date(2026, 2, 14)) is DayKind.WEEKEND, "China's calendar is not Berlin's"


gap = st.tuples(st.floats(-100, 2000), st.floats(0, 900)).map(lambda one: (one[0], one[0] + one[1]))


@given(st.lists(gap, max_size=8))
def test_unobserved_time_counts_once(gaps: list[tuple[float, float]]) -> None:
    pieces = periods(Interval(date(2026, 11, 26), date(2026, 11, 26)), Grain.HALF_HOUR, SHANGHAI)
    begin = pieces[0].since
    moved = [(begin + since, begin + until) for since, until in gaps]
    found = unobserved(pieces, moved)
    blind = [any(since <= at + 0.5 < until for since, until in gaps) for at in range(-100, 3000)]
    assert sum(found) == pytest.approx(sum(blind[100:]), abs=2 * len(gaps) + 1e-6)
    assert all(0 <= seconds <= piece.seconds + 1e-6 for seconds, piece in zip(found, pieces, strict=True))


def test_too_many_lines_and_an_interval_turned_around_are_refused() -> None:
    with pytest.raises(BadInput, match="shorter interval"):
        periods(Interval(date(2020, 1, 1), date(2026, 1, 1)), Grain.HALF_HOUR, SHANGHAI)
    with pytest.raises(BadInput, match="before it begins"):
        Interval(date(2026, 1, 2), date(2026, 1, 1))
    assert begin_of(date(2026, 3, 29), BERLIN) == datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp()
