"""Recordings as files: what a WAV holds, also where nobody finished its header, and its raw frames in blocks.

Place on the path of a call: after its end, before anything listens. Asterisk writes a WAV's header when the recording
begins, with a size of 0, and again when it ends: a killed Asterisk leaves the first one.
Source of the layout: Microsoft's RIFF WAVE, and EBU Tech 3306 for RF64.
Promises: sound behind a header with a wrong size is read to the end of the file; what is no such sound is refused with
one sentence; a file of any length is read in blocks, and one that is deleted meanwhile is read to its end.
Never: writes a file; changes a sample.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from callcenter.errors import BadInput, BrokenWorld

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 192_000
BLOCK_SECONDS = 0.25
"""What is read at a time: engines look for the end of an utterance once a block."""

_CODINGS = {
    **{(1, bits): f"pcm{bits}" for bits in (8, 16, 24, 32)},
    (3, 32): "float32",
    (6, 8): "alaw",
    (7, 8): "ulaw",
}
_OTHER_CODINGS = {2: "ADPCM", 17: "IMA ADPCM", 49: "GSM (Asterisk's wav49)", 80: "MPEG", 85: "MP3"}
_OTHER_FILES = (
    (b"ID3", "an MP3 file"), (b"OggS", "an Ogg file"), (b"fLaC", "a FLAC file"), (b"FORM", "an AIFF file"),
    (b".snd", "an AU file"), (b"#!AMR", "an AMR file"), (b"\x1aE\xdf\xa3", "a Matroska file"),
)  # fmt: skip
_EXTENSIBLE = 0xFFFE
_ENDLESS = 0x7FFF0000
"""Sizes from here on are what programs write that do not know the length yet."""
_REMEDY = "record as WAV: PCM, A-law or u-law"


@dataclass(frozen=True, slots=True)
class Format:
    """``coding``: pcm8, pcm16, pcm24, pcm32, float32, alaw or ulaw."""

    coding: str
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


class Wav:
    """A recording that is open for reading. ``repaired`` says what was wrong with its header, or is empty."""

    def __init__(self, file: BinaryIO, name: str, form: Format, offset: int, length: int, repaired: str) -> None:
        self._file = file
        self.name = name
        self.form = form
        self._offset = offset
        self.length = length
        self.repaired = repaired

    @property
    def seconds(self) -> float:
        return self.length / self.form.frame_bytes / self.form.rate

    def blocks(self) -> Iterator[bytes]:
        """The frames as they are stored, ``BLOCK_SECONDS`` at a time. ``BrokenWorld`` for a file cut meanwhile."""
        size = max(1, int(self.form.rate * BLOCK_SECONDS)) * self.form.frame_bytes
        self._file.seek(self._offset)
        for position in range(0, self.length, size):
            wanted = min(size, self.length - position)
            block = self._file.read(wanted)
            if len(block) < wanted:
                raise BrokenWorld(f"{self.name} was cut off while it was read: see what else writes there.")
            yield block

    def header(self) -> bytes:
        """The header that the file should have: with it and the frames any player knows the length."""
        form = self.form
        tag = next(tag for (tag, _), coding in _CODINGS.items() if coding == form.coding)
        speed = form.rate * form.frame_bytes
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", min(36 + self.length, 0xFFFFFFFF), b"WAVE", b"fmt ", 16, tag, form.channels, form.rate, speed),
            *(form.frame_bytes, form.bits, b"data", min(self.length, 0xFFFFFFFF)),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()


def open_wav(path: Path, name: str = "") -> Wav:
    """Opens a recording. Raises ``BadInput``, whose text begins with ``name`` (or the path)."""
    name = name or str(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(f"{name} cannot be read ({error.strerror}): name a recording that is there.") from None
    try:
        return _read_head(file, name)
    except OSError as error:
        file.close()
        raise BadInput(f"{name} cannot be read ({error.strerror}): name a file.") from None
    except BaseException:
        file.close()
        raise


def _read_head(file: BinaryIO, name: str) -> Wav:
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    if not head:
        raise BadInput(f"{name} is empty: nothing was recorded.")
    if head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
        raise BadInput(f"{name} is {_kind(head)}, not a WAV file: {_REMEDY}.")
    form, position, told = None, 12, 0
    while position + 8 <= size:
        file.seek(position)
        kind, told = struct.unpack("<4sI", file.read(8))
        position += 8
        if kind == b"data":
            break
        if kind == b"fmt ":
            form = _format(file.read(min(told, 40)), name)
        position += told + told % 2
    else:
        raise BadInput(f"{name} ends before its sound begins: copy it again, or look why nothing was recorded.")
    if form is None:
        raise BadInput(f"{name} does not say how its sound is coded: {_REMEDY}.")
    length, repaired = _extent(file, position, told, size)
    length -= length % form.frame_bytes
    if not length:
        raise BadInput(f"{name} holds no sound: nothing was recorded.")
    return Wav(file, name, form, position, length, repaired)


def _extent(file: BinaryIO, position: int, told: int, size: int) -> tuple[int, str]:
    """Bytes of sound, and what the header says wrongly about them."""
    rest = size - position
    if told == 0 or told >= _ENDLESS:
        return rest, "its header was never finished" if rest else ""
    if told > rest:
        return rest, f"it is cut off, {rest} of {told} bytes of sound are there"
    if not _chunks_follow(file, position + told + told % 2, size):
        return rest, f"its header tells of {told} bytes of sound, and there are {rest}"
    return told, ""


def _chunks_follow(file: BinaryIO, position: int, size: int) -> bool:
    """Whether what stands behind the sound is chunks: else it is sound that the header does not know of."""
    while size - position >= 8:
        file.seek(position)
        kind, told = struct.unpack("<4sI", file.read(8))
        position += 8 + told
        if not (kind.isascii() and kind.decode("ascii").isprintable()) or position > size:
            return False
        position += told % 2
    return True


def _kind(head: bytes) -> str:
    for magic, kind in _OTHER_FILES:
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp":
        return "an MP4 file"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "an MP3 file"
    return "some other file"


def _format(header: bytes, name: str) -> Format:
    if len(header) < 16:
        raise BadInput(f"{name} has a damaged header: {_REMEDY}.")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", header)
    if tag == _EXTENSIBLE and len(header) >= 26:
        (tag,) = struct.unpack_from("<H", header, 24)
    coding = _CODINGS.get((tag, bits))
    if coding is None:
        told = f"{bits}-bit PCM" if tag == 1 else _OTHER_CODINGS.get(tag, "an unknown coding")
        raise BadInput(f"{name} is coded as {told}: {_REMEDY}.")
    if channels not in (1, 2):
        raise BadInput(f"{name} has {channels} channels: give each speaker a file of one channel.")
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise BadInput(f"{name} has {rate} samples per second, not {MIN_RATE_HZ} to {MAX_RATE_HZ}: {_REMEDY}.")
    return Format(coding, channels, rate, bits)
