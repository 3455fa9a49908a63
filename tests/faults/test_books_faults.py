"""Comparing with Asterisk's books while they are missing, unreadable, rotated or hostile, or the disk is full."""

import gzip
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcenter.calls.books import Difference, Kind, Reason
from callcenter.clock import ManualClock
from callcenter.effects import bookshelf
from callcenter.effects.bookshelf import Files, period
from callcenter.effects.reconciler import READING, UNREADABLE, WAITING, Reconciler, Terms
from callcenter.errors import BrokenWorld
from callcenter.store import Store
from callcenter.store.batch import Gap
from tests.faults.test_store_faults import commit_until_refused, small_disk
from tests.store.build import NOW, commit
from tests.store.places import Place, sqlite_place
from tests.unit.test_books import ID, OURS, queue_log, row

__all__ = ["small_disk"]
ZONE = ZoneInfo("Asia/Shanghai")
TERMS = Terms("pbx", frozenset({"trunk"}), 180.0, time(3, 30), ZONE, 400)
OTHER = "pbx-1795305600.9"


class Bench:
    """Both files, a store, a clock, and what was told."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.clock = store, ManualClock(NOW)
        self.cdr, self.queue_log = folder / "callcenter.csv", folder / "queue_log"
        self.files = Files(self.cdr, self.queue_log)
        self.runs: list[str] = []
        self.new: list[Difference] = []
        self.compared = 0
        self.reconciler = Reconciler(store.books, self.files, TERMS, self.clock.wall, self)

    def books_compared(self, calls: int, new: Sequence[Difference]) -> None:
        self.compared += calls
        self.new += new

    def books_run(self, run: str, at: float) -> None:
        self.runs.append(run)

    def write(self, cdr: str = "", log: str = "") -> None:
        for path, text in ((self.cdr, cdr), (self.queue_log, log)):
            with path.open("a") as file:
                file.write(text)

    async def attempt(self) -> str:
        return await self.reconciler._attempt()

    @property
    def kinds(self) -> list[Kind]:
        return [one.kind for one in self.new if not one.explained]


@pytest.fixture
async def bench(sqlite: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with sqlite.open() as store:
        await commit(store, calls=[OURS], observed_until=NOW)
        yield Bench(store, tmp_path)


async def test_an_ended_call_is_compared_once_it_is_due(bench: Bench) -> None:
    bench.write(row() + "\n", queue_log() + "\n")
    assert (await bench.attempt(), bench.compared) == (READING, 0)
    bench.clock.advance(300)
    assert (await bench.attempt(), bench.compared, bench.new) == (READING, 1, [])
    await bench.attempt()
    assert bench.compared == 1
    assert bench.runs.count("continuous") == 3


async def test_the_first_call_that_was_lost_is_missing(sqlite: Place, tmp_path: Path) -> None:
    """No call of ours tells since when we listened; the link does. What was before it is no difference."""
    async with sqlite.open() as store:
        await commit(store, observed_until=NOW - 1)
        bench = Bench(store, tmp_path)
        earlier = {"start": f"{NOW - 60}", "answer": f"{NOW - 50}", "end": f"{NOW - 40}"}
        bench.write(row(linkedid=OTHER, uniqueid=OTHER, **earlier) + "\n" + row() + "\n")
        bench.clock.advance(300)
        await bench.attempt()
        assert [(one.call_id, one.kind) for one in bench.new] == [(ID, Kind.MISSING_OURS)]


async def test_files_that_are_not_there_say_nothing(bench: Bench) -> None:
    bench.clock.advance(300)
    assert (await bench.attempt(), bench.compared, bench.new) == (READING, 1, [])


async def test_an_empty_file_says_that_there_is_no_record(bench: Bench) -> None:
    bench.write("", "")
    bench.clock.advance(300)
    await bench.attempt()
    assert bench.kinds == [Kind.MISSING_CDR, Kind.MISSING_QUEUE_LOG]


async def test_a_line_that_comes_late_is_compared_with_the_others(bench: Bench) -> None:
    bench.write("", queue_log() + "\n")
    bench.clock.advance(300)
    await bench.attempt()
    assert bench.kinds == [Kind.MISSING_CDR]
    bench.write(row()[:40])
    await bench.attempt()
    bench.write(row()[40:] + "\n")
    await bench.attempt()
    assert await bench.store.books.found("pbx", NOW, NOW + 100) == []


async def test_a_file_that_cannot_be_read_is_told_and_read_later(bench: Bench) -> None:
    os.mkfifo(bench.queue_log)
    bench.cdr.write_text(row() + "\n")
    bench.clock.advance(300)
    assert (await bench.attempt()).startswith(UNREADABLE)
    assert bench.compared == 0
    bench.queue_log.unlink()
    bench.write("", queue_log() + "\n")
    assert (await bench.attempt(), bench.compared, bench.new) == (READING, 1, [])


async def test_rotated_between_two_reads(bench: Bench) -> None:
    """Lines went to the old file after the last read, and then to the new one."""
    at = int(NOW)
    first, *rest = queue_log().splitlines(keepends=True)
    bench.write(log=first)
    await bench.attempt()
    bench.write(log=rest[0])
    bench.queue_log.rename(bench.queue_log.with_name("queue_log.1"))
    bench.write(row() + "\n", f"{at + 26}|{ID}|support|1002|COMPLETECALLER|6|20|1\n")
    bench.clock.advance(300)
    await bench.attempt()
    assert (bench.compared, bench.new) == (1, [])


async def test_a_file_that_was_cut_is_begun_anew(bench: Bench) -> None:
    bench.write("x" * 500 + "\n", "junk\n" * 300)
    await bench.attempt()
    for path in (bench.cdr, bench.queue_log):
        path.write_text("")
    bench.write(row() + "\n", queue_log() + "\n")
    bench.clock.advance(300)
    await bench.attempt()
    assert (bench.compared, bench.new) == (1, [])
    assert bench.reconciler.bad_lines == 301


async def test_a_long_history_is_not_read_and_half_a_call_not_compared(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = row(linkedid=OTHER, uniqueid=OTHER) + "\n"
    monkeypatch.setattr(bookshelf, "LOOK_BACK_BYTES", len(half) * 5 // 2)
    bench = Bench(bench.store, tmp_path)
    bench.write(half * 40 + row() + "\n", queue_log() + "\n")
    bench.clock.advance(300)
    await bench.attempt()
    assert (bench.compared, bench.new) == (1, [])


async def test_a_store_that_refuses_is_asked_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk: nothing is lost, and nothing counts twice."""
    bench.write(row(userfield="sales") + "\n", queue_log() + "\n")
    bench.clock.advance(300)

    async def full(*_: object) -> None:
        raise BrokenWorld("The disk is full; free some space.")

    with monkeypatch.context() as broken:
        broken.setattr(bench.store.books, "store", full)
        assert (await bench.attempt(), bench.compared) == (WAITING, 0)
    assert (await bench.attempt(), bench.kinds) == (READING, [Kind.QUEUE])


def fill(database: Path) -> None:
    """Until the least of transactions is refused: what a refused one began to write leaves room for smaller ones."""
    with closing(sqlite3.connect(database, isolation_level=None)) as direct:
        try:
            for number in range(100_000):
                direct.execute(f"PRAGMA user_version = {number}")
        except sqlite3.OperationalError:
            return
    raise AssertionError("it was never refused")


async def test_a_disk_that_is_full(small_disk: Path, tmp_path: Path) -> None:
    """What is found waits for space, and is then there once."""
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_000_000))
    place = sqlite_place(small_disk)
    await place.migrate()
    async with place.open() as store:
        await commit(store, calls=[OURS])
        bench = Bench(store, tmp_path)
        bench.write(row(userfield="sales") + "\n", queue_log() + "\n")
        bench.clock.advance(300)
        await commit_until_refused(store, "the disk is full; free some space")
        fill(small_disk / "callcenter.db")
        bench.reconciler._days_done = {"2026-11-21"}
        assert (await bench.attempt(), bench.compared) == (WAITING, 0)
        filler.unlink()
        assert await bench.attempt() == READING
        assert [one.kind for one in bench.new if one.call_id == ID] == [Kind.QUEUE]  # beside those that filled the disk
        assert len(await store.books.found("pbx", NOW, NOW + 100, kind="queue")) == 1


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"a line")[:10] + b"\xff" * 40], ids=["none", "torn"])
async def test_a_damaged_file_of_the_past_is_named_and_ends_nothing(bench: Bench, content: bytes) -> None:
    bench.cdr.with_name("callcenter.csv-20261122.gz").write_bytes(content)
    bench.write("", queue_log())
    bench.reconciler._ended_until = NOW + 90_000
    bench.clock.advance(20 * 3600)  # 04:00 of the next day
    assert await bench.attempt() == f"{UNREADABLE}: callcenter.csv-20261122.gz is damaged"


async def test_the_night_compares_the_whole_last_day_once(bench: Bench) -> None:
    """Also what was rotated and compressed meanwhile."""
    with gzip.open(bench.cdr.with_name("callcenter.csv-20261122.gz"), "wt") as file:
        file.write(row(dstchannel="PJSIP/1003-2") + "\n")
    bench.write("", queue_log() + "\n" + "half a line")
    bench.reconciler._ended_until = NOW + 90_000  # what came before is the night's
    bench.reconciler._recent.read()
    bench.reconciler._recent.shelf.entries.clear()
    bench.clock.advance(20 * 3600)  # 04:00 of the next day
    await bench.attempt()
    assert bench.kinds == [Kind.SEAT]
    assert (await bench.store.books.days("pbx", "2026-11-22"))["2026-11-22"].compared == 1
    await bench.attempt()
    assert bench.compared == 1
    again = Reconciler(bench.store.books, bench.files, TERMS, bench.clock.wall, bench)
    await again.nightly()
    assert bench.compared == 1


async def test_before_its_time_the_night_does_nothing(bench: Bench) -> None:
    bench.clock.advance(19 * 3600)  # 03:00
    await bench.reconciler.nightly()
    assert await bench.store.books.days("pbx", "2026-11-22") == {}


def test_more_lines_than_are_held_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookshelf, "MAX_LINES", 10)
    files = Files(tmp_path / "cdr.csv", None)
    assert files.cdr is not None
    files.cdr.write_text((row() + "\n") * 30)
    shelf = period(files, NOW, NOW + 100)
    assert (shelf.whole, len(shelf.records[ID])) == (False, 11)


def test_the_shelf_is_bounded() -> None:
    shelf = bookshelf.Shelf(True, True)
    shelf.put_records(row(linkedid=f"c{n}", uniqueid=f"c{n}") for n in range(30))
    shelf.put_entries(f"{int(NOW)}|c{n}|q|NONE|ENTERQUEUE|||1" for n in range(40))
    assert shelf.bound(10) > 0
    assert (len(shelf.records), len(shelf.entries)) == (10, 10)


async def test_a_call_of_a_gap_is_explained(bench: Bench) -> None:
    await commit(bench.store, gaps=[Gap(NOW + 10, NOW + 20, "the link was lost")])
    bench.write(row(userfield="sales") + "\n", queue_log() + "\n")
    bench.clock.advance(300)
    await bench.attempt()
    assert [one.reason for one in bench.new] == [Reason.GAP]


async def test_many_differences_are_one_line_of_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.write("", "")
    bench.clock.advance(300)
    await bench.attempt()
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert told == [
        "new differences from Asterisk's books: missing_cdr 1, missing_queue_log 1; the page /books lists them"
    ]
