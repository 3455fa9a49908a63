"""Tells the site's own systems of calls: one signed POST for each event (Standard Webhooks 1.0).

Place on the path of a call: after the commit, which noted in the same transaction what is to be told; the end of it is
a span of the call's trace. Source: the specification of Standard Webhooks (headers webhook-id, webhook-timestamp,
webhook-signature; HMAC-SHA256 over id, timestamp and body).
Promises: at least once, also after kill -9, with an id that stays, by which a receiver drops what comes twice; what is
not taken is tried again, ever more seldom, and given up after a day; a receiver that is slow or dead holds up nobody.
Never: follows a redirect, reads more of an answer than its head, tells a number unless the site says so,
or logs an address.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import aiohttp
import orjson

from callcenter import __version__
from callcenter.calls.model import Call
from callcenter.errors import BrokenWorld
from callcenter.settings import SettingsError, Webhook, read_secret
from callcenter.settings.webhooks import key_of
from callcenter.store.webhooks import DONE, GIVEN_UP, Delivery, Pending

log = logging.getLogger(__name__)

DELAYS_SECONDS = (5.0, 30.0, 120.0, 600.0, 3_600.0)
"""After the first, second ... failure; later ones wait as long as the last."""
GIVEN_UP_AFTER_SECONDS = 86_400.0
KEPT_SECONDS = 7 * 86_400.0
"""So long it is known what was told."""
EVERY_SECONDS = 1.0
REST_SECONDS = 5.0
"""After a failure, before the same system is told of something else."""
AT_ONCE = 100
FORGET_EVERY_SECONDS = 3_600.0
OUTCOMES = ("done", "failed", "given_up")
TEST = "webhook.test"


class Deliveries(Protocol):
    """What is needed of the store."""

    async def due(self, server: str, webhook: str, now: float, limit: int) -> Sequence[Delivery]: ...

    async def pending(self, server: str, webhook: str) -> Pending: ...

    async def ended(self, message_id: str, state: str) -> None: ...

    async def postponed(self, message_id: str, not_before: float, attempts: int, error: str) -> None: ...

    async def forget(self, server: str, before: float) -> None: ...


Told = Callable[[str], Awaitable[tuple[Call, str] | None]]
"""A call and the number of its ticket, by call id; ``None`` if it is kept no more, or became part of another."""


def delay(failures: int) -> float:
    """Seconds to wait after so many failures, at least one."""
    return DELAYS_SECONDS[min(failures, len(DELAYS_SECONDS)) - 1]


def signature(key: bytes, message_id: str, at: int, body: bytes) -> str:
    """The header ``webhook-signature`` of a message that is sent at ``at`` (epoch seconds)."""
    signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def body_of(event: str, call: Call, ticket: str, with_number: bool) -> bytes:
    """What is told. Instants are ISO 8601 in UTC, durations seconds; what was not observed is null."""
    data: dict[str, Any] = {
        "server": call.server,
        "call_id": call.call_id,
        "ticket": ticket,
        "queue": call.queue,
        "direction": call.direction.value,
        "outcome": call.outcome.value if call.outcome is not None else None,
        "arrived_at": _instant(call.arrived_at),
        "answered_at": _instant(call.answered_at),
        "ended_at": _instant(call.ended_at),
        "wait_seconds": _seconds(call.wait_seconds),
        "talk_seconds": _seconds(call.talk_seconds),
        "hold_seconds": _seconds(call.hold_seconds),
        "seat": call.answered_by,
        "transfers": len(call.transfers),
        "breaches": [breach.rule for breach in call.breaches],
        "complete": call.complete,
        "recovered": call.recovered,
    }
    if with_number:
        data["number"] = call.caller_number
    return orjson.dumps({"type": event, "version": 1, "timestamp": _instant(call.ended_at), "data": data})


def _instant(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _seconds(of: float | None) -> float | None:
    """As fine as the instants: differences of floats have digits that nobody measured."""
    return None if of is None else round(of, 3)


def trial_body(server: str, webhook: str, now: float) -> bytes:
    """What ``callcenter webhook test`` sends: no call, and so of a type of its own."""
    data = {"server": server, "webhook": webhook}
    return orjson.dumps({"type": TEST, "version": 1, "timestamp": _instant(now), "data": data})


async def post(session: aiohttp.ClientSession, name: str, webhook: Webhook, message_id: str, body: bytes) -> str:
    """Why the system did not take the message; empty if it did."""
    at = int(time.time())
    try:
        key = key_of(read_secret(webhook.secret_file, f"webhooks.{name}.secret_file"))
        headers = {
            "content-type": "application/json",
            "user-agent": f"callcenter/{__version__}",
            "webhook-id": message_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(key, message_id, at, body),
        }
        async with session.post(
            webhook.url,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=webhook.timeout_seconds),
        ) as answer:
            return "" if 200 <= answer.status < 300 else f"it answered {answer.status}"
    except SettingsError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {webhook.timeout_seconds:g} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return f"no connection ({type(error).__name__})"


class Webhooks:
    """``told`` reads a call; ``count`` takes webhook and outcome; ``traced`` takes call id, webhook, seconds, outcome.
    ``now``: epoch seconds. Run ``run`` in a task."""

    def __init__(
        self,
        deliveries: Deliveries,
        told: Told,
        server: str,
        webhooks: Mapping[str, Webhook],
        now: Callable[[], float],
        count: Callable[[str, str], None],
        traced: Callable[[str, str, float, str], None] = lambda call_id, webhook, seconds, outcome: None,
    ) -> None:
        self._deliveries, self._told, self._server = deliveries, told, server
        self._webhooks, self._now, self._count, self._traced = webhooks, now, count, traced
        self.pending: dict[str, Pending] = {}
        """By webhook; what the store said last."""
        self.failing: set[str] = set()
        """Webhooks whose last message was not taken."""

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            for name in self._webhooks:
                group.create_task(self._serve(name, session))
            group.create_task(self._forget())

    async def _serve(self, name: str, session: aiohttp.ClientSession) -> None:
        while True:
            healthy = True
            try:
                for one in await self._deliveries.due(self._server, name, self._now(), AT_ONCE):
                    if not (healthy := await self._deliver(name, one, session)):
                        break
                self.pending[name] = await self._deliveries.pending(self._server, name)
            except BrokenWorld:
                healthy = False  # the store is away: the pipeline waits for it, and says so
            await asyncio.sleep(EVERY_SECONDS if healthy else REST_SECONDS)

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(FORGET_EVERY_SECONDS)
            try:
                await self._deliveries.forget(self._server, self._now() - KEPT_SECONDS)
            except BrokenWorld:
                continue  # at the next turn

    async def _deliver(self, name: str, one: Delivery, session: aiohttp.ClientSession) -> bool:
        """Whether the system took it, or there is nothing left to tell."""
        found = await self._told(one.call_id)
        if found is None:
            await self._deliveries.ended(one.message_id, GIVEN_UP)
            self._count(name, "given_up")
            return True
        body = body_of(one.event, *found, self._webhooks[name].with_number)
        began = time.monotonic()
        error = await post(session, name, self._webhooks[name], one.message_id, body)
        outcome = "failed" if error else "done"
        if not error:
            await self._deliveries.ended(one.message_id, DONE)
        elif self._now() - one.created_at > GIVEN_UP_AFTER_SECONDS:
            await self._deliveries.ended(one.message_id, GIVEN_UP)
            outcome = "given_up"
        else:
            failures = one.attempts + 1
            await self._deliveries.postponed(one.message_id, self._now() + delay(failures), failures, error)
        self._count(name, outcome)
        self._traced(one.call_id, name, time.monotonic() - began, outcome)
        self._tell(name, error)
        return not error

    def _tell(self, name: str, error: str) -> None:
        """Once when it begins to fail, once when it is well again."""
        if error and name not in self.failing:
            self.failing.add(name)
            log.warning(
                "webhooks.%s: %s; it is tried again for a day. See the address and its system's log.", name, error
            )
        elif not error and name in self.failing:
            self.failing.discard(name)
            log.info("webhooks.%s: takes messages again", name)


def ages(pending: Mapping[str, Pending], now: float) -> Iterable[tuple[tuple[str], float]]:
    """By webhook, how long the oldest message waits; 0 where none does."""
    for name, one in pending.items():
        yield (name,), max(0.0, now - one.oldest_at) if one.oldest_at is not None else 0.0
