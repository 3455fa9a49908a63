"""A link with short times against a given port, and a sink that keeps what it gets."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

from callcenter.ami.events import Event
from callcenter.ami.link import Link
from callcenter.settings import Asterisk

T = TypeVar("T")


class KeptEvents:
    def __init__(self) -> None:
        self.kept: list[Event] = []

    def events(self, events: list[Event]) -> None:
        self.kept += events

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.kept if isinstance(event, kind)]


def quick(port: int, **changes: Any) -> Asterisk:
    """Settings with short times; answers have long enough for a machine with other things to do."""
    values: dict[str, Any] = {
        "port": port,
        "secret_file": Path("unused"),
        "ping_every_seconds": 0.2,
        "answer_within_seconds": 1.5,
        "connect_timeout_seconds": 1.0,
        "reconnect_min_seconds": 0.02,
        "reconnect_max_seconds": 0.2,
        "refused_retry_seconds": 0.5,
        "action_timeout_seconds": 0.3,
    }
    return Asterisk(**values | changes)


@contextlib.asynccontextmanager
async def running(settings: Asterisk, secret: str = "s3cret", **options: Any) -> AsyncIterator[tuple[Link, KeptEvents]]:
    """A link that runs until the end of the block."""
    sink = options.pop("sink", None) or KeptEvents()
    link = Link(settings, lambda: secret, sink, rng=random.Random(7), **options)
    task = asyncio.create_task(link.run())
    try:
        yield link, sink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Waits for a condition; fails if it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition, also one that has no event
            await asyncio.sleep(0.005)


async def is_up(link: Link, seconds: float = 20.0) -> None:
    await until(lambda: link.status.state == "up", seconds)
