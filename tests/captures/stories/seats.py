"""What seats begin: pickup, outgoing and internal calls, click-to-call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from callcenter.demo.scenario import Hangup, Talk
from tests.captures.stories.registry import NUMBER, story
from tests.captures.stories.telling import recordings
from tests.captures.truth import call, cancelled, dropped, invited, lifted, moments, rang, rings, said_bye

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage


def picked_up(stage: Stage, code: str) -> list[Call]:
    seat = stage.phones.seat("1001")
    customer = stage.phones.customer(NUMBER, "5001", Talk(6), Hangup())
    stage.hear("DialStatus: RINGING")
    time.sleep(2)
    helper = stage.phones.dial("1002", code)
    customer.wait()
    stage.finish()
    taken = moments(helper, "received", r"^SIP/2.0 200 .*\(1 INVITE\)$")[0]
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            answered_at=taken,
            ended_at=said_bye(customer),
            rings_heard=rings(rang(seat), taken),
            wait_seconds=taken - invited(customer),
            answered_by="1002",
            talk_seconds=said_bye(customer) - taken,
            ended_by="caller",
        )
    ]


@story
def pickup_group(stage: Stage) -> list[Call]:
    """1001 rings; after 2 s 1002 takes the call by *8 (Pickup of its group); the caller hangs up."""
    return picked_up(stage, "*8")


@story
def pickup_channel(stage: Stage) -> list[Call]:
    """1001 rings; after 2 s 1002 takes the call by *81001 (PickupChan); the caller hangs up."""
    return picked_up(stage, "*81001")


@story
def outgoing_answered(stage: Stage) -> list[Call]:
    """1001 calls a customer over the trunk, who lifts after 3 s; the seat hangs up after 4 s."""
    line = stage.phones.line(3)
    seat = stage.phones.dial("1001", "013900000001", Talk(4), Hangup())
    seat.wait()
    stage.finish()
    return [
        call(
            direction="outbound",
            caller_number="1001",
            caller_name="Seat 1001",
            dialled="013900000001",
            arrived_at=invited(seat),
            answered_at=lifted(line),
            ended_at=said_bye(seat),
            rings_heard=1,
            wait_seconds=lifted(line) - invited(seat),
            talk_seconds=said_bye(seat) - lifted(line),
            ended_by="seat",
            recording=recordings(stage)[0],
            undecided=["rings_heard", "answered_by"],
        )
    ]


@story
def outgoing_unanswered(stage: Stage) -> list[Call]:
    """1001 calls a customer, who does not lift; the seat gives up after 6 s."""
    line = stage.phones.line()
    seat = stage.phones.dial("1001", "013900000001", give_up=6)
    seat.wait()
    stage.finish()
    assert rang(line)
    return [
        call(
            direction="outbound",
            caller_number="1001",
            caller_name="Seat 1001",
            dialled="013900000001",
            arrived_at=invited(seat),
            ended_at=cancelled(seat),
            wait_seconds=cancelled(seat) - invited(seat),
            outcome="abandoned",
            ended_by="seat",
            undecided=["rings_heard", "outcome", "recording"],
        )
    ]


@story
def internal_answered(stage: Stage) -> list[Call]:
    """1001 calls 1002, who lifts after 2 s and hangs up after 3 s."""
    other = stage.phones.seat("1002", 2, Talk(3), Hangup())
    seat = stage.phones.dial("1001", "1002")
    seat.wait()
    stage.finish()
    return [
        call(
            direction="internal",
            caller_number="1001",
            caller_name="Seat 1001",
            dialled="1002",
            arrived_at=invited(seat),
            answered_at=lifted(other),
            ended_at=said_bye(other),
            rings_heard=1,
            wait_seconds=lifted(other) - invited(seat),
            answered_by="1002",
            talk_seconds=said_bye(other) - lifted(other),
            ended_by="seat",
        )
    ]


@story
def click_to_call(stage: Stage) -> list[Call]:
    """AMI Originate rings 1001 (lifts after 2 s), then the customer, who lifts after 3 s; the customer hangs up
    after 4 s.
    """
    line = stage.phones.line(3, Talk(4), Hangup())
    seat = stage.phones.seat("1001", 2)
    stage.action(
        "Originate",
        ActionID="click-1",
        ChannelId="click-1-a",
        OtherChannelId="click-1-b",
        Channel="PJSIP/1001",
        Context="cc-click",
        Exten="013900000001",
        Priority="1",
        Timeout="20000",
        CallerID="013900000001",
        Async="true",
    )
    stage.hear("Event: OriginateResponse")
    stage.finish()
    started = moments(seat, "received", r"^INVITE")[0]
    return [
        call(
            call_id="click-1-a",
            direction="outbound",
            caller_number="1001",
            dialled="013900000001",
            arrived_at=started,
            answered_at=lifted(line),
            ended_at=said_bye(line),
            wait_seconds=lifted(line) - started,
            talk_seconds=said_bye(line) - lifted(line),
            ended_by="caller",
            recording=recordings(stage)[0],
            undecided=["rings_heard", "answered_by", "caller_number", "caller_name", "wait_seconds", "ended_by"],
        )
    ]


@story
def click_to_call_seat_absent(stage: Stage) -> list[Call]:
    """AMI Originate rings 1001 for 4 s, who does not lift."""
    seat = stage.seats("1001")[0]
    stage.action(
        "Originate",
        ActionID="click-2",
        ChannelId="click-2-a",
        Channel="PJSIP/1001",
        Context="cc-click",
        Exten="013900000001",
        Priority="1",
        Timeout="4000",
        CallerID="013900000001",
        Async="true",
    )
    stage.hear("Event: OriginateResponse")
    stage.finish()
    started = moments(seat, "received", r"^INVITE")[0]
    return [
        call(
            call_id="click-2-a",
            direction="outbound",
            caller_number="1001",
            dialled="013900000001",
            arrived_at=started,
            ended_at=dropped(seat),
            wait_seconds=dropped(seat) - started,
            outcome="failed",
            ended_by="system",
            undecided=["rings_heard", "caller_number", "caller_name", "dialled", "outcome", "seats_missed"],
        )
    ]
