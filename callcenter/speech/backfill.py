"""``callcenter transcribe --since``: hears the recordings of all calls since a day, and says how far it is.

Place on the path of a call: long after its end. It claims the same jobs as the daemon's workers, beside them.
Promises: started twice, or on several machines, it does each recording once; it ends when each of them is heard, failed
or set aside, also those that are tried again. Only what waits for the store of recordings it leaves to a later run.
Never: needs the daemon.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from callcenter.clock import Clock
from callcenter.errors import BadInput, CallcenterError
from callcenter.opening import beside
from callcenter.settings import Settings
from callcenter.speech.judging import judged
from callcenter.speech.models import look
from callcenter.speech.service import Hearing, Recordings, Site, hearings
from callcenter.speech.workers import Heard
from callcenter.store.jobs import Jobs, Unfinished
from callcenter.store.store import Store

OK, FAILED = 0, 1
LOOK_SECONDS = 3.0
"""So often what waits to be tried again is looked at."""
TELL_SECONDS = 60.0
"""So often a line is written where no terminal shows one that changes."""


async def back_fill(settings: Settings, day: str, again: bool = False) -> int:
    """Hears the recordings of all calls since the day, beside a running daemon; other machines may do the same.

    ``again``: also those that failed or were set aside before."""
    try:
        since = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(settings.site.timezone)).timestamp()
    except (ValueError, OverflowError):
        raise BadInput("transcribe: --since is no day; write it as in 2026-11-01.") from None
    if since > Clock().wall():
        raise BadInput("transcribe: --since is in the future; name the day of the first calls to hear.")
    if settings.asterisk.recordings_dir is None:
        raise BadInput("transcribe: set asterisk.recordings_dir to the folder with the recordings.")
    if settings.speech.model is not None:
        look(settings.speech.model)
    async with beside(settings) as store:
        return await _worked_through(store, settings, since, again)


async def _worked_through(store: Store, settings: Settings, since: float, again: bool) -> int:
    clock, progress = Clock(), Progress()
    people = {user.extension: user.work_number for user in await store.users.all() if user.extension}
    workers = hearings(store, Site(settings, people.get, judged(settings)), clock, progress)
    finder = Recordings(store, settings, clock)
    while await finder.step(since):
        pass
    while (await finder.look_again(since))[1]:
        pass
    jobs = store.jobs(settings.asterisk.name)
    await jobs.wanted(since, clock.wall(), again)
    progress.total = await jobs.backlog_seconds(claimed=True)
    begun = clock.wall()
    there = await jobs.unfinished(begun)
    progress.recordings = there.waiting + there.claimed + there.store
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(_until_none(worker, workers, jobs, begun, progress))
    except ExceptionGroup as error:  # of the workers; one sentence is enough
        first = error.exceptions[0]
        raise first if isinstance(first, CallcenterError) else error from None
    left = await jobs.unfinished(begun)
    progress.end(await jobs.states())
    return FAILED if progress.failures or left.store else OK


async def _until_none(
    worker: Hearing, workers: Sequence[Hearing], jobs: Jobs, begun: float, progress: "Progress"
) -> None:
    """Until none of the jobs that there were at the beginning is left; what comes later is the daemon's."""
    try:
        while True:
            if await worker.step(partial(progress.at, worker.name)):
                progress.ended(worker.name)
                await asyncio.sleep(worker.pause)
                continue
            left = await jobs.unfinished(begun)
            if not left.waiting + left.claimed:
                return
            if all(one.state != "hearing" for one in workers):
                progress.waits(left)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await worker.close()


class Progress:
    """On standard error how far a back-fill is: one line that changes on a terminal, elsewhere a line a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.total = self.done = 0.0
        """Seconds of sound; both tracks are heard, but a call counts once."""
        self.recordings = self.count = self.failures = 0
        self._left = Unfinished()
        self._at: dict[str, float] = {}
        """How far each worker is in its recording."""
        self._now = now
        self._begun = self._told = now()

    def at(self, worker: str, seconds: float) -> None:
        """``seconds`` of both tracks are heard."""
        self._at[worker] = seconds / 2
        self._now_and_then()

    def ended(self, worker: str) -> None:
        """It goes on to another recording."""
        self._at.pop(worker, None)
        self._now_and_then()

    def transcribed(self, _queue: str | None, heard: Heard, _findings: Sequence[Mapping[str, object]]) -> None:
        self.done += heard.seconds / 2
        self.count += 1

    def not_transcribed(self, _reason: str, became: str) -> None:
        """A failed attempt is none of the recording, as long as there is another one."""
        self.failures += became != "waiting"

    def waits(self, left: Unfinished) -> None:
        """Nothing is due now. Told once where nobody sees the line change."""
        if left != self._left:
            others = f", {left.claimed} are heard elsewhere" if left.claimed else ""
            self._show("\r" if sys.stderr.isatty() else "\n", f"{left.waiting} wait to be tried again{others}")
        self._left = left

    def end(self, states: Mapping[str, int]) -> None:
        self._show("\n", "ended")
        print(", ".join(f"{state} {count}" for state, count in states.items()), file=sys.stderr)

    def _now_and_then(self) -> None:
        if sys.stderr.isatty():
            self._show("\r")
        elif self._now() - self._told >= TELL_SECONDS:
            self._show("\n")

    def _show(self, end: str, left: str = "") -> None:
        self._told = self._now()
        done = self.done + sum(self._at.values())
        speed = done / max(1e-3, self._told - self._begun)
        if not left:
            minutes = max(0.0, self.total - done) / speed / 60 if speed else 0.0
            left = f"{speed:.1f} times as fast as talked, {minutes:.0f} min left" if speed else "just begun"
        text = f"{self.count} of {self.recordings} recordings, {done / 3600:.1f} of {self.total / 3600:.1f} h of sound"
        line = f"{text}, {self.failures} failed, {left}"
        print(line.ljust(98) if sys.stderr.isatty() else line, end=end, file=sys.stderr, flush=True)
