"""The one reader of RIFF/WAV headers: how the sound of a file is coded, where it begins, how much of it is there.

Place on the path of a call: below everything that reads sound: recordings (``speech/wav``), their waveforms
(``web/peaks``) and what prompts are built from (``prompts/samples``).
Source of the layout: Microsoft's RIFF WAVE and WAVEFORMATEXTENSIBLE, and EBU Tech 3306 for RF64. Not Python's ``wave``:
it cannot read extensible headers before 3.12, nor floats, and takes a cut-off file for a short one.
Promises: total over any bytes: a ``Head`` or ``BadSound``, one sentence with a code; what is wrong with the told length
is named, so that each caller decides whether that matters.
Never: opens a file, reads a sample, or tells more of a file than ``name``.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal

from callcenter.errors import BadInput

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 192_000

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

Reason = Literal["empty", "not_wav", "no_sound", "damaged", "coding", "channels", "rate", "unreadable"]
Flaw = Literal["", "unfinished", "cut_off", "understated"]


class BadSound(BadInput):
    """No sound that is read here. ``reason`` is a stable code for what the sentence says."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Format:
    """``coding``: pcm8, pcm16, pcm24, pcm32, float32, alaw or ulaw. ``rate``: frames per second."""

    coding: str
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


@dataclass(frozen=True, slots=True)
class Head:
    """What a header says and what is there.

    ``offset``: where the sound begins; ``length``: bytes of it that are there, whole frames; ``told``: bytes that the
    header tells of; ``rest``: bytes behind the header. ``flaw``: ``unfinished`` (no length was ever written),
    ``cut_off`` (less is there than told), ``understated`` (more sound is there than told), or none.
    """

    form: Format
    offset: int
    length: int
    told: int
    rest: int
    flaw: Flaw = ""

    @property
    def seconds(self) -> float:
        return self.length / self.form.frame_bytes / self.form.rate


def read_head(file: BinaryIO, name: str, remedy: str) -> Head:
    """The header of a file that can seek. Raises ``BadSound``: the sentence begins with ``name``, ends with ``remedy``
    where that would help; and whatever ``file`` raises."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    if not head:
        raise BadSound("empty", f"{name} is empty: nothing was recorded.")
    if head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
        raise BadSound("not_wav", f"{name} is {_kind(head)}, not a WAV file: {remedy}.")
    form, position, told = None, 12, 0
    while position + 8 <= size:
        file.seek(position)
        kind, told = struct.unpack("<4sI", file.read(8))
        position += 8
        if kind == b"data":
            break
        if kind == b"fmt " and position < size:
            form = _format(file.read(min(told, 40)), name, remedy)
        position += told + told % 2
    else:
        raise BadSound("no_sound", f"{name} ends before its sound begins: copy or record it again.")
    if form is None:
        raise BadSound("damaged", f"{name} has a damaged header that does not say how its sound is coded: {remedy}.")
    length, flaw = _extent(file, position, told, size)
    return Head(form, position, length - length % form.frame_bytes, told, size - position, flaw)


def header(form: Format, length: int) -> bytes:
    """The plainest header of ``length`` bytes of sound; beyond 4 GiB it says that the file never ends."""
    tag = next(tag for (tag, _), coding in _CODINGS.items() if coding == form.coding)
    speed = form.rate * form.frame_bytes
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", min(36 + length, 0xFFFFFFFF), b"WAVE", b"fmt ", 16, tag, form.channels, form.rate, speed),
        *(form.frame_bytes, form.bits, b"data", min(length, 0xFFFFFFFF)),
    )


def _extent(file: BinaryIO, position: int, told: int, size: int) -> tuple[int, Flaw]:
    """Bytes of sound, and what the header says wrongly about them."""
    rest = size - position
    if told == 0 or told >= _ENDLESS:
        return rest, "unfinished" if rest else ""
    if told > rest:
        return rest, "cut_off"
    if not _chunks_follow(file, position + told + told % 2, size):
        return rest, "understated"
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


def _format(chunk: bytes, name: str, remedy: str) -> Format:
    if len(chunk) < 16:
        raise BadSound("damaged", f"{name} has a damaged header: {remedy}.")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    coding = _CODINGS.get((tag, bits))
    if coding is None:
        told = f"{bits}-bit PCM" if tag == 1 else _OTHER_CODINGS.get(tag, "an unknown coding")
        raise BadSound("coding", f"{name} is coded as {told}: {remedy}.")
    if channels not in (1, 2):
        raise BadSound("channels", f"{name} has {channels} channels: {remedy}; of one channel for each speaker.")
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise BadSound("rate", f"{name} has {rate} samples per second, not {MIN_RATE_HZ} to {MAX_RATE_HZ}: {remedy}.")
    return Format(coding, channels, rate, bits)
