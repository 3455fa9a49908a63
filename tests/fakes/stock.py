"""Stock panoramisk and our link behind the same handles, for probes that are run against both."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import panoramisk

from callcenter.ami.codec import Decoder, Message
from callcenter.ami.link import Link
from callcenter.ami.wire import Wire
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.links import KeptEvents, is_up, quick, running, until


@asynccontextmanager
async def stock(pbx: FakeAsterisk, **config: Any) -> AsyncIterator[panoramisk.Manager]:
    """Stock panoramisk, logged in unless the log-in is refused."""
    settings = {"host": "127.0.0.1", "port": pbx.port, "username": "callcenter", "secret": "s3cret"}
    settings |= {"reconnect_timeout": 0, "loop": asyncio.get_running_loop(), "log": logging.getLogger("stock")}
    manager = panoramisk.Manager(**settings | config)
    # Its reconnects are planned on the loop and survive close(): forget them at the end, or they haunt the next test.
    await manager.connect()
    await until(lambda: manager.authenticated or "secret" in config)
    try:
        yield manager
    finally:
        manager.connect = lambda *_: None
        manager.close()
        await asyncio.sleep(0.02)


@asynccontextmanager
async def ours(pbx: FakeAsterisk, **options: Any) -> AsyncIterator[tuple[Link, KeptEvents]]:
    async with running(quick(pbx.port, **options.pop("settings", {})), **options) as (link, sink):
        await is_up(link)
        yield link, sink


async def messages_of_stock(pbx: FakeAsterisk, send: Callable[[], Any], count: int = 1) -> list[Any]:
    seen: list[Any] = []
    async with stock(pbx) as manager:
        manager.register_event("*", lambda _, event: seen.append(event))
        await _sent(send)
        await until(lambda: len(seen) >= count)
    return seen


async def messages_of_ours(pbx: FakeAsterisk, send: Callable[[], Any], count: int = 1) -> list[Message]:
    """At the level of messages, below the typed events."""
    seen: list[Message] = []
    wire = Wire(
        "127.0.0.1", pbx.port, None, Decoder(None, 65_536), lambda batch: seen.extend(m for m in batch if "Event" in m)
    )
    await wire.open(1)
    pbx.connections[-1].logged_in = True
    await _sent(send)
    await until(lambda: len(seen) >= count)
    wire.drop("end of the test")
    return seen


async def _sent(send: Callable[[], Any]) -> None:
    result = send()
    if asyncio.iscoroutine(result):
        await result
