"""The duty plan's file with every mistake that a site may make, and the roster of a running daemon (A5)."""

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.core import Metric

from callcenter.ami.events import MemberState
from callcenter.cli import main
from callcenter.duty import LiveDuty, standing_of
from callcenter.errors import BadInput, BrokenWorld
from callcenter.roster.duty import Key, Post, Standing, State
from callcenter.roster.files import PlanFiles, read_plan
from callcenter.roster.plan import Plan, instant
from callcenter.roster.sheet import sheet_of
from callcenter.settings import Roster, SeatGroup, Settings

ZONE = ZoneInfo("Asia/Shanghai")
GOOD = """
first = 2026-11-01
last = "2026-11-30"
[shifts.day]
begins = 08:30:00
ends = "17:30"
calendar = "workday"
seats = ["1001", "1002"]
groups = ["night"]
breaks = ["12:00-13:00"]
[shifts."夜班"]
begins = "20:00"
ends = "08:00"
seats = ["1009"]
[[exceptions]]
date = 2026-11-26
shift = "day"
absent = ["1002"]
extra = ["1005"]
note = "training"
[[exceptions]]
date = "2026-11-26"
swap = ["1001", "1009"]
"""
GROUPS = {"night": ("1003", "1002")}


def problems(text: str) -> list[str]:
    return sheet_of(tomllib.loads(text), ZONE, GROUPS)[1]


def test_a_sheet_is_what_stands_in_the_file() -> None:
    sheet, wrong = sheet_of(tomllib.loads(GOOD), ZONE, GROUPS)
    assert sheet is not None
    assert wrong == []
    day, night = sheet.shifts
    assert (day.begins, day.ends, day.seats) == (510, 1050, ("1001", "1002", "1003"))
    assert (day.breaks, day.break_seconds, night.name) == (((720, 780),), 900.0, "夜班")
    assert sheet.seats(day, sheet.last) == ("1001", "1002", "1003")
    assert sheet.seats(day, sheet.changes[0].day) == ("1009", "1003", "1005")
    assert sheet.seats(night, sheet.changes[0].day) == ("1001",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("first = 2026-11-01", "", "first: '' is no day"),
        ('last = "2026-11-30"', 'last = "30.11."', "last: '30.11.' is no day; write it as 2026-11-30."),
        ('last = "2026-11-30"', 'last = "2026-10-30"', "last: must lie 0 to 399 days after first"),
        ('last = "2026-11-30"', 'last = "2028-11-30"', "last: must lie 0 to 399 days after first"),
        ('last = "2026-11-30"', 'last = "9999-12-31"', "last: 9999-12-31 is outside 2000 to 2199; correct its year."),
        ("first = 2026", "frist = 2026", "frist: is not known; perhaps first is meant."),
        ('ends = "17:30"', 'ends = "25:00"', "shifts.day.ends: '25:00' is no time of day"),
        ("begins = 08:30:00", "begins = 830", "shifts.day.begins: 830 is not a text"),
        ("begins = 08:30:00", 'begins = "24:00"', "shifts.day.begins: a shift cannot begin at 24:00"),
        ('calendar = "workday"', 'days = ["mon", "Tue"]', "shifts.day.days: 'Tue' is no weekday; use mon, tue"),
        ('calendar = "workday"', 'calendar = "weekday"', "shifts.day.calendar: 'weekday' is not one of workday"),
        ('calendar = "workday"', 'dates = ["tomorrow"]', "shifts.day.dates: 'tomorrow' is no day"),
        ('seats = ["1001", "1002"]', 'seats = ["10 01"]', "shifts.day.seats: '10 01' is no extension"),
        ('seats = ["1001", "1002"]', "seats = [1001]", "shifts.day.seats[1]: 1001 is not a text"),
        ('seats = ["1009"]', "", "shifts.夜班: nobody is planned"),
        ('groups = ["night"]', 'groups = ["nihgt"]', "shifts.day.groups: there is no seat group 'nihgt'"),
        ('breaks = ["12:00-13:00"]', 'breaks = ["17:00-18:00"]', "shifts.day.breaks: '17:00-18:00' does not lie"),
        ('breaks = ["12:00-13:00"]', 'breaks = ["noon"]', "shifts.day.breaks: 'noon' is no time of day"),
        ('breaks = ["12:00-13:00"]', "break_minutes = 900", "shifts.day.break_minutes: 900.0 is outside 0 to 480;"),
        ('["1009"]', '["1009"]\n[shifts.x]\ndays = ["mon"]\nbegins = "09:00"\nends = "10:00"\nseats = ["1001"]',
         "shifts.x: on 2026-11-02 seat 1001 is in day at the same time"),
        ("date = 2026-11-26", "date = 2026-12-26", "exceptions[1].date: 2026-12-26 is not a day of this file"),
        ('shift = "day"', 'shift = "dya"', "exceptions[1].shift: there is no shift 'dya'; there are day, 夜班."),
        ('shift = "day"', "", "exceptions[1].extra: in which shift?"),
        ('absent = ["1002"]', 'absent = ["1008"]', "exceptions[1].absent: seat 1008 is not planned in it"),
        ('swap = ["1001", "1009"]', 'swap = ["1001"]', "exceptions[2].swap: two seats change places"),
        ('swap = ["1001", "1009"]', 'swap = ["1007", "1008"]', "exceptions[2].swap: neither seat is planned in it"),
        ('swap = ["1001", "1009"]', "", "exceptions[2]: changes nothing"),
    ],
)  # fmt: skip
def test_each_mistake_names_its_key_and_the_remedy(old: str, new: str, said: str) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(one.startswith(said) for one in found), found


def test_all_mistakes_are_told_at_once_and_each_once() -> None:
    wrong = GOOD.replace("08:30:00", "true").replace('ends = "17:30"', 'ends = "x"').replace('"1009"]', '"10 09"]', 1)
    found = problems(wrong.replace('shift = "day"', 'shift = "?"'))
    assert [one.partition(": ")[0] for one in found] == [
        *("shifts.day.begins", "shifts.day.ends", "shifts.夜班.seats", "exceptions[1].shift"),
    ]


def test_the_example_of_the_docs_is_right() -> None:
    text = (Path(__file__).parents[2] / "docs" / "roster.md").read_text("utf-8")
    example = text.partition("## A complete example")[2].split("```")[1].removeprefix("toml")
    assert sheet_of(tomllib.loads(example), ZONE, GROUPS)[1] == []


def test_nothing_in_a_file_raises() -> None:
    for text in ("shifts = 3", "[shifts]\nx = 3", "exceptions = [1]", "[[shifts]]", "first = 2026-11-01T08:00:00"):
        assert problems(text)


def test_files_follow_each_other_and_no_day_stands_in_two(tmp_path: Path) -> None:
    one, two = tmp_path / "11.toml", tmp_path / "12.toml"
    one.write_text(GOOD, "utf-8")
    two.write_text(GOOD.split("[[")[0].replace("2026-11-", "2026-12-"), "utf-8")
    plan = read_plan([one, two], ZONE, GROUPS)
    december = plan.sheets[1].last
    assert plan.reaches(instant(plan.sheets[0].first, 0, ZONE)) == instant(december, 1440, ZONE)
    two.write_text(GOOD.replace("first = 2026-11-01", "first = 2026-11-30").replace("-11-26", "-11-30"), "utf-8")
    with pytest.raises(BadInput, match=r"12\.toml: first: 2026-11-30 is planned in 11\.toml, too"):
        read_plan([one, two], ZONE, GROUPS)


def test_no_seat_is_planned_twice_over_the_midnight_between_two_files(tmp_path: Path) -> None:
    one, two = tmp_path / "11.toml", tmp_path / "12.toml"
    one.write_text(GOOD, "utf-8")
    early = GOOD.split("[[")[0].replace("2026-11-", "2026-12-").replace("08:30:00", "06:00:00")
    two.write_text(early, "utf-8")
    assert read_plan([one, two], ZONE, GROUPS), "a night shift of 1009 and an early one of others"
    two.write_text(early.replace('"1009"', '"1010"').replace('"1001", "1002"', '"1009"'), "utf-8")
    with pytest.raises(BadInput, match=r"12\.toml: shifts\.day: on 2026-12-01 seat 1009 is still in 夜班 of the file"):
        read_plan([two, one], ZONE, GROUPS)


def test_a_break_from_midnight_may_be_written_either_way() -> None:
    sheet, wrong = sheet_of(tomllib.loads(GOOD.replace('"20:00"', '"00:00"', 1) + '[shifts.n]\nbegins = "00:00"\n'
                            'ends = "08:00"\nseats = ["1010"]\nbreaks = ["24:00-00:30"]\n'), ZONE, GROUPS)  # fmt: skip
    assert sheet is not None, wrong
    (turn,) = (one for one in Plan((sheet,), ZONE).turns(sheet.first) if one.shift == "n")
    assert turn.breaks == ((turn.begins_at, turn.begins_at + 1800),)


def test_a_broken_file_keeps_the_plan_that_was_and_is_read_again_when_it_is_right(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    files = PlanFiles([file], ZONE, GROUPS)
    assert files.reread()
    assert files.plan is None
    assert "cannot be read (No such file or directory)" in files.problems[0]
    assert not files.reread(), "the same again is no news"
    file.write_text(GOOD, "utf-8")
    assert files.reread()
    plan = files.plan
    assert plan is not None
    assert files.problems == ()
    file.write_text(GOOD + "x", "utf-8")
    assert files.reread()
    assert files.plan is plan
    assert "is not TOML" in files.problems[0]
    file.write_text(GOOD.replace("17:30", "18:00"), "utf-8")
    assert files.reread()
    assert files.plan is not plan
    assert not files.problems


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_checks_and_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, file = tmp_path / "callcenter.toml", tmp_path / "plan.toml"
    config.write_text('[roster]\nfiles = ["plan.toml"]\n[seat_groups.night]\nseats = ["1003"]\n', "utf-8")
    file.write_text(GOOD, "utf-8")
    assert main(["roster", "check", "-c", str(config)]) == 0
    assert "2026-11-01 to 2026-11-30: 51 shifts, 5 seats. The plan is right." in capsys.readouterr().out
    assert main(["roster", "show", "-c", str(config), "--day", "2026-11-26"]) == 0
    told = capsys.readouterr().out
    assert "day  08:30-17:30  1009 1003 1005" in told
    assert "夜班  20:00-08:00 of the next day  1001" in told
    file.write_text(GOOD.replace("17:30", "27:30").replace("1005", "10 05"), "utf-8")
    assert main(["roster", "check", str(file), "-c", str(config)]) == 2
    assert capsys.readouterr().err.count("plan.toml: ") == 2
    assert main(["roster", "show", "-c", str(config), "--day", "today"]) == 2
    capsys.readouterr()
    assert main(["check", "--settings-only", "-c", str(config)]) == 2
    assert "plan.toml: shifts.day.ends: '27:30' is no time of day" in capsys.readouterr().err
    config.write_text(config.read_text("utf-8") + '\n[calendar]\nfiles = ["gone.toml"]\n', "utf-8")
    assert main(["check", "--settings-only", "-c", str(config)]) == 2
    told = capsys.readouterr().err
    assert "gone.toml cannot be read" in told
    assert "'27:30' is no time of day" in told, "the mistakes of all files at once"


# --- in a running daemon ---------------------------------------------------------------------------------------------

DAY = instant(date(2026, 11, 27), 0, ZONE)
BEGIN = DAY + 8.5 * 3600
PLAIN = GOOD.split("[[")[0].replace('groups = ["night"]\n', "")


class Shelf:
    """``store.duty.Duty`` in memory."""

    def __init__(self) -> None:
        self.posts: dict[Key, Post] = {}
        self.away = False

    async def store(self, server: str, posts: Sequence[Post], dropped: Sequence[Key] = ()) -> None:
        if self.away:
            raise BrokenWorld("away")
        self.posts |= {post.key: post for post in posts}
        for key in dropped:
            self.posts.pop(key, None)

    async def between(self, server: str, since: float, until: float) -> list[Post]:
        if self.away:
            raise BrokenWorld("away")
        return [post for post in self.posts.values() if post.ends_at > since and post.key.begins_at < until]

    async def forget(self, server: str, before: float) -> None:
        pass


def member(status: int | None = 1, paused: bool = False, reason: str = "", queue: str = "q") -> MemberState:
    return MemberState(None, queue, "PJSIP/1001", "", "", status, paused, reason)


class House:
    """A daemon's roster over a site that the test moves by hand."""

    def __init__(self, file: Path, shelf: Shelf | None = None) -> None:
        self.file, self.shelf = file, shelf or Shelf()
        self.members: dict[str, list[MemberState]] = {seat: [member()] for seat in ("1001", "1002", "1009")}
        self.talking: set[str] = set()
        self.up, self.now, self.told = True, BEGIN - 3600, 0
        groups = MappingProxyType({"night": SeatGroup(("1003",))})
        settings = Settings(roster=Roster(files=(file,)), seat_groups=groups)
        self.duty = LiveDuty(settings, self.shelf, lambda seat: self.members.get(seat, []), self.talking.__contains__,
                             lambda: self.up, lambda: self.now, self.hear)  # type: ignore[arg-type]  # fmt: skip

    def hear(self) -> None:
        self.told += 1

    async def at(self, now: float) -> dict[str, State]:
        self.now = now
        await self.duty.step(now)
        muster = self.duty.muster()
        return {post.key.seat: post.state for post in muster.posts} if muster is not None else {}

    def metric(self, name: str) -> dict[tuple[str, ...], float]:
        found: list[Metric] = [one for one in self.duty.metrics() if one.name == name]
        return {tuple(sample.labels.values()): sample.value for one in found for sample in one.samples}


@pytest.fixture
def house(tmp_path: Path) -> House:
    file = tmp_path / "plan.toml"
    file.write_text(PLAIN, "utf-8")
    return House(file)


async def test_late_then_missing_then_ready_and_each_is_counted_once(house: House) -> None:
    house.members["1002"] = [member(status=5)]
    assert await house.at(BEGIN - 601) == {}
    await house.at(BEGIN - 599)
    muster = house.duty.muster()
    assert muster is not None
    assert [(one.key.seat, one.there) for one in muster.coming] == [("1001", True), ("1002", False)]
    assert house.metric("callcenter_roster_unprepared_seats") == {(): 1.0}
    assert await house.at(BEGIN) == {"1001": State.READY, "1002": State.LATE}
    assert house.metric("callcenter_roster_late_seats") == {("day",): 1.0, ("夜班",): 0.0}
    assert house.metric("callcenter_shift_started_timestamp_seconds") == {("day",): BEGIN}
    await house.at(BEGIN + 599)
    assert house.metric("callcenter_roster_missing_seats") == {("day",): 0.0, ("夜班",): 0.0}
    assert (await house.at(BEGIN + 600))["1002"] is State.MISSING
    house.members["1002"] = [member()]
    assert (await house.at(BEGIN + 700))["1002"] is State.READY
    assert house.metric("callcenter_roster_late_seats")["day",] == 1.0
    assert house.metric("callcenter_roster_missing_seats")["day",] == 1.0
    (post,) = (one for one in await house.duty.between(DAY, DAY + 86_400) if one.key.seat == "1002")
    assert (post.late_seconds, post.missed) == (700.0, True)
    assert house.metric("callcenter_roster_seats")["ready",] == 2.0
    assert house.metric("callcenter_roster_ahead_seconds")[()] == DAY + 4 * 86_400 - (BEGIN + 700)


async def test_what_is_no_leaving_and_what_is(house: House) -> None:
    await house.at(BEGIN)
    house.members["1001"] = [member(paused=True, reason="meeting")]
    house.members["1002"] = [member(paused=True)]
    assert await house.at(BEGIN + 60) == {"1001": State.BREAK, "1002": State.LEFT}
    house.talking.add("1002")
    assert await house.at(BEGIN + 960) == {"1001": State.BREAK, "1002": State.READY}
    assert (await house.at(BEGIN + 961))["1001"] is State.LEFT, "longer than a break"
    house.members["1001"] = []
    assert (await house.at(DAY + 12.5 * 3600))["1001"] is State.BREAK, "the shift's own break"
    assert (await house.at(DAY + 13 * 3600))["1001"] is State.LEFT
    house.up = False
    assert set((await house.at(DAY + 13 * 3600 + 5)).values()) == {State.UNKNOWN}


async def test_a_restart_goes_on_where_it_was(house: House) -> None:
    house.members["1002"] = [member(status=5)]
    await house.at(BEGIN)
    again = House(house.file, house.shelf)
    again.members["1002"] = [member(status=5)]
    assert (await again.at(BEGIN + 30))["1002"] is State.LATE
    assert again.metric("callcenter_roster_late_seats")["day",] == 0.0, "counted by the daemon before"
    assert (await again.at(BEGIN + 700))["1002"] is State.MISSING
    assert again.metric("callcenter_roster_missing_seats")["day",] == 1.0
    again.members["1002"] = [member()]
    await again.at(BEGIN + 720)
    (post,) = (one for one in house.shelf.posts.values() if one.key.seat == "1002")
    assert (post.late_seconds, post.missed, post.came) == (720.0, True, True)


async def test_a_store_that_is_away_delays_nothing_but_the_storing(house: House) -> None:
    await house.at(BEGIN - 10)
    house.shelf.away = True
    house.members["1002"] = []
    assert (await house.at(BEGIN))["1002"] is State.LATE
    house.members["1002"] = [member()]
    assert (await house.at(BEGIN + 60))["1002"] is State.READY
    assert not house.shelf.posts
    house.shelf.away = False
    await house.at(BEGIN + 61)
    assert {post.key.seat: post.late_seconds for post in house.shelf.posts.values()} == {"1001": 0.0, "1002": 60.0}


async def test_a_broken_plan_is_told_once_and_the_old_one_stays(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.at(BEGIN)
    assert house.metric("callcenter_roster_plan_ok") == {(): 1.0}
    house.file.write_text("[shifts", "utf-8")
    for n in range(1, 5):
        assert set(await house.at(BEGIN + 10 * n)) == {"1001", "1002"}
    assert caplog.text.count("the duty plan is broken, the plan before it stays in force") == 1
    assert house.metric("callcenter_roster_plan_ok") == {(): 0.0}
    (said,) = house.duty.problems()
    assert said.startswith("plan.toml: is not TOML")
    assert str(house.file.parent) not in said


async def test_who_is_taken_out_of_the_plan_was_never_late(house: House) -> None:
    house.members["1002"] = []
    await house.at(BEGIN)
    assert len(house.shelf.posts) == 2
    sick = '[[exceptions]]\ndate = "2026-11-27"\nabsent = ["1002"]\nextra = ["1005"]\nshift = "day"\n'
    house.file.write_text(PLAIN + sick, "utf-8")
    assert set(await house.at(BEGIN + 10)) == {"1001", "1005"}
    assert {key.seat for key in house.shelf.posts} == {"1001", "1005"}


async def test_who_is_planned_again_while_the_store_is_away_is_stored(house: House) -> None:
    await house.at(BEGIN)
    house.shelf.away = True
    house.file.write_text(PLAIN.replace('"1001", "1002"', '"1001"'), "utf-8")
    assert set(await house.at(BEGIN + 10)) == {"1001"}
    house.file.write_text(PLAIN, "utf-8")
    assert set(await house.at(BEGIN + 20)) == {"1001", "1002"}
    house.shelf.away = False
    await house.at(BEGIN + 30)
    assert {key.seat for key in house.shelf.posts} == {"1001", "1002"}


async def test_screens_are_told_of_changes_alone(house: House) -> None:
    await house.at(BEGIN)
    told = house.told
    for n in range(5):
        await house.at(BEGIN + n)
    assert house.told == told
    house.members["1001"] = []
    await house.at(BEGIN + 9)
    assert house.told == told + 1


@pytest.mark.parametrize(
    ("members", "on_call", "standing"),
    [
        ([], False, Standing.AWAY),
        ([], True, Standing.THERE),
        ([member(5), member(4)], False, Standing.AWAY),
        ([member(0)], False, Standing.UNKNOWN),
        ([member(None)], False, Standing.UNKNOWN),
        ([member(1)], False, Standing.THERE),
        ([member(8)], False, Standing.THERE),
        ([member(1, paused=True), member(1, queue="r")], False, Standing.THERE),
        ([member(1, paused=True), member(1, paused=True, reason="break", queue="r")], False, Standing.PAUSED),
        ([member(5, paused=True)], False, Standing.AWAY),
    ],
)
def test_how_a_seat_stands(members: list[MemberState], on_call: bool, standing: Standing) -> None:
    assert standing_of(members, on_call)[0] is standing
