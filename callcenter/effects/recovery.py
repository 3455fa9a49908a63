"""Tickets for calls that nobody observed: reads Asterisk's call records and hands what is missing to the pipeline (C1).

Promises: every complete line is read once (the position is committed with what was made of it), also of a file that was
rotated while nobody looked; a record of a running call, or one written a moment ago, waits; a first start does not
import history.
Never: changes the file.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from callcenter.calls.derive import Terms
from callcenter.calls.model import Call
from callcenter.calls.records import Record, fill, needs_records, parse_rows, recover
from callcenter.effects.linefiles import Follower
from callcenter.errors import BrokenWorld
from callcenter.pipeline import Pipeline
from callcenter.store.batch import CdrPosition

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
SETTLED_SECONDS = 4.0
"""A call's records are taken when none was added for so long: one call may write several."""
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
        inode, offset = (position.inode, position.offset) if position else (0, 0)
        first_start = position is None and not observed_before
        self._follower = Follower(file, 0 if first_start else None, inode, offset)
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
        await self._settle()

    async def _take(self) -> None:
        follower, begun = self._follower, self._follower.begun
        try:
            lines = await asyncio.to_thread(follower.read)
        except FileNotFoundError:
            # Asterisk makes it with the first call: what it will hold is no history.
            follower.look_back = None
            raise
        if follower.begun != begun:
            for waiting in self._waiting.values():
                waiting.offset = 0
        for number, (line, start) in enumerate(lines):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            records, bad = parse_rows([line])
            self.bad_lines += bad
            for record in records:
                waiting = self._waiting.setdefault(record.call_id, _Waiting([], start, 0.0))
                waiting.records.append(record)
                waiting.read_at = self._monotonic()

    async def _settle(self) -> None:
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
        offset = min((waiting.offset for waiting in self._waiting.values()), default=self._follower.offset)
        position = CdrPosition(str(self._file), self._follower.inode, offset)
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
