"""At the same foreign PBX: holds, transfers of every kind, parking, conferences, what seats and programs begin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from callcenter.demo.scenario import Hangup, Talk
from tests.captures.stories.elsewhere import answered
from tests.captures.stories.registry import NUMBER, OTHER, story
from tests.captures.truth import call, first, heard_bye, invited, lifted, moments, said_bye

if TYPE_CHECKING:
    from tests.asterisk.handset import Handset
    from tests.asterisk.twoline import Dialog
    from tests.captures.record import Call, Stage


def referred(phone: Any) -> list[float]:
    return moments(phone, "sent", "^REFER")


def put_through(phone: Any) -> float:
    return first(phone, "received", r"^SIP/2.0 200 .*INVITE\)$")


def pair(stage: Stage, number: str = "6030") -> tuple[Handset, Dialog, Handset, Dialog]:
    """A customer talks with 1001, both played by hand: (customer, its line, seat, its line)."""
    seat, customer = stage.handset("1001"), stage.outside(NUMBER)
    line = customer.place(number)
    invite = seat.ring()
    time.sleep(1)
    own = seat.lift(invite)
    customer.answered(line)
    time.sleep(1)
    return customer, line, seat, own


@story
def elsewhere_hold_by_both(stage: Stage) -> list[Call]:
    """The caller holds for 2 s, 1001 from 1 s later for 2 s; 1001 hangs up. One hold of the seat."""
    customer, line, seat, own = pair(stage)
    customer.press_hold(line)
    time.sleep(1)
    begin = time.time()
    seat.press_hold(own)
    time.sleep(1)
    customer.resume(line)
    time.sleep(1)
    seat.resume(own)
    on_hold = time.time() - begin
    time.sleep(1)
    seat.hang_up(own)
    stage.finish()
    end = said_bye(seat)
    return [
        answered(
            stage,
            customer,
            "6030",
            seat,
            end,
            holds=1,
            hold_seconds=on_hold,
            talk_seconds=end - lifted(seat) - on_hold,
            ended_by="seat",
        )
    ]


@story
def elsewhere_refer_outside(stage: Stage) -> list[Call]:
    """1001 sends the caller over the trunk (REFER) to a mobile, which lifts after 2 s and hangs up after 2 s."""
    mobile = stage.phones.line(2, Talk(2), Hangup())
    customer, _, seat, own = pair(stage)
    seat.refer(own, "913900000009")
    seat.hang_up(own)
    customer.parted()
    stage.finish()
    end = said_bye(mobile)
    talk = referred(seat)[0] - lifted(seat) + end - lifted(mobile)
    return [
        answered(
            stage,
            customer,
            "6030",
            seat,
            end,
            talk_seconds=talk,
            ended_by="seat",
            transfers=[{"kind": "blind", "from": "1001", "to": "913900000009"}],
        )
    ]


@story
def elsewhere_refer_three_times(stage: Stage) -> list[Call]:
    """1001 sends the caller to 1002, 1002 to 1003, 1003 back to 1001 (REFER); each lifts after 1 s; 1001 hangs up."""
    second, third = stage.handset("1002"), stage.handset("1003")
    customer, _, seat, own = pair(stage)
    seat.refer(own, "1002")
    seat.hang_up(own)
    talk, since = referred(seat)[0] - lifted(seat), 0.0
    for phone, target in ((second, "1003"), (third, "1001"), (seat, "")):
        invite = phone.ring()
        time.sleep(1)
        own = phone.lift(invite)
        since = time.time()
        time.sleep(1)
        if target:
            phone.refer(own, target)
            talk += referred(phone)[-1] - since
            phone.hang_up(own)
    seat.hang_up(own)
    stage.finish()
    end = moments(seat, "sent", "^BYE")[-1]
    return [
        answered(
            stage,
            customer,
            "6030",
            seat,
            end,
            talk_seconds=talk + end - since,
            ended_by="seat",
            transfers=[
                {"kind": "blind", "from": a, "to": b} for a, b in (("1001", "1002"), ("1002", "1003"), ("1003", "1001"))
            ],
        )
    ]


@story
def elsewhere_feature_to_nobody(stage: Stage) -> list[Call]:
    """1001 presses ## 1002, who rings 15 s in vain; the dialplan ends the call. A miss of 1002."""
    stage.seats("1002")
    customer, _, seat, own = pair(stage)
    seat.press(own, "##")
    time.sleep(1)
    seat.press(own, "1002")
    customer.parted()
    stage.finish()
    talk = heard_bye(seat) - lifted(seat)
    return [
        answered(
            stage,
            customer,
            "6030",
            seat,
            heard_bye(customer),
            talk_seconds=talk,
            ended_by="system",
            seats_missed=["1002"],
            transfers=[{"kind": "blind", "from": "1001", "to": "1002"}],
            undecided=["talk_seconds", "hold_seconds", "holds"],
        )
    ]


@story
def elsewhere_attended_to_ringing(stage: Stage) -> list[Call]:
    """1001 presses *2 1002 and hangs up while 1002 rings; 1002 lifts after 3 s; the caller hangs up 3 s later."""
    second = stage.handset("1002")
    customer, line, seat, own = pair(stage)
    seat.press(own, "*2")
    time.sleep(1)
    seat.press(own, "1002")
    invite = second.ring()
    time.sleep(1)
    seat.hang_up(own)
    time.sleep(2)
    second.lift(invite)
    time.sleep(3)
    customer.hang_up(line)
    stage.finish()
    end = said_bye(customer)
    return [
        answered(
            stage,
            customer,
            "6030",
            seat,
            end,
            ended_by="caller",
            transfers=[{"kind": "attended", "from": "1001", "to": "1002"}],
            undecided=["hold_seconds", "holds", "talk_seconds"],
        )
    ]


@story
def elsewhere_attended_over_queue(stage: Stage) -> list[Call]:
    """1001 holds, calls the queue on its second line (1002 lifts there after 2 s), and joins both (Replaces); 1002
    hangs up."""
    second = stage.phones.seat("1002", 2, Talk(5), Hangup())
    customer, _, seat, own = pair(stage)
    seat.press_hold(own)
    begin = time.time()
    consult = seat.call("6021")
    time.sleep(2.5)
    seat.join(own, consult)
    joined = time.time()
    seat.parted()
    seat.hang_up(own)
    customer.parted()
    stage.finish()
    end = said_bye(second)
    return [
        answered(
            stage,
            customer,
            "6030",
            seat,
            end,
            ended_by="seat",
            holds=1,
            hold_seconds=joined - begin,
            queue="sales",
            talk_seconds=begin - lifted(seat) + end - joined,
            transfers=[{"kind": "attended", "from": "1001", "to": "1002"}],
        )
    ]


@story
def elsewhere_two_parked(stage: Stage) -> list[Call]:
    """1001 and 1003 park a customer each, at the same time (REFER to 700); 1002 takes the first back, 1004 the second;
    the customers hang up one after the other. Two calls, though both waited in one parking lot."""
    one, two = stage.outside(NUMBER), stage.outside(OTHER)
    first_seat, second_seat = stage.handset("1001"), stage.handset("1003")
    lines = [one.place("6030"), first_seat.lift(first_seat.ring())]
    one.answered(lines[0])
    lines += [two.place("6022"), second_seat.lift(second_seat.ring())]
    two.answered(lines[2])
    time.sleep(1)
    first_seat.refer(lines[1], "700")
    first_seat.hang_up(lines[1])
    second_seat.refer(lines[3], "700")
    second_seat.hang_up(lines[3])
    time.sleep(1)
    takers = [stage.handset("1002"), stage.handset("1004")]
    for taker, slot in zip(takers, ("701", "702"), strict=True):
        taker.answered(taker.place(slot))
    time.sleep(2)
    one.hang_up(lines[0])
    takers[0].parted()
    time.sleep(1)
    two.hang_up(lines[2])
    takers[1].parted()
    stage.finish()
    return [
        answered(
            stage,
            customer,
            dialled,
            seat,
            said_bye(customer),
            call_id=stage.linkedid(number),
            caller_number=customer.name,
            answered_by=seat.name,
            queue=queue,
            ended_by="caller",
            # Asterisk waits half a second for sound before it puts a taker through.
            talk_seconds=referred(seat)[0] - lifted(seat) + said_bye(customer) - put_through(taker) - 0.5,
            transfers=[{"kind": "blind", "from": seat.name, "to": "700"}],
        )
        for number, (customer, dialled, seat, queue, taker) in enumerate(
            ((one, "6030", first_seat, None, takers[0]), (two, "6022", second_seat, "support", takers[1]))
        )
    ]


@story
def elsewhere_inside_then_outside(stage: Stage) -> list[Call]:
    """1003 calls 1001, who lifts after 1 s and sends 1003 on to a mobile (REFER), which lifts after 1 s; 1003 hangs up.
    It began among us, and stays an internal call."""
    mobile = stage.phones.line(1)
    seat, other = stage.handset("1001"), stage.handset("1003")
    line = other.place("1001")
    invite = seat.ring()
    time.sleep(1)
    own = seat.lift(invite)
    other.answered(line)
    time.sleep(1)
    seat.refer(own, "913900000009")
    seat.hang_up(own)
    time.sleep(4)
    other.hang_up(line)
    stage.finish()
    return [
        call(
            call_id=stage.linkedid(),
            direction="internal",
            caller_number="1003",
            caller_name="Cora",
            dialled="1001",
            arrived_at=invited(other),
            answered_at=lifted(seat),
            wait_seconds=lifted(seat) - invited(other),
            ended_at=said_bye(other),
            talk_seconds=referred(seat)[0] - lifted(seat) + said_bye(other) - lifted(mobile),
            answered_by="1001",
            rings_heard=1,
            ended_by="caller",
            transfers=[{"kind": "blind", "from": "1001", "to": "913900000009"}],
        )
    ]
