"""The files of a call's recording: where they really are, how long they are, and their hash.

Place on the path of a call: a moment after its end. ``store/speech`` keeps what this finds.
Promises: only files under the one recordings folder, no link is followed out of it.
Never: writes or changes a file.
"""

import hashlib
from pathlib import Path

from callcenter.calls.model import Call
from callcenter.errors import BadInput, BrokenWorld
from callcenter.speech.transcript import Speaker
from callcenter.speech.wav import open_wav
from callcenter.store.speech import Recorded

_READ_BYTES = 1 << 20


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
