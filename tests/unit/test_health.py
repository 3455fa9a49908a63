"""The parts of /readyz: what is not ready says why and what to do."""

from types import SimpleNamespace
from typing import Any

import pytest

from callcenter.ami.status import LinkStatus
from callcenter.health import LATE_COMMIT_SECONDS, Parts
from tests.fakes.links import until
from tests.fakes.pipeline import Run
from tests.fakes.story import T0, told
from tests.unit.test_pipeline import running


def parts(status: LinkStatus | None = None, **daemon: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "link": SimpleNamespace(status=status or LinkStatus("up"), now=lambda: T0),
        "pipeline": SimpleNamespace(committed_until=T0, backlog=0),
        "recovery": SimpleNamespace(state="reading", bad_lines=0),
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
    part = parts(pipeline=SimpleNamespace(committed_until=T0 - late, backlog=3))["store"]
    assert (part.ready, part.facts["waiting_events"]) == (ready, 3)
    assert bool(part.reason) is bool(part.remedy) is not ready


async def test_a_store_that_never_took_anything_is_not_ready_either() -> None:
    run = Run()
    run.unit.failing = 10**9
    async with running(run):
        run.pipeline.events(told("0.0 Newchannel caller Ring 138 4008"))
        await until(lambda: run.unit.attempts)
    link = SimpleNamespace(status=LinkStatus("up"), now=lambda: T0 + LATE_COMMIT_SECONDS + 1)
    assert not parts(pipeline=run.pipeline, link=link)["store"].ready


def test_without_records_the_remedy_names_the_setting() -> None:
    part = parts(recovery=None)["call records"]
    assert part.ready
    assert "asterisk.cdr_file" in part.remedy


def test_records_that_cannot_be_read_are_told() -> None:
    recovery = SimpleNamespace(state="cannot be read: Permission denied", bad_lines=4)
    part = parts(recovery=recovery)["call records"]
    assert (part.state, part.reason, part.facts["unreadable_lines"]) == ("cannot be read", "Permission denied", 4)
    assert "asterisk.cdr_file" in part.remedy
