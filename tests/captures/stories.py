"""The stories of tests/captures: what each phone does, and what a listener beside the phones would write down."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from truth import call, cancelled, dropped, heard_bye, held, invited, lifted, moments, rang, rings, said_bye

from callcenter.demo.scenario import Hangup, Hold, Talk

if TYPE_CHECKING:
    from record import Call, Stage, Story

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
    return [call(caller_number=NUMBER, dialled="5001", arrived_at=invited(customer), answered_at=lifted(seat), ended_at=said_bye(seat),
                 rings_heard=2, wait_seconds=lifted(seat) - invited(customer), answered_by="1001", talk_seconds=said_bye(seat) - lifted(seat),
                 ended_by="seat")]


@story
def direct_caller_hangs_up(stage: Stage) -> list[Call]:
    """Plain Dial to 1001, who lifts after 2 s; the caller hangs up after 4 s of talk."""
    seat = stage.phones.seat("1001", 2)
    customer = stage.phones.customer(NUMBER, "5001", Talk(4), Hangup(), name="Zhang San")
    customer.wait()
    stage.finish()
    return [call(caller_number=NUMBER, caller_name="Zhang San", dialled="5001", arrived_at=invited(customer), answered_at=lifted(seat),
                 ended_at=said_bye(customer), rings_heard=1, wait_seconds=lifted(seat) - invited(customer), answered_by="1001",
                 talk_seconds=said_bye(customer) - lifted(seat), ended_by="caller")]


@story
def queue_answered(stage: Stage) -> list[Call]:
    """One-by-one queue, caller answered at once with music; 1001 lifts after 7 s; the caller hangs up after 5 s."""
    seat = stage.phones.seat("1001", 7)
    stage.seats("1002")
    customer = stage.phones.customer(NUMBER, "5104", Talk(12.5), Hangup())
    customer.wait()
    stage.finish()
    return [call(caller_number=NUMBER, dialled="5104", queue="plain04", arrived_at=invited(customer), answered_at=lifted(seat),
                 ended_at=said_bye(customer), rings_heard=2, wait_seconds=lifted(seat) - invited(customer), answered_by="1001",
                 talk_seconds=said_bye(customer) - lifted(seat), ended_by="caller")]


@story
def queue_ring_all(stage: Stage) -> list[Call]:
    """Ring-all with three seats; 1002 lifts after 6 s and hangs up after 4 s. The two others missed nothing."""
    stage.seats("1001", "1003")
    seat = stage.phones.seat("1002", 6, Talk(4), Hangup())
    customer = stage.phones.customer(NUMBER, "5103")
    customer.wait()
    stage.finish()
    return [call(caller_number=NUMBER, dialled="5103", queue="plain03", arrived_at=invited(customer), answered_at=lifted(seat),
                 ended_at=said_bye(seat), rings_heard=2, wait_seconds=lifted(seat) - invited(customer), answered_by="1002",
                 talk_seconds=said_bye(seat) - lifted(seat), ended_by="seat")]


@story
def queue_two_misses(stage: Stage) -> list[Call]:
    """One by one: 1001 and 1002 ring 15 s each and do not lift, 1003 lifts after 2 s. A breach: seven rings."""
    missed = stage.seats("1001", "1002")
    seat = stage.phones.seat("1003", 2, Talk(4), Hangup())
    customer = stage.phones.customer(NUMBER, "5104")
    customer.wait(90)
    stage.finish()
    return [call(caller_number=NUMBER, dialled="5104", queue="plain04", arrived_at=invited(customer), answered_at=lifted(seat),
                 ended_at=said_bye(seat), rings_heard=rings(rang(missed), lifted(seat)), wait_seconds=lifted(seat) - invited(customer), answered_by="1003",
                 seats_missed=["1001", "1002"], talk_seconds=said_bye(seat) - lifted(seat), ended_by="seat", breaches=["A1"])]


@story
def direct_both_missed_overflow(stage: Stage) -> list[Call]:
    """Dial to 1001, then 1002, 13 s each, nobody lifts; then an announcement, and the dialplan hangs up."""
    seats = stage.seats("1001", "1002")
    customer = stage.phones.customer(NUMBER, "5002")
    customer.wait(90)
    stage.finish()
    return [call(caller_number=NUMBER, dialled="5002", arrived_at=invited(customer), ended_at=heard_bye(customer), rings_heard=rings(rang(seats), dropped(seats)),
                 wait_seconds=dropped(seats) - invited(customer), outcome="overflowed", seats_missed=["1001", "1002"], ended_by="system",
                 breaches=["A1"])]


@story
def queue_timeout(stage: Stage) -> list[Call]:
    """One-by-one queue with a limit of 18 s: 1001 misses 15 s, 1002 is cut short after about 2 s; announcement, end."""
    seats = stage.seats("1001", "1002")
    customer = stage.phones.customer(NUMBER, "5204")
    customer.wait(90)
    stage.finish()
    end = dropped(seats)
    return [call(caller_number=NUMBER, dialled="5204", queue="plain04", arrived_at=invited(customer), ended_at=heard_bye(customer),
                 rings_heard=rings(rang(seats), end), wait_seconds=end - invited(customer), outcome="overflowed",
                 seats_missed=["1001", "1002"], ended_by="system", breaches=["A1"])]


@story
def direct_abandoned_ringing(stage: Stage) -> list[Call]:
    """Dial to 1001; the caller gives up after 7 s of ringing."""
    seat = stage.phones.seat("1001")
    customer = stage.phones.customer(NUMBER, "5001", give_up=7)
    customer.wait()
    stage.finish()
    return [call(caller_number=NUMBER, dialled="5001", arrived_at=invited(customer), ended_at=cancelled(customer),
                 rings_heard=rings(rang(seat), cancelled(customer)), wait_seconds=cancelled(customer) - invited(customer),
                 outcome="abandoned", ended_by="caller")]


@story
def queue_abandoned_waiting(stage: Stage) -> list[Call]:
    """Ring-all queue, unanswered, ringback; the caller gives up after 8 s while three seats ring."""
    seats = stage.seats("1001", "1002", "1003")
    customer = stage.phones.customer(NUMBER, "5303", give_up=8)
    customer.wait()
    stage.finish()
    return [call(caller_number=NUMBER, dialled="5303", queue="plain03", arrived_at=invited(customer), ended_at=cancelled(customer),
                 rings_heard=rings(rang(seats), cancelled(customer)), wait_seconds=cancelled(customer) - invited(customer),
                 outcome="abandoned", ended_by="caller")]


@story
def hold_twice(stage: Stage) -> list[Call]:
    """Dial to 1001, who holds the caller twice (2 s, 3 s) and hangs up."""
    seat = stage.phones.seat("1001", 1, Talk(2), Hold(2), Talk(1), Hold(3), Talk(1), Hangup())
    customer = stage.phones.customer(NUMBER, "5001")
    customer.wait()
    stage.finish()
    holds = held(seat)
    on_hold = sum(end - begin for begin, end in holds)
    return [call(caller_number=NUMBER, dialled="5001", arrived_at=invited(customer), answered_at=lifted(seat), ended_at=said_bye(seat),
                 rings_heard=1, wait_seconds=lifted(seat) - invited(customer), answered_by="1001",
                 talk_seconds=said_bye(seat) - lifted(seat) - on_hold, hold_seconds=on_hold, holds=2, ended_by="seat")]


@story
def hotline_answered(stage: Stage) -> list[Call]:
    """The product's hotline: ring-all over Local channels, 1002 lifts after 6 s, greeting to the caller, hangs up after 5 s."""
    stage.seats("1001", "1003", "2001")
    seat = stage.phones.seat("1002", 6, Talk(5), Hangup())
    customer = stage.phones.customer(NUMBER, "4000", name="张三")
    customer.wait()
    stage.finish()
    return [call(caller_number=NUMBER, caller_name="张三", dialled="4000", queue="support", arrived_at=invited(customer),
                 answered_at=lifted(seat), ended_at=said_bye(seat), rings_heard=2, wait_seconds=lifted(seat) - invited(customer),
                 answered_by="1002", talk_seconds=said_bye(seat) - lifted(seat), ended_by="seat",
                 recording=recordings(stage)[0])]


def recordings(stage: Stage) -> list[str]:
    """The mixed files that Asterisk left."""
    return sorted(str(path) for path in stage.lab.server.recordings.glob("*[0-9].wav"))


__all__ = ["STORIES", "Hold", "moments", "time"]
