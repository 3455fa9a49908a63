"""The timers in memory."""

from callcenter.rules.timers import Timers


def test_due_in_order_of_time_then_of_starting_and_only_once() -> None:
    timers = Timers()
    for key, at in (("late", 9.0), ("b", 5.0), ("a", 5.0), ("early", 1.0)):
        timers.start(key, at)
    assert timers.due(5.0) == ["early", "b", "a"]
    assert timers.due(5.0) == []
    assert timers.next_due() == 9.0
    assert len(timers) == 1


def test_started_again_it_moves_both_ways() -> None:
    timers = Timers()
    timers.start("a", 5.0)
    timers.start("a", 9.0)
    assert timers.due(8.9) == []
    timers.start("a", 2.0)
    assert timers.due(2.0) == ["a"]
    assert timers.due(99.0) == []


def test_cancelled_is_never_due_and_cancelling_nothing_is_nothing() -> None:
    timers = Timers()
    timers.start("a", 1.0)
    timers.cancel("a")
    timers.cancel("a")
    assert (timers.due(9.0), timers.next_due(), len(timers)) == ([], None, 0)


def test_timers_of_an_earlier_run_are_due_at_once_if_their_time_has_passed() -> None:
    timers = Timers()
    timers.load({"b": 2.0, "a": 1.0, "c": 50.0})
    assert timers.due(10.0) == ["a", "b"]
