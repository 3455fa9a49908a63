"""Calls through a queue with plain phones as members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callcenter.demo.phones import Phone
from callcenter.demo.scenario import Hangup, Talk
from tests.captures.stories.registry import NUMBER, story
from tests.captures.stories.telling import one_seat
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


def ring_order(phones: list[Phone]) -> list[str]:
    """Names of the seats in the order in which they rang."""
    order = sorted(
        (at, phone.name.rpartition("-")[2]) for phone in phones for at in moments(phone, "sent", r"^SIP/2.0 180")
    )
    return [name for _, name in order]


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
def queue_timeout(stage: Stage) -> list[Call]:
    """One-by-one queue with a limit of 18 s: 1001 misses 15 s, 1002 is cut short after about 2 s; announcement,
    end.
    """
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
def queue_local_optimised(stage: Stage) -> list[Call]:
    """A queue whose member is a Local channel without /n: optimised away after the greeting; the seat hangs up."""
    return one_seat(stage, "5106", "plain06")


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
    """1001 has no phone at its address (15 s of nothing), then 1002 lifts after 2 s. Only 1002 rang: one ring
    heard.
    """
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
