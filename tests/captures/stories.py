"""The stories of tests/captures: what each phone does, and what a listener beside the phones would write down."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from callcenter.demo.phones import Phone
from callcenter.demo.scenario import Digits, Hangup, Hold, Refer, Talk

from tests.captures.truth import (
    KEYS,
    call,
    cancelled,
    dropped,
    heard_bye,
    held,
    invited,
    lifted,
    moments,
    rang,
    rings,
    said_bye,
)

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage, Story

STORIES: dict[str, Story] = {}
NUMBER = "13800000001"
OTHER = "13800000002"


def story(run: Callable[[Stage], list[Call]]) -> Story:
    STORIES[run.__name__.replace("_", "-")] = run
    return run


@story
def direct_agent_hangs_up(stage: Stage) -> list[Call]:
    """Plain Dial to 1001, who lifts after 6 s, talks 3 s and hangs up."""
    seat = stage.phones.seat("1001", 6, Talk(3), Hangup())
    customer = stage.phones.customer(NUMBER, "5001")
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(seat),
            rings_heard=2,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(seat) - lifted(seat),
            ended_by="seat",
        )
    ]


@story
def direct_caller_hangs_up(stage: Stage) -> list[Call]:
    """Plain Dial to 1001, who lifts after 2 s; the caller hangs up after 4 s of talk."""
    seat = stage.phones.seat("1001", 2)
    customer = stage.phones.customer(NUMBER, "5001", Talk(4), Hangup(), name="Zhang San")
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            caller_name="Zhang San",
            dialled="5001",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
        )
    ]


@story
def queue_answered(stage: Stage) -> list[Call]:
    """One-by-one queue, caller answered at once with music; 1001 lifts after 7 s; the caller hangs up after 5 s."""
    seat = stage.phones.seat("1001", 7)
    stage.seats("1002")
    customer = stage.phones.customer(NUMBER, "5104", Talk(12.5), Hangup())
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=2,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
        )
    ]


@story
def queue_ring_all(stage: Stage) -> list[Call]:
    """Ring-all with three seats; 1002 lifts after 6 s and hangs up after 4 s. The two others missed nothing."""
    stage.seats("1001", "1003")
    seat = stage.phones.seat("1002", 6, Talk(4), Hangup())
    customer = stage.phones.customer(NUMBER, "5103")
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5103",
            queue="plain03",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(seat),
            rings_heard=2,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1002",
            talk_seconds=said_bye(seat) - lifted(seat),
            ended_by="seat",
        )
    ]


@story
def queue_two_misses(stage: Stage) -> list[Call]:
    """One by one: 1001 and 1002 ring 15 s each and do not lift, 1003 lifts after 2 s. A breach: seven rings."""
    missed = stage.seats("1001", "1002")
    seat = stage.phones.seat("1003", 2, Talk(4), Hangup())
    customer = stage.phones.customer(NUMBER, "5104")
    customer.wait(90)
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(seat),
            rings_heard=rings(rang(missed), lifted(seat)),
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1003",
            seats_missed=["1001", "1002"],
            talk_seconds=said_bye(seat) - lifted(seat),
            ended_by="seat",
            breaches=["A1"],
        )
    ]


@story
def direct_both_missed_overflow(stage: Stage) -> list[Call]:
    """Dial to 1001, then 1002, 13 s each, nobody lifts; then an announcement, and the dialplan hangs up."""
    seats = stage.seats("1001", "1002")
    customer = stage.phones.customer(NUMBER, "5002")
    customer.wait(90)
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5002",
            arrived_at=invited(customer),
            ended_at=heard_bye(customer),
            rings_heard=rings(rang(seats), dropped(seats)),
            wait_seconds=dropped(seats) - invited(customer),
            outcome="overflowed",
            seats_missed=["1001", "1002"],
            ended_by="system",
            breaches=["A1"],
        )
    ]


@story
def queue_timeout(stage: Stage) -> list[Call]:
    """One-by-one queue with a limit of 18 s: 1001 misses 15 s, 1002 is cut short after about 2 s; announcement, end."""
    seats = stage.seats("1001", "1002")
    customer = stage.phones.customer(NUMBER, "5204")
    customer.wait(90)
    stage.finish()
    end = dropped(seats)
    return [
        call(
            caller_number=NUMBER,
            dialled="5204",
            queue="plain04",
            arrived_at=invited(customer),
            ended_at=heard_bye(customer),
            rings_heard=rings(rang(seats), end),
            wait_seconds=end - invited(customer),
            outcome="overflowed",
            seats_missed=["1001", "1002"],
            ended_by="system",
            breaches=["A1"],
        )
    ]


@story
def direct_abandoned_ringing(stage: Stage) -> list[Call]:
    """Dial to 1001; the caller gives up after 7 s of ringing."""
    seat = stage.phones.seat("1001")
    customer = stage.phones.customer(NUMBER, "5001", give_up=7)
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            ended_at=cancelled(customer),
            rings_heard=rings(rang(seat), cancelled(customer)),
            wait_seconds=cancelled(customer) - invited(customer),
            outcome="abandoned",
            ended_by="caller",
        )
    ]


@story
def queue_abandoned_waiting(stage: Stage) -> list[Call]:
    """Ring-all queue, unanswered, ringback; the caller gives up after 8 s while three seats ring."""
    seats = stage.seats("1001", "1002", "1003")
    customer = stage.phones.customer(NUMBER, "5303", give_up=8)
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5303",
            queue="plain03",
            arrived_at=invited(customer),
            ended_at=cancelled(customer),
            rings_heard=rings(rang(seats), cancelled(customer)),
            wait_seconds=cancelled(customer) - invited(customer),
            outcome="abandoned",
            ended_by="caller",
        )
    ]


@story
def hold_twice(stage: Stage) -> list[Call]:
    """Dial to 1001, who holds the caller twice (2 s, 3 s) and hangs up."""
    seat = stage.phones.seat("1001", 1, Talk(2), Hold(2), Talk(1), Hold(3), Talk(1), Hangup())
    customer = stage.phones.customer(NUMBER, "5001")
    customer.wait()
    stage.finish()
    holds = held(seat)
    on_hold = sum(end - begin for begin, end in holds)
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(seat),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(seat) - lifted(seat) - on_hold,
            hold_seconds=on_hold,
            holds=2,
            ended_by="seat",
        )
    ]


@story
def hotline_answered(stage: Stage) -> list[Call]:
    """The product's hotline: ring-all over Local channels, 1002 lifts after 6 s, greeting to the caller, hangs up after 5 s."""
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
    """Hotline: nobody of the first group lifts; the backup 2001 begins to ring at 5.5 s and lifts 3 s later; caller hangs up."""
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
    """Hotline: nobody lifts in three rings; announcement; the duty manager 3001 lifts after 3 s and hangs up after 3 s."""
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
    """Hotline: every member is paused, so the queue refuses the caller; announcement; the duty manager lifts after 2 s."""
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
    """Hotline, with a daemon's Redirects: at 5.0 s the gate of 2001 is opened, at 12 s the caller is taken to the announcement
    while four phones ring; the duty manager lifts after 2 s and hangs up after 3 s."""
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
            undecided=["rings_heard", "seats_missed", "outcome", "breaches"],
        )
    ]


@story
def hotline_pickup(stage: Stage) -> list[Call]:
    """Hotline: three seats ring; after 3 s 1004, who is no member, takes the call by *81002; the caller hangs up after 5 s."""
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


@story
def queue_to_queue(stage: Stage) -> list[Call]:
    """10 s in the first queue (1001 rings in vain), then the second one, where 1003 lifts after 3 s."""
    missed = stage.seats("1001", "1002")
    seat = stage.phones.seat("1003", 3)
    customer = stage.phones.customer(NUMBER, "5400", Talk(18), Hangup())
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5400",
            queue="plain02",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=rings(rang(missed), lifted(seat)),
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1003",
            seats_missed=ring_order(missed),
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
        )
    ]


@story
def local_kept(stage: Stage) -> list[Call]:
    """Dial of Local/1001@lab-seat/n: the pair stays; greeting to the caller by Dial's A(); the seat hangs up."""
    return one_seat(stage, "5004")


@story
def local_optimised(stage: Stage) -> list[Call]:
    """Dial of Local/1001@lab-seat: the pair optimises itself away after the greeting; the seat hangs up."""
    return one_seat(stage, "5005")


def one_seat(stage: Stage, number: str, queue: str | None = None) -> list[Call]:
    seat = stage.phones.seat("1001", 3, Talk(5), Hangup())
    customer = stage.phones.customer(NUMBER, number)
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled=number,
            queue=queue,
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(seat),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(seat) - lifted(seat),
            ended_by="seat",
        )
    ]


@story
def queue_local_optimised(stage: Stage) -> list[Call]:
    """A queue whose member is a Local channel without /n: optimised away after the greeting; the seat hangs up."""
    return one_seat(stage, "5106", "plain06")


def ring_order(phones: list[Phone]) -> list[str]:
    """Names of the seats in the order in which they rang."""
    order = sorted(
        (at, phone.name.rpartition("-")[2]) for phone in phones for at in moments(phone, "sent", r"^SIP/2.0 180")
    )
    return [name for _, name in order]


def transferred(
    stage: Stage, first: Phone, second: Phone, customer: Phone, kind: str, left: float, dialled: str = "5001"
) -> list[Call]:
    """1001 lifts, hands the caller over to 1002 at *left*; the caller hangs up."""
    talk = (left - lifted(first)) + (said_bye(customer) - lifted(second))
    return [
        call(
            caller_number=NUMBER,
            dialled=dialled,
            arrived_at=invited(customer),
            answered_at=lifted(first),
            ended_at=said_bye(customer),
            rings_heard=1,
            wait_seconds=lifted(first) - invited(customer),
            answered_by="1001",
            talk_seconds=talk,
            transfers=[{"kind": kind, "from": "1001", "to": "1002"}],
            ended_by="caller",
            undecided=["talk_seconds", "hold_seconds", "holds"],
        )
    ]


@story
def blind_transfer_ami(stage: Stage) -> list[Call]:
    """1001 lifts after 2 s; AMI BlindTransfer to 1002, who lifts after 3 s; the caller hangs up."""
    first, second = stage.phones.seat("1001", 2), stage.phones.seat("1002", 3)
    customer = stage.phones.customer(NUMBER, "5001", Talk(10), Hangup())
    stage.talking()
    time.sleep(1.3)
    stage.action("BlindTransfer", Channel=stage.channel("PJSIP/1001-"), Context="cc-transfer", Exten="1002")
    customer.wait()
    stage.finish()
    return transferred(stage, first, second, customer, "blind", heard_bye(first))


@story
def blind_transfer_feature(stage: Stage) -> list[Call]:
    """1001 lifts after 2 s and presses #1 1002 after 2 s more; 1002 lifts after 3 s; the caller hangs up."""
    first = stage.phones.seat("1001", 2, Talk(2), Digits("#1"), Talk(1), Digits("1002"), Talk(60))
    second = stage.phones.seat("1002", 3)
    customer = stage.phones.customer(NUMBER, "5001", Talk(14), Hangup())
    customer.wait()
    stage.finish()
    return transferred(stage, first, second, customer, "blind", moments(first, "sent", "^INFO")[1])


@story
def blind_transfer_refer(stage: Stage) -> list[Call]:
    """1001 lifts after 2 s and sends REFER to 1002 after 2 s more; 1002 lifts after 3 s; the caller hangs up."""
    sip = stage.lab.server.ports["SIP"]
    first = stage.phones.seat("1001", 2, Talk(2), Refer(f"sip:1002@127.0.0.1:{sip}"))
    second = stage.phones.seat("1002", 3)
    customer = stage.phones.customer(NUMBER, "5001", Talk(10), Hangup())
    customer.wait()
    stage.finish()
    return transferred(stage, first, second, customer, "blind", moments(first, "sent", "^REFER")[0])


@story
def queue_blind_transfer_refer(stage: Stage) -> list[Call]:
    """The same out of a queue: AgentComplete says "transfer" while the call goes on."""
    sip = stage.lab.server.ports["SIP"]
    first = stage.phones.seat("1001", 2, Talk(2), Refer(f"sip:1003@127.0.0.1:{sip}"))
    second = stage.phones.seat("1003", 3)
    customer = stage.phones.customer(NUMBER, "5104", Talk(12), Hangup())
    customer.wait()
    stage.finish()
    result = transferred(stage, first, second, customer, "blind", moments(first, "sent", "^REFER")[0], "5104")
    return [result[0] | {"queue": "plain04", "transfers": [{"kind": "blind", "from": "1001", "to": "1003"}]}]


@story
def attended_transfer_ami(stage: Stage) -> list[Call]:
    """1001 lifts; AMI Atxfer to 1002, who lifts after 2 s; they talk 2 s, 1001 hangs up; the caller hangs up later."""
    first, second = stage.phones.seat("1001", 2, Talk(9), Hangup()), stage.phones.seat("1002", 2)
    customer = stage.phones.customer(NUMBER, "5001", Talk(14), Hangup())
    stage.talking()
    time.sleep(1)
    stage.action("Atxfer", Channel=stage.channel("PJSIP/1001-"), Context="cc-transfer", Exten="1002")
    customer.wait()
    stage.finish()
    return transferred(stage, first, second, customer, "attended", said_bye(first))


@story
def attended_transfer_feature(stage: Stage) -> list[Call]:
    """1001 lifts, presses *2 1002; 1002 lifts after 2 s; they talk, 1001 hangs up; the caller hangs up later."""
    first = stage.phones.seat("1001", 2, Talk(2), Digits("*2"), Talk(1), Digits("1002"), Talk(8), Hangup())
    second = stage.phones.seat("1002", 2)
    customer = stage.phones.customer(NUMBER, "5001", Talk(20), Hangup())
    customer.wait()
    stage.finish()
    return transferred(stage, first, second, customer, "attended", said_bye(first))


def replaced(stage: Stage, dialled: str, queue: str | None) -> list[Call]:
    two_lines = stage.two_lines("1001")
    second = stage.phones.seat("1002", 2)
    customer = stage.phones.customer(NUMBER, dialled, Talk(13), Hangup())
    first = two_lines.answer(2)
    stage.talking()
    time.sleep(2)
    two_lines.hold(first)
    time.sleep(0.5)
    consult = two_lines.call("1002")
    time.sleep(2)
    two_lines.join(first, consult)
    two_lines.expect("^BYE")
    two_lines.hang_up(first)
    customer.wait()
    stage.finish()
    result = transferred(
        stage, two_lines, second, customer, "attended", moments(two_lines, "sent", "^REFER")[0], dialled
    )
    begin = moments(two_lines, "sent", r"^INVITE")[0]
    joined = moments(two_lines, "sent", r"^REFER")[0]
    talk = (begin - lifted(two_lines)) + (said_bye(customer) - joined)
    consultation = call(
        direction="internal",
        caller_number="1001",
        caller_name="Seat 1001",
        dialled="1002",
        arrived_at=moments(two_lines, "sent", r"^INVITE sip:1002")[0],
        answered_at=lifted(second),
        rings_heard=1,
        answered_by="1002",
        undecided=[*KEYS[8:], "optional"],
    ) | {"optional": True}
    return [
        result[0] | {"queue": queue, "talk_seconds": talk, "hold_seconds": joined - begin, "holds": 1},
        consultation,
    ]


@story
def attended_transfer_replaces(stage: Stage) -> list[Call]:
    """1001 lifts after 2 s, holds after 2 s more, calls 1002 (lifts after 2 s) on its second line, talks 2 s, joins them by REFER
    with Replaces; the caller hangs up. The consultation is a call of its own until it is joined."""
    return replaced(stage, "5001", None)


@story
def queue_attended_transfer_replaces(stage: Stage) -> list[Call]:
    """The same out of a one-by-one queue."""
    return replaced(stage, "5104", "plain04")


@story
def queue_all_paused(stage: Stage) -> list[Call]:
    """A lenient queue with all members paused: the caller waits with music, no seat rings, and hangs up after 6 s."""
    stage.seats("1001", "1002")
    for member in ("PJSIP/1001", "PJSIP/1002"):
        stage.action("QueuePause", Queue="plain07", Interface=member, Paused="true", Reason="meeting")
    stage.hear("Event: QueueMemberPause", 2)
    customer = stage.phones.customer(NUMBER, "5107", Talk(6), Hangup())
    customer.wait()
    stage.finish()
    return [abandoned_in_queue(customer, "5107", "plain07", 0)]


def abandoned_in_queue(customer: Phone, dialled: str, queue: str, heard: int) -> Call:
    """Answered by the queue's music only; the caller says BYE instead of CANCEL."""
    return call(
        caller_number=NUMBER,
        dialled=dialled,
        queue=queue,
        arrived_at=invited(customer),
        ended_at=said_bye(customer),
        rings_heard=heard,
        wait_seconds=said_bye(customer) - invited(customer),
        outcome="abandoned",
        ended_by="caller",
    )


@story
def queue_all_busy(stage: Stage) -> list[Call]:
    """Both seats answer 486 at every try; the caller hangs up after 4 s. Nobody rang, nobody missed."""
    stage.phones.seat("1001", manner="busy")
    stage.phones.seat("1002", manner="busy")
    customer = stage.phones.customer(NUMBER, "5101", Talk(4), Hangup())
    customer.wait()
    stage.finish()
    return [abandoned_in_queue(customer, "5101", "plain01", 0)]


@story
def queue_declined_then_answered(stage: Stage) -> list[Call]:
    """1001 declines (603) at once, 1002 lifts after 4 s. A refusal at once is no ringing, hence no miss."""
    stage.phones.seat("1001", manner="decline")
    seat = stage.phones.seat("1002", 4)
    customer = stage.phones.customer(NUMBER, "5104", Talk(12), Hangup())
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1002",
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
        )
    ]


@story
def queue_unreachable_then_answered(stage: Stage) -> list[Call]:
    """1001 has no phone at its address (15 s of nothing), then 1002 lifts after 2 s. Only 1002 rang: one ring heard."""
    seat = stage.phones.seat("1002", 2)
    customer = stage.phones.customer(NUMBER, "5104", Talk(24), Hangup())
    customer.wait(90)
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1002",
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
        )
    ]


@story
def direct_busy(stage: Stage) -> list[Call]:
    """Plain Dial to 1001, who is busy (486); the dialplan ends the call."""
    stage.phones.seat("1001", manner="busy")
    customer = stage.phones.customer(NUMBER, "5001")
    customer.wait()
    stage.finish()
    end = refused(customer)
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            ended_at=end,
            wait_seconds=end - invited(customer),
            outcome="failed",
            ended_by="system",
            undecided=["ended_by"],
        )
    ]


@story
def direct_declined(stage: Stage) -> list[Call]:
    """Plain Dial to 1001, who declines (603); the dialplan ends the call."""
    stage.phones.seat("1001", manner="decline")
    customer = stage.phones.customer(NUMBER, "5001")
    customer.wait()
    stage.finish()
    end = refused(customer)
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            ended_at=end,
            wait_seconds=end - invited(customer),
            outcome="failed",
            ended_by="system",
            undecided=["ended_by"],
        )
    ]


def refused(customer: Phone) -> float:
    """When the customer got a final answer of 300 or more."""
    return moments(customer, "received", r"^SIP/2.0 [3-6]")[0]


@story
def joinempty_overflow(stage: Stage) -> list[Call]:
    """A strict queue with all members paused refuses the caller: announcement, end. No queue event at all."""
    stage.seats("1001", "1002")
    for member in ("PJSIP/1001", "PJSIP/1002"):
        stage.action("QueuePause", Queue="plain05", Interface=member, Paused="true", Reason="meeting")
    stage.hear("Event: QueueMemberPause", 2)
    customer = stage.phones.customer(NUMBER, "5105")
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5105",
            arrived_at=invited(customer),
            ended_at=heard_bye(customer),
            outcome="overflowed",
            wait_seconds=0.0,
            ended_by="system",
            undecided=["queue"],
        )
    ]


@story
def direct_abandoned_before_ringing(stage: Stage) -> list[Call]:
    """Plain Dial to a seat without a phone; the caller gives up after 4 s. No seat rang."""
    customer = stage.phones.customer(NUMBER, "5001", give_up=4, provisional=(100,))
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            ended_at=cancelled(customer),
            wait_seconds=cancelled(customer) - invited(customer),
            outcome="abandoned",
            ended_by="caller",
        )
    ]


@story
def early_media(stage: Stage) -> list[Call]:
    """1001 sends 183 with sound instead of 180, and lifts after 4 s; the seat hangs up after 3 s."""
    seat = stage.phones.seat("1001", 4, Talk(3), Hangup(), early_media=True)
    customer = stage.phones.customer(NUMBER, "5006")
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5006",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(seat),
            rings_heard=0,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(seat) - lifted(seat),
            ended_by="seat",
            undecided=["rings_heard"],
        )
    ]


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
    """AMI Originate rings 1001 (lifts after 2 s), then the customer, who lifts after 3 s; the customer hangs up after 4 s."""
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


@story
def hostile_names(stage: Stage) -> list[Call]:
    """Five short calls, each abandoned after 1 s of ringing: Chinese, GBK bytes, a script tag, quotes and backslashes, a fake header."""
    seat = stage.seats("1001")[0]
    names = {
        "13800000011": ("张三", "张三"),
        "13800000012": ("李四".encode("gbk").decode("utf-8", "surrogateescape"), "李四"),
        "13800000013": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        "13800000014": (r"a\"b\\c", 'a"b\\c'),
        "13800000015": (r"Event: Hangup\r\nUniqueid: 1", r"Event: Hangup\r\nUniqueid: 1"),
    }
    calls = []
    for number, (sent, shown) in names.items():
        customer = stage.phones.customer(number, "5001", name=sent, give_up=1)
        customer.wait()
        stage.lab.quiet()
        calls.append(
            call(
                caller_number=number,
                caller_name=shown,
                dialled="5001",
                arrived_at=invited(customer),
                ended_at=cancelled(customer),
                rings_heard=1,
                wait_seconds=cancelled(customer) - invited(customer),
                outcome="abandoned",
                ended_by="caller",
                undecided=["caller_name"] if number.endswith("5") else [],
            )
        )
    stage.finish()
    assert len(moments(seat, "sent", "^SIP/2.0 180")) == len(names)
    return calls


@story
def hostile_injection(stage: Stage) -> list[Call]:
    """The dialplan puts line ends into the caller's name, forging a Hangup of this very call in Newexten; the caller gives up after 5 s."""
    stage.seats("1001")
    customer = stage.phones.customer(NUMBER, "5500", give_up=5, provisional=(100,))
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5500",
            arrived_at=invited(customer),
            ended_at=cancelled(customer),
            wait_seconds=cancelled(customer) - invited(customer),
            outcome="abandoned",
            ended_by="caller",
            undecided=["caller_name"],
        )
    ]


@story
def restart_mid_call(stage: Stage) -> list[Call]:
    """1001 talks with a caller when Asterisk is restarted; after it, on a new log-in, a second call."""
    seat = stage.phones.seat("1001", 2)
    customer = stage.phones.customer(NUMBER, "5001")
    stage.talking()
    time.sleep(2)
    stage.lab.server.cli("core restart now")
    stage.hear("Event: Shutdown")
    customer.wait()
    ended = heard_bye(customer)
    stage.cut()
    time.sleep(1)
    stage.lab.server.wait_booted()
    stage.again()
    second = stage.phones.customer(OTHER, "5001", Talk(3), Hangup())
    second.wait()
    stage.finish()
    lifts = moments(seat, "sent", r"^SIP/2.0 200 .*INVITE\)$")
    return [
        call(
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            answered_at=lifts[0],
            ended_at=ended,
            rings_heard=1,
            wait_seconds=lifts[0] - invited(customer),
            answered_by="1001",
            talk_seconds=ended - lifts[0],
            ended_by="system",
        ),
        call(
            caller_number=OTHER,
            dialled="5001",
            arrived_at=invited(second),
            answered_at=lifts[1],
            ended_at=said_bye(second),
            rings_heard=1,
            wait_seconds=lifts[1] - invited(second),
            answered_by="1001",
            talk_seconds=said_bye(second) - lifts[1],
            ended_by="caller",
        ),
    ]


@story
def killed_mid_call(stage: Stage) -> list[Call]:
    """1001 talks with a caller when Asterisk is killed (-9); started again, on a new log-in, a second call."""
    seat = stage.phones.seat("1001", 2)
    customer = stage.phones.customer(NUMBER, "5001")
    stage.talking()
    time.sleep(2)
    linkedid = stage.linkedid()
    stage.lab.server.kill()
    stage.cut()
    customer.stop()
    seat = stage.phones.seat("1001", 2)
    stage.lab.server.spawn()
    stage.again()
    second = stage.phones.customer(OTHER, "5001", Talk(3), Hangup())
    second.wait()
    stage.finish()
    first_seat = stage.phones.running[0]
    return [
        call(
            call_id=linkedid,
            caller_number=NUMBER,
            dialled="5001",
            arrived_at=invited(customer),
            answered_at=lifted(first_seat),
            rings_heard=1,
            wait_seconds=lifted(first_seat) - invited(customer),
            answered_by="1001",
            ended_by="unknown",
            complete=False,
            undecided=["talk_seconds", "ended_at"],
        ),
        call(
            caller_number=OTHER,
            dialled="5001",
            arrived_at=invited(second),
            answered_at=lifted(seat),
            ended_at=said_bye(second),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(second),
            answered_by="1001",
            talk_seconds=said_bye(second) - lifted(seat),
            ended_by="caller",
        ),
    ]


@story
def link_lost_mid_call(stage: Stage) -> list[Call]:
    """1001 talks with a caller out of a queue; the AMI link is gone for 2 s, back with a snapshot; the caller hangs up."""
    seat = stage.phones.seat("1001", 2)
    customer = stage.phones.customer(NUMBER, "5104", Talk(10), Hangup())
    stage.talking()
    time.sleep(1)
    stage.cut()
    time.sleep(2)
    stage.again()
    stage.snapshot()
    customer.wait()
    stage.finish()
    return [
        call(
            caller_number=NUMBER,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by="1001",
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
            undecided=["complete"],
        )
    ]


@story
def link_lost_until_after(stage: Stage) -> list[Call]:
    """1001 rings when the AMI link is lost; answered and ended meanwhile; the link is back, and a second call comes."""
    seat = stage.phones.seat("1001", 2, Talk(2), Hangup())
    customer = stage.phones.customer(NUMBER, "5104")
    stage.hear("DialStatus: RINGING")
    stage.cut()
    customer.wait()
    stage.lab.quiet()
    stage.again()
    stage.snapshot()
    second = stage.phones.customer(OTHER, "5104")
    second.wait()
    stage.finish()
    lifts, byes = moments(seat, "sent", r"^SIP/2.0 200 .*INVITE\)$"), moments(seat, "sent", "^BYE")
    return [
        call(
            caller_number=NUMBER,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(customer),
            rings_heard=1,
            outcome="unknown",
            ended_by="unknown",
            complete=False,
            undecided=["wait_seconds", "ended_at", "rings_heard", "talk_seconds"],
        ),
        call(
            caller_number=OTHER,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(second),
            answered_at=lifts[1],
            ended_at=byes[1],
            rings_heard=1,
            wait_seconds=lifts[1] - invited(second),
            answered_by="1001",
            talk_seconds=byes[1] - lifts[1],
            ended_by="seat",
        ),
    ]


@story
def two_calls_at_once(stage: Stage) -> list[Call]:
    """Two callers overlap: 1001 and 1002 each take one; the first hangs up last."""
    one, two = stage.phones.seat("1001", 2), stage.phones.seat("1002", 4)
    first = stage.phones.customer(NUMBER, "5104", Talk(12), Hangup())
    time.sleep(1)
    second = stage.phones.customer(OTHER, "5104", Talk(8), Hangup())
    first.wait()
    second.wait()
    stage.finish()
    return [
        call(
            caller_number=number,
            dialled="5104",
            queue="plain04",
            arrived_at=invited(customer),
            answered_at=lifted(seat),
            ended_at=said_bye(customer),
            rings_heard=1,
            wait_seconds=lifted(seat) - invited(customer),
            answered_by=name,
            talk_seconds=said_bye(customer) - lifted(seat),
            ended_by="caller",
        )
        for number, customer, seat, name in ((NUMBER, first, one, "1001"), (OTHER, second, two, "1002"))
    ]


def recordings(stage: Stage) -> list[str]:
    """The mixed files that Asterisk left."""
    return sorted(
        str(path) for path in stage.lab.server.recordings.glob("*.wav") if not path.stem.endswith(("-caller", "-seat"))
    )
