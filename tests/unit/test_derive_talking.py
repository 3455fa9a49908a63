"""What happened after the answer: talk, holds, transfers, and who hung up first (B6)."""

import pytest

from callcenter.calls.model import EndedBy, Phase, Transfer, TransferKind
from callcenter.calls.recorded import begun_at
from tests.fakes.story import T0, call_of, seconds

ANSWERED = """
    0.0 Newchannel  caller Ring 13800138000 4008
    0.1 Newchannel  1001 Down
    0.1 DialBegin   1001
    0.2 Newstate    1001 Ringing
    2.0 Newstate    1001 Up
    2.1 BridgeEnter caller b
    2.1 BridgeEnter 1001 b
"""
CALLER_ENDS = """
    12.0 HangupRequest caller
    12.0 BridgeLeave   caller b
    12.0 BridgeLeave   1001 b
    12.0 Hangup        caller
    12.0 Hangup        1001
"""


def test_talk_begins_when_the_phone_is_lifted_and_leaves_holds_out() -> None:
    call = call_of(ANSWERED + "4.0 Hold 1001\n7.0 Unhold 1001" + CALLER_ENDS)
    assert (call.talk_seconds, call.hold_seconds) == (pytest.approx(7.0), pytest.approx(3.0))
    assert [(seconds(hold.started_at), seconds(hold.ended_at)) for hold in call.holds] == [(4.0, 7.0)]


def test_a_hold_that_is_open_at_the_end_ends_with_the_call() -> None:
    call = call_of(ANSWERED + "4.0 Hold 1001" + CALLER_ENDS)
    assert [(seconds(hold.started_at), seconds(hold.ended_at)) for hold in call.holds] == [(4.0, 12.0)]
    assert (call.hold_seconds, call.talk_seconds) == (pytest.approx(8.0), pytest.approx(2.0))


def test_a_call_on_hold_says_so_and_since_when() -> None:
    call = call_of(ANSWERED + "4.0 Hold 1001")
    assert (call.phase, seconds(call.phase_since), call.talking_to) == (Phase.HELD, 4.0, ("1001",))


def test_a_hold_ends_where_the_seat_brings_the_third_party_in() -> None:
    """Three in one conversation by the feature code: no Unhold, and the seat stays on the line."""
    third = "5.0 Newchannel 1002 Down\n5.0 DialBegin 1002 1001\n5.5 Newstate 1002 Up\n7.0 BridgeEnter 1002 b"
    joined = "7.0 AttendedTransfer 1001 1002\n9.0 HangupRequest 1001"
    call = call_of(f"{ANSWERED}\n4.0 Hold 1001\n{third}\n{joined}{CALLER_ENDS}12.0 Hangup 1002")
    assert [(seconds(hold.started_at), seconds(hold.ended_at)) for hold in call.holds] == [(4.0, 7.0)]
    assert call.ended_by is EndedBy.CALLER


def test_a_stray_unhold_is_no_hold() -> None:
    """A transfer by REFER or AMI sends Unhold without Hold."""
    call = call_of(ANSWERED + "5.0 Unhold 1001" + CALLER_ENDS)
    assert (call.holds, call.hold_seconds, call.talk_seconds) == ((), 0, pytest.approx(10.0))


def test_hold_told_twice_is_one_hold() -> None:
    call = call_of(ANSWERED + "4.0 Hold 1001\n5.0 Hold 1001\n6.0 Unhold 1001\n6.5 Unhold 1001" + CALLER_ENDS)
    assert (len(call.holds), call.hold_seconds) == (1, pytest.approx(2.0))


def test_holds_of_two_seats_overlapping_count_once() -> None:
    third = "3.0 Newchannel 1002 Down\n3.0 DialBegin 1002\n3.1 Newstate 1002 Up\n3.2 BridgeEnter 1002 b"
    call = call_of(
        f"{ANSWERED}\n{third}\n4.0 Hold 1001\n5.0 Hold 1002\n6.0 Unhold 1001\n8.0 Unhold 1002"
        + CALLER_ENDS
        + "12.0 Hangup 1002"
    )
    assert (len(call.holds), call.hold_seconds) == (2, pytest.approx(4.0))


def test_the_customer_who_presses_hold_is_not_a_hold_of_ours() -> None:
    assert call_of(ANSWERED + "4.0 Hold caller\n7.0 Unhold caller" + CALLER_ENDS).holds == ()


BLIND = """
    5.0 Hold          1001
    6.0 Unhold        1001
    6.0 BlindTransfer 1001 1002
    6.0 BridgeLeave   1001 b
    6.0 BridgeLeave   caller b
    6.1 HangupRequest 1001
    6.1 Hangup        1001
    6.2 Newchannel    1002 Down
    6.2 DialBegin     1002
    6.3 Newstate      1002 Ringing
    9.0 Newstate      1002 Up
    9.1 BridgeEnter   caller c
    9.1 BridgeEnter   1002 c
"""


def test_a_blind_transfer() -> None:
    call = call_of(ANSWERED + BLIND + CALLER_ENDS.replace("1001 b", "1002 c").replace("1001", "1002"))
    assert call.transfers == (Transfer(TransferKind.BLIND, "1001", "1002", T0 + 6.0),)
    assert (call.answered_by, call.seats_missed) == ("1001", ())
    assert call.talk_seconds == pytest.approx(3.0 + 2.9), "the ringing at the second seat is no talk"
    assert call.hold_seconds == pytest.approx(1.0)
    assert call.ended_by is EndedBy.CALLER


def test_a_transfer_on_hold_ends_the_hold_when_the_seat_leaves() -> None:
    """A feature code sends Hold and may never send Unhold: the hold ends with the seat's leaving."""
    call = call_of(ANSWERED + BLIND.replace("6.0 Unhold        1001", ""))
    assert [seconds(hold.ended_at) for hold in call.holds] == [6.0]
    assert (call.phase, call.talking_to) == (Phase.TALKING, ("1002",))


def test_a_transfer_that_asterisk_refused_is_none() -> None:
    assert call_of(ANSWERED + "6.0 BlindTransfer 1001 1002 Fail").transfers == ()


def test_a_transfer_told_twice_is_one() -> None:
    assert len(call_of(ANSWERED + "6.0 BlindTransfer 1001 1002\n6.0 BlindTransfer 1001 1002").transfers) == 1


def test_an_attended_transfer_names_the_target_phone() -> None:
    consult = "4.0 Newchannel 1002 Down\n4.0 DialBegin 1002 1001\n5.0 Newstate 1002 Up\n8.0 AttendedTransfer 1001 1002"
    call = call_of(ANSWERED + consult)
    assert call.transfers == (Transfer(TransferKind.ATTENDED, "1001", "1002", T0 + 8.0),)


@pytest.mark.parametrize(
    ("end", "ended_by"),
    [
        pytest.param("12.0 HangupRequest caller", EndedBy.CALLER, id="caller"),
        pytest.param("12.0 HangupRequest 1001", EndedBy.SEAT, id="seat"),
        pytest.param("12.0 HangupRequest 1001\n12.1 HangupRequest caller", EndedBy.SEAT, id="seat a moment before"),
        pytest.param("", EndedBy.SYSTEM, id="no request: Asterisk itself"),
    ],
)
def test_who_hung_up_first(end: str, ended_by: EndedBy) -> None:
    assert call_of(f"{ANSWERED}\n{end}\n12.2 Hangup caller\n12.2 Hangup 1001").ended_by is ended_by


@pytest.mark.parametrize("hangs_up", ["6.1", "14.9"], ids=["at once", "as the call ends"])
def test_a_seat_that_transferred_the_caller_away_did_not_end_the_call(hangs_up: str) -> None:
    leaves = BLIND.replace("6.1 HangupRequest 1001", f"{hangs_up} HangupRequest 1001")
    call = call_of(ANSWERED + leaves + "15.0 Hangup caller\n15.0 Hangup 1002")
    assert call.ended_by is EndedBy.SYSTEM


def test_nobody_ended_a_call_that_runs() -> None:
    assert call_of(ANSWERED).ended_by is None


CALLS_OUT = """
    0.0 Newchannel  caller Ring 1001 13800138000
    0.1 Newchannel  trunk Down
    0.1 DialBegin   trunk caller 13800138000@trunk
    0.2 Newstate    trunk Ringing
    3.0 Newstate    trunk Up
    3.1 BridgeEnter caller b
    3.1 BridgeEnter trunk b
"""


@pytest.mark.parametrize(("leg", "side"), [("caller", EndedBy.SEAT), ("trunk", EndedBy.CALLER)])
def test_in_an_outgoing_call_the_customer_is_the_caller_side(leg: str, side: EndedBy) -> None:
    """B6 asks who hung up first, the customer or we; here a seat began the call."""
    call = call_of(f"{CALLS_OUT}\n9.0 HangupRequest {leg}\n9.0 Hangup caller\n9.0 Hangup trunk", phone="1001")
    assert (call.direction, call.ended_by, call.answered_by, call.rings) == ("outbound", side, None, ())
    assert call.dialled == "13800138000"


HANDED_ON = """
    0.0 Newchannel  caller Ring 1001 13800138000
    0.1 Newchannel  trunk Down
    0.1 RecordingStarted {recorded}
    0.2 DialBegin   trunk caller 13800138000@trunk
    2.0 Newstate    trunk Up
    2.0 Newstate    caller Up
    2.1 BridgeEnter caller b
    2.1 BridgeEnter trunk b
"""
BY_REFER = """
    6.0 BlindTransfer caller 1002
    6.0 BridgeLeave caller b
    6.0 BridgeLeave trunk b
    6.1 Hangup      caller
    6.2 Newchannel  1002 Down
    6.2 DialBegin   1002 trunk
    8.0 Newstate    1002 Up
    8.1 BridgeEnter trunk c
    8.1 BridgeEnter 1002 c
    12.0 HangupRequest trunk
    12.0 BridgeLeave 1002 c
    12.0 BridgeLeave trunk c
    12.1 Hangup     trunk
    12.1 Hangup     1002
"""


@pytest.mark.parametrize(
    ("recorded", "until", "stays"),
    [
        ("trunk", 12.0, [("1001", 2.0, 6.0), ("1002", 8.0, 12.0)]),
        ("caller", 6.1, [("1001", 2.0, 6.1)]),
    ],
    ids=["the customer's channel", "the seat's own, as dialplans did once"],
)
def test_the_recording_of_a_call_that_went_out_and_was_handed_on(
    recorded: str, until: float, stays: list[tuple[str, float, float]]
) -> None:
    running = call_of(HANDED_ON.format(recorded=recorded), phone="1001")
    assert running.recorded_channel == ("PJSIP/trunk-00000001" if recorded == "trunk" else "PJSIP/1001-00000000")
    call = call_of(HANDED_ON.format(recorded=recorded) + BY_REFER, phone="1001")
    assert (call.recorded_channel, seconds(call.recorded_until)) == (None, until)
    assert [(one.seat, seconds(one.started_at), seconds(one.ended_at)) for one in call.stays] == stays
    assert begun_at(call, 4.0) == pytest.approx(T0 + until - 4.0)


def test_a_call_that_is_not_recorded_tells_its_seats_all_the_same() -> None:
    call = call_of((HANDED_ON + BY_REFER).replace("    0.1 RecordingStarted {recorded}\n", ""), phone="1001")
    assert (call.recorded_until, call.recording) == (None, None)
    assert [one.seat for one in call.stays] == ["1001", "1002"]
