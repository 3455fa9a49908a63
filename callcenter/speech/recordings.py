"""The files of a call's recording: where they really are, how long they are, and their hash.

Place on the path of a call: a moment after its end. ``store/speech`` keeps what this finds.
Promises: only files under the one recordings folder, no link is followed out of it; a folder that is away is not taken
for one whose files are gone.
Never: writes or changes a recording.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from callcenter.calls.model import Call
from callcenter.errors import BadInput, BrokenWorld
from callcenter.speech.transcript import Speaker
from callcenter.speech.wav import open_wav
from callcenter.store.speech import Recorded

FETCHED = ".fetched"
"""The folder of what was fetched from the store of recordings, within that of the recordings."""
MARK = ".callcenter"
"""An empty file in a folder that recordings were removed from: without any file it would look like one that is away."""
_READ_BYTES = 1 << 20


class FolderAway(BrokenWorld):
    """Nobody can tell which recordings there are, nor remove one."""

    def __init__(self) -> None:
        super().__init__(
            "the folder of recordings (asterisk.recordings_dir) is away or empty: mount it or correct the setting; if "
            "it really is empty, put any file into it"
        )


class Outside(BrokenWorld):
    """A recording's file that is not ours to remove."""


def inside(root: Path, name: str | None) -> Path | None:
    """The real file of a name, absolute or relative to the root; ``None`` if there is none under the root."""
    if not name or "\0" in name:
        return None
    try:
        base = root.resolve(strict=True)
        real = (base / name).resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    return real if real.is_relative_to(base) and real.is_file() else None


def at_hand(root: Path | None) -> bool:
    """Whether the folder of recordings is there. An empty one is what a disk that is not mounted leaves."""
    try:
        return root is not None and any(name != FETCHED for name in os.listdir(root))
    except OSError:
        return False


def to_remove(root: Path | None, names: Iterable[str]) -> set[Path]:
    """The real files of a recording that is to go; those that are gone already are not among them.

    Raises ``FolderAway``, ``Outside``, and ``OSError`` where nobody can tell whether a file is there."""
    if root is None or not at_hand(root):
        raise FolderAway
    base = root.resolve(strict=True)
    found = (_there(base, name) for name in names)
    return {file for file in found if file is not None}


def _there(base: Path, name: str) -> Path | None:
    """The file of a name. ``None`` if there is none; one that a link leads out to may be on a disk that is away."""
    if not name or "\0" in name:
        return None
    try:
        real = (base / name).resolve()
        there = real.is_file()
    except RuntimeError:  # links in a circle
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise
    if real.is_relative_to(base):
        return real if there else None
    if there or Path(os.path.normpath(base / name)).is_relative_to(base):
        raise Outside("its file lies outside asterisk.recordings_dir; correct the setting, or remove the file yourself")
    return None


def marked(root: Path) -> None:
    """For whoever is about to remove the folder's last recording. One that cannot be written stays without."""
    with contextlib.suppress(OSError):
        (root / MARK).touch()


def tracks(root: Path, seat: str | None, caller: str | None) -> dict[Speaker, Path]:
    """The tracks that are there."""
    named: dict[Speaker, Path | None] = {"seat": inside(root, seat), "caller": inside(root, caller)}
    return {speaker: path for speaker, path in named.items() if path is not None}


def looked_at(root: Path, call: Call) -> Recorded:
    """Found with hash and length, or missing. Reads the files whole: for a thread of its own."""
    names = (call.recording, call.recording_seat, call.recording_caller)
    files = [file for file in (inside(root, name) for name in names) if file is not None]
    if not files:
        return Recorded(call, "missing")
    try:
        return Recorded(call, "found", _sha256(files), max((_seconds(file) for file in files), default=0.0))
    except OSError:
        return Recorded(call, "missing")


def _sha256(files: list[Path]) -> str:
    """Over the bytes of the mixed file, the seat's and the caller's, one after the other: whatever is there of them."""
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(_READ_BYTES):
                whole.update(block)
    return whole.hexdigest()


def _seconds(file: Path) -> float:
    try:
        with open_wav(file) as wav:
            return wav.seconds
    except (BadInput, BrokenWorld):
        return 0.0
