"""Hostile names, an Asterisk that restarts or dies, AMI links that are lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from callcenter.demo.scenario import Hangup, Talk
from tests.captures.stories.registry import NUMBER, OTHER, story
from tests.captures.truth import call, cancelled, heard_bye, invited, lifted, moments, said_bye

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage


@story
def hostile_names(stage: Stage) -> list[Call]:
    """Five short calls, each abandoned after 1 s of ringing: Chinese, GBK bytes, a script tag, quotes and
    backslashes, a fake header.
    """
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
    """The dialplan puts line ends into the caller's name, forging a Hangup of this very call in Newexten; the
    caller gives up after 5 s.
    """
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
    """1001 talks with a caller out of a queue; the AMI link is gone for 2 s, back with a snapshot; the caller
    hangs up.
    """
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
    """1001 rings when the AMI link is lost; answered and ended meanwhile; the link is back, and a second call
    comes.
    """
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
