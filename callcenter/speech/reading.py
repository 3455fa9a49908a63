"""The one way to a track's sound: the local file if it is there, else the copy in the store, fetched and compared.

Place on the path of a call: after its end; the player, waveforms, transcription and erasure ask here.
Promises: what is given out is a whole local file; fetched copies take a bounded room, the longest unused go first.
Never: holds the event loop while something is fetched; gives out a copy whose hash is not the one that was noted.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callcenter.settings import Settings
from callcenter.speech.archive import Archive
from callcenter.speech.recordings import FETCHED
from callcenter.store.store import Store
from callcenter.store.stored import Copies

MAX_FETCHED_BYTES = 2 << 30


class Reading:
    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._root = settings.asterisk.recordings_dir
        self.archive = Archive.of(settings.recordings)
        self._one_at_a_time = asyncio.Lock()

    async def copies(self, server: str, call_id: str) -> Copies:
        """The tracks that lie in the store."""
        return await self._store.stored.copies(server, call_id) if self.archive is not None else {}

    async def fetched(self, server: str, call_id: str, track: str) -> Path | None:
        """A local file of the store's copy; ``None`` if there is no copy. Raises ``StoreAway`` or ``Damaged``."""
        copy = (await self.copies(server, call_id)).get(track)
        if copy is None or self.archive is None or self._root is None:
            return None
        async with self._one_at_a_time:
            return await asyncio.to_thread(_fetched, self.archive, self._root / FETCHED, copy)

    def forget(self, copies: Copies) -> None:
        """Nothing that was fetched of these stays. Raises ``OSError``."""
        if self._root is not None:
            for copy in copies.values():
                _place(self._root / FETCHED, copy).unlink(missing_ok=True)


def _place(folder: Path, copy: Mapping[str, Any]) -> Path:
    return folder / f"{copy['sha256']}{Path(copy['key']).suffix}"


def _fetched(archive: Archive, folder: Path, copy: Mapping[str, Any]) -> Path:
    place = _place(folder, copy)
    if place.exists():
        os.utime(place)
        return place
    folder.mkdir(mode=0o700, exist_ok=True)
    _make_room(folder, copy["size"])
    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    os.close(handle)
    draft = Path(name)
    try:
        archive.get(copy, draft)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
    return place


def _make_room(folder: Path, size: int) -> None:
    files = sorted(((file.stat().st_mtime, file.stat().st_size, file) for file in folder.iterdir()), reverse=True)
    taken = size
    for _, held, file in files:
        taken += held
        if taken > MAX_FETCHED_BYTES:
            file.unlink(missing_ok=True)
