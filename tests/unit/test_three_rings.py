"""A1: the ladder of a hotline call, step by step, by handing in calls and moments."""

from dataclasses import replace
from typing import Any

import pytest

from callcenter.calls.model import Call, Direction, Gate, Phase
from callcenter.rules import three_rings
from callcenter.rules.cadence import BY_COUNTRY
from callcenter.rules.commands import Announce, CancelTimer, Command, OpenGate, StartTimer
from callcenter.rules.three_rings import ANNOUNCE_LEAD_SECONDS, STALE_AFTER_SECONDS
from callcenter.settings import DEFAULT_LADDER, Step

CHINA = BY_COUNTRY["cn"]
KEY = "A1/pbx/pbx-1.1"
WIDEN_AT, ANNOUNCE_AT = 5.0, 15.0 - ANNOUNCE_LEAD_SECONDS
GATE = Gate("2001", "Local/2001@cc-backup-1;2")
LATE_GATE = Gate("2002", "Local/2002@cc-backup-2;2")
CHANNEL = "PJSIP/trunk-00000000"


def call(**values: Any) -> Call:
    """A hotline call that rings since second 0."""
    defaults: dict[str, Any] = {
        "hotline": True,
        "queue": "it",
        "waiting_since": 0.0,
        "first_ring_at": 0.0,
        "caller_channel": CHANNEL,
    }
    phase = values.pop("phase", Phase.RINGING)
    direction = values.pop("direction", Direction.INBOUND)
    return Call("pbx", "pbx-1.1", direction, phase, **(defaults | values))


def changed(
    before: Call | None, after: Call, now: float = 0.0, ladder: tuple[Step, ...] = DEFAULT_LADDER
) -> list[Command]:
    return list(three_rings.on_change(before, after, ladder, CHINA, now))


def due(after: Call, number: int, now: float, ladder: tuple[Step, ...] = DEFAULT_LADDER) -> list[Command]:
    return list(three_rings.on_timer(after, number, ladder, CHINA, now))


# --- timers ----------------------------------------------------------------------------------------------------------


def test_the_ladder_starts_with_the_first_ring() -> None:
    """By default the backup rings with the second ring, and the announcement is there as the fourth would begin."""
    assert changed(None, call()) == [StartTimer(f"{KEY}/0", WIDEN_AT), StartTimer(f"{KEY}/1", ANNOUNCE_AT)]


def test_nothing_is_started_twice() -> None:
    assert changed(call(), call(seats_missed=("1001",))) == []


def test_a_ladder_of_its_own_moments() -> None:
    ladder = (Step(1, "end", "widen"), Step(2, "end", "announce"))
    assert [command.due_at for command in changed(None, call(), ladder=ladder) if isinstance(command, StartTimer)] == [
        5.0,
        10.0 - ANNOUNCE_LEAD_SECONDS,
    ]


@pytest.mark.parametrize(
    ("rings_at", "base"),
    [
        pytest.param(0.4, 0.4, id="soon: the ladder runs from the ring"),
        pytest.param(9.0, 0.0, id="late: it runs from the waiting"),
        pytest.param(None, 0.0, id="not at all: it runs from the waiting"),
    ],
)
def test_a_late_first_ring_does_not_move_the_ladder_away(rings_at: float | None, base: float) -> None:
    waiting = call(phase=Phase.WAITING, first_ring_at=None)
    rings = replace(waiting, first_ring_at=rings_at, seats_missed=("x",))
    started = changed(None, waiting) + changed(waiting, rings)
    last = {command.key: command.due_at for command in started if isinstance(command, StartTimer)}
    assert last == {f"{KEY}/0": base + WIDEN_AT, f"{KEY}/1": base + ANNOUNCE_AT}


def test_another_queue_has_another_ladder_and_the_timers_move_to_it() -> None:
    slow = (Step(3, "start", "widen"), Step(5, "end", "announce"))
    moved = changed(call(queue="it"), call(queue="vip"), now=2.0, ladder=slow)
    assert moved == [StartTimer(f"{KEY}/0", 10.0), StartTimer(f"{KEY}/1", 25.0 - ANNOUNCE_LEAD_SECONDS)]


OVER = [
    pytest.param(call(phase=Phase.TALKING, answered_at=3.0), id="answered"),
    pytest.param(call(phase=Phase.ENDED), id="ended"),
    pytest.param(call(announced_at=14.9), id="announced"),
    pytest.param(call(phase=Phase.ARRIVED), id="left all queues"),
]


@pytest.mark.parametrize("over", OVER)
def test_when_the_waiting_is_over_the_timers_are_taken_back(over: Call) -> None:
    assert changed(call(), over) == [CancelTimer(f"{KEY}/0"), CancelTimer(f"{KEY}/1")]
    assert changed(over, over) == []


NOT_THE_HOTLINE = [
    pytest.param(call(hotline=False), id="not through the hotline's dialplan"),
    pytest.param(call(direction=Direction.INTERNAL), id="internal"),
    pytest.param(call(direction=Direction.OUTBOUND), id="outgoing"),
]


@pytest.mark.parametrize("other", NOT_THE_HOTLINE)
def test_other_calls_have_no_ladder(other: Call) -> None:
    assert changed(None, other) == []
    assert due(other, 1, ANNOUNCE_AT) == []


def test_a_call_of_which_no_beginning_is_known_has_no_ladder() -> None:
    unknown = call(waiting_since=None, first_ring_at=None)
    assert (changed(None, unknown), due(unknown, 1, 99.0)) == ([], [])


# --- steps -----------------------------------------------------------------------------------------------------------


def test_widening_opens_every_gate_that_waits() -> None:
    assert due(call(gates=(GATE, LATE_GATE)), 0, WIDEN_AT) == [
        OpenGate(f"{KEY}/0/{gate.channel}", "pbx", "pbx-1.1", gate.seat, gate.channel, WIDEN_AT + STALE_AFTER_SECONDS)
        for gate in (GATE, LATE_GATE)
    ]


def test_a_gate_that_comes_after_the_widening_is_opened_at_once_and_alone() -> None:
    opened = changed(call(gates=(GATE,)), call(gates=(GATE, LATE_GATE)), now=6.0)
    assert [command.channel for command in opened if isinstance(command, OpenGate)] == [LATE_GATE.channel]
    assert len(opened) == 1


def test_a_gate_that_comes_before_its_ring_waits_for_it() -> None:
    assert changed(call(), call(gates=(GATE,)), now=4.9) == []


def test_the_announcement_takes_the_caller() -> None:
    assert due(call(), 1, ANNOUNCE_AT) == [
        Announce(f"{KEY}/1", "pbx", "pbx-1.1", CHANNEL, "it", ANNOUNCE_AT + STALE_AFTER_SECONDS)
    ]


def test_no_announcement_to_a_channel_that_is_gone() -> None:
    assert due(call(caller_channel=None), 1, ANNOUNCE_AT) == []


@pytest.mark.parametrize("over", OVER)
def test_no_step_acts_when_the_waiting_is_over(over: Call) -> None:
    gated = replace(over, gates=(GATE,))
    assert due(gated, 0, WIDEN_AT) == []
    assert due(gated, 1, ANNOUNCE_AT) == []


@pytest.mark.parametrize(("number", "at"), [(0, WIDEN_AT), (1, ANNOUNCE_AT)])
def test_a_step_that_is_long_past_its_moment_is_not_taken(number: int, at: float) -> None:
    """After a restart a timer may be due since an hour; then the dialplan has long acted."""
    ready = call(gates=(GATE,))
    assert due(ready, number, at + STALE_AFTER_SECONDS) != []
    assert due(ready, number, at + STALE_AFTER_SECONDS + 0.01) == []


def test_a_step_that_the_ladder_no_longer_has_is_nothing() -> None:
    assert due(call(gates=(GATE,)), 5, WIDEN_AT) == []


def test_the_same_step_has_the_same_id_whenever_it_is_asked_for() -> None:
    first, second = due(call(gates=(GATE,)), 0, WIDEN_AT), due(call(gates=(GATE,)), 0, WIDEN_AT + 1)
    late = changed(call(), call(gates=(GATE,)), now=WIDEN_AT + 1)
    ids = {command.command_id for command in (*first, *second, *late) if isinstance(command, OpenGate)}
    assert ids == {f"{KEY}/0/{GATE.channel}"}


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call_id", ["pbx-1.1", "1700000000.7", "a/b/c", "crm/42/1"])
def test_a_timers_key_leads_back_to_its_call(call_id: str) -> None:
    """A call's id may be an originator's own word, slashes and all."""
    key = three_rings.timer_key(replace(call(), call_id=call_id), 12)
    assert three_rings.parse_timer_key(key) == ("pbx", call_id, 12)


@pytest.mark.parametrize("key", ["", "A1", "A1/pbx/1", "B2/pbx/c/1", "A1/pbx/c/x", "A1/pbx/c/", "A1//c/1", "A1/p/c/²"])
def test_what_is_no_key_of_this_rule(key: str) -> None:
    assert three_rings.parse_timer_key(key) is None
