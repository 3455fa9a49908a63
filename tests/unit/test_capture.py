"""The capture: exactly what was sent to us, across losses, within its limits."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callcenter.ami import capture
from callcenter.ami.capture import Captured, record
from callcenter.ami.codec import Decoder
from callcenter.errors import BadInput
from tests.fakes.asterisk import BANNER, FakeAsterisk
from tests.fakes.links import quick, until

SECRET: Callable[[], str] = lambda: "s3cret"  # noqa: E731


@asynccontextmanager
async def recording(pbx: FakeAsterisk, path: Path, **options: Any) -> AsyncIterator["asyncio.Task[Captured]"]:
    stop = asyncio.Event()
    task = asyncio.create_task(record(quick(pbx.port), SECRET, path, stop, **options))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=20)
        assert task.done()


async def test_a_capture_holds_the_banner_and_every_event_and_nothing_that_we_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"
    told: list[str] = []
    async with FakeAsterisk(channels=2) as pbx, recording(pbx, path, tell=told.append) as task:
        await until(lambda: any(line.startswith("recording") for line in told))
        unwanted = pbx.event("Newexten", ("AppData", "张三"), ("Uniqueid", "lab-1.1"))
        pbx.send(unwanted[:30])
        await asyncio.sleep(0.05)
        pbx.send(unwanted[30:] + b"garbage \xff without an end")
        await until(lambda: b"without an end" in path.read_bytes())
    held = path.read_bytes()
    assert held.startswith(BANNER)
    # The answer to a ping may stand between the two pieces.
    assert unwanted[:30] in held
    assert unwanted[30:] + b"garbage \xff without an end" in held
    assert b"Action: " not in held
    assert b"s3cret" not in held
    assert task.result() == Captured(len(held), 1, "stopped")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_loss_is_survived_and_the_streams_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"
    told: list[str] = []
    async with FakeAsterisk() as pbx, recording(pbx, path, tell=told.append) as task:
        for n in (1, 2):
            await until(lambda: pbx.names().count("CoreShowChannels") == n)  # noqa: B023
            await asyncio.sleep(0.05)
            pbx.send(pbx.event("Newchannel", ("Uniqueid", f"lab-1.{n}")))
            await until(lambda: f"lab-1.{n}".encode() in path.read_bytes())  # noqa: B023
            if n == 1:
                pbx.drop()
    held = path.read_bytes()
    assert held.count(BANNER) == 2
    assert [m["Uniqueid"] for m in Decoder().feed(held) if m.get("Event") == "Newchannel"] == ["lab-1.1", "lab-1.2"]
    assert task.result().connections == 2
    assert told


async def test_an_existing_file_is_added_to_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"
    path.write_bytes(b"before\r\n\r\n")
    path.chmod(0o644)
    async with FakeAsterisk() as pbx, recording(pbx, path):
        await until(lambda: "CoreShowChannels" in pbx.names())
    assert path.read_bytes().startswith(b"before\r\n\r\n" + BANNER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_was_heard_is_on_the_disk_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"
    async with FakeAsterisk() as pbx, recording(pbx, path):
        await until(lambda: "CoreShowChannels" in pbx.names())
        pbx.send(pbx.event("Newchannel", ("Uniqueid", "lab-1.1")))
        await until(lambda: b"lab-1.1" in path.read_bytes(), capture.FLUSH_SECONDS + 3)


async def test_a_capture_ends_at_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.ami"
    path.write_bytes(b"x" * 500)
    async with FakeAsterisk() as pbx, recording(pbx, path, max_bytes=1_000) as task:
        await until(lambda: "CoreShowChannels" in pbx.names() or task.done())
        while not task.done():
            pbx.send(pbx.event("Newchannel", ("Uniqueid", "lab-1.1")))
            await asyncio.sleep(0.005)
    assert path.stat().st_size == 1_000
    assert task.result().ended_by == "size limit"
    assert task.result().bytes_written == 500


async def test_a_full_disk_ends_the_capture_with_its_complaint(tmp_path: Path) -> None:
    # /dev/full is no regular file, so the refusal of devices is switched off for it.
    path = tmp_path / "a.ami"

    def full(_: Path) -> Any:
        return open("/dev/full", "ab", buffering=0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture, "_open", full)
        async with FakeAsterisk() as pbx, recording(pbx, path) as task:
            await until(task.done)
    assert task.result().ended_by == "the file cannot be written: No space left on device"


@pytest.mark.parametrize("kind", ["link", "folder", "missing", "fifo"])
async def test_what_is_no_file_is_refused_with_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "link":
        path.symlink_to(tmp_path / "target")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path = tmp_path / "no" / "where"
    with pytest.raises(BadInput, match="name another"):
        await record(quick(1), SECRET, path, asyncio.Event())
    assert not (tmp_path / "target").exists()
