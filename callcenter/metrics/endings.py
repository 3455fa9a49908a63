"""Each ended call counts once, when as much is known of it as will be.

On the path of a call: between what was committed and ``figures.ended``.
A call whose end nobody saw is told by Asterisk's call records some seconds later; counters cannot be taken back, so
such a call waits for them a while. So the counters say what the store says, also of calls in a gap.
Promises: no call counts twice in one run of the daemon; none waits for more than ``PATIENCE_SECONDS``; what is kept is
bounded. Never: reads a clock.
"""

from collections.abc import Callable

from callcenter.calls.model import Call
from callcenter.calls.records import needs_records

PATIENCE_SECONDS = 60.0
MAX_REMEMBERED = 10_000


class Endings:
    """``count`` is told of each call once. ``has_records``: whether call records are followed at all."""

    def __init__(self, count: Callable[[Call], None], has_records: bool) -> None:
        self._count = count
        self._has_records = has_records
        self._waiting: dict[str, tuple[float, Call]] = {}
        self._counted_unknown: dict[str, None] = {}

    def changed(self, before: Call | None, after: Call, now: float) -> None:
        """A call changed. ``now``: monotonic seconds."""
        if after.running:
            return
        ended_now = before is None or before.running
        if after.recovered and not (before is not None and before.recovered):
            self._waiting.pop(after.call_id, None)
            if after.call_id not in self._counted_unknown:
                self._count(after)
        elif after.call_id in self._waiting:
            self._waiting[after.call_id] = self._waiting[after.call_id][0], after
        elif ended_now and self._has_records and needs_records(after) and after.merged_into is None:
            self._waiting[after.call_id] = now, after
            if len(self._waiting) > MAX_REMEMBERED:
                self._give_up(next(iter(self._waiting)))
        elif ended_now:
            self._count(after)

    def overdue(self, now: float) -> None:
        """Counts the calls for which no record came, as they are."""
        for call_id in [c for c, (since, _) in self._waiting.items() if now - since >= PATIENCE_SECONDS]:
            self._give_up(call_id)

    def _give_up(self, call_id: str) -> None:
        self._count(self._waiting.pop(call_id)[1])
        self._counted_unknown[call_id] = None
        if len(self._counted_unknown) > MAX_REMEMBERED:
            del self._counted_unknown[next(iter(self._counted_unknown))]
