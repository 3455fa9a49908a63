"""WAV files as bytes: reading what a site recorded, writing what Asterisk plays.

Place on the path of a call: when prompts are built. Source of the layout: Microsoft's RIFF WAVE and
WAVEFORMATEXTENSIBLE descriptions. Not Python's ``wave``: it cannot read extensible headers before 3.12, nor floats,
and it takes a cut-off file for a short one.
Promises: a file that is not a whole, plain WAV of speech length is refused with one sentence: what it is, what to do.
Never: opens a file; ``name`` is only for the sentences.
"""

import struct
import sys
from array import array
from dataclasses import dataclass

from callcenter.errors import BadInput
from callcenter.prompts.sound import Sound

MIN_SECONDS = 0.05
MAX_SECONDS = 60.0
MIN_RATE_HZ = 8000
MAX_RATE_HZ = 96000

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_OTHER_CODINGS = {2: "ADPCM", 6: "A-law", 7: "u-law", 17: "IMA ADPCM", 49: "GSM", 85: "MP3"}
_OTHER_FILES = (
    (b"ID3", "an MP3 file"), (b"OggS", "an Ogg file"), (b"fLaC", "a FLAC file"), (b"FORM", "an AIFF file"),
    (b".snd", "an AU file"), (b"#!AMR", "an AMR file"), (b"RF64", "an RF64 file"),
)  # fmt: skip
_ENDLESS = 0x7FFF0000
"""Sizes from here on are what programs write that do not know the length yet."""
_REMEDY = "save it as a WAV file, 16-bit PCM, mono, 8000 Hz or more"


@dataclass(frozen=True, slots=True)
class _Format:
    coding: int
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def decode(data: bytes, name: str) -> Sound:
    """The sound of a WAV file, stereo mixed to one channel. Raises ``BadInput``, whose text begins with ``name``."""
    if not data:
        raise BadInput(f"{name} is empty: record it again.")
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadInput(f"{name} is {_kind(data)}, not a WAV file: {_REMEDY}.")
    header, body = _chunks(data, name)
    form = _format(header, name)
    seconds = len(body) // form.frame_bytes / form.rate
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise BadInput(f"{name} lasts {seconds:.2f} s: record it again, {MIN_SECONDS} to {MAX_SECONDS:.0f} s long.")
    samples = _samples(body[: len(body) // form.frame_bytes * form.frame_bytes], form)
    if form.channels == 2:
        samples = array("d", ((left + right) / 2 for left, right in zip(samples[::2], samples[1::2], strict=True)))
    if not all(-8.0 < sample < 8.0 for sample in samples):  # also False for NaN
        raise BadInput(f"{name} holds values that are no sound: {_REMEDY}.")
    return Sound(form.rate, samples)


def encode(sound: Sound) -> bytes:
    """A WAV file, 16-bit PCM, mono, with the plainest header there is. ``OverflowError`` for a sample beyond 1.0."""
    samples = array("h", (round(sample * 32767) for sample in sound.samples))
    if sys.byteorder == "big":
        samples.byteswap()
    body = samples.tobytes()
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, _PCM, 1,
                         sound.rate, sound.rate * 2, 2, 16, b"data", len(body))  # fmt: skip
    return header + body


def _kind(data: bytes) -> str:
    for magic, kind in _OTHER_FILES:
        if data.startswith(magic):
            return kind
    if data[4:8] == b"ftyp":
        return "an MP4 file"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        return "an MP3 file"
    return "some other file"


def _chunks(data: bytes, name: str) -> tuple[bytes, bytes]:
    header = b""
    position = 12
    while position + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + size]
        if kind == b"data":
            return header, _whole(body, size, len(data) - position - 8, name)
        if kind == b"fmt ":
            header = body
        position += 8 + size + size % 2
    raise BadInput(f"{name} ends before its sound begins: copy or record it again.")


def _whole(body: bytes, size: int, rest: int, name: str) -> bytes:
    if size == 0 and rest == 0:
        raise BadInput(f"{name} holds no sound: record it again.")
    if size == 0 or size >= _ENDLESS:
        raise BadInput(f"{name} was not finished, its header gives no length: open it in an editor and save it again.")
    if size > rest:
        raise BadInput(f"{name} is cut off, {rest} of {size} bytes of sound are there: copy or record it again.")
    return body


def _format(header: bytes, name: str) -> _Format:
    if len(header) < 16:
        raise BadInput(f"{name} has a damaged header: {_REMEDY}.")
    coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", header)
    if coding == _EXTENSIBLE and len(header) >= 26:
        (coding,) = struct.unpack_from("<H", header, 24)
    if (coding, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32)}:
        told = f"{bits}-bit PCM" if coding == _PCM else _OTHER_CODINGS.get(coding, "an unknown coding")
        raise BadInput(f"{name} is coded as {told}: {_REMEDY}.")
    if channels not in (1, 2):
        raise BadInput(f"{name} has {channels} channels: {_REMEDY}.")
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise BadInput(f"{name} has {rate} samples per second, not {MIN_RATE_HZ} to {MAX_RATE_HZ}: {_REMEDY}.")
    return _Format(coding, channels, rate, bits)


def _samples(body: bytes, form: _Format) -> "array[float]":
    if form.bits == 8:
        return array("d", ((value - 128) / 128 for value in body))
    if form.bits == 24:
        wide = bytearray(len(body) // 3 * 4)
        for byte in range(3):
            wide[byte + 1 :: 4] = body[byte::3]
        body = bytes(wide)
    values: array[float] = array("f") if form.coding == _FLOAT else array("h" if form.bits == 16 else "i")  # type: ignore[assignment]
    values.frombytes(body)
    if sys.byteorder == "big":
        values.byteswap()
    scale = {_FLOAT: 1.0}.get(form.coding, 2.0**15 if form.bits == 16 else 2.0**31)
    return array("d", (value / scale for value in values))
