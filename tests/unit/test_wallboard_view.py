"""The big screen as data: order, counts, what is cut, what is not known, and that nobody is named."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.model import Call, Phase
from callcenter.metrics.service_levels import Interval, Tally, Target, Targets, Variant
from callcenter.metrics.today import Counts
from callcenter.quality.rates import Counted
from callcenter.rules.cadence import Cadence
from callcenter.settings.sections import Wallboard
from callcenter.web.board_ports import Day, Owed, Worked
from callcenter.web.clock_ports import OfLevel, Watched
from callcenter.web.ports import (
    Link,
    LinkState,
    Phone,
    Queue,
    Seat,
)
from callcenter.web.wallboard_calls import masked
from callcenter.web.wallboard_seats import CALM, SeatNow, room, urgency, worst
from callcenter.web.wallboard_view import MOST_WAITING, Facts, Site, wall
from callcenter.web.window import State, Window
from tests.fakes import calls as story

NOW = 1_795_320_000.0
LINK = Link(LinkState.UP, NOW - 1000)
TARGETS = Targets(Target(15, 5), {"vip": Target(10, 5, "vip")})


def site(variant: Variant = Variant.ABANDONS_BAD, **shown: Any) -> Site:
    def queue(name: str | None) -> Queue:
        return Queue(name or "", f"<{name}>", "company")

    return Site(Wallboard(**shown), variant, 0.85, queue, TARGETS.of, Cadence(1.0, 4.0))


def counted(**tally: int) -> Counts:
    return Counts(Interval(Tally(**tally), 2), kept=tally.get("answered", 0) // 2, waits=2, wait_seconds=9.0)


def day(queues: dict[str, Counts] | None = None, **values: Any) -> Day:
    defaults: dict[str, Any] = {"missed": {}, "unobserved_seconds": 420.0, "owed": (), "open_tickets": 7}
    return Day(NOW - 40_000, queues or {}, **(defaults | values))


def facts(**values: Any) -> Facts:
    defaults: dict[str, Any] = {"now": NOW, "link": LINK, "calls": (), "seats": (), "day": day()}
    return Facts(**(defaults | values))


def seat(number: int, state: State, since: float | None = None, queues: tuple[str, ...] = ("it",)) -> SeatNow:
    one = Seat(str(1000 + number), f"{number:03}", f"Name {number}", Phone.IDLE)
    return SeatNow(one, Window(state, since), queues, 3)


def ringing(call_id: str, heard: float, **more: Any) -> Call:
    return story.ringing(NOW, "1001", call_id, heard, **more)


def queued(call_id: str, waited: float, **more: Any) -> Call:
    call = story.ringing(NOW, "1001", call_id, waited, waiting_since=NOW - waited, **more)
    return replace(call, phase=Phase.WAITING, ringing=(), rings=(), first_ring_at=None)


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "share", "of"),
    [
        (Variant.ABANDONS_BAD, 860 / 1060, 1060),
        (Variant.ABANDONS_IGNORED, 860 / 1000, 1000),
        (Variant.SHORT_ABANDONS_FORGIVEN, 860 / 1050, 1050),
    ],
)
def test_the_share_is_of_the_calls_of_its_variant(variant: Variant, share: float, of: int) -> None:
    tally = {"answered": 1000, "answered_in_time": 860, "abandoned": 60, "abandoned_in_time": 20, "abandoned_short": 10}
    found = wall(facts(day=day({"it": counted(**tally)})), site(variant)).level
    assert found is not None
    assert (found.share, found.of) == (share, of)
    assert (found.in_time, found.late) == (860, of - 860)
    assert (found.abandoned, found.recovered, found.kept) == (50, 2, 0.5)
    assert found.counts.speed_of_answer == 4.5


def test_who_gave_up_is_a_share_of_all_calls_but_the_short_ones() -> None:
    """As in reports and in the alert."""
    found = wall(
        facts(day=day({"it": counted(answered=40, abandoned=17, abandoned_short=7, overflowed=3)})), site()
    ).level
    assert found is not None
    assert (found.abandoned, found.abandoned_of) == (10, 53)


def test_a_screen_of_some_queues_counts_their_open_tickets() -> None:
    watched = Watched({("it", "vip"): OfLevel(open=3), ("other", "vip"): OfLevel(open=9)})
    assert wall(facts(clocks=watched), site()).open_tickets == 7, "the day's own count"
    assert wall(facts(clocks=watched), site(queues=("it",))).open_tickets == 3
    assert wall(facts(), site(queues=("it",))).open_tickets is None


def test_no_calls_is_no_share_and_an_unread_day_no_figure() -> None:
    empty = wall(facts(), site()).level
    assert empty is not None
    assert (empty.share, empty.of, empty.kept, empty.counts.speed_of_answer) == (None, 0, None, None)
    unread = wall(facts(day=None), site())
    assert (unread.level, unread.owed, unread.unobserved_seconds, unread.open_tickets) == (None, None, None, None)


def test_only_overflowed_calls_are_calls_without_a_share() -> None:
    found = wall(facts(day=day({"it": counted(overflowed=3)})), site()).level
    assert found is not None
    assert (found.share, found.tally.calls) == (None, 3)


def test_the_threshold_is_told_only_if_there_is_one() -> None:
    both = {"it": counted(answered=1), "vip": counted(answered=1)}
    assert wall(facts(day=day(both)), site()).level.seconds is None  # type: ignore[union-attr]
    assert wall(facts(day=day(both)), site(queues=("vip",))).level.seconds == 10  # type: ignore[union-attr]
    assert wall(facts(), site()).level.seconds == 15  # type: ignore[union-attr]


def test_chosen_queues_are_the_only_ones() -> None:
    found = wall(
        facts(
            calls=[ringing("a", 3, queue="it"), ringing("b", 9, queue="vip")],
            seats=[seat(1, State.FREE), seat(2, State.FREE, queues=("vip",)), seat(3, State.FREE, queues=())],
            day=day({"it": counted(answered=4), "vip": counted(answered=2), "": counted(abandoned=9)}, owed=OWED),
            queues=("it", "vip"),
        ),
        site(queues=("vip",)),
    )
    assert [one.call_id for one in found.ringing] == ["b"]
    assert [line.name for line in found.queues] == ["vip"]
    assert found.level is not None
    assert found.level.tally.calls == 2
    assert [tile.extension for tile in found.seats] == ["1002", "1003"]
    assert [one.ticket_id for one in found.owed or ()] == [3]


OWED = (
    Owed("D11", 1, "26-1", "it", None, NOW - 5),
    Owed("D11", 2, "26-2", "it", None, NOW + 5000),
    Owed("B5", 5, "26-5", "it", None, NOW - 2),
    Owed("C2", 3, "26-3", "vip", "1001", NOW + 5),
    Owed("C2", 4, "26-4", None, None, NOW - 1),
)


def test_what_is_owed_is_counted_by_its_rule() -> None:
    found = wall(facts(day=day(owed=OWED)), site())
    counts = found.callbacks, found.callbacks_over, found.promises_over, found.promises_due
    assert counts == (3, 2, 1, 1), "callbacks are D11 and B5"


def test_who_promised_is_called_as_everywhere_else_on_the_screen() -> None:
    known = seat(1, State.FREE)
    owed = (Owed("C2", 3, "26-3", "it", known.seat.extension, NOW), Owed("C2", 4, "26-4", "it", "9999", NOW))
    found = wall(facts(seats=(known,), day=day(owed=owed)), site())
    assert known.seat.work_number not in (None, known.seat.extension)
    assert [one.seat for one in found.owed or ()] == [known.seat.work_number, "9999"]


def test_a_store_that_does_not_answer_leaves_unknowns() -> None:
    found = wall(facts(day=day(owed=None, open_tickets=None, unobserved_seconds=None)), site())
    assert (found.owed, found.open_tickets, found.unobserved_seconds) == (None, None, None)


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_the_longest_wait_comes_first_and_the_rest_is_counted() -> None:
    calls = [ringing(f"r{n}", n) for n in range(1, 7)]
    found = wall(facts(calls=[*calls, queued("q", 90)]), site())
    assert [one.call_id for one in found.ringing] == ["r6", "r5"]
    assert [one.call_id for one in found.queued] == ["q"], "who waits longest is shown, whether a phone rings or not"
    assert (found.cut["waiting"], found.cut["more_waiting"]) == (7, 7 - MOST_WAITING)
    assert found.longest is not None
    assert found.longest.call_id == "q"


def test_callers_in_the_queue_do_not_hide_the_countdown_of_who_hears_it_ring() -> None:
    calls = [ringing("r1", 3), ringing("r2", 6), *(queued(f"q{n}", 60 + n) for n in range(5))]
    found = wall(facts(calls=calls), site())
    assert [one.call_id for one in found.ringing] == ["r2", "r1"]
    assert [one.call_id for one in found.queued] == ["q4"], "who waits longest is there as well"
    assert found.cut["more_waiting"] == 4


def test_more_waits_fit_where_nothing_stands_below_them() -> None:
    calls = [ringing(f"r{n}", n) for n in range(1, 9)]
    found = wall(facts(calls=calls), site(tiles=("waiting", "queues", "seats")))
    assert [one.call_id for one in found.ringing] == ["r8", "r7", "r6", "r5", "r4"]
    assert found.cut["more_waiting"] == 3


def test_who_hears_no_ring_waits_without_one() -> None:
    announced = replace(ringing("said", 30), announced_at=NOW - 14, phase=Phase.WAITING, ringing=())
    found = wall(facts(calls=[announced, queued("music", 20), queued("hotline", 10, hotline=True)]), site())
    assert [one.call_id for one in found.queued] == ["said", "music"]
    assert [(one.call_id, one.heard_since) for one in found.ringing] == [("hotline", NOW - 10)]


def test_rings_count_from_the_waiting_when_the_first_phone_rang_late() -> None:
    late = replace(ringing("late", 4), waiting_since=NOW - 12, hotline=True)
    assert wall(facts(calls=[late]), site()).ringing[0].heard_since == NOW - 12


def test_who_is_spoken_to_does_not_wait() -> None:
    talked = story.talking(ringing("t", 4), NOW)
    assert wall(facts(calls=[talked, story.held(talked, NOW)]), site()).cut["waiting"] == 0


@pytest.mark.parametrize(("seconds", "count"), [(59, 0), (61, 1)])
def test_long_holds_are_counted(seconds: float, count: int) -> None:
    held = story.held(story.talking(ringing("t", 4), NOW - 200), NOW - seconds)
    assert wall(facts(calls=[held]), site()).held_long == count


@pytest.mark.parametrize(
    ("number", "shown"),
    [("13800138042", "42"), ("+86 138 0013 8042", "42"), ("1001", ""), ("anonymous", ""), (None, ""), ("张三12", "")],
)
def test_a_number_is_masked(number: str | None, shown: str) -> None:
    assert masked(number) == shown


NAMES = st.text(st.characters(categories=["L"]), min_size=8, max_size=12)
NUMBERS = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@given(NAMES, NUMBERS)
def test_nobody_is_named(name: str, number: str) -> None:
    """Whatever the caller is called: nothing that is printed holds it. Seats' own calls are not printed on the wall."""
    calls = [
        ringing("a", 3, caller_name=name, caller_number=number),
        queued("b", 30, caller_name=name, caller_number=number),
    ]
    found = wall(facts(calls=calls, seats=[seat(1, State.RINGING, NOW)], day=day(owed=OWED)), site())
    told = list(_texts(found))
    assert not [text for text in told if name in text or number[:-2] in text]


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))


# --- seats -----------------------------------------------------------------------------------------------------------


def test_seats_are_counted_by_state_and_shown_worst_first() -> None:
    seats = [
        seat(1, State.FREE, NOW - 10),
        seat(2, State.TALKING, NOW - 100),
        seat(3, State.HOLD, NOW - 5),
        seat(4, State.FREE, NOW - 20),
        seat(5, State.UNKNOWN),
    ]
    found = wall(facts(seats=seats), site())
    assert [tile.label for tile in found.seats] == ["003", "002", "004", "001", "005"]
    assert {state: n for state, n in found.states if n} == {
        State.HOLD: 1,
        State.TALKING: 1,
        State.FREE: 2,
        State.UNKNOWN: 1,
    }
    assert found.present == 4
    limits = {tile.state: (tile.due, tile.over, tile.rule) for tile in found.seats}
    assert limits[State.TALKING] == (300.0, None, "B3")
    assert limits[State.HOLD] == (45.0, 60.0, "B2")


def test_more_seats_than_are_read_from_afar_are_counted() -> None:
    """And never smaller: the more states there are, the fewer names."""
    assert [room(states) for states in (1, 2, 3, 4, 6, 7, 8, 9)] == [14, 14, 12, 12, 10, 6, 6, 4]
    seats = [seat(n, State.FREE, NOW - n) for n in range(300)]
    assert len(wall(facts(seats=seats[:14]), site()).seats) == 14
    found = wall(facts(seats=seats), site())
    assert len(found.seats) == room(1)
    assert (found.cut["seats"], found.cut["all_seats"]) == (300 - room(1), 300)
    assert dict(found.states)[State.FREE] == 300
    assert len(wall(facts(seats=seats), site(), 300).seats) == 300, "somebody near sees all of them"
    unseen = [*seats, seat(301, State.UNKNOWN), seat(302, State.UNKNOWN, queues=())]
    assert len(wall(facts(seats=unseen[:-1]), site()).seats) == room(2)
    assert len(wall(facts(seats=unseen), site()).seats) == room(3), "whose phone is in no queue is a count of its own"
    assert wall(facts(seats=unseen), site()).in_no_queue == 1


def test_a_hold_past_its_minute_comes_before_a_fresh_one_and_wrapup_past_its_time_before_talk() -> None:
    seats = [seat(n, State.FREE) for n in range(100, 160)]
    seats += [seat(1, State.HOLD, NOW - 61), seat(2, State.HOLD, NOW - 5), seat(3, State.TALKING, NOW - 5)]
    seats += [seat(4, State.WRAPUP, NOW - 4000), seat(5, State.TALKING, NOW - 301)]
    found = wall(facts(seats=seats), site())
    assert [tile.label for tile in found.seats[:5]] == ["001", "005", "004", "002", "003"]


def test_a_break_of_more_than_a_quarter_of_an_hour_is_looked_at() -> None:
    seats = [seat(1, State.TALKING, NOW - 5), seat(2, State.BREAK, NOW - 901), seat(3, State.BREAK, NOW - 899)]
    found = wall(facts(seats=seats), site())
    assert [tile.label for tile in found.seats] == ["002", "001", "003"]
    assert (found.seats[0].due, found.seats[0].rule) == (900.0, "A4")


@pytest.mark.parametrize(("heard", "level"), [(4.0, 1), (9.9, 1), (10.0, 0), (40.0, 0)])
def test_the_last_ring_is_a_limit(heard: float, level: int) -> None:
    call = replace(ringing("a", heard), hotline=True)
    one = SeatNow(Seat("1001", "001", "A", Phone.IDLE), Window(State.RINGING, NOW - 1, call))
    assert urgency(one, site().queue, Cadence(1.0, 4.0), NOW) == level


@given(st.lists(st.tuples(st.sampled_from(list(State)), st.floats(0, 5000)), max_size=120), st.integers(1, 14))
def test_no_calm_seat_is_named_before_one_at_its_limit(states: list[tuple[State, float]], most: int) -> None:
    seats = [seat(n, state, NOW - ago) for n, (state, ago) in enumerate(states)]
    one = site()
    how = {each.seat.extension: urgency(each, one.queue, one.cadence, NOW) for each in seats}
    named = [each.seat.extension for each in worst(seats, most, one.queue, one.cadence, NOW)]
    assert len(named) == len(set(named)) == min(most, len(seats))
    assert [how[each] for each in named] == sorted(how.values())[:most]
    assert all(how[each] <= CALM for each in named)


def test_a_seat_is_called_as_the_site_says() -> None:
    assert wall(facts(seats=[seat(1, State.FREE)]), site()).seats[0].label == "001"
    assert wall(facts(seats=[seat(1, State.FREE)]), site(seats="name")).seats[0].label == "Name 1"


def test_a_queue_knows_its_seats_and_calls() -> None:
    found = wall(
        facts(
            calls=[ringing("a", 3, queue="it"), story.talking(ringing("b", 9, queue="it"), NOW)],
            seats=[seat(1, State.FREE), seat(2, State.TALKING), seat(3, State.FREE, queues=("vip",))],
            queues=("it", "vip"),
        ),
        site(),
    )
    it, vip = found.queues
    assert (it.title, it.waiting, it.talking, it.free, it.seats) == ("<it>", 1, 1, 1, 2)
    assert it.waiting_since is not None
    assert (vip.waiting, vip.waiting_since, vip.free, vip.seats) == (0, None, 1, 1)


def test_who_is_paused_in_one_queue_alone_is_free_in_the_others() -> None:
    both = replace(seat(1, State.FREE, queues=("it", "vip")), paused_in=frozenset({"it"}))
    only = replace(seat(2, State.FREE, queues=("it",)), paused_in=frozenset({"it"}))
    told = facts(seats=[both, only, seat(3, State.FREE)], queues=("it", "vip"))
    found = {line.name: (line.free, line.seats) for line in wall(told, site()).queues}
    assert found == {"it": (1, 3), "vip": (1, 1)}
    rest = wall(told, site(), None, 1).others
    assert rest is not None
    assert (rest.free, rest.seats) == (2, 3), "one of them only through the other queue"


def test_of_more_queues_than_have_a_line_those_in_need_have_one_and_the_rest_share_the_last() -> None:
    names = [f"q{n}" for n in range(6)]
    good = counted(answered=10, answered_in_time=10)
    counts = {name: counted(answered=10) if name == "q4" else good for name in names}
    seats = [seat(n, State.TALKING if n == 1 else State.FREE, queues=(f"q{n}",)) for n in range(6)]
    told = facts(calls=[ringing("a", 3, queue="q2")], seats=seats, queues=names, day=day(counts))
    found = wall(told, site(), None, 4)
    assert [line.name for line in found.queues] == ["q1", "q2", "q4"], "nobody free, a caller, below the goal"
    others = found.others
    assert others is not None
    assert (others.queues, others.waiting, others.free, others.seats) == (3, 0, 3, 3)
    assert others.level is not None
    assert (others.level.of, others.level.recovered) == (30, 6)
    assert found.cut["queues"] == 6
    whole = wall(told, site(), None, 6)
    assert whole.others is None
    assert [line.name for line in whole.queues] == names


def test_each_rule_has_its_clocks() -> None:
    watched = Watched(
        {}, rules={("it", "D1"): OfLevel(3, 1, 2), ("vip", "D1"): OfLevel(1, 0, 1), ("it", "D4"): OfLevel(1)}
    )
    found = dict(wall(facts(clocks=watched), site()).rules or ())
    assert list(found) == ["D1", "D2", "D3", "D4"]
    assert (found["D1"], found["D2"], found["D4"]) == (OfLevel(4, 1, 3), OfLevel(), OfLevel(1))
    assert dict(wall(facts(clocks=watched), site(queues=("vip",))).rules or ())["D1"] == OfLevel(1, 0, 1)
    assert wall(facts(), site()).rules is None


def test_what_was_said_is_of_the_chosen_queues() -> None:
    rows = {name: {"greeting": Counted("", -1, "greeting", said, 1, 0)} for name, said in (("it", 3), ("vip", 5))}
    told = facts(day=day(worked=Worked({}, rows)), queues=("it", "vip"))
    found = wall(told, site())
    assert found.said is not None
    assert (found.said["greeting"].said, found.said["greeting"].not_said, found.said["closing"].said) == (8, 2, 0)
    chosen = wall(told, site(queues=("vip",)))
    assert chosen.said is not None
    assert chosen.said["greeting"].said == 5
    assert [line.said["greeting"].said for line in found.queues if line.said] == [3, 5]
    assert wall(facts(), site()).said is None


def test_a_lost_link_is_said() -> None:
    found = wall(facts(link=Link(LinkState.LOST, NOW - 30)), site())
    assert not found.live
    assert found.link.since == NOW - 30


def test_occupancy_is_of_those_who_are_there() -> None:
    there = [State.TALKING, State.WRAPUP, State.RINGING, State.FREE]
    away = [State.BREAK, State.OFFLINE, State.UNKNOWN]
    seats = [seat(number, state) for number, state in enumerate((*there, *away))]
    assert wall(facts(seats=seats), site()).occupancy == 3 / 4
    assert wall(facts(seats=seats), site()).busy_or_free == 4
    assert wall(facts(seats=seats[4:]), site()).occupancy is None, "nobody is there"
