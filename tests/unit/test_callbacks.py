"""Who is called back (D11, B5): which ended calls ask for it, when it is due, and what ends it."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.errors import BadInput
from callcenter.rules import callbacks, decide
from callcenter.rules.commands import CloseCallback, NoteAttempt, OpenCallback
from callcenter.settings import Callbacks, Queue, Settings
from callcenter.tickets.callbacks import Callback, dialable, dialled_keys, note_of

NOW = 1_795_305_600.0
SETTINGS = Settings(
    queues=MappingProxyType({"vip": Queue(service_class="vip"), "own": Queue(callback_minutes=30)}),
    callbacks=Callbacks(),
)
SEATS = frozenset(("1001", "1002"))


def call(**values: Any) -> Call:
    base = Call("pbx", "pbx-1.1", Direction.INBOUND, Phase.ENDED, caller_number="13800000001", queue="it")
    lost: dict[str, Any] = {"arrived_at": NOW - 30, "ended_at": NOW, "outcome": Outcome.ABANDONED, "wait_seconds": 30.0}
    return replace(base, **(lost | values))


def asked(after: Call, before: Call | None = None) -> list[Any]:
    found = decide.decide(before, after, SETTINGS, NOW + 1, SEATS)
    return [one for one in found if isinstance(one, OpenCallback | CloseCallback | NoteAttempt)]


@pytest.mark.parametrize("outcome", [Outcome.ABANDONED, Outcome.OVERFLOWED, Outcome.FAILED])
def test_who_was_not_spoken_to_is_owed_a_call(outcome: Outcome) -> None:
    (one,) = asked(call(outcome=outcome))
    expected = ("D11", outcome.value, "13800000001", "13800000001", "it", NOW, NOW + 3600)
    assert (one.rule, one.reason, one.number, one.number_key, one.queue, one.at, one.due_at) == expected


@pytest.mark.parametrize(("queue", "minutes"), [("it", 60), ("vip", 15), ("own", 30), (None, 60)])
def test_the_due_time_is_that_of_the_queue(queue: str | None, minutes: int) -> None:
    (one,) = asked(call(queue=queue))
    assert one.due_at == NOW + minutes * 60


def test_a_recovered_call_alike() -> None:
    (one,) = asked(call(wait_seconds=None, recovered=True, complete=False))
    assert one.rule == "D11"


@pytest.mark.parametrize("reason", ["no_sound", "network"])
def test_a_conversation_that_broke_off_is_due_in_two_minutes(reason: str) -> None:
    cut = call(outcome=Outcome.ANSWERED, answered_at=NOW - 20, cut_off=reason, queue="vip")
    opened = asked(cut, replace(cut, phase=Phase.TALKING, ended_at=None, cut_off=None))
    assert [(one.rule, one.reason, one.due_at) for one in opened] == [("B5", reason, NOW + 120)]


@pytest.mark.parametrize(
    "values",
    [
        {"wait_seconds": 4.0},
        {"wait_seconds": None, "arrived_at": NOW - 3, "recovered": True},
        {"outcome": Outcome.UNKNOWN},
        {"outcome": Outcome.ANSWERED, "answered_at": NOW - 9},
        {"phase": Phase.WAITING, "ended_at": None, "outcome": None},
        {"direction": Direction.INTERNAL},
        {"direction": Direction.OUTBOUND, "dialled": None},
        {"caller_number": None},
        {"caller_number": "anonymous"},
        {"caller_number": "<script>13800000001</script>"},
        {"caller_number": "13800000001;rm -rf /"},
        {"caller_number": "1001"},
        {"caller_number": "*#"},
        {"ended_at": None},
        {"merged_into": "pbx-1.0"},
    ],
)
def test_nothing_is_owed(values: dict[str, Any]) -> None:
    assert [one for one in asked(call(**values)) if isinstance(one, OpenCallback)] == []


def test_an_answered_call_of_the_number_ends_it_once() -> None:
    ringing = call(phase=Phase.RINGING, outcome=None, ended_at=None, wait_seconds=None)
    talking = replace(ringing, phase=Phase.TALKING, outcome=Outcome.ANSWERED, answered_at=NOW, answered_by="1001")
    assert asked(talking, ringing) == [CloseCallback("pbx", "pbx-1.1", ("13800000001",), "called_again", NOW, "1001")]
    assert asked(replace(talking, phase=Phase.ENDED, ended_at=NOW + 9), talking) == []


TO = {"caller_number": "1001", "dialled": "013800000001"}
OUT: dict[str, Any] = {"direction": Direction.OUTBOUND, "outcome": None, **TO}


def test_a_call_from_here_that_is_lifted_ends_it() -> None:
    rings = call(**OUT, phase=Phase.RINGING, ended_at=None, caller_channel="PJSIP/1002-00000001", waiting_since=NOW - 5)
    lifted = replace(rings, outcome=Outcome.ANSWERED, answered_at=NOW)
    assert asked(lifted, rings) == [CloseCallback("pbx", "pbx-1.1", ("13800000001",), "reached", NOW, "1002")]


def test_a_call_that_shows_only_later_that_it_goes_out_ends_it() -> None:
    lifted = call(**OUT | {"outcome": Outcome.ANSWERED}, answered_at=NOW, phase=Phase.TALKING, ended_at=None)
    (one,) = asked(lifted, replace(lifted, direction=Direction.INTERNAL))
    assert (one.result, one.keys) == ("reached", ("13800000001",))


def test_an_attempt_in_vain_is_noted_once_with_its_seat() -> None:
    rings = call(**OUT, phase=Phase.RINGING, ended_at=None, caller_channel="PJSIP/1002-00000001", waiting_since=NOW - 5)
    failed: dict[str, Any] = {"phase": Phase.ENDED, "ended_at": NOW, "outcome": Outcome.FAILED, "caller_channel": None}
    over = replace(rings, **failed)
    assert asked(over, rings) == [NoteAttempt("pbx", "pbx-1.1", ("13800000001",), NOW, "1002")]
    assert asked(replace(over, talk_seconds=0.0), over) == []
    assert asked(replace(over, waiting_since=None)) == [], "the seat did not lift: nobody was rung out there"


def test_numbers() -> None:
    assert dialable("+86 138-0000-0001") == "+8613800000001"
    assert dialable("anonymous") == dialable("") == dialable(None) == dialable("张三") == ""
    assert dialled_keys("013800000001") == ("13800000001",)
    assert dialled_keys("9013800000001") == ("9013800000001", "13800000001")
    assert dialled_keys("13812345678") == ("13812345678",), "no landline hides in a mobile number"
    assert dialled_keys("912345678") == ("912345678",)


def test_a_reason_is_needed() -> None:
    assert note_of(" wrong number\x00 ") == "wrong number"
    for text in ("", " \n ", "x" * 1001):
        with pytest.raises(BadInput):
            note_of(text)


def test_a_claim_runs_out() -> None:
    one = Callback(1, "D11", "abandoned", "1", None, None, "", 0, 0, 1, 0, "li", 100.0)
    assert (one.holder(99.0), one.holder(100.0), replace(one, claimed_until=None).holder(0.0)) == ("li", None, None)


def test_the_rule_takes_what_the_dialplan_may_say() -> None:
    """A caller's number is whatever a trunk sends: never an exception, never a task that cannot be dialled."""
    for number in ("\u202e13800000001", "１３８００００００１", "+" * 40, "0" * 31, "9" * 500, "'; --", "00", "0"):
        for one in callbacks.on_change(None, call(caller_number=number), SETTINGS, SEATS, NOW):
            assert isinstance(one, OpenCallback)
            assert one.number.lstrip("+").isascii()
            assert one.number_key
