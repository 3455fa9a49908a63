"""Figures of seat groups: what a team's seats did together, as reports add it up, without a seat in any label.

Beside the path of a call: told of each ended call and of each wrap-up; /metrics reads it.
Promises: labels are the groups of the settings ([seat_groups]) and "none", so that nothing from outside makes series;
every series is there from the start; a call counts for the group of the seat that answered it, as in reports, a ring
for that of the seat that rang.
Never: a number, a name or a seat as a label.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter

from callcenter.calls.model import Call, Outcome, Ring
from callcenter.metrics import known

NO_GROUP = "none"
LONG_HOLD_SECONDS = 60.0
"""B2."""
PARTS = ("talk", "hold", "wrapup")
"""Of the handle time (A4, B2, B3)."""
YES_NO = ("yes", "no")


class GroupFigures:
    """``groups``: the seats of each group; a seat is in one at most, and in "none" without one."""

    def __init__(self, registry: CollectorRegistry, groups: Mapping[str, Iterable[str]]) -> None:
        self._of_seat = {seat: name for name, seats in groups.items() for seat in seats}
        self.labels = (*sorted({*groups} - {NO_GROUP}), NO_GROUP)
        self._declare(registry)
        for group in self.labels:
            self._at_zero(group)

    def _declare(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, label: str) -> Counter:
            return Counter(name, text, ["seat_group", label], registry=registry)

        self._answered = counter(
            "callcenter_seat_group_answered_calls",
            "Hotline calls by the group of the seat that answered, and by whether three rings were kept (A1).",
            "kept",
        )
        self._handled = counter(
            "callcenter_seat_group_handle_seconds",
            "Handle time of these calls: talk without holds, hold and wrap-up (B3, B2, A4).",
            "part",
        )
        self._holds = counter(
            "callcenter_seat_group_holds", "Holds in these calls, by whether they were long (B2: 60 s).", "long"
        )
        self._rings = counter(
            "callcenter_seat_group_rings", "Attempts to reach a seat of the group, by result (A1).", "result"
        )

    def _at_zero(self, group: str) -> None:
        closed = ((self._answered, YES_NO), (self._handled, PARTS), (self._holds, YES_NO))
        for counter, values in (*closed, (self._rings, known.RINGS_ENDED)):
            for value in values:
                counter.labels(group, value)

    def of(self, seat: str | None) -> str:
        """The label of a seat's group."""
        return self._of_seat.get(seat or "", NO_GROUP)

    def ended(self, call: Call, kept: str, rings: Iterable[Ring]) -> None:
        """A hotline call has ended. ``kept``: three rings, yes or no; ``rings``: those of it that came to an end."""
        for ring in rings:
            self._rings.labels(self.of(ring.seat), ring.result.value).inc()
        if call.outcome is not Outcome.ANSWERED or not call.answered_by:
            return
        group = self.of(call.answered_by)
        self._answered.labels(group, kept).inc()
        self._handled.labels(group, "talk").inc(call.talk_seconds or 0.0)
        lengths = [hold.ended_at - hold.started_at for hold in call.holds if hold.ended_at is not None]
        self._handled.labels(group, "hold").inc(sum(max(0.0, length) for length in lengths))
        for length in lengths:
            self._holds.labels(group, "yes" if length > LONG_HOLD_SECONDS else "no").inc()

    def wrapped_up(self, call: Call, seconds: float) -> None:
        self._handled.labels(self.of(call.answered_by), "wrapup").inc(max(0.0, seconds))
