"""The clocks: the machine's, and the one that tests move."""

import time

import pytest

from callcenter.clock import Clock, ManualClock


def test_the_machines_clocks() -> None:
    clock = Clock()
    assert clock.wall() == pytest.approx(time.time(), abs=5)
    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_moves_only_when_told_and_its_wall_may_be_set_back() -> None:
    clock = ManualClock(1_795_000_000.0)
    clock.advance(2.5)
    assert (clock.wall(), clock.monotonic()) == (1_795_000_002.5, 2.5)
    clock.set_wall(0.0)
    clock.advance(1.0)
    assert (clock.wall(), clock.monotonic()) == (1.0, 3.5)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
