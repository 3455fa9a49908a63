"""The seat's window as a pure function of seat, calls and clock."""

from dataclasses import replace

import pytest

from callcenter.calls.model import Call, Ring, RingResult
from callcenter.rules.cadence import Cadence
from callcenter.rules.commands import StartTimer
from callcenter.rules.three_rings import due_at, on_change
from callcenter.settings import Step
from callcenter.web.ports import (
    LadderStep,
    Link,
    LinkState,
    Phone,
    Queue,
    Seat,
)
from callcenter.web.ticket_ports import Ticket, TicketPage, TicketRow
from callcenter.web.window import (
    State,
    Window,
    honest,
    ladder,
    missing,
    nth_today,
    people,
    rings_by,
    seen,
    shown_name,
    window,
    work_key,
)
from tests.fakes import calls as story

CHINA = Cadence(1.0, 4.0)
NOW = 1_800_000_000.0
SEAT = Seat("1001", phone=Phone.IDLE, since=NOW - 60)
LADDER = Queue("it", "IT", "X", (LadderStep(2, "start", "widen"), LadderStep(3, "end", "announce")))

RINGING = story.ringing(NOW, heard=8.0)
TALKING = story.talking(RINGING, NOW)
HELD = story.held(TALKING, NOW + 20)
ENDED = story.ended(TALKING, NOW + 300)


def state(
    *calls: Call, seat: Seat = SEAT, last: Call | None = None, is_open: bool = False, now: float = NOW + 310
) -> Window:
    return window(seat, calls, last, is_open, now)


@pytest.mark.parametrize(
    ("seat", "calls", "last", "is_open", "expected"),
    [
        (SEAT, (), None, False, State.FREE),
        (replace(SEAT, phone=Phone.UNKNOWN), (), None, False, State.UNKNOWN),
        (replace(SEAT, phone=Phone.UNREACHABLE), (), None, False, State.OFFLINE),
        (replace(SEAT, paused=True, paused_since=NOW), (), None, False, State.BREAK),
        (SEAT, (RINGING,), None, False, State.RINGING),
        (replace(SEAT, paused=True), (RINGING,), None, False, State.RINGING),
        (SEAT, (TALKING,), None, False, State.TALKING),
        (SEAT, (HELD,), None, False, State.HOLD),
        (SEAT, (), ENDED, True, State.WRAPUP),
        (SEAT, (), ENDED, False, State.FREE),
        (SEAT, (story.ringing(NOW, call_id="b"),), ENDED, True, State.RINGING),
        (SEAT, (ENDED,), None, False, State.FREE),
    ],
)
def test_one_state_for_any_mixture(
    seat: Seat, calls: tuple[Call, ...], last: Call | None, is_open: bool, expected: State
) -> None:
    assert state(*calls, seat=seat, last=last, is_open=is_open).state is expected


@pytest.mark.parametrize(
    ("phone", "paused", "calls", "wraps_up", "expected"),
    [
        (Phone.IDLE, False, (), False, State.FREE),
        (Phone.IDLE, True, (), False, State.BREAK),
        (Phone.IDLE, True, (), True, State.WRAPUP),
        (Phone.IN_USE, True, (TALKING,), False, State.TALKING),
        (Phone.IN_USE, True, (HELD,), False, State.HOLD),
        (Phone.RINGING, True, (RINGING,), False, State.RINGING),
        (Phone.IN_USE, False, (), False, State.TALKING),
        (Phone.IN_USE, True, (), False, State.TALKING),
        (Phone.RINGING, False, (), False, State.RINGING),
        (Phone.IN_USE, False, (), True, State.WRAPUP),
        (Phone.UNREACHABLE, False, (), False, State.OFFLINE),
        (Phone.UNKNOWN, True, (), False, State.BREAK),
    ],
)
def test_for_others_a_seat_on_the_phone_is_neither_free_nor_on_a_break(
    phone: Phone, paused: bool, calls: tuple[Call, ...], wraps_up: bool, expected: State
) -> None:
    """Also when its phone is in use for a call that is none of the hotline's, as one to the outside."""
    one = replace(SEAT, phone=phone, paused=paused)
    shown = seen(one, calls, ENDED if wraps_up else None, NOW + 310)
    assert shown.state is expected
    assert shown.call is not None or shown.state not in (State.HOLD, State.WRAPUP)


@pytest.mark.parametrize("state_of_link", [LinkState.LOST, LinkState.CONNECTING, LinkState.REFUSED])
def test_without_the_link_a_phone_is_not_observed(state_of_link: LinkState) -> None:
    down = Link(state_of_link, NOW - 9)
    assert honest(state(), down) == Window(State.UNKNOWN, NOW - 9)
    assert honest(state(seat=replace(SEAT, paused=True)), down).state is State.UNKNOWN
    assert honest(state(TALKING), down) == state(TALKING), "the call is on the screen; what happens to it is a gap"
    assert honest(state(), Link(LinkState.UP)) == state()


def test_wrap_up_is_given_up_after_half_an_hour() -> None:
    assert state(last=ENDED, is_open=True, now=NOW + 300 + 1799).state is State.WRAPUP
    assert state(last=ENDED, is_open=True, now=NOW + 300 + 1801).state is State.FREE


def test_a_second_ringing_call_is_told_beside_the_talk() -> None:
    second = story.ringing(NOW, call_id="b")
    shown = state(TALKING, second)
    assert (shown.state, shown.call, shown.other) == (State.TALKING, TALKING, second)


def test_since_is_the_seats_own_instant() -> None:
    assert state(RINGING).since == RINGING.rings[1].started_at
    assert state(TALKING).since == NOW
    assert state(HELD).since == NOW + 20


def test_talk_after_a_transfer_whose_ringing_was_not_seen() -> None:
    moved = replace(TALKING, talking_to=("1009",))
    assert window(Seat("1009"), [moved], None, False, NOW).since == TALKING.answered_at


def test_a_pop_has_one_identity_per_ringing() -> None:
    first, again = state(RINGING).pop, state(replace(RINGING, rings_heard=3)).pop
    rung_anew = replace(RINGING, rings=(*RINGING.rings[:1], Ring("1001", "x", NOW + 9, None, RingResult.RINGING)))
    assert first == again is not None
    assert state(rung_anew).pop != first
    assert state(TALKING).pop is None


@pytest.mark.parametrize(("seconds", "rings"), [(0, 1), (4.99, 1), (5, 2), (10, 3), (14.9, 3), (15, 4)])
def test_rings_are_the_callers(seconds: float, rings: int) -> None:
    call = replace(RINGING, first_ring_at=NOW)
    assert rings_by(call, NOW + seconds, CHINA) == rings


def test_a_call_that_is_handed_on_begins_to_ring_anew_and_has_no_ladder() -> None:
    handed = story.handed_on(TALKING, NOW + 60, "1003")
    assert rings_by(handed, NOW + 61, CHINA) == 1, "not all since the first ring, through the conversation"
    assert ladder(handed, LADDER, "1003", NOW + 61, CHINA) == []
    assert (RINGING.handed_on, TALKING.handed_on, ENDED.handed_on) == (False, False, False)
    assert (RINGING.ringing_from, TALKING.ringing_from) == (RINGING.first_ring_at, RINGING.first_ring_at)
    unseen = replace(handed, rings=())
    assert unseen.ringing_from == NOW + 60


def test_no_rings_before_the_first() -> None:
    assert rings_by(replace(RINGING, first_ring_at=None), NOW, CHINA) == 0


def test_the_ladder_tells_what_was_is_and_will_be() -> None:
    one, two, three = ladder(RINGING, LADDER, "1001", NOW, CHINA)
    assert (one.status, one.missed, one.mine) == ("done", ("1002",), False)
    assert (two.status, two.mine, two.does) == ("now", True, (("widen", "start"),))
    assert (three.status, three.does) == ("todo", (("announce", "end"),))


@pytest.mark.parametrize(("heard", "rings"), [(17.0, [1, 2, 3, 4]), (52.0, [1, 2, 3, 11])])
def test_past_the_third_ring_the_ladder_shows_the_present_one_too(heard: float, rings: list[int]) -> None:
    rungs = ladder(story.ringing(NOW, heard=heard), LADDER, "1001", NOW, CHINA)
    assert [rung.ring for rung in rungs] == rings
    assert [rung.status for rung in rungs] == ["done", "done", "done", "now"]


def ticket(number: int, at: float = NOW, **fields: str) -> Ticket:
    return Ticket(number, f"26-1122-{number:04}", "pbx", f"c{number}", at, "open", "1001", fields, 1, at)


def row(number: int, at: float = NOW, **fields: str) -> TicketRow:
    return TicketRow(ticket(number, at, **fields), "1", "it", "answered", at, 1.0, 1)


def test_people_are_told_apart_and_counted_newest_first() -> None:
    rows = [
        row(3, NOW, caller_name="周敏", department="收费"),
        row(2, NOW - 5, caller_name="刘"),
        row(1, NOW - 9, caller_name="周敏"),
    ]
    found = people([*rows, row(0, organisation="nobody named")])
    assert [(one.caller_name, one.times, one.last_at) for one in found] == [("周敏", 2, NOW), ("刘", 1, NOW - 5)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("LI SI", "LI SI"),
        ("周敏", ""),
        (story.NUMBER, ""),
        ("010-5550 0142", ""),
        ("+86 10 5550 0142", ""),
        (" ", ""),
        (None, ""),
    ],
)
def test_the_networks_name_is_shown_where_it_says_something_new(name: str | None, shown: str) -> None:
    assert shown_name(replace(RINGING, caller_name=name), ticket(1, caller_name="周敏")) == shown


def test_a_queue_that_allows_more_rings_has_a_longer_ladder() -> None:
    late = replace(LADDER, rings=5, ladder=(LadderStep(7, "end", "announce"),))
    rungs = ladder(RINGING, late, "1001", NOW, CHINA)
    assert [(rung.ring, rung.status) for rung in rungs] == [
        *((1, "done"), (2, "now"), (3, "todo"), (4, "todo"), (5, "todo"), (7, "todo"))
    ]
    assert rungs[-1].does == (("announce", "end"),)


def test_the_day_is_counted_from_midnight() -> None:
    page = TicketPage((row(2, NOW - 10), row(1, NOW - 90_000)), 2)
    assert nth_today(page, NOW - 3600) == 2


def test_missing_fields_ignore_blanks() -> None:
    assert missing(ticket(1, caller_name=" ", phone="1", organisation="x"), ("caller_name", "phone")) == ["caller_name"]


@pytest.mark.parametrize(
    ("shown", "key"),
    [
        (State.RINGING, "ring:7"),
        (State.TALKING, "form:7"),
        (State.HOLD, "form:7"),
        (State.WRAPUP, "form:7"),
        (State.FREE, "idle"),
    ],
)
def test_the_middle_of_the_window(shown: State, key: str) -> None:
    assert work_key(Window(shown, NOW), 7) == key
    assert work_key(Window(shown, NOW), None) == "idle"


def test_one_base_of_three_rings_for_the_ladder_the_wall_and_every_window() -> None:
    """Our dialplan's ladder acts by the waiting where no phone rings soon; elsewhere a ring is a telephone's."""
    late = replace(RINGING, hotline=True, waiting_since=NOW - 12, first_ring_at=NOW - 4)
    assert late.ringing_from == NOW - 12
    assert rings_by(late, NOW, CHINA) == 3
    assert replace(late, first_ring_at=NOW - 10.5).ringing_from == NOW - 10.5, "the first phone, soon after"
    assert replace(late, first_ring_at=None).ringing_from == NOW - 12
    assert replace(late, hotline=False).ringing_from == NOW - 4
    assert replace(late, hotline=False, first_ring_at=None).ringing_from is None
    step = Step(2, "start", "widen")
    timer, *_ = on_change(None, late, (step,), CHINA, NOW)
    assert isinstance(timer, StartTimer)
    assert timer.due_at == due_at(step, NOW - 12, CHINA)


def test_what_rings_after_the_announcement_is_no_ring_of_the_callers() -> None:
    told = replace(story.ringing(NOW, heard=21.0), announced_at=NOW - 6.1)
    assert rings_by(told, NOW, CHINA) == 3 < rings_by(replace(told, announced_at=None), NOW, CHINA)
    rungs = ladder(told, LADDER, "1001", NOW, CHINA)
    assert [(rung.ring, rung.status) for rung in rungs] == [(1, "done"), (2, "done"), (3, "done")]
    duty = replace(told, rings=(Ring("1001", "x", NOW - 5, None, RingResult.RINGING),))
    assert not any(rung.mine for rung in ladder(duty, LADDER, "1001", NOW, CHINA))
