"""Webhooks over SQLite and PostgreSQL to a receiver that listens: told at least once, signed, tried again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from aiohttp import web

from callcenter.calls.model import Call
from callcenter.effects import webhooks as effect
from callcenter.effects.webhooks import GIVEN_UP_AFTER_SECONDS, KEPT_SECONDS, Webhooks, signature
from callcenter.rules import webhooks as rule
from callcenter.settings import Settings, Webhook
from callcenter.settings.webhooks import key_of
from callcenter.store import Batch, Store
from callcenter.store.webhooks import DONE
from callcenter.tickets.model import patch_of
from callcenter.webhooks import told_by
from tests.store.build import NOW, call, ended

SECRET = "a secret of the receiver"


class Receiver:
    """``statuses``: what it answers, in turn, the last one for ever; ``got``: (headers, body) of each message."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.hangs = asyncio.Event()
        self.hangs.set()

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        await self.hangs.wait()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        headers = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    one, app = Receiver(), web.Application()
    app.router.add_post("/in", one.take)
    app.router.add_route("*", "/elsewhere", one.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield one, f"http://127.0.0.1:{runner.addresses[0][1]}/in"
    one.hangs.set()
    await runner.cleanup()


class House:
    """A store with the effect beside it. ``now`` is the site's clock, moved by the test."""

    def __init__(self, store: Store, webhooks: dict[str, Webhook]) -> None:
        self.store, self.now = store, NOW + 70
        self.counted: list[tuple[str, str]] = []
        self.traced: list[tuple[str, str, str]] = []
        self.settings = replace(Settings(), webhooks=MappingProxyType(webhooks))

        self.effect = Webhooks(
            store.webhooks,
            told_by(store, "pbx"),
            "pbx",
            webhooks,
            lambda: self.now,
            lambda *labels: self.counted.append(labels),
            lambda call_id, name, _, outcome: self.traced.append((call_id, name, outcome)),
        )

    def batch(self, one: Call) -> Batch:
        commands = list(rule.on_change(None, one, self.settings))
        return Batch("pbx", NOW + 61, calls=[one], tickets=[patch_of(one)], commands=commands)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.effect.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not done():  # noqa: ASYNC110 - what is counted tells nobody
                await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effect, "EVERY_SECONDS", 0.02)
    monkeypatch.setattr(effect, "REST_SECONDS", 0.02)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SECRET + "\n")
    return tmp_path / "secret"


async def test_an_ended_call_is_told_signed(store: Store, receiver: tuple[Receiver, str], secret: Path) -> None:
    one, url = receiver
    house = House(store, {"crm": Webhook(url, secret)})
    batch = house.batch(ended(call("a")))
    await store.commit(batch)
    await store.commit(batch)
    async with house.running():
        await house.until(lambda: house.counted)
        await asyncio.sleep(0.2)
    ((headers, body),) = one.got
    wanted = signature(key_of(SECRET), headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == wanted
    assert b'"call_id":"a"' in body
    assert b"13800138000" not in body
    assert (house.counted, house.traced) == ([("crm", "done")], [("a", "crm", "done")])
    assert house.effect.pending["crm"].count == 0


async def test_it_waits_for_late_events(store: Store, receiver: tuple[Receiver, str], secret: Path) -> None:
    one, url = receiver
    house = House(store, {"crm": Webhook(url, secret)})
    await store.commit(house.batch(ended(call("a"))))
    house.now = NOW + 61
    async with house.running():
        await asyncio.sleep(0.2)
        assert not one.got
        house.now += 2
        await house.until(lambda: one.got)


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_what_is_not_taken_is_tried_again_under_its_id(
    store: Store, receiver: tuple[Receiver, str], secret: Path, status: int
) -> None:
    one, url = receiver
    one.statuses = [status, 200]
    house = House(store, {"crm": Webhook(url, secret)})
    await store.commit(house.batch(ended(call("a"))))
    async with house.running():
        await house.until(lambda: house.counted == [("crm", "failed")])
        await asyncio.sleep(0.2)
        assert len(one.got) == 1, "not before its time, and no redirect is followed"
        house.now += 6
        await house.until(lambda: house.counted == [("crm", "failed"), ("crm", "done")])
    assert one.ids[0] == one.ids[1]


async def test_a_dead_and_a_hanging_system_hold_up_nobody(
    store: Store, receiver: tuple[Receiver, str], secret: Path
) -> None:
    one, url = receiver
    house = House(
        store, {"dead": Webhook("http://127.0.0.1:9/x", secret), "slow": Webhook(url, secret, timeout_seconds=0.5)}
    )
    one.hangs.clear()
    await store.commit(house.batch(ended(call("a"))))
    async with house.running():
        await house.until(lambda: {("dead", "failed"), ("slow", "failed")} <= set(house.counted))
    assert house.effect.pending["dead"].count == 1


async def test_after_a_day_it_is_given_up_and_later_forgotten(
    store: Store, receiver: tuple[Receiver, str], secret: Path
) -> None:
    one, url = receiver
    one.statuses = [500]
    house = House(store, {"crm": Webhook(url, secret)})
    await store.commit(house.batch(ended(call("a"))))
    house.now += GIVEN_UP_AFTER_SECONDS
    async with house.running():
        await house.until(lambda: house.counted == [("crm", "given_up")])
    assert (await store.webhooks.pending("pbx", "crm")).count == 0
    await store.webhooks.ended(one.ids[0], DONE)
    assert await store.webhooks.due("pbx", "crm", house.now + 1, 10) == []
    await store.webhooks.forget("pbx", house.now + KEPT_SECONDS)
    await store.commit(house.batch(ended(call("a"))))
    assert (await store.webhooks.pending("pbx", "crm")).count == 1, "the row was gone"


async def test_a_call_that_became_part_of_another_is_not_told(
    store: Store, receiver: tuple[Receiver, str], secret: Path
) -> None:
    one, url = receiver
    house = House(store, {"crm": Webhook(url, secret)})
    await store.commit(house.batch(ended(call("customer"))))
    await store.commit(house.batch(ended(call("consultation"))))
    merged = ended(call("consultation"), merged_into="customer")
    await store.commit(Batch("pbx", NOW + 62, calls=[merged]))
    async with house.running():
        await house.until(lambda: len(house.counted) == 2)
    assert sorted(house.counted) == [("crm", "done"), ("crm", "given_up")]
    ((_, body),) = one.got
    assert b'"call_id":"customer"' in body


async def test_a_lost_secret_is_a_failure_with_its_key(
    store: Store, receiver: tuple[Receiver, str], secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, url = receiver
    secret = secret.with_name("gone")
    house = House(store, {"crm": Webhook(url, secret)})
    await store.commit(house.batch(ended(call("a"))))
    async with house.running():
        await house.until(lambda: house.counted)
    assert not one.got
    assert "webhooks.crm.secret_file: the secret file is missing" in caplog.text
    assert url not in caplog.text
