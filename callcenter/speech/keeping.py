"""Recordings that are no longer to be kept: by a queue's days, or because the person asks for it (E2).

Place on the path of a call: long after its end; ``app`` runs it, ``callcenter erase`` calls it.
Promises: first the files go, then everything that was made of them, with an audit line; a crash in between is finished
by the next run; a file that cannot be removed keeps its row, and is complained of; while the folder is away nothing of
a recording counts as erased. What the daemon has in memory of an erased call goes within ``LOOK_SECONDS``, whichever
process erased it: the store tells. What was asked for takes along the files of calls that nobody has registered yet.
Never: removes a file outside the one recordings folder, or tells a number.
"""

import asyncio
import getpass
import logging
import os
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from callcenter.calls.model import Call
from callcenter.clock import Clock
from callcenter.errors import BadInput, BrokenWorld
from callcenter.opening import beside
from callcenter.settings import Asterisk, Settings
from callcenter.speech.archive import StoreAway
from callcenter.speech.live import Live
from callcenter.speech.reading import Reading
from callcenter.speech.recordings import FolderAway, Outside, looked_at, marked, to_remove
from callcenter.store.keeping import Kept, Whose
from callcenter.store.speech import Recorded
from callcenter.store.store import Store

log = logging.getLogger(__name__)

EVERY_SECONDS = 3_600.0
LOOK_SECONDS = 1.0
DAY_SECONDS = 86_400.0
BATCH = 100
SETTLED_SECONDS = 2.0
"""Asterisk finishes a recording just after the call's end."""
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
        """Everything that is due; how many recordings went. While their folder or store is away all of it waits."""
        gone: list[bool] = []
        try:
            await self._all_due(gone)
        except FolderAway as error:
            log.error("retention: %s; what is due waits for the next hour", error)
        except StoreAway:
            pass  # was told with the recording; each other one would wait as long for an answer
        if any(gone):
            log.info("retention: %d recordings were erased", sum(gone))
        return sum(gone)

    async def _all_due(self, gone: list[bool]) -> None:
        """``gone`` gets whether each of them went. Raises ``FolderAway`` and ``StoreAway``.

        What cannot be erased keeps nothing behind it from being erased."""
        queues = self._settings.queues
        for name in (None, *queues):
            days = (self._settings.queue_defaults if name is None else queues[name]).keep_recordings_days
            before, after = self._clock.wall() - days * DAY_SECONDS, None
            while days:
                due = await self._store.keeping.older(name, tuple(queues), before, BATCH, after)
                for one in due:
                    gone.append(await erase(self._store, self._settings, one, self._clock.wall(), "retention"))
                if len(due) < BATCH:
                    break
                after = due[-1].place


async def _again_and_again(work: Callable[[], Awaitable[object]], seconds: float) -> None:
    while True:
        try:
            await work()
        except BrokenWorld:
            pass  # the store is away for now, and says so itself
        await asyncio.sleep(seconds)


async def erase(store: Store, settings: Settings, kept: Kept, at: float, by: str) -> bool:
    """One recording with its transcript. False if a file of it cannot be removed. Raises ``FolderAway``, and
    ``StoreAway`` once it is told."""
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
        if isinstance(error, StoreAway):
            raise
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


def on_whose_word(name: str | None, number: str = "") -> str:
    """For the audit: the account of the system, and the person before it where one is named. Never ``number``."""
    try:
        account = f"account {os.environ.get('SUDO_USER') or getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name
        account = f"account {os.getuid()}"
    if name is None:
        return account
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise BadInput(f"erase: --by must be a name of 1 to {MAX_NAME} printable characters; name who asked for it.")
    tail = _digits(number)[-7:]  # with or without what is dialled before it
    if number.strip() and (number.strip() in name or (len(tail) > 4 and tail in _digits(name))):
        raise BadInput("erase: --by holds the number that is to be forgotten; name who asked for it in other words.")
    return f"{name.strip()} ({account})"


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of a person. ``new``: calls whose recording has no row yet."""

    kept: Sequence[Kept]
    new: Sequence[Recorded]
    owed: int
    called: str

    def __bool__(self) -> bool:
        return bool(self.kept or self.new or self.owed)

    @property
    def count(self) -> int:
        return len(self.kept) + len(self.new)

    def __str__(self) -> str:
        written = sum(one.transcribed for one in self.kept)
        what = f"{self.count} recordings and {written} transcripts of {self.called}"
        return what + (f", and {self.owed} callbacks" if self.owed else "")


async def erase_person(
    settings: Settings, number: str | None, yes: bool, name: str | None = None, tickets: Sequence[str] = ()
) -> str:
    """Erases the recordings and transcripts of all calls with this number, and of these tickets; returns what was done,
    in a sentence. ``number``: ``None`` where only tickets are told.

    ``name``: who asked for it, for the audit."""
    if number is None and not tickets:
        raise BadInput("erase: name the person by --number, or calls of theirs by --ticket.")
    if number is not None and not number.strip():
        raise BadInput("erase: --number is empty; give the number as it stands on the tickets.")
    number, given = (number or "").strip(), [one.strip() for one in tickets]
    by = on_whose_word(name, number)
    if settings.asterisk.recordings_dir is None:
        raise BadInput("erase: set asterisk.recordings_dir to the folder with the recordings.")
    async with beside(settings) as store:
        ids, unknown = await store.keeping.tickets_of(given)
        if unknown:
            raise BadInput(f"erase: there is no ticket {', '.join(unknown)[:200]}; give its number as lists show it.")
        whose, settled = Whose(number, ids), Clock().wall() - SETTLED_SECONDS
        found = await _found(store, settings.asterisk, whose, settled, _called(number, given))
        if number and not found and not _is_number(number):
            raise BadInput("erase: --number is no telephone number; give the number as it stands on the tickets.")
        going_on = _going_on(await store.keeping.running(settings.asterisk.name, whose, settled))
        if not yes or not found:
            told = f"There are {found}." + (" Run it again with --yes to erase them." if found and not yes else "")
        else:
            await _erase_found(store, settings, whose, found, by)
            told = f"Erased: {found}."
        if yes and going_on:
            raise BrokenWorld(f"{told} {going_on}")
        return f"{told} {going_on}".rstrip()


def _called(number: str, tickets: Sequence[str]) -> str:
    told = ["this number"] if number else []
    told += ["this ticket" if len(tickets) == 1 else "these tickets"] if tickets else []
    return " and ".join(told)


async def _found(store: Store, asterisk: Asterisk, whose: Whose, settled: float, called: str) -> _Found:
    new, root = [], asterisk.recordings_dir
    for call in await store.keeping.unregistered(asterisk.name, whose):
        if root is None or (call.ended_at is not None and call.ended_at > settled):
            continue
        one = await asyncio.to_thread(looked_at, root, call if call.recording else _as_our_dialplan_names(call))
        if call.recording or one.state == "found":
            new.append(one)
    return _Found(await store.keeping.of(whose), new, await store.callbacks.count_of(whose), called)


def _as_our_dialplan_names(call: Call) -> Call:
    """Call records do not tell a recording; ``extensions-callcenter.conf`` calls its files after the call."""
    name = "".join(c for c in call.call_id if c.isascii() and (c.isalnum() or c in "-."))
    return replace(
        call, recording=f"{name}.wav", recording_caller=f"{name}-caller.wav", recording_seat=f"{name}-seat.wav"
    )


def _going_on(count: int) -> str:
    """A sentence on calls whose recording is still being written; "" if there are none."""
    if not count:
        return ""
    calls, has = ("calls", "have") if count > 1 else ("call", "has")
    return f"{count} more {calls} of theirs {has} not ended, or only just: run it again when they have."


async def _erase_found(store: Store, settings: Settings, whose: Whose, found: _Found, by: str) -> None:
    """Raises ``BrokenWorld`` where something is left."""
    clock = Clock()  # a row first: whatever stops this, the next run finds the file
    for one in found.new:
        await store.speech.register(one, clock.wall(), hear=False)
    await store.callbacks.erase(whose, clock.wall(), by)
    kept = await store.keeping.of(whose)
    gone: dict[int, bool] = {}
    try:
        for recording in kept:
            gone[recording.id] = await erase(store, settings, recording, clock.wall(), by)
    except (FolderAway, StoreAway) as error:
        left = [one for one in kept if not gone.get(one.id)]
        callbacks = f" The {found.owed} callbacks were erased." if found.owed else ""
        raise BrokenWorld(_left(left, found.called, error) + callbacks) from None
    if not all(gone.values()):
        raise BrokenWorld(
            f"{sum(gone.values())} of {found} were erased, the others could not be: see above, then run it again."
        )


def _left(kept: Sequence[Kept], called: str, why: BrokenWorld) -> str:
    written, reason = sum(one.transcribed for one in kept), str(why).rstrip(".")
    return f"{len(kept)} recordings and {written} transcripts of {called} were NOT erased: {reason}; then run it again."


def _is_number(text: str) -> bool:
    """Asked only where no call has it: an exchange may call a caller what it likes."""
    told = unicodedata.normalize("NFKC", text).strip()
    return any(map(str.isdigit, told)) and all(c in "0123456789+-/. ()" for c in told)


def _digits(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c in "0123456789")
