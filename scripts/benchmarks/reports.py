"""A report on a month of 100,000 calls, by queue and by seat, and the forecast from half a year of them, on SQLite.

Wall time of the whole answer, SQL and arithmetic, and beside it the CPU that this process spent: other programs
lengthen only the first. In the same rounds the reference: SQLite alone, adding the month up by half-hour and seat with
bare SQL. Meanwhile the longest that the event loop was kept from everything else, in CPU of its thread: what a ringing
seat's window would have waited.
"""

import asyncio
import json
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, Table, Text, cast, false, func, insert, literal, select

from benchmarks.measure import Row, spread
from benchmarks.snapshot import Watch
from callcenter.metrics.service_levels import Target, Targets
from callcenter.reports.ahead import ahead
from callcenter.reports.periods import Grain, Interval, bounds
from callcenter.reports.reading import read
from callcenter.reports.report import By, Question, Site
from callcenter.serve import collect_seldom
from callcenter.store import Store, migrate
from callcenter.store.call_rows import to_row
from callcenter.store.schema import calls, tickets
from tests.store.build import FULL_CALL, call, ended

CALLS, MONTHS, QUEUES, SEATS = 100_000, 6, 10, 50
TARGET_SECONDS, HOLD_TARGET_MS = 5.0, 50.0
MONTH = Interval(date(2026, 10, 1), date(2026, 10, 31))
SITE = Site(ZoneInfo("Asia/Shanghai"), Targets(Target(), {"queue1": Target(10, 5, "vip")}))
NOW = bounds(MONTH, SITE.zone)[1]
BARE = """SELECT CAST(arrived_at / 1800 AS INTEGER), queue, answered_by, count(*), sum(wait_seconds), sum(talk_seconds)
FROM calls WHERE server = 'pbx' AND arrived_at >= ? AND arrived_at < ? GROUP BY 1, 2, 3"""
BREACH = {"rule": "A1", "reason": "not_lifted", "at": 0.0}
Ask = Callable[[], Awaitable[Any]]


def rows(folder: Path, rounds: int) -> list[Row]:
    return asyncio.run(_rows(folder, max(3, rounds)))


async def _rows(folder: Path, rounds: int) -> list[Row]:
    url = f"sqlite:///{folder}/callcenter.db"
    await migrate(url)
    collect_seldom()
    store = await Store.open(url)
    try:
        await store._database.write(fill)
        source = store.reports("pbx", SITE.targets)
        reference: list[float] = []
        asked: dict[str, Ask] = {
            f"report on {CALLS:,} calls of a month by day and queue, with the month before": lambda: read(
                Question(MONTH, Grain.DAY, By.QUEUE), SITE, source, NOW
            ),
            "the same by half-hour and seat": lambda: read(
                Question(MONTH, Grain.HALF_HOUR, By.SEAT), SITE, source, NOW
            ),
            f"forecast of two weeks from {MONTHS} months of them": lambda: ahead(
                SITE, source, MONTH.last + timedelta(days=1)
            ),
        }
        found = [row for what, ask in asked.items() for row in await _measured(what, ask, rounds, folder, reference)]
    finally:
        await store.close()
    return [*found, Row("for comparison: bare SQL of the same half-hours and seats", "", f"{spread(reference)} s")]


async def _measured(what: str, ask: Ask, rounds: int, folder: Path, reference: list[float]) -> list[Row]:
    seconds, cpu, held = [], [], 0.0
    for _ in range(rounds):
        reference.append(await asyncio.to_thread(_bare, folder))
        began, spent = time.perf_counter(), time.process_time()
        await ask()
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
        held = max(held, await _held(ask))
    figure = f"{spread(seconds)} s ({spread(cpu)} s of CPU)"
    return [
        Row(what, f"≤ {TARGET_SECONDS:.0f} s", figure, statistics.median(seconds) <= TARGET_SECONDS),
        Row("longest hold of the event loop meanwhile", f"≤ {HOLD_TARGET_MS:.0f} ms", f"{held:.0f} ms of CPU",
            held <= HOLD_TARGET_MS),
    ]  # fmt: skip


async def _held(ask: Ask) -> float:
    """Asked once more, because watching costs CPU, too."""
    watch = Watch()
    watching = asyncio.create_task(watch.run())
    await ask()
    watching.cancel()
    return watch.take_ms()


def _bare(folder: Path) -> float:
    began = time.perf_counter()
    connection = sqlite3.connect(folder / "callcenter.db")
    connection.execute(BARE, bounds(MONTH, SITE.zone)).fetchall()
    connection.close()
    return time.perf_counter() - began


def fill(connection: Connection) -> None:
    """The month and those before it, each call with a ticket and as many details as one that rang at some seats."""
    random = Random(1)
    since, until = bounds(MONTH, SITE.zone)
    detail = json.loads(to_row(FULL_CALL, None, since)["detail"])
    some = []
    for number, at in enumerate(sorted(random.uniform(since, until) for _ in range(CALLS))):
        one = ended(
            call(f"c{number}", queue=f"queue{number % QUEUES}", arrived_at=at, answered_by=str(1000 + number % SEATS)),
            wait_seconds=random.expovariate(1 / 8),
            talk_seconds=random.expovariate(1 / 180),
            ended_at=at + 200,
            hold_seconds=random.choice((0.0,) * 19 + (75.0,)),
        )
        breaches = [BREACH] if random.random() < 0.1 else []
        some.append({**to_row(one, None, at), "breaches": breaches, "detail": detail})
        if len(some) == 5_000:
            connection.execute(calls.insert(), some)
            some = []
    for months in range(1, MONTHS):
        times = {at: calls.c[at] - months * (until - since) for at in ("arrived_at", "ended_at", "updated_at")}
        copied = {"call_id": calls.c.call_id + f"-{months}", **times}
        _insert(connection, calls, {**dict(calls.c), **copied}, calls.c.arrived_at >= since)
    _insert(connection, tickets, _ticket())


def _ticket() -> dict[str, Any]:
    """A ticket's columns, of those of its call."""
    c, number = calls.c, func.row_number().over(order_by=calls.c.arrived_at)
    values: dict[str, Any] = {
        column.name: literal("x" * 40) for column in tickets.c if isinstance(column.type, Text) and not column.nullable
    }
    values |= {"sequence": number, "number": cast(number, Text), "server": c.server, "call_id": c.call_id}
    values |= {"opened_at": c.arrived_at, "status": literal("closed"), "closed_at": c.ended_at + 30.0}
    return values | {"typed": literal("{}"), "recovered": false(), "version": literal(1), "updated_at": c.updated_at}


def _insert(connection: Connection, into: Table, values: dict[str, Any], *chosen: Any) -> None:
    source: Select[Any] = select(*values.values()).select_from(calls).where(*chosen)
    connection.execute(insert(into).from_select(list(values), source))
