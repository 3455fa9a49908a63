"""What screens and /metrics read of callbacks: from memory, told when another, unknown while the store is away."""

import asyncio
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from callcenter.callbacks import LiveCallbacks
from callcenter.metrics.callbacks import CallbackFigures
from callcenter.settings import Settings
from callcenter.store import Store, StoreUnavailableError
from tests.store.build import HOUR, NOW
from tests.store.test_callbacks import lost, only, outgoing, took


class Watched:
    """The live view over a store, with what it told."""

    def __init__(self, store: Store) -> None:
        self.now, self.told, self.noted = NOW + 60, 0, list[int]()
        self.registry = CollectorRegistry()
        self.figures = CallbackFigures(self.registry)
        self.live = LiveCallbacks(Settings(), store, lambda: self.now, self.figures, self._tell, self.noted.append)

    def _tell(self) -> None:
        self.told += 1

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def gauge(self, **labels: str) -> float | None:
        found = [s.value for family in self.live.gauges() for s in family.samples if s.labels == labels]
        return found[0] if found else None


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited 5 s in vain")


async def test_a_commit_wakes_it_and_who_looks_is_told_once(store: Store) -> None:
    watched = Watched(store)
    await watched.live._refresh()
    assert (watched.told, watched.gauge(rule="D11", state="open")) == (1, 0.0)
    await watched.live._refresh()
    assert watched.told == 1, "nothing is another"
    running = asyncio.create_task(watched.live.run())
    try:
        committed = await took(store, lost("a"))
        watched.live.changed(committed.callbacks)
        await until(lambda: watched.told == 2)
    finally:
        running.cancel()
    assert (watched.gauge(rule="D11", state="open"), watched.gauge(rule="D11", state="overdue")) == (1.0, 0.0)
    watched.now = NOW + HOUR + 1
    assert watched.gauge(rule="D11", state="overdue") == 1.0
    assert watched.gauge(rule="B5", state="open") == 0.0


async def test_figures_count_what_the_list_has_no_room_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(store)
    for n in range(5):
        await took(store, lost(f"c{n}", NOW + n, caller_number=f"1380013800{n}"))
    few = store.callbacks.open
    monkeypatch.setattr("callcenter.callbacks.MOST_OPEN", 2)
    monkeypatch.setattr(store.callbacks, "open", lambda server: few(server, 2))
    await watched.live._refresh()
    owing = watched.live.owing()
    assert owing is not None
    assert (len(owing.callbacks), owing.cut, owing.all) == (2, True, 5)
    assert (watched.gauge(rule="D11", state="open"), watched.gauge(rule="D11", state="overdue")) == (5.0, 0.0)
    watched.now = owing.callbacks[0].due_at + 3.5
    await watched.live._refresh()
    owing = watched.live.owing()
    assert owing is not None
    assert watched.gauge(rule="D11", state="overdue") == owing.due_before(watched.now) == 4.0
    assert watched.gauge(rule="B5", state="open") == 0.0


async def test_ends_are_counted_with_those_in_time(store: Store) -> None:
    watched = Watched(store)
    ended = "callcenter_callbacks_ended_total"
    assert watched.sample(ended, rule="B5", result="reached") == 0.0, "every series is there from the start"
    await took(store, lost("a"))
    watched.live.changed((await took(store, outgoing("back", NOW + 60, True))).callbacks)
    assert watched.sample(ended, rule="D11", result="reached") == 1.0
    await took(store, lost("b", NOW + 100))
    await watched.live._refresh()
    one = await only(store)
    assert await watched.live.close(one.id, "li", "wrote a mail")
    assert not await watched.live.close(one.id, "li", "again")
    assert watched.sample(ended, rule="D11", result="closed") == 1.0
    assert watched.sample("callcenter_callbacks_in_time_total", rule="D11") == 1.0
    assert watched.noted == [one.ticket_id]
    owing = watched.live.owing()
    assert owing is not None
    assert (owing.callbacks, owing.spoken, owing.in_time) == ((), 1, 1)


async def test_unknown_is_not_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(store)
    await took(store, lost("a"))
    await watched.live._refresh()

    async def away(*_: object) -> None:
        raise StoreUnavailableError("The database does not answer.")

    monkeypatch.setattr(store.callbacks, "open", away)
    running = asyncio.create_task(watched.live.run())
    try:
        await until(lambda: watched.live.owing() is None)
    finally:
        running.cancel()
    assert watched.gauge(rule="D11", state="open") is None


async def test_a_claim_is_seen_at_once_and_runs_out(store: Store) -> None:
    watched = Watched(store)
    await took(store, lost("a"))
    one = await only(store)
    assert await watched.live.claim(one.id, "li")
    owing = watched.live.owing()
    assert owing is not None
    assert owing.callbacks[0].holder(watched.now) == "li"
    assert not await watched.live.claim(one.id, "wang")
    watched.now += 600
    assert await watched.live.claim(one.id, "wang")
    assert await watched.live.release(one.id, "wang")


async def test_who_calls_is_told_the_same_click_apart_from_another_call(store: Store) -> None:
    watched = Watched(store)
    await took(store, lost("a"), lost("b"))
    assert watched.live.begin_call(1)
    assert not watched.live.begin_call(1)
    assert watched.live.begin_call(2)
    watched.now += 6
    assert watched.live.begin_call(1)
    one = await only(store)
    assert await watched.live.claim(one.id, "li")
    assert await watched.live.release(one.id, "li")
    assert watched.live.begin_call(one.id), "given back"


async def test_an_older_answer_of_the_store_never_comes_after_a_newer_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched, read, slow = Watched(store), store.callbacks.open, asyncio.Event()
    await took(store, lost("a"))
    one = await only(store)

    async def read_slowly(server: str) -> object:
        found = await read(server)
        slow.set()
        await asyncio.sleep(0.2)
        return found

    monkeypatch.setattr(store.callbacks, "open", read_slowly)
    older = asyncio.create_task(watched.live._refresh())
    await slow.wait()
    monkeypatch.setattr(store.callbacks, "open", read)
    assert await watched.live.claim(one.id, "li")
    await older
    owing = watched.live.owing()
    assert owing is not None
    assert owing.callbacks[0].holder(watched.now) == "li"
