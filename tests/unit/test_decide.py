"""The table of rules: which queue's ladder and cadence a call gets."""

from types import MappingProxyType

from callcenter.calls.model import Call, Direction, Phase
from callcenter.rules import decide
from callcenter.rules.commands import Announce, StartTimer
from callcenter.settings import Queue, Rings, Settings, Step

VIP = Queue(ladder=(Step(1, "end", "announce"),))
SETTINGS = Settings(queues=MappingProxyType({"vip": VIP}), rings=Rings(on_seconds=1.0, off_seconds=1.0))


def call(queue: str | None) -> Call:
    return Call(
        "pbx",
        "pbx-1.1",
        Direction.INBOUND,
        Phase.RINGING,
        queue=queue,
        hotline=True,
        waiting_since=100.0,
        first_ring_at=100.0,
        caller_channel="PJSIP/trunk-1",
    )


def test_each_queue_has_its_ladder_and_the_site_its_cadence() -> None:
    (only,) = decide.decide(None, call("vip"), SETTINGS, 100.0)
    assert isinstance(only, StartTimer)
    assert only.due_at == 102.0 - 0.15
    assert len(list(decide.decide(None, call("other"), SETTINGS, 100.0))) == 2
    assert len(list(decide.decide(None, call(None), SETTINGS, 100.0))) == 2


def test_a_timer_acts_by_the_ladder_of_the_queue_the_call_is_in() -> None:
    assert [type(command) for command in decide.on_timer("A1/pbx/pbx-1.1/0", call("vip"), SETTINGS, 102.0)] == [
        Announce
    ]
    assert list(decide.on_timer("A1/pbx/pbx-1.1/0", call("other"), SETTINGS, 102.0)) == [], "there it widens"


def test_a_timer_of_no_known_rule_is_nothing() -> None:
    assert list(decide.on_timer("B9/pbx/pbx-1.1/0", call("vip"), SETTINGS, 102.0)) == []
    assert decide.call_of_timer("B9/pbx/pbx-1.1/0") is None
    assert decide.call_of_timer("A1/pbx/pbx-1.1/0") == ("pbx", "pbx-1.1")
