"""What the store adds up of the day for the screens, on SQLite and PostgreSQL."""

from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter.board import WORKED_SECONDS, LiveBoard
from callcenter.calls.model import Outcome
from callcenter.quality.rates import FORBIDDEN, PHRASES, together
from callcenter.reports.figures import Total
from callcenter.settings import Settings
from callcenter.store import Store, StoreUnavailableError
from tests.fakes.review_site import add
from tests.store.build import HOUR, NOW, call, commit, ended


class Here:
    """A board over a real store; its clock stands at noon in Shanghai."""

    def __init__(self, store: Store) -> None:
        self.now, self.told = NOW + 4 * HOUR, 0
        pipeline: Any = SimpleNamespace(asterisk_now=lambda: self.now, calls={})
        desk: Any = SimpleNamespace(queues_of=lambda _: (), wrapping_up=lambda _: None)
        zone = ZoneInfo("Asia/Shanghai")
        self.board = LiveBoard(Settings(), store, pipeline, desk, lambda: None, zone, self._changed)

    def _changed(self) -> None:
        self.told += 1

    async def refreshed(self) -> Any:
        await self.board._read_day()
        await self.board._refresh()
        day = self.board.day()
        assert day is not None
        return day.worked


async def test_what_took_the_seats_time_today(store: Store) -> None:
    hand = {"answered_by": "1001", "wait_seconds": 2.0}
    await commit(
        store,
        ended(call("a"), talk_seconds=100.0, hold_seconds=20.0, **hand),
        ended(call("b", queue="vip"), talk_seconds=40.0, hold_seconds=0.0, **hand),
        ended(call("lost"), outcome=Outcome.ABANDONED, wait_seconds=9.0),
        ended(call("yesterday", arrived_at=NOW - 12 * HOUR), ended_at=NOW - 12 * HOUR, talk_seconds=900.0, **hand),
    )
    here = Here(store)
    worked = await here.refreshed()
    assert {queue: sums.talk for queue, sums in worked.queues.items()} == {
        "support": Total(1, 100.0),
        "vip": Total(1, 40.0),
    }
    assert worked.queues["support"].hold == Total(1, 20.0)
    assert worked.said == {}, "nothing was transcribed"
    assert here.told == 1


async def test_what_was_said_today_is_told_by_queue(store: Store) -> None:
    await add(store, "c1", at=NOW)
    await add(store, "c2", seat="1002", queue="hr", at=NOW - HOUR)
    await add(store, "yesterday", at=NOW - 12 * HOUR)
    said = (await Here(store).refreshed()).said
    assert set(said) == {"it", "hr"}
    counted = await store.reviews.rates(NOW - 8 * HOUR, 1)
    for phrase in (*PHRASES, FORBIDDEN):
        both, whole = [said[queue][phrase] for queue in said], together(counted, phrase)
        for name in ("said", "not_said", "doubtful"):
            assert sum(getattr(one, name) for one in both) == getattr(whole, name), (phrase, name)
    assert said["it"]["greeting"].said + said["it"]["greeting"].not_said == 1


async def test_the_queues_that_a_seat_is_paused_in_are_remembered_until_a_queue_says_otherwise(store: Store) -> None:
    here, paused = Here(store), ["it"]
    here.board._desk = SimpleNamespace(paused_in=lambda _: list(paused))  # type: ignore[assignment]
    assert here.board.paused_in("1001") == {"it"}
    paused.clear()
    assert here.board.paused_in("1001") == {"it"}
    here.board.changed((), ["1001"])
    assert here.board.paused_in("1001") == frozenset()


async def test_it_is_added_up_once_a_minute_and_anew_at_midnight(store: Store) -> None:
    here = Here(store)
    assert (await here.refreshed()).queues == {}
    await commit(store, ended(call("a"), talk_seconds=100.0, answered_by="1001"))
    here.now += WORKED_SECONDS - 1
    assert (await here.refreshed()).queues == {}
    here.now += 1
    assert set((await here.refreshed()).queues) == {"support"}
    here.now += 24 * HOUR
    assert (await here.refreshed()).queues == {}


async def test_while_the_store_does_not_tell_it_is_not_known(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here(store)
    await here.refreshed()

    async def away(*_: object) -> None:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(store.reviews, "rates_by_queue", away)
    here.now += WORKED_SECONDS
    with pytest.raises(StoreUnavailableError):
        await here.board._refresh()
