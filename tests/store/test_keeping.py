"""How long recordings are kept and what is erased with them, on SQLite and on PostgreSQL, with real files."""

import asyncio
import os
import pwd
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from callcenter.calls.model import Direction
from callcenter.clock import ManualClock
from callcenter.errors import BadInput, BrokenWorld
from callcenter.settings import Asterisk, Queue, Settings
from callcenter.settings import Store as StoreSettings
from callcenter.speech import keeping
from callcenter.speech.keeping import LOOK_SECONDS, Keeper, erase_person, on_whose_word
from callcenter.store import Store
from callcenter.store.keeping import Whose
from callcenter.store.review_tables import phrase_sums
from callcenter.store.schema import findings, recordings, transcription_jobs, transcripts
from callcenter.store.speech import Recorded
from tests.fakes import calls as story
from tests.fakes.review_site import CLEAN, add
from tests.store.build import NOW, call, commit, ended
from tests.store.places import sqlite_place
from tests.store.test_reviews import BOTH
from tests.store.test_speech import WRITTEN
from tests.unit.test_live import House, talking

DAY = 86_400.0


def _written(names: list[str]) -> None:
    for name in names:
        Path(name).write_bytes(b"sound")


async def kept(store: Store, folder: Path, call_id: str, **values: object) -> None:
    """A call with three files, transcribed and judged."""
    names = [str(folder / f"{call_id}{track}.wav") for track in ("", "-seat", "-caller")]
    _written(names)
    talk = ended(call(call_id), recording=names[0], answered_by="1001", **values)
    talk = replace(talk, recording_seat=names[1], recording_caller=names[2])
    await commit(store, talk)
    await store.speech.register(Recorded(talk, "found", "ab" * 32, 12.5), NOW, hear=True)
    job = await store.jobs("pbx").claim("w", NOW, 60)
    assert job is not None
    assert await store.jobs("pbx").done(job, "w", NOW, WRITTEN)


def keeper(store: Store, folder: Path, now: float, queues: dict[str, int], others: int = 0) -> Keeper:
    settings = Settings(
        asterisk=Asterisk(recordings_dir=folder),
        queue_defaults=Queue(keep_recordings_days=others),
        queues={name: Queue(keep_recordings_days=days) for name, days in queues.items()},
    )
    return Keeper(store, settings, ManualClock(now))


async def count_of(store: Store, number: str) -> tuple[int, int]:
    """Recordings and transcripts."""
    found = await store.keeping.of(Whose(number))
    return len(found), sum(one.transcribed for one in found)


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.wav"))


async def test_what_a_queue_no_longer_keeps_goes_with_everything_that_was_made_of_it(
    store: Store, tmp_path: Path
) -> None:
    await kept(store, tmp_path, "1", queue="short")
    await kept(store, tmp_path, "2", queue="long")
    await kept(store, tmp_path, "3", queue=None)
    assert await keeper(store, tmp_path, NOW + 31 * DAY, {"short": 30, "long": 365}).step() == 1
    assert files(tmp_path) == ["2-caller.wav", "2-seat.wav", "2.wav", "3-caller.wav", "3-seat.wav", "3.wav"]
    for table in (transcripts, findings, transcription_jobs):
        assert len(await store.speech._database.rows(select(table))) == 2
    gone = next(row for row in await store.speech._database.rows(select(recordings)) if row["call_id"] == "1")
    assert (gone["state"], gone["seat_path"], gone["erased_at"]) == ("erased", None, NOW + 31 * DAY)
    (line,) = await store.keeping.audit()
    assert (line.what, line.by, line.recording_id, line.detail) == (
        "recording_erased", "retention", gone["id"], {"files": 3},
    )  # fmt: skip
    assert await keeper(store, tmp_path, NOW + 31 * DAY, {"short": 30, "long": 365}, others=1).step() == 1
    assert await keeper(store, tmp_path, NOW + 31 * DAY, {"short": 30, "long": 365}, others=1).step() == 0
    status = await store.speech.status("pbx", "1")
    assert status is not None
    assert status.state == "erased"


async def test_what_was_said_counts_after_its_recording_is_erased(store: Store) -> None:
    """Words, findings and index go; how often each seat said what it should stays, by day, queue, seat and phrase."""
    before_any = NOW - 6 * DAY
    ids = [
        await add(store, "c1", at=NOW),
        await add(store, "c2", found=CLEAN, at=NOW - DAY),
        await add(store, "c3", at=NOW - 60, found=BOTH[:1], seats=("1001", "1002")),
        await add(store, "c4", seat="1002", queue="hr", at=NOW - 3_600),
    ]
    before = await store.reviews.rates(before_any, 1)
    assert sum(one.said + one.not_said + one.doubtful for one in before) > 12
    of_seat = await store.reviews.rates(before_any, 1, "1002")
    assert of_seat
    by_queue = await store.reviews.rates_by_queue(before_any)
    assert set(by_queue) == {"it", "hr"}
    assert sum(one.said for found in by_queue.values() for one in found) == sum(one.said for one in before)
    assert {one.seat for one in by_queue["hr"]} == {"1002"}
    for one in ids:
        assert await store.keeping.erased(one, NOW, "retention", 3)
        assert not await store.keeping.erased(one, NOW, "retention", 3), "and is added once"
        assert await store.reviews.rates(before_any, 1) == before
        assert await store.reviews.rates_by_queue(before_any) == by_queue
    assert await store.reviews.rates(before_any, 1, "1002") == of_seat
    assert await store.reviews.rates(NOW + 2 * DAY, 1) == []
    for table in (transcripts, findings):
        assert await store.speech._database.rows(select(table)) == []
    sums = await store.speech._database.rows(select(phrase_sums))
    assert {(row["queue"], row["seat"]) for row in sums} == {("it", "1001"), ("it", "1002"), ("hr", "1002")}
    day = (
        datetime.fromtimestamp(NOW, ZoneInfo("Asia/Shanghai"))
        .replace(hour=0, minute=0, second=0, microsecond=0)
        .timestamp()
    )
    assert {row["day_at"] for row in sums} == {day, day - DAY}
    assert len(await store.keeping.audit()) == 4


async def test_nothing_goes_where_no_days_are_set(store: Store, tmp_path: Path) -> None:
    await kept(store, tmp_path, "1", queue="support")
    assert await keeper(store, tmp_path, NOW + 9_000 * DAY, {"support": 0}).step() == 0
    assert len(files(tmp_path)) == 3


async def test_one_persons_recordings_are_found_by_the_number_and_no_others(store: Store, tmp_path: Path) -> None:
    await kept(store, tmp_path, "1", caller_number="13800138000")
    await kept(store, tmp_path, "2", caller_number="13800138001", dialled="4000")
    await kept(store, tmp_path, "3", caller_number="1001", dialled="13800138002", direction=Direction.OUTBOUND)
    assert await count_of(store, "4000") == (0, 0)
    assert await count_of(store, "13800138002") == (1, 1)
    assert await count_of(store, "13800138000") == (1, 1)
    for writing in ("138 0013 8000", "+86 138-0013-8000", "013800138000"):
        assert await count_of(store, writing) == (1, 1), "as tickets show it, or as people write it"
    assert await count_of(store, "138 0013 8002") == (1, 1)
    (one,) = await store.keeping.of(Whose("13800138000"))
    assert {Path(path).name for path in one.paths} == {"1.wav", "1-seat.wav", "1-caller.wav"}


async def test_a_file_outside_the_folder_stays_and_a_file_that_cannot_go_keeps_its_row(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "monitor"
    inside.mkdir()
    (inside / "other.wav").write_bytes(b"sound")
    await kept(store, tmp_path, "1", queue="q")
    assert await keeper(store, inside, NOW + 2 * DAY, {"q": 1}).step() == 0
    assert len(files(tmp_path)) == 3, "none of these lies in the folder"
    (inside / "linked").symlink_to(tmp_path / "another-disk")
    await kept_as_named(store, "3", "linked/3.wav")
    assert await keeper(store, inside, NOW + 2 * DAY, {"q": 1}).step() == 0, "it may be on a disk that is away"
    await kept_as_named(store, "4", "4.wav")
    assert await keeper(store, inside, NOW + 2 * DAY, {"q": 1}).step() == 1, "it is truly gone"
    assert [line.detail for line in await store.keeping.audit()] == [{"files": 0}]

    def refuse(_path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    await kept(store, inside, "2", queue="q")
    monkeypatch.setattr(Path, "unlink", refuse)
    assert await keeper(store, inside, NOW + 2 * DAY, {"q": 1}).step() == 0
    status = await store.speech.status("pbx", "2")
    assert status is not None
    assert (status.state, status.job) == ("found", "done")


async def kept_as_named(store: Store, call_id: str, name: str) -> None:
    """A call whose recording was there when it ended."""
    talk = ended(call(call_id), recording=name, answered_by="1001", queue="q")
    await commit(store, talk)
    await store.speech.register(Recorded(talk, "found", "ab" * 32, 12.5), NOW, hear=False)


async def test_what_cannot_be_erased_keeps_nothing_behind_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, and whether or not two came in at one moment."""
    monkeypatch.setattr(keeping, "BATCH", 2)
    inside = tmp_path / "monitor"
    inside.mkdir()
    for number in range(5):
        await kept_as_named(store, f"stuck{number}", str(tmp_path / "elsewhere.wav"))
    (tmp_path / "elsewhere.wav").write_bytes(b"sound")
    for number in range(3):
        await kept(store, inside, str(number), queue="q")
    assert await keeper(store, inside, NOW + 2 * DAY, {"q": 1}).step() == 3
    assert files(inside) == []
    assert files(tmp_path) == ["elsewhere.wav"]


@pytest.mark.parametrize("away", ["renamed", "not mounted", "only fetched copies"])
async def test_while_the_folder_is_away_nothing_counts_as_erased(
    store: Store, tmp_path: Path, away: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder, elsewhere = tmp_path / "monitor", tmp_path / "elsewhere"
    folder.mkdir()
    for call_id in ("1", "2"):
        await kept(store, folder, call_id, queue="q")
    folder.rename(elsewhere)
    if away != "renamed":
        folder.mkdir()
    if away == "only fetched copies":
        (folder / ".fetched").mkdir()
    assert await keeper(store, folder, NOW + 2 * DAY, {"q": 1}).step() == 0
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "asterisk.recordings_dir) is away or empty" in told
    assert await store.keeping.audit() == []
    assert {row["mixed_path"] for row in await store.speech._database.rows(select(recordings))} == {
        str(folder / "1.wav"), str(folder / "2.wav"),
    }  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)
    elsewhere.rename(folder)
    assert await keeper(store, folder, NOW + 2 * DAY, {"q": 1}).step() == 2, "the next hour does it"
    assert files(folder) == []


async def test_a_crash_after_the_folders_last_file_went_is_finished_by_the_next_run(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is empty then, and not taken for one that is away."""
    folder = tmp_path / "monitor"
    folder.mkdir()
    await kept(store, folder, "1", queue="q")

    async def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store.keeping, "erased", killed)
        with pytest.raises(KeyboardInterrupt):
            await keeper(store, folder, NOW + 2 * DAY, {"q": 1}).step()
    assert files(folder) == []
    assert await keeper(store, folder, NOW + 2 * DAY, {"q": 1}).step() == 1


async def test_erased_words_are_in_no_file_of_the_database(tmp_path: Path) -> None:
    """Not even in pages that are free: SQLite leaves there what it deletes, if nobody asks otherwise."""
    place = sqlite_place(tmp_path)
    await place.migrate()

    def bytes_left() -> list[str]:
        spelt = WRITTEN.text.encode()
        return [file.name for file in tmp_path.iterdir() if file.is_file() and spelt in file.read_bytes()]

    async with place.open() as store:
        for number in range(3):
            await kept(store, tmp_path, str(number))
    assert bytes_left() == ["callcenter.db"]
    async with place.open() as store:
        for one in await store.keeping.older(None, (), NOW * 2, 10):
            assert await store.keeping.erased(one.id, NOW, "retention", 3)
    assert bytes_left() == []


async def test_the_command_counts_first_and_erases_only_with_yes(tmp_path: Path) -> None:
    """Also where a crash had removed the files before their rows were told."""
    place, folder = sqlite_place(tmp_path), tmp_path / "monitor"
    folder.mkdir()
    await place.migrate()
    settings = Settings(store=StoreSettings(url=place.url), asterisk=Asterisk(recordings_dir=folder))
    async with place.open() as store:  # a running daemon
        await kept(store, folder, "1", caller_number="13800138000")
        await kept(store, folder, "2", caller_number="13800138000")
        await kept(store, folder, "3", caller_number="13800138001")
        (folder / "2-seat.wav").unlink()
        counted = await erase_person(settings, " 13800138000 ", yes=False)
        assert counted.startswith("There are 2 recordings and 2 transcripts of this number. Run it again with --yes")
        assert len(files(folder)) == 8
        assert await erase_person(settings, "13800138000", yes=True) == (
            "Erased: 2 recordings and 2 transcripts of this number."
        )
        assert files(folder) == ["3-caller.wav", "3-seat.wav", "3.wav"]
        assert [line.detail for line in await store.keeping.audit()] == [{"files": 2}, {"files": 3}]
        assert {line.by for line in await store.keeping.audit()} == {on_whose_word(None)}
        assert "13800138000" not in str(await store.keeping.audit())
        assert await erase_person(settings, "13800138000", yes=True) == (
            "There are 0 recordings and 0 transcripts of this number."
        )
        await kept(store, folder, "4", caller_number="alice")
        for no_number in ("abc", "%", "139*", "+"):
            with pytest.raises(BadInput, match="--number is no telephone number; give"):
                await erase_person(settings, no_number, yes=True)
        assert (await erase_person(settings, "alice", yes=True, name="周静")).startswith("Erased: 1 ")
        assert (await store.keeping.audit())[0].by == f"周静 ({on_whose_word(None)})"
    with pytest.raises(BadInput, match="--number is empty"):
        await erase_person(settings, " ", yes=True)


async def test_the_command_says_that_the_folder_is_away_and_a_second_run_finishes(tmp_path: Path) -> None:
    place, folder = sqlite_place(tmp_path), tmp_path / "monitor"
    folder.mkdir()
    await place.migrate()
    settings = Settings(store=StoreSettings(url=place.url), asterisk=Asterisk(recordings_dir=folder))
    async with place.open() as store:
        for call_id in ("1", "2"):
            await kept(store, folder, call_id, caller_number="13800138000")
        folder.rename(tmp_path / "elsewhere")
        with pytest.raises(BrokenWorld) as told:
            await erase_person(settings, "13800138000", yes=True)
        assert str(told.value) == (
            "2 recordings and 2 transcripts of this number were NOT erased: the folder of recordings "
            "(asterisk.recordings_dir) is away or empty: mount it or correct the setting; if it really is empty, put "
            "any file into it; then run it again."
        )
        assert await store.keeping.audit() == []
        (tmp_path / "elsewhere").rename(folder)
        assert await erase_person(settings, "13800138000", yes=True) == (
            "Erased: 2 recordings and 2 transcripts of this number."
        )
    assert files(folder) == []


def test_on_whose_word_is_the_systems_account_and_who_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "jianguo")
    assert on_whose_word(None) == "account jianguo"
    assert on_whose_word(" Zhou Jing ") == "Zhou Jing (account jianguo)"
    for wrong in ("", " ", "a\x1b[31m", "a\nb", "x" * 101):
        with pytest.raises(BadInput, match="--by must be a name of 1 to 100 printable characters; name who"):
            on_whose_word(wrong)
    with pytest.raises(BadInput, match="--by holds the number that is to be forgotten"):
        on_whose_word("+86 138 0013 8000", "13800138000")
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert on_whose_word(None) == f"account {pwd.getpwuid(os.getuid()).pw_name}"


async def test_the_daemon_forgets_the_live_words_of_whom_another_process_erased(tmp_path: Path) -> None:
    place, folder = sqlite_place(tmp_path), tmp_path / "monitor"
    folder.mkdir()
    await place.migrate()
    settings = Settings(store=StoreSettings(url=place.url), asterisk=Asterisk(name="pbx", recordings_dir=folder))
    house = House()
    async with place.open() as store:  # a running daemon
        running = asyncio.create_task(Keeper(store, settings, ManualClock(NOW), house.live).run())
        try:
            for call_id, seat, number in (("1", "1001", "13800138000"), ("2", "1002", "13800138001")):
                await kept(store, folder, call_id, caller_number=number)
                house.live.changed([talking(call_id, seat)])
                house.words("caller", "我", "无法", "登录")
                house.live.changed([story.ended(talking(call_id, seat), NOW)])
            await asyncio.sleep(1.5 * LOOK_SECONDS)
            assert house.seen("1001").lines
            house.told.clear()
            await erase_person(settings, "13800138000", yes=True)
            for _ in range(100):
                if house.seen("1001") is None:
                    break
                await asyncio.sleep(0.1)
            assert house.seen("1001") is None
            assert house.told == ["1001"], "its window is told to look again"
            assert house.seen("1002").lines
        finally:
            running.cancel()
