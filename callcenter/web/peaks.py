"""The waveform of a track: loudest sample per slice, reckoned on the server, so that a page needs no audio to draw it.

Place on the path of a call: the review page. The sound itself is played by ``web/review`` in byte ranges.
Promises: reads only; a header that was never finished is read up to the end of the file; whatever is no PCM sound gives
``None``; memory and time are bounded (a long track is read in places); finished waveforms are kept, a bounded number.
Never: takes a path from a request.
"""

import asyncio
import struct
import sys
from array import array
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO, NamedTuple

BARS = 240
MAX_SAMPLES_PER_BAR = 24_000
MAX_KEPT = 256
_PCM, _ALAW, _ULAW, _EXTENSIBLE = 1, 6, 7, 0xFFFE
_TYPES = {1: "B", 2: "h", 4: "i"}


class Sound(NamedTuple):
    """What the header says. ``start``, ``size``: where the samples are, in bytes."""

    kind: int
    channels: int
    rate: int
    width: int
    start: int
    size: int


class Peaks(NamedTuple):
    """``bars``: loudest sample of each slice, 0 to 100. ``seconds``: length of the track."""

    seconds: float
    bars: tuple[int, ...]


class PeakShelf:
    """Waveforms by file; one is reckoned at a time, so that pages do not take the machine from the calls."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Peaks | None] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def of(self, file: Path) -> Peaks | None:
        """The waveform of a file; ``None`` if it cannot be read as sound."""
        try:
            stat = await asyncio.to_thread(file.stat)
        except OSError:
            return None
        key = str(file), stat.st_mtime_ns, stat.st_size
        async with self._one_at_a_time:
            if key not in self._kept:
                self._kept[key] = await asyncio.to_thread(peaks, file)
                while len(self._kept) > MAX_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def peaks(file: Path, bars: int = BARS) -> Peaks | None:
    """The waveform of a WAV file; ``None`` if it is none, or of a kind that is not known here."""
    try:
        with file.open("rb") as source:
            sound = header(source, file.stat().st_size)
            return _draw(source, sound, bars) if sound is not None else None
    except (OSError, struct.error, ValueError):
        return None


def header(source: BinaryIO, length: int) -> Sound | None:
    """Where the samples are (RIFF WAVE, Microsoft/IBM 1991). A ``data`` chunk that was never finished, as after a kill,
    says 0 or more than there is: it reaches to the end of the file."""
    if (start := source.read(12))[:4] != b"RIFF" or start[8:] != b"WAVE":
        return None
    form: tuple[int, ...] | None = None
    while len(chunk := source.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        at = source.tell()
        if name == b"fmt ":
            form = struct.unpack("<HHIIHH", source.read(16))
        if name == b"data":
            left = length - at
            return _sound(form, at, size if 0 < size <= left else left)
        source.seek(at + size + size % 2)
    return None


def _sound(form: tuple[int, ...] | None, start: int, size: int) -> Sound | None:
    if form is None:
        return None
    kind, channels, rate, _, _, bits = form
    known = bits == 8 if kind in (_ALAW, _ULAW) else kind in (_PCM, _EXTENSIBLE) and bits in (8, 16, 24, 32)
    good = known and 1 <= channels <= 8 and 1_000 <= rate <= 384_000
    return Sound(kind, channels, rate, bits // 8, start, size) if good else None


def _draw(source: BinaryIO, sound: Sound, bars: int) -> Peaks | None:
    frame = sound.width * sound.channels
    frames = sound.size // frame
    if not frames:
        return None
    loudest = []
    for bar in range(bars):
        first, last = frames * bar // bars, frames * (bar + 1) // bars
        source.seek(sound.start + first * frame)
        data = source.read(min(last - first, MAX_SAMPLES_PER_BAR // sound.channels) * frame)
        loudest.append(_loudest(data[: len(data) // frame * frame], sound))
    return Peaks(round(frames / sound.rate, 3), tuple(loudest))


def _loudest(data: bytes, sound: Sound) -> int:
    if not data:
        return 0
    if sound.kind in (_ALAW, _ULAW):
        return max(_COMPANDED[sound.kind][byte] for byte in set(data))
    if sound.width == 3:  # the upper two bytes are what is drawn
        upper = bytearray(len(data) // 3 * 2)
        upper[0::2], upper[1::2] = data[1::3], data[2::3]
        data = bytes(upper)
    samples = array(_TYPES[2 if sound.width == 3 else sound.width], data)
    if sys.byteorder == "big":
        samples.byteswap()
    if sound.width == 1:
        return round(100 * max(max(samples) - 128, 128 - min(samples)) / 128)
    highest, lowest = max(samples), min(samples)
    return round(100 * max(highest, -lowest) / (1 << (8 * samples.itemsize - 1)))


def _alaw(byte: int) -> int:
    """ITU-T G.711, size of the sample, 0 to 100."""
    byte ^= 0x55
    exponent, mantissa = (byte >> 4) & 7, byte & 15
    size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return round(100 * size / 32_768)


def _ulaw(byte: int) -> int:
    byte = ~byte & 0xFF
    size = ((((byte & 15) << 3) + 0x84) << ((byte >> 4) & 7)) - 0x84
    return round(100 * size / 32_768)


_COMPANDED = {_ALAW: [_alaw(byte) for byte in range(256)], _ULAW: [_ulaw(byte) for byte in range(256)]}
