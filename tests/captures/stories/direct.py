"""A Dial and nothing else: seats that lift, miss, refuse; holds, Local channels, early media."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callcenter.demo.phones import Phone
from callcenter.demo.scenario import Hangup, Hold, Talk
from tests.captures.stories.registry import NUMBER, story
from tests.captures.stories.telling import one_seat
from tests.captures.truth import (
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
    from tests.captures.record import Call, Stage


def refused(customer: Phone) -> float:
    """When the customer got a final answer of 300 or more."""
    return moments(customer, "received", r"^SIP/2.0 [3-6]")[0]


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
def local_kept(stage: Stage) -> list[Call]:
    """Dial of Local/1001@lab-seat/n: the pair stays; greeting to the caller by Dial's A(); the seat hangs up."""
    return one_seat(stage, "5004")


@story
def local_optimised(stage: Stage) -> list[Call]:
    """Dial of Local/1001@lab-seat: the pair optimises itself away after the greeting; the seat hangs up."""
    return one_seat(stage, "5005")


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
