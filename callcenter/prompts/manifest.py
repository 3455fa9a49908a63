"""What stands in the prompts folder and what it was made from, so that only what changed is built again.

Place on the path of a call: Asterisk opens these files while they may be replaced.
Promises: a file is replaced by renaming, so a reader has the old one or the new one, never a half; a file that this
command did not make, or that somebody changed since, is never overwritten; a build that is killed leaves a folder that
the next build understands. Never: two builds in one folder at once.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.errors import BadInput, BrokenWorld

FILE = ".callcenter-prompts.json"
_LOCK = ".callcenter-prompts.lock"
_STAGING = ".callcenter-building-"
_FORMAT = 1


def fingerprint(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt: what it was made from (``recipe``), its content, and the content before a replacement that may have
    been cut short (empty if there was none)."""

    recipe: str
    content: str
    before: str
    facts: Mapping[str, Any]


class PromptFolder:
    """The prompts folder, held by one build; get it from ``opened``."""

    def __init__(self, folder: Path, staging: Path) -> None:
        self.folder = folder
        self._staging = staging
        self._entries = _load(folder / FILE)
        self._staged: dict[str, Entry] = {}

    def current(self, name: str, recipe: str) -> Entry | None:
        """The entry of ``name`` if it stands there as made from ``recipe``. Raises ``BadInput`` if it is not ours."""
        file = self._file(name)
        entry = self._entries.get(name)
        if not file.exists() and not file.is_symlink():
            return None
        content = fingerprint(file.read_bytes()) if file.is_file() else ""
        if entry is None or content not in (entry.content, entry.before):
            raise BadInput(
                f"{file.name} was not made by this command, or was changed since: move it into the folder of "
                "recordings to have it used, or delete it to have it built."
            )
        return entry if entry.recipe == recipe and content == entry.content else None

    def stage(self, name: str, recipe: str, wave: bytes, facts: Mapping[str, Any]) -> None:
        """Keep a built prompt aside until ``publish``."""
        file = self._staging / f"{name}.wav"
        with file.open("wb") as target:
            target.write(wave)
            target.flush()
            os.fsync(target.fileno())
        file.chmod(0o644)  # Asterisk reads it as another user
        old = self._file(name)
        before = fingerprint(old.read_bytes()) if old.is_file() else ""
        self._staged[name] = Entry(recipe, fingerprint(wave), before, facts)

    def publish(self, wanted: set[str]) -> list[str]:
        """Put the staged prompts into place and remove ours that nobody wants; returns the names removed."""
        # The manifest goes first and names both contents, so that a kill between two renames leaves no file unknown.
        self._entries.update(self._staged)
        self._save()
        for name in self._staged:
            (self._staging / f"{name}.wav").replace(self._file(name))
        removed = [name for name in sorted(self._entries.keys() - wanted) if self._removed(name)]
        for name in self._entries.keys() - wanted:
            del self._entries[name]
        self._save()
        _sync(self.folder)
        return removed

    def _removed(self, name: str) -> bool:
        file = self._file(name)
        entry = self._entries[name]
        ours = file.is_file() and fingerprint(file.read_bytes()) in (entry.content, entry.before)
        if ours:
            file.unlink()
        return ours

    def _save(self) -> None:
        rows = {
            name: [each.recipe, each.content, each.before, dict(each.facts)] for name, each in self._entries.items()
        }
        table = {"format": _FORMAT, "prompts": rows}
        file = self._staging / "manifest"
        file.write_text(json.dumps(table, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
        file.replace(self.folder / FILE)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.wav"


@contextmanager
def opened(folder: Path) -> Iterator[PromptFolder]:
    """The prompts folder, made if need be, for one build alone. Raises ``BadInput`` or ``BrokenWorld``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK).open("w") as lock:
            _take(lock.fileno(), folder)
            for left in folder.glob(_STAGING + "*"):
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=_STAGING, dir=folder) as staging:
                yield PromptFolder(folder, Path(staging))
    except OSError as error:
        raise BrokenWorld(
            f"The prompts folder {folder} cannot be written ({error.strerror}): check its owner, rights and free space."
        ) from None


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BrokenWorld(f"Prompts are being built in {folder} already: wait until that is done.") from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot do it for folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(file: Path) -> dict[str, Entry]:
    if not file.exists():
        return {}
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        assert table["format"] == _FORMAT
        return {name: Entry(*row) for name, row in table["prompts"].items() if _is_plain(name)}
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
        raise BadInput(f"{file} is damaged: delete it and the prompts beside it, then build again.") from None


def _is_plain(name: str) -> bool:
    return "/" not in name and not name.startswith(".")
