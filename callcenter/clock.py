"""The only reader of wall and monotonic time.

Everything that needs to know the time is given a ``Clock``; tests give a ``ManualClock`` and move it by hand.

Promises: ``monotonic`` never goes back, ``wall`` may (the machine's clock is set). Durations come from ``monotonic`` or
from Asterisk's own timestamps, never from two readings of ``wall``.
"""

import time


class Clock:
    """The machine's clocks, in seconds."""

    def wall(self) -> float:
        """Epoch seconds (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment; only differences mean anything."""
        return time.monotonic()


class ManualClock(Clock):
    """A clock that stands still until it is moved; for tests and for replaying captures."""

    def __init__(self, wall: float = 0.0) -> None:
        self._wall = wall
        self._monotonic = 0.0

    def wall(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Both clocks go on by ``seconds`` (not negative)."""
        if seconds < 0:
            raise ValueError("time does not run backwards; use set_wall for a clock that is set back")
        self._wall += seconds
        self._monotonic += seconds

    def set_wall(self, wall: float) -> None:
        """The wall clock is set, as by an administrator; monotonic time does not notice."""
        self._wall = wall
