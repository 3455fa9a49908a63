"""Recordings in a store: a folder and a real S3 server on loopback, with kills, outages and damage in between."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import select

from callcenter.clock import ManualClock
from callcenter.errors import BadInput, BrokenWorld
from callcenter.settings import Asterisk, Queue, Recordings, Settings, SettingsError, Speech, load
from callcenter.settings import Store as StoreSettings
from callcenter.speech.archive import Archive, Damaged, StoreAway
from callcenter.speech.keeping import Keeper
from callcenter.speech.models import look
from callcenter.speech.reading import Reading
from callcenter.speech.recordings import looked_at
from callcenter.speech.service import Hearing, Site
from callcenter.speech.storing import Storing
from callcenter.speech.verifying import verify
from callcenter.store.schema import recordings, transcription_jobs, transcripts
from callcenter.store.store import Store
from callcenter.web.peaks import peaks
from tests.fakes.spoken import CALLER_VOICE, MODEL, spoken
from tests.store.build import NOW, call, commit, ended
from tests.store.places import sqlite_place

DAY = 86_400.0
TRACKS = ("mix", "seat", "caller")


@dataclass
class Tally:
    stored: int = 0
    failures: list[str] = field(default_factory=list)
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    def recording_stored(self) -> None:
        self.stored += 1

    def recording_not_stored(self, reason: str) -> None:
        self.failures.append(reason)
        self.failed.set()

    def transcribed(self, *_: Any) -> None:
        pass

    def not_transcribed(self, reason: str, _became: str) -> None:
        self.failures.append(reason)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(params=["s3", "folder"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Recordings:
    if request.param == "folder":
        return Recordings(store_url=f"file://{tmp_path}/archive")
    return s3(request.getfixturevalue("server"), tmp_path)


def s3(url: str, folder: Path) -> Recordings:
    (folder / "key").write_text("a\n")
    (folder / "secret").write_text("b\n")
    bucket = folder.name.replace("_", "-").lower()[:60].strip("-")
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    )
    client.create_bucket(Bucket=bucket)
    return Recordings(f"s3://{bucket}/calls", url, folder / "key", folder / "secret")


def settings_of(folder: Path, stored: Recordings, days: int = 1) -> Settings:
    monitor = folder / "monitor"
    monitor.mkdir(exist_ok=True)
    return Settings(
        asterisk=Asterisk(recordings_dir=monitor),
        recordings=replace(stored, keep_local_days=days),
        speech=Speech(enabled=True, model=MODEL, silent_seconds=20, priority="low"),
    )


async def recorded(store: Store, folder: Path, call_id: str = "1", hear: bool = False, **sounds: bytes) -> None:
    """A call with three tracks in the folder, hashed."""
    names = {track: f"{call_id}-{track}.wav" for track in TRACKS}
    for track, name in names.items():
        if not (folder / name).exists():
            (folder / name).write_bytes(sounds.get(track, f"sound of {call_id} {track}".encode()))
    talk = ended(call(call_id, queue="q"), answered_by="1001", recording=names["mix"])
    talk = replace(talk, recording_seat=names["seat"], recording_caller=names["caller"])
    await commit(store, talk)
    await store.speech.register(looked_at(folder, talk), NOW, hear)


def local(settings: Settings) -> list[str]:
    assert settings.asterisk.recordings_dir is not None
    return sorted(file.name for file in settings.asterisk.recordings_dir.glob("*.wav"))


async def test_tracks_are_copied_once_verified_and_read_after_the_local_files_went(
    tmp_path: Path, stored: Recordings
) -> None:
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW), Tally()
    await place.migrate()
    settings = settings_of(tmp_path, stored)
    monitor = tmp_path / "monitor"
    async with place.open() as store:
        await recorded(store, monitor)
        storing, reading = Storing(store, settings, clock, tally), Reading(settings, store)
        assert await store.stored.count_waiting() == 1
        assert (await storing.step(), await storing.step()) == (1, 0)
        copies = await store.stored.copies("pbx", "1")
        assert set(copies) == set(TRACKS)
        assert all(copies[track]["sha256"] in copies[track]["key"] for track in TRACKS)
        assert await storing.clean() == 0
        assert len(local(settings)) == 3
        clock.advance(DAY + 1)
        assert (await storing.clean(), await storing.clean()) == (1, 0)
        assert local(settings) == []
        file = await reading.fetched("pbx", "1", "seat")
        assert file is not None
        assert file.read_bytes() == b"sound of 1 seat"
        assert await reading.fetched("pbx", "1", "seat") == file
        assert await reading.fetched("pbx", "2", "seat") is None
    assert (tally.stored, tally.failures) == (1, [])


async def test_what_is_erased_is_gone_everywhere_and_leaves_its_line(tmp_path: Path, stored: Recordings) -> None:
    """Also a copy that was written and, for a kill, never noted."""
    place, clock = sqlite_place(tmp_path), ManualClock(NOW)
    await place.migrate()
    settings = replace(settings_of(tmp_path, stored), queues={"q": Queue(keep_recordings_days=3)})
    async with place.open() as store:
        for call_id in ("1", "2"):
            await recorded(store, tmp_path / "monitor", call_id)
        storing = Storing(store, settings, clock, Tally())
        archive = storing.archive
        assert archive is not None
        noted = archive.put("pbx", "2", "seat", tmp_path / "monitor" / "2-seat.wav")
        (first, _) = await store.stored.waiting(())
        await store.stored.note(
            first.id, {t: archive.put("pbx", "1", t, tmp_path / "monitor" / f"1-{t}.wav") for t in TRACKS}, NOW
        )
        copies = await store.stored.copies("pbx", "1")
        assert await Reading(settings, store).fetched("pbx", "1", "mix") is not None
        clock.advance(4 * DAY)
        unset = replace(settings, recordings=Recordings())
        assert await Keeper(store, unset, clock).step() == 1, "the one with copies waits for its store"
        assert await Keeper(store, settings, clock).step() == 1
        assert [line.detail for line in await store.keeping.audit()] == [{"files": 6}, {"files": 3}]
        assert not any(archive.holds(copy) for copy in copies.values())
        assert list((tmp_path / "monitor" / ".fetched").iterdir()) == []
        assert archive.holds(noted), "erased while no store was set: its copy was never noted"
        assert archive.erase("pbx", "2") == 1


async def test_an_outage_loses_nothing_and_spends_no_attempt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW), Tally()
    await place.migrate()
    url = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    url.start()
    host, port = url.get_host_and_port()
    settings = settings_of(tmp_path, s3(f"http://{host}:{port}", tmp_path))
    async with place.open() as store:
        await recorded(store, tmp_path / "monitor", hear=True)
        storing = Storing(store, settings, clock, tally)
        assert await storing.step() == 1
        clock.advance(2 * DAY)
        assert await storing.clean() == 1
        url.stop()
        await recorded(store, tmp_path / "monitor", "2")
        with pytest.raises(StoreAway, match="store of recordings cannot be used"):
            await storing.step()
        loop = asyncio.ensure_future(storing.run())
        await tally.failed.wait()
        loop.cancel()
        assert (storing.state, storing.waiting, tally.failures) == ("away", 1, ["away"])
        worker = Hearing(store, Site(settings, {}.get), look(MODEL), clock, tally)
        assert await worker.step()
        await worker.close()
        (job,) = await store.speech._database.rows(select(transcription_jobs))
        assert (job["state"], job["attempts"]) == ("waiting", 0)
        assert tally.failures[-1] == "store"
        settings = replace(settings, queues={"q": Queue(keep_recordings_days=1)})
        assert await Keeper(store, settings, clock).step() == 0, "what cannot be erased there keeps its row"
        assert await store.keeping.audit() == []
        lines = [
            one for one in caplog.records if " waits: " in one.getMessage() or "cannot be erased" in one.getMessage()
        ]
        assert len(lines) >= 2
        assert all(vars(one).get("call_id") for one in lines), "a line of a job or a recording names its call"


async def test_what_changed_or_was_damaged_never_counts_and_never_lets_a_file_go(
    tmp_path: Path, stored: Recordings, caplog: pytest.LogCaptureFixture
) -> None:
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW), Tally()
    await place.migrate()
    settings = settings_of(tmp_path, stored)
    monitor = tmp_path / "monitor"
    async with place.open() as store:
        await recorded(store, monitor, "1")
        await recorded(store, monitor, "2")
        whole = (monitor / "1-seat.wav").read_bytes()
        (monitor / "1-seat.wav").write_bytes(b"forged")
        storing = Storing(store, settings, clock, tally)
        assert await storing.step() == 1, "the other one is copied all the same"
        assert tally.failures == ["changed"]
        assert await storing.step() == 0, "it is not tried again at once"
        (monitor / "1-seat.wav").write_bytes(whole)
        clock.advance(10)
        assert await storing.step() == 1
        clock.advance(2 * DAY)
        (monitor / "2-mix.wav").write_bytes(b"forged")
        archive = storing.archive
        assert archive is not None
        archive.erase("pbx", "1")
        assert await storing.clean() == 0
        assert tally.failures == ["changed", "damaged", "changed"]
        assert len(local(settings)) == 6
        stays = [vars(one).get("call_id") for one in caplog.records if "stays where it is" in one.getMessage()]
        assert stays == ["1", "1", "2"], "a line of a recording names its call"


def test_a_copy_that_is_not_what_was_written_is_refused(tmp_path: Path) -> None:
    archive = Archive(Recordings(store_url=f"file://{tmp_path}/archive"))
    (tmp_path / "a.wav").write_bytes(b"sound")
    copy = archive.put("../..", "..", "seat", tmp_path / "a.wav")
    (there,) = (tmp_path / "archive").rglob("*.wav")
    there.write_bytes(b"soumd")
    with pytest.raises(Damaged, match="another sound"):
        archive.get(copy, tmp_path / "b.wav")
    assert archive.put("../..", "..", "seat", tmp_path / "a.wav") == copy, "written anew"
    archive.get(copy, tmp_path / "b.wav")
    assert (tmp_path / "b.wav").read_bytes() == b"sound"


def test_a_kill_in_the_middle_loses_nothing(tmp_path: Path, server: str) -> None:
    """A process is killed with SIGKILL as soon as the first track is in the store; the next one finishes the work."""
    settings = settings_of(tmp_path, s3(server, tmp_path))
    place = sqlite_place(tmp_path)

    async def begin() -> None:
        await place.migrate()
        async with place.open() as store:
            await recorded(store, tmp_path / "monitor")

    async def finish() -> int:
        async with place.open() as store:
            assert await store.stored.count_waiting() == 1
            assert len(local(settings)) == 3
            return await Storing(store, settings, ManualClock(NOW), Tally()).step()

    asyncio.run(begin())
    kill = (
        "import asyncio, os, signal, sys; from pathlib import Path; from callcenter.speech.archive import Archive; "
        "from callcenter.settings import Recordings; from tests.store.test_stored_recordings import *\n"
        "put = Archive.put\n"
        "def dying(self, *args):\n    put(self, *args); os.kill(os.getpid(), signal.SIGKILL)\n"
        "Archive.put = dying\n"
        "folder, bucket, url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]\n"
        "stored = Recordings(bucket, url, folder / 'key', folder / 'secret')\n"
        "async def main():\n    async with sqlite_place(folder).open() as store:\n"
        "        await Storing(store, settings_of(folder, stored), ManualClock(NOW), Tally()).step()\n"
        "asyncio.run(main())\n"
    )
    arguments = [sys.executable, "-c", kill, str(tmp_path), settings.recordings.store_url, server]
    root = Path(__file__).parents[2]
    died = subprocess.run(arguments, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False, timeout=120)
    assert died.returncode == -9
    assert asyncio.run(finish()) == 1


async def test_a_call_is_heard_and_drawn_from_the_store_in_time_also_with_an_unfinished_header(
    tmp_path: Path, server: str
) -> None:
    """Both tracks begin together: what the caller says at second 7 is at second 7, wherever the file lies."""
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW), Tally()
    await place.migrate()
    settings = settings_of(tmp_path, s3(server, tmp_path))
    monitor = tmp_path / "monitor"
    seat = spoken(monitor / "1-seat.wav", "您好工号零一八为您服务")
    whole = seat.read_bytes()
    seat.write_bytes(whole[:40] + bytes(4) + whole[44:])  # as a killed Asterisk leaves it
    spoken(monitor / "1-caller.wav", "我的打印机坏了，我不清楚", CALLER_VOICE, before=7.0)
    async with place.open() as store:
        await recorded(store, monitor, hear=True)
        storing = Storing(store, settings, clock, tally)
        assert await storing.step() == 1
        clock.advance(DAY + 1)
        assert await storing.clean() == 1
        assert local(settings) == []
        worker = Hearing(store, Site(settings, {}.get), look(MODEL), clock, tally)
        assert await worker.step()
        await worker.close()
        (row,) = await store.speech._database.rows(select(transcripts))
        drawn = await Reading(settings, store).fetched("pbx", "1", "seat")
        (kept,) = await store.speech._database.rows(select(recordings))
    words = [(s["speaker"], w["word"], w["start"]) for s in row["words"]["segments"] for w in s["words"]]
    (unclear,) = [(speaker, start) for speaker, word, start in words if word == "不清楚"]
    assert unclear[0] == "caller"
    assert 8 < unclear[1] < 12
    assert any(speaker == "seat" and word == "您好" and start < 2 for speaker, word, start in words)
    assert drawn is not None
    found = peaks(drawn)
    assert found is not None
    assert found.seconds == pytest.approx((len(whole) - 44) / 16_000, abs=0.01)
    assert kept["local_gone_at"] is not None
    assert tally.failures == []


def test_settings_that_cannot_be_are_told(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[recordings]\nstore_url = "ftp://x"\nendpoint_url = "http://a:b@c"\nkey_file = "k"\n')
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    told = "\n".join(refused.value.problems)
    for key in ("store_url: must be s3", "store_url: needs asterisk", "endpoint_url: must", "belong together"):
        assert key in told


def test_a_key_that_cannot_be_read_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    archive = Archive(Recordings("s3://bucket", "http://127.0.0.1:9", tmp_path / "none", tmp_path / "none"))
    with pytest.raises(StoreAway, match=r"recordings\.key_file: the secret file is missing"):
        archive.put("pbx", "1", "mix", tmp_path / "a.wav")


async def test_every_recording_is_compared_with_its_hash(tmp_path: Path) -> None:
    """The ticket and the files of each that differs or is gone are told; what was never written is not missed."""
    place = sqlite_place(tmp_path)
    await place.migrate()
    settings = replace(settings_of(tmp_path, Recordings()), store=StoreSettings(url=place.url))
    monitor = tmp_path / "monitor"
    async with place.open() as store:
        for call_id in ("same", "other", "lost", "erased"):
            await recorded(store, monitor, call_id)
        (monitor / "one-mix.wav").write_bytes(b"sound")
        talk = replace(ended(call("one"), answered_by="1001", recording="one-mix.wav"), recording_seat="one-seat.wav")
        await commit(store, talk)
        await store.speech.register(looked_at(monitor, talk), NOW, hear=False)
        tickets = {one.call_id: one.number for one in (await store.tickets.find()).tickets}
        rows = {row["call_id"]: row["id"] for row in await store.speech._database.rows(select(recordings))}
        assert await store.keeping.erased(rows["erased"], NOW, "retention", 3)
    said: list[str] = []
    assert await verify(settings, None, said.append) == 0
    assert said == ["4 recordings were compared: 4 as they were."]
    (monitor / "other-seat.wav").write_bytes(b"cut")
    (monitor / "lost-caller.wav").unlink()
    said.clear()
    assert await verify(settings, None, said.append) == 1
    assert said == [
        f"differs  {tickets['other']}  other-mix.wav, other-seat.wav, other-caller.wav",
        f"gone  {tickets['lost']}  lost-caller.wav",
        "4 recordings were compared: 2 as they were, 1 differ, 1 gone.",
    ]
    said.clear()
    assert await verify(settings, "2099-01-01", said.append) == 0
    assert said == ["0 recordings were compared: 0 as they were."]
    with pytest.raises(BadInput, match="no day"):
        await verify(settings, "yesterday", said.append)
    monitor.rename(tmp_path / "away")
    with pytest.raises(BrokenWorld, match="mount the folder"):
        await verify(settings, None, said.append)


async def test_where_the_local_file_is_gone_its_copy_is_compared(tmp_path: Path, stored: Recordings) -> None:
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW), Tally()
    await place.migrate()
    settings = replace(settings_of(tmp_path, stored), store=StoreSettings(url=place.url))
    monitor = tmp_path / "monitor"
    async with place.open() as store:
        await recorded(store, monitor)
        await recorded(store, monitor, "2")
        storing = Storing(store, settings, clock, tally)
        assert await storing.step() == 2
        (monitor / "2-seat.wav").write_bytes(b"cut")
        (monitor / "1-seat.wav").unlink()
        copy = (await store.stored.copies("pbx", "1"))["seat"]
    said: list[str] = []
    assert await verify(settings, None, said.append) == 1
    assert said[-1] == "2 recordings were compared: 1 as they were, 1 differ."
    assert said[0].endswith("  2-seat.wav")
    archive = Archive(settings.recordings)
    archive._asked(lambda fs, root: fs.rm_file(f"{root}/{copy['key']}"))
    said.clear()
    assert await verify(settings, None, said.append) == 1
    assert [line.split()[0] for line in said[:2]] == ["gone", "differs"]
