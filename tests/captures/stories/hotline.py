"""The product's own dialplan: ladder, greeting, announcement, duty manager."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from callcenter.demo.scenario import Hangup, Refer, Talk
from tests.captures.stories.registry import NUMBER, story
from tests.captures.stories.telling import recordings, transferred
from tests.captures.truth import (
    call,
    cancelled,
    dropped,
    heard_bye,
    invited,
    lifted,
    moments,
    rang,
    rings,
    said_bye,
)

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage


@story
def hotline_answered(stage: Stage) -> list[Call]:
    """The product's hotline: ring-all over Local channels, 1002 lifts after 6 s, greeting to the caller, hangs up
    after 5 s.
    """
    stage.seats("1001", "1003", "2001")
    seat = stage.phones.seat("1002", 6, Talk(5), Hangup())
    customer = stage.phones.customer(NUMBER, "4000", name="张三")
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            caller_name="张三",
            dialled="4000",
            queue="support",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(seat),
            rings_heard=2,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1002",
            talk_seconds=said_bye(seat) - lifted(seat),
            ended_by="seat",
            recording=recordings(stage)[0],
        )
    ]


@story
def hotline_backup_answers(stage: Stage) -> list[Call]:
    """Hotline: nobody of the first group lifts; the backup 2001 begins to ring at 5.5 s and lifts 3 s later;
    caller hangs up.
    """
    stage.seats("1001", "1002", "1003")
    backup = stage.phones.seat("2001", 3)
    customer = stage.phones.customer(NUMBER, "4000", Talk(5), Hangup())
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="4000",
            queue="support",
            arrived_at=invited(customer),
            answered_at=lifted(backup),
            ended_at=said_bye(customer),
            rings_heard=2,
            wait_seconds=lifted(backup) - invited(customer),
            answered_by="2001",
            talk_seconds=said_bye(customer) - lifted(backup),
            ended_by="caller",
            recording=recordings(stage)[0],
        )
    ]


@story
def hotline_duty_manager(stage: Stage) -> list[Call]:
    """Hotline: nobody lifts in three rings; announcement; the duty manager 3001 lifts after 3 s and hangs up
    after 3 s.
    """
    seats = stage.seats("1001", "1002", "1003", "2001")
    manager = stage.phones.seat("3001", 3, Talk(3), Hangup())
    customer = stage.phones.customer(NUMBER, "4000")
    customer.wait()
    stage.finish()
    return (
        [
            call(
                caller_number=NUMBER,
                dialled="4000",
                queue="support",
                arrived_at=invited(customer),
                answered_at=lifted(manager),
                ended_at=said_bye(manager),
                rings_heard=3,
                wait_seconds=lifted(manager) - invited(customer),
                answered_by="3001",
                seats_missed=["1001", "1002", "1003", "2001"],
                talk_seconds=said_bye(manager) - lifted(manager),
                ended_by="seat",
                recording=recordings(stage)[0],
                breaches=["A1"],
                undecided=["rings_heard", "seats_missed", "outcome"],
            )
        ]
        if dropped(seats)
        else []
    )


@story
def hotline_overflow(stage: Stage) -> list[Call]:
    """Hotline: nobody lifts, nor does the duty manager (30 s); a last sentence, and the dialplan hangs up."""
    seats = stage.seats("1001", "1002", "1003", "2001")
    stage.seats("3001")
    customer = stage.phones.customer(NUMBER, "4000")
    customer.wait(90)
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="4000",
            queue="support",
            arrived_at=invited(customer),
            ended_at=heard_bye(customer),
            rings_heard=3,
            wait_seconds=dropped(seats) - invited(customer),
            outcome="overflowed",
            seats_missed=["1001", "1002", "1003", "2001", "3001"],
            ended_by="system",
            recording=recordings(stage)[0],
            breaches=["A1"],
            undecided=["rings_heard", "wait_seconds", "seats_missed"],
        )
    ]


@story
def hotline_all_paused(stage: Stage) -> list[Call]:
    """Hotline: every member is paused, so the queue refuses the caller; announcement; the duty manager lifts
    after 2 s.
    """
    stage.seats("1001", "1002", "1003", "2001")
    manager = stage.phones.seat("3001", 2, Talk(2), Hangup())
    for member in ("Local/1001@cc-seat/n", "Local/1002@cc-seat/n", "Local/1003@cc-seat/n", "Local/2001@cc-backup/n"):
        stage.action("QueuePause", Interface=member, Paused="true", Reason="training")
    stage.hear("Event: QueueMemberPause", 4)
    customer = stage.phones.customer(NUMBER, "4000")
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="4000",
            arrived_at=invited(customer),
            answered_at=lifted(manager),
            ended_at=said_bye(manager),
            rings_heard=1,
            wait_seconds=lifted(manager) - invited(customer),
            answered_by="3001",
            talk_seconds=said_bye(manager) - lifted(manager),
            ended_by="seat",
            recording=recordings(stage)[0],
            queue="support",
            undecided=["queue", "breaches"],
        )
    ]


@story
def hotline_abandoned(stage: Stage) -> list[Call]:
    """Hotline: the caller gives up after 8 s; three seats and, since 5.5 s, the backup ring."""
    seats = stage.seats("1001", "1002", "1003", "2001")
    customer = stage.phones.customer(NUMBER, "4000", give_up=8)
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="4000",
            queue="support",
            arrived_at=invited(customer),
            ended_at=cancelled(customer),
            rings_heard=rings(rang(seats), cancelled(customer)),
            wait_seconds=cancelled(customer) - invited(customer),
            outcome="abandoned",
            ended_by="caller",
            undecided=["recording"],
        )
    ]


@story
def hotline_direct(stage: Stage) -> list[Call]:
    """A direct number of the hotline: 1001 alone, lifts after 3 s, greeting; the caller hangs up after 4 s."""
    seat = stage.phones.seat("1001", 3)
    customer = stage.phones.customer(NUMBER, "411001", Talk(4), Hangup())
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="411001",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
            recording=recordings(stage)[0],
        )
    ]


@story
def hotline_ladder_by_daemon(stage: Stage) -> list[Call]:
    """Hotline, with a daemon's Redirects: at 5.0 s the gate of 2001 is opened, at 12 s the caller is taken to the
    announcement while four phones ring; the duty manager lifts after 2 s and hangs up after 3 s."""
    seats = stage.seats("1001", "1002", "1003", "2001")
    manager = stage.phones.seat("3001", 2, Talk(3), Hangup())
    customer = stage.phones.customer(NUMBER, "4000")
    stage.hear("DialStatus: RINGING")
    time.sleep(max(0.0, rang(seats) + 5 - time.time()))
    stage.action("Redirect", Channel=stage.gate("2001"), Context="cc-backup-now", Exten="2001", Priority="1")
    time.sleep(max(0.0, rang(seats) + 12 - time.time()))
    stage.action(
        "Redirect", Channel=stage.channel("PJSIP/trunk-"), Context="cc-announce", Exten="support", Priority="1"
    )
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="4000",
            queue="support",
            arrived_at=invited(customer),
            answered_at=lifted(manager),
            ended_at=said_bye(manager),
            rings_heard=3,
            wait_seconds=lifted(manager) - invited(customer),
            answered_by="3001",
            seats_missed=["1001", "1002", "1003", "2001"],
            talk_seconds=said_bye(manager) - lifted(manager),
            ended_by="seat",
            recording=recordings(stage)[0],
            breaches=["A1"],
            undecided=["rings_heard", "seats_missed", "outcome"],
        )
    ]


@story
def hotline_pickup(stage: Stage) -> list[Call]:
    """Hotline: three seats ring; after 3 s 1004, who is no member, takes the call by *81002; the caller hangs up
    after 5 s.
    """
    seats = stage.seats("1001", "1002", "1003")
    customer = stage.phones.customer(NUMBER, "4000", Talk(5), Hangup())
    stage.hear("DialStatus: RINGING")
    time.sleep(3)
    helper = stage.phones.dial("1004", "*81002")
    customer.wait()
    stage.finish()
    taken = moments(helper, "received", r"^SIP/2.0 200 .*\(1 INVITE\)$")[0]
    return [
        call(
            caller_number=NUMBER,
            dialled="4000",
            queue="support",
            arrived_at=invited(customer),
            answered_at=taken,
            ended_at=said_bye(customer),
            rings_heard=rings(rang(seats), taken),
            wait_seconds=taken - invited(customer),
            answered_by="1004",
            talk_seconds=said_bye(customer) - taken,
            ended_by="caller",
            recording=recordings(stage)[0],
        )
    ]


@story
def hotline_transfer_refer(stage: Stage) -> list[Call]:
    """Hotline: 1002 lifts after 2 s, sends REFER to 1004 after 3 s, who lifts after 2 s; the caller hangs up."""
    sip = stage.lab.server.ports["SIP"]
    stage.seats("1001", "1003")
    first = stage.phones.seat("1002", 2, Talk(3), Refer(f"sip:1004@127.0.0.1:{sip}"))
    second = stage.phones.seat("1004", 2)
    customer = stage.phones.customer(NUMBER, "4000", Talk(11), Hangup())
    customer.wait()
    stage.finish()
    result = transferred(stage, first, second, customer, "blind", moments(first, "sent", "^REFER")[0], "4000")
    return [
        result[0]
        | {
            "queue": "support",
            "answered_by": "1002",
            "transfers": [{"kind": "blind", "from": "1002", "to": "1004"}],
            "recording": recordings(stage)[0],
        }
    ]
