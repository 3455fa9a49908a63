"""Recordings as files: a WAV that is open for reading, also where nobody finished its header, in blocks of raw frames.

Place on the path of a call: after its end, before anything listens. Asterisk writes a WAV's header when the recording
begins, with a size of 0, and again when it ends: a killed Asterisk leaves the first one. ``riff`` reads the header.
Promises: sound behind a header with a wrong size is read to the end of the file; what is no such sound is refused with
one sentence; a file of any length is read in blocks, and one that is deleted meanwhile is read to its end.
Never: writes a file; changes a sample.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from callcenter import riff
from callcenter.errors import BrokenWorld
from callcenter.riff import BadSound, Format, Head

BLOCK_SECONDS = 0.2
"""What is read at a time: engines look for the end of an utterance once a block. Vosk decodes in steps of 0.2 s of what
it is given (its recognizer.cc, AcceptWaveform): a block of another length makes more steps of the same sound."""
_REMEDY = "record as WAV: PCM, A-law or u-law"


class CutOff(BrokenWorld):
    """The file became shorter while it was read."""


class Wav:
    """A recording that is open for reading. ``repaired`` says what was wrong with its header, or is empty."""

    def __init__(self, file: BinaryIO, name: str, head: Head) -> None:
        self._file = file
        self._head = head
        self.name = name
        self.repaired = _repaired(head)

    @property
    def form(self) -> Format:
        return self._head.form

    @property
    def seconds(self) -> float:
        return self._head.seconds

    def blocks(self) -> Iterator[bytes]:
        """The frames as they are stored, ``BLOCK_SECONDS`` at a time. ``CutOff`` for a file cut meanwhile."""
        length = self._head.length
        size = max(1, int(self.form.rate * BLOCK_SECONDS)) * self.form.frame_bytes
        self._file.seek(self._head.offset)
        for position in range(0, length, size):
            wanted = min(size, length - position)
            block = self._file.read(wanted)
            if len(block) < wanted:
                raise CutOff(f"{self.name} was cut off while it was read: see what else writes there.")
            yield block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()


def open_wav(path: Path, name: str = "") -> Wav:
    """Opens a recording. Raises ``BadSound``, whose text begins with ``name`` (or the path)."""
    name = name or str(path)
    try:
        if path.exists() and not path.is_file():
            raise BadSound("unreadable", f"{name} cannot be read (it is no file): name a recording, as WAV.")
        file = path.open("rb")
    except OSError as error:
        raise BadSound(
            "unreadable", f"{name} cannot be read ({error.strerror}): name a recording that is there."
        ) from None
    try:
        head = riff.read_head(file, name, _REMEDY)
        if not head.length:
            raise BadSound("no_sound", f"{name} holds no sound: nothing was recorded.")
        return Wav(file, name, head)
    except OSError as error:
        file.close()
        raise BadSound("unreadable", f"{name} cannot be read ({error.strerror}): name a file.") from None
    except BaseException:
        file.close()
        raise


def _repaired(head: Head) -> str:
    match head.flaw:
        case "unfinished":
            return "its header was never finished"
        case "cut_off":
            return f"it is cut off, {head.rest} of {head.told} bytes of sound are there"
        case "understated":
            return f"its header tells of {head.told} bytes of sound, and there are {head.rest}"
    return ""
