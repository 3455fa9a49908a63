"""One daemon per SQLite file: a lock of the operating system on a small file beside the database.

Promises: the lock goes with the process, however it ends, so a killed daemon never blocks the next one; whoever is
refused learns which process holds it.
Never: locks the database file itself: closing any descriptor of that one would drop SQLite's own locks.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

from callcenter.store.errors import StoreError


class FileLock:
    """Held from ``take`` to ``release``. The file stays, since removing it would let two daemons lock two files."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, guarded: str) -> Self:
        """Raises ``StoreError`` at once if another process holds it. ``guarded``: what it guards, for the message."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"The lock file {path} cannot be opened ({error.strerror}); make its folder, writable for this user."
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise StoreError(
                f"{guarded[0].upper()}{guarded[1:]} is in use by another callcenter ({holder}); "
                "stop that one, or give this one a store.url of its own."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f"process {pid}" if pid.isdigit() else "its process number is not known yet"
