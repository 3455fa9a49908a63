"""At the same foreign PBX: what seats and programs begin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from callcenter.demo.scenario import Hangup, Talk
from tests.captures.stories.registry import story
from tests.captures.truth import call, first, invited, lifted, moments, said_bye

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage


@story
def elsewhere_outgoing(stage: Stage) -> list[Call]:
    """A seat that nobody ever calls (its name is no number) calls out, the house's number is shown; the customer lifts
    after 2 s and hangs up."""
    line = stage.phones.line(2, Talk(3), Hangup())
    seat = stage.handset("emil-soft", "3001")
    seat.answered(seat.place("913900000001"))
    seat.parted()
    stage.finish()
    return [
        call(
            call_id=stage.linkedid(),
            direction="outbound",
            caller_number="02088880007",
            caller_name="Emil",
            dialled="913900000001",
            arrived_at=invited(seat),
            answered_at=lifted(line),
            ended_at=said_bye(line),
            wait_seconds=lifted(line) - invited(seat),
            talk_seconds=said_bye(line) - lifted(line),
            ended_by="caller",
        )
    ]


@story
def elsewhere_outgoing_transferred(stage: Stage) -> list[Call]:
    """1003 calls a customer, who lifts after 1 s, and sends the customer to 1002 (REFER), who lifts after 1 s; 1002
    hangs up after 3 s."""
    customer = stage.phones.line(1)
    second = stage.phones.seat("1002", 1, Talk(3), Hangup())
    seat = stage.handset("1003")
    own = seat.answered(seat.place("813900000001"))
    time.sleep(2)
    seat.refer(own, "1002")
    seat.hang_up(own)
    while not moments(second, "sent", "^BYE"):
        time.sleep(0.1)
    stage.finish()
    talk = moments(seat, "sent", "^REFER")[0] - lifted(customer) + said_bye(second) - lifted(second)
    return [
        call(
            call_id=stage.linkedid(),
            direction="outbound",
            caller_number="1003",
            caller_name="Cora",
            dialled="813900000001",
            arrived_at=invited(seat),
            answered_at=lifted(customer),
            ended_at=said_bye(second),
            wait_seconds=lifted(customer) - invited(seat),
            talk_seconds=talk,
            ended_by="seat",
            transfers=[{"kind": "blind", "from": "1003", "to": "1002"}],
        )
    ]


@story
def elsewhere_click_local(stage: Stage) -> list[Call]:
    """AMI Originate rings 1001 over a Local channel (lifts after 2 s), then the customer, who lifts after 2 s and hangs
    up after 3 s."""
    line = stage.phones.line(2, Talk(3), Hangup())
    seat = stage.phones.seat("1001", 2)
    stage.action(
        "Originate",
        Channel="Local/1001@inside",
        Context="inside",
        Exten="913900000001",
        Priority="1",
        Timeout="20000",
        CallerID="click <913900000001>",
        Async="true",
    )
    stage.hear("Event: OriginateResponse")
    while not moments(line, "sent", "^BYE"):
        time.sleep(0.1)
    stage.finish()
    started = first(seat, "received", "^INVITE")
    return [
        call(
            call_id=stage.linkedid(),
            direction="outbound",
            caller_number="1001",
            caller_name="Anna",
            dialled="13900000001",
            arrived_at=started,
            answered_at=lifted(line),
            ended_at=said_bye(line),
            talk_seconds=said_bye(line) - lifted(line),
            wait_seconds=lifted(line) - started,
            ended_by="caller",
        )
    ]


@story
def elsewhere_callback(stage: Stage) -> list[Call]:
    """AMI Originate calls the customer back first, who lifts after 2 s, then the queue; 1001 lifts after 2 s; the
    customer hangs up."""
    line = stage.phones.line(2, Talk(7), Hangup())
    seat = stage.phones.seat("1001", 2)
    stage.action(
        "Originate",
        Channel="PJSIP/13900000001@acme-trunk-1",
        Context="inside",
        Exten="6021",
        Priority="1",
        Timeout="20000",
        CallerID="<02088880000>",
        Async="true",
    )
    stage.hear("Event: OriginateResponse")
    while not moments(line, "sent", "^BYE"):
        time.sleep(0.1)
    stage.finish()
    started = first(line, "received", "^INVITE")
    return [
        call(
            call_id=stage.linkedid(),
            direction="outbound",
            queue="sales",
            caller_number="02088880000",
            dialled="13900000001",
            arrived_at=started,
            answered_at=lifted(seat),
            ended_at=said_bye(line),
            talk_seconds=said_bye(line) - lifted(seat),
            wait_seconds=lifted(seat) - started,
            answered_by="1001",
            rings_heard=1,
            ended_by="caller",
        )
    ]
