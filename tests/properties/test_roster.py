"""The duty plan in every zone and over every change of the clock, and the comparison with seats over every course."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.days import Days, Own
from callcenter.roster.duty import ABSENT, Key, Post, Seen, Standing, State, coming, look
from callcenter.roster.plan import Change, Plan, Sheet, Shift, Turn, instant, overlaps

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")]
YEAR = date(2026, 1, 1)
zones = st.sampled_from(ZONES)
days = st.integers(0, 364).map(lambda n: YEAR + timedelta(days=n))
minutes = st.integers(0, 24 * 60 - 1)
seats = st.lists(st.sampled_from(["1001", "1002", "1003", "1004"]), min_size=1, max_size=4, unique=True).map(tuple)


CHINESE = Days(chinese=True)


def plan_of(zone: ZoneInfo, *shifts: Shift, changes: tuple[Change, ...] = ()) -> Plan:
    return Plan((Sheet(YEAR, YEAR + timedelta(days=364), shifts, changes),), zone)


# --- time ------------------------------------------------------------------------------------------------------------


@given(zones, days, st.integers(0, 2 * 24 * 60), st.integers(0, 600))
def test_the_clock_shows_the_time_that_was_meant_and_time_never_falls(
    zone: ZoneInfo, day: date, minute: int, more: int
) -> None:
    at = instant(day, minute, zone)
    shown = datetime.fromtimestamp(at, zone).replace(tzinfo=None)
    meant = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    before = datetime.fromtimestamp(at - 1, zone).replace(tzinfo=None)
    assert shown == meant or before < meant < shown, "the first instant at which the clock is so far"
    assert at <= instant(day, minute + more, zone)


@given(zones, st.lists(minutes, min_size=2, max_size=6, unique=True), days)
def test_shifts_that_follow_each_other_by_the_clock_follow_each_other_in_time(
    zone: ZoneInfo, borders: list[int], day: date
) -> None:
    """Any way of parting the day, the last shift past midnight: every second of a week has exactly one shift."""
    borders.sort()
    shifts = [Shift(f"s{n}", begins, borders[(n + 1) % len(borders)], ("1001",)) for n, begins in enumerate(borders)]
    plan = plan_of(zone, *shifts)
    week = [day + timedelta(days=n) for n in range(7) if day + timedelta(days=n) <= YEAR + timedelta(days=364)]
    turns = [turn for one in week for turn in plan.turns(one)]
    assert turns
    for one, other in pairwise(turns):
        assert one.ends_at == other.begins_at
    assert list(overlaps(turns)) == []
    noon = turns[len(turns) // 2].begins_at
    assert {turn for turn in turns if turn.begins_at <= noon < turn.ends_at} <= set(plan.around(noon))


@given(zones, minutes, minutes, minutes, minutes, days)
def test_a_break_within_its_shift_by_the_clock_lies_within_it(
    zone: ZoneInfo, begins: int, ends: int, since: int, until: int, day: date
) -> None:
    length = (ends - begins) % 1440 or 1440
    start, lasts = (since - begins) % 1440, (until - since) % 1440
    if not lasts or start + lasts > length:
        return
    for turn in plan_of(zone, Shift("s", begins, ends, ("1",), breaks=((since, until),))).turns(day):
        ((from_, to),) = turn.breaks
        assert turn.begins_at <= from_ <= to <= turn.ends_at


# --- days ------------------------------------------------------------------------------------------------------------


@given(days)
def test_workdays_are_those_of_the_public_calendar_swapped_weekends_included(day: date) -> None:
    plan = plan_of(ZONES[0], Shift("work", 480, 1020, ("1",), calendar="workday"),
                   Shift("off", 480, 1020, ("2",), calendar="day_off"))  # fmt: skip
    works = CHINESE.works(day)
    assert works is not None
    assert [turn.shift for turn in plan.turns(day)] == (["work"] if works else ["off"])


def test_swapped_days_and_holidays_of_2026() -> None:
    plan = plan_of(ZONES[0], Shift("work", 480, 1020, ("1",), calendar="workday"),
                   Shift("feast", 480, 1020, ("2",), calendar="holiday"))  # fmt: skip
    shifts = {day: [turn.shift for turn in plan.turns(date.fromisoformat(day))] for day in (
        "2026-02-14", "2026-02-17", "2026-10-01", "2026-10-10", "2026-11-28", "2026-11-27")}  # fmt: skip
    assert shifts == {
        "2026-02-14": ["work"],  # a Saturday on which people work
        "2026-02-17": ["feast"],  # the spring festival, a Tuesday
        "2026-10-01": ["feast"],
        "2026-10-10": ["work"],
        "2026-11-28": [],  # a plain Saturday
        "2026-11-27": ["work"],
    }


def test_a_year_of_the_sites_own_is_planned() -> None:
    shift, first = Shift("work", 480, 1020, ("1",), calendar="workday"), date(2099, 1, 1)  # a Thursday
    own = Own(frozenset({first}), frozenset({date(2099, 1, 3)}), frozenset({2099}))
    sheet = Sheet(first, date(2099, 1, 5), (shift,))
    assert Plan((sheet,), ZONES[0]).turns(date(2099, 1, 2)) == ()
    plan = Plan((sheet,), ZONES[0], Days(chinese=True, own=own))
    planned = [day for day in range(1, 6) if plan.turns(date(2099, 1, day))]
    assert planned == [2, 3, 5], "not the holiday, the Sunday that people work, not the Saturday"


def test_beyond_the_published_calendar_nothing_is_guessed_and_the_plan_ends() -> None:
    end = CHINESE.known_until()
    assert end is not None
    shift = Shift("work", 480, 1020, ("1",), calendar="workday")
    plan = Plan((Sheet(end - timedelta(days=9), end + timedelta(days=50), (shift,)),), ZONES[0])
    assert plan.turns(end + timedelta(days=1)) == ()
    assert plan.reaches(instant(end, 720, ZONES[0])) == instant(end, 1440, ZONES[0])
    daily = replace(plan.sheets[0], shifts=(replace(shift, calendar=""),))
    assert plan.reaches(0.0) == 0.0, "today is in no file"
    assert Plan((daily,), ZONES[0]).reaches(instant(end, 0, ZONES[0])) == instant(end, 51 * 1440, ZONES[0])


@given(zones, days, st.frozensets(st.integers(0, 6), min_size=1), st.frozensets(days, max_size=3))
def test_weekdays_and_dates(zone: ZoneInfo, day: date, weekdays: frozenset[int], dates: frozenset[date]) -> None:
    plan = plan_of(zone, Shift("s", 600, 660, ("1",), weekdays, dates))
    assert bool(plan.turns(day)) == (day.weekday() in weekdays or day in dates)


# --- exceptions ------------------------------------------------------------------------------------------------------


@given(days, seats, seats, st.permutations(["1001", "1002", "1003", "1004"]))
def test_a_swap_changes_who_and_never_how_many_and_twice_is_none(
    day: date, early: tuple[str, ...], late: tuple[str, ...], who: list[str]
) -> None:
    shifts = Shift("early", 360, 840, early), Shift("late", 840, 1320, late)
    swap = Change(day, swap=(who[0], who[1]))
    usual, once, twice = (plan_of(ZONES[0], *shifts, changes=(swap,) * n).turns(day) for n in range(3))
    assert twice == usual
    assert [len(turn.seats) for turn in once] == [len(turn.seats) for turn in usual]
    other = {who[0]: who[1], who[1]: who[0]}
    assert [tuple(other.get(seat, seat) for seat in turn.seats) for turn in usual] == [turn.seats for turn in once]
    elsewhere = plan_of(ZONES[0], *shifts, changes=(swap,)).turns(day + timedelta(days=1 if day.day == 1 else -1))
    assert all(turn.seats in (early, late) for turn in elsewhere), "of that day alone"


@given(days, seats, seats, seats)
def test_who_is_absent_is_not_planned_and_who_is_extra_is(
    day: date, planned: tuple[str, ...], absent: tuple[str, ...], extra: tuple[str, ...]
) -> None:
    change = Change(day, "s", absent=absent, extra=extra)
    turns = plan_of(ZONES[0], Shift("s", 480, 960, planned), changes=(change,)).turns(day)
    found = [seat for turn in turns for seat in turn.seats]
    assert sorted(found) == sorted({*planned, *extra} - {*absent})
    assert plan_of(ZONES[0], Shift("s", 480, 960, planned), changes=(Change(day, off=True),)).turns(day) == ()


# --- planned and present ---------------------------------------------------------------------------------------------

BEGIN, END, MISSING = 1_000.0, 1_600.0, 60.0
TURN = Turn("day", YEAR, BEGIN, END, ("1001",), ((1_300.0, 1_330.0),), 20.0)
KEY = Key("day", BEGIN, "1001")
steps = st.lists(
    st.tuples(st.sampled_from(Standing), st.integers(1, 90), st.sampled_from(["", "break"])), min_size=1, max_size=12
)


def course(moves: list[tuple[Standing, int, str]], start: int = 900) -> Iterator[tuple[float, Seen]]:
    """What is seen each second."""
    at = float(start)
    for standing, seconds, reason in moves:
        since = at
        for _ in range(seconds):
            yield at, Seen(standing, since, reason if standing is Standing.PAUSED else "")
            at += 1


def walked(moves: list[tuple[Standing, int, str]], start: int = 900) -> list[tuple[float, Seen, Post | None]]:
    posts: dict[Key, Post] = {}
    found = []
    for now, seen in course(moves, start):
        posts = look([TURN], lambda _, seen=seen: seen, now, posts, MISSING)  # type: ignore[misc]
        found.append((now, seen, posts.get(KEY)))
    return found


@settings(max_examples=100, deadline=None)
@given(steps)
def test_what_each_look_says_is_what_is_so(moves: list[tuple[Standing, int, str]]) -> None:
    came = False
    for now, seen, post in walked(moves):
        if not BEGIN <= now < END:
            assert post is None
            continue
        assert post is not None
        came = came or seen.standing is Standing.THERE
        assert post.came == came
        assert (post.state is State.READY) == (seen.standing is Standing.THERE)
        assert (post.state is State.UNKNOWN) == (seen.standing is Standing.UNKNOWN)
        assert (post.state in (State.LATE, State.MISSING)) == (
            not came and seen.standing in (Standing.AWAY, Standing.PAUSED)
        )
        if post.state is State.MISSING:
            assert now - BEGIN >= MISSING
        if post.state is State.LEFT:
            assert came
            assert not 1_300 <= now < 1_330
            assert seen.standing is Standing.AWAY or not seen.reason or now - seen.since > 20
        assert BEGIN <= post.since <= now or post.state is State.UNKNOWN


@settings(max_examples=100, deadline=None)
@given(steps)
def test_lateness_and_absence_add_up_to_the_seconds_that_were_seen(moves: list[tuple[Standing, int, str]]) -> None:
    """A seat of which something is known each second: the sums are those of counting the looks."""
    known = [(Standing.AWAY if one is Standing.UNKNOWN else one, n, why) for one, n, why in moves]
    shift = [(now, seen, post) for now, seen, post in walked(known) if post is not None]
    if not shift:
        return
    now, _, last = shift[-1]
    gone = sum(post.state is State.LEFT for _, _, post in shift[:-1])
    assert last.left_for(now) == float(gone)
    absent = sum(post.state in (State.LATE, State.MISSING) for _, _, post in shift)
    assert last.late == (absent > 0)
    if last.came:
        assert last.late_seconds == float(absent)
    else:
        assert last.late_seconds is None
    assert last.missed == (absent > MISSING)


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(0, 400))
def test_a_look_needs_only_the_last_one(moves: list[tuple[Standing, int, str]], cut: int) -> None:
    """As after a restart: what is told is made of the stored post and what is seen now, so looks may be left out
    where nothing moved."""
    whole = walked(moves)
    posts: dict[Key, Post] = {}
    kept = None
    for n, (now, seen, post) in enumerate(whole):
        moved = n == 0 or whole[n - 1][1] != seen or whole[n - 1][2] is None
        changed = post is None or n == 0 or whole[n - 1][2] != post
        if moved or changed or n > cut:
            posts = look([TURN], lambda _, seen=seen: seen, now, posts, MISSING)  # type: ignore[misc]
            kept = post
            assert posts.get(KEY) == post
    assert kept == whole[-1][2] or posts.get(KEY) == whole[-1][2]


@given(st.integers(1_006, 1_500), st.sampled_from([Standing.THERE, Standing.AWAY]))
def test_who_was_not_watched_at_the_begin_is_not_said_to_be_late(start: int, standing: Standing) -> None:
    found = [post for _, _, post in walked([(standing, 90, ""), (Standing.THERE, 5, "")], start) if post is not None]
    assert found
    assert all(post.late_seconds is None and not post.late and not post.missed for post in found)
    away = [post.state in ABSENT for post in found[:60]]
    assert all(away) if standing is Standing.AWAY else not any(away)


@given(st.integers(800, 1_100), st.sampled_from(Standing))
def test_who_comes_next_is_told_ten_minutes_before(now: int, standing: Standing) -> None:
    found = coming([TURN], lambda _: Seen(standing, 700.0), float(now), 100.0)
    assert bool(found) == (900 <= now < BEGIN)
    there = {Standing.AWAY: False, Standing.UNKNOWN: None}.get(standing, True)
    assert all(one.key == KEY and one.there is there for one in found)
