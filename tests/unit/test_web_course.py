"""The course of a call in words: only what was observed, in order."""

from dataclasses import replace

from callcenter.calls.model import Breach, Call, Direction, EndedBy, Outcome, Ring, RingResult, Transfer, TransferKind
from callcenter.tickets.model import patch_of
from callcenter.web.course import course
from tests.fakes import calls as story
from tests.fakes.story import call_of

NOW = 1_800_000_000.0


def told(call: Call, title: str = "IT", from_ticket: str = "") -> list[str]:
    steps = course(call, title, lambda at: int((at - NOW + 8) // 5) + 1, lambda seat: seat, from_ticket)
    return [step.message % step.slots for step in steps]


def test_a_whole_call() -> None:
    call = story.talking(story.ringing(NOW, heard=8.0), NOW + 1)
    call = story.retrieved(story.held(call, NOW + 60), NOW + 98)
    call = replace(call, transfers=(Transfer(TransferKind.BLIND, "1001", "1004", NOW + 200),))
    assert told(story.ended(call, NOW + 300)) == [
        "Call came in, IT",
        "1002 rang for 0:05, not lifted",
        "1001 answered on ring 2",
        "On hold for 0:38",
        "1001 transferred to 1004, blind",
        "Customer hung up first, talked 4:21",
    ]


def test_rings_after_a_transfer_are_no_matter_of_three_rings() -> None:
    handed = story.handed_on(story.talking(story.ringing(NOW), NOW + 6), NOW + 30, "1003")
    assert told(handed)[-2:] == ["1003 rings", "1001 transferred to 1003, blind"]
    lifted = story.talking(handed, NOW + 34, "1003")
    lifted = replace(lifted, answered_at=handed.answered_at, answered_by="1001")
    assert "1003 answered after 0:04" in told(lifted)
    missed = replace(lifted.rings[-1], result=RingResult.MISSED)
    assert "1003 rang for 0:04, not lifted" in told(replace(lifted, rings=(*lifted.rings[:-1], missed)))
    assert not [line for line in told(lifted) if line.startswith("1003 answered on ring")]


def test_a_call_given_up() -> None:
    assert told(story.abandoned(story.ringing(NOW), NOW + 7))[-1] == "Caller gave up after 0:07"


def test_a_breach_and_an_announcement() -> None:
    call = replace(story.ringing(NOW, heard=17.0), announced_at=NOW, breaches=(Breach("A1", "not_lifted", NOW - 2),))
    assert "More than three rings: the seat did not lift" in told(call)
    assert "Answered by announcement, duty manager called" in told(call)


def test_who_answers_after_the_announcement_answers_on_no_ring() -> None:
    call = replace(story.talking(story.ringing(NOW, heard=17.0), NOW + 8), announced_at=NOW)
    assert "1001 answered after the announcement" in told(call)
    assert not [line for line in told(call) if "on ring" in line]


def test_an_end_that_nobody_saw_is_told_as_such() -> None:
    answered = Ring("1001", "x", NOW - 4, None, RingResult.ANSWERED)
    other = Ring("1002", "y", NOW - 4, None, RingResult.UNKNOWN)
    lines = told(replace(story.ringing(NOW), rings=(answered, other)))
    assert "1001 rings; when it answered was not observed" in lines
    assert "1002 rings; how it ended was not observed" in lines


def test_a_phone_that_did_not_ring_is_told_as_such() -> None:
    busy = Ring("1003", "x", None, NOW, RingResult.NOT_RUNG)
    assert "1003 could not be rung" in told(replace(story.ringing(NOW), rings=(busy,)))


CLICKED = """
    0.0 Newchannel caller Down 1001
    0.0 Clicked    caller
    0.1 Newstate   caller Ringing
"""


def test_a_dialling_whose_own_phone_was_not_lifted_says_so() -> None:
    call = call_of(CLICKED + "30.1 Hangup caller 19", phone="1001")
    assert told(call, "") == ["1001 dialled", "1001 rang for 0:30, own phone not lifted: nobody was called"]
    assert told(call, "", "26-1128-0001")[0] == "1001 dialled from ticket 26-1128-0001"


def test_a_dialling_whose_customer_did_not_lift_is_a_call_that_failed() -> None:
    lifted = "2.0 Newstate caller Up\n2.1 Newchannel trunk Down\n2.1 DialBegin trunk caller trunk/13800138000"
    call = call_of(f"{CLICKED}{lifted}\n20.0 Hangup trunk 19\n20.0 Hangup caller 19", phone="1001")
    assert told(call, "") == ["1001 dialled", "The call failed"]
    assert patch_of(call).caller_number == "13800138000"


def test_a_call_without_a_queue_says_which_way_it_went() -> None:
    call = replace(story.ringing(NOW), queue=None, rings=())
    assert told(call, "") == ["Call came in, to no queue"]
    out = replace(call, direction=Direction.OUTBOUND, dialled="13800138000")
    assert told(out, "") == ["Outgoing call to 138 0013 8000"]
    assert told(replace(out, direction=Direction.INTERNAL, dialled="1004"), "") == ["Internal call to 1004"]


def test_the_customer_of_a_dialling_is_not_the_seat_itself() -> None:
    patch = patch_of(call_of(CLICKED + "30.1 Hangup caller 19", phone="1001"))
    assert (patch.caller_number, patch.fields) == ("", {"caller_name": "", "phone": ""})


def test_nothing_observed_is_nothing_told() -> None:
    bare = replace(
        story.ringing(NOW),
        arrived_at=None,
        rings=(Ring("1001", "x", None, None, RingResult.RINGING),),
        first_ring_at=None,
    )
    assert told(bare) == []


def test_an_end_that_was_not_seen_says_so() -> None:
    call = story.ended(story.talking(story.ringing(NOW), NOW), NOW + 5, EndedBy.UNKNOWN)
    assert told(call)[-1].startswith("Ended, who hung up was not observed")
    assert told(replace(call, outcome=Outcome.UNKNOWN))[-1] == "Ended, how was not observed"
