"""One site at which every page has something to show: reviews, two months of history, books, a busy hotline, a status.

``python -m tests.fakes.every_page PORT FOLDER``: pages on PORT, on loopback, for browser tests. Says ``ready`` when it
is. Stored things are real, what is true now is the memory's; ``scripts/screenshots`` photographs the same site.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from callcenter.callbacks import LiveCallbacks
from callcenter.calls.books import Book, Difference, Kind, Reason
from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.metrics.callbacks import CallbackFigures
from callcenter.rules.decide import decide
from callcenter.settings import Settings
from callcenter.store import Batch, Store
from callcenter.tickets.callbacks import Attempt
from callcenter.tickets.clocks import Clock, Name
from callcenter.tickets.model import patch_of
from callcenter.web.clock_ports import OfLevel, Watched, Watching
from callcenter.web.doors import serve
from callcenter.web.health_ports import BookDay, BookLine, Part, Unobserved
from callcenter.web.live import Hub
from callcenter.web.ports import History, Ports
from callcenter.web.server import make_app
from tests.fakes import morning, wallboard_scene
from tests.fakes.callbacks import MemoryCallbacks, owed
from tests.fakes.clocks import MemoryClocks
from tests.fakes.report_site import SHANGHAI, SITE, TARGETS, fill
from tests.fakes.review_site import people, reviewed, sound, stored_ports
from tests.fakes.roster import Planned
from tests.fakes.roster import stage as stage_roster
from tests.fakes.web import FAST_HASHER, Board, Doctor, Memory, until_ended
from tests.fakes.web_server import OPTIONS
from tests.store.places import sqlite_place

ADDRESSES = {
    "desk": "/desk",
    "tickets": "/tickets?view=all",
    "ticket": "/tickets/1",
    "callbacks": "/callbacks",
    "supervise": "/supervise",
    "supervise-queue": "/supervise?queue=q1",
    "supervise-screens": "/wallboard/links",
    "review": "/review",
    "review-call": "/review/{draft}",
    "review-rates": "/review/seats",
    "reports": "/reports",
    "reports-compared": "/reports?by=queue&grain=week",
    "reports-none": "/reports?from=2001-01-01&to=2001-01-02",
    "reports-heat": "/reports?view=heat",
    "reports-ahead": "/reports?view=ahead",
    "books": "/books?show=all",
    "books-filtered": "/books?show=explained&fact=wait",
    "status": "/status",
    "runbook": "/status/runbook",
    "help": "/help",
    "account": "/account",
}
"""Pages for a supervisor; the wallboard, which has no menu, is not among them."""
MENU = {
    "desk": "desk",
    "tickets": "tickets",
    "ticket": "tickets",
    "callbacks": "callbacks",
    "supervise": "supervise",
    "review": "review",
    "reports": "reports",
    "books": "books",
    "status": "status",
    "runbook": "status",
}
"""By the beginning of a page's name: the entry of the menu that is marked on it."""


class Kept:
    """``ports.Books`` with some days of differences."""

    def __init__(self, now: float) -> None:
        told = (
            (600, Kind.TALK, Book.CDR, "91.0 s", "78.0 s", None, 4),
            (900, Kind.WAIT, Book.QUEUE_LOG, "42.0 s", "15.0 s", Reason.REDIRECTED, 5),
            (40_000, Kind.SEAT, Book.QUEUE_LOG, "1002", "1003", Reason.PICKED_UP, 2),
            (90_000, Kind.MISSING_OURS, Book.CDR, "", "call", None, None),
            (90_500, Kind.ENDED_BY, Book.QUEUE_LOG, "caller", "seat", Reason.TRANSFERRED, 3),
        )
        self._all = [
            BookLine(
                Difference(f"pbx-1795665600.{n}", kind, book, ours, theirs, reason, now - ago),
                ticket,
                None if ticket is None else f"26-1126-{ticket:04}",
            )
            for n, (ago, kind, book, ours, theirs, reason, ticket) in enumerate(told)
        ]
        day = datetime.fromtimestamp(now, SHANGHAI).date()
        whole = {1: True, 2: True, 3: False}
        self._days = {
            (day - timedelta(days=n)).isoformat(): BookDay(500 - n, kept, now - n) for n, kept in whole.items()
        }

    async def lines(
        self, since: float, until: float, explained: bool | None, kind: str, limit: int
    ) -> Sequence[BookLine]:
        return [
            line
            for line in self._all
            if since <= line.difference.at < until
            and explained in (None, line.difference.explained)
            and kind in ("", line.difference.kind)
        ]

    async def days(self, since: str) -> Mapping[str, BookDay]:
        return {day: done for day, done in self._days.items() if day >= since}


class Told(MemoryClocks):
    """``ports.Clocks``: those of the memory, and what is told of all open tickets."""

    def watched(self) -> Watched:
        now = self.memory.now()
        kept = Clock(Name.RESOLUTION, "D1", 3600, now - 3000, warn_at=now - 60, due_at=now + 600)
        lost = Clock(Name.RESPONSE, "D1", 900, now - 1400, warn_at=now - 700, due_at=now - 500)
        called = Clock(Name.MANAGER, "D3", 3600, now - 3000, warn_at=now - 60, due_at=now + 700)
        worst = (
            Watching(1, "26-1126-0171", "q0", "1004", "vip", lost),
            Watching(2, "26-1126-0185", "q1", "1009", "advanced", kept),
            Watching(2, "26-1126-0185", "q1", "1009", "advanced", called),
        )
        levels = {
            ("q0", "vip"): OfLevel(4, 0, 1),
            ("q1", "advanced"): OfLevel(12, 3, 0),
            ("q2", "standard"): OfLevel(31),
        }
        return Watched(levels, worst, first_line={"q0": (171, 104)})


def doctor(now: float, *, ill: bool = True) -> Doctor:
    """The daemon's parts: all well, or with something of every kind that is not."""
    parts = [
        Part("asterisk", True, "up", facts={"asterisk_version": "22.10.1", "clock_offset_seconds": 0.012, "losses": 2}),
        Part("calls", True, "running", facts={"running_calls": 3, "last_call_at": now - 70, "lag_seconds": 0.013}),
        Part("observation", True, "whole", facts={"unobserved_seconds": 0, "gaps": 0}),
        Part("store", True, "writing", facts={"kind": "SQLite", "size_bytes": 48_234_496, "stored_seconds": 0.4}),
        Part("call records", True, "reading", facts={"unreadable_lines": 0}),
        Part("commands", True, "none waiting", facts={"waiting": 0, "done_commands": 44, "failed_commands": 1}),
        Part("transcription", True, "at work", facts={"waiting": 7, "working": 1, "backlog_seconds": 2340}),
        Part("secrets", True, "readable"),
        Part("program", True, "up", facts={"version": "0.9.0", "started_at": now - 90_000}),
    ]
    if not ill:
        return Doctor(parts)
    parts[0] = Part("asterisk", False, "lost", "no connection: nobody listens there", "Is Asterisk running?")
    parts[3] = Part(
        "store",
        False,
        "late",
        "nothing was stored for 12 s. The SQLite file callcenter.db cannot grow: the disk is full; free some space.",
    )
    gaps = [
        Unobserved(now - 4000, now - 3800, "the daemon was not running"),
        Unobserved(now - 300, None, "Asterisk closed the connection"),
    ]
    return Doctor(parts, gaps)


async def furnish(store: Store, folder: Path) -> dict[str, int]:
    """Fills the store. Returns the recordings by what is to be seen of them."""
    now = morning.now()
    sound(folder / "rec")
    await people(store)
    ids = await reviewed(store, now)
    await fill(store, datetime.fromtimestamp(now, SHANGHAI).date())
    return ids


def callbacks(clock: Callable[[], float]) -> MemoryCallbacks:
    """Late, due and claimed ones, one of a queue that nobody named."""
    now, kept = clock(), MemoryCallbacks(clock, withheld=2)
    kept.put(
        owed(
            1,
            now,
            -7,
            losses=3,
            tries=1,
            attempts=(Attempt("lost", now - 900, ""), Attempt("tried", now - 300, "1003")),
        ),
        owed(2, now, 1, "B5", queue="q1"),
        owed(3, now, 25, claimed_by="ma", claimed_until=now + 300),
        owed(4, now, 48, reason="overflowed", queue=None, ticket_id=None, ticket_number=""),
    )
    return kept


def inside(store: Store, folder: Path, scene: str = "busy", *, ringing: bool = False) -> Ports:
    """The ports of the site, with the hotline in one of the states of ``wallboard_scene``; ``ringing``: at the
    supervisor's own phone, too."""
    memory = Memory(morning.now)
    wallboard_scene.stage(scene, memory)
    if not ringing:
        memory.calls_by_id = {key: call for key, call in memory.calls_by_id.items() if "1003" not in call.ringing}
    memory.links = {"hash-of-hall": "大厅", "hash-of-yard": "仓库"}
    memory.links_seen = {"hash-of-hall": morning.now() - 40}
    planned = Planned(memory)
    stage_roster(planned)
    return replace(
        stored_ports(store, memory, folder / "rec"),
        board=Board(memory),
        links=memory,
        history=History(SITE, store.reports("pbx", TARGETS)),
        books=Kept(morning.now()),
        callbacks=callbacks(memory.now),
        health=doctor(morning.now()),
        roster=planned,
        clocks=Told(memory),
    )


async def lose(store: Store) -> None:
    """Callers whom nobody spoke to, and one who was cut off, in the store by way of the rules."""
    now = morning.now()
    stories: tuple[tuple[float, dict[str, Any]], ...] = (
        (67, {"queue": "q0"}),
        (20, {"queue": "q1", "outcome": Outcome.OVERFLOWED}),
        (1, {"queue": "q1", "outcome": Outcome.ANSWERED, "answered_at": now - 120, "cut_off": "no_sound"}),
        (5, {"outcome": Outcome.FAILED}),
        (4, {"queue": "q0", "caller_number": "anonymous"}),
    )
    for number, (minutes, values) in enumerate(stories):
        at = now - 60 * minutes
        lost: dict[str, Any] = {"outcome": Outcome.ABANDONED, "wait_seconds": 30.0, "arrived_at": at - 30}
        lost |= {"ended_at": at, "caller_number": f"1390000{number:04}"} | values
        call = Call("pbx", f"lost-{number}.1", Direction.INBOUND, Phase.ENDED, **lost)
        commands = list(decide(None, call, Settings(), now))
        await store.commit(Batch("pbx", now, calls=[call], tickets=[patch_of(call)], commands=commands))


async def main(port: int, folder: Path) -> None:
    place = sqlite_place(folder)
    await place.migrate()
    async with place.open() as store:
        ids = await furnish(store, folder)
        hub = Hub()
        kept = LiveCallbacks(
            *(Settings(), store, morning.now, CallbackFigures(CollectorRegistry())),
            *(hub.board_changed, lambda ticket: hub.ticket_changed(ticket, None)),
        )
        await lose(store)
        refreshing = asyncio.create_task(kept.run())
        site = replace(inside(store, folder, ringing=True), callbacks=kept)
        app = make_app(site, OPTIONS, hub, morning.now, hasher=FAST_HASHER)
        runner = await serve(app, "127.0.0.1", port)
        try:
            await until_ended(runner, told=f"ready {ids['draft']}")
        finally:
            refreshing.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
