"""Recordings that are no longer to be kept: by a queue's days, or because the person asks for it (E2).

Place on the path of a call: long after its end; ``app`` runs it, ``callcenter erase`` calls it.
Promises: first the files go, then everything that was made of them, with an audit line; a crash in between is finished
by the next run; a file that cannot be removed keeps its row, and is complained of; while the folder is away nothing of
a recording counts as erased. What the daemon has in memory of an erased call goes within ``LOOK_SECONDS``, whichever
process erased it: the store tells.
Never: removes a file outside the one recordings folder, or tells a number.
"""

import asyncio
import getpass
import logging
import os
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from callcenter.clock import Clock
from callcenter.errors import BadInput, BrokenWorld
from callcenter.opening import beside
from callcenter.settings import Settings
from callcenter.speech.archive import StoreAway
from callcenter.speech.live import Live
from callcenter.speech.reading import Reading
from callcenter.speech.recordings import FolderAway, Outside, marked, to_remove
from callcenter.store.keeping import Kept
from callcenter.store.store import Store

log = logging.getLogger(__name__)

EVERY_SECONDS = 3_600.0
LOOK_SECONDS = 1.0
DAY_SECONDS = 86_400.0
BATCH = 100
MAX_NAME = 100


class Keeper:
    """Erases what a queue's ``keep_recordings_days`` no longer covers, hour by hour; makes ``live`` forget what was
    erased."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, live: Live | None = None) -> None:
        self._store, self._settings, self._clock, self._live = store, settings, clock, live

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_again_and_again(self.step, EVERY_SECONDS))
            if self._live is not None:
                group.create_task(_again_and_again(self.forget, LOOK_SECONDS))

    async def forget(self) -> None:
        """What was heard live of calls that were erased meanwhile goes, from the windows, too."""
        held = self._live.held() if self._live is not None else frozenset()
        if self._live is not None and held:
            self._live.forget(await self._store.keeping.gone(self._settings.asterisk.name, held))

    async def step(self) -> int:
        """Everything that is due; how many recordings went. While their folder is away all of it waits."""
        gone: list[bool] = []
        try:
            await self._all_due(gone)
        except FolderAway as error:
            log.error("retention: %s; what is due waits for the next hour", error)
        if any(gone):
            log.info("retention: %d recordings were erased", sum(gone))
        return sum(gone)

    async def _all_due(self, gone: list[bool]) -> None:
        """``gone`` gets whether each of them went. Raises ``FolderAway``."""
        queues = self._settings.queues
        for name in (None, *queues):
            days = (self._settings.queue_defaults if name is None else queues[name]).keep_recordings_days
            while days:
                before = self._clock.wall() - days * DAY_SECONDS
                due = await self._store.keeping.older(name, tuple(queues), before, BATCH)
                for one in due:
                    gone.append(await erase(self._store, self._settings, one, self._clock.wall(), "retention"))
                if len(due) < BATCH or not any(gone[-len(due) :]):
                    break


async def _again_and_again(work: Callable[[], Awaitable[object]], seconds: float) -> None:
    while True:
        try:
            await work()
        except BrokenWorld:
            pass  # the store is away for now, and says so itself
        await asyncio.sleep(seconds)


async def erase(store: Store, settings: Settings, kept: Kept, at: float, by: str) -> bool:
    """One recording with its transcript. False if a file of it cannot be removed. Raises ``FolderAway``."""
    reading, of = Reading(settings, store), {"call_id": kept.call_id}
    if kept.copies and reading.archive is None:
        log.error(
            "recording %d cannot be erased: it has copies, and recordings.store_url is not set", kept.id, extra=of
        )
        return False
    try:
        files = await asyncio.to_thread(_remove, settings.asterisk.recordings_dir, reading, kept)
    except (StoreAway, Outside) as error:
        log.error("recording %d cannot be erased: %s", kept.id, error, extra=of)
        return False
    except OSError as error:
        what = "recording %d cannot be erased: %s; check the owner of the folder"
        log.error(what, kept.id, error.strerror, extra=of)
        return False
    return await store.keeping.erased(kept.id, at, by, files)


def _remove(root: Path | None, reading: Reading, kept: Kept) -> int:
    """The local files, what was fetched, and all copies of the call in the store, noted or not; how many."""
    files = to_remove(root, kept.paths)
    if files and root is not None:
        marked(root)
    for file in files:
        file.unlink(missing_ok=True)
    reading.forget(kept.copies)
    return len(files) + (reading.archive.erase(kept.server, kept.call_id) if reading.archive is not None else 0)


def on_whose_word(name: str | None) -> str:
    """For the audit: the account of the system, and the person before it where one is named."""
    try:
        account = f"account {os.environ.get('SUDO_USER') or getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name
        account = f"account {os.getuid()}"
    if name is None:
        return account
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(f"erase: --by must be a name of 1 to {MAX_NAME} printable characters; name who asked for it.")
    return f"{name.strip()} ({account})"


async def erase_person(settings: Settings, number: str, yes: bool, name: str | None = None) -> str:
    """Erases the recordings and transcripts of all calls with this number; returns what was done, in a sentence.

    ``name``: who asked for it, for the audit."""
    by = on_whose_word(name)
    if not number.strip():
        raise BadInput("erase: --number is empty; give the number as it stands on the tickets.")
    if settings.asterisk.recordings_dir is None:
        raise BadInput("erase: set asterisk.recordings_dir to the folder with the recordings.")
    async with beside(settings) as store:
        count, written = await store.keeping.count_of_number(number.strip())
        owed = await store.callbacks.count_of_number(number.strip())
        if not (count or owed) and not _is_number(number):
            raise BadInput("erase: --number is no telephone number; give the number as it stands on the tickets.")
        what = f"{count} recordings and {written} transcripts of this number"
        what += f", and {owed} callbacks" if owed else ""
        if not yes or not (count or owed):
            return f"There are {what}." + (" Run it again with --yes to erase them." if count or owed else "")
        clock = Clock()
        await store.callbacks.erase(number.strip(), clock.wall())
        kept = await store.keeping.of_number(number.strip(), count)
        gone: dict[int, bool] = {}
        try:
            for one in kept:
                gone[one.id] = await erase(store, settings, one, clock.wall(), by)
        except FolderAway as error:
            left = [one for one in kept if not gone.get(one.id)]
            raise BrokenWorld(_left(left, error) + (f" The {owed} callbacks were erased." if owed else "")) from None
        if sum(gone.values()) < count:
            raise BrokenWorld(
                f"{sum(gone.values())} of {what} were erased, the others could not be: see above, then run it again."
            )
        return f"Erased: {what}."


def _left(kept: Sequence[Kept], why: FolderAway) -> str:
    written = sum(one.transcribed for one in kept)
    return f"{len(kept)} recordings and {written} transcripts of this number were NOT erased: {why}; then run it again."


def _is_number(text: str) -> bool:
    """Asked only where no call has it: an exchange may call a caller what it likes."""
    told = unicodedata.normalize("NFKC", text).strip()
    return any(map(str.isdigit, told)) and all(c in "0123456789+-/. ()" for c in told)
