"""History: what SQL adds up of any calls is what Python adds up, on SQLite and PostgreSQL; and what a report says."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from callcenter.calls.model import Breach, Call, Direction, Hold, Outcome, Phase
from callcenter.metrics.service_levels import Tally, Target, Targets, Variant, counts, service_level
from callcenter.metrics.today import CallsToday
from callcenter.reports.figures import NUMBERS, Adder, Cell, Sums, Total, percentile, sums_of
from callcenter.reports.periods import Grain, Interval, bounds, cell_seconds, periods
from callcenter.reports.reading import Source, read
from callcenter.reports.report import By, Question, Report, Site
from callcenter.store import Gap, Store
from callcenter.store.schema import tickets
from callcenter.store.service_levels import By as By_
from callcenter.store.service_levels import ended_calls
from tests.store.build import NOW, call, commit, ended

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
TARGETS = Targets(Target(15, 5), {"vip": Target(10, 5, "vip"), "慢": Target(60, 2, "advanced")})
GROUPS = {"白班": ("1001", "1002"), "夜班": ("1003",)}
SITE = Site(SHANGHAI, TARGETS, groups=GROUPS)
BEGAN = NOW - 20 * 86_400
"""Since when Asterisk is listened to."""
TODAY = Interval(date(2026, 11, 22), date(2026, 11, 22))
HOSTILE = ("support", "vip", "慢", None, "=1+1", "a'; DROP TABLE calls;--", "<b>", "other")


def any_calls(random: Random, many: int, begin: float, seconds: float) -> list[Call]:
    """Calls of every kind, also such as count nowhere, with waits around the thresholds."""
    waits = (None, 0.0, 2.0, 4.999, 5.0, 5.001, 10.0, 10.001, 15.0, 15.001, 60.0, 599.0)
    found = []
    for number in range(many):
        at = begin + random.choice((random.uniform(0, seconds), random.randrange(int(seconds // 900)) * 900.0))
        outcome = random.choice((*Outcome, Outcome.ANSWERED, Outcome.ANSWERED, None))
        one = call(f"c{number}", queue=random.choice(HOSTILE), arrived_at=at)
        found.append(
            replace(
                one,
                direction=random.choice((Direction.INBOUND,) * 5 + (Direction.INTERNAL, Direction.OUTBOUND)),
                phase=random.choice((Phase.ENDED,) * 6 + (Phase.TALKING,)),
                outcome=outcome,
                answered_by=random.choice(("1001", "1002", "1003", "1009")) if outcome is Outcome.ANSWERED else None,
                wait_seconds=random.choice(waits),
                talk_seconds=random.choice((None, 0.0, 30.5, 240.25)) if outcome is Outcome.ANSWERED else None,
                **held(random, at),
                breaches=random.choice(((), (), (Breach("A1", "not_lifted", at),), (Breach("A9", "A10", at),))),
                ended_at=at + 300,
                recovered=random.random() < 0.2,
                merged_into="another" if random.random() < 0.1 else None,
                variables=random.choice(({}, {"survey": ""}, *({"survey": key} for key in ("1", "3", "4", "5", "9")))),
            )
        )
    return found


def held(random: Random, at: float) -> dict[str, Any]:
    """Holds around the minute, some that nobody ended, and their time."""
    lengths = random.choice(((), (), (12.5,), (60.0,), (60.5,), (61.0, None, 59.0, 90.0), (30.0, 40.0), (None,)))
    holds = tuple(Hold("1001", at + 100 * n, None if s is None else at + 100 * n + s) for n, s in enumerate(lengths))
    ends = [(hold.started_at, hold.ended_at or hold.started_at + 80.0) for hold in holds]
    return {"holds": holds, "hold_seconds": sum(until - since for since, until in ends)}


async def wrap_up(store: Store, random: Random, calls: Sequence[Call]) -> dict[str, float | None]:
    """Closes some tickets, some too late, some left open first; what each is worth as a wrap-up."""
    found: dict[str, float | None] = {}
    changes = []
    for one in calls:
        seconds = random.choice((None, 0.0, 20.5, 1800.0, 1801.0, -5.0))
        left = random.choice((False, True))
        found[one.call_id] = seconds
        if seconds is not None and one.ended_at is not None:
            at = one.ended_at + seconds
            times = {"left_open_at": at, "closed_at": at + 999} if left else {"closed_at": at}
            changes.append(update(tickets).where(tickets.c.call_id == one.call_id).values(**times))
    await store._database.write(lambda connection: [connection.execute(change) for change in changes])
    return found


def by_hand(calls: Iterable[Call], wrapups: dict[str, float | None], seconds: int, seats: bool) -> Adder:
    adder = Adder()
    for one in filter(counts, calls):
        assert one.arrived_at is not None
        where = (one.arrived_at // seconds * seconds, one.queue or "", (one.answered_by or "") if seats else "")
        adder.add(where, sums_of(one, TARGETS.of(one.queue), wrapups.get(one.call_id)).numbers)
    return adder


async def cells_of(source: Source, since: float, until: float, seconds: int = 900, seats: bool = False) -> list[Cell]:
    """With three rings and long holds, which are read apart."""
    adder, keys = Adder(), set[tuple[float, str, str]]()
    for read_cells in (source.cells, source.standard):
        async for some in read_cells(since, until, seconds, seats):
            for cell in some:
                adder.add(cell[:3], cell.numbers)
                keys.add(cell[:3])
    return [Cell(*key, adder.sums(key).numbers) for key in keys]


@pytest.mark.parametrize("seed", range(6))
async def test_sql_adds_up_any_calls_as_python_does(store: Store, seed: int) -> None:
    random = Random(seed)
    calls = any_calls(random, 120, NOW, 6 * 3600)
    await commit(store, *calls)
    wrapups = await wrap_up(store, random, calls)
    source = store.reports("pbx", TARGETS)
    for seconds in (900, 1800, 3600, 28800):
        for seats in (False, True):
            found = await cells_of(source, NOW, NOW + 6 * 3600, seconds, seats)
            expected = by_hand(calls, wrapups, seconds, seats)
            assert {(cell.since, cell.queue, cell.seat) for cell in found} == set(expected.keys())
            for queue in (None, "vip", "nobody's"):
                many: Counter[float] = Counter()
                for cell in found:
                    if queue in (None, cell.queue):
                        many[cell.since] += Sums.of(cell.numbers).calls
                assert dict(await source.arrivals(NOW, NOW + 6 * 3600, seconds, queue)) == many
            for cell in found:
                one, other = Sums.of(cell.numbers), expected.sums((cell.since, cell.queue, cell.seat))
                assert one.tally == other.tally
                assert one.numbers == pytest.approx(other.numbers)
    waits = [row async for rows in source.waits(NOW, NOW + 6 * 3600, True) for row in rows]
    assert sorted(waits) == sorted(
        (one.arrived_at, one.queue or "", one.answered_by or "", one.wait_seconds)
        for one in filter(counts, calls)
        if one.outcome is Outcome.ANSWERED and one.wait_seconds is not None
    )


@pytest.mark.parametrize("seed", range(6))
async def test_three_rings_and_long_holds_are_those_of_the_screens(store: Store, seed: int) -> None:
    """Read from what was written down, they are what the wallboard counted as it was committed (A1, B2)."""
    calls = any_calls(Random(seed), 150, NOW, 6 * 3600)
    await commit(store, *calls)
    today = CallsToday(TARGETS, NOW)
    for one in calls:
        today.changed(one, NOW)
    report = await ask(store, Question(TODAY, by=By.QUEUE))
    counted = today.by_queue()
    assert {line.key for line in report.totals} == set(counted)
    for line in report.totals:
        sums, other = line.sums, counted[line.key or ""]
        assert (sums.tally.answered - sums.rings_broken, sums.long_holds) == (other.kept, other.long_holds), line.key
    assert sum(one.long_holds for one in counted.values()) > 0
    kept = sum(one.kept for one in counted.values())
    assert 0 < kept < report.whole.sums.tally.answered
    assert report.whole.sums.three_rings == kept / report.whole.sums.tally.answered


@pytest.mark.parametrize("by", ["arrived_at", "ended_at"])
async def test_an_index_is_all_that_is_read(store: Store, by: By_) -> None:
    """Of a history of years a month is found without reading the rest, and no call's details are read."""
    calls = ended_calls("pbx", NOW, NOW + 86400, by)
    statement = select(calls.c.queue, func.sum(calls.c.wait_seconds)).group_by(calls.c.queue)
    async with store._database.read() as connection:
        sqlite = connection.dialect.name == "sqlite"
        text = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        if not sqlite:  # an empty table is read faster whole
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        how = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        plan = [str(row[-1]) for row in await connection.exec_driver_sql(how + text)]
    searches = [line for line in plan if "ix_calls_reported" in line]
    assert len(searches) == 2, plan
    if sqlite:
        assert "COVERING INDEX ix_calls_reported (server=? AND arrived_at>? AND arrived_at<?)" in searches[0]
    else:
        conditions = [line for line in plan if "Index Cond" in line]
        assert all("server = " in line and "arrived_at" in line for line in conditions), plan
    assert not any("SCAN calls" in line or "Seq Scan on calls" in line for line in plan)


async def test_the_border_belongs_to_the_later_interval(store: Store) -> None:
    source = store.reports("pbx", TARGETS)
    await commit(
        store,
        ended(call("on", arrived_at=NOW), wait_seconds=1.0),
        ended(call("before", arrived_at=NOW - 0.001), wait_seconds=1.0),
        ended(call("unseen", arrived_at=None), ended_at=None, outcome=Outcome.UNKNOWN),
        at=NOW + 5,
    )
    (one,) = await cells_of(source, NOW - 900, NOW)
    (two,) = await cells_of(source, NOW, NOW + 900)
    assert Sums.of(one.numbers).tally == Tally(1, 1)
    assert Sums.of(two.numbers).tally == Tally(1, 1, other=1), "an arrival nobody saw counts where it was written down"
    assert await cells_of(store.reports("elsewhere", TARGETS), NOW, NOW + 900) == []
    assert await source.queues(NOW, NOW + 900) == ["support"]


@pytest.fixture
async def told(store: Store) -> Store:
    """A day worked out by hand: 08:00 is ``NOW`` in Shanghai."""
    hand: dict[str, Any] = {"answered_by": "1001", "talk_seconds": 100.0, "hold_seconds": 20.0}
    late = {**hand, "answered_by": "1003", "recovered": True, "breaches": (Breach("A1", "not_lifted", NOW + 75),)}
    long = {**hand, "hold_seconds": 61.0, "holds": (Hold("1001", NOW + 10, NOW + 71),)}
    await commit(
        store,
        ended(call("a", arrived_at=NOW), wait_seconds=2.0, **long),
        ended(call("b", arrived_at=NOW + 60), wait_seconds=20.0, **late),
        ended(call("c", arrived_at=NOW + 1800), wait_seconds=3.0, outcome=Outcome.ABANDONED),
        ended(call("d", arrived_at=NOW + 1800, queue="vip"), wait_seconds=40.0, outcome=Outcome.ABANDONED),
        ended(call("e", arrived_at=NOW + 7200, queue=None), wait_seconds=9.0, outcome=Outcome.OVERFLOWED),
        ended(call("last week", arrived_at=NOW - 7 * 86400), wait_seconds=2.0, **hand),
        gaps=[Gap(NOW + 600, NOW + 660, "lost"), Gap(NOW + 630, NOW + 720, "overlaps")],
        observed_until=BEGAN,
    )
    return store


async def ask(store: Store, question: Question, site: Site = SITE) -> Report:
    return await read(question, site, store.reports("pbx", TARGETS), NOW + 86_400)


async def test_a_report_worked_out_by_hand(told: Store) -> None:
    report = await ask(told, Question(TODAY, Grain.HALF_HOUR, By.QUEUE))
    assert len(report.lines) == 48 * 3, "a queue with calls has a line in every half-hour"
    at = {(line.period.label[11:], line.key): line for line in report.lines if line.period}
    first = at["08:00", "support"]
    assert first.sums.tally == Tally(answered=2, answered_in_time=1)
    assert (first.sums.recovered, first.sums.asa_seconds) == (1, 11.0)
    assert first.sums.aht_seconds == 100.0 + (61.0 + 20.0) / 2
    assert (first.wait_p50, first.wait_p90) == (2.0, 20.0)
    assert first.unobserved_seconds == 120.0
    assert first.level(Variant.ABANDONS_BAD) == 0.5
    empty = at["09:00", "support"]
    assert (empty.sums.calls, empty.level(Variant.ABANDONS_BAD), empty.sums.asa_seconds) == (0, None, None)
    assert (empty.sums.aht_seconds, empty.sums.abandon_rate, empty.wait_p50) == (None, None, None)
    whole = report.whole
    assert whole.sums.tally == Tally(2, 1, 2, 1, 1, 1)
    assert (whole.sums.abandon_rate, whole.sums.abandon_rate_calls) == (1 / 4, 4), "the short one on neither side"
    assert (whole.sums.three_rings, whole.sums.long_holds) == (1 / 2, 1)
    assert whole.sums.given_up == Total(2, 43.0)
    assert [line.key for line in report.totals] == ["", "support", "vip"]
    assert report.before is not None
    assert report.before.question.interval == Interval(date(2026, 11, 15), date(2026, 11, 15))
    assert report.before.whole.sums.tally == Tally(1, 1)
    before = report.total_before("support")
    assert before is not None
    assert before.sums.calls == 1
    assert report.total_before("vip") is None


async def test_an_interval_that_is_not_over_is_held_against_the_same_part_of_the_one_before(told: Store) -> None:
    """At 08:01 of a Sunday: the Sunday before until 08:01, and what comes after is no figure."""
    source, question = told.reports("pbx", TARGETS), Question(TODAY, Grain.HALF_HOUR)
    for now, calls in ((NOW + 60, 1), (NOW, 0)):
        report = await read(question, SITE, source, now)
        assert report.before is not None
        assert (report.over, report.before.over) == (False, False)
        assert (report.before.now, report.before.whole.over_seconds) == (now - 7 * 86400, now - NOW + 8 * 3600)
        assert report.before.whole.sums.calls == calls, "last week's call came at 08:00"
    report = await read(question, SITE, source, NOW + 3 * 3600)
    to_come = [line.period.label[11:] for line in report.lines if line.to_come and line.period]
    assert (to_come[0], len(to_come)) == ("11:00", 26)
    assert report.lines[16].over_seconds == 1800
    over = await read(question, SITE, source, NOW + 86_400)
    assert over.over
    assert over.before is not None
    assert over.before.over
    assert not any(line.to_come for line in over.lines)
    tomorrow = Interval(date(2026, 11, 23), date(2026, 11, 23))
    ahead = await read(Question(tomorrow), SITE, source, NOW)
    assert (ahead.whole.to_come, ahead.before) == (True, None), "nothing is held against what is still to come"


async def test_calls_of_call_records_are_found_by_their_arrival(store: Store) -> None:
    """They are held against the gaps of a heat map; others are not read."""
    calls = [
        ended(call("in", arrived_at=NOW), recovered=True, answered_by="1001"),
        ended(call("nowhere", arrived_at=NOW + 5, queue=None), recovered=True, outcome=Outcome.ABANDONED),
        ended(call("seen", arrived_at=NOW + 6)),
        ended(call("later", arrived_at=NOW + 60), recovered=True),
        ended(call("outward", arrived_at=NOW + 7), recovered=True, direction=Direction.OUTBOUND),
    ]
    await commit(store, *calls, batch_id="records")
    source = store.reports("pbx", TARGETS)
    for seats, seat in ((True, "1001"), (False, "")):
        found = [tuple(one) async for part in source.recovered(NOW, NOW + 60, seats) for one in part]
        assert sorted(found) == [(NOW, "support", seat), (NOW + 5, "", "")]


async def test_nothing_is_better_or_worse_where_nobody_looked(told: Store) -> None:
    """Two minutes of a day are less than a hundredth of it; observation began twenty days ago."""
    report = await ask(told, Question(TODAY))
    assert (report.blind, report.comparable) == (False, True)
    month = await ask(told, Question(Interval(date(2026, 11, 9), date(2026, 11, 22))))
    assert month.before is not None
    assert (month.blind, month.before.blind, month.comparable) == (False, True, False)
    early = await ask(told, Question(Interval(date(2026, 10, 1), date(2026, 10, 2))))
    assert (early.whole.unseen, early.blind) == (True, True)


async def test_lines_are_worked_out_when_asked_for(told: Store) -> None:
    report = await ask(told, Question(TODAY, Grain.HALF_HOUR, By.QUEUE))
    lines = list(report.lines)
    assert len(report.lines) == len(lines) == 48 * 3
    assert report.lines[5:300:7] == tuple(lines[5:300:7])
    assert (report.lines[-1], report.lines[0]) == (lines[-1], lines[0])
    with pytest.raises(IndexError):
        report.lines[len(lines)]
    assert [line.key for line in lines[:4]] == ["", "support", "vip", ""]
    assert len(report.together) == 48
    for number, together in enumerate(report.together):
        assert (together.period, together.key) == (lines[3 * number].period, None)
        parts = sum((line.sums for line in lines[3 * number : 3 * number + 3]), Sums())
        assert together.sums.numbers == pytest.approx(parts.numbers)
    both = report.together[16]
    assert (both.sums.calls, both.wait_p50, both.wait_p90, both.unobserved_seconds) == (2, 2.0, 20.0, 120.0)
    assert report.whole.sums.calls == sum(line.sums.calls for line in report.together)
    nothing = await ask(told, Question(Interval(date(2020, 1, 1), date(2020, 1, 2)), by=By.QUEUE))
    assert (len(nothing.lines), len(nothing.together), nothing.totals) == (0, 2, ())


async def test_by_group_level_and_seat(told: Store) -> None:
    def totals(report: Report) -> dict[str | None, int]:
        return {line.key: line.sums.calls for line in report.totals}

    assert totals(await ask(told, Question(TODAY, by=By.SEAT_GROUP))) == {"": 3, "白班": 1, "夜班": 1}
    assert totals(await ask(told, Question(TODAY, by=By.LEVEL))) == {"standard": 4, "vip": 1}
    assert totals(await ask(told, Question(TODAY, by=By.SEAT))) == {"": 3, "1001": 1, "1003": 1}
    assert totals(await ask(told, Question(TODAY, by=By.QUEUE, group="夜班"))) == {"support": 1}
    assert (await ask(told, Question(TODAY, level="vip"))).whole.sums.calls == 1
    assert (await ask(told, Question(TODAY, queue="support"))).whole.sums.calls == 3
    nothing = await ask(told, Question(TODAY, queue="'; DROP TABLE calls;--"))
    assert nothing.whole.sums.calls == 0
    assert [line.sums.calls for line in nothing.lines] == [0], "no calls is a line that says so"


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (BERLIN, date(2026, 10, 25)),
        (BERLIN, date(2026, 3, 29)),
        (ZoneInfo("America/New_York"), date(2026, 11, 1)),
        (SHANGHAI, date(2026, 10, 1)),
    ],
)
async def test_half_hours_add_up_to_days_and_days_to_months(store: Store, zone: ZoneInfo, day: date) -> None:
    """Over the change of the clock, too: every call is in one half-hour, one day and one month."""
    random = Random(str(day))
    interval = Interval(day - timedelta(days=1), day + timedelta(days=1))
    since, until = bounds(interval, zone)
    calls = any_calls(random, 300, since, until - since)
    await commit(store, *calls)
    site = replace(SITE, zone=zone)
    reports = {grain: await ask(store, Question(interval, grain, By.QUEUE), site) for grain in Grain}
    real = list(filter(counts, calls))
    assert {report.whole.sums.calls for report in reports.values()} == {len(real)}
    whole = reports[Grain.DAY].whole
    for report in reports.values():
        for name, value in zip(NUMBERS, report.whole.sums.numbers, strict=True):
            assert value == pytest.approx(whole.sums.numbers[NUMBERS.index(name)])
        for line in report.totals:
            parts = sum((one.sums for one in report.lines if one.key == line.key), Sums())
            assert parts.numbers == pytest.approx(line.sums.numbers)
    for one in periods(interval, Grain.DAY, zone):
        inside = [c for c in real if c.arrived_at is not None and one.since <= c.arrived_at < one.until]
        counted = sum(line.sums.calls for line in reports[Grain.DAY].lines if line.period == one)
        assert counted == len(inside)
        halves = [line for line in reports[Grain.HALF_HOUR].lines if line.period and line.period.day == one.day]
        assert sum(line.sums.calls for line in halves) == len(inside)
        assert len({line.period for line in halves}) == one.seconds / 1800
    waits = sorted(c.wait_seconds for c in real if c.outcome is Outcome.ANSWERED and c.wait_seconds is not None)
    assert whole.wait_p90 == percentile(waits, 0.9)


async def test_variants_are_those_of_the_service_level(told: Store) -> None:
    report = await ask(told, Question(TODAY))
    counted = await told.service_levels("pbx", TARGETS).service_levels(NOW, NOW + 86400, by="arrived_at")
    tally = sum((one.tally for one in counted.values()), Tally())
    for variant in Variant:
        assert report.whole.level(variant) == service_level(tally, variant)
    assert report.whole.unobserved_seconds == await told.service_levels("pbx", TARGETS).unobserved(NOW, NOW + 57600)


def test_cells_are_as_large_as_the_pieces_allow() -> None:
    days = periods(Interval(date(2026, 11, 1), date(2026, 11, 30)), Grain.DAY, SHANGHAI)
    assert cell_seconds(days) == 28_800
    halves = periods(TODAY, Grain.HALF_HOUR, ZoneInfo("Asia/Kathmandu"))
    assert cell_seconds(halves) == 900
    assert datetime.fromtimestamp(halves[0].since, UTC).minute == 15
