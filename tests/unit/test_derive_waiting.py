"""How the waiting went: gaps between dials, callers who give up, overflow, failure, and three rings (A1)."""

from dataclasses import replace

import pytest

from callcenter.calls.model import Direction, Outcome, Phase, RingResult
from tests.fakes.story import TERMS, call_of, seconds

TWO_SEATS_IN_TURN = """
    0.0   Newchannel    caller Ring 13800138000 4008
    0.1   Newchannel    1001 Down
    0.1   DialBegin     1001
    0.2   Newstate      1001 Ringing
    10.2  DialEnd       1001 NOANSWER
    10.2  Hangup        1001 0
"""
"""Plain Dial of one seat, who does not lift; what the dialplan does next is up to each test."""

SECOND_SEAT_LIFTS = """
    12.0  Newchannel    1002 Down
    12.0  DialBegin     1002
    12.1  Newstate      1002 Ringing
    14.0  Newstate      1002 Up
    14.1  BridgeEnter   caller b
    14.1  BridgeEnter   1002 b
    20.0  HangupRequest caller
    20.0  Hangup        1002
    20.0  Hangup        caller
"""


def test_rings_go_on_over_the_gap_between_two_dials() -> None:
    """From 0.2 to 14.0 s three rings began, whichever phone rang, and also while none did (A1)."""
    call = call_of(TWO_SEATS_IN_TURN + SECOND_SEAT_LIFTS)
    assert (call.outcome, call.answered_by, call.seats_missed) == (Outcome.ANSWERED, "1002", ("1001",))
    assert (call.rings_heard, seconds(call.first_ring_at), call.wait_seconds) == (3, 0.2, pytest.approx(14.0))
    assert not call.breaches


def test_a_time_out_just_before_the_end_is_a_miss_and_no_giving_up() -> None:
    """Only the caller's own hang-up is giving up; here the dialplan ended the call 2 ms after the ring."""
    call = call_of(TWO_SEATS_IN_TURN + "10.202 Hangup caller")
    assert (call.outcome, call.seats_missed) == (Outcome.FAILED, ("1001",))


SECOND_TELEPHONE = """
    0.1   Newchannel    1001b Down
    0.1   DialBegin     1001b
    0.3   Newstate      1001b Ringing
"""


def test_two_telephones_of_a_seat_that_ring_together_miss_once() -> None:
    call = call_of(TWO_SEATS_IN_TURN + SECOND_TELEPHONE + "10.201 DialEnd 1001b NOANSWER\n12.0 Hangup caller")
    assert call.seats_missed == ("1001",)


def test_a_seat_that_lifts_one_telephone_has_not_missed_with_the_other() -> None:
    declined = TWO_SEATS_IN_TURN.replace("10.2 ", "3.0 ")
    call = call_of(declined + SECOND_TELEPHONE + "5.0 Newstate 1001b Up")
    assert (call.answered_by, call.seats_missed) == ("1001", ())


def test_who_lifts_and_does_not_take_the_call_is_not_who_answered() -> None:
    """Asked by the dialplan whether to take it (U, FollowMe), the first says no, or says nothing."""
    asked = TWO_SEATS_IN_TURN[: TWO_SEATS_IN_TURN.index("10.2")] + "10.0 Newstate 1001 Up\n"
    assert call_of(asked).answered_by == "1001", "as far as anybody knows"
    assert call_of(asked + "11.0 Hangup 1001\n15.0 Hangup caller").outcome is not Outcome.ANSWERED
    assert call_of(asked + "11.0 Hangup 1001" + SECOND_SEAT_LIFTS).answered_by == "1002"


def test_a_seat_that_hangs_up_while_the_greeting_is_played_has_answered() -> None:
    lifted = TWO_SEATS_IN_TURN.replace("10.2  DialEnd       1001 NOANSWER", "10.0 Newstate 1001 Up")
    call = call_of(lifted + "10.15 HangupRequest 1001\n15.0 Hangup caller")
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "1001")


def test_a_caller_in_the_gap_between_two_dials_still_waits() -> None:
    call = call_of(TWO_SEATS_IN_TURN)
    assert (call.phase, call.outcome, call.ended_at) == (Phase.ARRIVED, None, None)
    assert seconds(call.waiting_since) == 0.1


@pytest.mark.parametrize(
    ("asked_at", "outcome"),
    [
        pytest.param(5.0, Outcome.ABANDONED, id="while the phone rings"),
        pytest.param(10.5, Outcome.ABANDONED, id="as the attempt ends"),
        pytest.param(13.0, Outcome.OVERFLOWED, id="long after: something else had taken the call over"),
    ],
)
def test_when_a_hang_up_is_giving_up(asked_at: float, outcome: Outcome) -> None:
    table = TWO_SEATS_IN_TURN if asked_at > 10.2 else TWO_SEATS_IN_TURN.replace("10.2 ", f"{asked_at} ")
    call = call_of(f"{table}\n{asked_at} HangupRequest caller\n{asked_at} Hangup caller")
    assert call.outcome is outcome
    assert call.seats_missed == (() if asked_at == 5.0 else ("1001",)), "a caller's giving up is nobody's miss"


IN_THE_MENU = """
    0.0 Newchannel    caller Ring 13800138000 4008
    0.1 Newstate      caller Up
    8.0 HangupRequest caller
    8.0 Hangup        caller
"""


def test_given_up_in_the_menu() -> None:
    """Nothing rang and no queue was joined: still a call that its caller ended, with no ring and no breach."""
    call = call_of(IN_THE_MENU)
    assert (call.outcome, call.rings_heard, call.seats_missed) == (Outcome.ABANDONED, 0, ())
    assert (call.wait_seconds, call.breaches, call.talk_seconds) == (8.0, (), 0.0)


@pytest.mark.parametrize(
    "word",
    [
        "UserEvent caller HotlineOverflow Reason=JOINEMPTY",
        "QueueStatusSet caller JOINEMPTY",
        "QueueStatusSet caller FULL",
        "UserEvent caller CallcenterStep Step=overflow",
    ],
)
def test_a_queue_that_refused_the_caller_is_an_overflow(word: str) -> None:
    """joinempty sends no queue event at all; only the dialplan's own word tells, also when the caller hangs up last."""
    call = call_of(IN_THE_MENU.replace("8.0 HangupRequest", f"2.0 {word}\n8.0 HangupRequest"))
    assert (call.outcome, call.wait_seconds) == (Outcome.OVERFLOWED, 2.0)


def test_a_queue_status_of_an_answered_queue_is_no_overflow() -> None:
    call = call_of(IN_THE_MENU.replace("8.0 HangupRequest", "2.0 QueueStatusSet caller CONTINUE\n8.0 HangupRequest"))
    assert call.outcome is Outcome.ABANDONED


def test_a_call_that_the_dialplan_ended_without_anything_failed() -> None:
    call = call_of("0.0 Newchannel caller Ring 138 4008\n0.5 Hangup caller 1")
    assert (call.outcome, call.wait_seconds, call.ended_by) == (Outcome.FAILED, 0.5, "system")
    assert call.cause == 1


def test_busy_at_once_failed_and_nobody_missed() -> None:
    call = call_of("""
        0.0 Newchannel caller Ring 13800138000 4008
        0.1 Newchannel 1001 Down
        0.1 DialBegin  1001
        0.2 DialEnd    1001 BUSY
        0.2 Hangup     1001 17
        0.3 Hangup     caller 17
    """)
    assert (call.outcome, call.rings_heard, call.seats_missed) == (Outcome.FAILED, 0, ())
    assert [ring.result for ring in call.rings] == [RingResult.NOT_RUNG]


QUEUE_TIMES_OUT = """
    0.0  Newchannel       caller Ring 13800138000 4008
    0.1  QueueCallerJoin  caller it
    0.2  Newchannel       1001 Down
    0.2  DialBegin        1001
    0.3  Newstate         1001 Ringing
    18.1 DialEnd          1001 CANCEL
    18.1 Hangup           1001 0
    18.1 QueueCallerLeave caller it
"""


@pytest.mark.parametrize(
    ("then", "outcome"),
    [
        pytest.param(
            "18.2 UserEvent caller Overflow Reason=TIMEOUT\n18.3 Hangup caller", Outcome.OVERFLOWED, id="word"
        ),
        pytest.param("24.0 Hangup caller", Outcome.OVERFLOWED, id="lived on"),
        pytest.param("18.2 Hangup caller", Outcome.OVERFLOWED, id="ended at once by the dialplan"),
        pytest.param("18.2 HangupRequest caller\n18.2 Hangup caller", Outcome.ABANDONED, id="gave up at that moment"),
    ],
)
def test_the_end_of_a_queue(then: str, outcome: Outcome) -> None:
    call = call_of(QUEUE_TIMES_OUT + then)
    assert (call.outcome, call.queue) == (outcome, "it")


def test_four_rings_break_a1_when_the_fourth_begins() -> None:
    call = call_of(QUEUE_TIMES_OUT + "18.2 Hangup caller")
    assert call.rings_heard == 4
    assert [(breach.rule, breach.reason, seconds(breach.at)) for breach in call.breaches] == [
        ("A1", "not_lifted", 15.3)
    ]


def test_a_queue_may_allow_other_than_three_rings() -> None:
    terms = replace(TERMS, rings_of_queue={"it": 4, "vip": 1})
    assert call_of(QUEUE_TIMES_OUT + "18.2 Hangup caller", terms).breaches == ()
    vip = call_of(QUEUE_TIMES_OUT.replace(" it", " vip") + "18.2 Hangup caller", terms)
    assert [seconds(breach.at) for breach in vip.breaches] == [5.3]


def test_lifted_a_moment_before_the_fourth_ring_keeps_a1() -> None:
    lifted = QUEUE_TIMES_OUT.split("18.1")[0] + "15.2 Newstate 1001 Up"
    assert (call_of(lifted).rings_heard, call_of(lifted).breaches) == (3, ())
    late = lifted.replace("15.2", "15.4")
    assert (call_of(late).rings_heard, len(call_of(late).breaches)) == (4, 1)


def test_three_rings_are_of_the_hotline_not_of_calls_among_seats() -> None:
    among_seats = """
        0.0  Newchannel caller Ring 1001 1002
        0.1  Newchannel 1002 Down
        0.1  DialBegin  1002
        0.2  Newstate   1002 Ringing
        40.0 Hangup     1002 0
        40.0 Hangup     caller
    """
    call = call_of(among_seats, phone="1001")
    assert call.direction is Direction.INTERNAL
    assert call.rings_heard > 3
    assert not call.breaches


def test_waiting_in_a_queue_where_no_phone_rings_breaks_a1_for_want_of_a_seat() -> None:
    call = call_of("""
        0.0  Newchannel       caller Ring 13800138000 4008
        0.1  QueueCallerJoin  caller it
        30.0 HangupRequest    caller
        30.0 QueueCallerLeave caller it
        30.0 Hangup           caller
    """)
    assert (call.outcome, call.rings_heard) == (Outcome.ABANDONED, 0)
    assert [breach.reason for breach in call.breaches] == ["no_seat"]


ANNOUNCED = """
    0.0  Newchannel    caller Ring 13800138000 4008
    0.0  UserEvent     caller CallcenterStep Step=arrival Queue=it
    0.1  Newchannel    1001 Down
    0.1  DialBegin     1001
    0.2  Newstate      1001 Ringing
    15.1 UserEvent     caller CallcenterStep Step=announcement
    15.1 DialEnd       1001 CANCEL
    15.1 Hangup        1001 0
    25.0 HangupRequest caller
    25.0 Hangup        caller
"""


def test_the_announcement_ends_the_rings_and_the_waiting() -> None:
    call = call_of(ANNOUNCED)
    assert (call.outcome, call.rings_heard, seconds(call.announced_at)) == (Outcome.OVERFLOWED, 3, 15.1)
    assert [breach.reason for breach in call.breaches] == ["not_lifted"]
    assert (call.hotline, call.queue) == (True, "it"), "the queue that the dialplan named, though it was not joined"


def test_the_last_queue_joined_is_the_queue() -> None:
    call = call_of("""
        0.0  Newchannel       caller Ring 13800138000 4008
        0.1  QueueCallerJoin  caller first
        10.1 QueueCallerLeave caller first
        10.2 QueueCallerJoin  caller second
    """)
    assert (call.queue, call.phase, seconds(call.phase_since)) == ("second", Phase.WAITING, 10.2)


def test_an_end_that_nobody_saw_is_unknown() -> None:
    call = call_of("0.0 Newchannel caller Ring 138 4008\n5.0 LinkLost\n9.0 Nobody")
    assert (call.phase, call.outcome, call.ended_by) == (Phase.ENDED, Outcome.UNKNOWN, "unknown")
    assert (call.ended_at, call.wait_seconds, call.talk_seconds, call.complete) == (None, None, None, False)


BLIND = TWO_SEATS_IN_TURN[: TWO_SEATS_IN_TURN.index("10.2")] + "5.0 LinkLost\n9.0 Alive caller\n"
"""1001 rings when the link is lost; afterwards only the caller is there."""


def test_a_ring_whose_end_nobody_saw_is_neither_a_miss_nor_a_length() -> None:
    call = call_of(BLIND)
    assert [(ring.result, ring.ended_at) for ring in call.rings] == [(RingResult.UNKNOWN, None)]
    assert (call.seats_missed, call.ringing) == ((), ())


def test_a_dial_whose_end_nobody_saw_does_not_say_that_the_phone_could_not_be_rung() -> None:
    (ring,) = call_of(BLIND.replace("0.2   Newstate      1001 Ringing", "")).rings
    assert (ring.started_at, ring.ended_at, ring.result) == (None, None, RingResult.UNKNOWN)


def test_an_end_that_is_told_after_all_counts() -> None:
    assert call_of(BLIND + "4.5 Hangup 1001").seats_missed == ("1001",)
    assert call_of(BLIND + "4.5 DialEnd 1001 NOANSWER").seats_missed == ("1001",)
    seen = BLIND.replace("5.0 LinkLost", "4.5 DialEnd 1001 NOANSWER\n5.0 LinkLost")
    assert call_of(seen).seats_missed == ("1001",), "only the hang-up after it was not seen"


def test_an_unseen_end_hides_no_later_miss_of_the_same_seat() -> None:
    again = """
        12.0  Newchannel    1001b Down
        12.0  DialBegin     1001b
        12.1  Newstate      1001b Ringing
        22.0  DialEnd       1001b NOANSWER
    """
    assert call_of(BLIND + again).seats_missed == ("1001",)


def test_a_greeting_that_kept_the_caller_ringing_is_a_breach_of_its_own() -> None:
    """The seat lifted in time, but the caller's channel was answered only after the fourth ring would have begun."""
    call = call_of("""
        0.0  Newchannel  caller Ring 13800138000 4008
        0.1  Newchannel  1001 Down
        0.1  DialBegin   1001
        0.2  Newstate    1001 Ringing
        12.0 Newstate    1001 Up
        17.0 Newstate    caller Up
        17.0 BridgeEnter caller b
        17.0 BridgeEnter 1001 b
    """)
    assert (call.rings_heard, [breach.reason for breach in call.breaches]) == (3, ["greeting_too_long"])
