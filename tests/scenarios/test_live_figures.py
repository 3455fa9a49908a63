"""What /metrics tells of this moment is what the wallboard shows, after every event of every capture of real Asterisks.

Both are made of the same calls and seats; a call that one counts and the other does not would be seen here.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

from callcenter.ami.status import LinkStatus
from callcenter.calls.model import Direction, Phase
from callcenter.desk import LiveDesk
from callcenter.metrics.service_levels import Target, Variant
from callcenter.replay import DEFAULT_TERMS, _events
from callcenter.rules.cadence import BY_COUNTRY
from callcenter.settings.sections import Wallboard
from callcenter.web.ports import Queue
from callcenter.web.wallboard_facts import Facts, Site
from callcenter.web.wallboard_seats import SeatNow
from callcenter.web.wallboard_view import Wall, wall
from callcenter.web.window import State, seen
from tests.fakes.pipeline import Run
from tests.scenarios.test_captures import CAPTURES, STORIES

SITE = Site(
    Wallboard(),
    Variant.ABANDONS_BAD,
    0.8,
    lambda name: Queue(name or "", name or "", ""),
    lambda name: Target(),
    BY_COUNTRY["cn"],
)
CALLED = {
    State.FREE: "idle",
    State.RINGING: "ringing",
    State.TALKING: "in_use",
    State.HOLD: "hold",
    State.WRAPUP: "wrapup",
    State.BREAK: "paused",
    State.OFFLINE: "unreachable",
    State.UNKNOWN: "unknown",
}
"""What /metrics calls the wall's states (docs/metrics.md)."""
Gauges = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Moment:
    """After one event: both views."""

    now: float
    run: Run
    wall: Wall
    gauges: Gauges

    def of(self, name: str) -> Mapping[str, float]:
        """A gauge by its only label."""
        return {key[1]: value for key, value in self.gauges.items() if key[0] == name}


async def moments(story: str) -> AsyncIterator[Moment]:
    run = Run(terms=DEFAULT_TERMS)
    now = 0.0
    run.pipeline.asterisk_now = lambda: now
    desk = LiveDesk(run.pipeline.settings, run.pipeline, lambda: LinkStatus("up"))
    for event in _events([CAPTURES / f"{story}.ami"]):
        now = max(now, event.at or 0.0)  # a list of queue members bears no time
        changes, seats = len(run.changes), len(run.seats)
        await run.feed([event])
        desk.changed(run.changes[changes:], [seat for told in run.seats[seats:] for seat in told])
        if len(run.changes) > changes or any(run.seats[seats:]):
            yield Moment(now, run, _wall(run, desk, now), _gauges(desk))


def _wall(run: Run, desk: LiveDesk, now: float) -> Wall:
    calls = [call for call in run.pipeline.calls.values() if call.running and call.direction is Direction.INBOUND]
    seats = [
        SeatNow(
            seat,
            seen(seat, desk.calls_of(seat.extension), desk.wrapping_up(seat.extension), now),
            tuple(desk.queues_of(seat.extension)),
            paused_in=frozenset(desk.paused_in(seat.extension)),
        )
        for seat in desk.seats()
    ]
    return wall(
        Facts(now, desk.link(), calls, seats, None, queues=sorted({q for one in seats for q in one.queues})), SITE
    )


def _gauges(desk: LiveDesk) -> Gauges:
    told = desk.gauges(lambda queue: queue or "none")
    samples = [sample for family in told for sample in family.samples]
    return {(sample.name.removeprefix("callcenter_"), *sample.labels.values()): sample.value for sample in samples}


@pytest.mark.parametrize("account", ["", ".least"])
@pytest.mark.parametrize("story", STORIES)
async def test_as_many_wait_and_as_long_as_on_the_wall(story: str, account: str) -> None:
    async for moment in moments(story + account):
        shown, waiting = moment.wall, moment.of("queue_waiting_calls")
        assert sum(waiting.values()) == shown.cut["waiting"], moment.now
        for line in shown.queues:
            assert waiting.get(line.name, 0) == line.waiting, (line.name, moment.now)
        longest = moment.now - (shown.longest.since or 0.0) if shown.longest is not None else 0.0
        assert max(moment.of("queue_longest_wait_seconds").values(), default=0.0) == pytest.approx(max(0.0, longest))


async def all_of(story: str) -> list[Moment]:
    return [moment async for moment in moments(story)]


@pytest.mark.parametrize("account", ["", ".least"])
@pytest.mark.parametrize("story", STORIES)
async def test_seats_do_what_the_wall_says(story: str, account: str) -> None:
    async for moment in moments(story + account):
        shown, told = moment.wall, {state: count for state, count in moment.of("seats").items() if count}
        assert told == {CALLED[state]: count for state, count in shown.states if count}, moment.now
        for line in shown.queues:
            serving = {key[2]: count for key, count in moment.gauges.items() if key[:2] == ("queue_seats", line.name)}
            assert (sum(serving.values()), serving.get("idle", 0)) == (line.seats, line.free), (line.name, moment.now)
        busy = sum(told.get(state, 0) for state in ("in_use", "hold", "ringing", "wrapup"))
        there = busy + told.get("idle", 0)
        assert (busy / there if there else None) == shown.occupancy


@pytest.mark.parametrize("story", ["outgoing-answered", "outgoing-unanswered"])
async def test_a_seat_that_telephones_outwards_is_not_free(story: str) -> None:
    assert any(dict(moment.wall.states)[State.TALKING] for moment in await all_of(story))


@pytest.mark.parametrize("story", ["hotline-duty-manager", "hotline-overflow"])
async def test_a_caller_waits_before_the_queue_and_after_the_announcement(story: str) -> None:
    """The wall says so of both, and so does /metrics: that nobody has lifted is what A1 asks about."""
    found = await all_of(story)
    assert sum(found[0].of("queue_waiting_calls").values()) == 1, "has just arrived"
    announced = [moment for moment in found if moment.wall.longest is not None and moment.wall.longest.announced]
    assert announced
    assert {sum(moment.of("queue_waiting_calls").values()) for moment in announced} == {1}


@pytest.mark.parametrize("story", ["internal-answered", "outgoing-answered", "outgoing-unanswered", "click-to-call"])
async def test_nobody_waits_who_is_no_caller_from_outside(story: str) -> None:
    found = await all_of(story)
    phases = {change.after.phase for change in found[-1].run.changes}
    assert phases & {Phase.RINGING, Phase.ARRIVED}
    assert not [moment.now for moment in found if any(moment.of("queue_waiting_calls").values())]
