"""What screens keep of every seat is what looking at all of them says, after each commit of real calls."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.app import Daemon
from callcenter.replay import _events
from callcenter.settings import Settings
from callcenter.store import migrate
from callcenter.store.store import Store
from callcenter.web import seats_now
from callcenter.web.ports import Link, LinkState
from callcenter.web.seats_now import SeatsNow

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*.least.ami"))
UP = Link(LinkState.UP, 1.0, "", "")


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    url = f"sqlite:///{tmp_path}/callcenter.db"
    await migrate(url)
    store = await Store.open(url)
    yield Daemon(Settings(), store)
    await store.close()


async def test_what_is_kept_is_what_all_seats_say(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats_now, "WHOLE_SECONDS", 1e9)
    seats = SeatsNow(daemon.desk, daemon.board)
    daemon.hub.on_board = seats.touch
    states, looked_at = set(), 0
    for story in CAPTURES[::3]:
        events = list(_events([story]))
        for begin in range(0, len(events), 12):
            daemon.pipeline.events(events[begin : begin + 12])
            while daemon.pipeline.backlog:
                await daemon.pipeline.step()
            now, day = daemon.link.now(), daemon.board.day()
            kept = {one.seat.extension: one for one in await seats.kept(UP, day, now)}
            assert kept == {one.seat.extension: one for one in seats.all(UP, day, now)}
            states |= {one.window.state for one in kept.values()}
            looked_at += 1
    assert len(states) >= 4, "seats rang, talked, held and were free"
    assert looked_at > 50


async def test_only_seats_that_changed_are_looked_at(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    people = {str(number): (str(number), "") for number in range(1001, 3001)}
    daemon.desk.people(people)
    seats, asked = SeatsNow(daemon.desk, daemon.board), list[str]()
    real = daemon.desk.calls_of
    monkeypatch.setattr(daemon.desk, "calls_of", lambda extension: asked.append(extension) or real(extension))
    assert len(await seats.kept(UP, None, 5.0)) == 2000
    asked.clear()
    seats.touch(["1001", "1002"])
    assert len(await seats.kept(UP, None, 5.0)) == 2000
    assert sorted(asked) == ["1001", "1002"]
    asked.clear()
    await seats.kept(UP, None, 6.0)
    assert asked == []
    seats.touch(["stranger", "1003"])
    assert len(await seats.kept(UP, None, 7.0)) == 2000
    assert asked == ["1003"]
    asked.clear()
    seats.touch(None)
    await seats.kept(UP, None, 7.0)
    assert len(asked) == 2000, "nobody said which"
    asked.clear()
    await seats.kept(Link(LinkState.LOST, 2.0, "closed", ""), None, 8.0)
    assert len(asked) == 2000


async def test_what_changes_while_all_are_looked_at_is_not_lost(daemon: Daemon) -> None:
    daemon.desk.people({str(number): (str(number), "") for number in range(1001, 3001)})
    seats = SeatsNow(daemon.desk, daemon.board)
    looking = asyncio.create_task(seats.kept(UP, None, 5.0))
    await asyncio.sleep(0)
    daemon.desk.people({str(number): ("changed", "") for number in range(1001, 3001)})
    seats.touch(["1001"])
    await looking
    kept = {one.seat.extension: one.seat for one in await seats.kept(UP, None, 5.0)}
    assert kept["1001"].work_number == "changed"
