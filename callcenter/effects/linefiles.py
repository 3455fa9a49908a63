"""Files that another program writes line by line, and rotates when it likes: Asterisk's call records and queue_log.

Place on the path of a call: below ``recovery`` and ``reconciler``, which know what the lines mean.
Promises: a line comes whole or not at all; a file that was rotated is read to its end under its new name before the new
one is begun; one that was cut or replaced is begun anew; what is held is bounded. Everything here blocks: call it in a
thread. Never: writes; reads what is no regular file (a pipe would never end).
"""

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

READ_BYTES = 4 << 20
MAX_LINE_BYTES = 16_384


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Raises ``OSError``, also for what is no file: a pipe would never end."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is not a file")
        yield file


class Follower:
    """Follows one file from where somebody had read to (``inode``, ``offset``), or else from ``look_back`` bytes before
    its present end; with ``None`` from its beginning.

    ``offset`` is behind the last whole line that was read. ``cut``: whether reading began amid the file; ``begun``: how
    often a new file was begun.
    """

    def __init__(self, path: Path, look_back: int | None, inode: int = 0, offset: int = 0) -> None:
        self._path = path
        self.inode, self.offset, self.look_back = inode, offset, look_back
        self.cut = False
        self.begun = 0
        self._amid_line = False

    def read(self) -> list[tuple[str, int]]:
        """The whole lines that came since, and where each begins; some megabytes at most, then the next call goes on.

        Raises ``OSError``.
        """
        with opened(self._path) as file:
            status = os.fstat(file.fileno())
            if not self.inode and self.look_back is not None:
                return self._first(file, status, self.look_back)
            if status.st_ino != self.inode:
                if rest := self._rest_of_rotated():
                    return rest
                self._begin(status.st_ino)
            elif status.st_size < self.offset or not self._at_line_start(file):
                self._begin(status.st_ino)
            return self._next(file)

    def _first(self, file: BinaryIO, status: os.stat_result, look_back: int) -> list[tuple[str, int]]:
        self.inode, self.offset = status.st_ino, max(0, status.st_size - look_back)
        self.cut = self.offset > 0
        self._amid_line = not self._at_line_start(file)
        return self._next(file)

    def _begin(self, inode: int) -> None:
        self.inode, self.offset, self._amid_line = inode, 0, False
        self.begun += 1

    def _at_line_start(self, file: BinaryIO) -> bool:
        """False where a file was replaced, or cut and filled again, beyond where the old one had been read."""
        if self.offset == 0 or self._amid_line:
            return True
        file.seek(self.offset - 1)
        return file.read(1) in (b"\n", b"")

    def _rest_of_rotated(self) -> list[tuple[str, int]]:
        """What was written to the followed file before it was renamed."""
        for path in self._path.parent.glob(f"{self._path.name}?*"):
            try:
                if self.inode and path.stat().st_ino == self.inode:
                    with opened(path) as file:
                        return self._next(file) if self._at_line_start(file) else []
            except OSError:
                continue
        return []

    def _next(self, file: BinaryIO) -> list[tuple[str, int]]:
        file.seek(self.offset)
        data, start = file.read(READ_BYTES), self.offset
        end = data.rfind(b"\n") + 1
        if not end:
            if len(data) == READ_BYTES:  # a line of megabytes is none
                self.offset, self._amid_line = start + len(data), True
            return []
        self.offset = start + end
        lines = []
        for line in data[: end - 1].split(b"\n"):
            if line and not self._amid_line:
                lines.append((line.decode("utf-8", "replace"), start))
            start, self._amid_line = start + len(line) + 1, False
        return lines


def history(path: Path, since: float) -> list[Path]:
    """The file and its rotated forerunners that were written to since then, the oldest first. Raises ``OSError`` where
    the folder cannot be looked into."""
    found: dict[int, tuple[float, Path]] = {}
    for one in [*path.parent.glob(f"{path.name}[-.]?*"), path]:
        try:
            status = one.stat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_mtime >= since:
            found[status.st_ino] = status.st_mtime, one
    return [one for _, one in sorted(found.values())]


def lines_of(path: Path) -> Iterator[str]:
    """The whole lines of a file, also of a compressed one; lines that are no lines are left out. Raises ``OSError``."""
    with opened(path) as raw:
        file = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        whole = True
        try:
            while line := file.readline(MAX_LINE_BYTES):
                begins, whole = whole, line.endswith(b"\n")
                if begins and whole:
                    yield line.decode("utf-8", "replace")
        except EOFError:
            return  # a compressed file that is still being written
        except (gzip.BadGzipFile, zlib.error):
            raise OSError(0, f"{path.name} is damaged") from None
