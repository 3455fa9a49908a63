"""Every fault in hearing ends in a status with its reason on the ticket, in both languages, and in a figure; and the
next recording is heard all the same. The real service, its real children and the real Vosk."""

import asyncio
import errno
import os
import resource
import shutil
import signal
import struct
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select

from callcenter.calls.model import Phase
from callcenter.clock import ManualClock
from callcenter.metrics.figures import Figures
from callcenter.riff import Format, header
from callcenter.settings import Asterisk, Settings, Speech
from callcenter.speech import service
from callcenter.speech.engine import SKIPPED_AFTER_SECONDS
from callcenter.speech.models import look
from callcenter.speech.reasons import CODES
from callcenter.speech.service import Hearing, Recordings, Site, hearings
from callcenter.speech.transcript import Transcript
from callcenter.speech.workers import ModelRefused, Worker
from callcenter.store.schema import recordings, transcription_jobs, transcripts
from callcenter.store.store import Store
from callcenter.web.hearing_words import REASONS
from callcenter.web.words import load
from callcenter.web_ports import RecordingsFolder
from tests.fakes import calls as story
from tests.fakes.spoken import MODEL, spoken
from tests.fakes.web_client import site
from tests.store.build import NOW, call, commit, ended
from tests.store.places import sqlite_place

GREETING = "您好工号零一八为您服务请问有什么可以帮您"
HOURS_8 = 8 * 3600
AGAIN = service.AGAIN_SECONDS + 1


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spoken(tmp_path_factory.mktemp("spoken") / "good.wav", GREETING)


@dataclass
class House:
    """A store, a folder of recordings and the service's loop over them."""

    folder: Path
    store: Store
    settings: Settings
    clock: ManualClock
    figures: Figures
    worker: Hearing

    async def recorded(self, number: str) -> None:
        talk = ended(call(number, dialled="4000"), answered_by="1001", recording=f"{number}.wav")
        await commit(self.store, replace(talk, recording_seat=f"{number}.wav"))
        assert await Recordings(self.store, self.settings, self.clock).step(NOW - 60) == 1

    async def job(self) -> dict[str, object]:
        rows = await self.store.speech._database.rows(select(transcription_jobs).order_by(transcription_jobs.c.id))
        return dict(rows[0])

    def counted(self) -> dict[tuple[str, str], float]:
        """Of the figures, by reason and what became of the recording; all others stand at zero."""
        family = next(f for f in self.figures.kept.collect() if f.name == "callcenter_transcription_failures")
        samples = [one for one in family.samples if one.name.endswith("_total")]
        return {(one.labels["reason"], one.labels["became"]): one.value for one in samples if one.value}

    async def page(self, language: str, number: str = "1", who: str = "wu") -> str:
        """The ticket, as the real port tells of the recording."""
        async with site() as here:
            here.memory.users_by_name[who] = replace(here.memory.users_by_name[who], language=language)
            here.control.put("ringing", "a")
            talk = story.talking(here.control.memory.calls_by_id[("pbx", "a")], here.memory.now())
            here.memory.put(replace(talk, phase=Phase.ENDED, ended_at=here.memory.now() + 60, recording="a.wav"))
            here.shelf.became = await RecordingsFolder(self.settings, self.store).transcription("pbx", number)
            return await (await (await here.signed_in(who)).get("/tickets/187")).text()

    async def heard(self) -> list[str]:
        return [row["text"] for row in await self.store.speech._database.rows(select(transcripts))]

    async def the_next_is_heard(self, good: Path) -> None:
        before = len(await self.heard())
        shutil.copy(good, self.folder / "2.wav")
        await self.recorded("2")
        assert await self.worker.step()
        texts = await self.heard()
        assert len(texts) == before + 1
        assert "您好" in texts[-1]


@asynccontextmanager
async def house(tmp_path: Path, model: Path = MODEL, **speech: int) -> AsyncIterator[House]:
    """Opened again on the same *tmp_path* it is the program after a restart."""
    place, folder = sqlite_place(tmp_path), tmp_path / "monitor"
    folder.mkdir(exist_ok=True)
    await place.migrate()
    told = Speech(enabled=True, model=model, silent_seconds=3, workers=1, priority="low", **speech)
    settings = Settings(asterisk=Asterisk(recordings_dir=folder), speech=told)
    clock, figures = ManualClock(NOW + 70), Figures()
    async with place.open() as store:
        (worker,) = hearings(store, Site(settings, {"1001": "018"}.get), clock, figures)
        try:
            yield House(folder, store, settings, clock, figures, worker)
        finally:
            await worker.close()


async def told_on_the_ticket(here: House, code: str, state: str) -> None:
    """Sentence and remedy in both languages, never the worker's own words; a seat is not told what it cannot do."""
    what, remedy = REASONS[code]
    error = str((await here.job())["error"])
    for language in ("zh", "en"):
        words = load(language)
        page = (await here.page(language)).replace("&#39;", "'")
        assert words.gettext(what) in page
        assert words.gettext(remedy) in page
        assert ("--again" in page) == (state in ("failed", "quarantined"))
        assert error not in page
    seat = await here.page("zh", who="li")
    assert load("zh").gettext(what) in seat
    assert load("zh").gettext(remedy) not in seat


async def told_as_heard(here: House, number: str = "1") -> None:
    """The ticket says that there is a transcript, in both languages, and nothing of a fault."""
    for language in ("zh", "en"):
        words = load(language)
        page = (await here.page(language, number)).replace("&#39;", "'")
        assert words.gettext("Transcript: done.") in page
        assert not [what for what, _ in REASONS.values() if words.gettext(what) in page]


def test_every_code_has_its_words() -> None:
    assert set(REASONS) == set(CODES)


# --- what is no recording --------------------------------------------------------------------------------------------


def headed(tag: int, channels: int, rate: int, bits: int, sound: bytes = bytes(8000)) -> bytes:
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    return struct.pack("<4sI4s4sI", b"RIFF", 36 + len(sound), b"WAVE", b"fmt ", 16) + form + struct.pack(
        "<4sI", b"data", len(sound)
    ) + sound  # fmt: skip


BAD = {
    "empty": b"",
    "not_wav": b"ID3\4" + bytes(500),
    "no_sound": headed(1, 1, 8000, 16, b""),
    "damaged": headed(1, 1, 8000, 16)[:12] + struct.pack("<4sI", b"fmt ", 4) + bytes(4) + b"data" + bytes(400),
    "coding": headed(49, 1, 8000, 0),
    "channels": headed(1, 6, 8000, 16),
    "rate": headed(1, 1, 100, 16),
}


async def test_what_is_no_recording_fails_at_once_with_its_reason(tmp_path: Path, good: Path) -> None:
    """All on one worker: none of them costs it."""
    async with house(tmp_path) as here:
        pid = None
        for number, (code, content) in enumerate(BAD.items(), 10):
            (here.folder / f"{number}.wav").write_bytes(content)
            await here.recorded(str(number))
            assert await here.worker.step()
            found = await here.store.speech.status("pbx", str(number))
            assert found is not None
            assert (found.job, found.code) == ("failed", code)
            assert here.counted()[(code, "failed")] == 1
            for language in ("zh", "en"):
                page = (await here.page(language, str(number))).replace("&#39;", "'")
                for sentence in REASONS[code]:
                    assert load(language).gettext(sentence) in page
                assert found.error not in page
            assert pid in (None, here.worker.pid)
            pid = here.worker.pid
        await here.the_next_is_heard(good)
        assert len(here.counted()) == len(BAD)


async def test_a_folder_that_is_away_costs_no_recording(tmp_path: Path, good: Path) -> None:
    """Renamed, or not mounted: the job waits, and is heard once the folder is back."""
    async with house(tmp_path) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        here.folder.rename(tmp_path / "elsewhere")
        assert await here.worker.step()
        job = await here.job()
        assert (job["state"], job["code"], job["attempts"]) == ("waiting", "folder", 0)
        assert here.counted() == {("folder", "waiting"): 1}
        await told_on_the_ticket(here, "folder", "waiting")
        (tmp_path / "elsewhere").rename(here.folder)
        here.clock.advance(service.AGAIN_SECONDS + 1)
        assert await here.worker.step()
        assert (await here.job())["state"] == "done"


async def test_a_file_that_went_before_it_was_heard(tmp_path: Path, good: Path) -> None:
    async with house(tmp_path) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        (here.folder / "1.wav").unlink()
        (here.folder / "another.wav").touch()
        assert await here.worker.step()
        job = await here.job()
        assert (job["state"], job["code"]) == ("failed", "gone")
        assert here.counted() == {("gone", "failed"): 1}
        await told_on_the_ticket(here, "gone", "failed")
        await here.the_next_is_heard(good)
        shutil.copy(good, here.folder / "1.wav")
        assert await here.store.jobs("pbx").wanted(NOW - 60, here.clock.wall(), again=True) == 1
        assert await here.worker.step()
        assert (await here.job())["state"] == "done", "what was repaired is heard when somebody asks for it"
        assert (await here.job())["code"] is None


# --- what comes late -------------------------------------------------------------------------------------------------


async def test_a_folder_that_comes_late_is_heard_all_the_same(
    tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a disk of the network that is mounted minutes after the daemon began; more calls than one look takes in."""
    monkeypatch.setattr(service, "MISSING_PAGE", 2)
    async with house(tmp_path) as here:
        told: list[tuple[str, str]] = []
        finder = Recordings(here.store, here.settings, here.clock, lambda one, state: told.append((one.call_id, state)))
        here.clock.advance(service.MISSING_SECONDS)
        for number in ("1", "2", "3"):
            talk = ended(call(number, dialled="4000"), answered_by="1001", recording=f"{number}.wav")
            await commit(here.store, replace(talk, recording_seat=f"{number}.wav"))
        assert await finder.step(NOW - 60) == 3
        found = await here.store.speech.status("pbx", "1")
        assert found is not None
        assert (found.state, found.job) == ("missing", None)
        assert await finder.look_again(NOW - 60) == (0, False), "nobody looks while there is no folder"
        (here.folder / "other.wav").write_bytes(b"")
        assert await finder.look_again(NOW - 60) == (0, True)
        assert await finder.look_again(NOW - 60) == (0, False), "it ends, and begins anew with the newest"
        shutil.copy(good, here.folder / "1.wav")
        assert [await finder.look_again(NOW - 60) for _ in range(2)] == [(0, True), (1, False)]
        assert told[3:] == [("1", "found")]
        (row,) = await here.store.speech._database.rows(select(recordings).where(recordings.c.state == "found"))
        assert len(row["sha256"]) == 64
        assert row["seconds"] > 1
        assert await here.worker.step()
        found = await here.store.speech.status("pbx", "1")
        assert found is not None
        assert (found.state, found.job) == ("found", "done")
        assert await here.store.keeping.erased(row["id"] + 1, NOW, "retention", 0)
        shutil.copy(good, here.folder / "2.wav")
        assert await finder.look_again(NOW - 60) == (0, False), "what was erased stays so"


async def test_the_daemon_looks_for_what_is_missing_each_minute(tmp_path: Path, good: Path) -> None:
    async with house(tmp_path) as here:
        finder = Recordings(here.store, here.settings, here.clock)
        talk = ended(call("1", dialled="4000"), answered_by="1001", recording="1.wav")
        await commit(here.store, replace(talk, recording_seat="1.wav"))
        here.clock.advance(service.MISSING_SECONDS)
        assert await finder.step(NOW - 60) == 1
        await finder._now_and_then(NOW - 60)
        shutil.copy(good, here.folder / "1.wav")
        here.clock.advance(service.MISSING_EVERY_SECONDS - 1)
        await finder._now_and_then(NOW - 60)
        assert (await here.store.jobs("pbx").states())["waiting"] == 0
        here.clock.advance(1)
        await finder._now_and_then(NOW - 60)
        assert (await here.store.jobs("pbx").states())["waiting"] == 1


# --- what can be read is heard ---------------------------------------------------------------------------------------


def odd(good: Path, target: Path) -> None:
    target.write_bytes(good.read_bytes() + b"\1")


def truncated(good: Path, target: Path) -> None:
    """In the middle of a sample: the header tells of more."""
    target.write_bytes(good.read_bytes()[:-4001])


def eight_hours(good: Path, target: Path) -> None:
    """A forgotten line: silence, and the greeting at its end. The file is sparse."""
    sound = good.read_bytes()[44:]
    length = HOURS_8 * 16_000 + len(sound)
    with target.open("wb") as file:
        file.write(header(Format("pcm16", 1, 8000, 16), length))
        file.truncate(44 + HOURS_8 * 16_000)
        file.seek(0, 2)
        file.write(sound)


READABLE: dict[str, Callable[[Path, Path], object]] = {
    "24-bit": lambda _, target: spoken(target, GREETING, form="-b 24"),
    "stereo": lambda _, target: spoken(target, GREETING, form="-c 2 -b 16", rate=44_100),
    "truncated": truncated,
    "odd length": odd,
    "8 hours": eight_hours,
}


async def test_what_can_be_read_is_heard(tmp_path: Path, good: Path) -> None:
    async with house(tmp_path) as here:
        for number, (name, make) in enumerate(READABLE.items(), 10):
            make(good, here.folder / f"{number}.wav")
            await here.recorded(str(number))
            assert await here.worker.step()
            found = await here.store.speech.status("pbx", str(number))
            assert found is not None
            assert (found.job, found.code) == ("done", ""), name
        rows = await here.store.speech._database.rows(select(transcripts).order_by(transcripts.c.id))
        assert ["您好" in row["text"] for row in rows] == [True] * len(READABLE)
        first = rows[-1]["words"]["segments"][0]["words"][0]
        plain = rows[-2]["words"]["segments"][0]["words"][0]
        assert first["word"] == plain["word"]
        assert first["start"] == pytest.approx(HOURS_8 + plain["start"], abs=0.3), "at its time, after eight hours"
        assert HOURS_8 > 100 * SKIPPED_AFTER_SECONDS
        assert here.counted() == {}
        await told_as_heard(here, "14")


def repeated(good: Path, target: Path, times: int) -> None:
    """Long enough to be interrupted, behind a header that was never finished."""
    sound = good.read_bytes()
    target.write_bytes(sound[:40] + bytes(4) + sound[44:] * times)


async def test_a_file_that_is_deleted_while_it_is_read_is_heard_to_its_end(tmp_path: Path, good: Path) -> None:
    async with house(tmp_path) as here:
        file = here.folder / "1.wav"
        repeated(good, file, 8)
        await here.recorded("1")
        assert await here.worker.step(lambda _: file.unlink(missing_ok=True))
        assert not file.exists()
        assert (await here.job())["state"] == "done"
        assert (await here.heard())[0].count("您好") > 6
        assert here.counted() == {}
        await told_as_heard(here)
        await here.the_next_is_heard(good)


# --- what happens to the worker --------------------------------------------------------------------------------------


def starved(pid: int) -> None:
    """Not a page more than it has now, and a little for the words that say so."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kilobytes,) = [int(line.split()[1]) for line in lines if line.startswith("VmSize")]
    soft, hard = resource.prlimit(pid, resource.RLIMIT_AS)
    if soft == hard:
        resource.prlimit(pid, resource.RLIMIT_AS, ((kilobytes << 10) + (2 << 20), hard))


ENDED: dict[str, Callable[[int, Path], object]] = {
    "killed": lambda pid, _: os.kill(pid, signal.SIGKILL),
    "crashed": lambda pid, _: os.kill(pid, signal.SIGSEGV),
    "hung": lambda pid, _: os.kill(pid, signal.SIGSTOP),
    "memory": lambda pid, _: starved(pid),
    "cut_off": lambda _, file: os.truncate(file, 60_000),
}


@pytest.mark.parametrize("code", ENDED)
async def test_what_ends_an_attempt_is_tried_again_and_then_set_aside(tmp_path: Path, good: Path, code: str) -> None:
    async with house(tmp_path) as here:
        file = here.folder / "1.wav"
        repeated(good, file, 60)
        await here.recorded("1")

        def strike(_: float) -> None:
            if here.worker.pid is not None:
                ENDED[code](here.worker.pid, file)

        for attempt in (1, 2, 3):
            repeated(good, file, 60)
            assert await here.worker.step(strike)
            job = await here.job()
            became = "waiting" if attempt < 3 else "quarantined"
            assert (job["state"], job["code"], job["attempts"]) == (became, code, attempt)
            if attempt == 1:
                await told_on_the_ticket(here, code, "waiting")
            here.clock.advance(AGAIN)
        await told_on_the_ticket(here, code, "quarantined")
        assert here.counted() == {(code, "waiting"): 2, (code, "quarantined"): 1}
        if code == "memory":
            await here.worker.close()  # its limit is still on it
        await here.the_next_is_heard(good)


async def test_the_program_around_the_worker_died_three_times(tmp_path: Path, good: Path) -> None:
    async with house(tmp_path) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        for _ in range(3):
            assert await here.store.jobs("pbx").claim("dead", here.clock.wall(), service.LOST_SECONDS) is not None
            here.clock.advance(service.LOST_SECONDS + 1)
        assert not await here.worker.step()
        job = await here.job()
        assert (job["state"], job["code"]) == ("quarantined", "lost")
        assert here.counted() == {("lost", "quarantined"): 1}
        await told_on_the_ticket(here, "lost", "quarantined")
        await here.the_next_is_heard(good)


@pytest.mark.parametrize("wrong", [errno.ENOMEM, errno.EAGAIN, errno.EMFILE], ids=errno.errorcode.get)
async def test_a_worker_that_cannot_be_started_costs_an_attempt_and_a_pause(
    tmp_path: Path, good: Path, wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_room(*_: object, **__: object) -> None:
        raise OSError(wrong, os.strerror(wrong))

    async with house(tmp_path) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "create_subprocess_exec", no_room)
            for attempt in (1, 2, 3):
                assert await here.worker.step()
                job = await here.job()
                became = "waiting" if attempt < 3 else "quarantined"
                assert (job["state"], job["code"], job["attempts"]) == (became, "not_started", attempt)
                assert os.strerror(wrong) in str(job["error"])
                assert here.worker.pause == service.AGAIN_SECONDS, "a backlog is not spent while nothing can start"
                here.clock.advance(AGAIN)
        await told_on_the_ticket(here, "not_started", "quarantined")
        assert here.counted() == {("not_started", "waiting"): 2, ("not_started", "quarantined"): 1}
        await here.the_next_is_heard(good)
        assert here.worker.pause == 0


# --- what is wrong with the program itself ----------------------------------------------------------------------------


async def test_a_fault_of_the_program_costs_its_recording_and_the_loop_goes_on(
    tmp_path: Path, good: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As the daemon runs it: its loop ends for nothing that is met on a recording."""
    broken, heard = "13800138000", asyncio.Event()

    def judge(transcript: Transcript, *_: object) -> tuple[Sequence[Mapping[str, object]], Mapping[str, object]]:
        if transcript.id == "pbx:1":
            raise ValueError(broken)
        return (), {}

    async with house(tmp_path) as here:
        here.worker._site = replace(here.worker._site, judge=judge, transcribed=lambda *_: heard.set())
        for number in ("1", "2"):
            shutil.copy(good, here.folder / f"{number}.wav")
            await here.recorded(number)
        running = asyncio.create_task(here.worker.run())
        waiting = asyncio.create_task(heard.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        assert not running.done()
        running.cancel()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        job = await here.job()
        assert (job["state"], job["code"], job["error"]) == (
            "failed", "fault", "a fault of the program (ValueError)",
        )  # fmt: skip
        await told_on_the_ticket(here, "fault", "failed")
        assert here.counted() == {("fault", "failed"): 1}
        (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert "failed by a fault of the program: ValueError at test_hearing_faults.py:" in line.getMessage()
        assert line.exc_info is None
        assert broken not in caplog.text
        found = await here.store.speech.status("pbx", "2")
        assert found is not None
        assert found.job == "done"


async def test_a_child_that_talks_nonsense_costs_its_recording_and_itself(
    tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nonsense(_self: Worker, _seconds: float) -> dict[str, object]:
        return {"unknown": 1}

    async with house(tmp_path) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        _, worker = await here.worker._started()
        await worker.start()
        with monkeypatch.context() as patched:
            patched.setattr(Worker, "_told", nonsense)
            assert await here.worker.step()
        assert (await here.job())["code"] == "fault"
        assert here.worker.pid is None
        await here.the_next_is_heard(good)


# --- what happens to the model ---------------------------------------------------------------------------------------


def missing(model: Path) -> None:
    model.rename(model.with_name("elsewhere"))


def emptied(model: Path) -> None:
    os.truncate(model / "am" / "final.mdl", 0)


def cut(model: Path) -> None:
    os.truncate(model / "am" / "final.mdl", 400_000)


@pytest.fixture(params=[missing, emptied, cut], ids=lambda spoil: spoil.__name__)
def spoil(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    spoil: Callable[[Path], None] = request.param
    return spoil


async def test_without_a_whole_model_recordings_wait_and_are_heard_once_it_is_there(
    tmp_path: Path, good: Path, spoil: Callable[[Path], None]
) -> None:
    model = Path(shutil.copytree(MODEL, tmp_path / "model-cmn"))
    spoil(model)
    async with house(tmp_path, model) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        for _ in range(4):  # more often than attempts are given
            with pytest.raises(ModelRefused):
                await here.worker.step()
            here.clock.advance(AGAIN)
        job = await here.job()
        assert (job["state"], job["code"], job["attempts"]) == ("waiting", "model", 0)
        assert here.counted() == {("model", "waiting"): 4}
        await told_on_the_ticket(here, "model", "waiting")
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(MODEL, model)
        assert await here.worker.step()
        assert (await here.job())["state"] == "done"
        await here.the_next_is_heard(good)


async def test_a_model_for_another_rate_hears_at_its_own(tmp_path: Path, good: Path) -> None:
    model = Path(shutil.copytree(MODEL, tmp_path / "model-cmn"))
    conf = model / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("8000", "16000"))
    assert look(model).rate == 16_000
    async with house(tmp_path, model) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        assert await here.worker.step()
        assert (await here.job())["state"] == "done"
        assert here.counted() == {}
        await told_as_heard(here)
        await here.the_next_is_heard(good)


async def test_a_model_that_needs_more_memory_than_it_may_have(tmp_path: Path, good: Path) -> None:
    async with house(tmp_path, memory_mb=60) as here:
        shutil.copy(good, here.folder / "1.wav")
        await here.recorded("1")
        with pytest.raises(ModelRefused):
            await here.worker.step()
        job = await here.job()
        assert (job["state"], job["code"], job["attempts"]) == ("waiting", "memory", 0)
        await told_on_the_ticket(here, "memory", "waiting")
        assert b'callcenter_transcription_failures_total{became="waiting",reason="memory"} 1.0' in generate_latest(
            here.figures.kept
        )
    async with house(tmp_path) as here:  # the remedy: more memory, which a restart gives
        here.clock.advance(AGAIN)
        assert await here.worker.step()
        assert (await here.job())["state"] == "done"
        await told_as_heard(here)
        await here.the_next_is_heard(good)
