"""What several stories tell in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callcenter.demo.phones import Phone
from callcenter.demo.scenario import Hangup, Talk
from tests.captures.stories.registry import NUMBER
from tests.captures.truth import call, invited, lifted, said_bye

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage


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


def recordings(stage: Stage) -> list[str]:
    """The mixed files that Asterisk left."""
    return sorted(
        str(path) for path in stage.lab.server.recordings.glob("*.wav") if not path.stem.endswith(("-caller", "-seat"))
    )
