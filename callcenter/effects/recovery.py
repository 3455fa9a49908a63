"""Tickets for calls that nobody observed: reads Asterisk's call records and hands what is missing to the pipeline (C1).

Promises: every complete line is read once (the position is committed with what was made of it); a record of a running
call, or one written a moment ago, waits; a file that was rotated, also while nobody looked, is read to its end under
its new name before the new one is begun; one that was cut short or replaced is begun anew; a first start does not
import history.
Never: changes the file, or holds more than ``MAX_READ_BYTES`` of it.
"""

import asyncio
import logging
import os
import stat
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from callcenter.calls.derive import Terms
from callcenter.calls.model import Call
from callcenter.calls.records import Record, fill, needs_records, parse_rows, recover
from callcenter.errors import BrokenWorld
from callcenter.pipeline import Pipeline
from callcenter.store.batch import CdrPosition

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
SETTLED_SECONDS = 4.0
"""A call's records are taken when none was added for so long: one call may write several."""
MAX_READ_BYTES = 4 << 20
READING, MISSING, UNREADABLE, WAITING = (
    "reading",
    "the file does not exist yet",
    "cannot be read",
    "waits for the store",
)
"""States; the reason follows the last one."""
SETTLE_CALLS = 200
"""Calls that are looked up and handed on at a time: the first must not wait for the last of many thousands."""
SLICE = 50
"""Lines that are parsed before the event loop gets its turn: a few milliseconds. Four megabytes are a second."""


@dataclass
class _Waiting:
    """Records of one call that wait for the rest of it. ``offset``: where its first line stands in the file."""

    records: list[Record]
    offset: int
    read_at: float


class Recovery:
    """Follows one server's record file. Run ``run`` in a task."""

    def __init__(
        self,
        file: Path,
        pipeline: Pipeline,
        stored: Callable[[str], Awaitable[Call | None]],
        terms: Callable[[], Terms],
        monotonic: Callable[[], float],
        position: CdrPosition | None,
        observed_before: bool,
    ) -> None:
        self._file = file
        self._pipeline = pipeline
        self._stored = stored
        self._terms = terms
        self._monotonic = monotonic
        self._waiting: dict[str, _Waiting] = {}
        self._position = position
        self._skip_history = position is None and not observed_before
        self._offset = position.offset if position else 0
        self._inode = position.inode if position else 0
        self._amid_line = False
        self._more = False
        """Calls are settled that were not looked up yet; nothing is read until they are."""
        self.state = "starting"
        self.bad_lines = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            before, self.state = self.state, await self._attempt()
            if self.state != before:
                level = logging.WARNING if self.state.startswith(UNREADABLE) else logging.INFO
                log.log(level, "call records: %s", self.state)
            await asyncio.sleep(0 if self._more and self.state == READING else EVERY_SECONDS)

    async def _attempt(self) -> str:
        """One step; the state that it ends in."""
        try:
            await self.step()
        except FileNotFoundError:
            return MISSING
        except BrokenWorld:
            return WAITING
        except OSError as error:
            return f"{UNREADABLE}: {error.strerror}"
        return READING

    async def step(self) -> None:
        """Read what is new, and hand on the calls whose records are complete."""
        if not self._more:
            await self._take()
        await self._settle(self._inode)

    async def _take(self) -> None:
        try:
            lines, starts = await asyncio.to_thread(self._read)
        except FileNotFoundError:
            # Asterisk makes it with the first call: what it will hold is no history.
            self._skip_history = False
            raise
        for number, (line, start) in enumerate(zip(lines, starts, strict=True)):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            records, bad = parse_rows([line])
            self.bad_lines += bad
            for record in records:
                waiting = self._waiting.setdefault(record.call_id, _Waiting([], start, 0.0))
                waiting.records.append(record)
                waiting.read_at = self._monotonic()

    def _read(self) -> tuple[list[str], list[int]]:
        """The next lines and where each begins: of the file that was followed so far, then of the present one."""
        with _opened(self._file) as file:
            status = os.fstat(file.fileno())
            if self._skip_history:
                self._skip_history, self._inode, self._offset = False, status.st_ino, status.st_size
            elif status.st_ino != self._inode:
                if rest := self._rest_of_rotated():
                    return rest
                self._begin(status.st_ino)
            elif status.st_size < self._offset or not self._at_line_start(file):
                self._begin(status.st_ino)
            return self._next_lines(file)

    def _begin(self, inode: int) -> None:
        self._inode, self._offset, self._amid_line = inode, 0, False
        for waiting in self._waiting.values():
            waiting.offset = 0

    def _at_line_start(self, file: BinaryIO) -> bool:
        """False where a file was replaced, or cut and filled again, beyond where the old one had been read."""
        if self._offset == 0 or self._amid_line:
            return True
        file.seek(self._offset - 1)
        return file.read(1) in (b"\n", b"")

    def _rest_of_rotated(self) -> tuple[list[str], list[int]] | None:
        """What was written to the followed file before it was renamed; ``None`` if there is no more, or no file."""
        for path in self._file.parent.glob(f"{self._file.name}?*"):
            if self._inode and path.stat().st_ino == self._inode:
                with _opened(path) as file:
                    rest = self._next_lines(file) if self._at_line_start(file) else ([], [])
                return rest if rest[0] else None
        return None

    def _next_lines(self, file: BinaryIO) -> tuple[list[str], list[int]]:
        lines, starts, offset, self._amid_line = _read_lines(file, self._offset)
        self._offset = offset
        return lines, starts

    async def _settle(self, inode: int) -> None:
        settled_before = self._monotonic() - SETTLED_SECONDS
        settled = [
            call_id
            for call_id, waiting in self._waiting.items()
            if waiting.read_at <= settled_before and self._pipeline.book.resolve(call_id) not in self._pipeline.calls
        ]
        self._more = len(settled) > SETTLE_CALLS
        settled = settled[:SETTLE_CALLS]
        found = [await self._recovered(self._waiting[call_id].records) for call_id in settled]
        calls = [call for call in found if call is not None]
        for call_id in settled:
            del self._waiting[call_id]
        offset = min((waiting.offset for waiting in self._waiting.values()), default=self._offset)
        position = CdrPosition(str(self._file), inode, offset)
        if calls or position != self._position:
            self._position = position
            self._pipeline.recovered(calls, position)

    async def _recovered(self, records: list[Record]) -> tuple[Call | None, Call] | None:
        """(what is stored, what the records make of it): a call nobody saw, or the end of one seen in part."""
        recovered = recover(records, self._terms())
        if recovered is None:
            return None
        stored = await self._stored(recovered.call_id)
        if stored is None:
            return None, recovered
        if stored.merged_into is None and needs_records(stored):
            return stored, fill(stored, recovered)
        return None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Raises ``OSError``, also for what is no file: a pipe would never end."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is not a file")
        yield file


def _read_lines(file: BinaryIO, offset: int) -> tuple[list[str], list[int], int, bool]:
    """Complete lines from ``offset``, where each begins, where the next one will, and whether that is amid a line."""
    file.seek(offset)
    data = file.read(MAX_READ_BYTES)
    end = data.rfind(b"\n") + 1
    amid = not end and len(data) == MAX_READ_BYTES
    if amid:
        end = len(data)
    grouped: defaultdict[int, str] = defaultdict(str)
    at = offset
    for raw in data[:end].splitlines(keepends=True):
        grouped[at] = raw.decode("utf-8", "replace")
        at += len(raw)
    return list(grouped.values()), list(grouped), offset + end, amid
