"""``callcenter capture FILE``: keep what Asterisk says on AMI, byte by byte, for ``replay``, tests and bug reports.

Place on the path: beside it; a link of its own with a tap on the raw bytes, and nobody who listens to the events.

Promises: the file holds exactly the bytes that Asterisk sent, banner, answers and snapshot included, and nothing that
we sent (so no secret); after a loss the next connection's bytes follow. Flushed at least each second; readable by its
owner only, for it holds callers' numbers and names; ends at a size limit. An existing file is added to.
Never: runs beside the daemon in its process, or acts on a call.
"""

import asyncio
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from callcenter.ami.events import Event
from callcenter.ami.link import Link, LinkStatus
from callcenter.errors import BadInput
from callcenter.settings import Asterisk

FLUSH_SECONDS = 1.0
MAX_BYTES = 1_073_741_824
"""Default limit of a capture file: 1 GiB, about 20,000 queue calls with every class of events."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What a capture came to. ``ended_by``: ``stopped``, ``size limit``, or the disk's complaint."""

    bytes_written: int
    connections: int
    ended_by: str


class _Nobody:
    def events(self, events: list[Event]) -> None:
        """The capture is only about bytes."""


class _File:
    """The capture file with its size limit."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        self.file = file
        self.room = max(0, max_bytes - os.fstat(file.fileno()).st_size)
        self.written = 0
        self.ended = asyncio.Event()
        self.ended_by = "stopped"
        self._end_if_full()

    def take(self, data: bytes) -> None:
        """Called from the connection with each read."""
        if self.ended.is_set():
            return
        self._do(lambda: self.file.write(data[: self.room]))
        self.written += min(len(data), self.room)
        self.room -= min(len(data), self.room)
        self._end_if_full()

    def flush(self) -> None:
        self._do(self.file.flush)

    def _end_if_full(self) -> None:
        if self.room == 0:
            self.end("size limit")

    def _do(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self.end(f"the file cannot be written: {error.strerror}")

    def end(self, why: str) -> None:
        if not self.ended.is_set():
            self.ended_by = why
            self.ended.set()


async def record(
    settings: Asterisk,
    secret: Callable[[], str],
    path: Path,
    stop: asyncio.Event,
    *,
    max_bytes: int = MAX_BYTES,
    tell: Callable[[str], None] = lambda _: None,
) -> Captured:
    """Records until ``stop`` is set or the file is full. ``tell`` gets one line whenever the link changes its state.

    Raises ``BadInput`` if the file cannot be opened."""
    with _open(path) as raw:
        file = _File(raw, max_bytes)
        # wanted = nothing: framing still notices a runaway peer, and no header is parsed for nobody.
        link = Link(settings, secret, _Nobody(), wanted={}, tap=file.take)
        tasks = [asyncio.create_task(c) for c in (link.run(), _flush(file, link, tell), stop.wait(), file.ended.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            file.flush()
    return Captured(file.written, link.counts["logins"], file.ended_by)


def _open(path: Path) -> BinaryIO:
    """For appending, created for its owner only; no symbolic link, no device."""
    try:
        number = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600
        )
    except OSError as error:
        raise BadInput(f"{path}: cannot be opened for writing ({error.strerror}); name another file.") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise BadInput(f"{path}: is no regular file; name another.")
    os.fchmod(number, 0o600)
    return os.fdopen(number, "ab")


async def _flush(file: _File, link: Link, tell: Callable[[str], None]) -> None:
    told: LinkStatus | None = None
    while True:
        status = link.status
        if told is None or (told.state, told.reason) != (status.state, status.reason):
            tell(_line(status))
            told = status
        await asyncio.sleep(FLUSH_SECONDS)
        file.flush()


def _line(status: LinkStatus) -> str:
    if status.state == "up":
        return f"recording: Asterisk {status.asterisk_version} {status.system_name}"
    return ". ".join(part for part in (status.state, status.reason, status.remedy) if part)
