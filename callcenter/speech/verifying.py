"""``callcenter recordings verify``: whether each recording still is what it was when its call had ended.

Place on the path of a call: long after its end, beside a running daemon or without one.
Promises: every recording of this server that has a hash is compared: its local files, and copies of the store where
those are gone; what differs or is gone is told with its ticket's number and its files. Nothing is changed.
Never: holds more of a file than a block; trusts a hash that was reckoned before.
"""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.errors import BadInput, BrokenWorld, shown
from callcenter.opening import beside
from callcenter.settings import Settings
from callcenter.speech.archive import Archive, Damaged
from callcenter.speech.recordings import inside
from callcenter.store.stored import Hashed

OK, FAILED = 0, 1
_BLOCK_BYTES = 1 << 20
TOLD = {"same": "as they were", "differs": "differ", "gone": "gone", "unreadable": "unreadable"}


@dataclass(frozen=True, slots=True)
class Seen:
    """``became``: same, differs, gone or unreadable; ``files``: which, as the dialplan named them."""

    became: str
    files: tuple[str, ...] = ()


async def verify(settings: Settings, day: str | None, tell: Callable[[str], None]) -> int:
    """One line for each recording that is not as it was, and a last one with the sums; the exit code."""
    since = _moment(day, settings.site.timezone) if day is not None else 0.0
    root = settings.asterisk.recordings_dir
    if root is None:
        raise BadInput("recordings: set asterisk.recordings_dir to the folder with the recordings.")
    if not root.is_dir():
        raise BrokenWorld(f"{root} is not there: mount the folder of the recordings, or set asterisk.recordings_dir.")
    sums = dict.fromkeys(TOLD, 0)
    async with beside(settings) as store:
        archive, last = Archive.of(settings.recordings), 0
        while found := await store.stored.hashed(settings.asterisk.name, since, last):
            for one in found:
                seen = look(root, archive, one)
                sums[seen.became] += 1
                if seen.became != "same":
                    tell(shown(f"{seen.became}  {one.number or one.recording.call_id}  {', '.join(seen.files)}"))
            last = found[-1].recording.id
    told = ", ".join(f"{count} {TOLD[became]}" for became, count in sums.items() if count or became == "same")
    tell(f"{sum(sums.values())} recordings were compared: {told}.")
    return OK if sums["same"] == sum(sums.values()) else FAILED


def _moment(day: str, zone: str) -> float:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()
    except (ValueError, OverflowError):
        raise BadInput("recordings: --since is no day; write it as in 2026-11-01.") from None


def look(root: Path, archive: Archive | None, one: Hashed) -> Seen:
    """Blocking. Raises ``StoreAway`` where a copy is needed and the store does not answer."""
    recording, whole = one.recording, hashlib.sha256()
    missing: list[str] = []
    wrong: list[str] = []
    for track, name in recording.paths.items():  # mix, seat, caller: the order of the recording's hash
        copy = recording.copies.get(track)
        local = inside(root, name)
        try:
            if local is not None:
                told = _add(local, whole)
            elif copy is not None and archive is not None and archive.holds(copy):
                with tempfile.TemporaryDirectory() as folder:
                    archive.get(copy, Path(folder) / "copy")
                    told = _add(Path(folder) / "copy", whole)
            else:
                missing.append(name)
                continue
        except Damaged:
            return Seen("differs", (name,))
        except OSError:
            return Seen("unreadable", (name,))
        if copy is not None and told != copy["sha256"]:
            wrong.append(name)
    if whole.hexdigest() == recording.sha256:  # a track that was never written is not missed
        return Seen("same")
    if missing:
        return Seen("gone", tuple(missing))
    return Seen("differs", tuple(wrong) or tuple(recording.paths.values()))


def _add(file: Path, whole: "hashlib._Hash") -> str:
    """Adds the file's bytes to the hash of the whole; its own hash."""
    own = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            own.update(block)
            whole.update(block)
    return own.hexdigest()
