"""The heat map and the comparisons of the page of reports, worked out by hand."""

import re
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from callcenter.metrics.service_levels import Tally
from callcenter.reports.command import table
from callcenter.reports.figures import Cell, Sums
from callcenter.reports.heat import HOLIDAY, STEPS, SWAPPED, Heat, heat
from callcenter.reports.periods import Grain, Interval, periods
from callcenter.reports.report import Question, Report, Sheet, Site
from callcenter.settings import SeatGroup, Settings
from callcenter.settings.together import check_together
from callcenter.web.report_view import Change, change, chart

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
ONE = Sums(Tally(answered=1, answered_in_time=1)).numbers


def half_hours(interval: Interval, zone: ZoneInfo, calls_at: dict[str, int]) -> Report:
    """So many calls in the half-hours with these labels."""
    pieces = periods(interval, Grain.HALF_HOUR, zone)
    of = {piece.label: piece.since for piece in pieces}
    cells = [Cell(of[label], "support", "", ONE) for label, many in calls_at.items() for _ in range(many)]
    sheet = Sheet(Question(interval, Grain.HALF_HOUR), Site(zone), pieces)
    sheet.add_cells(cells)
    return sheet.report([0.0] * len(pieces))


def shown(interval: Interval, zone: ZoneInfo, calls_at: dict[str, int]) -> Heat:
    report = half_hours(interval, zone, calls_at)
    return heat(report.lines, report.site)


def test_holidays_and_swapped_workdays_have_columns_of_their_own() -> None:
    """Thursday the 1st of October 2026 is a holiday, Saturday the 10th is worked."""
    october = Interval(date(2026, 10, 1), date(2026, 10, 14))
    found = shown(october, SHANGHAI, {"2026-10-01 09:00": 3, "2026-10-10 09:30": 4, "2026-10-08 09:00": 2})
    assert found.columns == (0, 1, 2, 3, 4, 6, HOLIDAY, SWAPPED)
    assert found.fields[9, HOLIDAY].mean == pytest.approx(3 / 7)
    assert found.fields[9, SWAPPED].mean == 4
    assert found.fields[9, 3].mean == 2, "the holiday is no Thursday"
    assert found.fields[3, 3].mean == 0
    assert (found.step(9, SWAPPED), found.step(3, 3), found.step(9, HOLIDAY)) == (STEPS, 0, 1)


def test_an_hour_that_the_clock_repeats_or_leaves_out() -> None:
    back = shown(Interval(date(2026, 10, 25), date(2026, 10, 25)), BERLIN, {"2026-10-25 02:30 +0200": 4})
    assert (back.fields[2, 6].hours, back.fields[2, 6].mean) == (2.0, 2.0)
    forward = shown(Interval(date(2026, 3, 29), date(2026, 3, 29)), BERLIN, {})
    assert (2, 6) not in forward.fields, "that hour never was: no figure, not 0"
    assert forward.most == 0


def test_only_hours_that_are_over_and_were_observed_are_divided_by() -> None:
    """Two Thursdays; of the second one 09:00 to 09:20 unobserved with two calls of call records alone, and one call of
    which they told something at 09:25, when it was observed; it is 10:10."""
    days = Interval(date(2026, 11, 19), date(2026, 11, 26))
    pieces = periods(days, Grain.HALF_HOUR, SHANGHAI)
    of = {piece.label: number for number, piece in enumerate(pieces)}
    blind = [0.0] * len(pieces)
    for label, seconds in (("2026-11-26 09:00", 1200.0), ("2026-11-19 03:00", 1800.0), ("2026-11-19 03:30", 1800.0)):
        blind[of[label]] = seconds
    blind[of["2026-11-26 03:00"]] = blind[of["2026-11-26 03:30"]] = 1800.0
    recovered = Sums(Tally(answered=1, answered_in_time=1), recovered=1).numbers
    labels = {"2026-11-19 09:00": [ONE] * 6, "2026-11-26 09:00": [ONE] + 3 * [recovered]}
    labels |= {"2026-11-19 09:30": [recovered], "2026-11-26 10:00": [ONE] * 3, "2026-11-26 03:00": [recovered]}
    sheet = Sheet(Question(days, Grain.HALF_HOUR), Site(SHANGHAI), pieces)
    sheet.add_cells(Cell(pieces[of[at]].since, "support", "", one) for at, many in labels.items() for one in many)
    nine_on, three_on = (pieces[of[f"2026-11-26 0{hour}:00"]].since for hour in (9, 3))
    told = [(nine_on + 300, "support", ""), (nine_on + 1199.9, "support", ""), (nine_on + 1500, "support", "")]
    told += [(three_on + 600, "support", ""), (pieces[of["2026-11-19 09:30"]].since, "support", "")]
    sheet.add_recovered(told, [(three_on, three_on + 3600), (nine_on, nine_on + 1200)])
    found = heat(sheet.report(blind, now=pieces[of["2026-11-26 10:00"]].since + 600).lines, Site(SHANGHAI))
    nine = found.fields[9, 3]
    assert (nine.calls, nine.hours, nine.blind_hours) == (9, pytest.approx(2 - 1 / 3), pytest.approx(1 / 3))
    assert nine.mean == pytest.approx(9 / (5 / 3))
    assert nine.blind_calls == 2, "they came in the unobserved time, which is not divided by"
    ten = found.fields[10, 3]
    assert (ten.calls, ten.hours, ten.blind_hours) == (3, pytest.approx(1 + 1 / 6), 0.0)
    assert (found.fields[11, 3].hours, found.fields[11, 3].mean) == (1.0, 0.0), "only the Thursday that is over"
    three = found.fields[3, 3]
    assert (three.mean, three.blind_hours, three.calls, three.blind_calls) == (None, 2.0, 0, 1)
    assert (found.step(3, 3), found.step(9, 3)) == (0, STEPS)
    assert (found.hours, found.blind_hours) == (pytest.approx(7 * 24 + 10 + 1 / 6 - 7 / 3), pytest.approx(7 / 3))


def test_less_than_a_quarter_of_an_hour_is_no_mean() -> None:
    day = Interval(date(2026, 11, 26), date(2026, 11, 26))
    pieces = periods(day, Grain.HALF_HOUR, SHANGHAI)
    sheet = Sheet(Question(day, Grain.HALF_HOUR), Site(SHANGHAI), pieces)
    sheet.add_cells([Cell(pieces[20].since, "support", "", ONE)])
    for seconds, mean in ((30, None), (899, None), (900, 4.0)):
        shown = heat(sheet.report([0.0] * 48, now=pieces[20].since + seconds).lines, Site(SHANGHAI))
        assert shown.fields[10, 3].mean == mean
        assert shown.fields[11, 3].mean is None, "still to come"


def test_changes_say_how_much_and_whether_it_is_better() -> None:
    assert change(0.85, 0.80, "share", 1) == Change("up", pytest.approx(5.0), True)
    assert change(0.10, 0.05, "share", -1) == Change("up", pytest.approx(5.0), False)
    assert change(8.0, 10.0, "seconds", -1) == Change("down", pytest.approx(20.0), True)
    assert change(120, 100, "count", 0) == Change("up", pytest.approx(20.0), None)
    assert change(0.8, 0.8, "share", 1) == Change("same", 0.0, None)
    assert change(0.796, 0.8, "share", 1) == Change("down", pytest.approx(0.4), None), "chance is no verdict"
    assert change(0.794, 0.8, "share", 1) == Change("down", pytest.approx(0.6), False)
    assert change(100.9, 100, "seconds", -1) == Change("up", pytest.approx(0.9), None)
    assert change(101, 100, "seconds", -1) == Change("up", pytest.approx(1.0), False)
    assert change(None, 0.8, "share", 1) is None
    assert change(0.8, None, "share", 1) is None
    assert change(5, 0, "count", 0) is None, "nothing to take a share of"


def test_the_line_of_the_chart_breaks_where_there_are_no_calls() -> None:
    today = Interval(date(2026, 11, 26), date(2026, 11, 26))
    labels = ("09:00", "09:30", "11:00", "11:30")
    found = chart(half_hours(today, SHANGHAI, {f"2026-11-26 {at}": 2 for at in labels}))
    assert found is not None
    assert len(found.lines) == 2
    assert sum(bar.level_y is None for bar in found.bars) == 44
    assert chart(half_hours(today, SHANGHAI, {})) is None


def test_a_seat_is_in_one_group() -> None:
    problems: list[str] = []
    groups = {"day": SeatGroup(("1001", "1002")), "night": SeatGroup(("1002",)), "empty": SeatGroup()}
    check_together(Settings(seat_groups=groups), problems)
    assert problems == [
        "seat_groups.night: seat 1002 is in day, too, and would count twice; leave it in one.",
        'seat_groups.empty: needs a name and seats; write seats = ["1001"], or take the group out.',
    ]


def test_each_share_of_the_command_line_has_its_calls() -> None:
    day = half_hours(Interval(date(2026, 10, 14), date(2026, 10, 14)), SHANGHAI, {"2026-10-14 09:00": 3})
    _, before, heads, *lines = table(replace(day, before=day)).splitlines()
    assert "SL 100 % of 3 calls; now 3 calls, SL 100 % of 3 calls" in before
    assert heads.count("of calls") == 3
    shares = [re.findall(r"(\S+) %  +(\S+)", line) for line in lines if " % " in line]
    assert shares
    assert all(len(of) == 3 and {calls for _, calls in of} == {"3"} for of in shares)
