"""The store when processes are killed, disks fill up, files rot and others hold the lock.

The kill points of the whole daemon are tests of the daemon; here the store stands alone.
"""

import asyncio
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from callcenter.store import Store, StoreError, StoreUnavailableError, migrate
from callcenter.store.schema import REVISIONS
from tests.faults.store_child import numbered
from tests.store.build import NOW, batch, call, commit, new_ticket
from tests.store.places import Place, sqlite_place

ROOT = Path(__file__).parents[2]


@contextmanager
def child(story: str, url: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.faults.store_child", story, url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rest(process: "subprocess.Popen[str]") -> list[str]:
    """What the child still said, in whole lines: one that a kill cut in the middle acknowledges nothing."""
    assert process.stdout is not None
    return [text.rstrip("\n") for text in process.stdout if text.endswith("\n")]


def assert_sound(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def assert_whole_batches(store: Store) -> int:
    """Every batch that is there is there whole, in order and once; returns how many."""
    payloads = [row.payload for row in [row async for row in store.journal.tail("pbx")]]
    assert payloads == [f"batch {n}".encode() for n in range(len(payloads))]
    count = len(payloads)
    assert await store.tickets.count() == 5 * count
    assert await store.calls.without_ticket("pbx") == ()
    assert len(await store.calls.running("pbx")) == (5 if count else 0)
    assert await store.journal.observed_until("pbx") == (count - 1 if count else None)
    return count


async def test_kill_9_amid_commits_loses_nothing_that_was_acknowledged(sqlite: Place) -> None:
    pauses = random.Random(7)
    acknowledged = -1
    for _ in range(6):
        with child("commit_for_ever", sqlite.url) as process:
            assert line(process).startswith("open")
            await asyncio.sleep(pauses.uniform(0.02, 0.5))
            process.send_signal(signal.SIGKILL)
            committed = [int(text.split()[1]) for text in rest(process) if text.startswith("committed")]
        acknowledged = max([acknowledged, *committed])
        assert_sound(sqlite.file)
        async with sqlite.open() as store:
            assert await assert_whole_batches(store) > acknowledged
    assert acknowledged > 5, "the child must have been killed amid commits"


async def test_a_second_daemon_is_refused_and_told_by_whom(sqlite: Place) -> None:
    with child("hold", sqlite.url) as holder:
        assert line(holder) == "open"
        begun = time.monotonic()
        with pytest.raises(StoreError, match=rf"in use by another callcenter \(process {holder.pid}\); stop that one"):
            await Store.open(sqlite.url)
        assert time.monotonic() - begun < 4.0, "at once: who waits for SQLite's lock waits 5 s"
        with pytest.raises(StoreError, match="in use by another callcenter"):
            await migrate(sqlite.url)
        async with sqlite.open(exclusive=False) as tool:
            await commit(tool, call("c1"))
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    async with sqlite.open() as store:
        assert await store.calls.get("pbx", "c1") == call("c1")


async def test_a_second_daemon_is_refused_by_any_name_of_the_file(sqlite: Place, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(sqlite.file)
    async with sqlite.open():
        with child("refused", f"sqlite:///{link}") as process:
            assert line(process).startswith("refused")
    with child("refused", f"sqlite:///{link}") as process:
        assert line(process) == "opened"


@contextmanager
def locked(file: Path) -> Iterator[sqlite3.Connection]:
    """Another program amid a write."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_a_commit_waits_for_another_program(sqlite: Place) -> None:
    async with sqlite.open() as store:
        with locked(sqlite.file) as other:
            waiting = asyncio.create_task(commit(store, call("c1")))
            await asyncio.sleep(0.7)
            assert not waiting.done()
            assert await store.tickets.count() == 0, "reading goes on meanwhile"
            other.execute("ROLLBACK")
            assert (await waiting).tickets["c1"].opened


async def test_a_save_that_begins_by_reading_waits_for_what_another_program_writes(sqlite: Place) -> None:
    async with sqlite.open() as store:
        one = await new_ticket(store)
        with locked(sqlite.file) as other:
            waiting = asyncio.create_task(store.tickets.save_fields(one.id, {"problem": "x"}, "anna", NOW, one.version))
            await asyncio.sleep(0.5)
            other.execute("UPDATE tickets SET category = 'from elsewhere', version = version + 1")
            other.execute("COMMIT")
            await waiting
        stored = await store.tickets.get(one.id)
        assert (stored.fields["problem"], stored.fields["category"]) == ("x", "from elsewhere")


async def test_a_commit_that_cannot_wait_any_longer_may_be_repeated(sqlite: Place) -> None:
    async with sqlite.open(busy_seconds=0.2) as store:
        one = batch(call("c1"), log=b"events")
        with locked(sqlite.file), pytest.raises(StoreUnavailableError, match="locked by another process"):
            await store.commit(one)
        assert (await store.commit(one)).tickets["c1"].number == "26-1122-0001"
        assert len([row async for row in store.journal.tail("pbx")]) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB. The tests run as root, who may mount it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


async def commit_until_refused(store: Store, sentence: str) -> int:
    for number in range(10_000):
        try:
            await store.commit(numbered(number))
        except StoreUnavailableError as error:
            if sentence in str(error):
                return number
            raise
    raise AssertionError("it was never refused")


async def test_a_full_disk_stops_writing_until_there_is_space(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_000_000))
    place = sqlite_place(small_disk)
    await place.migrate()
    async with place.open() as store:
        number = await commit_until_refused(store, "the disk is full; free some space")
        assert number > 0
        with pytest.raises(StoreUnavailableError):
            await store.commit(numbered(number))
        assert (await store.tickets.find()).tickets, "reading goes on"
        filler.unlink()
        for later in range(number, number + 5):
            await store.commit(numbered(later))
        assert await assert_whole_batches(store) == number + 5
    assert_sound(place.file)


async def test_a_write_error_loses_nothing(sqlite: Place) -> None:
    with child("starve", sqlite.url) as process:
        told = rest(process)
    assert told[0] == "open"
    assert re.fullmatch(r"unavailable \d+ .*(disk reports an error|disk is full).*", told[1])
    assert told[2].startswith("resumed")
    assert_sound(sqlite.file)
    async with sqlite.open() as store:
        assert await assert_whole_batches(store) == int(told[2].split()[1]) + 10


async def fill(place: Place, batches: int = 40) -> None:
    async with place.open() as store:
        for number in range(batches):
            await store.commit(numbered(number))


def overwrite_pages(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096 * 2 : 4096 * 30] = random.Random(1).randbytes(4096 * 28)
    file.write_bytes(data)


def overwrite_header(file: Path) -> None:
    file.write_bytes(b"this is a text file, no database" * 500)


def cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize("damage", [overwrite_pages, overwrite_header, cut_short])
async def test_a_damaged_file_is_refused_and_left_as_it_is(sqlite: Place, damage) -> None:  # type: ignore[no-untyped-def]
    await fill(sqlite)
    damage(sqlite.file)
    before = sqlite.file.read_bytes()
    for attempt in (Store.open(sqlite.url, create=True), migrate(sqlite.url)):
        with pytest.raises(StoreError, match="is damaged or no database; it was left as it is: restore it"):
            await attempt
    assert sqlite.file.read_bytes() == before


async def read_everything(place: Place) -> None:
    async with place.open() as store:
        await store.tickets.find()
        await store.commit(batch(call("c1"), log=b"x"))
        await assert_whole_batches(store)


async def test_damage_found_later_is_said_and_not_repaired(sqlite: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(sqlite)
    overwrite_pages(sqlite.file)
    monkeypatch.setattr("callcenter.store.sqlite_file._quick_check", lambda _: asyncio.sleep(0))
    with pytest.raises(StoreError, match="is damaged or no database"):
        await read_everything(sqlite)


async def test_what_is_no_store_is_refused_with_a_remedy(tmp_path: Path) -> None:
    place = sqlite_place(tmp_path)
    with pytest.raises(StoreError, match=r"There is no database at .*; run 'callcenter migrate' to create it"):
        await Store.open(place.url)
    assert not place.file.exists()
    place.file.write_bytes(b"")
    with pytest.raises(StoreError, match="is empty: restore it from a backup, or remove it"):
        await Store.open(place.url, create=True)
    place.file.unlink()
    place.file.mkdir()
    with pytest.raises(StoreError, match="is not a file"):
        await Store.open(place.url, create=True)
    with pytest.raises(StoreError, match=r"make its folder writable|cannot be opened"):
        await Store.open(f"sqlite:///{tmp_path}/nowhere/x.db", create=True)


async def test_a_database_that_was_taken_from_its_log_is_not_made_anew(sqlite: Place) -> None:
    with child("commit_for_ever", sqlite.url) as process:
        for _ in range(4):
            line(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    moved = sqlite.file.rename(sqlite.file.with_name("moved.db"))
    with pytest.raises(StoreError, match=r"is missing, but its write-ahead log .* is there"):
        await Store.open(sqlite.url, create=True)
    moved.rename(sqlite.file)
    async with sqlite.open() as store:
        assert await assert_whole_batches(store) >= 3


async def test_tables_of_another_version_or_program_are_refused(empty_place: Place) -> None:
    await empty_place.migrate()
    await run_sql(empty_place, "UPDATE alembic_version SET version_num = '9999'")
    for attempt in (open_once(empty_place), empty_place.migrate()):
        with pytest.raises(StoreError, match=r"has schema 9999, made by a newer callcenter .* install that version"):
            await attempt
    await run_sql(empty_place, "DELETE FROM alembic_version")
    for attempt in (open_once(empty_place), empty_place.migrate()):
        with pytest.raises(StoreError, match="holds tables of another program"):
            await attempt


async def test_a_database_without_tables_names_the_command(empty_place: Place) -> None:
    if empty_place.kind == "sqlite":
        with closing(sqlite3.connect(empty_place.file)) as connection:
            connection.execute("CREATE TABLE something_else (x)")
    with pytest.raises(
        StoreError, match=rf"no tables yet and this program needs {REVISIONS[-1]}: .*'callcenter migrate'"
    ):
        await open_once(empty_place)
    assert (await empty_place.migrate()).before is None
    await open_once(empty_place)
    assert (await empty_place.migrate()).before == REVISIONS[-1]


async def open_once(place: Place) -> None:
    async with place.open():
        pass


async def run_sql(place: Place, statement: str) -> None:
    if place.kind == "sqlite":
        with closing(sqlite3.connect(place.file)) as connection, connection:
            connection.execute(statement)
        return
    import asyncpg

    connection = await asyncpg.connect(place.url, password=place.password)
    await connection.execute(statement)
    await connection.close()


async def assert_taken_back_and_done_again(place: Place, die_at_statement: int) -> None:
    environment = {"DIE_AT_STATEMENT": str(die_at_statement)}
    if place.password:
        environment["STORE_PASSWORD"] = place.password
    with child("die_in_migration", place.url, **environment) as process:
        assert rest(process) == [], "it must have died on the way"
        assert process.wait() == -signal.SIGKILL
    with pytest.raises(StoreError, match="callcenter migrate"):
        await open_once(place)
    assert (await place.migrate()).before is None
    async with place.open() as store:
        await commit(store, call("c1"))
        assert await store.tickets.count() == 1


@pytest.mark.parametrize("statement", [6, 15, 28])
async def test_an_interrupted_migration_is_taken_back_and_done_again(empty_place: Place, statement: int) -> None:
    await assert_taken_back_and_done_again(empty_place, statement)


@pytest.mark.parametrize("statement", [15, 28])
async def test_an_interrupted_migration_in_place_leaves_the_file_as_it_was(tmp_path: Path, statement: int) -> None:
    place = sqlite_place(tmp_path)
    with closing(sqlite3.connect(place.file)) as connection, connection:
        connection.execute("CREATE TABLE something_else (x)")
    await assert_taken_back_and_done_again(place, statement)
    with closing(sqlite3.connect(place.file)) as connection:
        assert connection.execute("SELECT count(*) FROM something_else").fetchone() == (0,)


@pytest.mark.parametrize("create", [True, False])
async def test_a_new_file_is_made_only_when_asked_for(tmp_path: Path, create: bool) -> None:
    place = sqlite_place(tmp_path)
    with suppress(StoreError):
        async with place.open(create=create) as store:
            await commit(store, observed_until=NOW)
    assert place.file.exists() == create
    if create:
        assert place.file.stat().st_mode & 0o077 == 0, "it will hold personal data"
