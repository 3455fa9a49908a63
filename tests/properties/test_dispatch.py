"""The dispatch of a ticket (D3, D4): which steps start and stop which clocks, and what may be done next."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callcenter.options import clock_terms
from callcenter.settings import Settings
from callcenter.settings.levels import Dispatch
from callcenter.tickets.business_time import due
from callcenter.tickets.clocks import CLOSED, Clock, Matter, Name, Pause, State, Terms
from callcenter.tickets.dispatch import (
    DELAYS,
    NEEDS,
    Kind,
    Step,
    choices,
    dispatch_clocks,
    expected_visit,
    runs,
    standing,
)

patient = settings(max_examples=150)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
TERMS = clock_terms(Settings())
NOON = datetime(2026, 11, 27, 12, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
"""A Friday."""
OPEN = Matter(NOON, "standard")
BEGUN_BY: dict[Name, tuple[Kind, ...]] = {
    Name.DISPATCH: NEEDS,
    Name.ARRANGED: (Kind.ON_SITE,),
    Name.VISIT: (Kind.ON_SITE,),
    Name.MANAGER: (Kind.SOON,),
    Name.DELAY: DELAYS,
    Name.ABNORMAL: (Kind.ABNORMAL,),
}
"""Said anew: what begins each clock, and what ends it. ``BOOKED`` rests on another clock and is tested by itself."""
ENDED_BY: dict[Name, tuple[Kind, ...]] = {
    Name.DISPATCH: (Kind.DISPATCHED,),
    Name.ARRANGED: (Kind.BOOKED, Kind.VISITED),
    Name.VISIT: (Kind.VISITED,),
    Name.MANAGER: (Kind.CALLED_BACK,),
    Name.DELAY: (Kind.TOLD, Kind.BOOKED, Kind.VISITED),
    Name.ABNORMAL: (Kind.ESCALATED,),
}


@st.composite
def any_steps(draw: st.DrawFn) -> list[Step]:
    """Also such as no window offers: two tickets that became one, a clock that was set back."""
    found = []
    for number in range(draw(st.integers(0, 14))):
        at = NOON + MINUTE * draw(st.integers(0, 300))
        kind = draw(st.sampled_from(Kind))
        promised = at + HOUR * draw(st.integers(0, 100)) if kind is Kind.BOOKED else None
        undone = at + MINUTE if draw(st.integers(0, 4)) == 0 else None
        found.append(Step(number, kind, at, "li", promised, undone))
    return found


@st.composite
def worked(draw: st.DrawFn) -> list[Step]:
    """A story of steps, each of them offered when it was made."""
    found: list[Step] = []
    for number in range(draw(st.integers(0, 16))):
        offered = choices(found)
        kind = draw(st.sampled_from([*offered.next, *offered.other]))
        found.append(made(number, kind, NOON + number * MINUTE))
        if draw(st.integers(0, 5)) == 0:
            back = draw(st.integers(0, len(found) - 1))
            found[back] = replace(found[back], undone_at=NOON + number * MINUTE)
    return found


def made(number: int, kind: Kind, at: float, promised_at: float | None = None) -> Step:
    booked = (at + DAY if promised_at is None else promised_at) if kind is Kind.BOOKED else None
    return Step(number, kind, at, "li", booked)


def story(*kinds: Kind | tuple[Kind, float], promised_at: float | None = None) -> list[Step]:
    """Steps at noon and so many seconds later, in the order given."""
    pairs = [one if isinstance(one, tuple) else (one, 0.0) for one in kinds]
    return [made(number, kind, NOON + later, promised_at) for number, (kind, later) in enumerate(pairs)]


def clocks(steps: Iterable[Step], matter: Matter = OPEN, terms: Terms = TERMS) -> dict[Name, Clock]:
    """The last of each name."""
    return {clock.name: clock for clock in dispatch_clocks(steps, matter, terms)}


def owed(steps: Iterable[Step]) -> set[Name]:
    return {run.name for run in runs(steps) if run.ended_at is None}


# --- which steps start and stop what ---------------------------------------------------------------------------------


@patient
@given(any_steps())
def test_each_clock_runs_from_what_begins_it_to_what_ends_it(steps: list[Step]) -> None:
    for name, begins in BEGUN_BY.items():
        expected: list[tuple[float, float | None]] = []
        for step in standing(steps):
            running = bool(expected) and expected[-1][1] is None
            if running and step.kind in ENDED_BY[name]:
                expected[-1] = (expected[-1][0], step.at)
            elif not running and step.kind in begins:
                expected.append((step.at, None))
        assert [(run.begun.at, run.ended_at) for run in runs(steps) if run.name is name] == expected


@patient
@given(any_steps())
def test_any_steps_give_clocks_and_choices(steps: list[Step]) -> None:
    found = runs(steps)
    going_on = [run.name for run in found if run.ended_at is None]
    assert len(going_on) == len(set(going_on)), "each at most once at a time"
    assert all(run.ended_at is None or run.ended_at >= run.begun.at for run in found)
    offered = choices(steps)
    assert len({*offered.next, *offered.other}) == len(offered.next) + len(offered.other), "nothing twice"
    for clock in dispatch_clocks(steps, OPEN, TERMS):
        assert clock.due_at is not None
        assert clock.warn_at is not None
        assert clock.warn_at <= max(clock.due_at, clock.began_at)


@patient
@given(any_steps())
def test_what_was_taken_back_is_as_if_it_had_never_been(steps: list[Step]) -> None:
    without = [step for step in steps if step.undone_at is None]
    assert runs(steps) == runs(without)
    assert choices(steps) == choices(without)
    assert expected_visit(steps) == expected_visit(without)


@patient
@given(any_steps(), st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(steps: list[Step], chance: object) -> None:
    mixed = list(steps)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert runs(mixed) == runs(steps)


def test_a_visit_is_booked_by_whoever_was_sent() -> None:
    steps = story(Kind.ON_SITE, (Kind.DISPATCHED, 5 * MINUTE))
    assert [(run.name, run.begun.at) for run in runs(steps) if run.ended_at is None] == [
        (Name.ARRANGED, NOON),
        (Name.VISIT, NOON),
        (Name.BOOKED, NOON + 5 * MINUTE),
    ]
    assert Name.BOOKED not in owed(story(Kind.REMOTE, Kind.DISPATCHED)), "nobody drives"
    again = story(Kind.ON_SITE, Kind.DISPATCHED, Kind.BOOKED, Kind.VENDOR, Kind.DISPATCHED)
    assert owed(again) == {Name.VISIT}, "the visit has its time"


# --- what may be done next -------------------------------------------------------------------------------------------


@patient
@given(worked())
def test_whatever_is_owed_the_next_step_leads_to_its_end(steps: list[Step]) -> None:
    at = NOON + DAY
    for number in range(12):
        if not owed(steps):
            return
        step = choices(steps).next[0]
        before = owed(steps)
        steps = [*steps, made(1000 + number, step, at + number)]
        assert before - owed(steps), f"{step} ends nothing"
    raise AssertionError(f"still owed: {owed(steps)}")


@patient
@given(worked())
def test_there_is_no_wall_of_buttons(steps: list[Step]) -> None:
    offered = choices(steps)
    assert len(offered.next) <= 6, "three that answer what happened, and three ways to help"
    assert len(offered.other) <= 7
    assert not set(DELAYS) & set(offered.next)


def test_the_steps_of_a_plain_story() -> None:
    assert choices([]).next == NEEDS
    assert choices([]).other == (Kind.ABNORMAL,)
    assert choices(story(Kind.ON_SITE)).next == (Kind.DISPATCHED, Kind.SOON)
    assert choices(story(Kind.ON_SITE, Kind.SOON)).next == (Kind.CALLED_BACK, Kind.DISPATCHED)
    assert choices(story(Kind.ON_SITE, Kind.DISPATCHED)).next == (Kind.BOOKED, Kind.SOON)
    visit = story(Kind.ON_SITE, Kind.DISPATCHED, Kind.BOOKED)
    assert choices(visit).next == (Kind.VISITED,)
    assert choices(visit).other == (Kind.BOOKED, Kind.VENDOR, *DELAYS, Kind.ABNORMAL)
    late = story(Kind.ON_SITE, Kind.DISPATCHED, Kind.BOOKED, Kind.DELAY_LONGER)
    assert choices(late).next == (Kind.TOLD, Kind.VISITED)
    done = story(Kind.ON_SITE, Kind.DISPATCHED, Kind.BOOKED, Kind.VISITED)
    assert choices(done).next == ()
    assert choices(done).other == (Kind.ON_SITE, Kind.VENDOR, Kind.ABNORMAL)
    remote = story(Kind.REMOTE, Kind.DISPATCHED)
    assert choices(remote).other == (Kind.ON_SITE, Kind.VENDOR, *DELAYS, Kind.ABNORMAL)
    assert choices(story(Kind.ABNORMAL)).next == (Kind.ESCALATED, *NEEDS)


# --- by when ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule", "kinds", "seconds"),
    [
        (Name.DISPATCH, "D4", (Kind.VENDOR,), 10 * MINUTE),
        (Name.BOOKED, "D4", (Kind.ON_SITE, Kind.DISPATCHED), 30 * MINUTE),
        (Name.ARRANGED, "D3", (Kind.ON_SITE,), DAY),
        (Name.VISIT, "D3", (Kind.ON_SITE,), 3 * DAY),
        (Name.MANAGER, "D3", (Kind.ON_SITE, Kind.SOON), HOUR),
        (Name.DELAY, "D4", (Kind.REMOTE, Kind.DELAY_MINUTES), 10 * MINUTE),
        (Name.ABNORMAL, "D4", (Kind.ABNORMAL,), 20 * MINUTE),
    ],
)
def test_the_times_of_the_standard(name: Name, rule: str, kinds: tuple[Kind, ...], seconds: float) -> None:
    clock = clocks(story(*kinds))[name]
    assert (clock.rule, clock.began_at, clock.due_at, clock.limit_seconds) == (rule, NOON, NOON + seconds, seconds)
    assert clock.warn_at == pytest.approx(NOON + 0.8 * seconds)
    assert [clock.state(NOON + share * seconds) for share in (0.5, 0.9, 1.0, 1.01)] == [
        *(State.RUNNING, State.AT_RISK, State.AT_RISK, State.BREACHED)
    ]


def delay(kind: Kind, ahead: float) -> Clock:
    """Of a visit that was booked for so long after the delay was known, at noon."""
    steps = [made(0, Kind.ON_SITE, NOON - DAY), made(1, Kind.DISPATCHED, NOON - DAY)]
    steps += [made(2, Kind.BOOKED, NOON - DAY, NOON + ahead), made(3, kind, NOON)]
    return clocks(steps)[Name.DELAY]


def test_a_delay_is_told_in_time_before_the_promised_one() -> None:
    assert delay(Kind.DELAY_MINUTES, 35 * MINUTE).due_at == NOON + 10 * MINUTE
    assert delay(Kind.DELAY_HALF_DAY, 8 * HOUR).due_at == NOON + 10 * MINUTE, "the stricter of both"
    assert delay(Kind.DELAY_HALF_DAY, 35 * MINUTE).due_at == NOON + 5 * MINUTE
    assert delay(Kind.DELAY_LONGER, 4 * HOUR + 2 * MINUTE).due_at == NOON + 2 * MINUTE
    too_late = delay(Kind.DELAY_LONGER, HOUR)
    assert (too_late.due_at, too_late.state(NOON)) == (NOON - 3 * HOUR, State.BREACHED)
    assert too_late.limit_seconds == 0
    no_promise = clocks(story(Kind.REMOTE, Kind.DISPATCHED, Kind.DELAY_LONGER))[Name.DELAY]
    assert no_promise.due_at == NOON + 10 * MINUTE


def test_the_promise_is_the_one_that_held_when_the_delay_was_known() -> None:
    steps = story(Kind.ON_SITE, Kind.DISPATCHED, Kind.BOOKED, Kind.DELAY_LONGER, promised_at=NOON + 4 * HOUR + MINUTE)
    moved = [*steps, made(9, Kind.BOOKED, NOON + 30, NOON + 3 * DAY)]
    clock = clocks(moved)[Name.DELAY]
    assert (clock.due_at, clock.stopped_at, clock.state(NOON + DAY)) == (NOON + MINUTE, NOON + 30, State.KEPT)
    assert expected_visit(moved) == NOON + 3 * DAY
    assert expected_visit([*moved, made(10, Kind.VISITED, NOON + DAY)]) is None


def test_a_second_dispatch_is_a_run_of_its_own() -> None:
    steps = story(Kind.REMOTE, (Kind.DISPATCHED, 15 * MINUTE), (Kind.ON_SITE, HOUR))
    found = [one for one in dispatch_clocks(steps, OPEN, TERMS) if one.name is Name.DISPATCH]
    assert [one.state(NOON + HOUR) for one in found] == [State.MISSED, State.RUNNING]


# --- closing, pauses, settings ---------------------------------------------------------------------------------------


@patient
@given(any_steps(), st.integers(0, 6000))
def test_closing_ends_what_was_owed_and_only_what_was_late_stays(steps: list[Step], minutes: int) -> None:
    at = NOON + minutes * MINUTE
    assume(all(step.at <= at for step in steps))
    before = dispatch_clocks(steps, OPEN, TERMS)
    after = dispatch_clocks(steps, replace(OPEN, resolved_at=at), TERMS)
    assert all(clock.stopped_at is not None for clock in after)
    stopped = [clock for clock in before if clock.stopped_at is not None]
    late = [replace(clock, stopped_at=at) for clock in before if clock.state(at) is State.BREACHED]
    assert sorted(after, key=repr) == sorted([*stopped, *late], key=repr)


def test_pauses_stop_what_waits_for_the_customer() -> None:
    steps = story(Kind.ON_SITE, Kind.SOON, Kind.ABNORMAL)
    paused = replace(OPEN, pauses=(Pause(NOON + MINUTE, NOON + HOUR, "the customer"),))
    plain, found = clocks(steps), clocks(steps, paused)
    assert {name: (found[name].due_at or 0) - (clock.due_at or 0) for name, clock in plain.items()} == {
        **dict.fromkeys((Name.DISPATCH, Name.ARRANGED, Name.VISIT), 59 * MINUTE),
        **dict.fromkeys((Name.MANAGER, Name.ABNORMAL), 0.0),
    }
    going_on = clocks(steps, replace(OPEN, pauses=(Pause(NOON - HOUR, None, "parts"),)))
    assert {name for name, clock in going_on.items() if clock.state(NOON + DAY) is State.PAUSED} == {
        *(Name.DISPATCH, Name.ARRANGED, Name.VISIT)
    }
    assert going_on[Name.VISIT].used_seconds == 0


def test_the_time_in_which_the_ticket_was_closed_counts_nowhere() -> None:
    closed = replace(OPEN, pauses=(Pause(NOON + MINUTE, NOON + DAY, CLOSED),))
    for name, clock in clocks(story(Kind.ON_SITE, Kind.SOON, Kind.ABNORMAL), closed).items():
        assert clock.due_at == NOON + TERMS.dispatch[name].seconds + DAY - MINUTE


def test_each_clock_can_be_switched_off() -> None:
    off = dict.fromkeys((one for one in Dispatch.__annotations__ if one.endswith("minutes")), 0.0)
    steps = [*story(Kind.ON_SITE, Kind.DISPATCHED, Kind.SOON, Kind.ABNORMAL, Kind.DELAY_LONGER)]
    assert dispatch_clocks(steps, OPEN, clock_terms(Settings(dispatch=Dispatch(**off)))) == ()
    lead_only = clock_terms(Settings(dispatch=Dispatch(delay_minutes=0)))
    promised = story(Kind.ON_SITE, Kind.DISPATCHED, Kind.BOOKED, Kind.DELAY_HALF_DAY)
    assert clocks(promised, terms=lead_only)[Name.DELAY].due_at == NOON + DAY - 30 * MINUTE
    assert Name.DELAY not in clocks(story(Kind.REMOTE, Kind.DELAY_HALF_DAY), terms=lead_only)


def test_the_clock_on_the_wall_counts_unless_the_site_says_otherwise() -> None:
    friday = NOON + 4 * HOUR + 55 * MINUTE  # 16:55
    steps = [made(0, Kind.ON_SITE, friday)]
    working = clock_terms(Settings(dispatch=Dispatch(calendar="5x8")))
    assert clocks(steps)[Name.DISPATCH].due_at == friday + 10 * MINUTE
    monday = friday + 2 * DAY + 16 * HOUR + 5 * MINUTE  # 09:00
    assert clocks(steps, terms=working)[Name.DISPATCH].due_at == monday + 5 * MINUTE
    limit = working.dispatch[Name.VISIT]
    assert clocks(steps, terms=working)[Name.VISIT].due_at == due(limit.calendar, friday, 72 * HOUR)
