"""Copies the tracks of ended calls to the store of recordings, and lets local files go after their days.

Place on the path of a call: after its recording has its row and hash; ``app`` runs it where ``recordings.store_url`` is
set.
Promises: a copy is noted only when it was read back whole and all tracks together are what was hashed at the call's
end; a local file goes only if it still is what the store holds; a crash anywhere is finished by the next run; failures
are tried again, at first after 5 s, then ever later, up to an hour.
Never: holds the event loop or a call; touches a file outside the one recordings folder.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from callcenter.clock import Clock
from callcenter.errors import BrokenWorld
from callcenter.settings import Settings
from callcenter.speech.archive import Archive, Damaged, StoreAway, StoreRefused, sha256
from callcenter.speech.recordings import inside, marked
from callcenter.store.store import Store
from callcenter.store.stored import ToStore

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
DAY_SECONDS = 86_400.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 5.0, 3_600.0
MAX_SKIPPED = 500


class Told(Protocol):
    def recording_stored(self) -> None: ...

    def recording_not_stored(self, reason: str) -> None: ...


class Changed(BrokenWorld):
    """The local files are not what was hashed when the call had ended."""


class Storing:
    """``state``: working, away or refused, with ``reason``; ``waiting``: recordings without a copy, a moment ago."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, told: Told) -> None:
        self._store, self._settings, self._clock, self._told = store, settings, clock, told
        self.archive = Archive.of(settings.recordings)
        self.state, self.reason = "working", ""
        self.waiting = 0
        self._pause = FIRST_RETRY_SECONDS
        self._later: dict[int, tuple[float, float]] = {}
        """Recordings that failed by themselves: when they are tried again, and the pause after that."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            pause = EVERY_SECONDS
            try:
                self.waiting = await self._store.stored.count_waiting()
                while await self.step() or await self.clean():
                    pass
                self._pause = FIRST_RETRY_SECONDS
            except StoreAway as error:
                pause = self._away("refused" if isinstance(error, StoreRefused) else "away", str(error))
            except BrokenWorld:
                pass  # the database is away for now, and says so itself
            await asyncio.sleep(pause)

    def _away(self, state: str, reason: str) -> float:
        if self.state == "working":
            log.error("recordings: %s", reason)
        self.state, self.reason = state, reason
        self._told.recording_not_stored(state)
        pause, self._pause = self._pause, min(2 * self._pause, LAST_RETRY_SECONDS / 12)
        return pause

    async def step(self) -> int:
        """Copies some of what waits; how many. Raises ``StoreAway``: nothing is lost, all of it waits on."""
        root, archive = self._settings.asterisk.recordings_dir, self.archive
        if root is None or archive is None:
            return 0
        done = 0
        for one in await self._store.stored.waiting(self._skipped()):
            try:
                copies = await asyncio.to_thread(_copied, archive, root, one)
            except (Changed, Damaged, OSError) as error:
                self._postpone(one, error)
                continue
            self.state, self.reason = "working", ""
            if await self._store.stored.note(one.id, copies, self._clock.wall()):
                self._told.recording_stored()
            else:  # erased in between
                await asyncio.to_thread(archive.erase, one.server, one.call_id)
            self._later.pop(one.id, None)
            done += 1
        return done

    async def clean(self) -> int:
        """Lets local files go whose days are over; of how many recordings. Raises ``StoreAway``."""
        root, days = self._settings.asterisk.recordings_dir, self._settings.recordings.keep_local_days
        if root is None or self.archive is None or not days:
            return 0
        done, before = 0, self._clock.wall() - days * DAY_SECONDS
        for one in await self._store.stored.copied_before(before, self._skipped()):
            try:
                await asyncio.to_thread(_cleaned, self.archive, root, one)
            except (Changed, Damaged, OSError) as error:
                self._postpone(one, error)
                continue
            await self._store.stored.local_gone(one.id, self._clock.wall())
            done += 1
        return done

    def _skipped(self) -> list[int]:
        now = self._clock.monotonic()
        return [one for one, (at, _) in self._later.items() if at > now][-MAX_SKIPPED:]

    def _postpone(self, one: ToStore, error: Exception) -> None:
        pause = self._later.get(one.id, (0.0, FIRST_RETRY_SECONDS))[1]
        self._later[one.id] = self._clock.monotonic() + pause, min(2 * pause, LAST_RETRY_SECONDS)
        reason = "changed" if isinstance(error, Changed) else "damaged" if isinstance(error, Damaged) else "unreadable"
        self._told.recording_not_stored(reason)
        said = (error.strerror or "unreadable") if isinstance(error, OSError) else error
        log.warning("recording %d stays where it is: %s", one.id, said, extra={"call_id": one.call_id})


def _copied(archive: Archive, root: Path, one: ToStore) -> Mapping[str, Mapping[str, Any]]:
    """Blocking. The whole is compared with what was hashed before anything is sent."""
    files = {track: file for track, path in one.paths.items() if (file := inside(root, path)) is not None}
    whole = hashlib.sha256()
    for file in files.values():  # mix, seat, caller: the order of the recording's own hash
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                whole.update(block)
    if whole.hexdigest() != one.sha256:
        raise Changed("its files are not what they were when the call ended; see who writes or removes files there.")
    return {track: archive.put(one.server, one.call_id, track, file) for track, file in files.items()}


def _cleaned(archive: Archive, root: Path, one: ToStore) -> None:
    """Blocking. All is compared before anything goes."""
    files = {track: file for track, path in one.paths.items() if (file := inside(root, path)) is not None}
    for track, file in files.items():
        copy = one.copies.get(track)
        if copy is None or sha256(file) != copy["sha256"]:
            raise Changed("its file differs from the copy in the store; see who writes there.")
        if not archive.holds(copy):
            raise Damaged("its copy is no longer in the store; restore it there.")
    marked(root)
    for file in files.values():
        file.unlink(missing_ok=True)
