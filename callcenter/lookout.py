"""Looks now and then at what no call waits for: disks, secret files, the store's size, the day's gaps, the calendar.

Beside the path of a call: ``health`` tells what was seen; ``app`` runs it.
Promises: a disk that hangs, or a store that is away, holds up nothing but this; what it could not see is ``None``; a
secret that cannot be read is told once in the log, too.
Never: reads a secret into memory for longer than the look, or tells a path.
"""

import asyncio
import logging
import shutil
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.clock import Clock
from callcenter.days import REMEDY, Days
from callcenter.errors import BrokenWorld
from callcenter.settings import SecretError, Settings, read_secret, secret_files
from callcenter.store.batch import Gap
from callcenter.store.store import Store
from callcenter.web.text import midnight

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
NOT_YET = "Asterisk was not listened to before"
"""Why nothing is known of the time before the first log-in."""


@dataclass(frozen=True, slots=True)
class Space:
    """Of the disk that a folder is on. Bytes."""

    free: int
    whole: int

    @property
    def little(self) -> bool:
        """So little that a day of calls may fill it: under 5 %, or under 1 GiB; of a small disk 5 % alone."""
        share = 0.05 * self.whole
        return self.free < max(share, min(2**30, 0.2 * self.whole))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look found; ``None`` where it could not look."""

    database_bytes: int | None = None
    database_space: Space | None = None
    recordings_space: Space | None = None
    recordings_problem: str = ""
    secret_problems: Sequence[str] = ()
    """One sentence each."""
    authority_until: float | None = None
    """When the first certificate of ``asterisk.ca_file`` ends."""
    commands: Mapping[str, int] = field(default_factory=dict)
    """Commands to Asterisk by state."""
    gaps: Sequence[Gap] = ()
    """Of today, at the site; an open one has no end."""


class Lookout:
    """Run ``run`` in a task; read ``seen`` at any time."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, days: Days) -> None:
        self._store, self._settings, self._clock, self._days = store, settings, clock, days
        self._zone = ZoneInfo(settings.site.timezone)
        self._told: date | None = None
        """The day on which the log was last told of the calendar."""
        self.seen = Seen()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        before = self.seen.secret_problems
        self.seen = await asyncio.to_thread(self._around, self.seen)
        for problem in self.seen.secret_problems:
            if problem not in before:
                log.warning("%s", problem)
        server, now = self._settings.asterisk.name, self._clock.wall()
        self._tell_of_calendar(datetime.fromtimestamp(now, self._zone).date())
        try:
            self.seen = replace(
                self.seen,
                database_bytes=await self._store.size_bytes(),
                commands=await self._store.outbox.states(server),
                gaps=(
                    *await self._before(server, now),
                    *await self._store.journal.gaps(server, self.today(now), now + 1),
                ),
            )
        except BrokenWorld:
            self.seen = replace(self.seen, database_bytes=None)  # the store is away for now, and says so itself

    async def _before(self, server: str, now: float) -> Sequence[Gap]:
        """The part of today before Asterisk was first listened to."""
        first, today = await self._store.books.observed_since(server), self.today(now)
        if first is not None and first <= today:
            return ()
        return (Gap(today, first, NOT_YET),)

    def today(self, now: float) -> float:
        """When the site's day began."""
        return midnight(now, self._zone)

    def _tell_of_calendar(self, today: date) -> None:
        """Once a day while it has ended or ends soon."""
        if today != self._told and (ends := self._days.warning(today)) is not None:
            log.warning("%s %s", ends, REMEDY)
        self._told = today

    def _around(self, before: Seen) -> Seen:
        settings, folder = self._settings, self._store.folder
        recordings = settings.asterisk.recordings_dir
        space, problem = _space(recordings) if recordings is not None else (None, "")
        return replace(
            before,
            database_space=_space(folder)[0] if folder is not None else None,
            recordings_space=space,
            recordings_problem=problem,
            secret_problems=tuple(secret_problems(settings)),
            authority_until=_first_end(settings.asterisk.ca_file) if settings.asterisk.tls else None,
        )


def _space(folder: Path) -> tuple[Space | None, str]:
    try:
        usage = shutil.disk_usage(folder)
        next(folder.iterdir(), None)
    except OSError as error:
        return None, error.strerror or type(error).__name__
    return Space(usage.free, usage.total), ""


def secret_problems(settings: Settings) -> Iterator[str]:
    """A sentence for each secret that is named in the settings and cannot be read."""
    for key, path in secret_files(settings):
        if path is not None:
            try:
                read_secret(path, key)
            except SecretError as error:
                yield str(error)


def _first_end(file: Path | None) -> float | None:
    if file is None:
        return None
    try:
        ends = [one.get("notAfter") for one in ssl.create_default_context(cafile=str(file)).get_ca_certs()]
    except (OSError, ValueError):
        return None
    return min((float(ssl.cert_time_to_seconds(str(end))) for end in ends if end), default=None)
