"""Hearing with the real vosk in its child processes: what is said, and what can go wrong on the way."""

import asyncio
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callcenter.clock import ManualClock
from callcenter.errors import BadInput, BrokenWorld
from callcenter.settings import Asterisk, Settings, Speech
from callcenter.settings import Store as StoreSettings
from callcenter.speech import backfill, models, service
from callcenter.speech.backfill import back_fill
from callcenter.speech.models import look
from callcenter.speech.reasons import NO_ROOM
from callcenter.speech.service import Hearing, Recordings, Site
from callcenter.speech.transcript import from_dict
from callcenter.speech.workers import Heard, Limits, ModelRefused, Worker, WorkerLost
from callcenter.store.schema import transcription_jobs, transcripts
from callcenter.store.speech import Recorded
from callcenter.store.store import Store
from tests.fakes.spoken import CALLER_VOICE, ENGLISH_MODEL, MODEL, spoken
from tests.store.build import NOW, call, commit, ended
from tests.store.places import sqlite_place

LIMITS = Limits(priority="low")
"""The tests wait for it, whatever else the machine does (`test_speech_priority` has the lowest)."""
GREETING = "您好工号零一八为您服务请问有什么可以帮您"
COMPLAINT = "我的打印机坏了，我不清楚"
GREETED = "您好工号018为您服务"
"""What any model must hear of it; a word too many at the end of a sentence is within its error rate."""


@pytest.fixture(scope="module")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spoken(tmp_path_factory.mktemp("spoken") / "seat.wav", GREETING)


@pytest.fixture(scope="module")
def long(seat: Path) -> Path:
    """Five minutes: long enough to be interrupted."""
    target = seat.with_name("long.wav")
    subprocess.run(["sox", "-q", str(seat), str(target), "repeat", "60"], check=True, capture_output=True)
    return target


def text(heard: Heard, speaker: str) -> str:
    return "".join(word.word for segment in heard.segments if segment.speaker == speaker for word in segment.words)


def plain(said: str) -> str:
    return said.translate(str.maketrans("零一二三四五六七八九幺", "01234567891"))


async def test_the_words_are_on_the_right_track_at_the_right_time(tmp_path: Path, seat: Path) -> None:
    caller = spoken(tmp_path / "caller.wav", COMPLAINT, CALLER_VOICE, before=7.0)
    async with Worker(look(MODEL), LIMITS) as worker:
        heard = await worker.hear({"seat": seat, "caller": caller})
        again = await worker.hear({"seat": seat, "caller": caller})
    assert GREETED in plain(text(heard, "seat"))
    assert "不清楚" in text(heard, "caller")
    assert "不清楚" not in text(heard, "seat")
    (word,) = [word for segment in heard.segments for word in segment.words if word.word == "不清楚"]
    assert 8 < word.start < word.end < 12
    assert again.segments == heard.segments
    assert heard.cpu_seconds < heard.seconds


@pytest.mark.parametrize(
    ("form", "rate"), [("-b 24", 8000), ("-c 2 -b 16", 44100), ("-e a-law", 8000), ("-b 16", 16000)]
)
async def test_any_recording_is_heard(tmp_path: Path, form: str, rate: int) -> None:
    file = spoken(tmp_path / "a.wav", GREETING, form=form, rate=rate)
    async with Worker(look(MODEL), LIMITS) as worker:
        assert GREETED in plain(text(await worker.hear({"seat": file}), "seat"))


def unfinished(recording: Path, target: Path) -> Path:
    """As a killed Asterisk leaves it, in the middle of a sample."""
    data = recording.read_bytes()
    target.write_bytes(data[:40] + bytes(4) + data[44:] + b"\1")
    return target


async def test_a_killed_asterisk_left_a_header_without_a_size(tmp_path: Path, seat: Path) -> None:
    unfinished(seat, tmp_path / "a.wav")
    async with Worker(look(MODEL), LIMITS) as worker:
        assert GREETED in plain(text(await worker.hear({"seat": tmp_path / "a.wav"}), "seat"))


async def test_a_bad_recording_costs_nothing_but_itself(tmp_path: Path, seat: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "mp3.wav").write_bytes(b"ID3\4" + bytes(500))
    async with Worker(look(MODEL), LIMITS) as worker:
        with pytest.raises(BadInput, match="caller's track is empty"):
            await worker.hear({"seat": seat, "caller": tmp_path / "empty.wav"})
        pid = worker.pid
        with pytest.raises(BadInput, match="is an MP3 file"):
            await worker.hear({"seat": tmp_path / "mp3.wav"})
        assert GREETED in plain(text(await worker.hear({"seat": seat}), "seat"))
        assert worker.pid == pid


async def test_a_killed_worker_is_replaced(seat: Path, long: Path) -> None:
    async with Worker(look(MODEL), LIMITS) as worker:
        with pytest.raises(WorkerLost, match="ended by signal 9"):
            await worker.hear({"seat": long}, lambda _: os.kill(worker.pid, signal.SIGKILL) if worker.pid else None)
        assert GREETED in plain(text(await worker.hear({"seat": seat}), "seat"))


async def test_a_hung_worker_is_stopped_and_replaced(seat: Path, long: Path) -> None:
    async with Worker(look(MODEL), replace(LIMITS, silent_seconds=3)) as worker:
        with pytest.raises(WorkerLost, match="said nothing for 3 s"):
            await worker.hear({"seat": long}, lambda _: os.kill(worker.pid, signal.SIGSTOP) if worker.pid else None)
        assert GREETED in plain(text(await worker.hear({"seat": seat}), "seat"))


async def test_a_file_that_is_deleted_while_it_is_heard(tmp_path: Path, long: Path) -> None:
    file = Path(shutil.copy(long, tmp_path / "a.wav"))
    async with Worker(look(MODEL), LIMITS) as worker:
        heard = await worker.hear({"seat": file}, lambda _: file.unlink(missing_ok=True))
    assert text(heard, "seat").count("您好") > 50


async def test_no_child_is_left_behind(long: Path) -> None:
    worker, begun = Worker(look(MODEL), LIMITS), asyncio.Event()
    hearing = asyncio.ensure_future(worker.hear({"seat": long}, lambda _: begun.set()))
    await begun.wait()
    pid = worker.pid
    assert pid is not None
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_too_little_memory_is_told() -> None:
    async with Worker(look(MODEL), replace(LIMITS, memory_mb=60)) as worker:
        with pytest.raises(ModelRefused, match=r"memory_mb|does not load"):
            await worker.start()


async def test_a_worker_without_room_even_to_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "python"
    child.write_text(f"#!/bin/sh\nexit {NO_ROOM}\n")
    child.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(child))
    with pytest.raises(ModelRefused, match=r"raise speech\.memory_mb") as told:
        await Worker(look(MODEL), Limits()).start()
    assert told.value.code == "memory"


async def test_models_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no folder"):
        look(tmp_path / "none")
    with pytest.raises(BadInput, match=r"has no am/final\.mdl"):
        look(tmp_path)
    cut = Path(shutil.copytree(MODEL, tmp_path / "cut"))
    os.truncate(cut / "am" / "final.mdl", 400_000)
    async with Worker(look(cut), LIMITS) as worker:
        with pytest.raises(ModelRefused, match=r"no model that vosk can load|does not load"):
            await worker.start()
    os.truncate(cut / "am" / "final.mdl", 0)
    with pytest.raises(BadInput, match="damaged or of another kind"):
        look(cut)


async def test_a_model_for_another_rate_gets_its_rate(tmp_path: Path, seat: Path) -> None:
    wide = Path(shutil.copytree(MODEL, tmp_path / "wide"))
    conf = wide / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("8000", "16000"))
    assert look(wide).rate == 16000
    async with Worker(look(wide), LIMITS) as worker:
        assert "您好" in text(await worker.hear({"seat": seat}), "seat")


def test_models_are_installed_whole_or_not_at_all(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "tiny-cn"), "zip", MODEL.parent, MODEL.name)
    with pytest.raises(BadInput, match="another checksum"):
        models.install(archive, tmp_path / "models", sha256="00" * 32)
    for no_sum in ("xyz", "00" * 31, "00" * 33, "0g" * 32, "00" * 32 + "\n"):
        with pytest.raises(BadInput, match="--sha256: must be the 64 hexadecimal digits"):
            models.install(archive, tmp_path / "models", sha256=no_sum)
    assert not (tmp_path / "models").exists()
    made = models.install(archive, tmp_path / "models", sha256=models.file_sha256(Path(archive)), language="zh")
    assert (made.rate, made.language, models.check(made.folder).name) == (8000, "zh", made.name)
    with pytest.raises(BadInput, match="is there already"):
        models.install(archive, tmp_path / "models")
    with (made.folder / "am" / "final.mdl").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BadInput, match="not as it was installed"):
        models.check(made.folder)
    (listed,) = models.listed(tmp_path / "models")
    assert "is not as it was installed (its checksum differs): install the model again" in str(listed)


def odd_sources(folder: Path) -> dict[str, tuple[str, str]]:
    """What people try to install, and what they are told. Each is made in ``folder``."""
    whole = Path(shutil.make_archive(str(folder / "whole"), "zip", MODEL.parent, MODEL.name)).read_bytes()
    packed = Path(shutil.make_archive(str(folder / "whole"), "gztar", MODEL.parent, MODEL.name)).read_bytes()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (folder / "flipped.zip").write_bytes(whole[:5000] + b"XXXX" * 50 + whole[5200:])
    (folder / "cut.tar.gz").write_bytes(packed[: len(packed) // 2])
    locked = bytearray(whole)
    for entry in re.finditer(b"PK\x01\x02", whole):
        locked[entry.start() + 8] |= 1
    (folder / "locked.zip").write_bytes(locked)
    with zipfile.ZipFile(folder / "out.zip", "w") as archive:
        archive.writestr("../../out.txt", "x")
    with zipfile.ZipFile(folder / "clash.zip", "w") as archive:
        archive.writestr("a", "x")
        archive.writestr("a/b", "y")
    with zipfile.ZipFile(folder / "esc.zip", "w") as archive:
        for file in MODEL.rglob("*"):
            if file.is_file():
                archive.write(file, f"m\x1b[31m\u202e/{file.relative_to(MODEL)}")
    for name, target in (("endless", "/dev/zero"), ("lost", "nowhere")):
        (folder / name).mkdir()
        (folder / name / "am").symlink_to(target)
    return {
        "cut.zip": ("no zip or tar archive, or not whole", ""),
        "flipped.zip": ("is damaged", ""),
        "cut.tar.gz": ("is damaged", ""),
        "locked.zip": ("needs a password", ""),
        "out.zip": ("leads out of its folder", ""),
        "clash.zip": ("is damaged", ""),
        "endless": ("is no file", ""),
        "lost": ("is no file", ""),
        "nope.zip": ("does not exist", ""),
        "esc.zip": ("characters that cannot be printed: name the model's folder by --name", ""),
        "whole.zip": ("plain name", "../elsewhere"),
    }


def test_a_model_that_is_installed_under_another_name_keeps_its_language(tmp_path: Path) -> None:
    """Told by the archive's name or that of the folder in it; what is given goes before."""
    archive = shutil.make_archive(str(tmp_path / "model-cn"), "zip", MODEL)
    assert models.install(archive, tmp_path / "models", "one").language == "zh"
    shutil.copytree(MODEL, tmp_path / "packed" / "model-en")
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "packed")
    assert models.install(archive, tmp_path / "models", "two").language == "en"
    assert models.install(archive, tmp_path / "models", "three", language="zh").language == "zh"


@pytest.mark.parametrize("name", ["m\x1b[31m", "a\nb", "\u202egpj", "..", "a/b"])
def test_a_model_gets_a_plain_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give a plain name for the model's folder: printable"):
        models.install(str(MODEL), tmp_path / "models", name)
    assert not (tmp_path / "models").exists()


def test_what_cannot_be_installed_is_refused_in_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    for name, (sentence, called) in odd_sources(folder).items():
        with pytest.raises(BadInput, match=sentence) as refused:
            models.install(str(folder / name), tmp_path / "new" / "models", called)
        assert "\n" not in str(refused.value)
        assert ".installing" not in str(refused.value), "it names a folder that the user never gave"
        assert sorted(tmp_path.iterdir()) == [folder], name
    with pytest.raises(BadInput, match="neither a folder nor a file"):
        models.install("/dev/zero", tmp_path / "models")


class _Dying(http.server.BaseHTTPRequestHandler):
    """An address that breaks off in the middle, or never ends by its own word."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << (40 if self.path == "/huge.zip" else 20)))
        self.end_headers()
        self.wfile.write(bytes(1000))

    def log_message(self, *_: object) -> None:
        pass


def test_an_address_that_ends_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Dying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(BrokenWorld, match="ended after 1000 of 1048576 bytes"):
            models.install(f"{address}/model", tmp_path / "models")
        with pytest.raises(BadInput, match="more than 8 GiB"):
            models.install(f"{address}/huge.zip", tmp_path / "models")
        server.shutdown()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", [MODEL, ENGLISH_MODEL], ids=["Mandarin", "English"])
def test_the_model_of_the_tests_is_the_one_that_was_judged(model: Path) -> None:
    noted = model.with_suffix(".sha256").read_text().split()[0]
    assert models.checksum(model) == noted


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "callcenter", "transcribe", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_alone(tmp_path: Path, seat: Path) -> None:
    caller = spoken(tmp_path / "caller.wav", COMPLAINT, CALLER_VOICE)
    done = run("--seat", str(seat), "--caller", str(caller), "--model", str(MODEL), "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    transcript = from_dict(json.loads(done.stdout))
    assert {segment.speaker for segment in transcript.segments} == {"seat", "caller"}
    assert "018" in [word.word for segment in transcript.segments for word in segment.words]
    piped = ["--seat", str(seat), "--model", str(MODEL), "--id", "x" * 100_000]
    command = [sys.executable, "-m", "callcenter", "transcribe", *piped]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0, "as in: transcribe … | head"
    twice = ["--seat", str(seat), "--caller", str(seat)]
    for wrong in (["--seat", "/dev/null"], ["--seat", str(tmp_path / "none.wav")], [], twice):
        done = run(*wrong, "--model", str(MODEL))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


# --- with a store ----------------------------------------------------------------------------------------------------


class Tally:
    """Counts what a worker tells."""

    def __init__(self) -> None:
        self.heard: list[float] = []
        self.failures: list[str] = []

    def transcribed(self, _queue: str | None, heard: Heard, _findings: Sequence[Mapping[str, Any]]) -> None:
        self.heard.append(heard.seconds)

    def not_transcribed(self, reason: str, became: str) -> None:
        self.failures.append(f"{reason} {became}")


async def hearing(store: Store, folder: Path, tally: Tally, clock: ManualClock, **speech: Any) -> Hearing:
    """A worker for one call whose tracks lie in the folder."""
    settings = Settings(
        asterisk=Asterisk(recordings_dir=folder),
        speech=Speech(enabled=True, model=MODEL, silent_seconds=3, priority="low", **speech),
    )
    talk = ended(call("1", dialled="4000"), answered_by="1001", recording="mix.wav")
    await commit(store, replace(talk, recording_seat="seat.wav", recording_caller="caller.wav"))
    assert await Recordings(store, settings, clock).step(NOW - 60) == 1
    return Hearing(store, Site(settings, {"1001": "018"}.get), look(MODEL), clock, tally)


async def test_a_call_becomes_a_transcript_without_its_numbers(tmp_path: Path) -> None:
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW + 70), Tally()
    await place.migrate()
    spoken(tmp_path / "seat.wav", GREETING)
    spoken(tmp_path / "caller.wav", "号码是，一二三四五六七八", CALLER_VOICE)
    async with place.open() as store:
        worker = await hearing(store, tmp_path, tally, clock)
        assert await worker.step()
        assert not await worker.step()
        await worker.close()
        (row,) = await store.speech._database.rows(select(transcripts))
        assert (await store.jobs("pbx").states())["done"] == 1
    assert row["words"]["seat"] == "018"
    assert "******78" in row["text"].replace(" ", "")
    assert "12345" not in json.dumps(row["words"])
    assert len(tally.heard) == 1
    assert tally.failures == []


async def test_a_transcript_is_judged_beside_the_loop_that_calls_need(tmp_path: Path, seat: Path) -> None:
    place, clock, threads = sqlite_place(tmp_path), ManualClock(NOW + 70), []

    def judge(*_: Any) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
        threads.append(threading.get_ident())
        return (), {"judged": True}

    await place.migrate()
    shutil.copy(seat, tmp_path / "seat.wav")
    async with place.open() as store:
        worker = await hearing(store, tmp_path, Tally(), clock)
        worker._site = replace(worker._site, judge=judge)
        assert await worker.step()
        await worker.close()
        (row,) = await store.speech._database.rows(select(transcripts))
    assert row["measures"]["judged"]
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_three_deaths_are_quarantine_and_a_bad_file_is_a_failure(tmp_path: Path, long: Path) -> None:
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW + 70), Tally()
    await place.migrate()
    shutil.copy(long, tmp_path / "seat.wav")
    async with place.open() as store:
        worker = await hearing(store, tmp_path, tally, clock)
        for _ in range(3):
            assert await worker.step(lambda _: os.kill(worker.pid, signal.SIGKILL) if worker.pid else None)
            clock.advance(100)
        assert not await worker.step()
        await worker.close()
        (job,) = await store.speech._database.rows(select(transcription_jobs))
    assert (job["state"], job["attempts"], job["error"]) == ("quarantined", 3, "the worker ended by signal 9")
    assert tally.failures == ["killed waiting", "killed waiting", "killed quarantined"]


async def test_a_file_that_is_no_recording_fails_at_once(tmp_path: Path) -> None:
    place, clock, tally = sqlite_place(tmp_path), ManualClock(NOW + 70), Tally()
    await place.migrate()
    (tmp_path / "seat.wav").write_bytes(b"ID3\4" + bytes(500))
    async with place.open() as store:
        worker = await hearing(store, tmp_path, tally, clock)
        assert await worker.step()
        await worker.close()
        (job,) = await store.speech._database.rows(select(transcription_jobs))
    assert job["state"] == "failed"
    assert "The seat's track is an MP3 file" in job["error"]
    assert str(tmp_path) not in job["error"]
    assert tally.failures == ["not_wav failed"]


async def test_a_back_fill_hears_old_calls_once(tmp_path: Path, seat: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = sqlite_place(tmp_path)
    await place.migrate()
    shutil.copy(seat, tmp_path / "seat.wav")
    settings = Settings(
        store=StoreSettings(url=place.url),
        asterisk=Asterisk(recordings_dir=tmp_path),
        speech=Speech(model=MODEL, priority="low"),
    )
    async with place.open() as store:
        answered = ended(call("1"), answered_by="1001")
        await commit(store, replace(answered, recording="mix.wav", recording_seat="seat.wav"))
    assert await back_fill(settings, "2026-11-21") == 0
    assert "1 of 1 recordings" in capsys.readouterr().err
    assert await back_fill(settings, "2026-11-21") == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "0 of 0 recordings, 0.0 of 0.0 h of sound, 0 failed, ended"
    for future in ("9999-12-31", "2199-01-01"):
        with pytest.raises(BadInput, match="is in the future; name the day"):
            await back_fill(settings, future)
    with pytest.raises(BadInput, match="is no day"):
        await back_fill(settings, "yesterday")


async def to_fill(tmp_path: Path, *numbers: str) -> Settings:
    """A store with calls whose recordings nobody has looked at yet."""
    place = sqlite_place(tmp_path)
    await place.migrate()
    async with place.open() as store:
        for number in numbers:
            talk = ended(call(number), answered_by="1001")
            await commit(store, replace(talk, recording=f"{number}.wav", recording_seat=f"{number}.wav"))
    (tmp_path / "monitor").mkdir()
    return Settings(
        store=StoreSettings(url=place.url),
        asterisk=Asterisk(recordings_dir=tmp_path / "monitor"),
        speech=Speech(model=MODEL, priority="low", workers=1),
    )


def killed_in(attempts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first attempts end as the kernel ends them when memory runs out; each next one is due at once."""
    hear, left = Worker.hear, [None] * attempts

    async def hear_or_die(self: Worker, *args: Any) -> Heard:
        if left:
            left.pop()
            await self.start()
            assert self.pid is not None
            os.kill(self.pid, signal.SIGKILL)
        return await hear(self, *args)

    monkeypatch.setattr(Worker, "hear", hear_or_die)
    monkeypatch.setattr(service, "AGAIN_SECONDS", 0.5)
    monkeypatch.setattr(backfill, "LOOK_SECONDS", 0.1)


async def test_a_back_fill_waits_for_what_is_tried_again(
    tmp_path: Path, seat: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = await to_fill(tmp_path, "1")
    shutil.copy(seat, tmp_path / "monitor" / "1.wav")
    killed_in(1, monkeypatch)
    assert await back_fill(settings, "2026-11-21") == 0
    told = capsys.readouterr().err.splitlines()
    assert "0 failed, 1 wait to be tried again" in told[0]
    assert "1 recordings" in told[-2]
    assert "0 failed, ended" in told[-2], "an attempt that failed is no recording that failed"
    assert told[-1] == "waiting 0, claimed 0, done 1, failed 0, quarantined 0"


async def test_a_back_fill_ends_when_all_is_done_or_set_aside(
    tmp_path: Path, seat: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = await to_fill(tmp_path, "1")
    shutil.copy(seat, tmp_path / "monitor" / "1.wav")
    killed_in(3, monkeypatch)
    assert await back_fill(settings, "2026-11-21") == 1
    told = capsys.readouterr().err.splitlines()
    assert "1 failed, ended" in told[-2], "one recording, after three attempts"
    assert told[-1] == "waiting 0, claimed 0, done 0, failed 0, quarantined 1"
    assert await back_fill(settings, "2026-11-21", again=True) == 0


async def test_a_back_fill_looks_for_what_was_missing(
    tmp_path: Path, seat: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the daemon gave up the files days ago, and there are more of them than one look takes in."""
    numbers = [str(number) for number in range(service.MISSING_PAGE + 1)]
    settings = await to_fill(tmp_path, *numbers)
    assert await back_fill(settings, "2026-11-21") == 0
    shutil.copy(seat, tmp_path / "monitor" / "0.wav")
    assert await back_fill(settings, "2026-11-21") == 0
    assert capsys.readouterr().err.splitlines()[-1] == "waiting 0, claimed 0, done 1, failed 0, quarantined 0"


async def test_a_back_fill_does_not_wait_for_another_asterisks_recordings(tmp_path: Path, seat: Path) -> None:
    """Of two in one store each has its own folder."""
    settings = await to_fill(tmp_path, "1")
    shutil.copy(seat, tmp_path / "monitor" / "1.wav")
    store = await Store.open(settings.store.url, exclusive=False)
    try:
        talk = replace(ended(call("other-1"), answered_by="1001"), server="other", recording_seat="1.wav")
        await commit(store, talk)
        await store.speech.register(Recorded(talk, "found", "ab" * 32, 12.5), NOW, hear=True)
    finally:
        await store.close()
    async with asyncio.timeout(60):
        assert await back_fill(settings, "2026-11-21") == 0


async def test_a_back_fill_says_in_a_sentence_that_the_model_cannot_be_used(tmp_path: Path, seat: Path) -> None:
    settings = await to_fill(tmp_path, "1")
    shutil.copy(seat, tmp_path / "monitor" / "1.wav")
    with pytest.raises(ModelRefused):
        await back_fill(replace(settings, speech=replace(settings.speech, memory_mb=60)), "2026-11-21")
