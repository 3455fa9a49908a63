"""When nobody listened to Asterisk: a gap begins where the link was lost, and ends with the next snapshot.

On the path of a call: a step of ``pipeline``, which stores what comes of it in the same transaction as the events.
Promises: at most one gap is opened at a time; none ends before it begins, though a clock be set back; its seconds are
counted while it is open, and what was counted never falls.
Never: guesses what happened meanwhile.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from callcenter.ami.events import Event, LinkLost, Snapshot
from callcenter.store.batch import Gap


class Gaps:
    """``count`` is told the seconds that nobody observed."""

    def __init__(self, count: Callable[[float], object]) -> None:
        self._count = count
        self._counted_until = 0.0
        self.open: list[Gap] = []
        """More than one only after a restart."""

    def note(self, events: Iterable[Event], now: float) -> list[Gap]:
        """The gaps that these events begin or end."""
        changed: list[Gap] = []
        for event in events:
            if isinstance(event, LinkLost) and not self.open:
                self.open = [Gap(event.at, None, event.reason)]
                changed += self.open
            elif isinstance(event, Snapshot) and self.open:
                changed += [replace(gap, ended_at=max(gap.started_at, event.at)) for gap in self.open]
                self._count_until(event.at)
                self.open = []
        self._count_until(now)
        return changed

    def _count_until(self, now: float) -> None:
        """Whoever looks at the counter while a gap is open must see it grow."""
        if self.open:
            since = max(self._counted_until, min(gap.started_at for gap in self.open))
            self._count(max(0.0, now - since))
            self._counted_until = max(since, now)
