"""The parts of /readyz: what is not ready says why and what to do."""

from types import SimpleNamespace
from typing import Any

import pytest

from callcenter.ami.status import LinkStatus
from callcenter.clock import ManualClock
from callcenter.health import LATE_COMMIT_SECONDS, Parts
from tests.fakes.links import until
from tests.fakes.pipeline import Run
from tests.fakes.story import T0, told
from tests.unit.test_pipeline import running


def parts(status: LinkStatus | None = None, **daemon: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "link": SimpleNamespace(status=status or LinkStatus("up"), now=lambda: T0),
        "pipeline": SimpleNamespace(committed_at=0.0, refusal="", backlog=0),
        "clock": ManualClock(T0),
        "recovery": SimpleNamespace(state="reading", bad_lines=0),
        "live": SimpleNamespace(worker=None),
    }
    daemon_ = SimpleNamespace(**(values | daemon))
    return {part.name: part for part in Parts(daemon_).parts()}  # type: ignore[arg-type]


def test_all_is_well() -> None:
    found = parts()
    assert list(found) == ["asterisk", "store", "call records"]
    assert all(part.ready and not part.reason and not part.remedy for part in found.values())


@pytest.mark.parametrize("state", ["connecting", "refused", "lost"])
def test_a_link_that_is_not_up_says_why(state: Any) -> None:
    part = parts(LinkStatus(state, 1.0, "the secret is wrong", "correct it"))["asterisk"]
    assert (part.ready, part.state, part.reason, part.remedy) == (False, state, "the secret is wrong", "correct it")


def test_a_link_below_the_version_floor_works_and_is_warned_about() -> None:
    part = parts(LinkStatus("up", warning="Asterisk is old.", below_floor=True))["asterisk"]
    assert (part.ready, part.reason, part.facts["below_floor"]) == (True, "Asterisk is old.", True)


@pytest.mark.parametrize(("late", "ready"), [(0.0, True), (9.9, True), (10.0, False)])
def test_a_store_that_takes_nothing_for_a_while_is_not_ready(late: float, ready: bool) -> None:
    clock = ManualClock(T0)
    clock.advance(late)
    pipeline = SimpleNamespace(committed_at=0.0, refusal="The disk is full; free some space.", backlog=3)
    part = parts(pipeline=pipeline, clock=clock)["store"]
    assert (part.ready, part.facts["waiting_events"]) == (ready, 3)
    assert bool(part.reason) is bool(part.remedy) is not ready
    assert ("The disk is full" in part.reason) is not ready


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
async def test_a_clock_that_is_set_neither_hides_nor_makes_a_late_store(jump: float) -> None:
    run = Run()
    await run.feed(told("0.0 Newchannel caller Ring 138 4008"))
    run.clock.set_wall(T0 + jump)
    assert parts(pipeline=run.pipeline, clock=run.clock)["store"].ready
    run.clock.advance(LATE_COMMIT_SECONDS)
    assert not parts(pipeline=run.pipeline, clock=run.clock)["store"].ready
    await run.pipeline.step()
    assert parts(pipeline=run.pipeline, clock=run.clock)["store"].ready, (
        "an idle pipeline tells the store that it lives"
    )


async def test_a_store_that_never_took_anything_is_not_ready_either() -> None:
    run = Run()
    run.unit.failing = 10**9
    async with running(run):
        run.pipeline.events(told("0.0 Newchannel caller Ring 138 4008"))
        await until(lambda: run.unit.attempts)
    run.clock.advance(LATE_COMMIT_SECONDS)
    part = parts(pipeline=run.pipeline, clock=run.clock)["store"]
    assert not part.ready
    assert "The disk is full" in part.reason


def test_records_that_cannot_be_read_are_not_ready_and_say_what_to_do() -> None:
    part = parts(recovery=SimpleNamespace(state="cannot be read: Permission denied", bad_lines=0))["call records"]
    assert (part.ready, part.state, part.reason) == (False, "cannot be read", "Permission denied")
    assert "cdr_file" in part.remedy


def test_without_records_the_remedy_names_the_setting() -> None:
    part = parts(recovery=None)["call records"]
    assert part.ready
    assert "asterisk.cdr_file" in part.remedy


def test_records_that_cannot_be_read_are_told() -> None:
    recovery = SimpleNamespace(state="cannot be read: Permission denied", bad_lines=4)
    part = parts(recovery=recovery)["call records"]
    assert (part.state, part.reason, part.facts["unreadable_lines"]) == ("cannot be read", "Permission denied", 4)
    assert "asterisk.cdr_file" in part.remedy


@pytest.mark.parametrize(("port", "state"), [(9092, "listening"), (None, "down")])
def test_no_call_waits_for_the_process_that_listens(port: int | None, state: str) -> None:
    worker = SimpleNamespace(port=port, reason="It ended.", starts=3)
    part = parts(live=SimpleNamespace(worker=worker, running=2))["live transcription"]
    assert (part.ready, part.state, part.facts) == (True, state, {"calls": 2, "starts": 3})
    assert bool(part.reason) is bool(part.remedy) is (port is None)
