"""A captured call of which a part was cut out, as when the daemon was stopped: nobody is blamed for what nobody saw.

What the daemon knows then: what was told before the cut, a lost link, a snapshot of what is alive then, and the rest.
"""

from pathlib import Path

import pytest

from callcenter.ami.events import Event, LinkLost, Snapshot, SnapshotChannel
from callcenter.ami.glance import EventDecoder
from callcenter.ami.parse import WANTED, parse
from callcenter.calls.derive import derive
from callcenter.calls.model import Call, Outcome, RingResult
from callcenter.replay import DEFAULT_TERMS
from tests.fakes.story import book_of

CAPTURES = Path(__file__).parents[1] / "captures"
CALLER, SEATS = "pbx-1795374401.0", {"1001": ".1", "1002": ".2", "1003": ".3"}
"""Of the story queue-ring-all: three phones ring from 401.53 on, 1002 lifts at 407.54 and hangs up at 411.59."""


def _told(account: str) -> list[Event]:
    messages = EventDecoder(WANTED).read((CAPTURES / f"queue-ring-all{account}.ami").read_bytes())
    events = (parse(one) if isinstance(one, dict) else one for one in messages)
    return [event for event in events if event is not None]


def _channel(uniqueid: str, name: str, state: str, bridge: str = "") -> SnapshotChannel:
    return SnapshotChannel(uniqueid, CALLER, f"PJSIP/{name}-1", state, *[""] * 6, bridge, 5.0)


def _cut(account: str, since: float, until: float, alive: tuple[SnapshotChannel, ...]) -> Call:
    """The call when nobody listened from ``since`` to ``until``, seconds of the capture."""
    told, start = _told(account), 1795374400.0
    events = [event for event in told if event.at is not None and event.at < start + since]
    events += [LinkLost(start + since, "stopped"), Snapshot(start + until, alive, (), ())]
    events += [event for event in told if event.at is not None and event.at >= start + until]
    book = book_of(events)
    call = derive(book, book.calls[CALLER], DEFAULT_TERMS)
    assert call is not None
    return call


@pytest.mark.parametrize("account", ["", ".least"])
def test_a_seat_that_was_quicker_meanwhile_leaves_the_others_without_a_miss(account: str) -> None:
    alive = (_channel(CALLER, "trunk", "Up", "b"), _channel(CALLER[:-2] + ".2", "1002", "Up", "b"))
    call = _cut(account, 4.0, 9.0, alive)
    results = {ring.seat: (ring.result, ring.ended_at) for ring in call.rings}
    assert results == {
        "1001": (RingResult.UNKNOWN, None),
        "1002": (RingResult.ANSWERED, None),
        "1003": (RingResult.UNKNOWN, None),
    }
    assert (call.outcome, call.answered_by, call.seats_missed) == (Outcome.ANSWERED, "1002", ())
    assert not call.complete


@pytest.mark.parametrize("account", ["", ".least"])
def test_a_call_that_is_gone_meanwhile_leaves_no_miss_either(account: str) -> None:
    call = _cut(account, 4.0, 20.0, ())
    assert {(ring.result, ring.ended_at) for ring in call.rings} == {(RingResult.UNKNOWN, None)}
    assert (call.outcome, call.seats_missed) == (Outcome.UNKNOWN, ())


@pytest.mark.parametrize("account", ["", ".least"])
def test_a_phone_that_rings_on_after_it_is_judged_by_what_is_seen_then(account: str) -> None:
    legs = tuple(_channel(CALLER[:-2] + leg, seat, "Ringing") for seat, leg in SEATS.items())
    call = _cut(account, 3.0, 5.0, (_channel(CALLER, "trunk", "Up"), *legs))
    assert {ring.seat: ring.result for ring in call.rings} == {
        "1001": RingResult.ELSEWHERE,
        "1002": RingResult.ANSWERED,
        "1003": RingResult.ELSEWHERE,
    }
