"""Blind and attended transfers: by AMI, by feature code, by REFER."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from callcenter.demo.scenario import Digits, Hangup, Refer, Talk
from tests.captures.stories.registry import NUMBER, story
from tests.captures.stories.telling import transferred
from tests.captures.truth import KEYS, call, heard_bye, lifted, moments, said_bye

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage


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
    """1001 lifts; AMI Atxfer to 1002, who lifts after 2 s; they talk 2 s, 1001 hangs up; the caller hangs up
    later.
    """
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


@story
def attended_transfer_replaces(stage: Stage) -> list[Call]:
    """1001 lifts after 2 s, holds after 2 s more, calls 1002 (lifts after 2 s) on its second line, talks 2 s,
    joins them by REFER with Replaces; the caller hangs up. The consultation is a call of its own until it is joined."""
    return replaced(stage, "5001", None)


@story
def queue_attended_transfer_replaces(stage: Stage) -> list[Call]:
    """The same out of a one-by-one queue."""
    return replaced(stage, "5104", "plain04")
