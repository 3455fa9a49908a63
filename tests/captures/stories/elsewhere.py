"""Calls at a PBX that somebody else set up (tests/asterisk/elsewhere): rings, refusals, queues, ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from callcenter.demo.scenario import Digits, Hangup, Talk
from tests.captures.stories.registry import NUMBER, story
from tests.captures.truth import (
    call,
    dropped,
    first,
    heard_bye,
    invited,
    lifted,
    rang,
    rings,
    said_bye,
)

if TYPE_CHECKING:
    from callcenter.demo.phones import Phone
    from tests.captures.record import Call, Stage


def refused_at(phone: Any) -> float:
    return first(phone, "received", r"^SIP/2.0 [3-6]")


def told(stage: Stage, customer: Phone, dialled: str, **known: Any) -> Call:
    plain: dict[str, Any] = {
        "call_id": stage.linkedid(),
        "caller_number": NUMBER,
        "dialled": dialled,
        "arrived_at": invited(customer),
    }
    return call(**(plain | known))


def answered(stage: Stage, customer: Phone, dialled: str, seat: Any, end: float, **known: Any) -> Call:
    up = lifted(seat)
    plain = {
        "answered_at": up,
        "wait_seconds": up - invited(customer),
        "ended_at": end,
        "talk_seconds": end - up,
        "answered_by": "1001",
        "rings_heard": 1,
    }
    return told(stage, customer, dialled, **(plain | known))


@story
def elsewhere_both_missed(stage: Stage) -> list[Call]:
    """Dial to 1001 and 1002 at once for 7 s, nobody lifts, the dialplan hangs up at once."""
    seats = stage.seats("1001", "1002")
    customer = stage.phones.customer(NUMBER, "6001")
    customer.wait()
    stage.finish()
    end = dropped(seats)
    return [
        told(
            stage,
            customer,
            "6001",
            ended_at=refused_at(customer),
            rings_heard=rings(rang(seats), end),
            wait_seconds=end - invited(customer),
            outcome="failed",
            seats_missed=["1001", "1002"],
            ended_by="system",
        )
    ]


@story
def elsewhere_survey(stage: Stage) -> list[Call]:
    """Answered by the PBX; 1001 lifts after 2 s, talks 3 s and hangs up; a survey of 4 s follows."""
    seat = stage.phones.seat("1001", 2, Talk(3), Hangup())
    customer = stage.phones.customer(NUMBER, "6003")
    customer.wait()
    stage.finish()
    return [
        answered(
            stage,
            customer,
            "6003",
            seat,
            heard_bye(customer),
            talk_seconds=said_bye(seat) - lifted(seat),
            ended_by="seat",
        )
    ]


@story
def elsewhere_time_limit(stage: Stage) -> list[Call]:
    """1001 lifts after 2 s; the dialplan ends the talk after 4 s."""
    seat = stage.phones.seat("1001", 2)
    customer = stage.phones.customer(NUMBER, "6004")
    customer.wait()
    stage.finish()
    return [answered(stage, customer, "6004", seat, heard_bye(customer), ended_by="system")]


@story
def elsewhere_menu_two_queues(stage: Stage) -> list[Call]:
    """A menu (1 pressed), 8 s in a ring-all queue of two, 10 s in a queue of Local members; then a message of 3 s."""
    seats = stage.seats("1001", "1002", "1003")
    customer = stage.phones.customer(NUMBER, "6005", Talk(1), Digits("1"), Talk(24), Hangup())
    customer.wait()
    stage.finish()
    end = dropped(seats)
    return [
        told(
            stage,
            customer,
            "6005",
            queue="support",
            ended_at=said_bye(customer),
            rings_heard=rings(rang(seats), end),
            wait_seconds=end - invited(customer),
            outcome="overflowed",
            seats_missed=["1001", "1002", "1001", "1003"],
            ended_by="caller",
            breaches=["A1"],
        )
    ]


@story
def elsewhere_screened(stage: Stage) -> list[Call]:
    """1001 lifts after 2 s and is asked, but does not take the call; 1002 lifts after 2 s and takes it; the caller
    hangs up."""
    stage.phones.seat("1001", 2)
    seat = stage.phones.seat("1002", 2)
    customer = stage.phones.customer(NUMBER, "6008", Talk(5), Hangup())
    customer.wait()
    stage.finish()
    return [
        answered(
            stage,
            customer,
            "6008",
            seat,
            said_bye(customer),
            answered_by="1002",
            rings_heard=2,
            ended_by="caller",
        )
    ]


@story
def elsewhere_agent_pool(stage: Stage) -> list[Call]:
    """1003 logs in as agent 1009 and keeps the phone lifted; the queue puts a caller through, who hangs up. The
    log-in is a call of its own, older than the customer's."""
    agent = stage.phones.dial("1003", "*55", Talk(14), Hangup())
    time.sleep(3)
    customer = stage.phones.customer(NUMBER, "6015", Talk(6), Hangup())
    customer.wait()
    agent.wait()
    stage.finish()
    login = call(
        call_id=stage.linkedid(),
        direction="internal",
        caller_number="1003",
        caller_name="Cora",
        dialled="*55",
        arrived_at=invited(agent),
        ended_at=said_bye(agent),
        ended_by="caller",
        undecided=["outcome", "wait_seconds"],
    )
    served = told(
        stage,
        customer,
        "6015",
        call_id=stage.linkedid(1),
        queue="pool",
        ended_at=said_bye(customer),
        ended_by="caller",
        answered_by="1009",
        undecided=["answered_at", "wait_seconds", "talk_seconds"],
    )
    return [login, served]


@story
def elsewhere_two_telephones_missed(stage: Stage) -> list[Call]:
    """A seat with two telephones rings 7 s on both, in vain; then 1002 lifts after 2 s and hangs up."""
    one, two = stage.handset("1004"), stage.handset("1004", "2001")
    seat = stage.phones.seat("1002", 2, Talk(2), Hangup())
    customer = stage.phones.customer(NUMBER, "6019")
    one.ring()
    two.ring()
    customer.wait()
    stage.finish()
    return [
        answered(
            stage,
            customer,
            "6019",
            seat,
            said_bye(seat),
            answered_by="1002",
            rings_heard=2,
            seats_missed=["1004"],
            ended_by="seat",
        )
    ]


@story
def elsewhere_two_telephones_answered(stage: Stage) -> list[Call]:
    """A seat with two telephones: one declines after 2 s of ringing, the other lifts 2 s later; the caller hangs up."""
    one, two = stage.handset("1004"), stage.handset("1004", "2001")
    customer = stage.phones.customer(NUMBER, "6019", Talk(3), Hangup())
    ringing = one.ring(), two.ring()
    time.sleep(2)
    one.refuse(ringing[0], "603 Decline")
    time.sleep(2)
    two.lift(ringing[1])
    customer.wait()
    stage.finish()
    return [answered(stage, customer, "6019", two, said_bye(customer), answered_by="1004", ended_by="caller")]


@story
def elsewhere_leaves_by_digit(stage: Stage) -> list[Call]:
    """A queue by penalty; 1001 rings 6 s in vain; in the pause after it the caller presses 1 and leaves a message."""
    seats = stage.seats("1001", "1002")
    customer = stage.phones.customer(NUMBER, "6020", Talk(9), Digits("1"), Talk(4), Hangup())
    customer.wait()
    stage.finish()
    end = first(customer, "sent", "^INFO")
    return [
        told(
            stage,
            customer,
            "6020",
            queue="vip",
            ended_at=said_bye(customer),
            outcome="overflowed",
            ended_by="caller",
            wait_seconds=end - invited(customer),
            rings_heard=rings(rang(seats), end),
            seats_missed=["1001"],
        )
    ]


@story
def elsewhere_gives_up_between_rings(stage: Stage) -> list[Call]:
    """A ring-all queue: both ring 6 s in vain; the caller hangs up in the pause of 3 s after it."""
    seats = stage.seats("1001", "1002")
    customer = stage.phones.customer(NUMBER, "6021", Talk(7.4), Hangup())
    customer.wait()
    stage.finish()
    end = said_bye(customer)
    return [
        told(
            stage,
            customer,
            "6021",
            queue="sales",
            ended_at=end,
            outcome="abandoned",
            ended_by="caller",
            wait_seconds=end - invited(customer),
            rings_heard=rings(rang(seats), end),
            seats_missed=["1001", "1002"],
        )
    ]


@story
def elsewhere_forwards(stage: Stage) -> list[Call]:
    """1001 rings 2 s and forwards to 1002 (302), who lifts after 2 s; the caller hangs up."""
    phone = stage.handset("1001")
    seat = stage.phones.seat("1002", 2)
    customer = stage.outside(NUMBER)
    dialog = customer.place("6030")
    invite = phone.ring()
    time.sleep(2)
    phone.refuse(invite, "302 Moved Temporarily", f"sip:1002@127.0.0.1:{stage.lab.server.ports['SIP']}")
    customer.answered(dialog)
    time.sleep(4)
    customer.hang_up(dialog)
    stage.finish()
    return [
        answered(
            stage,
            customer,
            "6030",
            seat,
            said_bye(customer),
            answered_by="1002",
            ended_by="caller",
            seats_missed=["1001"],
        )
    ]


@story
def elsewhere_rings_after_sound(stage: Stage) -> list[Call]:
    """1001 sends 183, 3 s later 180 three times, and lifts 3 s after that; the seat hangs up."""
    phone = stage.handset("1001")
    customer = stage.phones.customer(NUMBER, "6030")
    invite = phone.ring("183 Session Progress")
    time.sleep(3)
    for _ in range(3):
        phone.again(invite, "180 Ringing")
        time.sleep(1)
    dialog = phone.lift(invite)
    time.sleep(2)
    phone.hang_up(dialog)
    customer.wait()
    stage.finish()
    return [answered(stage, customer, "6030", phone, said_bye(phone), ended_by="seat")]


@story
def elsewhere_recorded(stage: Stage) -> list[Call]:
    """The dialplan changes number and name of the caller and records; 1001 lifts after 2 s; the caller hangs up."""
    seat = stage.phones.seat("1001", 2)
    customer = stage.phones.customer(NUMBER, "6031", Talk(4), Hangup(), name="Li")
    customer.wait()
    stage.finish()
    one = answered(
        stage,
        customer,
        "6031",
        seat,
        said_bye(customer),
        ended_by="caller",
        caller_name="VIP: Li",
        caller_number="+86" + NUMBER,
    )
    return [one | {"recording": f"/var/spool/asterisk/monitor/{one['call_id']}.wav"}]


@story
def elsewhere_mobile_member(stage: Stage) -> list[Call]:
    """A queue with a phone and, over the trunk, a mobile, which lifts after 3 s and hangs up after 2 s."""
    stage.seats("1001")
    line = stage.phones.line(3, Talk(2), Hangup())
    customer = stage.phones.customer(NUMBER, "6026")
    customer.wait()
    stage.finish()
    return [
        answered(
            stage, customer, "6026", line, said_bye(line), queue="mixed", answered_by="13900000009", ended_by="seat"
        )
    ]


@story
def elsewhere_mobile_uri(stage: Stage) -> list[Call]:
    """On over the trunk to a mobile, dialled as a whole URI, which lifts after 3 s; the caller hangs up."""
    line = stage.phones.line(3)
    customer = stage.phones.customer(NUMBER, "6014", Talk(4), Hangup())
    customer.wait()
    stage.finish()
    return [answered(stage, customer, "6014", line, said_bye(customer), answered_by="13900000009", ended_by="caller")]
